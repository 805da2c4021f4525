//! What was learned, as one value: what is read off a question, and what off a draft.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    choices::Choices,
    drafted,
    linear::Ridge,
    ngrams::{Counts, Rarity},
    question::{Feature, Kind, Question},
    scan::tokens,
    trees::Forest,
};
use crate::{
    domain::{Canonical, Draft, Forecast, Judge, Judged, Reading, Signal, SourceKind},
    text::{fold, without_appeals},
};

/// Who trained a model on what, and how well it did on questions that it had not seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Card {
    /// Name and date: what records and explanations call it by.
    pub version: String,
    /// The day it was trained.
    pub trained_on: String,
    /// The command that trained it.
    pub command: String,
    /// The seed of folds and forests.
    pub seed: u64,
    /// The tables, with their rows.
    pub data: BTreeMap<String, usize>,
    /// Figures by cross-validation, never in-sample.
    pub held_out: BTreeMap<String, f64>,
}

/// How a known model did on a kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Share of them that it answered rightly.
    pub accuracy: f64,
    /// Questions behind that.
    pub n: usize,
}

/// What is known of one kind of question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Experience {
    pub(super) fast: Ridge,
    pub(super) slow: Ridge,
    /// Gain by structure and by what the two ridges say.
    pub(super) gain: Forest,
    pub(super) usual_gain: f64,
}

/// What is known of drafts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draftsman {
    /// Log-odds of being right, on top of the prior's.
    pub(super) right: Forest,
    /// How much more often strong models are right than the draft.
    pub(super) gain: Forest,
    pub(super) calibration: Calibration,
}

/// Log-odds brought to scale (Platt 1999): `slope × z + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Factor.
    pub slope: f64,
    /// Summand.
    pub offset: f64,
    /// Drafts that it was fitted on, none of which the forest had seen.
    pub n: usize,
    /// Calibration error before it, on the same drafts.
    pub error_before: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { slope: 1.0, offset: 0.0, n: 0, error_before: 0.0 }
    }
}

/// Everything that was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Where it comes from.
    pub card: Card,
    pub(super) rarity: Rarity,
    /// In the order of [`Kind::ALL`].
    pub(super) kinds: [Option<Experience>; 3],
    pub(super) drafts: Option<Draftsman>,
    /// By model, then by the kind's name.
    pub(super) history: BTreeMap<String, BTreeMap<String, Past>>,
}

/// A question with the n-grams' verdict.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) question: Question,
    pub(super) fast: f64,
    pub(super) slow: f64,
    pub(super) known: f64,
}

pub(super) fn log_odds(p: f64) -> f64 {
    let p = p.clamp(0.01, 0.99);
    (p / (1.0 - p)).ln()
}

pub(super) fn chance(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[expect(clippy::cast_possible_truncation, reason = "features are kept in single precision")]
fn values<'a>(features: impl Iterator<Item = &'a Feature> + 'a) -> impl Iterator<Item = f32> + 'a {
    features.map(|(_, value)| *value as f32)
}

impl Read {
    /// The features of a question alone.
    #[expect(clippy::cast_possible_truncation, reason = "features are kept in single precision")]
    pub(super) fn row(&self) -> Vec<f32> {
        let mut row: Vec<f32> = values(self.question.features().iter()).collect();
        row.extend([self.fast as f32, self.slow as f32, (self.slow - self.fast) as f32]);
        row
    }

    /// The features of a draft of somebody who is right with this prior probability.
    #[expect(clippy::cast_possible_truncation, reason = "features are kept in single precision")]
    pub(super) fn draft_row(&self, draft: &Draft, prior: f64) -> Vec<f32> {
        let mut row = self.row();
        row.extend(values(drafted::features(&self.question, draft).iter()));
        row.push(log_odds(prior) as f32);
        row
    }
}

impl Model {
    pub(super) fn experience(&self, kind: Kind) -> Option<&Experience> {
        self.kinds.get(kind as usize)?.as_ref()
    }

    pub(super) fn read_question(&self, input: &str) -> Read {
        let input = without_appeals(input);
        let folded = fold(input);
        let tokens = tokens(&folded);
        let choices = Choices::of(&tokens);
        let question = Question::of_tokens(input, &tokens, &choices);
        let sparse = self.rarity.weigh(&Counts::of_tokens(&tokens, choices.begin(&tokens)));
        let (fast, slow) = match self.experience(question.kind) {
            Some(known) => (known.fast.predict(&sparse), known.slow.predict(&sparse)),
            None => (0.5, 0.5),
        };
        Read { question, fast, slow, known: sparse.known }
    }

    /// How well a model did on this kind of question, where it took part in training.
    #[must_use]
    pub fn past(&self, model: &str, kind: Kind) -> Option<Past> {
        self.history.get(model)?.get(kind.name()).copied()
    }

    /// The known models.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.history.keys().map(String::as_str)
    }

    /// The calibration of drafts' signals.
    #[must_use]
    pub fn calibration(&self) -> Option<Calibration> {
        self.drafts.as_ref().map(|d| d.calibration)
    }
}

