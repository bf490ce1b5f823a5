//! What a newcomer sees first, with everything needed for a first notification.

use local::outside::seed::Ready;

/// An address whose notifications are delivered; the documentation lists the others.
const SOMEBODY: &str = "+15145550142";

/// The banner; short where there is no demo app.
pub fn text(url: &str, ready: Option<&Ready>) -> String {
    let Some(ready) = ready else { return format!("\n  The engine runs.\n\n  API  {url}\n\n") };
    let body = format!(
        r#"{{"destination": {{"integrationId": "{}", "destinationId": "{SOMEBODY}"}}, "author": {{"role": "appMaker"}}, "message": {{"type": "text", "text": "Your tea is ready"}}}}"#,
        ready.integrations.values().next().map(ToString::to_string).unwrap_or_default()
    );
    format!(
        "
  Heliograph runs. Ctrl-C ends it.

  API      {api}  (described, with examples to send, at {api}/docs)
  Console  {console}
  App      {app}
  Key      {key}
  Secret   {secret}

  A first notification:

  curl {api}/v1.1/apps/{app}/notifications -u {key}:{secret} \\
    -H 'content-type: application/json' \\
    -d '{body}'

",
        api = ready.api_url,
        console = ready.console_url,
        app = ready.app_id,
        key = ready.key_id,
        secret = ready.secret,
    )
}
