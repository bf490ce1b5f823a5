//! What was deleted is gone from the table, wherever the erasure dies, and nothing else is.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};

use crate::table::{Item, items, items_with, key, mentions, put, scan};
use crate::world::{ANYBODY, World};

fn person(number: usize) -> String {
    format!("+1555010{:04}", 100 + number)
}

/// Notifies somebody, who answers; their `_id`.
pub async fn acquainted(world: &World, to: &str) -> String {
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

pub async fn kill_upkeep(world: &World, when: Value) {
    let kill = json!({ "target": "function:upkeep", "fault": "kill", "count": 1, "when": when });
    world.fault(kill).await;
}

async fn upkeep_errors(world: &World) -> u64 {
    world.calls().await["functions"]["upkeep"]["errors"].as_u64().unwrap_or(0)
}

pub async fn upload(world: &World, query: &str) -> String {
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

pub async fn is_handed_out(world: &World, url: &str) -> bool {
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
    assert!(upkeep["invocations"].as_u64().unwrap() >= 2, "and made again: {upkeep}");
    world.end().await;
}

#[tokio::test]
async fn nobody_becomes_known_to_an_app_whose_people_are_being_erased() {
    let world = World::new().await;
    let id = acquainted(&world, ANYBODY).await;
    // An `upkeep` that has started takes its task up at once.
    world.remove(&world.app, &format!("appusers/{id}/messages")).await;
    world.settle().await;
    let dies = json!({ "target": "function:api", "fault": "kill", "count": 1,
        "when": { "afterCall": "dynamodb:TransactWriteItems", "n": 1 } });
    world.fault(dies).await;
    let (key, secret) = world.app.account_key();
    let path = format!("/v1.1/apps/{}", world.app.id());
    let answer = world.request(world.http(Method::DELETE, &path).basic_auth(key, Some(secret))).await;
    assert!(answer.status >= 500, "{}", answer.body);
    assert_eq!(items_with(&world, "INTEGRATION#").await.len(), 2, "it died before it took them away");

    kill_upkeep(&world, json!({ "afterCall": "dynamodb:BatchWriteItem", "n": 1 })).await;
    world.wake().await;
    world.until("the erasure to die", async |world| (upkeep_errors(world).await == 1).then_some(())).await;
    assert_eq!(items_with(&world, "INTEGRATION#").await, [""; 0], "what makes people goes before them");
    assert!(!items_with(&world, "#USERS#").await.is_empty());
    world.outlive().await;
    assert_eq!(items_with(&world, world.app.id()).await, [""; 0]);
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
        assert_eq!(mentions(&world, word).await, [""; 0], "killed {when}");
    }
    assert_eq!(items_with(&world, &leaving).await, [""; 0], "killed {when}");
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

/// Three people who are one by now, under three names; their ids.
async fn merged(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        ids.push(talkative(world, name).await);
    }
    for (surviving, discarded) in [(1, 0), (2, 1)] {
        let body = json!({ "surviving": { "_id": ids[surviving] }, "discarded": { "_id": ids[discarded] } });
        let merged = world.manage(&world.app, Method::POST, "appusers/merge", Some(body)).await;
        assert_eq!(merged.status, 200, "{}", merged.body);
    }
    world.settle().await;
    ids
}

#[tokio::test]
async fn a_merged_person_is_erased_with_every_id_they_had_and_every_name_is_free_at_once() {
    let world = World::new().await;
    merged(&world).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    world.remove(&world.app, "appusers/first").await;
    let mut again = Vec::new();
    for name in ["first", "second", "third"] {
        world.refused(&world.app, Method::GET, &format!("appusers/{name}"), None, "user_not_found").await;
        let made = world.make(&world.app, "appusers", json!({ "userId": name })).await;
        again.push(made["appUser"]["_id"].as_str().unwrap().to_owned());
    }
    world.local(Method::POST, "pollers", Some(json!({ "paused": false }))).await;
    world.settle().await;
    let profiles = items_with(&world, "#USERS#").await;
    assert!(
        profiles.len() == 3 && again.iter().all(|id| profiles.iter().any(|item| item.contains(id))),
        "{profiles:?}"
    );
    assert_eq!(items_with(&world, "#NAME#").await.len(), 3);
    assert_eq!(items_with(&world, "#CONVERSATION#").await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn whoever_was_merged_since_is_erased_as_whom_they_are_now() {
    let world = World::new().await;
    let ids = merged(&world).await;
    upkeep(&world, json!({ "erase_user": { "user": ids[0] } })).await;
    world.settle().await;
    for kind in ["#USERS#", "#NAME#", "#CONVERSATION#"] {
        assert_eq!(items_with(&world, kind).await, [""; 0]);
    }
    let told = world.events_named("appUser:delete").await;
    assert_eq!((told.len(), &told[0]["appUser"]["_id"]), (1, &json!(ids[2])));
    world.end().await;
}

/// Somebody who said something; their `_id`.
async fn talkative(world: &World, user_id: &str) -> String {
    let made = world.make(&world.app, "appusers", json!({ "userId": user_id })).await;
    let id = made["appUser"]["_id"].as_str().unwrap().to_owned();
    let message = json!({ "role": "appUser", "type": "text", "text": "Hi" });
    world.make(&world.app, &format!("appusers/{id}/messages"), message).await;
    id
}

#[tokio::test]
async fn who_is_merged_while_they_are_deleted_leaves_nothing_or_never_was_merged() {
    let world = World::new().await;
    let (mut merged, mut apart) = (Vec::new(), Vec::new());
    for number in 0..6 {
        let discarded = talkative(&world, &format!("discarded{number}")).await;
        let surviving = talkative(&world, &format!("surviving{number}")).await;
        let merge = json!({ "surviving": { "_id": surviving }, "discarded": { "_id": discarded } });
        let merge = world.manage(&world.app, Method::POST, "appusers/merge", Some(merge));
        let path = format!("appusers/{discarded}");
        let (answer, ()) = tokio::join!(merge, world.remove(&world.app, &path));
        match answer.status {
            200 => merged.extend([discarded, surviving]),
            404 | 409 => apart.push((discarded, surviving)),
            _ => panic!("{}", answer.body),
        }
    }
    world.settle().await;
    for gone in merged.iter().chain(apart.iter().map(|(discarded, _)| discarded)) {
        assert_eq!(mentions(&world, gone).await, [""; 0], "whom they were merged into was deleted as well");
    }
    for (_, stays) in &apart {
        world.read(&world.app, &format!("appusers/{stays}")).await;
    }
    let kept = items_with(&world, "#CONVERSATION#").await;
    assert_eq!(kept.len(), 3 * apart.len(), "a conversation, a message and its mark of each who stays: {kept:?}");
    world.end().await;
}

#[tokio::test]
async fn nothing_is_made_anew_of_somebody_who_is_being_erased() {
    let world = World::new().await;
    let mut gone = Vec::new();
    for number in 0..5 {
        let id = talkative(&world, &format!("busy{number}")).await;
        let path = format!("appusers/{id}");
        let call = async |method: Method, action: &str, body: Option<Value>| {
            world.manage(&world.app, method, format!("{path}/{action}").trim_end_matches('/'), body).await;
        };
        let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
        tokio::join!(
            call(Method::POST, "messages", Some(text)),
            call(Method::POST, "conversation/read", None),
            call(Method::DELETE, "messages", None),
            call(Method::PUT, "", Some(json!({ "givenName": "Bea" }))),
            world.remove(&world.app, &path),
        );
        gone.push(id);
    }
    world.settle().await;
    for id in &gone {
        assert_eq!(mentions(&world, id).await, [""; 0]);
    }
    assert_eq!(items_with(&world, "#CONVERSATION#").await, [""; 0]);
    world.end().await;
}

/// Hands a task to `upkeep` as its queue would, which succeeds.
async fn upkeep(world: &World, work: Value) {
    assert_eq!(hand_to_upkeep(world, work).await, json!({ "batchItemFailures": [] }));
}

async fn hand_to_upkeep(world: &World, work: Value) -> Value {
    let task = json!({ "version": "1", "app_id": world.app.id(), "work": work });
    let record = json!({
        "messageId": "00000003-0000-4000-8000-000000000001", "receiptHandle": "none", "body": task.to_string(),
        "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {}, "eventSource": "aws:sqs",
    });
    world.local(Method::POST, "invoke/upkeep", Some(json!({ "Records": [record] }))).await.body
}

/// Somebody with many addresses, into whom many were merged: each takes a request or more, and a step makes 400.
async fn crowd(world: &World) -> String {
    let id = talkative(world, "crowd").await;
    let integration = world.app.integration("twilio");
    let mut user = scan(world).await.into_iter().find(|item| key(item).ends_with(&format!("{id}#USER"))).unwrap();
    let text = |text: String| AttributeValue::S(text);
    let pk = user["pk"].clone();
    let listed = |rest: String, fields: [(&str, String); 2]| {
        let fields = fields.map(|(name, value)| (name.to_owned(), text(value)));
        let key = [("pk".to_owned(), pk.clone()), ("sk".to_owned(), text(format!("{id}#{rest}")))];
        fields.into_iter().chain(key).collect::<Item>()
    };
    let others: Vec<_> = (0..450).map(|number| format!("64c0ffee{number:016x}")).collect();
    for other in &others {
        let pointer = listed(format!("MERGED#{other}"), [("id", other.clone()), ("userId", format!("name {other}"))]);
        put(world, pointer).await;
    }
    for number in 0..102 {
        let address = person(number);
        let rest = format!("CLIENT#{integration}#{address}");
        put(world, listed(rest, [("integrationId", integration.to_owned()), ("address", address)])).await;
    }
    let all = AttributeValue::L(others.into_iter().map(text).collect());
    user.extend([("mergedUsers".to_owned(), all.clone()), ("mergedConversations".to_owned(), all)]);
    put(world, user).await;
    id
}

async fn steps(world: &World) -> u64 {
    world.calls().await["functions"]["upkeep"]["invocations"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn somebody_of_many_addresses_and_merges_is_erased_in_a_few_steps() {
    let world = World::new().await;
    let id = crowd(&world).await;
    world.remove(&world.app, &format!("appusers/{id}/messages")).await;
    world.settle().await;
    let for_messages = steps(&world).await;
    assert!((2..10).contains(&for_messages), "{for_messages}");
    world.remove(&world.app, &format!("appusers/{id}")).await;
    world.settle().await;
    let for_the_person = steps(&world).await - for_messages;
    assert!((3..15).contains(&for_the_person), "{for_the_person}");
    assert_eq!(items_with(&world, &id).await, [""; 0]);
    assert_eq!(items_with(&world, "#CONVERSATION#").await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn an_app_with_somebody_of_many_addresses_and_merges_is_erased_in_a_few_steps() {
    let world = World::new().await;
    crowd(&world).await;
    delete_app(&world).await;
    world.settle().await;
    assert_eq!(items_with(&world, world.app.id()).await, [""; 0]);
    let steps = steps(&world).await;
    assert!((3..20).contains(&steps), "{steps}");
    world.end().await;
}

#[tokio::test]
async fn an_erasure_that_waits_in_vain_fails_aloud() {
    let world = World::new().await;
    let id = acquainted(&world, ANYBODY).await;
    world.local(Method::POST, "pollers", Some(json!({ "paused": true }))).await;
    world.remove(&world.app, &format!("appusers/{id}")).await;
    let mut sent = scan(&world).await.into_iter().find(|item| key(item).contains("|NOTIFICATION#")).unwrap();
    sent.insert("state".to_owned(), AttributeValue::S("claimed".to_owned()));
    put(&world, sent).await;
    let waiting = |rounds: u16| {
        let walk = json!({ "stage": "addresses", "rounds": rounds });
        json!({ "erase_user": { "user": id, "told": true, "walk": walk } })
    };
    let failures = async |rounds| {
        let answer = hand_to_upkeep(&world, waiting(rounds)).await;
        answer["batchItemFailures"].as_array().unwrap().len()
    };
    assert_eq!((failures(0).await, failures(300).await), (0, 1));
    world.interrupt().await;
}

#[tokio::test]
async fn an_address_with_a_new_owner_keeps_what_is_theirs() {
    let world = World::new().await;
    let leaving = acquainted(&world, ANYBODY).await;
    let pointer = scan(&world).await.into_iter().find(|item| key(item).contains("#CLIENT#")).unwrap();
    let next = world.make(&world.app, "appusers", json!({ "userId": "next" })).await;
    let next = next["appUser"]["_id"].as_str().unwrap();
    world.link("next", "twilio", ANYBODY, json!({ "type": "immediate" })).await;
    world.notify("twilio", ANYBODY, "To the next").await;
    world.settle().await;
    // As an erasure finds it that the theft overtakes.
    put(&world, pointer).await;
    world.remove(&world.app, &format!("appusers/{leaving}")).await;
    world.settle().await;
    let at_the_address: Vec<_> = scan(&world).await.into_iter().filter(|item| key(item).contains("#AT#")).collect();
    let said = |item: &Item| item.get("matchResult").map(|result| format!("{result:?}").contains(next));
    let sent: Vec<_> = at_the_address.iter().filter(|item| key(item).contains("|NOTIFICATION#")).collect();
    assert_eq!(sent.iter().map(|item| said(item)).collect::<Vec<_>>(), [None, Some(true)], "{sent:?}");
    let owner = at_the_address.iter().find(|item| key(item).ends_with("|MATCH")).unwrap();
    assert_eq!(owner["appUserId"].as_s().unwrap(), next);
    assert_eq!(items_with(&world, &leaving).await, [""; 0]);
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
