//! Conversations, bounded and durable.
//!
//! A conversation is one row, read and written whole: it is small by its bounds. A second row puts
//! it in the order in which conversations expire, by the hour, so that sweeping finds the oldest
//! without reading the others. Each append sweeps a few.

mod shelves;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use self::shelves::Shelves;
use crate::{
    domain::{Role, SessionId, TenantId, Turn},
    seal::Keyring,
    store::{Batch, Store, StoreError, Table, decode, encode, keys},
};

/// Bounds of conversations.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// Most turns of one conversation; the oldest go first.
    pub max_turns: usize,
    /// Most bytes of one conversation; the oldest turns go first, and a single turn that is longer
    /// is cut.
    pub max_bytes: usize,
    /// How long after its last turn a conversation is kept.
    pub ttl: Duration,
    /// Most conversations of one tenant; those that he spoke in least recently go first.
    pub max_per_tenant: usize,
    /// Most conversations, of all tenants together; the oldest go first.
    pub max_sessions: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            max_turns: 200,
            max_bytes: 256 * 1024,
            ttl: Duration::from_hours(168),
            max_per_tenant: 10_000,
            max_sessions: 100_000,
        }
    }
}

/// The conversations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    keyring: Keyring,
    options: SessionOptions,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The conversations in the store, about: exact but for what two do to one at the same time.
    /// After a restart, when each was last spoken in is known to the hour.
    shelves: Mutex<Shelves>,
    /// No sweep finds anything before this moment.
    sweep_at: AtomicI64,
}

/// A conversation as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Conversation {
    turns: Vec<Turn>,
    /// When it was last appended to, in milliseconds since the Unix epoch.
    touched_ms: i64,
}

/// Attempts to append while others append to the same conversation.
const ATTEMPTS: usize = 32;
/// Conversations that one append sweeps at most.
const SWEEP: usize = 8;
const HOUR_MS: i64 = 3_600_000;
const PAGE: usize = 4096;

