//! What an operator's commands make, used as its owner would.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use operator::create_account::create_account;
use operator::create_app::{Specification, create_app};
use operator::redrive::redrive;
use operator::stack::Stack;
use reqwest::Method;
use serde_json::json;

use crate::table;
use crate::world::{ANYBODY, World};

/// The stack as its operator has it.
pub async fn stack(world: &World) -> Stack {
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(local::engine::AWS_REGION))
        .http_client(shared::http::aws().unwrap())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("o", "o", None, None, "test")))
        .endpoint_url(world.handles().aws_endpoint("operator"))
        .build();
    let of_the_stack = world.handles().any_environment_with("SEALING_SECRET_ARN").unwrap();
    let (table, secret) = (of_the_stack["TABLE_NAME"].clone(), of_the_stack["SEALING_SECRET_ARN"].clone());
    Stack::open(aws, table, secret).await.unwrap()
}

fn specification(name: &str, token: &str, sink: &str) -> Specification {
    let hex = |digit: &str| digit.repeat(32);
    serde_json::from_value(json!({
        "name": name,
        "integrations": [
            { "type": "twilio", "accountSid": format!("AC{}", hex("a")), "authToken": token,
              "phoneNumberSid": format!("PN{}", hex("b")) },
            { "type": "messagebird", "accessKey": "another", "originator": "31970000002", "signingKey": "k" },
        ],
        "webhooks": [{ "target": sink, "triggers": ["notification:delivery:user"] }],
    }))
    .unwrap()
}

#[tokio::test]
async fn an_account_can_make_apps_as_soon_as_its_key_is_printed() {
    let world = World::new().await;
    let key = create_account(&stack(&world).await, Some(world.url())).await.unwrap();
    let request = world.http(Method::POST, "/v1.1/apps").json(&json!({ "name": "Tea House" }));
    let answer = world.request(request.basic_auth(key.id.to_string(), Some(key.secret.expose()))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    world.end().await;
}

#[tokio::test]
async fn an_app_made_in_one_go_can_send() {
    let world = World::new().await;
    let wanted = specification("Tea House", &"c".repeat(32), &format!("{}/_local/sink/ours", world.url()));
    let made = create_app(&stack(&world).await, world.url(), &wanted).await.unwrap();
    let id = |kind: &str| {
        let found = made["integrations"].as_array().unwrap().iter().find(|one| one["type"] == kind);
        found.unwrap()["id"].clone()
    };
    for kind in ["twilio", "messagebird"] {
        let body = json!({ "destination": { "integrationId": id(kind), "destinationId": ANYBODY },
            "author": { "role": "appMaker" }, "message": { "type": "text", "text": "Hello" } });
        let path = format!("/v1.1/apps/{}/notifications", made["appId"].as_str().unwrap());
        let request = world.http(Method::POST, &path).json(&body);
        let answer = world.request(request.basic_auth(made["keyId"].as_str().unwrap(), made["secret"].as_str())).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    world.settle().await;
    let heard = world.requests_to("ours").await;
    assert_eq!(heard.len(), 2, "{heard:#?}");
    assert!(heard.iter().all(|request| request["headers"]["x-api-key"] == made["webhooks"][0]["secret"]), "{heard:#?}");
    world.end().await;
}

#[tokio::test]
async fn an_app_that_cannot_be_completed_is_not_left_behind() {
    let world = World::new().await;
    let wanted = specification("Half made", "no token of Twilio's", "https://shop.example/hook");
    let refused = create_app(&stack(&world).await, world.url(), &wanted).await.unwrap_err().to_string();
    assert!(refused.contains("authToken is not what Twilio knows for accountSid"), "{refused}");
    world.settle().await;
    let left = format!("{:?}", table::scan(&world).await);
    assert!(!left.contains("Half made"), "{left}");
    let keys = |items: &str| items.matches("sealedSecret").count();
    let demo = World::new().await;
    assert_eq!(keys(&left), keys(&format!("{:?}", table::scan(&demo).await)), "no key but the demo app's");
    demo.end().await;
    world.end().await;
}

#[tokio::test]
async fn dead_letters_are_returned_by_one_command_and_work_again() {
    let world = World::new().await;
    let answers = async |status: u16| {
        let script = json!({ "status": status });
        world.local(Method::PUT, &format!("sink/{}", world.app.id()), Some(script)).await;
    };
    answers(400).await;
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let dead = world.dead_letters().await.len();
    assert!(dead >= 2, "a refused event is not tried again: {dead}");
    world.local(Method::DELETE, "webhooks", None).await;

    let (aws, name) = (stack(&world).await.aws, "local");
    let unknown = redrive(&aws, name, &["elsewhere".to_owned()]).await.unwrap_err().to_string();
    assert!(unknown.contains("it has deliver, receive, send-messagebird, send-twilio, upkeep"), "{unknown}");
    answers(200).await;
    let moved = redrive(&aws, name, &["receive".to_owned(), "deliver".to_owned()]).await.unwrap();
    assert_eq!(moved, json!({ "moved": { "deliver": dead, "receive": 0 } }));
    world.settle().await;
    assert_eq!(world.story(&id).await, ["channel", "user"]);
    assert_eq!(redrive(&aws, name, &[]).await.unwrap()["moved"]["deliver"], 0, "nothing is left");
    world.end().await;
}
