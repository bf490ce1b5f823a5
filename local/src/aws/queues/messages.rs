//! Messages in SQLite: what a standard queue does to them, with the time as an argument. Synchronous and alone on its
//! connection; [`super::Queues`] runs it on one thread and adds waiting.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::tenants::Tenants;
use crate::lambda::template::Queue;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        first_received_at INTEGER,
        receipt INTEGER,
        source TEXT
    );
    CREATE INDEX IF NOT EXISTS message_due ON message (queue, visible_at);
";
/// Came later than the table, which a data directory may hold.
const TENANT_COLUMN: &str = "ALTER TABLE message ADD COLUMN tenant TEXT NOT NULL DEFAULT ''";
const TENANT_INDEX: &str = "CREATE INDEX IF NOT EXISTS message_tenant ON message (queue, tenant, visible_at)";

/// The columns of a [`Received`].
const RECEIVED: &str =
    "SELECT id, message_id, body, attributes, sent_at, first_received_at, receive_count, source, tenant FROM message";

/// A message to be stored. Times are Unix milliseconds throughout.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub message_id: String,
    pub body: String,
    /// `MessageAttributes` as they were sent, in JSON.
    pub attributes: Option<String>,
    /// `MessageGroupId`: the tenant it is for. Empty for none.
    pub group: String,
    pub delay_ms: i64,
}

/// A message as a consumer gets it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The row; differs between two deliveries of a message that was duplicated.
    pub row: i64,
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    pub attributes: Option<String>,
    pub sent_at: i64,
    pub first_received_at: i64,
    pub receive_count: u32,
    /// The queue it failed on, for messages of a dead-letter queue.
    pub source: Option<String>,
    /// As it was sent; empty for none.
    pub group: String,
}

/// How many messages a queue holds, as SQS counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

/// Why a receipt handle did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptError {
    /// Not a handle that any receive of this queue returned.
    Invalid,
    /// Its message is visible again, or gone.
    NotInFlight,
}

/// What came of one receive.
#[derive(Debug, Default)]
pub struct Batch {
    pub messages: Vec<Received>,
    /// Messages that went to the dead-letter queue instead.
    pub dead_lettered: usize,
}

/// Makes the table if it isn't there.
pub fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    if !connection.prepare("SELECT 1 FROM pragma_table_info('message') WHERE name = 'tenant'")?.exists([])? {
        connection.execute_batch(TENANT_COLUMN)?;
    }
    connection.execute_batch(TENANT_INDEX)
}

pub fn send(connection: &Connection, queue: &str, message: &NewMessage, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO message (queue, message_id, body, attributes, tenant, sent_at, visible_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            queue,
            message.message_id,
            message.body,
            message.attributes,
            message.group,
            now,
            now + message.delay_ms
        ])?;
    Ok(())
}

/// Takes up to `max` due messages, of quiet tenants first, and hides them for `visibility_ms`. Expired ones are dropped,
/// and those received `maxReceiveCount` times already go to the dead-letter queue.
pub fn receive(
    connection: &Connection,
    queue: &Queue,
    tenants: &mut Tenants,
    max: usize,
    visibility_ms: i64,
    now: i64,
) -> rusqlite::Result<Batch> {
    let mut batch = Batch::default();
    let retention = i64::try_from(queue.retention.as_millis()).unwrap_or(i64::MAX);
    while batch.messages.len() < max {
        let due = due(connection, &queue.name, tenants, max - batch.messages.len(), now)?;
        if due.is_empty() {
            break;
        }
        for mut message in due {
            if message.sent_at.saturating_add(retention) <= now {
                remove(connection, message.row)?;
                continue;
            }
            if let Some(redrive) = &queue.redrive
                && message.receive_count >= redrive.max_receive_count
            {
                dead_letter(connection, message.row, &queue.name, &redrive.dead_letter_queue, now)?;
                batch.dead_lettered += 1;
                continue;
            }
            message.receive_count += 1;
            if message.receive_count == 1 {
                message.first_received_at = now;
            }
            let receipt: i64 = rand::random_range(1..i64::MAX);
            // Even a visibility of nothing ends only after this receive.
            let until = now + visibility_ms.max(1);
            connection
                .prepare_cached(
                    "UPDATE message SET receive_count = ?, first_received_at = ?, receipt = ?, visible_at = ? WHERE id = ?",
                )?
                .execute(params![
                    message.receive_count,
                    message.first_received_at,
                    receipt,
                    until,
                    message.row
                ])?;
            message.receipt_handle = receipt_handle(message.row, receipt);
            tenants.taken(&message.receipt_handle, message.row, &message.group, until, now);
            batch.messages.push(message);
        }
    }
    Ok(batch)
}

