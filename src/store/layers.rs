//! The layers of the store, newest first: what was committed lately, in memory and in the log;
//! what is on its way from there into the database; the database.
//!
//! A commit writes to the log alone. Now and then all that has gathered goes into the database in
//! one transaction, after which its segments of the log are removed. So a B-tree is changed for
//! thousands of commits at a time, in the order of its keys, and a key that each of them changes is
//! written once.

use std::{
    iter::Peekable,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

use super::{
    Batch, KeyRange, Row, StoreError, Table,
    engine::Engine,
    log::{Folder, Log, Sealed},
    overlay::{Change, Overlay, is_inverted},
};

/// When what was committed lately goes on into the database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of log, or of memory, after which it does.
    pub(super) gather: usize,
    /// Bytes with which commits wait for it. Bounds the memory, and what a restart reads.
    pub(super) most: usize,
    /// Shortest time between two attempts after a failure.
    pub(super) patience: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self =
        Self { gather: 4 * 1024 * 1024, most: 16 * 1024 * 1024, patience: super::engine::PATIENCE };
}

/// Times that one reader has the database opened anew.
const RECOVERIES: usize = 8;

/// All layers of a store. Its methods block, except for [`Layers::get`].
#[derive(Debug)]
pub(super) struct Layers {
    recent: RwLock<Recent>,
    /// Absent for a store in memory.
    durable: Option<Durable>,
}

#[derive(Debug)]
struct Recent {
    active: Overlay,
    /// On its way into the database; never changed.
    moving: Option<Arc<Moving>>,
    closed: bool,
}

#[derive(Debug)]
struct Moving {
    changes: Overlay,
    segments: Sealed,
}

#[derive(Debug)]
struct Durable {
    engine: Engine,
    /// `None` when the store is closed, so that the folder's lock is given back.
    log: Mutex<Option<Log>>,
    limits: Limits,
    /// Held while changes move into the database.
    mover: Mutex<Mover>,
    /// Whether the log was read when the store was opened, and its content is not yet in the
    /// database. It may be in the page cache alone: nothing is written on top of it.
    unsettled: AtomicBool,
}

#[derive(Debug, Default)]
struct Mover {
    failed: Option<(StoreError, Instant)>,
}

impl Layers {
    /// A store that ends with the process.
    pub(super) fn memory() -> Self {
        let recent = Recent { active: Overlay::ground(), moving: None, closed: false };
        Self { recent: RwLock::new(recent), durable: None }
    }

    /// A store over a database and its log.
    pub(super) fn over(
        engine: Engine,
        folder: Box<dyn Folder>,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let numbers = engine.numbers()?;
        let (mut log, changes) =
            Log::open(folder, numbers.identity, numbers.applied, limits.patience)?;
        let segments = log.seal();
        let unsettled = !changes.is_empty();
        let mut recent = Recent { active: Overlay::above(), moving: None, closed: false };
        if unsettled {
            recent.moving = Some(Arc::new(Moving { changes, segments }));
        } else {
            log.discard(&segments);
        }
        let layers = Self {
            recent: RwLock::new(recent),
            durable: Some(Durable {
                engine,
                log: Mutex::new(Some(log)),
                limits,
                mover: Mutex::default(),
                unsettled: AtomicBool::new(unsettled),
            }),
        };
        // On a full disk the store can be read all the same.
        if let Err(error) = layers.settle() {
            tracing::warn!(%error, "the store was read but cannot be written");
        }
        Ok(layers)
    }

    /// Whether writing and scanning take long enough to keep them off the threads that serve.
    pub(super) fn blocks(&self) -> bool {
        self.durable.is_some()
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        {
            let recent = self.read();
            if recent.closed {
                return Err(StoreError::Closed);
            }
            if let Some(change) = recent.get(table, key) {
                return Ok(change.clone());
            }
        }
        match &self.durable {
            Some(durable) => durable.engine.get(table, key),
            None => Ok(None),
        }
    }

