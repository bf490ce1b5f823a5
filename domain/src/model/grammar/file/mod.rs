//! Files that a business uploads to show in messages: where one is kept, what it is called, how a browser may use it.
//!
//! Whoever knows a file's address may fetch it (v1.1 knows public files only), so the address holds 128 bits that
//! nobody guesses. Storing is `files`' work.

mod media_type;
mod name;

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::entropy::Entropy;
use crate::ids::{AppId, AppUserId, IntegrationId};
use crate::model::AppUser;

pub use media_type::MediaType;
pub use name::FileName;

/// A file in base64 must fit into a Lambda event and a Lambda answer of 6 MiB, with some room for the rest.
pub const FILE_LIMIT: usize = 4_500_000;

/// What tells an integration's id from a person's.
const INTEGRATION: &str = "integration-";

/// Where a file is kept, and the end of its address: `{app}/{app user, "integration-" and its id, or "app"}/{random}/{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKey {
    pub app_id: AppId,
    pub owner: FileOwner,
    token: [u8; 16],
    pub name: FileName,
}

/// With whom a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOwner {
    App,
    Person(AppUserId),
    /// Whose profile shows it.
    Integration(IntegrationId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no file's key")]
pub struct InvalidFileKey;

impl FileKey {
    /// A place that no other file has.
    pub fn generate(entropy: &impl Entropy, app_id: AppId, owner: FileOwner, name: FileName) -> Self {
        Self { app_id, owner, token: entropy.bytes(), name }
    }

    /// What the keys of all files of an app begin with, those of its people included.
    pub fn prefix_of_app(app_id: AppId) -> String {
        format!("{app_id}/")
    }

    /// What the keys of all files of a person begin with.
    pub fn prefix_of_person(app_id: AppId, person: AppUserId) -> String {
        format!("{app_id}/{person}/")
    }

    /// What the keys of all photos of an integration's profile begin with.
    pub fn prefix_of_integration(app_id: AppId, integration: IntegrationId) -> String {
        format!("{app_id}/{INTEGRATION}{integration}/")
    }

    /// The address that the file is handed out at, below the stack's own.
    pub fn url(&self, base: &str) -> String {
        format!("{base}/media/{}/{}", self.folder(), self.name.escaped())
    }

    /// What caches and players tell this file by. Under one key it never changes.
    pub fn etag(&self) -> String {
        format!("\"{}\"", hex::encode(self.token))
    }

    fn folder(&self) -> String {
        format!("{}/{}/{}", self.app_id, self.owner, hex::encode(self.token))
    }

    /// The file that a message shows, if it was uploaded for whom the message is: it ends with the message. What belongs
    /// to nobody, or to somebody else, stays.
    pub fn of_message(url: &str, app_id: AppId, person: &AppUser) -> Option<Self> {
        let is_theirs = |key: &Self| matches!(key.owner, FileOwner::Person(owner) if person.is(owner));
        Self::at(url, app_id).filter(is_theirs)
    }

    /// The file that a profile shows, if it was uploaded for this one: it ends when it is shown no more.
    pub fn of_photo(url: &str, app_id: AppId, integration: IntegrationId) -> Option<Self> {
        Self::at(url, app_id).filter(|key| key.owner == FileOwner::Integration(integration))
    }

    /// Under whatever domain.
    fn at(url: &str, app_id: AppId) -> Option<Self> {
        let (_, key) = url.rsplit_once("/media/")?;
        Self::escaped(key).filter(|key| key.app_id == app_id)
    }

    /// The key in an address made by [`FileKey::url`].
    pub fn of_url(url: &str, base: &str) -> Option<Self> {
        Self::escaped(url.strip_prefix(base)?.strip_prefix("/media/")?)
    }

    fn escaped(key: &str) -> Option<Self> {
        percent_decode_str(key).decode_utf8().ok()?.parse().ok()
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.folder(), self.name)
    }
}

impl FromStr for FileKey {
    type Err = InvalidFileKey;

    fn from_str(text: &str) -> Result<Self, InvalidFileKey> {
        let [app_id, owner, token, name] = text.split('/').collect::<Vec<_>>()[..] else { return Err(InvalidFileKey) };
        let mut bytes = [0; 16];
        hex::decode_to_slice(token, &mut bytes).map_err(|_| InvalidFileKey)?;
        let key = Self {
            app_id: app_id.parse().map_err(|_| InvalidFileKey)?,
            owner: owner.parse()?,
            token: bytes,
            name: FileName::of(name),
        };
        // One spelling only: two addresses never mean the same file.
        if key.to_string() == text { Ok(key) } else { Err(InvalidFileKey) }
    }
}

