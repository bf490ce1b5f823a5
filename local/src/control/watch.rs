//! `GET /_local/events`: the feed as server-sent events. A listener that falls behind misses the oldest and goes on.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use super::Control;

pub async fn events(State(control): State<Control>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = BroadcastStream::new(control.feed.subscribe());
    let events = news.filter_map(|item| {
        let event = item.ok()?;
        Event::default().event(&event.kind).json_data(&*event).ok().map(Ok)
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
