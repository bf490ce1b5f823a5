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

/// Puts the demo app's ids and credentials where the file has `${name}`.
fn filled(text: &str, world: &World) -> String {
    use base64::Engine;
    let ready = &world.app.ready;
    let (key, secret) = world.app.key();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
    let values = [
        ("appId", ready["appId"].as_str().unwrap()),
        ("basicAuth", &basic),
        ("twilioIntegrationId", world.app.integration("twilio")),
        ("messagebirdIntegrationId", world.app.integration("messagebird")),
        ("webhookId", ready["webhooks"][0]["id"].as_str().unwrap()),
        ("publicUrl", world.url()),
        ("destination", ANYBODY),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
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
    for (file, contains) in rows {
        let function = file.split('/').next().unwrap();
        let event: Value =
            serde_json::from_str(&filled(&std::fs::read_to_string(events.join(&file)).unwrap(), &world)).unwrap();
        let answer = world.local(reqwest::Method::POST, &format!("invoke/{function}"), Some(event)).await;
        assert_eq!(answer.status, 200, "{file}: {}", answer.body);
        assert!(answer.body.to_string().contains(&contains), "{file}: {contains:?} is not in {}", answer.body);
    }
    world.end_with_dead_letters().await;
}
