//! Recall: exactly, else by meaning.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Entry, Lake,
    entry::FLOOR,
    guard::{MAX_QUESTION, worth_remembering},
    index::Key,
};
use crate::{
    domain::{Signal, TenantId},
    embedding::Embedding,
    paraphrase::{Judgement, Profile},
    text::normal_key,
};

/// Near questions that are compared closely.
const CANDIDATES: usize = 8;

/// A rival whose log-odds are less than this below those of the best one makes it ambiguous. Chosen
/// with a look at GPTCache's paraphrases, those held out among them: a right match hardly ever has a
/// rival so near, and a wrong one often has. One that a guard forbids is a rival, too: it tells that the remembered
/// questions differ in just what guards look at.
const CLEAR: f64 = 0.05;

/// An answer that the lake gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    /// What was remembered.
    pub entry: Arc<Entry>,
    /// Probability of being right, after what outcomes have said; by meaning, times the probability
    /// that the questions ask the same.
    pub signal: Signal,
    /// How its question is like the one that was asked; `None` when it is that one.
    pub likeness: Option<Likeness>,
}

/// How alike two questions are that are not spelled alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// The matcher's score.
    pub score: f32,
    /// Probability that they ask the same, after what outcomes said of the entry's earlier recalls.
    pub probability: f64,
    /// The same as the matcher states it for any entry: what an outcome is held against, so that
    /// what was learned of the entry is not learned again from itself.
    pub stated: f64,
}

/// The remembered question that is most like another, whether or not it is like enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// What was remembered.
    pub entry: Arc<Entry>,
    /// How alike they are, after what outcomes said of the entry's earlier recalls by meaning.
    pub judgement: Judgement,
    /// Probability that they ask the same without that.
    stated: f64,
    /// Whether another one with another answer is hardly less like: then nobody can say which of the
    /// two answers is meant, and neither is given.
    pub is_ambiguous: bool,
    /// Whether the sentence model took part in the comparison.
    pub(super) by_points: bool,
    key: Key,
}

impl Lake {
    /// The remembered answer to a question: to the same, or to one that asks the same. Takes
    /// microseconds and never waits for the disk. `epoch` is the present fingerprint of the
    /// documents.
    #[must_use]
    pub fn recall(
        &self,
        tenant: &TenantId,
        question: &str,
        now_ms: i64,
        epoch: Option<u64>,
    ) -> Option<Recalled> {
        self.recall_at(tenant, question, None, now_ms, epoch)
    }

