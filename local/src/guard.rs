//! Who may call the engine. It listens on this machine only, but every page that a browser here has open can call it
//! too: a page whose own name is made to lead here (DNS rebinding) would read keys from `/_local`, and any page could
//! make requests that change something. So `Host` must be a name of this machine or one that was allowed, and what is
//! the engine's own (`/`, `/_…`) is for no page of another origin. The API is for pages of any origin, as the template
//! says.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Only somebody at this machine reaches it by these.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    All,
    /// What a deployed stack would serve: the name may be known to the world.
    Api,
}

/// Cloning gives another handle.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Arc<Vec<(Authority, Reach)>>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error(
        "the request's Host is not a name of this machine: call 127.0.0.1 or localhost, or start the engine with \
         --allow-host {0}"
    )]
    Host(String),
    #[error("under this Host only the API is served, not what is the engine's own; call 127.0.0.1 or localhost")]
    OwnPath,
    #[error("pages of other origins may call the API, and not what is the engine's own")]
    Origin,
}

impl Guard {
    /// `hosts` reach everything, `public_url` (the stack's, if it has one) what a deployed stack would serve.
    pub fn new(hosts: &[Authority], public_url: Option<&str>) -> Self {
        let public =
            public_url.and_then(|url| url.split_once("://")).and_then(|(_, host)| Authority::from_str(host).ok());
        let allowed = hosts.iter().map(|host| (host.clone(), Reach::All)).chain(public.map(|host| (host, Reach::Api)));
        Self { allowed: Arc::new(allowed.collect()) }
    }

    fn judge(&self, request: &Parts) -> Result<(), Refusal> {
        let headers =
            request.headers.get_all(header::HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
        let mut hosts: Vec<_> = request.uri.authority().cloned().map(Some).into_iter().chain(headers).collect();
        if hosts.is_empty() {
            hosts.push(None);
        }
        let is_own = request.uri.path() == "/" || request.uri.path().starts_with("/_");
        for host in &hosts {
            let reach = host.as_ref().and_then(|host| self.reach(host));
            match reach {
                None => return Err(Refusal::Host(host.as_ref().map_or("NAME", |host| host.host()).to_owned())),
                Some(Reach::Api) if is_own => return Err(Refusal::OwnPath),
                Some(_) => {}
            }
        }
        let mut origins = request.headers.get_all(header::ORIGIN).iter();
        let is_same = |origin: &HeaderValue| hosts.iter().flatten().any(|host| is_of(origin, host));
        if is_own && !origins.all(is_same) { Err(Refusal::Origin) } else { Ok(()) }
    }

    /// A name that was allowed without a port is allowed with any: a tunnel or a forwarded port has its own.
    fn reach(&self, host: &Authority) -> Option<Reach> {
        if host.as_str().contains('@') {
            return None;
        }
        if OWN_NAMES.iter().any(|own| host.host().eq_ignore_ascii_case(own)) {
            return Some(Reach::All);
        }
        let is_meant = |allowed: &Authority| {
            host.host().eq_ignore_ascii_case(allowed.host())
                && (allowed.port_u16().is_none() || allowed.port_u16() == host.port_u16())
        };
        self.allowed.iter().find(|(allowed, _)| is_meant(allowed)).map(|(_, reach)| *reach)
    }
}

/// Something in front of the engine may speak TLS for it.
fn is_of(origin: &HeaderValue, host: &Authority) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
}

/// To be laid around everything that is served.
pub async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match guard.judge(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => {
            let status = match refusal {
                Refusal::Host(_) => StatusCode::MISDIRECTED_REQUEST,
                Refusal::OwnPath | Refusal::Origin => StatusCode::FORBIDDEN,
            };
            (status, Json(json!({ "error": refusal.to_string() }))).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let hosts = ["devbox:3000", "tools.test"].map(|host| host.parse().expect("a host"));
        let guard = Guard::new(&hosts, Some("https://tunnel.example.test"));
        let request =
            headers.iter().fold(Request::builder().uri(path), |request, (name, value)| request.header(*name, *value));
        guard.judge(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn this_machines_names_and_allowed_ones_are_served() {
        for host in ["127.0.0.1:3000", "localhost:9", "LOCALHOST", "[::1]:3000", "devbox:3000", "tools.test:1"] {
            assert_eq!(judged("/_local/ready", &[("host", host)]), Ok(()), "{host}");
            assert_eq!(judged("/v1.1/apps", &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(judged("http://127.0.0.1:3000/v1.1/apps", &[("host", "127.0.0.1:3000")]), Ok(()));
    }

    #[test]
    fn a_name_that_somebody_made_to_lead_here_is_not() {
        for host in ["evil.test:3000", "127.0.0.1.evil.test", "localhost@evil.test", "devbox:3001", "evil:99999999", ""]
        {
            assert!(matches!(judged("/v1.1/apps", &[("host", host)]), Err(Refusal::Host(_))), "{host}");
        }
        assert!(matches!(judged("/", &[]), Err(Refusal::Host(_))));
        assert!(matches!(judged("http://evil.test/", &[("host", "127.0.0.1:3000")]), Err(Refusal::Host(_))));
        assert!(matches!(judged("/", &[("host", "localhost"), ("host", "evil.test")]), Err(Refusal::Host(_))));
    }

    #[test]
    fn the_public_name_has_the_api_and_nothing_of_the_engines_own() {
        let host = ("host", "tunnel.example.test");
        for path in ["/v1.1/apps", "/callbacks/twilio/a/b", "/docs"] {
            assert_eq!(judged(path, &[host]), Ok(()), "{path}");
        }
        for path in ["/", "/_local/ready", "/_console/console.js", "/_aws/me"] {
            assert_eq!(judged(path, &[host]), Err(Refusal::OwnPath), "{path}");
        }
    }

    #[test]
    fn pages_of_other_origins_have_the_api_and_nothing_of_the_engines_own() {
        let host = ("host", "127.0.0.1:3000");
        for origin in ["https://evil.test", "null", "http://127.0.0.1:5173", "http://localhost:3000"] {
            assert_eq!(judged("/v1.1/apps", &[host, ("origin", origin)]), Ok(()), "{origin}");
            for path in ["/", "/_local/reply", "/_carriers/twilio/x"] {
                assert_eq!(judged(path, &[host, ("origin", origin)]), Err(Refusal::Origin), "{origin}");
            }
        }
        assert_eq!(judged("/_local/reply", &[host, ("origin", "http://127.0.0.1:3000")]), Ok(()));
        assert_eq!(judged("/_local/reply", &[("host", "tools.test"), ("origin", "https://tools.test")]), Ok(()));
    }
}
