// webhooks

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { Webhook } = require("standardwebhooks");
const { ID, anybody, call, has, ids, local, newApp, outbox, refused, serviceUrl, settle } = require("./engine");

for (const scope of ["account", "app"]) {
    describe(`webhooks, scope ${scope}`, () => {
        let world;
        let webhooks;
        let appId;
        before(async () => {
            world = await newApp({ webhooks: [] });
            webhooks = world[scope].webhooks;
            appId = world.appId;
        });

        const target = (name) => `${serviceUrl}/_local/sink/${name}`;
        const create = async (props) => (await webhooks.create({ appId, props })).webhook;

        it("create gives the webhook with its secret, get and list find it", async () => {
            const props = { target: target("a"), triggers: ["message:appUser", "postback"], includeClient: true };
            const webhook = await create(props);
            assert.match(webhook._id, ID);
            has(webhook, { ...props, includeFullAppUser: false, version: "v1.1" });
            assert.ok(webhook.secret.length >= 16);
            assert.deepEqual((await webhooks.get({ appId, webhookId: webhook._id })).webhook, webhook);
            const listed = (await webhooks.list({ appId })).webhooks;
            assert.deepEqual(listed.find((entry) => entry._id === webhook._id), webhook);
        });

        it("without triggers a webhook wants messages", async () => {
            has(await create({ target: target("b") }), { triggers: ["message"], includeClient: false });
        });

        it("a contact centre's triggers are all known", async () => {
            const triggers = [
                "message:appUser",
                "conversation:read",
                "typing:appUser",
                "message:delivery:failure",
                "postback",
            ];
            has(await create({ target: target("c"), triggers, includeClient: true }), { triggers });
        });

        it("update changes what is sent and keeps the rest", async () => {
            const webhook = await create({ target: target("d"), triggers: ["*"] });
            const props = { triggers: ["conversation:read"], includeFullAppUser: true };
            const updated = (await webhooks.update({ appId, webhookId: webhook._id, props })).webhook;
            assert.deepEqual(updated, { ...webhook, ...props });
        });

        it("delete ends it", async () => {
            const webhook = await create({ target: target("e") });
            assert.deepEqual(await webhooks.delete({ appId, webhookId: webhook._id }), {});
            await refused(webhooks.get({ appId, webhookId: webhook._id }), 404, "webhook_not_found", "not_found");
            assert.ok(!ids((await webhooks.list({ appId })).webhooks).includes(webhook._id));
        });

        it("the client refuses a target that is no URL, the API an unknown trigger", async () => {
            assert.throws(() => webhooks.create({ appId, props: { target: "shop.example" } }), /Malformed/);
            assert.throws(() => webhooks.create({ appId, props: { triggers: ["*"] } }), /target/);
            const props = { target: target("f"), triggers: ["no:such"] };
            await refused(webhooks.create({ appId, props }), 400, "bad_request");
        });

        it("there are ten at most", async () => {
            const own = await newApp({ webhooks: [] });
            const props = { target: target("g") };
            for (let n = 0; n < 10; n++) {
                await own[scope].webhooks.create({ appId: own.appId, props });
            }
            await refused(own[scope].webhooks.create({ appId: own.appId, props }), 400, "bad_request");
        });
    });
}

describe("a webhook that was made by the API", () => {
    it("hears what it asked for, with its secret in X-API-Key", async () => {
        const world = await newApp({ webhooks: [] });
        const sink = `made-${world.appId}`;
        const { webhook } = await world.app.webhooks.create({
            props: {
                target: `${serviceUrl}/_local/sink/${sink}`,
                triggers: ["notification:delivery:user"],
            },
        });
        const to = anybody();
        const { notification } = await world.app.notifications.postNotification({
            appId: world.appId,
            notification: {
                destination: { integrationId: world.integrations.twilio, destinationId: to },
                author: { role: "appMaker" },
                message: { type: "text", text: "Your tea is ready" },
            },
        });
        assert.equal((await outbox(to)).length, 1);
        await settle();
        const { webhooks } = await local("GET", `webhooks?sink=${sink}`);
        assert.equal(webhooks.length, 1);
        assert.equal(webhooks[0].headers["x-api-key"], webhook.secret);
        has(webhooks[0].body, { trigger: "notification:delivery:user", version: "v1.1", notification });
    });
});

describe("the library for Standard Webhooks", () => {
    const target = (sink) => `${serviceUrl}/_local/sink/${sink}`;

    async function made() {
        const world = await newApp({ webhooks: [] });
        const sink = `signed-${world.appId}`;
        const props = { target: target(sink), triggers: ["notification:delivery:user"] };
        const { webhook } = await world.app.webhooks.create({ props });
        return { world, sink, webhook };
    }

    async function heard({ world, sink }) {
        await world.app.notifications.postNotification({
            appId: world.appId,
            notification: {
                destination: { integrationId: world.integrations.twilio, destinationId: anybody() },
                author: { role: "appMaker" },
                message: { type: "text", text: "Grüner Tee 🍵" },
            },
        });
        await settle();
        const { webhooks } = await local("GET", `webhooks?sink=${sink}`);
        return webhooks.at(-1);
    }

    it("verifies an event with the signing secret as it is shown", async () => {
        const hook = await made();
        const { raw, headers, body } = await heard(hook);
        assert.deepEqual(new Webhook(hook.webhook.signingSecret).verify(raw, headers), body);
        assert.throws(() => new Webhook(hook.webhook.signingSecret).verify(`${raw} `, headers), /signature/);
    });

    it("verifies with the old secret and with the new one while it is replaced", async () => {
        const hook = await made();
        const { keyId, secret } = hook.world;
        const authorization = `Basic ${Buffer.from(`${keyId}:${secret}`).toString("base64")}`;
        const path = `/v1.1/webhooks/${hook.webhook._id}/signingsecret`;
        const answer = await call("POST", path, { headers: { authorization } });
        assert.equal(answer.status, 201, answer.text);
        const replaced = answer.body.webhook.signingSecret;
        assert.notEqual(replaced, hook.webhook.signingSecret);
        const { raw, headers, body } = await heard(hook);
        for (const known of [replaced, hook.webhook.signingSecret]) {
            assert.deepEqual(new Webhook(known).verify(raw, headers), body);
        }
    });
});
