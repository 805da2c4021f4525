//! What a sentence model adds to recall: a point for each question, kept with its entry.
//!
//! Points come in the background ([`Lake::embed_missing`]), so that remembering waits for nobody.
//! Where a question that is compared has none yet, all are compared by their words alone: scores of
//! two models cannot be held against each other.

use std::{sync::Arc, time::Duration};

use super::{
    Lake,
    guard::{MAX_QUESTION, worth_remembering},
    index::Key,
    plan::{Change, Plan, Why},
};
use crate::{
    domain::TenantId,
    embedding::{Embedder, Embedding},
    paraphrase::{Acceptance, Matcher},
    store::StoreError,
    text::normal_key,
};

/// Entries that one look through the lake finds, so that a look is rare among embeddings.
const AT_ONCE: usize = 4096;

/// A sentence model, and the matcher that was trained with it.
#[derive(Debug, Clone)]
pub struct Sentences {
    /// Makes the points.
    pub embedder: Embedder,
    /// Judges questions that have them.
    pub matcher: Matcher,
}

/// What a call of [`Lake::embed_missing`] came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Entries that got a point.
    pub given: usize,
    /// Entries that the model had none for.
    pub failed: usize,
}

/// The same in a lake.
#[derive(Debug)]
pub(super) struct OwnSentences {
    embedder: Embedder,
    pub(super) acceptance: Acceptance,
}

impl OwnSentences {
    pub(super) fn new(sentences: Sentences, max_wrong_hit_rate: f64) -> Self {
        let Sentences { embedder, matcher } = sentences;
        Self { embedder, acceptance: matcher.acceptance(max_wrong_hit_rate) }
    }
}

impl Lake {
    /// What the sentence model takes a question to mean, for [`Lake::recall_at`]. `None` where there
    /// is no model, where recall needs no point, and where it would take longer than `most`: then
    /// the question is compared by its words.
    pub async fn point_of(
        &self,
        tenant: &TenantId,
        question: &str,
        most: Duration,
    ) -> Option<Arc<Embedding>> {
        let sentences = self.inner.sentences.as_ref().filter(|s| s.acceptance.is_open())?;
        if question.len() > MAX_QUESTION || !worth_remembering(question) {
            return None;
        }
        let needed = {
            let index = self.inner.read();
            index.pool(tenant).is_some_and(|pool| pool.answering(&normal_key(question)).is_none())
        };
        if !needed {
            return None;
        }
        sentences.embedder.embed_soon(question, most).await.ok().map(Arc::new)
    }

