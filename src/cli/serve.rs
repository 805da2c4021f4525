//! `serve`: start, say where, and stop in order.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;

use super::{ConfigArgs, say};
use crate::{
    app::{self, Started},
    settings::Settings,
    telemetry::{init_logs, log_panics},
};

/// How to serve.
#[derive(Debug, Clone, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on, such as 127.0.0.1:8080; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Folder of the embedded store.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Read the configuration and what it names (encryption keys, judgement and sentence
    /// model, folders of documents, providers' keys), report every problem, and stop. The store is not opened.
    #[arg(long)]
    check_config: bool,
    /// Put the policy back to what the configuration says, forgetting changes made through the API.
    #[arg(long)]
    reset_policy: bool,
}

pub(super) fn serve(args: &ServeArgs) -> ExitCode {
    let mut settings = match args.config.load() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    if let Some(listen) = args.listen {
        settings.server.listen = listen;
    }
    if let Some(dir) = &args.data_dir {
        settings.data.dir.clone_from(dir);
    }
    if args.check_config {
        return check(&settings);
    }
    init_logs(&settings.log);
    log_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime
        .block_on(app::run(&settings, args.reset_policy, |started| greet(&settings, started)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("meta-orchestrator could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says what would keep the service from starting. Exit status 2, as for every other problem of the
/// configuration.
fn check(settings: &Settings) -> ExitCode {
    let obstacles = app::obstacles(settings);
    if obstacles.is_empty() {
        say("The configuration is sound.");
        return ExitCode::SUCCESS;
    }
    eprintln!("the service would not start:");
    obstacles.iter().for_each(|obstacle| eprintln!("  {obstacle}"));
    ExitCode::from(2)
}

/// A few lines: where it listens, what it has, what to try.
fn greet(settings: &Settings, started: &Started) {
    let url = format!("http://{}", started.address);
    say(format_args!("meta-orchestrator {} listens on {url}", env!("CARGO_PKG_VERSION")));
    say(format_args!(
        "  data in {}, strategy {}",
        settings.data.dir.display(),
        started.policy.strategy
    ));
    if started.stored_policy {
        say(format_args!(
            "  the policy is the one set through the API (version {}); --reset-policy returns to the configuration's",
            started.policy.version
        ));
    }
    match started.models.as_slice() {
        [] => say(format_args!(
            "  no language model: set OPENAI_API_KEY or OLLAMA_HOST, or configure [[providers]]"
        )),
        models => say(format_args!("  models: {}", models.join(", "))),
    }
    say("Try:");
    say(format_args!(
        "  curl -s {url}/api/v1/unified/process -H 'content-type: application/json' -d '{{\"input\": \"what is 15 percent of 80?\"}}'"
    ));
    say(format_args!("  curl -s {url}/api/v1/unified/metrics"));
}
