//! `GET` and `PUT /api/v1/unified/strategy`: the policy that requests are judged by.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{AdaptiveRule, Consensus, Policy, Promise, QualityTarget, Strategy, Thresholds},
    http::{ApiState, FromFields, JsonBody, Problem, fields::Fields},
};

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PolicyResult {
    /// Counts up with every change.
    pub version: u64,
    /// Strategy of requests that name none.
    pub strategy: Strategy,
    /// The cut-offs of routing.
    pub thresholds: Thresholds,
    /// Consensus of requests that name none.
    pub consensus: Consensus,
    /// Weights of `custom_weights` consensus, by expert; 1 where absent.
    pub custom_weights: BTreeMap<String, f64>,
    /// Fusion weight of evidence that passed a checkpoint; other evidence weighs 1.
    #[schema(minimum = 1, maximum = 10)]
    pub sacred_weight: f64,
    /// RuntimeFirst: ask ASI when Flux abstains.
    pub runtime_fallback: bool,
    /// What Adaptive aims at.
    pub adaptive: AdaptiveRule,
    /// What Hybrid promises.
    pub quality_target: QualityTarget,
    /// The version of the judgement model in use, which is the configuration's to choose; absent
    /// where the rules judge alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<String>,
    /// Whether the promise is kept, and by which cut-off; absent where nothing is promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise: Option<PromiseReport>,
}

/// Whether a promise can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromiseState {
    /// It is, by the cut-off `keep_signal`.
    Kept,
    /// Too few drafts are audited to say; `thresholds.keep_signal` is in force.
    Thin,
    /// Even the surest drafts lose too often: every one is escalated.
    Unsure,
}

/// What the evidence says of the quality target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct PromiseReport {
    /// Whether it is kept.
    pub state: PromiseState,
    /// Audited drafts behind it: Hybrid's, with signals of the judgement model in use.
    pub n: usize,
    /// Audited drafts that are enough, where none of them loses; where they are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<usize>,
    /// Hybrid keeps drafts with at least this signal; absent where it keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub keep_signal: Option<f64>,
    /// Upper bound of the mean loss, where the promise is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub loss_bound: Option<f64>,
    /// Share of drafted requests that go to ASI, where the promise is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub slow_share: Option<f64>,
}

impl PromiseReport {
    fn of(policy: &Policy) -> Option<Self> {
        let promise = policy.promise.filter(|_| policy.quality_target.is_set())?;
        let (state, n) = match promise {
            Promise::Kept { n, .. } => (PromiseState::Kept, n),
            Promise::Thin { n, .. } => (PromiseState::Thin, n),
            Promise::Unsure { n } => (PromiseState::Unsure, n),
        };
        let mut report = Self {
            state,
            n,
            needed: None,
            keep_signal: policy.keep_signal(),
            loss_bound: None,
            slow_share: None,
        };
        match promise {
            Promise::Kept { loss_bound, slow_share, .. } => {
                (report.loss_bound, report.slow_share) = (Some(loss_bound), Some(slow_share));
            }
            Promise::Thin { needed, .. } => report.needed = Some(needed),
            Promise::Unsure { .. } => {}
        }
        Some(report)
    }
}

impl From<&Policy> for PolicyResult {
    fn from(policy: &Policy) -> Self {
        Self {
            version: policy.version,
            strategy: policy.strategy,
            thresholds: policy.thresholds,
            consensus: policy.consensus,
            custom_weights: policy.custom_weights.clone(),
            sacred_weight: policy.sacred_weight,
            runtime_fallback: policy.runtime_fallback,
            adaptive: policy.adaptive,
            quality_target: policy.quality_target,
            judged_by: policy.judge.as_ref().map(|judge| judge.version().to_owned()),
            promise: PromiseReport::of(policy),
        }
    }
}

/// A change of the policy. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, ToSchema)]
pub struct PolicyChange {
    /// Strategy of requests that name none.
    pub strategy: Option<Strategy>,
    /// Cut-offs of routing; each stays as it is where absent.
    pub thresholds: Option<ThresholdsChange>,
    /// Consensus of requests that name none.
    pub consensus: Option<Consensus>,
    /// Weights of `custom_weights` consensus, by expert, 0 to 1000; replaces the whole table.
    pub custom_weights: Option<BTreeMap<String, f64>>,
    /// Fusion weight of evidence that passed a checkpoint.
    #[schema(minimum = 1, maximum = 10)]
    pub sacred_weight: Option<f64>,
    /// RuntimeFirst: ask ASI when Flux abstains.
    pub runtime_fallback: Option<bool>,
    /// What Adaptive aims at; each part stays as it is where absent.
    pub adaptive: Option<AdaptiveChange>,
    /// What Hybrid promises; each part stays as it is where absent.
    pub quality_target: Option<QualityTargetChange>,
}

