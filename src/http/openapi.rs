//! The OpenAPI document: generated from the handlers, finished here with what holds for all of
//! them, committed under `openapi/`.

use std::sync::LazyLock;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi as _, PartialSchema as _, ToSchema as _,
    openapi::{LicenseBuilder, OpenApi},
};

use super::{
    PROBLEM_JSON, ProblemBody, ProblemKind, RequestLimits, downconvert, probes, probes::Endpoint,
    unified, v1,
};

use crate::domain::Policy;

const DESCRIPTION: &str = "Routes each AI request to the cheapest mind that is likely to be right, \
and proves it with live accuracy and latency.\n\n\
Every response carries an `x-request-id`; send one of your own (1 to 128 letters, digits and \
`-_.:`) and it is kept. Every error is a problem (RFC 9457, `application/problem+json`), whose \
`type` is stable: switch on it. In a request, a field that is `null` counts as absent.";

/// Schemas of request bodies: what they do not name is refused.
const CLOSED_SCHEMAS: &[&str] = &[
    "ProcessBody",
    "RequestOptions",
    "NamedPassage",
    "FeedbackBody",
    "DocumentBody",
    "CurateBody",
    "CuratedPair",
    "PolicyChange",
    "ThresholdsChange",
    "AdaptiveChange",
];

/// Problems of single operations, beyond those of all and those of all that take a body.
const OWN_PROBLEMS: &[(&str, &[u16])] = &[
    ("process", &[502, 503, 504]),
    ("createChatCompletion", &[400, 404, 408, 413, 415, 502, 503, 504]),
    ("getModel", &[404]),
    ("getStrategy", &[503]),
    ("changeStrategy", &[409, 503]),
    ("giveFeedback", &[404, 429, 503]),
    ("explain", &[503]),
    ("addDocument", &[409, 503]),
    ("listDocuments", &[422]),
    ("removeDocument", &[422, 503]),
    ("curateAnswers", &[409, 503, 507]),
    ("evictAnswer", &[409, 422, 503]),
    ("beginLakeEpoch", &[409, 503]),
    ("getLake", &[409]),
    ("readyz", &[503]),
];
const BODY_PROBLEMS: &[u16] = &[400, 408, 413, 415, 422];
const COMMON_PROBLEMS: &[u16] = &[431, 500];

/// The response of every error under `/v1`.
const OPENAI_ERROR: &str = "OpenAiError";

static DOCUMENT: LazyLock<Value> = LazyLock::new(generate);

/// The document, OpenAPI 3.1, of a service with default limits.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The document in OpenAPI 3.0, for tools that read nothing newer.
#[must_use]
pub fn document_3_0() -> Value {
    downconvert::to_3_0(document())
}

/// The document as it is served: with the limits of this service.
pub(super) fn served(limits: &RequestLimits) -> String {
    let mut document = document().clone();
    describe_limits(&mut document, limits);
    document.to_string()
}

/// All paths.
#[must_use]
pub fn paths() -> Vec<String> {
    members(document().get("paths")).map(|(path, _)| path.clone()).collect()
}

/// A route as the document writes it: the router marks a parameter that has slashes.
pub(super) fn documented(route: &str) -> &str {
    if route == v1::MODEL_ROUTE { v1::DOCUMENTED_MODEL_ROUTE } else { route }
}

/// Everything that can be called.
pub(super) fn endpoints() -> Vec<Endpoint> {
    let operations = members(document().get("paths")).flat_map(|(path, item)| {
        members(Some(item)).map(move |(method, operation)| Endpoint {
            method: method.to_uppercase(),
            path: path.clone(),
            summary: operation
                .get("summary")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        })
    });
    operations.collect()
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Meta Orchestrator"),
    servers((url = "/", description = "The service that serves this document.")),
    tags(
        (name = "unified", description = "Ask, judge, steer and watch the orchestrator."),
        (name = "openai", description = "Chat with any OpenAI client. Errors are OpenAI's, too."),
        (name = "operations", description = "Probes, metrics and documents.")
    )
)]
struct Base;

fn generate() -> Value {
    let mut document: OpenApi = Base::openapi();
    for routes in [unified::work(), unified::looks(), v1::work(), v1::looks(), probes::routes()] {
        document.merge(routes.into_openapi());
    }
    document.info.description = Some(DESCRIPTION.to_owned());
    document.info.license =
        Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
    document.info.contact = None;
    document.security = Some(Vec::new());
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    schemas.push((ProblemBody::name().into_owned(), ProblemBody::schema()));
    v1::OpenAiErrorBody::schemas(&mut schemas);
    schemas.push((v1::OpenAiErrorBody::name().into_owned(), v1::OpenAiErrorBody::schema()));
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    finish(&mut document);
    describe_limits(&mut document, &RequestLimits::default());
    document
}

