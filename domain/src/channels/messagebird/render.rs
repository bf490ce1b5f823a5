//! A message as requests to `POST /messages`.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use super::TEXT_LIMIT;
use crate::channels::fallback::{Fallback, Images, Purchases};
use crate::channels::{CarrierRequest, Outgoing, SendError, SendErrorKind, credentials, pieces};
use crate::model::MessagebirdSettings;

/// One request per piece of the text.
pub fn requests(settings: &MessagebirdSettings, outgoing: &Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError> {
    let fallback = Fallback { app_name: outgoing.app_name, images: Images::Linked, purchases: Purchases::Dropped };
    let text = fallback.text(&outgoing.message.content)?;
    let pieces = pieces(&text, TEXT_LIMIT)?;
    let report_url = (outgoing.callback_url)(pieces.len());
    pieces.iter().map(|piece| request(settings, outgoing, piece, &report_url)).collect()
}

fn request(
    settings: &MessagebirdSettings,
    outgoing: &Outgoing<'_>,
    text: &str,
    report_url: &str,
) -> Result<CarrierRequest, SendError> {
    let body = json!({
        "originator": settings.originator.digits(),
        "recipients": [outgoing.to.digits()],
        "body": text,
        "datacoding": "auto",
        // Without a reference MessageBird sends no report.
        "reference": outgoing.reference.to_string(),
        "reportUrl": report_url,
    });
    let authorization =
        credentials::header(&format!("AccessKey {}", settings.access_key.expose())).ok_or_else(|| {
            SendError::new(SendErrorKind::Misconfigured, "The integration's accessKey makes no valid header")
        })?;
    http::Request::post(format!("{}/messages", outgoing.api_url))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|_| SendError::new(SendErrorKind::Misconfigured, "MessageBird's address is not a valid URL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::conformance::{outgoing, render_text};
    use crate::channels::messagebird::fixtures;
    use serde_json::Value;

    fn rendered(wire: Value) -> Vec<CarrierRequest> {
        outgoing("+31612345678", wire, |outgoing| requests(&fixtures::settings(), outgoing)).unwrap()
    }

    #[test]
    fn a_text_is_one_json_request() {
        insta::assert_snapshot!(render_text(&rendered(json!({"type": "text", "text": "Your tea is ready"}))));
    }

    #[test]
    fn an_image_is_its_caption_and_a_link() {
        let requests = rendered(json!({"type": "image", "mediaUrl": "https://tea.example/cup.png", "text": "Look"}));
        let body: Value = serde_json::from_slice(requests[0].body()).unwrap();
        assert_eq!(body["body"], "Look\nhttps://tea.example/cup.png");
    }

    #[test]
    fn the_limit_depends_on_the_characters_used() {
        let number = |c: &str, length| rendered(json!({"type": "text", "text": c.repeat(length)})).len();
        assert_eq!((number("a", 1377), number("a", 1378)), (1, 2));
        assert_eq!((number("ж", 603), number("ж", 604)), (1, 2));
    }

    #[test]
    fn every_piece_reports_how_many_there_are() {
        for request in rendered(json!({"type": "text", "text": "Tea and cake. ".repeat(250)})) {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            assert!(body["reportUrl"].as_str().unwrap().ends_with("/3"));
        }
    }
}
