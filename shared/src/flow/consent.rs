//! What a person's answer to "do you want to link this number?" means.

use crate::channels::ReplyPart;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    Denied,
    /// Something else: an ordinary message, and the question stays open.
    Unclear,
}

/// The question, when the business asks. `app_name` speaks.
pub fn question(app_name: &str) -> String {
    format!("{app_name} would like to send you messages at this number. Reply YES to accept or NO to decline.")
}

/// The question, when a person of the business's asks. Whoever reads it may be a stranger to them: a yes gives that
/// person the number, so the words say that. Nothing in it is the asking person's.
pub fn question_of_a_person(app_name: &str) -> String {
    format!("{app_name}: somebody asked to link this number to their account. Reply YES only if this was you, else NO.")
}

pub fn of(parts: &[ReplyPart]) -> Consent {
    let [ReplyPart::Text(text)] = parts else { return Consent::Unclear };
    let word: String = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    match word.as_str() {
        "yes" | "y" | "accept" | "ok" | "1" => Consent::Given,
        "no" | "n" | "deny" | "decline" | "stop" | "2" => Consent::Denied,
        _ => Consent::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_understood_and_sentences_are_messages() {
        let of = |text: &str| of(&[ReplyPart::Text(text.into())]);
        assert_eq!(of(" Yes! "), Consent::Given);
        assert_eq!(of("NO"), Consent::Denied);
        assert_eq!(of("Yes, but who are you?"), Consent::Unclear);
        assert_eq!(super::of(&[]), Consent::Unclear);
    }
}
