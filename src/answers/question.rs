//! A question, with what several parts want to know of it.

use std::sync::OnceLock;

use crate::{
    domain::{Canonical, Elp},
    text::elp,
};

use super::{Form, expected_form, options::Options, read};

/// A question with what the parts that treat it ask of its text again and again: found out when
/// first wanted, and once.
#[derive(Debug)]
pub struct Question<'a> {
    text: &'a str,
    form: OnceLock<Option<Form>>,
    elp: OnceLock<Elp>,
}

impl<'a> Question<'a> {
    /// The question that this text puts.
    #[must_use]
    pub const fn of(text: &'a str) -> Self {
        Self { text, form: OnceLock::new(), elp: OnceLock::new() }
    }

    /// A question whose profile is known already.
    #[must_use]
    pub fn profiled(text: &'a str, elp: Elp) -> Self {
        Self { elp: OnceLock::from(elp), ..Self::of(text) }
    }

    /// Its text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The form of answer that it asks for; see [`expected_form`].
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        *self.form.get_or_init(|| expected_form(self.text))
    }

    /// What the option of this letter says, where it offers some.
    #[must_use]
    pub fn option(&self, letter: char) -> Option<String> {
        Options::of(self.text).text(letter).map(str::to_owned)
    }

    /// How it speaks; see [`elp`].
    #[must_use]
    pub fn elp(&self) -> Elp {
        *self.elp.get_or_init(|| elp(self.text))
    }

    /// The final answer of a reply to it; see [`super::answer_to`].
    #[must_use]
    pub fn answer_in(&self, reply: &str) -> Option<Canonical> {
        read::answer_in_form(self.text, self.form(), reply)
    }
}
