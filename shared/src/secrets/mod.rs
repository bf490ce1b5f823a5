//! Sealing: what must not be readable in the table, in a queue's URL or at a carrier.
//!
//! AES-256-GCM under keys derived from the stack's sealing secret. The purpose and the owner are authenticated with the
//! text, so that a sealed value is worth nothing in any other place.
//!
//! The secret lies with Secrets Manager ([`kept`]) and is read once by each warm function, beside its first poll. Only a
//! value whose key's version it does not know makes it ask again: so keys are rotated without a restart.

mod kept;
mod keyring;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::config::ConfigError;

pub use kept::{KeptSecret, Reading, SecretError};
pub use keyring::{KeyVersion, Keyring, MalformedSecret, Purpose, SealingSecret, Unopenable};

/// Values of unknown versions cause no more reads than one in this time, whoever makes them up.
const BETWEEN_READS: Duration = Duration::from_secs(5);

/// Why something could not be opened or sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    #[error(transparent)]
    Unopenable(#[from] Unopenable),
    /// The value may be good.
    #[error(transparent)]
    NoKeys(#[from] SecretError),
    /// The value may be good.
    #[error("the sealed value bears an unknown version, and the keys were asked for a moment ago")]
    AskedLately,
}

/// Keys at hand. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Sealer(Arc<Known>);

struct Known {
    /// `None`: this function is not to have them.
    secret: Option<KeptSecret>,
    keys: RwLock<Option<Arc<Keyring>>>,
    /// When a value of an unknown version last had the keys read again. Held while they are read.
    asked_again: Mutex<Option<Instant>>,
}

impl Sealer {
    /// With the keys of the secret that `SEALING_SECRET_ARN` names, read when they are first needed.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::reading(KeptSecret::from_env(aws)?))
    }

    pub fn reading(secret: KeptSecret) -> Self {
        Self::of(Some(secret))
    }

    /// For whoever opens and seals nothing.
    pub fn without_keys() -> Self {
        Self::of(None)
    }

    fn of(secret: Option<KeptSecret>) -> Self {
        Self(Arc::new(Known { secret, keys: RwLock::default(), asked_again: Mutex::default() }))
    }

    /// Reads the keys before the first event needs them. Harmless when it fails.
    pub async fn warm(&self) {
        let _ = self.keys().await;
    }

    /// To seal with.
    pub async fn keys(&self) -> Result<Arc<Keyring>, SealingError> {
        if let Some(keys) = self.known() {
            return Ok(keys);
        }
        let _turn = self.0.asked_again.lock().await;
        match self.known() {
            Some(keys) => Ok(keys),
            None => self.read().await,
        }
    }

    /// What `open` comes to with the keys at hand or, where these lack the version that it meets, with those of now.
    pub async fn opening<T>(&self, open: impl Fn(&Keyring) -> Result<T, Unopenable>) -> Result<T, SealingError> {
        let keys = self.keys().await?;
        match open(&keys) {
            Err(Unopenable::UnknownVersion) => {
                let newer = self.newer_than(&keys).await?;
                Ok(open(&newer)?)
            }
            opened => Ok(opened?),
        }
    }

    /// The keys as they are now, for whoever met a version that these lack.
    pub async fn newer_than(&self, keys: &Arc<Keyring>) -> Result<Arc<Keyring>, SealingError> {
        let mut asked = self.0.asked_again.lock().await;
        match self.known() {
            Some(known) if !Arc::ptr_eq(&known, keys) => return Ok(known),
            _ if asked.is_some_and(|at| at.elapsed() < BETWEEN_READS) => return Err(SealingError::AskedLately),
            _ => {}
        }
        // Before the answer: a secret that can't be read is not asked for by each value that somebody made up.
        *asked = Some(Instant::now());
        self.read().await
    }

    fn known(&self) -> Option<Arc<Keyring>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self) -> Result<Arc<Keyring>, SealingError> {
        let secret = self.0.secret.as_ref().ok_or(SecretError::NotGiven)?;
        let keys = Arc::new(Keyring::new(&secret.read().await?.secret));
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
    use serde_json::json;

    use super::*;
    use crate::model::Secret;

    /// A secret that has these values, one after the other and the last for good; and how often it was asked for.
    fn kept<const N: usize>(values: [&SealingSecret; N]) -> (Sealer, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let values = values.map(SealingSecret::write);
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut request = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while request.read_line(&mut line).unwrap() > 2 {
                    let header = line.to_lowercase();
                    length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                    line.clear();
                }
                request.read_exact(&mut vec![0; length]).unwrap();
                let value = &values[counter.fetch_add(1, Ordering::SeqCst).min(N - 1)];
                let answer = json!({ "SecretString": value, "VersionId": "v", "CreatedDate": 1.0 }).to_string();
                let mut stream = request.into_inner();
                let size = answer.len();
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n{answer}")
                    .unwrap();
            }
        });
        let credentials = SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test"));
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .http_client(crate::http::aws().unwrap())
            .credentials_provider(credentials)
            .endpoint_url(url);
        (Sealer::reading(KeptSecret::new(&config.build(), "arn".into())), asked)
    }

    fn sealed(secret: &SealingSecret) -> String {
        Keyring::new(secret).seal(Purpose::KeySecret, "k", b"hush")
    }

    async fn open(sealer: &Sealer, sealed: &str) -> Result<Vec<u8>, SealingError> {
        sealer.opening(|keys| keys.open(Purpose::KeySecret, "k", sealed)).await
    }

    #[tokio::test]
    async fn a_value_of_a_later_key_has_the_keys_read_again_and_others_only_once_in_a_while() {
        let first = SealingSecret::new(Secret::new("first"));
        let second = first.clone().with_next(Secret::new("second")).unwrap();
        let third = second.clone().with_next(Secret::new("third")).unwrap();
        let (sealer, asked) = kept([&first, &second, &third]);
        assert_eq!(open(&sealer, &sealed(&first)).await.unwrap(), b"hush");
        assert_eq!(open(&sealer, &sealed(&second)).await.unwrap(), b"hush");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(matches!(open(&sealer, &sealed(&third)).await, Err(SealingError::AskedLately)));
        assert_eq!(open(&sealer, &sealed(&first)).await.unwrap(), b"hush");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn of_many_who_need_the_keys_at_once_one_reads_them() {
        let (sealer, asked) = kept([&SealingSecret::new(Secret::new("first"))]);
        let readings = futures::future::join_all((0..8).map(|_| sealer.keys())).await;
        assert!(readings.iter().all(Result::is_ok));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn who_is_not_given_the_keys_opens_nothing() {
        let value = sealed(&SealingSecret::new(Secret::new("first")));
        let refused = open(&Sealer::without_keys(), &value).await;
        assert!(matches!(refused, Err(SealingError::NoKeys(SecretError::NotGiven))));
    }
}
