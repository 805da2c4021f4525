//! Cross-validation: what a model says of questions that it has not seen, and the calibration that
//! follows from it.

use super::{
    model::{Card, Model, escalation, log_odds},
    question::count,
    train::{Course, FOLDS, Prepared, calibrated, fit, prepare},
};

/// What was said of a lesson by a model that had not seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Which course.
    pub course: usize,
    /// Which lesson of it.
    pub lesson: usize,
    /// Whose draft; `None`: the question alone.
    pub model: Option<String>,
    /// By which escalations are ordered.
    pub score: f64,
    /// The draft's calibrated signal; of a question alone the fast models' chance.
    pub signal: f64,
}

/// A model, and the evidence for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Trained on everything.
    pub model: Model,
    /// Each trained on everything but its fold.
    pub folds: Vec<Model>,
    /// What the folds' models said of their own folds.
    pub seen: Vec<Seen>,
}

/// Steps that [`train`] reports, for a progress bar: one a lesson, and as many a model.
#[must_use]
pub fn steps(courses: &[Course]) -> u64 {
    let lessons: usize = courses.iter().map(|c| c.lessons.len()).sum();
    (lessons * (FOLDS + 2)) as u64
}

/// Trains on these courses, and cross-validates. The same courses and the same seed give the same
/// model. `advance` is told of steps done.
#[must_use]
pub fn train(courses: &[Course], card: Card, advance: &dyn Fn(u64)) -> Training {
    let prepared = prepare(courses, &|| advance(1));
    let lessons = prepared.len() as u64;
    let mut folds: Vec<Model> = (0..FOLDS)
        .map(|fold| {
            let rest: Vec<&Prepared> = prepared.iter().filter(|l| l.fold != fold).collect();
            let model = fit(&rest, card.clone());
            advance(lessons);
            model
        })
        .collect();
    let mut model = fit(&prepared.iter().collect::<Vec<_>>(), card);
    advance(lessons);
    let raw = raw_drafts(&prepared, &folds);
    for (fold, model) in folds.iter_mut().enumerate() {
        let others: Vec<(f64, bool)> =
            raw.iter().filter(|r| r.fold != fold).map(|r| (r.z, r.right)).collect();
        calibrate(model, &others);
    }
    calibrate(&mut model, &raw.iter().map(|r| (r.z, r.right)).collect::<Vec<_>>());
    let seen = seen(&prepared, &folds);
    Training { model, folds, seen }
}

fn calibrate(model: &mut Model, observed: &[(f64, bool)]) {
    if let Some(drafts) = model.drafts.as_mut().filter(|_| !observed.is_empty()) {
        drafts.calibration = calibrated(observed, error(observed));
    }
}

/// The calibration error over ten bins of log-odds.
pub(super) fn error(observed: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); 10];
    for (z, right) in observed {
        let p = super::model::chance(*z);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
        if let Some(bin) = bins.get_mut(((p * 10.0) as usize).min(9)) {
            bin.0 += p;
            bin.1 += f64::from(u8::from(*right));
        }
    }
    bins.iter().map(|(said, right)| (said - right).abs()).sum::<f64>() / count(observed.len())
}

struct Raw {
    fold: usize,
    z: f64,
    right: bool,
}

fn raw_drafts(prepared: &[Prepared], folds: &[Model]) -> Vec<Raw> {
    let mut found = Vec::new();
    for lesson in prepared {
        let Some(model) = folds.get(lesson.fold) else { continue };
        let Some(drafts) = &model.drafts else { continue };
        let read = lesson.read_by(model);
        for draft in &lesson.drafts {
            let Some(past) = model.past(&draft.model, lesson.question.kind) else { continue };
            let row = read.draft_row(&draft.draft, past.accuracy);
            let z = log_odds(past.accuracy) + drafts.right.predict(&row);
            found.push(Raw { fold: lesson.fold, z, right: draft.right });
        }
    }
    found
}

fn seen(prepared: &[Prepared], folds: &[Model]) -> Vec<Seen> {
    let mut found = Vec::new();
    for lesson in prepared {
        let Some(model) = folds.get(lesson.fold) else { continue };
        let read = lesson.read_by(model);
        let (course, at) = (lesson.course, lesson.lesson);
        if let Some(known) = model.experience(lesson.question.kind) {
            let score = known.forecast(&read);
            found.push(Seen { course, lesson: at, model: None, score, signal: read.fast });
        }
        let Some(drafts) = &model.drafts else { continue };
        for draft in &lesson.drafts {
            let Some(past) = model.past(&draft.model, lesson.question.kind) else { continue };
            let row = read.draft_row(&draft.draft, past.accuracy);
            let signal = drafts.chance(&row, past.accuracy);
            let score = escalation(signal, drafts.gain.predict(&row));
            let model = Some(draft.model.clone());
            found.push(Seen { course, lesson: at, model, score, signal });
        }
    }
    found
}
