//! Sends through MessageBird. All of it is the channel and `shared::sender`.

use lambda_runtime::Error;
use shared::channels::messagebird::Messagebird;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::sender::run::<Messagebird>().await
}
