// apps, apps.keys

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, Smooch, has, ids, newApp, refused, serviceUrl } = require("./engine");

describe("apps, by an account's key", () => {
    let world;
    let account;
    before(async () => {
        world = await newApp();
        account = world.account;
    });

    it("create gives the app back, get and list find it", async () => {
        const settings = { maskCreditCardNumbers: false, useAnimalNames: true, conversationRetentionSeconds: 3600 };
        const metadata = { team: "blue", size: 3, trial: true };
        const { app } = await account.apps.create("Tea House", settings, metadata);
        assert.match(app._id, ID);
        assert.equal(typeof app.appToken, "string");
        has(app, { name: "Tea House", metadata });
        has(app.settings, settings);

        const { app: found } = await account.apps.get(app._id);
        assert.deepEqual(found, app);
        const { apps } = await account.apps.list();
        assert.ok(ids(apps).includes(app._id));
        assert.ok(ids(apps).includes(world.appId), "the account's first app is listed too");
    });

    it("a name that is no string is refused by the client, an empty one by the API", async () => {
        assert.throws(() => account.apps.create(7), /expected string/);
        await refused(account.apps.create(""), 400, "bad_request");
    });

    it("list goes by pages", async () => {
        const own = await newApp();
        for (const name of ["Second", "Third"]) {
            await own.account.apps.create({ name });
        }
        const first = await own.account.apps.list({ limit: 2 });
        has(first, { hasMore: true, offset: 0 });
        assert.equal(first.apps.length, 2);
        const second = await own.account.apps.list({ limit: 2, offset: 2 });
        has(second, { hasMore: false, offset: 2 });
        assert.equal(new Set(ids([...first.apps, ...second.apps])).size, 3);
    });

    it("update changes what is sent and keeps the rest", async () => {
        const { app } = await account.apps.create({ name: "Before", settings: { useAnimalNames: true } });
        const { app: updated } = await account.apps.update(app._id, {
            name: "After",
            settings: { maskCreditCardNumbers: false },
        });
        has(updated, { _id: app._id, name: "After", appToken: app.appToken });
        has(updated.settings, { useAnimalNames: true, maskCreditCardNumbers: false });
        assert.deepEqual((await account.apps.get(app._id)).app, updated);
    });

    it("delete ends the app", async () => {
        const { app } = await account.apps.create({ name: "Short-lived" });
        assert.deepEqual(await account.apps.delete(app._id), {});
        await refused(account.apps.get(app._id), 404, "app_not_found", "not_found");
        assert.ok(!ids((await account.apps.list()).apps).includes(app._id));
    });

    it("getSdkIds names the app's web integration", async () => {
        const { integration } = await account.integrations.create({ appId: world.appId, props: { type: "web" } });
        const sdks = await account.apps.getSdkIds(world.appId);
        assert.equal(sdks.webIntegrationId, integration._id);
    });

    it("another account's app is not found or forbidden", async () => {
        const other = await newApp();
        const error = await account.apps.get(other.appId).catch((error) => error);
        assert.ok([403, 404].includes(error.response.status));
        assert.ok(!ids((await account.apps.list()).apps).includes(other.appId));
    });
});

describe("apps, by an app's key", () => {
    let world;
    before(async () => {
        world = await newApp({ name: "Tea House" });
    });

    it("get and update reach the key's own app", async () => {
        has((await world.app.apps.get(world.appId)).app, { _id: world.appId, name: "Tea House" });
        has((await world.app.apps.update(world.appId, { name: "Coffee House" })).app, { name: "Coffee House" });
    });

    it("list, create and delete are an account's", async () => {
        await refused(world.app.apps.list(), 403, "forbidden");
        await refused(world.app.apps.create("Mine"), 403, "forbidden");
        await refused(world.app.apps.delete(world.appId), 403, "forbidden");
    });

    it("another app is forbidden", async () => {
        const other = await newApp();
        await refused(world.app.apps.get(other.appId), 403, "forbidden");
    });

    it("keys are an account's; smooch-core asks for them in the short form", async () => {
        await refused(world.app.apps.keys.list(), 403, "forbidden");
        await refused(world.app.apps.keys.create("Mine"), 403, "forbidden");
    });
});

describe("apps.keys, by an account's key", () => {
    let world;
    let keys;
    let appId;
    before(async () => {
        world = await newApp();
        keys = world.account.apps.keys;
        appId = world.appId;
    });

    it("create gives the secret, and so do get and list", async () => {
        const { key } = await keys.create({ appId, name: "Till" });
        assert.match(key._id, /^app_[0-9a-f]{24}$/);
        assert.equal(key.name, "Till");
        assert.ok(key.secret.length >= 24);
        assert.deepEqual((await keys.get({ appId, keyId: key._id })).key, key);
        const listed = (await keys.list({ appId })).keys;
        assert.deepEqual(listed.find((entry) => entry._id === key._id), key);
        assert.ok(ids(listed).includes(world.keyId), "the app's first key is listed too");
    });

    it("a new key is let in", async () => {
        const { key } = await keys.create({ appId, name: "Till" });
        const client = new Smooch({ keyId: key._id, secret: key.secret, scope: "app", serviceUrl });
        assert.ok(Array.isArray((await client.webhooks.list()).webhooks));
    });

    it("getJwt gives a token of scope app that does not end", async () => {
        const { key } = await keys.create({ appId, name: "Till" });
        const { jwt } = await keys.getJwt({ appId, keyId: key._id });
        const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
        assert.equal(claims.scope, "app");
        assert.equal(claims.exp, undefined);
        const client = new Smooch({ jwt, serviceUrl });
        assert.equal(client.scope, "app");
        has((await client.apps.get(appId)).app, { _id: appId });
    });

    it("delete ends the key and its tokens", async () => {
        const { key } = await keys.create({ appId, name: "Till" });
        const { jwt } = await keys.getJwt({ appId, keyId: key._id });
        assert.deepEqual(await keys.delete({ appId, keyId: key._id }), {});
        await refused(keys.get({ appId, keyId: key._id }), 404, "key_not_found", "not_found");
        await refused(new Smooch({ jwt, serviceUrl }).webhooks.list(), 401, "unauthorized", "invalid_auth");
    });
});
