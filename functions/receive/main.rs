//! Receipts, replies, and what writes of the API lead to: from what happened to what is sent and told.

mod handler;
mod order;
mod outbox;
mod parked;
mod receipt;
mod reply;

use std::sync::Arc;

use handler::{Batch, Context};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::init();
    let context = Arc::new(Context::from_env().await?);
    let warming = Arc::clone(&context);
    shared::warm::behind_the_first_poll(async move { warming.warm().await });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| {
        let context = Arc::clone(&context);
        async move { Ok::<_, Error>(handler::handle(context, event.payload).await) }
    }))
    .await
}
