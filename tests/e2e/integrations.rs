//! Integrations through the API: each type's life, what is refused, what is never shown, and a send through a new one.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ANYBODY, World};

const SID: &str = "AC0123456789abcdef0123456789abcdef";
const NUMBER_SID: &str = "PN0123456789abcdef0123456789abcdef";
const TOKEN: &str = "fedcba9876543210fedcba9876543210";

/// A good body of each type, with its secrets' fields.
pub fn bodies() -> Vec<(Value, &'static [&'static str])> {
    vec![
        (
            json!({ "type": "twilio", "accountSid": SID, "authToken": TOKEN, "phoneNumberSid": NUMBER_SID }),
            &["authToken"],
        ),
        (
            json!({ "type": "messagebird", "accessKey": "key-hush", "originator": "31970000009", "signingKey": "sign-hush" }),
            &["accessKey", "signingKey"],
        ),
        (
            json!({ "type": "whatsapp", "deploymentId": "64c0ffee0123456789abcdef", "accountId": "123",
                    "accountManagementAccessToken": "token-hush" }),
            &["accountManagementAccessToken"],
        ),
        (json!({ "type": "whatsapp", "phoneNumberId": "42", "accessToken": "access-hush" }), &["accessToken"]),
        (
            json!({ "type": "mailgun", "apiKey": "api-hush", "domain": "mail.shop.example",
                    "incomingAddress": "help@mail.shop.example" }),
            &["apiKey"],
        ),
        (json!({ "type": "web", "brandColor": "65758f" }), &[]),
        (json!({ "type": "apn", "certificate": "Y2VydA==", "password": "pass-hush" }), &["certificate", "password"]),
        (json!({ "type": "ios", "certificate": "Y2VydA==" }), &["certificate"]),
        (json!({ "type": "fcm", "serverKey": "server-hush", "senderId": "7" }), &["serverKey"]),
        (
            json!({ "type": "android", "projectId": "p", "clientEmail": "a@p.example", "privateKey": "private-hush" }),
            &["privateKey"],
        ),
    ]
}

