//! Short puzzles told in sentences: what one has, what day it is, who lies, where one ends up.
//!
//! A puzzle is solved only when each of its sentences is understood; one that is not silences it.

mod brackets;
mod inventory;
mod kinds;
mod liars;
mod today;
mod walk;

use jiff::civil::Date;

use crate::domain::{Canonical, Step};

use super::Solution;
use super::lexer::Token;
use super::question::Question;

/// Answers a puzzle; `today` plays no part in it.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let (tokens, opened) = (question.body(), question.opened());
    // Shorter than any puzzle: told before anything is read.
    if tokens.len() < 6 {
        return None;
    }
    inventory::solve(tokens)
        .or_else(|| walk::solve(tokens))
        .or_else(|| liars::solve(tokens))
        // "The deadline is …": of a story the first word is no courtesy.
        .or_else(|| today::solve(question, opened))
        .or_else(|| today::solve(question, tokens))
        .or_else(|| brackets::solve(tokens))
}

/// The sentences of a text: runs between full stops, question marks and exclamation marks.
fn sentences<'h, 't>(tokens: &'h [Token<'t>]) -> impl Iterator<Item = &'h [Token<'t>]> {
    tokens.split(|t| t.is(".") || t.is("?") || t.is("!")).filter(|s| !s.is_empty())
}

/// The part before "Options:", and the options behind it: letter or dash, and text.
fn parted<'h, 't>(tokens: &'h [Token<'t>]) -> (&'h [Token<'t>], Option<&'h [Token<'t>]>) {
    let at = tokens.windows(2).position(|w| matches!(w, [a, b] if a.is("options") && b.is(":")));
    match at {
        Some(at) => (tokens.get(..at).unwrap_or_default(), tokens.get(at + 2..)),
        None => (tokens, None),
    }
}

/// Whether the options are just yes and no.
fn are_yes_no(options: &[Token<'_>]) -> bool {
    let words: Vec<&Token<'_>> = options.iter().filter(|t| !t.is("-")).collect();
    matches!(words.as_slice(), [a, b] if (a.is("yes") && b.is("no")) || (a.is("no") && b.is("yes")))
}

/// A capitalised single word: somebody's name.
fn is_name(token: &Token<'_>) -> bool {
    token.word().is_some() && token.raw.starts_with(char::is_uppercase)
}

/// One of lettered options.
fn choice(solver: &'static str, letter: char, steps: Vec<Step>) -> Solution {
    Solution { solver, content: format!("({letter})"), answer: Canonical::Choice(letter), steps }
}

/// A day as `MM/DD/YYYY`.
fn american(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.month(), date.day(), date.year())
}
