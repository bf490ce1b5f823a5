//! Who speaks for the business.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ApiError, check};

const NAME_LIMIT: usize = 128;

/// Shown to the person where the channel can.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Author {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

impl Author {
    /// Of the fields of a body, whose names begin with `path`. What is blank counts as not given.
    pub fn read(
        path: &str,
        name: Option<String>,
        email: Option<String>,
        avatar_url: Option<String>,
    ) -> Result<Self, ApiError> {
        let field = |name: &str| format!("{path}{name}");
        let avatar_url = check::given(avatar_url).map(|url| check::url(&field("avatarUrl"), url));
        Ok(Self {
            name: check::optional_text(&field("name"), name, NAME_LIMIT)?,
            email: check::optional_text(&field("email"), email, NAME_LIMIT)?,
            avatar_url: avatar_url.transpose()?,
        })
    }

    /// v1.1's `authorId`: a hash of the e-mail address (docs/REFERENCE.md, 3.2).
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.plain_email().unwrap_or_default())[..12])
    }

    /// The picture that is given, or else the e-mail address's at Gravatar: the standard silhouette, without one.
    pub fn picture(&self) -> String {
        let of_email = || {
            let hash = self.plain_email().map_or_else(|| "0".repeat(32), |email| hex::encode(Sha256::digest(email)));
            format!("https://www.gravatar.com/avatar/{hash}.png?s=200&d=mm")
        };
        self.avatar_url.clone().unwrap_or_else(of_email)
    }

    fn plain_email(&self) -> Option<String> {
        self.email.as_deref().map(|email| email.trim().to_lowercase())
    }
}
