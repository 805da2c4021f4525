//! What a client of OpenAI's dialect sends.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    members::{passed_on, refuse_what_is_not_offered, sampling},
    messages::{self, Conversation},
};
use crate::{
    domain::Sampling,
    http::{FromFields, RequestLimits, fields::Fields, unified::RequestOptions},
};

/// Longest name of a model, in characters.
const LONGEST_MODEL: usize = 256;

/// A chat, as OpenAI's clients send it. Members that are not named here are ignored, but for those
/// that would change the answer and are not offered: `n` other than 1, `logprobs`, `functions`,
/// `audio`, `modalities` other than text, `prediction` and `web_search_options` are refused.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct ChatBody {
    /// A name that `GET /v1/models` lists; `meta` or `auto` for the policy's own strategy.
    #[schema(min_length = 1, max_length = 256, example = "meta/hybrid")]
    pub model: String,
    /// The conversation; its last message of the user is the question.
    #[schema(min_items = 1)]
    pub messages: Vec<ChatMessage>,
    /// Answer by a stream of chunks.
    pub stream: Option<bool>,
    /// What a stream is to contain.
    pub stream_options: Option<StreamOptions>,
    /// Most tokens of the answer.
    #[schema(minimum = 1)]
    pub max_completion_tokens: Option<u32>,
    /// The older name of `max_completion_tokens`.
    #[schema(minimum = 1)]
    pub max_tokens: Option<u32>,
    /// How freely the answer is drawn.
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// How freely the answer is drawn.
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// A text that ends the answer, or at most four.
    #[schema(value_type = Option<Object>)]
    pub stop: Option<Value>,
    /// For answers that can be drawn again.
    pub seed: Option<i64>,
    /// Passed on as it is, as are `tool_choice` and `parallel_tool_calls`; then one model answers.
    #[schema(value_type = Option<Vec<Object>>, max_items = 128)]
    pub tools: Option<Vec<Value>>,
    /// Passed on as it is, as are `logit_bias`, `frequency_penalty`, `presence_penalty`,
    /// `reasoning_effort` and `verbosity`; then one model answers.
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    /// How the request is to be treated; beyond OpenAI's dialect.
    pub meta: Option<RequestOptions>,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant` or `tool`.
    #[schema(example = "user")]
    pub role: String,
    /// A text, or an array of parts. Parts that are not text are passed on as they are.
    #[schema(value_type = Option<ChatContent>, example = "what is 15 percent of 80?")]
    pub content: Option<Value>,
}

/// What a message says: a text, or parts of text and other kinds. For the API's description only.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what is read as JSON")]
pub(super) enum ChatContent {
    /// The text.
    Text(String),
    /// Its parts.
    #[schema(value_type = Vec<Object>)]
    Parts(Vec<serde_json::Value>),
}

/// What a stream is to contain.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct StreamOptions {
    /// Whether a chunk with the tokens of all calls together precedes the end.
    pub include_usage: Option<bool>,
}

/// A chat, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chat {
    pub(super) model: String,
    pub(super) conversation: Conversation,
    pub(super) sampling: Sampling,
    /// What is to be passed on beside the messages.
    pub(super) members: Map<String, Value>,
    pub(super) options: RequestOptions,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
}

impl FromFields for Chat {
    type Context = RequestLimits;

    fn from_fields(fields: &mut Fields<'_>, limits: &RequestLimits) -> Option<Self> {
        refuse_what_is_not_offered(fields);
        let model = fields.required("model", "send a name that GET /v1/models lists", |field| {
            field.filled_text(LONGEST_MODEL)
        });
        let sampling = sampling(fields);
        let members = passed_on(fields);
        let conversation = fields.required("messages", "send the conversation", |field| {
            messages::read(field, !members.is_empty(), limits)
        });
        let stream = fields.optional("stream", |f| f.flag()).unwrap_or(false);
        let include_usage = fields.optional("stream_options", |field| {
            field.object(|options| {
                let include_usage = options.optional("include_usage", |f| f.flag());
                options.ignore_the_rest();
                include_usage
            })
        });
        let options = fields.optional("meta", |field| {
            field.object(|options| Some(RequestOptions::read(options, limits)))
        });
        // Clients send new members before servers know them.
        fields.ignore_the_rest();
        Some(Self {
            model: model?,
            conversation: conversation?,
            sampling,
            members,
            options: options.unwrap_or_default(),
            stream,
            include_usage: include_usage.unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::fields;

    fn read(more: Value) -> Result<Chat, Vec<String>> {
        let mut body = json!({"model": "auto", "messages": [{"role": "user", "content": "hi"}]});
        let (Some(object), Value::Object(more)) = (body.as_object_mut(), more) else {
            panic!("no objects")
        };
        object.extend(more);
        fields::read::<Chat>(object.clone(), &RequestLimits::default())
            .map_err(|problem| problem.errors().iter().map(|e| e.pointer.clone()).collect())
    }

    #[test]
    fn what_says_nothing_is_ignored_and_needs_nobody_special() {
        let chat = read(json!({
            "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto", "n": 1,
            "brand_new_member": {"x": 1}, "logprobs": false, "modalities": ["text"], "tools": [],
            "tool_choice": "auto", "parallel_tool_calls": true, "logit_bias": {},
            "frequency_penalty": 0, "presence_penalty": 0.0, "response_format": {"type": "text"},
            "stream_options": {"include_obfuscation": false},
        }))
        .unwrap();
        assert!(chat.members.is_empty() && chat.conversation.verbatim.is_none());
        assert!(!chat.stream && !chat.include_usage);
    }

    #[test]
    fn what_would_change_the_answer_is_refused_where_it_is_not_offered() {
        for (more, place) in [
            (json!({"n": 2}), "/n"),
            (json!({"logprobs": true}), "/logprobs"),
            (json!({"top_logprobs": 3}), "/top_logprobs"),
            (json!({"functions": [{"name": "f"}]}), "/functions"),
            (json!({"audio": {"voice": "x"}}), "/audio"),
            (json!({"modalities": ["text", "audio"]}), "/modalities"),
            (json!({"prediction": {"type": "content"}}), "/prediction"),
            (json!({"web_search_options": {}}), "/web_search_options"),
            (json!({"tools": [{"type": "custom", "custom": {}}]}), "/tools/0/type"),
            (json!({"tool_choice": "required"}), "/tool_choice"),
        ] {
            let places = read(more.clone()).unwrap_err();
            assert_eq!(places[0], place, "{more}");
        }
    }

    #[test]
    fn what_is_passed_on_goes_on_as_it_is() {
        let tools = json!([{"type": "function", "function": {"name": "f", "strict": true}}]);
        let format = json!({"type": "json_schema", "json_schema": {"name": "x"}});
        let chat = read(json!({
            "tools": tools, "tool_choice": "required", "parallel_tool_calls": false,
            "response_format": format, "presence_penalty": 0.5, "seed": -7, "stop": "END",
            "max_tokens": 9, "max_completion_tokens": 7, "temperature": 2, "top_p": 0.1,
        }))
        .unwrap();
        let expected = json!({"tools": tools, "tool_choice": "required",
            "parallel_tool_calls": false, "response_format": format, "presence_penalty": 0.5});
        assert_eq!(Value::Object(chat.members), expected);
        assert!(chat.conversation.verbatim.is_some());
        let sampling = Sampling {
            max_tokens: Some(7),
            temperature: Some(2.0),
            top_p: Some(0.1),
            stop: vec!["END".to_owned()],
            seed: Some(-7),
        };
        assert_eq!(chat.sampling, sampling);
    }

    #[test]
    fn every_bound_is_kept() {
        for (more, place) in [
            (json!({"model": " "}), "/model"),
            (json!({"max_tokens": 0}), "/max_tokens"),
            (json!({"temperature": 2.1}), "/temperature"),
            (json!({"top_p": -0.1}), "/top_p"),
            (json!({"stop": ["a", "b", "c", "d", "e"]}), "/stop"),
            (json!({"stop": [""]}), "/stop/0"),
            (json!({"seed": 1.5}), "/seed"),
            (json!({"frequency_penalty": 3}), "/frequency_penalty"),
            (json!({"response_format": "json"}), "/response_format"),
            (json!({"stream": "yes"}), "/stream"),
            (json!({"meta": {"strategy": "hybird"}}), "/meta/strategy"),
            (json!({"meta": {"colour": "red"}}), "/meta/colour"),
        ] {
            assert_eq!(read(more.clone()).unwrap_err(), [place], "{more}");
        }
    }
}
