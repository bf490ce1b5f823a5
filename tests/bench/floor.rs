//! What a cold start is held against: a function that builds the same two AWS clients from the same configuration and
//! answers with a constant. Nothing of the product but that configuration is in it.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = shared::aws::config()?;
    let clients = (aws_sdk_dynamodb::Client::new(&aws), aws_sdk_sqs::Client::new(&aws));
    let answer = service_fn(async |_: Request| Ok::<_, Error>(Response::new(Body::from("floor"))));
    let ran = lambda_http::run(answer).await;
    drop(clients);
    ran
}
