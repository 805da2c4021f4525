//! What a database of ours looks like: its format, its identity, and how far the log is in it.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::ErrorKind,
    path::Path,
};

use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction,
};

use super::{StoreError, Table, blocks, log::sync_folder};

/// The format that this version writes, and the newest that it reads. 1 had each row on its own and
/// no log beside the database.
const FORMAT: u32 = 2;
const FORMAT_KEY: &[u8] = b"format";
/// Where every version looks for the format, under the key above.
const FORMAT_TABLE: Definition = Definition::new("meta");

/// Numbers about the store itself, which nobody reaches through [`super::Store`].
pub(super) const NUMBERS: TableDefinition<'static, &'static str, u64> =
    TableDefinition::new("store");
/// A random number that tells this store's log from another's.
const IDENTITY: &str = "identity";
/// The last segment of the log whose changes are all in the database.
pub(super) const APPLIED: &str = "applied";

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// What the database says about itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) identity: u64,
    pub(super) applied: u64,
}

/// Checks the format of a database, brings an older one up to date, and gives a new one its
/// tables, so that reading never meets a table that is not there.
pub(super) fn prepared(database: Database) -> Result<Database, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::from_redb)?;
    let names: Vec<String> = transaction
        .list_tables()
        .map_err(StoreError::from_redb)?
        .map(|t| t.name().to_owned())
        .collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    let mut found = None;
    if has(FORMAT_TABLE.name()) {
        let table = transaction.open_table(FORMAT_TABLE).map_err(StoreError::from_redb)?;
        let value = table.get(FORMAT_KEY).map_err(StoreError::from_redb)?;
        let format: u32 = value
            .and_then(|v| serde_json::from_slice(v.value()).ok())
            .ok_or(StoreError::NotAStore)?;
        if format > FORMAT {
            return Err(StoreError::NewerFormat { found: format, known: FORMAT });
        }
        found = Some(format);
    } else if !names.is_empty() {
        return Err(StoreError::NotAStore);
    }
    drop(transaction);
    let complete = Table::ALL.iter().all(|table| has(table.blocks())) && has(NUMBERS.name());
    if !complete || found != Some(FORMAT) {
        let mut transaction = database.begin_write().map_err(StoreError::from_redb)?;
        transaction.set_quick_repair(true);
        if found == Some(1) {
            upgrade(&transaction, &names)?;
        }
        complete_tables(&transaction)?;
        transaction.commit().map_err(StoreError::from_redb)?;
    }
    Ok(database)
}

/// Puts the rows of the first format into blocks.
fn upgrade(transaction: &WriteTransaction, names: &[String]) -> Result<(), StoreError> {
    for table in Table::ALL {
        if names.iter().all(|name| name != table.name()) {
            continue;
        }
        let old = Definition::new(table.name());
        {
            let old = transaction.open_table(old).map_err(StoreError::from_redb)?;
            let new = blocks::definition(*table);
            let mut new = transaction.open_table(new).map_err(StoreError::from_redb)?;
            for row in old.iter().map_err(StoreError::from_redb)? {
                let (key, value) = row.map_err(StoreError::from_redb)?;
                if (*table, key.value()) != (Table::Meta, FORMAT_KEY) {
                    let row = (key.value(), Some(value.value()));
                    blocks::absorb(&mut new, std::iter::once(row))?;
                }
            }
        }
        transaction.delete_table(old).map_err(StoreError::from_redb)?;
    }
    Ok(())
}

fn complete_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    for table in Table::ALL {
        transaction.open_table(blocks::definition(*table)).map_err(StoreError::from_redb)?;
    }
    let mut format = transaction.open_table(FORMAT_TABLE).map_err(StoreError::from_redb)?;
    format.insert(FORMAT_KEY, FORMAT.to_string().as_bytes()).map_err(StoreError::from_redb)?;
    let mut numbers = transaction.open_table(NUMBERS).map_err(StoreError::from_redb)?;
    if numbers.get(IDENTITY).map_err(StoreError::from_redb)?.is_none() {
        numbers.insert(IDENTITY, rand::random::<u64>()).map_err(StoreError::from_redb)?;
    }
    Ok(())
}

/// The numbers of a prepared database.
pub(super) fn numbers(database: &Database) -> Result<Numbers, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::from_redb)?;
    let table = transaction.open_table(NUMBERS).map_err(StoreError::from_redb)?;
    let identity = table.get(IDENTITY).map_err(StoreError::from_redb)?;
    let applied = table.get(APPLIED).map_err(StoreError::from_redb)?;
    Ok(Numbers {
        identity: identity.ok_or(StoreError::Damaged)?.value(),
        applied: applied.map_or(0, |applied| applied.value()),
    })
}

/// Creates the file and its folder where they are absent, for the owner's eyes only, and makes
/// their names durable: redb flushes what is in the file, not that it is there.
pub(super) fn create_file(path: &Path) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::from_file(&e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder).map_err(failed)?;
    match options.open(path) {
        Ok(_) => {
            for folder in [Some(folder), folder.parent()].into_iter().flatten() {
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                sync_folder(folder).map_err(failed)?;
            }
            Ok(())
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed(e)),
    }
}
