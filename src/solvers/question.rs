//! A question without its wrapping: courtesy, "what is", the closing mark.

use super::lexer::{Token, tokens};

/// Longest input that is looked at, in characters.
pub(super) const MAX_CHARS: usize = 2_000;

/// Most words before a colon that are read as a question or a puzzle.
const MAX_WORDS: usize = 100;

/// In what way something was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// Just written down.
    Bare,
    /// "what is …": could also ask what a name means.
    WhatIs,
    /// "calculate …", or closed by `=`: nothing but a computation.
    Compute,
}

/// A question, read once for all solvers.
pub(super) struct Question<'a> {
    /// As given.
    pub(super) input: &'a str,
    all: Vec<Token<'a>>,
    from: usize,
    to: usize,
    /// How it was asked.
    pub(super) asked: Asked,
}

impl<'a> Question<'a> {
    /// Reads a question; `None` when it is empty, too long, or its end is ambiguous.
    pub(super) fn read(input: &'a str) -> Option<Self> {
        if (input.len() > MAX_CHARS && input.chars().nth(MAX_CHARS).is_some()) || is_prose(input) {
            return None;
        }
        let all = tokens(input)?;
        let to = all.len();
        let mut question = Self { input, all, from: 0, to, asked: Asked::Bare };
        question.drop_openings();
        question.drop_closings()?;
        (question.from < question.to).then_some(question)
    }

    /// The tokens that carry the question.
    pub(super) fn body(&self) -> &[Token<'a>] {
        self.all.get(self.from..self.to).unwrap_or_default()
    }

    /// All tokens but closing courtesy and marks.
    pub(super) fn opened(&self) -> &[Token<'a>] {
        self.all.get(..self.to).unwrap_or_default()
    }

    /// All tokens behind the openings, closing courtesy and marks included.
    pub(super) fn unclosed(&self) -> &[Token<'a>] {
        self.all.get(self.from..).unwrap_or_default()
    }

    fn drop_openings(&mut self) {
        'again: loop {
            for (phrase, asked) in OPENINGS {
                if let Some(length) = starts_with(self.body(), phrase) {
                    self.from += length;
                    self.asked = self.asked.max(*asked);
                    if self.body().first().is_some_and(|t| t.is(",") || t.is(":")) {
                        self.from += 1;
                    }
                    continue 'again;
                }
            }
            return;
        }
    }

    /// `None` where a closing `!` may be a factorial or mere excitement.
    fn drop_closings(&mut self) -> Option<()> {
        let mut closed_by_other = false;
        'again: loop {
            let body = self.body();
            if let [.., before, last] = body
                && last.is("!")
            {
                let glued =
                    !last.spaced && (before.number().is_some() || before.is(")") || before.is("!"));
                if !glued {
                    self.to -= 1;
                    continue 'again;
                }
                // `5!` alone can only be meant; `2 + 3!` closing a sentence cannot be told.
                // Nor is it excitement where a factorial stands before: `5!/3!`.
                let another = body
                    .split_at_checked(body.len().saturating_sub(2))
                    .is_some_and(|(before, _)| before.iter().any(|t| t.is("!")));
                return (closed_by_other || another || body.len() == 2).then_some(());
            }
            let ends_like = |phrase: &&&str| {
                let last = phrase.rsplit(' ').next().unwrap_or(phrase);
                body.last().is_some_and(|token| token.is(last))
            };
            // Hardly any question ends like any of them: most are told by their last word.
            for phrase in CLOSINGS.iter().filter(ends_like) {
                let words: Vec<&str> = phrase.split(' ').collect();
                let start = body.len().saturating_sub(words.len());
                if start > 0 && starts_with(&body[start..], phrase) == Some(body.len() - start) {
                    closed_by_other = true;
                    if words.iter().any(|w| ["=", "equals"].contains(w)) {
                        self.asked = Asked::Compute;
                    }
                    self.to = self.from + start;
                    continue 'again;
                }
            }
            return Some(());
        }
    }
}

/// Whether a text is longer than what solvers understand. Only a text to work on, behind a colon,
/// may have many words. Told without reading them, as this lies on the way of every request.
fn is_prose(input: &str) -> bool {
    let head = input.split(':').next().unwrap_or_default();
    head.len() > MAX_WORDS
        && head.split_ascii_whitespace().nth(MAX_WORDS).is_some_and(|_| {
            // An expression may be long, and is no prose: it has hardly a letter.
            let letters = head.bytes().filter(u8::is_ascii_alphabetic).count();
            2 * letters > head.len()
        })
}

