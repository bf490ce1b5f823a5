// serviceAccounts, serviceAccounts.keys

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, Smooch, has, ids, newApp, refused, serviceUrl } = require("./engine");

describe("serviceAccounts, by an account's key", () => {
    let world;
    let accounts;
    before(async () => {
        world = await newApp();
        accounts = world.account.serviceAccounts;
    });

    const create = async (name) => (await accounts.create(name)).serviceAccount;

    it("create, get and list tell of one service account", async () => {
        const account = await create("Robot");
        assert.match(account._id, ID);
        assert.equal(account.name, "Robot");
        assert.deepEqual((await accounts.get(account._id)).serviceAccount, account);
        const { serviceAccounts } = await accounts.list();
        assert.ok(ids(serviceAccounts).includes(account._id));
    });

    it("list goes by pages", async () => {
        const own = (await newApp()).account.serviceAccounts;
        for (const name of ["One", "Two", "Three"]) {
            await own.create(name);
        }
        const first = await own.list({ limit: 2 });
        const second = await own.list({ limit: 2, offset: 2 });
        has(first, { hasMore: true, offset: 0 });
        has(second, { hasMore: false, offset: 2 });
        assert.equal(new Set(ids([...first.serviceAccounts, ...second.serviceAccounts])).size, 3);
    });

    it("update changes the name", async () => {
        const { _id } = await create("Before");
        has((await accounts.update(_id, { name: "After" })).serviceAccount, { _id, name: "After" });
        has((await accounts.get(_id)).serviceAccount, { _id, name: "After" });
    });

    it("delete ends it", async () => {
        const { _id } = await create("Short-lived");
        assert.deepEqual(await accounts.delete(_id), {});
        await refused(accounts.get(_id), 404, "service_account_not_found", "not_found");
    });

    it("keys are created, found with their secret, listed, and deleted", async () => {
        const { _id: serviceAccountId } = await create("Robot");
        const { key } = await accounts.keys.create(serviceAccountId, "Arm");
        assert.match(key._id, /^svc_[0-9a-f]{24}$/);
        assert.equal(key.name, "Arm");
        assert.deepEqual((await accounts.keys.get(serviceAccountId, key._id)).key, key);
        assert.deepEqual((await accounts.keys.list(serviceAccountId)).keys, [key]);
        assert.deepEqual(await accounts.keys.delete(serviceAccountId, key._id), {});
        assert.deepEqual((await accounts.keys.list(serviceAccountId)).keys, []);
        await refused(accounts.keys.get(serviceAccountId, key._id), 404, "key_not_found", "not_found");
    });

    it("getJwt gives a token of scope account", async () => {
        const { _id: serviceAccountId } = await create("Robot");
        const { key } = await accounts.keys.create(serviceAccountId, "Arm");
        const { jwt } = await accounts.keys.getJwt(serviceAccountId, key._id);
        const client = new Smooch({ jwt, serviceUrl });
        assert.equal(client.scope, "account");
        assert.ok(Array.isArray((await client.apps.list()).apps));
    });

    it("a service account's key reaches the apps it made, and no service accounts", async () => {
        const { _id: serviceAccountId } = await create("Robot");
        const { key } = await accounts.keys.create(serviceAccountId, "Arm");
        const robot = new Smooch({ keyId: key._id, secret: key.secret, scope: "account", serviceUrl });
        const { app } = await robot.apps.create("Robot's");

        assert.deepEqual(ids((await robot.apps.list()).apps), [app._id]);
        assert.deepEqual(ids((await world.account.apps.list({ serviceAccountId })).apps), [app._id]);
        assert.ok((await robot.apps.keys.create({ appId: app._id, name: "Till" })).key.secret);
        assert.deepEqual((await robot.webhooks.list({ appId: app._id })).webhooks, []);
        await refused(robot.apps.get(world.appId), 403, "forbidden");
        await refused(robot.serviceAccounts.list(), 403, "forbidden");
    });
});

describe("serviceAccounts, by an app's key", () => {
    it("are forbidden", async () => {
        const world = await newApp();
        await refused(world.app.serviceAccounts.list(), 403, "forbidden");
        await refused(world.app.serviceAccounts.create("Mine"), 403, "forbidden");
    });
});
