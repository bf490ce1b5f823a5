//! Destinations choose outcomes: each carrier has a table of them, which `GET /_local/addresses` shows. This is what
//! such a table is made of, and the part that carriers of phone numbers share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use shared::ids::IntegrationId;

/// What becomes of a message to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Delivered,
    InvalidNumber,
    /// Refused at once.
    OptedOut,
    /// Taken, and reported later.
    #[serde(rename = "optedOut")]
    OptedOutLater,
    UnknownSubscriber,
    NeverConfirmed,
    ThrottledTwice,
    Slow,
    ReceiptsFirst,
    ReceiptsOutOfOrder,
    FailsOnce,
    NeverAnswers,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The destination's last characters; empty for all others.
    pub ends_with: &'static str,
    pub outcome: Outcome,
    pub what: &'static str,
}

#[rustfmt::skip]
pub const PHONE_NUMBERS: &[Row] = &[
    Row { ends_with: "0901", outcome: Outcome::InvalidNumber, what: "refused at once: no valid number" },
    Row { ends_with: "0903", outcome: Outcome::UnknownSubscriber, what: "accepted, then fails: unknown subscriber" },
    Row { ends_with: "0904", outcome: Outcome::NeverConfirmed, what: "accepted and sent, never confirmed" },
    Row { ends_with: "0905", outcome: Outcome::ThrottledTwice, what: "refused twice as too fast (Retry-After: 1), then delivered" },
    Row { ends_with: "0906", outcome: Outcome::Slow, what: "answered after 2 seconds, then delivered" },
    Row { ends_with: "0907", outcome: Outcome::ReceiptsFirst, what: "receipts arrive before the carrier's answer" },
    Row { ends_with: "0908", outcome: Outcome::ReceiptsOutOfOrder, what: "receipts arrive twice and in the wrong order" },
    Row { ends_with: "0909", outcome: Outcome::FailsOnce, what: "carrier's error 500 once, then delivered" },
    Row { ends_with: "0910", outcome: Outcome::NeverAnswers, what: "no answer; the connection is closed after 15 seconds" },
    Row { ends_with: "", outcome: Outcome::Delivered, what: "every other number: sent, then delivered" },
];

impl Outcome {
    /// By the first row that fits.
    pub fn of(destination: &str, table: &[Row]) -> Self {
        table.iter().find(|row| destination.ends_with(row.ends_with)).map_or(Self::Delivered, |row| row.outcome)
    }
}

/// How often an address has been refused, for outcomes that change their mind.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<(IntegrationId, String), u32>>);

/// More addresses than this are not remembered.
const REMEMBERED: usize = 10_000;

impl Attempts {
    /// Whether this attempt is among the first `times`, which are to fail; the next one starts the count anew.
    pub fn is_refused(&self, integration_id: IntegrationId, destination: &str, times: u32) -> bool {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= REMEMBERED {
            attempts.clear();
        }
        let key = (integration_id, destination.to_owned());
        let count = attempts.get(&key).copied().unwrap_or(0);
        if count < times {
            attempts.insert(key, count + 1);
            true
        } else {
            attempts.remove(&key);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::system::System;

    #[test]
    fn the_last_digits_decide() {
        for destination in ["+15550100901", "31612340901"] {
            assert_eq!(Outcome::of(destination, PHONE_NUMBERS), Outcome::InvalidNumber);
        }
        assert_eq!(Outcome::of("+15550100002", PHONE_NUMBERS), Outcome::Delivered);
    }

    #[test]
    fn a_count_starts_anew_once_it_is_used_up() {
        let attempts = Attempts::default();
        let id = IntegrationId::generate(&System);
        let outcomes: Vec<bool> = (0..6).map(|_| attempts.is_refused(id, "+1", 2)).collect();
        assert_eq!(outcomes, [true, true, false, true, true, false]);
    }
}
