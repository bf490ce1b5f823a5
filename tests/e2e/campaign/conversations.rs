//! Conversations under random trouble: what was answered 201 stands in the history and is told once, and the counters
//! agree with the history.

use std::collections::BTreeMap;

use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};

use super::trouble;
use super::{dice, distinct, end_of_trouble, one_of, seeds, steps};
use crate::users;
use crate::world::World;

const PEOPLE: usize = 4;

#[tokio::test]
async fn what_was_posted_is_kept_and_told_once_and_counted_right() {
    for seed in seeds() {
        play(seed).await;
    }
}

/// What became of a message that the API took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Posted,
    /// Its deletion was asked for; whether that was done is the answer's to say.
    Deleted,
    Unsure,
}

async fn play(seed: u64) {
    let world = World::new().await;
    let mut dice = dice(seed);
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(users::notified(&world, &format!("+1555015{:04}", 100 + number)).await);
    }
    let mut posted: BTreeMap<(usize, String), Fate> = BTreeMap::new();
    for step in 0..steps(25) {
        if dice.random_bool(0.3) {
            trouble::strike(&world, &mut dice, true).await;
        }
        let person = dice.random_range(0..PEOPLE);
        let path = format!("appusers/{}", people[person]);
        match dice.random_range(0..10) {
            0..5 => {
                let role = *one_of(&mut dice, &["appMaker", "appMaker", "appUser"]);
                let body = json!({ "role": role, "type": "text", "text": format!("seed {seed} step {step}") });
                let answer = world.manage(&world.app, Method::POST, &format!("{path}/messages"), Some(body)).await;
                if answer.status == 201 {
                    let id = answer.body["message"]["_id"].as_str().unwrap().to_owned();
                    posted.insert((person, id), Fate::Posted);
                }
            }
            5 | 6 => {
                let from = format!("+1555015{:04}", 100 + person);
                let body = json!({ "integrationId": world.app.integration("twilio"), "from": from, "text": "reply" });
                world.local(Method::POST, "reply", Some(body)).await;
            }
            7 => {
                world.manage(&world.app, Method::POST, &format!("{path}/conversation/read"), None).await;
            }
            8 => {
                let body = json!({ "role": "appMaker", "type": "conversation:read" });
                world.manage(&world.app, Method::POST, &format!("{path}/conversation/activity"), Some(body)).await;
            }
            _ => {
                let theirs: Vec<_> =
                    posted.iter().filter(|((whose, _), _)| *whose == person).map(|(key, _)| key.clone()).collect();
                if theirs.is_empty() {
                    continue;
                }
                let key = one_of(&mut dice, &theirs).clone();
                let answer =
                    world.manage(&world.app, Method::DELETE, &format!("{path}/messages/{}", key.1), None).await;
                posted.insert(key, if answer.status == 200 { Fate::Deleted } else { Fate::Unsure });
            }
        }
    }
    end_of_trouble(&world).await;
    let told = told(&distinct(world.events().await));
    let (mut missing, mut risen, mut untold, mut miscounted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (person, id) in people.iter().enumerate() {
        let history = world.read(&world.app, &format!("appusers/{id}/messages")).await;
        let messages = history["messages"].as_array().unwrap();
        let stands = |id: &str| messages.iter().any(|message| message["_id"] == id);
        for ((_, id), fate) in posted.iter().filter(|((whose, _), _)| *whose == person) {
            match fate {
                Fate::Posted if !stands(id) => missing.push(id.clone()),
                Fate::Deleted if stands(id) => risen.push(id.clone()),
                _ => {}
            }
            if told.get(id) != Some(&1) {
                untold.push((id.clone(), told.get(id).copied().unwrap_or(0)));
            }
        }
        let conversation = &history["conversation"];
        let read = conversation["appUserLastRead"].as_f64().unwrap_or(0.0);
        let unread = |message: &&Value| {
            let theirs = message["role"] == "appMaker" && message["source"]["type"] != "notification";
            theirs && message["received"].as_f64().unwrap() > read
        };
        let expected = messages.iter().filter(unread).count() as u64;
        if conversation["unreadCount"] != expected {
            miscounted.push((id.clone(), conversation["unreadCount"].clone(), expected));
        }
    }
    #[allow(clippy::print_stdout)] // What a long campaign is run for.
    {
        println!(
            "seed {seed}: {} messages, missing {}, back again {}, not told once {}, wrong counters {}",
            posted.len(),
            missing.len(),
            risen.len(),
            untold.len(),
            miscounted.len()
        );
    }
    assert!(missing.is_empty(), "seed {seed}: lost {missing:?}");
    assert!(risen.is_empty(), "seed {seed}: deleted and there {risen:?}");
    assert!(untold.is_empty(), "seed {seed}: told another number of times than once {untold:?}");
    assert!(miscounted.is_empty(), "seed {seed}: unread counts {miscounted:?}");
    world.end().await;
}

/// How many events told of each message.
fn told(events: &[Value]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for event in events {
        for message in event["messages"].as_array().into_iter().flatten() {
            *told.entry(message["_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}
