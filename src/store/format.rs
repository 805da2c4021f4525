//! What a database of ours looks like: its format, its identity, and how far the log is in it.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::ErrorKind,
    path::Path,
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};

use super::{StoreError, Table, log::sync_folder};

/// The format that this version writes, and the newest that it reads. Since 2 there is a log
/// beside the database; a version that does not know it must not open the store.
const FORMAT: u32 = 2;
const FORMAT_KEY: &[u8] = b"format";

/// Numbers about the store itself, which nobody reaches through [`super::Store`].
pub(super) const NUMBERS: TableDefinition<'static, &'static str, u64> =
    TableDefinition::new("store");
/// A random number that tells this store's log from another's.
const IDENTITY: &str = "identity";
/// The last segment of the log whose changes are all in the database.
pub(super) const APPLIED: &str = "applied";

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

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
    if has(Table::Meta.name()) {
        let meta =
            transaction.open_table(definition(Table::Meta)).map_err(StoreError::from_redb)?;
        let value = meta.get(FORMAT_KEY).map_err(StoreError::from_redb)?;
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
    let complete = Table::ALL.iter().all(|table| has(table.name())) && has(NUMBERS.name());
    if !complete || found != Some(FORMAT) {
        let mut transaction = database.begin_write().map_err(StoreError::from_redb)?;
        transaction.set_quick_repair(true);
        {
            for table in Table::ALL {
                let mut rows =
                    transaction.open_table(definition(*table)).map_err(StoreError::from_redb)?;
                if *table == Table::Meta {
                    rows.insert(FORMAT_KEY, FORMAT.to_string().as_bytes())
                        .map_err(StoreError::from_redb)?;
                }
            }
            let mut numbers = transaction.open_table(NUMBERS).map_err(StoreError::from_redb)?;
            let known = numbers.get(IDENTITY).map_err(StoreError::from_redb)?.is_some();
            if !known {
                numbers.insert(IDENTITY, rand::random::<u64>()).map_err(StoreError::from_redb)?;
            }
        }
        transaction.commit().map_err(StoreError::from_redb)?;
    }
    Ok(database)
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
