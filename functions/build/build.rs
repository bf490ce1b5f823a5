//! What `api` serves to everybody, made at build: the API's description as one JSON document, and its viewer.
//!
//! Reads `openapi/`, `api/docs/` and the crate that carries Swagger UI. Fetches nothing.

mod description;
mod files;

use std::error::Error;
use std::io::Read;
use std::path::Path;

use files::File;

const OPENAPI: &str = "../openapi";
const PAGE: &str = "api/docs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={OPENAPI}");
    println!("cargo::rerun-if-changed={PAGE}");
    let document = description::join(Path::new(OPENAPI))?;
    let page = |name: &str| std::fs::read(Path::new(PAGE).join(name));
    let served = [
        File::new("/openapi.json", "application/json; charset=utf-8", document.to_string().into_bytes()),
        File::new("/docs", "text/html; charset=utf-8", page("index.html")?),
        File::new("/docs/start.js", "text/javascript; charset=utf-8", page("start.js")?),
        File::new("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", viewer("swagger-ui-bundle.js")?),
        File::new("/docs/swagger-ui.css", "text/css; charset=utf-8", viewer("swagger-ui.css")?),
        File::new("/docs/favicon-32x32.png", "image/png", viewer("favicon-32x32.png")?),
    ];
    let to = std::env::var("OUT_DIR")?;
    // As it is for the tests, which hold the API against it.
    std::fs::write(Path::new(&to).join("openapi.json"), document.to_string())?;
    files::write(&served, Path::new(&to))
}

/// A file of Swagger UI's distribution.
fn viewer(name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let archive = std::io::Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED);
    let mut archive = zip::ZipArchive::new(archive)?;
    let end = format!("/dist/{name}");
    let path = archive.file_names().filter_map(Result::ok).find(|path| path.ends_with(&end));
    let path = path.ok_or(format!("Swagger UI has no {name}"))?.into_owned();
    let mut content = Vec::new();
    archive.by_name(&path)?.read_to_end(&mut content)?;
    Ok(content)
}
