//! What people write back, and the context the business gets with it.

use serde_json::{Value, json};

use crate::world::{ANYBODY, World};

fn recent_texts(reply: &Value) -> Vec<&str> {
    let recent = reply["recentNotifications"].as_array().map(Vec::as_slice).unwrap_or_default();
    recent.iter().map(|message| message["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn context_is_what_was_sent_since_the_last_message_oldest_first_and_given_once() {
    let world = World::new().await;
    for text in ["one", "two", "three"] {
        world.notify("twilio", ANYBODY, text).await;
        world.settle().await;
    }
    world.reply("twilio", ANYBODY, "first").await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "second").await;
    world.settle().await;
    world.notify("twilio", ANYBODY, "four").await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "third").await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert_eq!(recent_texts(&replies[0]), ["one", "two", "three"]);
    assert!(replies[1].get("recentNotifications").is_none());
    assert_eq!(recent_texts(&replies[2]), ["four"]);
    let id = replies[0]["recentNotifications"][0]["_id"].as_str().unwrap();
    assert_eq!(id.len(), 24, "a message's id, not the notification's");
    world.end().await;
}

#[tokio::test]
async fn two_replies_at_once_share_the_context_without_doubling_it() {
    let world = World::new().await;
    for text in ["one", "two"] {
        world.notify("twilio", ANYBODY, text).await;
        world.settle().await;
    }
    tokio::join!(
        world.reply("twilio", ANYBODY, "a"),
        world.reply("twilio", ANYBODY, "b"),
        world.reply("twilio", ANYBODY, "c")
    );
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert_eq!(replies.len(), 3);
    let mut given: Vec<&str> = replies.iter().flat_map(recent_texts).collect();
    given.sort_unstable();
    assert_eq!(given, ["one", "two"]);
    world.end().await;
}

#[tokio::test]
async fn two_people_replying_at_once_each_get_their_own_context() {
    let world = World::new().await;
    let (lea, ann) = ("+15550100111", "+15550100222");
    world.notify("twilio", lea, "for Lea").await;
    world.notify("twilio", ann, "for Ann").await;
    world.settle().await;
    tokio::join!(world.reply("twilio", lea, "I am Lea"), world.reply("twilio", ann, "I am Ann"));
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    assert_eq!(replies.len(), 2);
    for reply in &replies {
        let expected = if reply["messages"][0]["text"] == "I am Lea" { "for Lea" } else { "for Ann" };
        assert_eq!(recent_texts(reply), [expected]);
    }
    assert_ne!(replies[0]["appUser"]["_id"], replies[1]["appUser"]["_id"]);
    world.end().await;
}

#[tokio::test]
async fn a_stranger_who_writes_starts_a_conversation_once() {
    let world = World::new().await;
    for channel in crate::world::CHANNELS {
        world.reply(channel, "+15550100333", "Is anybody there?").await;
        world.settle().await;
        world.reply(channel, "+15550100333", "Hello?").await;
        world.settle().await;
    }
    let events = world.events().await;
    let triggers: Vec<_> = events.iter().map(|event| event["trigger"].as_str().unwrap()).collect();
    let once = ["conversation:start", "message:appUser", "message:appUser"];
    assert_eq!(triggers.iter().filter(|trigger| **trigger == once[0]).count(), 2, "{triggers:?}");
    assert_eq!(triggers.iter().filter(|trigger| **trigger == once[1]).count(), 4, "{triggers:?}");
    let start = events.iter().find(|event| event["trigger"] == "conversation:start").unwrap();
    assert_eq!(start["source"]["type"], "twilio");
    assert_eq!(start["appUser"]["conversationStarted"], true);
    assert!(start["conversation"]["_id"].is_string());
    let firsts: Vec<_> = events.iter().filter(|event| event["messages"][0]["text"] == "Hello?").collect();
    assert_eq!(firsts[0]["appUser"]["_id"], start["appUser"]["_id"]);
    assert_eq!(firsts[0]["client"]["platform"], "twilio");
    world.end().await;
}

