//! What travels on the queues: versioned, tagged, and complete enough that nothing has to be looked up twice.
//!
//! A task written by one version of the code may be read by the next: fields are added with defaults, and a change of
//! meaning is a new version.

use serde::{Deserialize, Serialize};

use crate::channels::{Receipt, Reply};
use crate::flow::erasure::{HistoryWalk, PersonWalk, Walk};
use crate::ids::{AppId, AppUserId, ConversationId, EventId, IntegrationId, MarkId, MessageId, WebhookId};
use crate::model::{Address, ChannelType, Link, Sending, Subject, Timestamp, Trigger};
use crate::webhook::Event;

/// Whose a task is. Where many wait, a queue gives first to those who have few under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group(String);

impl Group {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<AppId> for Group {
    fn from(app: AppId) -> Self {
        Self(app.to_string())
    }
}

impl From<WebhookId> for Group {
    fn from(webhook: WebhookId) -> Self {
        Self(webhook.to_string())
    }
}

/// What a queue takes: every task says whose it is, so nobody who enqueues one can forget to.
pub trait Task: Serialize {
    fn group(&self) -> Group;
}

impl<T: Task> Task for &T {
    fn group(&self) -> Group {
        T::group(self)
    }
}

impl Task for SendTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { sending, .. } | Self::V2 { sending, .. } => sending.app_id.into(),
        }
    }
}

impl Task for ReceiveTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { app_id, .. } | Self::Outbox1 { app_id, .. } | Self::Outbox2 { app_id, .. } => (*app_id).into(),
        }
    }
}

/// One dead endpoint is the usual noise, and no reason for the app's other webhooks to wait.
impl Task for DeliverTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { webhook_id, .. } => (*webhook_id).into(),
        }
    }
}

impl Task for UpkeepTask {
    fn group(&self) -> Group {
        match self {
            Self::V1 { app_id, .. } => (*app_id).into(),
        }
    }
}

/// Intake and `receive` → `send_<channel>`: what goes to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum SendTask {
    #[serde(rename = "1")]
    V1 {
        sending: Sending,
        #[serde(default, skip_serializing_if = "Way::is_new")]
        way: Way,
    },
    /// Several messages in order: each is sent when the one before it has come to its end.
    #[serde(rename = "2")]
    V2 {
        sending: Sending,
        then: Vec<Sending>,
        #[serde(default, skip_serializing_if = "Way::is_new")]
        way: Way,
    },
}

/// What a send has behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Way {
    /// Tries that earlier tasks for it used up: one that goes on as a new task is not counted by the queue.
    #[serde(skip_serializing_if = "is_nought")]
    tries: u32,
    /// Messages posted before it that go to the same client: it waits for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    behind: Vec<MessageId>,
}

impl Way {
    fn is_new(&self) -> bool {
        *self == Self::default()
    }
}

fn is_nought(number: &u32) -> bool {
    *number == 0
}

impl SendTask {
    pub fn new(sending: Sending) -> Self {
        Self::V1 { sending, way: Way::default() }
    }

    /// `None` of nothing.
    pub fn in_order(sendings: impl IntoIterator<Item = Sending>) -> Option<Self> {
        let mut sendings = sendings.into_iter();
        let sending = sendings.next()?;
        let (then, way): (Vec<_>, _) = (sendings.collect(), Way::default());
        Some(if then.is_empty() { Self::V1 { sending, way } } else { Self::V2 { sending, then, way } })
    }

    /// What is to be sent now.
    pub fn sending(&self) -> &Sending {
        match self {
            Self::V1 { sending, .. } | Self::V2 { sending, .. } => sending,
        }
    }

    /// What is to be sent after it.
    pub fn rest(&self) -> Option<Self> {
        match self {
            Self::V1 { .. } => None,
            Self::V2 { then, .. } => Self::in_order(then.iter().cloned()),
        }
    }

    pub fn tries(&self) -> u32 {
        self.way().tries
    }

    pub fn behind(&self) -> &[MessageId] {
        &self.way().behind
    }

    /// The same, once so many tries have been used up.
    #[must_use]
    pub fn after_tries(mut self, tries: u32) -> Self {
        self.way_mut().tries = tries;
        self
    }

    /// The same, to be sent after these.
    #[must_use]
    pub fn after_messages(mut self, behind: Vec<MessageId>) -> Self {
        self.way_mut().behind = behind;
        self
    }

    fn way(&self) -> &Way {
        match self {
            Self::V1 { way, .. } | Self::V2 { way, .. } => way,
        }
    }

    fn way_mut(&mut self) -> &mut Way {
        match self {
            Self::V1 { way, .. } | Self::V2 { way, .. } => way,
        }
    }
}

/// → `receive`: from `callbacks`, one thing a carrier told us, its signature checked; from the API, what a write leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum ReceiveTask {
    #[serde(rename = "1")]
    V1 {
        app_id: AppId,
        integration_id: IntegrationId,
        /// So that the task can be done when the integration is gone. Older tasks don't have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelType>,
        received: Timestamp,
        /// How many messages of the same callback stand before it.
        #[serde(default)]
        place: u16,
        /// When it was last put back to wait for its send. That it is read again for that is no repeat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        put_back: Option<Timestamp>,
        what: Received,
    },
    /// As an earlier version wrote it: whether the write was made is seen by what it wrote.
    #[serde(rename = "outbox1")]
    Outbox1 { app_id: AppId, prepared: Timestamp, entry: OutboxEntry },
    /// Put on the queue before the write is made, so that no death between the two loses what follows from it.
    #[serde(rename = "outbox2")]
    Outbox2 { app_id: AppId, prepared: Timestamp, mark: Mark, follows: Follows },
}

