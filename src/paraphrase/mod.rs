//! Whether two questions ask the same, for the lake's recall by meaning.
//!
//! A [`Matcher`] takes a question apart ([`Matcher::profile`]), gives it a place
//! (`Profile::vector`) at which near questions are looked for, and judges two of them closely
//! ([`Matcher::judge`]): first by guards ([`Mismatch`]: numbers, units, negation, names, opposites,
//! direction, time, kind), then by boosted trees over cheap features that were trained on labelled
//! pairs. [`Matcher::acceptance`] says from which score on a match is accepted so that wrong
//! ones stay below a rate.

mod bound;
mod calibration;
mod features;
mod file;
mod guard;
mod lexicon;
mod place;
mod profile;
mod train;
mod trees;
mod vector;
mod words;

use std::sync::{Arc, LazyLock};

pub use bound::{most_events, rate_upper_bound};
pub use file::ModelFileError;
pub use guard::Mismatch;
pub use place::Place;
pub use profile::Profile;
pub use train::{HeldOut, LabelledPair, Points, Split, Trained, TrainingError, split, train};
pub use vector::{DIMENSIONS, Vector};

use calibration::Calibration;
use features::{Alignment, MEANING, SHARED_LETTERS, SHARED_TOPIC, features};
use guard::mismatch;
use lexicon::Lexicon;
use trees::Forest;
use words::Kind;

/// The model that ships, as `meta-orchestrator train-recall` wrote it.
const SHIPPED: &[u8] = include_bytes!("../../models/recall.bin");
/// The one that also knows what a sentence model says.
#[cfg(feature = "minilm")]
const SHIPPED_FOR_POINTS: Option<&[u8]> = Some(include_bytes!("../../models/recall-minilm.bin"));
#[cfg(not(feature = "minilm"))]
const SHIPPED_FOR_POINTS: Option<&[u8]> = None;

/// What nearness adds to the score of questions and of other texts. The trees know it, too; where
/// there are few texts to learn from, as of statements, it is the better guide among many.
const NEARNESS: [f32; 2] = [1.0, 8.0];
/// The same, of likeness in letters: it tells near-duplicates of one another apart, where the words
/// of topic are all the same.
const LETTERS: [f32; 2] = [0.0, 4.0];
/// The same, of the cosine of what a sentence model takes both to mean.
const MEANS: [f32; 2] = [0.0, 8.0];

/// Compares questions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Matcher {
    model: Arc<Model>,
}

/// What a matcher knows.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    lexicon: Lexicon,
    forest: Forest,
    /// Of pairs of which one at least is a question, and of others.
    calibrations: [Calibration; 2],
}

/// How alike two questions are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Rises with the chance that they ask the same; comparable under one model, among pairs of one
    /// kind ([`Self::told`]).
    pub score: f32,
    /// Log-odds that they ask the same, as held-out pairs had it, whatever a guard says: the one
    /// scale on which pairs of both kinds can be held against each other.
    pub log_odds: f64,
    /// Probability that they ask the same, as held-out pairs had it; 0 where a guard forbids it.
    pub probability: f64,
    /// What forbids it, whatever the score.
    pub mismatch: Option<Mismatch>,
    /// Whether neither is a question; such pairs have a scale of their own.
    pub told: bool,
}

impl Matcher {
    /// The matcher that ships with the program. Its model is untrained where the shipped file was
    /// refused, which a test forbids.
    #[must_use]
    pub fn shipped() -> Self {
        static MATCHER: LazyLock<Matcher> =
            LazyLock::new(|| Matcher::read(SHIPPED).unwrap_or_else(|_| Matcher::untrained()));
        MATCHER.clone()
    }

