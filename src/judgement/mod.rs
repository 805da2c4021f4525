//! What is likely to be right, learned from outcomes: of a question before anybody has answered it,
//! and of a draft.
//!
//! A question is read once ([`crate::domain::Judge::read`]): its structure, and its wording as
//! hashed n-grams. Two ridges say how likely fast and strong models are right, a forest of small
//! trees what the strong one gains. A draft is read in the same manner: where its numbers come
//! from, what its calculations lead to, how it argues, what the checks found; another forest turns
//! that into calibrated log-odds on top of the prior.
//!
//! Trained by [`train`] from tables of outcomes, deterministic by seed, and judged by what each
//! fold's model says of questions that it has not seen. Where nothing was learned, nothing is said,
//! and the rules of [`crate::vcp`] and [`crate::complexity`] stand.

mod choices;
mod cues;
mod drafted;
mod file;
mod linear;
mod model;
mod ngrams;
mod question;
mod recalibrate;
mod scan;
#[cfg(test)]
mod tests;
mod train;
mod trees;
mod validate;
mod working;

pub use file::{ModelFileError, from_bytes, to_bytes};
pub use model::{Calibration, Card, CrossFitted, Model, Past, Trained};
pub use question::Kind;
pub use recalibrate::{NoRecalibration, Recalibration, recalibrated};
pub use train::{Course, FOLDS, Lesson, fold_of};
pub use validate::{Seen, Training, steps, train};
