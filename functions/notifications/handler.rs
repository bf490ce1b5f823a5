//! One request. What is no notification is for the API's own function, and is not found here.

use std::sync::Arc;

use lambda_http::{Body, Request, Response};
use shared::api::{Answer, Call, Operation};
use shared::model::{ApiError, ErrorCode};

use crate::context::Context;

pub async fn handle(context: Arc<Context>, request: Request) -> Response<Body> {
    context.api.answer(&request, |call| accept(&context, call)).await
}

async fn accept(context: &Context, call: Call<'_>) -> Answer {
    match call.operation {
        Operation::CreateNotification => context.intake.accept(&call).await,
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}
