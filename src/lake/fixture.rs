//! Entries for the tests of this room.

use super::{Entry, Ladder};
use crate::domain::{Canonical, ResponseId, Signal, SourceKind, TenantId};

pub(super) fn entry(question: &str, content: &str, signal: f64) -> Entry {
    Entry {
        question: question.to_owned(),
        content: content.to_owned(),
        answer: Some(Canonical::Text(content.to_owned())),
        signal: Signal::clamped(signal),
        origin: ResponseId::generate(),
        derived_from: None,
        source: SourceKind::Model,
        source_name: "model".to_owned(),
        citations: Vec::new(),
        created_ms: 1_000,
        expires_ms: None,
        epoch: None,
        curated: false,
        point: None,
        ladder: Ladder::default(),
    }
}

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}
