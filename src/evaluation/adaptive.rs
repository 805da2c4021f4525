//! The promises of Adaptive, measured on a stream made of a table of real outcomes: seven models of
//! the table play its arms.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::{
    Gold, Grader, Row,
    stream::{ArmOutcome, Event, Run, StreamRow, best_arm, run},
};
use crate::domain::{ARMS, AdaptiveRule, Arm};

/// Requests of each run, and when the best arm dies and returns in the run where it does.
const REQUESTS: usize = 600;
const DIES: usize = 300;
const RETURNS: usize = 600;
const REQUESTS_WITH_DEATH: usize = 1000;
/// Requests over which a running mean is taken.
const WINDOW: usize = 50;
/// Largest line, and most rows, that are read.
const MOST_LINE_BYTES: u64 = 4 << 20;
const MOST_ROWS: usize = 1_000_000;

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveOptions {
    /// The model that plays each arm, in the order of [`Arm::ALL`].
    pub models: Vec<String>,
    /// The latency of each, in seconds.
    pub latencies_s: Vec<f64>,
    /// What Adaptive aims at.
    pub rule: AdaptiveRule,
    /// Runs, each with an order and dice of its own.
    pub seeds: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AdaptiveError {
    /// The options contradict themselves.
    #[error("{0}")]
    Options(String),
    /// The table cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line is not what a table has.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// No row has an outcome of every model.
    #[error("no row has an outcome of every model that was named")]
    Empty,
}

/// What came of it; means over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdaptiveReport {
    /// Rows of the table.
    pub rows: usize,
    /// Runs.
    pub seeds: u64,
    /// The arm with the highest mean utility, and who played it.
    pub best_arm: Arm,
    /// Who played it.
    pub best_model: String,
    /// Its mean utility.
    pub best_utility: f64,
    /// The mean utility of the second best.
    pub second_utility: f64,
    /// Mean utility of Adaptive over requests 1–50, 51–100 and so on.
    pub utility: Vec<f64>,
    /// The first request by which the mean of the last 50 reaches that of the best arm; absent if
    /// none does.
    pub beats_best_at: Option<usize>,
    /// Chance of the best arm before it dies.
    pub share_before: f64,
    /// The same, 50 requests after it died.
    pub share_dead: f64,
    /// Requests after its return until its mean chance is half of what it was.
    pub regained_half_after: Option<usize>,
    /// Requests after its return until its mean chance is above one half.
    pub regained_majority_after: Option<usize>,
    /// The least chance that any arm ever had.
    pub least_share: f64,
    /// Chance of the best arm over the last half of the run, with all feedback honest.
    pub share_honest: f64,
    /// The same where one principal gives 1 % of the feedback and lies.
    pub share_1_percent_lies: f64,
    /// The same with 10 %.
    pub share_10_percent_lies: f64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "question")]
    prompt: String,
    gold: Option<serde_json::Value>,
    answers: Option<BTreeMap<String, Option<String>>>,
    scores: Option<BTreeMap<String, f64>>,
    correct: Option<BTreeMap<String, bool>>,
}

/// Simulates Adaptive on a table of answers or outcomes. `complexity` is the analysis of a prompt.
///
/// # Errors
/// [`AdaptiveError`].
pub fn simulate(
    path: &Path,
    options: &AdaptiveOptions,
    complexity: impl Fn(&str) -> f64,
    progress: &ProgressBar,
) -> Result<AdaptiveReport, AdaptiveError> {
    if options.models.len() != ARMS || options.latencies_s.len() != ARMS {
        return Err(AdaptiveError::Options(format!(
            "name {ARMS} models and {ARMS} latencies, one for each arm"
        )));
    }
    if options.seeds == 0 {
        return Err(AdaptiveError::Options("at least one run is needed".to_owned()));
    }
    let rows = load(path, options, complexity)?;
    progress.set_length(options.seeds * 5);
    let runs = |event, requests| -> Vec<Run> {
        (0..options.seeds)
            .map(|seed| {
                progress.inc(1);
                run(&rows, &options.rule, event, requests, seed)
            })
            .collect()
    };
    let quiet = runs(Event::Quiet, REQUESTS);
    let death = runs(Event::Dies(DIES, RETURNS), REQUESTS_WITH_DEATH);
    let [honest, few, many] = [0.0, 0.01, 0.1].map(|share| {
        let runs = runs(Event::Lies(share), REQUESTS);
        mean(&runs, |run| average(run.best_share.get(REQUESTS / 2..).unwrap_or(&[])))
    });
    progress.finish_and_clear();
    let (best, best_utility) = best_arm(&rows, &options.rule, None);
    let second = best_arm(&rows, &options.rule, Some(best));
    let utility = curve(&quiet, |run| &run.utility);
    let shares = curve(&death, |run| &run.best_share);
    let window = |end: usize| average(utility.get(end.saturating_sub(WINDOW)..end).unwrap_or(&[]));
    let before = average(shares.get(DIES - WINDOW..DIES).unwrap_or(&[]));
    let regained = |least: f64| shares.get(RETURNS..)?.iter().position(|share| *share > least);
    let least = |runs: &[Run]| runs.iter().map(|run| run.least_share).fold(1.0, f64::min);
    Ok(AdaptiveReport {
        rows: rows.len(),
        seeds: options.seeds,
        best_arm: best,
        best_model: options.models.get(best.index()).cloned().unwrap_or_default(),
        best_utility,
        second_utility: second.1,
        utility: (1..=REQUESTS / WINDOW).map(|i| window(i * WINDOW)).collect(),
        beats_best_at: (WINDOW..=REQUESTS).find(|end| window(*end) >= best_utility),
        share_before: before,
        share_dead: shares.get(DIES + WINDOW).copied().unwrap_or_default(),
        regained_half_after: regained(before / 2.0),
        regained_majority_after: regained(0.5),
        least_share: least(&quiet).min(least(&death)),
        share_honest: honest,
        share_1_percent_lies: few,
        share_10_percent_lies: many,
    })
}

