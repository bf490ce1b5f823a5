//! Posting a message: kept, told, and sent by the right client, whatever crashes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, FAILS_LATER, REFUSED, World};

/// The person behind an address on a channel.
async fn person(world: &World, channel: &str, to: &str) -> String {
    let id = world.notify(channel, to, "Hello").await;
    world.settle().await;
    world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned()
}

fn text(text: &str) -> Value {
    json!({ "role": "appMaker", "type": "text", "text": text })
}

async fn post(world: &World, user: &str, body: Value) -> Value {
    world.make(&world.app, &format!("appusers/{user}/messages"), body).await
}

/// The triggers about a message, without repeats.
async fn story(world: &World, message: &Value) -> Vec<String> {
    let mut events: Vec<Value> = world.events().await;
    events.retain(|event| event["message"]["_id"] == message["_id"]);
    events.sort_by_key(|event| event["isFinalEvent"] == true);
    events.dedup_by_key(|event| event["eventId"].to_string());
    events.iter().map(|event| event["trigger"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_is_kept_told_and_delivered() {
    let world = World::new().await;
    let user = person(&world, "twilio", ANYBODY).await;
    let body = json!({ "role": "appMaker", "type": "text", "text": "Tea?", "name": "Nadia", "email": "n@shop.example",
        "metadata": { "order": 7 }, "actions": [{ "type": "postback", "text": "Yes", "payload": "YES" }],
        "_id": "ffffffffffffffffffffffff", "authorId": "boss", "received": 5, "source": { "type": "forged" } });
    let answer = post(&world, &user, body).await;
    let message = &answer["message"];
    assert_ne!(message["_id"], "ffffffffffffffffffffffff");
    assert_eq!((&message["role"], &message["name"]), (&json!("appMaker"), &json!("Nadia")));
    assert_eq!(message["source"], json!({ "type": "api" }));
    assert_eq!(message["authorId"].as_str().unwrap().len(), 24);
    assert!(message["avatarUrl"].as_str().unwrap().starts_with("https://www.gravatar.com/avatar/"));
    assert_eq!(message["metadata"], json!({ "order": 7 }));
    assert_eq!(message["actions"][0]["_id"].as_str().unwrap().len(), 24);
    assert_eq!(message["actions"][0]["uri"], "");
    assert_eq!(answer["conversation"]["unreadCount"], 1);
    world.settle().await;
    assert_eq!(story(&world, message).await, ["message:delivery:channel", "message:delivery:user"]);
    let told = &world.event("message:appMaker").await;
    assert_eq!(told["messages"][0], *message);
    let delivered = &world.event("message:delivery:user").await;
    assert_eq!(delivered["appUser"]["_id"], user.as_str());
    assert_eq!((&delivered["isFinalEvent"], &delivered["destination"]["type"]), (&json!(true), &json!("twilio")));
    assert_eq!(delivered["externalMessages"].as_array().unwrap().len(), 1);
    let history = world.read(&world.app, &format!("appusers/{user}/messages")).await;
    assert_eq!(history["messages"][1], *message);
    assert_eq!(history["messages"][0]["source"]["type"], "notification");
    world.end().await;
}

#[tokio::test]
async fn a_message_that_fails_is_told_so() {
    for (to, expected) in [
        (REFUSED, vec!["message:delivery:failure"]),
        (FAILS_LATER, vec!["message:delivery:channel", "message:delivery:failure"]),
    ] {
        let world = World::new().await;
        let user = world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
        let user = user["appUser"]["_id"].as_str().unwrap().to_owned();
        world.link(&user, "twilio", to, json!({ "type": "immediate" })).await;
        let answer = post(&world, &user, text("Are you there?")).await;
        world.settle().await;
        assert_eq!(story(&world, &answer["message"]).await, expected);
        assert!(world.event("message:delivery:failure").await["error"]["code"].is_string());
        world.end().await;
    }
}

#[tokio::test]
async fn with_several_channels_the_last_used_is_written_to_or_the_one_that_is_named() {
    let world = World::new().await;
    let user = person(&world, "twilio", ANYBODY).await;
    let other = "+31612340142";
    world.link(&user, "messagebird", other, json!({ "type": "immediate" })).await;
    post(&world, &user, text("by the newest")).await;
    world.settle().await;
    assert_eq!(world.outbox_to(other).await.len(), 1);
    world.reply("twilio", ANYBODY, "here I am").await;
    world.settle().await;
    post(&world, &user, text("by the last used")).await;
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 2);
    let mut named = text("by name");
    named["destination"] = json!({ "integrationType": "messagebird" });
    post(&world, &user, named.clone()).await;
    named["destination"] = json!({ "integrationId": world.app.integration("messagebird") });
    post(&world, &user, named.clone()).await;
    world.settle().await;
    assert_eq!(world.outbox_to(other).await.len(), 3);
    named["destination"] = json!({ "integrationType": "whatsapp" });
    let path = format!("appusers/{user}/messages");
    world.refused(&world.app, Method::POST, &path, Some(named), "bad_request: destination").await;
    world.end().await;
}

#[tokio::test]
async fn somebody_without_a_channel_is_written_to_for_the_history() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let path = "appusers/bob/messages";
    world.refused(&world.app, Method::GET, path, None, "conversation_not_found").await;
    let answer = world.make(&world.app, path, text("Later, then")).await;
    assert_eq!(answer["conversation"]["unreadCount"], 1);
    let person = json!({ "role": "appUser", "type": "text", "text": "Now!" });
    let answer = world.make(&world.app, path, person).await;
    assert_eq!(answer["conversation"]["unreadCount"], 0);
    assert_eq!(world.read(&world.app, "appusers/bob").await["appUser"]["conversationStarted"], true);
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    let said = &world.event("message:appUser").await;
    assert_eq!((&said["messages"][0]["text"], &said["appUser"]["userId"]), (&json!("Now!"), &json!("bob")));
    world.end().await;
}

#[tokio::test]
async fn what_the_service_adds_to_a_message() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let item = |title: &str| {
        json!({ "title": title, "description": "Hot",
            "actions": [{ "type": "link", "text": "Order", "uri": "https://shop.example/tea" }] })
    };
    let post = async |mut body: Value| {
        body["role"] = json!("appMaker");
        world.make(&world.app, "appusers/bob/messages", body).await["message"].clone()
    };
    let image = post(json!({ "type": "image", "mediaUrl": "https://shop.example/tea.jpg" })).await;
    assert_eq!((&image["text"], &image["mediaType"]), (&json!(" "), &json!("image/jpeg")));
    let list = post(json!({ "type": "list", "items": [item("Mint"), item("Black")] })).await;
    let expected = "1. Mint\nHot\nOrder: https://shop.example/tea\n\n2. Black\nHot\nOrder: https://shop.example/tea";
    assert_eq!(list["text"], expected);
    assert_eq!(list["items"][1]["_id"].as_str().unwrap().len(), 24);
    assert_ne!(list["items"][0]["actions"][0]["_id"], list["items"][1]["actions"][0]["_id"]);
    let place = post(json!({ "type": "location", "coordinates": { "lat": 45.5, "long": -73.5 } })).await;
    assert_eq!(place["text"], "Location shared:\nhttps://maps.google.com/maps?q=45.5,-73.5");
    let short = post(json!({ "type": "text", "text": "Tea? %[Yes](reply:YES) %[No](reply:NO)" })).await;
    assert_eq!((&short["text"], &short["actions"][1]["payload"]), (&json!("Tea?"), &json!("NO")));
    let card = post(json!({ "type": "text", "text": "Card 4242 4242 4242 4242" })).await;
    assert_eq!(card["text"], "Card ************4242");
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_message_is_refused_by_name() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let path = "appusers/bob/messages";
    for (body, words) in [
        (json!({}), "bad_request: role"),
        (json!({ "role": "appMaker", "type": "text" }), "bad_request: text"),
        (json!({ "role": "appMaker", "type": "text", "text": "x".repeat(4_097) }), "bad_request: text"),
        (json!({ "role": "appMaker", "type": "text", "text": "x", "metadata": { "a": [] } }), "bad_request: metadata"),
        (json!({ "role": "appMaker", "type": "location", "coordinates": { "lat": 1e300, "long": 1 } }), "bad_request"),
        (json!({ "role": "appMaker", "type": "text", "text": "x", "name": "y".repeat(200) }), "bad_request: name"),
    ] {
        world.refused(&world.app, Method::POST, path, Some(body), words).await;
    }
    world.refused(&world.app, Method::POST, "appusers/eve/messages", Some(text("Hi")), "user_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn a_sender_killed_on_a_message_sends_it_once_and_tells_its_end() {
    for when in [json!("start"), json!({ "afterCall": "dynamodb:UpdateItem", "n": 1 }), json!("before-response")] {
        let world = World::new().await;
        let user = person(&world, "twilio", ANYBODY).await;
        let kill = json!({ "target": "function:send_twilio", "fault": "kill", "count": 1, "when": when });
        world.fault(kill).await;
        let answer = post(&world, &user, text("Through thick and thin")).await;
        world.outlive().await;
        let story = story(&world, &answer["message"]).await;
        assert_eq!(story, ["message:delivery:channel", "message:delivery:user"], "{when}");
        assert_eq!(world.outbox_to(ANYBODY).await.len(), 2, "{when}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_text_goes_before_the_template_that_follows_it() {
    let world = World::new().await;
    let user = person(&world, "twilio", ANYBODY).await;
    let template = json!({ "name": "tea", "message": { "role": "appMaker", "type": "text", "text": "Your tea" } });
    world.make(&world.app, "templates", template).await;
    // The first message is not taken at once: the second waits for it all the same.
    world.fault(json!({ "target": "carrier:twilio", "fault": "status:503", "count": 1 })).await;
    post(&world, &user, text("Hello! %((template:tea))%")).await;
    world.settle().await;
    let sent: Vec<_> = world.outbox_to(ANYBODY).await.iter().map(|sent| sent["text"].clone()).collect();
    assert_eq!(sent[sent.len() - 2..], [json!("Hello!"), json!("Your tea")]);
    world.end().await;
}

#[tokio::test]
async fn shorthand_that_no_channel_would_take_is_sent_as_it_is_written() {
    let world = World::new().await;
    let user = person(&world, "messagebird", ANYBODY).await;
    let long = format!("%[Shop](https://a.example/{})", "x".repeat(2_100));
    let posted = post(&world, &user, text(&long)).await;
    assert_eq!(posted["message"]["text"], long.as_str());
    world.settle().await;
    let story = story(&world, &posted["message"]).await;
    assert!(story.last().is_some_and(|last| last.starts_with("message:delivery:")), "it comes to an end: {story:?}");
    world.end().await;
}
