//! The stack's API, as the holder of an account's key calls it.

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use shared::model::ApiKey;

/// Why the API did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiFailure {
    #[error("the API at {url} can't be asked: {error}")]
    Unreachable { url: String, error: reqwest::Error },
    /// With the API's own sentence.
    #[error("the API at {url} answered {status} to {request}: {sentence}")]
    Refused { url: String, status: StatusCode, request: String, sentence: String },
}

pub struct Api<'a> {
    client: Client,
    url: &'a str,
    key: &'a ApiKey,
}

impl<'a> Api<'a> {
    /// `url`: the stack's output `ApiUrl`.
    pub fn new(url: &'a str, key: &'a ApiKey) -> Self {
        Self { client: Client::new(), url: url.trim_end_matches('/'), key }
    }

    /// `path`: below `/v1.1/`.
    ///
    /// # Errors
    /// When there is no answer, or none of success.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ApiFailure> {
        let asked = format!("{method} {path}");
        let request = self.client.request(method, format!("{}/v1.1/{path}", self.url));
        let request = request.basic_auth(self.key.id.to_string(), Some(self.key.secret.expose()));
        let request = body.into_iter().fold(request, |request, body| request.json(body));
        let unreachable = |error| ApiFailure::Unreachable { url: self.url.to_owned(), error };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let said: Value = serde_json::from_slice(&answer.bytes().await.map_err(unreachable)?).unwrap_or_default();
        if status.is_success() {
            return Ok(said);
        }
        let sentence = said["error"]["description"].as_str().unwrap_or("it did not say why").to_owned();
        Err(ApiFailure::Refused { url: self.url.to_owned(), status, request: asked, sentence })
    }
}
