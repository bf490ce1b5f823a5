//! Secrets Manager's part: secrets that the template has made up, made up once and kept in the data directory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::lambda::template::SecretRecipe;
use crate::private_files;

/// The value of every secret by name, as kept in `file`; new ones are made and kept.
///
/// # Errors
/// When the file can't be read, understood or written.
pub fn load(recipes: &BTreeMap<String, SecretRecipe>, file: Option<&Path>) -> io::Result<BTreeMap<String, String>> {
    let mut secrets: BTreeMap<String, String> = match file.filter(|file| file.exists()) {
        Some(file) => serde_json::from_slice(&fs::read(file)?)?,
        None => BTreeMap::new(),
    };
    let known = secrets.len();
    for (name, recipe) in recipes {
        secrets.entry(name.clone()).or_insert_with(|| make(recipe));
    }
    if let Some(file) = file.filter(|_| secrets.len() > known) {
        private_files::write(file, &serde_json::to_vec(&secrets)?)?;
    }
    Ok(secrets)
}

fn make(recipe: &SecretRecipe) -> String {
    let alphabet: Vec<char> = recipe.alphabet.chars().collect();
    (0..recipe.length).map(|_| alphabet[rand::random_range(0..alphabet.len())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets.json");
        let recipes = BTreeMap::from([("Key".to_owned(), SecretRecipe { length: 64, alphabet: "ab1".to_owned() })]);
        let first = load(&recipes, Some(&file)).expect("made");
        assert_eq!(first["Key"].len(), 64);
        assert!(first["Key"].chars().all(|c| "ab1".contains(c)));
        assert_eq!(load(&recipes, Some(&file)).expect("kept"), first);
        assert_ne!(load(&recipes, None).expect("made"), first);
    }
}
