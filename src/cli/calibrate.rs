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
    judgement,
    performance::Audited,
};

/// Stands, with the date, behind the version of a model whose signals were brought to another scale.
const OWN_SCALE: &str = ", own scale ";

/// What to promise, and by which evidence.
#[derive(Debug, Clone, Args)]
pub(super) struct CalibrateArgs {
    /// The data folder of a service that is stopped: its audited drafts are the evidence.
    #[arg(long, value_name = "DIR", required_unless_present = "data")]
    ledger: Option<PathBuf>,
    /// Instead of a ledger: a table of recorded answers with gold labels. What the judging model was
    /// trained on flatters it: judge by a model that has not seen the table (`train --folds-out`,
    /// then --model).
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
    /// The file of the model that judges drafts, or `none`; the configured one where absent.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// With --ledger: bring the model's signals to this traffic's scale, and write it to this file.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    out: Option<PathBuf>,
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

/// Exit status 0 when the target can be promised (or, with --out, the model was written), 1 when it
/// cannot.
pub(super) fn calibrate(args: &CalibrateArgs) -> ExitCode {
    if let (Some(dir), Some(out)) = (&args.ledger, &args.out) {
        return match rescaled(args, dir, out) {
            Ok(status) => status,
            Err(problem) => {
                eprintln!("{problem}");
                ExitCode::from(2)
            }
        };
    }
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

/// The model with its signals brought to the scale of the ledger's audited drafts.
fn rescaled(args: &CalibrateArgs, dir: &Path, out: &Path) -> Result<ExitCode, String> {
    let settings = args.config.load().map_err(|_| "The configuration is wrong.".to_owned())?;
    let file = args.model.as_deref().unwrap_or(Path::new(&settings.judgement.model));
    let mut models = app::models(Some(file)).map_err(|error| error.to_string())?;
    let (Some(model), true) = (models.pop(), models.is_empty()) else {
        return Err("There must be one model, and not none or the folds of one.".to_owned());
    };
    let audited = audited(dir)?;
    let drafts = audited.judged_by_experience(&model.card.version);
    let observed: Vec<(f64, bool)> = drafts.map(|d| (d.signal, !d.loses)).collect();
    let (mut model, found) = match judgement::recalibrated(&model, &observed) {
        Ok(found) => found,
        Err(why) => {
            eprintln!("The signals of {} keep their scale: {why}.", model.card.version);
            return Ok(ExitCode::FAILURE);
        }
    };
    let card = &mut model.card;
    let before = card.version.split(OWN_SCALE).next().unwrap_or_default();
    card.version = format!("{before}{OWN_SCALE}{}", jiff::Zoned::now().date());
    for (name, figure) in [
        ("own traffic drafts", count(found.n)),
        ("own traffic log loss before", found.loss_before),
        ("own traffic log loss held out", found.loss_after),
        ("own traffic ECE before", found.error_before),
        ("own traffic ECE held out", found.error_after),
    ] {
        card.held_out.insert(name.to_owned(), figure);
    }
    let version = model.card.version.clone();
    let written = super::train::write(out, &[model])?;
    if args.json {
        say(serde_json::to_string(&found).map_err(|error| error.to_string())?);
    } else {
        say(format!(
            "{version}, by {} audited drafts:\n\n\
             log-odds          × {:.3} {:+.3}\n\
             logarithmic loss  {:.4} before, {:.4} on drafts that it was not fitted on\n\
             ECE               {:.3} before, {:.3} on drafts that it was not fitted on\n\n\
             {written}",
            found.n,
            found.slope,
            found.offset,
            found.loss_before,
            found.loss_after,
            found.error_before,
            found.error_after
        ));
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::cast_precision_loss, reason = "drafts of one ledger")]
fn count(n: usize) -> f64 {
    n as f64
}

fn audited(dir: &Path) -> Result<Audited, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("The runtime could not be started: {error}"))?;
    runtime.block_on(app::audited_drafts(dir)).map_err(|error| {
        let locked = matches!(error, app::StartError::Store { .. });
        let hint = "\nA service that runs keeps its store locked: stop it, or use a copy.";
        format!("{error}{}", if locked { hint } else { "" })
    })
}

fn by_ledger(dir: &Path, target: QualityTarget) -> Result<Quality, String> {
    let audited = audited(dir)?;
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
    let models = app::models(Some(model)).map_err(|error| error.to_string())?;
    if let Some(warning) = flattery_of(&models) {
        eprintln!("{warning}");
    }
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

/// Only the folds of a model, of which each judges what it has not seen, are above suspicion: a single
/// one, named or configured, may have been trained on the table.
fn flattery_of(models: &[judgement::Model]) -> Option<String> {
    let [only] = models else { return None };
    Some(flattery(&only.card.version))
}

/// What is to be known of figures that a judge gave that may have seen the answers.
fn flattery(judge: &str) -> String {
    format!(
        "Drafts are judged by `{judge}`. Where that model was trained on this table, all figures are in \
         sample and too good: train with --folds-out folds.gz, and name it with --model folds.gz, which \
         judges every question by a model that has not seen it."
    )
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
         in sample, on the drafts that the cut-off was chosen by:\n\
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
            "\nheld out                    the cut-off of one half, {:.4}, loses {:.1} % of the other ({} drafts) at {:.1} % to ASI\n",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::Kept;

    #[test]
    fn figures_of_the_drafts_that_a_cut_off_was_chosen_by_are_said_to_be_in_sample() {
        let draft = |at: u32| Kept { signal: f64::from(at) / 400.0, loses: false };
        let drafts: Vec<Kept> = (0..400).map(draft).collect();
        let quality = evaluation::quality_of(QualityTarget { alpha: 0.1, delta: 0.1 }, &drafts);
        let text = report(&quality);
        let (chosen, other) = text.split_once("held out").unwrap();
        assert!(chosen.contains("in sample") && chosen.contains("loss is at most"), "{text}");
        assert!(other.contains("of the other"), "{text}");
        let shipped = app::models(None).unwrap();
        let told = flattery_of(&shipped).unwrap();
        assert!(told.contains(&shipped[0].card.version), "{told}");
        let folds = [shipped[0].clone(), shipped[0].clone()];
        assert_eq!((flattery_of(&folds), flattery_of(&[])), (None, None));
        assert!(flattery("own 1").contains("own 1") && flattery("own 1").contains("--folds-out"));
    }
}
