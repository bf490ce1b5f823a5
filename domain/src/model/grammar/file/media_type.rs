//! What a file is said to be, and how a browser may use it.

use std::fmt;

use mime::Mime;

use super::FileName;

const LIMIT: usize = 127;
/// Any bytes.
const UNKNOWN: &str = "application/octet-stream";
/// The same, as S3 has it.
const STORED: &str = "binary/octet-stream";

/// What a file is said to be, such as `image/png`: without parameters, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// What is absent, malformed or absurdly long is any bytes.
    pub fn of(claimed: Option<&Mime>) -> Self {
        let essence = claimed.map(Mime::essence_str).filter(|essence| essence.len() <= LIMIT);
        Self(essence.unwrap_or(UNKNOWN).to_ascii_lowercase())
    }

    pub fn parse(claimed: &str) -> Self {
        Self::of(claimed.trim().parse().ok().as_ref())
    }

    /// By the end of a name, where that is a well-known one.
    pub fn of_name(name: &str) -> Option<Self> {
        mime_guess::from_path(name).first().map(|guess| Self::of(Some(&guess)))
    }

    /// By the end of a URL's path.
    pub fn of_url(url: &str) -> Option<Self> {
        let url = url::Url::parse(url).ok()?;
        Self::of_name(url.path_segments()?.next_back()?)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_picture(&self) -> bool {
        self.0.starts_with("image/")
    }

    /// Nothing is said by it.
    pub fn is_any_bytes(&self) -> bool {
        matches!(self.0.as_str(), UNKNOWN | STORED)
    }

    /// Nothing is known that speaks against it.
    pub fn may_be_picture(&self) -> bool {
        self.is_picture() || self.is_any_bytes()
    }

    /// The `Content-Type` to hand it out with.
    pub fn header(&self) -> String {
        if self.0 == "text/plain" { "text/plain; charset=utf-8".to_owned() } else { self.0.clone() }
    }

    /// The `Content-Disposition` to hand it out with (RFC 6266). Only what can hold no script is shown at our address.
    pub fn disposition(&self, name: &FileName) -> String {
        let shown = matches!(
            self.0.as_str(),
            "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "text/plain" | "application/pdf"
        );
        let played = self.0.starts_with("audio/") || self.0.starts_with("video/");
        let how = if shown || played { "inline" } else { "attachment" };
        let ascii = name.ascii();
        if ascii == name.as_str() {
            format!("{how}; filename=\"{name}\"")
        } else {
            format!("{how}; filename=\"{ascii}\"; filename*=UTF-8''{}", name.escaped())
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_hold_no_script_is_shown() {
        let name = FileName::of("x");
        let shown = |kind: &str| MediaType::parse(kind).disposition(&name).starts_with("inline");
        for kind in [
            "image/png",
            "image/JPEG",
            "video/mp4",
            "audio/ogg; codecs=opus",
            "text/plain; charset=latin1",
            "application/pdf",
        ] {
            assert!(shown(kind), "{kind}");
        }
        for kind in
            ["image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", "application/javascript", "", "??"]
        {
            assert!(!shown(kind), "{kind}");
        }
    }

    #[test]
    fn a_name_outside_ascii_is_said_in_both_ways() {
        let disposition = |name: &str| MediaType::parse("application/pdf").disposition(&FileName::of(name));
        assert_eq!(disposition("menu.pdf"), "inline; filename=\"menu.pdf\"");
        let report = "inline; filename=\"___.pdf\"; filename*=UTF-8''%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf";
        assert_eq!(disposition("報告書.pdf"), report);
    }

    #[test]
    fn types_lose_parameters_and_nonsense_is_any_bytes() {
        assert_eq!(MediaType::parse("Image/PNG; name=x").as_str(), "image/png");
        assert_eq!(MediaType::parse("text/plain").header(), "text/plain; charset=utf-8");
        for nonsense in ["", "png", "a b/c", "a/b\r\nc", &format!("a/{}", "x".repeat(200))] {
            assert_eq!(MediaType::parse(nonsense).as_str(), UNKNOWN);
        }
    }

    #[test]
    fn a_picture_is_known_however_it_is_spelled() {
        for kind in ["IMAGE/JPEG", " image/png ", "Image/Gif; q=1"] {
            assert!(MediaType::parse(kind).is_picture(), "{kind}");
        }
        assert!(
            MediaType::parse("application/octet-stream").may_be_picture() && MediaType::parse("?").may_be_picture()
        );
        assert!(!MediaType::parse("video/mp4").may_be_picture());
    }

    #[test]
    fn an_extension_tells_the_type() {
        let of_url = |url: &str| MediaType::of_url(url).map(|kind| kind.0);
        assert_eq!(of_url("https://a.example/x/TEA.JPG?v=1.2").as_deref(), Some("image/jpeg"));
        assert_eq!(of_url("https://a.example/報告書.pdf").as_deref(), Some("application/pdf"));
        for url in ["https://a.example", "https://a.example/v1.2", "https://png.example/png", "nonsense.png"] {
            assert_eq!(of_url(url), None, "{url}");
        }
        assert_eq!(MediaType::of_name("song.mp3").unwrap().as_str(), "audio/mpeg");
    }
}
