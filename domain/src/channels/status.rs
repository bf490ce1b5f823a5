//! A receipt's status word, read by a channel's table of words.

use super::{ReceiptStatus, SendError};

/// What a word means. A failure takes its reason from the carrier's code, where there is one that we know.
#[derive(Debug, Clone, Copy)]
pub(in crate::channels) enum Word {
    Progress,
    Delivered,
    Failed(&'static str),
}

/// A word that isn't known yet is taken for progress: final ones would not be added without notice.
pub(in crate::channels) fn read(
    words: &[(&str, Word)],
    word: &str,
    failure: impl FnOnce(&'static str) -> SendError,
) -> ReceiptStatus {
    match words.iter().find(|(known, _)| *known == word).map(|(_, word)| *word) {
        Some(Word::Delivered) => ReceiptStatus::Delivered,
        Some(Word::Failed(reason)) => ReceiptStatus::Failed(failure(reason)),
        Some(Word::Progress) | None => ReceiptStatus::Progress,
    }
}
