//! `/api/v1/unified/lake…`: what an operator puts into the Confidence Lake and takes out of it.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::documents::invalid_query;
use crate::{
    domain::{LONGEST_TTL, ResponseId, Signal, TenantId, read_ttl, ttl_of_seconds},
    http::{
        ApiState, FieldError, FromFields, JsonBody, Problem, ProblemKind,
        fields::{Field, Fields},
    },
    meta::{EpochBegun, LakeStats, Refusal, Vouched},
};

/// Most pairs of one call.
const MOST_PAIRS: usize = 1000;
/// Longest question and answer, in characters. The lake's own bounds are in bytes.
const LONGEST_QUESTION: usize = 2048;
const LONGEST_ANSWER: usize = 65_536;
const LONGEST_SOURCE: usize = 256;
/// Least signal of what the lake keeps.
const FLOOR: f64 = 0.6;

/// Answers that you vouch for: one pair, or a batch as `entries`.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct CurateBody {
    /// The question; leave it out when you send `entries`.
    #[schema(min_length = 1, max_length = 2048, pattern = r"\S")]
    pub question: Option<String>,
    /// The answer; leave it out when you send `entries`.
    #[schema(min_length = 1, max_length = 65536, pattern = r"\S")]
    pub answer: Option<String>,
    /// Seconds after which it is forgotten; until it is evicted or replaced when absent.
    #[schema(minimum = 1, maximum = 3_153_600_000_u64)]
    pub ttl_seconds: Option<u64>,
    /// In place of `ttl_seconds`, as `lake import` has it: a whole number with `s`, `m`, `h` or `d`; a
    /// number alone is seconds.
    #[schema(value_type = Option<String>, pattern = "^ *[0-9]+ *[smhd]? *$", example = "30d")]
    pub ttl: Option<Duration>,
    /// Where it comes from, in a word or two.
    #[schema(min_length = 1, max_length = 256, pattern = r"\S")]
    pub source: Option<String>,
    /// Probability of being right; 1 when absent.
    #[schema(minimum = 0.6, maximum = 1)]
    pub signal: Option<f64>,
    /// The pairs of a batch.
    #[schema(min_items = 1, max_items = 1000)]
    pub entries: Option<Vec<CuratedPair>>,
}

/// One question with the answer that you vouch for.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct CuratedPair {
    /// The question.
    #[schema(
        min_length = 1,
        max_length = 2048,
        pattern = r"\S",
        example = "How do I reset my password?"
    )]
    pub question: String,
    /// The answer.
    #[schema(
        min_length = 1,
        max_length = 65536,
        pattern = r"\S",
        example = "Choose *Forgot password* on the sign-in page."
    )]
    pub answer: String,
    /// Seconds after which it is forgotten; until it is evicted or replaced when absent.
    #[schema(minimum = 1, maximum = 3_153_600_000_u64)]
    pub ttl_seconds: Option<u64>,
    /// In place of `ttl_seconds`, as `lake import` has it: a whole number with `s`, `m`, `h` or `d`; a
    /// number alone is seconds.
    #[schema(value_type = Option<String>, pattern = "^ *[0-9]+ *[smhd]? *$", example = "30d")]
    pub ttl: Option<Duration>,
    /// Where it comes from, in a word or two.
    #[schema(min_length = 1, max_length = 256, pattern = r"\S", example = "faq")]
    pub source: Option<String>,
    /// Probability of being right; 1 when absent.
    #[schema(minimum = 0.6, maximum = 1)]
    pub signal: Option<f64>,
}

/// What became of the pairs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CurateResult {
    /// Pairs that are in the lake now, durably.
    pub accepted: usize,
    /// Pairs that are not.
    pub refused: usize,
    /// What became of each, in the order in which they were sent.
    pub results: Vec<CuratedVerdict>,
}

/// What became of one pair.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CuratedVerdict {
    /// The id by which it is evicted, and that `recalled_from` names; absent when it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^resp_[0-9a-f]{32}$")]
    pub response_id: Option<String>,
    /// Why it was refused, as a fixed code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "repeated")]
    pub code: Option<&'static str>,
    /// Why it was refused, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// What was evicted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EvictResult {
    /// The response whose answer is gone.
    pub response_id: String,
    /// Entries that went, those that rest on it included; 0 when there was none.
    pub evicted: usize,
}

