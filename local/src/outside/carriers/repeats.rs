//! How often a carrier repeats a callback that failed: no more than the real one does.

use std::time::Duration;

/// What came of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    NoConnection,
    NoAnswer,
    Status(u16),
}

/// How a carrier repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeats {
    Never,
    /// The same call again at once, where the URL's fragment asks for it.
    AsWished(Wishes),
    /// Whatever is no success, newly signed each time, after these pauses.
    After(&'static [Duration]),
}

impl Repeats {
    /// How long to wait before the next try, when one has failed so; `None` where it was the last.
    pub fn after(&self, failure: Failure, tries: u32, since_first: Duration) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::AsWished(wishes) => {
                (since_first < PATIENCE && wishes.repeats(failure, tries)).then_some(Duration::ZERO)
            }
            Self::After(_) if matches!(failure, Failure::Status(..300)) => None,
            Self::After(pauses) => pauses.get(tries as usize - 1).copied(),
        }
    }

    /// A signature that ends is not good for the next try.
    pub fn are_signed_anew(&self) -> bool {
        matches!(self, Self::After(_))
    }
}

/// What a URL's fragment asks for: `#rc=5&rp=4xx,5xx,ct,rt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    retries: u32,
    /// `4xx`, `5xx`, `ct`, `rt` or `all`.
    policy: Vec<String>,
}

/// All tries of one call together, where they are wished for.
const PATIENCE: Duration = Duration::from_secs(15);

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
