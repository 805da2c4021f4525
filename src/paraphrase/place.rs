//! Where a question stands among others: what an index keeps of it. Every answer that is remembered
//! comes through here, so that plain ASCII takes a way of its own, without a whole profile.

use super::{
    lexicon::{Lexicon, hash},
    profile::{MOST_WORDS, Profile},
    vector::{Sums, Vector},
};
use crate::text::{fold, is_stop_word, stem_of, words_of_folded};

/// A question's point, and the words under which it is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    vector: Vector,
    topic: Vec<(u32, f32)>,
}

/// One word, as far as its place goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term<'a> {
    pub(super) stem: u32,
    pub(super) weight: f32,
    pub(super) stop: bool,
    /// Folded.
    pub(super) text: &'a str,
}

/// Letters of a long word that stand for its inflections.
const BEGINNING: usize = 4;
/// Letters of a word whose groups of three are looked at.
pub(super) const LETTERS: usize = 32;

impl Place {
    pub(super) fn new(vector: Vector, terms: &[Term<'_>]) -> Self {
        Self { vector, topic: topic(terms) }
    }

    /// The place of a question; the same as that of its profile.
    pub(super) fn of(question: &str, lexicon: &Lexicon) -> Self {
        if !question.is_ascii() {
            return Profile::of(question, lexicon).place();
        }
        let folded = fold(question);
        let (mut terms, mut sums, mut threes) = (Vec::new(), Sums::new(), Vec::new());
        for text in words_of_folded(&folded).take(MOST_WORDS) {
            let stop = is_stop_word(text);
            let stem = hash(b's', stem_of(text).bytes());
            let weight = lexicon.weight(lexicon.record(stem), stop);
            threes.clear();
            if !stop {
                threes.extend(groups_of_three(text));
                threes.sort_unstable();
            }
            sums.add(stem, weight, stop, &threes);
            terms.push(Term { stem, weight, stop, text });
        }
        Self::new(sums.vector(), &terms)
    }

    /// Its point.
    #[must_use]
    pub fn vector(&self) -> &Vector {
        &self.vector
    }

    /// Hashes of what tells what it is about, and what they weigh: its words, and the beginnings of
    /// long ones, so that inflections meet. Stop words are among them where there is nothing else.
    #[must_use]
    pub fn topic(&self) -> &[(u32, f32)] {
        &self.topic
    }
}

/// Hashes of three letters in a row of a word in ASCII, the ends marked.
pub(super) fn groups_of_three(word: &str) -> impl Iterator<Item = u32> {
    let letters = word.as_bytes().get(..LETTERS).unwrap_or(word.as_bytes());
    let last = letters.len().saturating_sub(1);
    let at = move |at: usize| letters.get(at).copied();
    (0..letters.len()).map(move |middle| {
        let before = middle.checked_sub(1).and_then(at).unwrap_or(b'^');
        let after = if middle == last { b'$' } else { at(middle + 1).unwrap_or(b'$') };
        hash(b'c', [before, at(middle).unwrap_or(b'$'), after])
    })
}

fn topic(terms: &[Term<'_>]) -> Vec<(u32, f32)> {
    let stops = terms.iter().all(|term| term.stop);
    let mut topic = Vec::with_capacity(2 * terms.len());
    for (at, term) in terms.iter().enumerate() {
        let seen = terms.iter().take(at).any(|earlier| earlier.stem == term.stem);
        if seen || (term.stop && !stops) {
            continue;
        }
        topic.push((term.stem, term.weight));
        if let Some(start) = term.text.get(..BEGINNING).filter(|_| term.text.len() > BEGINNING) {
            topic.push((hash(b'f', start.bytes()), term.weight * 0.5));
        }
    }
    topic
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::paraphrase::Matcher;

    proptest! {
        #[test]
        fn the_short_way_to_a_place_leads_where_the_profile_stands(
            text in "([a-zA-Z0-9'.,?!-]{0,40} ?){0,12}"
        ) {
            let matcher = Matcher::shipped();
            prop_assert_eq!(matcher.place(&text), matcher.profile(&text).place());
        }

        #[test]
        fn any_text_has_a_place(text in "\\PC{0,200}") {
            let matcher = Matcher::untrained();
            prop_assert_eq!(matcher.place(&text), matcher.profile(&text).place());
        }
    }
}