/// A model that judges.
#[derive(Debug, Clone)]
pub struct Trained(pub Arc<Model>);

impl Judge for Trained {
    fn version(&self) -> &str {
        &self.0.card.version
    }

    fn read(&self, question: &str) -> Arc<dyn Reading> {
        Arc::new(ReadBy { read: self.0.read_question(question), model: Arc::clone(&self.0) })
    }
}

/// Several models, each of which judges the questions that it was not trained on.
#[derive(Debug, Clone)]
pub struct CrossFitted(pub Vec<Trained>);

impl Judge for CrossFitted {
    fn version(&self) -> &'static str {
        "cross-fitted"
    }

    fn read(&self, question: &str) -> Arc<dyn Reading> {
        let fold = super::train::fold_of(question, self.0.len());
        match self.0.get(fold) {
            Some(unseen) => unseen.read(question),
            None => Arc::new(Unread),
        }
    }
}

/// Nothing is known.
#[derive(Debug)]
struct Unread;

impl Reading for Unread {
    fn forecast(&self) -> Option<Forecast> {
        None
    }
    fn judge(&self, _: &Draft, _: Signal) -> Option<Judged> {
        None
    }
    fn history(&self, _: &str) -> Option<Signal> {
        None
    }
}

#[derive(Debug)]
struct ReadBy {
    read: Read,
    model: Arc<Model>,
}

impl Reading for ReadBy {
    fn forecast(&self) -> Option<Forecast> {
        let known = self.model.experience(self.read.question.kind)?;
        let gain = known.forecast(&self.read);
        let fast = self.read.fast.clamp(0.01, 0.99);
        Some(Forecast {
            fast,
            slow: (fast + gain).clamp(0.01, 0.99),
            gain,
            usual_gain: known.usual_gain,
            known: self.read.known,
        })
    }

    fn judge(&self, draft: &Draft, prior: Signal) -> Option<Judged> {
        let drafts = self.model.drafts.as_ref().filter(|_| can_judge(&self.read, draft))?;
        let row = self.read.draft_row(draft, prior.get());
        let right = drafts.chance(&row, prior.get());
        Some(Judged {
            signal: Signal::clamped(right),
            escalation: escalation(right, drafts.gain.predict(&row)),
        })
    }

    fn history(&self, model: &str) -> Option<Signal> {
        let past = self.model.past(model, self.read.question.kind)?;
        Some(Signal::clamped(past.accuracy))
    }
}

/// Drafts of language models to questions for a quantity, which are what training has seen.
fn can_judge(read: &Read, draft: &Draft) -> bool {
    read.question.wants_quantity
        && matches!(draft.source.kind, SourceKind::Model | SourceKind::Drafter)
        && draft.tool_calls.is_empty()
        && matches!(draft.answer, None | Some(Canonical::Number(_)))
}

/// The chance of being wrong and the expected gain say the same with different errors: their mean.
pub(super) fn escalation(right: f64, gain: f64) -> f64 {
    (f64::midpoint(1.0 - right, gain)).clamp(0.0, 1.0)
}

impl Experience {
    /// The expected gain: what the structure says and what the wording says, in equal parts.
    pub(super) fn forecast(&self, read: &Read) -> f64 {
        f64::midpoint(self.gain.predict(&read.row()), read.slow - read.fast).clamp(-1.0, 1.0)
    }
}

impl Draftsman {
    pub(super) fn chance(&self, row: &[f32], prior: f64) -> f64 {
        let z = log_odds(prior) + self.right.predict(row);
        chance(self.calibration.slope * z + self.calibration.offset).clamp(0.005, 0.995)
    }
}