/// What a write leaves behind, whatever becomes of what it wrote: "not there any more" is not "never made".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub conversation: ConversationId,
    pub id: MarkId,
}

impl Mark {
    /// For one write about the person whose conversation that is. A write that is tried anew has another.
    pub fn new(conversation: ConversationId) -> Self {
        Self { conversation, id: MarkId::generate() }
    }
}

/// What follows from a write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Follows {
    #[serde(default)]
    pub sends: Vec<(ChannelType, SendTask)>,
    #[serde(default)]
    pub events: Vec<Event>,
}

/// A write that may have been made, and what follows from it if it was, as [`ReceiveTask::Outbox1`] has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxEntry {
    /// A message of a conversation: by its place, what goes out to the person's channels, and what is told.
    Message {
        conversation: ConversationId,
        received: Timestamp,
        id: MessageId,
        sends: Vec<(ChannelType, SendTask)>,
        event: Box<Event>,
    },
    /// A link that was begun: its confirmation's message, without which it completes; and the open one that it replaced.
    Link { link: Box<Link>, confirmation: Option<Box<SendTask>>, gives_way: Option<Box<Link>> },
    /// An address that is this person's no more.
    Unlinking { user: AppUserId, integration: IntegrationId, address: Address, event: Box<Event> },
    /// A person who is somebody else by now.
    Merge { discarded: AppUserId, event: Box<Event> },
}

/// Where a message lies, if it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MessagePlace {
    pub conversation: ConversationId,
    pub received: Timestamp,
    pub id: MessageId,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    Receipt { context: SendContext, receipt: Receipt },
    Reply(Reply),
}

/// What a receipt carries back of the send it is about, sealed in the callback URL, so that it needs no lookup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendContext {
    pub subject: Subject,
    pub accepted: Timestamp,
    pub address: Address,
    /// How many carrier messages it became.
    pub parts: u8,
}

/// Publishing → `deliver`: events for one webhook, from one batch. More than one only at the first attempt: an event
/// that fails goes on alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum DeliverTask {
    #[serde(rename = "1")]
    V1 {
        app_id: AppId,
        webhook_id: WebhookId,
        /// Attempts already made.
        attempts: u8,
        events: Vec<WebhookEvent>,
        /// Why it lies in the dead-letter queue, when it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dead: Option<String>,
    },
}

/// Whoever deletes something → `upkeep`: the deletion itself, should whoever asked for it have died, and then, step by
/// step, what it leaves in the table. A task that is not done after one step is put back on the queue, and doing it twice
/// does no harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum UpkeepTask {
    #[serde(rename = "1")]
    V1 { app_id: AppId, work: Work },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Everything of an app, once the app itself is deleted; of one that is still there, nothing.
    EraseApp {
        /// The shards of people before this one are done.
        #[serde(default)]
        shard: u16,
        /// So many conversations of the first person there are done.
        #[serde(default)]
        conversations: usize,
    },
    /// Everything of a person, who is hidden first. Their addresses keep what others were sent there.
    EraseUser {
        user: AppUserId,
        /// Whether they are hidden, and the business has been told.
        #[serde(default)]
        told: bool,
        #[serde(default)]
        walk: PersonWalk,
    },
    /// What an integration left with people, once it is deleted itself; of one that is still there, nothing.
    EraseIntegration {
        integration: IntegrationId,
        #[serde(default)]
        walk: Walk,
    },
    /// Messages and notifications up to a moment, which are hidden first, and what files of the person's they show.
    EraseMessages {
        user: AppUserId,
        conversations: Vec<ConversationId>,
        clients: Vec<(IntegrationId, Address)>,
        until: Timestamp,
        #[serde(default)]
        walk: HistoryWalk,
    },
    /// A message, and the file of the person's that it shows, by its key.
    EraseMessage { user: AppUserId, message: MessageId, file: String },
    /// A photo of an integration's profile, by its key, unless it is shown.
    ErasePhoto { integration: IntegrationId, file: String },
    /// A picture that came with its message, unless the message was kept.
    ErasePicture { file: String, message: MessagePlace },
}

impl Work {
    /// For the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EraseApp { .. } => "eraseApp",
            Self::EraseUser { .. } => "eraseUser",
            Self::EraseIntegration { .. } => "eraseIntegration",
            Self::EraseMessages { .. } => "eraseMessages",
            Self::EraseMessage { .. } => "eraseMessage",
            Self::ErasePhoto { .. } => "erasePhoto",
            Self::ErasePicture { .. } => "erasePicture",
        }
    }
}

/// One event, written for one webhook: the body is posted as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookEvent {
    pub id: EventId,
    pub trigger: Trigger,
    /// For the log, where the event is about something sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub body: String,
    pub at: Timestamp,
}

impl SendContext {
    /// Subject (13 or 17 bytes), acceptance in milliseconds (8), parts (1), address (the rest).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.subject.to_bytes();
        bytes.extend(self.accepted.millis().to_be_bytes());
        bytes.push(self.parts);
        bytes.extend(self.address.as_str().as_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subject, rest) = Subject::from_bytes(bytes)?;
        let (accepted, rest) = rest.split_first_chunk::<8>()?;
        let (parts, address) = rest.split_first()?;
        Some(Self {
            subject,
            accepted: Timestamp::from_millis(i64::from_be_bytes(*accepted)),
            address: Address::sender(std::str::from_utf8(address).ok()?).ok()?,
            parts: *parts,
        })
    }
}
