//! `evaluate --ledger`: what other policies would have come to, from what Adaptive did.

use std::{path::Path, process::ExitCode};

use crate::{
    app,
    evaluation::{OffPolicyReport, TargetPolicy, off_policy},
};

/// Estimates these policies, or each arm alone where none is named.
pub(super) fn evaluate(dir: &Path, policies: &[TargetPolicy], json: bool) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let log = match runtime.block_on(app::decision_log(dir)) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("{error}");
            if matches!(error, app::StartError::Store { .. }) {
                eprintln!(
                    "A service that runs keeps its store locked: stop it, or evaluate a copy."
                );
            }
            return ExitCode::FAILURE;
        }
    };
    let every_arm: Vec<TargetPolicy> = crate::domain::Arm::ALL
        .into_iter()
        .map(|arm| TargetPolicy::Arms([arm; 3]))
        .chain([TargetPolicy::Uniform])
        .collect();
    let policies = if policies.is_empty() { &every_arm } else { policies };
    let reports: Vec<OffPolicyReport> =
        policies.iter().map(|policy| off_policy(log.decisions(), policy)).collect();
    if !json {
        reports.iter().for_each(super::say);
        return ExitCode::SUCCESS;
    }
    match serde_json::to_string(&reports) {
        Ok(text) => {
            super::say(text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The report could not be written as JSON: {error}");
            ExitCode::FAILURE
        }
    }
}
