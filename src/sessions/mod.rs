//! Conversations, bounded and durable.
//!
//! A conversation is one row, read and written whole: it is small by its bounds. A second row puts
//! it in the order in which conversations expire, by the hour, so that sweeping finds the oldest
//! without reading the others. Each append sweeps a few.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{SessionId, TenantId, Turn},
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
    /// Most conversations, of all tenants together; the oldest go first.
    pub max_sessions: u64,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            max_turns: 40,
            max_bytes: 64 * 1024,
            ttl: Duration::from_hours(24),
            max_sessions: 100_000,
        }
    }
}

/// The conversations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    options: SessionOptions,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Conversations in the store, about: exact but for failed commits.
    count: AtomicU64,
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
        let mut count = 0;
        let mut range = keys::EVERYTHING;
        loop {
            let rows = store.scan(Table::SessionExpiry, range, PAGE, false).await?;
            let Some((last, _)) = rows.last() else { break };
            count += rows.len() as u64;
            range = keys::after(last.clone());
        }
        let shared = Shared { count: AtomicU64::new(count), sweep_at: AtomicI64::new(i64::MIN) };
        Ok(Self { store, options, shared: Arc::new(shared) })
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
            let conversation = old.as_deref().and_then(|value| read(value).ok());
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
            let is_new = old.is_none();
            batch.put(Table::SessionExpiry, next_due, "");
            batch.put(Table::Sessions, key.as_slice(), encode(Table::Sessions, &conversation)?);
            batch.require(Table::Sessions, key.as_slice(), old);
            match self.store.commit(batch).await {
                Ok(()) => {
                    if is_new {
                        self.shared.count.fetch_add(1, Ordering::Relaxed);
                    }
                    // The turns are safe; what cannot be swept now is swept by a later append.
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
        let found = found.as_deref().map(read).transpose()?;
        Ok(found.filter(|c| !self.is_over(c, now_ms)).map(|c| c.turns).unwrap_or_default())
    }

    /// Removes a conversation; returns whether there was one.
    ///
    /// # Errors
    /// What keeps the store from being read or written.
    pub async fn forget(&self, tenant: &TenantId, session: &SessionId) -> Result<bool, StoreError> {
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        for _ in 0..ATTEMPTS {
            let Some(old) = self.store.get(Table::Sessions, &key).await? else {
                return Ok(false);
            };
            let mut batch = Batch::new();
            if let Ok(conversation) = read(&old) {
                batch.delete(Table::SessionExpiry, expiry_key(conversation.touched_ms, &key));
            }
            batch.delete(Table::Sessions, key.as_slice());
            batch.require(Table::Sessions, key.as_slice(), Some(old));
            match self.store.commit(batch).await {
                Ok(()) => {
                    self.count_removed();
                    return Ok(true);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Removes a few of the oldest conversations that are over, or too many.
    async fn sweep(&self, now_ms: i64) -> Result<(), StoreError> {
        let too_many = self.shared.count.load(Ordering::Relaxed) > self.options.max_sessions;
        if !too_many && now_ms < self.shared.sweep_at.load(Ordering::Relaxed) {
            return Ok(());
        }
        let rows = self.store.scan(Table::SessionExpiry, keys::EVERYTHING, SWEEP, false).await?;
        let mut surplus =
            self.shared.count.load(Ordering::Relaxed).saturating_sub(self.options.max_sessions);
        for (due, _) in rows {
            let Some((hour, key)) = keys::split_number(&due) else { continue };
            let old = self.store.get(Table::Sessions, key).await?;
            let conversation = old.as_deref().and_then(|value| read(value).ok());
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
            batch.delete(Table::SessionExpiry, due);
            match self.store.commit(batch).await {
                Ok(()) if removes => {
                    self.count_removed();
                    surplus = surplus.saturating_sub(1);
                }
                // In a conflict it goes on, so it is not to be swept.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_over(&self, conversation: &Conversation, now_ms: i64) -> bool {
        conversation.touched_ms.saturating_add(self.ttl_ms()) <= now_ms
    }

    fn ttl_ms(&self) -> i64 {
        i64::try_from(self.options.ttl.as_millis()).unwrap_or(i64::MAX)
    }

    fn count_removed(&self) {
        let less = |count: u64| Some(count.saturating_sub(1));
        // The closure always gives a value, so this cannot fail.
        let _ = self.shared.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
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
    }
}

fn read(value: &[u8]) -> Result<Conversation, StoreError> {
    decode(Table::Sessions, value)
}

/// The place of a conversation in the order of expiry.
fn expiry_key(touched_ms: i64, key: &[u8]) -> Vec<u8> {
    let hour = u64::try_from(touched_ms.max(0) / HOUR_MS).unwrap_or(0);
    let mut due = keys::number(hour);
    due.extend_from_slice(key);
    due
}

fn hour_end_ms(hour: u64) -> i64 {
    i64::try_from(hour).unwrap_or(i64::MAX).saturating_add(1).saturating_mul(HOUR_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Role;

    const NOW: i64 = 1_800_000_000_000;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn session(name: &str) -> SessionId {
        SessionId::new(name).unwrap()
    }

    fn turn(content: &str) -> Turn {
        Turn { role: Role::User, content: content.to_owned() }
    }

    async fn sessions(options: SessionOptions) -> Sessions {
        Sessions::open(Store::in_memory().unwrap(), options).await.unwrap()
    }

    async fn contents(sessions: &Sessions, owner: &str, name: &str, now_ms: i64) -> Vec<String> {
        let turns = sessions.recent(&tenant(owner), &session(name), now_ms).await.unwrap();
        turns.into_iter().map(|turn| turn.content).collect()
    }

    async fn say(sessions: &Sessions, owner: &str, name: &str, what: &str, now_ms: i64) {
        sessions.append(&tenant(owner), &session(name), &[turn(what)], now_ms).await.unwrap();
    }

    #[tokio::test]
    async fn a_conversation_survives_a_restart_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let store = Store::open(&path).unwrap();
        let before = Sessions::open(store.clone(), SessionOptions::default()).await.unwrap();
        say(&before, "a", "s", "one", NOW).await;
        say(&before, "a", "s", "two", NOW + 1).await;
        store.close().await.unwrap();
        let store = Store::open(&path).unwrap();
        let after = Sessions::open(store, SessionOptions::default()).await.unwrap();
        assert_eq!(contents(&after, "a", "s", NOW + 2).await, ["one", "two"]);
        assert_eq!(after.shared.count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn no_tenant_reads_or_forgets_anothers_conversation() {
        let sessions = sessions(SessionOptions::default()).await;
        say(&sessions, "alice", "s", "secret", NOW).await;
        for (owner, name) in [("bob", "s"), ("alic", "es"), ("alices", "s"), ("alice", "ss")] {
            assert!(contents(&sessions, owner, name, NOW).await.is_empty());
            assert!(!sessions.forget(&tenant(owner), &session(name)).await.unwrap());
        }
        assert_eq!(contents(&sessions, "alice", "s", NOW).await, ["secret"]);
    }

    #[tokio::test]
    async fn the_oldest_turns_go_first_and_a_long_one_is_cut() {
        let options = SessionOptions { max_turns: 3, max_bytes: 10, ..SessionOptions::default() };
        let sessions = sessions(options).await;
        for what in ["a", "b", "c", "d"] {
            say(&sessions, "a", "s", what, NOW).await;
        }
        assert_eq!(contents(&sessions, "a", "s", NOW).await, ["b", "c", "d"]);
        say(&sessions, "a", "s", "123456789", NOW).await;
        assert_eq!(contents(&sessions, "a", "s", NOW).await, ["d", "123456789"]);
        say(&sessions, "a", "s", "12345678\u{e9}\u{e9}", NOW).await;
        assert_eq!(contents(&sessions, "a", "s", NOW).await, ["12345678\u{e9}"]);
    }

    #[tokio::test]
    async fn a_conversation_that_is_over_begins_anew_and_is_swept() {
        let sessions = sessions(SessionOptions::default()).await;
        let day = 24 * HOUR_MS;
        for i in 0..20 {
            say(&sessions, "a", &format!("old{i}"), "x", NOW + i).await;
        }
        say(&sessions, "a", "s", "old", NOW).await;
        assert_eq!(contents(&sessions, "a", "s", NOW + day - 1).await, ["old"]);
        assert!(contents(&sessions, "a", "s", NOW + day).await.is_empty());
        for i in 0..4 {
            say(&sessions, "a", "s", "new", NOW + day + 2 * HOUR_MS + i).await;
        }
        assert_eq!(contents(&sessions, "a", "s", NOW + day + 3 * HOUR_MS).await, ["new"; 4]);
        for table in [Table::Sessions, Table::SessionExpiry] {
            let rows = sessions.store.scan(table, keys::EVERYTHING, 99, false).await.unwrap();
            assert_eq!(rows.len(), 1, "{table:?}");
        }
        assert_eq!(sessions.shared.count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn of_too_many_conversations_the_oldest_go() {
        let options = SessionOptions { max_sessions: 10, ..SessionOptions::default() };
        let sessions = sessions(options).await;
        for i in 0..40 {
            say(&sessions, "a", &format!("s{i}"), "x", NOW + i * HOUR_MS / 4).await;
        }
        let rows = sessions.store.scan(Table::Sessions, keys::EVERYTHING, 99, false).await.unwrap();
        assert_eq!(rows.len(), 10);
        let now = NOW + 10 * HOUR_MS;
        assert_eq!(contents(&sessions, "a", "s39", now).await, ["x"]);
        assert!(contents(&sessions, "a", "s0", now).await.is_empty());
    }

    #[tokio::test]
    async fn forgetting_leaves_nothing_behind() {
        let sessions = sessions(SessionOptions::default()).await;
        say(&sessions, "a", "s", "x", NOW).await;
        say(&sessions, "a", "s", "y", NOW + 5 * HOUR_MS).await;
        assert!(sessions.forget(&tenant("a"), &session("s")).await.unwrap());
        for table in [Table::Sessions, Table::SessionExpiry] {
            let rows = sessions.store.scan(table, keys::EVERYTHING, 9, false).await.unwrap();
            assert!(rows.is_empty(), "{table:?}");
        }
    }

    #[tokio::test]
    async fn a_broken_row_costs_its_conversation_and_blocks_no_other() {
        let sessions = sessions(SessionOptions::default()).await;
        let key = keys::scoped(&tenant("a"), b"broken");
        let mut batch = Batch::new();
        batch.put(Table::Sessions, key.as_slice(), "no conversation");
        batch.put(Table::SessionExpiry, expiry_key(0, &key), "");
        batch.put(Table::SessionExpiry, expiry_key(0, b"nobody's"), "");
        sessions.store.commit(batch).await.unwrap();
        say(&sessions, "a", "broken", "anew", NOW).await;
        assert_eq!(contents(&sessions, "a", "broken", NOW).await, ["anew"]);
        let left = sessions.store.scan(Table::SessionExpiry, keys::EVERYTHING, 9, false).await;
        assert_eq!(left.unwrap().len(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn those_who_speak_at_once_are_all_heard() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb")).unwrap();
        let sessions = Sessions::open(store, SessionOptions::default()).await.unwrap();
        let speakers: Vec<_> = (0..8)
            .map(|i| {
                let sessions = sessions.clone();
                tokio::spawn(async move {
                    let both = [turn(&format!("{i} asks")), turn(&format!("{i} answers"))];
                    sessions.append(&tenant("a"), &session("s"), &both, NOW).await.unwrap();
                })
            })
            .collect();
        for speaker in speakers {
            speaker.await.unwrap();
        }
        let all = contents(&sessions, "a", "s", NOW).await;
        assert_eq!(all.len(), 16);
        for pair in all.chunks(2) {
            assert_eq!(pair[0].split(' ').next(), pair[1].split(' ').next(), "{all:?}");
        }
    }

    proptest! {
        #[test]
        fn the_bounds_always_hold_and_the_newest_is_kept(
            contents in proptest::collection::vec("\\PC{0,12}", 1..12), turns in 0..5usize, bytes in 0..30usize,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let options = SessionOptions { max_turns: turns, max_bytes: bytes, ..SessionOptions::default() };
            let sessions = runtime.block_on(sessions(options));
            let mut kept: Vec<Turn> = contents.iter().map(|c| turn(c)).collect();
            sessions.bound(&mut kept);
            prop_assert!((1..=turns.max(1)).contains(&kept.len()));
            prop_assert!(kept.iter().map(|t| t.content.len()).sum::<usize>() <= bytes);
            let newest = &contents[contents.len() - 1];
            prop_assert!(newest.starts_with(&kept[kept.len() - 1].content));
        }
    }
}
