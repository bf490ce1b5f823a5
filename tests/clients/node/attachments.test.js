// attachments

"use strict";

const assert = require("node:assert/strict");
const { createReadStream, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { after, before, describe, it } = require("node:test");
const { newApp, refused } = require("./engine");

const folder = mkdtempSync(join(tmpdir(), "attachments-"));
after(() => rmSync(folder, { recursive: true }));

/** A file on the disk, as the client reads one. */
function file(name, content) {
    const path = join(folder, name);
    writeFileSync(path, content);
    return () => createReadStream(path);
}
const tea = file("tea list.txt", "mint, green");

for (const scope of ["account", "app"]) {
    describe(`attachments, scope ${scope}`, () => {
        let world;
        let attachments;
        let appId;
        before(async () => {
            world = await newApp();
            attachments = world[scope].attachments;
            appId = world.appId;
        });

        const upload = (props, source = tea) => attachments.create({ appId, props, source: source() });

        it("create keeps the file, and its URL hands it out", async () => {
            const { mediaUrl, mediaType } = await upload({ access: "public" });
            assert.match(mediaType, /^text\/plain/);
            const response = await fetch(mediaUrl);
            assert.equal(response.status, 200);
            assert.match(response.headers.get("content-type"), /^text\/plain/);
            assert.equal(await response.text(), "mint, green");
        });

        it("bytes come back as they were", async () => {
            const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 31) % 256));
            const { mediaUrl, mediaType } = await upload({ access: "public" }, file("tea.png", bytes));
            assert.equal(mediaType, "image/png");
            const back = Buffer.from(await (await fetch(mediaUrl)).arrayBuffer());
            assert.ok(bytes.equals(back));
        });

        it("a person's file goes with the person", async () => {
            const userId = `gone-${scope}`;
            const { appUser } = await world[scope].appUsers.create({ appId, appUser: { userId } });
            const files = [];
            for (const whose of [{ appUserId: appUser._id }, { userId }]) {
                files.push((await upload({ access: "public", for: "message", ...whose })).mediaUrl);
            }
            await world[scope].appUsers.delete({ appId, userId });
            await world.heard();
            for (const mediaUrl of files) {
                assert.equal((await fetch(mediaUrl)).status, 404);
            }
        });

        it("a message that shows a file says its type and size", async () => {
            const userId = `sent-${scope}`;
            await world[scope].appUsers.create({ appId, appUser: { userId } });
            const { mediaUrl } = await upload({ access: "public", for: "message", userId });
            const message = { role: "appMaker", type: "file", mediaUrl };
            const sent = await world[scope].appUsers.sendMessage({ appId, userId, message });
            assert.equal(sent.message.mediaUrl, mediaUrl);
            assert.match(sent.message.mediaType, /^text\/plain/);
            assert.equal(sent.message.mediaSize, undefined, "the size is not told");
        });

        it("delete takes it away", async () => {
            const { mediaUrl } = await upload({ access: "public" });
            assert.deepEqual(await attachments.delete({ appId, mediaUrl }), {});
            assert.equal((await fetch(mediaUrl)).status, 404);
        });

        it("what is not public, or for nobody, is refused", async () => {
            await refused(upload({ access: "private" }), 400, "bad_request");
            await refused(upload({ access: "public", for: "dinner" }), 400, "bad_request");
            const nobody = { access: "public", for: "message", userId: "nobody" };
            await refused(upload(nobody), 404, "user_not_found", "not_found");
        });

        it("another app's file is not ours to delete", async () => {
            const other = await newApp();
            const { mediaUrl } = await other.app.attachments.create({ props: { access: "public" }, source: tea() });
            await refused(attachments.delete({ appId, mediaUrl }), 404);
            assert.equal((await fetch(mediaUrl)).status, 200);
        });
    });
}
