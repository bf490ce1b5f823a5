import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";
import { card, consoleUrl, launch, open, someone, tabTo, type } from "./browser.js";

let browser;
before(async () => {
    browser = await launch();
});
after(() => browser?.close());

test("by keyboard alone one sends, sees it delivered, answers, and reads the answer with its context", async () => {
    const page = await open(browser);
    const address = someone();
    const text = `Is <b>${address}</b> at home?`;
    await tabTo(page, "#to");
    await type(page, address);
    await tabTo(page, "#message");
    await type(page, text);
    await page.keyboard.press("Enter");

    const journey = await card(page, address, "delivered");
    assert.match(
        await journey.locator(".track").innerText(),
        /Accepted\s*\+\d+ ms\s*Sent\s*\+\d+ ms\s*Delivered\s*\+\d+ ms/,
    );
    const records = await journey.locator(".records").innerText();
    assert.match(records, /notification:delivery:channel/);
    assert.match(records, /notification:delivery:user\s*final/);
    assert.match(await page.locator("#live").textContent(), new RegExp(`Delivered to \\${address}`));
    assert.equal(await page.locator("#screen .bubble.business p").first().innerText(), text);

    await tabTo(page, "#reply");
    await page.keyboard.type("Yes, & <i>waiting</i>");
    await page.keyboard.press("Enter");
    const answer = await card(page, `Answer from ${address}`, "delivered");
    assert.equal(await answer.locator(".said").innerText(), "Yes, & <i>waiting</i>");
    assert.equal(await answer.locator("blockquote p").innerText(), text);
    await page.locator("#screen .bubble.person", { hasText: "with the business" }).waitFor();

    await tabTo(page, ".card.reply summary");
    await page.keyboard.press("Enter");
    assert.match(await answer.locator("pre").first().innerText(), /"recentNotifications"/);
    assert.equal(await page.locator("#screen b, #screen i, .card b, .card i").count(), 0, "a text became markup");

    await page.reload();
    await card(page, `Answer from ${address}`, "delivered");
    assert.match(
        await (await card(page, address, "delivered")).locator(".records").innerText(),
        /POST \/notifications/,
    );
    assert.deepEqual(page.problems, []);
});

test("a failure says why, and the handset got nothing", async () => {
    const page = await open(browser);
    const address = someone("0901");
    await page.fill("#to", address);
    assert.match(await page.locator("#outcome-hint").innerText(), /This number: refused at once/);
    await page.press("#message", "Enter");
    const journey = await card(page, address, "failed");
    assert.match(await journey.locator(".reason").innerText(), /not a valid phone number/);
    await page.locator("#screen .note", { hasText: "Nothing arrived: " }).waitFor();
});

test("a choice of what should happen fills in the number", async () => {
    const page = await open(browser);
    await tabTo(page, "#outcome");
    await page.keyboard.type("refused at once");
    assert.match(await page.inputValue("#to"), /^\+\d+0901$/);
    await page.selectOption("#channel", { label: "SMS, MessageBird" });
    assert.equal(await page.inputValue("#outcome"), await page.inputValue("#to"));
    await page.press("#message", "Enter");
    await card(page, await page.inputValue("#to"), "delivered");
});

test("every sample travels", async () => {
    const page = await open(browser);
    for (const sample of ["image", "carousel", "location"]) {
        const address = someone();
        await page.fill("#to", address);
        await page.locator(`input[value="${sample}"]`).focus();
        await page.keyboard.press("Space");
        await page.press("#message", "Control+Enter");
        await card(page, address, "delivered");
        assert.equal(await page.locator("#screen .bubble.business").count(), 1, sample);
    }
});

test("what the API refuses is said in words, and what is no JSON is not sent", async () => {
    const page = await open(browser);
    await page.fill("#to", "nobody");
    await page.press("#message", "Enter");
    await page.locator("#send-error", { hasText: "The request was refused (400 bad_request): " }).waitFor();
    await page.fill("#to", "");
    await page.press("#message", "Enter");
    await page.locator("#send-error", { hasText: "the field To is empty" }).waitFor();
    await page.fill("#to", someone());
    await page.check('input[value="image"]', { force: true });
    await page.fill("#message", "{");
    await page.click("#send-button");
    await page.locator("#send-error", { hasText: "not JSON" }).waitFor();
});

test("the curl command is what the form sends", async () => {
    const page = await open(browser);
    await page.fill("#message", "It's ready");
    await page.click(".curl summary");
    const command = await page.locator("#curl").innerText();
    assert.match(command, /^curl http\S+\/v1\.1\/apps\/[0-9a-f]{24}\/notifications \\\n {2}-u 'app_/);
    assert.ok(command.includes(`"text": "It'\\''s ready"`), command);
});

test("after a lost connection the page comes back and knows what it missed", async () => {
    const { url, cut, close } = await wire(new URL(consoleUrl));
    try {
        const page = await open(browser, url);
        const address = someone();
        cut();
        await page.waitForSelector('#connection[data-state="lost"]');
        await notify(address);
        await page.waitForSelector('#connection[data-state="live"]');
        await card(page, address, "delivered");
    } finally {
        close();
    }
});

test("nothing is wider than its place, on a phone or a large display", async () => {
    const page = await open(browser);
    await page.click(".curl summary");
    for (const width of [320, 390, 768, 1024, 1440, 2200]) {
        await page.setViewportSize({ width, height: 800 });
        const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(excess <= 0, `${excess} px too wide at ${width}`);
        const spilt = await page.$$eval("section", (all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
        assert.equal(spilt, 0, `a section lies over another at ${width}`);
    }
});

/** A wire to the engine that can be cut: every connection on it breaks, new ones hold. */
async function wire({ hostname, port }) {
    const open = new Set();
    const server = net.createServer((socket) => {
        const engine = net.connect(Number(port), hostname);
        for (const end of [socket, engine]) {
            open.add(end);
            // A broken end is closed, and takes the other with it.
            end.on("error", () => {});
            end.on("close", () => {
                open.delete(end);
                socket.destroy();
                engine.destroy();
            });
        }
        socket.pipe(engine).pipe(socket);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    const cut = () => open.forEach((end) => end.destroy());
    const close = () => (cut(), server.close());
    return { url: `http://127.0.0.1:${server.address().port}/`, cut, close };
}

async function notify(address) {
    const ready = await (await fetch(new URL("/_local/ready", consoleUrl))).json();
    const response = await fetch(new URL(`/v1.1/apps/${ready.appId}/notifications`, consoleUrl), {
        method: "POST",
        headers: {
            "content-type": "application/json",
            authorization: `Basic ${btoa(`${ready.keyId}:${ready.secret}`)}`,
        },
        body: JSON.stringify({
            destination: { integrationId: ready.integrations.twilio, destinationId: address },
            author: { role: "appMaker" },
            message: { type: "text", text: "While you were away" },
        }),
    });
    assert.equal(response.status, 201);
}
