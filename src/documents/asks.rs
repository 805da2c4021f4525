//! What a question asks for, told before anything is searched: itself, a value, a place.

use super::{corpus::Sentence, grammar, question::MAX_CHARS};
use crate::text::words;

/// Whether a question is about its own words, as "count the words in this question" is, or about
/// the conversation, as "what did I just ask?" is.
pub(super) fn is_about_itself(question: &str) -> bool {
    const ITSELF: &[&str] = &[
        "list",
        "message",
        "paragraph",
        "passage",
        "phrase",
        "question",
        "sentence",
        "string",
        "text",
        "word",
    ];
    const SAYING: &[&str] = &["ask", "mention", "say", "tell", "write"];
    let text: String = question.chars().take(MAX_CHARS).collect();
    let found = words(&text);
    let opens = found.first().is_some_and(|w| w == "what");
    found.windows(2).any(|pair| match pair {
        [this, what] if this == "this" => ITSELF.contains(&what.as_str()),
        // "what did I just ask?", and nothing behind it that it could be about.
        [just, said] if opens && (just == "just" || just == "i") => {
            SAYING.contains(&said.as_str()) && found.last() == Some(said)
        }
        _ => false,
    })
}

/// What a question asks for that not every sentence about its topic can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The name or value of something: "what port", "which port is", "what is the port".
    Value,
    /// A place.
    Place,
    /// Anything else, or nothing that can be told from the words.
    Open,
}

impl Asks {
    pub(super) fn read(text: &str) -> Self {
        // "what happens if", "what to do when": a case is what is asked about.
        const CASES: &[&str] =
            &["case", "fail", "fails", "happen", "happens", "if", "when", "without"];
        let found = words(text);
        let word = |i: usize| found.get(i).map_or("", String::as_str);
        let of_a_case = found.iter().any(|w| CASES.contains(&w.as_str()));
        match word(0) {
            "where" if ["is", "are", "was", "were"].contains(&word(1)) => Self::Place,
            "what" | "which" if !of_a_case && !["should", "can", "do"].contains(&word(1)) => {
                Self::Value
            }
            _ => Self::Open,
        }
    }

    /// Whether a sentence can be the answer at all, whatever words it has in common.
    pub(super) fn admits(self, sentence: &Sentence) -> bool {
        match self {
            // What to do if the port is in use does not say what the port is.
            Self::Value => !sentence.text.starts_with("If "),
            Self::Place => !grammar::tells_only_when(&sentence.text),
            Self::Open => true,
        }
    }
}
