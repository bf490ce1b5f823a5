//! Fair queues: which of a queue's tenants are noisy, by the rules that SQS publishes, and in which order they wait.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>
//!
//! A tenant is a `MessageGroupId`; a message without one is a tenant of its own, and never noisy here. SQS does not say
//! how far back "recent" reaches: a minute here. Kept in memory and pure, with the time as an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Above this share of what the queue's consumers do, a tenant is noisy.
const SHARE: f64 = 0.1;
/// With so many in flight at least, where messages in flight are counted.
const IN_FLIGHT: u64 = 30;
/// What consumers spent their time on fades with this time constant.
const RECENT_MS: f64 = 60_000.0;
/// A tenant of which nothing was handed out for so long is quiet.
const FORGOTTEN_MS: i64 = 300_000;

/// The tenants of one queue.
pub struct Tenants {
    is_fair: bool,
    flights: HashMap<String, Flight>,
    /// When each flight ends by itself, soonest first.
    ends: BTreeSet<(i64, String)>,
    tenants: BTreeMap<String, Tenant>,
    all: Load,
}

/// A message that was handed out and neither deleted nor shown again.
struct Flight {
    row: i64,
    tenant: String,
    until: i64,
}

#[derive(Default)]
struct Tenant {
    load: Load,
    is_noisy: bool,
    last_taken: i64,
}

/// How many messages are in flight, and how long messages were lately, in milliseconds that fade.
#[derive(Default)]
struct Load {
    in_flight: u64,
    busy: f64,
    at: i64,
}

impl Load {
    fn advance(&mut self, now: i64) {
        let kept = (-((now - self.at).max(0) as f64) / RECENT_MS).exp();
        self.busy = self.busy * kept + self.in_flight as f64 * RECENT_MS * (1.0 - kept);
        self.at = self.at.max(now);
    }

    fn begin(&mut self, now: i64) {
        self.advance(now);
        self.in_flight += 1;
    }

    fn end(&mut self, now: i64) {
        self.advance(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Whether this is too much of what `all` are.
    fn is_noise_among(&self, all: &Self) -> bool {
        let crowds = self.in_flight >= IN_FLIGHT && self.in_flight as f64 > all.in_flight as f64 * SHARE;
        crowds || self.busy > all.busy * SHARE
    }
}

impl Default for Tenants {
    fn default() -> Self {
        Self {
            is_fair: true,
            flights: HashMap::new(),
            ends: BTreeSet::new(),
            tenants: BTreeMap::new(),
            all: Load::default(),
        }
    }
}

impl Tenants {
    /// Without fairness everybody waits in one line.
    pub fn play_fair(&mut self, is_fair: bool) {
        self.is_fair = is_fair;
    }

    /// A message was handed out, and is hidden until then. `tenant`: empty for none.
    pub fn taken(&mut self, receipt: &str, row: i64, tenant: &str, until: i64, now: i64) {
        self.all.begin(now);
        if !tenant.is_empty() {
            let known = self.tenants.entry(tenant.to_owned()).or_default();
            known.load.begin(now);
            known.last_taken = now;
        }
        self.ends.insert((until, receipt.to_owned()));
        self.flights.insert(receipt.to_owned(), Flight { row, tenant: tenant.to_owned(), until });
    }

    /// A message in flight is hidden until then instead.
    pub fn hidden(&mut self, receipt: &str, until: i64) {
        if let Some(flight) = self.flights.get_mut(receipt) {
            self.ends.remove(&(flight.until, receipt.to_owned()));
            self.ends.insert((until, receipt.to_owned()));
            flight.until = until;
        }
    }

    /// A message was deleted.
    pub fn done(&mut self, receipt: &str, now: i64) {
        let Some(flight) = self.flights.remove(receipt) else { return };
        self.ends.remove(&(flight.until, receipt.to_owned()));
        self.all.end(now);
        if let Some(tenant) = self.tenants.get_mut(&flight.tenant) {
            tenant.load.end(now);
        }
    }

    /// All messages were shown at once, but for those that are `held`.
    pub fn shown(&mut self, held: &dyn Fn(i64) -> bool, now: i64) {
        let shown = self.flights.iter().filter(|(_, flight)| !held(flight.row));
        for receipt in shown.map(|(receipt, _)| receipt.clone()).collect::<Vec<_>>() {
            self.done(&receipt, now);
        }
    }

    /// Of this tenant nothing waits any more.
    pub fn drained(&mut self, tenant: &str) {
        if let Some(tenant) = self.tenants.get_mut(tenant) {
            tenant.is_noisy = tenant.load.is_noise_among(&self.all);
        }
    }

    /// Those who let the others go first, in the order in which they get what is left: fewest in flight first.
    pub fn noisy(&mut self, now: i64) -> Vec<String> {
        self.land(now);
        self.all.advance(now);
        for tenant in self.tenants.values_mut() {
            tenant.load.advance(now);
            tenant.is_noisy |= tenant.load.is_noise_among(&self.all);
        }
        self.tenants.retain(|_, tenant| tenant.load.in_flight > 0 || now - tenant.last_taken < FORGOTTEN_MS);
        if !self.is_fair {
            return Vec::new();
        }
        let mut noisy: Vec<_> = self.tenants.iter().filter(|(_, tenant)| tenant.is_noisy).collect();
        noisy.sort_by_key(|(name, tenant)| (tenant.load.in_flight, *name));
        noisy.into_iter().map(|(name, _)| name.clone()).collect()
    }

    /// Ends the flights whose time is up.
    fn land(&mut self, now: i64) {
        while let Some((until, receipt)) = self.ends.first().filter(|(until, _)| *until <= now).cloned() {
            self.done(&receipt, until);
        }
    }
}

#[cfg(test)]
#[path = "tenants_tests.rs"]
mod tests;
