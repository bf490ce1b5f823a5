//! What a person may do with a token of their own: ask for an address whose holder must say yes, and no more.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::credentials::{Credential, basic, own_token};
use crate::table::{items_with, set};
use crate::world::{ANYBODY, Answer, World};

async fn people(world: &World, names: &[&str]) {
    for name in names {
        world.make(&world.app, "appusers", json!({ "userId": name })).await;
    }
}

async fn ask(world: &World, by: &Credential, person: &str, to: &str, confirmation: Value) -> Answer {
    let path = format!("/v1.1/apps/{}/appusers/{person}/channels", world.app.id());
    let body = json!({ "type": "twilio", "phoneNumber": to, "confirmation": confirmation });
    world.call(by, Method::POST, &path, Some(body)).await
}

/// By the person's own token, and by `prompt`.
async fn ask_for(world: &World, person: &str, to: &str) -> Answer {
    ask(world, &own_token(world.app.key(), person), person, to, json!({ "type": "prompt" })).await
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"]["code"].as_str().unwrap_or("served"))
}

fn number(last: usize) -> String {
    format!("+1555010{last:04}")
}

async fn clients(world: &World, person: &str) -> (usize, usize) {
    let user = world.read(&world.app, &format!("appusers/{person}")).await;
    let count = |name: &str| user["appUser"][name].as_array().unwrap().len();
    (count("clients"), count("pendingClients"))
}

