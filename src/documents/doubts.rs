//! What makes it doubtful that documents know the answer.

use super::{corpus::Corpus, question::Group, terms};
use crate::text::{stem, words};

/// What makes it doubtful that a corpus answers a question, told before anything is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Doubts {
    /// The share of the question's weight that lies in words that the corpus does not know.
    pub unknown: f64,
    /// Whether it names somebody or something that the corpus never names.
    pub foreign: bool,
    /// Whether it speaks of the asker's own things: "my car".
    pub mine: bool,
    /// Whether it asks for a person.
    pub who: bool,
    /// Whether it asks for an amount, a number or a time.
    pub measure: bool,
    /// Whether it asks for a point in time that has been or is fixed.
    pub dated: bool,
    /// How few topical words it has: 1 for one, less for more.
    pub few: f64,
}

impl Doubts {
    pub(super) fn read(text: &str, groups: &[Group], total: f64, corpus: &Corpus) -> Self {
        let found = words(text);
        let weight: f64 = groups.iter().filter(|g| g.matches.is_empty()).map(|g| g.weight).sum();
        let mut topical = 0.0;
        groups.iter().filter(|g| g.topical).for_each(|_| topical += 1.0);
        let mine = found.windows(2).any(
            |pair| matches!(pair, [my, own] if my == "my" && corpus.matches(&stem(own)).is_empty()),
        );
        let first = |at: usize| found.get(at).map_or("", String::as_str);
        let measures = ["many", "much", "old", "long", "tall", "far", "big", "often", "large"];
        Self {
            unknown: if total > 0.0 { weight / total } else { 1.0 },
            foreign: names_a_stranger(text, corpus),
            mine,
            who: found.iter().take(2).any(|w| w == "who" || w == "whom" || w == "whose"),
            measure: (first(0) == "how" && measures.contains(&first(1)))
                || first(0) == "when"
                || (first(0) == "what" && ["time", "year", "date", "day"].contains(&first(1))),
            dated: (first(0) == "when" && ["was", "were", "did", "will"].contains(&first(1)))
                || (["what", "which"].contains(&first(0))
                    && ["time", "year", "date", "day", "month"].contains(&first(1))
                    && ["is", "was", "does", "did", "will"].contains(&first(2))),
            few: if topical > 0.0 { 1.0 / topical } else { 1.0 },
        }
    }
}

/// Whether a word in the midst of the text begins with a capital letter and is nothing that the
/// corpus knows.
fn names_a_stranger(text: &str, corpus: &Corpus) -> bool {
    text.split_whitespace().skip(1).any(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.chars().count() > 1
            && word.starts_with(char::is_uppercase)
            && terms::of_document(word).first().is_some_and(|stem| corpus.matches(stem).is_empty())
    })
}
