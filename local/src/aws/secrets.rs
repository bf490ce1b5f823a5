//! Secrets Manager: secrets that the template has made up, made up once and kept in the data directory, as far as reading
//! one and writing another value over it. One operation's request in JSON to its answer in JSON; HTTP is the caller's
//! business.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::lambda::template::{SecretRecipe, secret_arn};
use crate::{clock, private_files};

/// What Secrets Manager takes as a request's own name.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

/// Cloning gives another handle.
#[derive(Clone)]
pub struct Secrets {
    kept: Arc<Mutex<BTreeMap<String, Vec<Version>>>>,
    file: Option<PathBuf>,
}

/// A value that a secret has, or had: the last is the current one.
#[derive(Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    value: String,
    /// Unix seconds.
    created: f64,
}

/// An answer that is a refusal: Secrets Manager's name for it, and a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: &'static str,
    pub message: String,
}

impl Refusal {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSecretValue {
    secret_id: String,
    client_request_token: Option<String>,
    secret_string: Option<String>,
}

impl Secrets {
    /// Every secret of the stack, as `file` has it; those that it lacks are made up and kept.
    ///
    /// # Errors
    /// When the file can't be read, understood or written.
    pub fn open(recipes: &BTreeMap<String, SecretRecipe>, file: Option<PathBuf>) -> io::Result<Self> {
        let mut kept = match file.as_deref().filter(|file| file.exists()) {
            Some(file) => read(file)?,
            None => BTreeMap::new(),
        };
        for (name, recipe) in recipes {
            kept.entry(name.clone()).or_insert_with(|| vec![Version::new(Uuid::new_v4().to_string(), make(recipe))]);
        }
        write(file.as_deref(), &kept)?;
        Ok(Self { kept: Arc::new(Mutex::new(kept)), file })
    }

    /// Does one operation, such as `GetSecretValue`.
    ///
    /// # Errors
    /// Secrets Manager's own refusals.
    pub fn run(&self, operation: &str, request: Value) -> Result<Value, Refusal> {
        match operation {
            "GetSecretValue" => self.get(&parse(request)?),
            "PutSecretValue" => self.put(parse(request)?),
            other => Err(Refusal::new("UnknownOperationException", format!("{other} is not played on this machine."))),
        }
    }

    fn get(&self, request: &GetSecretValue) -> Result<Value, Refusal> {
        let kept = self.lock();
        let (name, versions) = find(&kept, &request.secret_id)?;
        let version = match (&request.version_id, request.version_stage.as_deref().unwrap_or("AWSCURRENT")) {
            (Some(id), _) => versions.iter().find(|version| version.id == *id),
            (None, "AWSCURRENT") => versions.last(),
            (None, "AWSPREVIOUS") => versions.iter().rev().nth(1),
            (None, _) => None,
        };
        let version = version.ok_or_else(|| missing("Secrets Manager can't find the specified secret value."))?;
        Ok(json!({
            "ARN": secret_arn(name),
            "Name": name,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": version.created,
        }))
    }

