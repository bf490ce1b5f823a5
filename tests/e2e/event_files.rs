//! Every file under `events/` does what the table in `events/README.md` says, invoked as `sam local invoke` would.

use std::path::Path;

use serde_json::Value;

use crate::world::{ANYBODY, World};

/// `| file | answer contains |` rows.
fn rows(readme: &str) -> Vec<(String, String)> {
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.trim().strip_prefix('|')?.split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        let (file, contains) = (cells.next()?, cells.next()?);
        file.ends_with(".json").then_some((file, contains))
    };
    readme.lines().filter_map(cells).collect()
}

fn json_files(folder: &Path, root: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// What stands for each `${name}`, the signature aside.
async fn values(world: &World) -> Vec<(&'static str, String)> {
    use base64::Engine;
    let basic =
        |(key, secret): (&str, &str)| base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let twilio = world.read(&world.app, &format!("integrations/{}", world.app.integration("twilio"))).await;
    vec![
        ("twilioAccountSid", text(&twilio["integration"]["accountSid"])),
        ("appId", world.app.id().to_owned()),
        ("basicAuth", basic(world.app.key())),
        ("accountBasicAuth", basic(world.app.account_key())),
        ("twilioIntegrationId", world.app.integration("twilio").to_owned()),
        ("messagebirdIntegrationId", world.app.integration("messagebird").to_owned()),
        ("webhookId", text(&world.app.ready["webhooks"][0]["id"])),
        ("now", format!("{}.{:03}", now / 1000, now % 1000)),
        ("twilioToken", token(world, "twilio").await),
        ("messagebirdToken", token(world, "messagebird").await),
    ]
}

/// The token of a real send: the last segment of the callback URL that the carrier was given.
async fn token(world: &World, channel: &str) -> String {
    world.notify(channel, ANYBODY, "For the token").await;
    world.settle().await;
    let sent = world.outbox().await.into_iter().find(|entry| entry["channel"] == channel).unwrap();
    let path = sent["callbackPath"].as_str().unwrap().split('#').next().unwrap();
    path.rsplit('/').next().unwrap().to_owned()
}

/// The event with every placeholder filled; the signature last, over what the others made of it.
async fn filled(text: &str, values: &[(&str, String)], world: &World) -> Value {
    let fill = |text: &str, name: &str, value: &str| text.replace(&format!("${{{name}}}"), value);
    let text = values.iter().fold(text.to_owned(), |text, (name, value)| fill(&text, name, value));
    if !text.contains("${signature}") {
        return serde_json::from_str(&text).unwrap();
    }
    let event: Value = serde_json::from_str(&text).unwrap();
    let query = event["rawQueryString"].as_str().filter(|query| !query.is_empty());
    let path = event["rawPath"].as_str().unwrap();
    let domain = event["requestContext"]["domainName"].as_str().unwrap();
    let url = format!("https://{domain}{path}{}", query.map(|query| format!("?{query}")).unwrap_or_default());
    let integration = path.split('/').nth(4).unwrap();
    let request = serde_json::json!({ "integrationId": integration, "url": url, "body": event["body"].as_str().unwrap_or_default() });
    let signed = world.local(reqwest::Method::POST, "sign", Some(request)).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    serde_json::from_str(&fill(&text, "signature", signed.body["signature"].as_str().unwrap())).unwrap()
}

#[tokio::test]
async fn every_event_file_is_answered_as_its_readme_says() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("events");
    let rows = rows(&std::fs::read_to_string(events.join("README.md")).unwrap());
    let mut listed: Vec<_> = rows.iter().map(|(file, _)| file.clone()).collect();
    let mut files = Vec::new();
    json_files(&events, &events, &mut files);
    listed.sort();
    files.sort();
    assert_eq!(listed, files, "events/README.md lists every file, and no other");

    let world = World::new().await;
    let values = values(&world).await;
    for (file, contains) in rows {
        let function = file.split('/').next().unwrap();
        let text = std::fs::read_to_string(events.join(&file)).unwrap();
        let event = filled(&text, &values, &world).await;
        let answer = world.local(reqwest::Method::POST, &format!("invoke/{function}"), Some(event)).await;
        assert_eq!(answer.status, 200, "{file}: {}", answer.body);
        assert!(answer.body.to_string().contains(&contains), "{file}: {contains:?} is not in {}", answer.body);
    }
    world.end_with_dead_letters().await;
}
