//! Takes away what deletions leave behind, step by step.

mod context;
mod handler;
mod history;
mod integration;
mod person;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::serve::batches(handler::handle).await
}
