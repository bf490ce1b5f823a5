// conversations, and the messages of appUsers

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, anybody, has, ids, newApp, outbox, refused, reply } = require("./engine");

let names = 0;
const name = () => `lea-${++names}`;

const MAKER = { role: "appMaker", name: "Nadia" };
const text = (text) => ({ ...MAKER, type: "text", text });
const ITEM = { title: "Mint tea", description: "Hot and fresh" };
const ORDER = { type: "link", text: "Order", uri: "https://shop.example/tea" };

/** What can be posted, and the text that the service makes of it. */
const KINDS = {
    text: { message: text("Hello") },
    "text with actions": {
        message: {
            ...text("Tea?"),
            actions: [
                { type: "link", text: "Shop", uri: "https://shop.example" },
                { type: "postback", text: "Later", payload: "LATER" },
                { type: "buy", text: "Buy", amount: 250, currency: "EUR" },
            ],
        },
    },
    "text with replies": {
        message: {
            ...text("Mint?"),
            actions: [
                { type: "reply", text: "Yes", payload: "YES" },
                { type: "locationRequest", text: "Where?" },
            ],
        },
    },
    image: {
        message: { ...MAKER, type: "image", mediaUrl: "https://shop.example/tea.png", mediaType: "image/png" },
        text: " ",
    },
    file: {
        message: { ...MAKER, type: "file", mediaUrl: "https://shop.example/menu.pdf", mediaType: "application/pdf" },
        text: " ",
    },
    carousel: {
        message: { ...MAKER, type: "carousel", items: [{ ...ITEM, actions: [ORDER] }] },
        text: "1. Mint tea\nHot and fresh\nOrder: https://shop.example/tea",
    },
    list: {
        message: { ...MAKER, type: "list", items: [{ ...ITEM, actions: [ORDER] }] },
        text: "1. Mint tea\nHot and fresh\nOrder: https://shop.example/tea",
    },
    location: {
        message: { ...MAKER, type: "location", coordinates: { lat: 52.37, long: 4.89 } },
        text: "Location shared:\nhttps://maps.google.com/maps?q=52.37,4.89",
    },
    form: {
        message: { ...MAKER, type: "form", fields: [{ type: "text", name: "city", label: "City" }] },
    },
};

