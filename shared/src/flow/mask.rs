//! Credit card numbers in texts: all digits but the last four become asterisks, where the app wishes so (its default;
//! v1.1 reference, section 11).

use crate::model::{AppSettings, MessageWire};

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
const SHOWN: usize = 4;

/// The message with its text masked, if the settings say so.
pub fn message(message: MessageWire, settings: &AppSettings) -> MessageWire {
    if !settings.mask_credit_card_numbers {
        return message;
    }
    MessageWire { text: message.text.as_deref().map(text), ..message }
}

/// Masks runs of 13 to 19 digits, with blanks or dashes between them, that pass Luhn's check.
pub fn text(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let run = run(&characters[at..]);
        let digits: Vec<u32> = characters[at..at + run].iter().filter_map(|c| c.to_digit(10)).collect();
        if (SHORTEST..=LONGEST).contains(&digits.len()) && passes_luhn(&digits) {
            masked.extend(std::iter::repeat_n('*', digits.len() - SHOWN));
            masked.extend(digits[digits.len() - SHOWN..].iter().filter_map(|digit| char::from_digit(*digit, 10)));
        } else {
            masked.extend(&characters[at..at + run.max(1)]);
        }
        at += run.max(1);
    }
    masked
}

/// How many characters from here on are digits with single blanks or dashes between them.
fn run(characters: &[char]) -> usize {
    let mut length = 0;
    for (index, character) in characters.iter().enumerate() {
        match character {
            digit if digit.is_ascii_digit() => length = index + 1,
            ' ' | '-' if index > 0 && length == index => {}
            _ => break,
        }
    }
    length
}

fn passes_luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(n, digit)| if n % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn card_numbers_are_masked_and_other_numbers_stay() {
        assert_eq!(text("Pay with 4242 4242 4242 4242."), "Pay with ************4242.");
        assert_eq!(text("4242424242424242"), "************4242");
        assert_eq!(text("4242-4242-4242-4242 now"), "************4242 now");
        for same in ["order 4242424242424241", "call +1 416-555-0142", "12 34", "", "ünïcode 🙂 7"] {
            assert_eq!(text(same), same);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_masking_panic_and_letters_stay(given in "\\PC{0,60}") {
            let masked = text(&given);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            prop_assert_eq!(letters(&masked), letters(&given));
        }
    }
}
