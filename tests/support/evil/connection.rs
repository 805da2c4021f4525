//! One connection: requests read, plans carried out, and the moment noticed at which the peer leaves.

use std::sync::Arc;

use bytes::BytesMut;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    counts::{Counted, Counts},
    mode::Mode,
    plan::{Asked, End, Plan, Step},
};

/// Largest request that is read.
const LARGEST_REQUEST: usize = 16 << 20;
/// First byte of a handshake record of TLS (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves until the peer leaves, a plan ends the connection, or the door closes.
pub(super) async fn serve(stream: TcpStream, counts: Arc<Counts>, close: CancellationToken) {
    let mut counted = Counted::open(&counts);
    let _ = stream.set_nodelay(true);
    tokio::select! {
        () = close.cancelled() => {}
        () = converse(stream, &counts, &mut counted) => {}
    }
}

async fn converse(mut stream: TcpStream, counts: &Counts, counted: &mut Counted<'_>) {
    let mut buffer = BytesMut::new();
    loop {
        let Some(received) = receive(&mut stream, &mut buffer, counted).await else { return };
        let Received::Request { path, authorization, body } = received else {
            if counts.standing() == Mode::TlsGarbage {
                let _ = stream.write_all(b"HTTP/1.1 400 This is no TLS\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
            return peer_leaves(&mut stream.split().0, &mut buffer).await;
        };
        let asked = Asked::of(&path, &body);
        let (call, mode, number) = counts.asked(path, authorization, body);
        let Plan { steps, end } = mode.plan(&asked, number);
        let (mut reading, mut writing) = stream.split();
        let whole = tokio::select! {
            () = peer_leaves(&mut reading, &mut buffer) => false,
            whole = perform(&mut writing, steps, counts) => whole,
        };
        if !whole {
            return counts.left(call);
        }
        match end {
            End::Keep => counted.busy(false),
            End::Close => {
                let _ = writing.shutdown().await;
                return peer_leaves(&mut reading, &mut buffer).await;
            }
            End::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
        }
    }
}

enum Received {
    Request { path: String, authorization: Option<String>, body: Value },
    Handshake,
}

/// The next request; `None` when the peer leaves before it is whole.
async fn receive(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    counted: &mut Counted<'_>,
) -> Option<Received> {
    loop {
        if buffer.first() == Some(&TLS_HANDSHAKE) {
            return Some(Received::Handshake);
        }
        if let Some((request, length)) = whole_request(buffer) {
            let _ = buffer.split_to(length);
            return Some(request);
        }
        if buffer.len() > LARGEST_REQUEST || stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
        counted.busy(true);
    }
}

/// The request at the beginning of these bytes, and its length, once it is whole.
fn whole_request(bytes: &[u8]) -> Option<(Received, usize)> {
    const BLANK_LINE: &[u8] = b"\r\n\r\n";
    let head_ends = bytes.windows(BLANK_LINE.len()).position(|four| four == BLANK_LINE)?;
    let head = String::from_utf8_lossy(&bytes[..head_ends]);
    let header = |wanted: &str| {
        head.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let body_begins = head_ends + BLANK_LINE.len();
    let body = bytes.get(body_begins..body_begins + length)?;
    let request = Received::Request {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        authorization: header("authorization").or_else(|| header("x-api-key")),
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
    };
    Some((request, body_begins + length))
}

/// Returns when the peer has closed or reset the connection. What it sends until then is kept.
async fn peer_leaves(reading: &mut ReadHalf<'_>, buffer: &mut BytesMut) {
    while buffer.len() <= LARGEST_REQUEST && matches!(reading.read_buf(buffer).await, Ok(1..)) {}
}

/// Carries the plan out; `false` when the peer takes no more.
async fn perform(writing: &mut WriteHalf<'_>, steps: Vec<Step>, counts: &Counts) -> bool {
    for step in steps {
        match step {
            Step::Pause(time) => sleep(time).await,
            Step::Hang => std::future::pending().await,
            Step::Send { piece, times, every } => {
                for _ in 0..times {
                    if writing.write_all(&piece).await.is_err() {
                        return false;
                    }
                    counts.sent(piece.len());
                    if !every.is_zero() {
                        sleep(every).await;
                    }
                }
            }
            Step::Drip { bytes, every } => {
                for byte in bytes {
                    if writing.write_all(&[byte]).await.is_err() {
                        return false;
                    }
                    counts.sent(1);
                    sleep(every).await;
                }
            }
        }
    }
    true
}
