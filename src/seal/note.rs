//! What the store notes about the keys that it was written with.

use serde::{Deserialize, Serialize};

use super::Keyring;
use crate::store::{Batch, Store, StoreError, Table, decode, encode};

const NOTE: &[u8] = b"encryption";

/// The ids of all keys with which rows may be sealed.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note {
    keys: Vec<String>,
    /// Whether rows may be there that are not sealed with the last of them.
    unfinished: bool,
}

/// Why the keys do not fit the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Rows are sealed with a key that is not configured.
    #[error(
        "rows of this store are encrypted with the key {0}, which is not configured; put that key \
         where lake.encryption_key_env or lake.encryption_key_file points to, on a line of its own \
         (the first line is the key in use)"
    )]
    MissingKey(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compares the keys with those that the store was written with, and notes the one in use before
/// anything is sealed with it. Returns whether rows may be there that are not as the ring would
/// write them now.
///
/// # Errors
/// [`SealError::MissingKey`] names the key that is needed; [`SealError::Store`].
pub async fn admit(store: &Store, ring: &Keyring) -> Result<bool, SealError> {
    let noted = store.get(Table::Meta, NOTE).await?;
    let mut note: Note = noted.map(|v| decode(Table::Meta, &v)).transpose()?.unwrap_or_default();
    if let Some(missing) = note.keys.iter().find(|id| !ring.knows(id)) {
        return Err(SealError::MissingKey(missing.clone()));
    }
    match ring.current_id() {
        Some(id) if note.keys.last() != Some(&id) => {
            note.keys.retain(|other| *other != id);
            note.keys.push(id);
            // What was written before is plain, or sealed with another key.
            note.unfinished = true;
            write(store, Some(&note)).await?;
            Ok(true)
        }
        Some(_) => Ok(note.unfinished),
        None => Ok(!note.keys.is_empty()),
    }
}

/// Notes that every row is as the ring writes it now: keys of earlier times are no longer needed.
///
/// # Errors
/// What keeps the store from being written.
pub async fn settle(store: &Store, ring: &Keyring) -> Result<(), StoreError> {
    let note = ring.current_id().map(|id| Note { keys: vec![id], unfinished: false });
    write(store, note.as_ref()).await
}

async fn write(store: &Store, note: Option<&Note>) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    match note {
        Some(note) => batch.put(Table::Meta, NOTE, encode(Table::Meta, note)?),
        None => batch.delete(Table::Meta, NOTE),
    }
    store.commit(batch).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &str) -> Keyring {
        let line = |key: char| key.to_string().repeat(64);
        let lines = keys.chars().map(|c| if c == '-' { "plain".to_owned() } else { line(c) });
        Keyring::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[tokio::test]
    async fn a_key_stays_needed_until_everything_is_written_anew() {
        let store = Store::in_memory().unwrap();
        assert!(!admit(&store, &Keyring::plain()).await.unwrap());
        assert!(admit(&store, &ring("a")).await.unwrap(), "plain rows may be there");
        settle(&store, &ring("a")).await.unwrap();
        assert!(!admit(&store, &ring("a")).await.unwrap());
        assert!(admit(&store, &ring("ba")).await.unwrap());
        assert!(admit(&store, &ring("ba")).await.unwrap(), "the work was not finished");
        let needed = SealError::MissingKey(ring("a").current_id().unwrap());
        assert_eq!(admit(&store, &ring("b")).await, Err(needed));
        settle(&store, &ring("ba")).await.unwrap();
        assert!(!admit(&store, &ring("b")).await.unwrap());
    }

    #[tokio::test]
    async fn without_its_key_an_encrypted_store_is_not_opened() {
        let store = Store::in_memory().unwrap();
        admit(&store, &ring("a")).await.unwrap();
        for wrong in [Keyring::plain(), ring("b"), ring("-")] {
            assert!(matches!(admit(&store, &wrong).await, Err(SealError::MissingKey(_))));
        }
        assert!(admit(&store, &ring("-a")).await.unwrap());
        settle(&store, &ring("-a")).await.unwrap();
        assert!(!admit(&store, &Keyring::plain()).await.unwrap());
    }
}