    /// The matcher for questions with points ([`Profile::with_point`]); `None` where the program was
    /// built without a sentence model, or its file was refused, which a test forbids.
    #[must_use]
    pub fn shipped_for_points() -> Option<Self> {
        static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
            let read = SHIPPED_FOR_POINTS.and_then(|bytes| Matcher::read(bytes).ok());
            read.filter(Matcher::needs_points)
        });
        MATCHER.clone()
    }

    /// Whether it was trained on questions with points, and compares no others.
    #[must_use]
    pub fn needs_points(&self) -> bool {
        self.model.forest.uses(MEANING)
    }

    /// A matcher that has learned nothing: it compares, and never accepts.
    #[must_use]
    pub fn untrained() -> Self {
        let (lexicon, forest) = (Lexicon::empty(), Forest::default());
        Self::of(Model {
            lexicon,
            forest,
            calibrations: [Calibration::none(), Calibration::none()],
        })
    }

    fn of(model: Model) -> Self {
        Self { model: Arc::new(model) }
    }

    /// Takes a question apart.
    #[must_use]
    pub fn profile(&self, question: &str) -> Profile {
        Profile::of(question, &self.model.lexicon)
    }

    /// Where a question stands among others.
    #[must_use]
    pub fn place(&self, question: &str) -> Place {
        Place::of(question, &self.model.lexicon)
    }

    /// Compares two questions closely. Symmetric.
    #[must_use]
    pub fn judge(&self, a: &Profile, b: &Profile) -> Judgement {
        let alignment = Alignment::between(a, b);
        let mismatch = mismatch(a, b, &alignment);
        let features = features(a, b, &alignment, mismatch, &self.model.lexicon);
        let told = a.kind == Kind::Other && b.kind == Kind::Other;
        let of = |place: usize| features.get(place).copied().unwrap_or_default();
        let (topic, letters) = (NEARNESS[usize::from(told)], LETTERS[usize::from(told)]);
        let score = self.model.forest.score(&features)
            + topic * of(SHARED_TOPIC)
            + letters * of(SHARED_LETTERS)
            + MEANS[usize::from(told)] * of(MEANING);
        let log_odds = f64::from(self.calibration(told).log_odds(score));
        Judgement { score, log_odds, probability: chance(log_odds, mismatch), mismatch, told }
    }

    /// A judgement with so many log-odds added.
    #[must_use]
    pub fn shifted(&self, judgement: Judgement, log_odds: f64) -> Judgement {
        if log_odds == 0.0 {
            return judgement;
        }
        let calibration = self.calibration(judgement.told);
        let score = judgement.score + log_odds as f32 / calibration.slope;
        let log_odds = judgement.log_odds + log_odds;
        let probability = chance(log_odds, judgement.mismatch);
        Judgement { score, log_odds, probability, ..judgement }
    }

    /// What a match must reach so that, with 95 % confidence, at most this share of different
    /// questions is taken for the same.
    #[must_use]
    pub fn acceptance(&self, most_wrong: f64) -> Acceptance {
        Acceptance {
            least: [false, true].map(|told| self.calibration(told).threshold(most_wrong)),
            matcher: self.clone(),
        }
    }

    /// Labelled pairs of different questions that the acceptance rests on.
    #[must_use]
    pub fn evidence(&self) -> usize {
        self.model.calibrations.iter().map(|calibration| calibration.different).sum()
    }

    fn calibration(&self, told: bool) -> &Calibration {
        let [asked, other] = &self.model.calibrations;
        if told { other } else { asked }
    }
}

/// What log-odds are worth as a probability; nothing where a guard forbids it.
fn chance(log_odds: f64, mismatch: Option<Mismatch>) -> f64 {
    if mismatch.is_some() { 0.0 } else { 1.0 / (1.0 + (-log_odds).exp()) }
}

/// From which score on a match is accepted.
#[derive(Debug, Clone)]
pub struct Acceptance {
    least: [Option<f32>; 2],
    matcher: Matcher,
}

impl Acceptance {
    /// Whether two questions may be taken for the same. Never where the evidence is too thin to
    /// bound the rate at all.
    #[must_use]
    pub fn accepts(&self, judgement: &Judgement) -> bool {
        let least = self.least[usize::from(judgement.told)];
        judgement.mismatch.is_none() && least.is_some_and(|least| judgement.score > least)
    }

    /// Whether any match can be accepted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.least.iter().any(Option::is_some)
    }

    /// The matcher whose scores it is about.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }
}

#[cfg(test)]
mod hard_negatives;
#[cfg(test)]
mod tests;
