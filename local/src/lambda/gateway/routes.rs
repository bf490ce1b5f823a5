//! Which route takes a request: an exact path before one with variables, that before a greedy one, `$default` last;
//! within the same path a named method before `ANY`. Paths are matched with regard to case, as API Gateway does.

use std::collections::BTreeMap;

use crate::lambda::template::Route;

/// The routes of an API, best first.
#[derive(Debug)]
pub struct Routes {
    ranked: Vec<Pattern>,
    /// The function of what no other route takes.
    default: Option<String>,
}

#[derive(Debug)]
struct Pattern {
    key: String,
    function: String,
    /// `None` for `ANY`.
    method: Option<String>,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    Variable(String),
    Greedy(String),
}

/// The route of one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub key: String,
    pub function: String,
    pub parameters: BTreeMap<String, String>,
}

impl Found {
    /// Of a function that takes whatever comes.
    pub fn default_of(function: &str) -> Self {
        Self { key: DEFAULT.to_owned(), function: function.to_owned(), parameters: BTreeMap::new() }
    }
}

const DEFAULT: &str = "$default";

impl Routes {
    pub fn new(routes: &[Route]) -> Self {
        let default = routes.iter().find(|route| route.key == DEFAULT).map(|route| route.function.clone());
        let mut ranked: Vec<Pattern> = routes.iter().filter_map(Pattern::new).collect();
        ranked.sort_by_key(Pattern::rank);
        Self { ranked, default }
    }

    /// The best route for a method and a path that was read already.
    pub fn find(&self, method: &str, path: &str) -> Option<Found> {
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        let fits = |pattern: &Pattern| {
            if pattern.method.as_deref().is_some_and(|m| m != method) {
                return None;
            }
            let parameters = pattern.parameters(&segments)?;
            Some(Found { key: pattern.key.clone(), function: pattern.function.clone(), parameters })
        };
        let default = || self.default.as_deref().map(Found::default_of);
        self.ranked.iter().find_map(fits).or_else(default)
    }
}

impl Pattern {
    fn new(route: &Route) -> Option<Self> {
        let (method, path) = route.key.split_once(' ')?;
        Some(Self {
            key: route.key.clone(),
            function: route.function.clone(),
            method: (method != "ANY").then(|| method.to_owned()),
            segments: path.trim_start_matches('/').split('/').map(Segment::new).collect(),
        })
    }

    fn rank(&self) -> (u8, bool, usize) {
        let kind = |segment: &Segment| match segment {
            Segment::Exact(_) => 0,
            Segment::Variable(_) => 1,
            Segment::Greedy(_) => 2,
        };
        let worst = self.segments.iter().map(kind).max().unwrap_or(0);
        // Of two greedy paths the longer one says more.
        (worst, self.method.is_none(), usize::MAX - self.segments.len())
    }

    fn parameters(&self, path: &[String]) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        let mut rest = path;
        for segment in &self.segments {
            match segment {
                Segment::Greedy(name) => {
                    let all = rest.join("/");
                    if all.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), all);
                    return Some(parameters);
                }
                Segment::Variable(name) => {
                    let (first, others) = rest.split_first().filter(|(first, _)| !first.is_empty())?;
                    parameters.insert(name.clone(), first.clone());
                    rest = others;
                }
                Segment::Exact(text) => {
                    let (_, others) = rest.split_first().filter(|(first, _)| *first == text)?;
                    rest = others;
                }
            }
        }
        rest.is_empty().then_some(parameters)
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Variable(name.to_owned()),
            },
            None => Self::Exact(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &str, path: &str) -> Option<String> {
        let keys = [
            "$default",
            "ANY /callbacks/{proxy+}",
            "POST /callbacks/{channel}",
            "GET /callbacks/health",
            "ANY /callbacks/health",
        ];
        let routes: Vec<Route> = keys.iter().map(|key| Route { key: (*key).into(), function: "f".into() }).collect();
        Routes::new(&routes).find(method, path).map(|found| found.key)
    }

    #[test]
    fn the_most_exact_route_wins() {
        assert_eq!(find("GET", "/callbacks/health").as_deref(), Some("GET /callbacks/health"));
        assert_eq!(find("POST", "/callbacks/health").as_deref(), Some("ANY /callbacks/health"));
        assert_eq!(find("POST", "/callbacks/twilio").as_deref(), Some("POST /callbacks/{channel}"));
        assert_eq!(find("GET", "/callbacks/twilio").as_deref(), Some("ANY /callbacks/{proxy+}"));
        assert_eq!(find("POST", "/callbacks/twilio/1").as_deref(), Some("ANY /callbacks/{proxy+}"));
        assert_eq!(find("POST", "/callbacks/").as_deref(), Some("$default"));
        assert_eq!(find("POST", "/Callbacks/twilio").as_deref(), Some("$default"));
    }

    #[test]
    fn variables_take_a_segment_and_a_greedy_one_takes_the_rest() {
        let routes = [Route { key: "GET /a/{id}/{rest+}".into(), function: "f".into() }];
        let found = Routes::new(&routes).find("GET", "/a/x y/b/c/d").expect("a route");
        let expected = [("id", "x y"), ("rest", "b/c/d")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(found.parameters, expected.into());
        assert_eq!(Routes::new(&routes).find("POST", "/a/b/c"), None);
    }
}