fn due(
    connection: &Connection,
    queue: &str,
    tenants: &mut Tenants,
    limit: usize,
    now: i64,
) -> rusqlite::Result<Vec<Received>> {
    let noisy = tenants.noisy(now);
    if noisy.is_empty() {
        return connection
            .prepare_cached(&format!("{RECEIVED} WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?"))?
            .query_map(params![queue, now, i64::try_from(limit).unwrap_or(i64::MAX)], received)?
            .collect();
    }
    let mut due = Vec::new();
    for tenant in waiting(connection, queue)?.iter().filter(|tenant| !noisy.contains(tenant)) {
        due.extend(due_of(connection, queue, tenant, limit, now)?);
    }
    due.sort_by_key(|(visible, message)| (*visible, message.row));
    due.truncate(limit);
    for tenant in &noisy {
        let theirs = due_of(connection, queue, tenant, limit - due.len(), now)?;
        if theirs.is_empty() && due.len() < limit {
            tenants.drained(tenant);
        }
        due.extend(theirs);
    }
    Ok(due.into_iter().map(|(_, message)| message).collect())
}

/// Whose messages the queue holds: a search in the index for each, however many messages there are.
fn waiting(connection: &Connection, queue: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(WAITING)?.query_map([queue], |row| row.get(0))?.collect()
}

const WAITING: &str = "
    WITH RECURSIVE waiting(tenant) AS (
        SELECT min(tenant) FROM message WHERE queue = ?1
        UNION ALL
        SELECT (SELECT min(message.tenant) FROM message WHERE queue = ?1 AND message.tenant > waiting.tenant)
        FROM waiting WHERE waiting.tenant IS NOT NULL)
    SELECT tenant FROM waiting WHERE tenant IS NOT NULL";

/// A tenant's due messages, with the moment since when each is due.
fn due_of(
    connection: &Connection,
    queue: &str,
    tenant: &str,
    limit: usize,
    now: i64,
) -> rusqlite::Result<Vec<(i64, Received)>> {
    connection
        .prepare_cached(DUE_OF)?
        .query_map(params![queue, tenant, now, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(9)?, received(row)?))
        })?
        .collect()
}

const DUE_OF: &str = "
    SELECT id, message_id, body, attributes, sent_at, first_received_at, receive_count, source, tenant, visible_at
    FROM message WHERE queue = ? AND tenant = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?";

fn received(row: &Row<'_>) -> rusqlite::Result<Received> {
    Ok(Received {
        row: row.get(0)?,
        message_id: row.get(1)?,
        receipt_handle: String::new(),
        body: row.get(2)?,
        attributes: row.get(3)?,
        sent_at: row.get(4)?,
        first_received_at: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
        receive_count: row.get(6)?,
        source: row.get(7)?,
        group: row.get(8)?,
    })
}

fn dead_letter(connection: &Connection, row: i64, from: &str, to: &str, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE message SET queue = ?, source = ?, receipt = NULL, visible_at = ? WHERE id = ?")?
        .execute(params![to, from, now, row])?;
    Ok(())
}

fn remove(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM message WHERE id = ?")?.execute([row])?;
    Ok(())
}

/// Deletes by receipt handle. A handle that a later receive has replaced deletes nothing and is no error, as in SQS.
pub fn delete(connection: &Connection, queue: &str, handle: &str) -> rusqlite::Result<Result<(), ReceiptError>> {
    let Some((row, receipt)) = parse_receipt_handle(handle) else { return Ok(Err(ReceiptError::Invalid)) };
    connection
        .prepare_cached("DELETE FROM message WHERE id = ? AND queue = ? AND receipt = ?")?
        .execute(params![row, queue, receipt])?;
    Ok(Ok(()))
}

