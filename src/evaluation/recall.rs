//! What recall by meaning is worth: on paraphrases, through the lake itself, and on labelled pairs.

use std::fmt;

use indicatif::ProgressBar;
use serde::Serialize;

use super::{auroc, pairs::QuestionTable};
use crate::{
    domain::{ResponseId, Signal, SourceKind, TenantId},
    lake::{Entry, Ladder, Lake},
    paraphrase::{Judgement, LabelledPair, Matcher, Points, Split, rate_upper_bound, split},
    store::StoreError,
};

/// Wrong-hit rates at which the curve is told.
const RATES: [f64; 8] = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3];

/// Figures of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "table", rename_all = "snake_case")]
pub enum RecallReport {
    /// Every `origin` remembered, every `similar` asked.
    Paraphrases(ParaphraseReport),
    /// Every pair judged.
    Labelled(LabelledReport),
}

/// Of paraphrases. Shares are of all that were asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParaphraseReport {
    /// Questions asked.
    pub asked: usize,
    /// Different texts that the lake would not remember, since their answers change by themselves.
    pub not_remembered: usize,
    /// At the rate that is set.
    pub at_setting: Outcome,
    /// What the setting is.
    pub max_wrong_hit_rate: f64,
    /// With the nearest answer always taken that no guard forbids.
    pub without_bound: Outcome,
    /// At other settings.
    pub curve: Vec<(f64, Outcome)>,
}

/// What came of asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Share answered with the own answer.
    pub correct: f64,
    /// Share answered with another one.
    pub wrong: f64,
    /// Share not answered.
    pub missed: f64,
}

/// Of labelled pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelledReport {
    /// Which rows were judged.
    pub rows: &'static str,
    /// Pairs judged.
    pub pairs: usize,
    /// Pairs that ask the same.
    pub same: usize,
    /// Chance that a pair that asks the same scores above one that does not.
    pub auc: Option<f64>,
    /// Greatest share of the same that can be accepted while nine of ten accepted are right.
    pub recall_at_90_precision: f64,
    /// What the setting is.
    pub max_wrong_hit_rate: f64,
    /// At the rate that is set.
    pub at_setting: Accepted,
    /// At other settings.
    pub curve: Vec<(f64, Accepted)>,
}

/// What a rate accepts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accepted {
    /// Share of the same that is accepted.
    pub recall: f64,
    /// Share of the accepted that is the same; 1 of none.
    pub precision: f64,
    /// Share of the different that is accepted.
    pub wrong_hit_rate: f64,
    /// Its upper bound, 95 %.
    pub wrong_hit_bound: f64,
}

/// Measures recall on a table. Of labelled pairs, with `held_out`, only those that a model trained
/// on the same table has not seen.
///
/// # Errors
/// What keeps the lake from being written.
pub async fn evaluate_recall(
    table: QuestionTable,
    lake: &Lake,
    points: Points<'_>,
    max_wrong_hit_rate: f64,
    held_out: bool,
    progress: &ProgressBar,
) -> Result<RecallReport, StoreError> {
    let matcher = lake.matcher(points("").is_some());
    match table {
        QuestionTable::Labelled(pairs) => Ok(RecallReport::Labelled(labelled(
            &pairs,
            matcher,
            points,
            max_wrong_hit_rate,
            held_out,
            progress,
        ))),
        QuestionTable::Paraphrases(pairs) => {
            let report =
                paraphrases(&pairs, lake, matcher, points, max_wrong_hit_rate, held_out, progress);
            Ok(RecallReport::Paraphrases(report.await?))
        }
    }
}

