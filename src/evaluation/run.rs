//! The replay itself.

use std::{io, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime;

use super::{
    LatencySpec, outcomes,
    report::{Latency, Models, Report, Skipped},
    scoring,
    stage::{Stage, Studio},
    table::{self, Table, TableError},
};
use crate::{
    domain::{LanguageModel, Policy, QualityTarget, Signal, Strategy},
    ledger::{Ledger, LedgerError},
    meta::MetaOrchestrator,
};

/// The weight of passed checkpoints that the 1.0 is compared with.
const BOOST: f64 = 1.5;

/// Builds the orchestrator that is evaluated; whoever knows the concrete parts implements it.
pub trait Workbench: Send + Sync {
    /// A fresh orchestrator under this policy, with no memory of any earlier one: `fast` is Flux's
    /// drafter, `slow` are ASI's experts. Its ledger keeps at least as many decisions as the table
    /// has rows. The message of a failure is for the operator.
    fn orchestrator(
        &self,
        fast: Arc<dyn LanguageModel>,
        slow: Vec<Arc<dyn LanguageModel>>,
        policy: Policy,
    ) -> BoxFuture<'_, Result<Bench, String>>;
}

/// An orchestrator and the ledger that it writes.
pub struct Bench {
    /// The one that answers.
    pub meta: Arc<MetaOrchestrator>,
    /// Where its decisions are read.
    pub ledger: Ledger,
}

/// What is to be evaluated, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The table.
    pub data: PathBuf,
    /// The model whose answers stand as Flux's drafts.
    pub fast: String,
    /// The models whose answers stand as ASI's experts; the first is the strong one of the routing
    /// figures.
    pub slow: Vec<String>,
    /// The strategies, in the order of the report. Named twice, evaluated once.
    pub strategies: Vec<Strategy>,
    /// Replay only this many rows, the first ones that all models answered.
    pub limit: Option<usize>,
    /// The latency model.
    pub latency: LatencySpec,
    /// What is believed of the fast model before any question. Neutral: not from the table's gold.
    pub fast_prior: Signal,
    /// The same of each slow model.
    pub slow_prior: Signal,
    /// What requests are judged by; each run sets its own strategy in it.
    pub policy: Policy,
    /// The promises whose cut-offs are reported.
    pub targets: Vec<QualityTarget>,
}

