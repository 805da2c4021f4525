//! A made-up model that speaks OpenAI's chat completions and knows one answer.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use super::{Outcome, announce, connection::Connection};

/// What every question is answered with, word by word where it is streamed.
const ANSWER: [&str; 19] = [
    "The", " river", " of", " that", " town", " is", " the", " Aller", ",", " which", " joins",
    " the", " Weser", " near", " the", " old", " ferry", " house", ".",
];

/// How the model behaves.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Time between two chunks of a stream, in microseconds.
    #[arg(long, default_value_t = 250)]
    gap_us: u64,
}

/// The bytes of both kinds of answer, made once.
struct Answers {
    whole: Vec<u8>,
    head: Vec<u8>,
    chunks: Vec<Vec<u8>>,
    gap: Duration,
}

pub(super) fn run(options: &Options) -> Outcome {
    let answers: &'static Answers =
        Box::leak(Box::new(Answers::new(Duration::from_micros(options.gap_us))));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    announce(listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || {
            // Whoever leaves, however it leaves, is not missed.
            let _ = serve(stream, answers);
        });
    }
}

fn serve(stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut connection = Connection::over(stream)?;
    loop {
        let asked = connection.receive(|bytes, received| {
            let body = &bytes[received.message.body..];
            let wanted = br#""stream":true"#;
            body.windows(wanted.len()).any(|window| window == wanted)
        })?;
        match asked {
            None => return Ok(()),
            Some(false) => connection.send(&answers.whole)?,
            Some(true) => {
                connection.send(&answers.head)?;
                for (index, chunk) in answers.chunks.iter().enumerate() {
                    if index > 0 && !answers.gap.is_zero() {
                        thread::sleep(answers.gap);
                    }
                    connection.send(chunk)?;
                }
            }
        }
    }
}

impl Answers {
    fn new(gap: Duration) -> Self {
        let content = ANSWER.concat();
        let body = completion(json!({
            "object": "chat.completion",
            "choices": [{
                "index": 0, "finish_reason": "stop", "logprobs": null,
                "message": { "role": "assistant", "content": content, "refusal": null },
            }],
            "usage": { "prompt_tokens": 64, "completion_tokens": 19, "total_tokens": 83 },
        }));
        let whole = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
        let last = [delta(json!({}), json!("stop")), "[DONE]".to_owned()];
        let chunks = ANSWER
            .iter()
            .map(|word| chunk(&[delta(json!({ "content": word }), Value::Null)]))
            .chain([format!("{}0\r\n\r\n", chunk(&last))])
            .map(String::into_bytes)
            .collect();
        Self { whole: whole.into_bytes(), head: head.as_bytes().to_vec(), chunks, gap }
    }
}

fn completion(mut fields: Value) -> String {
    fields["id"] = json!("chatcmpl-0123456789abcdef");
    fields["created"] = json!(1_700_000_000);
    fields["model"] = json!("made-up");
    fields.to_string()
}

fn delta(delta: Value, finish: Value) -> String {
    completion(json!({
        "object": "chat.completion.chunk",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
    }))
}

/// Server-sent events in one chunk of HTTP's chunked coding.
fn chunk(events: &[String]) -> String {
    let data: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    format!("{:x}\r\n{data}\r\n", data.len())
}
