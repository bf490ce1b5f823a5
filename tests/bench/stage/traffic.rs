//! A business that sends: posts notifications as fast, or as regularly, as a bench wants.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};

use super::engine::Stage;

/// Of an ordinary length, and one part of a text message.
const TEXT: &str = "Your order 20417 from the Tea House is ready. Pick it up until 18:00, or reply with a better time.";

/// Last digits of addresses that have no meaning to the simulated carriers.
const PLAIN: std::ops::Range<usize> = 1_000..9_000;

/// An app's credentials and its integration.
#[derive(Clone)]
pub struct Sender {
    http: reqwest::Client,
    url: String,
    key: String,
    secret: String,
    integration: String,
}

/// A notification that was accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub id: String,
    /// When it was, or should have been, sent.
    pub sent: Instant,
    /// When the 201 was there.
    pub accepted: Instant,
}

impl Sender {
    /// `app`: as `POST /_local/apps` describes it.
    pub fn new(stage: &Stage, app: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            http: stage.http().clone(),
            url: format!("{}/v1.1/apps/{}/notifications", stage.url(), text(&app["appId"])),
            key: text(&app["keyId"]),
            secret: text(&app["secret"]),
            integration: text(&app["integrations"]["twilio"]),
        }
    }

    /// Posts one notification to the address of that number; what the API said if it was not a 201.
    pub async fn send(&self, address: usize) -> Result<Accepted, String> {
        self.send_as_of(Instant::now(), address).await
    }

    async fn send_as_of(&self, sent: Instant, address: usize) -> Result<Accepted, String> {
        let digits = PLAIN.start + address % PLAIN.len();
        let body = json!({
            "destination": { "integrationId": self.integration, "destinationId": format!("+1555010{digits}") },
            "author": { "role": "appMaker" },
            "message": { "type": "text", "text": TEXT },
        });
        let request = self.http.post(&self.url).basic_auth(&self.key, Some(&self.secret)).json(&body);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let (status, body) = (answer.status(), answer.text().await.unwrap_or_default());
        let accepted = Instant::now();
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        match (status.as_u16(), body["notification"]["_id"].as_str()) {
            (201, Some(id)) => Ok(Accepted { id: id.to_owned(), sent, accepted }),
            _ => Err(format!("{status} {body}")),
        }
    }

    /// Posts as fast as answers come in, `at_once` at a time, to `addresses` different people in turn.
    pub async fn burst(&self, notifications: usize, at_once: usize, addresses: usize) -> Vec<Accepted> {
        let posts = futures::stream::iter(0..notifications).map(|number| self.send(number % addresses));
        posts.buffer_unordered(at_once).map(|sent| sent.unwrap()).collect().await
    }

    /// Posts so many a second for a while, however slow the answers are. Time counts from when each was due.
    pub async fn steady(&self, per_second: u32, duration: Duration, addresses: usize) -> Vec<Result<Accepted, String>> {
        let notifications = (f64::from(per_second) * duration.as_secs_f64()) as u32;
        let start = Instant::now();
        let mut posts = Vec::new();
        for number in 0..notifications {
            let due = start + Duration::from_secs_f64(f64::from(number) / f64::from(per_second));
            tokio::time::sleep_until(due.into()).await;
            let sender = self.clone();
            let address = number as usize % addresses;
            posts.push(tokio::spawn(async move { sender.send_as_of(due, address).await }));
        }
        futures::future::join_all(posts).await.into_iter().map(Result::unwrap).collect()
    }
}
