//! `openapi`: the generated document, for generators and for the committed copy.

use std::process::ExitCode;

use clap::Args;

use crate::http;

/// Which document.
#[derive(Debug, Clone, Args)]
pub(super) struct OpenapiArgs {
    /// OpenAPI 3.0 instead of 3.1, for generators that read nothing newer.
    #[arg(long = "3.0")]
    v3_0: bool,
}

pub(super) fn openapi(args: &OpenapiArgs) -> ExitCode {
    let document = if args.v3_0 { http::document_3_0() } else { http::document().clone() };
    super::say(format_args!("{document:#}"));
    ExitCode::SUCCESS
}