async fn paraphrases(
    pairs: &[LabelledPair],
    lake: &Lake,
    matcher: &Matcher,
    points: Points<'_>,
    max_wrong_hit_rate: f64,
    held_out: bool,
    progress: &ProgressBar,
) -> Result<ParaphraseReport, StoreError> {
    progress.set_length(2 * pairs.len() as u64);
    progress.set_message("remembering");
    let tenant = TenantId::default();
    let mut not_remembered = 0;
    for pair in pairs {
        let kept = lake.remember(&tenant, entry(&pair.a)).await?;
        not_remembered += usize::from(!kept);
        progress.inc(1);
    }
    while lake.embed_missing(64).await?.given > 0 {}
    progress.set_message("asking");
    let parts = split(pairs);
    // An ambiguous match is none, at every setting.
    let mut found: Vec<Option<(Judgement, bool)>> = Vec::new();
    for (pair, (part, _)) in pairs.iter().zip(parts) {
        progress.inc(1);
        if held_out && part == Split::Train {
            continue;
        }
        let nearest = lake
            .nearest(&tenant, &pair.b, points(&pair.b).as_ref(), 0, None)
            .filter(|near| !near.is_ambiguous);
        found.push(nearest.map(|near| (near.judgement, near.entry.content == pair.a)));
    }
    progress.finish_and_clear();
    let outcome = |accepts: &dyn Fn(&Judgement) -> bool| {
        let hits = found.iter().flatten().filter(|(judgement, _)| accepts(judgement));
        let right = hits.clone().filter(|(_, right)| *right).count();
        let share = |count: usize| count as f64 / found.len().max(1) as f64;
        let wrong = hits.count() - right;
        Outcome {
            correct: share(right),
            wrong: share(wrong),
            missed: share(found.len() - right - wrong),
        }
    };
    let at = |rate: f64| {
        let acceptance = matcher.acceptance(rate);
        outcome(&|judgement| acceptance.accepts(judgement))
    };
    Ok(ParaphraseReport {
        asked: found.len(),
        not_remembered,
        at_setting: at(max_wrong_hit_rate),
        max_wrong_hit_rate,
        without_bound: outcome(&|judgement| judgement.mismatch.is_none()),
        curve: RATES.map(|rate| (rate, at(rate))).to_vec(),
    })
}

fn entry(question: &str) -> Entry {
    Entry {
        question: question.to_owned(),
        content: question.to_owned(),
        answer: None,
        signal: Signal::clamped(1.0),
        origin: ResponseId::generate(),
        derived_from: None,
        source: SourceKind::Model,
        source_name: "table".to_owned(),
        citations: Vec::new(),
        created_ms: 0,
        expires_ms: None,
        epoch: None,
        curated: false,
        point: None,
        ladder: Ladder::default(),
    }
}

fn labelled(
    pairs: &[LabelledPair],
    matcher: &Matcher,
    points: Points<'_>,
    max_wrong_hit_rate: f64,
    held_out: bool,
    progress: &ProgressBar,
) -> LabelledReport {
    progress.set_length(pairs.len() as u64);
    progress.set_message("judging");
    let parts = split(pairs);
    let mut judged: Vec<(Judgement, bool)> = Vec::new();
    for (pair, (part, _)) in pairs.iter().zip(parts) {
        progress.inc(1);
        if !held_out || part == Split::Test {
            let profile = |text: &str| matcher.profile(text).with_point(points(text));
            let (a, b) = (profile(&pair.a), profile(&pair.b));
            judged.push((matcher.judge(&a, &b), pair.same));
        }
    }
    progress.finish_and_clear();
    let same = judged.iter().filter(|(_, same)| *same).count();
    let at = |rate: f64| {
        let acceptance = matcher.acceptance(rate);
        let of = |wanted: bool| {
            judged.iter().filter(|(j, same)| *same == wanted && acceptance.accepts(j)).count()
        };
        let (right, wrong, different) = (of(true), of(false), judged.len() - same);
        Accepted {
            recall: right as f64 / same.max(1) as f64,
            precision: if right + wrong == 0 { 1.0 } else { right as f64 / (right + wrong) as f64 },
            wrong_hit_rate: wrong as f64 / different.max(1) as f64,
            wrong_hit_bound: rate_upper_bound(wrong, different, 0.95),
        }
    };
    let scored: Vec<_> = judged.iter().map(|(j, same)| (f64::from(j.score), *same)).collect();
    LabelledReport {
        rows: if held_out { "held out" } else { "all" },
        pairs: judged.len(),
        same,
        auc: auroc(&scored),
        recall_at_90_precision: recall_at_precision(&judged, same, 0.9),
        max_wrong_hit_rate,
        at_setting: at(max_wrong_hit_rate),
        curve: RATES.map(|rate| (rate, at(rate))).to_vec(),
    }
}

/// Of a score that a chance hit cannot make: at least twenty right ones.
fn recall_at_precision(judged: &[(Judgement, bool)], same: usize, precision: f64) -> f64 {
    let mut open: Vec<_> = judged.iter().filter(|(j, _)| j.mismatch.is_none()).collect();
    open.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
    let (mut right, mut best) = (0_usize, 0_usize);
    for (at, (_, is_same)) in open.iter().enumerate() {
        right += usize::from(*is_same);
        if right >= 20 && right as f64 >= precision * (at + 1) as f64 {
            best = right;
        }
    }
    best as f64 / same.max(1) as f64
}