/// Hides an in-flight message for that long from now; zero shows it at once.
pub fn change_visibility(
    connection: &Connection,
    queue: &str,
    handle: &str,
    visibility_ms: i64,
    now: i64,
) -> rusqlite::Result<Result<(), ReceiptError>> {
    let Some((row, receipt)) = parse_receipt_handle(handle) else { return Ok(Err(ReceiptError::Invalid)) };
    let changed = connection
        .prepare_cached(
            "UPDATE message SET visible_at = ? WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?",
        )?
        .execute(params![now + visibility_ms, row, queue, receipt, now])?;
    Ok(if changed == 1 { Ok(()) } else { Err(ReceiptError::NotInFlight) })
}

/// When the next message that is hidden now will be due.
pub fn next_due(connection: &Connection, queue: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT visible_at FROM message WHERE queue = ? ORDER BY visible_at LIMIT 1")?
        .query_row([queue], |row| row.get(0))
        .optional()
}

pub fn is_empty(connection: &Connection, queue: &str) -> rusqlite::Result<bool> {
    Ok(next_due(connection, queue)?.is_none())
}

pub fn counts(connection: &Connection, queue: &str, now: i64) -> rusqlite::Result<Counts> {
    connection
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                    count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
                    count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
             FROM message WHERE queue = ?1",
        )?
        .query_row(params![queue, now], |row| {
            Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
        })
}

/// The oldest messages, without receiving them.
pub fn peek(connection: &Connection, queue: &str, limit: usize) -> rusqlite::Result<Vec<Received>> {
    connection
        .prepare_cached(&format!("{RECEIVED} WHERE queue = ? ORDER BY id LIMIT ?"))?
        .query_map(params![queue, i64::try_from(limit).unwrap_or(i64::MAX)], received)?
        .collect()
}

/// Makes every hidden message visible, but for the rows that are `held`.
pub fn wake(connection: &Connection, queue: &str, held: &dyn Fn(i64) -> bool, now: i64) -> rusqlite::Result<usize> {
    let hidden: Vec<i64> = connection
        .prepare_cached("SELECT id FROM message WHERE queue = ? AND visible_at > ?")?
        .query_map(params![queue, now], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut woken = 0;
    for row in hidden.into_iter().filter(|row| !held(*row)) {
        woken +=
            connection.prepare_cached("UPDATE message SET visible_at = ? WHERE id = ?")?.execute(params![now, row])?;
    }
    Ok(woken)
}

/// Moves everything from a dead-letter queue to `to`, or back to where each message failed. As in SQS a moved message
/// is a new one: new id, new age, not received yet. Returns the queues that got something, with how many.
pub fn move_all(
    connection: &Connection,
    from: &str,
    to: Option<&str>,
    now: i64,
) -> rusqlite::Result<Vec<(String, usize)>> {
    let rows: Vec<(i64, Option<String>)> = connection
        .prepare_cached("SELECT id, source FROM message WHERE queue = ? AND visible_at <= ?")?
        .query_map(params![from, now], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut moved: Vec<(String, usize)> = Vec::new();
    for (row, source) in rows {
        let Some(target) = to.map(str::to_owned).or(source) else { continue };
        connection
            .prepare_cached(
                "UPDATE message SET queue = ?, message_id = ?, sent_at = ?, visible_at = ?, receive_count = 0,
                        first_received_at = NULL, receipt = NULL, source = NULL WHERE id = ?",
            )?
            .execute(params![target, uuid::Uuid::new_v4().to_string(), now, now, row])?;
        match moved.iter_mut().find(|(queue, _)| *queue == target) {
            Some((_, count)) => *count += 1,
            None => moved.push((target, 1)),
        }
    }
    Ok(moved)
}

pub fn purge(connection: &Connection, queue: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM message WHERE queue = ?")?.execute([queue])
}

fn receipt_handle(row: i64, receipt: i64) -> String {
    let mut bytes = row.to_be_bytes().to_vec();
    bytes.extend(receipt.to_be_bytes());
    hex::encode(bytes)
}

fn parse_receipt_handle(handle: &str) -> Option<(i64, i64)> {
    let bytes: [u8; 16] = hex::decode(handle).ok()?.try_into().ok()?;
    let (row, receipt) = bytes.split_at(8);
    Some((i64::from_be_bytes(row.try_into().ok()?), i64::from_be_bytes(receipt.try_into().ok()?)))
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