for (const scope of ["account", "app"]) {
    describe(`messages, scope ${scope}`, () => {
        let world;
        let users;
        let appId;
        before(async () => {
            world = await newApp();
            users = world[scope].appUsers;
            appId = world.appId;
        });

        const create = async () => (await users.create({ appId, appUser: { userId: name() } })).appUser.userId;
        const send = (userId, message) => users.sendMessage({ appId, userId, message });
        const history = async (userId, query) => (await users.getMessages({ appId, userId, query })).messages;

        for (const [kind, { message, text }] of Object.entries(KINDS)) {
            it(`${kind}: sendMessage gives it back, and it is in the history`, async () => {
                const userId = await create();
                const { message: sent, conversation } = await send(userId, message);
                assert.match(sent._id, ID);
                has(sent, { type: message.type, role: "appMaker", name: "Nadia" });
                has(sent.source, { type: "api" });
                assert.equal(sent.text, text ?? message.text ?? sent.text);
                assert.ok(Math.abs(sent.received - Date.now() / 1000) < 60, "received is in seconds");
                for (const list of ["actions", "items", "fields"]) {
                    (message[list] ?? []).forEach((entry, n) => {
                        assert.match(sent[list][n]._id, ID);
                        has(sent[list][n], entry.actions ? { title: entry.title } : entry);
                    });
                }
                assert.match(conversation._id, ID);
                assert.equal(conversation.unreadCount, 1);
                assert.deepEqual(await history(userId), [sent]);
            });
        }

        it("webhooks hear of messages of both sides", async () => {
            const userId = await create();
            const { message } = await send(userId, text("Which tea?"));
            const said = (await send(userId, { role: "appUser", type: "text", text: "Mint" })).message;
            const maker = (await world.heard("message:appMaker")).find((body) => body.messages[0]._id === message._id);
            const person = (await world.heard("message:appUser")).find((body) => body.messages[0]._id === said._id);
            has(maker.messages[0], { text: "Which tea?" });
            has(person.messages[0], { text: "Mint" });
            assert.equal(maker.conversation._id, person.conversation._id);
        });

        it("an answer goes out where the person wrote from", async () => {
            const to = anybody();
            await reply(world.integrations.twilio, to, "Are you open?");
            const userId = (await world.heard("message:appUser")).pop().appUser._id;
            const { message } = await send(userId, text("Until six"));
            assert.deepEqual((await outbox(to)).map((message) => message.text), ["Until six"]);
            for (const trigger of ["message:delivery:channel", "message:delivery:user"]) {
                const event = (await world.heard(trigger)).find((body) => body.message._id === message._id);
                has(event.destination, { type: "twilio", integrationId: world.integrations.twilio });
            }
            assert.deepEqual((await history(userId)).map((message) => message.text), ["Are you open?", "Until six"]);
        });

        it("destination chooses the channel", async () => {
            const to = anybody();
            await reply(world.integrations.messagebird, to, "Hello");
            const userId = (await world.heard("message:appUser")).pop().appUser._id;
            const good = { integrationId: world.integrations.messagebird, integrationType: "messagebird" };
            await send(userId, { ...text("By MessageBird"), destination: good });
            assert.deepEqual((await outbox(to)).map((message) => message.channel), ["messagebird"]);
            const other = { integrationId: world.integrations.twilio, integrationType: "twilio" };
            await refused(send(userId, { ...text("By Twilio"), destination: other }), 400, "bad_request");
        });

        it("metadata comes back", async () => {
            const userId = await create();
            const metadata = { order: "42", open: true };
            has((await send(userId, { ...text("Hello"), metadata })).message, { metadata });
            has((await history(userId))[0], { metadata });
        });

        it("getMessages goes by time", async () => {
            const userId = await create();
            const sent = [];
            for (const word of ["one", "two", "three"]) {
                sent.push((await send(userId, text(word))).message);
            }
            const words = async (query) => (await history(userId, query)).map((message) => message.text);
            assert.deepEqual(await words(), ["one", "two", "three"]);
            assert.deepEqual(await words({ before: sent[1].received }), ["one"]);
            assert.deepEqual(await words({ after: sent[1].received }), ["three"]);
        });

        it("a person without conversation has no messages to get", async () => {
            const userId = await create();
            await refused(history(userId), 404, "conversation_not_found", "not_found");
        });

        it("deleteMessage takes one away, deleteMessages all", async () => {
            const userId = await create();
            const { message: first } = await send(userId, text("one"));
            const { message: second } = await send(userId, text("two"));
            assert.deepEqual(await users.deleteMessage({ appId, userId, messageId: first._id }), {});
            assert.deepEqual(ids(await history(userId)), [second._id]);
            assert.deepEqual(await users.deleteMessages({ appId, userId }), {});
            assert.deepEqual(await history(userId), []);
        });

        it("what is no message is refused", async () => {
            const userId = await create();
            await refused(send(userId, { ...MAKER, type: "text" }), 400, "bad_request");
            await refused(send(userId, { ...MAKER, type: "pigeon", text: "coo" }), 400, "bad_request");
            await refused(send(userId, { type: "text", text: "Who says so?" }), 400, "bad_request");
            await refused(send("nobody", text("Hello")), 404, "user_not_found", "not_found");
            const mixed = [
                { type: "reply", text: "Yes", payload: "YES" },
                { type: "postback", text: "Later", payload: "LATER" },
            ];
            await refused(send(userId, { ...text("Mixed"), actions: mixed }), 400, "bad_request");
        });
    });

    describe(`conversations, scope ${scope}`, () => {
        let world;
        let client;
        let appId;
        before(async () => {
            world = await newApp();
            client = world[scope];
            appId = world.appId;
        });

        const start = async (message) => {
            const userId = name();
            await client.appUsers.create({ appId, appUser: { userId } });
            const sent = await client.appUsers.sendMessage({ appId, userId, message });
            return { at: { appId, userId }, ...sent };
        };

        it("get tells of the conversation", async () => {
            const { at, conversation } = await start(text("Hello"));
            const found = await client.conversations.get(at);
            has(found.conversation, { _id: conversation._id, unreadCount: 1 });
        });

        it("resetUnreadCount, which sends no body, makes the count 0", async () => {
            const { at } = await start(text("Hello"));
            await client.conversations.resetUnreadCount(at);
            has((await client.conversations.get(at)).conversation, { unreadCount: 0 });
        });

        it("conversationActivity tells of typing and of reading", async () => {
            const { at, conversation } = await start(text("Hello"));
            const act = (role, type) =>
                client.appUsers.conversationActivity({ ...at, activityProps: { role, type } });
            has((await act("appMaker", "typing:start")).conversation, { _id: conversation._id });
            const before = conversation.appMakerLastRead ?? 0;
            assert.ok((await act("appMaker", "conversation:read")).conversation.appMakerLastRead >= before);
            await act("appUser", "typing:start");
            await act("appUser", "conversation:read");
            const typing = await world.heard("typing:appUser");
            const event = typing.find((body) => body.conversation._id === conversation._id);
            has(event.activity, { type: "typing:start" });
            const read = await world.heard("conversation:read");
            assert.ok(read.some((body) => body.conversation._id === conversation._id));
        });

        it("postPostback tells the webhook which button was pressed", async () => {
            const actions = [{ type: "postback", text: "Later", payload: "LATER", metadata: { n: 1 } }];
            const { at, message } = await start({ ...text("Tea?"), actions, metadata: { order: "42" } });
            await client.conversations.postPostback({ ...at, actionId: message.actions[0]._id });
            const postbacks = await world.heard("postback");
            const heard = postbacks.find((body) => body.postbacks[0].message?._id === message._id);
            has(heard.postbacks[0].action, { type: "postback", text: "Later", payload: "LATER" });
            has(heard.postbacks[0].message.metadata, { order: "42" });
        });

        it("a person without conversation has none to show or to read", async () => {
            const userId = name();
            await client.appUsers.create({ appId, appUser: { userId } });
            const at = { appId, userId };
            await refused(client.conversations.get(at), 404, "conversation_not_found", "not_found");
            await refused(client.conversations.resetUnreadCount(at), 404, "conversation_not_found", "not_found");
        });
    });
}

