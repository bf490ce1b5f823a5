//! Many items in one request. What DynamoDB leaves undone is asked for again, a little later each time, but not for ever.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, WriteRequest};
use serde::de::DeserializeOwned;

use super::from_item;
use super::keys::Key;
use super::transaction::{TRIES, back_off};
use crate::store::error::aws_error;
use crate::store::{Store, StoreError};

/// DynamoDB's limits of a batch.
const READ_AT_ONCE: usize = 100;
const WRITTEN_AT_ONCE: usize = 25;

impl Store {
    /// Items in no order; those that are not there are left out.
    pub(in crate::store) async fn read_all<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        keys: &[Key],
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for batch in keys.chunks(READ_AT_ONCE) {
            let mut left: Vec<_> = batch.iter().map(Key::attributes).collect();
            for attempt in 0..TRIES {
                let request = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
                let request = request.map_err(|_| StoreError::Unreadable(kind))?;
                let output = self.client.batch_get_item().request_items(&self.table, request).send().await;
                let output = output.map_err(aws_error("BatchGetItem"))?;
                for item in output.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                    found.push(from_item(kind, item)?);
                }
                left = output.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys).collect();
                if left.is_empty() {
                    break;
                }
                back_off(attempt).await;
            }
            if !left.is_empty() {
                return Err(StoreError::Contended);
            }
        }
        Ok(found)
    }

    /// How many requests it took.
    pub(in crate::store) async fn delete_all(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let mut requests = 0;
        for batch in keys.chunks(WRITTEN_AT_ONCE) {
            let mut left: Vec<_> = batch.iter().filter_map(deletion).collect();
            for attempt in 0..TRIES {
                requests += 1;
                let request = self.client.batch_write_item().request_items(&self.table, left);
                let output = request.send().await.map_err(aws_error("BatchWriteItem"))?;
                left = output.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect();
                if left.is_empty() {
                    break;
                }
                back_off(attempt).await;
            }
            if !left.is_empty() {
                return Err(StoreError::Contended);
            }
        }
        Ok(requests)
    }
}

fn deletion(key: &Key) -> Option<WriteRequest> {
    let request = DeleteRequest::builder().set_key(Some(key.attributes())).build().ok()?;
    Some(WriteRequest::builder().delete_request(request).build())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_dynamodb::{Client, Config};
    use serde::Deserialize;

    use super::*;
    use crate::model::Secret;
    use crate::secrets::Sealer;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
    }

    /// A table that leaves everything undone, so many times; and how often it was asked.
    fn throttled(times: usize) -> (Store, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut request = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while request.read_line(&mut line).unwrap() > 2 {
                    let header = line.to_lowercase();
                    length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                    line.clear();
                }
                request.read_exact(&mut vec![0; length]).unwrap();
                let answer = if counter.fetch_add(1, Ordering::SeqCst) < times { UNDONE } else { DONE };
                let size = answer.len();
                let mut stream = request.into_inner();
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n{answer}")
                    .unwrap();
            }
        });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .http_client(crate::http::aws().unwrap())
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(url);
        let client = Client::from_conf(config.build());
        (
            Store {
                client,
                table: "T".into(),
                sealer: Sealer::new(&Secret::new("a sealing secret")),
                caches: Arc::default(),
            },
            asked,
        )
    }

    const UNDONE: &str = r#"{"UnprocessedKeys":{"T":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"b"}}]}},
        "UnprocessedItems":{"T":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"S":"b"}}}}]}}"#;
    const DONE: &str = r#"{"Responses":{"T":[{"name":{"S":"found"}}]},"UnprocessedKeys":{},"UnprocessedItems":{}}"#;

    fn key() -> Key {
        Key { pk: "a".into(), sk: "b".into() }
    }

    #[tokio::test]
    async fn what_is_left_undone_is_asked_for_again() {
        let (store, _) = throttled(3);
        assert_eq!(store.read_all::<Thing>("thing", &[key()]).await.unwrap(), [Thing { name: "found".into() }]);
        let (store, _) = throttled(3);
        assert_eq!(store.delete_all(&[key()]).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_table_that_leaves_it_for_ever_is_not_asked_for_ever() {
        let (store, asked) = throttled(usize::MAX);
        let read = store.read_all::<Thing>("thing", &[key()]).await;
        assert!(matches!(read, Err(StoreError::Contended)), "{read:?}");
        assert_eq!(asked.load(Ordering::SeqCst), TRIES as usize);
    }
}
