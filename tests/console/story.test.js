import assert from "node:assert/strict";
import { test } from "node:test";
import { noFacts, personKey, sameAddress, tell } from "../../local/src/console/story.js";

const SMS = "64c0ffee0123456789abcdef";
const LEA = "+15550100002";

const send = { key: "k", integrationId: SMS, to: LEA, request: { message: { type: "text", text: "Tea?" } }, at: 1000 };
const accepted = { ...send, notificationId: "n1", acceptedAt: 1010 };
const part = (externalId, at) => ({
    externalId,
    integrationId: SMS,
    to: "15550100002",
    text: "Tea?",
    mediaUrls: [],
    raw: {},
    at,
    status: "queued",
});

function delivery(number, word, more = {}) {
    const destination = { type: "twilio", integrationId: SMS, destinationId: LEA };
    const trigger = `notification:delivery:${word}`;
    const body = { trigger, destination, notification: { _id: "n1" }, externalMessages: [{ id: "SM1" }], ...more };
    return { number, at: 1000 + number * 10, body };
}

function said(number, externalId, message, more = {}) {
    const body = {
        trigger: "message:appUser",
        messages: [
            {
                role: "appUser",
                type: "text",
                source: { integrationId: SMS, originalMessageId: externalId },
                ...message,
            },
        ],
        client: { externalId: LEA },
        conversation: { _id: "c1" },
        ...more,
    };
    return { number, at: 1000 + number * 10, body };
}

function facts({ sends = [], outbox = [], webhooks = [], written = [] }) {
    const told = noFacts();
    sends.forEach((fact) => told.sends.set(fact.key, fact));
    outbox.forEach((fact) => told.outbox.set(fact.externalId, fact));
    webhooks.forEach((fact) => told.webhooks.set(fact.number, fact));
    written.forEach((fact) => told.written.set(fact.externalId, fact));
    return told;
}

const stage = (told) => tell(facts(told)).journeys[0].stage;
const onHandset = (told) => tell(facts(told)).handsets.get(personKey(SMS, LEA));

test("a journey goes from stage to stage as facts come in", () => {
    assert.equal(stage({ sends: [send] }), "requested");
    assert.equal(stage({ sends: [accepted] }), "accepted");
    assert.equal(stage({ sends: [accepted], outbox: [part("SM1", 1020)] }), "sent");
    assert.equal(stage({ sends: [accepted], webhooks: [delivery(1, "channel")] }), "sent");
    assert.equal(stage({ sends: [accepted], webhooks: [delivery(1, "user"), delivery(2, "channel")] }), "delivered");
    assert.equal(stage({ sends: [accepted], webhooks: [delivery(1, "channel"), delivery(2, "failure")] }), "failed");
});

test("somebody else's notification has a journey, too", () => {
    const [journey] = tell(facts({ webhooks: [delivery(1, "channel")], outbox: [part("SM1", 1002)] })).journeys;
    assert.deepEqual([journey.to, journey.stage, journey.text, journey.startedAt], [LEA, "sent", "Tea?", 1002]);
});

test("a message in the outbox finds its journey by address first, by its id once that is told", () => {
    const second = { ...accepted, key: "k2", notificationId: "n2", at: 1005 };
    const early = tell(facts({ sends: [accepted, second], outbox: [part("SM2", 1030)] })).journeys;
    assert.deepEqual(
        early.map((journey) => journey.parts.length),
        [1, 0],
    );
    const told = {
        ...delivery(1, "channel"),
        body: { ...delivery(1, "channel").body, notification: { _id: "n2" }, externalMessages: [{ id: "SM2" }] },
    };
    const late = tell(facts({ sends: [accepted, second], outbox: [part("SM2", 1030)], webhooks: [told] })).journeys;
    assert.deepEqual(
        late.map((journey) => journey.parts.length),
        [0, 1],
    );
});

test("the parts of a long text are one journey and several bubbles", () => {
    const outbox = [part("SM1", 1020), part("SM9", 1025)];
    const webhooks = [delivery(1, "user", { externalMessages: [{ id: "SM1" }, { id: "SM9" }] })];
    const { journeys, handsets } = tell(facts({ sends: [accepted], outbox, webhooks }));
    assert.equal(journeys.length, 1);
    const { items } = handsets.get(personKey(SMS, LEA));
    assert.deepEqual(
        items.map(({ state }) => state),
        ["arrived", "arrived"],
    );
});

test("a handset tells what arrived from what is under way, lost, or was refused", () => {
    const outbox = [part("SM1", 1020)];
    const state = (webhooks) => onHandset({ sends: [accepted], outbox, webhooks }).items[0].state;
    assert.equal(state([]), "underway");
    assert.equal(state([delivery(1, "user")]), "arrived");
    assert.equal(state([delivery(1, "failure")]), "lost");
    const refused = onHandset({ sends: [accepted], webhooks: [delivery(1, "failure", { externalMessages: [] })] });
    assert.deepEqual([refused.items.length, refused.refused?.stage], [0, "failed"]);
});

test("an answer is one story, from what was written to what the business got with its context", () => {
    const written = { externalId: "SM5", integrationId: SMS, from: LEA, text: "Yes", at: 1040 };
    const recent = [{ _id: "m", type: "text", text: "Tea?", role: "appMaker" }];
    const webhook = said(5, "SM5", { _id: "m1", text: "Yes" }, { recentNotifications: recent });
    const start = { number: 6, at: 1061, body: { trigger: "conversation:start", conversation: { _id: "c1" } } };
    assert.equal(tell(facts({ written: [written] })).replies[0].receivedAt, undefined);
    const { replies } = tell(facts({ written: [written], webhooks: [webhook, start] }));
    assert.equal(replies.length, 1);
    const [{ text, startedAt, receivedAt, context, webhooks }] = replies;
    assert.deepEqual([text, startedAt, receivedAt, context, webhooks.length], ["Yes", 1040, 1050, recent, 2]);
});

test("an answer that comes twice, or in several messages, is shown once", () => {
    const words = said(1, "MM1", { _id: "m1", text: "Look" });
    const image = said(2, "MM1", { _id: "m2", type: "image", mediaUrl: "https://m.example/1.png" });
    const { replies } = tell(facts({ webhooks: [words, image, { ...words, number: 3 }] }));
    assert.deepEqual(
        replies.map(({ text }) => text),
        ["Look\nhttps://m.example/1.png"],
    );
});

test("an address is the same however it is written", () => {
    assert.equal(sameAddress("+1 (555) 010-0002"), sameAddress("15550100002"));
    assert.equal(sameAddress("Lea@Tea.example"), "lea@tea.example");
});
