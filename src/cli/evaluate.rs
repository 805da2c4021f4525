//! `evaluate`: the proof on recorded answers.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::ConfigArgs;
use crate::{
    app::ReplayBench,
    domain::{Signal, Strategy},
    evaluation::{self, LatencySpec, Options},
};

/// What to replay.
#[derive(Debug, Clone, Args)]
pub(super) struct EvaluateArgs {
    /// Table of recorded answers: JSON lines, plain or gzipped, or RouteLLM's CSV.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Model whose recorded answers stand as Flux's drafts.
    #[arg(long, value_name = "MODEL")]
    fast: String,
    /// Models whose recorded answers stand as ASI's experts, the strong one first.
    #[arg(long, value_name = "MODEL", value_delimiter = ',', required = true)]
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
    let settings = match args.config.load() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut options = Options::new(args.data.clone(), args.fast.clone(), args.slow.clone());
    if !args.strategies.is_empty() {
        options.strategies.clone_from(&args.strategies);
    }
    options.limit = args.limit;
    options.latency = args.latency.unwrap_or_default();
    options.fast_prior = args.fast_prior;
    options.slow_prior = args.slow_prior;
    options.policy = settings.policy();
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