/// A change of the cut-offs, all probabilities. What is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, ToSchema)]
pub struct ThresholdsChange {
    /// RuntimeFirst: the best Flux draft must reach this signal, else Flux abstains.
    #[schema(minimum = 0, maximum = 1)]
    pub abstain_floor: Option<f64>,
    /// Hybrid: a Flux draft with at least this signal is kept, any other escalated.
    #[schema(minimum = 0, maximum = 1)]
    pub keep_signal: Option<f64>,
    /// Complexity below this is `simple`.
    #[schema(minimum = 0, maximum = 1)]
    pub moderate_complexity: Option<f64>,
    /// Complexity from this on is `complex`; Hybrid sends it straight to ASI.
    #[schema(minimum = 0, maximum = 1)]
    pub complex_complexity: Option<f64>,
    /// Balanced mode asks for a second opinion below this signal.
    #[schema(minimum = 0, maximum = 1)]
    pub second_opinion: Option<f64>,
    /// Only answers with at least this signal enter the lake.
    #[schema(minimum = 0.6, maximum = 1)]
    pub lake_floor: Option<f64>,
}

/// A change of what Adaptive aims at. What is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, ToSchema)]
pub struct AdaptiveChange {
    /// What one second of latency is worth, as a share of right answers.
    #[schema(minimum = 0, maximum = 10)]
    pub latency_weight: Option<f64>,
    /// What one US dollar per request is worth, as a share of right answers.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub cost_weight: Option<f64>,
    /// Choose the arm with the lowest price among those whose chance of a right answer reaches this;
    /// 0 weighs accuracy against the price instead.
    #[schema(minimum = 0, maximum = 1)]
    pub target_accuracy: Option<f64>,
    /// Share of requests that is spread evenly over all arms.
    #[schema(minimum = 0.01, maximum = 0.5)]
    pub exploration: Option<f64>,
}

/// A change of what Hybrid promises. What is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, ToSchema)]
pub struct QualityTargetChange {
    /// Most right answers that may be lost against always asking ASI, as a share of the requests that
    /// Flux has a draft for; 0 promises nothing.
    #[schema(minimum = 0, maximum = 0.5)]
    pub alpha: Option<f64>,
    /// Chance that the promise does not hold.
    #[schema(minimum = 0.001, maximum = 0.5)]
    pub delta: Option<f64>,
}

impl PolicyChange {
    /// The policy with this change. Whether it is sound, [`Policy::problems`] says.
    #[must_use]
    pub fn apply(&self, policy: &Policy) -> Policy {
        let (old, new) = (policy.thresholds, self.thresholds.unwrap_or_default());
        let (aim, adaptive) = (policy.adaptive, self.adaptive.unwrap_or_default());
        let (target, quality) = (policy.quality_target, self.quality_target.unwrap_or_default());
        Policy {
            strategy: self.strategy.unwrap_or(policy.strategy),
            thresholds: Thresholds {
                abstain_floor: new.abstain_floor.unwrap_or(old.abstain_floor),
                keep_signal: new.keep_signal.unwrap_or(old.keep_signal),
                moderate_complexity: new.moderate_complexity.unwrap_or(old.moderate_complexity),
                complex_complexity: new.complex_complexity.unwrap_or(old.complex_complexity),
                second_opinion: new.second_opinion.unwrap_or(old.second_opinion),
                lake_floor: new.lake_floor.unwrap_or(old.lake_floor),
            },
            consensus: self.consensus.unwrap_or(policy.consensus),
            custom_weights: self
                .custom_weights
                .clone()
                .unwrap_or_else(|| policy.custom_weights.clone()),
            sacred_weight: self.sacred_weight.unwrap_or(policy.sacred_weight),
            runtime_fallback: self.runtime_fallback.unwrap_or(policy.runtime_fallback),
            adaptive: AdaptiveRule {
                latency_weight: adaptive.latency_weight.unwrap_or(aim.latency_weight),
                cost_weight: adaptive.cost_weight.unwrap_or(aim.cost_weight),
                target_accuracy: adaptive.target_accuracy.unwrap_or(aim.target_accuracy),
                exploration: adaptive.exploration.unwrap_or(aim.exploration),
            },
            quality_target: QualityTarget {
                alpha: quality.alpha.unwrap_or(target.alpha),
                delta: quality.delta.unwrap_or(target.delta),
            },
            ..policy.clone()
        }
    }
}

impl FromFields for PolicyChange {
    type Context = ();

    fn from_fields(fields: &mut Fields<'_>, (): &()) -> Option<Self> {
        Some(Self {
            strategy: fields.optional("strategy", |f| f.name()),
            thresholds: fields.optional("thresholds", |field| field.object(thresholds)),
            consensus: fields.optional("consensus", |f| f.name()),
            custom_weights: fields.optional("custom_weights", |field| {
                field.table(Policy::MAX_CUSTOM_WEIGHTS, |f| f.any_number())
            }),
            sacred_weight: fields.optional("sacred_weight", |f| f.any_number()),
            runtime_fallback: fields.optional("runtime_fallback", |f| f.flag()),
            adaptive: fields.optional("adaptive", |field| field.object(adaptive)),
            quality_target: fields.optional("quality_target", |field| field.object(quality_target)),
        })
    }
}

