//! `evaluate-recall`: what recall by meaning is worth on a table of questions.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;

use super::{ConfigArgs, embedded::EmbeddedArgs};
use crate::{app, embedding::Model, evaluation};

/// What to measure on.
#[derive(Debug, Clone, Args)]
pub(super) struct EvaluateRecallArgs {
    /// Table of questions, JSON lines, plain or gzipped: `origin` and `similar` (every origin is
    /// remembered, every similar asked), or `text_a`, `text_b` and `label` (1: they ask the same).
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Error bound, in place of the configured `lake.max_wrong_hit_rate`.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_wrong_hit_rate: Option<f64>,
    /// Leave out the rows that `train-recall` on this same table learned or calibrated from.
    #[arg(long)]
    held_out: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    embedded: EmbeddedArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=0.5).contains(&value) { Ok(value) } else { Err("not from 0 to 0.5".to_owned()) }
}

pub(super) fn evaluate_recall(args: &EvaluateRecallArgs) -> ExitCode {
    let settings = match args.config.load() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match measure(args, args.max_wrong_hit_rate.unwrap_or(settings.lake.max_wrong_hit_rate)) {
        Ok(text) => {
            super::say(text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &EvaluateRecallArgs, rate: f64) -> Result<String, String> {
    let table = evaluation::load_questions(&args.data).map_err(|error| error.to_string())?;
    let runtime = evaluation::paused_runtime().map_err(|error| error.to_string())?;
    let progress = evaluation::progress_bar();
    let model = args.embedded.model()?;
    let point = |text: &str| model.as_ref().and_then(|model| model.embed(text)).map(Arc::new);
    let sentences = model.clone().map(|model| app::sentences_of(model)).transpose();
    let sentences = sentences.map_err(|error| error.to_string())?;
    let report = runtime.block_on(async {
        // Where nothing may be recalled by meaning, the curve still tells what could be.
        let lake = app::lake_in_memory(rate.max(0.5), sentences).await?;
        evaluation::evaluate_recall(table, &lake, &point, rate, args.held_out, &progress).await
    });
    let report = report.map_err(|error| error.to_string())?;
    if args.json {
        serde_json::to_string(&report).map_err(|error| error.to_string())
    } else {
        Ok(report.to_string())
    }
}
