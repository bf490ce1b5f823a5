// notifications, from the 201 to the reply with its context

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { FAILS_LATER, UUID, anybody, has, newApp, outbox, refused, reply } = require("./engine");

for (const scope of ["account", "app"]) {
    describe(`notifications, scope ${scope}`, () => {
        let world;
        before(async () => {
            world = await newApp();
        });

        const notification = (channel, destinationId, text) => ({
            destination: { integrationId: world.integrations[channel], destinationId },
            author: { role: "appMaker", name: "Nadia" },
            message: { type: "text", text, metadata: { parcel: 7 } },
        });
        const post = (notification) =>
            world[scope].notifications.postNotification({ appId: world.appId, notification });
        const events = async (id) => (await world.heard()).filter((body) => body.notification?._id === id);

        for (const channel of ["twilio", "messagebird"]) {
            it(`${channel}: goes out, and both delivery events are heard`, async () => {
                const to = anybody();
                const { notification: made } = await post(notification(channel, to, "Your tea is ready"));
                assert.match(made._id, UUID);
                const [message] = await outbox(to);
                assert.equal(message.text, "Your tea is ready");
                const heard = await events(made._id);
                const triggers = heard.map((body) => body.trigger).sort();
                assert.deepEqual(triggers, ["notification:delivery:channel", "notification:delivery:user"]);
                for (const body of heard) {
                    has(body.destination, { type: channel, integrationId: world.integrations[channel] });
                    assert.ok(body.matchResult.appUser._id);
                    assert.equal(body.isFinalEvent, body.trigger === "notification:delivery:user");
                }
            });
        }

        it("one that cannot be delivered ends in one failure", async () => {
            const { notification: made } = await post(notification("twilio", FAILS_LATER, "Anybody there?"));
            const failures = (await events(made._id)).filter((body) => body.isFinalEvent);
            assert.deepEqual(failures.map((body) => body.trigger), ["notification:delivery:failure"]);
            assert.equal(typeof failures[0].error.code, "string");
        });

        it("is in the person's history, and comes with the reply", async () => {
            const to = anybody();
            await post(notification("twilio", to, "Your parcel leaves today"));
            await outbox(to);
            await reply(world.integrations.twilio, to, "Thanks!");
            const heard = await world.heard("message:appUser");
            const answer = heard.find((body) => body.client.externalId === to);
            has(answer.messages[0], { role: "appUser", text: "Thanks!" });
            has(answer.recentNotifications[0], { role: "appMaker", text: "Your parcel leaves today" });
            has(answer.recentNotifications[0].metadata, { parcel: 7 });

            const at = { appId: world.appId, userId: answer.appUser._id };
            const { messages } = await world[scope].appUsers.getMessages(at);
            assert.deepEqual(
                messages.map((message) => [message.source.type, message.text]),
                [
                    ["notification", "Your parcel leaves today"],
                    ["twilio", "Thanks!"],
                ],
            );
        });

        it("what cannot be sent is refused", async () => {
            const to = anybody();
            const good = notification("twilio", to, "Hello");
            const nowhere = { integrationId: "0123456789abcdef01234567", destinationId: to };
            await refused(post({ ...good, destination: nowhere }), 404, "integration_not_found", "not_found");
            await refused(post({ ...good, author: { role: "appUser" } }), 400, "bad_request");
            await refused(post({ ...good, message: { type: "text" } }), 400, "bad_request");
            await refused(post({ ...good, messageSchema: "whatsapp" }), 400, "bad_request");
            await refused(post({ author: good.author, message: good.message }), 400, "bad_request");
            assert.deepEqual(await outbox(to), []);
        });
    });
}

describe("notifications of a person", () => {
    it("are not sent: a person's token is forbidden", async () => {
        const world = await newApp();
        const person = world.person("bob");
        await refused(
            person.notifications.postNotification({ appId: world.appId, notification: { message: {} } }),
            403,
            "forbidden",
        );
    });
});
