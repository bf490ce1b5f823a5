// What happened, told from the facts: journeys of notifications, replies with their context, and what each handset
// shows. Pure: no page, no network, no clock. Every fact may arrive late, twice, or not at all.

export function noFacts() {
    return {
        /** What this page has posted, by a key of its own. */
        sends: new Map(),
        /** Messages that a carrier took, by external id. */
        outbox: new Map(),
        /** Requests that the webhook receiver got, by number. */
        webhooks: new Map(),
        /** What carriers reported, in order of arrival. Known only while the page is open. */
        receipts: [],
        /** What people wrote, by external id. */
        written: new Map(),
    };
}

/** One spelling for one person: carriers write numbers with and without `+`. */
export function sameAddress(address) {
    const text = String(address ?? "").trim();
    return text.includes("@") ? text.toLowerCase() : text.replace(/\D/g, "");
}

export const personKey = (integrationId, address) => `${integrationId}|${sameAddress(address)}`;

/** `{journeys, replies, handsets}` of the facts; journeys and replies oldest first, handsets by `personKey`. */
export function tell(facts) {
    const webhooks = [...facts.webhooks.values()].sort((a, b) => a.number - b.number);
    const journeys = tellJourneys(facts, webhooks);
    const replies = tellReplies(facts, webhooks);
    return { journeys, replies, handsets: tellHandsets(facts, journeys, replies) };
}

// ------------------------------------------------------------------------------------------------ journeys

function tellJourneys(facts, webhooks) {
    const journeys = [...facts.sends.values()].map(journeyOfSend);
    const byNotification = new Map(journeys.filter((j) => j.id).map((j) => [j.id, j]));
    for (const webhook of webhooks) {
        const body = webhook.body;
        const id = body?.notification?._id;
        if (!id) continue;
        let journey = byNotification.get(id) ?? unanswered(journeys, webhook);
        if (!journey) {
            journey = journeyOfWebhook(webhook, id);
            byNotification.set(id, journey);
            journeys.push(journey);
        }
        journey.webhooks.push(webhook);
    }
    assignParts(journeys, byNotification, facts);
    const receipts = byExternalId(facts.receipts);
    journeys.forEach((journey) => conclude(journey, receipts));
    return journeys.sort((a, b) => a.startedAt - b.startedAt);
}

/** The journey whose 201 has not come in yet, but its webhook has. */
function unanswered(journeys, { at, body }) {
    const person = personKey(body.destination?.integrationId, body.destination?.destinationId);
    return journeys.find((j) => !j.id && j.startedAt <= at && personKey(j.integrationId, j.to) === person);
}

function journeyOfSend(send) {
    return {
        key: send.key,
        id: send.notificationId,
        integrationId: send.integrationId,
        to: send.to,
        request: send.request,
        requestedAt: send.at,
        acceptedAt: send.acceptedAt,
        startedAt: send.at,
        webhooks: [],
        parts: [],
    };
}

/** Somebody else's notification: nothing of its acceptance is known here. */
function journeyOfWebhook(webhook, id) {
    const { integrationId, destinationId } = webhook.body.destination ?? {};
    return { key: id, id, integrationId, to: destinationId, startedAt: webhook.at, webhooks: [], parts: [] };
}

/** Gives every message in the outbox to its journey: by its id where one is told, else by address and time. */
function assignParts(journeys, byNotification, facts) {
    const told = new Map();
    for (const journey of journeys) {
        for (const { body } of journey.webhooks) {
            for (const { id } of body.externalMessages ?? []) told.set(id, journey);
        }
    }
    const silent = journeys.filter((journey) => journey.webhooks.length === 0);
    for (const part of facts.outbox.values()) {
        const person = personKey(part.integrationId, part.to);
        const isMaybe = (j) => j.startedAt <= part.at && personKey(j.integrationId, j.to) === person;
        const journey = told.get(part.externalId) ?? byNotification.get(part.reference) ?? silent.find(isMaybe);
        journey?.parts.push(part);
    }
}

function byExternalId(receipts) {
    const groups = new Map();
    for (const receipt of receipts) {
        groups.set(receipt.externalId, [...(groups.get(receipt.externalId) ?? []), receipt]);
    }
    return groups;
}

function conclude(journey, receipts) {
    const heard = (trigger) => journey.webhooks.find(({ body }) => body.trigger === `notification:delivery:${trigger}`);
    const channel = heard("channel");
    const user = heard("user");
    const failure = heard("failure");
    journey.parts.sort((a, b) => a.at - b.at);
    journey.receipts = journey.parts.flatMap((part) => receipts.get(part.externalId) ?? []);
    journey.startedAt = Math.min(journey.startedAt, ...journey.parts.map((part) => part.at));
    journey.sentAt = journey.parts[0]?.at ?? channel?.at;
    journey.deliveredAt = user?.at;
    journey.failedAt = failure?.at;
    journey.error = failure?.body.error;
    journey.user = (user ?? channel ?? failure)?.body.matchResult?.appUser?._id;
    journey.stage = failure
        ? "failed"
        : user
          ? "delivered"
          : journey.sentAt
            ? "sent"
            : journey.acceptedAt
              ? "accepted"
              : "requested";
    if (journey.id && journey.stage === "requested") journey.stage = "accepted";
    journey.text = shownText(journey.request?.message) || journey.parts.map((part) => part.text).join("\n");
}

