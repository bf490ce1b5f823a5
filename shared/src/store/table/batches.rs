//! Many items in one request. What DynamoDB leaves undone is asked for again, a little later each time, but not for ever.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, WriteRequest};
use serde::de::DeserializeOwned;

use super::Table;
use super::from_item;
use super::keys::Key;
use super::tries::Tries;
use crate::store::StoreError;
use crate::store::error::aws_error;

/// DynamoDB's limits of a batch.
const READ_AT_ONCE: usize = 100;
const WRITTEN_AT_ONCE: usize = 25;

impl Table {
    /// Items in no order; those that are not there are left out.
    pub async fn get_all<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for batch in keys.chunks(READ_AT_ONCE) {
            let mut left: Vec<_> = batch.iter().map(Key::attributes).collect();
            let mut tries = Tries::default();
            loop {
                let request = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
                let request = request.map_err(|error| StoreError::unreadable(batch.first(), &error))?;
                let output = self.client.batch_get_item().request_items(&self.name, request).send().await;
                let output = output.map_err(aws_error("BatchGetItem"))?;
                for item in output.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                    found.push(from_item(item)?);
                }
                left = output.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys).collect();
                if left.is_empty() {
                    break;
                }
                tries.again().await?;
            }
        }
        Ok(found)
    }

    /// How many requests it took.
    pub async fn delete_all(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let mut requests = 0;
        for batch in keys.chunks(WRITTEN_AT_ONCE) {
            let mut left: Vec<_> = batch.iter().filter_map(deletion).collect();
            let mut tries = Tries::default();
            loop {
                requests += 1;
                let request = self.client.batch_write_item().request_items(&self.name, left);
                let output = request.send().await.map_err(aws_error("BatchWriteItem"))?;
                left = output.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect();
                if left.is_empty() {
                    break;
                }
                tries.again().await?;
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

    #[derive(Debug, PartialEq, Deserialize)]
    struct Thing {
        name: String,
    }

    /// A table that leaves everything undone, so many times; and how often it was asked.
    fn throttled(times: usize) -> (Table, Arc<AtomicUsize>) {
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
        (Table::new(Client::from_conf(config.build()), "T".into()), asked)
    }

    const UNDONE: &str = r#"{"UnprocessedKeys":{"T":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"b"}}]}},
        "UnprocessedItems":{"T":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"S":"b"}}}}]}}"#;
    const DONE: &str = r#"{"Responses":{"T":[{"name":{"S":"found"}}]},"UnprocessedKeys":{},"UnprocessedItems":{}}"#;

    fn key() -> Key {
        Key { pk: "a".into(), sk: "b".into() }
    }

    #[tokio::test]
    async fn what_is_left_undone_is_asked_for_again() {
        let (table, _) = throttled(3);
        assert_eq!(table.get_all::<Thing>(&[key()]).await.unwrap(), [Thing { name: "found".into() }]);
        let (table, _) = throttled(3);
        assert_eq!(table.delete_all(&[key()]).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_table_that_leaves_it_for_ever_is_not_asked_for_ever() {
        let (table, asked) = throttled(usize::MAX);
        let read = table.get_all::<Thing>(&[key()]).await;
        assert!(matches!(read, Err(StoreError::Contended)), "{read:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 12);
    }
}
