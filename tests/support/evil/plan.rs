//! What each mode sends, step by step.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{
    dialect::{Dialect, recorded},
    mode::{Cut, Mode},
    wire::{DONE, LAST_CHUNK, bomb, chunk, head, pieces},
};

/// What of a request matters to its answer.
pub(super) struct Asked {
    dialect: Dialect,
    model: String,
    stream: bool,
    usage: bool,
}

impl Asked {
    pub(super) fn of(path: &str, body: &Value) -> Self {
        Self {
            dialect: Dialect::at(path),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            stream: body["stream"] == true,
            usage: body["stream_options"]["include_usage"] == true,
        }
    }

    fn recorded(&self) -> Bytes {
        recorded(self.dialect, self.stream)
    }

    /// The header that says what was asked for.
    fn kind(&self) -> &'static str {
        self.dialect.content_type(self.stream)
    }
}

/// What is done with one request.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) end: End,
}

pub(super) enum Step {
    /// Sends a piece so many times, with this pause after each.
    Send {
        piece: Bytes,
        times: u64,
        every: Duration,
    },
    /// Sends byte by byte, with this pause after each.
    Drip {
        bytes: Bytes,
        every: Duration,
    },
    Pause(Duration),
    /// Does nothing any more until the peer leaves.
    Hang,
}

/// What becomes of the connection.
pub(super) enum End {
    Keep,
    Close,
    Reset,
}

const GIGABYTE: u64 = 1 << 30;
/// Largest piece that is sent at once.
const PIECE: usize = 64 << 10;
/// Time for what was sent to be read, before a reset could overtake it.
const BEFORE_RESET: Duration = Duration::from_millis(20);
const PAGE: &[u8] = b"<!doctype html><title>Sign in to the Wi-Fi</title><p>Please sign in.";

impl Mode {
    /// The plan for the `number`th request.
    pub(super) fn plan(self, asked: &Asked, number: u64) -> Plan {
        let kind = asked.kind();
        let keep = |steps| Plan { steps, end: End::Keep };
        let close = |steps| Plan { steps, end: End::Close };
        match self {
            Self::Good => keep(good(asked).into_iter().map(send).collect()),
            Self::Slow(pause) => {
                let steps = good(asked).into_iter().map(send);
                keep(std::iter::once(Step::Pause(pause)).chain(steps).collect())
            }
            Self::Drip(every) => {
                keep(vec![Step::Drip { bytes: Bytes::from(good(asked).concat()), every }])
            }
            // These never come as far as a request; a client that finds a way in gets nothing.
            Self::Refuse | Self::NoSuchHost | Self::TlsGarbage | Self::TlsSilence => {
                Plan { steps: Vec::new(), end: End::Reset }
            }
            Self::ResetAtOnce => Plan { steps: Vec::new(), end: End::Reset },
            Self::ResetMidBody => cut(asked, asked.recorded().len() / 2, Cut::Reset),
            Self::CutAt(at, how) => cut(asked, at, how),
            Self::NoTerminalMarker => {
                let missing = asked.dialect.marker(asked.stream);
                cut(asked, asked.recorded().len() - missing, Cut::Ended)
            }
            Self::HangBeforeHead => keep(vec![Step::Hang]),
            Self::HangAfterHead => keep(vec![send(head(200, &[kind, CHUNKED])), Step::Hang]),
            Self::HangMidBody => {
                let whole = asked.recorded();
                let half = chunk(&whole[..whole.len() / 2]);
                keep(vec![send(head(200, &[kind, CHUNKED])), send(half), Step::Hang])
            }
            Self::Status(status, retry_after) => keep(vec![send(refusal(status, retry_after))]),
            Self::Burst => {
                let status = [500, 502, 503, 504, 529][(number % 5) as usize];
                keep(vec![send(refusal(status, None))])
            }
            Self::Malformed => {
                let body = if asked.stream {
                    format!("data: {{\"choices\": [}}\n\n{DONE}")
                } else {
                    "{\"choices\": [{\"message\": {\"content\": nonsense}]}".to_owned()
                };
                keep(vec![send(sized(kind, body.as_bytes()))])
            }
            Self::LyingType => keep(vec![send(sized(kind, PAGE))]),
            Self::OddType => {
                let body = asked.recorded();
                keep(vec![send(sized("content-type: text/html; charset=utf-8", &body))])
            }
            Self::GzipBomb => {
                let body = bomb(asked.dialect, asked.stream);
                let length = format!("content-length: {}", body.len());
                let head = head(200, &[kind, "content-encoding: gzip", &length]);
                close(vec![send(head), send(body)])
            }
            Self::Redirect => {
                let elsewhere = ["location: /v1/elsewhere", "content-length: 0"];
                keep(vec![send(head(307, &elsewhere))])
            }
            Self::Forever => {
                let piece = if asked.stream { endless_events(asked)[1].clone() } else { spaces(1) };
                let every = Duration::from_millis(5);
                let endless = Step::Send { piece: chunk(&piece).into(), times: u64::MAX, every };
                keep(vec![send(head(200, &[kind, CHUNKED])), endless])
            }
            Self::Gigabyte { announced } => close(gigabyte(asked, kind, announced)),
            Self::EndlessLine => {
                let begun = [head(200, &[kind]).as_bytes(), b"data: {\"choices\": [\""].concat();
                close(vec![send(begun), repeat(letters(PIECE), GIGABYTE)])
            }
            Self::EndlessHead => {
                let line = format!("x-more: {}\r\n", "x".repeat(1000));
                let begun = format!("HTTP/1.1 200 X\r\n{kind}\r\n");
                close(vec![send(begun), repeat(line.into_bytes(), GIGABYTE)])
            }
        }
    }
}