/// Since when everything older is stale.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EpochResult {
    /// What was remembered up to this moment is not recalled any more (RFC 3339, UTC).
    #[schema(format = DateTime)]
    pub stale_before: String,
    /// Entries that went.
    pub evicted: usize,
    /// Curated answers that stay.
    pub curated_kept: usize,
}

/// What an epoch takes along.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EpochQuery {
    /// Whether curated answers become stale, too.
    #[serde(default)]
    #[param(required = false, default = false)]
    curated: bool,
}

/// The lake's condition, all tenants together. Counters count since the start.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LakeResult {
    /// Answers in the lake.
    pub entries: usize,
    /// Those that an operator put in.
    pub curated: usize,
    /// Bytes of memory that they take, about.
    pub bytes: usize,
    /// Those out of use by a doubt that no outcome has settled.
    pub disputed: usize,
    /// Spellings of questions that are answered by an entry with another one.
    pub spellings: usize,
    /// Recalls that found an answer.
    pub hits: u64,
    /// Recalls that found none.
    pub misses: u64,
    /// Answers evicted.
    pub evictions: u64,
    /// Near-duplicates merged.
    pub merged: u64,
}

impl From<LakeStats> for LakeResult {
    fn from(stats: LakeStats) -> Self {
        Self {
            entries: stats.entries,
            curated: stats.curated,
            bytes: stats.bytes,
            disputed: stats.disputed,
            spellings: stats.spellings,
            hits: stats.hits,
            misses: stats.misses,
            evictions: stats.evicted,
            merged: stats.merged,
        }
    }
}

/// A [`CurateBody`] as it is read: the pairs, and whether they came as a batch.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::http) struct Pairs {
    pairs: Vec<CuratedPair>,
    batch: bool,
}

impl FromFields for Pairs {
    type Context = ();

    fn from_fields(fields: &mut Fields<'_>, (): &()) -> Option<Self> {
        if fields.has("entries") {
            let pair = |_, field: Field<'_>| field.object(CuratedPair::read);
            let pairs = fields.optional("entries", |field| field.items(MOST_PAIRS, pair));
            let alone = ["question", "answer", "ttl_seconds", "ttl", "source", "signal"];
            if alone.into_iter().any(|name| fields.has(name)) {
                fields.refuse("has a pair and entries", "send either a pair or `entries`");
            }
            for name in alone {
                fields.optional(name, |_| Some(()));
            }
            let pairs = pairs?;
            if pairs.is_empty() {
                fields.refuse("has no entries", "send at least one");
                return None;
            }
            return Some(Self { pairs, batch: true });
        }
        let pair = CuratedPair::read(fields);
        fields.optional("entries", |_| Some(()));
        Some(Self { pairs: vec![pair?], batch: false })
    }
}

impl CuratedPair {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let question = fields.required("question", "send the question as a string", |field| {
            field.filled_text(LONGEST_QUESTION)
        });
        let answer = fields.required("answer", "send the answer as a string", |field| {
            field.filled_text(LONGEST_ANSWER)
        });
        let ttl_seconds = fields.optional("ttl_seconds", |field| field.whole(1..=LONGEST_TTL));
        if fields.has("ttl") && ttl_seconds.is_some() {
            fields.refuse("has ttl and ttl_seconds", "send either");
        }
        let ttl = fields.optional("ttl", |field| match field.value().as_u64() {
            Some(seconds) => match ttl_of_seconds(seconds) {
                Ok(ttl) => Some(ttl),
                Err(error) => field.refuse("is out of range", error),
            },
            None if field.is_text() => field.parsed(read_ttl),
            None => field.mistyped("seconds, or a text such as `30d`"),
        });
        let source = fields.optional("source", |field| field.filled_text(LONGEST_SOURCE));
        let signal = fields.optional("signal", |field| field.number(FLOOR..=1.0));
        Some(Self { question: question?, answer: answer?, ttl_seconds, ttl, source, signal })
    }
}

impl From<CuratedPair> for Vouched {
    fn from(pair: CuratedPair) -> Self {
        Self {
            question: pair.question,
            answer: pair.answer,
            ttl: pair.ttl.or(pair.ttl_seconds.map(Duration::from_secs)),
            source: pair.source,
            signal: pair.signal.map_or(Signal::ONE, Signal::clamped),
            id: None,
            curated: true,
        }
    }
}

