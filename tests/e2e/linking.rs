//! Opening a channel to somebody who is known: three confirmations, and what the person makes of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, FAILS_LATER, REFUSED, World};

async fn person(world: &World, user_id: &str) -> String {
    let made = world.make(&world.app, "appusers", json!({ "userId": user_id, "credentialRequired": true })).await;
    made["appUser"]["_id"].as_str().unwrap().to_owned()
}

impl World {
    /// Begins a link of somebody's to an address on a channel; the person as they are then.
    pub async fn link(&self, person: &str, channel: &str, to: &str, confirmation: Value) -> Value {
        let body = json!({ "type": channel, "phoneNumber": to, "confirmation": confirmation });
        let answer = self.manage(&self.app, Method::POST, &format!("appusers/{person}/channels"), Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["appUser"].clone()
    }
}

fn text(text: &str) -> Value {
    json!({ "role": "appMaker", "type": "text", "text": text })
}

/// The triggers of all link events so far, sorted.
async fn steps(world: &World) -> Vec<String> {
    let events = world.events().await;
    let names = events.iter().filter_map(|event| event["trigger"].as_str());
    let mut steps: Vec<_> = names.filter(|name| name.starts_with("link:")).map(str::to_owned).collect();
    steps.sort();
    steps
}

async fn clients(world: &World, id: &str) -> (usize, usize) {
    let user = world.read(&world.app, &format!("appusers/{id}")).await;
    let count = |name: &str| user["appUser"][name].as_array().unwrap().len();
    (count("clients"), count("pendingClients"))
}

#[tokio::test]
async fn immediate_with_a_message_is_linked_once_it_is_sent() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let user = world
        .link(&id, "twilio", "+1 (555) 010-0142", json!({ "type": "immediate", "message": text("Welcome") }))
        .await;
    let pending = &user["pendingClients"][0];
    assert_eq!((&pending["status"], &pending["externalId"]), (&json!("pending"), &json!(ANYBODY)));
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(steps(&world).await, ["link:match", "link:success"]);
    assert_eq!(clients(&world, &id).await, (1, 0));
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    let success = &world.event("link:success").await;
    assert_eq!(success["criteria"], json!({ "phoneNumber": "+1 (555) 010-0142" }));
    assert_eq!((&success["channel"], &success["appUser"]["userId"]), (&json!("twilio"), &json!("bob")));
    assert_eq!(world.event("client:add").await["reason"], "channelLinking");
    let history = world.read(&world.app, &format!("appusers/{id}/messages")).await;
    assert_eq!(history["messages"], json!([]), "the confirmation is no part of the conversation");
    let posted = world.make(&world.app, &format!("appusers/{id}/messages"), text("And now for real")).await;
    assert_eq!(posted["message"]["text"], "And now for real");
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2);
    world.reply("twilio", ANYBODY, "Fine").await;
    world.settle().await;
    assert_eq!(world.event("message:appUser").await["appUser"]["userId"], "bob");
    world.end().await;
}

#[tokio::test]
async fn immediate_without_a_message_is_linked_at_once() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    let user = world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    assert_eq!(user["clients"][0]["externalId"], ANYBODY);
    assert_eq!(user["conversationStarted"], true);
    let again = world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    assert_eq!(again["clients"].as_array().unwrap().len(), 1, "a repeat links nothing twice");
    world.settle().await;
    assert_eq!(steps(&world).await, ["link:match", "link:success"]);
    world.end().await;
}

#[tokio::test]
async fn a_confirmation_that_cannot_be_sent_fails_the_link() {
    for to in [REFUSED, FAILS_LATER] {
        let world = World::new().await;
        let id = person(&world, "bob").await;
        world.link(&id, "twilio", to, json!({ "type": "userActivity", "message": text("Hi") })).await;
        world.settle().await;
        let steps = steps(&world).await;
        assert!(steps.contains(&"link:failure".to_owned()) && !steps.contains(&"link:success".to_owned()), "{steps:?}");
        assert_eq!(clients(&world, &id).await, (0, 0));
        assert!(world.event("link:failure").await["error"]["code"].is_string());
        world.end().await;
    }
}

#[tokio::test]
async fn user_activity_is_linked_when_the_person_writes() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    world.link(&id, "twilio", ANYBODY, json!({ "type": "userActivity", "message": text("Is that you?") })).await;
    world.settle().await;
    assert_eq!(steps(&world).await, ["link:match"]);
    assert_eq!(clients(&world, &id).await, (0, 1));
    world.reply("twilio", ANYBODY, "It is").await;
    world.settle().await;
    assert_eq!(steps(&world).await, ["link:match", "link:success"]);
    assert_eq!(clients(&world, &id).await, (1, 0));
    let reply = &world.event("message:appUser").await;
    assert_eq!((&reply["appUser"]["userId"], &reply["messages"][0]["text"]), (&json!("bob"), &json!("It is")));
    world.end().await;
}

