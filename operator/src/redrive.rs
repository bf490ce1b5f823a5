//! `redrive`: returns a stack's dead letters to the queues they failed on, once the cause is gone.
//!
//! Where they belong is asked of SQS: some are put there by a function itself, and for those it knows no origin.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::QueueAttributeName::{ApproximateNumberOfMessages, QueueArn};
use serde_json::{Value, json};

use crate::stack::{self, StackError};

/// Between looks at a move under way.
const PAUSE: Duration = Duration::from_millis(500);

/// Return dead letters to the queues they failed on; prints how many.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The stack, as it was deployed.
    #[arg(long, value_name = "NAME")]
    stack_name: String,
    /// Of these queues only, such as `deliver`; of all without.
    #[arg(value_name = "QUEUE")]
    queues: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error("SQS refused: {0}")]
    Sqs(String),
    #[error("the stack {stack} has no queue {queue} with dead letters of its own; it has {known}")]
    NoQueue { stack: String, queue: String, known: String },
    #[error("SQS moved only {moved} of {queue}'s dead letters: {reason}")]
    Stopped { queue: String, moved: i64, reason: String },
}

impl<E: std::error::Error + 'static> From<SdkError<E>> for RedriveError {
    fn from(error: SdkError<E>) -> Self {
        Self::Sqs(DisplayErrorContext(error).to_string())
    }
}

/// A dead-letter queue and the queue whose dead letters it has.
struct DeadLetters {
    /// Without the stack's name.
    queue: String,
    source_url: String,
    url: String,
}

/// # Errors
/// What is missing or refused.
pub async fn run(arguments: &Arguments) -> Result<Value, RedriveError> {
    redrive(&stack::aws().await?, &arguments.stack_name, &arguments.queues).await
}

/// `queues`: names without the stack's; all where there are none.
///
/// # Errors
/// What SQS refuses, or a queue that there isn't; nothing is moved of a list with such a name.
pub async fn redrive(aws: &SdkConfig, stack: &str, queues: &[String]) -> Result<Value, RedriveError> {
    let sqs = Client::new(aws);
    let found = dead_letter_queues(&sqs, stack).await?;
    if let Some(queue) = queues.iter().find(|wanted| found.iter().all(|letters| letters.queue != **wanted)) {
        let known: Vec<_> = found.iter().map(|letters| letters.queue.as_str()).collect();
        let (stack, queue) = (stack.to_owned(), queue.clone());
        return Err(RedriveError::NoQueue { stack, queue, known: known.join(", ") });
    }
    let mut moved = serde_json::Map::new();
    for letters in found.iter().filter(|letters| queues.is_empty() || queues.contains(&letters.queue)) {
        moved.insert(letters.queue.clone(), json!(move_all(&sqs, letters).await?));
    }
    Ok(json!({ "moved": moved }))
}

async fn dead_letter_queues(sqs: &Client, stack: &str) -> Result<Vec<DeadLetters>, RedriveError> {
    let prefix = format!("{stack}-");
    let mut pages = sqs.list_queues().queue_name_prefix(&prefix).max_results(1000).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(url) = pages.next().await.transpose()? {
        let sources = sqs.list_dead_letter_source_queues().queue_url(&url).send().await?;
        if let Some(source_url) = sources.queue_urls.into_iter().next() {
            let name = source_url.rsplit('/').next().unwrap_or_default();
            let queue = name.strip_prefix(&prefix).unwrap_or(name).to_owned();
            found.push(DeadLetters { queue, source_url, url });
        }
    }
    Ok(found)
}

/// How many were moved, when all are.
async fn move_all(sqs: &Client, letters: &DeadLetters) -> Result<i64, RedriveError> {
    let (arn, waiting) = attributes(sqs, &letters.url).await?;
    if waiting == "0" {
        return Ok(0);
    }
    let (home, _) = attributes(sqs, &letters.source_url).await?;
    sqs.start_message_move_task().source_arn(&arn).destination_arn(home).send().await?;
    loop {
        let tasks = sqs.list_message_move_tasks().source_arn(&arn).max_results(1).send().await?;
        let task = tasks.results.and_then(|tasks| tasks.into_iter().next());
        let moved = task.as_ref().map_or(0, |task| task.approximate_number_of_messages_moved);
        match task.as_ref().and_then(|task| task.status.as_deref()) {
            Some("RUNNING") => tokio::time::sleep(PAUSE).await,
            Some("COMPLETED") => return Ok(moved),
            status => {
                let failure = task.as_ref().and_then(|task| task.failure_reason.as_deref());
                let reason = failure.or(status).unwrap_or("it knows of no move").to_owned();
                return Err(RedriveError::Stopped { queue: letters.queue.clone(), moved, reason });
            }
        }
    }
}

/// A queue's ARN, and about how many messages wait in it.
async fn attributes(sqs: &Client, url: &str) -> Result<(String, String), RedriveError> {
    let names = [QueueArn, ApproximateNumberOfMessages];
    let known = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await?;
    let known = known.attributes.unwrap_or_default();
    let text = |name| known.get(name).cloned().unwrap_or_default();
    Ok((text(&QueueArn), text(&ApproximateNumberOfMessages)))
}
