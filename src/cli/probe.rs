//! `probe`: the image's health check, which has no curl.

use std::{process::ExitCode, time::Duration};

use clap::Args;

/// What to probe.
#[derive(Debug, Clone, Args)]
pub(super) struct ProbeArgs {
    /// The readiness URL of the service.
    #[arg(long, default_value = "http://127.0.0.1:8080/readyz")]
    url: String,
    /// Milliseconds to wait for the answer.
    #[arg(long, default_value_t = 2000)]
    timeout_ms: u64,
}

pub(super) fn probe(args: &ProbeArgs) -> ExitCode {
    let asked = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(status(args)));
    match asked {
        Ok(200) => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("not ready: status {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("not ready: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn status(args: &ProbeArgs) -> Result<u16, String> {
    crate::app::install_tls();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_millis(args.timeout_ms))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| error.to_string())?;
    let response = client.get(&args.url).send().await.map_err(|error| error.to_string())?;
    Ok(response.status().as_u16())
}
