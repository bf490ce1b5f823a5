//! What carriers call: checks the signature on the raw bytes, enqueues, answers at once. Decides nothing else.

mod context;
mod handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::serve::http(handler::handle).await
}
