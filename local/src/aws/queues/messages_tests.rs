use std::time::Duration;

use super::*;
use crate::lambda::template::Redrive;

fn queue() -> Queue {
    Queue {
        name: "jobs".into(),
        visibility_timeout: Duration::from_secs(30),
        retention: Duration::from_secs(3600),
        delay: Duration::ZERO,
        redrive: Some(Redrive { dead_letter_queue: "dead".into(), max_receive_count: 3 }),
    }
}

fn store() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite");
    prepare(&connection).expect("schema");
    connection
}

fn send_one(store: &Connection, delay_ms: i64, now: i64) {
    let message =
        NewMessage { message_id: "m".into(), body: "hello".into(), attributes: None, group: "app".into(), delay_ms };
    send(store, "jobs", &message, now).expect("sent");
}

fn take(store: &Connection, now: i64) -> Vec<Received> {
    receive(store, &queue(), &mut Tenants::default(), 10, 30_000, now).expect("received").messages
}

#[test]
fn a_received_message_returns_when_its_visibility_times_out() {
    let store = store();
    send_one(&store, 0, 0);
    assert_eq!(take(&store, 0)[0].receive_count, 1);
    assert!(take(&store, 29_999).is_empty());
    let again = take(&store, 30_000);
    assert_eq!((again[0].receive_count, again[0].first_received_at), (2, 0));
}

#[test]
fn a_delayed_message_comes_when_its_delay_is_over() {
    let store = store();
    send_one(&store, 900_000, 0);
    assert!(take(&store, 899_999).is_empty());
    assert_eq!(counts(&store, "jobs", 0).expect("counts").delayed, 1);
    assert_eq!(take(&store, 900_000).len(), 1);
}

#[test]
fn a_message_is_dead_lettered_after_exactly_max_receive_count_receives() {
    let store = store();
    send_one(&store, 0, 0);
    for round in 0..3 {
        assert_eq!(take(&store, round * 30_000).len(), 1, "round {round}");
    }
    let batch = receive(&store, &queue(), &mut Tenants::default(), 10, 30_000, 90_000).expect("received");
    assert_eq!((batch.messages.len(), batch.dead_lettered), (0, 1));
    let dead = peek(&store, "dead", 10).expect("peek");
    assert_eq!((dead[0].receive_count, dead[0].source.as_deref()), (3, Some("jobs")));
}

#[test]
fn a_message_moved_back_starts_anew() {
    let store = store();
    send_one(&store, 0, 0);
    for round in 0..4 {
        take(&store, round * 30_000);
    }
    assert_eq!(move_all(&store, "dead", None, 100_000).expect("moved"), [("jobs".to_owned(), 1)]);
    let back = take(&store, 100_000);
    assert_eq!((back[0].receive_count, back[0].sent_at), (1, 100_000));
    assert_ne!(back[0].message_id, "m");
    assert_eq!(back[0].group, "app", "a move keeps whose it is");
}

#[test]
fn a_stale_receipt_deletes_nothing_and_a_made_up_one_is_invalid() {
    let store = store();
    send_one(&store, 0, 0);
    let first = take(&store, 0).remove(0);
    let second = take(&store, 30_000).remove(0);
    assert_eq!(delete(&store, "jobs", &first.receipt_handle), Ok(Ok(())));
    assert!(!is_empty(&store, "jobs").expect("asked"));
    assert_eq!(delete(&store, "jobs", "nonsense"), Ok(Err(ReceiptError::Invalid)));
    assert_eq!(delete(&store, "jobs", &second.receipt_handle), Ok(Ok(())));
    assert!(is_empty(&store, "jobs").expect("asked"));
}

#[test]
fn visibility_changes_only_while_in_flight() {
    let store = store();
    send_one(&store, 0, 0);
    let message = take(&store, 0).remove(0);
    assert_eq!(change_visibility(&store, "jobs", &message.receipt_handle, 100_000, 0), Ok(Ok(())));
    assert!(take(&store, 99_999).is_empty());
    let late = change_visibility(&store, "jobs", &message.receipt_handle, 1, 100_000);
    assert_eq!(late, Ok(Err(ReceiptError::NotInFlight)));
}

#[test]
fn messages_past_their_retention_are_gone() {
    let store = store();
    send_one(&store, 0, 0);
    assert!(take(&store, 3_600_000).is_empty());
    assert!(is_empty(&store, "jobs").expect("asked"));
}

#[test]
fn waking_leaves_held_messages_hidden() {
    let store = store();
    send_one(&store, 60_000, 0);
    send_one(&store, 0, 0);
    let held = take(&store, 0).remove(0).row;
    assert_eq!(wake(&store, "jobs", &|row| row == held, 10), Ok(1));
    assert_eq!(counts(&store, "jobs", 10), Ok(Counts { visible: 1, in_flight: 1, delayed: 0 }));
}

/// Flat by construction, not by stopwatch: the plans must be searches in an index, without a sort.
#[test]
fn receiving_searches_an_index_whatever_the_backlog() {
    let store = store();
    let plan = |sql: &str, count: usize| -> Vec<String> {
        let mut statement = store.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
        let parameters = rusqlite::params_from_iter(vec![1; count]);
        let lines = statement.query_map(parameters, |row| row.get(3)).expect("lines");
        lines.collect::<rusqlite::Result<_>>().expect("texts")
    };
    let line = format!("{RECEIVED} WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?");
    assert_eq!(plan(&line, 3), ["SEARCH message USING INDEX message_due (queue=? AND visible_at<?)"]);
    let of_tenant = ["SEARCH message USING INDEX message_tenant (queue=? AND tenant=? AND visible_at<?)"];
    assert_eq!(plan(DUE_OF, 4), of_tenant);
    let tenants = plan(WAITING, 1);
    let searches = tenants.iter().filter(|step| step.contains("USING COVERING INDEX message_tenant (queue=?"));
    assert_eq!(searches.count(), 2, "{tenants:#?}");
    assert!(tenants.iter().all(|step| !step.contains("SCAN message")), "{tenants:#?}");
}
