//! What the ledger keeps: decisions with their probabilities, and outcomes. No prompt, no answer.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Arm, AsiMode, ComplexityTier, Policy, ResponseId, Route, SourceKind, Strategy, TenantId, Tier,
};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// With an answer.
    Answered,
    /// With an honest abstention.
    Abstained,
    /// With an error.
    Failed,
    /// Nobody waited for the end: it says nothing of any mind.
    Cancelled,
}

/// Whom an expert stood with, without what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedVote {
    /// The expert's configured name.
    pub expert: String,
    /// Which of the answers was its own: 0 is the one that was returned. Experts with the same
    /// number gave the same answer.
    pub answer: u8,
}

/// Flux's surest draft, without what it said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftRecord {
    /// Its signal, by which Hybrid keeps or escalates it.
    pub signal: f64,
    /// Whether ASI, which was asked as well, gave the same answer. Told of as large a share of such
    /// drafts as is audited of those that were kept, picked by chance, so that all drafts are equally
    /// likely to be evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agrees: Option<bool>,
    /// The version of the judge that gave the signal (see [`Policy::judged_by`]): signals of different
    /// judges do not compare. Absent in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<Arc<str>>,
    /// Whether that judge had experience with such drafts; else the rules gave the signal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_experience: bool,
}

/// One request, as it was decided and as it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// The response's id.
    pub id: ResponseId,
    /// Whose it was.
    pub tenant: TenantId,
    /// Receipt, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The policy it was judged by.
    pub policy_version: u64,
    /// The strategy in force.
    pub strategy: Strategy,
    /// Where it was sent.
    pub route: Route,
    /// The ASI mode in force, when ASI was asked.
    pub mode: Option<AsiMode>,
    /// What Adaptive chose, where it was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Arm>,
    /// Chance with which the way was chosen: the propensity that learning needs.
    pub probability: f64,
    /// The complexity score.
    pub complexity: f64,
    /// The complexity tier.
    pub complexity_tier: ComplexityTier,
    /// Estimated chance that asking ASI would have improved on Flux's draft; orders requests by
    /// their need of the slow tier.
    pub escalation: f64,
    /// How it ended.
    pub ended: Ended,
    /// The tier whose answer was returned.
    pub tier: Option<Tier>,
    /// The kind of mind whose answer was returned.
    pub source: Option<SourceKind>,
    /// Signal of the answer returned.
    pub confidence: f64,
    /// The remembered response that the answer came from.
    pub recalled_from: Option<ResponseId>,
    /// Probability that its question asks what was asked, where it was recalled by meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_likeness: Option<f64>,
    /// From receipt to response, in microseconds.
    pub duration_us: u64,
    /// Time that Flux took, when it was asked, in microseconds; and how that ended.
    pub flux: Option<(u64, Ended)>,
    /// The surest draft of Flux, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<DraftRecord>,
    /// The same of ASI.
    pub asi: Option<(u64, Ended)>,
    /// Who stood with the answer returned and who against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<RecordedVote>,
    /// Cost in US dollars, where prices are configured.
    pub cost_usd: Option<f64>,
    /// Whether something was spent whose cost nobody knows: a model without a price has answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cost_unknown: bool,
    /// A fixed error code when it failed.
    pub error: Option<Cow<'static, str>>,
}

impl DecisionRecord {
    /// The strategy whose way the request went: the one in force, or what Adaptive chose.
    #[must_use]
    pub fn follows(&self) -> Strategy {
        self.arm.map_or(self.strategy, Arm::strategy)
    }
}

/// How an outcome became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeSource {
    /// Somebody said so.
    Feedback,
    /// The slow tier was asked, too, and gave the same answer (1) or another (0). It gives way to
    /// what anybody says.
    Audit,
    /// A gold label.
    Gold,
}

/// Whether an answer was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The response that was judged.
    pub response: ResponseId,
    /// Whose it is.
    pub tenant: TenantId,
    /// When it became known, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// 1 is right, 0 is wrong, between is partly.
    pub score: f64,
    /// How it became known.
    pub source: OutcomeSource,
    /// Chance with which this answer was picked to be judged; `None` where nobody picked it by
    /// chance. An audit of one in fifty stands for fifty answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Who judged, as a fingerprint; `None` for the operator, audits and gold labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<u64>,
}

/// What an audit found of a draft whose answer somebody had judged already. It is evidence for the
/// quality target, where kept drafts and escalated ones must be counted alike; the answer's accuracy
/// stays what was said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgreementRecord {
    /// The response whose draft was audited.
    pub response: ResponseId,
    /// Whose it is.
    pub tenant: TenantId,
    /// When it became known, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Whether the slow tier gave the same answer.
    pub agrees: bool,
}

/// A change of policy by an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The whole new policy; its version is one more than that of the policy it replaces.
    pub policy: Arc<Policy>,
}

/// What can be appended to the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LedgerEvent {
    /// A request ended.
    Decision(Arc<DecisionRecord>),
    /// An outcome became known.
    Outcome(OutcomeRecord),
    /// An audit came to its end after somebody had judged the answer.
    Agreement(AgreementRecord),
    /// The policy changed.
    Policy(PolicyRecord),
}

/// An event as the ledger recorded it: in its place, with what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Place in the ledger; counts up without gaps from 1.
    pub seq: u64,
    /// The event.
    pub event: LedgerEvent,
    /// For an outcome and an agreement: the decision it judges.
    pub decision: Option<Arc<DecisionRecord>>,
    /// For an outcome that revises an earlier one: the earlier score.
    pub previous_score: Option<f64>,
    /// The chance with which that earlier one was picked, where it was.
    pub previous_probability: Option<f64>,
}