    pub(super) fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(durable) = &self.durable else {
            let recent = self.open_recent()?;
            if is_inverted(range) {
                return Ok(Vec::new());
            }
            let changes = vec![recent.active.range(table, range, reverse).peekable()];
            return merged(changes, &mut std::iter::empty(), limit, reverse);
        };
        if is_inverted(range) {
            return self.open_recent().map(|_| Vec::new());
        }
        durable.engine.with_rows(
            table,
            range,
            reverse,
            |snapshot| {
                // The layers are taken at one moment, so that nothing moves from one to the other
                // meanwhile. The disk is read without the lock, which writers and readers want.
                let recent = self.open_recent()?;
                let active = first_changes(&recent.active, table, range, limit, reverse);
                Ok(((active, recent.moving.clone()), snapshot()))
            },
            |(active, moving), rows| {
                let active: Changes<'_> = {
                    let changes = active.iter().map(|(key, change)| (key.as_slice(), change));
                    (Box::new(changes) as Box<dyn Iterator<Item = _>>).peekable()
                };
                let moving = moving.as_deref();
                let moving = moving.map(|m| m.changes.range(table, range, reverse).peekable());
                merged(std::iter::once(active).chain(moving).collect(), rows, limit, reverse)
            },
        )
    }

    fn open_recent(&self) -> Result<RwLockReadGuard<'_, Recent>, StoreError> {
        let recent = self.read();
        if recent.closed { Err(StoreError::Closed) } else { Ok(recent) }
    }

    /// Reads, on a thread that may block, in spite of a database that fails: each time that somebody
    /// meets a failure it is opened anew, and a move into it that fails again right then must not
    /// cost who reads at the same moment.
    pub(super) fn recovering<T>(
        &self,
        read: impl Fn(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut result = read(self);
        for _ in 0..RECOVERIES {
            match &result {
                Err(error) if self.may_recover_from(error) => {
                    self.recover()?;
                    result = read(self);
                }
                _ => break,
            }
        }
        result
    }

    /// Writes the batches with one flush. The results are the batches' own: one whose requirements
    /// do not hold fails alone.
    pub(super) fn write(&self, mut batches: Vec<Batch>) -> Vec<Result<(), StoreError>> {
        let mut results = self.judge(&batches);
        let mut kept = results.iter().map(Result::is_ok);
        batches.retain(|_| kept.next().unwrap_or(false));
        if batches.iter().all(|batch| batch.changes.is_empty()) {
            return results;
        }
        if let Err(error) = self.log(&batches) {
            results.iter_mut().filter(|r| r.is_ok()).for_each(|r| *r = Err(error.clone()));
            return results;
        }
        let mut recent = self.write_recent();
        for (table, key, change) in batches.into_iter().flat_map(|batch| batch.changes) {
            recent.active.set(table, key, change);
        }
        results
    }

    /// Whether [`Layers::settle`] has something to do now.
    pub(super) fn wants_settling(&self) -> bool {
        let patient = |durable: &Durable| {
            durable.mover.try_lock().is_ok_and(|mover| !mover.must_wait(durable.limits.patience))
        };
        self.read().moving.is_some() && self.durable.as_ref().is_some_and(patient)
    }

    /// Moves what is on its way into the database, and waits for whoever does so already.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        let mut mover = durable.mover.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(moving) = self.read().moving.clone() else { return Ok(()) };
        if let Some((error, _)) = &mover.failed
            && mover.must_wait(durable.limits.patience)
        {
            return Err(error.clone());
        }
        let result = durable.engine.absorb(&moving.changes, moving.segments.through);
        mover.failed = result.as_ref().err().map(|error| (error.clone(), Instant::now()));
        result?;
        // The database has it by now, whoever reads in between.
        self.write_recent().moving = None;
        durable.unsettled.store(false, Ordering::Release);
        if let Some(log) = &mut *durable.log() {
            log.discard(&moving.segments);
        }
        Ok(())
    }

    /// Opens the database anew where it failed.
    pub(super) fn recover(&self) -> Result<(), StoreError> {
        self.durable.as_ref().map_or(Ok(()), |durable| durable.engine.recover())
    }

    /// Whether another attempt may succeed after [`Layers::recover`]: the database has failed, or
    /// is just being opened anew by somebody else, who may be done by now.
    pub(super) fn may_recover_from(&self, error: &StoreError) -> bool {
        let failed = |durable: &Durable| durable.engine.has_failed();
        *error == StoreError::Unavailable || self.durable.as_ref().is_some_and(failed)
    }

    /// Moves everything into the database and closes it; nobody commits any more. What cannot be
    /// moved stays in the log.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        let settled = self.settle().and_then(|()| {
            self.freeze();
            self.settle()
        });
        {
            let mut recent = self.write_recent();
            recent.closed = true;
            recent.active = Overlay::above();
            recent.moving = None;
        }
        let Some(durable) = &self.durable else { return Ok(()) };
        let closed = durable.engine.close();
        // The last one to go, because it holds the lock.
        *durable.log() = None;
        settled.and(closed)
    }

    /// Whether each batch's requirements hold, given those before it.
    fn judge(&self, batches: &[Batch]) -> Vec<Result<(), StoreError>> {
        let mut before: FxHashMap<(Table, &[u8]), &Change> = FxHashMap::default();
        let mut results = Vec::with_capacity(batches.len());
        for batch in batches {
            let result = batch.required.iter().try_for_each(|(table, key, expected)| {
                let holds = match before.get(&(*table, key.as_slice())) {
                    Some(present) => *present == expected,
                    None => self.recovering(|layers| layers.get(*table, key))? == *expected,
                };
                if holds { Ok(()) } else { Err(StoreError::Conflict) }
            });
            if result.is_ok() && batches.len() > 1 {
                for (table, key, change) in &batch.changes {
                    before.insert((*table, key), change);
                }
            }
            results.push(result);
        }
        results
    }

    fn log(&self, batches: &[Batch]) -> Result<(), StoreError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        self.make_room(durable)?;
        durable.log().as_mut().ok_or(StoreError::Closed)?.append(batches.iter())
    }

    /// Keeps the log within its limits.
    fn make_room(&self, durable: &Durable) -> Result<(), StoreError> {
        if durable.unsettled.load(Ordering::Acquire) {
            self.settle()?;
        }
        let written = durable.log().as_ref().map_or(0, Log::written);
        let written = written.max(self.read().active.bytes());
        if written < durable.limits.gather {
            return Ok(());
        }
        if written >= durable.limits.most {
            self.settle()?;
        }
        self.freeze();
        Ok(())
    }

    /// Sends what was committed lately on its way, unless something is on its way already.
    fn freeze(&self) {
        let Some(durable) = &self.durable else { return };
        let mut log = durable.log();
        let mut recent = self.write_recent();
        if let Some(log) = &mut *log
            && recent.moving.is_none()
            && !recent.active.is_empty()
        {
            let changes = std::mem::replace(&mut recent.active, Overlay::above());
            recent.moving = Some(Arc::new(Moving { changes, segments: log.seal() }));
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_recent(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn get(&self, table: Table, key: &[u8]) -> Option<&Change> {
        let moving = || self.moving.as_ref()?.changes.get(table, key);
        self.active.get(table, key).or_else(moving)
    }
}

impl Durable {
    fn log(&self) -> MutexGuard<'_, Option<Log>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mover {
    fn must_wait(&self, patience: Duration) -> bool {
        self.failed.as_ref().is_some_and(|(_, at)| at.elapsed() < patience)
    }
}

/// The first changes of a range, as many as a scan of `limit` rows can need: each value is a row of
/// it, whatever is below.
fn first_changes(
    overlay: &Overlay,
    table: Table,
    range: &KeyRange,
    limit: usize,
    reverse: bool,
) -> Vec<(Vec<u8>, Change)> {
    let mut values = 0;
    overlay
        .range(table, range, reverse)
        .take_while(|(_, change)| {
            let needed = values < limit;
            values += usize::from(change.is_some());
            needed
        })
        .map(|(key, change)| (key.to_vec(), change.clone()))
        .collect()
}

type Changes<'o> = Peekable<Box<dyn Iterator<Item = (&'o [u8], &'o Change)> + 'o>>;

/// The first `limit` rows of all layers together. The overlays come newest first.
fn merged(
    mut overlays: Vec<Changes<'_>>,
    rows: &mut dyn Iterator<Item = Result<Row, StoreError>>,
    limit: usize,
    reverse: bool,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = rows.peekable();
    let mut found = Vec::new();
    while found.len() < limit {
        let changed = overlays.iter_mut().filter_map(|o| o.peek().map(|(key, _)| *key));
        let changed = if reverse { changed.max() } else { changed.min() };
        let row = match rows.peek() {
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok((key, _))) => Some(key.as_slice()),
            None => None,
        };
        let (from_row, from_overlay) = match (row, changed) {
            (None, None) => break,
            (Some(_), None) => (true, None),
            (None, Some(key)) => (false, Some(key)),
            (Some(row), Some(key)) => {
                let order = if reverse { key.cmp(row) } else { row.cmp(key) };
                (order.is_le(), order.is_ge().then_some(key))
            }
        };
        let row = if from_row { rows.next().transpose()? } else { None };
        match from_overlay {
            None => found.extend(row),
            Some(key) => {
                let mut newest = None;
                for overlay in &mut overlays {
                    let change = overlay.next_if(|(next, _)| *next == key);
                    newest = newest.or(change.map(|(_, change)| change));
                }
                found.extend(newest.cloned().flatten().map(|value| (key.to_vec(), value)));
            }
        }
    }
    Ok(found)
}
