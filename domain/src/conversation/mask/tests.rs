use super::*;
use crate::model::MessageWire;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn card_numbers_are_masked_however_they_are_written() {
    for (said, masked) in [
        ("Pay with 4242 4242 4242 4242.", "Pay with ************4242."),
        ("4242424242424242", "************4242"),
        ("4242-4242-4242-4242 now", "************4242 now"),
        ("4242.4242.4242.4242", "************4242"),
        ("4242\u{a0}4242\u{202f}4242\u{2009}4242", "************4242"),
        ("4242 - 4242 - 4242 - 4242", "************4242"),
        ("42 42 42 42 42 42 42 42", "************4242"),
        ("Amex 3782 822463 10005", "Amex ***********0005"),
        ("Diners 3056 930902 5904", "Diners **********5904"),
        ("4000 0000 0000 0000 006", "***************0006"),
        ("Card:5555555555554444,", "Card:************4444,"),
        ("カード４２４２４２４２４２４２４２４２", "カード************4242"),
        ("４２４２－４２４２－４２４２－４２４２", "************4242"),
    ] {
        assert_eq!(text(said), masked);
    }
}

#[test]
fn what_stands_beside_a_card_number_does_not_hide_it() {
    for (said, masked) in [
        ("4242 4242 4242 4242 12/27", "************4242 12/27"),
        ("4242 4242 4242 4242 123", "************4242 123"),
        ("order 77 4242424242424242 1", "order 77 ************4242 1"),
        ("2 x 5555 5555 5555 4444 4242 4242 4242 4242", "2 x ************4444 ************4242"),
        ("12.11.2026 - 4242.4242.4242.4242", "12.11.2026 - ************4242"),
        ("call +1 416 555 0142 4242424242424242", "call +1 416 555 0142 ************4242"),
    ] {
        assert_eq!(text(said), masked);
    }
}

#[test]
fn other_numbers_stay() {
    for same in [
        "order 4242424242424241",
        "電話 ０３－１２３４－５６７８",
        "order 20261130174212345678",
        "42424242424242421234",
        "call +1 416-555-0142",
        "+4222222222222",
        "416 555 0142 416 555 0143 416 555 0144",
        "1730000000000 1790000000123",
        "DE89 3704 0044 0532 0130 00",
        "1111 1111 1111 1117",
        "0000 0000 0000 0000",
        "12 34",
        "",
        "ünïcode 🙂 7",
    ] {
        assert_eq!(text(same), same);
    }
}

#[test]
fn a_long_row_of_digits_is_read_in_one_go() {
    let written = "4 ".repeat(50_000);
    assert_eq!(text(&written), written);
}

#[test]
fn everything_that_people_read_is_masked_and_nothing_that_machines_read() {
    let card = "4242 4242 4242 4242";
    let url = "https://shop.example/4242424242424242";
    let action = json!({"type": "postback", "text": card, "payload": card});
    let link = json!({"type": "link", "text": "Go", "uri": url});
    let item = json!({"title": card, "description": card, "mediaUrl": url, "actions": [action, link]});
    for message in [
        json!({"type": "text", "text": card, "actions": [action]}),
        json!({"type": "image", "mediaUrl": url, "text": card, "actions": [link]}),
        json!({"type": "file", "mediaUrl": url, "text": card}),
        json!({"type": "carousel", "items": [item]}),
        json!({"type": "list", "items": [item], "actions": [action], "metadata": {"card": card}}),
        json!({"type": "location", "coordinates": {"lat": 1.0, "long": 2.0}, "location": {"name": card}}),
        json!({"type": "form", "fields": [{"type": "text", "name": "card", "label": card, "text": card,
            "select": [{"name": "a", "label": card}]}]}),
    ] {
        let wire: MessageWire = serde_json::from_value(message.clone()).unwrap();
        let masked = said(Message::try_from(wire).unwrap());
        let expected = message.to_string().replace(card, "************4242");
        let expected = expected.replace("\"payload\":\"************4242\"", &format!("\"payload\":\"{card}\""));
        let expected = expected.replace("{\"card\":\"************4242\"}", &format!("{{\"card\":\"{card}\"}}"));
        let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
        assert_eq!(serde_json::to_value(MessageWire::from(&masked)).unwrap(), expected);
    }
}

/// A number that passes Luhn's check: its last digit follows from the others.
fn checked(mut digits: Vec<u32>) -> String {
    digits.push(0);
    while !passes_luhn(&digits) {
        *digits.last_mut().unwrap() += 1;
    }
    digits.iter().map(ToString::to_string).collect()
}

proptest! {
    #[test]
    fn no_text_makes_masking_panic_and_letters_stay(given in "\\PC{0,60}|[0-9 .+-]{0,60}") {
        let masked = text(&given);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        prop_assert_eq!(letters(&masked), letters(&given));
    }

    #[test]
    fn any_visa_number_is_masked_among_any_other_groups(
        account in prop::collection::vec(0..10_u32, 14),
        separator in "[ .\u{a0}\u{2009}-]",
        (before, after) in ("([0-9]{1,3} ){0,3}", "( [0-9]{1,3}){0,3}"),
    ) {
        let number = checked([vec![4], account].concat());
        let groups = [&number[..4], &number[4..8], &number[8..12], &number[12..]];
        let written = format!("{before}{}{after}", groups.join(&separator));
        let masked = text(&written);
        prop_assert!(masked.contains('*') && !masked.contains(&groups[..3].join(&separator)), "{}", masked);
    }

    #[test]
    fn what_does_not_pass_the_check_stays(digits in "[0-9]{13,19}") {
        prop_assume!(!passes_luhn(&digits.bytes().map(|digit| u32::from(digit - b'0')).collect::<Vec<_>>()));
        prop_assert_eq!(text(&digits), digits);
    }
}
