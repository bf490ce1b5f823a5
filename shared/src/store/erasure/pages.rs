//! Stretches of a partition, read page by page.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::erasure::{Budget, Progress};
use crate::store::error::aws_error;
use crate::store::table::Item;
use crate::store::table::keys::{self, Key};
use crate::store::{Store, StoreError};

/// Items read at once, and then deleted in a few batches.
const PAGE: i32 = 250;
/// Everything sorts between these: an empty text is no sort key.
pub(in crate::store) const EVERYTHING: (&str, &str) = (" ", "~");

impl Store {
    /// A page of what lies between two sort keys, and where the next one starts.
    pub(in crate::store) async fn page(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let request = self.client.query().table_name(&self.table);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let output = request
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .consistent_read(true)
            .limit(PAGE)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(aws_error("Query"))?;
        Ok((output.items.unwrap_or_default(), output.last_evaluated_key))
    }

    /// Everything between two sort keys.
    pub(in crate::store) async fn erase_stretch(
        &self,
        pk: &str,
        stretch: (&str, &str),
        budget: &mut Budget,
    ) -> Result<Progress, StoreError> {
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            budget.spend(1);
            let (items, next) = self.page(pk, stretch, None).await?;
            let keys: Vec<_> = items.iter().filter_map(key_of).collect();
            budget.spend(self.delete_all(&keys).await?);
            budget.erase(keys.len());
            if next.is_none() {
                return Ok(Progress::Done);
            }
        }
    }
}

pub(in crate::store) fn key_of(item: &Item) -> Option<Key> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    Some(Key { pk: text(keys::PK)?, sk: text(keys::SK)? })
}
