// The form that sends: what it offers, what it makes of the fields, and what it says when the API refuses.

import { byId, el, say } from "./dom.js";
import { SAMPLES, channelName, demoAddresses, notifiable, outcomeOf } from "./channels.js";
import { curl, notify } from "./engine.js";

const OWN = "own";

/** `onSend(send)` hears of each notification before the API answers and after, `onPerson(id, address)` of each choice. */
export function sendForm({ ready, addresses, onSend, onPerson }) {
    const form = byId("send-form");
    const channel = byId("channel");
    const outcome = byId("outcome");
    const to = byId("to");
    const message = byId("message");
    const drafts = Object.fromEntries(Object.entries(SAMPLES).map(([type, sample]) => [type, draft(type, sample)]));
    let type = "text";

    const chosen = () => ({ id: channel.value, name: channel.selectedOptions[0]?.dataset.channel });
    const request = () => ({
        destination: { integrationId: chosen().id, destinationId: to.value.trim() },
        author: { role: "appMaker" },
        message: type === "text" ? { type, text: message.value } : JSON.parse(message.value),
    });

    function showCommand() {
        try {
            say(byId("curl"), curl(ready, request()));
        } catch {
            say(byId("curl"), "The message is not JSON yet.");
        }
    }

    function offerAddresses() {
        const offered = demoAddresses(chosen().name, addresses);
        const named = offered.map(({ address, what }) => el("option", { value: address }, sentenceCase(what)));
        outcome.replaceChildren(...named, el("option", { value: OWN }, "As the number below decides"));
        byId("addresses").replaceChildren(
            ...offered.map(({ address, what }) => el("option", { value: address, label: what })),
        );
        to.value = offered[0].address;
        showOutcome();
    }

    function showOutcome() {
        const known = [...outcome.options].some((option) => option.value === to.value.trim());
        outcome.value = known ? to.value.trim() : OWN;
        const what = known ? null : outcomeOf(to.value, addresses);
        say(
            byId("outcome-hint"),
            what
                ? `This number: ${what}.`
                : "Carriers are simulated here. The number decides what becomes of a message.",
        );
        showCommand();
    }

    function showType() {
        const isText = type === "text";
        message.value = drafts[type];
        message.classList.toggle("code", !isText);
        message.rows = isText ? 3 : Math.min(12, drafts[type].split("\n").length);
        message.spellcheck = isText;
        say(byId("message-label"), isText ? "Text" : "Message as JSON");
        say(byId("message-hint"), isText ? "Enter sends, Shift and Enter begin a new line." : "Ctrl and Enter send.");
        showCommand();
    }

    async function submit(event) {
        event.preventDefault();
        const problem = complaint(to, message, type);
        fail(problem);
        if (problem) return;
        const body = request();
        const send = {
            key: crypto.randomUUID(),
            integrationId: chosen().id,
            to: to.value.trim(),
            request: body,
            at: Date.now(),
        };
        onPerson(send.integrationId, send.to);
        onSend(send);
        try {
            const { notificationId } = await notify(ready, body);
            onSend({ ...send, notificationId, acceptedAt: Date.now() });
        } catch (error) {
            onSend({ ...send, refused: true });
            fail(error.message);
        }
    }

    const choosePerson = () => onPerson(chosen().id, to.value.trim());
    const options = notifiable(ready.integrations);
    channel.replaceChildren(
        ...options.map(({ channel: name, id }) => el("option", { value: id, "data-channel": name }, channelName(name))),
    );
    channel.addEventListener("change", () => (offerAddresses(), choosePerson()));
    outcome.addEventListener("change", () => {
        if (outcome.value !== OWN) to.value = outcome.value;
        else to.select();
        showOutcome();
        choosePerson();
    });
    to.addEventListener("input", showOutcome);
    to.addEventListener("change", choosePerson);
    message.addEventListener("input", () => ((drafts[type] = message.value), showCommand()));
    message.addEventListener("keydown", (event) => {
        const sends = type === "text" ? !event.shiftKey : event.ctrlKey || event.metaKey;
        if (event.key !== "Enter" || !sends || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
    });
    form.addEventListener("change", (event) => {
        if (event.target.name !== "type") return;
        type = event.target.value;
        showType();
    });
    form.addEventListener("submit", submit);
    offerAddresses();
    showType();
    choosePerson();
}

/** Lets the command be copied; says so on the button. */
export function copyButton() {
    const button = byId("copy");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(byId("curl").textContent);
            say(button, "Copied");
        } catch {
            getSelection().selectAllChildren(byId("curl"));
            say(button, "Selected, copy with Ctrl+C");
        }
    });
    button.addEventListener("blur", () => say(button, "Copy"));
}

const draft = (type, sample) => (type === "text" ? sample.text : JSON.stringify(sample, null, 2));

const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function complaint(to, message, type) {
    if (!to.value.trim()) return "Say to whom: the field To is empty.";
    if (type === "text") return message.value.trim() ? null : "Write a text first.";
    try {
        JSON.parse(message.value);
        return null;
    } catch (error) {
        return `The message is not JSON: ${error.message}`;
    }
}

function fail(problem) {
    const place = byId("send-error");
    place.hidden = !problem;
    say(place, problem ?? "");
    byId("message").toggleAttribute("aria-invalid", Boolean(problem));
}
