//! One JSON line for each outcome, which is also its metric: CloudWatch reads the `_aws` part (embedded metric format)
//! and people read the rest. Ids only: no secret, text, number or address has a place in it.
//!
//! Written here rather than by a metrics facade, because log line and metric are one line, and the format is one object.

use std::error::Error;
use std::fmt;
use std::io::Write;

use serde_json::{Map, Value, json};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::model::{CarrierAnswer, Timestamp};
use crate::system::now;

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
    IntegrationFailing,
    IntegrationRecovered,
    CallbackAccepted,
    CallbackRefused,
    CallbackParked,
    ReceiptEarly,
    ReplyReceived,
    ReplyRepeated,
    RequestServed,
    RequestRefused,
    EventShortened,
    WebhookDelivered,
    WebhookRetried,
    WebhookDead,
    DataErased,
    ErasureContinued,
    TaskPoisoned,
}

/// An error with what caused it, for a log line. An error that says its cause itself does not have it said twice.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !said.contains(&words) {
                said = format!("{said}: {words}");
            }
            cause = error.source();
        }
        f.write_str(&said)
    }
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

    /// What a carrier answered, as far as it may be told.
    pub fn with_answer(mut self, answer: Option<&CarrierAnswer>) -> Self {
        let answer = answer.and_then(|answer| serde_json::to_value(answer).ok());
        self.fields.extend(answer.map(|answer| ("carrier".to_owned(), answer)));
        self
    }

    /// Writes the line to standard output, where Lambda takes it as it is.
    pub fn log(self) {
        let now = now();
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

/// Warnings and errors go out as JSON too, and what this crate says below them, as far as the template's `LogLevel`
/// lets it.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    let _ = subscriber(&level, std::io::stdout).try_init();
}

fn subscriber<W>(level: &str, writer: W) -> impl tracing::Subscriber + Send + Sync + use<W>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().json().with_current_span(false).with_target(false).with_writer(writer);
    lines.with_max_level(LevelFilter::TRACE).finish().with(heard(level))
}

/// Who is heard, and from which level on. Below a warning the AWS SDK, HTTP and Lambda's runtime write out headers,
/// bodies and addresses, so no level that an operator sets lets them. The runtime's `INFO` names the invocation.
fn heard(level: &str) -> Targets {
    let level = if level == "FATAL" { "ERROR" } else { level };
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    let others = Targets::new().with_default(level.min(LevelFilter::WARN));
    others.with_target("shared", level).with_target("lambda_runtime", level.min(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Dispatch;

    use super::*;

    #[test]
    fn an_outcome_is_one_line_and_one_metric() {
        let line = Outcome::of(Metric::NotificationSent).with("notificationId", "n-1").line(Timestamp::from_millis(0));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "NotificationSent");
        assert_eq!(line["NotificationSent"], 1);
        assert_eq!(line["notificationId"], "n-1");
        assert!(!line.to_string().contains('\n'));
    }

    #[derive(Debug, thiserror::Error)]
    enum Failed {
        #[error("the item cannot be read")]
        Silent(#[source] std::fmt::Error),
        #[error("the item cannot be read: {0}")]
        Saying(#[source] std::fmt::Error),
    }

    #[test]
    fn an_errors_cause_is_said_once() {
        let told = "the item cannot be read: an error occurred when formatting an argument";
        for error in [Failed::Silent(std::fmt::Error), Failed::Saying(std::fmt::Error)] {
            assert_eq!(Causes(&error).to_string(), told);
        }
    }

    /// What was written so far.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// One line of each level from us and from what we are built on.
    fn lines_at(level: &str) -> String {
        let written = Written::default();
        let writer = written.clone();
        let _heard = tracing::subscriber::set_default(subscriber(level, move || writer.clone()));
        tracing::trace!(target: "shared::batch", "our trace");
        tracing::warn!(target: "shared::batch", "our warning");
        tracing::trace!(target: "lambda_runtime::requests", "their event");
        tracing::debug!(target: "hyper_util::client", "their address");
        tracing::info!(target: "aws_config::profile", "their news");
        tracing::warn!(target: "aws_config::profile", "their warning");
        tracing::error!(target: "apps::keys", "an error");
        written.text()
    }

    #[test]
    fn a_level_lets_us_speak_and_others_warn() {
        let said = |level| -> Vec<String> {
            let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["fields"]["message"].to_string();
            lines_at(level).lines().map(line).map(|message| message.trim_matches('"').to_owned()).collect()
        };
        assert_eq!(said("TRACE"), ["our trace", "our warning", "their warning", "an error"]);
        assert_eq!(said("INFO"), ["our warning", "their warning", "an error"]);
        assert_eq!(said("nonsense"), said("INFO"));
        assert_eq!(said("FATAL"), ["an error"]);
    }

    /// What a request to SQS that nobody answers leaves in a log.
    async fn log_of_a_request(subscriber: impl FnOnce(Written) -> Dispatch) -> String {
        let written = Written::default();
        let _heard = tracing::dispatcher::set_default(&subscriber(written.clone()));
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(aws_sdk_sqs::config::Region::new("us-east-1"))
            .credentials_provider(aws_sdk_sqs::config::Credentials::new("id", "secret", None, None, "test"))
            .http_client(crate::http::aws().unwrap())
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled());
        let client = aws_sdk_sqs::Client::from_conf(config.endpoint_url("http://127.0.0.1:1/").build());
        let request = client.send_message().queue_url("http://127.0.0.1:1/queue").message_body("dear customer");
        assert!(request.send().await.is_err());
        written.text()
    }

    #[tokio::test]
    async fn no_level_lets_the_aws_sdk_write_what_it_sends() {
        let all = |writer: Written| {
            let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
            Dispatch::new(lines.with_writer(move || writer.clone()).finish())
        };
        let unfiltered = log_of_a_request(all).await;
        for word in ["aws_sigv4", "hyper_util", "http://127.0.0.1:1/", "x-amz-target"] {
            assert!(unfiltered.contains(word), "{word}: {unfiltered}");
        }
        let ours = |writer: Written| Dispatch::new(subscriber("TRACE", move || writer.clone()));
        assert_eq!(log_of_a_request(ours).await, "");
    }
}
