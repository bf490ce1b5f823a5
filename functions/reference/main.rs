//! The API's own description: `GET /openapi.json`, and a page that shows it. Knows no app and asks nobody who they are.

mod handler;

use lambda_http::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::telemetry::init();
    shared::gateway::run(|request| async move { handler::handle(&request) }).await
}
