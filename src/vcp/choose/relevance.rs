//! How much of what a query looks for stands in a text.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    entities::{Kind, entities},
    everyday::kin,
    query::Query,
};
use crate::text::{content_words, word_likeness};

/// Words less alike than this are different words.
const ALIKE: f64 = 0.55;
/// How much of a word's weight another word of its everyday group brings.
const KIN: f64 = 0.6;
/// Shortest word, in bytes, that is looked for in other spellings.
const SPELLABLE: usize = 5;
/// Bonus for naming the kind of thing that was asked for.
const RIGHT_KIND: f64 = 1.15;

/// The terms of one text.
#[derive(Debug, Default)]
struct Terms {
    terms: HashSet<String>,
    kinds: HashSet<Kind>,
}

impl Terms {
    fn of(text: &str) -> Self {
        let mut terms: HashSet<String> = content_words(text).into_iter().collect();
        let mut kinds = HashSet::new();
        for entity in entities(text) {
            terms.insert(entity.term);
            kinds.insert(entity.kind);
        }
        Self { terms, kinds }
    }
}

/// Texts to be searched by one query.
#[derive(Debug)]
pub(super) struct Index {
    texts: Vec<Terms>,
    /// In how many texts a term stands.
    spread: HashMap<String, usize>,
}

impl Index {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let texts: Vec<Terms> = texts.map(Terms::of).collect();
        let mut spread = HashMap::new();
        for term in texts.iter().flat_map(|text| &text.terms) {
            match spread.get_mut(term) {
                Some(count) => *count += 1,
                None => {
                    spread.insert(term.clone(), 1);
                }
            }
        }
        Self { texts, spread }
    }

    /// What the query looks for among these texts, and how much finding it says.
    pub(super) fn wanted(&self, query: &Query) -> Wanted {
        let mut worths: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
        let mut whole = 0.0;
        for (number, (term, weight)) in query.terms.iter().enumerate() {
            whole += weight * self.rarity(term);
            let mut stand_in = |other: &str, share: f64| {
                if self.spread.contains_key(other) {
                    // A rare word is not better found through a common one than the common one is.
                    let worth = weight * share * self.rarity(other).min(self.rarity(term));
                    worths.entry(other.to_owned()).or_default().push((number, worth));
                }
            };
            stand_in(term, 1.0);
            for other in kin(term) {
                stand_in(other, KIN);
            }
            if !self.spread.contains_key(term) && term.len() >= SPELLABLE {
                for other in self.spread.keys().filter(|other| may_be_misspelt(term, other)) {
                    let likeness = word_likeness(term, other);
                    if likeness >= ALIKE {
                        stand_in(other, likeness);
                    }
                }
            }
        }
        Wanted { worths, whole, kinds: query.asked.iter().copied().collect() }
    }

    /// Of each text, what share of the query it holds, 0 to 1.
    pub(super) fn scores(&self, wanted: &Wanted) -> Vec<f64> {
        self.texts.iter().map(|text| wanted.share(&text.terms, &text.kinds)).collect()
    }

    /// Inverse document frequency (Robertson and Spärck Jones, as in BM25; never negative).
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    fn rarity(&self, term: &str) -> f64 {
        let (all, with) = (self.texts.len() as f64, self.spread.get(term).copied().unwrap_or(0));
        (1.0 + (all - with as f64 + 0.5) / (with as f64 + 0.5)).ln()
    }
}

/// Who misspells a word mostly has its beginning and its length about right; only then is it worth
/// comparing the letters.
fn may_be_misspelt(word: &str, other: &str) -> bool {
    other.len() >= SPELLABLE
        && word.len().abs_diff(other.len()) <= word.len() / 2
        && word.chars().next() == other.chars().next()
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// By term: which of the query's terms it stands for, and what finding it is worth.
    worths: BTreeMap<String, Vec<(usize, f64)>>,
    /// What finding everything would be worth.
    whole: f64,
    kinds: HashSet<Kind>,
}

impl Wanted {
    /// What share of the query a passage of text holds, 0 to 1.
    pub(super) fn share_of(&self, text: &str) -> f64 {
        let Terms { terms, kinds } = Terms::of(text);
        self.share(&terms, &kinds)
    }

    fn share(&self, terms: &HashSet<String>, kinds: &HashSet<Kind>) -> f64 {
        if self.whole <= 0.0 {
            return 0.0;
        }
        // Each of the query's terms counts once, through whatever stands for it best.
        let mut best: BTreeMap<usize, f64> = BTreeMap::new();
        for (term, found) in &self.worths {
            if terms.contains(term) {
                for &(number, worth) in found {
                    let known = best.entry(number).or_insert(0.0);
                    *known = known.max(worth);
                }
            }
        }
        let share = best.values().sum::<f64>() / self.whole;
        let right_kind = self.kinds.iter().any(|kind| kinds.contains(kind));
        (share * if right_kind { RIGHT_KIND } else { 1.0 }).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::query::query, *};

    fn scores(input: &str, texts: &[&str]) -> Vec<f64> {
        let index = Index::of(texts.iter().copied());
        index.scores(&index.wanted(&query(input, &[])))
    }

    #[test]
    fn a_rare_word_finds_more_than_a_common_one() {
        let texts = ["The server is up.", "The server in Oslo.", "The server is old."];
        let found = scores("Which server stands in Oslo?", &texts);
        assert!(found[1] > 2.0 * found[0], "{found:?}");
    }

    #[test]
    fn misspelt_and_everyday_words_are_found() {
        let texts =
            ["We fly to Barcelona in May.", "The chair is broken.", "Its price is 30 euros."];
        assert!(scores("what about barcellona", &texts)[0] > 0.2);
        let cost = scores("How much does the thing cost?", &texts);
        assert!(cost[2] > cost[0] && cost[2] > cost[1], "{cost:?}");
    }

    proptest! {
        #[test]
        fn shares_are_within_bounds(
            input in "\\PC{0,40}", texts in prop::collection::vec("\\PC{0,40}", 0..6),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for score in scores(&input, &texts) {
                prop_assert!((0.0..=1.0).contains(&score));
            }
        }
    }
}