describe("conversations, by a person's own token", () => {
    it("a person writes, reads, and presses a button", async () => {
        const world = await newApp();
        const userId = name();
        await world.app.appUsers.create({ appUser: { userId } });
        const lea = world.person(userId);

        const said = await lea.appUsers.sendMessage({
            userId,
            message: { role: "appUser", type: "text", text: "Hello?" },
        });
        has(said.message, { role: "appUser", text: "Hello?" });
        const actions = [{ type: "postback", text: "Later", payload: "LATER" }];
        const { message } = await world.app.appUsers.sendMessage({ userId, message: { ...text("Tea?"), actions } });
        const { messages } = await lea.appUsers.getMessages({ userId });
        assert.deepEqual(messages.map((message) => message.text), ["Hello?", "Tea?"]);
        await lea.conversations.postPostback({ userId, actionId: message.actions[0]._id });
        assert.equal((await world.heard("postback")).length, 1);
        assert.equal((await lea.conversations.get({ userId })).conversation._id, said.conversation._id);
    });

    it("a person does not speak for the business", async () => {
        const world = await newApp();
        const userId = name();
        await world.app.appUsers.create({ appUser: { userId } });
        const message = text("You have won");
        await refused(world.person(userId).appUsers.sendMessage({ userId, message }), 403, "forbidden");
    });
});
