//! The committed OpenAPI documents are those that the code describes.

use std::{fs, path::Path};

use meta_orchestrator::http::{document, document_3_0};
use serde_json::Value;

fn is_committed(name: &str, document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name);
    let mut text = serde_json::to_string_pretty(document).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi/{name} is not what the code describes; look at the difference after \
         `UPDATE_OPENAPI=1 cargo test --test it openapi`"
    );
}

#[test]
fn the_document_is_committed() {
    assert_eq!(document()["openapi"], "3.1.0");
    is_committed("openapi.json", document());
}

#[test]
fn the_older_document_is_committed() {
    is_committed("openapi-3.0.json", &document_3_0());
}
