// attachments

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { file, has, newApp, refused } = require("./engine");

const tea = file("tea list.txt", "mint, green");
const cup = file("cup.png", "a cup");

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
            assert.equal(sent.message.mediaSize, "mint, green".length);
        });

        it("uploadImage says something with a picture, which goes with its message", async () => {
            const userId = `seen-${scope}`;
            const { appUsers } = world[scope];
            await appUsers.create({ appId, appUser: { userId } });
            const said = { role: "appMaker", text: "Mint", metadata: JSON.stringify({ table: 7 }) };
            const { message } = await appUsers.uploadImage({ appId, userId, source: cup(), message: said });
            has(message, { type: "image", role: "appMaker", text: "Mint", mediaType: "image/png", mediaSize: 5 });
            assert.deepEqual(message.metadata, { table: 7 });
            assert.equal(await (await fetch(message.mediaUrl)).text(), "a cup");
            const { messages } = await appUsers.getMessages({ appId, userId });
            assert.deepEqual(messages, [message]);
            const [heard] = (await world.heard("message:appMaker")).slice(-1);
            assert.deepEqual(heard.messages, [message]);
            await appUsers.deleteMessage({ appId, userId, messageId: message._id });
            await world.heard();
            assert.equal((await fetch(message.mediaUrl)).status, 404);
        });

        it("uploadImage takes pictures only, and a role", async () => {
            const userId = `unseen-${scope}`;
            const { appUsers } = world[scope];
            await appUsers.create({ appId, appUser: { userId } });
            const message = { role: "appMaker" };
            await refused(appUsers.uploadImage({ appId, userId, source: tea(), message }), 400, "bad_request");
            await refused(appUsers.uploadImage({ appId, userId, source: cup() }), 400, "bad_request");
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

describe("attachments, scope appUser", () => {
    it("a person sends a picture of their own", async () => {
        const world = await newApp();
        const userId = "lea";
        await world.app.appUsers.create({ appUser: { userId } });
        const { appUsers } = world.person(userId);
        const { message } = await appUsers.uploadImage({ userId, source: cup(), message: { role: "appUser" } });
        has(message, { type: "image", role: "appUser", mediaType: "image/png" });
        const asBusiness = appUsers.uploadImage({ userId, source: cup(), message: { role: "appMaker" } });
        await refused(asBusiness, 403, "forbidden");
    });
});
