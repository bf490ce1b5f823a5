// The form that sends: what it offers, what it makes of the fields, and what it says when the API refuses.

import { byId, el, say } from "./dom.js";
import { SAMPLES, demoAddresses, notifiable, outcomeOf } from "./channels.js";
import { curl, notify } from "./engine.js";

/** Value of the outcome that stands for a number of one's own. */
const OWN = "own";
const HINT = "Carriers are simulated here. The number decides what becomes of a message.";

/** Something that the person who fills in the form can put right, and where. */
class Complaint extends Error {
    constructor(field, message) {
        super(message);
        this.field = field;
    }
}

/** `onSend(send)` hears of each notification before the API answers and after, `onPerson(id, address)` of each choice. */
export function sendForm({ ready, addresses, carriers, onSend, onPerson }) {
    const destination = destinationFields({ ready, addresses, carriers, onChange: showCommand, onPerson });
    const message = messageFields({ onChange: showCommand });
    const request = () => ({
        destination: destination.read(),
        author: { role: "appMaker" },
        message: message.read(),
    });

    function showCommand() {
        try {
            say(byId("curl"), curl(ready, request()));
        } catch (complaint) {
            say(byId("curl"), complaint.message);
        }
    }

    async function submit(event) {
        event.preventDefault();
        try {
            complain(null);
            await post(ready, request(), { onSend, onPerson });
        } catch (error) {
            complain(error);
        }
    }

    byId("send-form").addEventListener("submit", submit);
    destination.begin();
    message.begin();
}

let posted = 0;

async function post(ready, request, { onSend, onPerson }) {
    const { integrationId, destinationId: to } = request.destination;
    const at = Date.now();
    const send = { key: `send ${at} ${++posted}`, integrationId, to, request, at };
    onPerson(integrationId, to);
    onSend(send);
    try {
        const { notificationId } = await notify(ready, request);
        onSend({ ...send, notificationId, acceptedAt: Date.now() });
    } catch (error) {
        onSend({ ...send, refused: true });
        throw error;
    }
}

// ------------------------------------------------------------------------------------------------ destination

function destinationFields({ ready, addresses, carriers, onChange, onPerson }) {
    const [channel, outcome, to] = ["channel", "outcome", "to"].map(byId);
    const integrations = notifiable(ready.integrations, carriers);
    const tellPerson = () => onPerson(channel.value, to.value.trim());

    const chosen = () => integrations.find(({ id }) => id === channel.value)?.channel;

    function offer() {
        const offered = demoAddresses(chosen(), addresses);
        const choices = offered.map(({ address, what }) => el("option", { value: address }, sentenceCase(what)));
        // Not to be chosen, only to be shown: it comes with a number that is not in the list.
        const own = el("option", { value: OWN, disabled: true, hidden: true }, "As the number below decides");
        outcome.replaceChildren(...choices, own);
        const entries = offered.map(({ address, what }) => el("option", { value: address, label: what }));
        byId("addresses").replaceChildren(...entries);
        to.value = offered[0].address;
        showOutcome();
        tellPerson();
    }

    function showOutcome() {
        const address = to.value.trim();
        const isListed = [...outcome.options].some(({ value }) => value === address);
        outcome.value = isListed ? address : OWN;
        const what = isListed ? null : outcomeOf(address, chosen(), addresses);
        say(byId("outcome-hint"), what ? `This number: ${what}.` : HINT);
        onChange();
    }

    channel.addEventListener("change", offer);
    outcome.addEventListener("change", () => {
        to.value = outcome.value;
        showOutcome();
        tellPerson();
    });
    to.addEventListener("input", showOutcome);
    to.addEventListener("change", tellPerson);

    return {
        begin() {
            const choices = integrations.map(({ name, id }) => el("option", { value: id }, name));
            channel.replaceChildren(...choices);
            offer();
        },
        read() {
            const destinationId = to.value.trim();
            if (!destinationId) throw new Complaint("to", "Say to whom: the field To is empty.");
            return { integrationId: channel.value, destinationId };
        },
    };
}

// ------------------------------------------------------------------------------------------------ message

/** A text is written as it is, all other types as JSON. What was begun of each type is kept. */
function messageFields({ onChange }) {
    const form = byId("send-form");
    const field = byId("message");
    const drafts = Object.fromEntries(Object.entries(SAMPLES).map(([type, sample]) => [type, draft(type, sample)]));
    const chosen = () => form.elements.type.value;

    function show() {
        const isText = chosen() === "text";
        field.value = drafts[chosen()];
        field.classList.toggle("code", !isText);
        field.rows = isText ? 3 : Math.min(12, field.value.split("\n").length);
        field.spellcheck = isText;
        say(byId("message-label"), isText ? "Text" : "Message as JSON");
        say(byId("message-hint"), isText ? "Enter sends, Shift and Enter begin a new line." : "Ctrl and Enter send.");
        onChange();
    }

    field.addEventListener("input", () => {
        drafts[chosen()] = field.value;
        onChange();
    });
    field.addEventListener("keydown", (event) => {
        const sends = chosen() === "text" ? !event.shiftKey : event.ctrlKey || event.metaKey;
        if (event.key !== "Enter" || !sends || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
    });
    form.addEventListener("change", ({ target }) => target.name === "type" && show());

    return {
        begin: show,
        read() {
            const text = field.value;
            if (chosen() !== "text") return parsed(text);
            if (!text.trim()) throw new Complaint("message", "Write a text first.");
            return { type: "text", text };
        },
    };
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new Complaint("message", `The message is not JSON: ${error.message}`);
    }
}

const draft = (type, sample) => (type === "text" ? sample.text : JSON.stringify(sample, null, 2));

const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Shows what went wrong, and turns to the field if it is one's fault. */
function complain(error) {
    const place = byId("send-error");
    place.hidden = !error;
    say(place, error?.message ?? "");
    for (const field of ["to", "message"]) byId(field).setAttribute("aria-invalid", error?.field === field);
    if (error?.field) byId(error.field).focus();
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