/// The length of the phrase when the tokens start with it.
pub(super) fn starts_with(tokens: &[Token<'_>], phrase: &str) -> Option<usize> {
    // Most phrases differ in the first letter, and are then not taken apart.
    if tokens.first()?.word().is_some_and(|word| !phrase.starts_with(word)) {
        return None;
    }
    let mut length = 0;
    for word in phrase.split(' ') {
        if !tokens.get(length)?.is(word) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// The text that a run of tokens covers, as written.
pub(super) fn raw<'a>(input: &'a str, tokens: &[Token<'_>]) -> &'a str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => input.get(first.start..last.end()).unwrap_or_default(),
        _ => "",
    }
}

/// Longer before shorter where one begins with the other.
const OPENINGS: &[(&str, Asked)] = &[
    ("hey ,", Asked::Bare),
    ("hi ,", Asked::Bare),
    ("hello ,", Asked::Bare),
    ("hi !", Asked::Bare),
    ("hello !", Asked::Bare),
    ("ok ,", Asked::Bare),
    ("okay ,", Asked::Bare),
    ("so ,", Asked::Bare),
    ("quick question", Asked::Bare),
    ("please", Asked::Bare),
    ("pls", Asked::Bare),
    ("kindly", Asked::Bare),
    ("can you please", Asked::Bare),
    ("can you", Asked::Bare),
    ("could you please", Asked::Bare),
    ("could you", Asked::Bare),
    ("would you", Asked::Bare),
    ("tell me", Asked::Bare),
    ("give me", Asked::Bare),
    ("show me", Asked::Bare),
    ("help me", Asked::Bare),
    ("do you know", Asked::Bare),
    ("i want to know", Asked::Bare),
    ("i need to know", Asked::Bare),
    ("i would like to know", Asked::Bare),
    ("i'd like to know", Asked::Bare),
    ("question :", Asked::Bare),
    ("q :", Asked::Bare),
    ("what is", Asked::WhatIs),
    ("what's", Asked::WhatIs),
    ("whats", Asked::WhatIs),
    ("what are", Asked::WhatIs),
    ("what would be", Asked::WhatIs),
    ("what will be", Asked::WhatIs),
    ("how much is", Asked::Compute),
    ("how much are", Asked::Compute),
    ("how much would be", Asked::Compute),
    ("what do you get when you", Asked::Compute),
    ("what do you get if you", Asked::Compute),
    ("calculate", Asked::Compute),
    ("calc", Asked::Compute),
    ("compute", Asked::Compute),
    ("evaluate", Asked::Compute),
    ("solve", Asked::Compute),
    ("work out", Asked::Compute),
    ("figure out", Asked::Compute),
    ("determine", Asked::Compute),
    ("find out", Asked::Bare),
    ("find", Asked::Bare),
    ("the expression", Asked::Compute),
    ("the following expression", Asked::Compute),
    ("the value of", Asked::Compute),
    ("the result of", Asked::Compute),
    ("the answer to", Asked::Compute),
    ("the", Asked::Bare),
    ("value of", Asked::Compute),
    ("result of", Asked::Compute),
];

const CLOSINGS: &[&str] = &[
    "?",
    ".",
    "=",
    "please",
    "pls",
    "thanks",
    "thank you",
    "for me",
    "is equal to what",
    "is equal to",
    "equals to",
    "equals what",
    "equal to",
    "equals",
    "= what",
    "is what",
    "is",
    ",",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn body(input: &str) -> Option<(String, Asked)> {
        let question = Question::read(input)?;
        Some((raw(input, question.body()).to_owned(), question.asked))
    }

    #[test]
    fn wrapping_is_dropped_and_remembered() {
        assert_eq!(
            body("Please, what is the sum of 3 and 5?"),
            Some(("sum of 3 and 5".into(), Asked::WhatIs))
        );
        assert_eq!(body("2 + 2 = ?"), Some(("2 + 2".into(), Asked::Compute)));
    }

    #[test]
    fn a_mark_that_may_be_a_factorial_makes_the_question_ambiguous() {
        assert_eq!(body("5!").map(|b| b.0), Some("5!".into()));
        assert_eq!(body("what is 3 + 5!?").map(|b| b.0), Some("3 + 5!".into()));
        assert_eq!(body("what is 3 + 5!"), None);
        assert_eq!(body("sort these words!").map(|b| b.0), Some("sort these words".into()));
    }
}
