//! Where a person is reached on a channel, in the one spelling that matching goes by.

use std::borrow::Cow;
use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

/// Bytes of a sender's name; GSM networks know eleven characters.
const SENDER_LIMIT: usize = 64;

/// A normalised address: `+` and digits for phone channels. The only way in from outside is a `parse` constructor;
/// its `Debug` shows no digits, since an address is personal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a phone number in international form, such as +14165550142")]
pub struct InvalidAddress;

impl Address {
    /// Parses a phone number that begins with `+` and a country code. Blanks, dashes, dots and brackets are allowed
    /// between digits. Whether such a number is in use is for the carrier to say.
    pub fn phone(text: &str) -> Result<Self, InvalidAddress> {
        let text: String = text.chars().filter(|c| !is_direction(*c)).map(plain).collect();
        let text = text.trim();
        let plausible = text.len() <= 40
            && text.starts_with('+')
            && text[1..].chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')'));
        if !plausible {
            return Err(InvalidAddress);
        }
        // Some countries' leading zeros go one at a time: the spelling that stays is the address.
        let mut address = standard_form(text)?;
        for _ in 0..text.len() {
            match standard_form(address.as_str())? {
                same if same == address => break,
                shorter => address = shorter,
            }
        }
        Ok(address)
    }

    /// Takes a number as a carrier gives it: digits in international form, with or without `+`.
    pub fn e164(text: &str) -> Result<Self, InvalidAddress> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits && !digits.starts_with('0') {
            Ok(Self(format!("+{}", one_spelling(digits))))
        } else {
            Err(InvalidAddress)
        }
    }

    /// A sender that is no phone number: a short code or a name, which networks write in any character that can be read
    /// (`McDonald's`, `DHL (DE)`). Kept as the carrier spells it.
    pub fn sender(text: &str) -> Result<Self, InvalidAddress> {
        let is_readable = !text.trim().is_empty() && !text.chars().any(is_unreadable);
        if text.len() <= SENDER_LIMIT && is_readable { Ok(Self(text.to_owned())) } else { Err(InvalidAddress) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it consists of digits, in international form or as a short code, and is no name.
    pub fn is_number(&self) -> bool {
        self.digits().bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Without the `+`, as MessageBird wants and gives it.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }

    /// `+1 416-555-0142`: how v1.1 shows a phone client. Falls back to the plain form.
    pub fn display_name(&self) -> String {
        formatted(&self.0, PhoneNumberFormat::International).unwrap_or_else(|| self.0.clone())
    }
}

/// Two spellings that carriers bring to one phone are one address. Mexican mobiles had a 1 behind the country code
/// until 2019; networks still write it at times and deliver to both. No Mexican number of today begins with a 1.
///
/// Others only look alike: Argentina's 9 tells a mobile from a fixed line, and a Brazilian number without its ninth digit
/// is delivered to nobody.
fn one_spelling(digits: &str) -> Cow<'_, str> {
    match digits.strip_prefix("521") {
        Some(national) if national.len() == 10 && national.starts_with(['2', '3', '4', '5', '6', '7', '8', '9']) => {
            format!("52{national}").into()
        }
        _ => digits.into(),
    }
}

/// Address books write numbers with blanks and dashes that no line breaks at.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        blank if blank.is_whitespace() => ' ',
        other => other,
    }
}

/// The marks, unseen, that such numbers are copied with: which way they are read.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Controls, and what Unicode says is no character.
fn is_unreadable(c: char) -> bool {
    c.is_control() || matches!(u32::from(c) & 0xFFFF, 0xFFFE | 0xFFFF)
}

fn standard_form(text: &str) -> Result<Address, InvalidAddress> {
    Address::e164(&formatted(text, PhoneNumberFormat::E164).ok_or(InvalidAddress)?)
}

