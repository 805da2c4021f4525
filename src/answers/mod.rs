//! Canonical answers taken out of raw text.
//!
//! Models wrap their answers in habits: `#### 18`, a JSON object that may be broken, `\boxed{18}`,
//! "So the answer is (B).", a page of prose. [`extract`] finds the final answer of a whole reply,
//! [`canonical`] reads a text that is nothing but an answer (a gold label, a solver's result). Both
//! see only the text and the [`Form`] that the question expects. Every pattern runs in time linear
//! in the text, and of a long reply only the end is read.

mod canonical;
mod clean;
mod dates;
mod extract;
mod form;
#[cfg(test)]
pub(crate) mod measured;
mod mention;
mod numbers;
mod options;
mod question;
mod read;
mod refusal;
mod wording;
#[cfg(test)]
mod wording_tests;

pub use canonical::canonical;
pub(crate) use clean::plain_maths;
pub use extract::extract;
pub use form::{Form, expected_form};
pub use mention::mentions;
pub use question::Question;
pub use read::answer_to;
pub use refusal::is_non_answer;
pub use wording::Wording;
