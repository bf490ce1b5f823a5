//! Two apps on one stack never see each other.

use reqwest::Method;
use serde_json::{Value, json};
use shared::api::Operation;
use shared::api::routes::{ROUTES, Route};

use crate::apps;
use crate::credentials::basic;
use crate::forms::{FORM, form};
use crate::table::contents;
use crate::world::{ANYBODY, Answer, App, World};

#[tokio::test]
async fn a_key_of_one_app_does_not_reach_another() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    let own = World::body(&world.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let foreign = World::body(&other, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
    let path = format!("/v1.1/apps/{}/notifications", other.id());
    for ((key, secret), body) in
        [(world.app.key(), &foreign), (world.app.account_key(), &foreign), (world.app.key(), &own)]
    {
        let answer = world.request(world.http(Method::POST, &path).basic_auth(key, Some(secret)).json(body)).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(answer.body["error"]["code"], "forbidden");
    }
    let answer = world.post(&world.app, &foreign).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body["error"]["code"], "integration_not_found");
    world.settle().await;
    assert!(world.outbox().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn one_address_is_two_people_to_two_apps_and_neither_hears_of_the_other() {
    let world = World::new().await;
    let other = world.another_app(json!({})).await;
    world.notify("twilio", ANYBODY, "from the first").await;
    world.notify_as(&other, "twilio", ANYBODY, json!({ "type": "text", "text": "from the second" })).await;
    world.settle().await;
    world.reply("twilio", ANYBODY, "to the first").await;
    world.settle().await;
    let (first, second) = (world.events().await, world.events_of(&other).await);
    assert_eq!(first.len(), 3);
    assert_eq!(second.len(), 2);
    assert_ne!(first[0]["matchResult"]["appUser"]["_id"], second[0]["matchResult"]["appUser"]["_id"]);
    let reply = first.iter().find(|event| event["trigger"] == "message:appUser").unwrap();
    assert_eq!(reply["recentNotifications"].as_array().unwrap().len(), 1);
    assert_eq!(reply["recentNotifications"][0]["text"], "from the first");
    assert!(second.iter().all(|event| event["app"]["_id"] == other.id()));
    world.end().await;
}

/// Ids of one app's things.
struct Things {
    app: App,
    user: String,
    message: String,
    action: String,
    webhook: String,
    template: String,
    service_account: String,
    file: String,
}

impl Things {
    async fn of(world: &World, app: App, name: &str) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let made = async |path: &str, body: Value| world.make(&app, path, body).await;
        let user = text(&made("appusers", json!({ "userId": name })).await["appUser"]["_id"]);
        let button = json!({ "type": "postback", "text": "Tea", "payload": "TEA" });
        let message = json!({ "role": "appMaker", "type": "text", "text": name, "actions": [button] });
        let posted = made(&format!("appusers/{name}/messages"), message).await["message"].clone();
        let webhook = made("webhooks", json!({ "target": "https://a.example/", "triggers": ["postback"] })).await;
        let template = json!({ "name": name, "message": { "type": "text", "text": "Hi", "role": "appMaker" } });
        let template = made("templates", template).await["template"]["_id"].clone();
        let owner = apps::owned(app.account_key());
        let service_account = apps::post(world, &owner, "/v1.1/serviceaccounts", json!({ "name": name })).await;
        let file = upload(world, &app, "access=public").await;
        assert_eq!(file.status, 201, "{}", file.body);
        Self {
            user,
            message: text(&posted["_id"]),
            action: text(&posted["actions"][0]["_id"]),
            webhook: text(&webhook["webhook"]["_id"]),
            template: text(&template),
            service_account: text(&service_account.body["serviceAccount"]["_id"]),
            file: text(&file.body["mediaUrl"]),
            app,
        }
    }

    /// The route's path in our app, with these ids.
    fn path(&self, route: &Route, app: &App) -> String {
        let ids = [
            ("appId", app.id()),
            ("userId", &self.user),
            ("messageId", &self.message),
            ("webhookId", &self.webhook),
            ("templateId", &self.template),
            ("integrationId", self.app.integration("twilio")),
            ("keyId", self.app.key().0),
            ("serviceAccountId", &self.service_account),
            ("channel", "twilio"),
        ];
        let filled =
            ids.iter().fold(route.path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        format!("/v1.1{filled}")
    }
}

async fn upload(world: &World, app: &App, query: &str) -> Answer {
    send_form(world, app, &format!("/v1.1/attachments?{query}"), form(&[], "tea.txt", "text/plain", b"Tea")).await
}

async fn send_form(world: &World, app: &App, path: &str, body: Vec<u8>) -> Answer {
    let request = basic(app.key()).put_on(world.http(Method::POST, path));
    world.request(request.header("content-type", FORM).body(body)).await
}

/// What a call must come to that names another app's things in its body or query.
enum Must {
    /// This code.
    Refuse(&'static str),
    /// 200, and at this place nothing.
    Show(&'static str),
}

/// Every way in which a body or a query can name a thing of an app, as (query, body). Whoever adds an operation says here
/// what its body can name.
fn named(operation: Operation, theirs: &Things, ours: &Things) -> Vec<(String, Option<Value>, Must)> {
    use Must::{Refuse, Show};
    use Operation as Op;
    let body = |body: Value, must| (String::new(), Some(body), must);
    let integration = theirs.app.integration("twilio");
    let text = json!({ "role": "appMaker", "type": "text", "text": "Hi" });
    let with = |mut message: Value, field: &str, value: Value| {
        message[field] = value;
        message
    };
    match operation {
        Op::CreateNotification => {
            let notification = World::body(&theirs.app, "twilio", ANYBODY, json!({ "type": "text", "text": "Hi" }));
            vec![body(notification, Refuse("integration_not_found"))]
        }
        Op::LinkChannel => {
            let link = json!({ "type": "twilio", "integrationId": integration, "phoneNumber": ANYBODY,
                "confirmation": { "type": "immediate" } });
            vec![body(link, Refuse("integration_not_found"))]
        }
        Op::PostMessage => {
            let to = with(text.clone(), "destination", json!({ "integrationId": integration }));
            let template = with(text, "text", json!("%((template:theirs))%"));
            vec![body(to, Refuse("bad_request")), body(template, Refuse("template_not_found"))]
        }
        Op::PostPostback => vec![body(json!({ "actionId": theirs.action }), Refuse("bad_request"))],
        Op::MergeAppUsers => {
            let merge = |surviving: &str, discarded: &str| json!({ "surviving": { "_id": surviving }, "discarded": { "_id": discarded } });
            [(&theirs.user, &ours.user), (&ours.user, &theirs.user)]
                .map(|(surviving, discarded)| body(merge(surviving, discarded), Refuse("user_not_found")))
                .into()
        }
        Op::RemoveAttachment => vec![body(json!({ "mediaUrl": theirs.file }), Refuse("not_found"))],
        Op::ListApps => vec![(format!("serviceAccountId={}", theirs.service_account), None, Show("/apps"))],
        Op::GetLinkRequests => vec![(format!("integrationIds={integration}"), None, Show("/linkRequests"))],
        // Tried below: no JSON.
        Op::UploadAttachment | Op::PostImage => vec![],
        // No JSON, and names nothing.
        Op::UploadIntegrationProfilePhoto => vec![],
        // Bodies and queries that name nothing that is an app's.
        Op::CreateApp | Op::GetApp | Op::UpdateApp | Op::DeleteApp | Op::GetSdks => vec![],
        Op::ListAppKeys | Op::CreateAppKey | Op::GetAppKey | Op::DeleteAppKey | Op::GetAppKeyJwt => vec![],
        Op::ListServiceAccounts | Op::CreateServiceAccount | Op::GetServiceAccount => vec![],
        Op::UpdateServiceAccount | Op::DeleteServiceAccount | Op::ListServiceAccountKeys => vec![],
        Op::CreateServiceAccountKey | Op::GetServiceAccountKey | Op::DeleteServiceAccountKey => vec![],
        Op::GetServiceAccountKeyJwt => vec![],
        Op::ListIntegrations | Op::CreateIntegration | Op::GetIntegration | Op::UpdateIntegration => vec![],
        Op::DeleteIntegration | Op::GetIntegrationProfile | Op::UpdateIntegrationProfile => vec![],
        Op::GetIntegrationMenu | Op::CreateIntegrationMenu | Op::UpdateIntegrationMenu => vec![],
        Op::DeleteIntegrationMenu | Op::GetMenu | Op::UpdateMenu | Op::DeleteMenu => vec![],
        Op::ListWebhooks | Op::CreateWebhook | Op::GetWebhook | Op::UpdateWebhook | Op::DeleteWebhook => vec![],
        Op::ReplaceWebhookSigningSecret => vec![],
        Op::ListTemplates | Op::CreateTemplate | Op::GetTemplate | Op::UpdateTemplate | Op::DeleteTemplate => vec![],
        Op::CreateAppUser | Op::GetAppUser | Op::UpdateAppUser | Op::DeleteAppUser => vec![],
        Op::DeleteAppUserProfile | Op::ListChannels | Op::UnlinkChannel | Op::ListBusinessSystems => vec![],
        Op::GetAuthCode | Op::ListMessages | Op::DeleteMessages | Op::DeleteMessage => vec![],
        Op::GetConversation | Op::PostActivity | Op::ResetUnreadCount => vec![],
    }
}

async fn call(world: &World, route: &Route, path: &str, body: Option<Value>) -> Answer {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    world.call(&basic(world.app.account_key()), method, path, body).await
}

#[tokio::test]
async fn no_route_reaches_what_is_another_apps_by_the_ids_of_its_path() {
    let world = World::new().await;
    let theirs = Things::of(&world, world.another_app(json!({})).await, "theirs").await;
    world.settle().await;
    let before = contents(&world, theirs.app.id()).await;
    let routes =
        ROUTES.iter().filter(|route| route.path.matches('{').count() > 1 || route.path.contains("{serviceAccountId}"));
    let mut walked = 0;
    for route in routes {
        let body = json!({ "role": "appUser", "type": "typing:start", "text": "x", "actionId": theirs.action,
            "confirmation": { "type": "immediate" }, "phoneNumber": ANYBODY, "name": "x", "givenName": "x",
            "menu": { "items": [] }, "profile": {}, "items": [] });
        let body = ["POST", "PUT"].contains(&route.method).then_some(body);
        let answer = call(&world, route, &theirs.path(route, &world.app), body).await;
        assert!((400..500).contains(&answer.status), "{} {}: {}", route.method, route.path, answer.body);
        walked += 1;
    }
    assert!(walked > 40, "{walked}");
    world.settle().await;
    assert_eq!(contents(&world, theirs.app.id()).await, before);
    world.end().await;
}

#[tokio::test]
async fn no_body_and_no_query_reaches_what_is_another_apps() {
    let world = World::new().await;
    let ours = Things::of(&world, world.app.clone(), "ours").await;
    let theirs = Things::of(&world, world.another_app(json!({})).await, "theirs").await;
    world.settle().await;
    let (before, told) = (contents(&world, theirs.app.id()).await, world.events_of(&theirs.app).await.len());
    for route in ROUTES {
        for (query, body, must) in named(route.operation, &theirs, &ours) {
            let path = format!("{}?{query}", ours.path(route, &world.app));
            let answer = call(&world, route, &path, body).await;
            match must {
                Must::Refuse(code) => assert_eq!(answer.body["error"]["code"], code, "{}: {}", route.path, answer.body),
                Must::Show(place) => {
                    assert_eq!(answer.body.pointer(place), Some(&json!([])), "{}: {}", route.path, answer.body);
                }
            }
        }
    }
    for person in ["appUserId", "userId"] {
        let query = format!("access=public&for=message&{person}={}", theirs.user);
        let answer = upload(&world, &world.app, &query).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("user_not_found")), "{query}");
    }
    let destination = json!({ "integrationId": theirs.app.integration("twilio") }).to_string();
    let fields = [("role", "appMaker"), ("destination", destination.as_str())];
    let picture = form(&fields, "tea.png", "image/png", b"Tea");
    let answer = send_form(&world, &world.app, &format!("/v1.1/appusers/{}/images", ours.user), picture).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("bad_request")), "{}", answer.body);
    world.settle().await;
    assert_eq!(contents(&world, theirs.app.id()).await, before);
    assert_eq!(world.events_of(&theirs.app).await.len(), told, "their webhook hears of nothing");
    assert!(world.outbox().await.is_empty());
    let file = theirs.file.strip_prefix(world.url()).unwrap();
    assert_eq!(world.request(world.http(Method::GET, file)).await.status, 200, "their file is still there");
    world.end().await;
}
