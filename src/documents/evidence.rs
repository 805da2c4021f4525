//! How likely it is that the best sentence found is the answer.

use super::{corpus::Sentence, library::Ranked, question::Question};

/// How many things are weighed.
pub(super) const EVIDENCE: usize = 23;

/// What is known about a question and the sentence found for it: how well the sentence covers the
/// question, what is doubtful about the question, and whether the answer is of the kind wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence(pub [f64; EVIDENCE]);

/// What each thing adds to the log-odds. Fitted (logistic, L2 = 1) on the questions of
/// `questions.rs` that are there to tune by, 473 answered and 227 beyond the guide, and 360 of the
/// world's with a weight of 0.12; in ten-fold cross-validation the calibration error is 0.02 over
/// 610 drafts. The last, an answer without a date to a question for one, is set by hand. On other
/// documents than the guide nothing of this has been measured.
const WEIGHTS: [f64; EVIDENCE] = [
    -3.42, 1.82, 0.78, 1.79, 2.20, -0.07, -2.35, -1.16, -1.56, -1.52, -0.47, 0.04, -0.32, -1.06,
    0.44, 0.62, 0.51, -0.10, -0.08, 0.68, 1.09, -0.03, -2.5,
];

impl Evidence {
    /// Gathers it. `margin` is the distance to the next other sentence's score.
    pub(super) fn of(
        question: &Question,
        sentence: &Sentence,
        first: &Ranked,
        margin: f64,
    ) -> Self {
        let certain = |holds: bool| f64::from(u8::from(holds));
        let look = &first.look.0;
        let doubts = &question.doubts;
        let form = &sentence.form;
        let measured = !doubts.measure || form.number || form.time;
        Self([
            1.0,
            look[2],
            look[4],
            look[1],
            margin,
            first.rarest,
            doubts.unknown,
            certain(doubts.foreign),
            certain(doubts.mine),
            certain(doubts.who),
            certain(doubts.measure),
            doubts.few,
            look[9],
            certain(!measured),
            look[6],
            look[7],
            look[12],
            look[13] + look[14] + look[15],
            look[10],
            (first.score / 8.0).clamp(0.0, 1.0),
            look[21],
            certain(question.how),
            certain(doubts.dated && !form.time),
        ])
    }

    /// The probability that the sentence is the answer, its odds lessened by a doubt of its own.
    pub(super) fn signal(&self, doubt: f64) -> f64 {
        let known: f64 = self.0.iter().zip(WEIGHTS).map(|(known, weight)| known * weight).sum();
        let odds = known - doubt;
        // Words in common prove no answer, so retrieval is never sure.
        (1.0 / (1.0 + (-odds).exp())).min(0.97)
    }
}
