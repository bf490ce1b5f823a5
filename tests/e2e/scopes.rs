//! The table of routes against every kind of credential: who may call what, in the own app, in another of the account's,
//! in another account's, and in the short form. What each cell must be is computed from the table.

use futures::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::json;
use shared::api::routes::{ROUTES, Route};
use shared::api::{Access, Operation};

use crate::apps::{self, Key, account, delete, new_app, new_key, new_service_account, post, text};
use crate::credentials::{Credential, basic, own_token, token, wrong};
use crate::world::{ANYBODY, World};

/// Calls under way at once.
const AT_ONCE: usize = 8;

/// Where a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The app that the keys are of, linked to the service account.
    Own,
    /// The same, not named.
    Short,
    /// Another app of the account, linked to no service account.
    Sibling,
    /// Another account's.
    Foreign,
}

const PLACES: [Place; 4] = [Place::Own, Place::Short, Place::Sibling, Place::Foreign];

/// What a credential is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// For nothing.
    Wrong,
    /// For routes of this access or a wider one, in these places.
    Good(Access, &'static [Place]),
    /// As a person: whether the one that the paths name.
    Person { named: bool },
}

/// The class of an answer. Served is whatever is not about the credentials: a body that is wrong, an id of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unauthorized,
    Forbidden,
    Served,
}

/// What the table says.
fn expected(route: &Route, place: Place, standing: &Standing) -> Verdict {
    let (least, places, is_named) = match standing {
        Standing::Wrong => return Verdict::Unauthorized,
        Standing::Good(least, places) => (*least, *places, true),
        Standing::Person { named } => (Access::Person, &[Place::Own, Place::Short] as &[Place], *named),
    };
    let is_allowed = route.access >= least;
    let is_reached = !route.path.contains("{appId}") || places.contains(&place);
    if is_allowed && is_reached && is_named { Verdict::Served } else { Verdict::Forbidden }
}

fn told(status: u16) -> Option<Verdict> {
    match status {
        401 => Some(Verdict::Unauthorized),
        403 => Some(Verdict::Forbidden),
        status if status < 500 => Some(Verdict::Served),
        _ => None,
    }
}

/// Apps and keys of every kind.
struct Stage {
    world: World,
    owner: Key,
    service: Key,
    app: String,
    app_key: Key,
    foreign: crate::world::App,
    deleted: Vec<Key>,
}

impl Stage {
    async fn set() -> Self {
        let world = World::new().await;
        let owner = account(&world);
        let service_account = new_service_account(&world).await;
        let keys_of_service = format!("/v1.1/serviceaccounts/{service_account}/keys");
        let service = new_key(&world, &owner, &keys_of_service).await;
        let app = new_app(&world, &service, "Linked").await;
        let keys_of_app = format!("/v1.1/apps/{app}/keys");
        let app_key = new_key(&world, &owner, &keys_of_app).await;
        let mut deleted = Vec::new();
        for keys in [&keys_of_app, &keys_of_service] {
            let key = new_key(&world, &owner, keys).await;
            assert_eq!(delete(&world, &owner, &format!("{keys}/{}", key.0)).await.status, 200);
            deleted.push(key);
        }
        let ended = new_service_account(&world).await;
        deleted.push(new_key(&world, &owner, &format!("/v1.1/serviceaccounts/{ended}/keys")).await);
        assert_eq!(delete(&world, &owner, &format!("/v1.1/serviceaccounts/{ended}")).await.status, 200);
        let foreign = world.another_app(json!({})).await;
        Self { world, owner, service, app, app_key, foreign, deleted }
    }

    /// Bob, whom the paths name; Eve, another; Ann, who was merged into Bob; and Gil, who was deleted.
    async fn people(&self) {
        let path = format!("/v1.1/apps/{}/appusers", self.app);
        let mut ids = Vec::new();
        for name in ["bob", "eve", "ann", "gil"] {
            let made = post(&self.world, &self.app_key, &path, json!({ "userId": name })).await;
            ids.push(text(&made.body["appUser"]["_id"]));
        }
        let merge = json!({ "surviving": { "_id": ids[0] }, "discarded": { "_id": ids[2] } });
        assert_eq!(post(&self.world, &self.app_key, &format!("{path}/merge"), merge).await.status, 200);
        assert_eq!(delete(&self.world, &self.app_key, &format!("{path}/gil")).await.status, 200);
    }

