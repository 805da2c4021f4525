//! What the present input is about, with what it leans on from the exchanges before it.

use std::collections::{BTreeMap, BTreeSet};

use super::entities::{Kind, entities};
use crate::text::{content_words, words};

/// What to look for in earlier exchanges and in passages.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Terms and how much each counts.
    pub(super) terms: BTreeMap<String, f64>,
    /// Kinds of things that an answer would name.
    pub(super) asked: BTreeSet<Kind>,
}

/// Weight of a word of the input; what the input names counts twice.
const WORD: f64 = 1.0;
const NAMED: f64 = 2.0;
/// Weight of what the latest exchange names, in any input.
const IN_THE_AIR: f64 = 0.2;
/// Weights of what the latest exchange, and the one before it, name and say, in an input that
/// cannot be understood without them.
const LEANED_ON: [(f64, f64); 2] = [(1.2, 0.4), (0.6, 0.2)];
/// Weight of all terms together that are taken from one exchange.
const LEANED_ON_AT_MOST: f64 = 4.0;
/// An input with at most this many content words says too little to stand by itself.
const TERSE: usize = 2;

/// Sorted, for binary search: words that point back.
const POINTING: &[&str] = &[
    "first", "former", "he", "her", "hers", "him", "his", "it", "it's", "its", "latter", "one",
    "ones", "same", "second", "she", "that", "their", "theirs", "them", "there", "they", "third",
    "this", "those",
];
/// Words with which an input goes on from the one before.
const GOING_ON: &[&str] = &["and", "but", "so", "or", "then", "also", "ok", "okay", "why"];

/// What to look for when this is asked after these exchanges, the latest first.
pub(super) fn query(input: &str, latest: &[&str]) -> Query {
    let mut query = Query { asked: asked(input), ..Query::default() };
    for word in content_words(input) {
        raise(&mut query.terms, word, WORD);
    }
    for entity in entities(input) {
        raise(&mut query.terms, entity.term, NAMED);
    }
    let leans = is_follow_up(input);
    for (text, (named, said)) in latest.iter().zip(LEANED_ON) {
        let (named, said) = if leans { (named, said) } else { (IN_THE_AIR, 0.0) };
        let things: BTreeSet<String> = entities(text).into_iter().map(|e| e.term).collect();
        lean(&mut query.terms, things, named);
        if !leans {
            break;
        }
        lean(&mut query.terms, content_words(text).into_iter().collect(), said);
    }
    query
}

/// However long the exchange, what is taken from it weighs no more than a few words of the input.
fn lean(terms: &mut BTreeMap<String, f64>, taken: BTreeSet<String>, weight: f64) {
    #[expect(clippy::cast_precision_loss, reason = "terms of one text")]
    let weight = weight.min(LEANED_ON_AT_MOST / taken.len().max(1) as f64);
    for term in taken {
        raise(terms, term, weight);
    }
}

fn raise(terms: &mut BTreeMap<String, f64>, term: String, weight: f64) {
    let known = terms.entry(term).or_insert(0.0);
    *known = known.max(weight);
}

/// Whether an input can be understood only after what was said before it.
pub(super) fn is_follow_up(input: &str) -> bool {
    let said = words(input);
    said.first().is_some_and(|first| GOING_ON.contains(&first.as_str()))
        || said.iter().any(|word| POINTING.binary_search(&word.as_str()).is_ok())
        || content_words(input).len() <= TERSE
}

fn asked(input: &str) -> BTreeSet<Kind> {
    let said = words(input).join(" ");
    let said = format!(" {said} ");
    let mut kinds = BTreeSet::new();
    for (marks, kind) in [
        (&[" who ", " whom ", " whose ", " where ", " name ", " called "][..], Kind::Name),
        (
            &[" how much ", " how many ", " cost ", " price ", " number ", " how old ", " budget "],
            Kind::Number,
        ),
        (&[" when ", " date ", " day ", " deadline ", " time ", " until "], Kind::Date),
        (&[" id ", " code ", " version ", " file ", " path ", " email ", " url "], Kind::Code),
    ] {
        if marks.iter().any(|mark| said.contains(mark)) {
            kinds.insert(kind);
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pointing_words_are_sorted_so_that_the_search_finds_them() {
        assert!(POINTING.is_sorted());
    }

    #[test]
    fn inputs_that_point_back_are_follow_ups() {
        for input in ["and how much is it?", "What about Porto?", "Who wrote that?", "Why?"] {
            assert!(is_follow_up(input), "{input}");
        }
        assert!(!is_follow_up("Which port does the staging database listen on?"));
    }

    #[test]
    fn a_follow_up_leans_on_what_the_latest_exchange_names() {
        let query = query("and how much is it?", &["We stayed at the Aurora in Oslo."]);
        assert!(query.terms["aurora"] > WORD, "{query:?}");
        assert!(query.asked.contains(&Kind::Number));
    }
}
