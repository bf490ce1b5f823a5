//! Connections that the first event will need, opened while Lambda fetches that event.
//!
//! A start is over when the function asks for its first event. Making and signing the requests that open connections is
//! half as much work as all of the start, so it is done after the question, and in the time that its answer takes.

/// So often others have their turn before: the poll is sent over a connection to this machine, and needs a handful.
const TURNS: usize = 16;

/// Runs beside whatever the function does, and begins behind its first poll. Must be bounded and harmless when it fails.
pub fn behind_the_first_poll(warm: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        warm.await;
    });
}
