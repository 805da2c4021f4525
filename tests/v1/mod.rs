//! OpenAI's dialect over real sockets: what its clients send, and what they get.

mod chat;
mod errors;
mod passthrough;
mod stream;

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const CHAT: &str = "/v1/chat/completions";
const ASK: &str = "What is the capital of France?";

fn question(model: &str, text: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": text }] })
}

/// The object with these members, too.
fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(body_members), Value::Object(more)) = (&mut body, more) else {
        panic!("no objects")
    };
    body_members.extend(more);
    body
}

/// A service whose models all are of this upstream.
async fn service(models: &[&str], answer: Answer) -> (Service, Upstream) {
    let upstream = Upstream::start(answer).await;
    let service = Service::with_file(&upstream.config(models), &[("MOCK_KEY", "k")]);
    (service, upstream)
}
