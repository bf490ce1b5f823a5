//! A message as requests to `POST …/Messages.json`.

use http::header::{AUTHORIZATION, CONTENT_TYPE};

use super::{ASKING_TO_REPEAT, TEXT_LIMIT};
use crate::channels::fallback::{Fallback, Images, Purchases};
use crate::channels::{CarrierRequest, Outgoing, SendError, SendErrorKind, credentials, pieces};
use crate::model::{Address, Content, TwilioSettings, uri};

/// One request per piece of the text; an image goes with the first.
pub fn requests(settings: &TwilioSettings, outgoing: &Outgoing<'_>) -> Result<Vec<CarrierRequest>, SendError> {
    let image = attachment(settings, outgoing);
    let images = if image.is_some() { Images::Attached } else { Images::Linked };
    let fallback = Fallback { app_name: outgoing.app_name, images, purchases: Purchases::Labelled };
    let text = fallback.text(&outgoing.message.content)?;
    let mut pieces = pieces(&text, TEXT_LIMIT)?;
    if pieces.is_empty() {
        pieces.push("");
    }
    let callback_url = (outgoing.callback_url)(pieces.len()) + ASKING_TO_REPEAT;
    let media = std::iter::once(image).chain(std::iter::repeat(None));
    pieces.iter().zip(media).map(|(piece, image)| request(settings, outgoing, piece, image, &callback_url)).collect()
}

fn request(
    settings: &TwilioSettings,
    outgoing: &Outgoing<'_>,
    text: &str,
    image: Option<&str>,
    callback_url: &str,
) -> Result<CarrierRequest, SendError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", outgoing.to.as_str());
    match &settings.messaging_service_sid {
        Some(service) => form.append_pair("MessagingServiceSid", service),
        None => form.append_pair("From", settings.phone_number.as_str()),
    };
    if !text.is_empty() {
        form.append_pair("Body", text);
    }
    if let Some(url) = image {
        form.append_pair("MediaUrl", &uri::legal(url));
    }
    form.append_pair("StatusCallback", callback_url);
    let account = &settings.account_sid;
    let authorization = credentials::basic(account, settings.auth_token.expose()).ok_or_else(|| {
        SendError::new(SendErrorKind::Misconfigured, "The integration's credentials make no valid header")
    })?;
    http::Request::post(format!("{}/2010-04-01/Accounts/{account}/Messages.json", outgoing.api_url))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish().into_bytes())
        .map_err(|_| SendError::new(SendErrorKind::Misconfigured, "The integration's accountSid makes no valid URL"))
}

/// The image's URL, where MMS can carry it.
fn attachment<'a>(settings: &TwilioSettings, outgoing: &Outgoing<'a>) -> Option<&'a str> {
    let Content::Image { media, .. } = &outgoing.message.content else { return None };
    let sender_can = settings.messaging_service_sid.is_some() || sends_mms(&settings.phone_number);
    (sender_can && receives_mms(outgoing.to)).then_some(media.url.as_str())
}

/// Twilio's MMS knows numbers of the United States and Canada, and their short codes.
fn sends_mms(sender: &Address) -> bool {
    let is_short_code = sender.as_str().bytes().all(|byte| byte.is_ascii_digit());
    is_short_code || receives_mms(sender)
}

/// Area codes of the North American plan that lie in neither country: the Caribbean, Bermuda and the territories, which
/// MMS doesn't reach. Kept here because phone number metadata would double what a sender loads.
const NOT_MAINLAND: [&str; 27] = [
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670", "671", "684", "721",
    "758", "767", "784", "787", "809", "829", "849", "868", "869", "876", "939",
];

