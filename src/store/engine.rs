//! redb below the log: tables, large transactions, and opening the file anew after a failure.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::{
    KeyRange, Row, StoreError, Table, blocks,
    format::{self, APPLIED, NUMBERS, Numbers},
    overlay::Overlay,
};

/// Memory for pages. The ledger is written far more than read, so a larger cache would only fill;
/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Time between two attempts to open a file anew that failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// One open database. All methods block.
pub(super) struct Engine {
    state: RwLock<State>,
    /// Set by an I/O error. redb refuses all work from then on, until the file is opened anew.
    failed: AtomicBool,
    /// Opens the file anew.
    open: Opener,
    /// Shortest time between two such attempts.
    patience: Duration,
}

/// How the database is opened: a file in production, a faulty one in tests.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>;

enum State {
    Open(Opened),
    /// Opening anew failed, for this reason and at this moment.
    Failed(StoreError, Instant),
    Closed,
}

struct Opened {
    /// The tables as the last transaction left them. Opening them costs more than reading a row.
    tables: ArcSwap<Tables>,
    database: Database,
}

/// All tables as one transaction left them; later ones do not change it.
pub(super) struct Snapshot(Arc<Tables>);

type Tables = Vec<ReadOnlyTable<&'static [u8], &'static [u8]>>;

impl Engine {
    pub(super) fn file(path: &Path) -> Result<Self, StoreError> {
        format::create_file(path)?;
        let path = path.to_owned();
        let open = move || {
            Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create(&path)
                .map_err(StoreError::from_redb)
        };
        Self::opened_by(Box::new(open), PATIENCE)
    }

    /// An engine that uses `open` now, and again after every I/O error.
    pub(super) fn opened_by(open: Opener, patience: Duration) -> Result<Self, StoreError> {
        let state = RwLock::new(State::Open(Opened::new(open()?)?));
        Ok(Self { state, failed: AtomicBool::new(false), open, patience })
    }

    pub(super) fn numbers(&self) -> Result<Numbers, StoreError> {
        self.with_opened(|opened| format::numbers(&opened.database))
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_opened(|opened| {
            let tables = opened.tables.load();
            let rows = tables.get(table as usize).ok_or(StoreError::Unavailable)?;
            blocks::get(rows, key)
        })
    }

    /// Goes through the rows of a range, which is not inverted, in the order of their keys or its
    /// opposite. `begin` is given what fixes the state that is read, and calls it at the moment of
    /// its choice; it reads nothing from the disk. `work` gets what `begin` returns beside that.
    pub(super) fn with_rows<B, T>(
        &self,
        table: Table,
        range: &KeyRange,
        reverse: bool,
        begin: impl FnOnce(&dyn Fn() -> Snapshot) -> Result<(B, Snapshot), StoreError>,
        work: impl FnOnce(B, &mut dyn Iterator<Item = Result<Row, StoreError>>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_opened(|opened| {
            let (begun, Snapshot(tables)) = begin(&|| Snapshot(opened.tables.load_full()))?;
            let rows = tables.get(table as usize).ok_or(StoreError::Unavailable)?;
            let mut rows = blocks::rows(rows, range, reverse)?;
            work(begun, &mut rows)
        })
    }

    /// Writes all changes in one transaction, with the last segment of the log that they come
    /// from. Doing it again does no harm. It is durable when this returns `Ok`; after an error it
    /// may have happened nevertheless.
    pub(super) fn absorb(&self, changes: &Overlay, through: u64) -> Result<(), StoreError> {
        if self.has_failed() {
            self.recover()?;
        }
        match self.try_absorb(changes, through) {
            // Somebody else has met a failure in between.
            Err(StoreError::Unavailable) => {
                self.noted(StoreError::Unavailable);
                self.recover()?;
                self.try_absorb(changes, through)
            }
            other => other,
        }
        .map_err(|error| self.noted(error))
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
        // The old handle holds the file's lock, so it goes first.
        *state = State::Failed(StoreError::Unavailable, Instant::now());
        match (self.open)().and_then(Opened::new) {
            Ok(opened) => {
                *state = State::Open(opened);
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
            State::Open(Opened { tables, database }) => {
                drop(tables);
                database.close().map_err(StoreError::from_redb)
            }
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

    fn with_opened<T>(
        &self,
        work: impl FnOnce(&Opened) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Only recovery and closing hold the lock for long; nobody waits for those in here.
        let state = match self.state.try_read() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Unavailable),
        };
        match &*state {
            State::Open(opened) => work(opened).map_err(|e| self.noted(e)),
            State::Failed(error, _) => Err(error.clone()),
            State::Closed => Err(StoreError::Closed),
        }
    }

    fn try_absorb(&self, changes: &Overlay, through: u64) -> Result<(), StoreError> {
        // Waits for a recovery that a reader has started.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let opened = match &*state {
            State::Open(opened) => opened,
            State::Failed(error, _) => return Err(error.clone()),
            State::Closed => return Err(StoreError::Closed),
        };
        let mut transaction = opened.database.begin_write().map_err(StoreError::from_redb)?;
        // Costs little in a large transaction; without it, the file is walked from end to end
        // when it is opened after a crash.
        transaction.set_quick_repair(true);
        for (table, changes) in changes.changes() {
            let definition = blocks::definition(table);
            let mut rows = transaction.open_table(definition).map_err(StoreError::from_redb)?;
            blocks::absorb(&mut rows, changes.iter().map(blocks::as_change))?;
        }
        {
            let mut numbers = transaction.open_table(NUMBERS).map_err(StoreError::from_redb)?;
            numbers.insert(APPLIED, through).map_err(StoreError::from_redb)?;
        }
        transaction.commit().map_err(StoreError::from_redb)?;
        opened.refresh()
    }
}

impl Opened {
    fn new(database: Database) -> Result<Self, StoreError> {
        let database = format::prepared(database)?;
        Ok(Self { tables: ArcSwap::from_pointee(tables(&database)?), database })
    }

    fn refresh(&self) -> Result<(), StoreError> {
        self.tables.store(tables(&self.database)?.into());
        Ok(())
    }
}

/// All tables as they are now, in the order of [`Table::ALL`].
fn tables(database: &Database) -> Result<Tables, StoreError> {
    let transaction = database.begin_read().map_err(StoreError::from_redb)?;
    let open = |table: &Table| transaction.open_table(blocks::definition(*table));
    Table::ALL.iter().map(open).collect::<Result<_, _>>().map_err(StoreError::from_redb)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
