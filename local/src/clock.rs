//! The engine's one clock.

/// Unix time in milliseconds.
pub fn now_ms() -> i64 {
    shared::system::now().millis()
}
