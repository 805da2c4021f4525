//! `POST /api/v1/unified/feedback`: whether an answer was right.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{ResponseId, SessionId, TenantId},
    http::{ApiState, FromFields, JsonBody, Problem, fields::Fields},
    meta::FeedbackReceipt,
};

/// A judgement of one response: either a `verdict` or a `score`.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct FeedbackBody {
    /// The `id` that `process` returned.
    #[schema(value_type = String, pattern = "^resp_[0-9a-f]{32}$",
        example = "resp_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0")]
    pub response_id: ResponseId,
    /// Right or wrong. Leave it out when you send a score.
    pub verdict: Option<FeedbackVerdict>,
    /// From 0 (wrong) to 1 (right). Leave it out when you send a verdict.
    #[schema(minimum = 0, maximum = 1)]
    pub score: Option<f64>,
    /// Who judged, where you pass on what your own users say: any id that is the same each time. No
    /// one principal weighs more than a twentieth in what Adaptive learns. It is kept as a
    /// fingerprint only.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9_.:@-]+$")]
    pub principal: Option<SessionId>,
}

/// Right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackVerdict {
    /// The answer was right; the same as a score of 1.
    Right,
    /// The answer was wrong; the same as a score of 0.
    Wrong,
}

/// What the feedback did.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedbackResult {
    /// The response that was judged.
    pub response_id: String,
    /// The score now on record.
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// The score that it replaces, when the response had been judged before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub previous_score: Option<f64>,
    /// Remembered answers that were evicted because of it.
    pub evicted: usize,
}

impl FeedbackBody {
    /// The judgement as a score.
    #[must_use]
    pub fn as_score(&self) -> f64 {
        match (self.verdict, self.score) {
            (Some(FeedbackVerdict::Right), _) => 1.0,
            (Some(FeedbackVerdict::Wrong), _) => 0.0,
            (None, score) => score.unwrap_or_default(),
        }
    }
}

impl FromFields for FeedbackBody {
    type Context = ();

    fn from_fields(fields: &mut Fields<'_>, (): &()) -> Option<Self> {
        let given = (fields.has("verdict"), fields.has("score"));
        let response_id =
            fields.required("response_id", "send the `id` that `process` returned", |field| {
                field.parsed(ResponseId::parse)
            });
        let verdict = fields.optional("verdict", |field| {
            field.parsed(|text| match text {
                "right" => Ok(FeedbackVerdict::Right),
                "wrong" => Ok(FeedbackVerdict::Wrong),
                _ => Err("send `right` or `wrong`"),
            })
        });
        let score = fields.optional("score", |field| field.number(0.0..=1.0));
        let principal = fields.optional("principal", |field| field.parsed(SessionId::new));
        if given.0 == given.1 {
            let detail = if given.0 { "judges twice" } else { "judges nothing" };
            fields.refuse(detail, "send either `verdict` or `score`");
            return None;
        }
        Some(Self { response_id: response_id?, verdict, score, principal })
    }
}

impl From<FeedbackReceipt> for FeedbackResult {
    fn from(receipt: FeedbackReceipt) -> Self {
        Self {
            response_id: receipt.response.to_string(),
            score: receipt.score,
            previous_score: receipt.previous_score,
            evicted: receipt.evicted,
        }
    }
}

/// Judge an answer
///
/// Records whether an answer was right. It is durable when it is answered, counts in the accuracy,
/// and evicts a remembered answer that was wrong. A second judgement replaces the first.
#[utoipa::path(
    post,
    path = "/api/v1/unified/feedback",
    operation_id = "giveFeedback",
    tag = "unified",
    request_body(content = FeedbackBody, description = "The judgement.", examples(
        ("verdict" = (summary = "The answer was right", value = json!({
            "response_id": "resp_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0", "verdict": "right"}))),
        ("score" = (summary = "The answer was partly right", value = json!({
            "response_id": "resp_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0", "score": 0.5}))),
    )),
    responses((status = 200, description = "What the feedback did.", body = FeedbackResult)),
)]
pub(super) async fn give_feedback(
    State(state): State<ApiState>,
    JsonBody(body): JsonBody<FeedbackBody>,
) -> Result<Json<FeedbackResult>, Problem> {
    let tenant = TenantId::default();
    let principal = body.principal.as_ref().map(SessionId::as_str);
    let judged = state.orchestrator.feedback(&tenant, body.response_id, body.as_score(), principal);
    let receipt = judged.await?;
    Ok(Json(receipt.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields;

    fn read(judgement: Value) -> Result<f64, String> {
        let mut body = json!({"response_id": ResponseId::generate().to_string()});
        let Value::Object(judgement) = judgement else { panic!("not an object") };
        body.as_object_mut().unwrap().extend(judgement);
        let Value::Object(body) = body else { panic!("not an object") };
        fields::read::<FeedbackBody>(body, &())
            .map(|body| body.as_score())
            .map_err(|problem| problem.errors()[0].pointer.clone())
    }

    #[test]
    fn a_verdict_or_a_score_is_a_score() {
        assert_eq!(read(json!({"verdict": "right"})), Ok(1.0));
        assert_eq!(read(json!({"verdict": "wrong", "score": null})), Ok(0.0));
        assert_eq!(read(json!({"score": 0.25})), Ok(0.25));
    }

    #[test]
    fn it_takes_exactly_one_of_them_within_its_range() {
        for (judgement, pointer) in [
            (json!({}), ""),
            (json!({"verdict": "right", "score": 1}), ""),
            (json!({"verdict": "maybe"}), "/verdict"),
            (json!({"score": 1.01}), "/score"),
            (json!({"score": "1"}), "/score"),
            (json!({"score": 1, "response_id": "resp_1"}), "/response_id"),
            (json!({"score": 1, "comment": "nice"}), "/comment"),
        ] {
            assert_eq!(read(judgement.clone()), Err(pointer.to_owned()), "{judgement}");
        }
    }
}
