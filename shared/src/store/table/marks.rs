//! Who wrote: a conditional write of one item leaves its mark on it.
//!
//! The table may make a write whose answer is lost. The SDK repeats it, and the repeat is refused by its own earlier self.
//! A refusal brings the item that stood in the way: if it bears the mark of who was refused, the write was made, and it
//! was theirs. Transactions need none: DynamoDB knows them by their token.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::Item;
use crate::system;

/// The attribute that bears it, and how expressions name and fill it.
pub const ATTRIBUTE: &str = "by";
pub const NAME: &str = "#by";
pub const VALUE: &str = ":by";

/// Drawn once for each writer, the same over all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterMark([u8; 8]);

impl WriterMark {
    pub fn draw() -> Self {
        Self(system::random())
    }

    pub fn value(self) -> AttributeValue {
        AttributeValue::B(Blob::new(self.0))
    }

    pub fn put_on(self, item: &mut Item) {
        item.insert(ATTRIBUTE.to_owned(), self.value());
    }

    /// Whether what stands in the way is our own.
    pub fn is_on(self, item: Option<&Item>) -> bool {
        item.and_then(|item| item.get(ATTRIBUTE)).is_some_and(|found| *found == self.value())
    }
}
