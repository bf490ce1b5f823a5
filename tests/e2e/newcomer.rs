//! What somebody meets who starts the engine for the first time, or again: everything it says is true, and everything
//! that the pages tell them to type works.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, World};

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));

#[tokio::test]
async fn restarted_on_another_port_everything_says_the_new_address() {
    let data = tempfile::tempdir().unwrap();
    let world = World::with_data(data.path().to_owned()).await;
    let (old, app) = (world.url().to_owned(), world.app.clone());
    world.end().await;
    // So that the port is another's: this one, or somebody has it already.
    let port: u16 = old.rsplit(':').next().unwrap().parse().unwrap();
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port));
    let world = World::with_data(data.path().to_owned()).await;
    assert_ne!(world.url(), old);
    assert_eq!(world.app.ready["apiUrl"], world.url());
    assert_eq!(world.app.ready["consoleUrl"], format!("{}/", world.url()));
    assert!(!world.app.ready.to_string().contains(&old), "{}", world.app.ready);
    assert_eq!(world.app.ready["secret"], app.ready["secret"]);
    assert_eq!(world.local(Method::GET, "ready", None).await.body, world.app.ready);
    let hooks = world.read(&world.app, "webhooks").await;
    assert!(!hooks.to_string().contains(&old), "{hooks}");
    for channel in crate::world::CHANNELS {
        let id = world.notify(channel, ANYBODY, "Still there?").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "user"], "{channel}");
        world.reply(channel, ANYBODY, "Yes").await;
    }
    world.settle().await;
    assert_eq!(world.events_named("message:appUser").await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn people_can_write_to_an_integration_before_anything_was_sent_through_it() {
    let world = World::new().await;
    let hex = |pair: &str| pair.repeat(16);
    let wanted = [
        json!({ "type": "messagebird", "accessKey": "any-key", "originator": "31970000009", "signingKey": "any" }),
        json!({ "type": "twilio", "accountSid": format!("AC{}", hex("1a")), "authToken": hex("2b"),
            "phoneNumberSid": format!("PN{}", hex("3c")) }),
    ];
    for body in wanted {
        let made = world.make(&world.app, "integrations", body).await["integration"]["_id"].clone();
        world.reply_with(json!({ "integrationId": made, "from": ANYBODY, "text": "Hello?" })).await;
        world.settle().await;
        let told = world.events_named("message:appUser").await;
        assert!(told.iter().any(|event| event["messages"][0]["source"]["integrationId"] == made), "{told:#?}");
    }
    let unknown = json!({ "integrationId": "64c0ffee0123456789abcdef", "from": ANYBODY, "text": "Hello?" });
    assert_eq!(world.local(Method::POST, "reply", Some(unknown)).await.status, 404);
    world.end().await;
}

/// The story's commands, one after another, with this engine's address.
fn story(url: &str) -> String {
    let story = README.split("## A story in curl").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks = story.split("```").skip(1).step_by(2);
    let commands = blocks.flat_map(|block| match block.strip_prefix("sh\n") {
        Some(script) => vec![script.to_owned()],
        None => {
            block.lines().filter_map(|line| line.strip_prefix("$ ")).map(|line| format!("settle; {line}\n")).collect()
        }
    });
    let settle = format!("set -eu\nsettle() {{ curl -s '{url}/_local/idle?timeout=20' > /dev/null; }}\n");
    settle + &commands.collect::<String>().replace("http://127.0.0.1:3000", url)
}

#[tokio::test]
async fn the_story_in_the_readme_is_true() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|told| told.status.success());
    if !["bash", "curl", "jq"].into_iter().all(has) {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: the story needs bash, curl and jq\n");
        return;
    }
    let world = World::new().await;
    let script = story(world.url());
    let folder = tempfile::tempdir().unwrap();
    let told = tokio::process::Command::new("bash").args(["-c", &script]).current_dir(&folder).output().await.unwrap();
    let (said, wrong) = (String::from_utf8(told.stdout).unwrap(), String::from_utf8(told.stderr).unwrap());
    assert!(told.status.success(), "{wrong}\n{said}");
    assert_eq!(said.matches(r#"{"notification":{"_id":""#).count(), 2, "{said}");
    for trigger in ["delivery:channel", "delivery:user", "delivery:failure"] {
        assert!(said.contains(&format!(r#"{{"trigger":"notification:{trigger}","isFinalEvent":"#)), "{said}");
    }
    let reply: Value = serde_json::from_str(&said[said.rfind("{\n  \"trigger\"").unwrap()..]).unwrap();
    assert_eq!((&reply["trigger"], &reply["messages"][0]["text"]), (&json!("message:appUser"), &json!("On my way!")));
    assert_eq!(reply["recentNotifications"][0]["text"], "Your tea is ready");
    world.end().await;
}
