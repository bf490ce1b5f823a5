// integrations, integrations.profile

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, file, has, ids, newApp, refused, settle } = require("./engine");

const photo = file("shop.png", "a shop");

const TWILIO = {
    type: "twilio",
    accountSid: `AC${"0".repeat(31)}1`,
    authToken: "0123456789abcdef0123456789abcdef",
    phoneNumberSid: `PN${"0".repeat(31)}1`,
};

/** What smooch-core can create: what is asked for, and what of it must come back. */
const KINDS = {
    twilio: { props: TWILIO, back: ["accountSid", "phoneNumberSid"], secret: ["authToken"] },
    messagebird: {
        props: { type: "messagebird", accessKey: "access", originator: "31970000009", signingKey: "signing" },
        back: ["originator"],
        secret: ["accessKey", "signingKey"],
    },
    mailgun: {
        props: {
            type: "mailgun",
            apiKey: "key",
            domain: "mail.shop.example",
            incomingAddress: "tea@mail.shop.example",
        },
        back: ["domain", "incomingAddress"],
        secret: ["apiKey"],
    },
    web: { props: { type: "web", brandColor: "a1b2c3", displayStyle: "tab" }, back: ["brandColor", "displayStyle"] },
    fcm: { props: { type: "fcm", serverKey: "key", senderId: "123456" }, back: ["senderId"], secret: ["serverKey"] },
    apn: {
        props: { type: "apn", certificate: "MIIB", password: "secret", autoUpdateBadge: true },
        back: ["autoUpdateBadge"],
        secret: ["certificate", "password"],
    },
    whatsapp: {
        props: { type: "whatsapp", deploymentId: "64c0ffee0123456789abcdef", hsmFallbackLanguage: "nl" },
        back: ["deploymentId", "hsmFallbackLanguage"],
    },
};

for (const scope of ["account", "app"]) {
    describe(`integrations, scope ${scope}`, () => {
        let world;
        let integrations;
        let appId;
        before(async () => {
            world = await newApp();
            integrations = world[scope].integrations;
            appId = world.appId;
        });

        const create = async (props) => (await integrations.create({ appId, props })).integration;

        for (const [type, { props, back, secret = [] }] of Object.entries(KINDS)) {
            it(`${type}: create gives it back without its secrets, get finds it`, async () => {
                const integration = await create(props);
                assert.match(integration._id, ID);
                has(integration, { type, status: "active" });
                has(integration, Object.fromEntries(back.map((name) => [name, props[name]])));
                secret.forEach((name) => assert.ok(!(name in integration), `${name} is a secret`));
                const found = (await integrations.get({ appId, integrationId: integration._id })).integration;
                assert.deepEqual(found, integration);
            });
        }

        it("list finds all of them, by type and by pages", async () => {
            const listed = await integrations.list({ appId });
            has(listed, { hasMore: false, offset: 0 });
            assert.ok(ids(listed.integrations).includes(world.integrations.twilio));
            const some = await integrations.list({ appId, types: ["messagebird", "web"] });
            assert.deepEqual(new Set(some.integrations.map((entry) => entry.type)), new Set(["messagebird", "web"]));
            const one = await integrations.list({ appId, types: "messagebird", limit: 1 });
            has(one, { hasMore: true, offset: 0 });
            assert.equal(one.integrations.length, 1);
            const next = await integrations.list({ appId, types: "messagebird", limit: 1, offset: 1 });
            has(next, { offset: 1 });
            assert.notEqual(next.integrations[0]._id, one.integrations[0]._id);
        });

        it("update changes what is sent and keeps the rest; null unsets the name", async () => {
            const integration = await create({ ...KINDS.web.props, displayName: "Counter" });
            const integrationId = integration._id;
            const updated = await integrations.update({ appId, integrationId, props: { brandColor: "000000" } });
            has(updated.integration, { brandColor: "000000", displayName: "Counter", displayStyle: "tab" });
            await integrations.update({ appId, integrationId, props: { displayName: null } });
            const found = (await integrations.get({ appId, integrationId })).integration;
            assert.equal(found.displayName ?? null, null);
        });

        it("delete ends it", async () => {
            const { _id: integrationId } = await create(KINDS.web.props);
            assert.deepEqual(await integrations.delete({ appId, integrationId }), {});
            const gone = integrations.get({ appId, integrationId });
            await refused(gone, 404, "integration_not_found", "not_found");
        });

        it("fields that the client does not know pass through", async () => {
            const props = { type: "whatsapp", deploymentId: "64c0ffee0123456789abcdef", accountId: "1234567890" };
            const integration = await create(props);
            assert.match(integration._id, ID);
            const changed = { accountId: "42", accountManagementAccessToken: "secret" };
            const update = { appId, integrationId: integration._id, props: changed };
            assert.ok(!("accountManagementAccessToken" in (await integrations.update(update)).integration));
        });

        it("the client asks for required fields, the API for their form", async () => {
            assert.throws(() => integrations.create({ appId, props: { type: "twilio" } }), /required keys/);
            assert.throws(() => integrations.create({ appId, props: { type: "pigeon" } }), /Unrecognized/);
            const empty = { type: "mailgun", apiKey: "key", domain: "a.example", incomingAddress: "tea@b.example" };
            await refused(integrations.create({ appId, props: empty }), 400, "bad_request");
        });

        it("a channel that is not served is refused", async () => {
            await refused(integrations.create({ appId, props: { type: "telegram", token: "t" } }), 400, "bad_request");
        });

        it("profile: a WhatsApp integration keeps what is written about the business", async () => {
            const { _id: integrationId } = await create(KINDS.whatsapp.props);
            const profile = { about: "Tea", email: "tea@shop.example", websites: ["https://shop.example"] };
            await integrations.profile.update({ appId, integrationId, profile });
            has((await integrations.profile.get({ appId, integrationId })).profile, profile);
        });

        it("profile: a photo is uploaded, shown, and gone when it is shown no more", async () => {
            const { _id: integrationId } = await create(KINDS.whatsapp.props);
            const { photoUrl } = await integrations.profile.photo.upload({ appId, integrationId, source: photo() });
            has((await integrations.profile.get({ appId, integrationId })).profile, { photoUrl });
            const response = await fetch(photoUrl);
            assert.equal(response.headers.get("content-type"), "image/png");
            assert.equal(await response.text(), "a shop");
            await integrations.profile.update({ appId, integrationId, profile: { photoUrl: null } });
            await settle();
            assert.equal((await fetch(photoUrl)).status, 404);
        });

        it("profile: other channels have none", async () => {
            const integrationId = world.integrations.twilio;
            const upload = integrations.profile.photo.upload({ appId, integrationId, source: photo() });
            await refused(upload, 400, "bad_request");
            await refused(integrations.profile.get({ appId, integrationId }), 400, "bad_request");
        });
    });
}
