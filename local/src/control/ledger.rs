//! What everything would have cost: invocations and AWS calls, counted by function and operation. Counts, not timings,
//! are what budgets are held against.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// SQS and Lambda events are billed in chunks of this many bytes.
const SQS_CHUNK: usize = 64 * 1024;

/// One function's (or other caller's) account.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub invocations: u64,
    /// Invocations that ended in an error, a time-out or a crash.
    pub errors: u64,
    pub cold_starts: u64,
    /// Records of queue batches that it was invoked with.
    pub records: u64,
    /// Batches that it was invoked with.
    pub batches: u64,
    /// Process start to first poll, in microseconds: the latest and the longest.
    pub init_us: u64,
    pub init_us_max: u64,
    /// Milliseconds from event to answer, each invocation rounded up, as Lambda bills them.
    pub billed_ms: u64,
    pub memory_mb: u32,
    /// AWS requests by `<service>:<Operation>`; those of the queue pollers that feed the function included.
    pub calls: BTreeMap<String, u64>,
    /// SQS requests as billed: one for each begun 64 KiB.
    pub sqs_requests: u64,
    /// Polls that found nothing, which `calls` and `sqs_requests` leave out: they cost by the hour, not by the message.
    pub empty_receives: u64,
    pub read_units: f64,
    pub write_units: f64,
    /// Processor time of its processes, those that crashed aside. Linux only.
    pub cpu_ms: u64,
    /// The most memory that one of its processes had resident. Linux only.
    pub max_resident_kb: u64,
}

/// Everybody's accounts since the last reset.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    /// Requests to the HTTP API.
    pub http_requests: u64,
    /// Requests to function URLs, which cost nothing beside the invocation.
    pub function_url_requests: u64,
    pub functions: BTreeMap<String, Account>,
}

/// The book itself. Cloning gives another handle on the same book.
#[derive(Clone, Default)]
pub struct Ledger {
    accounts: Arc<Mutex<Accounts>>,
}

/// How an invocation went.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    pub failed: bool,
    pub duration: Duration,
}

impl Ledger {
    pub fn snapshot(&self) -> Accounts {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn reset(&self) {
        *self.accounts.lock().unwrap_or_else(PoisonError::into_inner) = Accounts::default();
    }

    pub fn http_request(&self) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).http_requests += 1;
    }

    pub fn function_url_request(&self) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).function_url_requests += 1;
    }

    pub fn invocation(&self, function: &str, invocation: Invocation) {
        self.write(function, |account| {
            account.invocations += 1;
            account.errors += u64::from(invocation.failed);
            account.billed_ms += u64::try_from(invocation.duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        });
    }

    pub fn cold_start(&self, function: &str, init: Duration) {
        let micros = u64::try_from(init.as_micros()).unwrap_or(u64::MAX);
        self.write(function, |account| {
            account.cold_starts += 1;
            account.init_us = micros;
            account.init_us_max = account.init_us_max.max(micros);
        });
    }

    pub fn batch(&self, function: &str, records: usize) {
        self.write(function, |account| {
            account.batches += 1;
            account.records += records as u64;
        });
    }

    /// A request to SQS with the larger of its two bodies, in bytes.
    pub fn sqs(&self, caller: &str, operation: &str, bytes: usize) {
        self.write(caller, |account| {
            *account.calls.entry(format!("sqs:{operation}")).or_default() += 1;
            account.sqs_requests += bytes.div_ceil(SQS_CHUNK).max(1) as u64;
        });
    }

    pub fn empty_receive(&self, caller: &str) {
        self.write(caller, |account| account.empty_receives += 1);
    }

    pub fn dynamodb(&self, caller: &str, operation: &str, read_units: f64, write_units: f64) {
        self.write(caller, |account| {
            *account.calls.entry(format!("dynamodb:{operation}")).or_default() += 1;
            account.read_units += read_units;
            account.write_units += write_units;
        });
    }

    /// A request to a service of which nothing else is counted.
    pub fn call(&self, caller: &str, service: &str, operation: &str) {
        self.write(caller, |account| *account.calls.entry(format!("{service}:{operation}")).or_default() += 1);
    }

    pub fn usage(&self, function: &str, cpu_ms: u64, resident_kb: u64) {
        self.write(function, |account| {
            account.cpu_ms += cpu_ms;
            account.max_resident_kb = account.max_resident_kb.max(resident_kb);
        });
    }

    fn write(&self, name: &str, change: impl FnOnce(&mut Account)) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if !accounts.functions.contains_key(name) {
            accounts.functions.insert(name.to_owned(), Account::default());
        }
        if let Some(account) = accounts.functions.get_mut(name) {
            change(account);
        }
    }
}
