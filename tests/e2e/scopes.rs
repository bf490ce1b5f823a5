//! The table of routes against every kind of credential: who may call what, in the own app and in another's.

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::routes::{ROUTES, Route};
use shared::api::{Access, Operation};

use crate::apps;
use crate::world::{Answer, App, World};

/// What a caller presents.
#[derive(Clone)]
enum Credential {
    Nothing,
    Basic(String, String),
    Bearer(String),
}

/// A kind of caller, and the widest access of a route that still takes it; `None`: taken nowhere.
struct Kind {
    name: &'static str,
    credential: Credential,
    reach: Option<Access>,
}

fn token(key: &str, secret: &str, claims: &Value) -> Credential {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.to_owned());
    Credential::Bearer(jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap())
}

fn basic((key, secret): (&str, &str)) -> Credential {
    Credential::Basic(key.to_owned(), secret.to_owned())
}

async fn call(world: &World, route: &Route, path: &str, credential: &Credential) -> Answer {
    let request = world.http(Method::from_bytes(route.method.as_bytes()).unwrap(), path);
    let request = match credential {
        Credential::Nothing => request,
        Credential::Basic(key, secret) => request.basic_auth(key, Some(secret)),
        Credential::Bearer(token) => request.bearer_auth(token),
    };
    // A body that no operation takes: whoever may call is told what is wrong with it, and nothing is made.
    world
        .request(if route.method == "GET" || route.method == "DELETE" { request } else { request.json(&json!([])) })
        .await
}

/// The route's path with ids that lead nowhere, but for the app's, and for the person's own.
fn path(route: &Route, app: &App, person: &str) -> String {
    let nowhere = "64c0ffee0123456789abcdef";
    let path = route.path.replace("{appId}", app.id()).replace("{userId}", person).replace("{channel}", "twilio");
    let keys = path.replace("{keyId}", "app_64c0ffee0123456789abcdef");
    let ids = ["serviceAccountId", "integrationId", "webhookId", "templateId", "messageId"];
    format!("/v1.1{}", ids.iter().fold(keys, |path, id| path.replace(&format!("{{{id}}}"), nowhere)))
}

/// Every kind of credential that there is, right and wrong.
async fn kinds(world: &World, other: &App) -> Vec<Kind> {
    let app = &world.app;
    let (key, secret) = app.key();
    let (account, account_secret) = app.account_key();
    let service_account = apps::new_service_account(world).await;
    let owner = apps::account(world);
    let service = apps::new_key(world, &owner, &format!("/v1.1/serviceaccounts/{service_account}/keys")).await;
    let kind = |name, credential, reach| Kind { name, credential, reach };
    let (good, bad) = (Some(Access::App), None);
    vec![
        kind("nothing", Credential::Nothing, bad),
        kind("app key", basic(app.key()), good),
        kind("app token", token(key, secret, &json!({ "scope": "app" })), good),
        kind("account key", basic(app.account_key()), Some(Access::Owner)),
        kind("account token", token(account, account_secret, &json!({ "scope": "account" })), Some(Access::Owner)),
        // Linked to apps it made itself, and so not to this one.
        kind("service account key", Credential::Basic(service.0, service.1), bad),
        kind(
            "person's token",
            token(key, secret, &json!({ "scope": "appUser", "userId": "bob" })),
            Some(Access::Person),
        ),
        kind("another app's key", basic(other.key()), bad),
        kind("another account's key", basic(other.account_key()), bad),
        kind("wrong secret", basic((key, "wrong")), bad),
        kind("token without scope", token(key, secret, &json!({})), bad),
        kind("token of a scope too wide", token(key, secret, &json!({ "scope": "account" })), bad),
        kind("token wrongly signed", token(key, "wrong", &json!({ "scope": "app" })), bad),
        kind("token that has ended", token(key, secret, &json!({ "scope": "app", "exp": 1_000 })), bad),
        kind("token of a numbered person", token(key, secret, &json!({ "scope": "appUser", "userId": 7 })), bad),
    ]
}

