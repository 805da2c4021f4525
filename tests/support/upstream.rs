//! An OpenAI-compatible upstream on a real socket, that answers as the test says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::{Body, Bytes};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;

/// What the upstream does with a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Says this, as the model that was asked.
    Says(&'static str),
    /// Says this after a while.
    SaysAfter(&'static str, Duration),
    /// Says this to whoever asks for the model of that name; anything else to others.
    ByModel(&'static [(&'static str, &'static str)]),
    /// This body.
    Body(Value),
    /// This stream of events, a piece at a time with this pause before each, and then the end of the
    /// body, whether the events say so or not.
    Events(&'static [&'static str], Duration),
    /// This status, with `Retry-After` in seconds where given.
    Status(u16, Option<u32>),
    /// Never answers.
    Hangs,
    /// Streams these pieces, waiting this many milliseconds before each.
    Streams(&'static [&'static str], u64),
    /// Streams these pieces and then breaks off, without an end.
    StreamsAndBreaksOff(&'static [&'static str]),
}

/// One call as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub authorization: Option<String>,
    pub body: Value,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Answer>,
    then: Option<Answer>,
    calls: Vec<Call>,
}

/// A running upstream; it ends with the test's runtime.
pub struct Upstream {
    script: Arc<Mutex<Script>>,
    pub base_url: String,
}

impl Upstream {
    /// Answers every call like this, until told otherwise.
    pub async fn start(answer: Answer) -> Self {
        let script = Arc::new(Mutex::new(Script { then: Some(answer), ..Script::default() }));
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, base_url }
    }

    /// Answers the next call like this, once.
    pub fn once(&self, answer: Answer) {
        self.script.lock().unwrap().next.push_back(answer);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.script.lock().unwrap().calls.clone()
    }

    /// A configuration file with one model for each name, all of this upstream.
    pub fn config(&self, models: &[&str]) -> String {
        let mut file = format!(
            "[[providers]]\nname = \"mock\"\nkind = \"openai\"\nbase_url = \"{}\"\napi_key_env = \"MOCK_KEY\"\n",
            self.base_url
        );
        for model in models {
            file.push_str(&format!(
                "[[providers.models]]\nmodel = \"{model}\"\nprior = 0.8\n\
                 price_per_million_prompt_tokens_usd = 1.0\nprice_per_million_completion_tokens_usd = 2.0\n"
            ));
        }
        file
    }
}

async fn complete(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let answer = {
        let mut script = script.lock().unwrap();
        let authorization =
            headers.get("authorization").and_then(|v| v.to_str().ok()).map(str::to_owned);
        script.calls.push(Call { authorization, body: body.clone() });
        script.next.pop_front().or_else(|| script.then.clone()).unwrap()
    };
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    match answer {
        Answer::Says(text) => completion(&model, text),
        Answer::SaysAfter(text, pause) => {
            tokio::time::sleep(pause).await;
            completion(&model, text)
        }
        Answer::ByModel(texts) => {
            let text = texts.iter().find(|(name, _)| *name == model).map_or("42", |(_, t)| t);
            completion(&model, text)
        }
        Answer::Body(body) => Json(body).into_response(),
        Answer::Events(pieces, pause) => {
            let pieces = futures_util::stream::iter(pieces).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::convert::Infallible>(Bytes::from_static(piece.as_bytes()))
            });
            ([("content-type", "text/event-stream")], Body::from_stream(pieces)).into_response()
        }
        Answer::Status(status, retry_after) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            response
        }
        Answer::Streams(pieces, gap_ms) => stream(&model, pieces, gap_ms, true),
        Answer::StreamsAndBreaksOff(pieces) => stream(&model, pieces, 0, false),
        Answer::Hangs => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn stream(model: &str, pieces: &'static [&'static str], gap_ms: u64, whole: bool) -> Response {
    let mut events = super::evil::events(model, pieces, true);
    if !whole {
        // The first says nothing yet, and after the pieces comes the end.
        events.truncate(1 + pieces.len());
    }
    let events = futures_util::stream::iter(events).then(move |event| async move {
        tokio::time::sleep(Duration::from_millis(gap_ms)).await;
        Ok::<_, std::convert::Infallible>(event)
    });
    ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
}

fn completion(model: &str, text: &str) -> Response {
    Json(super::evil::completion(model, text)).into_response()
}