impl Sessions {
    /// Opens the conversations in a store.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn open(store: Store, options: SessionOptions) -> Result<Self, StoreError> {
        Self::open_sealed(store, options, Keyring::plain()).await
    }

    /// [`Sessions::open`] with keys: what is written is sealed with the first of them. `admit` of
    /// the room `seal` has said before that the keys fit.
    ///
    /// # Errors
    /// As [`Sessions::open`].
    pub async fn open_sealed(
        store: Store,
        options: SessionOptions,
        keyring: Keyring,
    ) -> Result<Self, StoreError> {
        let mut shelves = Shelves::default();
        let mut range = keys::EVERYTHING;
        loop {
            let rows = store.scan(Table::SessionExpiry, range, PAGE, false).await?;
            for (hour, tenant, session) in rows.iter().filter_map(|(due, _)| owner(due)) {
                shelves.touch(&tenant, &session, hour_start_ms(hour));
            }
            let Some((last, _)) = rows.last() else { break };
            range = keys::after(last.clone());
        }
        let shared = Shared { shelves: Mutex::new(shelves), sweep_at: AtomicI64::new(i64::MIN) };
        Ok(Self { store, keyring, options, shared: Arc::new(shared) })
    }

    /// Adds turns to a conversation, and begins it where there is none. Durable when this returns
    /// `Ok`. Turns of one call stay together and in order, also when others append at once.
    ///
    /// # Errors
    /// What keeps the store from being read or written; [`StoreError::Conflict`] when very many
    /// append to the same conversation at once.
    pub async fn append(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        turns: &[Turn],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if turns.is_empty() {
            return Ok(());
        }
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        for _ in 0..ATTEMPTS {
            let old = self.store.get(Table::Sessions, &key).await?;
            // One that cannot be read is begun anew.
            let conversation = old.as_deref().and_then(|value| self.read(&key, value).ok());
            let due = conversation.as_ref().map(|c| expiry_key(c.touched_ms, &key));
            let mut conversation =
                conversation.filter(|c| !self.is_over(c, now_ms)).unwrap_or_default();
            conversation.turns.extend_from_slice(turns);
            conversation.touched_ms = conversation.touched_ms.max(now_ms);
            self.bound(&mut conversation.turns);

            let mut batch = Batch::new();
            let next_due = expiry_key(conversation.touched_ms, &key);
            if let Some(due) = due.filter(|due| *due != next_due) {
                batch.delete(Table::SessionExpiry, due);
            }
            batch.put(Table::SessionExpiry, next_due, "");
            batch.put(Table::Sessions, key.as_slice(), self.written(&key, &conversation)?);
            batch.require(Table::Sessions, key.as_slice(), old);
            match self.store.commit(batch).await {
                Ok(()) => {
                    self.shelves().touch(tenant, session, conversation.touched_ms);
                    // The turns are safe; what cannot be removed now is removed by a later append.
                    let _ = self.make_room(tenant, session).await;
                    let _ = self.sweep(now_ms).await;
                    return Ok(());
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// The turns of a conversation that are still kept, oldest first; none when it is over or has
    /// never begun.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn recent(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        now_ms: i64,
    ) -> Result<Vec<Turn>, StoreError> {
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        let found = self.store.get(Table::Sessions, &key).await?;
        let found = found.as_deref().map(|value| self.read(&key, value)).transpose()?;
        Ok(found.filter(|c| !self.is_over(c, now_ms)).map(|c| c.turns).unwrap_or_default())
    }

    /// Removes a conversation; returns whether there was one.
    ///
    /// # Errors
    /// What keeps the store from being read or written.
    pub async fn forget(&self, tenant: &TenantId, session: &SessionId) -> Result<bool, StoreError> {
        for _ in 0..ATTEMPTS {
            match self.remove(tenant, session).await {
                Err(StoreError::Conflict) => {}
                ended => return ended,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Removes a conversation as it is now; [`StoreError::Conflict`] when it goes on meanwhile.
    async fn remove(&self, tenant: &TenantId, session: &SessionId) -> Result<bool, StoreError> {
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        let old = self.store.get(Table::Sessions, &key).await?;
        let was_there = old.is_some();
        if let Some(old) = old {
            let mut batch = Batch::new();
            if let Ok(conversation) = self.read(&key, &old) {
                batch.delete(Table::SessionExpiry, expiry_key(conversation.touched_ms, &key));
            }
            batch.delete(Table::Sessions, key.as_slice());
            batch.require(Table::Sessions, key.as_slice(), Some(old));
            self.store.commit(batch).await?;
        }
        self.shelves().remove(tenant, session);
        Ok(was_there)
    }

    /// Removes a few of a tenant's oldest conversations when he has too many, but never the one
    /// that he just spoke in.
    async fn make_room(&self, tenant: &TenantId, spoken_in: &SessionId) -> Result<(), StoreError> {
        let most = self.options.max_per_tenant.max(1);
        for _ in 0..SWEEP {
            let oldest = self.shelves().one_too_many(tenant, most, spoken_in);
            let Some(oldest) = oldest else { break };
            match self.remove(tenant, &oldest).await {
                // In a conflict it goes on, and is no longer the oldest.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes a few of the oldest conversations that are over, or too many.
    async fn sweep(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut surplus = self.shelves().total().saturating_sub(self.options.max_sessions);
        if surplus == 0 && now_ms < self.shared.sweep_at.load(Ordering::Relaxed) {
            return Ok(());
        }
        let rows = self.store.scan(Table::SessionExpiry, keys::EVERYTHING, SWEEP, false).await?;
        for (due, _) in rows {
            let Some((hour, key)) = keys::split_number(&due) else { continue };
            let old = self.store.get(Table::Sessions, key).await?;
            let conversation = old.as_deref().and_then(|value| self.read(key, value).ok());
            let is_due = |c: &Conversation| expiry_key(c.touched_ms, key) == due;
            let mut batch = Batch::new();
            let mut removes = false;
            match conversation {
                // It has another place, and this one is left over.
                Some(c) if !is_due(&c) => {}
                Some(c) if surplus == 0 && !self.is_over(&c, now_ms) => {
                    // Those behind it in its hour may be over before it, but not after the hour.
                    let end = hour_end_ms(hour).saturating_add(self.ttl_ms());
                    let next = end.min(now_ms.saturating_add(HOUR_MS));
                    self.shared.sweep_at.store(next, Ordering::Relaxed);
                    return Ok(());
                }
                _ => {
                    removes = old.is_some();
                    batch.delete(Table::Sessions, key);
                }
            }
            batch.require(Table::Sessions, key, old);
            batch.delete(Table::SessionExpiry, due.as_slice());
            match self.store.commit(batch).await {
                Ok(()) if removes => {
                    if let Some((_, tenant, session)) = owner(&due) {
                        self.shelves().remove(&tenant, &session);
                    }
                    surplus = surplus.saturating_sub(1);
                }
                // In a conflict it goes on, so it is not to be swept.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&self, row: &[u8], value: &[u8]) -> Result<Conversation, StoreError> {
        let opened = self.keyring.open(Table::Sessions.name(), row, value);
        let opened = opened.map_err(|_| StoreError::Unreadable(Table::Sessions.name()))?;
        decode(Table::Sessions, &opened.value)
    }

    fn written(&self, row: &[u8], conversation: &Conversation) -> Result<Vec<u8>, StoreError> {
        let value = encode(Table::Sessions, conversation)?;
        Ok(self.keyring.seal(Table::Sessions.name(), row, value))
    }

    /// Writes every conversation anew that is not sealed with the key in use; returns how many. One
    /// that goes on meanwhile is written anew by that.
    ///
    /// # Errors
    /// What keeps the store from being read or written; what was written anew stays so.
    pub async fn reseal(&self) -> Result<usize, StoreError> {
        /// Conversations read at once: each has at most some hundred kilobytes.
        const GROUP: usize = 16;
        let (mut range, mut rewritten) = (keys::EVERYTHING, 0);
        loop {
            let rows = self.store.scan(Table::Sessions, range, GROUP, false).await?;
            let Some((last, _)) = rows.last() else { return Ok(rewritten) };
            range = keys::after(last.clone());
            for (row, old) in rows {
                let opened = self.keyring.open(Table::Sessions.name(), &row, &old);
                let Some(opened) = opened.ok().filter(|opened| !opened.is_current) else {
                    continue;
                };
                let value = opened.value.into_owned();
                let value = self.keyring.seal(Table::Sessions.name(), &row, value);
                let mut batch = Batch::new();
                batch.put(Table::Sessions, row.as_slice(), value);
                batch.require(Table::Sessions, row, Some(old));
                match self.store.commit(batch).await {
                    Ok(()) => rewritten += 1,
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    fn is_over(&self, conversation: &Conversation, now_ms: i64) -> bool {
        conversation.touched_ms.saturating_add(self.ttl_ms()) <= now_ms
    }

    fn ttl_ms(&self) -> i64 {
        i64::try_from(self.options.ttl.as_millis()).unwrap_or(i64::MAX)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shared.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the oldest turns until the bounds hold; the newest is cut rather than dropped.
    fn bound(&self, turns: &mut Vec<Turn>) {
        let surplus = turns.len().saturating_sub(self.options.max_turns.max(1));
        turns.drain(..surplus);
        let mut bytes = 0;
        let kept = turns
            .iter()
            .rev()
            .take_while(|turn| {
                bytes += turn.content.len();
                bytes <= self.options.max_bytes
            })
            .count();
        turns.drain(..turns.len() - kept.max(1).min(turns.len()));
        if let (0, Some(last)) = (kept, turns.last_mut()) {
            let end = last.content.floor_char_boundary(self.options.max_bytes);
            last.content.truncate(end);
        }
        // An answer whose question is gone is no use, and some models refuse to begin with one.
        let answers = turns.iter().take_while(|turn| turn.role == Role::Assistant).count();
        if answers < turns.len() {
            turns.drain(..answers);
        }
    }
}

/// The place of a conversation in the order of expiry.
fn expiry_key(touched_ms: i64, key: &[u8]) -> Vec<u8> {
    let hour = u64::try_from(touched_ms.max(0) / HOUR_MS).unwrap_or(0);
    let mut due = keys::number(hour);
    due.extend_from_slice(key);
    due
}

/// The hour and the conversation of a place in the order of expiry.
fn owner(due: &[u8]) -> Option<(u64, TenantId, SessionId)> {
    let (hour, key) = keys::split_number(due)?;
    let (tenant, session) = keys::split(key)?;
    let session = SessionId::new(std::str::from_utf8(session).ok()?).ok()?;
    Some((hour, tenant, session))
}

fn hour_start_ms(hour: u64) -> i64 {
    i64::try_from(hour).unwrap_or(i64::MAX).saturating_mul(HOUR_MS)
}

fn hour_end_ms(hour: u64) -> i64 {
    i64::try_from(hour).unwrap_or(i64::MAX).saturating_add(1).saturating_mul(HOUR_MS)
}
