// Every method that the client has is called by some test here.

"use strict";

const assert = require("node:assert/strict");
const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { it } = require("node:test");
const { Smooch } = require("./engine");

/** Not calls of their own: each part of the client has them. */
const INNER = /^(validate|request|getHeaders)/;
/** What tests call a part for short. */
const SHORT = { appUsers: "users", serviceAccounts: "accounts" };

/** Calls of a part of the client and of the parts below it, as `keys.create`. */
function calls(part, name) {
    const own = Object.keys(Object.getPrototypeOf(part)).filter((method) => !INNER.test(method));
    const below = Object.entries(part).filter(([, value]) => value?.request);
    return [...own.map((method) => [name, method]), ...below.flatMap(([name, value]) => calls(value, name))];
}

it("every method is called", () => {
    const files = readdirSync(__dirname).filter((file) => file.endsWith(".test.js"));
    const tests = files.map((file) => readFileSync(join(__dirname, file), "utf8")).join("\n");
    const isCalled = (part, method) => tests.includes(`${part}.${method}(`);
    const all = calls(new Smooch({ keyId: "app_1", secret: "secret", scope: "app" }), "client");
    assert.ok(all.length > 80, `${all.length} methods`);
    const missing = all.filter(([part, method]) => !isCalled(part, method) && !isCalled(SHORT[part], method));
    assert.deepEqual(missing, []);
});
