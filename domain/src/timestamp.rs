//! A moment, to the millisecond. v1.1 writes it as seconds with three decimals in events and messages, and as an
//! ISO 8601 text in users and clients.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::macros::format_description;

/// Milliseconds since 1970. Serialises as v1.1's seconds, a number with up to three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Reads an ISO 8601 time with its offset, from the year 1970 on.
    pub fn from_iso(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        let millis = i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()?;
        (millis >= 0).then_some(Self(millis))
    }

    /// `YYYY-MM-DDThh:mm:ss.sssZ`; a moment outside the calendar's range shows as the epoch.
    pub fn iso(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .format(&format)
            .unwrap_or_default()
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(time: std::time::SystemTime) -> Self {
        let elapsed = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for std::time::SystemTime {
    fn from(Timestamp(millis): Timestamp) -> Self {
        Self::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Ok(Self((seconds * 1000.0).round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_seconds_with_milliseconds() {
        let moment = Timestamp::from_millis(1_790_000_000_123);
        assert_eq!(serde_json::to_string(&moment).unwrap(), "1790000000.123");
        assert_eq!(serde_json::from_str::<Timestamp>("1790000000.123").unwrap(), moment);
        assert_eq!(moment.iso(), "2026-09-21T14:13:20.123Z");
    }
}
