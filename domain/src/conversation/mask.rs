//! Credit card numbers in what is said: all digits but the last four become asterisks, where the app wishes so (its
//! default; docs/REFERENCE.md, 11).
//!
//! A card's number is one that an issuer gives out: it begins as one of theirs, has their length, and passes Luhn's
//! check. It stands in one piece, or in groups as on a card; what stands beside it does not hide it. A number that is
//! written in other groups is one only if nothing else stands beside it, since telephone numbers in a row would
//! otherwise be one too often. What only machines read (URLs, payloads, metadata) is never touched.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::model::{Action, AppSettings, Content, Message, MessageWire};

const SHOWN: usize = 4;
const LONGEST: usize = 19;
/// Between two groups of digits.
const MOST_SEPARATORS: usize = 3;
/// International telephone numbers have no more digits.
const LONGEST_TELEPHONE: usize = 15;

/// Who issues cards: the first four digits, and how many there are.
const ISSUERS: [(RangeInclusive<u32>, &[usize]); 14] = [
    (4000..=4999, &[13, 16, 19]),                 // Visa
    (5100..=5599, &[16]),                         // Mastercard
    (2221..=2720, &[16]),                         // Mastercard
    (3400..=3499, &[15]),                         // American Express
    (3700..=3799, &[15]),                         // American Express
    (3000..=3059, &[14, 16, 17, 18, 19]),         // Diners
    (3600..=3699, &[14, 16, 17, 18, 19]),         // Diners
    (3800..=3999, &[14, 16, 17, 18, 19]),         // Diners
    (3528..=3589, &[16, 17, 18, 19]),             // JCB
    (6000..=6999, &[16, 17, 18, 19]),             // Discover, UnionPay, RuPay, Maestro
    (5000..=5099, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (5600..=5899, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (8100..=8199, &[16, 17, 18, 19]),             // UnionPay
    (2200..=2204, &[16, 17, 18, 19]),             // Mir
];

/// What a business says, with its texts masked.
pub fn said(mut message: Message) -> Message {
    match &mut message.content {
        Content::Text { text, actions } | Content::Image { text, actions, .. } => {
            in_place(text);
            labels(actions);
        }
        Content::File { text, .. } => in_place(text),
        Content::Carousel { items, .. } => items.iter_mut().for_each(item),
        Content::List { items, actions } => {
            items.iter_mut().for_each(item);
            labels(actions);
        }
        Content::Form { fields, .. } => fields.iter_mut().for_each(field),
        Content::Location { place, .. } => {
            if let Some(place) = place {
                in_place(&mut place.name);
                in_place(&mut place.address);
            }
        }
    }
    message
}

/// What a person writes from their telephone, with its text masked, if the settings say so.
pub fn heard(message: MessageWire, settings: &AppSettings) -> MessageWire {
    if !settings.mask_credit_card_numbers {
        return message;
    }
    MessageWire { text: message.text.as_deref().map(text), ..message }
}

fn item(item: &mut crate::model::Item) {
    item.title = text(&item.title);
    in_place(&mut item.description);
    labels(&mut item.actions);
}

fn labels(actions: &mut [Action]) {
    for action in actions {
        action.text = text(&action.text);
    }
}

/// Of a form's field, whatever is called so that people read it, at any depth: answers are written beside the questions.
fn field(value: &mut Value) {
    const READ: [&str; 5] = ["label", "placeholder", "text", "title", "description"];
    match value {
        Value::Array(list) => list.iter_mut().for_each(field),
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(said) if READ.contains(&name.as_str()) => *said = text(said),
                    other => field(other),
                }
            }
        }
        _ => {}
    }
}

fn in_place(said: &mut Option<String>) {
    *said = said.as_deref().map(text);
}

