//! OpenAI's chat completions as an upstream writes them, well and not so well.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{LazyLock, Mutex},
};

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, write::DeflateEncoder};
use serde_json::{Value, json};

use super::dialect::{Dialect, recorded};

/// What a good answer says.
pub const GOOD_ANSWER: &str = "Nobody knows it better than the upstream: forty-two.";
/// In how many pieces a good stream says it.
const PIECES: usize = 8;

/// The body of a chat completion.
pub(in crate::support) fn completion(model: &str, text: &str) -> Value {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": format!("{model}-2026"),
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": "stop",
        }],
        "usage": usage(),
    })
}

/// The events of a streamed chat completion: the role, one for each piece of the text, the finish,
/// the usage where it was asked for, the terminal marker.
pub(in crate::support) fn events(
    model: &str,
    pieces: &[impl AsRef<str>],
    with_usage: bool,
) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": format!("{model}-2026"),
            "choices": choices,
        });
        if with_usage {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n")
    };
    let choice = |delta: Value, finish: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }]), Value::Null)
    };
    let mut events = vec![choice(json!({ "role": "assistant", "content": "" }), Value::Null)];
    for piece in pieces {
        events.push(choice(json!({ "content": piece.as_ref() }), Value::Null));
    }
    events.push(choice(json!({}), json!("stop")));
    if with_usage {
        events.push(chunk(json!([]), usage()));
    }
    events.push(DONE.to_owned());
    events
}

/// The good answer in pieces.
pub(super) fn pieces() -> Vec<String> {
    in_pieces(PIECES)
}

pub(super) fn in_pieces(count: usize) -> Vec<String> {
    let characters: Vec<char> = GOOD_ANSWER.chars().collect();
    let pieces = characters.chunks(characters.len().div_ceil(count));
    pieces.map(|piece| piece.iter().collect()).collect()
}

/// The terminal marker of a stream.
pub(super) const DONE: &str = "data: [DONE]\n\n";

fn usage() -> Value {
    json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 })
}

/// The head of a response, with these header lines.
pub(super) fn head(status: u16, headers: &[&str]) -> String {
    let mut head = format!("HTTP/1.1 {status} X\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head + "\r\n"
}

/// One chunk of a chunked body.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The end of a chunked body.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A gzip file of 1 MiB that unpacks to a chat completion, or a stream, of 1 GiB.
pub(super) fn bomb(dialect: Dialect, stream: bool) -> Bytes {
    static BOMBS: LazyLock<Mutex<HashMap<(&str, bool), Bytes>>> = LazyLock::new(Mutex::default);
    let mut bombs = BOMBS.lock().unwrap();
    bombs.entry((dialect.kind(), stream)).or_insert_with(|| make_bomb(dialect, stream)).clone()
}

fn make_bomb(dialect: Dialect, stream: bool) -> Bytes {
    const PADDING: usize = 1 << 20;
    const TIMES: usize = 1 << 10;
    let whole = recorded(dialect, stream);
    let first_word = GOOD_ANSWER.split(' ').next().unwrap();
    let middle = String::from_utf8_lossy(&whole).find(first_word).unwrap();
    let padding = vec![b'a'; PADDING];
    // A block after a full flush refers to nothing before it, so it can be repeated as it is.
    let mut packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    packed.extend(flushed(&whole[..middle]));
    let block = flushed(&padding);
    for _ in 0..TIMES {
        packed.extend_from_slice(&block);
    }
    let mut last = DeflateEncoder::new(Vec::new(), Compression::best());
    last.write_all(&whole[middle..]).unwrap();
    packed.extend(last.finish().unwrap());
    let crc = |bytes: &[u8]| {
        let mut crc = Crc::new();
        crc.update(bytes);
        crc
    };
    let mut sum = crc(&whole[..middle]);
    let of_padding = crc(&padding);
    for _ in 0..TIMES {
        sum.combine(&of_padding);
    }
    sum.combine(&crc(&whole[middle..]));
    packed.extend(sum.sum().to_le_bytes());
    packed.extend(sum.amount().to_le_bytes());
    Bytes::from(packed)
}

fn flushed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() / 100 + 1024);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(bytes, &mut packed, FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), bytes.len() as u64, "the buffer was too small");
    packed
}