/// The mean over all runs, request by request.
fn curve(runs: &[Run], of: impl Fn(&Run) -> &Vec<f64>) -> Vec<f64> {
    let requests = runs.iter().map(|run| of(run).len()).min().unwrap_or(0);
    (0..requests).map(|at| mean(runs, |run| of(run).get(at).copied().unwrap_or_default())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn mean(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    runs.iter().map(of).sum::<f64>() / runs.len().max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn load(
    path: &Path,
    options: &AdaptiveOptions,
    complexity: impl Fn(&str) -> f64,
) -> Result<Vec<StreamRow>, AdaptiveError> {
    let unreadable = |source| AdaptiveError::Read { path: path.display().to_string(), source };
    let mut packed = BufReader::new(File::open(path).map_err(unreadable)?);
    let gzipped = packed.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
    let mut text: Box<dyn BufRead> = if gzipped {
        Box::new(BufReader::new(MultiGzDecoder::new(packed)))
    } else {
        Box::new(packed)
    };
    let (mut rows, mut bytes) = (Vec::new(), Vec::new());
    for line in 1..=MOST_ROWS {
        bytes.clear();
        let read = (&mut text).take(MOST_LINE_BYTES).read_until(b'\n', &mut bytes);
        if read.map_err(unreadable)? == 0 {
            break;
        }
        let problem = "is no JSON object with a prompt and outcomes";
        let parsed: Line =
            serde_json::from_slice(&bytes).map_err(|_| AdaptiveError::Line { line, problem })?;
        let scores = scores(parsed, line);
        let Some((prompt, scores)) = scores else { continue };
        let outcome = |(model, latency_s): (&String, &f64)| {
            Some(ArmOutcome { score: *scores.get(model)?, latency_s: *latency_s })
        };
        let arms: Option<Vec<ArmOutcome>> =
            options.models.iter().zip(&options.latencies_s).map(outcome).collect();
        if let Some(Ok(arms)) = arms.map(<[ArmOutcome; ARMS]>::try_from) {
            rows.push(StreamRow { complexity: complexity(&prompt), arms });
        }
    }
    if rows.is_empty() { Err(AdaptiveError::Empty) } else { Ok(rows) }
}

/// Each model's score on a row, however the table says it.
fn scores(line: Line, number: usize) -> Option<(String, BTreeMap<String, f64>)> {
    if let Some(scores) = line.scores {
        return Some((line.prompt, scores));
    }
    if let Some(correct) = line.correct {
        let scores = correct.into_iter().map(|(m, right)| (m, f64::from(u8::from(right))));
        return Some((line.prompt, scores.collect()));
    }
    let gold = match line.gold? {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let row = Row {
        id: number.to_string(),
        task: None,
        prompt: line.prompt.as_str().into(),
        gold: Gold::Label(gold),
        answers: BTreeMap::new(),
        outcomes: BTreeMap::new(),
    };
    let grader = Grader::new(&row);
    let scores = line.answers?.into_iter().filter_map(|(model, answer)| {
        Some((model, f64::from(u8::from(grader.is_right(&answer?)))))
    });
    Some((line.prompt, scores.collect()))
}

impl fmt::Display for AdaptiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_never = |at: Option<usize>| at.map_or("never".to_owned(), |at| at.to_string());
        writeln!(f, "{} rows, {} runs", self.rows, self.seeds)?;
        writeln!(
            f,
            "best single arm {} ({}): utility {:.3}; the second {:.3}",
            self.best_arm.name(),
            self.best_model,
            self.best_utility,
            self.second_utility
        )?;
        let windows: Vec<String> = self.utility.iter().map(|u| format!("{u:.3}")).collect();
        writeln!(f, "Adaptive, by 50 requests: {}", windows.join(" "))?;
        writeln!(f, "reaches the best arm's utility at request {}", or_never(self.beats_best_at))?;
        writeln!(
            f,
            "best arm: chance {:.2} before it dies, {:.2} after 50 dead requests; back to half of \
             that after {}, to a majority after {}",
            self.share_before,
            self.share_dead,
            or_never(self.regained_half_after),
            or_never(self.regained_majority_after)
        )?;
        writeln!(f, "least chance of any arm {:.4}", self.least_share)?;
        write!(
            f,
            "best arm's chance, honest feedback {:.3}; one liar gives 1 %: {:.3}, 10 %: {:.3}",
            self.share_honest, self.share_1_percent_lies, self.share_10_percent_lies
        )
    }
}
