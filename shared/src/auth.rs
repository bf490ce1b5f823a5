//! Who calls: HTTP Basic with key id and secret, or a JWT signed with a key (docs/REFERENCE.md, 1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::{AccountId, AppId, KeyId, ServiceAccountId};
use crate::model::{ApiError, ApiKey, App, ErrorCode, KeyOwner, Timestamp, json};
use crate::store::{Store, StoreError};

/// Bytes of the header that are read before anybody is known. Tokens of ours have a few hundred.
const HEADER_LIMIT: usize = 8_192;
/// Clock skew allowed on `exp`, in seconds.
const LEEWAY: u64 = 5;

/// What was presented, read but not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Presented {
    Basic { id: KeyId, secret: String },
    Bearer { id: KeyId, token: String },
}

/// A caller whose credentials were right, and how far they reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Account(AccountId),
    ServiceAccount {
        account: AccountId,
        id: ServiceAccountId,
    },
    App(AppId),
    /// A person, by a token that the app signed for them.
    AppUser {
        app: AppId,
        user_id: String,
    },
}

impl From<KeyOwner> for Caller {
    fn from(owner: KeyOwner) -> Self {
        match owner {
            KeyOwner::App(app) => Self::App(app),
            KeyOwner::Account(account) => Self::Account(account),
            KeyOwner::ServiceAccount { account, id } => Self::ServiceAccount { account, id },
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    Refused(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads and checks the `Authorization` header.
pub async fn authenticate(store: &Store, header: Option<&str>) -> Result<Caller, AuthError> {
    let presented = read(header)?;
    let id = match &presented {
        Presented::Basic { id, .. } | Presented::Bearer { id, .. } => id,
    };
    let key = store.api_key(id).await?.ok_or_else(wrong)?;
    Ok(check(&presented, &key)?)
}

impl Caller {
    /// The app a call is about: the one its path names, or the key's own. 403 when the key does not reach it.
    pub async fn app(&self, store: &Store, named: Option<AppId>) -> Result<AppId, AuthError> {
        match (self, named) {
            (Self::App(own) | Self::AppUser { app: own, .. }, None) => Ok(*own),
            (Self::App(own) | Self::AppUser { app: own, .. }, Some(named)) if *own == named => Ok(named),
            (Self::App(_) | Self::AppUser { .. }, Some(_)) => Err(forbidden().into()),
            (Self::Account(_) | Self::ServiceAccount { .. }, None) => {
                let problem =
                    "The path must name the app, as in /v1.1/apps/{appId}/…, for credentials of account scope";
                Err(ApiError::new(ErrorCode::Forbidden, problem).into())
            }
            (Self::Account(_) | Self::ServiceAccount { .. }, Some(named)) => match store.app(named).await? {
                Some(app) if self.owns(&app) => Ok(named),
                Some(_) => Err(forbidden().into()),
                None => Err(ApiError::missing(ErrorCode::AppNotFound).into()),
            },
        }
    }

    /// Whether it is a person, by a token of their own.
    pub fn is_person(&self) -> bool {
        matches!(self, Self::AppUser { .. })
    }

    /// Whether account credentials reach an app. A service account reaches those it is linked to.
    pub fn owns(&self, app: &App) -> bool {
        match self {
            Self::Account(account) => app.account_id == *account,
            Self::ServiceAccount { account, id } => app.account_id == *account && app.service_account_id == Some(*id),
            Self::App(_) | Self::AppUser { .. } => false,
        }
    }
}

/// A token of the key owner's own scope, without an end (docs/REFERENCE.md, 1.2).
pub fn issue_token(key: &ApiKey, now: Timestamp) -> Result<String, Unsignable> {
    let scope = match key.owner {
        KeyOwner::App(_) => "app",
        KeyOwner::Account(_) | KeyOwner::ServiceAccount { .. } => "account",
    };
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.id.to_string());
    let claims = serde_json::json!({ "scope": scope, "iat": now.seconds() });
    let secret = EncodingKey::from_secret(key.secret.expose().as_bytes());
    jsonwebtoken::encode(&header, &claims, &secret).map_err(|_| Unsignable)
}

/// A token could not be signed; no key that is stored leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token cannot be signed")]
pub struct Unsignable;

fn read(header: Option<&str>) -> Result<Presented, ApiError> {
    let header = header.ok_or_else(missing)?;
    if header.len() > HEADER_LIMIT {
        return Err(malformed());
    }
    let (scheme, rest) = header.trim().split_once(' ').ok_or_else(malformed)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest).map_err(|_| malformed())?;
        let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
        let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
        Ok(Presented::Basic { id: id.parse().map_err(|_| wrong())?, secret: secret.to_owned() })
    } else if scheme.eq_ignore_ascii_case("bearer") {
        let header = jsonwebtoken::decode_header(rest).map_err(|_| invalid_token("is malformed"))?;
        if header.alg != Algorithm::HS256 {
            return Err(invalid_token("must be signed with HS256"));
        }
        // What must be understood to believe the token (RFC 7515, 4.1.11), and a payload that is no base64 (RFC 7797).
        if header.crit.is_some() || header.extras.inner().contains_key("b64") {
            return Err(invalid_token("must not have the headers `crit` and `b64`"));
        }
        let kid = header.kid.ok_or_else(|| invalid_token("must name its key in the header `kid`"))?;
        Ok(Presented::Bearer { id: kid.parse().map_err(|_| wrong())?, token: rest.to_owned() })
    } else {
        Err(malformed())
    }
}

fn check(presented: &Presented, key: &ApiKey) -> Result<Caller, ApiError> {
    match presented {
        Presented::Basic { secret, .. } if key.secret.matches(secret) => Ok(key.owner.into()),
        Presented::Basic { .. } => Err(wrong()),
        Presented::Bearer { token, .. } => check_token(token, key),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    scope: Option<Box<RawValue>>,
    user_id: Option<Box<RawValue>>,
}

/// A claim that is a text, read as one in a body is.
fn text(claim: Option<Box<RawValue>>) -> Option<String> {
    json::value(claim?.get().as_bytes()).ok()
}

fn check_token(token: &str, key: &ApiKey) -> Result<Caller, ApiError> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.leeway = LEEWAY;
    rules.validate_aud = false;
    rules.validate_nbf = true;
    let secret = DecodingKey::from_secret(key.secret.expose().as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &secret, &rules).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::ExpiredSignature => invalid_token("has expired"),
        jsonwebtoken::errors::ErrorKind::ImmatureSignature => invalid_token("is not valid yet"),
        _ => invalid_token("is malformed or wrongly signed"),
    })?;
    let Claims { scope, user_id } = claims.claims;
    match (text(scope).as_deref(), key.owner) {
        (None, _) => Err(ApiError::new(ErrorCode::Unauthorized, "The JWT has no scope claim")),
        (Some("appUser"), KeyOwner::App(app)) => match text(user_id) {
            Some(user_id) if !user_id.is_empty() => Ok(Caller::AppUser { app, user_id }),
            _ => Err(invalid_token("of scope appUser must have a userId claim that is a string")),
        },
        (Some("app"), KeyOwner::App(_)) => Ok(key.owner.into()),
        (Some("account"), KeyOwner::Account(_) | KeyOwner::ServiceAccount { .. }) => Ok(key.owner.into()),
        (Some(_), _) => {
            Err(ApiError::new(ErrorCode::Unauthorized, "The JWT's scope does not fit the key that signed it"))
        }
    }
}

