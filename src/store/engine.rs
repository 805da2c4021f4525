//! redb behind the store: tables, transactions, and opening the file anew after a failure.

use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions},
    io::ErrorKind,
    ops::Bound,
    path::Path,
    sync::{
        PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction,
    backends::InMemoryBackend,
};

use super::{Batch, KeyRange, Row, StoreError, Table};

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";

/// Memory for pages. The ledger is written far more than read, so a larger cache would only fill;
/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Time between two attempts to open a file anew that failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// One open database. All methods block.
pub(super) struct Engine {
    state: RwLock<State>,
    /// Set by an I/O error. redb refuses all work from then on, until the file is opened anew.
    failed: AtomicBool,
    /// Opens the file anew; absent for memory, where that would lose everything.
    reopen: Option<Opener>,
    /// Shortest time between two such attempts: each may have to walk the whole file.
    patience: Duration,
}

/// How the database is opened: a file in production, a faulty one in tests.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>;

enum State {
    Open(Database),
    /// Opening anew failed, for this reason and at this moment.
    Failed(StoreError, Instant),
    Closed,
}

impl Engine {
    pub(super) fn file(path: &Path) -> Result<Self, StoreError> {
        create_file(path)?;
        let path = path.to_owned();
        let open = move || {
            let database = Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create(&path)
                .map_err(StoreError::from_redb)?;
            prepared(database)
        };
        Self::reopening(Box::new(open), PATIENCE)
    }

    pub(super) fn memory() -> Result<Self, StoreError> {
        let database = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .map_err(StoreError::from_redb)?;
        Ok(Self::new(prepared(database)?, None))
    }

    /// An engine that uses `open` now, and again after every I/O error.
    pub(super) fn reopening(open: Opener, patience: Duration) -> Result<Self, StoreError> {
        Ok(Self { patience, ..Self::new(open()?, Some(open)) })
    }

    fn new(database: Database, reopen: Option<Opener>) -> Self {
        Self {
            state: RwLock::new(State::Open(database)),
            failed: AtomicBool::new(false),
            reopen,
            patience: PATIENCE,
        }
    }

    /// Whether work takes long enough to keep it off the threads that serve requests.
    pub(super) fn blocks(&self) -> bool {
        self.reopen.is_some()
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_database(|database| {
            let transaction = database.begin_read().map_err(StoreError::from_redb)?;
            let rows = transaction.open_table(definition(table)).map_err(StoreError::from_redb)?;
            let found = rows.get(key).map_err(StoreError::from_redb)?;
            Ok(found.map(|value| value.value().to_vec()))
        })
    }

    pub(super) fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        if is_inverted(range) {
            return Ok(Vec::new());
        }
        self.with_database(|database| {
            let transaction = database.begin_read().map_err(StoreError::from_redb)?;
            let rows = transaction.open_table(definition(table)).map_err(StoreError::from_redb)?;
            let bounds = (as_slice(&range.0), as_slice(&range.1));
            let mut cursor = rows.range::<&[u8]>(bounds).map_err(StoreError::from_redb)?;
            let mut found = Vec::new();
            while found.len() < limit {
                let next = if reverse { cursor.next_back() } else { cursor.next() };
                let Some(row) = next else { break };
                let (key, value) = row.map_err(StoreError::from_redb)?;
                found.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(found)
        })
    }

    /// Writes the batches in one transaction. The inner results are the batches' own: one whose
    /// requirements do not hold fails alone. After an outer error nothing is known of any.
    pub(super) fn apply(
        &self,
        batches: &[Batch],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        if self.has_failed() {
            self.recover()?;
        }
        match self.try_apply(batches) {
            // Nothing was written yet, so that trying again is safe.
            Err(Attempt::NotBegun(error @ StoreError::Unavailable)) => {
                self.noted(error);
                self.recover()?;
                self.try_apply(batches)
            }
            other => other,
        }
        .map_err(|attempt| {
            let (Attempt::NotBegun(error) | Attempt::Failed(error)) = attempt;
            self.noted(error)
        })
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Opens the file anew, unless somebody else was quicker.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Closed => return Err(StoreError::Closed),
            State::Open(_) if !self.has_failed() => return Ok(()),
            State::Failed(error, at) if at.elapsed() < self.patience => return Err(error.clone()),
            _ => {}
        }
        let Some(open) = &self.reopen else { return Err(StoreError::Unavailable) };
        // The old handle holds the file's lock, so it goes first.
        *state = State::Failed(StoreError::Unavailable, Instant::now());
        match open() {
            Ok(database) => {
                *state = State::Open(database);
                self.failed.store(false, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                *state = State::Failed(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    pub(super) fn close(&self) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Open(database) => database.close().map_err(StoreError::from_redb),
            State::Failed(..) | State::Closed => Ok(()),
        }
    }

    /// Remembers that redb will refuse work from now on.
    fn noted(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::Io(_) | StoreError::DiskFull | StoreError::Unavailable) {
            self.failed.store(true, Ordering::Release);
        }
        error
    }

    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Only recovery and closing hold the lock for long; nobody waits for those in here.
        let state = match self.state.try_read() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Unavailable),
        };
        match &*state {
            State::Open(database) => work(database).map_err(|e| self.noted(e)),
            State::Failed(error, _) => Err(error.clone()),
            State::Closed => Err(StoreError::Closed),
        }
    }

    fn try_apply(&self, batches: &[Batch]) -> Result<Vec<Result<(), StoreError>>, Attempt> {
        // The writer may wait for a recovery that a reader has started.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let database = match &*state {
            State::Open(database) => database,
            State::Failed(error, _) => return Err(Attempt::NotBegun(error.clone())),
            State::Closed => return Err(Attempt::NotBegun(StoreError::Closed)),
        };
        let transaction =
            database.begin_write().map_err(|e| Attempt::NotBegun(StoreError::from_redb(e)))?;
        let results = write(&transaction, batches).map_err(Attempt::Failed)?;
        if results.iter().any(Result::is_ok) {
            transaction.commit().map_err(|e| Attempt::Failed(StoreError::from_redb(e)))?;
        } else {
            transaction.abort().map_err(|e| Attempt::Failed(StoreError::from_redb(e)))?;
        }
        Ok(results)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// How far a failed attempt to write came.