/// What the configuration decides, and what attributes cannot say of inner schemas.
fn describe_limits(document: &mut Value, limits: &RequestLimits) {
    let longest = u64::try_from(limits.max_deadline.as_millis()).unwrap_or(u64::MAX);
    let weights = "PolicyChange/properties/custom_weights";
    for (place, key, value) in [
        ("ProcessBody/properties/input", "maxLength", json!(limits.max_input_chars)),
        ("ProcessBody/properties/context", "maxItems", json!(limits.max_context_passages)),
        ("ProcessBody/properties/deadline_ms", "maximum", json!(longest)),
        ("RequestOptions/properties/context", "maxItems", json!(limits.max_context_passages)),
        ("RequestOptions/properties/deadline_ms", "maximum", json!(longest)),
        ("ContextPassage/oneOf/0", "pattern", json!(r"\S")),
        (weights, "maxProperties", json!(Policy::MAX_CUSTOM_WEIGHTS)),
        (weights, "propertyNames", json!({"minLength": 1, "maxLength": Policy::MAX_EXPERT_CHARS})),
        (&format!("{weights}/additionalProperties"), "minimum", json!(0)),
        (&format!("{weights}/additionalProperties"), "maximum", json!(1000)),
    ] {
        let schema = document.pointer_mut(&format!("/components/schemas/{place}"));
        schema.into_iter().for_each(|schema| set(schema, key, value.clone()));
    }
}

fn finish(document: &mut Value) {
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("responses".to_owned(), problem_responses());
        components.insert("headers".to_owned(), headers());
        for name in CLOSED_SCHEMAS {
            if let Some(schema) = components.get_mut("schemas").and_then(|s| s.get_mut(*name)) {
                set(schema, "additionalProperties", Value::Bool(false));
            }
        }
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut)
        && let Some(item) = paths.remove(v1::MODEL_ROUTE)
    {
        paths.insert(v1::DOCUMENTED_MODEL_ROUTE.to_owned(), item);
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for operation in paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()) {
        finish_operation(operation.1);
    }
}

fn finish_operation(operation: &mut Value) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let own = OWN_PROBLEMS.iter().find(|(operation, _)| *operation == id);
    let own = own.map_or(&[][..], |(_, statuses)| statuses);
    let openai = operation.pointer("/tags/0").is_some_and(|tag| tag == "openai");
    let has_body = operation.get("requestBody").is_some() && !openai;
    let body = if has_body { BODY_PROBLEMS } else { &[] };
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for response in responses.values_mut() {
        set(response, "headers", json!({"x-request-id": reference("headers", "RequestId")}));
    }
    for status in [own, body, COMMON_PROBLEMS].concat() {
        let name = match openai && status != 431 {
            true => OPENAI_ERROR.to_owned(),
            false => response_name(status),
        };
        responses.insert(status.to_string(), reference("responses", &name));
    }
}

/// One response for each status that a problem can have; its description names the types.
fn problem_responses() -> Value {
    let mut responses = Map::new();
    for kind in ProblemKind::ALL {
        let status = kind.status().as_u16();
        let types: Vec<String> = ProblemKind::ALL
            .iter()
            .filter(|other| other.status() == kind.status())
            .map(|other| format!("`{}`: {}.", other.uri(), other.title()))
            .collect();
        let mut headers = Map::new();
        headers.insert("x-request-id".to_owned(), reference("headers", "RequestId"));
        if matches!(status, 429 | 502..=504) {
            headers.insert("retry-after".to_owned(), reference("headers", "RetryAfter"));
        }
        let schema = reference("schemas", "Problem");
        let response = json!({
            "description": types.join(" "),
            "headers": headers,
            "content": {PROBLEM_JSON: {"schema": schema}},
        });
        responses.insert(response_name(status), response);
    }
    let too_large = json!({"description": "The header is too large. The response has no body."});
    responses.insert(response_name(431), too_large);
    let openai = json!({
        "description": "Switch on `code`: `model_not_found`, `unsupported_parameter`, else the last \
                        part of the problem's `type` with `_` for `-`.",
        "headers": {
            "x-request-id": reference("headers", "RequestId"),
            "retry-after": reference("headers", "RetryAfter"),
        },
        "content": {"application/json": {"schema": reference("schemas", "OpenAiErrorBody")}},
    });
    responses.insert(OPENAI_ERROR.to_owned(), openai);
    // A status that no documented operation answers with.
    responses.remove(&response_name(405));
    Value::Object(responses)
}

fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "Names this request; quote it when you ask for help.",
            "schema": {"type": "string"},
        },
        "RetryAfter": {
            "description": "Seconds to wait before trying again, where known.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 3600},
        },
    })
}

