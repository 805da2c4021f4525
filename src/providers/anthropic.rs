//! Anthropic's dialect: `POST {base}/messages`.
//! Reference: <https://docs.anthropic.com/en/api/messages>.

use reqwest::{
    Url,
    header::{HeaderMap, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    dialect::{
        Dialect, Heard, StreamReader, Understood, below, body_as, printable, sensitive, tokens,
    },
    frames::{Frame, Framing},
    render::{Message, messages},
};
use crate::{
    domain::{FinishReason, ModelError, Prompt, Usage},
    settings::{ModelSettings, Secret},
};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";

/// The dialect of Anthropic's Messages API.
pub(super) struct Anthropic;

#[derive(Serialize)]
struct MessagesRequest<'a> {
    model: &'a str,
    /// The API wants a bound.
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    messages: Vec<Message>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
}

#[derive(Deserialize)]
struct MessagesResponse {
    model: Option<String>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Value,
}

/// A part of an answer. Only text is an answer: thinking is not, and tools were not offered.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Dialect for Anthropic {
    fn endpoint(&self, base: &Url) -> Url {
        below(base, &["messages"])
    }

    fn headers(&self, key: Option<&Secret>) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        if let Some(key) = key {
            headers.insert("x-api-key", sensitive(key.expose())?);
        }
        Some(headers)
    }

    fn request(
        &self,
        model: &ModelSettings,
        prompt: &Prompt,
        streamed: bool,
    ) -> Result<Vec<u8>, ModelError> {
        if prompt.passthrough.is_some() {
            return Err(ModelError::Unsupported { what: "members of OpenAI's dialect" });
        }
        let (system, messages) = messages(prompt).into_iter().partition(|m| m.role == "system");
        let system: Vec<Message> = system;
        let configured = model.max_tokens.or(model.max_completion_tokens);
        let configured = configured.unwrap_or(ModelSettings::UNCONFIGURED_MAX_TOKENS);
        let sampling = &prompt.sampling;
        serde_json::to_vec(&MessagesRequest {
            model: &model.model,
            max_tokens: sampling.max_tokens.map_or(configured, |wanted| wanted.min(configured)),
            system: system.into_iter().map(|m| m.content).next(),
            messages,
            stream: streamed,
            // The scale ends at 1 here.
            temperature: sampling.temperature.or(model.temperature).map(|t| t.min(1.0)),
            top_p: sampling.top_p,
            stop_sequences: &sampling.stop,
        })
        .map_err(|_| ModelError::Malformed)
    }

    fn whole(&self, body: &[u8], whole: bool) -> Result<Understood, ModelError> {
        let response: MessagesResponse = body_as(body, whole)?;
        let texts = response.content.into_iter().filter(|block| block.kind == "text");
        Heard {
            content: texts.filter_map(|block| block.text).collect(),
            model: response.model.as_deref().and_then(printable),
            finish: response.stop_reason.as_deref().map(finish),
            refused: response.stop_reason.as_deref() == Some("refusal"),
            usage: usage(&response.usage, None),
            ..Heard::default()
        }
        .understood()
    }

    fn framing(&self) -> Framing {
        Framing::Events
    }

    fn reader(&self) -> Box<dyn StreamReader> {
        Box::new(Events { done: false })
    }
}

/// Reads the events of a streamed answer. It is complete with `message_stop` and not before.
struct Events {
    done: bool,
}

