// templates

"use strict";

const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { ID, has, ids, newApp, refused } = require("./engine");

for (const scope of ["account", "app"]) {
    describe(`templates, scope ${scope}`, () => {
        let templates;
        let appId;
        before(async () => {
            const world = await newApp();
            templates = world[scope].templates;
            appId = world.appId;
        });

        const text = (text) => ({ role: "appMaker", type: "text", text });
        const create = async (name, message) =>
            (await templates.create({ appId, props: { name, message } })).template;

        it("create gives it back, get finds it", async () => {
            const message = {
                ...text("Tea?"),
                actions: [{ type: "reply", text: "Yes", payload: "YES" }],
            };
            const template = await create("tea", message);
            assert.match(template._id, ID);
            assert.equal(template.name, "tea");
            has(template.message, text("Tea?"));
            has(template.message.actions[0], message.actions[0]);
            assert.deepEqual((await templates.get({ appId, templateId: template._id })).template, template);
        });

        it("list goes by pages", async () => {
            for (const name of ["one", "two", "three"]) {
                await create(name, text(name));
            }
            const first = await templates.list({ appId, props: { limit: 2 } });
            has(first, { hasMore: true, offset: 0 });
            const second = await templates.list({ appId, props: { limit: 2, offset: 2 } });
            has(second, { offset: 2 });
            const all = await templates.list({ appId, props: {} });
            has(all, { hasMore: false, offset: 0 });
            assert.deepEqual(
                ids(all.templates).slice(0, 4),
                ids([...first.templates, ...second.templates]).slice(0, 4),
            );
        });

        it("update changes what is sent and keeps the rest", async () => {
            const { _id: templateId } = await create("before", text("Tea?"));
            const renamed = (await templates.update({ appId, templateId, props: { name: "after" } })).template;
            has(renamed, { _id: templateId, name: "after" });
            has(renamed.message, text("Tea?"));
            const props = { message: text("Coffee?") };
            const changed = (await templates.update({ appId, templateId, props })).template;
            assert.equal(changed.name, "after");
            has(changed.message, text("Coffee?"));
        });

        it("delete ends it", async () => {
            const { _id: templateId } = await create("short-lived", text("Tea?"));
            assert.deepEqual(await templates.delete({ appId, templateId }), {});
            await refused(templates.get({ appId, templateId }), 404, "template_not_found", "not_found");
        });

        it("a template without a good message is refused", async () => {
            const props = { name: "bad", message: { role: "appMaker", type: "text" } };
            await refused(templates.create({ appId, props }), 400, "bad_request");
        });
    });
}
