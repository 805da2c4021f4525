//! The little grammar that tells what a sentence is good for.

use crate::text::words;

/// Nouns that only announce the name that follows: "the field `id`", "the mode `fast`".
const ANNOUNCING: &[&str] = &[
    "command", "endpoint", "field", "flag", "function", "key", "method", "mode", "object", "option",
    "parameter", "setting", "term", "threshold", "variable",
];

/// Whether a sentence begins with a noun that announces a name.
pub(super) fn has_preamble(text: &str) -> bool {
    let found = words(text);
    let start = found.first().is_some_and(|w| w == "the");
    start && found.get(1).is_some_and(|w| ANNOUNCING.contains(&w.as_str()))
}

/// What a sentence defines: the words before "is", "are", "means" or "stands for" near its
/// beginning, or before an apposition between commas.
pub(super) fn defined(text: &str) -> Option<&str> {
    const COPULAS: &[&str] = &["is", "are", "means", "stands"];
    const MAX_WORDS: usize = 7;
    let mut at = 0;
    for (i, word) in text.split(' ').take(MAX_WORDS).enumerate() {
        let before = text.get(..at).map(str::trim).filter(|b| !b.is_empty());
        if COPULAS.contains(&word) {
            return before;
        }
        at += word.len() + 1;
        if i < 2 && word.ends_with(',') {
            return text.get(..at).map(|b| b.trim_end_matches([',', ' ']));
        }
    }
    None
}

/// Whether a sentence speaks of a special case only.
pub(super) fn is_conditional(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    ["If", "When", "With", "Under", "Unless", "While", "To"].contains(&first)
}

/// How much a sentence looks as if it named all things of a kind, 0 to 1.
pub(super) fn enumerates(text: &str) -> f64 {
    let several = text.matches([',', ';']).count() >= 2;
    let announced = text.contains(':') || text.contains(" are ");
    match (text.starts_with("There are "), several && announced) {
        (true, true) => 1.0,
        (true, false) | (false, true) => 0.5,
        (false, false) => 0.0,
    }
}

pub(super) fn has_number(text: &str) -> bool {
    const NUMBERS: &[&str] =
        &["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "once", "twice"];
    words(text)
        .iter()
        .any(|w| w.bytes().any(|b| b.is_ascii_digit()) || NUMBERS.contains(&w.as_str()))
}

pub(super) fn gives_a_way(text: &str) -> bool {
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
    fn definitions_are_told_by_their_beginning() {
        for (text, subject) in [
            ("ELP stands for ethos.", Some("ELP")),
            ("Hybrid, the default strategy, drafts.", Some("Hybrid")),
            ("The signal of a draft is a number.", Some("The signal of a draft")),
            ("Is it?", None),
            ("Adaptive asks ASI when the analysis requires it.", None),
        ] {
            assert_eq!(defined(text), subject, "{text}");
        }
    }

    #[test]
    fn names_are_announced() {
        assert!(has_preamble("The field `id` names the response."));
        assert!(!has_preamble("The lake keeps answers."));
    }
}
