//! Files to be served, written out as Rust: each compressed, with its tag.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

pub struct File {
    path: &'static str,
    content_type: &'static str,
    content: Vec<u8>,
}

impl File {
    pub fn new(path: &'static str, content_type: &'static str, content: Vec<u8>) -> Self {
        Self { path, content_type, content }
    }

    /// Weak, since it stands for the plain and the compressed form.
    fn etag(&self) -> String {
        format!("W/\"{}\"", &hex::encode(Sha256::digest(&self.content))[..32])
    }
}

/// Writes the files, and `files.rs`, an array of what the function calls `File`.
pub fn write(files: &[File], to: &Path) -> Result<(), Box<dyn Error>> {
    let mut code = String::from("&[\n");
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or(file.path);
        let compressed = to.join(format!("{name}.gz"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&file.content)?;
        std::fs::write(&compressed, encoder.finish()?)?;
        writeln!(
            code,
            "    File {{ path: {:?}, content_type: {:?}, etag: {:?}, compressed: include_bytes!({compressed:?}) }},",
            file.path,
            file.content_type,
            file.etag(),
        )?;
    }
    code.push(']');
    std::fs::write(to.join("files.rs"), code)?;
    Ok(())
}