/// Put answers in
///
/// Takes in answers that you vouch for, one or up to 1000 at once; durable when it is answered. An
/// answer takes the place of whatever was remembered for its question, and no other answer but
/// yours takes its place; outcomes can still refute it. Invalid fields refuse the whole call; what the
/// lake refuses of a batch is said per pair. When it refuses every pair, the call fails.
#[utoipa::path(
    post,
    path = "/api/v1/unified/lake",
    operation_id = "curateAnswers",
    tag = "unified",
    request_body(content = CurateBody, description = "The pairs.", examples(
        ("pair" = (summary = "One pair", value = json!({
            "question": "How do I reset my password?",
            "answer": "Choose *Forgot password* on the sign-in page.", "source": "faq"}))),
        ("batch" = (summary = "A batch", value = json!({"entries": [
            {"question": "Who runs the night shift?", "answer": "Ada.", "ttl_seconds": 86400},
            {"question": "Where is the manual?", "answer": "On shelf 3."}]}))),
    )),
    responses((status = 200, description = "What became of the pairs.", body = CurateResult)),
)]
pub(super) async fn curate_answers(
    State(state): State<ApiState>,
    JsonBody(Pairs { pairs, batch }): JsonBody<Pairs>,
) -> Result<Json<CurateResult>, Problem> {
    let vouched = pairs.into_iter().map(Vouched::from).collect();
    let results = state.orchestrator.curate(&TenantId::default(), vouched).await?;
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    if accepted == 0 {
        return Err(all_refused(&results, batch));
    }
    let refused = results.len() - accepted;
    let results = results.into_iter().map(CuratedVerdict::from).collect();
    Ok(Json(CurateResult { accepted, refused, results }))
}

impl From<Result<ResponseId, Refusal>> for CuratedVerdict {
    fn from(result: Result<ResponseId, Refusal>) -> Self {
        match result {
            Ok(id) => Self { response_id: Some(id.to_string()), code: None, detail: None },
            Err(refusal) => Self {
                response_id: None,
                code: Some(refusal.code()),
                detail: Some(refusal.to_string()),
            },
        }
    }
}

fn all_refused(results: &[Result<ResponseId, Refusal>], batch: bool) -> Problem {
    let refusals =
        || (0..).zip(results).filter_map(|(at, r): (usize, _)| Some((at, r.as_ref().err()?)));
    if refusals().any(|(_, refusal)| *refusal == Refusal::Full) {
        return Problem::new(
            ProblemKind::LakeFull,
            "The lake is full. Evict something, or raise lake.max_entries.",
        );
    }
    let errors = refusals().take(32).map(|(at, refusal)| {
        let field = match refusal {
            Refusal::EmptyQuestion | Refusal::LongQuestion | Refusal::Repeated => "question",
            Refusal::LongSource => "source",
            Refusal::LowSignal => "signal",
            Refusal::Expired => "ttl_seconds",
            Refusal::EmptyAnswer | Refusal::LongAnswer | Refusal::Full => "answer",
        };
        FieldError {
            pointer: if batch { format!("/entries/{at}/{field}") } else { format!("/{field}") },
            detail: "is not accepted".to_owned(),
            fix: refusal.to_string(),
        }
    });
    Problem::invalid(errors.collect())
}

/// Evict an answer
///
/// Takes the remembered answer of a response out of the lake, and everything that rests on it, for
/// good. Calling it again changes nothing, and evicts 0.
#[utoipa::path(
    delete,
    path = "/api/v1/unified/lake/{response_id}",
    operation_id = "evictAnswer",
    tag = "unified",
    params(("response_id" = String, Path, description = "The `id` that `process` returned, the \
        `response_id` that putting it in returned, or `recalled_from` of an answer.")),
    responses((status = 200, description = "What was evicted.", body = EvictResult)),
)]
pub(super) async fn evict_answer(
    State(state): State<ApiState>,
    Path(response): Path<String>,
) -> Result<Json<EvictResult>, Problem> {
    let response = ResponseId::parse(&response).map_err(|error| {
        Problem::new(ProblemKind::InvalidRequest, format!("The path names no response: {error}."))
    })?;
    let evicted = state.orchestrator.evict(&TenantId::default(), response).await?;
    Ok(Json(EvictResult { response_id: response.to_string(), evicted }))
}

