//! Answers that an operator puts in, many at once.

use std::{collections::HashMap, sync::Arc};

use super::{
    ATTEMPTS, Entry, FLOOR, Lake, MAX_CONTENT, guard::MAX_QUESTION, index::Key, inner::Published,
};
use crate::{
    domain::{Canonical, ResponseId, Signal, SourceKind, TenantId},
    lake::Ladder,
    store::{Batch, StoreError, Table},
    text::normal_key,
};

/// Longest name of a source, in bytes.
const MAX_SOURCE: usize = 256;

/// A question with the answer that an operator vouches for.
#[derive(Debug, Clone, PartialEq)]
pub struct Curated {
    /// The question.
    pub question: String,
    /// The answer as it is shown.
    pub answer: String,
    /// Its comparable core, as whoever can read answers took it out.
    pub canonical: Option<Canonical>,
    /// Where it comes from, in a word or two.
    pub source: Option<String>,
    /// Probability of being right.
    pub signal: Signal,
    /// From when on it is forgotten, in milliseconds since the Unix epoch; `None` is never.
    pub expires_ms: Option<i64>,
    /// The id by which it is evicted.
    pub id: ResponseId,
    /// Whether an operator vouches for it. Otherwise it comes in as what it once was: an answer that
    /// this service or another had found likely to be right.
    pub curated: bool,
}

/// Why a curated answer does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The question says nothing.
    #[error("the question has no words")]
    EmptyQuestion,
    /// The question is too long.
    #[error("the question is longer than {MAX_QUESTION} bytes")]
    LongQuestion,
    /// The answer says nothing.
    #[error("the answer is empty")]
    EmptyAnswer,
    /// The answer is too long.
    #[error("the answer is longer than {MAX_CONTENT} bytes")]
    LongAnswer,
    /// The source's name is too long.
    #[error("the source is longer than {MAX_SOURCE} bytes")]
    LongSource,
    /// The signal is below the lake's floor.
    #[error("the signal is below {FLOOR}, the lake's floor")]
    LowSignal,
    /// Its time is over already.
    #[error("its time is over already")]
    Expired,
    /// The same question stands once more, further on.
    #[error("the same question stands again further on, and the last one counts")]
    Repeated,
    /// There is no room, and what is there has to be evicted first.
    #[error("the lake is full; evict something or raise lake.max_entries")]
    Full,
}

impl Refusal {
    /// A short, fixed code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmptyQuestion => "empty_question",
            Self::LongQuestion => "long_question",
            Self::EmptyAnswer => "empty_answer",
            Self::LongAnswer => "long_answer",
            Self::LongSource => "long_source",
            Self::LowSignal => "low_signal",
            Self::Expired => "expired",
            Self::Repeated => "repeated",
            Self::Full => "full",
        }
    }
}

impl Curated {
    /// The entry that comes in, and its key.
    pub(super) fn admitted(self, now_ms: i64) -> Result<(Key, Entry), Refusal> {
        let key = normal_key(&self.question);
        let refusals = [
            (key.is_empty(), Refusal::EmptyQuestion),
            (self.question.len() > MAX_QUESTION, Refusal::LongQuestion),
            (self.answer.trim().is_empty(), Refusal::EmptyAnswer),
            (self.answer.len() > MAX_CONTENT, Refusal::LongAnswer),
            (self.source.as_ref().is_some_and(|s| s.len() > MAX_SOURCE), Refusal::LongSource),
            (self.signal.get() < FLOOR, Refusal::LowSignal),
            (self.expires_ms.is_some_and(|end| end <= now_ms), Refusal::Expired),
        ];
        if let Some((_, refusal)) = refusals.into_iter().find(|(applies, _)| *applies) {
            return Err(refusal);
        }
        let entry = Entry {
            question: self.question,
            content: self.answer,
            answer: self.canonical,
            signal: self.signal,
            origin: self.id,
            derived_from: None,
            source: SourceKind::Lake,
            source_name: self.source.unwrap_or_else(|| "curated".to_owned()),
            citations: Vec::new(),
            created_ms: now_ms,
            expires_ms: self.expires_ms,
            epoch: None,
            curated: self.curated,
            point: None,
            ladder: Ladder::default(),
        };
        Ok((Arc::from(key), entry))
    }
}

