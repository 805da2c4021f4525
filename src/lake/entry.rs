//! One remembered answer, and its place on the ladder.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::meaning::BYTES_PER_PLACE;
use crate::{
    domain::{Canonical, Citation, ResponseId, Signal, SourceKind},
    embedding::Embedding,
};

/// The lake keeps and gives nothing that is less likely to be right.
pub const FLOOR: f64 = 0.6;

/// A remembered answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The question as it was put.
    pub question: String,
    /// The answer as it is shown.
    pub content: String,
    /// Its comparable core.
    pub answer: Option<Canonical>,
    /// Probability of being right when it was remembered.
    pub signal: Signal,
    /// The response that gave it.
    pub origin: ResponseId,
    /// The remembered response that it rests on, when it was composed with one.
    #[serde(default)]
    pub derived_from: Option<ResponseId>,
    /// The kind of mind that it came from.
    pub source: SourceKind,
    /// The name of that mind.
    pub source_name: String,
    /// Where it can be read up.
    #[serde(default)]
    pub citations: Vec<Citation>,
    /// When it was remembered, in milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// From when on it is forgotten; `None` is never.
    pub expires_ms: Option<i64>,
    /// Fingerprint of the documents it came from; `None` when it rests on none. Where the
    /// documents have another fingerprint now, it is stale.
    pub epoch: Option<u64>,
    /// Whether an operator put it in: only another such answer, or an outcome, speaks against it.
    #[serde(default)]
    pub curated: bool,
    /// What all-MiniLM-L6-v2 takes the question to mean; the lake adds it in the background.
    #[serde(default, rename = "minilm_l6_v2", skip_serializing_if = "Option::is_none")]
    pub point: Option<Arc<Embedding>>,
    /// What has become of it since. Kept by the lake; whatever a caller puts here is ignored.
    #[serde(default)]
    pub ladder: Ladder,
}

/// What is known of an entry since it was remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ladder {
    /// Times that it was recalled.
    pub hits: u64,
    /// Sum of the scores of its outcomes.
    pub right: f64,
    /// Sum of what these scores lack of 1.
    pub wrong: f64,
    /// A near-duplicate question has another answer, and no outcome has said which is right.
    pub disputed: bool,
    /// What it rests on was refuted, and no outcome has spoken for the answer itself.
    pub unfounded: bool,
    /// Other spellings of the question, in normal form, that it answers, too: near-duplicates with
    /// the same answer that were merged into it.
    pub also_asked: Vec<String>,
    /// Other minds than its own that gave the same answer.
    pub supporters: Vec<String>,
    /// Earlier responses that gave the same answer, newest first; their outcomes count here.
    pub earlier_origins: Vec<ResponseId>,
    /// Outcomes of recalls by meaning, the newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_meaning: Vec<RecalledByMeaning>,
    /// Counts up with each change, so that no change is lost between two writers.
    pub revision: u64,
}

/// The outcome of one recall by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RecalledByMeaning {
    /// Probability that the questions ask the same, as it was stated.
    pub likeness: f32,
    /// Whether the answer was right, 0 to 1.
    pub score: f32,
}

impl Ladder {
    /// Earlier origins that are remembered.
    const ORIGINS: usize = 32;
    /// Most other spellings, and most supporters, of one entry.
    const SPELLINGS: usize = 32;
    const SUPPORTERS: usize = 8;

