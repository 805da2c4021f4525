//! "Complete the rest of the sequence, making sure that the parentheses are closed properly."

use crate::domain::Canonical;

use super::super::Solution;
use super::super::lexer::Token;
use super::super::question::starts_with;

const SOLVER: &str = "brackets";

/// Closes what is open, innermost first.
pub(super) fn solve(tokens: &[Token<'_>]) -> Option<Solution> {
    let used = OPENINGS.iter().find_map(|opening| starts_with(tokens, opening))?;
    let mut open = Vec::new();
    for token in tokens.get(used..)? {
        let closing = match token.raw {
            "(" => Some(")"),
            "[" => Some("]"),
            "{" => Some("}"),
            "<" => Some(">"),
            _ => None,
        };
        match closing {
            Some(closing) => open.push(closing),
            None if open.pop() == Some(token.raw) => {}
            None => return None,
        }
    }
    open.reverse();
    if open.is_empty() {
        return None;
    }
    let answer = Canonical::Text(open.join(" "));
    Some(Solution { solver: SOLVER, content: open.join(" "), answer, steps: Vec::new() })
}

const OPENINGS: &[&str] = &[
    "complete the rest of the sequence , making sure that the parentheses are closed properly . input :",
    "complete the sequence , making sure that the parentheses are closed properly :",
    "close the brackets :",
    "close the open brackets :",
];
