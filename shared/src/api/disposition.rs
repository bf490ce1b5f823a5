//! The `Content-Disposition` of a form's part, as clients write it: quoted or not, in UTF-8 or Latin-1, and with
//! `filename*` (RFC 8187) beside `filename` or instead of it.

use std::borrow::Cow;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::CONTENT_DISPOSITION;
use percent_encoding::percent_decode;

/// The part's name in the form.
pub fn name(headers: &HeaderMap) -> Option<String> {
    parameter(headers, b"name").map(|name| text(&name))
}

/// What the file was called where it comes from. The form that names its characters counts more.
pub fn file_name(headers: &HeaderMap) -> Option<String> {
    let extended = parameter(headers, b"filename*").and_then(|value| extended(&value));
    extended.or_else(|| parameter(headers, b"filename").map(|name| text(&name)))
}

fn parameter(headers: &HeaderMap, wanted: &[u8]) -> Option<Vec<u8>> {
    let mut rest = headers.get(CONTENT_DISPOSITION)?.as_bytes();
    loop {
        let at = rest.iter().position(|byte| *byte == b';')?;
        rest = &rest[at + 1..];
        let end = rest.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(rest.len());
        let name = rest[..end].trim_ascii();
        if rest.get(end) != Some(&b'=') {
            rest = &rest[end..];
            continue;
        }
        let (value, after) = value(rest[end + 1..].trim_ascii_start());
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// A value, and what comes after it. Only a quotation mark is escaped: Internet Explorer wrote whole paths.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
        return (text[..end].trim_ascii().to_vec(), &text[end..]);
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    loop {
        rest = match rest {
            [b'\\', b'"', after @ ..] => {
                value.push(b'"');
                after
            }
            [b'"', after @ ..] => return (value, after),
            [byte, after @ ..] => {
                value.push(*byte);
                after
            }
            [] => return (value, rest),
        };
    }
}

/// `UTF-8'en'%E5%A0%B1.pdf`
fn extended(value: &[u8]) -> Option<String> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, escaped) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let bytes: Cow<'_, [u8]> = percent_decode(escaped).into();
    if charset.eq_ignore_ascii_case(b"iso-8859-1") { Some(latin_1(&bytes)) } else { Some(text(&bytes)) }
}

/// In UTF-8, or else in Latin-1, whose bytes are Unicode's first characters.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin_1(bytes), str::to_owned)
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::HeaderValue;
    use proptest::prelude::*;

    fn headers(disposition: &[u8]) -> HeaderMap {
        HeaderValue::from_bytes(disposition).map(|value| (CONTENT_DISPOSITION, value)).into_iter().collect()
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        let cases: [(&[u8], Option<&str>, Option<&str>); 9] = [
            (b"form-data; name=\"source\"; filename=\"a b.png\"", Some("source"), Some("a b.png")),
            (b"form-data;name=source;FileName=a.png", Some("source"), Some("a.png")),
            (b"form-data; filename*=UTF-8''a%20b.png; name=source", Some("source"), Some("a b.png")),
            (b"form-data; filename=x; filename*=iso-8859-1''Gr%FCn; name=\"s\"", Some("s"), Some("Gr\u{fc}n")),
            (b"form-data; name=\"a; filename=b\"", Some("a; filename=b"), None),
            (
                b"form-data; name=\"say \\\"tea\\\"\"; filename=\"C:\\tea\\x.png\"",
                Some("say \"tea\""),
                Some("C:\\tea\\x.png"),
            ),
            (b"form-data; name=\"source; filename=x", Some("source; filename=x"), None),
            (b"form-data; filename*=nonsense; filename=x", None, Some("x")),
            (b"form-data", None, None),
        ];
        for (disposition, part, file) in cases {
            let headers = headers(disposition);
            assert_eq!((name(&headers).as_deref(), file_name(&headers).as_deref()), (part, file), "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn no_disposition_makes_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = (name(&headers(&bytes)), file_name(&headers(&bytes)));
        }
    }
}
