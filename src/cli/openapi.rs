//! `openapi`: the generated document, for generators and for the committed copy.

use std::process::ExitCode;

use clap::Args;

/// Which document.
#[derive(Debug, Clone, Args)]
pub(super) struct OpenapiArgs {
    /// OpenAPI 3.0 instead of 3.1, for generators that read nothing newer.
    #[arg(long)]
    v3_0: bool,
}

pub(super) fn openapi(args: &OpenapiArgs) -> ExitCode {
    let document = crate::http::openapi_json();
    println!("{}", if args.v3_0 { crate::http::openapi_3_0_json() } else { document });
    ExitCode::SUCCESS
}
