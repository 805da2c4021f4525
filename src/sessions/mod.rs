//! Conversations, bounded and durable.
//!
//! A conversation belongs to one tenant and one session id, keeps its newest turns, and is
//! forgotten some time after its last turn. Forgetting is paid by those who write: each append
//! sweeps a few expired conversations.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{SessionId, TenantId, Turn},
    store::{Batch, Store, StoreError, Table, decode, encode, keys},
};

/// Bounds of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// Turns that are kept; the oldest go first.
    pub max_turns: usize,
    /// Bytes of text that are kept; the oldest turns go first, the newest always stays.
    pub max_bytes: usize,
    /// A conversation is forgotten this long after its last turn, rounded up to a full hour.
    pub ttl: Duration,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { max_turns: 200, max_bytes: 1 << 20, ttl: Duration::from_secs(7 * 24 * 3600) }
    }
}

/// Why a conversation could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The store failed.
    #[error("the conversation cannot be written or read: {0}")]
    Store(#[from] StoreError),
    /// Others kept writing to the same conversation.
    #[error("the conversation was written to by others at the same time")]
    Contended,
}

/// All conversations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    options: SessionOptions,
}

/// A conversation as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Conversation {
    /// When its last turn came, in milliseconds since the Unix epoch.
    last_ms: i64,
    /// Oldest first.
    turns: Vec<Turn>,
}

const HOUR_MS: i64 = 3_600_000;
/// Times that an append is tried again when somebody else's came first.
const TRIES: usize = 8;
/// Expired conversations that one append removes at most.
const SWEEP: usize = 4;

impl Sessions {
    /// Conversations in this store.
    #[must_use]
    pub fn new(store: Store, options: SessionOptions) -> Self {
        Self { store, options }
    }