/// The text with every card's number masked. Where one is written in the wide digits of East Asia, all of them become
/// ordinary ones.
pub fn text(text: &str) -> String {
    let narrow: String = text.chars().map(narrow).collect();
    let masked = of_ordinary_digits(&narrow);
    if masked == narrow { text.to_owned() } else { masked }
}

fn narrow(c: char) -> char {
    match c {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xff10 + u32::from('0')).unwrap_or(c),
        other => other,
    }
}

fn of_ordinary_digits(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        masked.push_str(before);
        let is_dialled = masked.ends_with('+');
        let groups = groups(from);
        let written = |group: &Group| &from[group.start..group.end];
        match (0..groups.len()).find_map(|first| Some((first, card(from, &groups, first, first == 0 && is_dialled)?))) {
            Some((first, last)) => {
                masked.push_str(&from[..groups[first].start]);
                let digits: String = groups[first..=last].iter().map(written).collect();
                masked.extend(std::iter::repeat_n('*', digits.len() - SHOWN));
                masked.push_str(&digits[digits.len() - SHOWN..]);
                rest = &from[groups[last].end..];
            }
            None => {
                let end = groups.last().map_or(from.len(), |group| group.end);
                masked.push_str(&from[..end]);
                rest = &from[end..];
            }
        }
    }
    masked.push_str(rest);
    masked
}

/// Digits without anything between them, by their place in the text.
#[derive(Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn len(self) -> usize {
        self.end - self.start
    }
}

/// The groups that a text begins with, and that only separators part.
fn groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = 0;
    loop {
        let length = text[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - at);
        groups.push(Group { start: at, end: at + length });
        let rest = &text[at + length..];
        let separators = rest.chars().take_while(|c| is_separator(*c)).take(MOST_SEPARATORS);
        let gap: usize = separators.map(char::len_utf8).sum();
        if gap == 0 || !rest[gap..].starts_with(|c: char| c.is_ascii_digit()) {
            return groups;
        }
        at += length + gap;
    }
}

/// Blanks of any width, dashes and dots; a line's end is none.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\t'
            | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' | '.' | '\u{b7}'
    )
}

/// The last group of the card's number that begins with the group `first`. `dialled`: a `+` stands before it.
fn card(text: &str, groups: &[Group], first: usize, dialled: bool) -> Option<usize> {
    let is_whole = |last: usize| first == 0 && last + 1 == groups.len();
    // The longest first: a number of nineteen digits may begin like one of sixteen.
    (first..groups.len().min(first + LONGEST)).rev().find(|last| {
        let window = &groups[first..=*last];
        let digits: usize = window.iter().map(|group| group.len()).sum();
        digits <= LONGEST
            && !(dialled && digits <= LONGEST_TELEPHONE)
            && (is_whole(*last) || is_grouped_as_on_a_card(window))
            && is_issued(
                window
                    .iter()
                    .flat_map(|group| text[group.start..group.end].bytes())
                    .map(|digit| u32::from(digit - b'0')),
            )
    })
}

/// In one piece, in fours with what is left at the end, or in 4-6-5 and 4-6-4.
fn is_grouped_as_on_a_card(window: &[Group]) -> bool {
    let lengths: Vec<_> = window.iter().map(|group| group.len()).collect();
    match lengths[..] {
        [_] | [4, 6, 4 | 5] => true,
        [4, 4, 4, ref rest @ ..] => matches!(rest, [1..=7] | [4, 1..=3]),
        _ => false,
    }
}

fn is_issued(digits: impl Iterator<Item = u32>) -> bool {
    let digits: Vec<_> = digits.collect();
    let Some(beginning) = digits.first_chunk::<4>() else { return false };
    let beginning = beginning.iter().fold(0, |number, digit| number * 10 + digit);
    let is_theirs = |(begins, lengths): &(RangeInclusive<u32>, &[usize])| {
        begins.contains(&beginning) && lengths.contains(&digits.len())
    };
    ISSUERS.iter().any(is_theirs) && passes_luhn(&digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(n, digit)| if n % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests;
