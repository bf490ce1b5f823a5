//! The console: the page at `/`, where a person sends a notification, watches it travel and answers it.
//!
//! Files of this folder, built into the engine; no build step, nothing from elsewhere. The page knows the engine only by
//! its public routes: the product's API, `/_local/…` and the events. In it, `story.js` decides what happened, the other
//! scripts show it.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("index.html")),
    ("/_console/console.css", CSS, include_str!("console.css")),
    ("/_console/icon.svg", SVG, include_str!("icon.svg")),
    ("/_console/console.js", SCRIPT, include_str!("console.js")),
    ("/_console/channels.js", SCRIPT, include_str!("channels.js")),
    ("/_console/dom.js", SCRIPT, include_str!("dom.js")),
    ("/_console/engine.js", SCRIPT, include_str!("engine.js")),
    ("/_console/handset.js", SCRIPT, include_str!("handset.js")),
    ("/_console/journeys.js", SCRIPT, include_str!("journeys.js")),
    ("/_console/send.js", SCRIPT, include_str!("send.js")),
    ("/_console/story.js", SCRIPT, include_str!("story.js")),
];

/// The page shows texts that strangers wrote: nothing but its own files may run or be fetched.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// To be merged at the root.
pub fn router() -> Router {
    FILES
        .iter()
        .fold(Router::new(), |router, (path, kind, content)| router.route(path, get(async || page(kind, content))))
}

fn page(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_served() {
        let served: Vec<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        for (path, _, content) in FILES {
            let names = content.split(['"', '\'']).filter(|text| text.starts_with("/_console/"));
            let imports = content.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next());
            let named = names.map(str::to_owned).chain(imports.map(|file| format!("/_console/{file}")));
            for name in named {
                assert!(served.contains(&name.as_str()), "{path} names {name}");
            }
        }
    }

    #[test]
    fn nothing_comes_from_elsewhere_and_no_data_becomes_html() {
        for (path, _, content) in FILES {
            for forbidden in ["innerHTML", "insertAdjacentHTML", "document.write", "<script>", "style=\"", "onclick="] {
                assert!(!content.contains(forbidden), "{path} has {forbidden}");
            }
            assert!(!content.contains("src=\"http") && !content.contains("href=\"http"), "{path} loads from elsewhere");
        }
    }
}
