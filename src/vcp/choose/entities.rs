//! What a text names: people, places, numbers, dates, identifiers, quoted terms.

use crate::text::{fold, is_stop_word, normal_key, stem, words};

/// What kind of thing is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A person, a place, a product: a capitalised word within a sentence, or capitals throughout.
    Name,
    /// A number, a price, a share.
    Number,
    /// A date, a weekday, a month, a time of day.
    Date,
    /// An identifier, a path, an address, a version, a quoted term.
    Code,
}

/// One thing that a text names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entity {
    /// As texts are compared: a stemmed word like those of `content_words`, or the folded whole of
    /// what is more than a word.
    pub(super) term: String,
    /// What kind of thing it is.
    pub(super) kind: Kind,
}

/// Longest quoted term, in bytes; what is longer is quoted speech.
const LONGEST_QUOTE: usize = 60;

const CALENDAR: &[&str] = &[
    "april",
    "august",
    "december",
    "february",
    "friday",
    "january",
    "july",
    "june",
    "monday",
    "november",
    "october",
    "saturday",
    "september",
    "sunday",
    "thursday",
    "tomorrow",
    "tuesday",
    "wednesday",
    "yesterday",
];

/// What a text names, each thing once, in no particular order.
pub(super) fn entities(text: &str) -> Vec<Entity> {
    let mut found = quoted(text);
    let mut starts_sentence = true;
    let mut tokens = text.split_whitespace().peekable();
    while let Some(raw) = tokens.next() {
        let token = raw.trim_matches(|c: char| !c.is_alphanumeric());
        let closes = raw.ends_with(['.', '!', '?', ':', ';']);
        if token.is_empty() {
            // A dash or a bullet: what follows may be capitalised by its place alone.
            starts_sentence = true;
            continue;
        }
        let followed_by_name = !closes && tokens.peek().is_some_and(|next| is_capitalised(next));
        let named = !starts_sentence || followed_by_name && !is_stop_word(&fold(token));
        if let Some(kind) = kind_of(token, named) {
            found.push(Entity { term: term(token), kind });
        }
        starts_sentence = closes;
    }
    found.sort();
    found.dedup();
    found
}

fn kind_of(token: &str, may_be_name: bool) -> Option<Kind> {
    let digits = token.bytes().any(|byte| byte.is_ascii_digit());
    let letters = token.chars().any(char::is_alphabetic);
    if digits && !letters {
        let is_date = token.contains(['-', ':', '/']);
        return Some(if is_date { Kind::Date } else { Kind::Number });
    }
    if digits || is_code(token) {
        return Some(Kind::Code);
    }
    if CALENDAR.iter().any(|word| word.eq_ignore_ascii_case(token)) {
        return Some(Kind::Date);
    }
    let mut letters = token.chars();
    let is_pronoun =
        letters.next() == Some('I') && !letters.next().is_some_and(char::is_alphabetic);
    let shouts = token.chars().nth(1).is_some() && token.chars().all(char::is_uppercase);
    (shouts || may_be_name && is_capitalised(token) && !is_pronoun).then_some(Kind::Name)
}

/// `snake_case`, `camelCase`, `a::b`, `ana@b.org`, `src/main.rs`, `config.toml`.
fn is_code(token: &str) -> bool {
    token.chars().zip(token.chars().skip(1)).any(|pair| match pair {
        ('_' | '@' | '/' | '\\' | '#', _) => true,
        ('.' | ':', next) => next.is_alphabetic() || next == ':',
        (before, next) => before.is_lowercase() && next.is_uppercase(),
    })
}

fn is_capitalised(token: &str) -> bool {
    token.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_uppercase)
}

fn term(token: &str) -> String {
    match words(token).as_slice() {
        [word] => stem(word),
        _ => fold(token),
    }
}

/// What stands between quotation marks or backticks, when it is short enough to be a term.
fn quoted(text: &str) -> Vec<Entity> {
    let mut found = Vec::new();
    for (open, close) in [('"', '"'), ('`', '`'), ('\u{201C}', '\u{201D}'), ('\u{AB}', '\u{BB}')] {
        let mut rest = text;
        while let Some(begin) = rest.find(open) {
            let inside = &rest[begin + open.len_utf8()..];
            let Some(end) = inside.find(close) else { break };
            let term = &inside[..end];
            rest = &inside[end + close.len_utf8()..];
            let key = normal_key(term);
            if term.len() <= LONGEST_QUOTE && !key.is_empty() {
                let term = if words(term).len() == 1 { stem(&key) } else { key };
                found.push(Entity { term, kind: Kind::Code });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> Vec<(Kind, String)> {
        let mut found: Vec<_> = entities(text).into_iter().map(|e| (e.kind, e.term)).collect();
        found.sort();
        found
    }

    fn expected(kind: Kind, term: &str) -> (Kind, String) {
        (kind, term.to_owned())
    }

    #[test]
    fn names_within_sentences_are_found_and_first_words_are_not() {
        assert_eq!(
            named("Yesterday we met Ana. Then I'm off to Porto."),
            [
                expected(Kind::Name, "ana"),
                expected(Kind::Name, "porto"),
                expected(Kind::Date, "yesterday"),
            ]
        );
        assert!(named("Maria Lopez called.").contains(&expected(Kind::Name, "maria")));
    }

    #[test]
    fn numbers_dates_and_identifiers_are_told_apart() {
        assert_eq!(
            named("pay $500 for INV-2041 by 2026-03-04, see `retry_budget` in src/main.rs"),
            [
                expected(Kind::Number, "500"),
                expected(Kind::Date, "2026-03-04"),
                expected(Kind::Code, "inv-2041"),
                expected(Kind::Code, "retry_budget"),
                expected(Kind::Code, "src/main.rs"),
            ]
        );
    }

    #[test]
    fn a_quoted_term_is_one_thing() {
        assert!(named("the flag \"dry run\" is on").contains(&expected(Kind::Code, "dry run")));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,120}") {
            for entity in entities(&text) {
                prop_assert!(!entity.term.is_empty());
            }
        }
    }
}
