// Building the page's parts. Data enters as text only: nothing here reads HTML.

/** An element. Functions under `on…` become listeners; null and false attributes and null children are left out. */
export function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (value === true) element.setAttribute(name, "");
        else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child != null));
    return element;
}

/** The one element with that id. */
export const byId = (id) => document.getElementById(id);

/** Sets a text only when it differs, so that nothing is read out or laid out for no reason. */
export function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

/** Adds what is new to a list and puts it into order, leaving alone what is already in its place. */
export function arrange(list, nodes) {
    nodes.forEach((node, index) => {
        if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    while (list.children.length > nodes.length) list.lastElementChild.remove();
}

/** Text whose web addresses can be followed. */
export function linked(text) {
    const pieces = text.split(/(https?:\/\/[^\s<>"]+)/);
    return pieces.map((piece, index) => (index % 2 ? link(piece, piece) : piece));
}

export function link(url, text) {
    return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** JSON, indented, its keys and values told apart by colour. */
export function pretty(value) {
    const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
    const text = JSON.stringify(value, null, 2) ?? "";
    const nodes = [];
    let end = 0;
    for (const match of text.matchAll(token)) {
        const [whole, string, colon] = match;
        const kind = colon ? "key" : string ? "string" : "plain";
        nodes.push(text.slice(end, match.index), el("span", { class: kind }, string ?? whole), colon ?? "");
        end = match.index + whole.length;
    }
    return el("pre", { class: "json", tabindex: "0" }, ...nodes, text.slice(end));
}

/** A clock time such as 14:03:22. */
export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });

/** A span of time in the unit that reads best: `+42 ms`, `+1.2 s`. */
export function offset(from, to) {
    const ms = Math.max(0, Math.round(to - from));
    return ms < 10_000 ? `+${ms} ms` : `+${(ms / 1000).toFixed(1)} s`;
}
