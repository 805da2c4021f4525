//! A question taken apart, once for all comparisons.

use std::sync::Arc;

use super::{
    lexicon::{Lexicon, Record, hash},
    place::{LETTERS, Place, Term, groups_of_three},
    vector::Vector,
    words::{Class, Kind, classes, is_negation},
};
use crate::{
    embedding::Embedding,
    text::{fold, is_stop_word, number_named, signs, stem, words_of},
};

/// Longest text that is compared, in words: longer ones are never taken for the same as another.
pub(super) const MOST_WORDS: usize = 96;

/// Words among which a text without a question mark says what it asks for.
const BEGINNING: usize = 4;

/// A question as the comparison sees it.
#[derive(Debug, Clone)]
pub struct Profile {
    pub(super) words: Vec<Word>,
    /// Hashes of pairs of neighbouring words, sorted.
    pub(super) pairs: Vec<u32>,
    /// Hashes of four characters in a row, sorted.
    pub(super) fours: Vec<u32>,
    pub(super) kind: Kind,
    /// Letters, digits and spaces.
    pub(super) length: usize,
    pub(super) truncated: bool,
    /// Numbers in their plain form, in order, and whether each is spelled as a word.
    pub(super) numbers: Vec<(String, bool)>,
    /// Signs that carry meaning, sorted.
    pub(super) signs: Vec<char>,
    pub(super) negations: usize,
    pub(super) vector: Vector,
    /// What a sentence model takes it to mean, where one was asked.
    pub(super) point: Option<Arc<Embedding>>,
}

/// One word of it.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) stem: u32,
    pub(super) text: Box<str>,
    pub(super) weight: f32,
    pub(super) record: Option<Record>,
    pub(super) stop: bool,
    pub(super) number: bool,
    pub(super) name: bool,
    pub(super) negation: bool,
    pub(super) classes: [Option<Class>; 2],
    /// Hashes of three characters in a row, the ends marked, sorted.
    pub(super) threes: Vec<u32>,
}

impl Word {
    /// Whether it carries the topic and nothing else.
    pub(super) fn is_content(&self) -> bool {
        !self.stop && !self.number && !self.negation
    }

    pub(super) fn unit(&self) -> Option<u8> {
        self.classes.iter().flatten().find_map(|class| match class {
            Class::Unit(id) => Some(*id),
            _ => None,
        })
    }

    pub(super) fn time(&self) -> Option<u8> {
        self.classes.iter().flatten().find_map(|class| match class {
            Class::Time(id) => Some(*id),
            _ => None,
        })
    }

    pub(super) fn pole(&self) -> Option<(u8, bool)> {
        self.classes.iter().flatten().find_map(|class| match class {
            Class::Pole(id, side) => Some((*id, *side)),
            _ => None,
        })
    }

    pub(super) fn role(&self) -> Option<u8> {
        self.classes.iter().flatten().find_map(|class| match class {
            Class::Role(id) => Some(*id),
            _ => None,
        })
    }
}

impl Profile {
    /// The same question with what a sentence model takes it to mean.
    #[must_use]
    pub fn with_point(self, point: Option<Arc<Embedding>>) -> Self {
        Self { point, ..self }
    }

    pub(super) fn of(text: &str, lexicon: &Lexicon) -> Self {
        let plain = text.replace(['\u{2019}', '\u{2018}'], "'");
        // Where all is in capitals, or hardly anything is not, capitals tell nothing.
        let shouted = !plain.chars().any(char::is_lowercase);
        let mut words = Vec::new();
        let mut numbers = Vec::new();
        let mut truncated = false;
        for (at, raw) in words_of(&plain).enumerate() {
            if at == MOST_WORDS {
                truncated = true;
                break;
            }
            let mut word = Word::of(raw, at == 0, shouted, lexicon);
            // `ml` is a unit after a number, and an abbreviation elsewhere.
            let counted = words.last().is_some_and(|before: &Word| before.number);
            if word.text.len() <= 2 && word.unit().is_some() && !counted {
                word.classes = [None; 2];
            }
            numbers_in(&word.text, &mut numbers);
            words.push(word);
        }
        let mut pairs: Vec<u32> = words
            .windows(2)
            .map(|pair| hash(b'p', pair.iter().flat_map(|word| word.stem.to_le_bytes())))
            .collect();
        pairs.sort_unstable();
        let folded: Vec<char> = fold(&plain)
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ')
            .take(MOST_WORDS * 8)
            .collect();
        let mut fours: Vec<u32> = folded.windows(4).map(|four| hash_of_chars(b'4', four)).collect();
        fours.sort_unstable();
        // Without a question mark, only what a text begins with makes it a question.
        let telling = if plain.contains('?') { words.len() } else { BEGINNING };
        let kind = Kind::of(words.iter().take(telling).map(|word| &*word.text));
        // A leading "No, …" answers; it denies nothing of what follows.
        let answers = plain.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("no,"));
        let negations = words.iter().skip(usize::from(answers)).filter(|w| w.negation).count();
        let vector = Vector::of(&words);
        Self {
            vector,
            point: None,
            pairs,
            fours,
            kind,
            length: folded.len(),
            truncated,
            numbers,
            signs: signs(&fold(&plain)),
            negations,
            words,
        }
    }

    /// Where it stands among others.
    #[must_use]
    pub fn place(&self) -> Place {
        let words = self.words.iter();
        let terms = words.map(|Word { stem, weight, stop, text, .. }| Term {
            stem: *stem,
            weight: *weight,
            stop: *stop,
            text,
        });
        Place::new(self.vector, &terms.collect::<Vec<_>>())
    }

    /// The hash of its first two words.
    pub(super) fn start(&self) -> u32 {
        hash(b'b', self.words.iter().take(2).flat_map(|word| word.stem.to_le_bytes()))
    }
}