    fn callers(&self) -> Vec<(String, Standing, Credential)> {
        use Place::{Foreign, Own, Short, Sibling};
        let pair = |key: &Key| (key.0.clone(), key.1.clone());
        let both = |name: &str, key: (String, String), scope: &str, standing: Standing| {
            let key = (key.0.as_str(), key.1.as_str());
            [
                (format!("{name} key"), standing.clone(), basic(key)),
                (format!("{name} token"), standing, token(key, &json!({ "scope": scope }))),
            ]
        };
        let of = |(key, secret): (&str, &str)| (key.to_owned(), secret.to_owned());
        let app = (self.app_key.0.as_str(), self.app_key.1.as_str());
        let person = |name: &str, named| (format!("{name}'s token"), Standing::Person { named }, own_token(app, name));
        let standing = Standing::Good;
        let mut all = [
            both("account", pair(&self.owner), "account", standing(Access::Owner, &[Own, Sibling])),
            both("service account", pair(&self.service), "account", standing(Access::Account, &[Own])),
            both("app", pair(&self.app_key), "app", standing(Access::App, &[Own, Short])),
            both("sibling app", of(self.world.app.key()), "app", standing(Access::App, &[Sibling, Short])),
            both("foreign app", of(self.foreign.key()), "app", standing(Access::App, &[Foreign, Short])),
            both("foreign account", of(self.foreign.account_key()), "account", standing(Access::Owner, &[Foreign])),
        ]
        .concat();
        all.extend([person("bob", true), person("ann", true), person("eve", false), person("gil", false)]);
        // A token of the same name that another app signed.
        let elsewhere = Standing::Good(Access::Person, &[Foreign, Short]);
        all.push(("a foreign bob's token".into(), elsewhere, own_token(self.foreign.key(), "bob")));
        all
    }

    /// Ids that lead nowhere, but for the app's and Bob.
    fn path(&self, route: &Route, place: Place, app: &str) -> String {
        let nowhere = "64c0ffee0123456789abcdef";
        let pattern = match place {
            Place::Short => route.path.replacen("/apps/{appId}", "", 1),
            Place::Own | Place::Sibling | Place::Foreign => route.path.to_owned(),
        };
        let path = pattern.replace("{appId}", app).replace("{userId}", "bob").replace("{channel}", "twilio");
        let keys = path.replace("{keyId}", "app_64c0ffee0123456789abcdef");
        let ids = ["serviceAccountId", "integrationId", "webhookId", "templateId", "messageId"];
        format!("/v1.1{}", ids.iter().fold(keys, |path, id| path.replace(&format!("{{{id}}}"), nowhere)))
    }

    /// One cell. A body that no operation takes: whoever may call is told what is wrong with it, and nothing is made.
    async fn check(&self, route: &Route, place: Place, (name, standing, credential): &(String, Standing, Credential)) {
        let expected = expected(route, place, standing);
        let app = match (place, route.operation, expected) {
            // What is deleted must not be what others are tried on.
            (Place::Own, Operation::DeleteApp, Verdict::Served) => {
                new_app(&self.world, &self.service, "To be deleted").await
            }
            (Place::Sibling, Operation::DeleteApp, Verdict::Served) => {
                new_app(&self.world, &self.owner, "To be deleted").await
            }
            (Place::Own | Place::Short, ..) => self.app.clone(),
            (Place::Sibling, ..) => self.world.app.id().to_owned(),
            (Place::Foreign, ..) => self.foreign.id().to_owned(),
        };
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let body = (route.method == "POST" || route.method == "PUT").then(|| json!([]));
        let answer = self.world.call(credential, method, &self.path(route, place, &app), body).await;
        let cell = format!("{} {} in {place:?} by {name}: {} {}", route.method, route.path, answer.status, answer.body);
        assert_eq!(told(answer.status), Some(expected), "{cell}");
    }
}

/// The places that make a difference.
fn places(route: &Route) -> Vec<Place> {
    let has_short = route.path.starts_with("/apps/{appId}/");
    let differs = route.path.contains("{appId}");
    PLACES
        .into_iter()
        .filter(|place| *place == Place::Own || (differs && (*place != Place::Short || has_short)))
        .collect()
}

