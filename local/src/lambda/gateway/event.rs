//! Payload format 2.0: an HTTP request as the event that a function gets, and a function's answer as an HTTP response.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::routes::Found;
use crate::lambda::template::ACCOUNT;

/// A request as it came in.
pub struct Incoming<'a> {
    pub method: &'a str,
    /// As functions are told it.
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub source_ip: &'a str,
    pub request_id: &'a str,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// The event for a request.
pub fn build(incoming: &Incoming<'_>, found: &Found) -> Value {
    let path = incoming.path;
    let (headers, cookies) = headers(incoming.headers, incoming.source_ip);
    let host = headers.get("host").cloned().unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp(incoming.at_ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let time = at
        .format(format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"))
        .unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": found.key,
        "rawPath": path,
        "rawQueryString": incoming.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": incoming.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": incoming.source_ip,
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": incoming.request_id,
            "routeKey": found.key,
            "stage": "$default",
            "time": time,
            "timeEpoch": incoming.at_ms,
        },
        "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let parameters = query_parameters(incoming.query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = json!(parameters);
    }
    if !found.parameters.is_empty() {
        event["pathParameters"] = json!(found.parameters);
    }
    add_body(&mut event, incoming);
    event
}

fn add_body(event: &mut Value, incoming: &Incoming<'_>) {
    if !incoming.body.is_empty() {
        match std::str::from_utf8(incoming.body) {
            Ok(text) if is_text(incoming.headers) => event["body"] = text.into(),
            _ => {
                event["body"] = BASE64_STANDARD.encode(incoming.body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
}

/// Lower-case names, repeated values joined by commas; cookies apart.
fn headers(headers: &HeaderMap, source_ip: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let mut cookies = Vec::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == header::COOKIE {
            cookies.extend(value.split("; ").map(str::to_owned));
            continue;
        }
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert(value);
    }
    let port = joined.get("host").and_then(|host| host.rsplit_once(':')).map_or("80", |(_, port)| port).to_owned();
    let added = [("x-forwarded-for", source_ip), ("x-forwarded-port", &port), ("x-forwarded-proto", "http")];
    for (name, value) in added {
        joined.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    (joined, cookies)
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// The types whose bodies API Gateway passes as text. Forms are not among them.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return true };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let named = ["application/json", "application/xml", "application/javascript"];
    kind.starts_with("text/") || named.contains(&kind.as_str()) || kind.ends_with("+json") || kind.ends_with("+xml")
}

/// The response that a function's answer stands for; `None` if it stands for none.
pub fn response(answer: &[u8]) -> Option<Response> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let Some(object) = answer.as_object().filter(|o| o.contains_key("statusCode")) else {
        // An answer without a status is itself the body.
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        return Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).ok();
    };
    let status = match &object["statusCode"] {
        Value::String(text) => text.parse().ok()?,
        code => u16::try_from(code.as_u64()?).ok()?,
    };
    let text = object.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = if object.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        BASE64_STANDARD.decode(text).ok()?
    } else {
        text.as_bytes().to_vec()
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    fill_headers(response.headers_mut(), object)?;
    Some(response)
}

fn fill_headers(headers: &mut HeaderMap, answer: &Map<String, Value>) -> Option<()> {
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // The length is that of the body sent, whatever the function says.
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            headers.insert(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(path: &str, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            map.append(name, value.parse().expect("a value"));
        }
        let incoming = Incoming {
            method: "POST",
            path,
            query,
            headers: &map,
            body,
            source_ip: "10.0.0.9",
            request_id: "r",
            at_ms: 1_700_000_000_123,
        };
        let found = Found { key: "$default".into(), function: "f".into(), parameters: BTreeMap::new() };
        build(&incoming, &found)
    }

    #[test]
    fn a_request_becomes_an_event_of_format_2() {
        let headers =
            [("Host", "h:3000"), ("Accept", "a"), ("accept", "b"), ("Cookie", "x=1; y=2"), ("User-Agent", "curl")];
        let event = event("/v1.1/apps/a b", "q=1&q=2&e=%C3%A9", &headers, b"{}");
        assert_eq!(event["rawPath"], "/v1.1/apps/a b");
        assert_eq!(event["rawQueryString"], "q=1&q=2&e=%C3%A9");
        assert_eq!(event["queryStringParameters"], json!({ "q": "1,2", "e": "é" }));
        assert_eq!(event["cookies"], json!(["x=1", "y=2"]));
        assert_eq!(event["headers"]["accept"], "a,b");
        assert!(event["headers"].get("cookie").is_none());
        assert_eq!(event["headers"]["x-forwarded-for"], "10.0.0.9");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
        let context = &event["requestContext"];
        assert_eq!(context["http"]["userAgent"], "curl");
        assert_eq!(context["time"], "14/Nov/2023:22:13:20 +0000");
        assert_eq!(context["timeEpoch"], 1_700_000_000_123_i64);
    }

    #[test]
    fn bodies_that_are_not_text_come_in_base64() {
        let form = event("/", "", &[("content-type", "application/x-www-form-urlencoded")], b"a=b");
        assert_eq!((&form["body"], &form["isBase64Encoded"]), (&json!("YT1i"), &json!(true)));
        let binary = event("/", "", &[("content-type", "application/json")], &[0xff]);
        assert_eq!(binary["isBase64Encoded"], true);
        assert!(event("/", "", &[], b"").get("body").is_none());
    }

    #[test]
    fn an_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 201,
            "headers": { "Content-Type": "application/json", "Content-Length": "99" },
            "cookies": ["a=1", "b=2"],
            "body": "eyJ9",
            "isBase64Encoded": true
        });
        let response = response(answer.to_string().as_bytes()).expect("a response");
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(!response.headers().contains_key("content-length"));
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn an_answer_without_a_status_is_the_body_and_a_broken_one_is_none() {
        let plain = response(br#"{"ok":true}"#).expect("a response");
        assert_eq!(
            (plain.status(), &plain.headers()["content-type"]),
            (StatusCode::OK, &"application/json".parse().expect("value"))
        );
        assert!(response(b"{").is_none());
        assert!(response(br#"{"statusCode":9999}"#).is_none());
    }
}