#[tokio::test]
async fn media_and_long_texts_arrive_whole() {
    let world = World::new().await;
    let long = "Lorem ipsum dolor sit amet 🙂 ".repeat(120);
    for channel in crate::world::CHANNELS {
        world.reply(channel, ANYBODY, long.trim()).await;
        world.settle().await;
        let replies = world.events_named("message:appUser").await;
        assert_eq!(replies.last().unwrap()["messages"][0]["text"], long.trim(), "{channel}");
    }
    let media = json!({ "text": "Look", "mediaUrl": "https://media.example/cat.jpg", "mediaType": "image/jpeg" });
    let integration = world.app.integration("twilio");
    world.reply_with(json!({ "integrationId": integration, "from": ANYBODY, "message": media })).await;
    world.settle().await;
    let replies = world.events_named("message:appUser").await;
    let message = &replies.last().unwrap()["messages"][0];
    assert_eq!(message["type"], "image");
    assert_eq!(message["mediaUrl"], "https://media.example/cat.jpg");
    assert_eq!(message["mediaType"], "image/jpeg");
    assert_eq!(message["text"], "Look");
    world.end().await;
}

#[tokio::test]
async fn who_comes_to_have_an_address_sees_nothing_of_who_had_it() {
    let world = World::new().await;
    let former = crate::users::notified(&world, ANYBODY).await;
    world.remove(&world.app, &format!("appusers/{former}/channels/twilio")).await;
    world.reply("twilio", ANYBODY, "I am new here").await;
    world.settle().await;
    let reply = &world.event("message:appUser").await;
    let new = reply["appUser"]["_id"].as_str().unwrap();
    assert_ne!(new, former);
    assert!(reply.get("recentNotifications").is_none(), "{reply:#}");
    let history = world.read(&world.app, &format!("appusers/{new}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "{history:#}");
    world.end().await;
}

async fn history(world: &World, user: &str) -> Vec<Value> {
    let (mut found, mut path) = (Vec::new(), format!("appusers/{user}/messages"));
    loop {
        let page = world.read(&world.app, &path).await;
        let messages = page["messages"].as_array().unwrap().clone();
        found.splice(0..0, messages);
        let Some(previous) = page["previous"].as_str() else { return found };
        let (_, before) = previous.split_once('?').unwrap();
        path = format!("appusers/{user}/messages?{before}");
    }
}

fn shown(messages: &[Value]) -> Vec<(&str, &str)> {
    messages
        .iter()
        .map(|message| (message["_id"].as_str().unwrap(), message["mediaUrl"].as_str().unwrap_or("")))
        .collect()
}

/// More than a transaction holds, and more than a page of the history.
async fn a_reply_of(media: usize, after: usize) {
    let world = World::new().await;
    for _ in 0..after {
        world.notify("messagebird", ANYBODY, "Hello").await;
    }
    world.settle().await;
    let urls: Vec<_> = (0..media).map(|number| format!("https://media.example/{number}.jpg")).collect();
    let body = json!({ "integrationId": world.app.integration("messagebird"), "from": ANYBODY,
        "message": { "text": "Look", "mediaUrls": urls } });
    for _ in 0..2 {
        world.reply_with(body.clone()).await;
        world.settle().await;
        let replies = world.events_named("message:appUser").await;
        let told = replies[0]["messages"].as_array().unwrap().clone();
        assert_eq!(shown(&told).iter().map(|(_, url)| *url).collect::<Vec<_>>(), urls);
        assert_eq!(recent_texts(&replies[0]).len(), after.min(50));
        assert_eq!((&told[0]["text"], &told[0]["type"]), (&json!("Look"), &json!("image")));
        let user = replies[0]["appUser"]["_id"].as_str().unwrap();
        let mut kept = history(&world, user).await;
        kept.retain(|message| message["role"] == "appUser");
        assert_eq!(shown(&kept)[..media], shown(&told)[..], "the webhook's order is the history's");
    }
    world.end().await;
}

#[tokio::test]
async fn a_reply_of_any_number_of_media_is_kept_whole_and_in_order() {
    a_reply_of(6, 0).await;
    a_reply_of(97, 0).await;
    a_reply_of(150, 0).await;
}

#[tokio::test]
async fn a_reply_of_many_media_is_given_what_it_answers_once() {
    a_reply_of(48, 50).await;
}
