//! Which route a request's path means.
//!
//! Paths stand below the version (`/v1.1`, or `/v1`, which some clients call) and are matched without regard to case.
//! What is written `/apps/{appId}/…` is also served without `/apps/{appId}`, to credentials that name the app. A
//! `{userId}` may hold slashes: a business may name a person by any text, but for those that would be another path.

use std::collections::BTreeMap;
use std::ops::Range;

use super::path;
use super::routes::{ROUTES, Route};

/// The route of a request, with what stands for its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch {
    pub route: Route,
    pub parameters: BTreeMap<&'static str, String>,
}

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    NoPath,
    /// The path is served, by these methods only.
    OtherMethods(Vec<&'static str>),
}

/// Finds the route of a path, given as its words.
pub fn find(method: &str, words: &[String]) -> Result<RouteMatch, NoRoute> {
    let fits = best_fits(words);
    let user_id = fits.first().and_then(|fit| fit.user_id(words));
    if user_id.as_deref().is_some_and(|user_id| user_id.contains('/') && !names_a_person(user_id)) {
        return Err(NoRoute::NoPath);
    }
    match fits.iter().find(|fit| fit.route.method == method) {
        Some(fit) => Ok(RouteMatch { route: *fit.route, parameters: fit.parameters(words) }),
        // Many words are a person's name only where a method makes sense of it.
        None if fits.is_empty() || user_id.is_some_and(|user_id| user_id.contains('/')) => Err(NoRoute::NoPath),
        None => Err(NoRoute::OtherMethods(fits.iter().map(|fit| fit.route.method).collect())),
    }
}

/// Whether every route about a person reaches one of that `userId`, whatever a gateway decodes before it looks for its
/// own routes. It may hold slashes, yet no words that would make another path of it, no empty ones, none that clients
/// and proxies take for steps up (`..`), and nothing that could be decoded once more.
pub fn names_a_person(user_id: &str) -> bool {
    let is_plain = |word: &str| !matches!(word, "" | "." | "..");
    let reaches = |route: &Route| {
        let word = |word: &str| match word {
            "{userId}" => user_id.to_owned(),
            word => word.trim_matches(['{', '}']).to_owned(),
        };
        let path = format!("v1.1{}", route.path.split('/').map(word).collect::<Vec<_>>().join("/"));
        let words: Vec<String> = path.split('/').map(str::to_owned).collect();
        let fits = best_fits(&words);
        let own = fits.iter().find(|fit| fit.route == route);
        own.is_some_and(|fit| fit.user_id(&words).as_deref() == Some(user_id))
    };
    written_length(user_id) <= WRITTEN_LIMIT
        && user_id.split('/').all(is_plain)
        && path::decoded(user_id).as_deref() == Some(user_id)
        && ROUTES.iter().filter(|route| route.path.contains(USER_ID)).all(reaches)
}

const USER_ID: &str = "{userId}";
/// Bytes of a `userId` in a path, escapes counted: with the longest words around it, and credentials, API Gateway takes it.
pub const WRITTEN_LIMIT: usize = 6_144;

fn written_length(user_id: &str) -> usize {
    user_id.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum()
}

/// How a path fits a route.
struct Fit {
    route: &'static Route,
    /// The route's pattern, in the form that fits: full or short.
    pattern: Vec<&'static str>,
    /// The words that are the `userId`.
    user: Range<usize>,
}

/// The routes that fit best, which differ by method only: those with the most words of ours.
fn best_fits(words: &[String]) -> Vec<Fit> {
    if !words.first().is_some_and(|version| is_version(version)) {
        return Vec::new();
    }
    let mut fits: Vec<Fit> = ROUTES.iter().filter_map(|route| Fit::of(route, words)).collect();
    let best = fits.iter().map(Fit::rank).max();
    fits.retain(|fit| Some(fit.rank()) == best);
    fits
}

fn is_version(word: &str) -> bool {
    word.eq_ignore_ascii_case("v1") || word.eq_ignore_ascii_case("v1.1")
}

impl Fit {
    /// In the full form, or in the short one.
    fn of(route: &'static Route, words: &[String]) -> Option<Self> {
        const APP: &str = "/apps/{appId}/";
        let full = Self::to(route, &route.path[1..], words);
        full.or_else(|| Self::to(route, route.path.strip_prefix(APP)?, words))
    }

