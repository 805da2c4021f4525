//! What kind of answer a question wants, and whether a sentence can be one: a reason to why, a
//! person to who, a place to where, a time to when, a number of the very things to how many.

use super::{
    quantities::{LENGTHS, MASSES, MONEY, SOUND, TIME_UNITS, WARMTH},
    said::{Counted, Said},
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reason,
    Person,
    Place,
    Time,
    /// A number of things, named by the words of the question that [`super::fit`] knows.
    Number,
    Price,
    /// A duration, or a length: "how long".
    Span,
    Frequency,
    /// A figure in one of these units.
    Measure(&'static [&'static str]),
    /// Any figure: the height of a tower or of a sum.
    Figure,
    Open,
}

/// What is done where something is shown or set, which needs no place.
const SHOWING: &[&str] = &[
    "change",
    "check",
    "configure",
    "find",
    "look",
    "put",
    "read",
    "see",
    "set",
    "view",
    "report",
];
impl Kind {
    pub(super) fn read(words: &[String]) -> Self {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let has = |what: &str| words.iter().any(|word| word == what);
        match (word(0), word(1)) {
            ("why", _) | ("how", "come") => Self::Reason,
            ("what", _) if has("reason") => Self::Reason,
            // Who somebody is, is a definition.
            ("who", "is" | "are" | "was" | "were") if words.len() <= 4 => Self::Open,
            ("who" | "whom" | "whose", _) => Self::Person,
            // "where do I find it" may be answered by whatever shows it.
            ("where", "do" | "can" | "should") if SHOWING.contains(&word(3)) => Self::Open,
            ("where", _) => Self::Place,
            ("how", "do" | "can") if word(3) == "get" && word(4) == "to" => Self::Place,
            ("when", _) | ("what" | "which", "time" | "date" | "day" | "year" | "month") => {
                Self::Time
            }
            ("how", "many") => Self::Number,
            ("how", "much") if has("cost") || has("pay") || has("charge") || is_copula(word(2)) => {
                Self::Price
            }
            ("what", "does" | "do" | "did") if has("cost") => Self::Price,
            ("how", "long") => Self::Span,
            ("how", "often" | "frequently") => Self::Frequency,
            ("how", "high" | "big" | "large") => Self::Figure,
            ("how", "deep" | "tall" | "wide" | "far") => Self::Measure(LENGTHS),
            ("how", "heavy") => Self::Measure(MASSES),
            ("how", "warm" | "hot" | "cold") => Self::Measure(WARMTH),
            ("how", "loud" | "noisy") => Self::Measure(SOUND),
            ("how", "old") => Self::Measure(TIME_UNITS),
            _ => Self::Open,
        }
    }

    /// Whether a sentence can be the answer. `counted` are the words of the question that name
    /// what is counted.
    pub(super) fn admits(self, said: &Said, counted: &Counted<'_>) -> bool {
        match self {
            Self::Reason => said.gives_a_reason(),
            Self::Person => said.names_somebody(counted),
            Self::Place => said.names_a_place(),
            Self::Time => said.tells_when(),
            Self::Number => said.counts(counted),
            Self::Price => {
                said.has(MONEY)
                    || said.has(&["cost", "price", "fee", "pay"])
                    || said.text.contains(['$', '€', '£', '¥'])
            }
            Self::Span => said.has_span() || said.has(TIME_UNITS) || said.tells_a_range(),
            Self::Frequency => said.tells_how_often(),
            Self::Measure(units) => said.has(units),
            Self::Figure => said.has_figure(),
            Self::Open => true,
        }
    }
}

fn is_copula(word: &str) -> bool {
    ["is", "are", "was", "were"].contains(&word)
}
