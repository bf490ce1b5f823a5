//! S3 in the engine, through the real SDK: files are kept, listed and deleted, and nobody does what they may not.

mod stack;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use reqwest::StatusCode;
use serde_json::json;
use shared::files::Files;
use shared::ids::{AppId, AppUserId};
use shared::system::System;
use stack::Stack;

const BUCKET: &str = "pictures";

fn client(stack: &Stack) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new(local::engine::AWS_REGION))
        .http_client(shared::http::aws().expect("a client"))
        .credentials_provider(aws_sdk_s3::config::Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(stack.engine.handles().s3_endpoint("test"))
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn put(s3: &aws_sdk_s3::Client, key: &str, bytes: &'static [u8]) {
    let put = s3.put_object().bucket(BUCKET).key(key).content_type("image/png").body(ByteStream::from_static(bytes));
    put.send().await.expect("kept");
}

async fn keys(s3: &aws_sdk_s3::Client, prefix: &str) -> Vec<String> {
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix(prefix).send().await.expect("a list");
    listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

#[tokio::test]
async fn files_are_kept_listed_and_deleted_and_every_call_is_counted() {
    let stack = Stack::start().await;
    let s3 = client(&stack);
    for key in ["a/1/tea.png", "a/2/tea.png", "b/1/tea.png"] {
        put(&s3, key, b"\x89PNG").await;
    }
    let found = s3.get_object().bucket(BUCKET).key("a/1/tea.png").send().await.expect("the file");
    assert_eq!(found.content_type(), Some("image/png"));
    assert_eq!(&found.body.collect().await.expect("its bytes").into_bytes()[..], b"\x89PNG");
    assert_eq!(keys(&s3, "a/").await, ["a/1/tea.png", "a/2/tea.png"]);

    let named = |key: &str| ObjectIdentifier::builder().key(key).build().expect("a key");
    let both = Delete::builder().objects(named("a/1/tea.png")).objects(named("a/2/tea.png")).build().expect("a list");
    s3.delete_objects().bucket(BUCKET).delete(both).send().await.expect("deleted");
    s3.delete_object().bucket(BUCKET).key("never/there").send().await.expect("deleting what is not there is fine");
    assert_eq!(keys(&s3, "").await, ["b/1/tea.png"]);
    let gone = s3.get_object().bucket(BUCKET).key("a/1/tea.png").send().await.expect_err("gone");
    assert!(gone.as_service_error().is_some_and(|error| error.is_no_such_key()));

    let calls = stack.account("test").await["calls"].clone();
    let counted = json!({
        "s3:PutObject": 3, "s3:GetObject": 2, "s3:ListObjectsV2": 2, "s3:DeleteObject": 1, "s3:DeleteObjects": 1
    });
    assert_eq!(calls, counted);
    stack.engine.stop().await;
}

#[tokio::test]
async fn files_outlive_an_engine_that_keeps_its_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_data = |options: &mut local::Options| options.data_dir = Some(folder.path().to_owned());
    let first = Stack::start_with(with_data).await;
    put(&client(&first), "kept", b"here").await;
    first.engine.stop().await;
    let second = Stack::start_with(with_data).await;
    assert_eq!(keys(&client(&second), "").await, ["kept"]);
    second.engine.stop().await;
}

/// What erasing a person and deleting an app rely on.
#[tokio::test]
async fn every_file_of_a_person_or_an_app_is_deleted_however_many_and_nobody_elses() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = Stack::start_with(|options| options.data_dir = Some(folder.path().to_owned())).await;
    let (app, other_app) = (AppId::generate(&System), AppId::generate(&System));
    let (person, other_person) = (AppUserId::generate(&System), AppUserId::generate(&System));
    let put = |path: String| {
        let path = folder.path().join("buckets").join(BUCKET).join(path);
        std::fs::create_dir_all(path.parent().expect("a folder"))
            .and_then(|()| std::fs::write(path, "x"))
            .expect("a file");
    };
    // More than S3 lists, or deletes, at once.
    (0..1_001).for_each(|number| put(format!("{app}/{person}/{number}/a")));
    put(format!("{app}/{other_person}/0/a"));
    put(format!("{app}/app/0/a"));
    put(format!("{other_app}/{person}/0/a"));

    let aws = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(local::engine::AWS_REGION))
        .http_client(shared::http::aws().expect("a client"))
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(aws_sdk_s3::config::Credentials::new(
            "test", "test", None, None, "test",
        )))
        .endpoint_url(stack.engine.handles().s3_endpoint("test"))
        .build();
    let (files, s3) = (Files::new(&aws, BUCKET.to_owned()), client(&stack));
    files.delete_all_of_person(app, person).await.expect("deleted");
    assert_eq!(keys(&s3, &format!("{app}/{person}/")).await, Vec::<String>::new());
    assert_eq!(keys(&s3, "").await.len(), 3);
    files.delete_all_of_app(app).await.expect("deleted");
    assert_eq!(keys(&s3, "").await, [format!("{other_app}/{person}/0/a")]);
    let calls = stack.account("test").await["calls"].clone();
    assert_eq!(calls["s3:DeleteObjects"], 3);
    stack.engine.stop().await;
}

#[tokio::test]
async fn a_function_does_what_its_policy_allows_and_no_more() {
    let stack = Stack::start().await;
    put(&client(&stack), "shown/a", b"here").await;
    // A process of the function, whose calls come from below its own name.
    stack.post("/front/x", json!({ "do": "echo" })).await;
    let call = |method: reqwest::Method, path: &str| {
        let request = stack.http.request(method, stack.url(&format!("/_s3/front.1/{BUCKET}{path}")));
        async move { request.body("x").send().await.expect("an answer").status() }
    };
    assert_eq!(call(reqwest::Method::GET, "/shown/a").await, StatusCode::OK);
    assert_eq!(call(reqwest::Method::GET, "/hidden/a").await, StatusCode::FORBIDDEN);
    assert_eq!(call(reqwest::Method::PUT, "/shown/a").await, StatusCode::FORBIDDEN);
    assert_eq!(call(reqwest::Method::GET, "?list-type=2").await, StatusCode::FORBIDDEN);
    // As in S3: who may not list is not told what is missing.
    assert_eq!(call(reqwest::Method::GET, "/shown/missing").await, StatusCode::FORBIDDEN);
    assert_eq!(call(reqwest::Method::PUT, "/shown/a?uploadId=1").await, StatusCode::NOT_IMPLEMENTED);
    stack.engine.stop().await;
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_it_was_told() {
    let stack = Stack::start().await;
    stack.fault(json!({ "target": "s3", "fault": "throttle", "operation": "PutObject", "count": 1 })).await;
    let s3 = client(&stack);
    let refused = s3.put_object().bucket(BUCKET).key("a").body(ByteStream::from_static(b"x")).send().await;
    assert_eq!(refused.expect_err("too much").code(), Some("SlowDown"));
    put(&s3, "a", b"x").await;
    stack.engine.stop().await;
}
