//! A connection that cannot be held open for nothing: its first bytes must come in time, and what
//! is written must be read in time.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What an HTTP/2 connection with prior knowledge begins with (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The version of HTTP that a client begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0 or 1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// A stream whose first bytes were read already, and whose writes time out.
pub(super) struct Guarded<S> {
    stream: S,
    head: Bytes,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Reads just enough to tell the version. Gives up by being dropped: the caller sets the time.
    ///
    /// # Errors
    /// When the client goes before it has begun.
    pub(super) async fn open(
        mut stream: S,
        write_timeout: Duration,
    ) -> io::Result<(Self, Version)> {
        let mut head = Vec::with_capacity(HTTP2_PREFACE.len());
        let version = loop {
            let missing = HTTP2_PREFACE.len() - head.len();
            if missing == 0 {
                break Version::Http2;
            }
            let read = (&mut stream).take(missing as u64).read_buf(&mut head).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !HTTP2_PREFACE.starts_with(&head) {
                break Version::Http1;
            }
        };
        Ok((Self { stream, head: head.into(), write_timeout, stalled: None }, version))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let length = self.head.len().min(buffer.remaining());
            buffer.put_slice(&self.head.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    /// Passes progress on, and turns a standstill into an error.
    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.progress(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // A socket has nothing to flush, and its end is sent at once: neither can stall.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    async fn opened(sent: &[&[u8]]) -> io::Result<(Version, Vec<u8>)> {
        let (mut client, server) = duplex(1024);
        let writes = async {
            for part in sent {
                client.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let (opened, ()) = tokio::join!(Guarded::open(server, Duration::from_secs(1)), writes);
        let (mut stream, version) = opened?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        Ok((version, all))
    }

    #[tokio::test]
    async fn the_version_is_told_and_no_byte_lost() {
        let get: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
        assert_eq!(opened(&[get]).await.unwrap(), (Version::Http1, get.to_vec()));
        let put: &[&[u8]] = &[b"P", b"UT / HTTP/1.1\r\n\r\n"];
        assert_eq!(opened(put).await.unwrap(), (Version::Http1, put.concat()));
        let http2: &[&[u8]] = &[b"PRI * HT", b"TP/2.0\r\n\r\nSM\r\n\r\n", b"frames"];
        assert_eq!(opened(http2).await.unwrap(), (Version::Http2, http2.concat()));
    }

    #[tokio::test]
    async fn who_goes_before_beginning_is_an_error() {
        for sent in [&[][..], &[&b"PRI *"[..]][..]] {
            assert_eq!(opened(sent).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_reads_is_cut_off() {
        let (mut client, server) = duplex(64);
        client.write_all(b"GET /").await.unwrap();
        let (mut stream, _) = Guarded::open(server, Duration::from_secs(5)).await.unwrap();
        let since = tokio::time::Instant::now();
        let error = stream.write_all(&[0; 128]).await.unwrap_err();
        assert_eq!(
            (error.kind(), since.elapsed()),
            (io::ErrorKind::TimedOut, Duration::from_secs(5))
        );
    }
}
