//! A page of a person's history, out of several sources that are each in time order.
//!
//! A page never ends between two messages of the same moment: `before` and `after` are exclusive, and a client that goes
//! on from a page's end would miss the other one. It ends early where it would outgrow an answer.

use serde::Serialize;

use crate::model::{MessageWire, Timestamp};

/// docs/REFERENCE.md, 4.2.
pub const PAGE: usize = 100;
/// What is read of each source: a page, and as many more as may share its last moment.
pub const SOURCE_LIMIT: usize = PAGE + 20;

/// Bytes of JSON in one answer. Lambda takes 6 MiB, as a JSON text around this one, which at worst is twice as long there.
const ANSWER_BYTES: usize = 3_000_000;

/// What is left of an answer's room. Something fits always, or nobody would ever get past it.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    left: usize,
    is_unused: bool,
}

impl Room {
    pub fn of_an_answer() -> Self {
        Self::of(ANSWER_BYTES)
    }

    fn of(bytes: usize) -> Self {
        Self { left: bytes, is_unused: true }
    }

    /// Whether these fit, together; then they are in.
    pub fn takes<T: Serialize>(&mut self, shown: &[T]) -> bool {
        let bytes = shown.iter().map(size).sum();
        let fits = self.is_unused || bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        self.is_unused = false;
        fits
    }
}

/// As JSON, with the comma behind it.
fn size(shown: &impl Serialize) -> usize {
    serde_json::to_vec(shown).map_or(0, |json| json.len() + 1)
}

/// Which messages are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    Newest,
    /// Older than that moment, the newest of them.
    Before(Timestamp),
    /// Newer than that moment, the oldest of them.
    After(Timestamp),
}

impl Stretch {
    pub fn newest_first(self) -> bool {
        !matches!(self, Self::After(_))
    }
}

/// Messages oldest first, and where to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    pub messages: Vec<MessageWire>,
    /// Older ones can be read before this moment.
    pub previous: Option<Timestamp>,
    /// Newer ones can be read after this moment.
    pub next: Option<Timestamp>,
}

/// What one source gave, in the order of reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    entries: Vec<(Timestamp, MessageWire)>,
    /// As far as it was read, where there may be more beyond.
    reached: Option<Timestamp>,
}

impl Source {
    /// `shown`: what is a message of the history, and what not.
    pub fn of<T>(
        found: Vec<T>,
        at: impl Fn(&T) -> Option<Timestamp>,
        shown: impl Fn(T) -> Option<MessageWire>,
    ) -> Self {
        let reached = (found.len() >= SOURCE_LIMIT).then(|| found.last().and_then(&at)).flatten();
        let entry = |item: T| Some((at(&item)?, shown(item)?));
        Self { entries: found.into_iter().filter_map(entry).collect(), reached }
    }
}

/// From which moment to which one to read, both included.
pub fn bounds(stretch: Stretch, cleared: Option<Timestamp>) -> (Timestamp, Timestamp) {
    let first = cleared.map_or(Timestamp::from_millis(0), |moment| Timestamp::from_millis(moment.millis() + 1));
    let last = Timestamp::from_millis(9_999_999_999_999);
    match stretch {
        Stretch::Newest => (first, last),
        Stretch::Before(moment) => (first, Timestamp::from_millis(moment.millis() - 1)),
        Stretch::After(moment) => (first.max(Timestamp::from_millis(moment.millis() + 1)), last),
    }
}

/// One page of all sources.
pub fn merge(stretch: Stretch, sources: Vec<Source>) -> History {
    merge_into(Room::of_an_answer(), stretch, sources)
}

fn merge_into(room: Room, stretch: Stretch, sources: Vec<Source>) -> History {
    let newest_first = stretch.newest_first();
    // Beyond the nearest edge of what was read, nothing is known for certain.
    let edge = sources
        .iter()
        .filter_map(|source| source.reached)
        .reduce(|a, b| if newest_first { a.max(b) } else { a.min(b) });
    let is_known = |at: Timestamp| edge.is_none_or(|edge| if newest_first { at > edge } else { at < edge });
    let mut entries: Vec<_> = sources.into_iter().flat_map(|source| source.entries).collect();
    let all = entries.len();
    entries.retain(|(at, _)| is_known(*at));
    entries.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.id.cmp(&other.id)));
    if newest_first {
        entries.reverse();
    }
    let cut = page_end(&entries, room);
    let has_more = cut < entries.len() || entries.len() < all || edge.is_some();
    entries.truncate(cut);
    let far = entries.last().map(|(at, _)| *at).or(edge).filter(|_| has_more);
    let near = match stretch {
        Stretch::Newest => None,
        Stretch::Before(moment) | Stretch::After(moment) => Some(entries.first().map_or(moment, |(at, _)| *at)),
    };
    if newest_first {
        entries.reverse();
    }
    let messages = entries.into_iter().map(|(_, message)| message).collect();
    if newest_first {
        History { messages, previous: far, next: near }
    } else {
        History { messages, previous: near, next: far }
    }
}

