//! What a reply says to a link that waits at its address: yes, no, or nothing.
//!
//! A yes gives the address away, and with it what is sent there, so it must be meant for our question and no other. Each
//! question has a code of its own, which nobody says by chance. The bare word counts only where nothing else can have
//! been asked: the question went out, and nothing else did since the person last wrote.

use crate::channels::ReplyPart;
use crate::ids::LinkId;
use crate::linking::{Confirmation, Link, LinkState};
use crate::model::{SendRecord, SendState, Subject, Timestamp};

/// What people write to hear no more, on any channel of ours.
const STOP_WORDS: [&str; 8] = ["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    /// If our question is all that they were asked: [`is_only_question`].
    GivenIfAlone,
    Denied,
    /// An ordinary message, and what waits goes on waiting.
    Unclear,
}

/// The question, when the business asks. `app_name` speaks.
pub fn question(app_name: &str, link: LinkId) -> String {
    let code = code(link);
    format!("{app_name} would like to send you messages at this number. Reply YES {code} to accept or NO to decline.")
}

/// The question, when a person of the business's asks. Whoever reads it may be a stranger to them: a yes gives that
/// person the number, so the words say that. Nothing in it is the asking person's.
pub fn question_of_a_person(app_name: &str, link: LinkId) -> String {
    let code = code(link);
    format!(
        "{app_name}: somebody asked to link this number to their account. Reply YES {code} only if this was you, \
         else NO."
    )
}

/// Four digits. They need not be secret: only whoever has the address can answer from there.
fn code(link: LinkId) -> u16 {
    let [.., high, low] = *link.as_bytes();
    1_000 + u16::from_be_bytes([high, low]) % 9_000
}

pub fn of(link: &Link, parts: &[ReplyPart]) -> Consent {
    let word = word(parts);
    let is_stop = word.as_deref().is_some_and(|word| STOP_WORDS.contains(&word));
    match (link.confirmation, link.state) {
        (_, LinkState::Done | LinkState::Failed) => Consent::Unclear,
        _ if is_stop => Consent::Denied,
        // Whatever they write is the activity, once they can have read what was sent.
        (Confirmation::UserActivity, LinkState::Matched) => Consent::Given,
        (Confirmation::UserActivity, LinkState::Asked) | (Confirmation::Immediate, _) => Consent::Unclear,
        (Confirmation::Prompt, state) => match word.as_deref() {
            Some("no") => Consent::Denied,
            // Whoever knows the code was asked, though we may not have recorded it yet.
            Some(word) if word == format!("yes{}", code(link.id)) => Consent::Given,
            Some("yes") if state == LinkState::Matched => Consent::GivenIfAlone,
            _ => Consent::Unclear,
        },
    }
}

/// A reply that is one text, without whatever is neither letter nor digit: `Yes, 4821!` is `yes4821`.
fn word(parts: &[ReplyPart]) -> Option<String> {
    let [ReplyPart::Text(text)] = parts else { return None };
    Some(text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect())
}

