//! OpenAI's dialect: `POST {base}/chat/completions`.
//! Reference: <https://platform.openai.com/docs/api-reference/chat>.

use std::fmt;

use reqwest::{Url, header::HeaderMap};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use serde_json::{Map, Value, json};

use super::{
    dialect::{
        Dialect, Heard, StreamReader, Understood, bearer, below, body_as, printable, tokens,
    },
    frames::{Frame, Framing},
    render::{Message, messages},
};
use crate::{
    domain::{FinishReason, ModelError, Prompt, Usage},
    settings::{ModelSettings, Secret},
};

/// The dialect of OpenAI, vLLM, llama.cpp, LM Studio, OpenRouter and many others.
pub(super) struct OpenAi;

#[derive(Serialize)]
struct ChatRequest<'a> {
    model: &'a str,
    messages: Messages,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(flatten)]
    passed_through: Map<String, Value>,
}

/// The caller's own messages, else those that the prompt makes.
#[derive(Serialize)]
#[serde(untagged)]
enum Messages {
    Verbatim(Value),
    Rendered(Vec<Message>),
}

#[derive(Deserialize)]
struct ChatResponse {
    model: Option<String>,
    choices: Vec<Choice>,
    // Read with leniency: what is odd here spoils the accounts, not the answer.
    #[serde(default)]
    usage: serde_json::Value,
}

#[derive(Deserialize)]
struct Choice {
    message: ChatMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct ChatMessage {
    content: Option<Content>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Value>>,
}

/// A text, or one in parts.
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

// By hand: what serde derives for two untagged variants keeps a copy to try each of them on.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrParts;

        impl<'de> Visitor<'de> for TextOrParts {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or its parts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = items.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }

        deserializer.deserialize_any(TextOrParts)
    }
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

impl Dialect for OpenAi {
    fn endpoint(&self, base: &Url) -> Url {
        below(base, &["chat", "completions"])
    }

    fn headers(&self, key: Option<&Secret>) -> Option<HeaderMap> {
        bearer(key)
    }

    fn request(
        &self,
        model: &ModelSettings,
        prompt: &Prompt,
        streamed: bool,
    ) -> Result<Vec<u8>, ModelError> {
        let sampling = &prompt.sampling;
        let passthrough = prompt.passthrough.as_deref();
        let verbatim = passthrough.and_then(|p| p.messages.clone());
        // What the operator bounds, no caller unbounds; without any bound the caller's holds.
        let bound = |configured: u32| sampling.max_tokens.map_or(configured, |n| n.min(configured));
        let max_completion_tokens = model.max_completion_tokens.map(bound);
        let max_tokens = match (model.max_tokens, max_completion_tokens) {
            (None, None) => sampling.max_tokens,
            (configured, _) => configured.map(bound),
        };
        crate::json::to_vec(&ChatRequest {
            model: &model.model,
            messages: verbatim
                .map_or_else(|| Messages::Rendered(messages(prompt)), Messages::Verbatim),
            stream: streamed,
            // Without it no server counts the tokens of a stream.
            stream_options: streamed.then(|| json!({ "include_usage": true })),
            max_tokens,
            max_completion_tokens,
            temperature: sampling.temperature.or(model.temperature),
            top_p: sampling.top_p,
            stop: &sampling.stop,
            seed: sampling.seed,
            passed_through: passthrough.map(|p| p.members.clone()).unwrap_or_default(),
        })
        // Texts and numbers always serialise; should they not, nothing was sent.
        .map_err(|_| ModelError::Malformed)
    }

