//! How results are shown: a small table for people, JSON for what comes after.

use std::io::Write;

use serde_json::Value;

/// Rows of text under a heading; all columns but the first are numbers.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(heading: [&str; N]) -> Self {
        Self { rows: vec![heading.map(str::to_owned).into()] }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// In Markdown, which reads well enough on a terminal.
    pub fn print(&self) {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cell = |column: usize| match column {
                0 => format!(" {:<width$} ", row[column], width = widths[column]),
                _ => format!(" {:>width$} ", row[column], width = widths[column]),
            };
            say(&format!("|{}|", (0..columns).map(cell).collect::<Vec<_>>().join("|")));
            if index == 0 {
                let rule = |column: usize| match column {
                    0 => "-".repeat(widths[column] + 2),
                    _ => format!("{}:", "-".repeat(widths[column] + 1)),
                };
                say(&format!("|{}|", (0..columns).map(rule).collect::<Vec<_>>().join("|")));
            }
        }
        say("");
    }
}

pub fn say(text: &str) {
    let mut output = std::io::stdout();
    writeln!(output, "{text}").unwrap();
}

/// Writes `bench-results/<name>.json`.
pub fn save(name: &str, results: &Value) {
    let folder = super::root().join("bench-results");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, serde_json::to_vec_pretty(results).unwrap()).unwrap();
    say(&format!("bench-results/{name}.json written"));
}

/// The value below which that share of the others lies; not a number without any.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (share * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// How a budget was kept.
pub fn verdict(value: f64, budget: f64) -> &'static str {
    if value <= budget { "kept" } else { "EXCEEDED" }
}
