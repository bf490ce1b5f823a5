// What the page says of channels and simulated outcomes, and the sample messages. Nothing here is known to the product.

/** Channels that notifications go to, in the order offered. */
const NAMES = {
    twilio: "SMS, Twilio",
    messagebird: "SMS, MessageBird",
    whatsapp: "WhatsApp",
    mailgun: "Email, Mailgun",
};

/** What a demo number begins with, before the four digits that choose its outcome; and one that is delivered. */
const NUMBERS = {
    twilio: ["+1555010", "0002"],
    messagebird: ["+3161234", "5678"],
    whatsapp: ["+4915112", "3456"],
};

export const channelName = (channel) => NAMES[channel] ?? channel;

/** `[{channel, id}]` of the integrations that can notify. */
export function notifiable(integrations) {
    const channels = Object.keys(NAMES).filter((channel) => integrations[channel]);
    return channels.map((channel) => ({ channel, id: integrations[channel] }));
}

/** `[{address, what}]` for a channel, from the engine's table of endings; the one that is delivered comes first. */
export function demoAddresses(channel, table) {
    if (!NUMBERS[channel]) return [{ address: "lea@tea.example", what: "delivered" }];
    const [start, delivered] = NUMBERS[channel];
    const rows = table.map((row) => ({ ...row, address: start + (row.endsWith || delivered), what: outcome(row) }));
    return rows.sort((a, b) => Boolean(a.endsWith) - Boolean(b.endsWith));
}

/** What will become of a message to that address, as far as the table knows. */
export function outcomeOf(address, table) {
    const digits = address.replace(/\D/g, "");
    const row = table.find(({ endsWith }) => digits.endsWith(endsWith));
    return digits && row ? outcome(row) : undefined;
}

/** The line for all other numbers says so before its colon. */
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