    /// The turns of a conversation, oldest first; empty when there is none or it has expired.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn recent(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        now_ms: i64,
    ) -> Result<Vec<Turn>, SessionError> {
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        let (conversation, _) = self.load(&key, now_ms).await?;
        Ok(conversation.turns)
    }

    /// Adds turns to a conversation. They are durable when this returns `Ok`.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn append(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        turns: &[Turn],
        now_ms: i64,
    ) -> Result<(), SessionError> {
        let key = keys::scoped(tenant, session.as_str().as_bytes());
        self.sweep(now_ms).await?;
        for _ in 0..TRIES {
            let (mut conversation, stored) = self.load(&key, now_ms).await?;
            let mut batch = Batch::new();
            if let Some(old) = &stored {
                let old: Conversation = decode(Table::Sessions, old)?;
                batch.delete(Table::SessionExpiry, expiry_key(old.last_ms, &key));
            }
            conversation.last_ms = now_ms;
            conversation.turns.extend_from_slice(turns);
            self.trim(&mut conversation.turns);
            batch.require(Table::Sessions, key.clone(), stored);
            batch.put(Table::Sessions, key.clone(), encode(Table::Sessions, &conversation)?);
            batch.put(Table::SessionExpiry, expiry_key(now_ms, &key), []);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SessionError::Contended)
    }

    /// The conversation, empty where it is absent or expired, and the bytes it was read from.
    async fn load(
        &self,
        key: &[u8],
        now_ms: i64,
    ) -> Result<(Conversation, Option<Vec<u8>>), SessionError> {
        let Some(stored) = self.store.get(Table::Sessions, key).await? else {
            return Ok((Conversation::default(), None));
        };
        let conversation: Conversation = decode(Table::Sessions, &stored)?;
        let expired = now_ms.saturating_sub(conversation.last_ms) > self.ttl_ms();
        let current = if expired { Conversation::default() } else { conversation };
        Ok((current, Some(stored)))
    }

    fn trim(&self, turns: &mut Vec<Turn>) {
        let mut bytes = 0;
        let kept = turns
            .iter()
            .rev()
            .take(self.options.max_turns)
            .enumerate()
            .take_while(|(i, turn)| {
                bytes += turn.content.len();
                *i == 0 || bytes <= self.options.max_bytes
            })
            .count();
        turns.drain(..turns.len() - kept);
    }

    /// Removes a few conversations whose time has passed.
    async fn sweep(&self, now_ms: i64) -> Result<(), SessionError> {
        let newest_expired = (now_ms - self.ttl_ms()) / HOUR_MS - 1;
        let Ok(newest_expired) = u64::try_from(newest_expired) else { return Ok(()) };
        let range = (
            std::ops::Bound::Unbounded,
            std::ops::Bound::Excluded(keys::number(newest_expired.saturating_add(1))),
        );
        for (expiry, _) in self.store.scan(Table::SessionExpiry, range, SWEEP, false).await? {
            let Some((_, key)) = keys::split_number(&expiry) else { continue };
            let mut batch = Batch::new();
            // A conversation that goes on meanwhile has moved its expiry: then this batch fails.
            batch.require(Table::SessionExpiry, expiry.clone(), Some(Vec::new()));
            batch.delete(Table::Sessions, key);
            batch.delete(Table::SessionExpiry, expiry.clone());
            match self.store.commit(batch).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn ttl_ms(&self) -> i64 {
        i64::try_from(self.options.ttl.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Expiry is told by the hour, so that a lively conversation does not move its row every time.
fn expiry_key(last_ms: i64, key: &[u8]) -> Vec<u8> {
    let hour = u64::try_from(last_ms / HOUR_MS).unwrap_or(0);
    let mut expiry = keys::number(hour);
    expiry.extend_from_slice(key);
    expiry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    fn turn(content: &str) -> Turn {
        Turn { role: Role::User, content: content.to_owned() }
    }

    fn sessions(max_turns: usize, max_bytes: usize) -> Sessions {
        let options = SessionOptions { max_turns, max_bytes, ttl: Duration::from_secs(3600) };
        Sessions::new(Store::in_memory().unwrap(), options)
    }

    fn ids(tenant: &str, session: &str) -> (TenantId, SessionId) {
        (TenantId::new(tenant).unwrap(), SessionId::new(session).unwrap())
    }

    const NOW: i64 = 1_000 * HOUR_MS;

    #[tokio::test]
    async fn a_conversation_keeps_its_newest_turns_within_its_bounds() {
        let (tenant, session) = ids("t", "s");
        let by_count = sessions(2, 1000);
        let by_bytes = sessions(100, 5);
        for store in [&by_count, &by_bytes] {
            for text in ["one", "two", "six"] {
                store.append(&tenant, &session, &[turn(text)], NOW).await.unwrap();
            }
        }
        let texts = |turns: Vec<Turn>| turns.into_iter().map(|t| t.content).collect::<Vec<_>>();
        assert_eq!(texts(by_count.recent(&tenant, &session, NOW).await.unwrap()), ["two", "six"]);
        assert_eq!(texts(by_bytes.recent(&tenant, &session, NOW).await.unwrap()), ["six"]);
    }

    #[tokio::test]
    async fn the_newest_turn_stays_however_long_it_is() {
        let (tenant, session) = ids("t", "s");
        let sessions = sessions(10, 3);
        sessions.append(&tenant, &session, &[turn("a long one")], NOW).await.unwrap();
        assert_eq!(sessions.recent(&tenant, &session, NOW).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn no_conversation_is_seen_by_another_tenant_or_session() {
        let sessions = sessions(10, 1000);
        let (a, s) = ids("a", "s");
        sessions.append(&a, &s, &[turn("secret")], NOW).await.unwrap();
        for (tenant, session) in [ids("b", "s"), ids("a", "s2"), ids("as", "s")] {
            assert!(sessions.recent(&tenant, &session, NOW).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn an_expired_conversation_is_empty_at_once_and_swept_later() {
        let sessions = sessions(10, 1000);
        let (tenant, old) = ids("t", "old");
        sessions.append(&tenant, &old, &[turn("hello")], NOW).await.unwrap();
        let later = NOW + HOUR_MS + 1;
        assert!(sessions.recent(&tenant, &old, later).await.unwrap().is_empty());
        let (_, new) = ids("t", "new");
        sessions.append(&tenant, &new, &[turn("hi")], NOW + 3 * HOUR_MS).await.unwrap();
        let rows = sessions.store.scan(Table::Sessions, keys::EVERYTHING, 10, false).await.unwrap();
        assert_eq!(rows.len(), 1);
        let rows = sessions.store.scan(Table::SessionExpiry, keys::EVERYTHING, 10, false).await.unwrap();
        assert_eq!(rows.len(), 1);
    }

    #[tokio::test]
    async fn turns_that_are_added_at_once_are_all_kept() {
        let sessions = sessions(10, 1000);
        let (tenant, session) = ids("t", "s");
        let adding = (0..4).map(|n| {
            let (sessions, tenant, session) = (sessions.clone(), tenant.clone(), session.clone());
            tokio::spawn(async move {
                sessions.append(&tenant, &session, &[turn(&n.to_string())], NOW).await
            })
        });
        for added in futures_util::future::join_all(adding).await {
            added.unwrap().unwrap();
        }
        assert_eq!(sessions.recent(&tenant, &session, NOW).await.unwrap().len(), 4);
    }
}
