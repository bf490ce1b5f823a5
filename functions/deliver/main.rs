//! Posts events to webhooks: signed, retried on schedule, dead-lettered in the end.

mod handler;
mod patience;

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use handler::Context;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::init();
    let context = Arc::new(Context::from_env().await?);
    let warming = Arc::clone(&context);
    shared::warm::behind_the_first_poll(async move { warming.warm().await });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let context = Arc::clone(&context);
        async move { Ok::<_, Error>(handler::handle(context, event.payload).await) }
    }))
    .await
}
