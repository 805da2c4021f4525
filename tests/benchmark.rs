//! What the benchmark measures with must itself be right. Nothing is timed here.

#[path = "../benches/gateway/message.rs"]
mod message;

use message::{Message, Progress, progress};
use proptest::prelude::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

fn chunked(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        bytes.extend(piece);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

fn announced(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{HEAD}content-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    bytes
}

/// Whole at its last byte and not before, whatever comes after it.
fn ends_at_its_end(bytes: &[u8]) {
    for cut in 0..bytes.len() {
        let before = progress(&bytes[..cut]);
        assert!(matches!(before, Progress::Head | Progress::Body), "{cut}: {before:?}");
    }
    let next = [bytes, b"HTTP/1.1 500"].concat();
    let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let whole = Progress::Whole(Message { status: 200, body, end: bytes.len() });
    assert_eq!((progress(bytes), progress(&next)), (whole, whole));
}

#[test]
fn what_is_no_message_is_refused() {
    for bytes in [
        "HTTP/1.1 twohundred\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
    ] {
        assert_eq!(progress(bytes.as_bytes()), Progress::Malformed, "{bytes}");
    }
}

#[test]
fn a_request_is_a_message_without_a_status() {
    let request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    let Progress::Whole(message) = progress(request) else { panic!("not whole") };
    assert_eq!((message.status, message.end), (0, request.len()));
}

proptest! {
    #[test]
    fn a_message_ends_where_its_length_or_its_last_chunk_says(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
    ) {
        ends_at_its_end(&announced(&pieces.concat()));
        ends_at_its_end(&chunked(&pieces));
    }
}