    /// Whether it is out of use until an outcome settles a doubt.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.disputed || self.unfounded
    }

    /// Whether outcomes speak against the entry.
    pub(super) fn is_refuted(&self) -> bool {
        self.wrong > self.right
    }

    /// Outcomes of recalls by meaning that are remembered.
    const RECALLS: usize = 16;

    /// Counts the outcome of a recall by meaning, in place of an earlier one where there was one. A
    /// right one also speaks for the answer; a wrong one does not speak against it, since the
    /// answer may be right for its own question.
    pub(super) fn reward_by_meaning(&mut self, likeness: f64, score: f64, previous: Option<f64>) {
        let told =
            |score: f64| RecalledByMeaning { likeness: likeness as f32, score: score as f32 };
        if let Some(previous) = previous {
            let old = told(previous);
            if let Some(at) = self.by_meaning.iter().rposition(|known| *known == old) {
                self.by_meaning.remove(at);
            }
            if previous >= 0.5 {
                self.right = (self.right - previous).max(0.0);
            }
        }
        if self.by_meaning.len() == Self::RECALLS {
            self.by_meaning.remove(0);
        }
        self.by_meaning.push(told(score));
        if score >= 0.5 {
            self.right += score;
        }
    }

    /// Log-odds by which this entry's recalls by meaning turned out worse than was stated, 0 or
    /// less: the most likely shift of the matcher's log-odds for this entry, which is held to be
    /// normal around 0 with a variance of 1 until outcomes say more. An entry whose answer suits
    /// few rewordings so learns to ask for more likeness, one outcome at a time; none ever asks
    /// for less than the bound that holds for all. (The idea of a threshold of its own for each
    /// entry is that of Schroeder et al., "vCache", 2025.)
    #[must_use]
    pub fn shift(&self) -> f64 {
        // The slope of the log-posterior falls steadily, so that its root is found by halving.
        let slope = |shift: f64| {
            let told = self.by_meaning.iter().map(|told| {
                let likeness = f64::from(told.likeness).clamp(1e-6, 1.0 - 1e-6);
                let odds = (likeness / (1.0 - likeness)).ln() + shift;
                f64::from(told.score) - 1.0 / (1.0 + (-odds).exp())
            });
            told.sum::<f64>() - shift
        };
        if slope(0.0) >= 0.0 {
            return 0.0;
        }
        // Each outcome moves it by less than 1.
        let (mut low, mut high) = (-(self.by_meaning.len() as f64), 0.0);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if slope(middle) >= 0.0 { low = middle } else { high = middle }
        }
        high
    }

    /// Whether outcomes speak for the entry.
    pub(super) fn is_vindicated(&self) -> bool {
        self.right > self.wrong
    }

    /// Counts an outcome, in place of an earlier one of the same response where there was one.
    pub(super) fn reward(&mut self, score: f64, previous: Option<f64>) {
        if let Some(previous) = previous {
            self.right -= previous;
            self.wrong -= 1.0 - previous;
        }
        self.right = (self.right + score).max(0.0);
        self.wrong = (self.wrong + 1.0 - score).max(0.0);
        if score >= 0.5 {
            self.disputed = false;
            self.unfounded = false;
        }
    }
}

impl Entry {
    /// Probability of being right after what its outcomes said: the mean of a Beta posterior in
    /// which the signal counts as one outcome. So one refutation takes the answer out of use, and
    /// one confirmation brings it back.
    #[must_use]
    pub fn merit(&self) -> Signal {
        let Ladder { right, wrong, .. } = self.ladder;
        Signal::clamped((self.signal.get() + right) / (1.0 + right + wrong))
    }

    /// Place on the ladder, 0 to 1: the merit; each other mind that gave the same answer takes a
    /// share of what it lacks of 1; halved while in doubt. It orders candidates and evictions; what
    /// an answer is believed is its merit alone.
    #[must_use]
    pub fn rank(&self) -> f64 {
        let (merit, supporters) = (self.merit().get(), self.ladder.supporters.len());
        #[expect(clippy::cast_precision_loss, reason = "at most a handful")]
        let share = supporters as f64 / (supporters as f64 + 4.0);
        (merit + (1.0 - merit) * share) * if self.ladder.is_in_doubt() { 0.5 } else { 1.0 }
    }

