//! What callers present, right, wrong and odd, and calls made with it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::world::{Answer, App, World};

/// The `Authorization` headers of a request: none, one, or, oddly, more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential(Vec<String>);

impl Credential {
    pub fn nothing() -> Self {
        Self(Vec::new())
    }

    pub fn header(text: impl Into<String>) -> Self {
        Self(vec![text.into()])
    }

    pub fn bearer(token: impl std::fmt::Display) -> Self {
        Self::header(format!("Bearer {token}"))
    }

    pub fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        self.0.iter().fold(request, |request, header| request.header(AUTHORIZATION, header.as_str()))
    }

    pub fn and(&self, other: &Self) -> Self {
        Self([self.0.clone(), other.0.clone()].concat())
    }
}

pub fn basic((key, secret): (&str, &str)) -> Credential {
    Credential::header(format!("Basic {}", STANDARD.encode(format!("{key}:{secret}"))))
}

/// Signed as v1.1 wants it, and naming its key.
pub fn token((key, secret): (&str, &str), claims: &Value) -> Credential {
    let header = Header { kid: Some(key.to_owned()), ..Header::new(Algorithm::HS256) };
    signed(&header, secret, claims)
}

pub fn signed(header: &Header, secret: &str, claims: &Value) -> Credential {
    Credential::bearer(jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap())
}

/// A token that nobody signed, whatever its header says.
pub fn unsigned(header: &Value, claims: &Value) -> Credential {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    Credential::bearer(format!("{}.{}.", part(header), part(claims)))
}

/// A person's own token.
pub fn own_token(key: (&str, &str), user_id: &str) -> Credential {
    token(key, &json!({ "scope": "appUser", "userId": user_id }))
}

impl World {
    pub async fn call(&self, credential: &Credential, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = credential.put_on(self.http(method, path));
        self.request(if let Some(body) = body { request.json(&body) } else { request }).await
    }
}

/// Everything that is no credential for the app's API, by what is wrong with it. `deleted` are keys that are gone.
pub fn wrong(app: &App, other: &App, deleted: &[(String, String)]) -> Vec<(String, Credential)> {
    let (key, secret) = app.key();
    let (account, account_secret) = app.account_key();
    let good = json!({ "scope": "app" });
    let header = |algorithm| Header { kid: Some(key.to_owned()), ..Header::new(algorithm) };
    let critical = Header { crit: Some(vec!["https://a.example/more".to_owned()]), ..header(Algorithm::HS256) };
    let own = (key, secret);
    let unknown = "app_64c0ffee0123456789abcdef";
    let mut all = vec![
        ("nothing", Credential::nothing()),
        ("an empty header", Credential::header("")),
        ("Basic alone", Credential::header("Basic ")),
        ("Basic that is no Base64", Credential::header("Basic %%%")),
        ("Basic without a colon", Credential::header(format!("Basic {}", STANDARD.encode(key)))),
        ("another scheme", Credential::header(format!("Digest {}", STANDARD.encode(format!("{key}:{secret}"))))),
        ("a wrong secret", basic((key, "wrong"))),
        ("an empty secret", basic((key, ""))),
        ("an empty key", basic(("", secret))),
        ("an unknown key", basic((unknown, secret))),
        ("another app's secret", basic((key, other.key().1))),
        ("an account's key with a wrong secret", basic((account, secret))),
        ("two good headers", basic(own).and(&basic(own))),
        ("a good header and a bad one", basic(own).and(&basic((key, "wrong")))),
        ("two good tokens", token(own, &good).and(&token(own, &good))),
        ("Bearer alone", Credential::header("Bearer ")),
        ("Bearer of no token", Credential::bearer("a.b.c")),
        ("Bearer of a secret", Credential::bearer(secret)),
        ("a token of alg none", unsigned(&json!({ "alg": "none", "typ": "JWT", "kid": key }), &good)),
        ("a token of HS256 without signature", unsigned(&json!({ "alg": "HS256", "typ": "JWT", "kid": key }), &good)),
        ("a token of HS512", signed(&header(Algorithm::HS512), secret, &good)),
        ("a token without kid", signed(&Header::new(Algorithm::HS256), secret, &good)),
        ("a token of an unknown kid", token((unknown, secret), &good)),
        ("a token wrongly signed", token((key, "wrong"), &good)),
        ("a token signed by another app", token((key, other.key().1), &good)),
        ("a token without scope", token(own, &json!({}))),
        ("a token of an unknown scope", token(own, &json!({ "scope": "god" }))),
        ("a token of scope integration", token(own, &json!({ "scope": "integration" }))),
        ("a token of a scope too wide", token(own, &json!({ "scope": "account" }))),
        ("an account's token of scope app", token((account, account_secret), &good)),
        ("an account's token of a person", own_token((account, account_secret), "bob")),
        ("a token that wants more to be understood", signed(&critical, secret, &good)),
        ("a token that has ended", token(own, &json!({ "scope": "app", "exp": 1_000 }))),
        ("a token that has not begun", token(own, &json!({ "scope": "app", "nbf": 9_000_000_000_u64 }))),
        ("a person's token that has ended", token(own, &json!({ "scope": "appUser", "userId": "bob", "exp": 1_000 }))),
        ("a token of nobody", token(own, &json!({ "scope": "appUser" }))),
        ("a token of an empty name", own_token(own, "")),
        ("a token of a number", token(own, &json!({ "scope": "appUser", "userId": 7 }))),
    ];
    for (id, secret) in deleted {
        let scope = if id.starts_with("app_") { "app" } else { "account" };
        all.push(("a deleted key", basic((id, secret))));
        all.push(("a deleted key's token", token((id, secret), &json!({ "scope": scope }))));
        all.push(("a deleted key's token of a person", own_token((id, secret), "bob")));
    }
    all.into_iter().map(|(name, credential)| (name.to_owned(), credential)).collect()
}
