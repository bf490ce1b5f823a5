//! The API's own description: whole, served with a page that shows it, and of the routes that are served.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header;
use serde_json::Value;
use shared::api::routes::{Access, ROUTES};
use shared::model::ErrorCode;

use crate::described::{self, DOCUMENT, operations, resolved};
use crate::world::World;

async fn get(world: &World, path: &str, asked: &[(header::HeaderName, &str)]) -> reqwest::Response {
    let request = world.http(Method::GET, path);
    let request = asked.iter().fold(request, |request, (name, value)| request.header(name, *value));
    request.send().await.unwrap()
}

fn said(response: &reqwest::Response, name: header::HeaderName) -> &str {
    response.headers().get(&name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_document_is_served_and_is_openapi_3_1() {
    let world = World::new().await;
    let response = get(&world, "/openapi.json", &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(said(&response, header::CONTENT_TYPE), "application/json; charset=utf-8");
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/");
    assert_eq!(document, *DOCUMENT);
    world.end().await;
}

#[tokio::test]
async fn the_page_loads_its_files_from_here_and_names_no_other_host() {
    let world = World::new().await;
    let page = get(&world, "/docs", &[]).await;
    assert_eq!(page.status(), 200);
    assert_eq!(said(&page, header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert!(said(&page, header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'; script-src 'self';"));
    let html = page.text().await.unwrap();
    let start = get(&world, "/docs/start.js", &[]).await.text().await.unwrap();
    for ours in [&html, &start] {
        assert!(!ours.contains("://") && !ours.contains("\"//"), "{ours}");
    }
    let attributes = |name: &str| {
        let start = format!("{name}=\"");
        let pieces = html.split(&start).skip(1);
        pieces.map(|piece| piece.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let files = [attributes("href"), attributes("src")].concat();
    assert!(files.iter().any(|file| file.ends_with("bundle.js")), "{files:?}");
    for file in files {
        let response = get(&world, &format!("/{file}"), &[]).await;
        assert_eq!(response.status(), 200, "{file}");
        let kind = match file.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "png" => "image/png",
            _ => "application/json; charset=utf-8",
        };
        assert_eq!(said(&response, header::CONTENT_TYPE), kind, "{file}");
        assert_eq!(said(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{file}");
        assert!(!response.bytes().await.unwrap().is_empty(), "{file}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again_and_what_is_sent_is_compressed_on_request() {
    let world = World::new().await;
    let plain = get(&world, "/openapi.json", &[]).await;
    let tag = said(&plain, header::ETAG).to_owned();
    let length = plain.bytes().await.unwrap().len();
    let known = get(&world, "/openapi.json", &[(header::IF_NONE_MATCH, &format!("\"other\", {tag}"))]).await;
    assert_eq!((known.status().as_u16(), said(&known, header::ETAG)), (304, tag.as_str()));
    assert!(known.bytes().await.unwrap().is_empty());
    let stale = get(&world, "/openapi.json", &[(header::IF_NONE_MATCH, "\"other\"")]).await;
    assert_eq!(stale.status(), 200);
    let compressed = get(&world, "/openapi.json", &[(header::ACCEPT_ENCODING, "br;q=1.0, gzip")]).await;
    assert_eq!(said(&compressed, header::CONTENT_ENCODING), "gzip");
    let bytes = compressed.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() * 3 < length, "{} of {length}", bytes.len());
    let refused = get(&world, "/openapi.json", &[(header::ACCEPT_ENCODING, "gzip;q=0")]).await;
    assert_eq!(said(&refused, header::CONTENT_ENCODING), "");
    world.end().await;
}

#[tokio::test]
async fn a_file_that_the_page_does_not_have_is_not_found() {
    let world = World::new().await;
    for path in ["/docs/nothing.js", "/docs/swagger-ui.css/"] {
        let answer = world.request(world.http(Method::GET, path)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &Value::from("not_found")), "{path}");
    }
    world.end().await;
}

// ---------------------------------------------------------------------------------------------- the document itself

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_no_component_is_unused() {
    let mut used = BTreeSet::new();
    references(&DOCUMENT, &mut used);
    let kinds = DOCUMENT["components"].as_object().unwrap().iter().filter(|(kind, _)| *kind != "securitySchemes");
    let names = kinds.flat_map(|(kind, entries)| entries.as_object().unwrap().keys().map(move |name| (kind, name)));
    let there: BTreeSet<String> = names.map(|(kind, name)| format!("#/components/{kind}/{name}")).collect();
    assert_eq!(used.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), there);
}

#[test]
fn every_parameter_of_a_path_is_described() {
    for (method, path, operation) in operations(&DOCUMENT) {
        let inside = path.split('{').skip(1).map(|piece| piece.split('}').next().unwrap());
        let lists = [&DOCUMENT["paths"][path]["parameters"], &operation["parameters"]];
        let all = lists.into_iter().filter_map(Value::as_array).flatten().map(|entry| resolved(&DOCUMENT, entry));
        let described = all.filter(|parameter| {
            assert!(parameter["schema"].is_object() && parameter["description"].is_string(), "{path}: {parameter}");
            parameter["in"] == "path"
        });
        let described: BTreeSet<_> = described.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(described, inside.collect(), "{method} {path}");
    }
}

#[test]
fn every_operation_has_an_id_a_summary_a_tag_and_says_its_security() {
    let mut ids = BTreeSet::new();
    let tags: Vec<_> = DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(&DOCUMENT) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
        assert!(ids.insert(id), "{id} is the id of two operations");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{id} has no summary");
        assert!(operation["security"].is_array(), "{id} does not say its security");
        assert!(operation["tags"].as_array().is_some_and(|own| own.iter().all(|tag| tags.contains(&tag))), "{id}");
    }
}

#[test]
fn every_answer_of_the_api_says_which_fields_it_has() {
    for (_, path, operation) in operations(&DOCUMENT).filter(|(_, path, _)| path.starts_with("/v1.1/")) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let schema = &resolved(&DOCUMENT, answer)["content"]["application/json"]["schema"];
            let schema = resolved(&DOCUMENT, schema);
            assert_eq!(schema["additionalProperties"], false, "{path}, {status}: {schema}");
        }
    }
}

/// Who may call an operation, as its security names them.
fn callers(operation: &Value) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let of = |scheme: &str| {
        let entries = operation["security"].as_array().unwrap().iter();
        entries.filter_map(|entry| entry[scheme].as_array()).flatten().map(|role| role.as_str().unwrap()).collect()
    };
    (of("basic"), of("bearer"))
}

#[test]
fn every_route_is_described_with_those_who_may_call_it_and_no_other_is() {
    let described: BTreeSet<_> = operations(&DOCUMENT)
        .filter(|(_, path, _)| path.starts_with("/v1.1/"))
        .map(|(method, path, operation)| {
            (method.to_uppercase(), path.to_owned(), operation["operationId"].as_str().unwrap().to_owned())
        })
        .collect();
    let served = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), format!("/v1.1{}", route.path), described::name(route.operation)));
    assert_eq!(described, served.collect());
    for route in ROUTES {
        let operation = &DOCUMENT["paths"][format!("/v1.1{}", route.path)][route.method.to_lowercase()];
        let keys: &[&str] = match route.access {
            Access::Owner => &["account"],
            Access::Account => &["account", "serviceAccount"],
            Access::App | Access::Person => &["account", "serviceAccount", "app"],
        };
        let (basic, mut bearer) = callers(operation);
        assert_eq!(basic, keys.iter().copied().collect(), "{:?}", route.operation);
        assert_eq!(bearer.remove("appUser"), route.access == Access::Person, "{:?}", route.operation);
        assert_eq!(bearer, basic, "{:?}", route.operation);
    }
}

#[test]
fn the_error_codes_are_those_of_the_code() {
    let described = DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap().iter();
    let described: BTreeSet<_> = described.map(|code| code.as_str().unwrap()).collect();
    assert_eq!(described, ErrorCode::ALL.iter().map(|code| code.as_str()).collect());
}

#[test]
fn every_refusal_of_an_operation_has_samples_of_its_own_codes() {
    for (method, path, operation) in operations(&DOCUMENT).filter(|(_, path, _)| path.starts_with("/v1.1/")) {
        let refusals = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.as_str() > "399");
        for (status, answer) in refusals {
            let mut codes =
                described::samples(answer).map(|sample| sample["error"]["code"].as_str().unwrap()).peekable();
            assert!(codes.peek().is_some(), "{method} {path}: {status} has no sample");
            for code in codes {
                let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
                assert_eq!(
                    known.map(|code| code.status().to_string()).as_ref(),
                    Some(status),
                    "{method} {path}: {code}"
                );
            }
        }
    }
}
