//! Where a person is reached on a channel, in the one spelling that matching goes by.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

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
        if fits && !digits.starts_with('0') { Ok(Self(format!("+{digits}"))) } else { Err(InvalidAddress) }
    }

    /// A sender that is no phone number: a short code or an alphanumeric name. Kept as the carrier spells it.
    pub fn sender(text: &str) -> Result<Self, InvalidAddress> {
        let fits =
            (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_alphanumeric() || "+ .&-_:@".contains(c));
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidAddress) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
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
        for text in ["+1 212-555-2368", "+1 (212) 555 2368", " +1.212.555.2368 "] {
            assert_eq!(Address::phone(text), Ok(plain.clone()), "{text}");
        }
        assert_eq!(Address::e164("12125552368"), Ok(plain));
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
        fn parsing_is_idempotent(number in "\\+[1-9][0-9]{7,13}") {
            if let Ok(address) = Address::phone(&number) {
                prop_assert_eq!(Address::phone(address.as_str()), Ok(address.clone()));
            }
        }
    }
}
