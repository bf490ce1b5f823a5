//! `Retry-After`, as carriers and webhooks write it (RFC 9110, 10.2.3). How much of the wish is kept is for the caller's
//! schedule to say ([`super::retry`]).

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// Seconds until whoever answered wants to be asked again; of several wishes the longest. A date counts from the
/// answer's own `Date`, so that no clock is needed. What can't be read, or lies in the past, is no wish.
pub fn retry_after(headers: &HeaderMap) -> Option<u32> {
    let answered = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(date);
    let wishes = headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    wishes.filter_map(|wish| read(wish.trim(), answered)).max()
}

/// A proxy may have joined several wishes by commas; a date holds one itself.
fn read(wish: &str, answered: Option<SystemTime>) -> Option<u32> {
    let until = || whole(date(wish)?.duration_since(answered?).ok()?.as_secs_f64());
    until().or_else(|| wish.split(',').filter_map(|wish| seconds(wish.trim())).max())
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

fn seconds(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number { whole(text.parse().ok()?) } else { None }
}

/// Rounded up, and never over what can be counted: a wish over the caller's cap means the cap.
fn whole(seconds: f64) -> Option<u32> {
    Some(seconds.ceil() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const ANSWERED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

    fn wish(values: &[&str]) -> Option<u32> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static(ANSWERED));
        for value in values {
            headers.append(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds_are_read_whole_broken_and_huge() {
        assert_eq!(wish(&["7"]), Some(7));
        assert_eq!(wish(&[" 7 "]), Some(7));
        assert_eq!(wish(&["40.5"]), Some(41));
        assert_eq!(wish(&["0"]), Some(0));
        assert_eq!(wish(&["999999999999"]), Some(u32::MAX));
        assert_eq!(wish(&[&"9".repeat(400)]), Some(u32::MAX));
    }

    #[test]
    fn a_date_counts_from_the_answers_own() {
        assert_eq!(wish(&["Tue, 14 Nov 2023 22:13:50 GMT"]), Some(30));
        assert_eq!(wish(&["Tuesday, 14-Nov-23 22:13:50 GMT"]), Some(30));
        assert_eq!(wish(&["Tue, 14 Nov 2023 22:13:00 GMT"]), None, "it is past");
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Tue, 14 Nov 2023 22:13:50 GMT"));
        assert_eq!(retry_after(&headers), None, "there is nothing to count from");
    }

    #[test]
    fn of_several_wishes_the_longest_counts() {
        assert_eq!(wish(&["5", "40"]), Some(40));
        assert_eq!(wish(&["40", "soon", "Tue, 14 Nov 2023 22:13:50 GMT"]), Some(40));
        assert_eq!(wish(&["5, 40"]), Some(40));
    }

    #[test]
    fn nonsense_is_no_wish() {
        for nonsense in ["", "soon", "-1", "+1", "1e9", "inf", "NaN", ".", "1.2.3", "Tue, 99 Nov 2023"] {
            assert_eq!(wish(&[nonsense]), None, "{nonsense:?}");
        }
        assert_eq!(wish(&[]), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_reading_panic(values in prop::collection::vec("[ -~]{0,40}", 0..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let _ = wish(&values);
        }

        #[test]
        fn every_number_of_seconds_is_kept(seconds in any::<u32>()) {
            prop_assert_eq!(wish(&[&seconds.to_string()]), Some(seconds));
        }
    }
}
