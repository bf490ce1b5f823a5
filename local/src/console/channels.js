// What the page says of simulated outcomes, and the sample messages. Nothing here is known to the product.

/** `[{channel, name, id}]` of the integrations whose carriers are simulated, by the carriers' names. */
export function notifiable(integrations, carriers) {
    const channels = Object.keys(carriers).filter((channel) => integrations[channel]);
    return channels.map((channel) => ({ channel, name: carriers[channel], id: integrations[channel] }));
}

/** `[{address, what}]` for a channel, from the engine's table of endings; the one that is delivered comes first. */
export function demoAddresses(channel, table) {
    const rows = table.filter(({ examples }) => examples[channel]);
    rows.sort((a, b) => Boolean(a.endsWith) - Boolean(b.endsWith));
    return rows.map((row) => ({ address: row.examples[channel], what: outcome(row) }));
}

/** What will become of a message to that address, as far as the table knows. */
export function outcomeOf(address, channel, table) {
    const row = table.find(({ endsWith, examples }) => examples[channel] && address.endsWith(endsWith));
    return address && row ? outcome(row) : undefined;
}

/** The line for all others says so before its colon. */
const outcome = ({ endsWith, what }) => (endsWith ? what : what.split(": ").at(-1));

export const SAMPLES = {
    text: { type: "text", text: "Your parcel leaves today. Will you be at home?" },
    image: {
        type: "image",
        text: "Your parcel, ready to leave",
        mediaUrl: "https://example.com/parcel.jpg",
        mediaType: "image/jpeg",
    },
    carousel: {
        type: "carousel",
        items: [
            {
                title: "Morning, 8 to 12",
                description: "We ring before we come",
                actions: [{ type: "link", text: "Choose", uri: "https://example.com/slots/morning" }],
            },
            {
                title: "Evening, 17 to 20",
                description: "Up to the second floor",
                actions: [{ type: "link", text: "Choose", uri: "https://example.com/slots/evening" }],
            },
        ],
    },
    location: {
        type: "location",
        coordinates: { lat: 52.3702, long: 4.8952 },
        location: { name: "Parcel shop", address: "Damrak 1, Amsterdam" },
    },
};
