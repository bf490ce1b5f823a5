// menu, integrations.menu

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { newApp, refused } = require("./engine");

const ITEMS = [
    { type: "link", text: "Shop", uri: "https://shop.example" },
    { type: "postback", text: "Call me", payload: "CALL" },
    { type: "submenu", text: "More", items: [{ type: "postback", text: "Hours", payload: "HOURS" }] },
];
const OTHER = [{ type: "postback", text: "Stop", payload: "STOP" }];

/** What callers set, without what the service may add to it. */
const plain = (items) =>
    items.map(({ type, text, uri, payload, items }) =>
        JSON.parse(JSON.stringify({ type, text, uri: uri || undefined, payload, items: items && plain(items) })),
    );

for (const scope of ["account", "app"]) {
    describe(`menu, scope ${scope}`, () => {
        let menu;
        let appId;
        before(async () => {
            const world = await newApp();
            menu = world[scope].menu;
            appId = world.appId;
        });

        it("configure sets it, get shows it, configure replaces it", async () => {
            const set = await menu.configure({ appId, props: { items: ITEMS } });
            assert.deepEqual(plain(set.menu.items), ITEMS);
            assert.deepEqual(plain((await menu.get({ appId })).menu.items), ITEMS);
            await menu.configure({ appId, props: { items: OTHER } });
            assert.deepEqual(plain((await menu.get({ appId })).menu.items), OTHER);
        });

        it("remove takes it away", async () => {
            await menu.configure({ appId, props: { items: ITEMS } });
            await menu.remove({ appId });
            await refused(menu.get({ appId }), 404, "menu_not_found", "not_found");
        });

        it("a menu with an unknown item is refused", async () => {
            const props = { items: [{ type: "buy", text: "Tea" }] };
            await refused(menu.configure({ appId, props }), 400, "bad_request");
        });
    });

    describe(`integrations.menu, scope ${scope}`, () => {
        let menu;
        let at;
        before(async () => {
            const world = await newApp();
            menu = world[scope].integrations.menu;
            at = { appId: world.appId, integrationId: world.integrations.messagebird };
        });

        it("create, get, update and delete", async () => {
            const created = await menu.create({ ...at, props: { items: ITEMS } });
            assert.deepEqual(plain(created.menu.items), ITEMS);
            assert.deepEqual(plain((await menu.get(at)).menu.items), ITEMS);
            const updated = await menu.update({ ...at, props: { items: OTHER } });
            assert.deepEqual(plain(updated.menu.items), OTHER);
            assert.deepEqual(plain((await menu.get(at)).menu.items), OTHER);
            await menu.delete(at);
            await refused(menu.get(at), 404, "menu_not_found", "not_found");
        });

        it("a menu of an integration that does not exist is not found", async () => {
            const other = { ...at, integrationId: "0123456789abcdef01234567" };
            await refused(menu.get(other), 404, "integration_not_found", "not_found");
        });
    });
}
