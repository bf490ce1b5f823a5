//! How a text becomes SMS segments: which encoding it needs, how many segments it fills, where it may be cut.
//!
//! Facts of the network (GSM 03.38 and 23.040), the same for every carrier. Billing and transliteration are not here.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// How the network writes a text. One character outside GSM-7 turns the whole text into UCS-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Counted in septets.
    Gsm7,
    /// Counted in UTF-16 code units.
    Ucs2,
}

/// The GSM-7 alphabet, one septet each. Escape (0x1B) is left out: it is no character of its own.
const GSM7_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                          ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// GSM-7's extension table: an escape and a septet, two together.
const GSM7_EXTENDED: &str = "\u{c}^{}\\[~]|€";

impl Encoding {
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// Units in a message of one segment.
    const fn single(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units in each segment of a message of several, whose header takes the rest.
    const fn each(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

fn septets(c: char) -> Option<usize> {
    match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | ' ' => Some(1),
        c if GSM7_BASIC.contains(c) => Some(1),
        c if GSM7_EXTENDED.contains(c) => Some(2),
        _ => None,
    }
}

/// How many segments the text fills; none when it is empty.
pub fn count(text: &str) -> usize {
    let mut meter = Meter::default();
    text.chars().for_each(|c| meter.push(c));
    meter.segments()
}

/// The most that one request to a carrier may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Characters, counted as UTF-16 code units: the strictest reading of a carrier's "characters".
    Characters(usize),
    Segments(usize),
}

/// Cuts a text into pieces that fit the limit, in order: at a line border if one lies in the second half, else at a
/// word border, else between two characters as a reader sees them: an emoji's family, a flag and a letter with its accents
/// stay whole, unless one alone is longer than the limit. White space at a cut is dropped, and so no piece is blank; a text that
/// fits is one piece, untouched. An empty text gives no piece.
pub fn split(text: &str, limit: Limit) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let fitting = longest_fit(rest, limit);
        if fitting == rest.len() {
            pieces.push(rest);
            break;
        }
        let cut = border(rest, fitting);
        let piece = rest[..cut].trim_end();
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = rest[cut..].trim_start();
    }
    pieces
}

/// Bytes of the longest beginning that fits; at least one character, so that splitting always ends.
fn longest_fit(text: &str, limit: Limit) -> usize {
    let mut meter = Meter::default();
    for (index, c) in text.char_indices() {
        meter.push(c);
        let over = match limit {
            Limit::Characters(most) => meter.ucs2.total > most,
            Limit::Segments(most) => meter.segments() > most,
        };
        if over && index > 0 {
            return index;
        }
    }
    text.len()
}

/// Where to cut, at most at `fitting`, which lies inside the text.
fn border(text: &str, fitting: usize) -> usize {
    let window = &text[..fitting];
    if text[fitting..].starts_with(char::is_whitespace) {
        return fitting;
    }
    let after_last = |is_border: fn(char) -> bool| {
        window.char_indices().rev().find(|(_, c)| is_border(*c)).map(|(index, c)| index + c.len_utf8())
    };
    let is_whole = |cut: &usize| GraphemeCursor::new(*cut, text.len(), true).is_boundary(text, 0).unwrap_or(true);
    let line = after_last(|c| c == '\n').filter(|cut| *cut >= fitting / 2);
    let word = || after_last(char::is_whitespace).filter(is_whole);
    line.or_else(word).unwrap_or_else(|| last_whole(text, fitting))
}

/// Where the last character that a reader sees as one ends, at most at `fitting`.
fn last_whole(text: &str, fitting: usize) -> usize {
    let ends = text.grapheme_indices(true).map(|(index, shown)| index + shown.len());
    ends.take_while(|end| *end <= fitting).last().unwrap_or(fitting)
}

/// Counts a text as it grows, in both encodings, since one late character may change which of them holds.
#[derive(Debug, Default)]
struct Meter {
    gsm7: Packing,
    ucs2: Packing,
    outside_gsm7: bool,
}

impl Meter {
    fn push(&mut self, c: char) {
        match septets(c) {
            Some(units) => self.gsm7.push(units, Encoding::Gsm7),
            None => self.outside_gsm7 = true,
        }
        self.ucs2.push(c.len_utf16(), Encoding::Ucs2);
    }

    fn segments(&self) -> usize {
        if self.outside_gsm7 { self.ucs2.segments(Encoding::Ucs2) } else { self.gsm7.segments(Encoding::Gsm7) }
    }
}

/// Fills segments one after another. A character of two units never lies across a border, so division would count
/// too few.
#[derive(Debug, Default)]
struct Packing {
    total: usize,
    full: usize,
    in_last: usize,
}

impl Packing {
    fn push(&mut self, units: usize, encoding: Encoding) {
        self.total += units;
        if self.in_last + units > encoding.each() {
            self.full += 1;
            self.in_last = 0;
        }
        self.in_last += units;
    }

