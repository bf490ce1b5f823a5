//! The queues, held by the real SDK to what SQS promises.

mod stack;

use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use serde_json::json;
use stack::Stack;

async fn plain() -> (Stack, Client, String) {
    let stack = Stack::start().await;
    let (sqs, url) = (stack.sqs(), stack.queue_url("Plain"));
    (stack, sqs, url)
}

async fn send(sqs: &Client, url: &str, body: &str) {
    sqs.send_message().queue_url(url).message_body(body).send().await.expect("sent");
}

async fn receive(sqs: &Client, url: &str, wait: i32) -> ReceiveMessageOutput {
    let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(wait);
    receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await.expect("received")
}

#[tokio::test]
async fn a_message_is_received_with_its_attributes_and_deleted() {
    let (_stack, sqs, url) = plain().await;
    let trace = MessageAttributeValue::builder().data_type("String").string_value("abc").build().expect("a value");
    let sent = sqs.send_message().queue_url(&url).message_body("hello").message_attributes("trace", trace);
    let sent = sent.send().await.expect("sent");
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));

    let got = sqs.receive_message().queue_url(&url).message_attribute_names("All");
    let got = got.message_system_attribute_names(MessageSystemAttributeName::All).send().await.expect("received");
    let message = &got.messages()[0];
    assert_eq!((message.body(), message.message_id()), (Some("hello"), sent.message_id()));
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = message.attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    assert!(attributes.contains_key(&MessageSystemAttributeName::SentTimestamp));
    assert_eq!(message.message_attributes().expect("attributes")["trace"].string_value(), Some("abc"));

    let handle = message.receipt_handle().expect("a handle");
    sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.expect("deleted");
    let counts = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
    let counts = counts.send().await.expect("attributes").attributes.expect("attributes");
    assert_eq!(counts[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "0");
    assert_eq!(counts[&QueueAttributeName::VisibilityTimeout], "30");
}

