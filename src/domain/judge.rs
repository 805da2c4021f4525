//! What experience says of a question and of a draft. Who has it is handed in with the policy.

use std::{fmt::Debug, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Draft, Signal};

/// What is expected of a question before anybody has answered it; all probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Forecast {
    /// Chance that a fast model is right.
    pub fast: f64,
    /// Chance that a strong model is right.
    pub slow: f64,
    /// Expected gain of asking the strong model: the difference of the two, −1 to 1.
    pub gain: f64,
    /// The gain that questions of this kind had on average, −1 to 1.
    pub usual_gain: f64,
    /// Share of the question's wording that occurred in training, 0 to 1: below a half there is
    /// hardly any experience with such questions.
    pub known: f64,
}

/// What is expected of a draft.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Calibrated chance that it is right.
    pub signal: Signal,
    /// How much asking a strong model is expected to improve on it, 0 to 1 on the scale by which
    /// escalations are ordered.
    pub escalation: f64,
}

/// Reads questions by what was learned from outcomes.
pub trait Judge: Send + Sync + Debug {
    /// The version of what was learned, for records and explanations.
    fn version(&self) -> &str;
    /// Reads a question once, for everything that is judged about it.
    fn read(&self, question: &str) -> Arc<dyn Reading>;
}

/// A question, read.
pub trait Reading: Send + Sync + Debug {
    /// What is expected before anybody answers; `None` where there is no experience.
    fn forecast(&self) -> Option<Forecast>;
    /// What is expected of a draft whose checks are done, of somebody who is right with this prior
    /// probability; `None` where there is no experience with such questions or drafts.
    fn judge(&self, draft: &Draft, prior: Signal) -> Option<Judged>;
    /// The share of such questions that the model of this name answered rightly in training.
    fn history(&self, model: &str) -> Option<Signal>;
}

/// A shared judge. Two are equal when they are one and the same.
#[derive(Debug, Clone)]
pub struct SharedJudge(pub Arc<dyn Judge>);

impl PartialEq for SharedJudge {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for SharedJudge {
    type Target = dyn Judge;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
