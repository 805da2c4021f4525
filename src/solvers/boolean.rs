//! Expressions of true and false.
//!
//! `not` binds closest, then `and`, then `or`. Where `xor` stands beside `and` or `or` without
//! brackets, conventions differ, and there is no answer.

use crate::domain::Canonical;

use super::Solution;
use super::lexer::Token;
use super::question::{Asked, Question};
use super::show::step;

const SOLVER: &str = "boolean";
const MAX_TOKENS: usize = 300;
const MAX_DEPTH: u32 = 60;

/// Answers an expression of at least one operator that is not a phrase of plain English.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    if body.len() < 2 || body.len() > MAX_TOKENS {
        return None;
    }
    let literals = body.iter().filter(|t| literal(t).is_some()).count();
    let brackets = body.iter().any(|t| t.is("("));
    // "true or false", "not true": turns of speech.
    let spoken = body.iter().all(|t| t.word().is_some());
    let speech = body.len() <= 3 && !brackets && spoken && question.asked < Asked::Compute;
    let plain = body.iter().all(|t| t.word().is_some_and(|w| w == t.raw));
    // "true and false", three words of which two are literals, can only be meant.
    let joined = matches!(body, [_, joint, _] if joint.is("and") || joint.is("xor"));
    let phrase = (plain && !joined) || body.len() < 3 || body.iter().any(|t| t.is("or"));
    if literals == 0 || (speech && phrase) {
        return None;
    }
    let mut parser = Parser { tokens: body, at: 0, depth: 0 };
    let value = parser.either()?;
    if parser.at < body.len() {
        return None;
    }
    let written: Vec<&str> = body.iter().map(|t| t.raw).collect();
    let content = if value { "True" } else { "False" };
    Some(Solution {
        solver: SOLVER,
        content: content.to_owned(),
        answer: Canonical::YesNo(value),
        steps: vec![step(format!("{} = {content}", written.join(" ")))],
    })
}

fn literal(token: &Token<'_>) -> Option<bool> {
    match token.word()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn either(&mut self) -> Option<bool> {
        let start = self.at;
        let mut value = self.both()?;
        let mut plain = !self.spans_and(start);
        let mut seen_or = false;
        loop {
            if self.take(&["or", "∨"]) {
                seen_or = true;
                let right = self.both()?;
                value |= right;
            } else if self.take(&["xor", "⊕"]) {
                let start = self.at;
                let right = self.both()?;
                plain &= !self.spans_and(start);
                if seen_or || !plain {
                    return None;
                }
                value ^= right;
                if self.peek_is(&["or", "∨"]) {
                    return None;
                }
            } else {
                return Some(value);
            }
        }
    }

    fn both(&mut self) -> Option<bool> {
        let mut value = self.negated()?;
        while self.take(&["and", "∧"]) {
            let right = self.negated()?;
            value &= right;
        }
        Some(value)
    }

    fn negated(&mut self) -> Option<bool> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = if self.take(&["not", "!", "¬"]) {
            !self.negated()?
        } else if self.take(&["("]) {
            let value = self.either()?;
            if !self.take(&[")"]) {
                return None;
            }
            value
        } else {
            let value = literal(self.tokens.get(self.at)?)?;
            self.at += 1;
            value
        };
        self.depth -= 1;
        Some(value)
    }

    /// Whether an `and` outside brackets stands between `start` and here.
    fn spans_and(&self, start: usize) -> bool {
        let mut open = 0i32;
        self.tokens.get(start..self.at).unwrap_or_default().iter().any(|t| {
            open += i32::from(t.is("(")) - i32::from(t.is(")"));
            open == 0 && (t.is("and") || t.is("∧"))
        })
    }

    fn peek_is(&self, any: &[&str]) -> bool {
        self.tokens.get(self.at).is_some_and(|t| any.iter().any(|a| t.is(a)))
    }

    fn take(&mut self, any: &[&str]) -> bool {
        let found = self.peek_is(any);
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(input: &str) -> Option<String> {
        Some(solve(&Question::read(input)?)?.content)
    }

    #[test]
    fn not_binds_closest_and_and_before_or() {
        assert_eq!(truth("not True or False or ( False ) is").as_deref(), Some("False"));
        assert_eq!(truth("True or True and False =").as_deref(), Some("True"));
        assert_eq!(truth("not (True or False) and True").as_deref(), Some("False"));
        assert_eq!(truth("true xor true xor true").as_deref(), Some("True"));
    }

    #[test]
    fn xor_beside_others_is_open_to_two_readings() {
        assert_eq!(truth("true xor false and false"), None);
        assert_eq!(truth("true or true xor true"), None);
        assert_eq!(truth("true xor (false and false)").as_deref(), Some("True"));
    }

    #[test]
    fn turns_of_speech_are_no_expressions() {
        for text in ["true or false?", "is it not true", "what is not true", "true", "not", "and"] {
            assert_eq!(truth(text), None, "{text}");
        }
    }
}
