//! A conversation over time: counted, paged, read, typed in, tapped, cleared.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::table;
use crate::world::{ANYBODY, World};

fn text(text: &str) -> Value {
    json!({ "role": "appMaker", "type": "text", "text": text })
}

async fn bob(world: &World) {
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
}

#[tokio::test]
async fn posts_at_once_are_all_counted() {
    let world = World::new().await;
    bob(&world).await;
    let post = |number: usize| world.make(&world.app, "appusers/bob/messages", text(&format!("{number}")));
    futures::future::join_all((0..15).map(post)).await;
    let history = world.read(&world.app, "appusers/bob/messages").await;
    assert_eq!(history["conversation"]["unreadCount"], 15);
    assert_eq!(history["messages"].as_array().unwrap().len(), 15);
    world.end().await;
}

#[tokio::test]
async fn paging_either_way_sees_each_message_and_each_notification_once() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "first").await;
    world.settle().await;
    let user = world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let path = format!("appusers/{user}/messages");
    let person = |number: usize| json!({ "role": "appUser", "type": "text", "text": format!("{number}") });
    for chunk in (0..230).collect::<Vec<_>>().chunks(10) {
        let posts = chunk.iter().map(|number| world.make(&world.app, &path, person(*number)));
        futures::future::join_all(posts).await;
    }
    for number in 0..5 {
        world.notify("twilio", ANYBODY, &format!("notified {number}")).await;
    }
    world.settle().await;
    let newest = world.read(&world.app, &path).await;
    assert!(newest.get("next").is_none(), "nothing is newer than the newest");
    for (start, onward) in [(path.clone(), "previous"), (format!("{path}?after=0"), "next")] {
        let (mut seen, mut pages, mut next) = (BTreeSet::new(), 0, Some(start));
        while let Some(path) = next {
            let page = world.read(&world.app, &path).await;
            let messages = page["messages"].as_array().unwrap();
            assert!(messages.is_sorted_by_key(|message| message["received"].as_f64().unwrap().to_bits()));
            for message in messages {
                assert!(seen.insert(message["_id"].as_str().unwrap().to_owned()), "twice: {message}");
            }
            pages += 1;
            assert!(pages <= 5);
            let url = page[onward]
                .as_str()
                .map(|url| url.split(&format!("/apps/{}/", world.app.id())).last().unwrap().to_owned());
            next = url;
        }
        assert_eq!(seen.len(), 236, "{onward}");
    }
    for query in ["before=x", "after=-1", "before=1&after=2", "before=1e300"] {
        world.refused(&world.app, Method::GET, &format!("{path}?{query}"), None, "bad_request").await;
    }
    world.end().await;
}