#[tokio::test]
async fn an_integration_of_each_type_lives_and_never_shows_its_secrets() {
    let world = World::new().await;
    for (body, secrets) in bodies() {
        let made = world.make(&world.app, "integrations", body.clone()).await["integration"].clone();
        let path = format!("integrations/{}", made["_id"].as_str().unwrap());
        assert_eq!((&made["type"], &made["status"]), (&body["type"], &json!("active")));
        for (field, value) in body.as_object().unwrap() {
            match secrets.contains(&field.as_str()) {
                true => assert!(made.get(field).is_none() && !made.to_string().contains(value.as_str().unwrap())),
                false => assert_eq!(&made[field], value, "{field}"),
            }
        }
        assert_eq!(world.read(&world.app, &path).await["integration"], made);
        let named = world.change(&world.app, &path, json!({ "displayName": "Ours", "status": "inactive" })).await;
        assert_eq!(named["integration"]["displayName"], "Ours");
        assert_eq!(named["integration"]["status"], "inactive");
        let whole = world.change(&world.app, &path, made.clone()).await["integration"].clone();
        assert_eq!(whole["status"], "active");
        let unnamed = world.change(&world.app, &path, json!({ "displayName": null })).await["integration"].clone();
        assert_eq!(unnamed, made);
        world.remove(&world.app, &path).await;
        world.refused(&world.app, Method::GET, &path, None, "integration_not_found").await;
        world.refused(&world.app, Method::DELETE, &path, None, "integration_not_found").await;
    }
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_integration_is_refused_by_name() {
    let world = World::new().await;
    let twilio = world.read(&world.app, &format!("integrations/{}", world.app.integration("twilio"))).await;
    let known = twilio["integration"]["accountSid"].clone();
    let cases = [
        (json!({}), "bad_request: type is required"),
        (json!({ "type": "fax" }), "bad_request: type must be one of twilio"),
        (json!({ "type": "twilio" }), "bad_request: accountSid is required"),
        (json!({ "type": "twilio", "accountSid": "A/C" }), "bad_request: accountSid must be a SID"),
        (json!({ "type": "twilio", "accountSid": SID }), "bad_request: authToken is required"),
        (json!({ "type": "twilio", "accountSid": SID, "authToken": TOKEN }), "bad_request: phoneNumberSid is required"),
        (
            json!({ "type": "twilio", "accountSid": known, "authToken": TOKEN, "phoneNumberSid": NUMBER_SID }),
            "bad_request: authToken is not what Twilio knows",
        ),
        (
            json!({ "type": "twilio", "accountSid": SID, "authToken": TOKEN, "phoneNumberSid": "PN1" }),
            "bad_request: phoneNumberSid names nothing at Twilio",
        ),
        (json!({ "type": "messagebird", "originator": "1234" }), "bad_request: accessKey is required"),
        (
            json!({ "type": "messagebird", "accessKey": "k", "originator": "far too long a name" }),
            "bad_request: originator",
        ),
        (json!({ "type": "whatsapp" }), "bad_request: deploymentId is required"),
        (json!({ "type": "whatsapp", "phoneNumberId": "4" }), "bad_request: accessToken is required"),
        (
            json!({ "type": "mailgun", "apiKey": "k", "domain": "a.example", "incomingAddress": "x@b.example" }),
            "bad_request: incomingAddress must be an address of the domain",
        ),
        (json!({ "type": "web", "brandColor": "#65758e" }), "bad_request: brandColor must be 6 hexadecimal digits"),
        (json!({ "type": "web", "displayStyle": "popup" }), "bad_request: displayStyle has the wrong type"),
        (json!({ "type": "web", "originWhitelist": ["shop"] }), "bad_request: originWhitelist[0] must be an origin"),
        (json!({ "type": "web", "prechatCapture": [true] }), "bad_request: prechatCapture must be an object"),
        (json!({ "type": "ios", "certificate": "?" }), "bad_request: certificate must be a PKCS #12 file"),
        (json!({ "type": "fcm", "serverKey": "k" }), "bad_request: senderId is required"),
        (json!({ "type": "android", "projectId": "p" }), "bad_request: clientEmail is required"),
        (json!({ "type": "web", "displayName": "" }), "bad_request: displayName must not be empty"),
        (json!({ "type": "web", "displayName": "x".repeat(101) }), "bad_request: displayName must have at most 100"),
        (json!({ "type": "web", "status": "paused" }), "bad_request: status has the wrong type"),
        (json!({ "type": "web", "expiredClaim": "guess" }), "bad_request: expiredClaim has the wrong type"),
    ];
    for (body, words) in cases {
        world.refused(&world.app, Method::POST, "integrations", Some(body), words).await;
    }
    let path = format!("integrations/{}", world.app.integration("twilio"));
    for (body, words) in [
        (json!({ "type": "web" }), "bad_request: type cannot be changed"),
        (json!({ "accountSid": SID }), "bad_request: accountSid cannot be changed"),
        (json!({ "authToken": null }), "bad_request: authToken must not be null"),
        (json!({ "authToken": TOKEN }), "bad_request: authToken is not what Twilio knows"),
    ] {
        world.refused(&world.app, Method::PUT, &path, Some(body), words).await;
    }
    assert_eq!(world.read(&world.app, "integrations").await["integrations"].as_array().unwrap().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn integrations_are_listed_by_type_and_page() {
    let world = World::new().await;
    for _ in 0..3 {
        world.make(&world.app, "integrations", json!({ "type": "web" })).await;
    }
    let page = world.read(&world.app, "integrations?types=web,line&limit=2").await;
    assert_eq!((page["integrations"].as_array().unwrap().len(), &page["hasMore"]), (2, &json!(true)));
    let page = world.read(&world.app, "integrations?types=web,line&limit=2&offset=2").await;
    assert_eq!((page["integrations"].as_array().unwrap().len(), &page["hasMore"]), (1, &json!(false)));
    assert_eq!(page["offset"], 2);
    assert_eq!(world.read(&world.app, "integrations?types=twilio").await["integrations"].as_array().unwrap().len(), 1);
    assert_eq!(world.read(&world.app, "integrations").await["integrations"].as_array().unwrap().len(), 5);
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1"] {
        let words = format!("bad_request: {} must", query.split('=').next().unwrap());
        world.refused(&world.app, Method::GET, &format!("integrations?{query}"), None, &words).await;
    }
    world.end().await;
}

#[tokio::test]
async fn null_unsets_what_may_be_unset_and_others_fields_stay() {
    let world = World::new().await;
    let (whatsapp, _) = bodies().swap_remove(2);
    let made = world.make(&world.app, "integrations", whatsapp).await["integration"].clone();
    assert_eq!(made["hsmFallbackLanguage"], "en_US");
    let path = format!("integrations/{}", made["_id"].as_str().unwrap());
    let changes = [
        json!({ "accountId": null, "accountManagementAccessToken": null }),
        json!({ "displayName": "Ours" }),
        json!({ "hsmFallbackLanguage": "fr" }),
    ];
    for answer in join_all(changes.map(|change| world.manage(&world.app, Method::PUT, &path, Some(change)))).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let changed = world.read(&world.app, &path).await["integration"].clone();
    assert!(changed.get("accountId").is_none());
    assert_eq!((&changed["displayName"], &changed["hsmFallbackLanguage"]), (&json!("Ours"), &json!("fr")));
    world.end().await;
}

#[tokio::test]
async fn a_profile_belongs_to_whatsapp_alone() {
    let world = World::new().await;
    let (whatsapp, _) = bodies().swap_remove(3);
    let made = world.make(&world.app, "integrations", whatsapp).await["integration"]["_id"].clone();
    let path = format!("integrations/{}/profile", made.as_str().unwrap());
    assert_eq!(world.read(&world.app, &path).await, json!({ "profile": { "websites": [] } }));
    let profile = json!({ "about": "Tea", "websites": ["https://shop.example/"] });
    assert_eq!(world.change(&world.app, &path, profile.clone()).await["profile"], profile);
    let changed = world.change(&world.app, &path, json!({ "about": null, "email": "a@shop.example" })).await;
    assert_eq!(changed["profile"], json!({ "email": "a@shop.example", "websites": ["https://shop.example/"] }));
    let long = json!({ "about": "x".repeat(140) });
    world.refused(&world.app, Method::PUT, &path, Some(long), "bad_request: about must have at most 139").await;
    let sites = json!({ "websites": ["https://a.example", "https://b.example", "https://c.example"] });
    world.refused(&world.app, Method::PUT, &path, Some(sites), "bad_request: websites must hold at most 2").await;
    let other = format!("integrations/{}/profile", world.app.integration("twilio"));
    world.refused(&world.app, Method::GET, &other, None, "bad_request: integrationId must name").await;
    world.refused(&world.app, Method::PUT, &other, Some(json!({})), "bad_request: integrationId must name").await;
    world.end().await;
}

#[tokio::test]
async fn integrations_made_by_the_api_send_hear_and_answer() {
    let world = World::new().await;
    for index in [0, 1] {
        let (body, _) = bodies().swap_remove(index);
        let made = world.make(&world.app, "integrations", body).await["integration"].clone();
        if index == 0 {
            assert_eq!(made["name"], "Simulated account");
            assert!(made["phoneNumber"].as_str().unwrap().starts_with("+1555"));
        } else {
            assert!(made["webhookSecret"].as_str().unwrap().len() >= 40);
        }
        let notification = json!({
            "destination": { "integrationId": made["_id"], "destinationId": ANYBODY },
            "author": { "role": "appMaker" }, "message": { "type": "text", "text": "Hello" },
        });
        let answer = world.post(&world.app, &notification).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        world.settle().await;
        let id = answer.body["notification"]["_id"].as_str().unwrap();
        assert_eq!(world.story(id).await, ["channel", "user"]);
        world.reply_with(json!({ "integrationId": made["_id"], "from": ANYBODY, "text": "Hi" })).await;
        world.settle().await;
        assert_eq!(world.events_named("message:appUser").await.len(), index + 1);
    }
    world.end().await;
}

#[tokio::test]
async fn a_type_that_sends_nothing_yet_takes_no_notification() {
    let world = World::new().await;
    let made = world.make(&world.app, "integrations", json!({ "type": "web" })).await["integration"]["_id"].clone();
    let notification = json!({
        "destination": { "integrationId": made, "destinationId": ANYBODY },
        "author": { "role": "appMaker" }, "message": { "type": "text", "text": "Hello" },
    });
    let answer = world.post(&world.app, &notification).await;
    assert_eq!(answer.status, 400);
    let said = answer.body["error"]["description"].as_str().unwrap();
    assert!(said.starts_with("destination.integrationId names an integration of a type that"), "{said}");
    world.end().await;
}

#[tokio::test]
async fn a_number_is_pointed_here_unless_it_is_to_be_kept_as_it_is() {
    let world = World::new().await;
    let number = async |sid: &str| {
        let path = format!("/_carriers/twilio/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers/{sid}.json");
        let answer = world.request(world.http(Method::GET, &path).basic_auth(SID, Some(TOKEN))).await;
        answer.body["sms_url"].as_str().unwrap().to_owned()
    };
    let body = |sid: &str| json!({ "type": "twilio", "accountSid": SID, "authToken": TOKEN, "phoneNumberSid": sid });
    let made = world.make(&world.app, "integrations", body(NUMBER_SID)).await["integration"]["_id"].clone();
    let (base, app) = (world.callbacks_url(), world.app.id());
    let here = format!("{base}/callbacks/twilio/{app}/{}#rc=5&rp=all", made.as_str().unwrap());
    assert_eq!(number(NUMBER_SID).await, here);

    let other = "PN00000000000000000000000000000042";
    let mut kept = body(other);
    kept["keepSmsUrl"] = true.into();
    let made = world.make(&world.app, "integrations", kept.clone()).await["integration"].clone();
    assert!(made.get("keepSmsUrl").is_none(), "{made}");
    assert_eq!(number(other).await, "");
    let reply = json!({ "integrationId": made["_id"], "appId": world.app.id(), "from": ANYBODY, "text": "Hi" });
    assert_eq!(
        world.local(Method::POST, "reply", Some(reply)).await.status,
        409,
        "nobody told Twilio where to post it"
    );
    kept["keepSmsUrl"] = "yes".into();
    world.refused(&world.app, Method::POST, "integrations", Some(kept), "bad_request: keepSmsUrl has the wrong").await;
    world.end().await;
}

#[tokio::test]
async fn a_number_whose_messages_go_to_an_app_of_twilios_is_refused_unless_it_is_kept_so() {
    let world = World::new().await;
    let path = format!("/_carriers/twilio/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers/{NUMBER_SID}.json");
    let app = [("SmsApplicationSid", "AP00000000000000000000000000000001")];
    let set = world.request(world.http(Method::POST, &path).basic_auth(SID, Some(TOKEN)).form(&app)).await;
    assert_eq!(set.body["sms_application_sid"], app[0].1, "{}", set.body);
    let mut body = json!({ "type": "twilio", "accountSid": SID, "authToken": TOKEN, "phoneNumberSid": NUMBER_SID });
    let words = "bad_request: phoneNumberSid names a number whose messages Twilio gives to a TwiML app";
    world.refused(&world.app, Method::POST, "integrations", Some(body.clone()), words).await;
    body["keepSmsUrl"] = true.into();
    world.make(&world.app, "integrations", body).await;
    world.end().await;
}