/// Begin anew
///
/// Makes everything stale that was learned until now, in one call: for when the world has changed and
/// nobody knows which answers it has changed. Answers that you vouch for stay, unless `curated=true`
/// says that they have become stale, too.
#[utoipa::path(
    post,
    path = "/api/v1/unified/lake/epoch",
    operation_id = "beginLakeEpoch",
    tag = "unified",
    params(EpochQuery),
    responses((status = 200, description = "Since when older answers are stale.",
        body = EpochResult)),
)]
pub(super) async fn begin_lake_epoch(
    State(state): State<ApiState>,
    query: Result<Query<EpochQuery>, QueryRejection>,
) -> Result<Json<EpochResult>, Problem> {
    let Query(EpochQuery { curated }) = query.map_err(|_| {
        invalid_query("is not understood", "send `curated` as `true` or `false`, or nothing")
    })?;
    let begun = state.orchestrator.begin_lake_epoch(&TenantId::default(), curated).await?;
    let (at_ms, EpochBegun { evicted, curated_kept }) = begun;
    let stale_before = Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string();
    Ok(Json(EpochResult { stale_before, evicted, curated_kept }))
}

/// Look into the lake
///
/// How much it holds and how it is used. Beside it, `metrics` has what the Flux loop makes of it.
#[utoipa::path(
    get,
    path = "/api/v1/unified/lake/stats",
    operation_id = "getLake",
    tag = "unified",
    responses((status = 200, description = "The lake's condition.", body = LakeResult)),
)]
pub(super) async fn get_lake(State(state): State<ApiState>) -> Result<Json<LakeResult>, Problem> {
    let stats = state.orchestrator.lake().ok_or(crate::meta::LakeError::Off)?;
    Ok(Json(stats.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields;

    fn read(body: Value) -> Result<Pairs, Vec<String>> {
        let Value::Object(body) = body else { panic!("not an object") };
        fields::read::<Pairs>(body, &())
            .map_err(|problem| problem.errors().iter().map(|e| e.pointer.clone()).collect())
    }

    #[test]
    fn a_pair_or_a_batch_is_read_with_all_it_says() {
        let one = read(json!({"question": "why?", "answer": "so", "ttl_seconds": 60,
            "source": "faq", "signal": 0.8}))
        .unwrap();
        let vouched = Vouched::from(one.pairs[0].clone());
        assert_eq!(vouched.ttl, Some(Duration::from_secs(60)));
        assert_eq!((vouched.source.as_deref(), vouched.signal.get()), (Some("faq"), 0.8));
        for (ttl, seconds) in [(json!(60), 60), (json!("2h"), 7200)] {
            let pair = read(json!({"question": "a", "answer": "b", "ttl": ttl})).unwrap();
            let vouched = Vouched::from(pair.pairs[0].clone());
            assert_eq!(vouched.ttl, Some(Duration::from_secs(seconds)));
        }
        let batch = read(json!({"entries": [{"question": "a", "answer": "b"}]})).unwrap();
        assert!(batch.batch && !one.batch);
        assert_eq!(Vouched::from(batch.pairs[0].clone()).signal, Signal::ONE);
    }

    #[test]
    fn each_fault_is_named_where_it_is() {
        for (body, pointers) in [
            (json!({}), &["/question", "/answer"][..]),
            (json!({"question": "a", "answer": " "}), &["/answer"]),
            (json!({"question": "a", "answer": "b", "signal": 0.5}), &["/signal"]),
            (json!({"question": "a", "answer": "b", "ttl_seconds": 0}), &["/ttl_seconds"]),
            (json!({"question": "a", "answer": "b", "ttl": 0}), &["/ttl"]),
            (json!({"question": "a", "answer": "b", "ttl": "soon"}), &["/ttl"]),
            (json!({"question": "a", "answer": "b", "ttl": 1, "ttl_seconds": 1}), &[""]),
            (json!({"entries": []}), &[""]),
            (json!({"entries": {}}), &["/entries"]),
            (
                json!({"entries": [{"question": "a", "answer": "b"}, {"answer": "b"}, 1]}),
                &["/entries/1/question", "/entries/2"],
            ),
            (json!({"entries": [{"question": "a", "answer": "b"}], "answer": "b"}), &[""]),
        ] {
            assert_eq!(read(body.clone()).unwrap_err(), pointers, "{body}");
        }
    }

    #[test]
    fn a_refused_pair_points_at_its_field() {
        let refused = [Err(Refusal::EmptyQuestion), Err(Refusal::LongAnswer)];
        let pointers: Vec<_> =
            all_refused(&refused, true).errors().iter().map(|e| e.pointer.clone()).collect();
        assert_eq!(pointers, ["/entries/0/question", "/entries/1/answer"]);
        assert_eq!(all_refused(&refused[..1], false).errors()[0].pointer, "/question");
        assert_eq!(all_refused(&[Err(Refusal::Full)], false).kind(), ProblemKind::LakeFull);
    }
}