/** A message in one line or a few: what a list of messages would show. */
export function shownText(message) {
    if (!message) return "";
    const { type, text, mediaUrl, items, coordinates } = message;
    if (text?.trim()) return text;
    if (items) return items.map((item) => item.title).join(" · ");
    if (coordinates) return `Location ${coordinates.lat}, ${coordinates.long}`;
    return mediaUrl ?? (type ? `A message of type ${type}` : "");
}

// ------------------------------------------------------------------------------------------------ replies

function tellReplies(facts, webhooks) {
    const replies = new Map();
    for (const said of facts.written.values()) {
        replies.set(said.externalId, { key: said.externalId, ...said, startedAt: said.at, context: [], webhooks: [] });
    }
    for (const webhook of webhooks.filter(({ body }) => body?.trigger === "message:appUser")) {
        for (const message of webhook.body.messages ?? []) addMessage(replies, webhook, message);
    }
    const all = [...replies.values()].sort((a, b) => a.startedAt - b.startedAt);
    for (const webhook of webhooks.filter(({ body }) => body?.trigger === "conversation:start")) {
        const first = all.find((reply) => reply.conversationId === webhook.body.conversation?._id);
        first?.webhooks.push(webhook);
    }
    all.forEach((reply) => reply.webhooks.sort((a, b) => a.at - b.at));
    return all;
}

/** One answer with a text and media arrives as several messages with one id of the carrier's. */
function addMessage(replies, webhook, message) {
    const { client, conversation, recentNotifications } = webhook.body;
    const key = message.source?.originalMessageId ?? message._id;
    const known = replies.get(key) ?? { key, startedAt: webhook.at, context: [], webhooks: [] };
    const messages = { ...known.messages, [message._id]: shownText(message) };
    replies.set(key, {
        ...known,
        integrationId: known.integrationId ?? message.source?.integrationId,
        from: known.from ?? client?.externalId,
        messages,
        text: Object.values(messages).join("\n"),
        startedAt: Math.min(known.startedAt, webhook.at),
        user: webhook.body.appUser?._id,
        conversationId: conversation?._id,
        receivedAt: Math.min(known.receivedAt ?? Infinity, webhook.at),
        context: recentNotifications?.length ? recentNotifications : known.context,
        webhooks: known.webhooks.includes(webhook) ? known.webhooks : [...known.webhooks, webhook],
    });
}

// ------------------------------------------------------------------------------------------------ handsets

/** What each person has before their eyes: `{integrationId, address, items, refused}`, items oldest first. */
function tellHandsets(facts, journeys, replies) {
    const handsets = new Map();
    const handset = (integrationId, address) => {
        const key = personKey(integrationId, address);
        if (!handsets.has(key)) handsets.set(key, { key, integrationId, address, items: [], refused: null, lastAt: 0 });
        return handsets.get(key);
    };
    const stageOf = new Map(journeys.flatMap((j) => j.parts.map((part) => [part.externalId, j.stage])));
    for (const journey of journeys.filter((j) => j.to)) {
        const person = handset(journey.integrationId, journey.to);
        person.lastAt = Math.max(person.lastAt, journey.startedAt);
        person.refused = journey.stage === "failed" && journey.parts.length === 0 ? journey : null;
    }
    for (const part of facts.outbox.values()) {
        const { externalId, text, mediaUrls, at } = part;
        const state = arrival(stageOf.get(externalId), part.status);
        handset(part.integrationId, part.to).items.push({
            key: externalId,
            side: "business",
            text,
            mediaUrls,
            at,
            state,
        });
    }
    for (const { key, integrationId, from, text, startedAt: at, receivedAt } of replies.filter((r) => r.from)) {
        const state = receivedAt ? "arrived" : "underway";
        handset(integrationId, from).items.push({ key, side: "person", text, mediaUrls: [], at, state });
    }
    for (const person of handsets.values()) {
        person.items.sort((a, b) => a.at - b.at);
        person.lastAt = Math.max(person.lastAt, person.items.at(-1)?.at ?? 0);
    }
    return handsets;
}

/** Whether a message has reached the person, by the webhooks, or by the carrier's own word where none came. */
function arrival(stage, status) {
    if (stage === "delivered" || status === "delivered") return "arrived";
    const isLost = stage === "failed" || ["failed", "undelivered", "delivery_failed", "expired"].includes(status);
    return isLost ? "lost" : "underway";
}