#[tokio::test]
async fn a_persons_word_takes_no_number_and_the_businesss_does() {
    let world = World::new().await;
    people(&world, &["eve", "bob"]).await;
    let text = json!({ "role": "appMaker", "type": "text", "text": "Click here" });
    let confirmations = [
        json!({ "type": "immediate" }),
        json!({ "type": "immediate", "message": text }),
        json!({ "type": "userActivity", "message": text }),
    ];
    for confirmation in &confirmations {
        let answer = ask(&world, &own_token(world.app.key(), "eve"), "eve", ANYBODY, confirmation.clone()).await;
        assert_eq!(told(&answer), (403, "forbidden"), "{confirmation}");
        let said = answer.body["error"]["description"].as_str().unwrap();
        assert!(said.starts_with("confirmation.type must be prompt"), "{said}");
    }
    let worded = json!({ "type": "prompt", "message": text });
    let answer = ask(&world, &own_token(world.app.key(), "eve"), "eve", ANYBODY, worded).await;
    assert_eq!(told(&answer), (400, "bad_request"), "the words of a prompt are not the person's");
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    assert_eq!(clients(&world, "eve").await, (0, 0));

    let business = [basic(world.app.key()), basic(world.app.account_key())];
    let kinds = confirmations.into_iter().chain([json!({ "type": "prompt" })]);
    for (index, confirmation) in kinds.enumerate() {
        for (by, credential) in business.iter().enumerate() {
            let answer = ask(&world, credential, "bob", &number(index * 2 + by), confirmation.clone()).await;
            assert_eq!(answer.status, 200, "{confirmation}: {}", answer.body);
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_number_is_a_persons_once_its_holder_said_yes() {
    let world = World::new().await;
    people(&world, &["bob"]).await;
    let asked = ask_for(&world, "bob", ANYBODY).await;
    assert_eq!(asked.body["appUser"]["pendingClients"][0]["externalId"], ANYBODY, "{}", asked.body);
    world.settle().await;
    assert_eq!(clients(&world, "bob").await, (0, 1));
    let again = ask_for(&world, "bob", ANYBODY).await;
    assert_eq!(again.body["appUser"]["pendingClients"].as_array().unwrap().len(), 1, "{}", again.body);
    world.settle().await;
    let sent = world.outbox_to(ANYBODY).await;
    assert_eq!(sent.len(), 1, "a holder is asked once, however often the person repeats it");
    assert!(sent[0].to_string().contains("somebody asked to link this number to their account"), "{}", sent[0]);
    let code = crate::linking::code(&world, ANYBODY).await;
    world.reply("twilio", ANYBODY, &code).await;
    world.settle().await;
    assert_eq!(clients(&world, "bob").await, (1, 0));
    assert_eq!(world.events_named("link:success").await.len(), 1);
    let linked = ask_for(&world, "bob", ANYBODY).await;
    assert_eq!(linked.body["appUser"]["clients"][0]["externalId"], ANYBODY, "{}", linked.body);
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn of_many_links_asked_for_at_once_five_wait() {
    let world = World::new().await;
    people(&world, &["eve"]).await;
    let numbers: Vec<_> = (1..=8).map(number).collect();
    let answers = join_all(numbers.iter().map(|to| ask_for(&world, "eve", to))).await;
    assert!(answers.iter().filter(|answer| answer.status == 200).count() <= 5);
    // Whatever a machine with more to do let time out is asked for again, which asks nobody twice.
    let mut waiting = 0;
    for to in &numbers {
        let answer = ask_for(&world, "eve", to).await;
        match told(&answer) {
            (200, _) => waiting += 1,
            (400, "bad_request") => {
                let said = answer.body["error"]["description"].as_str().unwrap();
                assert!(said.starts_with("At most 5 links"), "{said}");
            }
            other => panic!("{other:?}: {}", answer.body),
        }
    }
    assert_eq!(waiting, 5);
    world.settle().await;
    assert_eq!(world.outbox().await.len(), 5);
    assert_eq!(clients(&world, "eve").await, (0, 5));

    let answered = world.outbox().await[0]["to"].as_str().unwrap().to_owned();
    world.reply("twilio", &answered, "no").await;
    world.settle().await;
    assert_eq!(told(&ask_for(&world, "eve", &number(20)).await), (429, "too_many_requests"), "not on this day");
    let counted = items_with(&world, "ASKED#").await.into_iter().find(|item| item.contains("#USERS#")).unwrap();
    set(&world, counted.split('|').nth(1).unwrap(), "asked", 0).await;
    assert_eq!(ask_for(&world, "eve", &number(20)).await.status, 200, "an answer makes room for another");
    assert_eq!(told(&ask_for(&world, "eve", &number(21)).await), (400, "bad_request"));
    world.end().await;
}

#[tokio::test]
async fn an_address_waits_for_one_person_and_a_no_lasts() {
    let world = World::new().await;
    people(&world, &["bob", "eve"]).await;
    assert_eq!(ask_for(&world, "bob", ANYBODY).await.status, 200);
    assert_eq!(told(&ask_for(&world, "eve", ANYBODY).await), (409, "conflict"));
    world.settle().await;
    assert_eq!((clients(&world, "bob").await, clients(&world, "eve").await), ((0, 1), (0, 0)));
    world.reply("twilio", ANYBODY, "NO").await;
    world.settle().await;
    assert_eq!(world.events_named("link:failure").await.len(), 1);
    for person in ["bob", "eve"] {
        assert_eq!(told(&ask_for(&world, person, ANYBODY).await), (409, "conflict"), "{person}");
    }
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1, "whoever said no is not asked again");
    let business = basic(world.app.key());
    assert_eq!(ask(&world, &business, "eve", ANYBODY, json!({ "type": "prompt" })).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn of_two_who_ask_for_one_number_at_once_one_waits() {
    let world = World::new().await;
    let names: Vec<_> = (0..6).map(|number| format!("person-{number}")).collect();
    people(&world, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let answers = join_all(names.iter().map(|name| ask_for(&world, name, ANYBODY))).await;
    let mut told: Vec<_> = answers.iter().map(told).collect();
    told.sort_unstable();
    let mut expected = vec![(200, "served")];
    expected.resize(6, (409, "conflict"));
    assert_eq!(told, expected);
    world.settle().await;
    assert_eq!(world.outbox_to(ANYBODY).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_person_has_only_so_many_questions_sent_on_a_day() {
    let world = World::new().await;
    people(&world, &["bob", "eve"]).await;
    // To an own number, again and again.
    for _ in 0..3 {
        assert_eq!(ask_for(&world, "bob", ANYBODY).await.status, 200);
        world.settle().await;
        let code = crate::linking::code(&world, ANYBODY).await;
        world.reply("twilio", ANYBODY, &code).await;
        world.settle().await;
        assert_eq!(clients(&world, "bob").await, (1, 0));
        world.remove(&world.app, "appusers/bob/channels/twilio").await;
    }
    let again = ask_for(&world, "bob", ANYBODY).await;
    assert_eq!(told(&again), (429, "too_many_requests"));
    let wait: u32 = again.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_401).contains(&wait), "{wait}");
    assert_eq!(told(&ask_for(&world, "eve", ANYBODY).await), (429, "too_many_requests"), "the address has had enough");
    // To numbers that fail.
    let failing = |number: usize| format!("+15550{:02}0901", 10 + number);
    for number in 0..40 {
        let answer = ask_for(&world, "eve", &failing(number)).await;
        assert_eq!(answer.status, if number < 5 { 200 } else { 429 }, "{}", answer.body);
    }
    world.settle().await;
    assert_eq!(world.events_named("link:failure").await.len(), 5);
    let business = basic(world.app.key());
    assert_eq!(ask(&world, &business, "bob", ANYBODY, json!({ "type": "prompt" })).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn what_the_business_says_of_a_person_the_person_does_not_change() {
    let world = World::new().await;
    let body = json!({ "userId": "bob", "credentialRequired": true, "signedUpAt": "2020-01-02T03:04:05.678Z" });
    world.make(&world.app, "appusers", body).await;
    let path = format!("/v1.1/apps/{}/appusers/bob", world.app.id());
    let change = json!({ "credentialRequired": false, "signedUpAt": "1999-01-02T03:04:05.678Z", "givenName": "Bob",
        "properties": { "tea": "green" } });
    let answer = world.call(&own_token(world.app.key(), "bob"), Method::PUT, &path, Some(change.clone())).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let user = &answer.body["appUser"];
    assert_eq!((&user["credentialRequired"], &user["signedUpAt"]), (&json!(true), &json!("2020-01-02T03:04:05.678Z")));
    assert_eq!((&user["givenName"], &user["properties"]), (&json!("Bob"), &json!({ "tea": "green" })));
    assert_eq!(world.read(&world.app, "appusers/bob").await["appUser"], *user);
    let by_business = world.change(&world.app, "appusers/bob", change).await;
    assert_eq!(by_business["appUser"]["credentialRequired"], false);
    assert_eq!(by_business["appUser"]["signedUpAt"], "1999-01-02T03:04:05.678Z");
    world.end().await;
}
