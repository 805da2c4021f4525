//! The way of one request through the vortex, as it happened.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{Listener, Position};

/// What happens at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 1
    Received,
    /// 2
    Analysed,
    /// 3
    ContextCheckpoint,
    /// 4
    Drafted,
    /// 5
    Composed,
    /// 6
    FusionCheckpoint,
    /// 7
    Ranked,
    /// 8
    Expanded,
    /// 9
    VerificationCheckpoint,
}

impl Stage {
    /// The stage's position; each has exactly one.
    #[must_use]
    pub const fn position(self) -> Position {
        match self {
            Self::Received => Position::RECEIVED,
            Self::Analysed => Position::ANALYSED,
            Self::ContextCheckpoint => Position::CONTEXT,
            Self::Drafted => Position::DRAFTED,
            Self::Composed => Position::COMPOSED,
            Self::FusionCheckpoint => Position::FUSION,
            Self::Ranked => Position::RANKED,
            Self::Expanded => Position::EXPANDED,
            Self::VerificationCheckpoint => Position::VERIFIED,
        }
    }
}

/// One visit to a position.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceEntry {
    /// What happened there.
    pub stage: Stage,
    /// How long it took.
    pub duration: Duration,
    /// In a few words, for people. Never the input's text.
    pub note: String,
}

/// Collects the visits of one request. Shared by the parts that run at once.
#[derive(Default)]
pub struct Trace {
    entries: Mutex<Vec<TraceEntry>>,
    listener: Option<Arc<dyn Listener>>,
}

impl Trace {
    /// Most visits that are kept: a request that makes more is broken, not interesting.
    const CAPACITY: usize = 256;

    /// A trace whose visits are heard of as they end.
    #[must_use]
    pub fn heard_by(listener: Option<Arc<dyn Listener>>) -> Self {
        Self { listener, ..Self::default() }
    }

    /// Who hears of the visits.
    #[must_use]
    pub fn listener(&self) -> Option<&Arc<dyn Listener>> {
        self.listener.as_ref()
    }

    /// Notes a visit that began at `since` and ends now.
    pub fn visit(&self, stage: Stage, since: Instant, note: impl Into<String>) {
        self.note(stage, since.elapsed(), note);
    }

    /// Notes a visit that took this long.
    pub fn note(&self, stage: Stage, duration: Duration, note: impl Into<String>) {
        let entry = TraceEntry { stage, duration, note: note.into() };
        if let Some(listener) = &self.listener {
            listener.visited(&entry);
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() < Self::CAPACITY {
            entries.push(entry);
        }
    }

    /// All visits so far, in the order in which they ended.
    #[must_use]
    pub fn entries(&self) -> Vec<TraceEntry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
