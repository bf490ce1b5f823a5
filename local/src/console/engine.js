// The page's only way to the engine: its control API, its events, and the product's own API.

/** Kinds of events that the page listens to. */
const KINDS = ["outbox", "receipt", "reply", "webhook"];
/** Milliseconds before an event stream that the browser has given up is opened anew. */
const PAUSE = 2000;

/** JSON of a control route; throws with a sentence for people. */
export async function ask(path) {
    const response = await reach(path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}.`);
    return response.json();
}

/** A person writes. `{externalId, …}`, or an error with a sentence for people. */
export async function writeReply(integrationId, from, text) {
    const response = await reach("/_local/reply", jsonPost({ integrationId, from, text }));
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(sentence(response.status, body));
    return body;
}

/** `{notificationId}` when accepted, else an error with a sentence for people. */
export async function notify(ready, request) {
    const post = jsonPost(request);
    post.headers.authorization = `Basic ${btoa(`${ready.keyId}:${ready.secret}`)}`;
    const response = await reach(`/v1.1/apps/${ready.appId}/notifications`, post);
    const body = await response.json().catch(() => ({}));
    if (response.status !== 201) throw new Error(sentence(response.status, body, response.headers.get("retry-after")));
    return { notificationId: body.notification?._id };
}

/** The same as a command for a shell. */
export function curl(ready, request) {
    const body = JSON.stringify(request, null, 2).replaceAll("'", `'\\''`);
    return [
        `curl ${ready.apiUrl}/v1.1/apps/${ready.appId}/notifications \\`,
        `  -u '${ready.keyId}:${ready.secret}' \\`,
        `  -H 'content-type: application/json' \\`,
        `  -d '${body}'`,
    ].join("\n");
}

/** Listens as long as the page lives: `onState(isLive)` tells of the connection, `onEvent(kind, event)` of the rest. */
export function listen(onState, onEvent) {
    const source = new EventSource("/_local/events");
    source.onopen = () => onState(true);
    source.onerror = () => {
        onState(false);
        if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(onState, onEvent), PAUSE);
    };
    for (const kind of KINDS) {
        source.addEventListener(kind, (message) => onEvent(kind, JSON.parse(message.data)));
    }
}

function jsonPost(body) {
    return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function reach(path, options) {
    try {
        return await fetch(path, options);
    } catch {
        throw new Error("The engine does not answer. Is it still running?");
    }
}

function sentence(status, body, retryAfter) {
    const error = body.error ?? {};
    const why = typeof error === "string" ? error : (error.description ?? body.message ?? body.body ?? "");
    const code = error.code ? `${status} ${error.code}` : `${status}`;
    const later = retryAfter ? ` Try again in ${retryAfter} s.` : "";
    return `${OPENINGS[status] ?? "This did not work"} (${code})${why ? `: ${why}` : "."}${later}`;
}

const OPENINGS = {
    400: "The request was refused",
    401: "The credentials were refused",
    403: "This app may not do that",
    404: "There is no such thing",
    413: "The message is too large",
    429: "Too many requests at once",
    500: "The service failed",
    502: "The service could not be reached",
    503: "The service is not ready",
};
