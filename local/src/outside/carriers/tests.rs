//! The simulated carriers and the product's channels, face to face: what one writes the other must read.

mod bench;

use axum::http::StatusCode;
use bench::{Bench, integrations};
use serde_json::{Value, json};
use shared::channels::twilio::Twilio;
use shared::channels::{Incoming, ReceiptStatus, ReplyPart, SendError, SendErrorKind};
use shared::ids::IntegrationId;
use shared::model::{Integration, Settings, TwilioSettings};
use shared::system::System;

const CHANNELS: [&str; 2] = ["twilio", "messagebird"];

fn failed(status: ReceiptStatus) -> SendError {
    match status {
        ReceiptStatus::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn fault(bench: &Bench, channel: &str, value: &Value) {
    let mut rule = json!({"target": format!("carrier:{channel}"), "count": 1});
    rule.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    bench.faults.add(serde_json::from_value(rule).unwrap());
}

#[tokio::test]
async fn a_message_is_taken_then_sent_then_delivered() {
    let mut bench = Bench::start().await;
    for channel in CHANNELS {
        let id = bench.send(channel, "+15550100002").await.unwrap();
        assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress, "{channel}");
        assert_eq!(bench.next_status(&id).await, ReceiptStatus::Delivered, "{channel}");
        let outbox = bench.outbox(&format!("channel={channel}&to=%2B15550100002")).await;
        assert_eq!(outbox.len(), 1);
        assert_eq!(outbox[0]["externalId"], id.0);
        assert_eq!(outbox[0]["text"], "Ça va? Your tea is ready & hot");
        assert_eq!(outbox[0]["integrationId"], bench.integration(channel).id.to_string());
    }
    assert_eq!(bench.outbox("").await.len(), 2);
}

#[tokio::test]
async fn an_image_goes_out_with_its_url() {
    let mut bench = Bench::start().await;
    let image = json!({"type": "image", "mediaUrl": "https://tea.example/cup.png", "text": "Look"});
    let twilio = bench.integration("twilio").clone();
    let id = bench.send_as::<Twilio>(&twilio, "+14165550142", image).await.unwrap();
    assert!(id.0.starts_with("MM"));
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
    assert_eq!(bench.outbox("").await[0]["mediaUrls"], json!(["https://tea.example/cup.png"]));
}

#[tokio::test]
async fn addresses_choose_refusals() {
    let bench = Bench::start().await;
    for channel in CHANNELS {
        let kind = async |to: &str| bench.send(channel, to).await.unwrap_err().kind;
        assert_eq!(kind("+15550100901").await, SendErrorKind::Invalid, "{channel}");
        let throttled = SendErrorKind::Throttled {};
        assert_eq!((kind("+15550100905").await, kind("+15550100905").await), (throttled, throttled), "{channel}");
        assert!(bench.send(channel, "+15550100905").await.is_ok(), "{channel}");
        assert_eq!(kind("+15550100909").await, SendErrorKind::Undecided, "{channel}");
        assert!(bench.send(channel, "+15550100909").await.is_ok(), "{channel}");
    }
    assert_eq!(bench.send("twilio", "+15550100902").await.unwrap_err().kind, SendErrorKind::OptedOut);
}

#[tokio::test]
async fn addresses_choose_what_comes_later() {
    let mut bench = Bench::start().await;
    for channel in CHANNELS {
        let id = bench.send(channel, "+15550100903").await.unwrap();
        assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
        assert_eq!(failed(bench.next_status(&id).await).kind, SendErrorKind::Invalid);
        let id = bench.send(channel, "+15550100908").await.unwrap();
        for expected in [ReceiptStatus::Delivered, ReceiptStatus::Progress].into_iter().cycle().take(4) {
            assert_eq!(bench.next_status(&id).await, expected);
        }
        let id = bench.send(channel, "+15550100907").await.unwrap();
        // Both have come before the answer.
        for expected in [ReceiptStatus::Progress, ReceiptStatus::Delivered] {
            match bench.read.try_recv().unwrap() {
                Incoming::Receipt(receipt) => assert_eq!((receipt.external_id, receipt.status), (id.clone(), expected)),
                Incoming::Reply(_) => panic!("a reply"),
            }
        }
    }
    let id = bench.send("messagebird", "+15550100902").await.unwrap();
    assert_eq!(failed(bench.next_status(&id).await).kind, SendErrorKind::OptedOut);
}

#[tokio::test]
async fn never_confirmed_means_sent_and_no_more() {
    let mut bench = Bench::start().await;
    let id = bench.send("twilio", "+15550100904").await.unwrap();
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
    // The next message's receipts would come after any that were still owed.
    let next = bench.send("twilio", "+15550100002").await.unwrap();
    assert_eq!(bench.next_status(&next).await, ReceiptStatus::Progress);
    assert_eq!(bench.next_status(&next).await, ReceiptStatus::Delivered);
    assert_eq!(bench.outbox("to=15550100904").await[0]["status"], "sent");
}

#[tokio::test]
async fn faults_strike_as_the_carrier_would_say_it() {
    let mut bench = Bench::start().await;
    for channel in CHANNELS {
        let to = "+15550100002";
        fault(&bench, channel, &json!({"fault": "status:401"}));
        assert_eq!(bench.send(channel, to).await.unwrap_err().kind, SendErrorKind::Unauthorized);
        fault(&bench, channel, &json!({"fault": "status:503", "retryAfter": 3}));
        assert_eq!(bench.send(channel, to).await.unwrap_err().kind, SendErrorKind::Unavailable);
        fault(&bench, channel, &json!({"fault": "throttle", "retryAfter": 7}));
        assert_eq!(bench.send(channel, to).await.unwrap_err().retry_after, Some(7));
        fault(&bench, channel, &json!({"fault": "duplicate"}));
        let id = bench.send(channel, to).await.unwrap();
        for expected in
            [ReceiptStatus::Progress, ReceiptStatus::Progress, ReceiptStatus::Delivered, ReceiptStatus::Delivered]
        {
            assert_eq!(bench.next_status(&id).await, expected, "{channel}");
        }
        fault(&bench, channel, &json!({"fault": "reset"}));
        let url = format!("{}/_carriers/{channel}/", bench.url);
        let path = if channel == "twilio" { "2010-04-01/Accounts/AC1/Messages.json" } else { "messages" };
        assert!(bench.client.post(format!("{url}{path}")).send().await.is_err());
    }
}

#[tokio::test]
async fn credentials_are_checked_as_the_carriers_do() {
    let mut bench = Bench::start().await;
    let Settings::Twilio(settings) = bench.integration("twilio").settings.clone() else { panic!() };
    for (sid, token, message) in [
        ("AC00000000000000000000000000000001", "wrong", "Authenticate"),
        ("AC00000000000000000000000000000002", "wrong", "Authentication Error - invalid username"),
    ] {
        let wrong = TwilioSettings { account_sid: sid.into(), auth_token: token.into(), ..settings.clone() };
        let integration = Integration { settings: Settings::Twilio(wrong), ..bench.integration("twilio").clone() };
        let text = json!({"type": "text", "text": "Hi"});
        let failure = bench.send_as::<Twilio>(&integration, "+15550100002", text).await.unwrap_err();
        assert_eq!(failure.kind, SendErrorKind::Unauthorized);
        assert_eq!(failure.underlying.unwrap()["message"], message);
    }
    bench.state.forget(bench.integration("messagebird").id);
    assert_eq!(bench.send("messagebird", "+15550100002").await.unwrap_err().kind, SendErrorKind::Unauthorized);
    assert!(bench.read.try_recv().is_err());
}

#[tokio::test]
async fn a_callback_to_elsewhere_is_refused() {
    let bench = Bench::start().await;
    let elsewhere = ["https://elsewhere.example/cb", &format!("{}.elsewhere.example/cb", bench.url), "x"];
    for url in elsewhere {
        let path = format!(
            "{}/_carriers/twilio/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json",
            bench.url
        );
        let form = [("To", "+15550100002"), ("From", "+15550100001"), ("Body", "hi"), ("StatusCallback", url)];
        let request = bench.client.post(path).form(&form);
        let request =
            request.basic_auth("AC00000000000000000000000000000001", Some("0123456789abcdef0123456789abcdef"));
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(body["code"], 21609, "{url}");
        let json =
            json!({"originator": "Tea", "recipients": "31612345678", "body": "hi", "reference": "1", "reportUrl": url});
        let request = bench.client.post(format!("{}/_carriers/messagebird/messages", bench.url)).json(&json);
        let response = request.header("authorization", "AccessKey live_0123456789abcdefghij").send().await.unwrap();
        assert_eq!(response.status(), 422, "{url}");
    }
    assert!(bench.outbox("").await.is_empty());
}

#[tokio::test]
async fn mistakes_get_the_carriers_own_words() {
    let bench = Bench::start().await;
    let messages = format!("{}/_carriers/messagebird/messages", bench.url);
    let post = async |body: Value| {
        let request =
            bench.client.post(&messages).header("authorization", "AccessKey live_0123456789abcdefghij").json(&body);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let everything = post(json!({})).await;
    let codes: Vec<_> =
        everything["errors"].as_array().unwrap().iter().map(|e| (&e["code"], &e["parameter"])).collect();
    assert_eq!(
        codes,
        [(&json!(9), &json!("recipients")), (&json!(9), &json!("originator")), (&json!(9), &json!("body"))]
    );
    let long_name = post(json!({"originator": "twelveletter", "recipients": "31612345678", "body": "x"})).await;
    assert_eq!(
        long_name["errors"][0],
        json!({"code": 10, "description": "originator is invalid", "parameter": "originator"})
    );
    let letters = post(json!({"originator": "Tea", "recipients": ["ajf8932"], "body": "x"})).await;
    assert_eq!(letters["errors"][0]["description"], "no (correct) recipients found");
    let response = bench.client.get(format!("{}/_carriers/twilio/2010-04-01/nothing", bench.url)).send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["message"], "The requested resource /2010-04-01/nothing was not found");
}

#[tokio::test]
async fn a_person_answers_and_the_same_answer_can_be_repeated() {
    let mut bench = Bench::start().await;
    for channel in CHANNELS {
        let id = bench.integration(channel).id;
        let (status, first) =
            bench.control("reply", json!({"integrationId": id, "from": "+15550100002", "text": "Yes & 🙂"})).await;
        assert_eq!((status, &first["status"]), (StatusCode::OK, &json!(200)), "{channel}");
        let Incoming::Reply(reply) = bench.next().await else { panic!("a receipt") };
        assert_eq!(
            (reply.from.as_str(), &reply.parts[..]),
            ("+15550100002", &[ReplyPart::Text("Yes & 🙂".into())][..])
        );
        let again =
            json!({"integrationId": id, "from": "+15550100002", "text": "Yes", "externalId": first["externalId"]});
        bench.control("reply", again).await;
        let Incoming::Reply(repeated) = bench.next().await else { panic!("a receipt") };
        assert_eq!(repeated.external_id, reply.external_id);
        let media = json!({"integrationId": id, "from": "+15550100002", "message": {"text": "look", "mediaUrl": "https://m.example/1"}});
        bench.control("reply", media).await;
        let Incoming::Reply(reply) = bench.next().await else { panic!("a receipt") };
        assert!(
            matches!(&reply.parts[0], ReplyPart::Media { url, text: Some(text), .. } if url == "https://m.example/1" && text == "look")
        );
    }
    let unknown = json!({"integrationId": IntegrationId::generate(&System), "from": "+15550100002", "text": "hi"});
    assert_eq!(bench.control("reply", unknown).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn any_receipt_can_be_sent_by_hand() {
    let mut bench = Bench::start().await;
    for (channel, word, code) in [("twilio", "undelivered", 30003), ("messagebird", "delivery_failed", 6)] {
        let id = bench.send(channel, "+15550100904").await.unwrap();
        bench.next_status(&id).await;
        let (status, _) = bench.control("receipt", json!({"externalId": id, "status": word, "errorCode": code})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(failed(bench.next_status(&id).await).kind, SendErrorKind::Rejected);
    }
    let unknown = json!({"externalId": "SM0", "status": "sent"});
    assert_eq!(bench.control("receipt", unknown).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn receipts_are_tried_again_while_the_product_is_down() {
    let mut bench = Bench::start().await;
    bench.failures.store(3, std::sync::atomic::Ordering::SeqCst);
    let id = bench.send("messagebird", "+15550100002").await.unwrap();
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Delivered);
}

#[tokio::test]
async fn twilio_repeats_a_receipt_five_times_as_it_was_asked_and_then_gives_it_up() {
    let mut bench = Bench::start().await;
    let fail = |bench: &Bench, times| bench.failures.store(times, std::sync::atomic::Ordering::SeqCst);
    fail(&bench, 5);
    let id = bench.send("twilio", "+15550100002").await.unwrap();
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Delivered);
    fail(&bench, 6);
    let id = bench.send("twilio", "+15550100002").await.unwrap();
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Delivered, "the one before is lost for ever");
}

#[tokio::test]
async fn twilio_brings_a_message_to_the_fallback_once() {
    let mut bench = Bench::start().await;
    let Settings::Twilio(settings) = bench.integration("twilio").settings.clone() else { panic!() };
    let (app, id) = (bench.integration("twilio").app_id, bench.integration("twilio").id);
    let here = format!("{}/callbacks/twilio/{app}/{id}", bench.url);
    let set = async |bench: &Bench, form: &[(&str, &str)]| {
        let number = &settings.phone_number_sid;
        let path = format!("2010-04-01/Accounts/{}/IncomingPhoneNumbers/{number}.json", settings.account_sid);
        let request = bench.client.post(format!("{}/_carriers/twilio/{path}", bench.url)).form(form);
        request.basic_auth(&settings.account_sid, Some(settings.auth_token.expose())).send().await.unwrap();
    };
    let reply = json!({"integrationId": id, "from": "+15550100002", "text": "hi"});
    let tries = async |bench: &Bench| {
        bench.failures.store(100, std::sync::atomic::Ordering::SeqCst);
        let status = bench.control("reply", reply.clone()).await.0;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        100 - bench.failures.swap(0, std::sync::atomic::Ordering::SeqCst)
    };
    set(&bench, &[("SmsUrl", &here)]).await;
    assert_eq!(tries(&bench).await, 1, "nobody asked for more");
    set(&bench, &[("SmsUrl", &format!("{here}#rc=2&rp=5xx")), ("SmsFallbackUrl", &here)]).await;
    assert_eq!(tries(&bench).await, 4);
    bench.failures.store(3, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(bench.control("reply", reply.clone()).await.0, StatusCode::OK);
    assert!(matches!(bench.next().await, Incoming::Reply(_)));
    set(&bench, &[("SmsApplicationSid", "AP00000000000000000000000000000001")]).await;
    assert_eq!(bench.control("reply", reply).await.0, StatusCode::CONFLICT, "the URL is not called");
}

#[tokio::test]
async fn a_restart_loses_no_receipt_and_keeps_the_outbox() {
    let dir = tempfile::tempdir().unwrap();
    let integrations = integrations();
    let bench = Bench::start_at(Some(dir.path().into()), integrations.clone()).await;
    bench.failures.store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
    let id = bench.send("messagebird", "+15550100002").await.unwrap();
    assert_eq!(bench.state.pending(), 1);
    let mut bench = Bench::start_at(Some(dir.path().into()), integrations).await;
    assert_eq!(bench.outbox("to=15550100002").await.len(), 1);
    bench.state.resume();
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Progress);
    assert_eq!(bench.next_status(&id).await, ReceiptStatus::Delivered);
}

#[tokio::test]
async fn messages_to_a_number_go_where_it_was_pointed_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut integrations = integrations();
    let mut other = integrations[0].clone();
    other.id = IntegrationId::generate(&System);
    let mut bench = Bench::start_at(Some(dir.path().into()), integrations.clone()).await;
    let Settings::Twilio(settings) = integrations[0].settings.clone() else { panic!() };
    let point = async |bench: &Bench, url: &str| {
        let path = format!(
            "2010-04-01/Accounts/{}/IncomingPhoneNumbers/{}.json",
            settings.account_sid, settings.phone_number_sid
        );
        let request = bench.client.post(format!("{}/_carriers/twilio/{path}", bench.url)).form(&[("SmsUrl", url)]);
        let request = request.basic_auth(&settings.account_sid, Some(settings.auth_token.expose()));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["sms_url"], url);
    };
    let reply = json!({"integrationId": integrations[0].id, "from": "+15550100002", "text": "hi"});
    for elsewhere in ["", "https://elsewhere.example/hook"] {
        point(&bench, elsewhere).await;
        assert_eq!(bench.control("reply", reply.clone()).await.0, StatusCode::CONFLICT, "{elsewhere:?}");
    }
    let here = format!("{}/callbacks/twilio/{}/{}", bench.url, integrations[0].app_id, integrations[0].id);
    point(&bench, &here).await;
    assert_eq!(bench.control("reply", reply.clone()).await.0, StatusCode::OK);
    assert!(matches!(bench.next().await, Incoming::Reply(_)));

    let there = format!("{}/callbacks/twilio/{}/{}", bench.url, other.app_id, other.id);
    point(&bench, &there).await;
    integrations.push(other);
    let mut bench = Bench::start_at(Some(dir.path().into()), integrations).await;
    assert_eq!(bench.control("reply", reply).await.0, StatusCode::OK, "a restart forgets no number");
    assert!(matches!(bench.next().await, Incoming::Reply(_)));
}