impl fmt::Display for FileOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App => f.write_str("app"),
            Self::Person(id) => write!(f, "{id}"),
            Self::Integration(id) => write!(f, "{INTEGRATION}{id}"),
        }
    }
}

impl FromStr for FileOwner {
    type Err = InvalidFileKey;

    fn from_str(text: &str) -> Result<Self, InvalidFileKey> {
        match (text, text.strip_prefix(INTEGRATION)) {
            ("app", _) => Ok(Self::App),
            (_, Some(id)) => id.parse().map(Self::Integration).map_err(|_| InvalidFileKey),
            (id, None) => id.parse().map(Self::Person).map_err(|_| InvalidFileKey),
        }
    }
}

/// What is known of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    pub media_type: MediaType,
    /// In bytes.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counter;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_found_again_in_its_address() {
        let app = AppId::generate(&Counter);
        let person = AppUserId::generate(&Counter);
        let integration = IntegrationId::generate(&Counter);
        for owner in [FileOwner::App, FileOwner::Person(person), FileOwner::Integration(integration)] {
            let key = FileKey::generate(&Counter, app, owner, FileName::of("tea.png"));
            assert!(key.to_string().starts_with(&FileKey::prefix_of_app(app)));
            let is_a_persons = key.to_string().starts_with(&FileKey::prefix_of_person(app, person));
            assert_eq!(is_a_persons, owner == FileOwner::Person(person));
            let is_a_photo = key.to_string().starts_with(&FileKey::prefix_of_integration(app, integration));
            assert_eq!(is_a_photo, owner == FileOwner::Integration(integration));
            let url = key.url("https://api.example");
            assert_eq!(FileKey::of_url(&url, "https://api.example"), Some(key.clone()));
            let named = FileKey { name: FileName::of("報告書.pdf"), ..key.clone() };
            let url_of_named = named.url("https://api.example");
            assert!(url_of_named.is_ascii() && url_of_named.ends_with("/%E5%A0%B1%E5%91%8A%E6%9B%B8.pdf"));
            assert_eq!(FileKey::of_url(&url_of_named, "https://api.example"), Some(named));
            for other in
                [url.replace("api.", "cdn."), url.replace("media", "files"), format!("{url}?x"), url.to_uppercase()]
            {
                assert_eq!(FileKey::of_url(&other, "https://api.example"), None, "{other}");
            }
            assert_ne!(FileKey::generate(&Counter, app, owner, FileName::of("tea.png")), key);
        }
    }

    #[test]
    fn a_file_ends_with_a_message_to_its_owner_only() {
        let (app, earlier, other) =
            (AppId::generate(&Counter), AppUserId::generate(&Counter), AppUserId::generate(&Counter));
        let person = AppUser { merged_users: vec![earlier], ..AppUser::new(&Counter, Timestamp::from_millis(0)) };
        let ends = |owner, app_id| {
            let url = FileKey::generate(&Counter, app, owner, FileName::of("tea.png")).url("https://api.example");
            FileKey::of_message(&url, app_id, &person).is_some()
        };
        assert!(ends(FileOwner::Person(person.id), app) && ends(FileOwner::Person(earlier), app));
        assert!(!ends(FileOwner::Person(other), app));
        assert!(!ends(FileOwner::App, app));
        assert!(!ends(FileOwner::Person(person.id), AppId::generate(&Counter)));
        assert_eq!(FileKey::of_message("https://shop.example/tea.png", app, &person), None);
    }

    #[test]
    fn a_photo_ends_with_the_profile_it_was_uploaded_for() {
        let (app, person, integration) =
            (AppId::generate(&Counter), AppUserId::generate(&Counter), IntegrationId::generate(&Counter));
        let url = |owner| FileKey::generate(&Counter, app, owner, FileName::of("tea.png")).url("https://old.example");
        let of_photo = |owner, integration| FileKey::of_photo(&url(owner), app, integration).is_some();
        assert!(of_photo(FileOwner::Integration(integration), integration));
        assert!(!of_photo(FileOwner::Integration(integration), IntegrationId::generate(&Counter)));
        assert!(!of_photo(FileOwner::App, integration) && !of_photo(FileOwner::Person(person), integration));
    }

    proptest! {
        #[test]
        fn any_claimed_name_gives_a_key_that_reads_back(claimed in "\\PC{0,200}") {
            let key = FileKey::generate(&Counter, AppId::generate(&Counter), FileOwner::App, FileName::of(&claimed));
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }

        #[test]
        fn no_text_makes_reading_a_key_panic(text in "\\PC{0,120}") {
            let _ = text.parse::<FileKey>();
        }
    }
}