impl fmt::Display for RecallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        match self {
            Self::Paraphrases(report) => {
                writeln!(
                    f,
                    "{} questions asked; {} texts not remembered, as their answers change\n",
                    report.asked, report.not_remembered
                )?;
                writeln!(f, "max_wrong_hit_rate   correct    wrong   missed")?;
                let mut line = |name: &str, o: &Outcome| {
                    let [c, w, m] = [o.correct, o.wrong, o.missed].map(percent);
                    writeln!(f, "{name:18} {c:7.1} % {w:6.1} % {m:6.1} %")
                };
                line(&format!("{} (set)", report.max_wrong_hit_rate), &report.at_setting)?;
                for (rate, outcome) in &report.curve {
                    line(&rate.to_string(), outcome)?;
                }
                line("no bound", &report.without_bound)
            }
            Self::Labelled(report) => {
                let auc = report.auc.map_or_else(|| "–".to_owned(), |auc| format!("{auc:.4}"));
                writeln!(
                    f,
                    "{} pairs ({}), {} ask the same; AUC {auc}, recall at 90 % precision {:.1} %\n",
                    report.pairs,
                    report.rows,
                    report.same,
                    percent(report.recall_at_90_precision)
                )?;
                writeln!(f, "max_wrong_hit_rate    recall  precision  wrong hits  95 % bound")?;
                let mut line = |name: &str, a: &Accepted| {
                    let [r, p] = [a.recall, a.precision].map(percent);
                    let [w, b] = [a.wrong_hit_rate, a.wrong_hit_bound].map(percent);
                    writeln!(f, "{name:18} {r:7.1} % {p:8.1} % {w:9.2} % {b:9.2} %")
                };
                line(&format!("{} (set)", report.max_wrong_hit_rate), &report.at_setting)?;
                for (rate, accepted) in &report.curve {
                    line(&rate.to_string(), accepted)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{evaluation::load_questions, lake::LakeOptions, store::Store};

    fn table(name: &str) -> Option<QuestionTable> {
        let folder = std::env::var_os("META_ORCHESTRATOR_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
            PathBuf::from,
        );
        let path = folder.join(name);
        if !path.exists() {
            println!("{name} is not there: skipped");
            return None;
        }
        Some(load_questions(&path).unwrap())
    }

    async fn report(table: QuestionTable) -> RecallReport {
        let options = LakeOptions { ttl: None, max_wrong_hit_rate: 0.5, ..LakeOptions::default() };
        let lake = Lake::open(Store::in_memory().unwrap(), options).await.unwrap();
        let bar = ProgressBar::hidden();
        let report = evaluate_recall(table, &lake, &|_| None, 0.01, true, &bar).await.unwrap();
        println!("{report}");
        report
    }

    #[tokio::test]
    async fn labelled_pairs_that_the_model_has_not_seen_are_told_apart_within_the_bound() {
        let Some(table) = table("cache-qqp.jsonl.gz") else { return };
        let RecallReport::Labelled(report) = report(table).await else { panic!("another table") };
        assert!(report.auc.unwrap() >= 0.86, "{:?}", report.auc);
        assert!(report.recall_at_90_precision >= 0.1, "{}", report.recall_at_90_precision);
        // The bound is on what would be counted for ever; a quarter of a table scatters around it.
        assert!(report.at_setting.wrong_hit_rate <= 0.012, "{:?}", report.at_setting);
        assert!(report.at_setting.recall >= 0.1, "{:?}", report.at_setting);
    }

    #[tokio::test]
    async fn paraphrases_that_the_model_has_not_seen_find_their_own_answer() {
        let Some(table) = table("cache-mock.jsonl.gz") else { return };
        let RecallReport::Paraphrases(report) = report(table).await else {
            panic!("another table")
        };
        assert!(report.at_setting.wrong <= 0.02, "{:?}", report.at_setting);
        assert!(report.at_setting.correct >= 0.55, "{:?}", report.at_setting);
        assert!(report.without_bound.correct >= 0.88, "{:?}", report.without_bound);
    }

    #[tokio::test]
    async fn what_is_asked_as_it_was_remembered_is_answered_by_itself() {
        let pair = |text: &str| LabelledPair { a: text.to_owned(), b: text.to_owned(), same: true };
        let texts = ["How do I learn to sail a boat?", "What is the capital of France?"];
        let table = QuestionTable::Paraphrases(texts.map(pair).to_vec());
        let options = LakeOptions { ttl: None, ..LakeOptions::default() };
        let lake = Lake::open(Store::in_memory().unwrap(), options).await.unwrap();
        let report = evaluate_recall(table, &lake, &|_| None, 0.3, false, &ProgressBar::hidden())
            .await
            .unwrap();
        let RecallReport::Paraphrases(report) = report else { panic!("another table") };
        assert_eq!((report.asked, report.not_remembered), (2, 0));
        assert_eq!(report.without_bound, Outcome { correct: 1.0, wrong: 0.0, missed: 0.0 });
        assert!(report.curve.is_sorted_by(|(_, a), (_, b)| a.correct <= b.correct));
    }
}
