//! Canonical answers: what two answers must share to be the same answer.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Draft, Number};

/// The comparable core of an answer's text. Consensus and grading compare these, never raw strings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Canonical {
    /// A quantity; equal as numbers, so `5` and `5.00` are one.
    Number(Number),
    /// A letter picked from offered choices, upper case.
    Choice(char),
    /// Yes or no, true or false.
    YesNo(bool),
    /// A calendar day.
    Date(Date),
    /// An ordered list of normalised items.
    List(Vec<String>),
    /// Any other text, in normal form.
    Text(String),
}

impl Canonical {
    /// The name of the form, for traces and checks of answer form.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "number",
            Self::Choice(_) => "choice",
            Self::YesNo(_) => "yes_no",
            Self::Date(_) => "date",
            Self::List(_) => "list",
            Self::Text(_) => "text",
        }
    }
}

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Choice(c) => write!(f, "{c}"),
            Self::YesNo(true) => f.write_str("yes"),
            Self::YesNo(false) => f.write_str("no"),
            Self::Date(d) => write!(f, "{d}"),
            Self::List(items) => f.write_str(&items.join(", ")),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Says which drafts give the same answer in other words. Equal canonical answers need not be asked
/// about: they are the same.
///
/// The relation is symmetric. It need not be transitive: who forms groups by it asks about every
/// pair in the group.
pub trait Likeness: fmt::Debug + Sync {
    /// Whether the two say the same.
    fn alike(&self, a: &Draft, b: &Draft) -> bool;
}

/// No two answers are the same unless their canonical forms are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnlyEqual;

impl Likeness for OnlyEqual {
    fn alike(&self, _: &Draft, _: &Draft) -> bool {
        false
    }
}