/// Nothing if it is no number in international form.
fn formatted(text: &str, format: PhoneNumberFormat) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, None).ok()?;
    Some(PHONE_NUMBER_UTIL.format(&number, format).into_owned())
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rlibphonenumber::PhoneNumberType;

    #[test]
    fn spellings_of_one_number_are_one_address() {
        let plain = Address::phone("+12125552368").unwrap();
        let copied = "\u{202A}+1\u{A0}(212)\u{A0}555\u{2011}2368\u{202C}";
        for text in
            ["+1 212-555-2368", "+1 (212) 555 2368", " +1.212.555.2368 ", "+1 212\u{2013}555\u{2013}2368", copied]
        {
            assert_eq!(Address::phone(text), Ok(plain.clone()), "{text}");
        }
        assert_eq!(Address::e164("12125552368"), Ok(plain));
    }

    #[test]
    fn the_two_spellings_of_a_mexican_mobile_are_one_address_whoever_writes_them() {
        let one = Address::e164("+525512345678").unwrap();
        for text in ["+52 1 55 1234 5678", "+52 55 1234 5678", "+5215512345678", "+52 (1) 55-1234-5678"] {
            assert_eq!(Address::phone(text), Ok(one.clone()), "{text}");
        }
        assert_eq!(Address::e164("5215512345678"), Ok(one));
        assert_ne!(Address::e164("5491123456789"), Address::e164("541123456789"), "a mobile and a fixed line");
        assert_ne!(Address::e164("5511987654321"), Address::e164("551187654321"), "one of them reaches nobody");
        assert_eq!(Address::e164("521551234567").unwrap().as_str(), "+521551234567", "too short for an old mobile");
    }

    #[test]
    fn names_that_networks_write_are_senders_and_no_numbers() {
        for name in ["McDonald's", "DHL (DE)", "Tea#1", "Yes!", "A/B", "Ben & Co.", "Größe", "12345"] {
            assert_eq!(Address::sender(name).unwrap().as_str(), name);
        }
        assert!(!Address::sender("DHL (DE)").unwrap().is_number());
        assert!(Address::sender("12345").unwrap().is_number() && Address::e164("14165550142").unwrap().is_number());
        for bad in ["", "  ", "a\u{0}", "a\nb", "\u{7f}", "a\u{fffe}", &"x".repeat(65)] {
            assert_eq!(Address::sender(bad), Err(InvalidAddress), "{bad:?}");
        }
    }

    #[test]
    fn what_has_no_country_code_is_no_address() {
        for text in
            ["212 555 2368", "1 212 555 2368", "+", "", "+1", "hello", "+1abc5552368", "+0123456789", "＋12125552368"]
        {
            assert_eq!(Address::phone(text), Err(InvalidAddress), "{text}");
        }
    }

    #[test]
    fn leading_zeros_that_a_country_drops_do_not_make_two_addresses() {
        let address = Address::phone("+26102000000").unwrap();
        assert_eq!(Address::phone(address.as_str()), Ok(address.clone()));
    }

    #[test]
    fn what_looks_like_a_trunk_prefix_but_is_none_stays() {
        // Saint Petersburg's area code begins with the 8 that is dialled before it inside Russia.
        assert_eq!(Address::phone("+7 812 603-91-85").unwrap().as_str(), "+78126039185");
        assert_eq!(Address::phone("+7 8 812 603-91-85").unwrap().as_str(), "+78126039185");
    }

    #[test]
    fn debug_output_holds_no_digit() {
        assert_eq!(format!("{:?}", Address::phone("+12125552368").unwrap()), "Address(…)");
    }

    #[test]
    fn a_phone_client_is_shown_in_international_form() {
        assert_eq!(Address::phone("+14165550142").unwrap().display_name(), "+1 416-555-0142");
    }

    #[test]
    fn a_number_of_any_country_is_its_own_address_and_is_read_as_it_is_shown() {
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            for kind in [PhoneNumberType::Mobile, PhoneNumberType::FixedLine] {
                let Ok(number) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind) else {
                    continue;
                };
                let plain = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
                let address = Address::phone(&plain).unwrap();
                assert_eq!(address.as_str(), plain);
                assert_eq!(Address::phone(&address.display_name()), Ok(address));
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC{0,60}") {
            let _ = Address::phone(&text);
        }

        #[test]
        fn no_number_makes_parsing_or_showing_panic(number in "\\+[0-9 .()-]{0,39}") {
            let _ = Address::phone(&number).map(|address| address.display_name());
        }

        #[test]
        fn marks_between_digits_make_no_other_address(
            digits in "[1-9][0-9]{7,13}",
            marks in prop::collection::vec("[ .()-]?", 14),
        ) {
            let marked: String = digits.chars().zip(marks).map(|(digit, mark)| format!("{digit}{mark}")).collect();
            prop_assert_eq!(Address::phone(&format!("+{marked}")), Address::phone(&format!("+{digits}")));
        }

        #[test]
        fn what_a_carrier_gives_and_what_a_caller_writes_are_one_address(number in "\\+(521?|54|55|1|44|7)[1-9][0-9]{7,9}") {
            if let Ok(address) = Address::phone(&number) {
                prop_assert_eq!(Address::e164(address.as_str()), Ok(address.clone()));
                prop_assert_eq!(Address::e164(address.digits()), Ok(address));
            }
        }

        #[test]
        fn a_sender_of_any_gsm_character_is_taken_as_it_is(name in "[A-Za-z0-9 @£$¥èéùìòÇØøÅåÆæß!\"#¤%&'()*+,./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~\\]|€_-]{1,11}") {
            prop_assert_eq!(Address::sender(&name).is_ok(), !name.trim().is_empty());
        }

        #[test]
        fn parsing_is_idempotent(number in "\\+[1-9][0-9]{7,13}") {
            if let Ok(address) = Address::phone(&number) {
                prop_assert_eq!(Address::phone(address.as_str()), Ok(address.clone()));
            }
        }
    }
}
