// A page of the console in Chromium, and the hands of somebody who has only a keyboard.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/** Tab stops that may lie between two controls. */
const FAR = 60;

export const consoleUrl = process.env.CONSOLE_URL;
assert.ok(consoleUrl, "say where the engine's console is, in CONSOLE_URL");

export const launch = () =>
    chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** A fresh page of the console, live. What goes wrong in it is collected in `page.problems`. */
export async function open(browser, url = consoleUrl) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    await page.goto(url);
    await page.waitForSelector('#connection[data-state="live"]');
    await page.waitForSelector("#outcome option", { state: "attached" });
    return page;
}

/** Goes on by Tab until the focus is on what the selector names, and checks that the focus can be seen. */
export async function tabTo(page, selector) {
    for (let stop = 0; stop < FAR; stop++) {
        await page.keyboard.press("Tab");
        const isThere = await page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
        if (!isThere) continue;
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.notEqual(outline, "none", `${selector} shows no focus`);
        return;
    }
    assert.fail(`no Tab leads to ${selector}`);
}

/** Replaces what the focused field holds. */
export async function type(page, text) {
    await page.keyboard.press("Control+A");
    await page.keyboard.type(text);
}

/** A number that nobody has written to. Its ending chooses the outcome; this one is delivered. */
export const someone = (ending = "0002") => `+1${514_000 + Math.floor(Math.random() * 1000)}${ending}`;

/** The newest card whose heading begins so, once it has reached a stage. */
export async function card(page, heading, stage) {
    const title = page.locator("h3", { hasText: new RegExp(`^${heading.replace("+", "\\+")}`) });
    const found = page.locator(`.card[data-stage="${stage}"]`, { has: title }).first();
    await found.waitFor();
    return found;
}
