//! Apps, their keys, and service accounts, by the API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

pub type Key = (String, String);

/// A call by a key.
async fn call(world: &World, key: &Key, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = world.http(method, path).basic_auth(&key.0, Some(&key.1));
    world.request(if let Some(body) = body { request.json(&body) } else { request }).await
}

pub async fn get(world: &World, key: &Key, path: &str) -> Answer {
    call(world, key, Method::GET, path, None).await
}

pub async fn post(world: &World, key: &Key, path: &str, body: Value) -> Answer {
    call(world, key, Method::POST, path, Some(body)).await
}

pub async fn put(world: &World, key: &Key, path: &str, body: Value) -> Answer {
    call(world, key, Method::PUT, path, Some(body)).await
}

pub async fn delete(world: &World, key: &Key, path: &str) -> Answer {
    call(world, key, Method::DELETE, path, None).await
}

pub async fn with_token(world: &World, token: &str, path: &str) -> Answer {
    world.request(world.http(Method::GET, path).bearer_auth(token)).await
}

pub fn owned((id, secret): (&str, &str)) -> Key {
    (id.to_owned(), secret.to_owned())
}

pub fn account(world: &World) -> Key {
    owned(world.app.account_key())
}

fn app_key(world: &World) -> Key {
    owned(world.app.key())
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A new app's id.
pub async fn new_app(world: &World, key: &Key, name: &str) -> String {
    let answer = post(world, key, "/v1.1/apps", json!({ "name": name })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    text(&answer.body["app"]["_id"])
}

/// A new key below a path that lists keys.
pub async fn new_key(world: &World, key: &Key, path: &str) -> Key {
    let answer = post(world, key, path, json!({ "name": "a key" })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (text(&answer.body["key"]["_id"]), text(&answer.body["key"]["secret"]))
}

pub async fn new_service_account(world: &World) -> String {
    let answer = post(world, &account(world), "/v1.1/serviceaccounts", json!({ "name": "Helper" })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    text(&answer.body["serviceAccount"]["_id"])
}

pub fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["error"]["code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert!(!answer.body["error"]["description"].as_str().unwrap().is_empty());
}

pub fn names(answer: &Answer, list: &str) -> Vec<String> {
    answer.body[list].as_array().unwrap().iter().map(|entry| text(&entry["name"])).collect()
}

#[tokio::test]
async fn an_app_lives_and_dies() {
    let world = World::new().await;
    let key = account(&world);
    let created = post(
        &world,
        &key,
        "/v1.1/apps",
        json!({ "name": "Shop", "settings": { "echoPostback": true }, "metadata": { "plan": "gold" } }),
    )
    .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let app = &created.body["app"];
    assert_eq!(app["name"], "Shop");
    assert_eq!(app["metadata"], json!({ "plan": "gold" }));
    assert_eq!(app["settings"]["echoPostback"], true);
    assert_eq!(app["settings"]["maskCreditCardNumbers"], true, "the default");
    let path = format!("/v1.1/apps/{}", text(&app["_id"]));
    assert_eq!(get(&world, &key, &path).await.body, created.body, "also its token is the same");

    let updated = put(&world, &key, &path, json!({ "name": "Shop of tea", "metadata": { "seats": 3 } })).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(updated.body["app"]["name"], "Shop of tea");
    assert_eq!(updated.body["app"]["metadata"], json!({ "seats": 3 }));
    assert_eq!(updated.body["app"]["settings"], app["settings"]);

    let deleted = delete(&world, &key, &path).await;
    assert_eq!((deleted.status, &deleted.body), (200, &json!({})));
    refused(&get(&world, &key, &path).await, 404, "app_not_found");
    refused(&put(&world, &key, &path, json!({ "name": "Back" })).await, 404, "app_not_found");
    refused(&delete(&world, &key, &path).await, 404, "app_not_found");
    assert_eq!(names(&get(&world, &key, "/v1.1/apps").await, "apps"), ["Tea House"]);
    world.end().await;
}

#[tokio::test]
async fn apps_are_listed_in_pages_oldest_first() {
    let world = World::new().await;
    let key = account(&world);
    for number in 0..4 {
        new_app(&world, &key, &format!("Number {number}")).await;
    }
    let all = get(&world, &key, "/v1.1/apps").await;
    assert_eq!((all.body["hasMore"].clone(), all.body["offset"].clone()), (json!(false), json!(0)));
    let all = names(&all, "apps");
    assert_eq!(all.len(), 5);
    let first = get(&world, &key, "/v1.1/apps?limit=3").await;
    assert_eq!((names(&first, "apps"), first.body["hasMore"].clone()), (all[..3].to_vec(), json!(true)));
    let rest = get(&world, &key, "/v1.1/apps?limit=3&offset=3").await;
    assert_eq!((names(&rest, "apps"), rest.body["hasMore"].clone()), (all[3..].to_vec(), json!(false)));
    assert_eq!(rest.body["offset"], 3);
    let beyond = get(&world, &key, "/v1.1/apps?offset=99").await;
    assert_eq!((names(&beyond, "apps").len(), beyond.body["hasMore"].clone()), (0, json!(false)));
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1", "serviceAccountId=nobody"] {
        let answer = get(&world, &key, &format!("/v1.1/apps?{query}")).await;
        refused(&answer, 400, "bad_request");
        let field = query.split('=').next().unwrap();
        assert!(answer.body["error"]["description"].as_str().unwrap().starts_with(field), "{}", answer.body);
    }
    world.end().await;
}

#[tokio::test]
async fn settings_are_merged_key_by_key_and_null_unsets() {
    let world = World::new().await;
    let key = app_key(&world);
    let path = format!("/v1.1/apps/{}", world.app.id());
    let settings = async |body: Value| {
        let answer = put(&world, &key, &path, json!({ "settings": body })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["app"]["settings"].clone()
    };
    let one = settings(json!({ "conversationRetentionSeconds": 86_400, "useAnimalNames": true })).await;
    assert_eq!((&one["conversationRetentionSeconds"], &one["useAnimalNames"]), (&json!(86_400), &json!(true)));
    let two = settings(json!({ "maskCreditCardNumbers": false })).await;
    assert_eq!(two["conversationRetentionSeconds"], 86_400);
    assert_eq!((&two["maskCreditCardNumbers"], &two["useAnimalNames"]), (&json!(false), &json!(true)));
    let three = settings(json!({ "conversationRetentionSeconds": null })).await;
    assert_eq!(three.get("conversationRetentionSeconds"), None);
    assert_eq!(settings(json!({})).await, three, "nothing said, nothing changed");
    for (body, problem) in [
        (json!({ "settings": { "echoPostback": null } }), "settings.echoPostback must not be null"),
        (json!({ "settings": [] }), "settings must be an object"),
        (json!({ "name": "" }), "name must not be empty"),
    ] {
        let answer = put(&world, &key, &path, body).await;
        refused(&answer, 400, "bad_request");
        assert_eq!(answer.body["error"]["description"], problem);
    }
    world.end().await;
}

#[tokio::test]
async fn concurrent_updates_keep_each_others_fields() {
    let world = World::new().await;
    let key = account(&world);
    let path = format!("/v1.1/apps/{}", world.app.id());
    let change = async |body: Value| assert_eq!(put(&world, &key, &path, body).await.status, 200);
    tokio::join!(
        change(json!({ "name": "Tea and cake" })),
        change(json!({ "metadata": { "seats": 12 } })),
        change(json!({ "settings": { "useAnimalNames": true } })),
        change(json!({ "settings": { "echoPostback": true } })),
        change(json!({ "settings": { "ignoreAutoConversationStart": true } })),
        change(json!({ "settings": { "conversationRetentionSeconds": 60 } })),
    );
    let app = get(&world, &key, &path).await.body["app"].clone();
    assert_eq!((&app["name"], &app["metadata"]), (&json!("Tea and cake"), &json!({ "seats": 12 })));
    let expected = json!({
        "maskCreditCardNumbers": true, "useAnimalNames": true, "echoPostback": true,
        "ignoreAutoConversationStart": true, "conversationRetentionSeconds": 60,
    });
    assert_eq!(app["settings"], expected);
    world.end().await;
}

#[tokio::test]
async fn a_key_is_made_shown_used_and_deleted() {
    let world = World::new().await;
    let owner = account(&world);
    let keys = format!("/v1.1/apps/{}/keys", world.app.id());
    let created = post(&world, &owner, &keys, json!({ "name": "backend" })).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let made = &created.body["key"];
    assert_eq!(made["name"], "backend");
    let (id, secret) = (text(&made["_id"]), text(&made["secret"]));
    assert!(id.starts_with("app_") && id.len() == 28, "{id}");
    let path = format!("{keys}/{id}");
    assert_eq!(get(&world, &owner, &path).await.body, created.body, "the secret is shown again");
    let listed = get(&world, &owner, &keys).await.body["keys"].as_array().unwrap().clone();
    assert!(listed.len() == 2 && listed.contains(made), "{listed:?}");

    let app = format!("/v1.1/apps/{}", world.app.id());
    assert_eq!(get(&world, &(id.clone(), secret.clone()), &app).await.status, 200);
    let token = text(&get(&world, &owner, &format!("{path}/jwt")).await.body["jwt"]);
    assert_eq!(with_token(&world, &token, &app).await.status, 200);
    refused(&with_token(&world, &token, "/v1.1/apps").await, 403, "forbidden");

    let deleted = delete(&world, &owner, &path).await;
    assert_eq!((deleted.status, &deleted.body), (200, &json!({})));
    for gone in [get(&world, &owner, &path).await, delete(&world, &owner, &path).await] {
        refused(&gone, 404, "key_not_found");
    }
    assert_eq!(names(&get(&world, &owner, &keys).await, "keys"), ["demo"]);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_key_and_whose_it_is_not_is_not_found() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let owner = account(&world);
    let keys = format!("/v1.1/apps/{}/keys", world.app.id());
    for id in [other.key().0, owner.0.as_str(), "nothing", "app_64c0ffee0123456789abcdef", "a%23b"] {
        for path in [format!("{keys}/{id}"), format!("{keys}/{id}/jwt")] {
            refused(&get(&world, &owner, &path).await, 404, "key_not_found");
        }
        refused(&delete(&world, &owner, &format!("{keys}/{id}")).await, 404, "key_not_found");
    }
    refused(&get(&world, &owner, &format!("/v1.1/apps/{}/keys", other.id())).await, 403, "forbidden");
    refused(&get(&world, &app_key(&world), &keys).await, 403, "forbidden");
    refused(&get(&world, &app_key(&world), "/v1.1/keys").await, 403, "forbidden");
    refused(&post(&world, &owner, &keys, json!({})).await, 400, "bad_request");
    let long = post(&world, &owner, &keys, json!({ "name": "n".repeat(101) })).await;
    assert_eq!(long.body["error"]["description"], "name must have at most 100 characters, not 101");
    assert_eq!(get(&world, &owned(other.key()), &format!("/v1.1/apps/{}", other.id())).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn ten_keys_are_the_limit_however_many_are_made_at_once() {
    let world = World::new().await;
    let owner = account(&world);
    let service_account = new_service_account(&world).await;
    let of_app = format!("/v1.1/apps/{}/keys", world.app.id());
    let of_service_account = format!("/v1.1/serviceaccounts/{service_account}/keys");
    for (path, room) in [(of_app, 9), (of_service_account, 10)] {
        let make = |number: usize| post(&world, &owner, &path, json!({ "name": format!("key {number}") }));
        let made = futures::future::join_all((0..16).map(make)).await;
        assert_eq!(made.iter().filter(|answer| answer.status == 201).count(), room);
        made.iter().filter(|answer| answer.status != 201).for_each(|answer| refused(answer, 400, "bad_request"));
        let listed = get(&world, &owner, &path).await.body["keys"].as_array().unwrap().clone();
        assert_eq!(listed.len(), 10);
        let one = format!("{path}/{}", text(&listed[9]["_id"]));
        let (first, second) = tokio::join!(delete(&world, &owner, &one), delete(&world, &owner, &one));
        let mut statuses = [first.status, second.status];
        statuses.sort();
        assert_eq!(statuses, [200, 404], "deleted once, and counted once");
        assert_eq!(post(&world, &owner, &path, json!({ "name": "again" })).await.status, 201);
        refused(&post(&world, &owner, &path, json!({ "name": "too many" })).await, 400, "bad_request");
    }
    world.end().await;
}

#[tokio::test]
async fn a_deleted_key_and_its_tokens_are_refused_within_thirty_seconds_everywhere() {
    let world = World::new().await;
    let owner = account(&world);
    let keys = format!("/v1.1/apps/{}/keys", world.app.id());
    let key = new_key(&world, &owner, &keys).await;
    let token = text(&get(&world, &owner, &format!("{keys}/{}/jwt", key.0)).await.body["jwt"]);
    // A right key gets as far as the body, or the answer.
    let asked = [
        (Method::POST, "/v1.1/notifications", 400),
        (Method::GET, "/v1.1/sdks", 200),
        (Method::GET, "/v1.1/webhooks", 200),
        (Method::GET, "/v1.1/appusers/nobody", 404),
        (Method::GET, "/v1.1/appusers/nobody/messages", 404),
        (Method::POST, "/v1.1/attachments/remove", 400),
    ];
    let ask = async |method: &Method, path: &str| {
        let request = || world.http(method.clone(), path).json(&json!({}));
        let basic = world.request(request().basic_auth(&key.0, Some(&key.1))).await.status;
        [basic, world.request(request().bearer_auth(&token)).await.status]
    };
    for (method, path, status) in &asked {
        assert_eq!(ask(method, path).await, [*status; 2], "{path}");
    }
    let since = std::time::Instant::now();
    assert_eq!(delete(&world, &owner, &format!("{keys}/{}", key.0)).await.status, 200);
    for (method, path, _) in &asked {
        world.until("the key to be refused", async |_| (ask(method, path).await == [401; 2]).then_some(())).await;
    }
    assert!(since.elapsed().as_secs() < 35, "{:?}", since.elapsed());
    world.end().await;
}

#[tokio::test]
async fn apps_are_managed_by_accounts_and_an_app_changes_only_itself() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let key = app_key(&world);
    refused(&get(&world, &key, "/v1.1/apps").await, 403, "forbidden");
    refused(&post(&world, &key, "/v1.1/apps", json!({ "name": "Mine" })).await, 403, "forbidden");
    refused(&delete(&world, &key, &format!("/v1.1/apps/{}", world.app.id())).await, 403, "forbidden");
    refused(&get(&world, &key, "/v1.1/serviceaccounts").await, 403, "forbidden");
    refused(&put(&world, &key, &format!("/v1.1/apps/{}", other.id()), json!({ "name": "X" })).await, 403, "forbidden");
    refused(&get(&world, &account(&world), &format!("/v1.1/apps/{}", other.id())).await, 403, "forbidden");
    assert_eq!(put(&world, &key, &format!("/v1.1/apps/{}", world.app.id()), json!({ "name": "Me" })).await.status, 200);
    let sdks = get(&world, &key, "/v1.1/sdks").await;
    assert_eq!((sdks.status, &sdks.body), (200, &json!({})), "no SDK has an integration yet");
    refused(&get(&world, &account(&world), "/v1.1/keys").await, 403, "forbidden");
    world.end().await;
}

#[tokio::test]
async fn of_a_deleted_app_no_key_is_left_however_it_was_made() {
    let world = World::new().await;
    let owner = account(&world);
    let app = new_app(&world, &owner, "Short-lived").await;
    let path = format!("/v1.1/apps/{app}");
    let keys = format!("{path}/keys");
    let make = |_| post(&world, &owner, &keys, json!({ "name": "racing" }));
    let (made, deleted) = tokio::join!(futures::future::join_all((0..8).map(make)), delete(&world, &owner, &path));
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    for answer in made.iter().filter(|answer| answer.status == 201) {
        let key = (text(&answer.body["key"]["_id"]), text(&answer.body["key"]["secret"]));
        refused(&get(&world, &key, &path).await, 401, "unauthorized");
    }
    world.end().await;
}