    /// Whether it may be given as an answer now.
    #[must_use]
    pub fn is_recallable(&self, now_ms: i64, epoch: Option<u64>) -> bool {
        !self.ladder.is_in_doubt()
            && self.merit().get() >= FLOOR
            && !self.is_expired(now_ms)
            && (self.epoch.is_none() || self.epoch == epoch)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|end| end <= now_ms)
    }

    /// Whether two entries answer alike: `None` when they cannot be compared.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> Option<bool> {
        if self.epoch != other.epoch {
            return None;
        }
        match (&self.answer, &other.answer) {
            (Some(a), Some(b)) if a == b => Some(true),
            // Of two texts that differ, one may only say more than the other.
            (Some(Canonical::Text(a)), Some(Canonical::Text(b))) => {
                (!a.contains(b.as_str()) && !b.contains(a.as_str())).then_some(false)
            }
            (Some(a), Some(b)) => (a.kind() == b.kind()).then_some(false),
            _ => (self.content == other.content).then_some(true),
        }
    }

    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let citations = self.citations.iter().map(|c| {
            c.quote.len() + c.document.len() + c.section.as_ref().map_or(0, String::len) + 64
        });
        let spellings = self.ladder.also_asked.iter().map(|s| 2 * s.len() + 96);
        let point = self.point.as_ref().map_or(0, |_| size_of::<Embedding>() + 32);
        512 + BYTES_PER_PLACE
            + point
            + 2 * self.question.len()
            + 2 * self.content.len()
            + citations.sum::<usize>()
            + spellings.sum::<usize>()
    }

    /// This entry with a near-duplicate merged into it, which `spelling` is the normal form of:
    /// what outcomes have said of either counts for both. `None` where something would be lost:
    /// another basis, or more origins and spellings than are kept.
    pub(super) fn absorbing(&self, other: &Self, spelling: &str) -> Option<Self> {
        let mut whole = self.clone();
        let (mine, theirs) = (&mut whole.ladder, &other.ladder);
        let strangers = other.origins().filter(|o| !self.origins().any(|own| own == *o));
        mine.earlier_origins.extend(strangers);
        let spellings = theirs.also_asked.iter().map(String::as_str).chain([spelling]);
        for spelling in spellings {
            if !mine.also_asked.iter().any(|known| known == spelling) {
                mine.also_asked.push(spelling.to_owned());
            }
        }
        for name in theirs.supporters.iter().chain([&other.source_name]) {
            let known = *name == self.source_name || mine.supporters.contains(name);
            if !known && mine.supporters.len() < Ladder::SUPPORTERS {
                mine.supporters.push(name.clone());
            }
        }
        mine.right += theirs.right;
        mine.wrong += theirs.wrong;
        mine.by_meaning = newest_of(&mine.by_meaning, &theirs.by_meaning);
        let keeps_all = mine.earlier_origins.len() <= Ladder::ORIGINS
            && mine.also_asked.len() <= Ladder::SPELLINGS;
        let same_basis = other.derived_from.is_none() || other.derived_from == self.derived_from;
        (keeps_all && same_basis).then_some(whole)
    }

    /// All responses whose outcome is an outcome of this entry.
    pub(super) fn origins(&self) -> impl Iterator<Item = ResponseId> {
        std::iter::once(self.origin).chain(self.ladder.earlier_origins.iter().copied())
    }

    /// What is remembered when `self` arrives where `old` is; `None` when `old` stays. `present` is
    /// the fingerprint of the documents now, where it is known: an answer from others is stale, and
    /// keeps no other out.
    pub(super) fn in_place_of(mut self, old: Option<&Self>, present: Option<u64>) -> Option<Self> {
        self.ladder = Ladder { revision: 1, ..Ladder::default() };
        let Some(old) = old else { return Some(self) };
        if self.question == old.question {
            self.point = self.point.or_else(|| old.point.clone());
        }
        let now_ms = self.created_ms;
        // What an operator put in, only he or an outcome takes out.
        let stands = old.curated && !old.is_expired(now_ms) && !old.ladder.is_refuted();
        if stands && !self.curated {
            return None;
        }
        if self.agrees_with(old) == Some(true) {
            // The same answer again: a better one keeps what outcomes have said of it.
            if !self.curated && self.signal < old.signal && !old.is_expired(now_ms) {
                return None;
            }
            self.ladder = old.ladder.clone();
            self.ladder.earlier_origins.insert(0, old.origin);
            self.ladder.earlier_origins.truncate(Ladder::ORIGINS);
            if self.curated {
                let Ladder { right, wrong, disputed, unfounded, .. } = &mut self.ladder;
                (*right, *wrong, *disputed, *unfounded) = (0.0, 0.0, false, false);
            }
        } else if !self.curated
            && old.is_recallable(now_ms, present.or(self.epoch).or(old.epoch))
            && self.signal.get() < old.rank()
        {
            return None;
        }
        self.ladder.revision = old.ladder.revision + 1;
        Some(self)
    }
}

