//! Reading a form that brings a file: a multipart body.
//!
//! API Gateway hands over the whole body at once, in base64 and however it was sent, so nothing is streamed here.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use futures::stream;
use lambda_http::http::header::{CONTENT_TYPE, HeaderMap};
use lambda_http::{Request, http};
use multer::{Constraints, Field, Multipart, SizeLimit};

use super::body;
use super::disposition;
use crate::model::{ApiError, ErrorCode, FILE_LIMIT, FileName, MediaType};

/// The part that holds the file.
const PART: &str = "source";

/// A file that somebody sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    pub name: FileName,
    pub media_type: MediaType,
    pub bytes: Bytes,
}

/// A file, and what was sent along with it. Of fields with one name the last counts, as in JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub file: Upload,
    pub fields: BTreeMap<String, String>,
}

/// The file in the part `source` of the body; other parts are let go.
///
/// # Errors
/// 400, 413 or 415.
pub async fn upload(request: &Request) -> Result<Upload, ApiError> {
    Ok(form(request).await?.file)
}

/// The whole form: the file in the part `source`, and fields that are no larger than a JSON body may be.
///
/// # Errors
/// 400, 413 or 415.
pub async fn form(request: &Request) -> Result<Form, ApiError> {
    body::uncompressed(request)?;
    let mut form = Multipart::with_constraints(
        stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(request.body().as_ref()))]),
        boundary(request)?,
        Constraints::new().size_limit(SizeLimit::new().for_field(PART, FILE_LIMIT as u64)),
    );
    let (mut file, mut fields, mut room) = (None, BTreeMap::new(), body::LIMIT);
    while let Some(part) = form.next_field().await.map_err(refused)? {
        let name = disposition::name(part.headers());
        if name.as_deref() != Some(PART) {
            let text = part.text().await.map_err(refused)?;
            room = room.checked_sub(text.len()).ok_or_else(crowded)?;
            fields.extend(name.map(|name| (name, text)));
        } else if file.is_none() {
            file = Some(upload_in(part).await?);
        } else {
            return Err(ApiError::field(PART, "must be there once"));
        }
    }
    let missing = || ApiError::field(PART, "is required: a part of the body that holds the file");
    Ok(Form { file: file.ok_or_else(missing)?, fields })
}

impl Upload {
    /// The same, if it says that it is a picture.
    pub fn picture(self) -> Result<Self, ApiError> {
        if self.media_type.is_picture() {
            Ok(self)
        } else {
            Err(ApiError::field(
                PART,
                "must be a picture: its part must have a Content-Type such as image/png, or a name such as tea.png",
            ))
        }
    }
}

async fn upload_in(part: Field<'_>) -> Result<Upload, ApiError> {
    let Some(name) = disposition::file_name(part.headers()).as_deref().map(FileName::of) else {
        return Err(ApiError::field(PART, "must be a file: its part must have a filename"));
    };
    let said = part.headers().get(CONTENT_TYPE).map(|said| MediaType::parse(&String::from_utf8_lossy(said.as_bytes())));
    // What a client doesn't say, the name does. Some call every file any bytes.
    let said = said.filter(|said| !said.is_any_bytes()).or_else(|| MediaType::of_name(name.as_str()));
    let media_type = said.unwrap_or_else(|| MediaType::of(None));
    let encoding = Encoding::of(part.headers())?;
    let bytes = encoding.decoded(part.bytes().await.map_err(refused)?)?;
    if bytes.is_empty() {
        return Err(ApiError::field(PART, "must not be empty"));
    }
    if bytes.len() > FILE_LIMIT {
        return Err(too_large());
    }
    Ok(Upload { name, media_type, bytes })
}

/// How a part's bytes are written (`Content-Transfer-Encoding`). Nobody should write it any more (RFC 7578, 4.7), and
/// libraries for e-mail still do.
enum Encoding {
    Plain,
    Base64,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let named = headers.get("content-transfer-encoding").map(|value| value.as_bytes().trim_ascii());
        match named.unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"" | b"7bit" | b"8bit" | b"binary" => Ok(Self::Plain),
            b"base64" => Ok(Self::Base64),
            _ => Err(ApiError::field(PART, "must be written as it is, or in base64 (Content-Transfer-Encoding)")),
        }
    }

    fn decoded(&self, bytes: Bytes) -> Result<Bytes, ApiError> {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        match self {
            Self::Plain => Ok(bytes),
            Self::Base64 => {
                // Lines of 76 characters, as in an e-mail.
                let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                let malformed = |_| ApiError::field(PART, "must be base64, as its Content-Transfer-Encoding says");
                STANDARD.decode(text).map(Bytes::from).map_err(malformed)
            }
        }
    }
}