    /// Gives points to entries that have none, `group` of them in one commit; durable when this
    /// returns. One call looks through the lake once and goes on to a bounded number of entries.
    ///
    /// # Errors
    /// What keeps the store from being written; the groups before it are kept.
    pub async fn embed_missing(&self, group: usize) -> Result<Embedded, StoreError> {
        let mut done = Embedded::default();
        let Some(sentences) = &self.inner.sentences else { return Ok(done) };
        for group in self.without_point().chunks(group.max(1)) {
            let mut plan = Plan::default();
            for (tenant, key) in group {
                // As it is by now, which may be gone or have one.
                let present = self.inner.read().pool(tenant).and_then(|pool| pool.entry(key));
                let Some(from) = present.filter(|entry| entry.point.is_none()) else { continue };
                let Ok(point) = sentences.embedder.embed(&from.question).await else {
                    done.failed += 1;
                    continue;
                };
                let mut to = (*from).clone();
                to.point = Some(Arc::new(point));
                to.ladder.revision += 1;
                let (tenant, key) = (tenant.clone(), Arc::clone(key));
                plan.changes.push(Change { tenant, key, from, to: Some(to), why: Why::Embedded });
            }
            match self.inner.write_down(&plan, &[]).await {
                Ok(()) => {
                    done.given += plan.changes.len();
                    self.inner.carry_out(plan, &[]);
                }
                // Somebody changed an entry meanwhile; the next call sees it as it is then.
                Err(StoreError::Conflict) => {
                    for change in &plan.changes {
                        self.inner.refresh(&change.tenant, &change.key).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Entries without a point, not more than a call goes on to.
    fn without_point(&self) -> Vec<(TenantId, Key)> {
        let index = self.inner.read();
        if index.totals.embedded == index.totals.entries {
            return Vec::new();
        }
        let entries = index.pools().flat_map(|(tenant, pool)| {
            pool.entries().map(move |(key, entry)| (tenant, key, entry))
        });
        let without = entries.filter(|(.., entry)| entry.point.is_none()).take(AT_ONCE);
        without.map(|(tenant, key, _)| (tenant.clone(), Arc::clone(key))).collect()
    }

    /// The matcher that judges questions with points, or without.
    #[must_use]
    pub fn matcher(&self, with_points: bool) -> &Matcher {
        self.acceptance(with_points).matcher()
    }

    pub(super) fn acceptance(&self, with_points: bool) -> &Acceptance {
        let sentences = self.inner.sentences.as_ref().filter(|_| with_points);
        sentences.map_or(&self.inner.acceptance, |sentences| &sentences.acceptance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        embedding::{DIMENSIONS, Model},
        lake::{
            LakeOptions,
            fixture::{entry, tenant},
        },
        seal::Keyring,
        store::Store,
    };

    const LONG: Duration = Duration::from_secs(60);

    /// Takes all that speaks of doctors to mean the same, and has nothing to say of secrets.
    #[derive(Debug)]
    struct Doctors;

    impl Model for Doctors {
        fn embed(&self, text: &str) -> Option<Embedding> {
            if text.contains("secret") {
                return None;
            }
            let medical = ["doctor", "physician"].iter().any(|word| text.contains(word));
            let mut vector = [0.1; DIMENSIONS];
            vector[usize::from(medical)] = 100.0;
            Embedding::of(&vector)
        }
    }

    async fn lake(store: &Store) -> Lake {
        let embedder = Embedder::start(Arc::new(Doctors), Box::new(|_| {})).unwrap();
        let sentences = Sentences { embedder, matcher: Matcher::shipped() };
        let options = LakeOptions { max_wrong_hit_rate: 0.3, ..LakeOptions::default() };
        let opened =
            Lake::open_embedding(store.clone(), options, Keyring::plain(), Some(sentences));
        opened.await.unwrap()
    }

    const STORED: &str = "where is a doctor";
    const ASKED: &str = "whom does a physician treat";

    #[tokio::test]
    async fn what_has_no_word_in_common_is_a_candidate_by_its_meaning_and_for_its_tenant_alone() {
        let lake = lake(&Store::in_memory().unwrap()).await;
        let (a, b) = (tenant("a"), tenant("b"));
        for i in 0..20 {
            let other = format!("whom does a plumber treat to {i} beers");
            assert!(lake.remember(&a, entry(&other, "nobody", 0.9)).await.unwrap());
        }
        assert!(lake.remember(&a, entry(STORED, "there", 0.9)).await.unwrap());
        assert_eq!(lake.embed_missing(8).await.unwrap().given, 21);
        assert_eq!(lake.embed_missing(8).await.unwrap(), Embedded::default(), "all have one");
        let point = lake.point_of(&a, ASKED, LONG).await.unwrap();
        let near = lake.inner.read().pool(&a).unwrap().nearest_in_meaning(&point, 1);
        assert_eq!(near[0].1.question, STORED);
        assert!(lake.point_of(&b, ASKED, LONG).await.is_none(), "another tenant's lake is empty");
        assert!(lake.nearest(&b, ASKED, Some(&point), 0, None).is_none());
    }

    #[tokio::test]
    async fn points_are_kept_with_the_entries_and_counted_with_their_bytes() {
        let store = Store::in_memory().unwrap();
        let before = lake(&store).await;
        let a = tenant("a");
        assert!(before.remember(&a, entry(STORED, "there", 0.9)).await.unwrap());
        let without = before.stats().bytes;
        assert_eq!(before.embed_missing(8).await.unwrap().given, 1);
        assert!(before.stats().bytes >= without + size_of::<Embedding>());
        let again = lake(&store).await;
        assert_eq!(again.embed_missing(8).await.unwrap().given, 0, "it was kept");
        assert_eq!(again.stats().bytes, before.stats().bytes);
        // A better answer to the same words needs no new point.
        assert!(again.remember(&a, entry(STORED, "over there", 0.99)).await.unwrap());
        assert_eq!(again.embed_missing(8).await.unwrap().given, 0);
    }

    #[tokio::test]
    async fn the_very_same_question_needs_no_point() {
        let lake = lake(&Store::in_memory().unwrap()).await;
        let a = tenant("a");
        assert!(lake.remember(&a, entry(STORED, "there", 0.9)).await.unwrap());
        assert!(lake.point_of(&a, STORED, LONG).await.is_none());
        assert!(lake.recall(&a, STORED, 2_000, None).is_some());
    }

    #[tokio::test]
    async fn beside_a_question_without_a_point_all_are_compared_by_their_words() {
        let lake = lake(&Store::in_memory().unwrap()).await;
        let a = tenant("a");
        assert!(lake.remember(&a, entry(STORED, "there", 0.9)).await.unwrap());
        let asked = "where is a physician";
        let point = lake.point_of(&a, asked, LONG).await;
        let by_words = lake.nearest(&a, asked, point.as_ref(), 2_000, None).unwrap();
        assert_eq!(
            by_words.judgement,
            lake.nearest(&a, asked, None, 2_000, None).unwrap().judgement
        );
        lake.embed_missing(8).await.unwrap();
        let by_meaning = lake.nearest(&a, asked, point.as_ref(), 2_000, None).unwrap();
        assert!(by_meaning.by_points && !by_words.by_points);
        let newer = "where is a secret doctor";
        assert!(lake.remember(&a, entry(newer, "nobody knows", 0.9)).await.unwrap());
        assert!(!lake.nearest(&a, asked, point.as_ref(), 2_000, None).unwrap().by_points);
    }

    #[tokio::test]
    async fn a_question_that_the_model_has_no_point_for_keeps_no_other_from_its_own() {
        let lake = lake(&Store::in_memory().unwrap()).await;
        let a = tenant("a");
        for question in ["a secret of doctors", STORED, "one more secret of doctors"] {
            assert!(lake.remember(&a, entry(question, "there", 0.9)).await.unwrap());
        }
        assert_eq!(lake.embed_missing(1).await.unwrap(), Embedded { given: 1, failed: 2 });
        assert_eq!(lake.embed_missing(1).await.unwrap(), Embedded { given: 0, failed: 2 });
        assert!(lake.point_of(&a, "whose secret is it", LONG).await.is_none());
    }
}
