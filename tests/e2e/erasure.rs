//! What was deleted is gone from the table, wherever the erasure dies, and nothing else is.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, World};

/// `pk|sk` of every item in the table.
async fn items(world: &World) -> Vec<String> {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(local::engine::AWS_REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(world.handles().aws_endpoint("test"));
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let table = world.handles().any_environment_with("TABLE_NAME").unwrap()["TABLE_NAME"].clone();
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let output = client.scan().table_name(&table).set_exclusive_start_key(start).send().await.unwrap();
        let text = |item: &std::collections::HashMap<_, _>, name: &str| {
            let value: &aws_sdk_dynamodb::types::AttributeValue = &item[name];
            value.as_s().unwrap().clone()
        };
        found.extend(output.items().iter().map(|item| format!("{}|{}", text(item, "pk"), text(item, "sk"))));
        start = output.last_evaluated_key;
        if start.is_none() {
            return found;
        }
    }
}

async fn items_with(world: &World, word: &str) -> Vec<String> {
    items(world).await.into_iter().filter(|item| item.contains(word)).collect()
}

fn person(number: usize) -> String {
    format!("+1555010{:04}", 100 + number)
}

/// Notifies somebody, who answers; their `_id`.
async fn acquainted(world: &World, to: &str) -> String {
    let id = world.notify("twilio", to, "Hello").await;
    world.settle().await;
    world.reply("twilio", to, "Hi").await;
    world.settle().await;
    world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned()
}

async fn delete_app(world: &World) {
    let (key, secret) = world.app.account_key();
    let path = format!("/v1.1/apps/{}", world.app.id());
    let answer = world.request(world.http(Method::DELETE, &path).basic_auth(key, Some(secret))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn kill_upkeep(world: &World, when: Value) {
    let kill = json!({ "target": "function:upkeep", "fault": "kill", "count": 1, "when": when });
    world.fault(kill).await;
}

async fn upload(world: &World, query: &str) -> String {
    let boundary = "a-boundary";
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"source\"; filename=\"tea.txt\"\r\n\
         content-type: text/plain\r\n\r\nTea\r\n--{boundary}--\r\n"
    );
    let (key, secret) = world.app.key();
    let request = world.http(Method::POST, &format!("/v1.1/attachments?access=public&{query}"));
    let request = request.basic_auth(key, Some(secret));
    let request = request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(body);
    let answer = world.request(request).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["mediaUrl"].as_str().unwrap().to_owned()
}

async fn is_handed_out(world: &World, url: &str) -> bool {
    let path = url.strip_prefix(world.url()).unwrap();
    world.request(world.http(Method::GET, path)).await.status == 200
}

#[tokio::test]
async fn a_deleted_app_leaves_nothing_and_takes_nothing_of_others() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    world.notify_as(&other, "twilio", ANYBODY, json!({ "type": "text", "text": "Stays" })).await;
    for number in 0..30 {
        world.notify("twilio", &person(number), "Hello").await;
    }
    world.settle().await;
    for name in ["bob", "eve"] {
        let made = world.make(&world.app, "appusers", json!({ "userId": name })).await;
        let messages = format!("appusers/{}/messages", made["appUser"]["_id"].as_str().unwrap());
        let message = json!({ "role": "appUser", "type": "text", "text": "Hi" });
        world.make(&world.app, &messages, message).await;
    }
    let file = upload(&world, "").await;
    world.settle().await;
    let others = items_with(&world, other.id()).await;
    let key = world.app.key().0.to_owned();
    assert!(!others.is_empty() && !items_with(&world, &key).await.is_empty());

    kill_upkeep(&world, json!({ "afterCall": "dynamodb:BatchWriteItem", "n": 7 })).await;
    delete_app(&world).await;
    assert_eq!(items_with(&world, &key).await, [""; 0], "keys go at once");
    assert_eq!(items_with(&world, "INTEGRATION#").await.len(), 2, "integrations too, but the other app's");
    world.outlive().await;
    assert_eq!(items_with(&world, world.app.id()).await, [""; 0]);
    assert_eq!(items_with(&world, other.id()).await, others);
    assert!(!is_handed_out(&world, &file).await);
    let upkeep = &world.calls().await["functions"]["upkeep"];
    assert_eq!(upkeep["errors"], 1, "it was killed once");
    assert!(upkeep["invocations"].as_u64().unwrap() >= 3, "and made more than one step: {upkeep}");
    world.end().await;
}

#[tokio::test]
async fn an_app_whose_deletion_never_happened_keeps_everything() {
    let world = World::new().await;
    acquainted(&world, ANYBODY).await;
    let before = items(&world).await;
    world.fault(json!({ "target": "dynamodb", "fault": "status:500", "operation": "TransactWriteItems" })).await;
    let (key, secret) = world.app.account_key();
    let path = format!("/v1.1/apps/{}", world.app.id());
    let answer = world.request(world.http(Method::DELETE, &path).basic_auth(key, Some(secret))).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    world.heal().await;
    world.settle().await;
    assert_eq!(items(&world).await, before);
    world.end().await;
}