/// The newest of the outcomes of two entries, as many of either as there is room for.
fn newest_of(mine: &[RecalledByMeaning], theirs: &[RecalledByMeaning]) -> Vec<RecalledByMeaning> {
    let half = Ladder::RECALLS / 2;
    let of_theirs = theirs.len().min(half.max(Ladder::RECALLS.saturating_sub(mine.len())));
    let of_mine = mine.len().min(Ladder::RECALLS - of_theirs);
    let newest = |all: &[RecalledByMeaning], most: usize| all[all.len() - most..].to_vec();
    [newest(theirs, of_theirs), newest(mine, of_mine)].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lake::fixture::entry;

    #[test]
    fn one_refutation_takes_an_answer_out_of_use_and_one_confirmation_brings_it_back() {
        for signal in [0.6, 0.8, 1.0] {
            let mut e = entry("what is a lake?", "water", signal);
            assert!(e.is_recallable(0, None));
            e.ladder.reward(0.0, None);
            assert!(!e.is_recallable(0, None), "signal {signal}");
            e.ladder.reward(1.0, Some(0.0));
            assert!(e.is_recallable(0, None), "signal {signal}");
        }
    }

    #[test]
    fn an_answer_from_documents_is_stale_when_they_change() {
        let mut e = entry("what is a lake?", "water", 0.9);
        assert!(e.is_recallable(0, Some(1)) && e.is_recallable(0, None));
        e.epoch = Some(1);
        assert!(e.is_recallable(0, Some(1)));
        assert!(!e.is_recallable(0, Some(2)) && !e.is_recallable(0, None));
    }

    #[test]
    fn a_longer_text_is_no_contradiction() {
        let text = |t: &str| Some(Canonical::Text(t.to_owned()));
        let (mut a, mut b) = (entry("q", "x", 0.9), entry("q", "y", 0.9));
        (a.answer, b.answer) = (text("paris"), text("paris in france"));
        assert_eq!(a.agrees_with(&b), None);
        b.answer = text("london");
        assert_eq!(a.agrees_with(&b), Some(false));
        b.answer = Some(Canonical::YesNo(true));
        assert_eq!(a.agrees_with(&b), None);
    }

    #[test]
    fn a_wrong_recall_by_meaning_asks_for_more_likeness_and_leaves_the_answer() {
        let mut e = entry("what is a lake?", "water", 0.8);
        assert_eq!(e.ladder.shift(), 0.0);
        e.ladder.reward_by_meaning(0.9, 0.0, None);
        let once = e.ladder.shift();
        assert!(once < -0.5, "{once}");
        assert!(e.is_recallable(0, None), "its own question is still answered");
        e.ladder.reward_by_meaning(0.95, 0.0, None);
        assert!(e.ladder.shift() < once);
        e.ladder.reward_by_meaning(0.95, 1.0, Some(0.0));
        e.ladder.reward_by_meaning(0.9, 1.0, Some(0.0));
        assert_eq!((e.ladder.shift(), e.ladder.by_meaning.len()), (0.0, 2));
        for _ in 0..40 {
            e.ladder.reward_by_meaning(0.9, 1.0, None);
        }
        assert_eq!((e.ladder.shift(), e.ladder.by_meaning.len()), (0.0, Ladder::RECALLS));
    }

    #[test]
    fn merging_keeps_what_recalls_by_meaning_turned_out_to_be() {
        let (mut a, mut b) = (entry("q", "x", 0.9), entry("the q", "x", 0.9));
        for _ in 0..12 {
            a.ladder.reward_by_meaning(0.9, 1.0, None);
            b.ladder.reward_by_meaning(0.9, 0.0, None);
        }
        let kept = a.absorbing(&b, "the q").unwrap().ladder;
        let wrong = kept.by_meaning.iter().filter(|told| told.score == 0.0).count();
        assert_eq!((kept.by_meaning.len(), wrong), (Ladder::RECALLS, Ladder::RECALLS / 2));
        a.ladder.by_meaning.clear();
        assert_eq!(a.absorbing(&b, "the q").unwrap().ladder.shift(), b.ladder.shift());
    }

    #[test]
    fn an_answer_from_documents_that_have_changed_keeps_no_other_out() {
        let old = Entry { epoch: Some(1), ..entry("q", "x", 0.95) };
        let new = entry("q", "y", 0.7);
        assert!(new.clone().in_place_of(Some(&old), Some(2)).is_some());
        assert!(new.clone().in_place_of(Some(&old), Some(1)).is_none());
        assert!(new.in_place_of(Some(&old), None).is_none(), "nothing says that it is stale");
    }

    proptest! {
        #[test]
        fn no_outcomes_ever_ask_for_less_than_the_bound(
            told in proptest::collection::vec((0.0..=1.0f64, 0.0..=1.0f64), 0..20), likeness in 0.01..0.99f64
        ) {
            let mut ladder = Ladder::default();
            for (likeness, score) in told {
                ladder.reward_by_meaning(likeness, score, None);
            }
            let before = ladder.shift();
            prop_assert!(before <= 0.0 && before.is_finite());
            ladder.reward_by_meaning(likeness, 0.0, None);
            prop_assert!(ladder.shift() <= before + 1e-3 || ladder.by_meaning.len() == Ladder::RECALLS);
        }

        #[test]
        fn merit_is_a_probability_and_revising_back_changes_nothing(
            signal in 0.0..=1.0f64, scores in proptest::collection::vec(0.0..=1.0f64, 0..8), s in 0.0..=1.0f64,
        ) {
            let mut e = entry("q", "x", signal);
            for score in scores {
                e.ladder.reward(score, None);
            }
            let before = e.merit().get();
            e.ladder.reward(s, None);
            prop_assert!((0.0..=1.0).contains(&e.merit().get()));
            let after = e.merit().get();
            e.ladder.reward(1.0 - s, Some(s));
            e.ladder.reward(s, Some(1.0 - s));
            prop_assert!((e.merit().get() - after).abs() < 1e-9);
            if s >= before { prop_assert!(after >= before - 1e-9) }
        }
    }
}
