//! From tables to lessons, and from what was said of unseen lessons to figures.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{
    Grader,
    curve::{RoutedRow, RoutingCurve},
    metrics::{auroc, expected_calibration_error},
    table::Table,
};
use crate::judgement::{Course, Lesson, Seen};

/// A table as lessons: recorded answers are graded, recorded outcomes taken as they are.
#[must_use]
pub fn course(name: &str, table: &Table) -> Course {
    let lessons = table
        .rows
        .iter()
        .map(|row| {
            let grader = Grader::new(row);
            let mut right = row.outcomes.clone();
            right.extend(row.answers.iter().map(|(m, text)| (m.clone(), grader.is_right(text))));
            Lesson {
                question: row.prompt.to_string(),
                right,
                topic: row.task.clone(),
                drafts: row.answers.clone(),
            }
        })
        .collect();
    Course { name: name.to_owned(), lessons }
}

/// What was found of unseen lessons of one course.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The course.
    pub course: String,
    /// Its lessons.
    pub lessons: usize,
    /// Routing between pairs of models.
    pub pairs: Vec<PairFigures>,
    /// Signals of drafts, by model.
    pub signals: BTreeMap<String, SignalFigures>,
}

/// Routing from a fast to a slow model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairFigures {
    /// The fast one.
    pub fast: String,
    /// The slow one.
    pub slow: String,
    /// By the question alone: APGR and CPT50.
    pub prompt_only: Option<(f64, f64)>,
    /// By the draft: APGR and CPT50.
    pub drafted: Option<(f64, f64)>,
}

/// A model's signals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignalFigures {
    /// Calibration error.
    pub ece: Option<f64>,
    /// Chance that a right draft has more signal than a wrong one.
    pub auroc: Option<f64>,
    /// Drafts.
    pub n: usize,
}

/// Models that are named in pairs and that no course knows, and those that some course knows.
#[must_use]
pub fn unknown_models<'p>(
    courses: &[Course],
    pairs: &'p [(String, String)],
) -> (BTreeSet<&'p str>, BTreeSet<String>) {
    let lessons = courses.iter().flat_map(|course| &course.lessons);
    let known: BTreeSet<String> = lessons.flat_map(|l| l.right.keys().cloned()).collect();
    let named = pairs.iter().flat_map(|(fast, slow)| [fast.as_str(), slow.as_str()]);
    (named.filter(|name| !known.contains(*name)).collect(), known)
}

/// The figures of each course: those pairs of models that it knows, and every model's signals.
#[must_use]
pub fn figures(courses: &[Course], seen: &[Seen], pairs: &[(String, String)]) -> Vec<Figures> {
    courses
        .iter()
        .enumerate()
        .map(|(at, course)| {
            let of_course: Vec<&Seen> = seen.iter().filter(|s| s.course == at).collect();
            let pairs = pairs.iter().filter_map(|(fast, slow)| {
                let curve = |model: Option<&str>| curve(course, &of_course, fast, slow, model);
                let found = PairFigures {
                    fast: fast.clone(),
                    slow: slow.clone(),
                    prompt_only: curve(None),
                    drafted: curve(Some(fast)),
                };
                (found.prompt_only.is_some() || found.drafted.is_some()).then_some(found)
            });
            Figures {
                course: course.name.clone(),
                lessons: course.lessons.len(),
                pairs: pairs.collect(),
                signals: signals(course, &of_course),
            }
        })
        .collect()
}

fn curve(
    course: &Course,
    seen: &[&Seen],
    fast: &str,
    slow: &str,
    model: Option<&str>,
) -> Option<(f64, f64)> {
    let rows: Vec<RoutedRow> = seen
        .iter()
        .filter(|s| s.model.as_deref() == model)
        .filter_map(|s| {
            let lesson = course.lessons.get(s.lesson)?;
            let (weak_right, strong_right) = (*lesson.right.get(fast)?, *lesson.right.get(slow)?);
            Some(RoutedRow { score: s.score, weak_right, strong_right })
        })
        .collect();
    let curve = RoutingCurve::new(&rows)?;
    Some((curve.apgr()?, curve.cpt(50)?))
}

fn signals(course: &Course, seen: &[&Seen]) -> BTreeMap<String, SignalFigures> {
    let mut observed: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
    for s in seen {
        let Some(model) = s.model.as_deref() else { continue };
        let right = course.lessons.get(s.lesson).and_then(|lesson| lesson.right.get(model));
        if let Some(&right) = right {
            observed.entry(model).or_default().push((s.signal, right));
        }
    }
    observed
        .into_iter()
        .map(|(model, drafts)| {
            let figures = SignalFigures {
                ece: expected_calibration_error(&drafts),
                auroc: auroc(&drafts),
                n: drafts.len(),
            };
            (model.to_owned(), figures)
        })
        .collect()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} ({} lessons), each judged by a model that had not seen it:",
            self.course, self.lessons
        )?;
        let shown = |found: Option<(f64, f64)>| {
            found.map_or_else(
                || "–".to_owned(),
                |(apgr, cpt)| format!("APGR {apgr:.3} CPT50 {:.1} %", cpt * 100.0),
            )
        };
        for pair in &self.pairs {
            writeln!(
                f,
                "  {} → {}: question alone {}; draft {}",
                pair.fast,
                pair.slow,
                shown(pair.prompt_only),
                shown(pair.drafted)
            )?;
        }
        for (model, s) in &self.signals {
            let (ece, auroc) = (s.ece.unwrap_or(f64::NAN), s.auroc.unwrap_or(f64::NAN));
            writeln!(f, "  signal of {model} ({}): ECE {ece:.3}, AUROC {auroc:.3}", s.n)?;
        }
        Ok(())
    }
}