impl StreamReader for Events {
    fn frame(&mut self, frame: &Frame, heard: &mut Heard) -> Result<(), ModelError> {
        if self.done || frame.data.trim().is_empty() {
            return Ok(());
        }
        let event: Value = serde_json::from_str(&frame.data).map_err(|_| ModelError::Malformed)?;
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        match text("/type").ok_or(ModelError::Malformed)? {
            "message_start" => {
                heard.note_model(text("/message/model"));
                heard.usage = event.pointer("/message/usage").and_then(|u| usage(u, heard.usage));
            }
            "content_block_delta" if text("/delta/type") == Some("text_delta") => {
                heard.content.push_str(text("/delta/text").unwrap_or_default());
            }
            "message_delta" => {
                if let Some(reason) = text("/delta/stop_reason") {
                    heard.finish = Some(finish(reason));
                    heard.refused |= reason == "refusal";
                }
                heard.usage =
                    event.get("usage").and_then(|u| usage(u, heard.usage)).or(heard.usage);
            }
            "message_stop" => self.done = true,
            "error" => return Err(ModelError::Cut),
            // Pings, starts and ends of blocks, thinking, and what newer versions add.
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.done
    }
}

fn finish(reason: &str) -> FinishReason {
    match reason {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "refusal" => FinishReason::Filtered,
        _ => FinishReason::Unknown,
    }
}

/// What is counted here, with what was counted before where this says nothing.
fn usage(value: &Value, before: Option<Usage>) -> Option<Usage> {
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
    let cached: u64 = cached.iter().filter_map(|key| tokens(value.get(*key))).sum();
    let prompt = tokens(value.get("input_tokens")).map(|fresh| fresh + cached);
    let completion = tokens(value.get("output_tokens"));
    if prompt.is_none() && completion.is_none() {
        return before;
    }
    let before = before.unwrap_or_default();
    Some(Usage {
        prompt_tokens: prompt.unwrap_or(before.prompt_tokens),
        completion_tokens: completion.unwrap_or(before.completion_tokens),
        cost_usd: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::{Role, Signal, Turn},
        providers::dialect::testing::streamed,
    };

    /// As the reference shows a stream, shortened.
    const STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-x-1","stop_reason":null,"usage":{"input_tokens":25,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"It is "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"42."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}

event: message_stop
data: {"type":"message_stop"}

"#;

    #[test]
    fn a_stream_is_an_answer_with_its_model_and_its_tokens() {
        let answer = streamed(&Anthropic, STREAM.as_bytes()).unwrap();
        assert_eq!(answer.content, "It is 42.");
        assert_eq!(answer.model.as_deref(), Some("claude-x-1"));
        assert_eq!(answer.finish, FinishReason::Stop);
        let usage = answer.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (25, 15));
    }

    #[test]
    fn a_stream_cut_at_any_byte_is_no_answer() {
        // The last event ends with its empty line, of which the second line feed is the end.
        for at in 0..STREAM.len() - 1 {
            let cut = streamed(&Anthropic, &STREAM.as_bytes()[..at]);
            assert_eq!(cut, Err(ModelError::Cut), "at byte {at}");
        }
    }

    #[test]
    fn an_error_within_a_stream_cuts_it() {
        let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
        let begun = STREAM.split("event: content_block_stop").next().unwrap();
        let text = format!("{begun}{error}");
        assert_eq!(streamed(&Anthropic, text.as_bytes()), Err(ModelError::Cut));
    }

    #[test]
    fn a_whole_answer_is_its_text_without_the_thinking() {
        let body = json!({
            "model": "claude-x-1", "stop_reason": "max_tokens",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "42"}],
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5},
        });
        let answer = Anthropic.whole(body.to_string().as_bytes(), true).unwrap();
        assert_eq!((answer.content.as_str(), answer.finish), ("42", FinishReason::Length));
        assert_eq!(answer.usage.unwrap().prompt_tokens, 7);
    }

    #[test]
    fn a_refusal_is_no_answer() {
        let body = json!({
            "content": [{"type": "text", "text": "I will not."}], "stop_reason": "refusal",
        });
        let refused = Anthropic.whole(body.to_string().as_bytes(), true);
        assert_eq!(refused, Err(ModelError::Empty));
    }

    #[test]
    fn instructions_stand_apart_and_the_bound_is_always_sent() {
        let prompt = Prompt {
            instructions: Some("Be brief.".to_owned()),
            turns: vec![
                Turn { role: Role::User, content: "Hello".to_owned() },
                Turn { role: Role::Assistant, content: "Hello!".to_owned() },
            ],
            input: "6 × 7?".to_owned(),
            ..Prompt::default()
        };
        let model = ModelSettings::new("claude-x", Signal::ONE);
        let body = Anthropic.request(&model, &prompt, true).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            json!({
                "model": "claude-x", "max_tokens": 2048, "system": "Be brief.", "stream": true,
                "messages": [
                    {"role": "user", "content": "Hello"},
                    {"role": "assistant", "content": "Hello!"},
                    {"role": "user", "content": "6 × 7?"},
                ],
            })
        );
        let headers = Anthropic.headers(Some(&Secret::new("key"))).unwrap();
        assert_eq!(headers["anthropic-version"], VERSION);
        assert!(headers["x-api-key"].is_sensitive());
    }
}
