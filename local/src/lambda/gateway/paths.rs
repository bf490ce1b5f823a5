//! What becomes of a path before a route is looked for, and what of it the function is told. AWS says that functions get it
//! decoded, and nothing about its routes; reports and an independent emulator differ. What is deployed must be safe with
//! each of these, so each can be played.

use percent_encoding::percent_decode_str;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Paths {
    /// As the caller wrote them.
    Written,
    /// Decoded.
    #[default]
    Decoded,
    /// Decoded, but for percent signs.
    DecodedButPercent,
}

impl Paths {
    pub const ALL: [Self; 3] = [Self::Written, Self::Decoded, Self::DecodedButPercent];

    /// A path off the wire as it is matched and handed on.
    pub fn read(self, path: &str) -> String {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        match self {
            Self::Written => path.to_owned(),
            Self::Decoded => decoded(path),
            Self::DecodedButPercent => path.split("%25").map(decoded).collect::<Vec<_>>().join("%25"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_is_read_in_three_ways() {
        let read = Paths::ALL.map(|paths| paths.read("/a%2Fb%20c/50%25off"));
        assert_eq!(read, ["/a%2Fb%20c/50%25off", "/a/b c/50%off", "/a/b c/50%25off"]);
    }
}