#[tokio::test]
async fn a_prompt_is_answered_with_yes_or_no() {
    for (word, end, linked) in [("Yes!", "link:success", 1), ("no", "link:failure", 0)] {
        let world = World::new().await;
        let id = person(&world, "bob").await;
        world.link(&id, "twilio", ANYBODY, json!({ "type": "prompt" })).await;
        world.settle().await;
        let asked = world.outbox_to(ANYBODY).await[0].to_string();
        assert!(asked.contains("Tea House") && asked.contains("YES"), "{asked}");
        world.reply("twilio", ANYBODY, word).await;
        world.settle().await;
        assert!(steps(&world).await.contains(&end.to_owned()));
        assert_eq!(clients(&world, &id).await, (linked, 0));
        let told = &world.event("message:appUser").await;
        assert_eq!(told["messages"][0]["text"], word, "the answer is told as any reply");
        world.end().await;
    }
}

/// What the question to an address asks to be answered with.
pub async fn code(world: &World, to: &str) -> String {
    let asked = world.outbox_to(to).await.last().unwrap().to_string();
    let (_, after) = asked.split_once("YES").unwrap();
    let digits: String = after.chars().skip_while(|letter| !letter.is_ascii_digit()).take(4).collect();
    format!("YES {digits}")
}

#[tokio::test]
async fn a_yes_that_may_be_meant_for_something_else_links_nobody_and_the_code_does() {
    for before in [true, false] {
        let world = World::new().await;
        let id = person(&world, "bob").await;
        if before {
            world.notify("twilio", ANYBODY, "Shall we come tomorrow? Reply YES").await;
            world.settle().await;
        }
        world.link(&id, "twilio", ANYBODY, json!({ "type": "prompt" })).await;
        world.settle().await;
        let code = code(&world, ANYBODY).await;
        if !before {
            world.notify("twilio", ANYBODY, "Shall we come tomorrow? Reply YES").await;
            world.settle().await;
        }
        world.reply("twilio", ANYBODY, "Yes").await;
        world.settle().await;
        assert_eq!(clients(&world, &id).await, (0, 1), "asked before it: {before}");
        let reply = &world.event("message:appUser").await;
        assert_eq!(reply["recentNotifications"].as_array().unwrap().len(), 1);
        world.reply("twilio", ANYBODY, &code).await;
        world.settle().await;
        assert_eq!(clients(&world, &id).await, (1, 0));
        let texts: Vec<_> = world.events_named("message:appUser").await;
        assert_eq!((texts.len(), &texts[1]["appUser"]["userId"]), (2, &json!("bob")), "the answer is told as theirs");
        world.end().await;
    }
}

#[tokio::test]
async fn every_word_that_stops_ends_what_waits() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    let words = ["STOP", "Stopall", "unsubscribe.", "CANCEL", "end", "Quit!", "revoke", "OPTOUT"];
    for (number, word) in words.into_iter().enumerate() {
        let to = format!("+1555010{number:04}");
        let confirmation = match number % 2 {
            0 => json!({ "type": "prompt" }),
            _ => json!({ "type": "userActivity", "message": text("Is that you?") }),
        };
        world.link(&id, "twilio", &to, confirmation).await;
        world.settle().await;
        world.reply("twilio", &to, word).await;
        world.settle().await;
        assert_eq!(clients(&world, &id).await, (0, 0), "{word}");
    }
    assert_eq!(world.events_named("link:failure").await.len(), words.len());
    assert_eq!(world.events_named("message:appUser").await.len(), words.len());
    world.end().await;
}

#[tokio::test]
async fn a_number_that_goes_back_and_forth_quickly_is_told_each_time() {
    let world = World::new().await;
    let (bob, lea) = (person(&world, "bob").await, person(&world, "lea").await);
    for turn in 0..20 {
        let user = world.link([&bob, &lea][turn % 2], "twilio", ANYBODY, json!({ "type": "immediate" })).await;
        assert_eq!(user["clients"][0]["externalId"], ANYBODY);
    }
    world.settle().await;
    for (trigger, times) in [("link:match", 20), ("client:add", 20), ("link:success", 20), ("client:remove", 19)] {
        let told = world.events_named(trigger).await;
        let ids: std::collections::BTreeSet<_> = told.iter().map(|event| event["eventId"].to_string()).collect();
        assert_eq!((told.len(), ids.len()), (times, times), "{trigger}");
        let bobs = told.iter().filter(|event| event["appUser"]["userId"] == "bob").count();
        assert_eq!(bobs, 10, "{trigger}");
    }
    world.end().await;
}

