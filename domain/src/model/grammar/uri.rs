//! How a URL is spelled where only a legal one will do: at a carrier, and in a text that a telephone finds links in.
//!
//! Callers write what browsers understand: blanks, umlauts, hosts in any script. That is kept and shown as it came; only
//! what goes out is spelled here, so that everybody reads the same address in it.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url};

/// What RFC 3986 does not let stand anywhere but in a host.
const ILLEGAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// In links, parentheses too: a telephone takes the last one for the sentence's.
const UNFIT: &AsciiSet = &ILLEGAL.add(b'(').add(b')');

/// An http or https URL with a host.
pub fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// In ASCII and by RFC 3986: the host in Punycode, the rest escaped where it must be. What is legal stays as it is, and
/// what is no URL at all, which no [`crate::model::Message`] holds.
pub fn legal(written: &str) -> String {
    let Ok(url) = Url::parse(written) else { return written.to_owned() };
    let unfit = if matches!(url.scheme(), "http" | "https") { UNFIT } else { ILLEGAL };
    let mut legal = url[..Position::BeforePath].to_owned();
    legal += &escaped(url.path(), unfit);
    if let Some(query) = url.query() {
        legal = legal + "?" + &escaped(query, unfit);
    }
    if let Some(fragment) = url.fragment() {
        legal = legal + "#" + &escaped(&fragment.replace('#', "%23"), unfit);
    }
    // A bare host needs no slash.
    if legal.strip_suffix('/') == Some(written) { written.to_owned() } else { legal }
}

/// What is escaped already stays; a percent sign that escapes nothing becomes one that says so.
fn escaped(part: &str, unfit: &'static AsciiSet) -> String {
    let mut pieces = part.split('%');
    let mut escaped = utf8_percent_encode(pieces.next().unwrap_or_default(), unfit).to_string();
    for piece in pieces {
        let is_escape = piece.len() >= 2 && piece.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        escaped += if is_escape { "%" } else { "%25" };
        escaped.extend(utf8_percent_encode(piece, unfit));
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn what_is_legal_stays_and_the_rest_becomes_so() {
        let cases = [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/tea?a=1&b=2#x", "https://shop.example/tea?a=1&b=2#x"),
            ("https://shop.example/my tea.png", "https://shop.example/my%20tea.png"),
            ("https://de.wiki.example/Tee_(Getränk)", "https://de.wiki.example/Tee_%28Getr%C3%A4nk%29"),
            ("https://tée.example/報告書.pdf\n", "https://xn--te-bja.example/%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf"),
            ("https://shop.example/50%off", "https://shop.example/50%25off"),
            ("https://shop.example/50%25off", "https://shop.example/50%25off"),
            ("https://shop.example/?f[a]={x}|y^z", "https://shop.example/?f%5Ba%5D=%7Bx%7D%7Cy%5Ez"),
            ("http://[::1]:3000/a#b#c", "http://[::1]:3000/a#b%23c"),
            ("tel:+14165550142", "tel:+14165550142"),
            ("mailto:tea@shop.example?subject=Grüner Tee", "mailto:tea@shop.example?subject=Gr%C3%BCner%20Tee"),
            ("teaapp://cups/mint tea", "teaapp://cups/mint%20tea"),
        ];
        for (written, spelled) in cases {
            assert_eq!(legal(written), spelled);
        }
    }

    /// What a server makes of a URL.
    fn understood(url: &str) -> (String, Vec<u8>, Option<Vec<u8>>) {
        let url = Url::parse(url).unwrap();
        let decoded = |part: &str| percent_decode_str(part).collect::<Vec<u8>>();
        (url[..Position::BeforePath].to_owned(), decoded(url.path()), url.query().map(decoded))
    }

    proptest! {
        #[test]
        fn any_url_is_spelled_in_ascii_once_and_for_all_and_leads_to_the_same_place(
            host in "[a-zäéñ茶]{1,8}(\\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?",
            rest in "[/?#%()\\[\\]{}|^\\\\'\"<> a-fü茶0-9.:@&=+;,!*~_-]{0,30}|\\PC{0,20}",
        ) {
            let written = format!("https://{host}/{rest}");
            prop_assume!(is_web(&written));
            let spelled = legal(&written);
            let is_legal = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c);
            prop_assert!(spelled.chars().all(is_legal), "{}", spelled);
            prop_assert!(spelled.parse::<http::Uri>().is_ok(), "{}", spelled);
            prop_assert_eq!(understood(&spelled), understood(&written));
            prop_assert_eq!(legal(&spelled), spelled);
        }

        #[test]
        fn no_text_makes_spelling_panic(text in "\\PC{0,60}") {
            let _ = legal(&text);
        }
    }
}
