//! Where function URLs listen: each on a port of its own, since this machine has no names to tell them apart by. In a data
//! directory they keep their ports, so that what a carrier was given before a restart still leads here.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::{fs, io};

use tokio::net::TcpListener;

use crate::private_files;

/// A listener for each, by name, on the port of last time unless somebody else has it now. `file` remembers the ports.
///
/// # Errors
/// When no port can be opened, or the file can't be read, understood or written.
pub async fn listen(names: Vec<String>, file: Option<&Path>) -> io::Result<BTreeMap<String, TcpListener>> {
    let mut ports: BTreeMap<String, u16> = match file.filter(|file| file.exists()) {
        Some(file) => serde_json::from_slice(&fs::read(file)?)?,
        None => BTreeMap::new(),
    };
    let mut listeners = BTreeMap::new();
    for name in names {
        let last = ports.get(&name).copied().unwrap_or(0);
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, last)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        };
        ports.insert(name.clone(), listener.local_addr()?.port());
        listeners.insert(name, listener);
    }
    if let Some(file) = file.filter(|_| !listeners.is_empty()) {
        private_files::write(file, &serde_json::to_vec(&ports)?)?;
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_is_kept_unless_somebody_else_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("function-urls.json");
        let listen = async || listen(vec!["Door".to_owned()], Some(&file)).await.unwrap().remove("Door").unwrap();
        let first = listen().await;
        let port = first.local_addr().unwrap().port();
        let other = listen().await;
        assert_ne!(other.local_addr().unwrap().port(), port, "the first still has it");
        let moved = other.local_addr().unwrap().port();
        drop((first, other));
        assert_eq!(listen().await.local_addr().unwrap().port(), moved);
    }
}
