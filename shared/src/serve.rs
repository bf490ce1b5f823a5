//! A function's life: made once, warmed behind its first poll, then handed one event after another until Lambda ends it.
//!
//! What it does with an event is the function's own.

use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::Value;

use crate::{gateway, telemetry, warm};

/// What a warm instance of a function holds.
pub trait Instance: Sized + Send + Sync + 'static {
    /// From the environment's variables.
    fn from_env() -> impl Future<Output = Result<Self, Error>> + Send;

    /// Opens the connections that the first event will need. Bounded, and harmless when it fails.
    fn warm(&self) -> impl Future<Output = ()> + Send;
}

/// A function that answers HTTP requests.
pub async fn http<I, F>(answer: impl Fn(Arc<I>, Request) -> F + Send + Sync + 'static) -> Result<(), Error>
where
    I: Instance,
    F: Future<Output = Response<Body>> + Send,
{
    let instance = begun::<I>().await?;
    gateway::run(move |request| answer(Arc::clone(&instance), request)).await
}

/// A function that works on batches.
pub async fn batches<I, B, F>(work: impl Fn(Arc<I>, B) -> F) -> Result<(), Error>
where
    I: Instance,
    B: for<'de> Deserialize<'de>,
    F: Future<Output = Value>,
{
    let instance = begun::<I>().await?;
    let each = service_fn(move |event: LambdaEvent<B>| {
        let worked = work(Arc::clone(&instance), event.payload);
        async move { Ok::<_, Error>(worked.await) }
    });
    lambda_runtime::run(each).await
}

async fn begun<I: Instance>() -> Result<Arc<I>, Error> {
    telemetry::init();
    let instance = Arc::new(I::from_env().await?);
    let warming = Arc::clone(&instance);
    warm::behind_the_first_poll(async move { warming.warm().await });
    Ok(instance)
}
