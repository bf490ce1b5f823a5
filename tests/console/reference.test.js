import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { consoleUrl, launch } from "./browser.js";

let browser;
before(async () => {
    browser = await launch();
});
after(() => browser?.close());

test("the API's description is shown, and no other host is asked for anything", async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const problems = [];
    const hosts = new Set();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("request", (request) => request.url().startsWith("http") && hosts.add(new URL(request.url()).host));
    await page.goto(new URL("docs", consoleUrl).href);

    const operation = page.locator("#operations-Notifications-createNotification");
    await page.locator("#operations-tag-Notifications").click();
    await operation.click();
    await operation.locator("text=Send a message to an address").first().waitFor();
    await operation.locator("text=destinationId").first().waitFor();
    assert.match(await page.locator(".info .title").innerText(), /Heliograph/);

    assert.deepEqual([...hosts], [new URL(consoleUrl).host]);
    assert.deepEqual(problems, []);
});
