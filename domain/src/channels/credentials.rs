//! Credentials as a request's header carries them: marked, so that nothing prints them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// HTTP Basic.
pub(in crate::channels) fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    header(&format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

/// A whole `Authorization`; nothing where it holds what no header can.
pub(in crate::channels) fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
