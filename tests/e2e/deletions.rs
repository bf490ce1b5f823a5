//! What the API deletes is deleted for certain once it is answered, and never if it is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::erasure::{acquainted, is_handed_out, kill_upkeep, upload};
use crate::table::{items, items_with, key, mentions, scan, set};
use crate::world::{ANYBODY, World};

/// Somebody to whom a message shows a file: their path, the message's and the file's.
async fn shown_a_file(world: &World) -> (String, String, String) {
    let made = world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let user = format!("appusers/{}", made["appUser"]["_id"].as_str().unwrap());
    let file = upload(world, "for=message&userId=bob").await;
    let message = json!({ "role": "appMaker", "type": "file", "mediaUrl": file });
    let posted = world.make(&world.app, &format!("{user}/messages"), message).await;
    let message = format!("{user}/messages/{}", posted["message"]["_id"].as_str().unwrap());
    world.settle().await;
    (user, message, file)
}

/// While the table takes nothing by this operation.
async fn removed_despite(world: &World, operation: &str, path: &str) {
    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "operation": operation })).await;
    world.remove(&world.app, path).await;
    world.heal().await;
    world.settle().await;
}

#[tokio::test]
async fn a_person_who_could_not_be_hidden_at_once_is_deleted_all_the_same() {
    let world = World::new().await;
    let (user, _, file) = shown_a_file(&world).await;
    removed_despite(&world, "TransactWriteItems", &user).await;
    world.refused(&world.app, Method::GET, &user, None, "user_not_found").await;
    assert_eq!(mentions(&world, user.trim_start_matches("appusers/")).await, [""; 0]);
    assert!(!is_handed_out(&world, &file).await);
    assert_eq!(world.events_named("appUser:delete").await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_table_that_does_not_answer_keeps_nobody_from_being_deleted() {
    let world = World::new().await;
    let (user, ..) = shown_a_file(&world).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    let silence = json!({ "target": "dynamodb", "fault": "timeout", "operation": "TransactWriteItems" });
    world.fault(silence).await;
    world.remove(&world.app, &user).await;
    world.read(&world.app, &user).await;
    world.heal().await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    world.refused(&world.app, Method::GET, &user, None, "user_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn messages_that_could_not_be_hidden_at_once_are_deleted_all_the_same() {
    let world = World::new().await;
    let (user, _, file) = shown_a_file(&world).await;
    removed_despite(&world, "TransactWriteItems", &format!("{user}/messages")).await;
    let history = world.read(&world.app, &format!("{user}/messages")).await;
    assert_eq!((&history["messages"], &history["conversation"]["unreadCount"]), (&json!([]), &json!(0)));
    assert!(!is_handed_out(&world, &file).await);
    world.end().await;
}

#[tokio::test]
async fn a_message_that_could_not_be_deleted_at_once_goes_with_its_file_all_the_same() {
    let world = World::new().await;
    let (user, message, file) = shown_a_file(&world).await;
    removed_despite(&world, "DeleteItem", &message).await;
    assert_eq!(world.read(&world.app, &format!("{user}/messages")).await["messages"], json!([]));
    assert!(!is_handed_out(&world, &file).await);
    world.refused(&world.app, Method::DELETE, &message, None, "message_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn a_deletion_that_was_refused_never_happens() {
    let world = World::new().await;
    let (user, message, file) = shown_a_file(&world).await;
    let before = items(&world).await;
    world.fault(json!({ "target": "sqs", "fault": "status:500", "operation": "SendMessage" })).await;
    for path in [&message, &format!("{user}/messages"), &user] {
        let answer = world.manage(&world.app, Method::DELETE, path, None).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
    }
    world.heal().await;
    world.settle().await;
    assert_eq!(items(&world).await, before);
    assert!(is_handed_out(&world, &file).await);
    assert_eq!(world.events_named("appUser:delete").await.len(), 0);
    assert_eq!(world.read(&world.app, &format!("{user}/messages")).await["messages"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_business_is_told_who_is_gone_under_one_id_wherever_the_erasure_dies() {
    let world = World::new().await;
    let target = format!("{}/_local/sink/full", world.url());
    let wanted = json!({ "target": target, "triggers": ["appUser:delete"], "includeFullAppUser": true });
    world.make(&world.app, "webhooks", wanted).await;
    let user = acquainted(&world, ANYBODY).await;
    world.change(&world.app, &format!("appusers/{user}"), json!({ "givenName": "Lea" })).await;
    kill_upkeep(&world, json!({ "afterCall": "dynamodb:BatchWriteItem", "n": 1 })).await;
    world.remove(&world.app, &format!("appusers/{user}")).await;
    world.outlive().await;
    let told: Vec<Value> =
        world.requests_to("full").await.into_iter().map(|mut request| request["body"].take()).collect();
    assert!(!told.is_empty() && told.iter().all(|event| event["eventId"] == told[0]["eventId"]), "{told:#?}");
    assert_eq!((&told[0]["appUser"]["_id"], &told[0]["appUser"]["givenName"]), (&json!(user), &json!("Lea")));
    assert_eq!(told[0]["appUser"]["clients"][0]["externalId"], ANYBODY);
    world.end().await;
}

#[tokio::test]
async fn deleted_messages_go_and_later_ones_stay() {
    let world = World::new().await;
    let user = acquainted(&world, ANYBODY).await;
    kill_upkeep(&world, json!({ "afterCall": "dynamodb:BatchWriteItem", "n": 1 })).await;
    world.remove(&world.app, &format!("appusers/{user}/messages")).await;
    world.outlive().await;
    assert_eq!(items_with(&world, "|MESSAGE#").await, [""; 0]);
    let sent: Vec<_> = scan(&world).await.into_iter().filter(|item| key(item).contains("|NOTIFICATION#")).collect();
    assert!(sent.len() == 1 && sent[0]["message"].as_m().unwrap().is_empty(), "{sent:?}");
    world.reply("twilio", ANYBODY, "Later").await;
    world.settle().await;
    let history = world.read(&world.app, &format!("appusers/{user}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
    assert_eq!(history["messages"][0]["text"], "Later");
    world.end().await;
}

/// Whose sender died with the carrier's answer recorded and nothing told, and who got it all the same.
async fn delivered_by_one_who_died(world: &World) -> (String, String) {
    // Functions that have started take a task up at once: none is out of sight while it is waited for.
    let other = acquainted(world, "+15550100143").await;
    world.remove(&world.app, &format!("appusers/{other}/messages")).await;
    world.remove(&world.app, &format!("appusers/{other}")).await;
    world.settle().await;
    let when = json!({ "afterCall": "dynamodb:UpdateItem", "n": 1 });
    world.fault(json!({ "target": "function:send_twilio", "fault": "kill", "count": 1, "when": when })).await;
    let notification = world.notify("twilio", ANYBODY, "Once").await;
    let told = async |world: &World| {
        let events = world.events_about(&notification).await;
        events.into_iter().find(|event| event["trigger"] == "notification:delivery:user")
    };
    let delivered = world.until("the receipt", told).await;
    (notification, delivered["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again_when_its_messages_are_deleted() {
    let world = World::new().await;
    let (notification, user) = delivered_by_one_who_died(&world).await;
    world.remove(&world.app, &format!("appusers/{user}/messages")).await;
    let faded = async |world: &World| {
        scan(world).await.into_iter().find(|item| item.contains_key("hidden") && key(item).contains(ANYBODY))
    };
    let claim = world.until("the erasure", faded).await;
    assert!(claim["message"].as_m().unwrap().is_empty() && !claim.contains_key("author"), "{claim:?}");
    world.outlive().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    assert_eq!(world.story(&notification).await, ["channel", "user"]);
    world.end().await;
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again_when_the_person_is_deleted() {
    let world = World::new().await;
    let (notification, user) = delivered_by_one_who_died(&world).await;
    world.remove(&world.app, &format!("appusers/{user}")).await;
    let gone = async |world: &World| items_with(world, "#USERS#").await.is_empty().then_some(());
    world.until("the erasure", gone).await;
    world.outlive().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    assert_eq!(world.story(&notification).await, ["channel", "user"]);
    assert_eq!(mentions(&world, &user).await, [""; 0]);
    assert_eq!(mentions(&world, ANYBODY).await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_file_of_one_person_outlives_what_showed_it_to_another() {
    let world = World::new().await;
    for name in ["lea", "leas-old-phone", "bob"] {
        world.make(&world.app, "appusers", json!({ "userId": name })).await;
    }
    let leas = upload(&world, "for=message&userId=lea").await;
    let old = upload(&world, "for=message&userId=leas-old-phone").await;
    let ids: Vec<_> = [&leas, &old].map(|url| json!({ "_id": url.rsplit('/').nth(2).unwrap() })).into();
    let merge = json!({ "surviving": ids[0], "discarded": ids[1] });
    assert_eq!(world.manage(&world.app, Method::POST, "appusers/merge", Some(merge)).await.status, 200);
    let show = async |user: &str, url: &str| {
        let message = json!({ "role": "appMaker", "type": "file", "mediaUrl": url });
        let path = format!("appusers/{user}/messages");
        let posted = world.make(&world.app, &path, message).await;
        format!("{path}/{}", posted["message"]["_id"].as_str().unwrap())
    };
    for url in [&leas, &leas, &old] {
        show("bob", url).await;
    }
    let one = show("bob", &leas).await;
    world.remove(&world.app, &one).await;
    world.settle().await;
    assert!(is_handed_out(&world, &leas).await, "one message to another was deleted");
    world.remove(&world.app, "appusers/bob/messages").await;
    world.settle().await;
    assert!(is_handed_out(&world, &leas).await && is_handed_out(&world, &old).await, "all messages to another were");
    let theirs = show("lea", &old).await;
    world.remove(&world.app, &theirs).await;
    world.settle().await;
    assert!(!is_handed_out(&world, &old).await, "a file of who they were before is theirs");
    world.end().await;
}

/// The person's unread count.
async fn unread(world: &World, user: &str) -> Value {
    world.read(&world.app, &format!("{user}/conversation")).await["conversation"]["unreadCount"].clone()
}

#[tokio::test]
async fn a_message_that_is_deleted_unread_is_unread_no_more() {
    let world = World::new().await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let post = async |role: &str| {
        let message = json!({ "role": role, "type": "text", "text": "Hi" });
        let posted = world.make(&world.app, "appusers/bob/messages", message).await;
        format!("appusers/bob/messages/{}", posted["message"]["_id"].as_str().unwrap())
    };
    let read = post("appMaker").await;
    let theirs = post("appUser").await;
    let (first, _) = (post("appMaker").await, post("appMaker").await);
    assert_eq!(unread(&world, "appusers/bob").await, 2);
    for (message, left) in [(read, 2), (theirs, 2), (first, 1)] {
        world.remove(&world.app, &message).await;
        assert_eq!(unread(&world, "appusers/bob").await, left);
    }
    world.end().await;
}

#[tokio::test]
async fn a_reply_that_is_read_late_leaves_newer_messages_unread() {
    let world = World::new().await;
    let id = acquainted(&world, ANYBODY).await;
    let user = format!("appusers/{id}");
    let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
    world.make(&world.app, &format!("{user}/messages"), text.clone()).await;
    world.settle().await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    world.reply("twilio", ANYBODY, "Before the next").await;
    world.make(&world.app, &format!("{user}/messages"), text).await;
    assert_eq!(unread(&world, &user).await, 2);
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    assert_eq!(world.events_named("message:appUser").await.len(), 2);
    assert_eq!(unread(&world, &user).await, 1);
    world.end().await;
}

#[tokio::test]
async fn messages_that_ended_do_not_lock_a_conversation() {
    let world = World::new().await;
    let (key, secret) = world.app.account_key();
    let post = async |path: &str, body: Value| {
        let request = world.http(Method::POST, &format!("/v1.1/apps{path}")).basic_auth(key, Some(secret));
        world.request(request.json(&body)).await
    };
    let brief = json!({ "name": "Brief", "settings": { "conversationRetentionSeconds": 3_600 } });
    let app = post("", brief).await.body["app"]["_id"].as_str().unwrap().to_owned();
    post(&format!("/{app}/appusers"), json!({ "userId": "bob" })).await;
    let path = format!("/{app}/appusers/bob/messages");
    let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
    assert_eq!(post(&path, text.clone()).await.status, 201);
    set(&world, "|CONVERSATION", "messageCount", 30_000).await;
    assert_eq!(post(&path, text.clone()).await.status, 201, "one message is there");
    set(&world, "|CONVERSATION", "messageCount", 30_000).await;
    assert_eq!(post(&path, text).await.status, 423, "it was counted a moment ago");
    world.end().await;
}
