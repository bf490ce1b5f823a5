//! The business's webhook server: remembers when each notification's events came in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// When events about one notification first came in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    pub channel: Option<Instant>,
    pub user: Option<Instant>,
}

/// Cloning gives another handle on the same server.
#[derive(Clone)]
pub struct Receiver {
    url: String,
    inner: Arc<Inner>,
}

struct Inner {
    heard: Mutex<HashMap<String, Heard>>,
    /// Notifications whose end was reported.
    ended: watch::Sender<usize>,
}

#[derive(Deserialize)]
struct Event {
    trigger: String,
    notification: Notification,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "_id")]
    id: String,
}

impl Receiver {
    /// Listens on this machine, until the process ends.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let inner = Arc::new(Inner { heard: Mutex::default(), ended: watch::channel(0).0 });
        let router = Router::new().route("/", post(receive)).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was heard so far, by notification; forgotten then.
    pub fn take(&self) -> HashMap<String, Heard> {
        self.inner.ended.send_replace(0);
        std::mem::take(&mut *self.inner.heard.lock().unwrap())
    }

    /// How many ended, and how many were sent and then heard of no more: a carrier sends its receipt only once.
    fn so_far(&self) -> String {
        let heard = self.inner.heard.lock().unwrap();
        let (ended, rest): (Vec<&Heard>, Vec<&Heard>) = heard.values().partition(|heard| heard.user.is_some());
        let sent = rest.iter().filter(|heard| heard.channel.is_some()).count();
        format!("{} ended; {sent} were sent and no receipt came", ended.len())
    }

    /// Waits until at least so many notifications have ended since the last [`Self::take`].
    pub async fn ended(&self, notifications: usize) {
        let (mut ended, patience) = (self.inner.ended.subscribe(), super::patience());
        while *ended.borrow_and_update() < notifications {
            let changed = tokio::time::timeout(patience, ended.changed()).await;
            assert!(changed.is_ok(), "of {notifications} notifications {}", self.so_far());
        }
    }
}

async fn receive(State(inner): State<Arc<Inner>>, body: Bytes) -> StatusCode {
    let now = Instant::now();
    let Ok(event) = serde_json::from_slice::<Event>(&body) else { return StatusCode::BAD_REQUEST };
    let mut heard = inner.heard.lock().unwrap();
    let heard = heard.entry(event.notification.id).or_default();
    if event.trigger.ends_with(":channel") {
        heard.channel.get_or_insert(now);
    } else if heard.user.replace(now).is_none() {
        inner.ended.send_modify(|ended| *ended += 1);
    }
    StatusCode::OK
}
