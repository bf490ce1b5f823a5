//! A carrier's sentence without what it may have repeated of ours: numbers, addresses, texts and tokens are blotted out.
//!
//! It blots too much rather than too little: what matters beside the sentence, its code, is kept apart.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Characters that are kept.
pub const SENTENCE_LIMIT: usize = 200;
/// More of what a carrier said is not looked at.
const READ_LIMIT: usize = 2_000;
/// Stands for what was blotted out, or cut off.
const BLOT: &str = "…";
/// A number of this many digits may lead to a person, or be a code that was sent to one.
const DIGITS: usize = 4;
/// A word of this length is no word, and with a digit in it of this one.
const TOKEN_LENGTH: usize = 24;
const TOKEN_LENGTH_WITH_DIGIT: usize = 16;
/// What is quoted is ours, but for the name of a field.
const NAME_LENGTH: usize = 24;
/// So many words in a row that a message has as well are the message's.
const SHARED_WORDS: usize = 3;

/// Only [`Sentence::redacted`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sentence(String);

impl Sentence {
    /// `None`: nothing was said.
    pub fn redacted(said: &str) -> Option<Self> {
        let said: String = said.chars().take(READ_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let said = without_numbers(&without_quotes(&said));
        let words = said.split_whitespace().map(|word| (!is_private(word)).then_some(word));
        let sentence = capped(&joined(words));
        (!sentence.is_empty()).then_some(Self(sentence))
    }

    /// Without what it has of these texts: all of a short one, and of a longer one whatever is more than chance.
    pub fn without<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let plain: Vec<String> = self.0.split_whitespace().map(plain).collect();
        let mut shared = vec![false; plain.len()];
        for text in texts {
            let text: Vec<String> = text.split_whitespace().map(self::plain).filter(|word| !word.is_empty()).collect();
            let length = text.len().min(SHARED_WORDS);
            if length == 0 {
                continue;
            }
            let known: HashSet<&[String]> = text.windows(length).collect();
            for (start, _) in plain.windows(length).enumerate().filter(|(_, words)| known.contains(words)) {
                shared[start..start + length].fill(true);
            }
        }
        let words = self.0.split_whitespace().zip(shared);
        Self(joined(words.map(|(word, is_shared)| (!is_shared).then_some(word))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How two spellings of a word are told to be one.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Of an address, a token, or a language that no carrier speaks to us in.
fn is_private(word: &str) -> bool {
    let length = word.chars().count();
    let has_digit = word.chars().any(char::is_numeric);
    word.contains('@')
        || length >= TOKEN_LENGTH
        || (length >= TOKEN_LENGTH_WITH_DIGIT && has_digit)
        || word.chars().any(|c| c.is_alphanumeric() && !c.is_ascii())
}

/// What stands in quotation marks, up to the end where they are not closed.
fn without_quotes(said: &str) -> String {
    let mut kept = String::new();
    let mut rest = said;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let end = (!before.is_alphanumeric()).then(|| closing(first)).flatten();
        let Some(end) = end else {
            kept.push(first);
            (before, rest) = (first, after);
            continue;
        };
        let closed = after.match_indices(end).map(|(at, _)| at).find(|at| {
            let next = after[at + end.len_utf8()..].chars().next();
            next.is_none_or(|next| !next.is_alphanumeric())
        });
        let quoted = &after[..closed.unwrap_or(after.len())];
        kept.push_str(if is_name(quoted) { quoted } else { BLOT });
        rest = closed.map_or("", |at| &after[at + end.len_utf8()..]);
        before = ' ';
    }
    kept
}

fn closing(mark: char) -> Option<char> {
    match mark {
        '"' | '\'' | '`' => Some(mark),
        '“' | '„' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

fn is_name(quoted: &str) -> bool {
    quoted.len() <= NAME_LENGTH && quoted.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Digits in a row, however they are grouped.
fn without_numbers(said: &str) -> String {
    let mut kept = String::new();
    let mut number = String::new();
    for c in said.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_numeric() || (c == '+' && number.is_empty()) => number.push(c),
            Some(c) if !number.is_empty() && !c.is_alphanumeric() && !ends_group(&number, c) => number.push(c),
            c => {
                let digits = number.chars().filter(|c| c.is_numeric()).count();
                let tail = number.trim_end_matches(|c: char| !c.is_numeric()).len();
                kept.push_str(if digits >= DIGITS { BLOT } else { &number[..tail] });
                kept.push_str(&number[tail..]);
                number.clear();
                kept.extend(c);
            }
        }
    }
    kept
}

/// Two marks in a row end a number, as a comma does; a bracket may stand beside a blank.
fn ends_group(number: &str, next: char) -> bool {
    let last = number.chars().next_back().unwrap_or_default();
    let joins = |c: char| matches!(c, '(' | ')');
    next == ',' || (!last.is_numeric() && last != '+' && !joins(last) && !joins(next))
}

fn joined<'a>(words: impl Iterator<Item = Option<&'a str>>) -> String {
    let mut sentence = String::new();
    let mut last = "";
    for word in words.map(|word| word.unwrap_or(BLOT)) {
        if (last, word) == (BLOT, BLOT) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
        last = word;
    }
    sentence
}

fn capped(sentence: &str) -> String {
    match sentence.char_indices().nth(SENTENCE_LIMIT - 1) {
        Some((at, last)) if at + last.len_utf8() < sentence.len() => format!("{}{BLOT}", &sentence[..at]),
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redacted(said: &str) -> String {
        Sentence::redacted(said).map_or(String::new(), |sentence| sentence.0)
    }

    #[test]
    fn what_a_carrier_says_of_itself_stays() {
        for sentence in [
            "Authenticate",
            "Attempt to send to unsubscribed recipient",
            "Request not allowed (incorrect access_key)",
            "The integration's account isn't active",
            "Longer than 160 characters, in 2 parts.",
        ] {
            assert_eq!(redacted(sentence), sentence);
        }
        assert_eq!(redacted("no (correct) 'recipients' found"), "no (correct) recipients found");
        assert_eq!(redacted(" \n\t"), "");
    }

    #[test]
    fn what_it_repeats_of_ours_does_not() {
        for (said, kept) in [
            ("The 'To' number +1 (416) 555-0142 is not valid.", "The To number … is not valid."),
            ("unknown: 31612345678", "unknown: …"),
            ("sent to ann+tea@shop.example twice", "sent to … twice"),
            ("body \"Your tea is ready\" refused", "body … refused"),
            ("text 'it ends here without a mark", "text …"),
            ("key live_sk4eGFm2Gk1Vyh9X8m3D is revoked", "key … is revoked"),
            ("see https://carrier.example/docs/errors/21211", "see …"),
            ("Ваш чай готов was refused", "… was refused"),
        ] {
            assert_eq!(redacted(said), kept, "{said}");
        }
    }

    #[test]
    fn a_messages_own_words_are_found_without_marks() {
        let said = Sentence::redacted("Body Your tea, is ready! is not valid for your account").unwrap();
        assert_eq!(said.without(["your tea is ready"]).as_str(), "Body … is not valid for your account");
        assert_eq!(said.without(["Body"]).as_str(), "… Your tea, is ready! is not valid for your account");
        assert_eq!(said.without(["", "is not what your account is for"]), said);
    }

    #[test]
    fn a_long_sentence_is_cut() {
        let long = redacted(&"word ".repeat(500));
        assert_eq!(long.chars().count(), SENTENCE_LIMIT);
        assert!(long.ends_with(BLOT));
    }

    proptest! {
        #[test]
        fn no_number_stays_however_it_is_grouped(
            before in "[a-z ]{0,20}", digits in "[0-9]{4,15}", mark in "[ ./()-]?", group in 1_usize..5, after in "[a-z ]{0,20}"
        ) {
            let groups: Vec<&str> = digits.as_bytes().chunks(group).map(|part| std::str::from_utf8(part).unwrap()).collect();
            let kept = redacted(&format!("{before} +{} {after}", groups.join(&mark)));
            prop_assert!(kept.chars().all(|c| !c.is_ascii_digit()), "{kept}");
        }

        #[test]
        fn no_address_and_no_token_stays(
            before in "[ -~]{0,30}", name in "[a-zA-Z0-9.+_-]{1,20}", token in "[A-Za-z0-9_-]{24,60}", after in "[ -~]{0,30}"
        ) {
            let kept = redacted(&format!("{before} {name}@shop.example {token} {after}"));
            prop_assert!(!kept.contains("@shop") && !kept.contains(&token), "{kept}");
        }

        #[test]
        fn no_message_stays_wherever_it_stands(
            before in "[a-z ]{0,30}", text in "[A-Za-z]{2,9}( [A-Za-z]{2,9}){0,12}", after in "[a-z ]{0,30}"
        ) {
            let said = Sentence::redacted(&format!("{before} {text} {after}"));
            let kept = said.map_or(String::new(), |said| said.without([text.as_str()]).0);
            let words: Vec<&str> = text.split(' ').collect();
            for run in words.windows(words.len().min(SHARED_WORDS)) {
                prop_assert!(!format!(" {kept} ").contains(&format!(" {} ", run.join(" "))), "{kept}");
            }
        }

        #[test]
        fn anything_may_be_said(said in any::<String>(), text in any::<String>()) {
            if let Some(sentence) = Sentence::redacted(&said) {
                prop_assert!(sentence.as_str().chars().count() <= SENTENCE_LIMIT);
                prop_assert!(sentence.without([text.as_str()]).as_str().chars().count() <= SENTENCE_LIMIT);
                prop_assert!(!sentence.as_str().contains('@'));
            }
        }
    }
}