/// `PayloadTooLarge` for 413.
fn response_name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    reason.unwrap_or("Problem").split([' ', '-']).collect()
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::{AsiMode, Consensus, Strategy, Tier};

    fn operations() -> impl Iterator<Item = &'static Value> {
        members(document().get("paths")).flat_map(|(_, item)| members(Some(item))).map(|(_, o)| o)
    }

    #[test]
    fn every_operation_is_described_and_says_how_it_fails() {
        let mut ids = BTreeSet::new();
        for operation in operations() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} twice");
            assert!(operation["summary"].as_str().is_some_and(|s| !s.ends_with('.')), "{id}");
            assert!(operation["description"].as_str().is_some_and(|s| s.len() > 20), "{id}");
            assert!(operation["tags"][0].is_string(), "{id}");
            assert!(operation["responses"]["500"].is_object(), "{id}");
            if let Some(body) = operation.get("requestBody") {
                let openai = operation["tags"][0] == "openai";
                let invalid = if openai { "400" } else { "422" };
                assert!(operation["responses"][invalid].is_object(), "{id}");
                let examples = &body["content"]["application/json"]["examples"];
                assert!(examples.as_object().is_some_and(|e| !e.is_empty()), "{id}");
            }
        }
        assert_eq!(ids.len(), 22, "{ids:?}");
        for (id, _) in OWN_PROBLEMS {
            assert!(ids.contains(id), "{id} is no operation");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        fn collect(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => map.iter().for_each(|(key, inner)| match inner {
                    Value::String(target) if key == "$ref" => drop(found.insert(target.clone())),
                    _ => collect(inner, found),
                }),
                Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
                _ => {}
            }
        }
        let mut used = BTreeSet::new();
        collect(document(), &mut used);
        let there: BTreeSet<String> = members(document().get("components"))
            .flat_map(|(kind, all)| {
                members(Some(all)).map(move |(name, _)| format!("#/components/{kind}/{name}"))
            })
            .collect();
        assert_eq!(used, there);
    }

    #[test]
    fn named_choices_are_described_by_their_wire_names() {
        fn check<T: serde::Serialize>(schema: &str, all: &[T]) {
            let names: Vec<Value> = all.iter().map(|v| serde_json::to_value(v).unwrap()).collect();
            assert_eq!(document()["components"]["schemas"][schema]["enum"], json!(names));
        }
        check("Strategy", Strategy::ALL);
        check("AsiMode", AsiMode::ALL);
        check("Consensus", Consensus::ALL);
        check("Tier", Tier::ALL);
    }

    #[test]
    fn limits_are_described_as_this_service_has_them() {
        let limits = RequestLimits { max_input_chars: 7, ..RequestLimits::default() };
        let served: Value = serde_json::from_str(&served(&limits)).unwrap();
        let schemas = &served["components"]["schemas"];
        assert_eq!(schemas["ProcessBody"]["properties"]["input"]["maxLength"], 7);
        assert_eq!(schemas["ProcessBody"]["properties"]["deadline_ms"]["maximum"], 120_000);
        let weights = &schemas["PolicyChange"]["properties"]["custom_weights"];
        assert_eq!(weights["additionalProperties"]["maximum"], 1000);
    }

    #[test]
    fn request_bodies_name_what_the_reader_knows_and_nothing_else() {
        let closed = |name: &str| {
            let schema = &document()["components"]["schemas"][name];
            assert_eq!(schema["additionalProperties"], false, "{name}");
            let names: BTreeSet<String> =
                members(schema.get("properties")).map(|(n, _)| n.clone()).collect();
            assert!(!names.is_empty(), "{name}");
            names
        };
        fn known<T: super::super::FromFields<Context = C>, C: Default>() -> BTreeSet<String> {
            let stranger = Map::from_iter([("?".to_owned(), Value::Bool(true))]);
            let Err(problem) = super::super::fields::read::<T>(stranger, &C::default()) else {
                panic!("taken")
            };
            let fault = problem.errors().iter().find(|e| e.pointer == "/?").unwrap().clone();
            let (_, names) = fault.fix.split_once("known fields are ").unwrap();
            names.split(", ").map(str::to_owned).collect()
        }
        assert_eq!(closed("ProcessBody"), known::<unified::ProcessBody, _>());
        assert_eq!(closed("FeedbackBody"), known::<unified::FeedbackBody, _>());
        assert_eq!(closed("DocumentBody"), known::<unified::DocumentBody, _>());
        assert_eq!(closed("CurateBody"), known::<unified::Pairs, _>());
        assert_eq!(closed("PolicyChange"), known::<unified::PolicyChange, _>());
        CLOSED_SCHEMAS.iter().for_each(|name| drop(closed(name)));
    }
}
