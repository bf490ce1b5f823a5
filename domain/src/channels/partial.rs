//! Reading a JSON answer as far as it came: what was said before a connection broke off was said.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// The whole string of that name in a JSON object, whatever becomes of the text after it.
pub(in crate::channels) fn string(json: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    // How reading ended says nothing: the text may break off anywhere.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_map(Member { name, found: &mut found });
    found
}

struct Member<'a> {
    name: &'a str,
    found: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                *self.found = Some(map.next_value()?);
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = r#"{"uri":"/a","subresource":{"sid":"inner"},"list":[1,{}],"sid":"SM1","status":"queued"}"#;

    #[test]
    fn a_string_is_read_wherever_the_text_breaks_off_after_it() {
        let end = ANSWER.find("SM1\"").unwrap() + "SM1\"".len();
        for cut in 0..=ANSWER.len() {
            let read = string(&ANSWER.as_bytes()[..cut], "sid");
            assert_eq!(read.as_deref(), (cut >= end).then_some("SM1"), "{}", &ANSWER[..cut]);
        }
    }

    #[test]
    fn what_is_no_string_or_no_object_is_not_read() {
        for answer in ["", "[]", "null", r#""sid""#, r#"{"sid":7}"#, r#"{"sid":null}"#, "<html>", "{sid"] {
            assert_eq!(string(answer.as_bytes(), "sid"), None, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = string(&bytes, "sid");
        }
    }
}