/// What becomes of each given answer, in their order.
pub(super) type Results = Vec<Result<ResponseId, Refusal>>;

/// The entries that come in, the last of each question, with their places among what was given;
/// and what became of each given one so far.
pub(super) fn admitted(
    given: Vec<Curated>,
    now_ms: i64,
) -> (HashMap<Key, (usize, Entry)>, Results) {
    let mut taken: HashMap<Key, (usize, Entry)> = HashMap::with_capacity(given.len());
    let mut results = Vec::with_capacity(given.len());
    for (at, curated) in given.into_iter().enumerate() {
        let id = curated.id;
        match curated.admitted(now_ms) {
            Ok((key, entry)) => {
                if let Some((before, _)) = taken.insert(key, (at, entry))
                    && let Some(earlier) = results.get_mut(before)
                {
                    *earlier = Err(Refusal::Repeated);
                }
                results.push(Ok(id));
            }
            Err(refusal) => results.push(Err(refusal)),
        }
    }
    (taken, results)
}

impl Lake {
    /// Takes in what an operator vouches for, all of it in one step, and durably when this returns
    /// `Ok`. An answer takes the place of whatever was remembered for the question. Says of each
    /// under which id it can be evicted, or why it did not come in.
    ///
    /// # Errors
    /// What keeps the store from being written; then none came in, unless the store says that it
    /// does not know. [`StoreError::Conflict`] when very many write the same questions at once.
    pub async fn curate(
        &self,
        tenant: &TenantId,
        given: Vec<Curated>,
        now_ms: i64,
    ) -> Result<Vec<Result<ResponseId, Refusal>>, StoreError> {
        let (mut taken, mut results) = admitted(given, now_ms);
        let mut gone: HashMap<Key, Entry> = HashMap::new();
        for _ in 0..ATTEMPTS {
            let mut batch = Batch::new();
            let mut written = Vec::with_capacity(taken.len());
            let removals = {
                let index = self.inner.read();
                let full = self.inner.is_overfull(&index);
                let pool = index.pool(tenant);
                taken.retain(|key, (at, entry)| {
                    let old = pool.and_then(|pool| pool.entry(key));
                    if full && old.is_none() {
                        if let Some(result) = results.get_mut(*at) {
                            *result = Err(Refusal::Full);
                        }
                        return false;
                    }
                    if let Some(new) = entry.clone().in_place_of(old.as_deref(), None) {
                        written.push((Arc::clone(key), old, new));
                    }
                    true
                });
                index.removals
            };
            for (key, old, new) in &written {
                let row = self.inner.rows.key(tenant, key);
                let before = old.as_deref().or_else(|| gone.get(key));
                let expected = self.inner.rows.expected(&row, before)?;
                batch.require(Table::Lake, row.as_slice(), expected);
                batch.put(Table::Lake, row.as_slice(), self.inner.rows.value(&row, new)?);
            }
            match self.inner.store.commit(batch).await {
                Ok(()) => {
                    self.show_all(tenant, written, removals).await?;
                    return Ok(results);
                }
                Err(StoreError::Conflict) => {
                    for key in taken.keys() {
                        if let Some(entry) = self.inner.refresh(tenant, key).await? {
                            gone.insert(Arc::clone(key), entry);
                        } else {
                            gone.remove(key);
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Shows written entries to the readers, a few under each lock, so that recalls go on.
    async fn show_all(
        &self,
        tenant: &TenantId,
        written: Vec<(Key, Option<Arc<Entry>>, Entry)>,
        removals: u64,
    ) -> Result<(), StoreError> {
        for (key, old, new) in written {
            let shown = self.inner.publish(tenant, &key, old.as_ref(), new, removals);
            match shown {
                Published::Done => self.inner.examine_later(tenant, &key),
                // What the operator put in was evicted by himself meanwhile: the store knows.
                Published::InDoubt | Published::Forgotten => {
                    self.inner.refresh(tenant, &key).await?;
                }
            }
        }
        Ok(())
    }
}
