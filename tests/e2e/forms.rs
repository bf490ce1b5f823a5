//! Multipart bodies, and what the bucket holds.

use crate::world::World;

/// The `Content-Type` of what [`form`] makes.
pub const FORM: &str = "multipart/form-data; boundary=b";

/// A body with a file in the part `source`, after fields.
pub fn form(fields: &[(&str, &str)], name: &str, media_type: &str, content: &[u8]) -> Vec<u8> {
    let field = |(name, text): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"source\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
    );
    let fields: String = fields.iter().map(field).collect();
    [fields.as_bytes(), head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
}

impl World {
    /// The keys of all files that are kept.
    pub async fn files(&self) -> Vec<String> {
        let listed = self.http(reqwest::Method::GET, "/_s3/test/mediabucket?list-type=2").send().await.unwrap();
        assert_eq!(listed.status(), 200);
        let xml = listed.text().await.unwrap();
        xml.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
    }
}
