//! The whole of v1.1, files and the API's description included. Notifications too, though nearly all of them go to the
//! function of their own.

mod apps;
mod appusers;
mod attachments;
mod channels;
mod context;
mod conversation;
mod docs;
mod handler;
mod images;
mod integrations;
mod keys;
mod media;
mod menu;
mod messages;
mod sdks;
mod service_accounts;
mod templates;
mod webhooks;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::serve::http(handler::handle).await
}