    /// In one pass over the words: what is before the `userId` and what is behind it are of one length in every path.
    fn to(route: &'static Route, pattern: &'static str, words: &[String]) -> Option<Self> {
        let pattern: Vec<_> = pattern.split('/').collect();
        // A slash at the end means nothing, unless it might be the last of a name.
        let end = words.last().filter(|last| last.is_empty() && pattern.last() != Some(&USER_ID));
        let (from, to) = (1, words.len() - usize::from(end.is_some()));
        let user = match pattern.iter().position(|word| *word == USER_ID) {
            Some(before) => from + before..to.checked_sub(pattern.len() - before - 1)?,
            None if to.checked_sub(from)? == pattern.len() => to..to,
            None => return None,
        };
        let fit = Self { route, pattern, user };
        let is_named = !fit.pattern.contains(&USER_ID) || fit.user(words).iter().any(|word| !word.is_empty());
        let fits = is_named && fit.others(words).all(|(ours, word)| is_fitting(ours, word));
        fits.then_some(fit)
    }

    /// The route's words beside the path's, the `userId` aside.
    fn others<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = (&'static str, &'a str)> + 'a {
        let place = self.pattern.iter().position(|word| *word == USER_ID).unwrap_or(self.pattern.len());
        let before = self.pattern[..place].iter().zip(words.iter().skip(1));
        let behind = self.pattern.iter().skip(place + 1).zip(words.iter().skip(self.user.end));
        before.chain(behind).map(|(ours, word)| (*ours, word.as_str()))
    }

    /// Words of ours, and all words: of two routes the one that explains more is meant.
    fn rank(&self) -> (usize, usize) {
        (self.pattern.iter().filter(|word| !word.starts_with('{')).count(), self.pattern.len())
    }

    fn user<'a>(&self, words: &'a [String]) -> &'a [String] {
        words.get(self.user.clone()).unwrap_or_default()
    }

    fn user_id(&self, words: &[String]) -> Option<String> {
        self.pattern.contains(&USER_ID).then(|| self.user(words).join("/"))
    }

    fn parameters(&self, words: &[String]) -> BTreeMap<&'static str, String> {
        let named = |word: &'static str| word.strip_prefix('{')?.strip_suffix('}');
        let others = self.others(words).filter_map(|(ours, word)| Some((named(ours)?, word.to_owned())));
        others.chain(self.user_id(words).map(|user_id| ("userId", user_id))).collect()
    }
}

