//! `train`: from tables of outcomes to a model file, with its figures on unseen questions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::say;
use crate::{
    evaluation::{self, Figures},
    judgement::{self, Card, Course},
};

/// What to learn from.
#[derive(Debug, Clone, Args)]
pub(super) struct TrainArgs {
    /// Tables to learn from: recorded answers with their gold labels, or outcomes only (JSON lines,
    /// plain or gzipped; `RouteLLM`'s CSV).
    #[arg(long, value_name = "FILE", value_delimiter = ',', required = true)]
    data: Vec<PathBuf>,
    /// The model file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also write the models of the folds, each trained without its fold: `evaluate --model` with
    /// that file judges every question of these tables by a model that has not seen it.
    #[arg(long, value_name = "FILE")]
    folds_out: Option<PathBuf>,
    /// Pairs of models, as fast:slow, whose routing figures are reported.
    #[arg(long, value_name = "FAST:SLOW", value_delimiter = ',', value_parser = pair)]
    pairs: Vec<(String, String)>,
    /// Seed of folds and forests: the same seed and tables give the same model.
    #[arg(long, value_name = "N", default_value = "369")]
    seed: u64,
    /// What records and explanations call the model by.
    #[arg(long, value_name = "NAME", default_value = "own")]
    name: String,
    /// The day that the model's card says, as 2026-11-25; today where absent.
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Write the model even where the one in place does better on unseen questions.
    #[arg(long)]
    force: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (fast, slow) = text.split_once(':').ok_or("write it as fast:slow")?;
    Ok((fast.to_owned(), slow.to_owned()))
}

pub(super) fn train(args: &TrainArgs) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &TrainArgs) -> Result<(), String> {
    let courses = courses(&args.data)?;
    are_known(&args.pairs, &courses)?;
    let mut card = card(args, &courses);
    let bar = evaluation::progress_bar();
    bar.set_length(judgement::steps(&courses));
    bar.set_message("training");
    let mut trained = judgement::train(&courses, card.clone(), &|steps| bar.inc(steps));
    bar.finish_and_clear();
    let figures = evaluation::figures(&courses, &trained.seen, &args.pairs);
    figures.iter().for_each(say);
    if let Some(calibration) = trained.model.calibration() {
        say(format!(
            "calibration: log-odds × {:.3} {:+.3}, fitted on {} unseen drafts (error before: {:.3})",
            calibration.slope, calibration.offset, calibration.n, calibration.error_before
        ));
    }
    card.held_out = held_out(&figures);
    if let Some(folds) = &args.folds_out {
        say(write(folds, &trained.folds)?);
    }
    worse_than_before(args, &card)?;
    trained.model.card = card;
    say(write(&args.out, &[trained.model])?);
    Ok(())
}

fn courses(tables: &[PathBuf]) -> Result<Vec<Course>, String> {
    tables
        .iter()
        .map(|path| {
            let table = evaluation::load(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            let name = file.split('.').next().unwrap_or(&file);
            Ok(evaluation::course(name, &table))
        })
        .collect()
}

/// Training takes minutes: a name that is misspelt is told before.
fn are_known(pairs: &[(String, String)], courses: &[Course]) -> Result<(), String> {
    let (unknown, known) = evaluation::unknown_models(courses, pairs);
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<&str> = unknown.into_iter().collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(format!("--pairs: no table has outcomes of {}; known are {known}", unknown.join(", ")))
}

fn card(args: &TrainArgs, courses: &[Course]) -> Card {
    let today = || jiff::Zoned::now().date().to_string();
    let trained_on = args.date.clone().unwrap_or_else(today);
    let names: Vec<&str> = courses.iter().map(|course| course.name.as_str()).collect();
    Card {
        version: format!("{} {trained_on}", args.name),
        command: format!(
            "meta-orchestrator train --data {} --seed {} --name {} --date {trained_on}",
            names.join(","),
            args.seed,
            args.name
        ),
        trained_on,
        seed: args.seed,
        data: courses.iter().map(|c| (c.name.clone(), c.lessons.len())).collect(),
        held_out: std::collections::BTreeMap::new(),
    }
}

fn held_out(figures: &[Figures]) -> std::collections::BTreeMap<String, f64> {
    let mut found = std::collections::BTreeMap::new();
    for course in figures {
        for pair in &course.pairs {
            let name = format!("{} {}→{}", course.course, pair.fast, pair.slow);
            if let Some((apgr, _)) = pair.prompt_only {
                found.insert(format!("{name} APGR question alone"), apgr);
            }
            if let Some((apgr, _)) = pair.drafted {
                found.insert(format!("{name} APGR draft"), apgr);
            }
        }
        let (mut errors, mut ranks, mut n) = (0.0, 0.0, 0.0);
        for signal in course.signals.values() {
            if let (Some(ece), Some(auroc)) = (signal.ece, signal.auroc) {
                errors += ece;
                ranks += auroc;
                n += 1.0;
            }
        }
        if n > 0.0 {
            found.insert(format!("{} mean ECE", course.course), errors / n);
            found.insert(format!("{} mean AUROC", course.course), ranks / n);
        }
    }
    found
}

/// A model that does worse than the one in place is refused: on what both cards report of the same
/// tables, the mean of the figures must not fall by more than a hundredth.
fn worse_than_before(args: &TrainArgs, card: &Card) -> Result<(), String> {
    let Ok(bytes) = fs::read(&args.out) else { return Ok(()) };
    let Some(before) = judgement::from_bytes(&bytes).ok().and_then(|m| m.into_iter().next()) else {
        return Ok(());
    };
    if args.force || before.card.data != card.data {
        return Ok(());
    }
    let better_high = |name: &&String| !name.ends_with("ECE");
    let (mut change, mut n) = (0.0, 0.0);
    for name in card.held_out.keys().filter(better_high) {
        if let (Some(new), Some(old)) = (card.held_out.get(name), before.card.held_out.get(name)) {
            change += new - old;
            n += 1.0;
        }
    }
    if n > 0.0 && change / n < -0.01 {
        return Err(format!(
            "refused: on unseen questions the new model does worse than {} in {} (by {:.3} in the \
             mean of {n} figures); --force writes it all the same",
            before.card.version,
            args.out.display(),
            -change / n
        ));
    }
    Ok(())
}

/// Writes a model file; what was written, for a person.
pub(super) fn write(path: &Path, models: &[judgement::Model]) -> Result<String, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let bytes = judgement::to_bytes(models).map_err(told)?;
    // Whoever reads it meanwhile finds the old one or the new one, whole.
    let beside = path.with_extension("new");
    fs::write(&beside, &bytes).map_err(told)?;
    fs::rename(&beside, path).map_err(told)?;
    Ok(format!("{}: {} bytes", path.display(), bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::Lesson;

    #[test]
    fn an_unknown_model_of_a_pair_is_told_which_are_known() {
        let right = ["small", "strong"].map(|model| (model.to_owned(), true)).into();
        let lesson = Lesson {
            question: "why?".to_owned(),
            right,
            topic: None,
            drafts: std::collections::BTreeMap::new(),
        };
        let courses = [Course { name: "own".to_owned(), lessons: vec![lesson] }];
        let pair = |text: &str| pair(text).unwrap();
        assert_eq!(are_known(&[pair("small:strong")], &courses), Ok(()));
        let told = are_known(&[pair("smal:strong")], &courses).unwrap_err();
        assert!(told.contains("of smal; known are small, strong"), "{told}");
        assert!(are_known(&[pair("a:b")], &[]).unwrap_err().contains("known are none"));
    }
}
