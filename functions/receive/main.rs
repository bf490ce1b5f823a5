//! Receipts, replies, and what writes of the API lead to: from what happened to what is sent and told.

mod context;
mod handler;
mod order;
mod outbox;
mod parked;
mod receipt;
mod reply;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::serve::batches(handler::handle).await
}
