//! How often a carrier repeats a callback that failed: no more than the real one does.

use std::time::Duration;

/// What came of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    NoConnection,
    NoAnswer,
    Status(u16),
}

/// Twilio's wishes by a URL's fragment: `#rc=5&rp=4xx,5xx,ct,rt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    retries: u32,
    /// `4xx`, `5xx`, `ct`, `rt` or `all`.
    policy: Vec<String>,
}

/// All of Twilio's tries together.
pub const TWILIOS_PATIENCE: Duration = Duration::from_secs(15);

/// MessageBird repeats whatever is no success, for hours with growing gaps; here the gaps are short and few.
pub const MESSAGEBIRDS_PAUSES: [Duration; 7] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
];

impl Wishes {
    /// What a URL asks for; without a fragment, one more try where no connection was made.
    pub fn of(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        let wish =
            |name: &str| fragment.split('&').filter_map(|wish| wish.split_once('=')).find(|(given, _)| *given == name);
        let retries = wish("rc").and_then(|(_, count)| count.parse().ok()).unwrap_or(1);
        let policy = wish("rp").map_or("ct", |(_, policy)| policy);
        Self { retries: u32::min(retries, 5), policy: policy.split(',').map(str::to_owned).collect() }
    }

    /// Whether a call is made again that failed so, after so many tries.
    pub fn repeats(&self, failure: Failure, tries: u32) -> bool {
        let kind = match failure {
            Failure::NoConnection => "ct",
            Failure::NoAnswer => "rt",
            Failure::Status(400..=499) => "4xx",
            Failure::Status(500..=599) => "5xx",
            Failure::Status(_) => return false,
        };
        tries <= self.retries && self.policy.iter().any(|wanted| wanted == kind || wanted == "all")
    }
}

/// What is called and signed: no fragment.
pub fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilio_repeats_what_the_fragment_asks_for_and_nothing_else() {
        let repeats = |url: &str, failure| (1..10).take_while(|tries| Wishes::of(url).repeats(failure, *tries)).count();
        let (down, slow, refused) = (Failure::Status(503), Failure::NoAnswer, Failure::Status(403));
        for failure in [down, slow, refused] {
            assert_eq!(repeats("https://x.example/cb", failure), 0, "{failure:?}");
            assert_eq!(repeats("https://x.example/cb#rc=5", failure), 0, "{failure:?}");
            assert_eq!(repeats("https://x.example/cb#rc=5&rp=all", failure), 5, "{failure:?}");
        }
        assert_eq!(repeats("https://x.example/cb", Failure::NoConnection), 1);
        assert_eq!(repeats("https://x.example/cb#rp=5xx,rt&rc=2", down), 2);
        assert_eq!(repeats("https://x.example/cb#rp=5xx,rt&rc=2", refused), 0);
        assert_eq!(repeats("https://x.example/cb#rc=9&rp=5xx", down), 5);
        assert_eq!(repeats("https://x.example/cb#rc=0&rp=all", down), 0);
        assert_eq!(repeats("https://x.example/cb#rc=5&rp=all", Failure::Status(200)), 0);
    }
}