const CHUNKED: &str = "transfer-encoding: chunked";

/// A good answer in the pieces that it comes in.
fn good(asked: &Asked) -> Vec<Bytes> {
    if !asked.stream {
        let body = asked.dialect.whole(&asked.model).to_string();
        return vec![sized(asked.kind(), body.as_bytes())];
    }
    let events = asked.dialect.streamed(&asked.model, &pieces(), asked.usage);
    let mut pieces = vec![Bytes::from(head(200, &[asked.kind(), CHUNKED]))];
    pieces.extend(events.iter().map(|event| Bytes::from(chunk(event.as_bytes()))));
    pieces.push(Bytes::from_static(LAST_CHUNK));
    pieces
}

/// The recorded answer, cut off.
fn cut(asked: &Asked, at: usize, how: Cut) -> Plan {
    let kind = asked.kind();
    let begun = asked.recorded().slice(..at);
    let chunked = || {
        let body = if begun.is_empty() { Vec::new() } else { chunk(&begun) };
        [head(200, &[kind, CHUNKED]).into_bytes(), body].concat()
    };
    match how {
        Cut::Closed => Plan { steps: vec![send(chunked())], end: End::Close },
        Cut::Ended => {
            Plan { steps: vec![send([chunked(), LAST_CHUNK.to_vec()].concat())], end: End::Keep }
        }
        Cut::Unannounced => {
            let unframed = [head(200, &[kind, "connection: close"]).as_bytes(), &begun].concat();
            Plan { steps: vec![send(unframed)], end: End::Close }
        }
        Cut::Reset => {
            Plan { steps: vec![send(chunked()), Step::Pause(BEFORE_RESET)], end: End::Reset }
        }
    }
}

fn gigabyte(asked: &Asked, kind: &str, announced: bool) -> Vec<Step> {
    let (begun, piece) = if asked.stream {
        let [first, text] = endless_events(asked);
        (first, text)
    } else {
        (
            Bytes::from_static(b"{\"choices\": [{\"message\": {\"content\": \""),
            letters(PIECE).into(),
        )
    };
    if announced {
        let length = format!("content-length: {GIGABYTE}");
        return vec![send(head(200, &[kind, &length])), send(begun), repeat(piece, GIGABYTE)];
    }
    let begun = [head(200, &[kind, CHUNKED]).into_bytes(), chunk(&begun)].concat();
    vec![send(begun), repeat(chunk(&piece), GIGABYTE)]
}

/// The first event of a good stream, and one with much text.
fn endless_events(asked: &Asked) -> [Bytes; 2] {
    let text = "a".repeat(1000);
    let events = asked.dialect.streamed(&asked.model, std::slice::from_ref(&text), asked.usage);
    let at = events.iter().position(|event| event.contains(&text)).unwrap();
    [events[..at].concat().into(), events[at].clone().into()]
}

fn refusal(status: u16, retry_after: Option<u32>) -> String {
    let mut headers = vec!["content-length: 0".to_owned()];
    headers.extend(retry_after.map(|seconds| format!("retry-after: {seconds}")));
    head(status, &headers.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A whole response whose length is announced.
fn sized(kind: &str, body: &[u8]) -> Bytes {
    let length = format!("content-length: {}", body.len());
    [head(200, &[kind, &length]).as_bytes(), body].concat().into()
}

fn send(piece: impl Into<Bytes>) -> Step {
    Step::Send { piece: piece.into(), times: 1, every: Duration::ZERO }
}

/// Enough of these pieces for so many bytes, as fast as they are taken.
fn repeat(piece: impl Into<Bytes>, bytes: u64) -> Step {
    let piece = piece.into();
    Step::Send { times: bytes.div_ceil(piece.len() as u64), piece, every: Duration::ZERO }
}

fn letters(count: usize) -> Vec<u8> {
    vec![b'a'; count]
}

fn spaces(count: usize) -> Bytes {
    vec![b' '; count].into()
}
