//! `calibrate`: what a quality target takes, on the own traffic or on a table.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{ConfigArgs, say};
use crate::{
    app::{self, ReplayBench},
    domain::QualityTarget,
    evaluation::{self, Options, Quality},
};

/// What to promise, and by which evidence.
#[derive(Debug, Clone, Args)]
pub(super) struct CalibrateArgs {
    /// The data folder of a service that is stopped: its audited drafts are the evidence.
    #[arg(long, value_name = "DIR", required_unless_present = "data")]
    ledger: Option<PathBuf>,
    /// Instead of a ledger: a table of recorded answers with gold labels.
    #[arg(
        long,
        value_name = "FILE",
        requires = "fast",
        requires = "slow",
        conflicts_with = "ledger"
    )]
    data: Option<PathBuf>,
    /// With --data: the model whose recorded answers stand as Flux's drafts.
    #[arg(long, value_name = "MODEL")]
    fast: Option<String>,
    /// With --data: the model whose recorded answers stand as ASI's.
    #[arg(long, value_name = "MODEL")]
    slow: Option<String>,
    /// With --data: the file of the model that judges drafts, or `none`; the one that ships where
    /// absent.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Most right answers that may be lost against always asking ASI, as a share of drafted requests.
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = share)]
    alpha: f64,
    /// Chance that the promise does not hold.
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = share)]
    delta: f64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.001..=0.5).contains(&value) {
        Ok(value)
    } else {
        Err("must be a number from 0.001 to 0.5".to_owned())
    }
}

/// Exit status 0 when the target can be promised, 1 when it cannot.
pub(super) fn calibrate(args: &CalibrateArgs) -> ExitCode {
    let target = QualityTarget { alpha: args.alpha, delta: args.delta };
    let found = match (&args.ledger, &args.data, &args.fast, &args.slow) {
        (Some(dir), ..) => by_ledger(dir, target),
        (None, Some(data), Some(fast), Some(slow)) => by_table(args, target, data, fast, slow),
        _ => {
            Err("Name a data folder with --ledger, or a table with --data, --fast and --slow."
                .into())
        }
    };
    match found {
        Ok(quality) => {
            let kept = quality.cut.is_some();
            match serde_json::to_string(&quality) {
                Ok(text) if args.json => say(text),
                _ => say(report(&quality)),
            }
            if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn by_ledger(dir: &Path, target: QualityTarget) -> Result<Quality, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("The runtime could not be started: {error}"))?;
    let audited = runtime.block_on(app::audited_drafts(dir)).map_err(|error| {
        let locked = matches!(error, app::StartError::Store { .. });
        let hint = "\nA service that runs keeps its store locked: stop it, or use a copy.";
        format!("{error}{}", if locked { hint } else { "" })
    })?;
    let Some(judge) = audited.newest_judge() else {
        return Ok(evaluation::quality_of(target, &[]));
    };
    let drafts: Vec<_> = audited.judged_by(judge).collect();
    if drafts.len() < audited.len() {
        eprintln!(
            "Only the {} drafts that the judge {judge} gave the signals of are evidence; {} more are of \
             earlier judges.",
            drafts.len(),
            audited.len() - drafts.len()
        );
    }
    Ok(evaluation::quality_of(target, &drafts))
}

fn by_table(
    args: &CalibrateArgs,
    target: QualityTarget,
    data: &Path,
    fast: &str,
    slow: &str,
) -> Result<Quality, String> {
    let settings = args.config.load().map_err(|_| "The configuration is wrong.".to_owned())?;
    let mut options = Options::new(data.to_owned(), fast.to_owned(), vec![slow.to_owned()]);
    options.strategies = vec![crate::domain::Strategy::RuntimeFirst];
    options.policy = settings.policy();
    options.targets = vec![target];
    let model = args.model.as_deref().unwrap_or(Path::new(&settings.judgement.model));
    options.policy.judge = app::judge(Some(model)).map_err(|error| error.to_string())?;
    let runtime = evaluation::paused_runtime()
        .map_err(|error| format!("The runtime could not be started: {error}"))?;
    let progress = evaluation::progress_bar();
    let report = runtime
        .block_on(evaluation::evaluate(options, &ReplayBench, &progress))
        .map_err(|error| error.to_string())?;
    let none =
        "This table has no recorded answers of the fast model: there are no drafts to judge.";
    report.quality.into_iter().next().ok_or_else(|| none.to_owned())
}

fn report(quality: &Quality) -> String {
    let QualityTarget { alpha, delta } = quality.target;
    let promise = format!(
        "lose at most {} % of right answers against always asking ASI, with {} % confidence",
        alpha * 100.0,
        (1.0 - delta) * 100.0
    );
    let Some(cut) = quality.cut else {
        let why = quality.refused.as_deref().unwrap_or("there is no evidence");
        return format!("Cannot be promised: {promise}.\n{why}");
    };
    let mut text = format!(
        "Can be promised: {promise}.\n\n\
         drafts with a known truth   {}\n\
         keep drafts from signal     {:.4}\n\
         loss is at most             {:.1} %\n\
         share that goes to ASI      {:.1} %\n",
        cut.n,
        cut.keep_signal,
        cut.loss_bound * 100.0,
        cut.slow_share * 100.0
    );
    if let Some(other) = quality.held_out {
        text.push_str(&format!(
            "held out                    the cut-off of one half, {:.4}, loses {:.1} % of the other ({} drafts) at {:.1} % to ASI\n",
            other.keep_signal,
            other.loss * 100.0,
            other.n,
            other.slow_share * 100.0
        ));
    }
    text.push_str(&format!(
        "\nTo let the service keep the promise by its own audits, in the configuration:\n\n\
         [quality_target]\nalpha = {alpha}\ndelta = {delta}\n\n\
         or PUT /api/v1/unified/strategy {{\"quality_target\": {{\"alpha\": {alpha}, \"delta\": {delta}}}}}.\n\
         For this cut-off and no other: [thresholds] keep_signal = {:.4}",
        cut.keep_signal
    ));
    text
}
