//! CORS as an HTTP API does it when it is configured: by headers on what functions answer to pages of other origins. What
//! functions themselves say of CORS is dropped.
//!
//! A preflight that a route takes, as `ANY` and `$default` do, is the function's to answer, and a browser wants a
//! success; one that no route takes is answered by the gateway. What the gateway refuses by itself bears no headers.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::lambda::template::Cors;

const OWN: &str = "access-control-";

/// What a browser asks on behalf of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Nothing,
    /// To let a page of this origin see the answer.
    Origin(String),
    /// Whether a page of this origin may ask at all.
    Preflight(String),
}

impl Asked {
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let Some(origin) = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return Self::Nothing };
        if method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            Self::Preflight(origin.to_owned())
        } else {
            Self::Origin(origin.to_owned())
        }
    }

    pub fn is_preflight(&self) -> bool {
        matches!(self, Self::Preflight(_))
    }
}

impl Cors {
    /// Makes an answer's headers those that the configuration names.
    pub fn apply(&self, asked: &Asked, headers: &mut HeaderMap) {
        let said: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(OWN)).cloned().collect();
        said.iter().for_each(|name| drop(headers.remove(name)));
        let (Asked::Origin(origin) | Asked::Preflight(origin)) = asked else { return };
        let Some(allowed) = self.allowed(origin) else { return };
        let credentials = if self.allow_credentials { "true" } else { "" };
        let always =
            [(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.to_owned()), (ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials.into())];
        let own = if asked.is_preflight() {
            vec![
                (ACCESS_CONTROL_ALLOW_METHODS, self.allow_methods.join(",")),
                (ACCESS_CONTROL_ALLOW_HEADERS, self.allow_headers.join(",")),
                (ACCESS_CONTROL_MAX_AGE, self.max_age.map(|age| age.to_string()).unwrap_or_default()),
            ]
        } else {
            vec![(ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.join(","))]
        };
        for (name, value) in always.into_iter().chain(own).filter(|(_, value)| !value.is_empty()) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }

    /// As what an origin is allowed, if it is: any, any of a scheme, or just this one.
    fn allowed<'a>(&self, origin: &'a str) -> Option<&'a str> {
        let fits = |allowed: &&String| match allowed.strip_suffix('*') {
            Some(start) => origin.starts_with(start),
            None => origin == allowed.as_str(),
        };
        let allowed = self.allow_origins.iter().find(fits)?;
        Some(if allowed == "*" { "*" } else { origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Cors {
            allow_origins: list(origins),
            allow_methods: list(&["GET", "POST"]),
            allow_headers: list(&["authorization"]),
            expose_headers: list(&["retry-after"]),
            max_age: Some(600),
            allow_credentials: false,
        }
    }

    /// What an answer says of CORS, in the order of names.
    fn said(cors: &Cors, asked: &Asked) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/plain"));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://function.example"));
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        cors.apply(asked, &mut headers);
        assert!(headers.remove("content-type").is_some(), "other headers stay");
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        let mut said: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        said.sort();
        said
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_preflight_is_told_what_may_be_asked_and_an_answer_what_may_be_read() {
        let origin = "https://shop.example".to_owned();
        let preflight = pairs(&[
            ("access-control-allow-headers", "authorization"),
            ("access-control-allow-methods", "GET,POST"),
            ("access-control-allow-origin", "*"),
            ("access-control-max-age", "600"),
        ]);
        assert_eq!(said(&cors(&["*"]), &Asked::Preflight(origin.clone())), preflight);
        let answer = pairs(&[("access-control-allow-origin", "*"), ("access-control-expose-headers", "retry-after")]);
        assert_eq!(said(&cors(&["*"]), &Asked::Origin(origin)), answer);
        assert_eq!(said(&cors(&["*"]), &Asked::Nothing), []);
    }

    #[test]
    fn an_origin_is_allowed_by_name_by_scheme_or_not() {
        let cors = cors(&["https://shop.example", "http://*"]);
        for (origin, is_allowed) in [
            ("https://shop.example", true),
            ("http://a.example", true),
            ("https://shop.example.org", false),
            ("null", false),
        ] {
            assert_eq!(cors.allowed(origin), is_allowed.then_some(origin), "{origin}");
            assert_eq!(said(&cors, &Asked::Origin(origin.to_owned())).is_empty(), !is_allowed);
        }
    }

    #[test]
    fn a_preflight_names_its_origin_and_a_method() {
        let asked = |method: Method, names: &[&str]| {
            let value = HeaderValue::from_static("https://a.example");
            let names = names.iter().map(|name| name.parse::<HeaderName>().expect("a name"));
            Asked::of(&method, &names.map(|name| (name, value.clone())).collect())
        };
        let both = ["origin", "access-control-request-method"];
        assert!(asked(Method::OPTIONS, &both).is_preflight());
        assert!(!asked(Method::GET, &both).is_preflight());
        assert!(!asked(Method::OPTIONS, &["origin"]).is_preflight());
        assert_eq!(asked(Method::OPTIONS, &both[1..]), Asked::Nothing);
    }
}
