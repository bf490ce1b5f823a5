//! Notifications and replies under random trouble: each 201 has one end, each message goes out once (at most twice where
//! the carrier's answer was lost and the integration says `resend`), and no context is given twice. In every second seed
//! no carrier's answer is ever in doubt: then what can be delivered is, whatever AWS and webhooks do.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::trouble::{self, Window};
use super::{dice, distinct, end_of_trouble, one_of, seeds, steps, text};
use crate::world::{
    App, CHANNELS, DISORDERLY, ERROR_ONCE, FAILS_LATER, RECEIPT_FIRST, REFUSED, THROTTLED_TWICE, World,
};

const SPECIAL: [&str; 6] = [DISORDERLY, ERROR_ONCE, FAILS_LATER, RECEIPT_FIRST, REFUSED, THROTTLED_TWICE];

/// What one seed did, and what the intake said of it.
struct Sent {
    text: String,
    to: String,
    /// Of a 201; another answer promises nothing.
    id: Option<String>,
}

#[tokio::test]
async fn every_notification_has_one_end_and_no_context_is_given_twice() {
    for seed in seeds() {
        for policy in ["resend", "fail"] {
            play(seed, policy).await;
        }
    }
}

async fn play(seed: u64, policy: &str) {
    let world = World::new().await;
    let app = world.another_app(json!({ "expiredClaim": policy })).await;
    let (mut dice, mut window, mut sent) = (dice(seed), Window::Closed, Vec::new());
    for step in 0..steps(20) {
        if dice.random_bool(0.3) && trouble::strike(&world, &mut dice, seed.is_multiple_of(2)).await == Window::Open {
            window = Window::Open;
        }
        let channel = *one_of(&mut dice, &CHANNELS);
        let to = address(&mut dice);
        if dice.random_bool(0.15) {
            let body = json!({ "integrationId": app.integration(channel), "from": to, "text": format!("r{step}") });
            // A carrier may not get through to us; what it was told it need not repeat is what counts.
            world.local(reqwest::Method::POST, "reply", Some(body)).await;
        } else {
            sent.push(notify(&world, &app, channel, &to, format!("seed {seed} step {step}.")).await);
        }
    }
    end_of_trouble(&world).await;
    let events = distinct(world.events_of(&app).await);
    let (mut lost, mut finals, mut doubled, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let outbox = world.outbox().await;
    for Sent { text, to, id } in &sent {
        let copies = outbox.iter().filter(|entry| entry.to_string().contains(text.as_str())).count();
        let allowed = if window == Window::Open && policy == "resend" { 2 } else { 1 };
        if copies > allowed {
            doubled.push((text, copies));
        }
        let Some(id) = id else { continue };
        let is_end = |event: &&Value| event["notification"]["_id"] == id.as_str() && event["isFinalEvent"] == true;
        match events.iter().filter(is_end).collect::<Vec<_>>().as_slice() {
            [] => lost.push(text),
            [end] => {
                let arrived = end["trigger"] == "notification:delivery:user";
                assert!(!arrived || copies > 0, "seed {seed}: {text} is told as delivered and went out to nobody");
                // A 500 leaves it in doubt too: two in a row, as two messages at once may meet, are a failure.
                let can_arrive = ![FAILS_LATER, REFUSED, ERROR_ONCE].contains(&to.as_str());
                if window == Window::Closed && can_arrive && !arrived {
                    failed.push((text, to, end["error"].clone()));
                }
            }
            _ => finals.push(text),
        }
    }
    let given_twice = given_twice(&events);
    #[allow(clippy::print_stdout)] // What a long campaign is run for.
    {
        println!(
            "seed {seed} {policy}: {} notifications, lost {}, doubled {}, second finals {}, failed without need {}, \
             contexts given twice {}",
            sent.len(),
            lost.len(),
            doubled.len(),
            finals.len(),
            failed.len(),
            given_twice.len()
        );
    }
    assert!(lost.is_empty(), "seed {seed} {policy}: no end for {lost:?}");
    assert!(doubled.is_empty(), "seed {seed} {policy}: too often {doubled:?}");
    assert!(finals.is_empty(), "seed {seed} {policy}: two ends for {finals:?}");
    assert!(failed.is_empty(), "seed {seed} {policy}: failed without need {failed:?}");
    assert!(given_twice.is_empty(), "seed {seed} {policy}: given twice {given_twice:?}");
    world.end().await;
}

fn address(dice: &mut StdRng) -> String {
    if dice.random_bool(0.3) {
        return (*one_of(dice, &SPECIAL)).to_owned();
    }
    format!("+155501{:05}", 200 + dice.random_range(0..12))
}

async fn notify(world: &World, app: &App, channel: &str, to: &str, said: String) -> Sent {
    let answer = world.post(app, &World::body(app, channel, to, text(&said))).await;
    let id = (answer.status == 201).then(|| answer.body["notification"]["_id"].as_str().unwrap().to_owned());
    Sent { text: said, to: to.to_owned(), id }
}

/// Entries of `recentNotifications` that more than one reply was told with.
fn given_twice(events: &[Value]) -> Vec<String> {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for event in events {
        for entry in event["recentNotifications"].as_array().into_iter().flatten() {
            *given.entry(entry["_id"].to_string()).or_default() += 1;
        }
    }
    given.into_iter().filter(|(_, times)| *times > 1).map(|(id, _)| id).collect()
}
