//! Posts events to webhooks: signed, retried on schedule, dead-lettered in the end.

mod context;
mod handler;
mod patience;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::serve::batches(handler::handle).await
}
