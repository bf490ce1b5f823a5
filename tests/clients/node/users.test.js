// appUsers, but for messages

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, anybody, has, ids, newApp, outbox, refused, reply } = require("./engine");

let names = 0;
const name = () => `bob-${++names}`;

for (const scope of ["account", "app"]) {
    describe(`appUsers, scope ${scope}`, () => {
        let world;
        let users;
        let appId;
        before(async () => {
            world = await newApp();
            users = world[scope].appUsers;
            appId = world.appId;
        });

        const create = async (more) => {
            const { appUser } = await users.create({ appId, appUser: { userId: name(), ...more } });
            return appUser;
        };
        const get = async (userId) => (await users.get({ appId, userId })).appUser;
        const link = (userId, data) => users.linkChannel({ appId, userId, data });
        const sms = (phoneNumber) => ({ type: "twilio", phoneNumber, confirmation: { type: "immediate" } });

        it("create gives the person back, get finds them by both ids", async () => {
            const signedUpAt = new Date("2020-02-03T04:05:06.789Z");
            const facts = { givenName: "Bob", surname: "Berg", email: "bob@shop.example", properties: { vip: true } };
            const user = await create({ ...facts, signedUpAt });
            assert.match(user._id, ID);
            has(user, { ...facts, signedUpAt: signedUpAt.toISOString() });
            has(user, { conversationStarted: false, clients: [], pendingClients: [] });
            assert.deepEqual(await get(user._id), user);
            assert.deepEqual(await get(user.userId), user);
        });

        it("a userId that exists is a conflict", async () => {
            const { userId } = await create();
            await refused(users.create({ appId, appUser: { userId } }), 409, "conflict");
        });

        it("update changes what is sent and merges properties", async () => {
            const { userId } = await create({ givenName: "Bob", properties: { vip: true, size: 3 } });
            const appUser = { surname: "Berg", properties: { size: 4, tea: "mint" } };
            const updated = (await users.update({ appId, userId, appUser })).appUser;
            has(updated, { givenName: "Bob", surname: "Berg", properties: { vip: true, size: 4, tea: "mint" } });
            assert.deepEqual(await get(userId), updated);
        });

        it("deleteProfile clears who they are and keeps them", async () => {
            const { _id, userId } = await create({ givenName: "Bob", email: "bob@shop.example", properties: { a: 1 } });
            const cleared = (await users.deleteProfile({ appId, userId })).appUser;
            has(cleared, { _id, userId, properties: {} });
            assert.equal(cleared.givenName ?? null, null);
            assert.equal(cleared.email ?? null, null);
        });

        it("delete ends them, and the webhook hears of it", async () => {
            const { _id, userId } = await create();
            assert.deepEqual(await users.delete({ appId, userId }), {});
            await refused(get(userId), 404, "user_not_found", "not_found");
            const heard = await world.heard("appUser:delete");
            assert.ok(heard.some((body) => body.appUser._id === _id));
        });

        it("linkChannel opens a channel, and its first message goes out", async () => {
            const phoneNumber = anybody();
            const { _id, userId } = await create();
            const message = { role: "appMaker", type: "text", text: "Welcome!" };
            const asked = await link(userId, {
                ...sms(phoneNumber),
                integrationId: world.integrations.twilio,
                confirmation: { type: "immediate", message },
            });
            has(asked.appUser, { _id });
            assert.equal([...asked.appUser.pendingClients, ...asked.appUser.clients].length, 1);

            assert.deepEqual((await outbox(phoneNumber)).map((message) => message.text), ["Welcome!"]);
            const { channels } = await users.getChannels({ appId, userId });
            assert.equal(channels.length, 1);
            has(channels[0], { type: "twilio", integrationId: world.integrations.twilio, phoneNumber });
            const [client] = (await get(userId)).clients;
            has(client, { platform: "twilio", externalId: phoneNumber, status: "active", primary: true });
            for (const trigger of ["link:match", "link:success"]) {
                const heard = await world.heard(trigger);
                assert.ok(heard.some((body) => body.appUser._id === _id), trigger);
            }
        });

        it("a linked person gets messages on that channel", async () => {
            const phoneNumber = anybody();
            const { userId } = await create();
            await link(userId, sms(phoneNumber));
            await outbox(phoneNumber);
            const message = { role: "appMaker", type: "text", text: "Hello" };
            await users.sendMessage({ appId, userId, message });
            assert.deepEqual((await outbox(phoneNumber)).map((message) => message.text), ["Hello"]);
        });

        it("unlinkChannel closes it; what is not linked cannot be", async () => {
            const { userId } = await create();
            await link(userId, sms(anybody()));
            await world.heard();
            assert.deepEqual(await users.unlinkChannel({ appId, userId, channel: "twilio" }), {});
            assert.deepEqual((await users.getChannels({ appId, userId })).channels, []);
            await refused(users.unlinkChannel({ appId, userId, channel: "twilio" }), 400, "bad_request");
        });

        it("a number without country code cannot be linked", async () => {
            const { userId } = await create();
            await refused(link(userId, sms("212 555 2368")), 400, "bad_request");
        });

        it("mergeUsers leaves one person with the clients and messages of both", async () => {
            const phoneNumber = anybody();
            await reply(world.integrations.twilio, phoneNumber, "Who am I?");
            const discarded = (await world.heard("message:appUser")).pop().appUser._id;
            const surviving = await create();
            const props = { surviving: { _id: surviving._id }, discarded: { _id: discarded } };
            assert.deepEqual(await users.mergeUsers({ appId, props }), {});

            const heard = (await world.heard("merge:appUser")).pop();
            has(heard.surviving, { _id: surviving._id });
            assert.ok(ids(heard.discarded).includes(discarded));
            const { clients } = await get(surviving._id);
            assert.deepEqual(clients.map((client) => client.externalId), [phoneNumber]);
            const { messages } = await users.getMessages({ appId, userId: surviving._id });
            assert.ok(messages.some((message) => message.text === "Who am I?"));

            await reply(world.integrations.twilio, phoneNumber, "Now I know");
            has((await world.heard("message:appUser")).pop().appUser, { _id: surviving._id });
        });

        it("getBusinessSystems has nothing to tell", async () => {
            const { userId } = await create();
            assert.deepEqual(await users.getBusinessSystems({ appId, userId }), { businessSystems: [] });
        });

        it("getAuthCode gives a code", async () => {
            const { userId } = await create();
            assert.match((await users.getAuthCode({ appId, userId })).authCode, /^ac_./);
        });

        it("getLinkRequests asks for several integrations at once", async () => {
            const { userId } = await create();
            const integrationIds = [world.integrations.twilio, world.integrations.messagebird];
            const { linkRequests } = await users.getLinkRequests({ appId, userId, integrationIds });
            assert.ok(Array.isArray(linkRequests));
            linkRequests.forEach((request) => assert.ok(integrationIds.includes(request.integrationId)));
        });

        it("nobody is found by an unknown id", async () => {
            await refused(get("nobody"), 404, "user_not_found", "not_found");
            await refused(users.update({ appId, userId: "nobody", appUser: {} }), 404, "user_not_found", "not_found");
        });
    });
}

describe("appUsers, by a person's own token", () => {
    let world;
    let userId;
    before(async () => {
        world = await newApp();
        userId = name();
        await world.app.appUsers.create({ appUser: { userId, givenName: "Bob" } });
    });

    it("a person reads and changes themselves", async () => {
        const bob = world.person(userId);
        has((await bob.appUsers.get({ userId })).appUser, { userId, givenName: "Bob" });
        const appUser = { surname: "Berg" };
        has((await bob.appUsers.update({ userId, appUser })).appUser, { userId, surname: "Berg" });
        assert.deepEqual((await bob.appUsers.getChannels({ userId })).channels, []);
    });

    it("nobody else, and nothing of the app's", async () => {
        const other = name();
        await world.app.appUsers.create({ appUser: { userId: other } });
        const bob = world.person(userId);
        await refused(bob.appUsers.get({ userId: other }), 403, "forbidden");
        await refused(bob.webhooks.list(), 403, "forbidden");
        await refused(bob.appUsers.create({ appUser: { userId: name() } }), 403, "forbidden");
    });

    it("a token whose userId is a number is refused", async () => {
        await refused(world.person(7).appUsers.get({ userId: "7" }), 401, "invalid_auth", "unauthorized");
    });
});
