//! The command line.
#![expect(clippy::print_stderr, reason = "this room talks to a terminal")]

mod adaptive;
mod calibrate;
mod embedded;
mod evaluate;
mod evaluate_recall;
mod lake;
mod ledger;
mod openapi;
mod probe;
mod serve;
mod train;
mod train_recall;

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::settings::Settings;

/// Routes each AI request to the cheapest mind that is likely to be right, and proves it with live
/// accuracy and latency.
#[derive(Debug, Parser)]
#[command(name = "meta-orchestrator", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the service (the default command).
    Serve(serve::ServeArgs),
    /// Replay a table of recorded answers and print accuracy, latency and routing figures.
    Evaluate(evaluate::EvaluateArgs),
    /// Find the cut-off that a quality target takes, by the own ledger or by a table.
    Calibrate(calibrate::CalibrateArgs),
    /// Put answers into the Confidence Lake, take them out, count them, change its keys.
    Lake(lake::LakeArgs),
    /// Simulate the strategy `adaptive` on a table of real outcomes and print what it promises.
    EvaluateAdaptive(adaptive::AdaptiveArgs),
    /// Measure recall by meaning on a table of questions.
    EvaluateRecall(evaluate_recall::EvaluateRecallArgs),
    /// Train the model of recall by meaning.
    TrainRecall(train_recall::TrainRecallArgs),
    /// Learn from tables of outcomes how likely questions and drafts are to be right.
    Train(train::TrainArgs),
    /// Ask a running service whether it is ready; exit status 0 if so. For health checks.
    Probe(probe::ProbeArgs),
    /// Print the OpenAPI document.
    Openapi(openapi::OpenapiArgs),
}

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
struct ConfigArgs {
    /// Configuration file (TOML) on top of the defaults; the environment comes on top of it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads the configuration, or prints everything that is wrong with it.
    fn load(&self) -> Result<Settings, ExitCode> {
        Settings::load(self.config.as_deref()).map_err(|error| {
            eprintln!("{error}");
            ExitCode::from(2)
        })
    }
}

/// Parses the arguments and runs what they say. Exit status: 0 done, 1 failed, 2 misused.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::serve(&args),
        Command::Evaluate(args) => evaluate::evaluate(&args),
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Lake(args) => lake::lake(&args),
        Command::EvaluateAdaptive(args) => adaptive::evaluate(&args),
        Command::EvaluateRecall(args) => evaluate_recall::evaluate_recall(&args),
        Command::TrainRecall(args) => train_recall::train_recall(&args),
        Command::Train(args) => train::train(&args),
        Command::Probe(args) => probe::probe(&args),
        Command::Openapi(args) => openapi::openapi(&args),
    }
}

/// Writes to standard output. A reader that has left, as in `… | head -1`, is no error: `println!`
/// would panic, and take the service along.
fn say(text: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