#[tokio::test]
async fn an_address_that_was_somebody_elses_changes_hands() {
    let world = World::new().await;
    let first = world.notify("twilio", ANYBODY, "To a stranger").await;
    world.settle().await;
    let old = world.events_about(&first).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let id = person(&world, "bob").await;
    world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    assert_eq!(clients(&world, &old).await, (0, 0));
    assert_eq!(clients(&world, &id).await, (1, 0));
    world.settle().await;
    let removed = &world.event("client:remove").await;
    assert_eq!((&removed["reason"], &removed["appUser"]["_id"]), (&json!("theft"), &json!(old)));
    world.end().await;
}

#[tokio::test]
async fn an_answer_on_one_channel_is_told_with_what_was_sent_on_another() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    let other = "+31612340142";
    world.link(&id, "messagebird", other, json!({ "type": "immediate" })).await;
    world.notify("twilio", ANYBODY, "on the first").await;
    world.settle().await;
    world.notify("messagebird", other, "on the second").await;
    world.settle().await;
    world.reply("messagebird", other, "Both read").await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "And again").await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    let recent: Vec<_> = replies[0]["recentNotifications"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(recent, ["on the first", "on the second"]);
    assert!(replies[1].get("recentNotifications").is_none(), "given once, on whatever channel");
    world.end().await;
}

#[tokio::test]
async fn a_sender_killed_on_a_confirmation_links_once() {
    for when in [json!({ "afterCall": "dynamodb:PutItem", "n": 1 }), json!("before-response")] {
        let world = World::new().await;
        let id = person(&world, "bob").await;
        let kill = json!({ "target": "function:send_twilio", "fault": "kill", "count": 1, "when": when });
        world.fault(kill).await;
        world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate", "message": text("Welcome") })).await;
        world.outlive().await;
        let mut steps = steps(&world).await;
        steps.dedup();
        assert_eq!(steps, ["link:match", "link:success"], "{when}");
        assert_eq!(clients(&world, &id).await, (1, 0));
        assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn what_makes_no_link_is_refused_by_name() {
    let world = World::new().await;
    let id = person(&world, "bob").await;
    let path = format!("appusers/{id}/channels");
    let good = json!({ "type": "twilio", "phoneNumber": ANYBODY, "confirmation": { "type": "immediate" } });
    for (field, value, words) in [
        ("type", json!("mailgun"), "bad_request: type"),
        ("phoneNumber", json!("212 555 2368"), "bad_request: phoneNumber"),
        ("phoneNumber", json!("1 212 555 2368"), "bad_request: phoneNumber"),
        ("integrationId", json!("64c0ffee0123456789abcdef"), "integration_not_found: integrationId"),
        ("integrationId", json!(world.app.integration("messagebird")), "bad_request: integrationId"),
        ("confirmation", json!({ "type": "userActivity" }), "bad_request: confirmation.message"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        world.refused(&world.app, Method::POST, &path, Some(body), words).await;
    }
    assert_eq!(clients(&world, &id).await, (0, 0));
    world.end().await;
}

#[tokio::test]
async fn a_link_that_gives_way_to_another_ends_aloud_and_is_not_sent() {
    let world = World::new().await;
    let (bob, lea) = (person(&world, "bob").await, person(&world, "lea").await);
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    world.link(&bob, "twilio", ANYBODY, json!({ "type": "prompt" })).await;
    world.link(&lea, "twilio", ANYBODY, json!({ "type": "prompt" })).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1, "the question is asked once");
    let failure = &world.event("link:failure").await;
    assert_eq!((&failure["appUser"]["userId"], &failure["error"]["code"]), (&json!("bob"), &json!("bad_request")));
    assert_eq!(clients(&world, &bob).await, (0, 0));
    world.reply("twilio", ANYBODY, "yes").await;
    world.settle().await;
    assert_eq!(world.event("link:success").await["appUser"]["userId"], "lea");
    world.end().await;
}

#[tokio::test]
async fn a_sender_killed_after_it_linked_tells_of_the_theft_all_the_same() {
    let world = World::new().await;
    let former = crate::users::notified(&world, ANYBODY).await;
    let id = person(&world, "bob").await;
    let when = json!({ "afterCall": "dynamodb:TransactWriteItems", "n": 1 });
    world.fault(json!({ "target": "function:send_twilio", "fault": "kill", "count": 1, "when": when })).await;
    world.link(&id, "twilio", ANYBODY, json!({ "type": "immediate", "message": text("Welcome") })).await;
    world.outlive().await;
    assert_eq!(world.calls().await["functions"]["send_twilio"]["errors"], 1);
    assert_eq!(steps(&world).await, ["link:match", "link:success"]);
    let removed = world.events_named("client:remove").await;
    assert_eq!((removed.len(), &removed[0]["reason"]), (1, &json!("theft")));
    assert_eq!(removed[0]["appUser"]["_id"], former.as_str());
    world.end().await;
}