/// Kills `upkeep` once at `when`, while it erases one of two people.
async fn a_person_erased_despite(when: Value) {
    let world = World::new().await;
    let (leaving, staying) = (acquainted(&world, &person(1)).await, acquainted(&world, &person(2)).await);
    let file = upload(&world, &format!("for=message&appUserId={leaving}")).await;
    let of_staying = items_with(&world, &person(2)).await.len();
    kill_upkeep(&world, when.clone()).await;
    world.remove(&world.app, &format!("appusers/{leaving}")).await;
    world.outlive().await;
    assert_eq!(world.calls().await["functions"]["upkeep"]["errors"], 1, "killed {when}");
    for word in [leaving.as_str(), &person(1)] {
        assert_eq!(items_with(&world, word).await, [""; 0], "killed {when}");
    }
    assert_eq!(items_with(&world, "#CONVERSATION#").await.len(), 2, "one count and one message stay");
    assert_eq!(items_with(&world, &person(2)).await.len(), of_staying);
    assert!(!items_with(&world, &staying).await.is_empty());
    assert!(!is_handed_out(&world, &file).await);
    world.refused(&world.app, Method::GET, &format!("appusers/{leaving}"), None, "user_not_found").await;
    world.end().await;
}

#[tokio::test]
async fn a_deleted_person_leaves_nothing_wherever_the_erasure_dies() {
    let after = |call: &str, n: u32| json!({ "afterCall": call, "n": n });
    tokio::join!(
        a_person_erased_despite(json!("start")),
        a_person_erased_despite(after("dynamodb:BatchWriteItem", 1)),
        a_person_erased_despite(after("dynamodb:BatchWriteItem", 2)),
        a_person_erased_despite(json!("before-response")),
    );
}

#[tokio::test]
async fn a_merged_person_is_erased_with_every_id_and_name_they_had() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        let made = world.make(&world.app, "appusers", json!({ "userId": name })).await;
        ids.push(made["appUser"]["_id"].as_str().unwrap().to_owned());
    }
    for (surviving, discarded) in [(1, 0), (2, 1)] {
        let body = json!({ "surviving": { "_id": ids[surviving] }, "discarded": { "_id": ids[discarded] } });
        let merged = world.manage(&world.app, Method::POST, "appusers/merge", Some(body)).await;
        assert_eq!(merged.status, 200, "{}", merged.body);
    }
    world.remove(&world.app, "appusers/first").await;
    world.settle().await;
    for word in ["#USERS#", "#NAME#"] {
        assert_eq!(items_with(&world, word).await, [""; 0]);
    }
    world.make(&world.app, "appusers", json!({ "userId": "first" })).await;
    world.end().await;
}

/// Hands a task to `upkeep` as its queue would.
async fn upkeep(world: &World, work: Value) {
    let task = json!({ "version": "1", "app_id": world.app.id(), "work": work });
    let record = json!({
        "messageId": "00000003-0000-4000-8000-000000000001", "receiptHandle": "none", "body": task.to_string(),
        "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {}, "eventSource": "aws:sqs",
    });
    let answer = world.local(Method::POST, "invoke/upkeep", Some(json!({ "Records": [record] }))).await;
    assert_eq!(answer.body, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn an_address_with_a_new_owner_keeps_what_is_theirs() {
    let world = World::new().await;
    acquainted(&world, ANYBODY).await;
    let before = items(&world).await;
    let gone = json!({
        "user": "64c0ffee0123456789abcdef", "user_id": null, "conversations": [],
        "clients": [[world.app.integration("twilio"), ANYBODY]],
    });
    upkeep(&world, json!({ "erase_user": gone })).await;
    assert_eq!(items(&world).await, before);
    world.end().await;
}

#[tokio::test]
async fn an_app_that_is_still_there_is_not_erased() {
    let world = World::new().await;
    acquainted(&world, ANYBODY).await;
    let before = items(&world).await;
    upkeep(&world, json!({ "erase_app": {} })).await;
    assert_eq!(items(&world).await, before);
    world.end().await;
}

#[tokio::test]
async fn deleted_messages_go_and_later_ones_stay() {
    let world = World::new().await;
    let user = acquainted(&world, ANYBODY).await;
    kill_upkeep(&world, json!({ "afterCall": "dynamodb:BatchWriteItem", "n": 1 })).await;
    world.remove(&world.app, &format!("appusers/{user}/messages")).await;
    world.outlive().await;
    for word in ["|MESSAGE#", "|NOTIFICATION#"] {
        assert_eq!(items_with(&world, word).await, [""; 0]);
    }
    world.reply("twilio", ANYBODY, "Later").await;
    world.settle().await;
    let history = world.read(&world.app, &format!("appusers/{user}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
    assert_eq!(history["messages"][0]["text"], "Later");
    world.end().await;
}
