//! `train-recall`: trains the model by which questions are recalled.

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;

use super::embedded::EmbeddedArgs;
use crate::{
    embedding::{Cached, Model},
    evaluation::{self, QuestionTable},
    paraphrase::{self, LabelledPair},
};

/// What to learn from.
#[derive(Debug, Clone, Args)]
pub(super) struct TrainRecallArgs {
    /// Tables of questions, JSON lines, plain or gzipped: labelled pairs (`text_a`, `text_b`,
    /// `label`), needed, and paraphrases (`origin`, `similar`). Of each, one half is learned from, a
    /// quarter calibrates, and the last quarter judges.
    #[arg(long, value_name = "FILE", value_delimiter = ',', required = true)]
    data: Vec<PathBuf>,
    /// Where the model goes.
    #[arg(long, value_name = "FILE", default_value = "models/recall.bin")]
    out: PathBuf,
    #[command(flatten)]
    embedded: EmbeddedArgs,
    /// Trees to grow.
    #[arg(long, value_name = "N", default_value_t = 160, value_parser = clap::value_parser!(u16).range(1..=2000))]
    trees: u16,
}

pub(super) fn train_recall(args: &TrainRecallArgs) -> ExitCode {
    match train(args) {
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

fn train(args: &TrainRecallArgs) -> Result<String, String> {
    let (mut labelled, mut paraphrases): (Vec<LabelledPair>, Vec<LabelledPair>) =
        Default::default();
    for path in &args.data {
        let table = evaluation::load_questions(path);
        match table.map_err(|error| format!("{}: {error}", path.display()))? {
            QuestionTable::Labelled(pairs) => labelled.extend(pairs),
            QuestionTable::Paraphrases(pairs) => paraphrases.extend(pairs),
        }
    }
    let bar = evaluation::progress_bar();
    let model = args.embedded.model()?;
    if let Some(model) = &model {
        bar.set_message("embedding");
        let pairs = labelled.iter().chain(&paraphrases);
        args.embedded.embed_all(model, pairs, &bar)?;
    }
    let point = |text: &str| model.as_ref().and_then(|model: &Arc<Cached>| model.embed(text));
    bar.set_message("growing trees");
    let trained = paraphrase::train(
        &labelled,
        &paraphrases,
        &|text| point(text).map(Arc::new),
        args.trees.into(),
        |grown, of| {
            bar.set_length(of as u64);
            bar.set_position(grown as u64);
        },
    );
    bar.finish_and_clear();
    let trained = trained.map_err(|error| error.to_string())?;
    let bytes = trained.matcher.written();
    fs::write(&args.out, &bytes).map_err(|error| format!("{}: {error}", args.out.display()))?;
    let paraphrase::HeldOut { trained_on, calibrated_on, pairs, same, .. } = trained.held_out;
    let [recall, rate, bound] = [
        trained.held_out.recall,
        trained.held_out.wrong_hit_rate,
        trained.held_out.wrong_hit_bound,
    ]
    .map(|share| share * 100.0);
    Ok(format!(
        "{}: {} bytes, {} trees from {trained_on} pairs, calibrated on {calibrated_on}\n\
         held out: {pairs} pairs, {same} ask the same; at max_wrong_hit_rate 0.01: recall \
         {recall:.1} %, wrong hits {rate:.2} % (95 % bound {bound:.2} %)",
        args.out.display(),
        bytes.len(),
        trained.matcher.trees(),
    ))
}