/// What deletes a person or an app comes last: those who may do it do it.
fn routes() -> Vec<&'static Route> {
    let mut routes: Vec<&Route> = ROUTES.iter().collect();
    routes.sort_by_key(|route| {
        (route.operation == Operation::DeleteApp, route.operation == Operation::DeleteAppUser, route.method == "DELETE")
    });
    routes
}

#[tokio::test]
async fn every_route_takes_the_credentials_that_the_table_says_and_no_other() {
    let stage = Stage::set().await;
    stage.people().await;
    let callers = stage.callers();
    let mut walked = 0;
    for route in routes() {
        // Deleting the foreign app would take its keys along; the own account's apps show that owners may.
        let is_last = |place: &Place| route.operation == Operation::DeleteApp && *place == Place::Foreign;
        for place in places(route).into_iter().filter(|place| !is_last(place)) {
            stream::iter(&callers).for_each_concurrent(AT_ONCE, |caller| stage.check(route, place, caller)).await;
            walked += callers.len();
        }
    }
    assert!(walked > 3_000, "{walked} cells were walked");
    stage.world.settle().await;
    assert!(stage.world.outbox().await.is_empty());
    // The foreign app's webhook hears of what its own keys did; nothing else went anywhere.
    stage.world.end().await;
}

#[tokio::test]
async fn no_route_takes_what_is_no_credential() {
    let stage = Stage::set().await;
    stage.people().await;
    let callers: Vec<_> = wrong(&stage.world.app, &stage.foreign, &stage.deleted)
        .into_iter()
        .map(|(name, credential)| (name, Standing::Wrong, credential))
        .collect();
    for route in ROUTES {
        // Bodies of any size and kind are not read for them; one place stands for all.
        stream::iter(&callers).for_each_concurrent(AT_ONCE, |caller| stage.check(route, Place::Sibling, caller)).await;
    }
    stage.world.settle().await;
    assert!(stage.world.outbox().await.is_empty());
    stage.world.end().await;
}

#[tokio::test]
async fn a_token_of_ours_and_any_spelling_of_its_scheme_are_taken() {
    let stage = Stage::set().await;
    let path = format!("/v1.1/apps/{}/keys/{}/jwt", stage.app, stage.app_key.0);
    let issued = text(&apps::get(&stage.world, &stage.owner, &path).await.body["jwt"]);
    let app = format!("/v1.1/apps/{}", stage.app);
    for header in [format!("Bearer {issued}"), format!("bearer {issued}"), format!("BEARER   {issued}")] {
        let answer = stage.world.call(&Credential::header(&header), Method::GET, &app, None).await;
        assert_eq!(answer.status, 200, "{header}: {}", answer.body);
    }
    stage.world.end().await;
}

#[tokio::test]
async fn the_short_form_and_other_spellings_reach_the_same_operations() {
    let world = World::new().await;
    let made = world.make(&world.app, "appusers", json!({ "userId": "bob" })).await;
    let key = basic(world.app.key());
    let id = world.app.id();
    for path in [
        format!("/v1.1/apps/{id}/appusers/bob"),
        format!("/v1.1/apps/{id}/appUsers/bob"),
        format!("/v1/apps/{id}/appusers/bob"),
        "/v1.1/appusers/bob".into(),
        "/v1.1/appUsers/bob".into(),
        format!("/V1.1/Apps/{id}/APPUSERS/bob"),
        "/v1.1/appusers/%62ob".into(),
    ] {
        let answer = world.call(&key, Method::GET, &path, None).await;
        assert_eq!((answer.status, &answer.body), (200, &made), "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_notification_is_accepted_in_any_spelling_of_its_path() {
    let world = World::new().await;
    let id = world.app.id();
    let spellings = [
        format!("/v1.1/apps/{id}/notifications"),
        format!("/v1/apps/{id}/notifications"),
        "/v1.1/notifications".into(),
        "/v1/notifications".into(),
        format!("/V1.1/Apps/{id}/Notifications"),
        format!("/v1.1/apps/{id}/notifications/"),
        "/V1/NOTIFICATIONS".into(),
    ];
    for path in &spellings {
        let body = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": path }));
        let answer = world.call(&basic(world.app.key()), Method::POST, path, Some(body)).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    }
    world.settle().await;
    assert_eq!(world.outbox().await.len(), spellings.len());
    let functions = &world.calls().await["functions"];
    assert_eq!([&functions["notifications"]["invocations"], &functions["api"]["invocations"]], [4, 3]);
    world.end().await;
}