fn is_fitting(ours: &str, word: &str) -> bool {
    if ours.starts_with('{') { !word.is_empty() } else { ours.eq_ignore_ascii_case(word) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::routes::Operation;
    use super::*;

    fn found(method: &str, path: &str) -> Result<(Operation, BTreeMap<&'static str, String>), NoRoute> {
        let words = path::words(path).ok_or(NoRoute::NoPath)?;
        find(method, &words).map(|found| (found.route.operation, found.parameters))
    }

    fn operation(method: &str, path: &str) -> Option<Operation> {
        found(method, path).ok().map(|(operation, _)| operation)
    }

    #[test]
    fn both_forms_both_versions_and_any_case_are_one_operation() {
        for path in ["/v1.1/apps/a/appusers/u/messages", "/v1/Apps/a/AppUsers/u/Messages", "/V1.1/appUsers/u/messages"]
        {
            assert_eq!(operation("GET", path), Some(Operation::ListMessages), "{path}");
        }
        assert_eq!(operation("GET", "/v1.1/keys"), Some(Operation::ListAppKeys));
        assert_eq!(operation("GET", "/v1.1/apps"), Some(Operation::ListApps));
        assert_eq!(operation("GET", "/v1.1/serviceaccounts/s/keys"), Some(Operation::ListServiceAccountKeys));
    }

    #[test]
    fn a_user_id_may_hold_slashes_and_words_of_the_api() {
        let (operation, parameters) = found("GET", "/v1.1/apps/a/appusers/team/blue/bob/messages").unwrap();
        assert_eq!((operation, parameters["userId"].as_str()), (Operation::ListMessages, "team/blue/bob"));
        let (operation, parameters) = found("GET", "/v1.1/appusers/a/b").unwrap();
        assert_eq!((operation, parameters["userId"].as_str()), (Operation::GetAppUser, "a/b"));
        assert_eq!(parameters.get("appId"), None);
    }

    #[test]
    fn a_slash_at_the_end_is_let_go_but_for_a_name() {
        assert_eq!(operation("GET", "/v1.1/apps/"), Some(Operation::ListApps));
        assert_eq!(operation("POST", "/v1.1/appusers/"), Some(Operation::CreateAppUser));
        assert_eq!(operation("GET", "/v1.1/appusers/bob/messages/"), Some(Operation::ListMessages));
        for path in ["/v1.1/appusers/bob/", "/v1.1/appusers/bob%2F", "/v1.1/appusers/bob%252f", "/v1.1/appusers//"] {
            assert_eq!(found("DELETE", path), Err(NoRoute::NoPath), "{path}");
        }
    }

    #[test]
    fn what_no_person_can_be_called_is_no_path() {
        for path in ["bob/conversation/messages", "a%2Fmessages/channels", "a/../b", "a//b/messages", "./x"] {
            assert_eq!(found("GET", &format!("/v1.1/appusers/{path}")), Err(NoRoute::NoPath), "{path}");
        }
        assert_eq!(found("POST", "/v1.1/appusers/bob/nothing"), Err(NoRoute::NoPath));
        for name in
            ["bob", "team/blue", "a?b#c", "50%off", "messages", "messages/a", "x/merge", "https:/a", "\u{1F375}"]
        {
            assert!(names_a_person(name), "{name}");
        }
        for name in [
            "",
            "/",
            "bob/",
            "/bob",
            "a//b",
            ".",
            "a/..",
            "merge",
            "Merge",
            "a/messages",
            "a/Channels",
            "50%25",
            "%41",
            "a/messages/b",
            "a/conversation",
            "a/b/conversation/read",
            "a/channels/twilio",
        ] {
            assert!(!names_a_person(name), "{name}");
        }
        assert!(names_a_person(&"\u{44f}".repeat(1_024)) && !names_a_person(&"\u{1F375}".repeat(1_024)));
    }

    /// A path as gateways may hand it on: as it was written, decoded, or decoded but for `%25`.
    fn handed_on(path: &str) -> [String; 3] {
        use percent_encoding::percent_decode_str;
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        [path.to_owned(), decode(path), path.split("%25").map(decode).collect::<Vec<_>>().join("%25")]
    }

    #[test]
    fn no_path_takes_more_steps_than_it_has_words() {
        let time = |path: String| {
            let words: Vec<String> = path.split('/').map(str::to_owned).collect();
            let run = || {
                let started = std::time::Instant::now();
                let _ = find("GET", &words);
                started.elapsed()
            };
            (0..7).map(|_| run()).min().unwrap_or_default()
        };
        for (word, few) in [("/", 1_000), ("/a", 150)] {
            let path = |many: usize| format!("v1.1/appusers/a{}/messages", word.repeat(many));
            // A busy machine may hold up one measurement; steps that grow with the square hold up all of them.
            let grows_evenly = || time(path(9 * few)) < time(path(few)) * 30;
            assert!((0..5).any(|_| grows_evenly()), "nine times as long took more than thirty times as long");
        }
    }

    #[test]
    fn what_is_not_served_is_told_from_other_methods() {
        assert_eq!(found("GET", "/v1.1/nothing"), Err(NoRoute::NoPath));
        assert_eq!(found("GET", "/v2/apps"), Err(NoRoute::NoPath));
        assert_eq!(found("GET", "/v1.1/apps/a/notifications"), Err(NoRoute::OtherMethods(vec!["POST"])));
        assert_eq!(found("PATCH", "/v1.1/appusers/u/conversation/read"), Err(NoRoute::OtherMethods(vec!["POST"])));
    }

    #[test]
    fn every_operation_has_one_route() {
        let mut operations: Vec<_> = ROUTES.iter().map(|route| route.operation).collect();
        operations.sort();
        operations.dedup();
        assert_eq!(operations.len(), ROUTES.len());
        for route in ROUTES {
            let path = format!("/v1.1{}", route.path.replace(['{', '}'], ""));
            assert_eq!(operation(route.method, &path), Some(route.operation), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_finding_panic(path in "\\PC{0,80}") {
            let _ = found("GET", &path);
        }

        /// Whoever can be named is reached by every route, and by none that means somebody else.
        #[test]
        fn every_route_reaches_whoever_can_be_named_however_a_gateway_decodes(
            name in prop_oneof!["[ab%/.25 ?#ü\u{1F375}]{1,8}", "(a|b|messages|conversation|read|channels|merge)(/(a|messages|x)){0,2}"]
        ) {
            prop_assume!(names_a_person(&name));
            let written = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).to_string();
            for route in ROUTES.iter().filter(|route| route.path.contains(USER_ID)) {
                let path = format!("/v1.1{}", route.path.replace(USER_ID, &written).replace(['{', '}'], ""));
                for path in handed_on(&path) {
                    let (operation, parameters) = found(route.method, &path).map_err(|_| TestCaseError::fail(path.clone()))?;
                    prop_assert_eq!((operation, parameters["userId"].as_str()), (route.operation, name.as_str()), "{}", path);
                }
            }
        }

        /// A name that nobody can have reaches nobody who has another.
        #[test]
        fn who_cannot_be_named_is_nobody_else(name in "(bob|dob|50%off)(/|//|/\\.|%2F|%252F|/\\.\\.)") {
            let written = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).to_string();
            for path in handed_on(&format!("/v1.1/appusers/{written}")) {
                prop_assert_eq!(found("DELETE", &path), Err(NoRoute::NoPath), "{}", path);
            }
        }
    }
}
