//! A question as the experts see it: weighed words, and what kind of answer it wants.

use super::corpus::{Corpus, Match, Sentence, TermId};
use crate::text::{NgramVector, content_words, fold, is_stop_word, stem, words};

/// What lies beyond is not read: no question about a document is longer.
const MAX_CHARS: usize = 600;
const MAX_TERMS: usize = 40;

/// Words that shape a question but say little of its topic, stemmed; in order, for binary search.
const FURNITURE: &[&str] = &[
    "actually", "also", "best", "between", "call", "defin", "describ", "detail", "doe", "don't",
    "exactly", "exampl", "explain", "find", "get", "giv", "go", "happen", "help", "hello", "hi", "kind",
    "know", "like", "list", "long", "look", "mak", "many", "mean", "meant", "much", "must", "nam",
    "need", "often", "one", "own", "possibl", "purpos", "question", "show", "someth", "stand",
    "take", "thank", "thing", "try", "typ", "us", "want", "way", "work",
];

/// Weight of such a word beside a topic word's 1.
const FURNITURE_WEIGHT: f64 = 0.15;

/// How much a word counts for a sentence by where it stands.
const IN_HEADING: f64 = 0.85;
const ASIDE: f64 = 0.6;

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What a thing is or does.
    Definition,
    /// A number.
    Quantity,
    /// A way to do something.
    Method,
    /// Anything else.
    Other,
}

/// A word of the question with its weight and its stand-ins in the corpus.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Inverse document frequency, lowered for furniture.
    pub weight: f64,
    /// Whether it names the topic.
    pub topical: bool,
    /// The corpus's words for it; none when the corpus does not know it.
    pub matches: Vec<Match>,
}

/// A question over one corpus.
#[derive(Debug)]
pub(super) struct Question {
    pub groups: Vec<Group>,
    pub wanted: Wanted,
    pub vector: NgramVector,
    total: f64,
}

impl Question {
    /// Reads a question; `None` when it has no word that names a topic.
    pub(super) fn read(text: &str, corpus: &Corpus) -> Option<Self> {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let mut stems: Vec<String> = Vec::new();
        for stem in content_words(&text) {
            if stems.len() < MAX_TERMS && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        let groups: Vec<Group> = stems.iter().map(|stem| Group::read(stem, corpus)).collect();
        let total = groups.iter().map(|g| g.weight).sum();
        let topical = groups.iter().any(|g| g.topical) && total > 0.0;
        topical.then(|| Self {
            wanted: Wanted::read(&text),
            vector: NgramVector::of(&topic(&text)),
            groups,
            total,
        })
    }

    /// The weighed share of the question's words that a sentence, its headings and its
    /// neighbours cover, 0 to 1.
    pub(super) fn coverage(&self, sentence: &Sentence) -> f64 {
        let covered: f64 = self.groups.iter().map(|g| g.weight * g.standing(sentence)).sum();
        if self.total > 0.0 { covered / self.total } else { 0.0 }
    }

    /// How well the sentence covers the most telling topical word, 0 to 1.
    pub(super) fn rarest_covered(&self, sentence: &Sentence) -> f64 {
        self.groups
            .iter()
            .filter(|g| g.topical)
            .max_by(|a, b| a.weight.total_cmp(&b.weight))
            .map_or(0.0, |g| g.standing(sentence))
    }

    /// How much of the sentence's beginning is what the question is about, 0 to 1: a sentence
    /// speaks of what it begins with.
    pub(super) fn lead(&self, sentence: &Sentence) -> f64 {
        const SHARES: [f64; 3] = [0.5, 0.3, 0.2];
        let asked = |term: TermId| {
            let topical = self.groups.iter().filter(|g| g.topical);
            topical.map(|g| g.quality(term)).fold(0.0, f64::max)
        };
        SHARES.iter().zip(&sentence.body).map(|(share, &term)| share * asked(term)).sum()
    }

    /// Whether the sentence has the form of the answer wanted, 0 to 1.
    pub(super) fn form(&self, sentence: &Sentence) -> f64 {
        let fits = match self.wanted {
            Wanted::Quantity => has_number(&sentence.text),
            Wanted::Method => gives_a_way(&sentence.text),
            Wanted::Definition | Wanted::Other => false,
        };
        f64::from(u8::from(fits))
    }
}

impl Group {
    fn read(stem: &str, corpus: &Corpus) -> Self {
        let topical = FURNITURE.binary_search(&stem).is_err();
        let matches = corpus.matches(stem);
        let idf = corpus.idf(matches.first().map(|m| m.term));
        let weight = if topical { idf } else { idf * FURNITURE_WEIGHT };
        Self { weight, topical, matches }
    }

    /// How much this word counts in a search that weighs words by rarity itself.
    pub(super) const fn emphasis(&self) -> f64 {
        if self.topical { 1.0 } else { FURNITURE_WEIGHT }
    }

    /// How well a term stands for this word.
    fn quality(&self, term: TermId) -> f64 {
        self.matches.iter().find(|m| m.term == term).map_or(0.0, |m| m.quality)
    }

    /// How well a sentence covers this word.
    fn standing(&self, sentence: &Sentence) -> f64 {
        let best = |terms: &[TermId]| terms.iter().map(|&t| self.quality(t)).fold(0.0, f64::max);
        if self.matches.is_empty() {
            return 0.0;
        }
        best(&sentence.body)
            .max(IN_HEADING * best(&sentence.heading))
            .max(ASIDE * best(&sentence.aside))
    }
}

impl Wanted {
    fn read(text: &str) -> Self {
        let folded = fold(text);
        let found = words(&folded);
        let word = |i: usize| found.get(i).map_or("", String::as_str);
        match (word(0), word(1)) {
            ("how", "many" | "much" | "long" | "often" | "big" | "large" | "high" | "fast") => {
                Self::Quantity
            }
            ("how", "do" | "can" | "to" | "should" | "would" | "could") => Self::Method,
            ("what" | "what's" | "who" | "define" | "explain" | "describe" | "meaning", _) => {
                Self::Definition
            }
            ("tell", "me") => Self::Definition,
            _ => Self::Other,
        }
    }
}

/// The question without the words that shape it, for the likeness of vectors.
fn topic(text: &str) -> String {
    let kept: Vec<String> = words(text)
        .into_iter()
        .filter(|w| !is_stop_word(w) && FURNITURE.binary_search(&stem(w).as_str()).is_err())
        .take(MAX_TERMS)
        .collect();
    kept.join(" ")
}

fn has_number(text: &str) -> bool {
    const NUMBERS: &[&str] =
        &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "once"];
    words(text)
        .iter()
        .any(|w| w.bytes().any(|b| b.is_ascii_digit()) || NUMBERS.contains(&w.as_str()))
}

fn gives_a_way(text: &str) -> bool {
    const VERBS: &[&str] =
        &["run", "set", "send", "add", "use", "put", "list", "start", "call", "install", "open"];
    let found = words(text);
    found.first().is_some_and(|w| w == "to" || VERBS.contains(&w.as_str()))
        || found.iter().any(|w| w == "run" || w == "send")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_is_sorted_and_stemmed() {
        assert!(FURNITURE.is_sorted(), "{FURNITURE:?}");
        for word in FURNITURE {
            assert!(stem(word) == *word || *word == "take" || *word == "one", "{word}");
        }
    }
}
