//! Random trouble, seeded: whatever is killed, doubled, lost, throttled or refused, what was promised holds.
//!
//! Each seed plays one world. `cargo test` plays a short one of each kind; a long campaign is
//!
//! ```sh
//! CAMPAIGN_SEEDS=20 CAMPAIGN_STEPS=200 cargo test -p functions --test e2e campaign:: -- --nocapture --test-threads 1
//! ```
//!
//! `CAMPAIGN_FIRST` names the first seed, so that one that failed is played again alone.

mod conversations;
mod notifications;
mod trouble;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::world::World;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

fn seeds() -> std::ops::Range<u64> {
    let first = number("CAMPAIGN_FIRST", 1);
    first..first + number("CAMPAIGN_SEEDS", 1)
}

fn steps(otherwise: u64) -> u64 {
    number("CAMPAIGN_STEPS", otherwise)
}

fn dice(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn one_of<'a, T>(dice: &mut StdRng, choices: &'a [T]) -> &'a T {
    &choices[dice.random_range(0..choices.len())]
}

/// Ends the trouble and waits until all that was begun has come to an end; dead letters are redriven, as an operator
/// would, since a promise is kept by them too.
async fn end_of_trouble(world: &World) {
    world.heal().await;
    for _ in 0..4 {
        world.outlive().await;
        if world.dead_letters().await.is_empty() {
            return;
        }
        world.redrive_all().await;
    }
    let left = world.dead_letters().await;
    assert!(left.is_empty(), "dead letters come back: {left:#?}");
}

/// Events without repeats, by `eventId`.
fn distinct(events: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    events.into_iter().filter(|event| seen.insert(event["eventId"].to_string())).collect()
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
