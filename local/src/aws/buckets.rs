//! S3's buckets are folders: `s3s` speaks the protocol, `s3s-fs` keeps the files. This file makes the template's buckets
//! and passes requests through. Signatures are not checked, as nowhere on this machine.

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

/// The files and their server. Cloning gives another handle.
#[derive(Clone)]
pub struct Buckets {
    service: S3Service,
    _ends_with_us: Option<Arc<TempDir>>,
}

/// Why the buckets can't be had.
#[derive(Debug, thiserror::Error)]
#[error("the buckets can't be used: {0}")]
pub struct BucketsError(String);

impl Buckets {
    /// Opens `folder`, or one that ends with the engine, and makes the buckets that aren't there yet.
    pub fn open(folder: Option<&Path>, names: &[String]) -> Result<Self, BucketsError> {
        let error = |e: &dyn std::fmt::Display| BucketsError(e.to_string());
        let (root, temporary) = match folder {
            Some(folder) => (folder.to_owned(), None),
            None => {
                let temporary = TempDir::new().map_err(|e| error(&e))?;
                (temporary.path().to_owned(), Some(Arc::new(temporary)))
            }
        };
        std::fs::create_dir_all(&root).map_err(|e| error(&e))?;
        for name in names {
            std::fs::create_dir_all(root.join(name)).map_err(|e| error(&e))?;
        }
        let files = FileSystem::new(&root).map_err(|e| BucketsError(format!("{e:?}")))?;
        Ok(Self { service: S3ServiceBuilder::new(files).build(), _ends_with_us: temporary })
    }

    /// Answers a request whose path is `/{bucket}/{key}`.
    pub async fn serve(&self, mut request: Request<Bytes>) -> Response {
        // A service without credentials of its own takes no signed requests.
        request.headers_mut().remove(header::AUTHORIZATION);
        match self.service.call(request.map(s3s::Body::from)).await {
            Ok(response) => response.map(Body::new),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
        }
    }
}
