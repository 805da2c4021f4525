//! A server on a free port, and two ways of talking to it.

use std::{net::SocketAddr, sync::Once, time::Duration};

use axum::{Router, extract::FromRef};
use meta_orchestrator::http::{BodyLimits, RequestLimits, ServeOptions, ServeReport, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// Longer than anything here takes; reaching it is a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A running server. Stop it with [`Server::stop`], so that its report is seen.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ServeReport>,
}

impl Server {
    pub(super) async fn start(router: Router, options: ServeOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router, options, async {
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells it to stop; the report comes when it has drained.
    pub(super) fn stop(self) -> JoinHandle<ServeReport> {
        self.stop.send(()).unwrap();
        self.task
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(super) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(request).await;
        read_to_end(&mut stream).await
    }
}

/// What comes until the other side closes; a reset counts as closing.
pub(super) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = timeout(PATIENCE, reading).await.expect("the server never closed");
    String::from_utf8_lossy(&answer).into_owned()
}

pub(super) fn client() -> reqwest::Client {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap()
}

/// The limits that the routers of these tests read bodies with.
#[derive(Clone, Copy)]
pub(super) struct Limits;

impl FromRef<Limits> for BodyLimits {
    fn from_ref(_: &Limits) -> Self {
        Self { max_bytes: 2000, max_depth: 6, timeout: Duration::from_millis(300) }
    }
}

impl FromRef<Limits> for RequestLimits {
    fn from_ref(_: &Limits) -> Self {
        Self { max_input_chars: 100, max_context_passages: 2, ..Self::default() }
    }
}
