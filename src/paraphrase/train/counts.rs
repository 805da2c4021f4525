//! What labelled pairs say of words: counted by fold, so that a pair can be told what all others
//! say without what it says itself.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{FOLDS, LabelledPair};
use crate::paraphrase::{
    features::Evidence,
    file::coarse,
    lexicon::{Lexicon, Record, hash},
    profile::{Profile, Word, starts},
};

/// Texts in which a word must be, for the table to hold it.
const LEAST_TEXTS: u32 = 3;
/// Pairs in which two beginnings must be.
const LEAST_STARTS: u32 = 6;
/// Made-up pairs at the base rate that every count starts from.
const PRIOR: f32 = 8.0;
/// Share of its places in the midst of a sentence at which a name has a capital.
const NAME: f32 = 0.85;

/// Pairs of the same question, and all pairs, by fold.
#[derive(Debug, Clone, Copy, Default)]
struct Tally([(u32, u32); FOLDS]);

impl Tally {
    fn add(&mut self, fold: usize, same: bool) {
        if let Some((hits, all)) = self.0.get_mut(fold) {
            *hits += u32::from(same);
            *all += 1;
        }
    }

    fn total(&self) -> u32 {
        self.0.iter().map(|(_, all)| all).sum()
    }

    /// Log-odds over the base, without one fold.
    fn odds(&self, base: f32, without: Option<usize>) -> f32 {
        let kept = self.0.iter().enumerate().filter(|(fold, _)| Some(*fold) != without);
        let (same, all) = kept.fold((0, 0), |(s, n), (_, (same, all))| (s + same, n + all));
        let share = (same as f32 + base * PRIOR) / (all as f32 + PRIOR);
        coarse((share / (1.0 - share)).ln() - (base / (1.0 - base)).ln())
    }
}

#[derive(Debug, Default)]
struct Seen {
    texts: u32,
    capital: u32,
    within: u32,
    shared: Tally,
    lone: Tally,
}

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    words: FxHashMap<u32, Seen>,
    starts: FxHashMap<u32, Tally>,
    texts: FxHashSet<u32>,
    pairs: Tally,
}

impl Counts {
    pub(super) fn add(&mut self, a: &Profile, b: &Profile, pair: &LabelledPair, fold: usize) {
        self.pairs.add(fold, pair.same);
        self.starts.entry(starts(a, b)).or_default().add(fold, pair.same);
        self.add_texts([(pair.a.as_str(), a), (pair.b.as_str(), b)]);
        for (first, (x, y)) in [(true, (a, b)), (false, (b, a))] {
            for word in &x.words {
                let is_shared = y.words.iter().any(|other| other.stem == word.stem);
                let seen = self.words.entry(word.stem).or_default();
                if !is_shared {
                    seen.lone.add(fold, pair.same);
                } else if first {
                    seen.shared.add(fold, pair.same);
                }
            }
        }
    }

    /// Counts the words of texts of which no label is known.
    pub(super) fn add_texts<P: std::borrow::Borrow<Profile>>(&mut self, texts: [(&str, P); 2]) {
        for (text, profile) in texts {
            if self.texts.insert(hash(b't', text.bytes())) {
                self.add_text(profile.borrow());
            }
        }
    }

    fn add_text(&mut self, profile: &Profile) {
        let mut stems = FxHashSet::default();
        for (at, word) in profile.words.iter().enumerate() {
            let seen = self.words.entry(word.stem).or_default();
            seen.texts += u32::from(stems.insert(word.stem));
            if at > 0 {
                seen.within += 1;
                seen.capital += u32::from(word.name);
            }
        }
    }

    fn base(&self) -> f32 {
        let (same, all) = self.pairs.0.iter().fold((0, 0), |(s, n), (k, m)| (s + k, n + m));
        (same as f32 + 1.0) / (all as f32 + 2.0)
    }

    /// The table that a model holds.
    pub(super) fn lexicon(&self) -> Lexicon {
        let base = self.base();
        let texts = self.texts.len() as f32;
        let idf = |seen: u32| coarse((texts / (seen as f32 + 2.0)).ln().clamp(0.0, 7.9));
        let words = self.words.iter().filter(|(_, seen)| seen.texts >= LEAST_TEXTS);
        let words = words.map(|(stem, seen)| {
            let record = Record {
                idf: idf(seen.texts),
                shared: seen.shared.odds(base, None),
                lone: seen.lone.odds(base, None),
                name: seen.within >= 3 && seen.capital as f32 >= NAME * seen.within as f32,
            };
            (*stem, record)
        });
        let starts = self.starts.iter().filter(|(_, tally)| tally.total() >= LEAST_STARTS);
        Lexicon {
            words: words.collect(),
            starts: starts.map(|(hash, tally)| (*hash, tally.odds(base, None))).collect(),
            unknown_idf: idf(0),
        }
    }

    /// What all folds but one say.
    pub(super) fn without(&self, fold: usize) -> WithoutFold<'_> {
        WithoutFold { counts: self, fold, base: self.base() }
    }
}

/// The evidence of all pairs but those of one fold.
pub(super) struct WithoutFold<'c> {
    counts: &'c Counts,
    fold: usize,
    base: f32,
}

impl Evidence for WithoutFold<'_> {
    fn shared(&self, word: &Word) -> Option<f32> {
        word.record?;
        self.counts.words.get(&word.stem).map(|seen| seen.shared.odds(self.base, Some(self.fold)))
    }

    fn lone(&self, word: &Word) -> Option<f32> {
        word.record?;
        self.counts.words.get(&word.stem).map(|seen| seen.lone.odds(self.base, Some(self.fold)))
    }

    fn starts(&self, hash: u32) -> f32 {
        let tally = self.counts.starts.get(&hash).filter(|tally| tally.total() >= LEAST_STARTS);
        tally.map_or(0.0, |tally| tally.odds(self.base, Some(self.fold)))
    }
}