/// The hash of two beginnings, whichever comes first.
pub(super) fn starts(a: &Profile, b: &Profile) -> u32 {
    let (a, b) = (a.start(), b.start());
    hash(b'x', [a.min(b).to_le_bytes(), a.max(b).to_le_bytes()].into_iter().flatten())
}

impl Word {
    fn of(raw: &str, first: bool, shouted: bool, lexicon: &Lexicon) -> Self {
        let text = fold(raw);
        let stop = is_stop_word(&text);
        let number = text.bytes().any(|byte| byte.is_ascii_digit())
            || (text != "one" && number_named(&text).is_some());
        let negation = is_negation(&text);
        let stem = hash(b's', stem(&text).into_bytes());
        let record = lexicon.record(stem);
        let capitals = raw.chars().filter(|c| c.is_uppercase()).count();
        let capital = raw.chars().next().is_some_and(char::is_uppercase);
        let name = !stop
            && (record.is_some_and(|record| record.name)
                || !shouted && (capitals > 1 || capital && !first));
        let mut threes: Vec<u32> = if text.is_ascii() {
            groups_of_three(&text).collect()
        } else {
            let padded: Vec<char> =
                std::iter::once('^').chain(text.chars().take(LETTERS)).chain(['$']).collect();
            padded.windows(3).map(|three| hash_of_chars(b'c', three)).collect()
        };
        threes.sort_unstable();
        let mut found = [None; 2];
        // `5kg` is five of what `kg` is.
        let own = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
        for (place, class) in found.iter_mut().zip(classes(own)) {
            *place = Some(class);
        }
        let weight = lexicon.weight(record, stop);
        Self {
            stem,
            text: text.into_boxed_str(),
            weight,
            record,
            stop,
            number,
            name,
            negation,
            classes: found,
            threes,
        }
    }
}

fn hash_of_chars(kind: u8, chars: &[char]) -> u32 {
    hash(kind, chars.iter().flat_map(|&c| (c as u32).to_le_bytes()).filter(|&byte| byte != 0))
}

/// The numbers within a word: `2.10.0` in `v2.10.0`, 7 in `seven`, 1000 in `1,000`.
fn numbers_in(word: &str, found: &mut Vec<(String, bool)>) {
    if word != "one"
        && let Some(number) = number_named(word)
    {
        found.push((number.to_string(), true));
        return;
    }
    let mut run = String::new();
    for c in word.chars().chain([' ']) {
        match c {
            c if c.is_ascii_digit() => run.push(c),
            '.' if !run.is_empty() => run.push(c),
            ',' => {}
            _ if !run.is_empty() => {
                let trimmed = run.trim_end_matches('.');
                let plain = trimmed.trim_start_matches('0');
                let plain = if plain.is_empty() { "0" } else { plain };
                found.push((plain.to_owned(), false));
                run.clear();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile(text: &str) -> Profile {
        Profile::of(text, &Lexicon::empty())
    }

    #[test]
    fn numbers_are_read_in_whatever_form() {
        let numbers = |text| profile(text).numbers.into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(numbers("seven of 1,000 in v2.10.0 on the 3rd"), ["7", "1000", "2.10.0", "3"]);
        assert!(profile("which one").numbers.is_empty());
    }

    #[test]
    fn names_are_told_by_capitals_within_a_sentence() {
        let names = |text: &str| {
            let profile = profile(text);
            let names = profile.words.iter().filter(|word| word.name);
            names.map(|word| word.text.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("What did Messi win with FC Barcelona?"), ["messi", "fc", "barcelona"]);
        assert!(names("WHAT DID HE WIN").is_empty());
        assert_eq!(names("PyTorch is a library"), ["pytorch"]);
    }

    #[test]
    fn signs_that_carry_meaning_are_kept_and_hyphens_are_not() {
        assert_eq!(profile("is C++ state-of-the-art?").signs, ['+', '+']);
        assert_eq!(profile("what is -5 + 3").signs, ['+', '-']);
    }

    proptest! {
        #[test]
        fn any_text_has_a_profile(text in "\\PC{0,200}") {
            let found = profile(&text);
            prop_assert!(found.words.len() <= MOST_WORDS);
            prop_assert!(found.pairs.is_sorted() && found.fours.is_sorted());
        }
    }
}
