//! What an upstream can do to a request.

use std::time::Duration;

/// How the upstream treats a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Answers well: JSON, or events with `"stream": true`.
    Good,
    /// Answers well after a pause.
    Slow(Duration),
    /// The port is closed.
    Refuse,
    /// The host has no address.
    NoSuchHost,
    /// The handshake of TLS is answered with something else.
    TlsGarbage,
    /// The handshake of TLS is never answered.
    TlsSilence,
    /// Reads the request and resets the connection.
    ResetAtOnce,
    /// Resets the connection in the middle of the body.
    ResetMidBody,
    /// Answers well, one byte at a time with this pause between.
    Drip(Duration),
    /// Never answers.
    HangBeforeHead,
    /// Sends a good head and then nothing.
    HangAfterHead,
    /// Sends half of a good answer and then nothing.
    HangMidBody,
    /// This status, with `Retry-After` in seconds where given.
    Status(u16, Option<u32>),
    /// One server error after the other, each another one.
    Burst,
    /// Sends what is no JSON.
    Malformed,
    /// Cuts the body off after this many bytes of [`super::recorded`].
    CutAt(usize, Cut),
    /// Sends everything but the end: of a stream its `[DONE]`, of JSON its last brace.
    NoTerminalMarker,
    /// Goes on without end, slowly enough for no cap on bytes.
    Forever,
    /// Sends 1 GiB, announced or not.
    Gigabyte {
        /// Whether `Content-Length` says so.
        announced: bool,
    },
    /// Sends 1 GiB without a line's end, the worst for who reads by lines.
    EndlessLine,
    /// Sends headers without end.
    EndlessHead,
    /// Sends a web page and calls it what was asked for.
    LyingType,
    /// Sends what was asked for and calls it a web page.
    OddType,
    /// Sends 1 MiB that unpacks to 1 GiB.
    GzipBomb,
    /// Sends the client elsewhere, where no key belongs.
    Redirect,
}

/// How a cut answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The connection closes within a chunked body.
    Closed,
    /// The chunked body ends as it should; only what it carries does not.
    Ended,
    /// The connection closes, and nothing had announced where the body would end.
    Unannounced,
    /// The connection is reset.
    Reset,
}

impl Cut {
    pub const ALL: [Self; 4] = [Self::Closed, Self::Ended, Self::Unannounced, Self::Reset];
}
