//! Half a surrogate pair: some writers cut texts inside a character, and JSON's escapes can say so.

use std::borrow::Cow;

/// U+FFFD, as JSON escapes it.
const UNSHOWN: &[u8] = b"\\ufffd";

/// The same text with [`UNSHOWN`] for every escape of half a surrogate pair that stands alone.
pub(super) fn mended(text: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match (escaped_unit(text, at), escaped_unit(text, at + UNSHOWN.len())) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 2 * UNSHOWN.len(),
            (Some(0xD800..0xE000), _) => {
                mended.to_mut()[at..at + UNSHOWN.len()].copy_from_slice(UNSHOWN);
                UNSHOWN.len()
            }
            (Some(_), _) => UNSHOWN.len(),
            // An escape of one character, which may be another backslash.
            (None, _) => 2,
        };
    }
    mended
}

/// The UTF-16 unit that `\uXXXX` stands for, if that is what stands there.
fn escaped_unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + UNSHOWN.len())?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::json::value;

    #[test]
    fn half_a_character_is_one_that_cannot_be_shown_and_a_whole_one_stays() {
        let read = |text: &str| value::<Value>(format!("\u{feff}{text}").as_bytes()).unwrap();
        for (text, expected) in [
            (r#""caf\ud83d""#, "caf\u{fffd}"),
            (r#""\udc00x""#, "\u{fffd}x"),
            (r#""\ud83d\ud83c\udf75""#, "\u{fffd}\u{1f375}"),
            (r#""\uD83D\n\uDE00""#, "\u{fffd}\n\u{fffd}"),
            (r#""\\ud83d \\\ud83d""#, "\\ud83d \\\u{fffd}"),
            (r#""\u00e9""#, "é"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(r#"{"\ud83d":["\udfff"]}"#), json!({ "\u{fffd}": ["\u{fffd}"] }));
        for broken in [r#""\ud83""#, r#""\ud83"#, r#""\u"#, "\"\\", r#""\u+123""#] {
            assert!(value::<Value>(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
