//! What each type of message becomes on SMS.

use serde_json::{Value, json};

use crate::world::{ANYBODY, CHANNELS, World};

async fn sent(world: &World, channel: &str, message: Value) -> Vec<Value> {
    let before = world.outbox().await.len();
    let id = world.notify_as(&world.app, channel, ANYBODY, message).await;
    world.settle().await;
    assert_eq!(world.story(&id).await, ["channel", "user"]);
    world.outbox().await.split_off(before)
}

#[tokio::test]
async fn a_text_at_the_limit_is_one_message_and_one_over_it_is_two() {
    let world = World::new().await;
    for (length, parts) in [(1_600, 1), (1_601, 2), (4_096, 3)] {
        let text = "word ".repeat(length / 5) + &"x".repeat(length % 5);
        let entries = sent(&world, "twilio", json!({ "type": "text", "text": text.trim_end() })).await;
        assert_eq!(entries.len(), if text.trim_end().len() > 1_600 || parts > 2 { parts } else { 1 }, "{length}");
        let joined: Vec<_> = entries.iter().map(|entry| entry["text"].as_str().unwrap().trim()).collect();
        assert_eq!(joined.join(" ").split_whitespace().count(), text.split_whitespace().count());
    }
    let solid = "x".repeat(1_601);
    let entries = sent(&world, "twilio", json!({ "type": "text", "text": solid })).await;
    assert_eq!(entries.iter().map(|entry| entry["text"].as_str().unwrap().len()).sum::<usize>(), 1_601);
    assert_eq!(entries.len(), 2);
    let delivered = world.events_named("notification:delivery:user").await;
    assert_eq!(delivered.last().unwrap()["externalMessages"].as_array().unwrap().len(), 2);
    let solid = "x".repeat(1_600);
    assert_eq!(sent(&world, "twilio", json!({ "type": "text", "text": solid })).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn several_messages_are_delivered_only_when_all_are() {
    let world = World::new().await;
    let to = crate::world::NEVER_CONFIRMED;
    let id = world.notify_as(&world.app, "twilio", to, json!({ "type": "text", "text": "x".repeat(1_700) })).await;
    world.settle().await;
    let parts = world.outbox_to(to).await;
    assert_eq!(parts.len(), 2);
    for (index, part) in parts.iter().enumerate() {
        let body = json!({ "externalId": part["externalId"], "status": "delivered" });
        world.receipt(body).await;
        world.settle().await;
        assert_eq!(world.story(&id).await.len(), 1 + index, "after {} of 2", index + 1);
    }
    world.end().await;
}

#[tokio::test]
async fn every_type_reaches_the_person_as_text_link_or_media() {
    let world = World::new().await;
    let link = json!({ "type": "link", "text": "Order", "uri": "https://shop.example/tea" });
    for channel in CHANNELS {
        let carousel = json!({ "type": "carousel", "items": [
            { "title": "Mint tea", "description": "Hot and fresh", "actions": [link] },
            { "title": "Coffee", "description": "Strong", "actions": [{ "type": "postback", "text": "Buy", "payload": "P" }] },
        ]});
        let text = sent(&world, channel, carousel).await[0]["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("1. Mint tea\nHot and fresh\nOrder: https://shop.example/tea"), "{channel}: {text}");
        let location = json!({ "type": "location", "coordinates": { "lat": 45.5, "long": -73.25 } });
        let text = sent(&world, channel, location).await[0]["text"].as_str().unwrap().to_owned();
        assert_eq!(text, "Location shared:\nhttps://maps.google.com/maps?q=45.5,-73.25", "{channel}");
        let actions = json!({ "type": "text", "text": "Choose", "actions": [link] });
        let text = sent(&world, channel, actions).await[0]["text"].as_str().unwrap().to_owned();
        assert_eq!(text, "Choose\nOrder: https://shop.example/tea", "{channel}");
        let ask =
            json!({ "type": "text", "text": "Where?", "actions": [{ "type": "locationRequest", "text": "Send" }] });
        let text = sent(&world, channel, ask).await[0]["text"].as_str().unwrap().to_owned();
        assert!(text.contains("Tea House has requested a location"), "{channel}: {text}");
        let image = json!({ "type": "image", "mediaUrl": "https://shop.example/tea.jpg", "text": "Fresh" });
        let entry = sent(&world, channel, image).await.remove(0);
        let seen = format!("{} {}", entry["text"], entry["mediaUrls"]);
        assert!(seen.contains("https://shop.example/tea.jpg") && seen.contains("Fresh"), "{channel}: {seen}");
        let file = json!({ "type": "file", "mediaUrl": "https://shop.example/bill.pdf" });
        let entry = sent(&world, channel, file).await.remove(0);
        assert!(format!("{} {}", entry["text"], entry["mediaUrls"]).contains("bill.pdf"), "{channel}");
        let emoji = sent(&world, channel, json!({ "type": "text", "text": "Ça va? 👩‍👩‍👧 €" })).await;
        assert_eq!(emoji[0]["text"], "Ça va? 👩‍👩‍👧 €", "{channel}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_type_the_channel_cannot_carry_ends_in_a_failure() {
    let world = World::new().await;
    for channel in CHANNELS {
        let form = json!({ "type": "form", "fields": [{ "type": "text", "name": "a", "label": "A" }] });
        let id = world.notify_as(&world.app, channel, ANYBODY, form).await;
        world.settle().await;
        let events = world.events_about(&id).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["error"]["code"], "uncategorized_error");
        assert_eq!(events[0]["error"]["message"], "Unsupported message type `form`");
    }
    assert!(world.outbox().await.is_empty());
    world.end().await;
}
