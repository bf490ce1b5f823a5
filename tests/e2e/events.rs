//! What webhooks are told: every trigger that comes is described in the OpenAPI document's `webhooks`, with a sample of
//! the shape that real ones have; `docs/EVENTS.md` says the same to people.
//!
//! Every event that any test's sink got is held against these descriptions, in `World::end`.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use shared::model::Trigger;

use crate::described::{self, DOCUMENT};
use crate::world::{ANYBODY, FAILS_LATER, REFUSED, World};

/// Subscriptions, and what no channel that is served can tell.
const NEVER_SENT: [Trigger; 4] =
    [Trigger::Message, Trigger::All, Trigger::ConversationReferral, Trigger::PaymentSuccess];

const DOC: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EVENTS.md"));

fn emitted() -> BTreeSet<&'static str> {
    Trigger::ALL.iter().filter(|trigger| !NEVER_SENT.contains(trigger)).map(|trigger| trigger.as_str()).collect()
}

fn sample(trigger: &str) -> &'static Value {
    &DOCUMENT["webhooks"][trigger]["post"]["requestBody"]["content"]["application/json"]["example"]
}

#[test]
fn every_trigger_that_comes_is_described_with_a_sample_and_no_other_is() {
    let webhooks = DOCUMENT["webhooks"].as_object().unwrap();
    assert_eq!(webhooks.keys().map(String::as_str).collect::<BTreeSet<_>>(), emitted());
    for (trigger, item) in webhooks {
        let post = &item["post"];
        assert!(post["summary"].is_string() && post["description"].is_string(), "{trigger} says when it comes");
        assert!(post["tags"].is_array() && post["operationId"].is_string(), "{trigger}");
        assert_eq!(sample(trigger)["trigger"], trigger.as_str());
        described::check_event(sample(trigger));
    }
}

/// One of each kind: the business sends, the person answers, links come and go, people merge and are deleted.
async fn live_through_everything(world: &World) {
    world.notify("twilio", ANYBODY, "Your tea is ready").await;
    world.notify("twilio", FAILS_LATER, "Your parcel leaves today").await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "On my way!").await;
    world.reply("messagebird", "+15550100777", "Is anybody there?").await;
    world.make(&world.app, "appusers", json!({ "userId": "lea", "givenName": "Lea" })).await;
    world.make(&world.app, "appusers", json!({ "userId": "sam" })).await;
    world.settle().await;
    world.link("lea", "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    world.link("sam", "messagebird", FAILS_LATER, json!({ "type": "immediate" })).await;
    let welcome = json!({ "type": "text", "role": "appMaker", "text": "Welcome" });
    world.link("sam", "twilio", REFUSED, json!({ "type": "immediate", "message": welcome })).await;
    world.settle().await;
    let mut question = json!({ "role": "appMaker", "type": "text", "text": "Another cup?" });
    world.make(&world.app, "appusers/sam/messages", question.clone()).await;
    question["actions"] = json!([{ "type": "postback", "text": "Yes", "payload": "YES" }]);
    let posted = world.make(&world.app, "appusers/lea/messages", question).await;
    let pressed = json!({ "actionId": posted["message"]["actions"][0]["_id"] });
    for (path, body) in [
        ("postback", pressed),
        ("activity", json!({ "role": "appUser", "type": "conversation:read" })),
        ("activity", json!({ "role": "appUser", "type": "typing:start" })),
    ] {
        let path = format!("appusers/lea/conversation/{path}");
        assert_eq!(world.manage(&world.app, Method::POST, &path, Some(body)).await.status, 200, "{path}");
    }
    world.settle().await;
    let id = async |name: &str| world.read(&world.app, &format!("appusers/{name}")).await["appUser"]["_id"].clone();
    let merge = json!({ "surviving": { "_id": id("lea").await }, "discarded": { "_id": id("sam").await } });
    assert_eq!(world.manage(&world.app, Method::POST, "appusers/merge", Some(merge)).await.status, 200);
    world.remove(&world.app, "appusers/lea/channels/messagebird").await;
    world.remove(&world.app, "appusers/lea").await;
    world.settle().await;
}

/// The fields of a body, and of what is in it; of lists, those of their first entries.
fn shape(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        // What the carrier said, and what the business wrote: theirs.
        Value::Object(_) if path.ends_with("/raw") || path.ends_with("/underlyingError") => {}
        Value::Object(fields) => fields.iter().for_each(|(name, field)| shape(field, &format!("{path}/{name}"), found)),
        Value::Array(entries) => entries.iter().take(1).for_each(|entry| shape(entry, &format!("{path}[]"), found)),
        _ => {}
    }
    found.insert(path.to_owned());
}

fn fields(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    shape(value, "", &mut found);
    found
}

#[tokio::test]
async fn every_trigger_comes_and_its_sample_has_a_real_ones_shape() {
    let world = World::new().await;
    live_through_everything(&world).await;
    let events = world.events().await;
    if let Some(file) = std::env::var_os("WRITE_EVENTS") {
        std::fs::write(file, serde_json::to_vec_pretty(&events).unwrap()).unwrap();
    }
    let seen: BTreeSet<_> = events.iter().map(|event| event["trigger"].as_str().unwrap()).collect();
    assert_eq!(seen, emitted());
    for trigger in emitted() {
        let real: Vec<_> = events.iter().filter(|event| event["trigger"] == trigger).map(fields).collect();
        let sample = fields(sample(trigger));
        assert!(real.contains(&sample), "{trigger}: no real one has the fields of {sample:#?}\nbut {:#?}", real[0]);
    }
    world.end().await;
}

// ------------------------------------------------------------------------------------------------ docs/EVENTS.md

/// What the page says of one trigger: the document's own words and sample.
fn section(trigger: &str) -> String {
    let post = &DOCUMENT["webhooks"][trigger]["post"];
    let words = |name: &str| post[name].as_str().unwrap().trim().to_owned();
    format!(
        "### `{trigger}`\n\n{}. {}\n\n```json\n{:#}\n```\n",
        words("summary"),
        words("description").replace('\n', " "),
        sample(trigger)
    )
}

#[test]
fn the_page_on_events_says_what_the_document_says() {
    let wanted: Vec<_> = DOCUMENT["webhooks"].as_object().unwrap().keys().map(|trigger| section(trigger)).collect();
    let mark = "## One by one\n\n";
    let (before, there) = DOC.split_once(mark).expect("the page has the heading");
    let wanted = wanted.join("\n");
    if there != wanted && std::env::var_os("WRITE_DOCS").is_some() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/EVENTS.md");
        std::fs::write(page, format!("{before}{mark}{wanted}")).unwrap();
        return;
    }
    assert_eq!(there, wanted, "WRITE_DOCS=1 cargo test -p functions --test e2e events:: writes it anew");
    for trigger in emitted() {
        assert!(before.contains(&format!("| [`{trigger}`](#")), "the table lacks {trigger}");
    }
}
