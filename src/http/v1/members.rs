//! The members of a chat beside its messages: what is passed on as it is, what is refused because
//! it would change the answer, and by that what may be ignored.

use serde_json::{Map, Value};

use crate::{
    domain::Sampling,
    http::fields::{Field, Fields},
};

/// Most tools that one request offers, and most texts that end its answer (OpenAI's own bounds).
const MOST_TOOLS: usize = 128;
const MOST_STOPS: usize = 4;
/// Longest text that ends an answer, in characters.
const LONGEST_STOP: usize = 256;

/// Whether a member may stand with this value.
type Judge = fn(&Value) -> bool;

/// What would change the answer and is not offered: the value with which it may stand all the same,
/// and what to do instead.
const REFUSED: &[(&str, Judge, &str)] = &[
    ("n", |v| v.as_u64() == Some(1), "each request has one answer: send 1 or leave it out"),
    ("logprobs", |v| *v == Value::Bool(false), "send false or leave it out"),
    ("top_logprobs", |v| v.as_u64() == Some(0), "leave it out"),
    ("functions", is_empty, "send `tools`"),
    ("function_call", is_empty, "send `tool_choice`"),
    ("audio", is_empty, "leave it out: answers are text"),
    ("modalities", is_text_alone, "send [\"text\"] or leave it out"),
    ("prediction", is_empty, "leave it out"),
    ("web_search_options", |_| false, "leave it out; offer a tool, or documents"),
];

/// What is passed on as it is, and the values with which it says nothing.
const PASSED: &[(&str, Judge)] = &[
    ("response_format", |v| v.get("type").is_some_and(|kind| kind == "text")),
    ("logit_bias", is_empty),
    ("frequency_penalty", is_zero),
    ("presence_penalty", is_zero),
    ("reasoning_effort", is_empty),
    ("verbosity", is_empty),
];

/// Refuses what would change the answer and is not offered.
pub(super) fn refuse_what_is_not_offered(fields: &mut Fields<'_>) {
    for (name, harmless, fix) in REFUSED {
        fields.optional(name, |field| {
            if harmless(field.value()) {
                Some(())
            } else {
                field.refuse("is not offered here", *fix)
            }
        });
    }
}

/// Reads what is to be passed on.
pub(super) fn passed_on(fields: &mut Fields<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    let tools = fields.optional("tools", tools).flatten();
    let has_tools = tools.is_some();
    members.extend(tools.map(|tools| ("tools".to_owned(), tools)));
    let choice = fields.optional("tool_choice", |field| {
        let free = field.value() == "none" || field.value() == "auto";
        match has_tools {
            true => Some(Some(field.into_value())),
            false if free => Some(None),
            false => field.refuse("is given without `tools`", "send the tools, too"),
        }
    });
    members.extend(choice.flatten().map(|choice| ("tool_choice".to_owned(), choice)));
    let parallel = fields.optional("parallel_tool_calls", |field| field.flag());
    let parallel = parallel.filter(|_| has_tools).map(Value::Bool);
    members.extend(parallel.map(|flag| ("parallel_tool_calls".to_owned(), flag)));
    for (name, says_nothing) in PASSED {
        let value = fields.optional(name, |field| fitting(name, field));
        members.extend(value.filter(|v| !says_nothing(v)).map(|v| ((*name).to_owned(), v)));
    }
    members
}

/// How the answer is to be drawn.
pub(super) fn sampling(fields: &mut Fields<'_>) -> Sampling {
    let mut limit = |name| {
        fields
            .optional(name, |field| field.whole(1..=u64::from(u32::MAX)))
            .and_then(|most| u32::try_from(most).ok())
    };
    let (completion, total) = (limit("max_completion_tokens"), limit("max_tokens"));
    Sampling {
        max_tokens: match (completion, total) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
        temperature: fields.optional("temperature", |field| field.number(0.0..=2.0)),
        top_p: fields.optional("top_p", |field| field.number(0.0..=1.0)),
        stop: fields.optional("stop", stops).unwrap_or_default(),
        seed: fields.optional("seed", |field| field.integer()),
    }
}

fn stops(field: Field<'_>) -> Option<Vec<String>> {
    let one = |field: Field<'_>| {
        if field.value() == "" {
            return field.refuse("is empty", "send a text");
        }
        field.text(LONGEST_STOP)
    };
    if field.is_text() {
        one(field).map(|stop| vec![stop])
    } else {
        field.items(MOST_STOPS, |_, f| one(f))
    }
}

/// The tools as they are; `None` where there are none. Their schemas are the provider's to judge.
fn tools(field: Field<'_>) -> Option<Option<Value>> {
    let whole = field.value().clone();
    let tools = field.items(MOST_TOOLS, |_, tool| {
        tool.object(|fields| {
            let function = fields.required("type", "send \"function\"", |kind| {
                if kind.value() == "function" {
                    Some(())
                } else {
                    kind.refuse("is no kind of tool that is offered here", "send \"function\"")
                }
            });
            let named = fields.required("function", "describe the function", |function| {
                function.object(|function| {
                    let name =
                        function.required("name", "name the function", |f| f.filled_text(64));
                    function.ignore_the_rest();
                    name
                })
            });
            fields.ignore_the_rest();
            function.and(named)
        })
    })?;
    Some((!tools.is_empty()).then_some(whole))
}

/// A member whose value is of the kind that its name promises.
fn fitting(name: &str, field: Field<'_>) -> Option<Value> {
    match name {
        "frequency_penalty" | "presence_penalty" => field.number(-2.0..=2.0).map(Value::from),
        "response_format" => {
            if field.value().get("type").is_some_and(Value::is_string) {
                Some(field.into_value())
            } else {
                field.refuse("has no type", "send an object with `type`, such as json_object")
            }
        }
        "logit_bias" if !field.is_object() => field.mistyped("an object"),
        "reasoning_effort" | "verbosity" => field.text(32).map(Value::String),
        _ => Some(field.into_value()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

fn is_text_alone(value: &Value) -> bool {
    value.as_array().is_some_and(|kinds| kinds.iter().all(|kind| kind == "text"))
}