/// Numbers are taken as they are: the policy itself judges them, together.
fn thresholds(fields: &mut Fields<'_>) -> Option<ThresholdsChange> {
    Some(ThresholdsChange {
        abstain_floor: fields.optional("abstain_floor", |f| f.any_number()),
        keep_signal: fields.optional("keep_signal", |f| f.any_number()),
        moderate_complexity: fields.optional("moderate_complexity", |f| f.any_number()),
        complex_complexity: fields.optional("complex_complexity", |f| f.any_number()),
        second_opinion: fields.optional("second_opinion", |f| f.any_number()),
        lake_floor: fields.optional("lake_floor", |f| f.any_number()),
    })
}

fn adaptive(fields: &mut Fields<'_>) -> Option<AdaptiveChange> {
    Some(AdaptiveChange {
        latency_weight: fields.optional("latency_weight", |f| f.any_number()),
        cost_weight: fields.optional("cost_weight", |f| f.any_number()),
        target_accuracy: fields.optional("target_accuracy", |f| f.any_number()),
        exploration: fields.optional("exploration", |f| f.any_number()),
    })
}

fn quality_target(fields: &mut Fields<'_>) -> Option<QualityTargetChange> {
    Some(QualityTargetChange {
        alpha: fields.optional("alpha", |f| f.any_number()),
        delta: fields.optional("delta", |f| f.any_number()),
    })
}

/// Read the policy
///
/// The strategy, the thresholds and the weights that requests are judged by.
#[utoipa::path(
    get,
    path = "/api/v1/unified/strategy",
    operation_id = "getStrategy",
    tag = "unified",
    responses((status = 200, description = "The policy in force.", body = PolicyResult)),
)]
pub(super) async fn get_strategy(State(state): State<ApiState>) -> Json<PolicyResult> {
    Json(PolicyResult::from(&*state.orchestrator.policy()))
}

/// Change the policy
///
/// Changes the fields that are sent and leaves the others as they are. A change is durable when it
/// is answered, and holds from the next request on.
#[utoipa::path(
    put,
    path = "/api/v1/unified/strategy",
    operation_id = "changeStrategy",
    tag = "unified",
    request_body(content = PolicyChange, description = "The fields to change.", examples(
        ("strategy" = (summary = "Another strategy", value = json!({"strategy": "adaptive"}))),
        ("promise" = (summary = "Lose at most 5 % against always asking ASI", value = json!({"quality_target": {"alpha": 0.05}}))),
        ("threshold" = (summary = "Keep only surer drafts", value = json!({"thresholds": {"keep_signal": 0.9}}))),
    )),
    responses((status = 200, description = "The policy now in force.", body = PolicyResult)),
)]
pub(super) async fn change_strategy(
    State(state): State<ApiState>,
    JsonBody(change): JsonBody<PolicyChange>,
) -> Result<Json<PolicyResult>, Problem> {
    let policy: Arc<Policy> = if change == PolicyChange::default() {
        state.orchestrator.policy()
    } else {
        state.orchestrator.set_policy(|policy| change.apply(policy)).await?
    };
    Ok(Json(PolicyResult::from(&*policy)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields;

    fn read(body: Value) -> Result<PolicyChange, Problem> {
        let Value::Object(body) = body else { panic!("not an object") };
        fields::read(body, &())
    }

    #[test]
    fn what_is_not_sent_stays_as_it_is() {
        let policy = Policy { sacred_weight: 2.0, version: 7, ..Policy::default() };
        assert_eq!(read(json!({})).unwrap().apply(&policy), policy);
        let change = json!({"thresholds": {"keep_signal": 0.9}, "adaptive": {"exploration": 0.2}});
        let changed = read(change).unwrap().apply(&policy);
        let mut expected = policy.clone();
        expected.thresholds.keep_signal = 0.9;
        expected.adaptive.exploration = 0.2;
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_whole_policy_as_it_is_read_can_be_sent_back_but_for_its_version() {
        let policy = Policy::default();
        let mut body = serde_json::to_value(PolicyResult::from(&policy)).unwrap();
        body.as_object_mut().unwrap().remove("version");
        assert_eq!(read(body).unwrap().apply(&policy), policy);
    }

    #[test]
    fn the_table_of_weights_is_replaced_as_a_whole() {
        let weights = |pairs: &[(&str, f64)]| {
            pairs.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
        };
        let policy = Policy { custom_weights: weights(&[("a", 2.0)]), ..Policy::default() };
        let changed = read(json!({"custom_weights": {"b": 3}})).unwrap().apply(&policy);
        assert_eq!(changed.custom_weights, weights(&[("b", 3.0)]));
    }

    #[test]
    fn unknown_fields_are_refused_at_every_level() {
        let body = json!({"flux_record": {}, "thresholds": {"keep": 1}, "adaptive": {"x": 1}});
        let pointers: Vec<_> =
            read(body).unwrap_err().errors().iter().map(|e| e.pointer.clone()).collect();
        assert_eq!(pointers, ["/thresholds/keep", "/adaptive/x", "/flux_record"]);
    }
}
