// What the client can ask for and the API does not serve: each is refused as v1.1 refuses.

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { call, newApp } = require("./engine");

const ID = "0123456789abcdef01234567";
const DEPLOYMENT = { hosting: "smooch" };

/** By method of the client: the call. */
const CALLS = {
    "stripe.getAccount": (client, at) => client.stripe.getAccount(at),
    "appUsers.stripe.updateCustomer": (client, at) => client.appUsers.stripe.updateCustomer({ ...at, token: "t" }),
    "appUsers.stripe.createTransaction": (client, at) =>
        client.appUsers.stripe.createTransaction({ ...at, actionId: ID }),
    "appUsers.viber.getQRCode": (client, at) => client.appUsers.viber.getQRCode(at),
    "appUsers.wechat.getQRCode": (client, at) => client.appUsers.wechat.getQRCode(at),
    "appUsers.pingChannel": (client, at) => client.appUsers.pingChannel({ ...at, channel: "twilio" }),
    "integrations.messageTemplates.create": (client, at) =>
        client.integrations.messageTemplates.create({ ...at, messageTemplate: { name: "tea" } }),
    "integrations.messageTemplates.list": (client, at) => client.integrations.messageTemplates.list(at),
    "integrations.messageTemplates.delete": (client, at) =>
        client.integrations.messageTemplates.delete({ ...at, messageTemplateName: "tea" }),
    "deployments.create": (client) => client.deployments.create({ props: DEPLOYMENT }),
    "deployments.list": (client) => client.deployments.list(),
    "deployments.get": (client) => client.deployments.get(ID),
    "deployments.activate": (client) => client.deployments.activate(ID, "certificate", "+14165550142", "sms"),
    "deployments.confirmCode": (client) => client.deployments.confirmCode(ID, "123456"),
    "deployments.delete": (client) => client.deployments.delete(ID),
};

for (const scope of ["account", "app"]) {
    describe(`not served, scope ${scope}`, () => {
        let world;
        let at;
        before(async () => {
            world = await newApp();
            const { appId } = world;
            await world.account.appUsers.create({ appId, appUser: { userId: "bob" } });
            at = { appId, userId: "bob", integrationId: world.integrations.twilio };
        });

        for (const [method, ask] of Object.entries(CALLS)) {
            it(`${method} answers as a path that does not exist`, async () => {
                const error = await ask(world[scope], at).then(
                    (answer) => assert.fail(`served: ${JSON.stringify(answer)}`),
                    (error) => error,
                );
                assert.ok([404, 405].includes(error.response?.status), error.stack);
                assert.equal(typeof error.code, "string");
                assert.ok(error.description);
            });
        }
    });
}

describe("not served, and no client's method", () => {
    it("private attachments: token and cookie", async () => {
        const world = await newApp();
        const headers = {
            authorization: `Basic ${btoa(`${world.keyId}:${world.secret}`)}`,
            "content-type": "application/json",
        };
        const below = `/v1.1/apps/${world.appId}/attachments`;
        const token = { headers, body: JSON.stringify({ paths: [`/apps/${world.appId}`] }) };
        const asked = [call("POST", `${below}/token`, token), call("GET", `${below}/cookie`, { headers })];
        for (const answer of await Promise.all(asked)) {
            assert.ok([404, 405].includes(answer.status), answer.text);
            assert.equal(typeof answer.body.error.code, "string");
        }
    });
});