    fn segments(&self, encoding: Encoding) -> usize {
        match self.total {
            0 => 0,
            total if total <= encoding.single() => 1,
            _ => self.full + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_the_networks() {
        let gsm7 = [(1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (1377, 9), (1378, 10)];
        for (length, segments) in gsm7 {
            assert_eq!(count(&"a".repeat(length)), segments, "{length} of GSM-7");
        }
        let ucs2 = [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (603, 9), (604, 10)];
        for (length, segments) in ucs2 {
            assert_eq!(count(&"ж".repeat(length)), segments, "{length} of UCS-2");
        }
        assert_eq!(count(""), 0);
    }

    #[test]
    fn one_character_outside_gsm7_changes_the_whole_text() {
        assert_eq!(Encoding::of("Ünïque"), Encoding::Ucs2);
        assert_eq!(Encoding::of("Äh, naïve"), Encoding::Ucs2);
        assert_eq!(Encoding::of("Ça coûte"), Encoding::Ucs2);
        assert_eq!(Encoding::of("ÇA VA? 5 € [ok]\n"), Encoding::Gsm7);
        assert_eq!(count(&format!("{}…", "a".repeat(70))), 2);
    }

    #[test]
    fn a_character_of_two_units_moves_to_the_next_segment_as_a_whole() {
        // 152 + 2 would fill 154 of 153: the euro opens the second segment, and what fitted into two needs three.
        let euro_at_border = format!("{}€{}", "a".repeat(152), "a".repeat(151));
        assert_eq!(count(&euro_at_border), 2);
        assert_eq!(count(&format!("{euro_at_border}a")), 3);
        let emoji_at_border = format!("{}🙂{}", "ж".repeat(66), "ж".repeat(66));
        assert_eq!(count(&emoji_at_border), 3);
        assert_eq!(count(&"€".repeat(80)), 1);
        assert_eq!(count(&"€".repeat(81)), 2);
    }

    #[test]
    fn cuts_fall_on_lines_then_words_then_characters() {
        let limit = Limit::Characters(12);
        assert_eq!(split("first line\nsecond one", limit), ["first line", "second one"]);
        assert_eq!(split("a\nlong second line", limit), ["a\nlong", "second line"]);
        assert_eq!(split("abcdefghijklmnop", limit), ["abcdefghijkl", "mnop"]);
        assert_eq!(split("exactly here and on", limit), ["exactly here", "and on"]);
        assert_eq!(split("fits  \n", limit), ["fits  \n"]);
        assert_eq!(split("abcdefghijkl                    m", limit), ["abcdefghijkl", "m"]);
        assert!(split("", limit).is_empty());
    }

    #[test]
    fn an_emoji_is_never_halved() {
        assert_eq!(split("🙂🙂🙂", Limit::Characters(3)), ["🙂", "🙂", "🙂"]);
        assert_eq!(split("🙂", Limit::Characters(1)), ["🙂"]);
    }

    #[test]
    fn what_a_reader_sees_as_one_character_is_never_cut() {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
        let flag = "\u{1F1E8}\u{1F1ED}";
        let accented = "e\u{301}\u{323}";
        for (shown, limit) in [(family, 12), (flag, 6), (accented, 4), ("\u{1F44D}\u{1F3FD}", 6)] {
            let pieces = split(&shown.repeat(3), Limit::Characters(limit)).join("|");
            assert_eq!(pieces, [shown; 3].join("|"), "{shown}");
        }
        assert_eq!(split(&format!("a {accented}"), Limit::Characters(4)), ["a", accented]);
        assert_eq!(split("a \u{301}b", Limit::Characters(3)).concat(), "a \u{301}b");
        assert_eq!(
            split(&format!("x{family}"), Limit::Characters(4)).len(),
            4,
            "longer than a piece, and cut all the same"
        );
    }

    fn any_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof![
                "[a-zA-Z0-9]{1,12}",
                Just(" ".to_owned()),
                Just("\n".to_owned()),
                "[€\\[\\]^|~]{1,3}",
                "\\PC{0,4}"
            ],
            0..200,
        )
        .prop_map(|words| words.concat())
    }

    fn any_limit() -> impl Strategy<Value = Limit> {
        prop_oneof![(2..400usize).prop_map(Limit::Characters), (1..9usize).prop_map(Limit::Segments)]
    }

    proptest! {
        #[test]
        fn every_piece_fits_and_is_not_blank(text in any_text(), limit in any_limit()) {
            let pieces = split(&text, limit);
            for piece in &pieces {
                let fits = match limit {
                    Limit::Characters(most) => piece.encode_utf16().count() <= most,
                    Limit::Segments(most) => count(piece) <= most,
                };
                prop_assert!(fits);
                prop_assert!(pieces.len() == 1 || !piece.trim().is_empty());
            }
        }

        #[test]
        fn pieces_rejoin_to_the_text_but_for_white_space_at_the_cuts(text in any_text(), limit in any_limit()) {
            let mut rest = text.as_str();
            for piece in split(&text, limit) {
                let start = rest.find(piece).expect("pieces come in order");
                prop_assert!(rest[..start].trim().is_empty());
                rest = &rest[start + piece.len()..];
            }
            prop_assert!(rest.trim().is_empty());
        }

        #[test]
        fn a_longer_text_never_fills_fewer_segments(a in any_text(), b in any_text()) {
            let both = count(&format!("{a}{b}"));
            prop_assert!(both >= count(&a) && both >= count(&b));
        }

        #[test]
        fn counting_agrees_with_filling_segments_by_hand(text in any_text()) {
            let encoding = Encoding::of(&text);
            let units: Vec<usize> = match encoding {
                Encoding::Gsm7 => text.chars().map(|c| septets(c).expect("GSM-7")).collect(),
                Encoding::Ucs2 => text.chars().map(char::len_utf16).collect(),
            };
            let mut segments = Vec::new();
            for unit in &units {
                match segments.last_mut() {
                    Some(filled) if *filled + unit <= encoding.each() => *filled += unit,
                    _ => segments.push(*unit),
                }
            }
            let total: usize = units.iter().sum();
            let expected = if total > 0 && total <= encoding.single() { 1 } else { segments.len() };
            prop_assert_eq!(count(&text), expected);
        }
    }
}
