//! Functions at addresses of their own: what carriers call, and the intake where that is wanted. Whose word it is that says
//! at which address a callback arrived decides what a signature is worth.

use reqwest::Method;
use serde_json::json;

use crate::world::{ANYBODY, CHANNELS, World};

#[tokio::test]
async fn carriers_call_past_the_gateway() {
    let world = World::new().await;
    assert_eq!(world.app.ready["callbacksUrl"], world.callbacks_url());
    assert_ne!(world.callbacks_url(), world.url());
    for channel in CHANNELS {
        let id = world.notify(channel, ANYBODY, "Hello").await;
        world.settle().await;
        assert_eq!(world.story(&id).await, ["channel", "user"]);
    }
    let calls = world.calls().await;
    assert_eq!(calls["httpRequests"], 2, "the two notifications");
    assert_eq!(calls["functionUrlRequests"], calls["functions"]["callbacks"]["invocations"]);
    world.end().await;
}

/// A callback of Twilio's, signed for one URL and sent to another; the status of the answer.
async fn sent(world: &World, signed_for: &str, to: &str, headers: &[(&str, &str)]) -> u16 {
    let integration = world.app.integration("twilio");
    let path = format!("/callbacks/twilio/{}/{integration}", world.app.id());
    let account =
        world.read(&world.app, &format!("integrations/{integration}")).await["integration"]["accountSid"].clone();
    let body = format!(
        "MessageSid=SM{}&AccountSid={}&From=%2B15550100142&To=%2B15550100001&Body=Hi&NumMedia=0",
        "0".repeat(32),
        account.as_str().unwrap()
    );
    let wanted = json!({ "integrationId": integration, "url": format!("{signed_for}{path}"), "body": body });
    let signature = world.local(Method::POST, "sign", Some(wanted)).await.body["signature"].clone();
    let request = reqwest::Client::new().post(format!("{to}{path}")).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("x-twilio-signature", signature.as_str().unwrap());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_signature_counts_for_the_address_at_which_aws_took_the_callback_in() {
    let world = World::new().await;
    let (door, api) = (world.callbacks_url(), world.url().to_owned());
    assert_eq!(sent(&world, &door, &door, &[]).await, 200);
    assert_eq!(sent(&world, &api, &api, &[]).await, 200, "what went out with the API's own URL still arrives");
    assert_eq!(sent(&world, &api, &door, &[]).await, 403);
    assert_eq!(sent(&world, &door, &api, &[]).await, 403);
    let theirs = "https://somebody.example";
    for name in ["host", "x-forwarded-host", "forwarded"] {
        let value = if name == "forwarded" { "host=somebody.example;proto=https" } else { "somebody.example" };
        let headers = [(name, value), ("x-forwarded-proto", "https")];
        assert_eq!(sent(&world, theirs, &door, &headers).await, 403, "{name}");
    }
    world.settle().await;
    assert_eq!(world.events_named("message:appUser").await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_signature_counts_for_the_domain_that_the_stack_was_given_wherever_it_arrives() {
    let own = "https://msg.example.test";
    let world = World::with_parameter("PublicUrl", own).await;
    let door = world.handles().outputs["CallbacksFunctionUrl"].trim_end_matches('/').to_owned();
    for to in [world.url(), &door] {
        assert_eq!(sent(&world, own, to, &[]).await, 200, "{to}");
        assert_eq!(sent(&world, "https://somebody.example", to, &[]).await, 403, "{to}");
    }
    world.end().await;
}

#[tokio::test]
async fn the_intake_has_an_address_of_its_own_where_that_is_wanted() {
    let world = World::with_parameter("NotificationsFunctionUrl", "enabled").await;
    let url = world.handles().outputs["NotificationsUrl"].clone();
    let post = async |path: &str| {
        let body = json!({
            "destination": { "integrationId": world.app.integration("twilio"), "destinationId": ANYBODY },
            "author": { "role": "appMaker" },
            "message": { "type": "text", "text": "Hello" },
        });
        let (key, secret) = world.app.key();
        let request = reqwest::Client::new().post(format!("{url}{path}")).basic_auth(key, Some(secret));
        world.request(request.json(&body)).await
    };
    let taken = post(&format!("v1.1/apps/{}/notifications", world.app.id())).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    assert_eq!(post("v1.1/notifications").await.status, 201);
    world.settle().await;
    let id = taken.body["notification"]["_id"].as_str().unwrap();
    assert_eq!(world.story(id).await, ["channel", "user"]);
    assert_eq!(world.calls().await["httpRequests"], 0);
    world.end().await;
}
