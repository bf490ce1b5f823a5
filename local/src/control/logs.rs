//! What the functions write: shown on the terminal, kept for `GET /_local/logs`, published on the feed. The one place
//! that writes to the terminal while the engine runs.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::clock::now_ms;
use crate::control::feed::Feed;

/// Lines kept, and their bytes together.
const LINES: usize = 2_000;
const BYTES: usize = 2 << 20;

/// Bytes of a line; a longer one is cut, and says so.
const LONGEST: usize = 16 << 10;

/// How lines appear on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogStyle {
    #[default]
    Pretty,
    /// As the functions write them.
    Json,
    /// Not at all; they are still kept.
    Silent,
}

/// A line of a function's output.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Unix milliseconds.
    pub at: i64,
    pub function: String,
    /// The JSON object that was written, or the text.
    pub line: Value,
}

/// Cloning gives another handle on the same log.
#[derive(Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

struct Inner {
    style: LogStyle,
    colours: bool,
    kept: Mutex<Kept>,
    feed: Feed,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<(usize, LogLine)>,
    bytes: usize,
}

impl Logs {
    pub fn new(style: LogStyle, feed: Feed) -> Self {
        let colours = std::io::stdout().is_terminal();
        Self { inner: Arc::new(Inner { style, colours, kept: Mutex::default(), feed }) }
    }

    /// A line that a function's process wrote.
    pub fn line(&self, function: &str, text: &str) {
        let text = capped(text);
        let line = match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Value::Object(object),
            _ => Value::String(text.into_owned()),
        };
        self.keep(LogLine { at: now_ms(), function: function.to_owned(), line });
    }

    /// Something that the engine itself has to say about a function, such as a crash.
    pub fn note(&self, function: &str, level: &str, message: &str) {
        let line = json!({ "level": level, "message": message });
        self.keep(LogLine { at: now_ms(), function: function.to_owned(), line });
    }

    /// The kept lines, oldest first, of one function or all.
    pub fn recent(&self, function: Option<&str>) -> Vec<LogLine> {
        let kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |line: &&LogLine| function.is_none_or(|f| line.function == f);
        kept.lines.iter().map(|(_, line)| line).filter(wanted).cloned().collect()
    }

    fn keep(&self, line: LogLine) {
        self.show(&line);
        self.inner.feed.publish("log", json!(line));
        let size = match &line.line {
            Value::String(text) => text.len(),
            // Near enough, and cheaper than writing it out again.
            Value::Object(fields) => fields.len() * 64,
            _ => 0,
        };
        let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += size;
        kept.lines.push_back((size, line));
        while kept.lines.len() > LINES || kept.bytes > BYTES {
            let Some((size, _)) = kept.lines.pop_front() else { break };
            kept.bytes -= size;
        }
    }

    fn show(&self, line: &LogLine) {
        let text = match self.inner.style {
            LogStyle::Silent => return,
            LogStyle::Json => match &line.line {
                Value::String(text) => text.clone(),
                object => object.to_string(),
            },
            LogStyle::Pretty => pretty(line, self.inner.colours),
        };
        // A closed terminal must not end the engine.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

fn capped(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let kept = &text[..text.floor_char_boundary(LONGEST)];
    Cow::Owned(format!("{kept}… (cut: the line had {} bytes)", text.len()))
}

/// `12:34:56.789  INFO send_twilio  message field=value`.
fn pretty(line: &LogLine, colours: bool) -> String {
    let (level, message, fields) = match &line.line {
        Value::Object(object) => read(object),
        other => (String::new(), other.as_str().unwrap_or_default().to_owned(), Vec::new()),
    };
    let clock = OffsetDateTime::from_unix_timestamp_nanos(i128::from(line.at) * 1_000_000)
        .ok()
        .and_then(|at| at.format(format_description!("[hour]:[minute]:[second].[subsecond digits:3]")).ok())
        .unwrap_or_default();
    let colour = match (colours, level.as_str()) {
        (false, _) => "",
        (true, "ERROR" | "FATAL") => "\x1b[31m",
        (true, "WARN") => "\x1b[33m",
        (true, "INFO") => "\x1b[32m",
        (true, _) => "\x1b[2m",
    };
    let (dim, end) = if colours { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    let mut text = format!("{dim}{clock}{end} {colour}{level:>5}{end} {:<16} {message}", line.function);
    for (key, value) in fields {
        text.push_str(&format!(" {dim}{key}={end}{value}"));
    }
    text
}

/// Level, message and fields of a line in the shapes that `tracing` and Lambda write.
fn read(object: &Map<String, Value>) -> (String, String, Vec<(String, String)>) {
    let nested = object.get("fields").and_then(Value::as_object);
    let get = |key: &str| object.get(key).or_else(|| nested.and_then(|n| n.get(key)));
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let level = get("level").map(plain).unwrap_or_default();
    let message = get("message").map(plain).unwrap_or_default();
    let shown = |(key, value): (&String, &Value)| {
        let is_said =
            matches!(key.as_str(), "level" | "message" | "timestamp" | "time" | "target" | "fields" | "spans");
        (!is_said && !value.is_object()).then(|| (key.clone(), plain(value)))
    };
    let fields = nested.into_iter().flatten().chain(object).filter_map(shown).collect();
    (level, message, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: Value) -> LogLine {
        LogLine { at: 45_296_789, function: "receive".into(), line: value }
    }

    #[test]
    fn json_lines_are_rendered_readably() {
        let tracing =
            json!({ "timestamp": "x", "level": "INFO", "fields": { "message": "stored", "n": 2 }, "target": "t" });
        assert_eq!(pretty(&line(tracing), false), "12:34:56.789  INFO receive          stored n=2");
        let flat = json!({ "level": "WARN", "message": "late", "id": "a" });
        assert_eq!(pretty(&line(flat), false), "12:34:56.789  WARN receive          late id=a");
        assert_eq!(pretty(&line(json!("plain words")), false), "12:34:56.789       receive          plain words");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let logs = Logs::new(LogStyle::Silent, Feed::new());
        logs.line("a", &"é".repeat(300_000));
        logs.line("a", &json!({ "level": "INFO", "message": "x".repeat(LONGEST) }).to_string());
        for kept in logs.recent(Some("a")) {
            let text = kept.line.as_str().expect("text");
            assert!(text.len() < LONGEST + 100 && text.contains("… (cut: the line had "), "{}", text.len());
        }
    }

    #[test]
    fn only_so_many_lines_are_kept() {
        let logs = Logs::new(LogStyle::Silent, Feed::new());
        for n in 0..LINES + 10 {
            logs.line("a", &n.to_string());
        }
        logs.line("b", "{\"level\":\"INFO\"}");
        let kept = logs.recent(None);
        assert_eq!(kept.len(), LINES);
        assert_eq!(logs.recent(Some("b")).len(), 1);
    }
}
