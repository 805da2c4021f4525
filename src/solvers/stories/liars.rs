//! "Jim lies. Crista says Jim lies. Does Crista tell the truth?"

use super::super::Solution;
use super::super::comparison::yes_no;
use super::super::lexer::Token;
use super::super::question::starts_with;
use super::super::show::step;
use super::{is_name, sentences};

const SOLVER: &str = "truth_tellers";

/// Follows who says what of whom; each is said to do nothing but lie or tell the truth.
pub(super) fn solve(tokens: &[Token<'_>]) -> Option<Solution> {
    let tokens = match starts_with(tokens, "question :") {
        Some(used) => tokens.get(used..)?,
        None => tokens,
    };
    // Names come first: anything else is told at once.
    if !is_name(tokens.first()?) || !(tokens.get(1)?.is("lies") || tokens.get(1)?.is("tells")) {
        return None;
    }
    let mut known: Vec<(&str, bool)> = Vec::new();
    let mut steps = Vec::new();
    for sentence in sentences(tokens) {
        let (name, rest) = sentence.split_first()?;
        if name.is("does") {
            let [who, rest @ ..] = rest else { return None };
            let asks = ["tell the truth", "lie"]
                .into_iter()
                .find(|p| starts_with(rest, p) == Some(rest.len()))?;
            let truthful = honesty(&known, who)?;
            return Some(yes_no(SOLVER, truthful == (asks == "tell the truth"), steps));
        }
        if !is_name(name) || honesty(&known, name).is_some() {
            return None;
        }
        let truthful = match rest {
            [says, who, rest @ ..] if says.is("says") => honesty(&known, who)? == claim(rest)?,
            rest => claim(rest)?,
        };
        known.push((name.raw, truthful));
        steps.push(step(format!(
            "{} {}",
            name.raw,
            if truthful { "tells the truth" } else { "lies" }
        )));
    }
    None
}

fn honesty(known: &[(&str, bool)], name: &Token<'_>) -> Option<bool> {
    known.iter().find(|(known, _)| *known == name.raw).map(|(_, truthful)| *truthful)
}

fn claim(rest: &[Token<'_>]) -> Option<bool> {
    let all = |phrase| starts_with(rest, phrase) == Some(rest.len());
    if all("lies") {
        Some(false)
    } else if all("tells the truth") {
        Some(true)
    } else {
        None
    }
}