impl Options {
    /// All strategies over all rows, with the neutral priors 0.6 (fast) and 0.8 (slow).
    #[must_use]
    pub fn new(data: PathBuf, fast: String, slow: Vec<String>) -> Self {
        Self {
            data,
            fast,
            slow,
            strategies: Strategy::ALL.to_vec(),
            limit: None,
            latency: LatencySpec::default(),
            fast_prior: Signal::clamped(0.6),
            slow_prior: Signal::clamped(0.8),
            policy: Policy::default(),
            targets: [0.01, 0.02, 0.05, 0.1, 0.2]
                .map(|alpha| QualityTarget { alpha, ..QualityTarget::default() })
                .to_vec(),
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The options contradict themselves; what is wrong and what would be right.
    #[error("{0}")]
    Options(String),
    /// The table cannot be evaluated.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The orchestrator could not be built.
    #[error("the orchestrator could not be built: {0}")]
    Workbench(String),
    /// The ledger could not be read.
    #[error("the ledger could not be read")]
    Ledger(#[from] LedgerError),
}

/// The runtime for [`evaluate`]: one thread, and time that stands still until everybody waits. A
/// blocking task holds it still, so one that never ends would stop it for good.
///
/// # Errors
/// When the system refuses the runtime its parts.
pub fn paused_runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// A progress bar on standard error; it hides itself where that is no terminal.
#[must_use]
pub fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{msg:26} {wide_bar} {pos}/{len} rows, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Replays the table once per strategy and once for each of the figures that need a policy of
/// their own. Run it on [`paused_runtime`]; elsewhere the simulated latencies are really waited
/// for.
///
/// # Errors
/// [`EvaluationError`]. A request that fails is no error: it counts as a wrong answer.
pub async fn evaluate(
    options: Options,
    bench: &dyn Workbench,
    progress: &ProgressBar,
) -> Result<Report, EvaluationError> {
    let strategies = checked(&options)?;
    let table = table::load(&options.data)?;
    if table.has_outcomes_only() {
        return outcomes::evaluate(&options, &table);
    }
    evaluate_table(&options, &strategies, table, &bench, progress).await
}

async fn evaluate_table(
    options: &Options,
    strategies: &[Strategy],
    table: Table,
    studio: &impl Studio,
    progress: &ProgressBar,
) -> Result<Report, EvaluationError> {
    let models: Vec<&str> =
        std::iter::once(&options.fast).chain(&options.slow).map(String::as_str).collect();
    let selected = table.select(&models, options.limit.unwrap_or(usize::MAX))?;
    let skipped =
        Skipped { without_answer: selected.without_answer, repeated_prompt: selected.repeated };
    let stage = Stage::new(options, selected.rows);
    let fusion_runs = 2 - usize::from(boosts_already(options, strategies));
    let runs = strategies.len() + 1 + fusion_runs;
    progress.set_length((stage.rows() * runs) as u64);

    let pair = stage.pair();
    let mut results = Vec::with_capacity(strategies.len());
    let mut boosted = None;
    for &strategy in strategies {
        let policy = Policy { strategy, ..options.policy.clone() };
        progress.set_message(strategy.name());
        let found = stage.replay(studio, policy, progress).await?.results;
        results.push(scoring::strategy_result(strategy, &found, &pair));
        if strategy == Strategy::ParallelFusion && boosts_already(options, strategies) {
            boosted = Some(found);
        }
    }
    progress.set_message("hybrid, always drafting");
    let drafted = stage.replay(studio, always_drafting(&options.policy), progress).await?;
    let drafted = drafted.with_escalations().await?;
    progress.set_message("parallel_fusion, 1.0");
    let plain = stage.replay(studio, fusing(&options.policy, 1.0), progress).await?.results;
    let boosted = if let Some(found) = boosted {
        found
    } else {
        progress.set_message("parallel_fusion, 1.5");
        stage.replay(studio, fusing(&options.policy, BOOST), progress).await?.results
    };
    progress.finish_and_clear();

    let file = options.data.file_name().unwrap_or(options.data.as_os_str());
    let routing = scoring::routing(drafted.iter().map(|r| r.escalation), &pair);
    let routing_prompt_only = scoring::routing(drafted.iter().map(|r| r.before_drafting), &pair);
    let signal = scoring::signal(&drafted, &pair);
    Ok(Report {
        data: file.to_string_lossy().into_owned(),
        rows: stage.rows(),
        skipped,
        rows_without_gold: stage.rows_without_gold(),
        models: Models { fast: options.fast.clone(), slow: options.slow.clone() },
        latency: Latency { simulated: true, spec: options.latency.to_string() },
        baselines: stage.baselines(&pair),
        random_mix: scoring::matched_mix(&results),
        notes: stage.notes(routing.n, signal.n),
        strategies: results,
        routing,
        routing_prompt_only,
        signal,
        fusion: Some(scoring::fusion(&plain, &boosted)),
        quality: scoring::quality(&drafted, &pair, &options.targets),
        judged_by: options.policy.judge.as_ref().map(|judge| judge.version().to_owned()),
    })
}

/// The strategies, each once.
fn checked(options: &Options) -> Result<Vec<Strategy>, EvaluationError> {
    let wrong = |problem: String| Err(EvaluationError::Options(problem));
    if options.slow.is_empty() {
        return wrong("name at least one slow model".to_owned());
    }
    let mut names = vec![&options.fast];
    for name in &options.slow {
        if names.contains(&name) {
            return wrong(format!("`{name}` is named twice; a model stands in one place"));
        }
        names.push(name);
    }
    if options.limit == Some(0) {
        return wrong("a limit of 0 leaves no row; name at least 1, or none for all".to_owned());
    }
    let mut strategies = Vec::new();
    for &strategy in &options.strategies {
        if !strategies.contains(&strategy) {
            strategies.push(strategy);
        }
    }
    if strategies.is_empty() {
        return wrong("name at least one strategy".to_owned());
    }
    Ok(strategies)
}

/// Whether a strategy's own run is already the run with the boost.
fn boosts_already(options: &Options, strategies: &[Strategy]) -> bool {
    strategies.contains(&Strategy::ParallelFusion) && options.policy.sacred_weight == BOOST
}

/// Hybrid under thresholds by which every row is drafted and every draft is kept, so that each row
/// has a draft's signal and an escalation score that has seen the draft.
fn always_drafting(base: &Policy) -> Policy {
    let mut policy = Policy { strategy: Strategy::Hybrid, ..base.clone() };
    policy.thresholds.complex_complexity = 1.0;
    policy.thresholds.keep_signal = 0.0;
    policy
}

fn fusing(base: &Policy, sacred_weight: f64) -> Policy {
    Policy { strategy: Strategy::ParallelFusion, sacred_weight, ..base.clone() }
}

#[cfg(test)]
mod tests;
