//! What is said in a conversation: composed, kept, told, and sent by the person's clients (docs/REFERENCE.md, 4.1).

use std::time::Duration;

use lambda_http::{Body, Response};
use serde_json::json;
use shared::conversation::compose::Composing;
use shared::conversation::{destination, mask};
use shared::gateway::{self, Refusal};
use shared::ids::AppId;
use shared::model::shorthand::{self, Shorthand};
use shared::model::{
    ApiError, AppSettings, Client, Content, ErrorCode, FileFacts, FileKey, Message, MessageWire, Person, Posting, Role,
    Sending, Subject,
};
use shared::outbox::{Follows, Mark};
use shared::store::{Posted, StoreError, StoredMessage};
use shared::system::{self, System, now};
use shared::tasks::{MessagePlace, SendTask};
use shared::telemetry::{Metric, Outcome};
use shared::webhook::{Event, Who};

use crate::context::Context;
use crate::conversation::{full, view};

/// How long the bucket may take to say how large a file is.
const PATIENCE: Duration = Duration::from_secs(3);

/// A message in both its forms.
struct Ready {
    message: Message,
    wire: MessageWire,
}

/// A person may be merged into another while they are written to; so often it is tried anew as whom they are now.
pub const TRIES: usize = 3;

/// Of somebody who was merged into another: that one.
pub async fn who_they_are_now(context: &Context, app: AppId, person: &Person) -> Result<Person, Refusal> {
    let now = context.store.person_by_id(app, person.user.id).await?;
    now.ok_or_else(|| ApiError::missing(ErrorCode::UserNotFound).into())
}

/// What is to be said in a person's conversation, checked and composed.
pub struct Draft<'a> {
    app: AppId,
    person: &'a Person,
    posting: &'a Posting,
    settings: AppSettings,
    messages: Vec<Ready>,
    /// The clients that it goes out to.
    to: Vec<&'a Client>,
}

impl<'a> Draft<'a> {
    /// `file`: what is known of the one that the message shows, where that is known already.
    pub async fn compose(
        context: &Context,
        app: AppId,
        person: &'a Person,
        posting: &'a Posting,
        file: Option<FileFacts>,
    ) -> Result<Self, Refusal> {
        let to = match posting.role {
            Role::AppMaker => destination::choose(person, posting.target.as_ref())?,
            Role::AppUser => Vec::new(),
        };
        let settings = context.settings(app).await?;
        let mut messages = Vec::new();
        let composing = Composing { posting, user: &person.user, animal_names: settings.use_animal_names, now: now() };
        let seed = system::random::<16>();
        for (number, message) in (0..).zip(parts(context, app, posting).await?) {
            let message = if settings.mask_credit_card_numbers { mask::said(message) } else { message };
            let file = if file.is_some() { file.clone() } else { file_facts(context, app, &message).await };
            fits(&message, file.as_ref())?;
            let wire = composing.message(&message, file.as_ref(), &seed, number);
            messages.push(Ready { message, wire });
        }
        Ok(Self { app, person, posting, settings, messages, to })
    }

    /// Where the first message will lie.
    pub fn place(&self) -> Result<MessagePlace, StoreError> {
        let first = self.messages.first().and_then(|first| Some((first.wire.received?, first.wire.id?)));
        let (received, id) = first.ok_or(StoreError::Placeless)?;
        Ok(MessagePlace { conversation: self.person.user.conversation_id, received, id })
    }

