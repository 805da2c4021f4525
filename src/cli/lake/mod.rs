//! `lake`: answers in and out of the Confidence Lake, and its keys.

mod export;
mod import;
mod remote;
mod table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{ConfigArgs, say};
use crate::{
    app::LakeShelf,
    domain::{Clock as _, SystemClock},
    settings::Settings,
};

/// What to do with the lake.
#[derive(Debug, Clone, Args)]
pub(super) struct LakeArgs {
    #[command(subcommand)]
    command: LakeCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum LakeCommand {
    /// Put in answers that you vouch for, from a table of questions and answers.
    Import(import::ImportArgs),
    /// Write the remembered answers to a table that `import` reads.
    Export(export::ExportArgs),
    /// Count what the lake holds.
    Stats(StatsArgs),
    /// Write everything anew under the encryption key in use, so that earlier keys can go.
    Rekey(StoreArgs),
}

/// Whose store.
#[derive(Debug, Clone, Args)]
struct StoreArgs {
    /// Folder of the embedded store; that of the configuration where absent.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Args)]
struct StatsArgs {
    /// Ask a running service, such as http://127.0.0.1:8080, instead of opening its store.
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    url: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn lake(args: &LakeArgs) -> ExitCode {
    // One thread reads the table, the other writes the store.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("The runtime could not be started: {error}")),
    };
    runtime.block_on(async {
        match &args.command {
            LakeCommand::Import(args) => import::import(args).await,
            LakeCommand::Export(args) => export::export(args).await,
            LakeCommand::Stats(args) => stats(args).await,
            LakeCommand::Rekey(args) => rekey(args).await,
        }
    })
}

impl StoreArgs {
    fn settings(&self) -> Result<Settings, ExitCode> {
        let mut settings = self.config.load()?;
        if let Some(dir) = &self.data_dir {
            settings.data.dir.clone_from(dir);
        }
        Ok(settings)
    }

    /// Opens the store, which is made where it is missing if `may_be_new`.
    async fn open(&self, may_be_new: bool) -> Result<LakeShelf, ExitCode> {
        let settings = self.settings()?;
        let dir = settings.data.dir.display().to_string();
        if !may_be_new && !settings.data.dir.is_dir() {
            return Err(failed(format_args!(
                "There is no data folder {dir}; name it with --data-dir."
            )));
        }
        LakeShelf::open(&settings).await.map_err(|error| {
            if error.is_in_use() {
                return failed(format_args!(
                    "A running service has the store in {dir} open. Stop it, or go through it where \
                     the command takes --url, such as --url http://127.0.0.1:8080."
                ));
            }
            failed(error)
        })
    }
}

async fn stats(args: &StatsArgs) -> ExitCode {
    if let Some(url) = &args.url {
        return match remote::stats(url).await {
            Ok(stats) => {
                say(format_args!("{stats:#}"));
                ExitCode::SUCCESS
            }
            Err(error) => failed(error),
        };
    }
    let shelf = match args.store.open(false).await {
        Ok(shelf) => shelf,
        Err(code) => return code,
    };
    let stats = match shelf.stats(SystemClock.now_ms()).await {
        Ok(stats) => stats,
        Err(error) => return failed(error),
    };
    let rows = [
        ("entries", stats.entries() as u64),
        ("curated", stats.curated as u64),
        ("disputed", stats.disputed as u64),
        ("refuted", stats.refuted as u64),
        ("expired", stats.expired as u64),
        ("spellings", stats.spellings as u64),
        ("hits", stats.hits),
        ("bytes", stats.bytes as u64),
        ("unreadable", stats.unreadable as u64),
    ];
    if args.json {
        let mut object = serde_json::Map::new();
        object.extend(rows.map(|(name, value)| (name.to_owned(), value.into())));
        object.insert("encrypted".to_owned(), shelf.is_sealing().into());
        object.insert("tenants".to_owned(), serde_json::json!(stats.tenants));
        say(serde_json::Value::Object(object));
    } else {
        rows.iter().for_each(|(name, value)| say(format_args!("{name:<12}{value:>12}")));
        say(format_args!("{:<12}{:>12}", "encrypted", shelf.is_sealing()));
        for (tenant, entries) in &stats.tenants {
            say(format_args!("  tenant {tenant}: {entries}"));
        }
    }
    closed(shelf, ExitCode::SUCCESS).await
}

async fn rekey(args: &StoreArgs) -> ExitCode {
    let shelf = match args.open(false).await {
        Ok(shelf) => shelf,
        Err(code) => return code,
    };
    let bar = indicatif::ProgressBar::new_spinner();
    let ended = shelf.reseal(|rows| bar.inc(rows)).await;
    bar.finish_and_clear();
    let code = match ended {
        Ok(rows) => {
            let how = if shelf.is_sealing() { "encrypted with the key in use" } else { "plain" };
            say(format_args!("{rows} rows written anew; everything is {how}."));
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    };
    closed(shelf, code).await
}

/// Closes the store; a failure of that is told, and is no failure of what was done.
async fn closed(shelf: LakeShelf, code: ExitCode) -> ExitCode {
    if let Err(error) = shelf.close().await {
        eprintln!("The store was not closed cleanly: {error}");
    }
    code
}

fn failed(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
