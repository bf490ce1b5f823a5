//! What goes wrong, drawn by the dice: one fault at a time, each of which strikes once or a few times.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::one_of;
use crate::world::World;

const FUNCTIONS: [&str; 5] = ["send_twilio", "send_messagebird", "receive", "deliver", "callbacks"];
const CALLS: [&str; 6] = [
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:TransactWriteItems",
    "sqs:SendMessage",
    "sqs:SendMessageBatch",
    "dynamodb:GetItem",
];

/// Whether a carrier's answer or the record of it may have got lost: what may then go out twice, or be told as failed
/// though it went out, is what the integration's `expiredClaim` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Closed,
    Open,
}

/// Lets something go wrong; where nothing may be undecided, something that leaves no carrier's answer in doubt.
pub async fn strike(world: &World, dice: &mut StdRng, may_be_undecided: bool) -> Window {
    loop {
        let (fault, window) = draw(world, dice);
        if may_be_undecided || window == Window::Closed {
            world.fault(fault).await;
            return window;
        }
    }
}

fn draw(world: &World, dice: &mut StdRng) -> (Value, Window) {
    let count = dice.random_range(1..=3);
    match dice.random_range(0..10) {
        0..4 => {
            let service = *one_of(dice, &["dynamodb", "dynamodb", "sqs", "s3"]);
            let fault = *one_of(dice, &["throttle", "status:500", "reset", "lost", "duplicate"]);
            (json!({ "target": service, "fault": fault, "count": count }), Window::Closed)
        }
        4..6 => {
            let channel = *one_of(dice, &crate::world::CHANNELS);
            let fault = *one_of(dice, &["status:503", "throttle", "reset", "lost", "duplicate", "status:500"]);
            let window = if matches!(fault, "reset" | "lost" | "status:500") { Window::Open } else { Window::Closed };
            (json!({ "target": format!("carrier:{channel}"), "fault": fault, "count": 1, "retryAfter": 1 }), window)
        }
        6..8 => {
            let fault = *one_of(dice, &["status:503", "reset", "status:429", "lost"]);
            let sink = format!("sink:{}", world.app.id());
            (json!({ "target": sink, "fault": fault, "count": count }), Window::Closed)
        }
        _ => {
            let function = *one_of(dice, &FUNCTIONS);
            let when = match dice.random_range(0..4) {
                0 => json!("start"),
                1 => json!("before-response"),
                _ => json!({ "afterCall": *one_of(dice, &CALLS), "n": 1 }),
            };
            let window = if function.starts_with("send_") { Window::Open } else { Window::Closed };
            (json!({ "target": format!("function:{function}"), "fault": "kill", "count": 1, "when": when }), window)
        }
    }
}