#[tokio::test]
async fn messages_are_deleted_one_or_all() {
    let world = World::new().await;
    let id = world.notify("twilio", ANYBODY, "a notification").await;
    world.settle().await;
    let user = world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let path = format!("appusers/{user}/messages");
    for number in 0..3 {
        world.make(&world.app, &path, text(&format!("{number}"))).await;
    }
    world.settle().await;
    let texts = async || {
        let history = world.read(&world.app, &path).await;
        let texts =
            history["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts().await, ["a notification", "0", "1", "2"]);
    let history = world.read(&world.app, &path).await;
    for index in [0, 2] {
        world.remove(&world.app, &format!("{path}/{}", history["messages"][index]["_id"].as_str().unwrap())).await;
    }
    assert_eq!(texts().await, ["0", "2"]);
    for id in ["64c0ffee0123456789abcdef", "x", history["messages"][0]["_id"].as_str().unwrap()] {
        world.refused(&world.app, Method::DELETE, &format!("{path}/{id}"), None, "message_not_found").await;
    }
    world.remove(&world.app, &path).await;
    assert!(texts().await.is_empty());
    let conversation = world.read(&world.app, &format!("appusers/{user}/conversation")).await;
    assert_eq!(conversation["conversation"]["unreadCount"], 0);
    world.settle().await;
    world.make(&world.app, &path, text("anew")).await;
    assert_eq!(texts().await, ["anew"]);
    world.end().await;
}

#[tokio::test]
async fn a_full_conversation_takes_a_message_when_one_is_deleted() {
    let world = World::new().await;
    bob(&world).await;
    let path = "appusers/bob/messages";
    let first = world.make(&world.app, path, text("first")).await["message"]["_id"].as_str().unwrap().to_owned();
    table::set(&world, "|CONVERSATION", "messageCount", 29_999).await;
    world.make(&world.app, path, text("last")).await;
    world.refused(&world.app, Method::POST, path, Some(text("too much")), "locked").await;
    // Twice at once is one message less.
    let one = format!("{path}/{first}");
    let remove = || world.manage(&world.app, Method::DELETE, &one, None);
    let (left, right) = futures::join!(remove(), remove());
    assert!([left.status, right.status].iter().all(|status| [200, 404].contains(status)));
    world.make(&world.app, path, text("fits")).await;
    world.refused(&world.app, Method::POST, path, Some(text("too much again")), "locked").await;
    world.end().await;
}

#[tokio::test]
async fn typing_and_reading_are_told_when_the_person_does_them() {
    let world = World::new().await;
    bob(&world).await;
    let activity = "appusers/bob/conversation/activity";
    let act = |role: &str, kind: &str| Some(json!({ "role": role, "type": kind }));
    world.refused(&world.app, Method::POST, activity, act("appUser", "typing:start"), "conversation_not_found").await;
    world.make(&world.app, "appusers/bob/messages", text("Read this")).await;
    for (role, kind) in [
        ("appMaker", "typing:start"),
        ("appMaker", "typing:stop"),
        ("appMaker", "conversation:read"),
        ("appUser", "typing:start"),
    ] {
        let answer = world.manage(&world.app, Method::POST, activity, act(role, kind)).await;
        assert_eq!((answer.status, &answer.body["conversation"]["unreadCount"]), (200, &json!(1)));
    }
    let answer = world.manage(&world.app, Method::POST, activity, act("appUser", "conversation:read")).await;
    assert_eq!(answer.body["conversation"]["unreadCount"], 0);
    world.make(&world.app, "appusers/bob/messages", text("And this")).await;
    let reset = world.manage(&world.app, Method::POST, "appusers/bob/conversation/read", None).await;
    assert_eq!(reset.status, 200, "{}", reset.body);
    assert_eq!(world.read(&world.app, "appusers/bob/conversation").await["conversation"]["unreadCount"], 0);
    world.settle().await;
    assert_eq!(world.event("typing:appUser").await["activity"], json!({ "type": "typing:start" }));
    assert_eq!(world.events_named("typing:appUser").await.len(), 1);
    assert_eq!(world.events_named("conversation:read").await.len(), 2);
    for body in [act("boss", "typing:start"), act("appUser", "dancing"), Some(json!({}))] {
        world.refused(&world.app, Method::POST, activity, body, "bad_request").await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_tap_is_told_with_its_message() {
    let world = World::new().await;
    bob(&world).await;
    let mut body = text("Tea?");
    body["metadata"] = json!({ "order": 7 });
    body["actions"] = json!([{ "type": "postback", "text": "Yes", "payload": "YES", "metadata": { "a": 1 } }]);
    let posted = world.make(&world.app, "appusers/bob/messages", body).await;
    let action = posted["message"]["actions"][0]["_id"].clone();
    let path = "appusers/bob/conversation/postback";
    let answer = world.manage(&world.app, Method::POST, path, Some(json!({ "actionId": action }))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.settle().await;
    let told = &world.event("postback").await;
    let postback = &told["postbacks"][0];
    assert_eq!((&postback["action"]["payload"], &postback["action"]["_id"]), (&json!("YES"), &action));
    assert_eq!(postback["message"]["metadata"], json!({ "order": 7 }));
    for id in [json!("64c0ffee0123456789abcdef"), json!("x"), json!(null)] {
        world.refused(&world.app, Method::POST, path, Some(json!({ "actionId": id })), "bad_request: actionId").await;
    }
    world.end().await;
}

#[tokio::test]
async fn pages_of_large_messages_are_whole() {
    let world = World::new().await;
    bob(&world).await;
    let large = |number: usize| {
        let metadata = json!({ "n": number, "filling": "x".repeat(4_000) });
        json!({ "role": "appUser", "type": "text", "text": "\u{1F375}".repeat(4_000), "metadata": metadata })
    };
    for chunk in (0..125).collect::<Vec<_>>().chunks(10) {
        let posts = chunk.iter().map(|number| world.make(&world.app, "appusers/bob/messages", large(*number)));
        futures::future::join_all(posts).await;
    }
    let newest = world.read(&world.app, "appusers/bob/messages").await;
    let page = newest["messages"].as_array().unwrap();
    // A page does not end between two messages of one moment.
    let beyond = page.len().checked_sub(100).expect("a full page");
    let at_its_end = page.iter().filter(|message| message["received"] == page[0]["received"]).count();
    assert!(beyond < at_its_end, "{beyond} more than a page, {at_its_end} of the oldest's moment");
    let older = newest["previous"].as_str().unwrap().split_once("/appusers/").unwrap().1.to_owned();
    let older = world.read(&world.app, &format!("appusers/{older}")).await;
    assert_eq!(older["messages"].as_array().unwrap().len(), 125 - page.len());
    world.end().await;
}

#[tokio::test]
async fn pages_end_before_they_outgrow_an_answer_and_miss_nothing() {
    let world = World::new().await;
    bob(&world).await;
    // Quotes are twice as long in Lambda's answer, which is JSON around JSON.
    let large = |number: usize| {
        let action = json!({ "type": "postback", "text": "Tea", "payload": "\"".repeat(48_000) });
        json!({ "role": "appMaker", "type": "text", "text": format!("{number}"), "actions": [action] })
    };
    // More of them at once would keep a busy machine from answering within their time-outs.
    for chunk in (0..70).collect::<Vec<_>>().chunks(4) {
        let posts = chunk.iter().map(|number| world.make(&world.app, "appusers/bob/messages", large(*number)));
        futures::future::join_all(posts).await;
    }
    for (start, onward) in [("appusers/bob/messages", "previous"), ("appusers/bob/messages?after=0", "next")] {
        let (mut seen, mut pages, mut next) = (BTreeSet::new(), 0, Some(start.to_owned()));
        while let Some(path) = next {
            let page = world.read(&world.app, &path).await;
            let messages = page["messages"].as_array().unwrap();
            assert!(!messages.is_empty(), "{path}");
            for message in messages {
                assert!(seen.insert(message["_id"].as_str().unwrap().to_owned()), "twice: {}", message["_id"]);
            }
            pages += 1;
            next = page[onward].as_str().map(|url| format!("appusers/{}", url.split_once("/appusers/").unwrap().1));
        }
        assert_eq!((seen.len(), pages > 1), (70, true), "{onward}");
    }
    world.end().await;
}

#[tokio::test]
async fn before_what_was_cleared_there_is_an_empty_page() {
    let world = World::new().await;
    bob(&world).await;
    let posted = world.make(&world.app, "appusers/bob/messages", text("Gone soon")).await;
    world.remove(&world.app, "appusers/bob/messages").await;
    let path = format!("appusers/bob/messages?before={}", posted["message"]["received"]);
    assert_eq!(world.read(&world.app, &path).await["messages"], json!([]));
    world.end().await;
}