fn boundary(request: &Request) -> Result<String, ApiError> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    multer::parse_boundary(content_type.unwrap_or_default()).map_err(|error| match error {
        multer::Error::NoBoundary => ApiError::field("Content-Type", "must name the boundary of the parts"),
        _ => ApiError::new(ErrorCode::UnsupportedMediaType, "Content-Type must be multipart/form-data"),
    })
}

fn crowded() -> ApiError {
    let problem = format!("The fields beside {PART} must have at most {} bytes", body::LIMIT);
    ApiError::new(ErrorCode::RequestEntityTooLarge, problem)
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::RequestEntityTooLarge, format!("{PART} must have at most {FILE_LIMIT} bytes"))
}

fn refused(error: multer::Error) -> ApiError {
    match error {
        multer::Error::FieldSizeExceeded { .. } => too_large(),
        _ => ApiError::new(ErrorCode::BadRequest, "The body must be complete and well-formed multipart/form-data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use proptest::prelude::*;

    fn request(content_type: Option<&str>, body: &[u8]) -> Request {
        let mut request = Request::new(Body::Binary(body.to_vec()));
        if let Some(content_type) = content_type {
            request.headers_mut().insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        request
    }

    async fn read(content_type: Option<&str>, body: &[u8]) -> Result<Upload, ApiError> {
        upload(&request(content_type, body)).await
    }

    fn part(headers: &str, content: &[u8]) -> Vec<u8> {
        [b"--b\r\ncontent-disposition: form-data; ", headers.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat()
    }

    const FORM: Option<&str> = Some("multipart/form-data; boundary=b");

    #[tokio::test]
    async fn the_file_is_found_among_other_parts() {
        let other = part("name=\"role\"", b"appMaker");
        let file = part("name=\"source\"; filename=\"a tea.png\"\r\ncontent-type: image/png", b"\x89PNG\r\n--");
        let upload = read(FORM, &[other, file, b"--b--\r\n".to_vec()].concat()).await.unwrap();
        assert_eq!((upload.name.as_str(), upload.media_type.as_str()), ("a-tea.png", "image/png"));
        assert_eq!(&upload.bytes[..], b"\x89PNG\r\n--");
    }

    #[tokio::test]
    async fn a_part_without_a_type_is_what_its_name_says() {
        for (headers, kind) in [
            ("name=\"source\"; filename=\"TEA.PNG\"", "image/png"),
            ("name=\"source\"; filename=\"tea\"", "application/octet-stream"),
            ("name=\"source\"; filename=\"tea.png\"\r\ncontent-type: application/pdf", "application/pdf"),
            ("name=\"source\"; filename=\"tea.png\"\r\ncontent-type: application/octet-stream", "image/png"),
            ("name=\"source\"; filename=\"tea.png\"\r\ncontent-type: nonsense", "image/png"),
            ("name=\"source\"; filename=\"tea\"\r\ncontent-type: nonsense", "application/octet-stream"),
        ] {
            let upload = read(FORM, &[part(headers, b"x"), b"--b--\r\n".to_vec()].concat()).await.unwrap();
            assert_eq!(upload.media_type.as_str(), kind, "{headers}");
        }
    }

    #[tokio::test]
    async fn a_name_is_read_in_whatever_way_it_is_written() {
        let named = async |headers: &[u8]| {
            let head = [b"--b\r\ncontent-disposition: form-data; ", headers, b"\r\n\r\nx\r\n--b--\r\n"].concat();
            read(FORM, &head).await.unwrap().name.as_str().to_owned()
        };
        assert_eq!(named("name=\"source\"; filename=\"報告書.pdf\"".as_bytes()).await, "報告書.pdf");
        assert_eq!(named(b"name=\"source\"; filename*=UTF-8''%E5%A0%B1.pdf").await, "報.pdf");
        assert_eq!(named(b"filename*=utf-8'en'%E5%A0%B1.pdf; filename=\"x.pdf\"; name=source").await, "報.pdf");
        assert_eq!(named(b"name=\"source\"; filename=\"Gr\xfcn.pdf\"").await, "Grün.pdf");
    }

    #[tokio::test]
    async fn a_part_in_base64_is_kept_as_what_it_says() {
        let written = async |encoding: &str, content: &[u8]| {
            let headers = format!("name=\"source\"; filename=\"a\"\r\nContent-Transfer-Encoding: {encoding}");
            let read = read(FORM, &[part(&headers, content), b"--b--\r\n".to_vec()].concat()).await;
            read.map(|upload| upload.bytes).map_err(|error| error.description)
        };
        assert_eq!(written("Base64", b"iVBO\r\nRw==\r\n").await.unwrap(), &b"\x89PNG"[..]);
        assert_eq!(written("binary", b"iVBORw==").await.unwrap(), &b"iVBORw=="[..]);
        for (encoding, content) in [("base64", "[object]"), ("quoted-printable", "=20"), ("base64", "")] {
            assert!(written(encoding, content.as_bytes()).await.unwrap_err().starts_with("source must"), "{encoding}");
        }
    }

    #[tokio::test]
    async fn fields_are_read_beside_the_file_and_the_last_of_a_name_counts() {
        let file = part("name=\"source\"; filename=\"tea.png\"\r\ncontent-type: image/png", b"x");
        let fields = [("role", "appUser"), ("text", "Gr\u{fc}n"), ("role", "appMaker")];
        let fields = fields.map(|(name, text)| part(&format!("name=\"{name}\""), text.as_bytes()));
        let body = [fields.concat(), file, b"--b--\r\n".to_vec()].concat();
        let form = form(&request(FORM, &body)).await.unwrap();
        let expected = [("role", "appMaker"), ("text", "Gr\u{fc}n")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(form.fields, expected.into());
        assert_eq!(form.file.picture().unwrap().name.as_str(), "tea.png");
    }

    #[tokio::test]
    async fn fields_have_the_room_that_a_json_body_has() {
        let file = part("name=\"source\"; filename=\"a\"", b"x");
        let sized = |length: usize| {
            let half = vec![b'x'; length / 2];
            let fields = [part("name=\"a\"", &half), part("name=\"b\"", &half)].concat();
            [file.clone(), fields, b"--b--\r\n".to_vec()].concat()
        };
        assert!(read(FORM, &sized(body::LIMIT)).await.is_ok());
        let error = read(FORM, &sized(body::LIMIT + 2)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RequestEntityTooLarge);
    }

    #[tokio::test]
    async fn what_does_not_say_that_it_is_a_picture_is_none() {
        for (kind, is_one) in [("image/png", true), ("IMAGE/SVG+XML", true), ("text/html", false), ("nonsense", false)]
        {
            let file = part(&format!("name=\"source\"; filename=\"a\"\r\ncontent-type: {kind}"), b"x");
            let upload = read(FORM, &[file, b"--b--\r\n".to_vec()].concat()).await.unwrap();
            assert_eq!(upload.picture().is_ok(), is_one, "{kind}");
        }
    }

    #[tokio::test]
    async fn what_is_no_upload_is_refused_with_the_reason() {
        let good = "name=\"source\"; filename=\"a\"";
        let whole = |part: Vec<u8>| [part, b"--b--\r\n".to_vec()].concat();
        let cases: [(Option<&str>, Vec<u8>, u16, &str); 11] = [
            (None, b"[object FormData]".to_vec(), 415, "Content-Type"),
            (Some("application/json"), b"{}".to_vec(), 415, "Content-Type"),
            (Some("multipart/mixed; boundary=b"), whole(part(good, b"x")), 415, "Content-Type"),
            (Some("multipart/form-data"), whole(part(good, b"x")), 400, "Content-Type"),
            (FORM, b"[object FormData]".to_vec(), 400, "body"),
            (FORM, Vec::new(), 400, "body"),
            (FORM, part(good, b"x"), 400, "body"),
            (FORM, whole(part("name=\"file\"; filename=\"a\"", b"x")), 400, "source is required"),
            (FORM, whole(part("name=\"source\"", b"x")), 400, "source must be a file"),
            (FORM, whole(part(good, b"")), 400, "source must not be empty"),
            (FORM, whole(part(good, b"x").repeat(2)), 400, "source must be there once"),
        ];
        for (content_type, body, status, names) in cases {
            let error = read(content_type, &body).await.unwrap_err();
            assert_eq!(error.code.status(), status, "{error}");
            assert!(error.description.contains(names), "{error}");
        }
    }

    #[tokio::test]
    async fn the_largest_file_passes_and_one_byte_more_does_not() {
        let sized =
            |length| [part("name=\"source\"; filename=\"a\"", &vec![7; length]), b"--b--\r\n".to_vec()].concat();
        assert_eq!(read(FORM, &sized(FILE_LIMIT)).await.unwrap().bytes.len(), FILE_LIMIT);
        let error = read(FORM, &sized(FILE_LIMIT + 1)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RequestEntityTooLarge);
    }

    proptest! {
        #[test]
        fn no_body_makes_reading_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let body = [b"--b\r\n".to_vec(), body, b"\r\n--b--\r\n".to_vec()].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read(FORM, &body));
        }
    }
}
