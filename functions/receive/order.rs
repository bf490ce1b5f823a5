//! A message's sends, told which messages of its conversation they must not overtake. Whether those have gone by then is
//! for the sender to see.

use shared::ids::{AppId, ConversationId};
use shared::model::{ChannelType, Subject};
use shared::store::{Store, StoreError};
use shared::tasks::SendTask;

/// All are sends of one message, or of one and what follows it.
pub async fn behind_others(
    store: &Store,
    app: AppId,
    conversation: ConversationId,
    sends: Vec<(ChannelType, SendTask)>,
) -> Result<Vec<(ChannelType, SendTask)>, StoreError> {
    let Some(Subject::Message(id)) = sends.first().map(|(_, task)| task.sending().subject) else { return Ok(sends) };
    let before = store.posted_before(app, conversation, id).await?;
    let behind = |(channel, task): (ChannelType, SendTask)| {
        let same_client = before.iter().filter(|stored| stored.goes_where(task.sending()));
        let behind = same_client.filter_map(|stored| stored.message.id).collect();
        (channel, task.after_messages(behind))
    };
    Ok(sends.into_iter().map(behind).collect())
}
