// Wires the page: facts come in from the engine and from the form, the story is told anew, the parts show it.

import { byId, say } from "./dom.js";
import { ask, listen } from "./engine.js";
import { copyButton, sendForm } from "./send.js";
import { handset } from "./handset.js";
import { journeyList } from "./journeys.js";
import { noFacts, tell } from "./story.js";

/** Facts of one kind kept at most; the engine keeps more. */
const KEPT = 1000;
/** Where the browser keeps what this page has sent, so that a reload forgets nothing. */
const MEMORY = "heliograph-sends";

let facts = noFacts();
let ready = null;
let parts = null;
let isDue = false;

listen(connected, heard);

async function connected(isLive) {
    showConnection(isLive);
    if (!isLive) return;
    try {
        await catchUp();
    } catch (error) {
        byId("connection").dataset.state = "lost";
        say(byId("connection"), error.message);
    }
}

/** Reads what happened before the page listened, or while it could not. What comes in meanwhile is kept. */
async function catchUp() {
    const now = await ask("/_local/ready");
    const isSame = ready?.appId === now.appId;
    const before = facts;
    facts = {
        ...noFacts(),
        sends: isSame ? before.sends : recall(now.appId),
        written: isSame ? before.written : new Map(),
    };
    if (!isSame) await begin(now);
    const [outbox, webhooks] = await Promise.all([ask("/_local/outbox"), ask("/_local/webhooks")]);
    if (isSame) facts.receipts = [...before.receipts, ...facts.receipts];
    const news = { outbox: facts.outbox, webhooks: facts.webhooks };
    facts.outbox = new Map();
    facts.webhooks = new Map();
    outbox.messages.forEach(addOutbox);
    webhooks.webhooks.forEach(addWebhook);
    news.outbox.forEach(addOutbox);
    news.webhooks.forEach(addWebhook);
    retell();
}

async function begin(now) {
    if (ready) return location.reload();
    const { addresses, carriers } = await ask("/_local/addresses");
    ready = now;
    say(byId("app"), ready.appName ?? "");
    const channels = new Map(Object.entries(ready.integrations).map(([channel, id]) => [id, channel]));
    const channelOf = (id) => carriers[channels.get(id)] ?? "";
    const phone = handset({ channelOf, onWritten: addWritten });
    parts = { phone, list: journeyList({ channelOf, announce: (text) => say(byId("live"), text) }) };
    sendForm({ ready, addresses, carriers, onSend: addSend, onPerson: phone.turnTo });
    copyButton();
}

// ------------------------------------------------------------------------------------------------ facts

function heard(kind, { at, data }) {
    if (kind === "outbox") addOutbox(data);
    if (kind === "webhook") addWebhook(data);
    if (kind === "reply") addWritten({ at, ...data });
    if (kind === "receipt") addReceipt({ ...data, at });
    retell();
}

const isOurs = (integrationId) => !ready || Object.values(ready.integrations).includes(integrationId);

function addOutbox(message) {
    if (isOurs(message.integrationId)) keep(facts.outbox, message.externalId, message);
}

function addReceipt(receipt) {
    if (!isOurs(receipt.integrationId)) return;
    facts.receipts = [...facts.receipts, receipt].slice(-KEPT);
    const message = facts.outbox.get(receipt.externalId);
    if (message) facts.outbox.set(receipt.externalId, { ...message, status: receipt.status });
}

function addWebhook(webhook) {
    if (webhook.body && (!ready || webhook.body.app?._id === ready.appId))
        keep(facts.webhooks, webhook.number, webhook);
}

function addWritten(said) {
    if (!isOurs(said.integrationId)) return;
    const at = Math.min(said.at, facts.written.get(said.externalId)?.at ?? Infinity);
    keep(facts.written, said.externalId, { ...said, at });
    retell();
}

function addSend(send) {
    if (send.refused) facts.sends.delete(send.key);
    else keep(facts.sends, send.key, send);
    remember();
    retell();
}

function keep(map, key, value) {
    map.set(key, value);
    if (map.size > KEPT) map.delete(map.keys().next().value);
}

function remember() {
    const sends = [...facts.sends.values()].filter((send) => send.notificationId).slice(-50);
    try {
        sessionStorage.setItem(MEMORY, JSON.stringify({ appId: ready.appId, sends }));
    } catch {
        // Without storage a reload shows only what the engine knows.
    }
}

function recall(appId) {
    try {
        const kept = JSON.parse(sessionStorage.getItem(MEMORY));
        return new Map(kept?.appId === appId ? kept.sends.map((send) => [send.key, send]) : []);
    } catch {
        return new Map();
    }
}

// ------------------------------------------------------------------------------------------------ showing

/** However many facts come in, the page is drawn once a frame. */
function retell() {
    if (isDue || !parts) return;
    isDue = true;
    requestAnimationFrame(() => {
        isDue = false;
        const story = tell(facts);
        parts.list.show(story);
        parts.phone.show(story.handsets);
    });
}

function showConnection(isLive) {
    byId("connection").dataset.state = isLive ? "live" : "lost";
    say(byId("connection"), isLive ? "Live" : "Reconnecting");
}
