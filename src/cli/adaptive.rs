//! `evaluate-adaptive`: Adaptive's promises on a stream of real outcomes.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::ConfigArgs;
use crate::{
    app,
    evaluation::{self, AdaptiveOptions},
};

/// What to simulate.
#[derive(Debug, Clone, Args)]
pub(super) struct AdaptiveArgs {
    /// Table of outcomes or recorded answers: JSON lines, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The models that play the arms: runtime_first, hybrid, parallel_fusion, and ai_first in its
    /// modes fast, balanced, thorough, reasoning.
    #[arg(long, value_name = "MODEL", value_delimiter = ',', required = true)]
    models: Vec<String>,
    /// Latency of each, in milliseconds.
    #[arg(
        long,
        value_name = "MS",
        value_delimiter = ',',
        default_value = "500,700,800,900,2500,2500,3000"
    )]
    latency_ms: Vec<f64>,
    /// Runs, each with its own order and dice.
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: u64,
    /// What one second is worth, as a share of right answers; the configuration's where absent.
    #[arg(long, value_name = "W")]
    latency_weight: Option<f64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn evaluate(args: &AdaptiveArgs) -> ExitCode {
    let settings = match args.config.load() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut rule = settings.adaptive;
    rule.latency_weight = args.latency_weight.unwrap_or(rule.latency_weight);
    let options = AdaptiveOptions {
        models: args.models.clone(),
        latencies_s: args.latency_ms.iter().map(|ms| ms / 1000.0).collect(),
        rule,
        seeds: args.seeds,
    };
    let complexity = |prompt: &str| app::complexity_of(prompt, &settings.thresholds);
    let progress = evaluation::progress_bar();
    match evaluation::simulate(&args.data, &options, complexity, &progress) {
        Ok(report) if args.json => match serde_json::to_string(&report) {
            Ok(text) => {
                super::say(text);
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
