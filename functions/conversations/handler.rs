//! One call about a conversation.

use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use shared::api::{Api, Call, Operation, Service, call};
use shared::auth::Caller;
use shared::config::{self, ConfigError};
use shared::files::Files;
use shared::gateway::Refusal;
use shared::ids::{AppId, ConversationId};
use shared::model::{ApiError, AppSettings, ErrorCode, Person, Role, Timestamp};
use shared::outbox::Outbox;
use shared::publish::Publisher;
use shared::queue::Sqs;
use shared::store::{Conversation, Store, StoreError};
use shared::upkeep::Upkeep;

use crate::{activity, history, images, post, postback};

pub struct Context {
    pub api: Api,
    pub store: Store,
    pub publisher: Publisher,
    pub outbox: Outbox,
    pub upkeep: Upkeep,
    pub files: Files,
    /// Our own public base URL: pages of a history name each other by it, and pictures are found below it.
    pub public_url: String,
}

impl Context {
    pub async fn from_env() -> Result<Self, ConfigError> {
        let aws = shared::aws::config()?;
        let (sqs, store) = (Sqs::new(&aws), Store::from_env(&aws)?);
        Ok(Self {
            api: Api::new(Service::Conversations, store.clone()),
            publisher: Publisher::from_env(&sqs, store.clone())?,
            outbox: Outbox::from_env(&sqs)?,
            upkeep: Upkeep::from_env(&sqs)?,
            files: Files::from_env(&aws)?,
            public_url: config::base_url("PUBLIC_URL")?,
            store,
        })
    }

    pub async fn warm(&self) {
        tokio::join!(self.store.warm(), self.outbox.warm());
    }

    /// What the app wishes of its conversations.
    pub async fn settings(&self, app: AppId) -> Result<AppSettings, StoreError> {
        Ok(self.store.app(app).await?.map(|app| app.settings).unwrap_or_default())
    }
}

pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    match context.api.open(request).await {
        Ok(call) => call::closed(&call, serve(context, &call).await),
        Err(refusal) => call::refused(&refusal),
    }
}

async fn serve(context: &Context, call: &Call<'_>) -> Result<Response<Body>, Refusal> {
    match call.operation {
        Operation::PostMessage => post::post(context, call).await,
        Operation::PostImage => images::post(context, call).await,
        Operation::ListMessages => history::list(context, call).await,
        Operation::DeleteMessages => history::clear(context, call).await,
        Operation::DeleteMessage => history::delete(context, call).await,
        Operation::GetConversation => history::conversation(context, call).await,
        Operation::PostActivity => activity::post(context, call).await,
        Operation::ResetUnreadCount => activity::reset(context, call).await,
        Operation::PostPostback => postback::post(context, call).await,
        _ => Err(ApiError::missing(ErrorCode::NotFound).into()),
    }
}

/// The person, if they have a conversation.
pub async fn in_conversation(context: &Context, call: &Call<'_>) -> Result<Person, Refusal> {
    let person = context.api.person(call).await?;
    if person.user.conversation_started {
        Ok(person)
    } else {
        Err(ApiError::missing(ErrorCode::ConversationNotFound).into())
    }
}

/// A person speaks for themselves only.
pub fn may_speak_as(call: &Call<'_>, role: Role) -> Result<(), ApiError> {
    match (&call.caller, role) {
        (Caller::AppUser { .. }, Role::AppMaker) => Err(shared::auth::forbidden()),
        _ => Ok(()),
    }
}

/// v1.1's conversation object.
pub fn shown(id: ConversationId, conversation: &Conversation) -> Value {
    let mut value = json!({ "_id": id, "unreadCount": conversation.unread_count });
    if let Some(at) = conversation.app_maker_last_read {
        value["appMakerLastRead"] = json!(at);
    }
    if let Some(at) = conversation.app_user_last_read {
        value["appUserLastRead"] = json!(at);
    }
    value
}

pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
