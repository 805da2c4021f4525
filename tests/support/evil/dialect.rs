//! The dialects that the upstream speaks, by the path that it is asked at.

use bytes::Bytes;
use serde_json::{Value, json};

use super::wire::{GOOD_ANSWER, completion, events, in_pieces};

/// In how many pieces a recorded stream says it, which is cut at every byte.
const RECORDED_PIECES: usize = 3;

/// What a provider's `kind` says in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Anthropic,
    Ollama,
}

impl Dialect {
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Ollama];

    /// The dialect of who asks here.
    pub(super) fn at(path: &str) -> Self {
        match path {
            "/v1/messages" => Self::Anthropic,
            "/api/chat" => Self::Ollama,
            _ => Self::OpenAi,
        }
    }

    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
        }
    }

    /// The header that says what a good body is.
    pub(super) const fn content_type(self, stream: bool) -> &'static str {
        match (stream, self) {
            (false, _) => "content-type: application/json",
            (true, Self::Ollama) => "content-type: application/x-ndjson",
            (true, _) => "content-type: text/event-stream",
        }
    }

    /// The body of a whole answer.
    pub(super) fn whole(self, model: &str) -> Value {
        let model_there = format!("{model}-2026");
        match self {
            Self::OpenAi => completion(model, GOOD_ANSWER),
            Self::Anthropic => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model_there,
                "content": [{ "type": "text", "text": GOOD_ANSWER }], "stop_reason": "end_turn",
                "usage": { "input_tokens": 10, "output_tokens": 5 },
            }),
            Self::Ollama => line(&model_there, GOOD_ANSWER, true),
        }
    }

    /// The pieces of a streamed answer that says these texts; the last one is its end marker.
    pub(super) fn streamed(self, model: &str, texts: &[String], with_usage: bool) -> Vec<String> {
        let model_there = format!("{model}-2026");
        match self {
            Self::OpenAi => events(model, texts, with_usage),
            Self::Anthropic => {
                let event = |data: Value| {
                    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
                };
                let text = |text: &String| {
                    event(json!({ "type": "content_block_delta", "index": 0,
                        "delta": { "type": "text_delta", "text": text } }))
                };
                let begun = json!({ "type": "message_start", "message": { "id": "msg_1",
                    "model": model_there, "usage": { "input_tokens": 10, "output_tokens": 1 } } });
                let mut pieces = vec![event(begun)];
                pieces.extend(texts.iter().map(text));
                pieces.push(event(json!({ "type": "message_delta",
                    "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 5 } })));
                pieces.push(event(json!({ "type": "message_stop" })));
                pieces
            }
            Self::Ollama => {
                let mut pieces: Vec<String> = texts
                    .iter()
                    .map(|text| format!("{}\n", line(&model_there, text, false)))
                    .collect();
                pieces.push(format!("{}\n", line(&model_there, "", true)));
                pieces
            }
        }
    }

    /// Bytes at the end of a recorded answer without which it is no longer whole.
    pub(super) fn marker(self, stream: bool) -> usize {
        if stream { self.streamed("recorded", &[], true).last().unwrap().len() } else { 1 }
    }
}

fn line(model: &str, text: &str, done: bool) -> Value {
    let mut line = json!({
        "model": model, "created_at": "2026-01-01T00:00:00Z",
        "message": { "role": "assistant", "content": text }, "done": done,
    });
    if done {
        line["done_reason"] = json!("stop");
        line["prompt_eval_count"] = json!(10);
        line["eval_count"] = json!(5);
    }
    line
}

/// A good answer as it was recorded once, for cutting it off: the same bytes for every model.
pub fn recorded(dialect: Dialect, stream: bool) -> Bytes {
    if stream {
        let pieces = dialect.streamed("recorded", &in_pieces(RECORDED_PIECES), true);
        Bytes::from(pieces.concat())
    } else {
        Bytes::from(dialect.whole("recorded").to_string())
    }
}
