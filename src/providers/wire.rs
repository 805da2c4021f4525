//! OpenAI's chat completions as bytes: the request written, the answer understood.
//! Reference: <https://platform.openai.com/docs/api-reference/chat>.

use serde::{Deserialize, Serialize};

use super::render::{Message, messages};
use crate::{
    domain::{FinishReason, ModelError, Prompt, Usage},
    settings::ModelSettings,
};

/// Longest model name taken from an answer, in characters.
const MAX_MODEL_CHARS: usize = 128;

#[derive(Serialize)]
struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<Message>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
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

#[derive(Deserialize)]
struct ChatMessage {
    content: Option<Content>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

/// What an answer says, before it is priced.
#[derive(Debug, PartialEq)]
pub(super) struct Understood {
    pub(super) content: String,
    pub(super) model: Option<String>,
    pub(super) finish: FinishReason,
    /// Absent when the provider counted nothing.
    pub(super) usage: Option<Usage>,
}

/// The body of a request.
pub(super) fn request(model: &ModelSettings, prompt: &Prompt) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(&ChatRequest {
        model: &model.model,
        messages: messages(prompt),
        stream: false,
        max_tokens: model.max_tokens,
        max_completion_tokens: model.max_completion_tokens,
        temperature: model.temperature,
    })
    // Texts and numbers always serialise; should they not, nothing was sent.
    .map_err(|_| ModelError::Malformed)
}

/// Understands the body of a success. `whole` says that its end was announced and came; without
/// that, JSON that ends too early was cut off.
///
/// # Errors
/// [`ModelError::Malformed`], [`ModelError::Cut`], or [`ModelError::Empty`] when there is no text:
/// refused, filtered, a call of tools, or all tokens spent on thinking.
pub(super) fn response(body: &[u8], whole: bool) -> Result<Understood, ModelError> {
    let response: ChatResponse = serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() && !whole { ModelError::Cut } else { ModelError::Malformed }
    })?;
    let choice = response.choices.into_iter().next().ok_or(ModelError::Empty)?;
    let content = match choice.message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => parts.into_iter().filter_map(|part| part.text).collect(),
        None => String::new(),
    };
    // A refusal stands apart from the content, and is none.
    let refused = choice.message.refusal.is_some_and(|refusal| !refusal.trim().is_empty());
    if refused || content.trim().is_empty() {
        return Err(ModelError::Empty);
    }
    let finish = match choice.finish_reason.as_deref() {
        Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some("content_filter") => FinishReason::Filtered,
        _ => FinishReason::Unknown,
    };
    let model = response.model.map(|model| {
        model.chars().filter(|c| !c.is_control()).take(MAX_MODEL_CHARS).collect::<String>()
    });
    Ok(Understood {
        content,
        model: model.filter(|model| !model.is_empty()),
        finish,
        usage: usage(&response.usage),
    })
}

fn usage(value: &serde_json::Value) -> Option<Usage> {
    // No answer has more tokens than this; a counter must not be blown up by a strange upstream.
    const MOST: u64 = u32::MAX as u64;
    let tokens = |key: &str| value.get(key).and_then(serde_json::Value::as_u64);
    let (prompt, completion) = (tokens("prompt_tokens"), tokens("completion_tokens"));
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    Some(Usage {
        prompt_tokens: prompt.unwrap_or(0).min(MOST),
        completion_tokens: completion.unwrap_or(0).min(MOST),
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
        response(body.to_string().as_bytes(), true)
    }

    fn choice(message: serde_json::Value, finish: &str) -> serde_json::Value {
        json!({ "choices": [{ "message": message, "finish_reason": finish }] })
    }

    #[test]
    fn only_what_is_configured_is_sent() {
        let prompt = Prompt { input: "hi".to_owned(), ..Prompt::default() };
        let model = ModelSettings::new("m", Signal::ONE);
        let sent = |model: &ModelSettings| -> serde_json::Value {
            serde_json::from_slice(&request(model, &prompt).unwrap()).unwrap()
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
            ("tool_calls", FinishReason::Unknown),
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
        assert!(model.starts_with("m[31m") && model.chars().count() == MAX_MODEL_CHARS);
    }

    proptest! {
        #[test]
        fn an_answer_cut_anywhere_is_no_answer(at in 0usize..1000) {
            let body = choice(json!({ "content": "the answer is 42" }), "stop").to_string();
            let cut = &body.as_bytes()[..at % body.len()];
            prop_assert_eq!(response(cut, false), Err(ModelError::Cut));
            prop_assert_eq!(response(cut, true), Err(ModelError::Malformed));
        }

        #[test]
        fn no_bytes_bring_it_down(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _understood = response(&body, true);
        }
    }
}
