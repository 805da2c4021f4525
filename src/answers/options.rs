//! The options that a question offers.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

use crate::domain::Canonical;

use super::{canonical::text as normal_text, clean::pattern};

static LETTERED: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        pattern(r"\(([A-Za-z])\)[ \t]*([^\n(]{1,200})"),
        pattern(r"(?m)^[ \t]*([A-Za-z])[.)][ \t]+([^\n]{1,200})$"),
    ]
});

/// Lettered options with their texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options(BTreeMap<char, String>);

impl Options {
    /// Those of a question; none where it offers fewer than two.
    pub(super) fn of(question: &str) -> Self {
        let read = |form: &Regex| -> BTreeMap<char, String> {
            let option = |c: regex::Captures<'_>| {
                let letter = c.get(1)?.as_str().chars().next()?.to_ascii_uppercase();
                Some((letter, c.get(2)?.as_str().trim().to_owned()))
            };
            form.captures_iter(question).filter_map(option).collect()
        };
        let found = LETTERED.iter().map(read).find(|options| options.len() >= 2);
        Self(found.unwrap_or_default())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the option of this letter says.
    pub(super) fn text(&self, letter: char) -> Option<&str> {
        self.0.get(&letter).map(String::as_str)
    }

    /// The letter of the one option that says just this.
    pub(super) fn letter(&self, answer: &Canonical) -> Option<char> {
        let mut saying =
            self.0.iter().filter(|(_, text)| normal_text(text).as_ref() == Some(answer));
        match (saying.next(), saying.next()) {
            (Some((letter, _)), None) => Some(*letter),
            _ => None,
        }
    }
}