fn missing() -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, "Authorization is required")
}

fn malformed() -> ApiError {
    let problem = "Authorization must be Basic with key id and secret, or Bearer with a JWT";
    ApiError::new(ErrorCode::Unauthorized, problem)
}

/// One answer for an unknown key and for a wrong secret, so that neither tells which keys exist.
fn wrong() -> ApiError {
    ApiError::new(ErrorCode::Unauthorized, "The key id or its secret is wrong")
}

fn invalid_token(problem: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidAuth, format!("The JWT {problem}"))
}

/// The credentials are good, and not for this.
pub fn forbidden() -> ApiError {
    ApiError::new(ErrorCode::Forbidden, "The credentials do not reach this resource")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::system::System;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn key(owner: KeyOwner) -> ApiKey {
        ApiKey { id: KeyId::generate(&System, "app"), owner, name: None, secret: Secret::new("s3cret-of-the-test") }
    }

    fn token(key: &ApiKey, claims: &Value, secret: &str) -> String {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.id.to_string());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    fn refusal(token: String, key: &ApiKey) -> ErrorCode {
        read(Some(&format!("Bearer {token}"))).and_then(|presented| check(&presented, key)).unwrap_err().code
    }

    #[test]
    fn basic_takes_the_right_secret_only() {
        let key = key(KeyOwner::App(AppId::generate(&System)));
        let header = |secret: &str| format!("Basic {}", STANDARD.encode(format!("{}:{secret}", key.id)));
        let check = |secret: &str| read(Some(&header(secret))).and_then(|presented| check(&presented, &key));
        assert_eq!(check("s3cret-of-the-test").unwrap(), Caller::from(key.owner));
        for secret in ["", "s3cret", "s3cret-of-the-test "] {
            assert_eq!(check(secret).unwrap_err().code, ErrorCode::Unauthorized);
        }
    }

    #[test]
    fn a_token_needs_the_right_signature_scope_and_time() {
        let key = key(KeyOwner::App(AppId::generate(&System)));
        let good = "s3cret-of-the-test";
        let bearer = format!("Bearer {}", token(&key, &json!({ "scope": "app", "iat": 1_790_000_000 }), good));
        assert!(read(Some(&bearer)).and_then(|presented| check(&presented, &key)).is_ok());
        assert_eq!(refusal(token(&key, &json!({ "scope": "app" }), "other"), &key), ErrorCode::InvalidAuth);
        assert_eq!(refusal(token(&key, &json!({}), good), &key), ErrorCode::Unauthorized);
        assert_eq!(refusal(token(&key, &json!({ "scope": "account" }), good), &key), ErrorCode::Unauthorized);
        assert_eq!(refusal(token(&key, &json!({ "scope": "app", "exp": 1_000 }), good), &key), ErrorCode::InvalidAuth);
    }

    #[test]
    fn a_person_is_named_by_a_text_and_by_nothing_else() {
        let key = key(KeyOwner::App(AppId::generate(&System)));
        let good = "s3cret-of-the-test";
        let bob = format!("Bearer {}", token(&key, &json!({ "scope": "appUser", "userId": "bob" }), good));
        let caller = read(Some(&bob)).and_then(|presented| check(&presented, &key)).unwrap();
        assert!(matches!(caller, Caller::AppUser { user_id, .. } if user_id == "bob"));
        for claims in [json!({ "scope": "appUser" }), json!({ "scope": "appUser", "userId": 7 })] {
            assert_eq!(refusal(token(&key, &claims, good), &key), ErrorCode::InvalidAuth);
        }
    }

    #[test]
    fn a_token_of_ours_is_taken() {
        for owner in [KeyOwner::App(AppId::generate(&System)), KeyOwner::Account(AccountId::generate(&System))] {
            let key = key(owner);
            let bearer = format!("Bearer {}", issue_token(&key, Timestamp::from_millis(0)).unwrap());
            assert_eq!(read(Some(&bearer)).and_then(|presented| check(&presented, &key)), Ok(owner.into()));
        }
    }

    #[test]
    fn an_account_key_signs_for_the_account() {
        let key = key(KeyOwner::Account(AccountId::generate(&System)));
        let bearer = format!("Bearer {}", token(&key, &json!({ "scope": "account" }), "s3cret-of-the-test"));
        assert!(read(Some(&bearer)).and_then(|presented| check(&presented, &key)).is_ok());
        assert_eq!(
            refusal(token(&key, &json!({ "scope": "app" }), "s3cret-of-the-test"), &key),
            ErrorCode::Unauthorized
        );
    }

    #[test]
    fn what_must_be_understood_and_is_not_makes_no_credential() {
        let key = key(KeyOwner::App(AppId::generate(&System)));
        let secret = EncodingKey::from_secret(b"s3cret-of-the-test");
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.id.to_string());
        let signed = |header: &Header| jsonwebtoken::encode(header, &json!({ "scope": "app" }), &secret).unwrap();
        let told = |token: &str| read(Some(&format!("Bearer {token}"))).and_then(|presented| check(&presented, &key));
        assert!(told(&signed(&header)).is_ok());
        for crit in [vec![], vec!["exp".to_owned()], vec!["https://a.example/x".to_owned()]] {
            let header = Header { crit: Some(crit), ..header.clone() };
            assert_eq!(told(&signed(&header)).unwrap_err().code, ErrorCode::InvalidAuth);
        }
        header.extras.insert("b64", false);
        assert_eq!(told(&signed(&header)).unwrap_err().code, ErrorCode::InvalidAuth);
    }

    #[test]
    fn half_a_character_in_a_name_is_read_as_in_a_body() {
        let key = key(KeyOwner::App(AppId::generate(&System)));
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "kid": key.id.to_string() }).to_string());
        let claims = URL_SAFE_NO_PAD.encode(r#"{"scope":"appUser","userId":"caf\ud83d"}"#);
        let signed = format!("{header}.{claims}");
        let secret = EncodingKey::from_secret(b"s3cret-of-the-test");
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Algorithm::HS256).unwrap();
        let bearer = format!("Bearer {signed}.{signature}");
        let caller = read(Some(&bearer)).and_then(|presented| check(&presented, &key)).unwrap();
        assert!(matches!(caller, Caller::AppUser { user_id, .. } if user_id == "caf\u{fffd}"));
    }

    #[test]
    fn unsigned_and_strangely_signed_tokens_are_refused() {
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZSI6ImFwcCJ9.";
        assert_eq!(read(Some(&format!("Bearer {unsigned}"))).unwrap_err().code, ErrorCode::InvalidAuth);
        assert_eq!(read(None).unwrap_err().description, "Authorization is required");
    }

    proptest! {
        #[test]
        fn no_header_makes_reading_panic(header in "\\PC{0,200}") {
            let _ = read(Some(&header));
            let _ = read(Some(&format!("Basic {header}")));
            let _ = read(Some(&format!("Bearer {header}")));
        }
    }
}
