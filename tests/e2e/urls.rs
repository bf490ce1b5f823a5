//! URLs as a business writes them: kept and shown so, and spelled legally where they go out.

use serde_json::json;

use crate::world::{ANYBODY, World};

#[tokio::test]
async fn what_goes_out_is_legal_and_what_is_shown_is_what_was_written() {
    let world = World::new().await;
    let written = "https://tée.example/my cup (1).png";
    let spelled = "https://xn--te-bja.example/my%20cup%20%281%29.png";
    let id = world.notify("twilio", ANYBODY, "Hello").await;
    world.settle().await;
    let user = world.events_about(&id).await[0]["matchResult"]["appUser"]["_id"].as_str().unwrap().to_owned();
    let link = json!({ "type": "link", "text": "Look", "uri": written });
    let image = json!({ "role": "appMaker", "type": "image", "mediaUrl": format!(" {written}\n"), "actions": [link] });
    let posted = world.make(&world.app, &format!("appusers/{user}/messages"), image).await["message"].clone();
    assert_eq!((&posted["mediaUrl"], &posted["actions"][0]["uri"]), (&json!(written), &json!(written)));
    assert_eq!(posted["mediaType"], "image/png");
    world.settle().await;
    let sent = world.outbox_to(ANYBODY).await.pop().unwrap();
    assert_eq!((&sent["mediaUrls"], &sent["text"]), (&json!([spelled]), &json!(format!("Look: {spelled}"))));
    let told = world.event("message:appMaker").await["messages"][0].clone();
    assert_eq!(told["mediaUrl"], written);
    let film = json!({ "role": "appMaker", "type": "image", "mediaUrl": written, "mediaType": "VIDEO/mp4" });
    let path = format!("appusers/{user}/messages");
    let words = "bad_request: mediaType must be a picture's";
    world.refused(&world.app, reqwest::Method::POST, &path, Some(film), words).await;
    world.end().await;
}