#[tokio::test]
async fn a_long_poll_wakes_with_the_message() {
    let (_stack, sqs, url) = plain().await;
    let poll = tokio::spawn({
        let (sqs, url) = (sqs.clone(), url.clone());
        async move { (receive(&sqs, &url, 20).await, Instant::now()) }
    });
    // Let the poll be under way; if it isn't yet, the test only shows less.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let sent = Instant::now();
    send(&sqs, &url, "x").await;
    let (got, at) = poll.await.expect("a poll");
    assert_eq!(got.messages().len(), 1);
    assert!(at - sent < Duration::from_secs(10), "woken, not timed out: {:?}", at - sent);
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_delay_or_a_visibility_timeout_is_over() {
    let (_stack, sqs, url) = plain().await;
    sqs.send_message().queue_url(&url).message_body("later").delay_seconds(1).send().await.expect("sent");
    assert!(receive(&sqs, &url, 0).await.messages().is_empty());
    let got = receive(&sqs, &url, 20).await;
    let handle = got.messages()[0].receipt_handle().expect("a handle");
    let hide = sqs.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(1);
    hide.send().await.expect("hidden");
    let again = receive(&sqs, &url, 20).await;
    let attributes = again.messages()[0].attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
}

#[tokio::test]
async fn a_message_of_a_standard_queue_may_say_whose_it_is() {
    let (_stack, sqs, url) = plain().await;
    let sent = sqs.send_message().queue_url(&url).message_body("x").message_group_id("tenant-1").send().await;
    sent.expect("sent");
    send(&sqs, &url, "y").await;
    let got = receive(&sqs, &url, 0).await;
    let group = |body: &str| {
        let message = got.messages().iter().find(|message| message.body() == Some(body)).expect("there");
        message.attributes().and_then(|known| known.get(&MessageSystemAttributeName::MessageGroupId).cloned())
    };
    assert_eq!((group("x").as_deref(), group("y")), (Some("tenant-1"), None));
    for bad in [String::new(), "a tenant".into(), "x".repeat(129)] {
        let refused = sqs.send_message().queue_url(&url).message_body("x").message_group_id(bad).send().await;
        assert_eq!(refused.expect_err("refused").code(), Some("InvalidParameterValue"));
    }
}

/// Two that are legal in JSON and in Unicode, and none in XML; as all others of their kind are.
#[tokio::test]
async fn what_sqs_calls_invalid_characters_is_refused() {
    let (_stack, sqs, url) = plain().await;
    for bad in ["\u{FFFE}", "\u{FFFF}", "\0", "\u{1F}"] {
        let refused = sqs.send_message().queue_url(&url).message_body(bad).send().await;
        assert_eq!(refused.expect_err("refused").code(), Some("InvalidMessageContents"), "{bad:?}");
    }
    send(&sqs, &url, "\t\n\r \u{7F}\u{D7FF}\u{E000}\u{FFFD}\u{1FFFE}\u{10FFFF}").await;
}

#[tokio::test]
async fn one_bad_entry_fails_alone() {
    let (_stack, sqs, url) = plain().await;
    let entry = |n: usize| {
        let body = if n == 4 { "bad\u{1}".to_owned() } else { n.to_string() };
        SendMessageBatchRequestEntry::builder().id(format!("e{n}")).message_body(body).build().expect("an entry")
    };
    let batch = sqs.send_message_batch().queue_url(&url).set_entries(Some((0..10).map(entry).collect()));
    let sent = batch.send().await.expect("an answer");
    assert_eq!((sent.successful().len(), sent.failed().len()), (9, 1));
    assert_eq!((sent.failed()[0].id(), sent.failed()[0].code()), ("e4", "InvalidMessageContents"));

    let got = receive(&sqs, &url, 0).await;
    assert_eq!(got.messages().len(), 9);
    let entry = |(n, handle): (usize, String)| {
        DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(handle).build().expect("an entry")
    };
    let mut handles: Vec<String> = got.messages().iter().filter_map(|m| m.receipt_handle.clone()).collect();
    handles[0] = "nonsense".into();
    let entries = handles.into_iter().enumerate().map(entry).collect();
    let deleted =
        sqs.delete_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("an answer");
    assert_eq!((deleted.successful().len(), deleted.failed()[0].code()), (8, "ReceiptHandleIsInvalid"));

    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id("a").visibility_timeout(0);
    let entry = entry.receipt_handle(got.messages()[0].receipt_handle().expect("a handle")).build().expect("an entry");
    let shown = sqs.change_message_visibility_batch().queue_url(&url).entries(entry).send().await.expect("an answer");
    assert_eq!(shown.successful().len(), 1);
    assert_eq!(receive(&sqs, &url, 0).await.messages().len(), 1);
}

#[tokio::test]
async fn limits_are_those_of_sqs() {
    let (_stack, sqs, url) = plain().await;
    let code = async |body: String, delay: i32| {
        let sent = sqs.send_message().queue_url(&url).message_body(body).delay_seconds(delay).send().await;
        sent.err().and_then(|e| e.code().map(str::to_owned))
    };
    assert_eq!(code("x".repeat(1_048_576), 900).await, None);
    assert_eq!(code("x".repeat(1_048_577), 0).await.as_deref(), Some("InvalidParameterValue"));
    assert_eq!(code("x".into(), 901).await.as_deref(), Some("InvalidParameterValue"));
    assert_eq!(code(String::new(), 0).await.as_deref(), Some("MissingParameter"));

    let batch = async |ids: &[&str]| {
        let entry =
            |id: &&str| SendMessageBatchRequestEntry::builder().id(*id).message_body("x").build().expect("an entry");
        let sent = sqs.send_message_batch().queue_url(&url).set_entries(Some(ids.iter().map(entry).collect()));
        sent.send().await.err().and_then(|e| e.code().map(str::to_owned)).unwrap_or_default()
    };
    assert_eq!(batch(&[]).await, "AWS.SimpleQueueService.EmptyBatchRequest");
    assert_eq!(batch(&["a", "a"]).await, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
    assert_eq!(batch(&["a b"]).await, "AWS.SimpleQueueService.InvalidBatchEntryId");
    let eleven = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    assert_eq!(batch(&eleven).await, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");

    let gone = sqs.send_message().queue_url(format!("{url}Gone")).message_body("x").send().await.expect_err("no queue");
    assert!(gone.into_service_error().is_queue_does_not_exist());
    let entry = |n: i32| {
        let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body("x".repeat(600_000));
        entry.build().expect("an entry")
    };
    let long = sqs.send_message_batch().queue_url(&url).entries(entry(1)).entries(entry(2)).send().await;
    assert!(long.expect_err("too long").into_service_error().is_batch_request_too_long());
}

#[tokio::test]
async fn dead_letters_go_back_by_a_move_task() {
    let (stack, sqs, url) = plain().await;
    send(&sqs, &url, "x").await;
    for count in ["1", "2", "3"] {
        let got = receive(&sqs, &url, 0).await;
        let attributes = got.messages()[0].attributes().expect("attributes");
        assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], count);
        stack.post("/_local/wake", json!({})).await;
    }
    assert!(receive(&sqs, &url, 0).await.messages().is_empty(), "three receives were all");
    let dead = receive(&sqs, &stack.queue_url("PlainDead"), 0).await;
    assert_eq!(dead.messages().len(), 1);
    stack.post("/_local/wake", json!({})).await;

    let arn = "arn:aws:sqs:us-east-1:123456789012:PlainDead";
    sqs.start_message_move_task().source_arn(arn).send().await.expect("moved");
    let tasks = sqs.list_message_move_tasks().source_arn(arn).send().await.expect("tasks");
    assert_eq!(tasks.results()[0].approximate_number_of_messages_moved(), 1);
    assert_eq!(receive(&sqs, &url, 0).await.messages().len(), 1);
    let back = sqs.start_message_move_task().source_arn("arn:aws:sqs:us-east-1:123456789012:Plain").send().await;
    assert!(back.is_err(), "Plain holds no dead letters");
    let sources = async |queue: &str| {
        let sources = sqs.list_dead_letter_source_queues().queue_url(stack.queue_url(queue)).send().await;
        sources.expect("sources").queue_urls
    };
    assert_eq!(sources("PlainDead").await, std::slice::from_ref(&url));
    assert!(sources("Plain").await.is_empty());
}

#[tokio::test]
async fn queues_are_found_and_purged() {
    let (stack, sqs, url) = plain().await;
    let found = sqs.get_queue_url().queue_name("Plain").send().await.expect("found");
    assert_eq!(found.queue_url(), Some(url.as_str()));
    let listed = sqs.list_queues().queue_name_prefix("Pl").send().await.expect("listed");
    assert_eq!(listed.queue_urls(), [url.clone(), stack.queue_url("PlainDead")]);
    send(&sqs, &url, "x").await;
    sqs.purge_queue().queue_url(&url).send().await.expect("purged");
    assert!(receive(&sqs, &url, 0).await.messages().is_empty());
}

/// The same receive on a full and on an almost empty queue, beside each other: no absolute speed is asked for. The best
/// of several rounds each, since a round may be interrupted by whatever else the machine does.
#[tokio::test]
async fn receiving_costs_the_same_over_a_backlog_of_100_000() {
    use local::aws::queues::{NewMessage, Queues, Receive};
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stack/template.yaml"));
    let settings = local::lambda::template::Settings::default();
    let stack = local::lambda::template::Stack::read(&template.expect("the template"), &settings).expect("a stack");
    let queues = Queues::open(stack.queues.into_values(), None, Default::default()).expect("queues");
    let message = NewMessage {
        message_id: "m".into(),
        body: "x".into(),
        attributes: None,
        group: "everybody".into(),
        delay_ms: 0,
    };
    let how = Receive { max: 10, visibility: None, wait: Duration::ZERO, by_poller: false };
    let timed = async |queue: &str| {
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(queues.receive(queue, how).await.expect("received").len(), 10);
        }
        begun.elapsed()
    };
    queues.send("Plain", vec![message.clone(); 100_000]).await.expect("sent");
    let (mut full, mut small) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        queues.send("Jobs", vec![message.clone(); 200]).await.expect("sent");
        full = full.min(timed("Plain").await);
        small = small.min(timed("Jobs").await);
    }
    assert!(full < small * 5 + Duration::from_millis(50), "full {full:?}, almost empty {small:?}");
}
