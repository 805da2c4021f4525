//! Replays recorded answers through the very same orchestrator that serves, and measures what
//! routing was worth.
//!
//! A table of recorded answers is read ([`load`]); one model's answers stand as Flux's drafter,
//! others' as ASI's experts ([`RecordedModel`]); every row goes through
//! [`crate::meta::MetaOrchestrator::process`] once per strategy ([`evaluate`]), on paused time; the
//! answers are graded against the gold labels, and the figures come with their intervals and their
//! baselines ([`Report`]). Nothing is fitted on the table, and nobody but the grader sees a label.

mod adaptive;
mod curve;
mod grade;
mod latency;
mod lessons;
mod metrics;
mod offpolicy;
mod outcomes;
mod pairs;
mod recall;
mod recorded;
mod render;
mod report;
mod routellm;
mod run;
mod scoring;
mod stage;
mod stream;
mod table;

pub use adaptive::{AdaptiveError, AdaptiveOptions, AdaptiveReport, simulate};
pub use curve::{RoutedRow, RoutingCurve, apgr_interval};
pub use grade::Grader;
pub use latency::{LatencyError, LatencySpec, ModelLatency};
pub use lessons::{Figures, PairFigures, SignalFigures, course, figures};
pub use metrics::{auroc, expected_calibration_error, quantile};
pub use offpolicy::{
    DecisionLog, Estimate, Logged, OffPolicyReport, TargetPolicy, UnknownPolicy, off_policy,
};
pub use pairs::{QuestionTable, load_questions};
pub use recall::{
    Accepted, LabelledReport, Outcome, ParaphraseReport, RecallReport, evaluate_recall,
};
pub use recorded::RecordedModel;
pub use report::{
    Baseline, CurvePoint, Fusion, Latency, Models, Quality, RandomMix, Report, Routing,
    SacredWeight, SignalQuality, Skipped, StrategyResult,
};
pub use run::{Bench, EvaluationError, Options, Workbench, evaluate, paused_runtime, progress_bar};
pub use scoring::quality_of;
pub use table::{Gold, Row, Table, TableError, load};
