//! Every answer of AWS lost, one at a time, in every flow: what is told, sent, answered and kept is what it would have been.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::apps;
use crate::forms::{FORM, form};
use crate::walk::{Run, walk};
use crate::world::World;

fn text() -> Value {
    json!({ "role": "appMaker", "type": "text", "text": "Hello" })
}

/// Somebody new, known by a notification to their number.
async fn known(run: &Run<'_>, phone: &str) -> String {
    run.world.notify("twilio", phone, "Who are you").await;
    run.quiet().await;
    let told = run.world.events_named("notification:delivery:channel").await;
    let of_them = told.iter().find(|event| event["matchResult"]["client"]["externalId"] == phone);
    of_them.unwrap()["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned()
}

async fn standing(run: &Run<'_>, person: &str) -> Value {
    json!([run.read(&format!("appusers/{person}")).await, run.read(&format!("appusers/{person}/messages")).await])
}

async fn notified(run: &Run<'_>, channel: &str, phone: &str, text: &str) -> Value {
    run.begin().await;
    run.world.notify(channel, phone, text).await;
    run.end().await;
    Value::Null
}

#[tokio::test]
async fn of_sending() {
    let (world, mut numbers) = (World::new().await, 0..);
    let numbers = &mut numbers;
    walk(&world, "a notification to somebody new", numbers, async |run| {
        notified(run, "twilio", &run.phone("42"), "Hello").await
    })
    .await;
    walk(&world, "a notification that fails after it was taken", numbers, async |run| {
        notified(run, "messagebird", &run.phone("0903"), "Hello").await
    })
    .await;
    walk(&world, "a notification that the carrier refuses", numbers, async |run| {
        notified(run, "twilio", &run.phone("0901"), "Hello").await
    })
    .await;
    walk(&world, "a claim given back and taken over", numbers, async |run| {
        notified(run, "twilio", &run.phone("0905"), "Hello").await
    })
    .await;
    walk(&world, "a notification of two parts", numbers, async |run| {
        notified(run, "twilio", &run.phone("42"), &"Dear customer, ".repeat(110)).await
    })
    .await;
    walk(&world, "a reply with its context", numbers, async |run| {
        let phone = run.phone("42");
        let person = known(run, &phone).await;
        run.begin().await;
        run.world.reply("twilio", &phone, "It is me").await;
        run.end().await;
        standing(run, &person).await
    })
    .await;
    walk(&world, "a reply of somebody new", numbers, async |run| {
        run.begin().await;
        run.world.reply("messagebird", &run.phone("42"), "It is me").await;
        run.end().await;
        Value::Null
    })
    .await;
    world.end().await;
}

/// A call of the API about somebody who is known, and how they stand after it.
async fn of_known(run: &Run<'_>, method: Method, below: &str, body: Option<Value>) -> Value {
    let person = known(run, &run.phone("42")).await;
    run.begin().await;
    let answer = run.ask(method, &format!("appusers/{person}{below}"), body).await;
    run.end().await;
    json!([answer.status, standing(run, &person).await])
}

#[tokio::test]
async fn of_conversations() {
    let (world, mut numbers) = (World::new().await, 0..);
    let numbers = &mut numbers;
    walk(&world, "a message posted", numbers, async |run| of_known(run, Method::POST, "/messages", Some(text())).await)
        .await;
    walk(&world, "messages deleted", numbers, async |run| of_known(run, Method::DELETE, "/messages", None).await).await;
    walk(&world, "a message deleted", numbers, async |run| {
        let person = run.person().await;
        let messages = format!("appusers/{person}/messages");
        let posted = run.ask(Method::POST, &messages, Some(text())).await.body["message"]["_id"].clone();
        run.begin().await;
        let answer = run.ask(Method::DELETE, &format!("{messages}/{}", posted.as_str().unwrap()), None).await;
        run.end().await;
        json!([answer.status, standing(run, &person).await])
    })
    .await;
    walk(&world, "a picture posted", numbers, async |run| {
        let person = run.person().await;
        let (key, secret) = world.app.key();
        let body = form(&[("role", "appUser")], "tea.png", "image/png", b"\x89PNG\r\n\x1a\n\x00\xff");
        let path = format!("/v1.1/apps/{}/appusers/{person}/images", world.app.id());
        run.begin().await;
        let request = world.http(Method::POST, &path).basic_auth(key, Some(secret));
        let answer = world.request(request.header(CONTENT_TYPE, FORM).body(body)).await;
        run.end().await;
        json!([answer.status, standing(run, &person).await])
    })
    .await;
    walk(&world, "a file kept and removed", numbers, async |run| {
        let (key, secret) = world.app.key();
        let path = format!("/v1.1/apps/{}/attachments?access=public", world.app.id());
        let body = form(&[], "tea.txt", "text/plain", b"tea");
        run.begin().await;
        let request = world.http(Method::POST, &path).basic_auth(key, Some(secret));
        let made = world.request(request.header(CONTENT_TYPE, FORM).body(body)).await;
        let url = json!({ "mediaUrl": made.body["mediaUrl"] });
        let removed = run.ask(Method::POST, "attachments/remove", Some(url)).await;
        run.end().await;
        json!([made.status, removed.status, world.files().await.iter().any(|file| file.contains("tea.txt"))])
    })
    .await;
    walk(&world, "reading", numbers, async |run| {
        of_known(
            run,
            Method::POST,
            "/conversation/activity",
            Some(json!({ "role": "appUser", "type": "conversation:read" })),
        )
        .await
    })
    .await;
    world.end().await;
}

#[tokio::test]
async fn of_people() {
    let (world, mut numbers) = (World::new().await, 0..);
    let numbers = &mut numbers;
    for confirmation in [json!({ "type": "immediate" }), json!({ "type": "immediate", "message": text() })] {
        let name =
            format!("a link, {}", confirmation["message"]["type"].as_str().map_or("immediate", |_| "with a message"));
        walk(&world, &name, numbers, async |run| linked(run, confirmation.clone(), None).await).await;
    }
    walk(&world, "a link by the person's word", numbers, async |run| {
        linked(run, json!({ "type": "prompt" }), Some("yes")).await
    })
    .await;
    walk(&world, "an unlinking", numbers, async |run| of_known(run, Method::DELETE, "/channels/twilio", None).await)
        .await;
    walk(&world, "a profile changed", numbers, async |run| {
        of_known(run, Method::PUT, "", Some(json!({ "givenName": "Lea" }))).await
    })
    .await;
    walk(&world, "a person made and deleted", numbers, async |run| {
        run.begin().await;
        let person = run.person().await;
        run.world.notify("twilio", &run.phone("42"), "Hello").await;
        run.quiet().await;
        let deleted = run.ask(Method::DELETE, &format!("appusers/{person}"), None).await;
        run.end().await;
        json!([deleted.status, run.read(&format!("appusers/{person}")).await])
    })
    .await;
    walk(&world, "somebody known deleted", numbers, async |run| of_known(run, Method::DELETE, "", None).await).await;
    walk(&world, "a merge", numbers, async |run| {
        let (survivor, discarded) = (run.person().await, known(run, &run.phone("42")).await);
        run.begin().await;
        let body = json!({ "surviving": { "_id": survivor }, "discarded": { "_id": discarded } });
        let answer = run.ask(Method::POST, "appusers/merge", Some(body)).await;
        run.end().await;
        json!([answer.status, standing(run, &survivor).await])
    })
    .await;
    world.end().await;
}

async fn linked(run: &Run<'_>, confirmation: Value, reply: Option<&str>) -> Value {
    let (person, phone) = (run.person().await, run.phone("42"));
    run.begin().await;
    let body = json!({ "type": "twilio", "phoneNumber": phone, "confirmation": confirmation });
    let answer = run.ask(Method::POST, &format!("appusers/{person}/channels"), Some(body)).await;
    if let Some(reply) = reply {
        run.quiet().await;
        run.world.reply("twilio", &phone, reply).await;
    }
    run.end().await;
    json!([answer.status, standing(run, &person).await])
}

/// Something made by a post below a path, changed, and deleted; each answered as it should be.
async fn lived(run: &Run<'_>, path: &str, kind: &str, body: Value, change: Value) -> Value {
    run.begin().await;
    let made = run.ask(Method::POST, path, Some(body)).await;
    let one = format!("{path}/{}", made.body[kind]["_id"].as_str().unwrap());
    let changed = match change {
        Value::Null => 0,
        change => run.ask(Method::PUT, &one, Some(change)).await.status,
    };
    let shown = run.read(&one).await;
    let deleted = run.ask(Method::DELETE, &one, None).await.status;
    run.end().await;
    json!([made.status, changed, shown, deleted, run.read(path).await])
}

#[tokio::test]
async fn of_settings() {
    let (world, mut numbers) = (World::new().await, 0..);
    let numbers = &mut numbers;
    let menu = json!({ "items": [{ "type": "postback", "text": "Help", "payload": "HELP" }] });
    let menus = ["menu".to_owned(), format!("integrations/{}/menu", world.app.integration("twilio"))];
    for path in &menus {
        walk(&world, "a menu", numbers, async |run| {
            run.begin().await;
            let set = run.ask(Method::PUT, path, Some(menu.clone())).await.status;
            let deleted = run.ask(Method::DELETE, path, None).await.status;
            run.end().await;
            json!([set, deleted, run.read(path).await])
        })
        .await;
    }
    walk(&world, "a webhook", numbers, async |run| {
        let body = json!({ "target": "https://shop.example/hook", "triggers": ["postback"] });
        lived(run, "webhooks", "webhook", body, json!({ "includeClient": true })).await
    })
    .await;
    walk(&world, "a template", numbers, async |run| {
        let body = json!({ "name": run.name("t"), "message": text() });
        lived(run, "templates", "template", body, json!({ "name": run.name("u") })).await
    })
    .await;
    walk(&world, "an integration", numbers, async |run| {
        let body = json!({ "type": "messagebird", "accessKey": "any", "originator": "Shop" });
        lived(run, "integrations", "integration", body, json!({ "displayName": "Shop" })).await
    })
    .await;
    walk(&world, "a key", numbers, async |run| {
        let (key, path) = (apps::account(&world), format!("/v1.1/apps/{}/keys", world.app.id()));
        run.begin().await;
        let made = apps::post(&world, &key, &path, json!({ "name": "k" })).await;
        let one = format!("{path}/{}", made.body["key"]["_id"].as_str().unwrap_or("none"));
        let deleted = apps::delete(&world, &key, &one).await.status;
        run.end().await;
        json!([made.status, deleted, apps::get(&world, &key, &one).await.status])
    })
    .await;
    walk(&world, "a service account", numbers, async |run| {
        run.begin().await;
        let key = apps::account(&world);
        let made = apps::post(&world, &key, "/v1.1/serviceaccounts", json!({ "name": "s" })).await;
        let path = format!("/v1.1/serviceaccounts/{}", made.body["serviceAccount"]["_id"].as_str().unwrap_or("none"));
        let deleted = apps::delete(&world, &key, &path).await.status;
        run.end().await;
        json!([made.status, deleted, apps::get(&world, &key, &path).await.status])
    })
    .await;
    walk(&world, "an app", numbers, async |run| {
        run.begin().await;
        let key = apps::account(&world);
        let path = format!("/v1.1/apps/{}", apps::new_app(&world, &key, "Shop").await);
        let changed = apps::put(&world, &key, &path, json!({ "name": "Store" })).await.status;
        let deleted = apps::delete(&world, &key, &path).await.status;
        run.end().await;
        json!([changed, deleted, apps::get(&world, &key, &path).await.status])
    })
    .await;
    world.end().await;
}