    fn put(&self, request: PutSecretValue) -> Result<Value, Refusal> {
        let invalid = |message: &str| Refusal::new("InvalidParameterException", message);
        let value = request.secret_string.ok_or_else(|| invalid("You must provide SecretString."))?;
        let id = request.client_request_token.unwrap_or_else(|| Uuid::new_v4().to_string());
        if !TOKEN_LENGTHS.contains(&id.len()) {
            return Err(invalid("ClientRequestToken must be 32-64 characters long."));
        }
        let mut kept = self.lock();
        let name = find(&kept, &request.secret_id)?.0.to_owned();
        let versions = kept.entry(name.clone()).or_default();
        match versions.iter().find(|version| version.id == id) {
            Some(same) if same.value == value => {}
            Some(_) => {
                let message = "You can't modify an existing version of a secret; you can only create a new one.";
                return Err(Refusal::new("ResourceExistsException", message));
            }
            None => versions.push(Version::new(id.clone(), value)),
        }
        let internal = |error: io::Error| Refusal::new("InternalServiceError", error.to_string());
        write(self.file.as_deref(), &kept).map_err(internal)?;
        Ok(json!({ "ARN": secret_arn(&name), "Name": name, "VersionId": id, "VersionStages": ["AWSCURRENT"] }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Version>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Version {
    fn new(id: String, value: String) -> Self {
        Self { id, value, created: clock::now_ms() as f64 / 1000.0 }
    }
}

/// The ARN that a request means, by name or by ARN.
pub fn secret_of(request: &Value) -> String {
    let id = request["SecretId"].as_str().unwrap_or_default();
    if id.starts_with("arn:") { id.to_owned() } else { secret_arn(id) }
}

fn parse<T: serde::de::DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|error| Refusal::new("InvalidParameterException", error.to_string()))
}

fn find<'a>(kept: &'a BTreeMap<String, Vec<Version>>, id: &str) -> Result<(&'a str, &'a [Version]), Refusal> {
    let found = kept.iter().find(|(name, _)| *name == id || secret_arn(name) == id);
    found
        .map(|(name, versions)| (name.as_str(), versions.as_slice()))
        .ok_or_else(|| missing("Secrets Manager can't find the specified secret."))
}

fn missing(message: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn read(file: &Path) -> io::Result<BTreeMap<String, Vec<Version>>> {
    /// Engines that could not write a secret kept its value alone.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Value(String),
        Versions(Vec<Version>),
    }
    let kept: BTreeMap<String, Kept> = serde_json::from_slice(&fs::read(file)?)?;
    let versions = |kept| match kept {
        Kept::Value(value) => vec![Version::new(Uuid::new_v4().to_string(), value)],
        Kept::Versions(versions) => versions,
    };
    Ok(kept.into_iter().map(|(name, kept)| (name, versions(kept))).collect())
}

fn write(file: Option<&Path>, kept: &BTreeMap<String, Vec<Version>>) -> io::Result<()> {
    match file {
        Some(file) => private_files::write(file, &serde_json::to_vec(kept)?),
        None => Ok(()),
    }
}

fn make(recipe: &SecretRecipe) -> String {
    let alphabet: Vec<char> = recipe.alphabet.chars().collect();
    (0..recipe.length).map(|_| alphabet[rand::random_range(0..alphabet.len())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipes() -> BTreeMap<String, SecretRecipe> {
        BTreeMap::from([("Key".to_owned(), SecretRecipe { length: 64, alphabet: "ab1".to_owned() })])
    }

    fn value(secrets: &Secrets) -> String {
        let answer = secrets.run("GetSecretValue", json!({ "SecretId": secret_arn("Key") })).expect("there");
        answer["SecretString"].as_str().expect("text").to_owned()
    }

    #[test]
    fn a_secret_is_made_once_and_kept_with_what_is_written_over_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets.json");
        let open = || Secrets::open(&recipes(), Some(file.clone())).expect("opened");
        let first = value(&open());
        assert_eq!(first.len(), 64);
        assert!(first.chars().all(|c| "ab1".contains(c)));
        assert_eq!(value(&open()), first);
        assert_ne!(value(&Secrets::open(&recipes(), None).expect("made")), first);
        open().run("PutSecretValue", json!({ "SecretId": "Key", "SecretString": "sesame" })).expect("written");
        assert_eq!(value(&open()), "sesame");
        fs::write(&file, r#"{"Key":"of an earlier engine"}"#).expect("written");
        assert_eq!(value(&open()), "of an earlier engine");
    }

    #[test]
    fn a_value_is_written_once_under_each_token() {
        let secrets = Secrets::open(&recipes(), None).expect("made");
        let (one, other) = ("1".repeat(36), "2".repeat(36));
        let put = |token: &str, value: &str| {
            let request = json!({ "SecretId": "Key", "ClientRequestToken": token, "SecretString": value });
            secrets.run("PutSecretValue", request).map_err(|refusal| refusal.kind)
        };
        assert_eq!(put(&one, "a").expect("written")["VersionId"], one);
        assert!(put(&one, "a").is_ok(), "a repeat is no change");
        assert_eq!(put(&one, "b"), Err("ResourceExistsException"));
        assert!(put(&other, "b").is_ok());
        assert_eq!(value(&secrets), "b");
        assert_eq!(put("short", "c"), Err("InvalidParameterException"));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let secrets = Secrets::open(&recipes(), None).expect("made");
        for (operation, request, kind) in [
            ("GetSecretValue", json!({ "SecretId": "Other" }), "ResourceNotFoundException"),
            (
                "GetSecretValue",
                json!({ "SecretId": "Key", "VersionStage": "AWSPREVIOUS" }),
                "ResourceNotFoundException",
            ),
            ("GetSecretValue", json!({ "SecretId": "Key", "VersionId": "x" }), "ResourceNotFoundException"),
            ("GetSecretValue", json!({}), "InvalidParameterException"),
            ("PutSecretValue", json!({ "SecretId": "Key" }), "InvalidParameterException"),
            ("DeleteSecret", json!({ "SecretId": "Key" }), "UnknownOperationException"),
        ] {
            assert_eq!(secrets.run(operation, request).expect_err("refused").kind, kind, "{operation}");
        }
    }
}
