//! The little grammar that tells what a sentence is good for.

use crate::text::{month_named, words};

/// What a sentence looks like, told once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Form {
    /// It holds a number.
    pub number: bool,
    /// It holds a year, or the name of a month or a day.
    pub time: bool,
    /// It tells what to do.
    pub way: bool,
    /// It speaks of a special case or a purpose only.
    pub conditional: bool,
    /// It announces what follows and says nothing itself.
    pub announces: bool,
    /// How much it looks as if it named all things of a kind, 0 to 1.
    pub enumerates: f64,
}

impl Form {
    /// Looks at a sentence.
    pub(super) fn of(text: &str) -> Self {
        let found = words(text);
        Self {
            number: has_number(&found),
            time: has_time(&found),
            way: gives_a_way(&found),
            conditional: is_conditional(text),
            announces: text.ends_with(':'),
            enumerates: enumerates(text),
        }
    }
}

/// Whether a sentence tells times and no place: "open on Monday from 9 am to 5 pm".
pub(super) fn tells_only_when(text: &str) -> bool {
    const PLACING: &[&str] =
        &["at", "behind", "beside", "in", "inside", "near", "next", "on", "opposite", "under"];
    const PLACES: &[&str] = &["address", "building", "floor", "folder", "room", "street"];
    const HOURS: &[&str] = &["am", "pm", "noon", "midnight", "hour", "hours"];
    const DAYS: &[&str] = &["day", "days", "time", "weekday", "weekdays", "weekend", "weekends"];
    let found = words(text);
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let weekday = |word: &String| {
        let singular = word.strip_suffix('s').unwrap_or(word);
        singular.len() > 5 && singular.ends_with("day")
    };
    let timely = |word: &String| {
        is(DAYS, word)
            || is(HOURS, word)
            || weekday(word)
            || month_named(word).is_some()
            || word.bytes().all(|b| b.is_ascii_digit())
    };
    let timed = found.iter().any(|word| is(HOURS, word) || weekday(word) || is(DAYS, word));
    let placed = found.iter().any(|word| is(PLACES, word))
        || found
            .windows(2)
            .any(|pair| matches!(pair, [joint, next] if is(PLACING, joint) && !timely(next)));
    timed && !placed
}

/// Nouns that only announce the name that follows: "the field `id`", "the mode `fast`".
const ANNOUNCING: &[&str] = &[
    "command",
    "endpoint",
    "field",
    "flag",
    "function",
    "key",
    "method",
    "mode",
    "object",
    "option",
    "parameter",
    "setting",
    "term",
    "threshold",
    "variable",
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
    const COPULAS: &[&str] = &["is", "are", "means", "stands", "says"];
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

fn is_conditional(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    ["If", "When", "With", "Under", "Unless", "While", "To"].contains(&first)
}

fn enumerates(text: &str) -> f64 {
    let several = text.matches([',', ';']).count() >= 2;
    let announced = text.contains(':') || text.contains(" are ");
    match (text.starts_with("There are "), several && announced) {
        (true, true) => 1.0,
        (true, false) | (false, true) => 0.5,
        (false, false) => 0.0,
    }
}

fn has_number(words: &[String]) -> bool {
    const NUMBERS: &[&str] =
        &["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "once", "twice"];
    words.iter().any(|w| w.bytes().any(|b| b.is_ascii_digit()) || NUMBERS.contains(&w.as_str()))
}

fn has_time(words: &[String]) -> bool {
    const NAMES: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "noon",
        "midnight",
        "today",
        "tomorrow",
        "yesterday",
    ];
    let year = |w: &str| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit());
    // "may" permits more often than it dates, and "mar" or "dec" may stand for anything.
    let month = |w: &str| w != "may" && w.len() > 3 && month_named(w).is_some();
    words.iter().any(|w| year(w) || month(w) || NAMES.contains(&w.as_str()))
}

fn gives_a_way(words: &[String]) -> bool {
    const VERBS: &[&str] =
        &["run", "set", "send", "add", "use", "put", "list", "start", "call", "install", "open"];
    words.first().is_some_and(|w| w == "to" || VERBS.contains(&w.as_str()))
        || words.iter().any(|w| w == "run" || w == "send")
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