enum Attempt {
    /// Nothing was written, so trying again is safe.
    NotBegun(StoreError),
    /// It may or may not have been written.
    Failed(StoreError),
}

type Rows<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

fn write(
    transaction: &WriteTransaction,
    batches: &[Batch],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut tables: Vec<(Table, Rows<'_>)> = Vec::new();
    let mut results = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut holds = true;
        for (table, key, expected) in &batch.required {
            let rows = opened(transaction, &mut tables, *table)?;
            let found = rows.get(key.as_slice()).map_err(StoreError::from_redb)?;
            holds &= found.as_ref().map(|v| v.value()) == expected.as_deref();
        }
        if !holds {
            results.push(Err(StoreError::Conflict));
            continue;
        }
        for (table, key, value) in &batch.changes {
            let rows = opened(transaction, &mut tables, *table)?;
            match value {
                Some(value) => rows.insert(key.as_slice(), value.as_slice()),
                None => rows.remove(key.as_slice()),
            }
            .map_err(StoreError::from_redb)?;
        }
        results.push(Ok(()));
    }
    Ok(results)
}

fn opened<'t, 'a>(
    transaction: &'t WriteTransaction,
    tables: &'a mut Vec<(Table, Rows<'t>)>,
    table: Table,
) -> Result<&'a mut Rows<'t>, StoreError> {
    let at = match tables.iter().position(|(open, _)| *open == table) {
        Some(at) => at,
        None => {
            let rows = transaction.open_table(definition(table)).map_err(StoreError::from_redb)?;
            tables.push((table, rows));
            tables.len() - 1
        }
    };
    tables.get_mut(at).map(|(_, rows)| rows).ok_or(StoreError::Unavailable)
}

/// Checks the format of a database, and gives a new one its tables, so that reading never meets
/// a table that is not there.
pub(super) fn prepared(database: Database) -> Result<Database, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::from_redb)?;
    let names: Vec<String> = transaction
        .list_tables()
        .map_err(StoreError::from_redb)?
        .map(|t| t.name().to_owned())
        .collect();
    if names.iter().any(|name| name == Table::Meta.name()) {
        let meta =
            transaction.open_table(definition(Table::Meta)).map_err(StoreError::from_redb)?;
        let value = meta.get(FORMAT_KEY).map_err(StoreError::from_redb)?;
        let found: u32 = value
            .and_then(|v| serde_json::from_slice(v.value()).ok())
            .ok_or(StoreError::NotAStore)?;
        if found > FORMAT {
            return Err(StoreError::NewerFormat { found, known: FORMAT });
        }
    } else if !names.is_empty() {
        return Err(StoreError::NotAStore);
    }
    drop(transaction);
    if Table::ALL.iter().any(|table| names.iter().all(|name| name != table.name())) {
        let transaction = database.begin_write().map_err(StoreError::from_redb)?;
        for table in Table::ALL {
            let mut rows =
                transaction.open_table(definition(*table)).map_err(StoreError::from_redb)?;
            if *table == Table::Meta {
                rows.insert(FORMAT_KEY, FORMAT.to_string().as_bytes())
                    .map_err(StoreError::from_redb)?;
            }
        }
        transaction.commit().map_err(StoreError::from_redb)?;
    }
    Ok(database)
}

/// Creates the file and its folder where they are absent, for the owner's eyes only, and makes
/// their names durable: redb flushes what is in the file, not that it is there.
fn create_file(path: &Path) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull,
        kind => StoreError::Io(kind),
    };
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
            #[cfg(unix)]
            for folder in [Some(folder), folder.parent()].into_iter().flatten() {
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                File::open(folder).and_then(|f| f.sync_all()).map_err(failed)?;
            }
            Ok(())
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed(e)),
    }
}

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key.as_slice()),
        Bound::Excluded(key) => Bound::Excluded(key.as_slice()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

fn is_inverted(range: &KeyRange) -> bool {
    match range {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Excluded(to) | Bound::Included(to),
        ) => from >= to,
        _ => false,
    }
}
