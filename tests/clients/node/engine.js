// The engine that READY_FILE tells of, and the words in which tests speak to it.
//
// Each file of tests makes an app of its own, in an account of its own, so that no file sees what another one left.

"use strict";

const assert = require("node:assert/strict");
const { randomInt } = require("node:crypto");
const { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

// smooch-core takes whatever `FormData` it finds, and Node's own is not one that it can send: it must not be there when
// the client is read. `quirks.test.js` shows what happens otherwise.
const nodesFormData = global.FormData;
global.FormData = undefined;
const Smooch = require("smooch-core");

const serviceUrl = JSON.parse(readFileSync(process.env.READY_FILE, "utf8")).apiUrl;

const ID = /^[0-9a-f]{24}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A phone number that nobody had before. Last digits tell the simulated carriers what to do: these mean nothing. */
const anybody = () => `+1416${randomInt(200, 1000)}${randomInt(1000, 9000)}`;
const FAILS_LATER = "+14165550903";

async function call(method, path, { body, headers = {} } = {}) {
    const response = await fetch(`${serviceUrl}${path}`, { method, headers, body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: asJson(text) };
}

function asJson(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** The engine's control API. */
async function local(method, path, body) {
    const answer = await call(method, `/_local/${path}`, { body: body && JSON.stringify(body) });
    assert.ok(answer.status < 300, `${method} /_local/${path}: ${answer.status} ${answer.text}`);
    return answer.body;
}

/** Steps through waits and retries until nothing is left to do. */
async function settle() {
    for (let step = 0; step < 100; step++) {
        const { status, body } = await call("GET", "/_local/idle?timeout=0.5");
        if (status === 200) {
            return;
        }
        if (Object.keys(body.functions).length === 0) {
            await local("POST", "wake");
        }
    }
    assert.fail("the engine does not come to rest");
}

/** An app with its keys and integrations, and a client for each scope. */
async function newApp(wanted = {}) {
    const ready = await local("POST", "apps", wanted);
    const as = (options) => new Smooch({ serviceUrl, ...options });
    return {
        ...ready,
        account: as({ keyId: ready.accountKeyId, secret: ready.accountSecret, scope: "account" }),
        app: as({ keyId: ready.keyId, secret: ready.secret, scope: "app" }),
        /** A person's own client. */
        person: (userId) => as({ keyId: ready.keyId, secret: ready.secret, scope: "appUser", userId }),
        /** What the app's webhook heard, oldest first. */
        async heard(trigger) {
            await settle();
            const { webhooks } = await local("GET", `webhooks?sink=${ready.appId}`);
            return webhooks.map((webhook) => webhook.body).filter((body) => !trigger || body.trigger === trigger);
        },
    };
}

/** What simulated carriers were given for an address. */
async function outbox(to) {
    await settle();
    const { messages } = await local("GET", `outbox?to=${encodeURIComponent(to)}`);
    return messages;
}

/** A file on the disk, as the client reads one. */
function file(name, content) {
    const folder = mkdtempSync(join(tmpdir(), "clients-"));
    process.on("exit", () => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, name), content);
    return () => createReadStream(join(folder, name));
}

/** A person writes by SMS. */
const reply = (integrationId, from, text) => local("POST", "reply", { integrationId, from, text });

/** Expects v1.1's refusal as smooch-core tells it; `code` may be one of several. */
async function refused(promise, status, ...codes) {
    const error = await promise.then(
        (answer) => assert.fail(`expected ${status}, got ${JSON.stringify(answer)}`),
        (error) => error,
    );
    assert.ok(error.response, `no answer of the API: ${error.stack}`);
    assert.equal(error.response.status, status, `${error.code}: ${error.description}`);
    assert.ok(error.description, "a refusal has a description");
    assert.equal(error.message, error.description);
    if (codes.length > 0) {
        assert.ok(codes.includes(error.code), `${error.code} is none of ${codes}`);
    }
    return error;
}

/** The object has these fields with these values, whatever else it has. */
function has(object, fields) {
    const found = Object.fromEntries(Object.keys(fields).map((key) => [key, object?.[key]]));
    assert.deepEqual(found, fields);
}

const ids = (list) => list.map((entry) => entry._id);

module.exports = {
    Smooch,
    nodesFormData,
    serviceUrl,
    ID,
    UUID,
    FAILS_LATER,
    anybody,
    call,
    local,
    settle,
    newApp,
    outbox,
    file,
    reply,
    refused,
    has,
    ids,
};
