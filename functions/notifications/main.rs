//! Intake: `POST …/notifications`. Authenticates, checks, enqueues, answers 201. Stores nothing.

mod context;
mod handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::serve::http(handler::handle).await
}