    /// What is prepared is sent and told once the messages are kept. `None`: the person is not who they were.
    pub async fn keep(self, context: &Context) -> Result<Option<Response<Body>>, Refusal> {
        let stored = self.messages.iter().map(|ready| {
            let stored = StoredMessage::new(ready.wire.clone(), &self.settings);
            stored.to(&self.to)
        });
        let stored: Vec<_> = stored.collect();
        let user = &self.person.user;
        let mark = Mark::new(&System, user.conversation_id);
        context.outbox.prepare(self.app, mark, self.follows()).await?;
        let conversation = match context.store.post(self.app, user, self.posting.role, &stored, mark, now()).await? {
            Posted::Done(conversation) => conversation,
            Posted::Full => return Err(full().into()),
            Posted::Gone => return Ok(None),
        };
        let mut wires: Vec<_> = self.messages.into_iter().map(|ready| ready.wire).collect();
        log(self.app, self.person, &wires, self.to.len());
        let mut answer = json!({ "conversation": view(self.person.user.conversation_id, &conversation) });
        // What was asked for is the last; text that went before it is extra.
        answer["message"] = json!(wires.pop());
        if !wires.is_empty() {
            answer["extraMessages"] = json!(wires);
        }
        Ok(Some(gateway::json(201, &answer)))
    }

    /// What follows once the messages are kept: they are sent, in order by each client, and told.
    fn follows(&self) -> Follows {
        let wires: Vec<_> = self.messages.iter().map(|ready| ready.wire.clone()).collect();
        let by = |client: &&Client| {
            let sending = |ready| self.sending(client, ready);
            Some((client.platform, SendTask::in_order(self.messages.iter().filter_map(sending))?))
        };
        let told = Event::posted(self.app, Who::of(self.person).started(), self.posting.role, &wires);
        Follows { sends: self.to.iter().filter_map(by).collect(), events: vec![told] }
    }

    fn sending(&self, client: &Client, ready: &Ready) -> Option<Sending> {
        let id = ready.wire.id?;
        Some(Sending {
            subject: Subject::Message(id),
            app_id: self.app,
            integration_id: client.integration_id,
            address: client.external_id.clone(),
            app_user_id: Some(self.person.user.id),
            display_name: client.display_name.clone(),
            author: self.posting.author.clone(),
            message: ready.message.clone(),
            accepted: id.moment(),
        })
    }
}

/// The messages that a posting becomes: one, or two where a text comes before a stored template.
async fn parts(context: &Context, app: AppId, posting: &Posting) -> Result<Vec<Message>, Refusal> {
    Ok(match (posting.role, posting.message.clone()) {
        (Role::AppUser, message) => vec![message],
        (Role::AppMaker, message) => match shorthand::expand(message) {
            Shorthand::Message(message) => vec![*message],
            Shorthand::Template { name, before } => {
                let template = context.store.template_by_name(app, &name).await?;
                let template = template.ok_or_else(|| {
                    ApiError::new(ErrorCode::TemplateNotFound, "text names a template that the app has not")
                })?;
                before.map(|before| *before).into_iter().chain([template.message]).collect()
            }
        },
    })
}

/// What the bucket knows of the file that a message shows, if it is one of the app's. Not knowing keeps nobody from
/// posting.
async fn file_facts(context: &Context, app: AppId, message: &Message) -> Option<FileFacts> {
    let (Content::Image { media, .. } | Content::File { media, .. }) = &message.content else { return None };
    let key = FileKey::of_url(&media.url, &context.public_url).filter(|key| key.app_id == app)?;
    let facts = tokio::time::timeout(PATIENCE, context.files.facts(&key)).await;
    facts.ok()?.inspect_err(|error| tracing::warn!(%error, "a file's size is not told")).ok()?
}

/// What was uploaded as something else makes no image.
fn fits(message: &Message, file: Option<&FileFacts>) -> Result<(), ApiError> {
    let is_image = matches!(message.content, Content::Image { .. });
    match file {
        Some(file) if is_image && !file.media_type.may_be_picture() => {
            let problem = format!(
                "must be a picture's for a message of type image, not {}'s; post it with type file",
                file.media_type
            );
            Err(ApiError::field("mediaUrl", problem))
        }
        _ => Ok(()),
    }
}

fn log(app: AppId, person: &Person, messages: &[MessageWire], destinations: usize) {
    for id in messages.iter().filter_map(|message| message.id) {
        Outcome::of(Metric::MessagePosted)
            .with("messageId", id)
            .with("appId", app)
            .with("appUserId", person.user.id)
            .with_number("destinations", destinations as i64)
            .log();
    }
}