/// After [`PAGE`] entries and those that share the moment of the last, or before the moment that does not fit.
fn page_end(entries: &[(Timestamp, MessageWire)], mut room: Room) -> usize {
    let mut end = 0;
    for moment in entries.chunk_by(|(one, _), (other, _)| one == other) {
        if end >= PAGE || !room.takes(moment) {
            break;
        }
        end += moment.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MessageId;
    use proptest::prelude::*;

    fn message(at: i64, number: usize) -> MessageWire {
        let moment = Timestamp::from_millis(at);
        let id = MessageId::at(moment, &[&number.to_be_bytes()]);
        MessageWire {
            id: Some(id),
            received: Some(moment),
            text: Some("x".repeat(number % 7 * 50)),
            ..MessageWire::default()
        }
    }

    /// Reads a source as the store would.
    fn read(all: &[MessageWire], stretch: Stretch) -> Source {
        let (from, to) = bounds(stretch, None);
        let mut found: Vec<_> =
            all.iter().filter(|one| one.received.is_some_and(|at| from <= at && at <= to)).cloned().collect();
        found.sort_by_key(|one| (one.received, one.id));
        if stretch.newest_first() {
            found.reverse();
        }
        found.truncate(SOURCE_LIMIT);
        Source::of(found, |one| one.received, Some)
    }

    proptest! {
        /// Going back from the newest page, or forward from the beginning, meets every message once.
        #[test]
        fn paging_either_way_meets_every_message_once(
            bytes in prop_oneof![Just(ANSWER_BYTES), 1_usize..9_000],
            one in prop::collection::vec(1_i64..400, 0..300), other in prop::collection::vec(1_i64..400, 0..300)
        ) {
            // More at one moment than a source is read beyond a page cannot be told apart; none has that many here.
            let one: Vec<_> = one.into_iter().enumerate().map(|(n, at)| message(at * 7, n)).collect();
            let other: Vec<_> = other.into_iter().enumerate().map(|(n, at)| message(at * 7, n + 1_000)).collect();
            let mut all: Vec<_> = one.iter().chain(&other).filter_map(|message| message.id).collect();
            all.sort();
            for mut stretch in [Stretch::Newest, Stretch::After(Timestamp::from_millis(0))] {
                let mut met = Vec::new();
                for _ in 0..=all.len() {
                    let page = merge_into(Room::of(bytes), stretch, vec![read(&one, stretch), read(&other, stretch)]);
                    prop_assert!(all.is_empty() || !page.messages.is_empty() || page.previous.or(page.next).is_none());
                    prop_assert!(page.messages.is_sorted_by_key(|message| message.received));
                    met.extend(page.messages.iter().filter_map(|message| message.id));
                    let onward = if stretch.newest_first() { page.previous.map(Stretch::Before) } else { page.next.map(Stretch::After) };
                    match onward {
                        Some(next) => stretch = next,
                        None => break,
                    }
                }
                met.sort();
                prop_assert_eq!(&met, &all);
            }
        }
    }

    #[test]
    fn something_fits_into_every_answer() {
        let mut room = Room::of(10);
        assert!(room.takes(&["far too long for it"]));
        assert!(!room.takes(&["x"]));
        let mut room = Room::of(10);
        assert!(room.takes(&["abc"]) && !room.takes(&["abcdefg"]));
    }

    #[test]
    fn the_newest_page_knows_of_nothing_newer_and_a_short_history_of_nothing_older() {
        let all: Vec<_> = (1..=5).map(|n| message(n, n as usize)).collect();
        let page = merge(Stretch::Newest, vec![read(&all, Stretch::Newest)]);
        assert_eq!((page.messages.len(), page.previous, page.next), (5, None, None));
    }
}
