//! The committed OpenAPI documents are those that the code describes.

use std::{fs, path::Path};

use meta_orchestrator::http::{ProblemKind, document, document_3_0};
use serde_json::Value;

fn is_committed(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name);
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi/{name} is not what the code describes; look at the difference after \
         `UPDATE_OPENAPI=1 cargo test --test it openapi`"
    );
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap() + "\n"
}

#[test]
fn the_document_is_committed() {
    assert_eq!(document()["openapi"], "3.1.0");
    is_committed("openapi.json", &pretty(document()));
}

#[test]
fn the_older_document_is_committed() {
    is_committed("openapi-3.0.json", &pretty(&document_3_0()));
}

#[test]
fn the_table_of_problems_is_committed() {
    let mut table = String::from(
        "# Problems\n\nEvery error is `application/problem+json` (RFC 9457). Its `type` is one of \
         these and never changes its meaning.\n\n| `type` | Status | Title |\n|---|---|---|\n",
    );
    for kind in ProblemKind::ALL {
        let (uri, status, title) = (kind.uri(), kind.status().as_u16(), kind.title());
        table.push_str(&format!("| `{uri}` | {status} | {title} |\n"));
    }
    is_committed("problems.md", &table);
}