    /// [`Lake::recall`] with what the sentence model takes the question to mean
    /// ([`Lake::point_of`]).
    #[must_use]
    pub fn recall_at(
        &self,
        tenant: &TenantId,
        question: &str,
        point: Option<&Arc<Embedding>>,
        now_ms: i64,
        epoch: Option<u64>,
    ) -> Option<Recalled> {
        let found = self
            .recall_exactly(tenant, question, now_ms, epoch)
            .or_else(|| self.recall_by_meaning(tenant, question, point, now_ms, epoch));
        let counter = if found.is_some() { &self.inner.hits } else { &self.inner.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        if found.as_ref().is_some_and(|found| found.likeness.is_some()) {
            self.inner.hits_by_meaning.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    fn recall_exactly(
        &self,
        tenant: &TenantId,
        question: &str,
        now_ms: i64,
        epoch: Option<u64>,
    ) -> Option<Recalled> {
        let key = normal_key(question);
        let index = self.inner.read();
        let pool = index.pool(tenant)?;
        let (key, entry) = pool.answering(&key)?;
        if !entry.is_recallable(now_ms, epoch) {
            return None;
        }
        pool.count_hit(key);
        let entry = Arc::clone(entry);
        Some(Recalled { signal: entry.merit(), entry, likeness: None })
    }

    fn recall_by_meaning(
        &self,
        tenant: &TenantId,
        question: &str,
        point: Option<&Arc<Embedding>>,
        now_ms: i64,
        epoch: Option<u64>,
    ) -> Option<Recalled> {
        let nearest = self.nearest(tenant, question, point, now_ms, epoch)?;
        if nearest.is_ambiguous {
            return None;
        }
        let acceptance = self.acceptance(nearest.by_points);
        let Nearest { entry, judgement, stated, key, .. } = nearest;
        if !acceptance.accepts(&judgement) {
            return None;
        }
        let signal = Signal::clamped(entry.merit().get() * judgement.probability);
        if signal.get() < FLOOR {
            return None;
        }
        if let Some(pool) = self.inner.read().pool(tenant) {
            pool.count_hit(&key);
        }
        let Judgement { score, probability, .. } = judgement;
        Some(Recalled { entry, signal, likeness: Some(Likeness { score, probability, stated }) })
    }

    /// The remembered question that is most like this one, among those whose answer may be given.
    /// `None` where nothing is near, where nothing may be recalled by meaning at all, and for a
    /// question whose answer changes by itself. `point` is what [`Lake::point_of`] gave; it takes part
    /// where all that is compared has one.
    #[must_use]
    pub fn nearest(
        &self,
        tenant: &TenantId,
        question: &str,
        point: Option<&Arc<Embedding>>,
        now_ms: i64,
        epoch: Option<u64>,
    ) -> Option<Nearest> {
        let is_open = |with_points| self.acceptance(with_points).is_open();
        if !(is_open(false) || is_open(point.is_some()))
            || question.len() > MAX_QUESTION
            || !worth_remembering(question)
        {
            return None;
        }
        // Nobody waits for the lock while questions are compared.
        if self.inner.read().pool(tenant).is_none_or(|pool| pool.len() == 0) {
            return None;
        }
        let mut asked: Profile = self.matcher(false).profile(question);
        let mut near = self.inner.read().pool(tenant)?.nearest(&asked.place(), CANDIDATES);
        if let Some(point) = point {
            let more = self.inner.read().pool(tenant)?.nearest_in_meaning(point, CANDIDATES);
            let new = more.into_iter().filter(|(key, _)| near.iter().all(|(own, _)| own != key));
            let new: Vec<_> = new.collect();
            near.extend(new);
        }
        near.retain(|(_, entry)| entry.is_recallable(now_ms, epoch));
        let by_points = point.is_some() && near.iter().all(|(_, entry)| entry.point.is_some());
        let matcher = self.matcher(by_points);
        if by_points {
            asked = matcher.profile(question).with_point(point.cloned());
        }
        let judged: Vec<_> = near
            .into_iter()
            .map(|(key, entry)| {
                let point = entry.point.clone().filter(|_| by_points);
                let stored = matcher.profile(&entry.question).with_point(point);
                let plain = matcher.judge(&asked, &stored);
                // What outcomes said of an entry's earlier recalls by meaning counts as lower odds.
                let judgement = matcher.shifted(plain, entry.ladder.shift());
                (judgement, plain.probability, key, entry)
            })
            .collect();
        // Scores of questions and of other texts have scales of their own; log-odds have one.
        let best = judged.iter().max_by(|(a, ..), (b, ..)| a.log_odds.total_cmp(&b.log_odds))?;
        let (judgement, stated, key, entry) = best;
        let is_ambiguous = judged.iter().any(|(rival, _, _, theirs)| {
            rival.log_odds > judgement.log_odds - CLEAR && entry.agrees_with(theirs) != Some(true)
        });
        Some(Nearest {
            entry: Arc::clone(entry),
            judgement: *judgement,
            stated: *stated,
            is_ambiguous,
            by_points,
            key: Arc::clone(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::ResponseId,
        lake::{
            LakeOptions, Reward,
            fixture::{entry, tenant},
        },
        store::Store,
    };

    use super::*;

    const NOW: i64 = 2_000;
    const QUESTION: &str = "How can I learn to speak English fluently?";
    const REWORDED: &str = "How do I learn to speak fluent English?";

    async fn lake(max_wrong_hit_rate: f64) -> Lake {
        let options = LakeOptions { max_wrong_hit_rate, ..LakeOptions::default() };
        let lake = Lake::open(Store::in_memory().unwrap(), options).await.unwrap();
        for (question, answer) in
            [(QUESTION, "practise"), ("What is the capital of France?", "Paris")]
        {
            assert!(lake.remember(&tenant("a"), entry(question, answer, 0.95)).await.unwrap());
        }
        lake
    }

    #[tokio::test]
    async fn a_question_in_other_words_is_recalled_with_what_it_is_worth() {
        let lake = lake(0.2).await;
        let found = lake.recall(&tenant("a"), REWORDED, NOW, None).unwrap();
        assert_eq!(found.entry.content, "practise");
        let likeness = found.likeness.unwrap();
        assert!((found.signal.get() - 0.95 * likeness.probability).abs() < 1e-9);
        let stats = lake.stats();
        assert_eq!((stats.hits, stats.hits_by_meaning), (1, 1));
        let exact = lake.recall(&tenant("a"), QUESTION, NOW, None).unwrap();
        assert_eq!((exact.likeness, exact.signal.get()), (None, 0.95));
        assert_eq!(lake.stats().hits_by_meaning, 1);
    }

    #[tokio::test]
    async fn no_tenant_is_given_anothers_answer_by_meaning() {
        let lake = lake(0.2).await;
        assert!(lake.recall(&tenant("b"), REWORDED, NOW, None).is_none());
        assert!(lake.nearest(&tenant("b"), REWORDED, None, NOW, None).is_none());
    }

    #[tokio::test]
    async fn what_asks_something_else_is_a_miss_and_so_is_all_with_a_bound_of_zero() {
        let lax = lake(0.2).await;
        for other in [
            "How can I learn to speak Spanish fluently?",
            "How can I not learn to speak English fluently?",
            "What is the capital of Germany?",
            "When was the capital of France founded?",
        ] {
            assert!(lax.recall(&tenant("a"), other, NOW, None).is_none(), "{other}");
        }
        let strict = lake(0.0).await;
        assert!(strict.recall(&tenant("a"), REWORDED, NOW, None).is_none());
        assert!(strict.recall(&tenant("a"), QUESTION, NOW, None).is_some());
    }

    #[tokio::test]
    async fn what_was_forgotten_is_recalled_by_no_meaning() {
        let lake = lake(0.2).await;
        let origin = lake.recall(&tenant("a"), QUESTION, NOW, None).unwrap().entry.origin;
        assert_eq!(lake.forget(&tenant("a"), origin).await.unwrap(), 1);
        assert!(lake.recall(&tenant("a"), REWORDED, NOW, None).is_none());
    }

    #[tokio::test]
    async fn a_wrong_recall_by_meaning_closes_the_entry_to_such_wordings_only() {
        let lake = lake(0.2).await;
        let a = tenant("a");
        let found = lake.recall(&a, REWORDED, NOW, None).unwrap();
        for seq in 1..6 {
            lake.reward(Reward {
                seq,
                tenant: a.clone(),
                response: ResponseId::generate(),
                recalled_from: Some(found.entry.origin),
                likeness: found.likeness.map(|likeness| likeness.stated),
                score: 0.0,
                previous: None,
            });
        }
        assert_eq!(lake.tick(NOW, 64).await.unwrap().rewarded, 5);
        assert!(lake.recall(&a, REWORDED, NOW, None).is_none(), "it abstains now");
        let exact = lake.recall(&a, QUESTION, NOW, None).unwrap();
        assert_eq!(exact.signal.get(), 0.95, "its own question is answered as before");
    }

    #[tokio::test]
    async fn a_question_and_a_text_are_held_against_each_other_on_one_scale() {
        let (lake, a) = (lake(0.2).await, tenant("a"));
        for (question, answer) in [
            ("How do I reset the password in the customer portal?", "by mail"),
            ("delete the account in the customer portal", "in the settings"),
            ("What is the warranty period of the coffee grinder?", "two years"),
            ("cleaning of the coffee grinder", "with a brush"),
        ] {
            assert!(lake.remember(&a, entry(question, answer, 0.95)).await.unwrap());
        }
        for (asked, right) in [
            ("reset the password in the customer portal", "by mail"),
            ("warranty period of the coffee grinder", "two years"),
        ] {
            let near = lake.nearest(&a, asked, None, NOW, None).unwrap();
            assert_eq!((&*near.entry.content, near.is_ambiguous), (right, false), "{asked}");
            let found = lake.recall(&a, asked, NOW, None);
            assert_eq!(found.map(|found| found.entry.content.clone()).as_deref(), Some(right));
        }
    }

    #[tokio::test]
    async fn what_was_learned_of_an_entry_is_not_learned_again_from_itself() {
        let (lake, a) = (lake(0.5).await, tenant("a"));
        let first = lake.recall(&a, REWORDED, NOW, None).unwrap();
        let before = first.likeness.unwrap();
        assert_eq!(before.stated, before.probability);
        lake.reward(Reward {
            seq: 1,
            tenant: a.clone(),
            response: ResponseId::generate(),
            recalled_from: Some(first.entry.origin),
            likeness: Some(before.stated),
            score: 0.3,
            previous: None,
        });
        lake.tick(NOW, 64).await.unwrap();
        let near = lake.nearest(&a, REWORDED, None, NOW, None).unwrap();
        assert!(near.judgement.probability < before.probability, "it asks for more");
        assert_eq!(near.stated, before.stated, "and is held against what the matcher states");
    }

    #[tokio::test]
    async fn while_two_near_questions_contradict_each_other_neither_answers_for_the_other() {
        let (lake, a) = (lake(0.2).await, tenant("a"));
        let wrong = entry("what's the capital of France", "Lyon", 0.95);
        assert!(lake.remember(&a, wrong.clone()).await.unwrap());
        for _ in 0..3 {
            lake.tick(NOW, 64).await.unwrap();
        }
        assert_eq!(lake.stats().disputed, 2);
        for question in ["What is the capital of France?", "what's the capital of France"] {
            assert!(lake.recall(&a, question, NOW, None).is_none(), "{question}");
        }
    }
}