#[tokio::test]
async fn every_route_takes_the_credentials_that_the_table_says_and_no_other() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let kinds = kinds(&world, &other).await;
    let mut walked = 0;
    // What deletes the app or the person comes last: those who may do it do it.
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    routes.sort_by_key(|route| {
        (route.path == "/apps/{appId}", route.path.ends_with("{userId}"), route.method == "DELETE")
    });
    for route in routes {
        for kind in &kinds {
            // Once the app is gone, others are told that it is not there.
            let is_gone = route.operation == Operation::DeleteApp && kind.reach.is_none();
            if is_gone && !matches!(kind.name, "nothing" | "wrong secret" | "another app's key") {
                continue;
            }
            let answer = call(&world, route, &path(route, &world.app, "bob"), &kind.credential).await;
            let is_refused = [401, 403].contains(&answer.status);
            // Account credentials that reach no app may still ask for their own account's things.
            let own = !route.path.contains("{appId}")
                && ["service account key", "another account's key"].contains(&kind.name);
            let least = if kind.name == "service account key" { Access::Account } else { Access::Owner };
            let may = if own { route.access >= least } else { kind.reach.is_some_and(|reach| route.access >= reach) };
            assert_eq!(!is_refused, may, "{} {} by {}: {}", route.method, route.path, kind.name, answer.body);
            assert!(answer.status < 500);
            walked += 1;
        }
    }
    assert!(walked > 1_000, "{walked} pairs were walked");
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_person_reaches_themselves_and_nobody_else() {
    let world = World::new().await;
    let mut ids = BTreeMap::new();
    for name in ["bob", "eve"] {
        let made = world.make(&world.app, "appusers", json!({ "userId": name })).await;
        ids.insert(name, made["appUser"]["_id"].as_str().unwrap().to_owned());
    }
    let (key, secret) = world.app.key();
    let bob = token(key, secret, &json!({ "scope": "appUser", "userId": "bob" }));
    let nobody = token(key, secret, &json!({ "scope": "appUser", "userId": "nobody" }));
    for route in ROUTES.iter().filter(|route| route.access == Access::Person) {
        for own in ["bob", &ids["bob"]] {
            let answer = call(&world, route, &path(route, &world.app, own), &bob).await;
            assert!(![401, 403].contains(&answer.status), "{} {own}: {}", route.path, answer.body);
        }
        for other in ["eve", &ids["eve"], "unknown", "64c0ffee0123456789abcdef"] {
            let answer = call(&world, route, &path(route, &world.app, other), &bob).await;
            let told = (answer.status, answer.body["error"]["code"].as_str());
            assert_eq!(told, (403, Some("forbidden")), "{} {other}: {}", route.path, answer.body);
        }
        let answer = call(&world, route, &path(route, &world.app, "nobody"), &nobody).await;
        assert!(answer.status == 404, "{}: {}", route.path, answer.body);
    }
    let posted = world.http(Method::POST, &format!("/v1.1/apps/{}/appusers/bob/messages", world.app.id()));
    let posted = match &bob {
        Credential::Bearer(token) => posted.bearer_auth(token),
        Credential::Nothing | Credential::Basic(..) => posted,
    };
    let answer = world.request(posted.json(&json!({ "role": "appMaker", "type": "text", "text": "Free tea!" }))).await;
    assert_eq!(answer.status, 403, "nobody speaks for the business by a person's token");
    world.end().await;
}

#[tokio::test]
async fn the_short_form_and_other_spellings_reach_the_same_operations() {
    let world = World::new().await;
    let made = world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let (key, secret) = world.app.key();
    let id = world.app.id();
    for path in [
        format!("/v1.1/apps/{id}/appusers/bob"),
        format!("/v1.1/apps/{id}/appUsers/bob"),
        format!("/v1/apps/{id}/appusers/bob"),
        "/v1.1/appusers/bob".into(),
        "/v1.1/appUsers/bob".into(),
        format!("/V1.1/Apps/{id}/APPUSERS/bob"),
        "/v1.1/appusers/bob/".into(),
    ] {
        let answer = world.request(world.http(Method::GET, &path).basic_auth(key, Some(secret))).await;
        assert_eq!((answer.status, &answer.body), (200, &made), "{path}");
    }
    let (account, secret) = world.app.account_key();
    let short = world.http(Method::GET, "/v1.1/appusers/bob").basic_auth(account, Some(secret));
    assert_eq!(world.request(short).await.status, 403, "an account's key must name the app");
    world.end().await;
}
