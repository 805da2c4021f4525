//! An upstream on a real socket that misbehaves in every way that upstreams do, and counts what the
//! service does about it.
//!
//! It speaks OpenAI's dialect, Anthropic's and Ollama's over hand-written HTTP/1.1, because no server library can be made to
//! break the protocol on purpose.

mod connection;
mod counts;
mod dialect;
mod mode;
mod plan;
mod providers;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

pub use counts::{Call, Seen};
pub use dialect::{Dialect, recorded};
pub use mode::{Cut, Mode};
pub use providers::{Bounds, serve, serve_bounded};
pub use wire::GOOD_ANSWER;
pub(in crate::support) use wire::{completion, events};

use counts::Counts;

/// Connections that the kernel may hold for us; more than any test opens at once.
const BACKLOG: u32 = 4096;

/// A running upstream. Dropping it closes its port and its connections.
pub struct Evil {
    address: SocketAddr,
    counts: Arc<Counts>,
    door: Mutex<Option<Door>>,
    dialect: Dialect,
}

/// The open port, with all that came in by it.
struct Door {
    accepting: JoinHandle<()>,
    close: CancellationToken,
}

impl Evil {
    /// Listens on a free port of the loopback address and treats every request like this, until told
    /// otherwise.
    pub async fn start(mode: Mode) -> Self {
        Self::speaking(Dialect::OpenAi, mode).await
    }

    /// The same for a provider of this dialect. Whatever is asked is answered as its path demands;
    /// the dialect is for the configuration.
    pub async fn speaking(dialect: Dialect, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (counts, door) = (Arc::new(Counts::default()), Mutex::new(None));
        let evil = Self { address, counts, door, dialect };
        if mode == Mode::Refuse {
            drop(listener);
        } else {
            evil.open(listener);
        }
        evil.counts.treat_all(vec![mode]);
        evil
    }

    /// Treats every request like this from now on. [`Mode::Refuse`] closes the port and all that
    /// came in by it, as a crash does; any other mode opens it again.
    pub async fn be(&self, mode: Mode) {
        self.counts.treat_all(vec![mode]);
        if mode == Mode::Refuse {
            let door = self.door.lock().unwrap().take();
            if let Some(door) = door {
                door.close.cancel();
                door.accepting.await.unwrap();
            }
        } else if self.door.lock().unwrap().is_none() {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(self.address).unwrap();
            self.open(socket.listen(BACKLOG).unwrap());
        }
    }

    /// Treats requests like these in turn from now on, over and over.
    pub fn rotate(&self, modes: Vec<Mode>) {
        assert!(!modes.contains(&Mode::Refuse), "a port is open or closed for everybody");
        self.counts.treat_all(modes);
    }

    /// Treats the next requests like these, one each; those after them as before.
    pub fn script(&self, modes: impl IntoIterator<Item = Mode>) {
        self.counts.treat_next(modes);
    }

    /// Where a provider of this mode is found.
    pub fn base_url(&self) -> String {
        let port = self.address.port();
        match self.counts.standing() {
            Mode::NoSuchHost => format!("http://upstream.invalid:{port}/v1"),
            Mode::TlsGarbage | Mode::TlsSilence => format!("https://127.0.0.1:{port}/v1"),
            _ => format!("http://127.0.0.1:{port}/v1"),
        }
    }

    /// What was counted so far.
    pub fn seen(&self) -> Seen {
        self.counts.seen()
    }

    /// The latest calls, oldest first; at most [`counts::MOST_CALLS`].
    pub fn calls(&self) -> Vec<Call> {
        self.counts.calls()
    }

    /// Waits until no connection is at work: each is closed, or waits for its next request after a
    /// whole answer. Says whether that came in time.
    pub async fn falls_quiet(&self, within: Duration) -> bool {
        self.until(within, |seen| seen.busy == 0).await
    }

    /// Waits until what was counted is like this. Says whether that came in time.
    pub async fn until(&self, within: Duration, like_this: impl Fn(&Seen) -> bool) -> bool {
        comes_true(within, || like_this(&self.seen())).await
    }

    /// Waits for a call with this text in some message, that is one of the latest when it comes.
    /// Says whether it came in time.
    pub async fn is_asked(&self, text: &str, within: Duration) -> bool {
        comes_true(within, || self.counts.lately(text)).await
    }

    fn open(&self, listener: TcpListener) {
        let close = CancellationToken::new();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&self.counts), close.clone()));
        *self.door.lock().unwrap() = Some(Door { accepting, close });
    }
}

impl Drop for Evil {
    fn drop(&mut self) {
        if let Some(door) = self.door.lock().unwrap().take() {
            door.close.cancel();
        }
    }
}

async fn comes_true(within: Duration, it: impl Fn() -> bool) -> bool {
    let end = Instant::now() + within;
    while !it() {
        if Instant::now() >= end {
            return false;
        }
        sleep(Duration::from_millis(10)).await;
    }
    true
}

async fn accept(listener: TcpListener, counts: Arc<Counts>, close: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = close.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Such as too many open files: the connection is lost, not the upstream.
                Err(_) => continue,
            },
        };
        tokio::spawn(connection::serve(stream, Arc::clone(&counts), close.clone()));
    }
}
