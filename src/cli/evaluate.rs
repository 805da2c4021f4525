//! `evaluate`: the proof on recorded answers.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::ConfigArgs;
use crate::{
    app::{self, ReplayBench},
    domain::{Signal, Strategy},
    evaluation::{self, LatencySpec, Options, TargetPolicy},
};

/// What to replay.
#[derive(Debug, Clone, Args)]
pub(super) struct EvaluateArgs {
    /// Table of recorded answers: JSON lines, plain or gzipped, or RouteLLM's CSV.
    #[arg(long, value_name = "FILE", required_unless_present = "ledger")]
    data: Option<PathBuf>,
    /// Instead of a table: the data folder of a service that is stopped. Estimates what other
    /// policies than Adaptive's own would have come to, from what it did and with what chance.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["data", "fast", "slow"])]
    ledger: Option<PathBuf>,
    /// With --ledger: an arm (such as hybrid or ai_first_fast), `uniform`, or an arm for each
    /// complexity (simple=…,moderate=…,complex=…); every arm where absent. May be repeated.
    #[arg(long, value_name = "POLICY", requires = "ledger")]
    policy: Vec<TargetPolicy>,
    /// Model whose recorded answers stand as Flux's drafts.
    #[arg(long, value_name = "MODEL", required_unless_present = "ledger")]
    fast: Option<String>,
    /// Models whose recorded answers stand as ASI's experts, the strong one first.
    #[arg(long, value_name = "MODEL", value_delimiter = ',', required_unless_present = "ledger")]
    slow: Vec<String>,
    /// Strategies to evaluate; all where absent.
    #[arg(long, value_name = "STRATEGY", value_delimiter = ',')]
    strategies: Vec<Strategy>,
    /// Replay only the first N rows.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Simulated latency, as base+per-token, such as `fast=80ms+8ms,slow=600ms+20ms`.
    #[arg(long, value_name = "SPEC")]
    latency: Option<LatencySpec>,
    /// What is believed of the fast model before any question, 0 to 1.
    #[arg(long, value_name = "P", default_value = "0.6", value_parser = signal)]
    fast_prior: Signal,
    /// What is believed of each slow model before any question, 0 to 1.
    #[arg(long, value_name = "P", default_value = "0.8", value_parser = signal)]
    slow_prior: Signal,
    /// The model that judges questions and drafts: a file that `train` wrote, or `none` for the
    /// rules alone. The one that ships where absent.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

fn signal(text: &str) -> Result<Signal, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Signal::new(value).map_err(|error| error.to_string())
}

pub(super) fn evaluate(args: &EvaluateArgs) -> ExitCode {
    if let Some(dir) = &args.ledger {
        return super::ledger::evaluate(dir, &args.policy, args.json);
    }
    let (Some(data), Some(fast)) = (&args.data, &args.fast) else {
        eprintln!("Name a table with --data, and --fast and --slow models of it.");
        return ExitCode::from(2);
    };
    let settings = match args.config.load() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut options = Options::new(data.clone(), fast.clone(), args.slow.clone());
    if !args.strategies.is_empty() {
        options.strategies.clone_from(&args.strategies);
    }
    options.limit = args.limit;
    options.latency = args.latency.unwrap_or_default();
    options.fast_prior = args.fast_prior;
    options.slow_prior = args.slow_prior;
    options.policy = settings.policy();
    options.policy.judge = match app::judge(Some(
        args.model.as_deref().unwrap_or(Path::new(&settings.judgement.model)),
    )) {
        Ok(judge) => judge,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = match evaluation::paused_runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let progress = evaluation::progress_bar();
    match runtime.block_on(evaluation::evaluate(options, &ReplayBench, &progress)) {
        Ok(report) if args.json => match serde_json::to_string(&report) {
            Ok(json) => {
                super::say(json);
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("The report could not be written as JSON: {error}");
                ExitCode::FAILURE
            }
        },
        Ok(report) => {
            super::say(report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
