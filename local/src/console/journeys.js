// The list of journeys: one card for each notification and each reply, newest first, each growing as facts come in.

import { arrange, byId, clock, el, offset, pretty, say } from "./dom.js";

/** Cards shown. Older ones are still told by `GET /_local/webhooks`. */
const SHOWN = 60;

/** `channelOf(integrationId)` names a channel; `announce(text)` is for those who can't see the list. */
export function journeyList({ channelOf, announce }) {
    let cards = new Map();

    function card(story, make) {
        const known = cards.get(story.key) ?? make(story, { channelOf, announce });
        known.update(story);
        return [story.key, known];
    }

    return {
        show({ journeys, replies }) {
            const stories = [...journeys.map((j) => [j, notificationCard]), ...replies.map((r) => [r, replyCard])];
            stories.sort(([a], [b]) => b.startedAt - a.startedAt);
            cards = new Map(stories.slice(0, SHOWN).map(([story, make]) => card(story, make)));
            const nodes = [...cards.values()].map(({ node }) => node);
            arrange(byId("list"), nodes);
            byId("teaching").hidden = stories.length > 0;
        },
    };
}

// ------------------------------------------------------------------------------------------------ notifications

const STAGES = {
    requested: "Requested",
    accepted: "Accepted",
    sent: "Sent",
    delivered: "Delivered",
    failed: "Failed",
};

function notificationCard(first, { channelOf, announce }) {
    const pill = el("span", { class: "pill" });
    const text = el("p", { class: "excerpt" });
    const steps = ["Accepted", "Sent", "Delivered"].map(step);
    const reason = el("p", { class: "reason", hidden: true });
    const records = recordList();
    const id = el("code", { class: "id" });
    const channel = channelOf(first.integrationId);
    const node = el(
        "li",
        { class: "card" },
        el(
            "div",
            { class: "head" },
            el("h3", {}, first.to ?? "Somebody", el("span", { class: "muted" }, channel)),
            pill,
        ),
        text,
        el(
            "ol",
            { class: "track", "aria-label": "Stages" },
            steps.map((s) => s.node),
        ),
        reason,
        records.node,
        el("p", { class: "foot" }, el("time", {}, clock(first.startedAt)), id),
    );
    let stage = null;

    function update(journey) {
        say(pill, STAGES[journey.stage]);
        say(text, journey.text);
        say(id, journey.id ?? "");
        showSteps(steps, journey);
        reason.hidden = journey.stage !== "failed";
        say(reason, journey.stage === "failed" ? reasonOf(journey.error) : "");
        records.show(journey.startedAt, recordsOf(journey, channel));
        if (stage !== journey.stage && stage !== null) announce(announcement(journey));
        stage = node.dataset.stage = journey.stage;
    }
    return { node, update };
}

function step(name) {
    const label = el("span", { class: "name" }, name);
    const time = el("span", { class: "time" });
    return { node: el("li", {}, label, time), label, time };
}

function showSteps([accepted, sent, end], { stage, startedAt, acceptedAt, sentAt, deliveredAt, failedAt, id }) {
    const mark = ({ node, time }, at, isDone = at !== undefined) => {
        node.dataset.state = isDone ? "done" : "open";
        say(time, at === undefined ? "" : offset(startedAt, at));
    };
    mark(accepted, acceptedAt, Boolean(acceptedAt || id));
    mark(sent, sentAt);
    mark(end, failedAt ?? deliveredAt);
    say(end.label, failedAt ? "Failed" : "Delivered");
    end.time.classList.toggle("waiting", stage === "sent");
    if (stage === "sent") say(end.time, "not yet");
    if (failedAt) end.node.dataset.state = "failed";
    if (failedAt && sentAt === undefined) sent.node.dataset.state = "skipped";
}

const reasonOf = (error) =>
    error ? [error.message, error.code && `(${error.code})`].filter(Boolean).join(" ") : "No reason given.";

function announcement({ to, stage, startedAt, deliveredAt, error }) {
    if (stage === "delivered") return `Delivered to ${to} after ${offset(startedAt, deliveredAt).slice(1)}`;
    if (stage === "failed") return `Failed for ${to}: ${reasonOf(error)}`;
    return `${STAGES[stage]}: ${to}`;
}

