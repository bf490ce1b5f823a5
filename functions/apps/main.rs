//! Apps, their keys, and the service accounts that act on them.

mod apps;
mod handler;
mod keys;
mod service_accounts;

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
