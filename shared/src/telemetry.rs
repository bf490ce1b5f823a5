//! One JSON line for each outcome, which is also its metric: CloudWatch reads the `_aws` part (embedded metric format)
//! and people read the rest. Ids only: no secret, text, number or address has a place in it.
//!
//! Written here rather than by a metrics facade, because log line and metric are one line, and the format is one object.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::model::Timestamp;

const NAMESPACE: &str = "Heliograph";

macro_rules! metrics {
    ($($name:ident),+ $(,)?) => {
        /// Every metric there is. `docs/OPERATIONS.md` explains them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Metric { $($name),+ }

        impl Metric {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

metrics! {
    NotificationAccepted,
    NotificationRefused,
    NotificationSent,
    NotificationFailed,
    NotificationDelivered,
    MessagePosted,
    MessageSent,
    MessageFailed,
    MessageDelivered,
    SendRetried,
    SendDeferred,
    CallbackAccepted,
    CallbackRefused,
    ReceiptEarly,
    ReplyReceived,
    ReplyRepeated,
    RequestServed,
    RequestRefused,
    WebhookDelivered,
    WebhookRetried,
    WebhookDead,
    DataErased,
    ErasureContinued,
    TaskPoisoned,
}

/// One outcome, with the ids to follow it by.
pub struct Outcome {
    metric: Metric,
    fields: Map<String, Value>,
}

impl Outcome {
    pub fn of(metric: Metric) -> Self {
        Self { metric, fields: Map::new() }
    }

    /// An id, a code, a count: never what a person wrote or where they are reached.
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.fields.insert(name.to_owned(), value.to_string().into());
        self
    }

    pub fn with_number(mut self, name: &str, value: i64) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Writes the line to standard output, where Lambda takes it as it is.
    pub fn log(self) {
        let now = Timestamp::from(std::time::SystemTime::now());
        let line = self.line(now);
        let mut output = std::io::stdout().lock();
        let _ = writeln!(output, "{line}");
    }

    fn line(self, now: Timestamp) -> Value {
        let mut line = json!({
            "timestamp": now.iso(),
            "level": "INFO",
            "message": self.metric.as_str(),
        });
        line["_aws"] = json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["function"]],
                "Metrics": [{ "Name": self.metric.as_str(), "Unit": "Count" }],
            }],
        });
        line["function"] = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default().into();
        line[self.metric.as_str()] = 1.into();
        if let Value::Object(map) = &mut line {
            map.extend(self.fields);
        }
        line
    }
}

/// Warnings and errors go out as JSON too, at the level that the template's `LogLevel` sets.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    let level = if level == "FATAL" { "ERROR".to_owned() } else { level };
    let level = level.parse().unwrap_or(tracing::Level::INFO);
    let _ =
        tracing_subscriber::fmt().json().with_max_level(level).with_current_span(false).with_target(false).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_one_line_and_one_metric() {
        let line = Outcome::of(Metric::NotificationSent).with("notificationId", "n-1").line(Timestamp::from_millis(0));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "NotificationSent");
        assert_eq!(line["NotificationSent"], 1);
        assert_eq!(line["notificationId"], "n-1");
        assert!(!line.to_string().contains('\n'));
    }
}
