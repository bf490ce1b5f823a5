//! What a newcomer sees first.

/// The banner, with everything needed for a first notification.
pub fn text(url: &str) -> String {
    format!("\n  Heliograph runs.\n\n  API  {url}\n\n")
}
