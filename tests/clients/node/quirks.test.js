// What published clients do that a server written to the letter of v1.1 might not expect.

"use strict";

const assert = require("node:assert/strict");
const { createServer, request } = require("node:http");
const { Readable } = require("node:stream");
const { after, before, describe, it } = require("node:test");
const { Smooch, call, has, newApp, nodesFormData, refused, serviceUrl } = require("./engine");

/** Stands between client and engine and keeps what passes. */
async function listener() {
    const seen = [];
    const server = createServer((incoming, outgoing) => {
        const { method, url, headers } = incoming;
        const body = [];
        seen.push({ method, url, headers, body });
        const forward = request(`${serviceUrl}${url}`, { method, headers }, (answer) => {
            outgoing.writeHead(answer.statusCode, answer.headers);
            answer.pipe(outgoing);
        });
        incoming.on("data", (chunk) => body.push(chunk));
        incoming.pipe(forward);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { seen, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

describe("what smooch-core sends", () => {
    let world;
    let wire;
    let app;
    let account;
    before(async () => {
        world = await newApp();
        wire = await listener();
        app = new Smooch({ keyId: world.keyId, secret: world.secret, scope: "app", serviceUrl: `${wire.url}/` });
        account = new Smooch({
            keyId: world.accountKeyId,
            secret: world.accountSecret,
            scope: "account",
            serviceUrl: wire.url,
        });
    });
    after(() => wire.close());

    const last = () => wire.seen.at(-1);

    it("names itself, and signs its own token", async () => {
        await app.webhooks.list();
        assert.equal(last().headers["user-agent"], "smooch-core-js/8.11.4");
        assert.match(last().headers.authorization, /^Bearer /);
    });

    it("goes by the short form with scope app, by the full one with scope account", async () => {
        await app.webhooks.list();
        assert.equal(last().url, "/v1.1/webhooks");
        await account.webhooks.list({ appId: world.appId });
        assert.equal(last().url, `/v1.1/apps/${world.appId}/webhooks`);
        await app.integrations.list({ appId: world.appId });
        assert.equal(last().url, `/v1.1/apps/${world.appId}/integrations`);
        await app.integrations.menu.get({ integrationId: world.integrations.twilio }).catch(() => undefined);
        assert.equal(last().url, `/v1.1/integrations/${world.integrations.twilio}/menu`);
    });

    it("asks for an app's keys in the short form, which is known and forbidden", async () => {
        await refused(app.apps.keys.list(), 403, "forbidden");
        assert.equal(last().url, "/v1.1/keys");
        await refused(app.apps.list(), 403, "forbidden");
        assert.equal(last().url, "/v1.1/apps");
    });

    it("appUsers.create takes an object with appUser, with and without appId", async () => {
        has((await app.appUsers.create({ appUser: { userId: "q-1" } })).appUser, { userId: "q-1" });
        const both = { appId: world.appId, appUser: { userId: "q-2" } };
        has((await app.appUsers.create(both)).appUser, { userId: "q-2" });
        has((await account.appUsers.create({ ...both, appUser: { userId: "q-3" } })).appUser, { userId: "q-3" });
        const sent = wire.seen.length;
        assert.throws(() => app.appUsers.create({ userId: "q-4" }), /missing required argument: appUser/);
        assert.equal(wire.seen.length, sent, "nothing was asked");
    });

    it("deletes with a content type and no body", async () => {
        await app.appUsers.create({ appUser: { userId: "q-5" } });
        assert.deepEqual(await app.appUsers.delete("q-5"), {});
        assert.equal(last().method, "DELETE");
        assert.equal(last().headers["content-type"], "application/json");
        assert.equal(Buffer.concat(last().body).length, 0);
    });

    it("reads by before or by after, never by both", async () => {
        await app.appUsers.create({ appUser: { userId: "q-6" } });
        await app.appUsers.sendMessage("q-6", { role: "appMaker", type: "text", text: "Hello" });
        await app.appUsers.getMessages("q-6", { before: 1790000000.123 });
        assert.equal(last().url, "/v1.1/appusers/q-6/messages?before=1790000000.123");
        const sent = wire.seen.length;
        await assert.rejects(app.appUsers.getMessages("q-6", { before: 1, after: 2 }), /mutually exclusive/);
        assert.equal(wire.seen.length, sent, "nothing was asked");
    });

    it("joins integration ids with an encoded comma", async () => {
        await app.appUsers.create({ appUser: { userId: "q-7" } });
        const { twilio, messagebird } = world.integrations;
        await app.appUsers.getLinkRequests("q-7", [twilio, messagebird]);
        assert.ok(last().url.endsWith(`?integrationIds=${twilio}%2C${messagebird}`));
    });

    it("puts a user's id into the path as it is, and encoded when the caller did so", async () => {
        for (const userId of ["q+8@shop.example", "q 9 é", "team/blue/q"]) {
            await app.appUsers.create({ appUser: { userId } });
            has((await app.appUsers.get(encodeURIComponent(userId))).appUser, { userId });
            if (!userId.includes(" ")) {
                has((await app.appUsers.get(userId)).appUser, { userId });
            }
        }
    });

    it("rejects with code and description, as JSON told them", async () => {
        const error = await refused(app.webhooks.get("0123456789abcdef01234567"), 404);
        assert.equal(typeof error.code, "string");
        assert.match(error.response.headers.get("content-type"), /^application\/json; charset=utf-8$/);
    });

    it("wants signedUpAt as a Date, and sends it as text", async () => {
        const userId = "q-10";
        await assert.rejects(app.appUsers.create({ appUser: { userId, signedUpAt: "2020-02-03" } }), /must be a date/);
        const signedUpAt = new Date("2020-02-03T00:00:00Z");
        const { appUser } = await app.appUsers.create({ appUser: { userId, signedUpAt } });
        assert.equal(appUser.signedUpAt, "2020-02-03T00:00:00.000Z");
    });

    it("will not start without a scope, and reads it from a token", async () => {
        assert.throws(() => new Smooch({ keyId: "k", secret: "s" }), /missing scope/);
        const noScope = app.utils.jwt.generate({}, world.secret, world.keyId);
        assert.throws(() => new Smooch({ jwt: noScope }), /no scope defined/);
        const jwt = app.utils.jwt.generate({ scope: "app" }, world.secret, world.keyId);
        assert.ok((await new Smooch({ jwt, serviceUrl }).webhooks.list()).webhooks);
    });

    it("uploads in chunks, without a length", async () => {
        const source = Readable.from([Buffer.from("mint")]);
        source.path = "tea.txt";
        const { mediaUrl } = await app.attachments.create({ access: "public" }, source);
        assert.ok(mediaUrl);
        has(last().headers, { "transfer-encoding": "chunked", "content-length": undefined });
        assert.match(last().headers["content-type"], /^multipart\/form-data; ?boundary=/);
    });

    it("with Node's own FormData it uploads a word, which is refused and no fault of ours", async () => {
        const file = new nodesFormData();
        file.append("source", new Blob(["mint"]), "tea.txt");
        const proper = global.FormData;
        global.FormData = nodesFormData;
        try {
            const error = await app.attachments.create({ access: "public" }, file).catch((error) => error);
            assert.equal(Buffer.concat(last().body).toString(), "[object FormData]");
            assert.ok([400, 415].includes(error.response?.status), error.stack);
            assert.equal(typeof error.code, "string");
        } finally {
            global.FormData = proper;
        }
    });
});

describe("credentials that are refused", () => {
    let world;
    before(async () => {
        world = await newApp();
    });

    const as = (options) => new Smooch({ serviceUrl, ...options });

    it("a wrong secret and an unknown key", async () => {
        const { keyId } = world;
        const wrong = { keyId, secret: "wrong", scope: "app" };
        await refused(as(wrong).webhooks.list(), 401, "unauthorized", "invalid_auth");
        const unknown = { keyId: "app_0123456789abcdef01234567", secret: "s", scope: "app" };
        await refused(as(unknown).webhooks.list(), 401, "unauthorized", "invalid_auth");
    });

    it("a scope that is not the key's", async () => {
        const { keyId, secret } = world;
        await refused(as({ keyId, secret, scope: "account" }).apps.list(), 401, "unauthorized", "invalid_auth");
    });

    it("none at all", async () => {
        const answer = await call("GET", "/v1.1/webhooks");
        assert.equal(answer.status, 401);
        has(answer.body.error, { code: "unauthorized" });
    });
});

describe("paths", () => {
    it("are found in any case, under both versions, in both forms, with a slash at the end", async () => {
        const world = await newApp();
        const headers = { authorization: `Basic ${btoa(`${world.keyId}:${world.secret}`)}` };
        const paths = [
            `/v1.1/apps/${world.appId}/webhooks`,
            `/v1/apps/${world.appId}/webhooks`,
            `/V1.1/Apps/${world.appId}/WebHooks/`,
            "/v1.1/webhooks",
            "/v1/WEBHOOKS",
        ];
        for (const path of paths) {
            const answer = await call("GET", path, { headers });
            assert.equal(answer.status, 200, path);
            assert.equal(answer.body.webhooks[0]._id, world.webhooks[0].id);
        }
        await world.app.appUsers.create({ appUser: { userId: "u@x.example" } });
        for (const path of ["appUsers/u@x.example/authCode", "appusers/u%40x.example/authcode"]) {
            assert.match((await call("GET", `/v1.1/${path}`, { headers })).body.authCode, /^ac_/);
        }
    });
});
