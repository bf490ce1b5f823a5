//! What a webhook's requests are signed with: a secret of its own, in the form that libraries for Standard Webhooks take.
//!
//! It never travels, unlike the secret in `X-API-Key`. It can be changed while requests are under way: for a day the one
//! before it signs beside it, so that a receiver may change over in its own time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::entropy::Entropy;
use crate::model::{Secret, Timestamp};

const PREFIX: &str = "whsec_";
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
/// How many sign at once, so that headers stay short however often somebody changes them.
const MOST: usize = 5;

/// `whsec_` and the key in base64.
#[derive(Debug, Clone, PartialEq)]
pub struct SigningSecret(Secret);

impl SigningSecret {
    pub fn generate(entropy: &impl Entropy) -> Self {
        Self::of(&entropy.bytes::<32>())
    }

    /// Of a webhook that was made when its `secret` still signed: that one, in the libraries' form. It follows from what
    /// is kept, so it is the same whenever it is read, and who checks signatures already need not change anything.
    pub fn of_earlier(secret: &Secret) -> Self {
        Self::of(secret.expose().as_bytes())
    }

    /// As it was shown and sealed.
    pub fn shown(text: Secret) -> Self {
        Self(text)
    }

    pub fn as_secret(&self) -> &Secret {
        &self.0
    }

    /// What signs. Empty only for a text that was never made here.
    pub fn key(&self) -> Vec<u8> {
        let encoded = self.0.expose().trim_start_matches(PREFIX);
        STANDARD.decode(encoded).unwrap_or_default()
    }

    fn of(key: &[u8]) -> Self {
        Self(Secret::new(format!("{PREFIX}{}", STANDARD.encode(key))))
    }
}

/// The secret that signs, and those before it that still do.
#[derive(Debug, Clone, PartialEq)]
pub struct Signing {
    pub current: SigningSecret,
    /// The latest first.
    pub retiring: Vec<Retiring>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Retiring {
    pub secret: SigningSecret,
    pub until: Timestamp,
}

impl Signing {
    pub fn with(current: SigningSecret) -> Self {
        Self { current, retiring: Vec::new() }
    }

    /// With a new secret. A repeat of the request makes another one, and takes none before them away.
    pub fn rotated(self, entropy: &impl Entropy, now: Timestamp) -> Self {
        let replaced = Retiring { secret: self.current, until: now.plus_seconds(OVERLAP_SECONDS) };
        let retiring = self.retiring.into_iter().filter(|earlier| now < earlier.until);
        let retiring = std::iter::once(replaced).chain(retiring).take(MOST - 1).collect();
        Self { current: SigningSecret::generate(entropy), retiring }
    }

    /// Those that sign now, the newest first.
    pub fn valid(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        let retiring = self.retiring.iter().filter(move |earlier| now < earlier.until);
        std::iter::once(&self.current).chain(retiring.map(|earlier| &earlier.secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn a_secret_is_thirty_two_bytes_in_the_form_that_libraries_take() {
        let secret = SigningSecret::generate(&Counter);
        let encoded = secret.as_secret().expose().strip_prefix("whsec_").unwrap();
        assert_eq!((encoded.len(), STANDARD.decode(encoded).unwrap()), (44, secret.key()));
        assert_eq!(secret.key().len(), 32);
        assert_ne!(secret, SigningSecret::generate(&Counter));
        assert_eq!(SigningSecret::shown(secret.as_secret().clone()), secret);
    }

    #[test]
    fn an_earlier_webhooks_secret_signs_as_it_did() {
        let secret = Secret::new("hush");
        assert_eq!(SigningSecret::of_earlier(&secret).key(), b"hush");
        assert_eq!(SigningSecret::of_earlier(&secret), SigningSecret::of_earlier(&secret));
    }

    #[test]
    fn a_replaced_secret_signs_for_a_day_beside_the_new_one() {
        let first = Signing::with(SigningSecret::generate(&Counter));
        let second = first.clone().rotated(&Counter, NOW);
        let signs =
            |signing: &Signing, hours: i64| signing.valid(NOW.plus_seconds(hours * 3600)).cloned().collect::<Vec<_>>();
        assert_eq!(signs(&second, 0), [second.current.clone(), first.current.clone()]);
        assert_eq!(signs(&second, 23).len(), 2);
        assert_eq!(signs(&second, 24), std::slice::from_ref(&second.current));
        let third = second.clone().rotated(&Counter, NOW.plus_seconds(1));
        assert_eq!(signs(&third, 1), [third.current.clone(), second.current.clone(), first.current.clone()]);
        let late = second.clone().rotated(&Counter, NOW.plus_seconds(2 * 86_400));
        assert_eq!(late.retiring.len(), 1, "what signs no more is not kept");
        let often = (0..20).fold(first, |signing, second| signing.rotated(&Counter, NOW.plus_seconds(second)));
        assert_eq!(signs(&often, 1).len(), MOST);
    }
}
