//! What a file is called, in whatever script.

use std::fmt;

use percent_encoding::{CONTROLS, utf8_percent_encode};

/// In bytes.
const LIMIT: usize = 64;
/// What a file is called of whose name nothing is left.
const NAMELESS: &str = "file";

/// A name that is safe in a path, a key and on a disk, and never hidden: letters, digits, `.`, `-`, `_`, and what shows
/// outside ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// What is left of a name that somebody claims. Of a long one the end is kept, for its extension.
    pub fn of(claimed: &str) -> Self {
        let last = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
        let safe: String = last.chars().map(|c| if is_safe(c) { c } else { '-' }).collect();
        let from = safe.char_indices().map(|(at, _)| at).find(|at| safe.len() - at <= LIMIT).unwrap_or(0);
        let safe = &safe[from..];
        let name = safe.trim_start_matches(['.', '-']);
        let trimmed = safe.len() - name.len();
        let is_all_extension = safe[..trimmed].ends_with('.') && trimmed > 1 && name.len() < LIMIT - NAMELESS.len();
        Self(match name {
            "" => NAMELESS.to_owned(),
            // Nothing is left before the extension, which stays one.
            extension if is_all_extension && !extension.contains('.') => format!("{NAMELESS}.{extension}"),
            name => name.to_owned(),
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in a URL.
    pub fn escaped(&self) -> String {
        utf8_percent_encode(&self.0, CONTROLS).to_string()
    }

    /// For who reads ASCII only.
    pub fn ascii(&self) -> String {
        self.0.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_safe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    }
    !(c.is_control() || c.is_whitespace() || is_unseen(c))
}

/// What turns or joins others without being seen, is nobody's character, or may not stand in XML, which S3 lists keys in.
fn is_unseen(c: char) -> bool {
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let is_format = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    is_no_character || is_private || is_format
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_made_safe_and_keep_script_and_extension() {
        let cases = [
            ("menu.pdf", "menu.pdf"),
            ("/etc/passwd", "passwd"),
            ("C:\\fotos\\tea.png", "tea.png"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            ("", "file"),
            ("Résumé (2).pdf", "Résumé--2-.pdf"),
            ("報告書.pdf", "報告書.pdf"),
            ("re\u{301}sume\u{301}.pdf", "re\u{301}sume\u{301}.pdf"),
            ("हिन्दी.txt", "हिन्दी.txt"),
            ("🍵.png", "🍵.png"),
            ("???.pdf", "file.pdf"),
            ("(2).pdf", "2-.pdf"),
            ("cod\u{202e}fdp.exe", "cod-fdp.exe"),
            ("a\u{fffe}b\u{a0}c.txt", "a-b-c.txt"),
            ("a\"\r\nset-cookie: x", "a---set-cookie--x"),
        ];
        for (claimed, name) in cases {
            assert_eq!(FileName::of(claimed).as_str(), name);
        }
        let long = FileName::of(&format!("{}.jpeg", "x".repeat(500)));
        assert_eq!(long.as_str().len(), LIMIT);
        assert!(long.as_str().ends_with(".jpeg"));
        let long = FileName::of(&format!("{}.jpeg", "茶".repeat(500)));
        assert_eq!(long.as_str(), format!("{}.jpeg", "茶".repeat(19)));
    }

    proptest! {
        #[test]
        fn any_claimed_name_is_safe_and_stays_as_it_has_become(claimed in "\\PC{0,200}|[.\\-/?]{0,9}") {
            let name = FileName::of(&claimed);
            prop_assert_eq!(FileName::of(name.as_str()), name.clone());
            prop_assert!(name.as_str().len() <= LIMIT && !name.as_str().starts_with('.'));
            prop_assert!(name.escaped().is_ascii() && name.ascii().is_ascii());
            let escaped = name.escaped();
            prop_assert_eq!(percent_encoding::percent_decode_str(&escaped).decode_utf8_lossy(), name.as_str());
        }
    }
}
