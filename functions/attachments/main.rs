//! Attachments: takes files in for messages, removes them, and hands them out at `/media/…` to whoever knows the address.

mod handler;
mod shown;

use std::sync::Arc;

use handler::Context;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::init();
    let context = Arc::new(Context::from_env().await?);
    let warming = Arc::clone(&context);
    shared::warm::behind_the_first_poll(async move { warming.warm().await });
    shared::gateway::run(move |request| {
        let context = Arc::clone(&context);
        async move { handler::handle(&context, &request).await }
    })
    .await
}