/// `records`: what was sent to the address since it was last written from, or since before the question. Whatever may
/// have gone out after the question, or since the person last wrote, may be what they answer.
pub fn is_only_question(records: &[SendRecord], link: LinkId, last_reply: Option<Timestamp>) -> bool {
    let is_ours = |record: &&SendRecord| record.subject == Subject::Confirmation(link);
    let Some(asked) = records.iter().find(is_ours).and_then(|ours| ours.sent) else { return false };
    let may_be_meant = |record: &SendRecord| match (record.state, record.sent) {
        (SendState::Failed, None) => false,
        (_, None) => true,
        (_, Some(sent)) => sent >= asked || last_reply.is_none_or(|last| sent > last),
    };
    !records.iter().filter(|record| !is_ours(record)).any(may_be_meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::ids::{AppUserId, ClientId, IntegrationId, NotificationId};
    use crate::model::{Address, Author, ChannelType, Client, ClientStatus, MessageWire};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn link(confirmation: Confirmation, state: LinkState) -> Link {
        Link {
            id: LinkId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0e, 0xed]),
            app_user_id: AppUserId::generate(&Counter),
            confirmation,
            state,
            client: Client {
                id: ClientId::generate(&Counter),
                platform: ChannelType::Twilio,
                integration_id: IntegrationId::generate(&Counter),
                external_id: Address::e164("+14165550142").unwrap(),
                display_name: None,
                status: ClientStatus::Pending,
                linked: NOW,
                secondary: false,
                last_seen: None,
                raw: serde_json::Map::new(),
            },
            criteria: serde_json::Map::new(),
            ended_by: None,
            taken_from: None,
            ttl: NOW.plus_seconds(60).seconds(),
        }
    }

    fn said(confirmation: Confirmation, state: LinkState, text: &str) -> Consent {
        of(&link(confirmation, state), &[ReplyPart::Text(text.into())])
    }

    #[test]
    fn a_prompt_is_answered_by_its_code_and_by_a_bare_yes_where_it_is_alone() {
        use LinkState::{Asked, Matched};
        let said = |state, text: &str| said(Confirmation::Prompt, state, text);
        assert!(question("Tea House", link(Confirmation::Prompt, Asked).id).contains("YES 4821"));
        for text in ["YES 4821", " yes, 4821! ", "Yes4821"] {
            assert_eq!((said(Matched, text), said(Asked, text)), (Consent::Given, Consent::Given), "{text}");
        }
        assert_eq!(said(Matched, "“Yes.”"), Consent::GivenIfAlone);
        assert_eq!(said(Asked, "yes"), Consent::Unclear, "nobody answers what was not sent");
        for text in ["y", "ok", "1", "accept", "YES 4822", "4821", "Yes, but who are you?", ""] {
            assert_eq!(said(Matched, text), Consent::Unclear, "{text}");
        }
        assert_eq!(said(Matched, "NO"), Consent::Denied);
    }

    #[test]
    fn every_stop_word_ends_whatever_waits() {
        let confirmations = [Confirmation::Immediate, Confirmation::UserActivity, Confirmation::Prompt];
        for (confirmation, state) in
            confirmations.into_iter().flat_map(|one| [(one, LinkState::Asked), (one, LinkState::Matched)])
        {
            let words = STOP_WORDS.iter().map(|word| word.to_uppercase());
            for text in words.chain(["Stop!".into(), "opt-out".into(), "STOP ALL.".into()]) {
                assert_eq!(said(confirmation, state, &text), Consent::Denied, "{confirmation:?} {text}");
            }
            assert_ne!(said(confirmation, state, "Please stop by"), Consent::Denied);
        }
    }

    #[test]
    fn activity_counts_once_its_message_went_out() {
        assert_eq!(said(Confirmation::UserActivity, LinkState::Asked, "Hi"), Consent::Unclear);
        assert_eq!(said(Confirmation::UserActivity, LinkState::Matched, "Hi"), Consent::Given);
        assert_eq!(said(Confirmation::Immediate, LinkState::Matched, "Hi"), Consent::Unclear);
    }

    fn record(subject: Subject, state: SendState, sent: Option<i64>) -> SendRecord {
        SendRecord {
            subject,
            state,
            deadline: None,
            accepted: NOW,
            message: MessageWire::default(),
            author: Author::default(),
            external_ids: vec![],
            confirmed: Default::default(),
            match_result: None,
            sent: sent.map(|seconds| NOW.plus_seconds(seconds)),
            ended: None,
            exchanges: Vec::new(),
            failure: None,
            answered_by: None,
            hidden: false,
            repeated: false,
            ttl: 0,
        }
    }

    #[test]
    fn whatever_else_went_out_since_they_last_wrote_may_be_what_they_answer() {
        let link = LinkId::generate(&Counter);
        let ours = record(Subject::Confirmation(link), SendState::Delivered, Some(0));
        let alone = |other: SendRecord| is_only_question(&[ours.clone(), other], link, Some(NOW.plus_seconds(-60)));
        let another = || Subject::Notification(NotificationId::generate(&Counter));
        assert!(is_only_question(std::slice::from_ref(&ours), link, None));
        for seconds in [-30, 0, 30] {
            assert!(!alone(record(another(), SendState::Sent, Some(seconds))), "sent at {seconds}");
        }
        assert!(!alone(record(Subject::Confirmation(LinkId::generate(&Counter)), SendState::Delivered, Some(-30))));
        assert!(!alone(record(another(), SendState::Claimed, None)), "it may be out");
        assert!(!alone(record(another(), SendState::Failed, Some(10))), "it may have arrived in part");
        assert!(alone(record(another(), SendState::Failed, None)));
        assert!(alone(record(another(), SendState::Sent, Some(-90))), "they wrote after it");
        let after = [ours.clone(), record(another(), SendState::Sent, Some(30))];
        assert!(!is_only_question(&after, link, Some(NOW.plus_seconds(60))), "though they wrote since");
        assert!(!is_only_question(&[], link, None), "it was not asked");
    }
}
