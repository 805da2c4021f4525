//! Ollama's own dialect: `POST {base}/api/chat`.
//! Reference: <https://github.com/ollama/ollama/blob/main/docs/api.md>.

use reqwest::{Url, header::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// The dialect of an Ollama server.
pub(super) struct Ollama;

#[derive(Serialize)]
struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<Message>,
    stream: bool,
    options: Options<'a>,
}

#[derive(Serialize)]
struct Options<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
}

/// The whole answer, or a piece of a streamed one.
#[derive(Deserialize)]
struct Piece {
    model: Option<String>,
    message: Option<PieceMessage>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Value,
    #[serde(default)]
    eval_count: Value,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct PieceMessage {
    #[serde(default)]
    content: String,
}

impl Dialect for Ollama {
    /// The configuration may name the server or its `/v1`, where OpenAI's dialect is spoken.
    fn endpoint(&self, base: &Url) -> Url {
        let mut server = base.clone();
        let path = base.path().trim_end_matches('/');
        server.set_path(path.strip_suffix("/v1").unwrap_or(path));
        below(&server, &["api", "chat"])
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
        if prompt.passthrough.is_some() {
            return Err(ModelError::Unsupported { what: "members of OpenAI's dialect" });
        }
        let sampling = &prompt.sampling;
        let bounds = [model.max_tokens, model.max_completion_tokens, sampling.max_tokens];
        serde_json::to_vec(&ChatRequest {
            model: &model.model,
            messages: messages(prompt),
            stream: streamed,
            options: Options {
                num_predict: bounds.into_iter().flatten().min(),
                temperature: sampling.temperature.or(model.temperature),
                top_p: sampling.top_p,
                stop: &sampling.stop,
                seed: sampling.seed,
            },
        })
        .map_err(|_| ModelError::Malformed)
    }

    fn whole(&self, body: &[u8], whole: bool) -> Result<Understood, ModelError> {
        let piece: Piece = body_as(body, whole)?;
        let mut heard = Heard::default();
        let done = piece.done;
        piece.add_to(&mut heard)?;
        if done { heard.understood() } else { Err(ModelError::Cut) }
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn reader(&self) -> Box<dyn StreamReader> {
        Box::new(Lines { done: false })
    }
}

/// Reads the lines of a streamed answer. It is complete with `"done": true` and not before.
struct Lines {
    done: bool,
}

impl StreamReader for Lines {
    fn frame(&mut self, frame: &Frame, heard: &mut Heard) -> Result<(), ModelError> {
        if self.done {
            return Ok(());
        }
        let piece: Piece = serde_json::from_str(&frame.data).map_err(|_| ModelError::Malformed)?;
        self.done |= piece.done;
        piece.add_to(heard)
    }

    fn is_complete(&self) -> bool {
        self.done
    }
}

impl Piece {
    fn add_to(self, heard: &mut Heard) -> Result<(), ModelError> {
        if self.error.is_some() {
            return Err(ModelError::Cut);
        }
        heard.note_model(self.model.as_deref().and_then(printable).as_deref());
        let message = self.message.ok_or(ModelError::Malformed)?;
        heard.content.push_str(&message.content);
        if self.done {
            heard.finish = Some(match self.done_reason.as_deref() {
                Some("stop") => FinishReason::Stop,
                Some("length") => FinishReason::Length,
                _ => FinishReason::Unknown,
            });
            let count = |value: &Value| tokens(Some(value));
            heard.usage = count(&self.eval_count).map(|completion_tokens| Usage {
                // A prompt that the server still has in its cache is not counted again.
                prompt_tokens: count(&self.prompt_eval_count).unwrap_or(0),
                completion_tokens,
                cost_usd: None,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{domain::Signal, providers::dialect::testing::streamed};

    const STREAM: &str = concat!(
        r#"{"model":"llama3.2","created_at":"x","message":{"role":"assistant","content":"It is"},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"x","message":{"role":"assistant","content":" 42."},"done":false}"#,
        "\n",
        r#"{"model":"llama3.2","created_at":"x","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":9}"#,
        "\n",
    );

    #[test]
    fn a_stream_is_an_answer_with_its_model_and_its_tokens() {
        let answer = streamed(&Ollama, STREAM.as_bytes()).unwrap();
        assert_eq!((answer.content.as_str(), answer.finish), ("It is 42.", FinishReason::Stop));
        assert_eq!(answer.model.as_deref(), Some("llama3.2"));
        let usage = answer.usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (26, 9));
    }

    #[test]
    fn a_stream_cut_at_any_byte_is_no_answer() {
        for at in 0..STREAM.len() - 1 {
            let cut = streamed(&Ollama, &STREAM.as_bytes()[..at]);
            assert_eq!(cut, Err(ModelError::Cut), "at byte {at}");
        }
    }

    #[test]
    fn a_whole_answer_says_that_it_is_done() {
        let mut body = json!({
            "model": "m", "message": {"content": "42"}, "done": true, "done_reason": "length",
        });
        let answer = Ollama.whole(body.to_string().as_bytes(), true).unwrap();
        assert_eq!(answer.finish, FinishReason::Length);
        body["done"] = json!(false);
        assert_eq!(Ollama.whole(body.to_string().as_bytes(), true), Err(ModelError::Cut));
        let error = br#"{"error":"model not loaded"}"#;
        assert_eq!(Ollama.whole(error, true), Err(ModelError::Cut));
    }

    #[test]
    fn the_endpoint_is_the_servers_own_whether_or_not_the_base_ends_in_v1() {
        for base in ["http://h:11434", "http://h:11434/", "http://h:11434/v1", "http://h:11434/v1/"]
        {
            let endpoint = Ollama.endpoint(&Url::parse(base).unwrap());
            assert_eq!(endpoint.as_str(), "http://h:11434/api/chat");
        }
        let behind = Ollama.endpoint(&Url::parse("http://h/ollama").unwrap());
        assert_eq!(behind.as_str(), "http://h/ollama/api/chat");
    }

    #[test]
    fn bounds_and_sampling_are_options() {
        let model = ModelSettings { max_tokens: Some(7), ..ModelSettings::new("m", Signal::ONE) };
        let prompt = Prompt { input: "hi".to_owned(), ..Prompt::default() };
        let body: Value =
            serde_json::from_slice(&Ollama.request(&model, &prompt, false).unwrap()).unwrap();
        assert_eq!(body["options"], json!({"num_predict": 7}));
        assert_eq!((&body["stream"], &body["model"]), (&json!(false), &json!("m")));
    }
}
