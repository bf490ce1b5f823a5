//! Files in S3: kept, read and deleted by their keys.
//!
//! What may be kept, and under which key, is decided elsewhere. Only functions that deal with files link this module's
//! SDK.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bytes::Bytes;

use crate::config::{self, ConfigError};
use crate::ids::{AppId, AppUserId, IntegrationId};
use crate::model::{FileFacts, FileKey, MediaType};
use crate::store::error_code;

/// How long a file may take to arrive once it has begun to.
const READ_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("S3 {operation} failed: {code}")]
    Aws { operation: &'static str, code: String },
    #[error("a file ended in the middle")]
    Incomplete,
    #[error("S3 refused to delete a file: {0}")]
    Undeleted(String),
}

/// A file as it is handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    pub media_type: MediaType,
    pub bytes: Bytes,
}

/// Made at its first use: to most events of most functions files are no matter.
type Lazy = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// The bucket. Clone is cheap.
#[derive(Clone)]
pub struct Files {
    client: Arc<Lazy>,
    bucket: String,
}

impl Files {
    /// From `MEDIA_BUCKET`.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, config::text("MEDIA_BUCKET")?))
    }

    pub fn new(aws: &aws_config::SdkConfig, bucket: String) -> Self {
        // S3 itself is called by a host name of the bucket's own; what stands in for it has one name for all buckets.
        let stand_in = aws.endpoint_url().is_some() || config::text("AWS_ENDPOINT_URL_S3").is_ok();
        let config = Builder::from(aws).force_path_style(stand_in).timeout_config(crate::aws::time_outs_for_files());
        let client: Lazy = LazyLock::new(Box::new(move || Client::from_conf(config.build())));
        Self { client: Arc::new(client), bucket }
    }

    pub async fn put(&self, key: &FileKey, file: File) -> Result<(), FilesError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.to_string());
        request
            .content_type(file.media_type.as_str())
            .body(ByteStream::from(file.bytes))
            .send()
            .await
            .map_err(|error| FilesError::Aws { operation: "PutObject", code: error_code(&error) })?;
        Ok(())
    }

    pub async fn get(&self, key: &FileKey) -> Result<Option<File>, FilesError> {
        let found = self.client.get_object().bucket(&self.bucket).key(key.to_string()).send().await;
        let output = match found {
            Ok(output) => output,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(FilesError::Aws { operation: "GetObject", code: error_code(&error) }),
        };
        let media_type = MediaType::parse(output.content_type.as_deref().unwrap_or_default());
        // The SDK's own time-outs end with the answer's beginning.
        let body = tokio::time::timeout(READ_WITHIN, output.body.collect()).await;
        let body = body.ok().and_then(Result::ok).ok_or(FilesError::Incomplete)?;
        Ok(Some(File { media_type, bytes: body.into_bytes() }))
    }

    /// What is known of a file. `None` too for who may not list what is missing.
    pub async fn facts(&self, key: &FileKey) -> Result<Option<FileFacts>, FilesError> {
        let found = self.client.head_object().bucket(&self.bucket).key(key.to_string()).send().await;
        let output = match found {
            Ok(output) => output,
            Err(error) if error.raw_response().is_some_and(|answer| [403, 404].contains(&answer.status().as_u16())) => {
                return Ok(None);
            }
            Err(error) => return Err(FilesError::Aws { operation: "HeadObject", code: error_code(&error) }),
        };
        let media_type = MediaType::parse(output.content_type.as_deref().unwrap_or_default());
        let size = output.content_length.and_then(|length| u64::try_from(length).ok());
        Ok(size.map(|size| FileFacts { media_type, size }))
    }

    /// Whether it was there or not.
    pub async fn delete(&self, key: &FileKey) -> Result<(), FilesError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.to_string());
        request
            .send()
            .await
            .map_err(|error| FilesError::Aws { operation: "DeleteObject", code: error_code(&error) })?;
        Ok(())
    }

    /// Deletes every file of a person. A repeat goes on where a failure ended it.
    pub async fn delete_all_of_person(&self, app: AppId, person: AppUserId) -> Result<(), FilesError> {
        self.delete_below(&FileKey::prefix_of_person(app, person)).await
    }

    /// Deletes every photo of an integration's profile. A repeat goes on where a failure ended it.
    pub async fn delete_all_of_integration(&self, app: AppId, integration: IntegrationId) -> Result<(), FilesError> {
        self.delete_below(&FileKey::prefix_of_integration(app, integration)).await
    }

    /// Deletes every file of an app and of its people. A repeat goes on where a failure ended it.
    pub async fn delete_all_of_app(&self, app: AppId) -> Result<(), FilesError> {
        self.delete_below(&FileKey::prefix_of_app(app)).await
    }

    async fn delete_below(&self, prefix: &str) -> Result<(), FilesError> {
        loop {
            let keys = self.some_of(prefix).await?;
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_several(keys).await?;
        }
    }

    /// As many keys as S3 lists at once, which is as many as it deletes at once.
    async fn some_of(&self, prefix: &str) -> Result<Vec<String>, FilesError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let output = request
            .send()
            .await
            .map_err(|error| FilesError::Aws { operation: "ListObjectsV2", code: error_code(&error) })?;
        Ok(output.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    async fn delete_several(&self, keys: Vec<String>) -> Result<(), FilesError> {
        let unwritable = |_| FilesError::Undeleted("unwritable".to_owned());
        let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unwritable)?;
        let output = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete)
            .send()
            .await
            .map_err(|error| FilesError::Aws { operation: "DeleteObjects", code: error_code(&error) })?;
        match output.errors().first() {
            None => Ok(()),
            Some(error) => Err(FilesError::Undeleted(error.code().unwrap_or("unknown").to_owned())),
        }
    }

    /// Opens the connection before the first event needs it. Bounded, and harmless when it fails.
    pub async fn warm(&self) {
        let request = self.client.head_object().bucket(&self.bucket).key("warm").send();
        let _ = tokio::time::timeout(Duration::from_secs(1), request).await;
    }
}
