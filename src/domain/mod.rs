//! The vocabulary every other room speaks: plain types, no I/O, no policy of their own.
//!
//! Preconditions live in these types: a [`Position`] is 1–9, a [`Signal`] is 0–1, a [`Number`] is
//! exact. What reaches the rooms above has been parsed once, at the edge.

mod answer;
mod arm;
mod clock;
mod decision;
mod document;
mod draft;
mod ids;
mod judge;
mod model;
mod number;
mod policy;
mod progress;
mod quality;
mod record;
mod reply;
mod request;
mod scale;
mod strategy;
mod trace;

pub use answer::{Canonical, Likeness, OnlyEqual};
pub use arm::{ARMS, Arm, Expectation, NEEDS, Outlook, need_of};
pub use clock::{Clock, FixedClock, SystemClock};
pub use decision::{Alternative, Complexity, ComplexityTier, Decision, Dimension, Route};
pub use document::{DocumentError, DocumentFormat, DocumentInfo, NewDocument};
pub use draft::{Check, Citation, Draft, Source, SourceKind, Step, Usage, Verdict};
pub use ids::{DocumentId, IdError, ResponseId, SessionId, TenantId};
pub use judge::{Forecast, Judge, Judged, Reading, SharedJudge};
pub use model::{
    Call, Completion, DeltaSink, FinishReason, LanguageModel, ModelError, ModelFuture,
    ModelProfile, Passthrough, Prompt, Pulse, Revision, Role, Sampling, Turn,
};
pub use number::{Number, NumberError};
pub use policy::{
    AdaptiveRule, Chances, Learned, Policy, PolicyCell, PolicyProblem, Standing, Standings,
    Thresholds,
};
pub use progress::Listener;
pub use quality::{Promise, QualityTarget};
pub use record::{
    AgreementRecord, DecisionRecord, DraftRecord, Ended, LedgerEvent, OutcomeRecord, OutcomeSource,
    PolicyRecord, Recorded, RecordedVote,
};
pub use reply::{
    ConsensusReport, Dissent, ExpertReport, Explanation, OrchestratorKind, Reply, Vote,
};
pub use request::{Budget, Dialogue, Passage, Request};
pub use scale::{Elp, Position, ScaleError, Signal};
pub use strategy::{AsiMode, Consensus, OwnModel, Strategy, Tier, UnknownName};
pub use trace::{Stage, Trace, TraceEntry};