    fn whole(&self, body: &[u8], whole: bool) -> Result<Understood, ModelError> {
        let response: ChatResponse = body_as(body, whole)?;
        let choice = response.choices.into_iter().next().ok_or(ModelError::Empty)?;
        Heard {
            content: choice.message.content.map(Content::into_text).unwrap_or_default(),
            model: response.model.as_deref().and_then(printable),
            finish: choice.finish_reason.as_deref().map(finish),
            usage: usage(&response.usage),
            // A refusal stands apart from the content, and is none.
            refused: choice.message.refusal.is_some_and(|refusal| !refusal.trim().is_empty()),
            tool_calls: choice.message.tool_calls.unwrap_or_default(),
            ..Heard::default()
        }
        .understood()
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn reader(&self) -> Box<dyn StreamReader> {
        Box::new(Chunks { done: false })
    }
}

/// Reads the chunks of a streamed answer. It is complete with `[DONE]` and not before.
struct Chunks {
    done: bool,
}

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<ChunkChoice>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct ChunkChoice {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    delta: ChatMessage,
    finish_reason: Option<String>,
}

impl StreamReader for Chunks {
    fn frame(&mut self, frame: &Frame, heard: &mut Heard) -> Result<(), ModelError> {
        let data = frame.data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            // Who lost his own upstream may still end the stream in good form.
            return if heard.finish.is_some() { Ok(()) } else { Err(ModelError::Cut) };
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| ModelError::Malformed)?;
        // Some servers report a failure in the midst of a stream that began well.
        if !chunk.error.is_null() {
            return Err(ModelError::Cut);
        }
        heard.note_model(chunk.model.as_deref());
        heard.usage = usage(&chunk.usage).or(heard.usage);
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            if let Some(content) = choice.delta.content {
                heard.content.push_str(&content.into_text());
            }
            heard.refused |= choice.delta.refusal.is_some_and(|refusal| !refusal.is_empty());
            for piece in choice.delta.tool_calls.into_iter().flatten() {
                add_to_call(&mut heard.tool_calls, &piece)?;
            }
            heard.finish = choice.finish_reason.as_deref().map(finish).or(heard.finish);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.done
    }
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

/// Most calls of tools in one answer.
const MAX_TOOL_CALLS: usize = 128;

/// A streamed call of a tool comes in pieces: its name first, its arguments bit by bit.
fn add_to_call(calls: &mut Vec<Value>, piece: &Value) -> Result<(), ModelError> {
    let index = piece.get("index").and_then(Value::as_u64).unwrap_or(0);
    let index = usize::try_from(index).map_err(|_| ModelError::Malformed)?;
    // Some servers count none of them, and a new name then begins a new call.
    let fresh = piece.get("index").is_none()
        && piece.pointer("/function/name").and_then(Value::as_str).is_some_and(|n| !n.is_empty());
    let index = if fresh { calls.len() } else { index };
    if index > calls.len() || index >= MAX_TOOL_CALLS {
        return Err(ModelError::Malformed);
    }
    if index == calls.len() {
        calls.push(json!({
            "id": "", "type": "function", "function": { "name": "", "arguments": "" },
        }));
    }
    let call = &mut calls[index];
    let append = |to: &mut Value, from: Option<&Value>| {
        if let (Value::String(text), Some(more)) = (to, from.and_then(Value::as_str)) {
            text.push_str(more);
        }
    };
    // Names come whole, by some servers with every piece; arguments bit by bit.
    if call["id"] == "" {
        append(&mut call["id"], piece.get("id"));
    }
    if call["function"]["name"] == "" {
        append(&mut call["function"]["name"], piece.pointer("/function/name"));
    }
    append(&mut call["function"]["arguments"], piece.pointer("/function/arguments"));
    Ok(())
}

fn finish(reason: &str) -> FinishReason {
    match reason {
        "stop" | "tool_calls" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "content_filter" => FinishReason::Filtered,
        _ => FinishReason::Unknown,
    }
}

fn usage(value: &Value) -> Option<Usage> {
    let prompt = tokens(value.get("prompt_tokens"));
    let completion = tokens(value.get("completion_tokens"));
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    Some(Usage {
        prompt_tokens: prompt.unwrap_or(0),
        completion_tokens: completion.unwrap_or(0),
        cost_usd: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::Signal;

    fn understood(body: &serde_json::Value) -> Result<Understood, ModelError> {
        OpenAi.whole(body.to_string().as_bytes(), true)
    }

    fn choice(message: serde_json::Value, finish: &str) -> serde_json::Value {
        json!({ "choices": [{ "message": message, "finish_reason": finish }] })
    }

    #[test]
    fn only_what_is_configured_is_sent() {
        let prompt = Prompt { input: "hi".to_owned(), ..Prompt::default() };
        let model = ModelSettings::new("m", Signal::ONE);
        let sent = |model: &ModelSettings| -> serde_json::Value {
            serde_json::from_slice(&OpenAi.request(model, &prompt, false).unwrap()).unwrap()
        };
        let message = json!({ "role": "user", "content": "hi" });
        assert_eq!(sent(&model), json!({ "model": "m", "messages": [message], "stream": false }));
        let model = ModelSettings { max_tokens: Some(7), temperature: Some(0.0), ..model };
        assert_eq!(sent(&model)["max_tokens"], 7);
        assert_eq!(sent(&model)["temperature"], 0.0);
    }

    #[test]
    fn the_reason_to_stop_is_told() {
        for (reason, expected) in [
            ("stop", FinishReason::Stop),
            ("length", FinishReason::Length),
            ("content_filter", FinishReason::Filtered),
            ("tool_calls", FinishReason::Stop),
            ("whatever", FinishReason::Unknown),
        ] {
            let body = choice(json!({ "content": "x" }), reason);
            assert_eq!(understood(&body).unwrap().finish, expected);
        }
    }

    #[test]
    fn no_text_is_no_answer() {
        for body in [
            json!({ "choices": [] }),
            choice(json!({ "content": null }), "tool_calls"),
            choice(json!({ "content": " \n" }), "stop"),
            choice(json!({}), "length"),
            choice(json!({ "content": "" }), "content_filter"),
            choice(json!({ "content": null, "refusal": "I cannot." }), "stop"),
        ] {
            assert_eq!(understood(&body), Err(ModelError::Empty), "{body}");
        }
    }

    #[test]
    fn an_error_in_the_dress_of_a_success_is_malformed() {
        let body = json!({ "error": { "message": "overloaded" } });
        assert_eq!(understood(&body), Err(ModelError::Malformed));
    }

    #[test]
    fn content_in_parts_is_joined() {
        let parts = json!([{ "type": "text", "text": "4" }, { "type": "text", "text": "2" }]);
        assert_eq!(understood(&choice(json!({ "content": parts }), "stop")).unwrap().content, "42");
    }

    #[test]
    fn odd_counts_spoil_no_answer() {
        let with = |usage: serde_json::Value| {
            let mut body = choice(json!({ "content": "x" }), "stop");
            body["usage"] = usage;
            understood(&body).unwrap().usage
        };
        assert_eq!(with(json!(null)), None);
        assert_eq!(with(json!("many")), None);
        let usage = with(json!({ "prompt_tokens": u64::MAX, "completion_tokens": 2 })).unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (u64::from(u32::MAX), 2));
    }

    #[test]
    fn a_model_name_is_kept_short_and_printable() {
        let mut body = choice(json!({ "content": "x" }), "stop");
        body["model"] = json!(format!("m\u{1b}[31m{}", "y".repeat(1000)));
        let model = understood(&body).unwrap().model.unwrap();
        assert!(model.starts_with("m[31m") && model.chars().count() == 128);
    }

    proptest! {
        #[test]
        fn an_answer_cut_anywhere_is_no_answer(at in 0usize..1000) {
            let body = choice(json!({ "content": "the answer is 42" }), "stop").to_string();
            let cut = &body.as_bytes()[..at % body.len()];
            prop_assert_eq!(OpenAi.whole(cut, false), Err(ModelError::Cut));
            prop_assert_eq!(OpenAi.whole(cut, true), Err(ModelError::Malformed));
        }

        #[test]
        fn no_bytes_bring_it_down(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _understood = OpenAi.whole(&body, true);
        }
    }
}
