// The simulated handset: what one person has got and said, and the field to answer from.

import { arrange, byId, clock, el, link, linked, say } from "./dom.js";
import { writeReply } from "./engine.js";
import { personKey, sameAddress } from "./story.js";

const NOTHING = "Nothing here yet. What this person gets appears here, and they can write first, too.";

/** `onWritten(said)` is told what the person wrote. */
export function handset({ channelOf, onWritten }) {
    const select = byId("person");
    const input = byId("reply");
    const note = el("li", { class: "note" });
    let bubbles = new Map();
    /** The person that the form speaks of, who may have got nothing yet. */
    let addressed = null;
    let selected = null;
    let handsets = new Map();

    function show(known) {
        handsets = known;
        const people = [...known.values()].sort((a, b) => b.lastAt - a.lastAt);
        if (addressed && !known.has(addressed.key)) people.push(addressed);
        arrange(select, people.map(option));
        if (selected && select.value !== selected) select.value = selected;
        showScreen(people.find(({ key }) => key === select.value));
    }

    function option({ key, integrationId, address }) {
        const known = [...select.options].find(({ value }) => value === key);
        const shown = address.includes("@") ? address : `+${sameAddress(address)}`;
        return known ?? el("option", { value: key }, `${shown} · ${channelOf(integrationId)}`);
    }

    function showScreen(person) {
        const screen = byId("screen");
        const items = person?.items ?? [];
        const newest = screen.lastElementChild;
        bubbles = new Map(items.map((item) => [item.key, bubble(item)]));
        say(note, person?.refused ? refusal(person.refused) : NOTHING);
        const isNoted = person?.refused || items.length === 0;
        arrange(screen, [...bubbles.values(), ...(isNoted ? [note] : [])]);
        if (screen.lastElementChild !== newest) screen.scrollTop = screen.scrollHeight;
    }

    function bubble(item) {
        const node = bubbles.get(item.key) ?? bubbleOf(item);
        node.dataset.state = item.state;
        say(node.querySelector(".state"), stateOf(item));
        return node;
    }

    async function answer(event) {
        event.preventDefault();
        const text = input.value.trim();
        const person = handsets.get(select.value) ?? addressed;
        if (!text || !person) return;
        complain(null);
        const at = Date.now();
        try {
            const { externalId } = await writeReply(person.integrationId, person.address, text);
            input.value = "";
            onWritten({ externalId, integrationId: person.integrationId, from: person.address, text, at });
        } catch (error) {
            complain(error.message);
        }
    }

    select.addEventListener("change", () => ((selected = select.value), show(handsets)));
    byId("reply-form").addEventListener("submit", answer);

    return {
        show,
        /** Turns to that person, as the form does when it sends. */
        turnTo(integrationId, address) {
            if (!isAddress(address)) return;
            const key = personKey(integrationId, address);
            addressed = { key, integrationId, address, items: [], refused: null, lastAt: 0 };
            selected = key;
            show(handsets);
        },
    };
}

const isAddress = (address) => address.includes("@") || sameAddress(address).length >= 5;

function bubbleOf({ side, text, mediaUrls, at }) {
    const media = mediaUrls.map((url) =>
        el("p", { class: "media" }, /^https?:/.test(url) ? link(url, fileName(url)) : url),
    );
    const words = text ? el("p", {}, linked(text)) : null;
    const who = side === "person" ? "Answered" : "Received";
    return el(
        "li",
        { class: `bubble ${side}` },
        el("span", { class: "unseen" }, `${who}: `),
        media,
        words,
        el("p", { class: "small" }, el("time", {}, clock(at)), " ", el("span", { class: "state" })),
    );
}

/** The last part of the path, or the host where there is none. */
function fileName(url) {
    const { pathname, host } = new URL(url);
    return decodeURI(pathname.split("/").filter(Boolean).at(-1) ?? host);
}

function stateOf({ side, state }) {
    if (side === "person") return state === "arrived" ? "with the business" : "under way";
    return { arrived: "", underway: "not confirmed yet", lost: "never arrived" }[state];
}

const refusal = ({ error }) => `Nothing arrived: ${error?.message ?? error?.code ?? "the message was refused"}`;

function complain(problem) {
    byId("reply-error").hidden = !problem;
    say(byId("reply-error"), problem ?? "");
}