/// A `+1` number in use nowhere gets the benefit of the doubt: Twilio will say what is wrong with it.
fn receives_mms(address: &Address) -> bool {
    let national = address.as_str().strip_prefix("+1").filter(|national| national.len() == 10);
    national.is_some_and(|national| !NOT_MAINLAND.contains(&&national[..3]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::conformance::{outgoing, render_text};
    use crate::channels::twilio::{Twilio, fixtures};

    fn rendered(wire: serde_json::Value) -> Vec<CarrierRequest> {
        outgoing("+15550100002", wire, |outgoing| requests(&fixtures::settings(), outgoing)).unwrap()
    }

    fn fields(request: &CarrierRequest) -> Vec<(String, String)> {
        form_urlencoded::parse(request.body()).into_owned().collect()
    }

    #[test]
    fn a_text_is_one_form_to_the_accounts_messages() {
        insta::assert_snapshot!(render_text(&rendered(
            serde_json::json!({"type": "text", "text": "Your tea is ready"})
        )));
    }

    #[test]
    fn an_image_goes_as_mms_with_its_caption_as_text() {
        let image = serde_json::json!({"type": "image", "mediaUrl": "https://tea.example/cup.png", "text": "Look"});
        insta::assert_snapshot!(render_text(&rendered(image)));
        let bare = rendered(serde_json::json!({"type": "image", "mediaUrl": "https://tea.example/cup.png"}));
        assert!(fields(&bare[0]).iter().all(|(name, _)| name != "Body"));
    }

    #[test]
    fn the_url_of_an_image_is_legal_however_it_was_written() {
        let image = serde_json::json!({"type": "image", "mediaUrl": "https://tée.example/my cup (1).png\n"});
        let media = ("MediaUrl".to_owned(), "https://xn--te-bja.example/my%20cup%20%281%29.png".to_owned());
        assert!(fields(&rendered(image)[0]).contains(&media));
    }

    #[test]
    fn where_mms_does_not_reach_an_image_is_a_link() {
        let image = serde_json::json!({"type": "image", "mediaUrl": "https://tea.example/cup.png"});
        for (to, attached) in [("+14165550142", true), ("+18765550142", false), ("+31612345678", false)] {
            let requests = outgoing(to, image.clone(), |outgoing| requests(&fixtures::settings(), outgoing)).unwrap();
            assert_eq!(fields(&requests[0]).iter().any(|(name, _)| name == "MediaUrl"), attached, "{to}");
        }
        let dutch = TwilioSettings { phone_number: Address::e164("+31970000001").unwrap(), ..fixtures::settings() };
        let requests = outgoing("+14165550142", image, |outgoing| requests(&dutch, outgoing)).unwrap();
        assert!(fields(&requests[0]).iter().all(|(name, _)| name != "MediaUrl"));
    }

    #[test]
    fn a_messaging_service_takes_the_place_of_the_number() {
        let settings = TwilioSettings { messaging_service_sid: Some("MG1".into()), ..fixtures::settings() };
        let text = serde_json::json!({"type": "text", "text": "Hi"});
        let requests = outgoing("+15550100002", text, |outgoing| requests(&settings, outgoing)).unwrap();
        let names: Vec<_> = fields(&requests[0]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["To", "MessagingServiceSid", "Body", "StatusCallback"]);
    }

    #[test]
    fn a_long_text_becomes_several_requests_that_know_their_number() {
        let text = "Tea and cake. ".repeat(250);
        let requests = rendered(serde_json::json!({"type": "text", "text": text}));
        assert_eq!(requests.len(), 3);
        for request in &requests {
            let fields = fields(request);
            let value =
                |name: &str| fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()).unwrap();
            assert!(value("Body").chars().count() <= 1600);
            assert!(value("StatusCallback").ends_with("/3#rc=5&rp=all"));
        }
    }

    #[test]
    fn a_message_of_more_than_ten_requests_is_refused_whole() {
        let carousel = |items: usize| {
            let uri = format!("https://shop.example/{}", "x".repeat(2_000));
            let action = serde_json::json!({"type": "link", "text": "Order", "uri": uri});
            serde_json::json!({"type": "carousel", "items": vec![serde_json::json!({"title": "Tea", "actions": [action]}); items]})
        };
        assert!((2..=10).contains(&rendered(carousel(4)).len()));
        let failure =
            outgoing("+15550100002", carousel(6), |outgoing| requests(&fixtures::settings(), outgoing)).unwrap_err();
        assert_eq!(failure.kind, SendErrorKind::Invalid);
        assert!(failure.reason.starts_with("The message is too long"), "{}", failure.reason);
    }

    #[test]
    fn settings_that_make_no_request_are_misconfigured() {
        let settings = TwilioSettings { account_sid: "A C\n".into(), ..fixtures::settings() };
        let text = serde_json::json!({"type": "text", "text": "Hi"});
        let failure = outgoing("+15550100002", text, |outgoing| requests(&settings, outgoing)).unwrap_err();
        assert_eq!(failure.kind, SendErrorKind::Misconfigured);
    }

    #[test]
    fn destinations_are_read_in_international_form() {
        use crate::channels::Channel;
        assert_eq!(Twilio::address("+1 (416) 555-0142").unwrap().as_str(), "+14165550142");
        assert!(Twilio::address("416-555-0142").is_err());
    }
}
