//! A path as words: cut at its slashes first, then decoded.
//!
//! Gateways differ: one hands on a path as the caller wrote it, another decoded, a third decoded but for `%25`. Nothing
//! here asks which. A word is decoded until nothing in it is left to decode, so it is the same word whoever decoded
//! before; what would not be the same is no name that a person can have ([`super::matching::names_a_person`]).

/// In bytes, as a gateway hands it on. The longest path that has an answer is shorter, and API Gateway takes no more than
/// 10,240 bytes of path, query and headers together.
pub const PATH_LIMIT: usize = 8_192;

/// The words between a path's slashes; a slash at its end is followed by an empty one. `None`: it is no path of ours, since
/// it is too long, does not begin with a slash, or is no UTF-8 once it is decoded.
pub fn words(path: &str) -> Option<Vec<String>> {
    let below = path.strip_prefix('/').filter(|_| path.len() <= PATH_LIMIT)?;
    below.split('/').map(decoded).collect()
}

/// A text without percent escapes, those that only decoding brings to light included. In one pass: a byte is looked at
/// when it comes, and once for each escape that it ends.
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        bytes.push(byte);
        while let [.., b'%', high, low] = bytes[..]
            && let Some((high, low)) = hex_digit(high).zip(hex_digit(low))
        {
            bytes.truncate(bytes.len() - 3);
            bytes.push(high << 4 | low);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slashes_are_where_the_path_is_cut_and_escaped_ones_are_not() {
        let words = |path: &str| words(path).map(|words| words.join("|"));
        assert_eq!(words("/v1.1/appusers/team%2Fblue/").as_deref(), Some("v1.1|appusers|team/blue|"));
        assert_eq!(words("//a").as_deref(), Some("|a"));
        assert_eq!((words("a"), words(""), words("/%C0%AE"), words("/%FF")), (None, None, None, None));
        assert_eq!(words(&format!("/{}", "a".repeat(PATH_LIMIT))), None);
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["50%off", "%", "%%", "%2", "100%", "a+b", "%g1", "ü%"] {
            assert_eq!(decoded(text).as_deref(), Some(text));
        }
        assert_eq!(decoded("50%25off").as_deref(), Some("50%off"));
        assert_eq!(decoded("%%32%35").as_deref(), Some("%"));
    }

    proptest! {
        /// However often a text was encoded, and whichever of it a gateway decoded, one word comes of it.
        #[test]
        fn decoding_does_not_depend_on_who_decoded_before(text in "[a-c%/25fF ü\u{1F375}]{0,12}", times in 1..4) {
            let word = decoded(&text);
            let mut encoded = text.clone();
            for _ in 0..times {
                encoded = utf8_percent_encode(&encoded, NON_ALPHANUMERIC).to_string();
            }
            prop_assert_eq!(&decoded(&encoded), &word);
            prop_assert_eq!(&decoded(&text.replace('%', "%25")), &word);
            if let Some(word) = word {
                prop_assert_eq!(decoded(&word), Some(word.clone()), "nothing is left to decode");
            }
        }
    }
}
