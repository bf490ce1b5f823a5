//! The table as it lies there, for tests of what is left in it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;

use serde_json::Value;

use crate::world::World;

pub type Item = BTreeMap<String, AttributeValue>;

fn table(world: &World) -> (aws_sdk_dynamodb::Client, String) {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(local::engine::AWS_REGION))
        .http_client(shared::http::aws().unwrap())
        // Faults that strike everybody strike tests, too.
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(world.handles().aws_endpoint("test"));
    let name = world.handles().any_environment_with("TABLE_NAME").unwrap()["TABLE_NAME"].clone();
    (aws_sdk_dynamodb::Client::from_conf(config.build()), name)
}

/// Every item in the table.
pub async fn scan(world: &World) -> Vec<Item> {
    let (client, table) = table(world);
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let output = client.scan().table_name(&table).set_exclusive_start_key(start).send().await.unwrap();
        found.extend(output.items().iter().map(|item| item.clone().into_iter().collect()));
        start = output.last_evaluated_key;
        if start.is_none() {
            return found;
        }
    }
}

pub async fn put(world: &World, item: Item) {
    let (client, table) = table(world);
    client.put_item().table_name(table).set_item(Some(item.into_iter().collect())).send().await.unwrap();
}

/// Sets a number of the only item whose key has a word.
pub async fn set(world: &World, word: &str, attribute: &str, number: usize) {
    let mut named: Vec<Item> = scan(world).await.into_iter().filter(|item| key(item).contains(word)).collect();
    assert_eq!(named.len(), 1, "{word}");
    let mut item = named.remove(0);
    item.insert(attribute.to_owned(), AttributeValue::N(number.to_string()));
    put(world, item).await;
}

/// Lets every claim run out at once, where nobody is alive who holds one.
pub async fn run_claims_out(world: &World) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    for mut item in scan(world).await {
        let deadline = item.get("deadline").and_then(|deadline| deadline.as_n().ok()?.parse::<u128>().ok());
        if deadline.is_some_and(|deadline| deadline >= now) {
            item.insert("deadline".to_owned(), AttributeValue::N((now - 1).to_string()));
            put(world, item).await;
        }
    }
}

/// `pk|sk`
pub fn key(item: &Item) -> String {
    format!("{}|{}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap())
}

/// `pk|sk` of every item in the table.
pub async fn items(world: &World) -> Vec<String> {
    scan(world).await.iter().map(key).collect()
}

/// Items whose key has a word, by `pk|sk`, with all that is in them.
pub async fn contents(world: &World, word: &str) -> BTreeMap<String, Value> {
    let items = scan(world).await.into_iter().filter(|item| key(item).contains(word));
    items
        .map(|item| (key(&item), Value::Object(item.iter().map(|(name, it)| (name.clone(), plain(it))).collect())))
        .collect()
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::M(map) => Value::Object(map.iter().map(|(name, it)| (name.clone(), plain(it))).collect()),
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        other => format!("{other:?}").into(),
    }
}

pub async fn items_with(world: &World, word: &str) -> Vec<String> {
    items(world).await.into_iter().filter(|item| item.contains(word)).collect()
}

/// What is left of something sent when it was erased: that it was sent, for a day.
fn is_bare_claim(item: &Item) -> bool {
    const LEFT: [&str; 12] =
        ["pk", "sk", "by", "subject", "state", "accepted", "message", "externalIds", "sent", "ended", "hidden", "ttl"];
    let is_of_a_send = ["NOTIFICATION#", "SEND#"].iter().any(|kind| item["sk"].as_s().unwrap().starts_with(kind));
    let is_bare = item.keys().all(|name| LEFT.contains(&name.as_str()));
    let says_nothing = item.get("message").and_then(|message| message.as_m().ok()).is_some_and(HashMap::is_empty);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let ends = item.get("ttl").and_then(|ttl| ttl.as_n().ok()?.parse::<u64>().ok());
    is_of_a_send && is_bare && says_nothing && ends.is_some_and(|ends| ends <= now + 86_400)
}

/// Items that name it anywhere, in keys or in what they say; of what was sent, that it was is no matter.
pub async fn mentions(world: &World, word: &str) -> Vec<String> {
    let items = scan(world).await;
    let left = items.iter().filter(|item| format!("{item:?}").contains(word) && !is_bare_claim(item));
    left.map(key).collect()
}