/** `[{key, at, kind, title, detail?}]` in the order of time. */
function recordsOf(journey, channel) {
    const records = [];
    if (journey.request) {
        const title = `POST /notifications${journey.acceptedAt ? ", 201 Created" : ""}`;
        records.push({ key: "request", at: journey.requestedAt, kind: "api", title, detail: journey.request });
    }
    journey.parts.forEach((part, index) => {
        const several = journey.parts.length > 1 ? `, part ${index + 1} of ${journey.parts.length}` : "";
        const title = `Taken by ${channel.split(", ").at(-1)}${several}`;
        records.push({ key: part.externalId, at: part.at, kind: "carrier", title, detail: part.raw });
    });
    journey.receipts.forEach((receipt, index) => {
        const title = `Receipt: ${receipt.status}${receipt.errorCode ? ` (${receipt.errorCode})` : ""}`;
        records.push({ key: `receipt ${index}`, at: receipt.at, kind: "carrier", title, detail: receipt });
    });
    records.push(...webhookRecords(journey.webhooks));
    return records.sort((a, b) => a.at - b.at);
}

// ------------------------------------------------------------------------------------------------ replies

function replyCard(first, { channelOf, announce }) {
    const pill = el("span", { class: "pill" });
    const context = el("div", { class: "context", hidden: true });
    const text = el("p", { class: "said" });
    const records = recordList();
    const name = el("h3");
    const user = el("code", { class: "id" });
    const node = el(
        "li",
        { class: "card reply" },
        el("div", { class: "head" }, name, pill),
        context,
        text,
        records.node,
        el("p", { class: "foot" }, el("time", {}, clock(first.startedAt)), user),
    );
    let isReceived = null;
    let quoted = 0;

    function update(reply) {
        const channel = channelOf(reply.integrationId);
        if (!name.hasChildNodes())
            name.append("Answer from ", reply.from ?? "somebody", el("span", { class: "muted" }, channel));
        say(pill, reply.receivedAt ? "Received" : "Under way");
        say(text, reply.text ?? "");
        say(user, reply.user ? `app user ${reply.user}` : "");
        if (quoted !== reply.context.length) context.replaceChildren(...quotes(reply.context));
        quoted = reply.context.length;
        context.hidden = quoted === 0;
        records.show(reply.startedAt, webhookRecords(reply.webhooks));
        node.dataset.stage = reply.receivedAt ? "delivered" : "sent";
        const toWhat = quoted ? `. In answer to: ${reply.context.at(-1).text}` : "";
        if (isReceived === false && reply.receivedAt) announce(`${reply.from} answered: ${reply.text}${toWhat}`);
        isReceived = Boolean(reply.receivedAt);
    }
    return { node, update };
}

function quotes(context) {
    const title =
        context.length === 1 ? "In answer to this notification" : `In answer to ${context.length} notifications`;
    const quote = ({ text, type, received }) =>
        el(
            "blockquote",
            {},
            el("p", {}, text?.trim() || `A message of type ${type}`),
            received ? el("time", {}, clock(received * 1000)) : null,
        );
    return [el("p", { class: "hint" }, title, ", from ", el("code", {}, "recentNotifications")), ...context.map(quote)];
}

// ------------------------------------------------------------------------------------------------ records

function webhookRecords(webhooks) {
    const seen = new Set();
    return webhooks.map(({ number, at, body, headers }) => {
        const isRepeat = body.eventId !== undefined && seen.has(body.eventId);
        seen.add(body.eventId);
        const tags = [body.isFinalEvent && "final", isRepeat && "repeat"].filter(Boolean);
        return { key: `webhook ${number}`, at, kind: "webhook", title: body.trigger, tags, detail: body, headers };
    });
}

/** Rows that open to show what was sent, word for word. What is open stays open. */
function recordList() {
    const rows = new Map();
    const node = el("ol", { class: "records", "aria-label": "What happened, word for word" });
    return {
        node,
        show(startedAt, records) {
            arrange(
                node,
                records.map((record) => {
                    if (!rows.has(record.key)) rows.set(record.key, row(record));
                    const { element, time, title } = rows.get(record.key);
                    say(time, offset(startedAt, record.at));
                    say(title, record.title);
                    return element;
                }),
            );
        },
    };
}

function row({ kind, title, tags = [], detail }) {
    const time = el("span", { class: "time" });
    const name = el("span", { class: "title" }, title);
    const marks = tags.map((tag) => el("span", { class: "tag" }, tag));
    const details = el("details", {}, el("summary", {}, time, el("span", { class: "kind" }, kind), name, marks));
    details.addEventListener("toggle", () => {
        if (details.open && !details.querySelector("pre")) details.append(pretty(detail));
    });
    return { element: el("li", { "data-kind": kind }, details), time, title: name };
}
