//! An upstream on a real socket that says what a test tells it to, byte for byte.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// What the upstream does with one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes and then nothing, until the client leaves.
    SendAndHang(Vec<u8>),
}

impl Reply {
    /// A whole JSON response.
    pub(super) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "content-type: application/json\r\n", body)
    }

    /// A whole response with these header lines, each ended by `\r\n`.
    pub(super) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n");
        Self::Send([head.as_bytes(), body.as_bytes()].concat())
    }

    /// A chat completion with this text.
    pub(super) fn answer(content: &str) -> Self {
        Self::json(200, &answer_body(content))
    }
}

/// The body of a chat completion.
pub(super) fn answer_body(content: &str) -> String {
    serde_json::json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m-2026-01-01",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": content },
            "finish_reason": "stop",
        }],
        "usage": { "prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500 },
    })
    .to_string()
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    asked: Notify,
    left: Notify,
}

/// The upstream. When it is dropped, every reply of its script must have been used.
#[derive(Debug)]
pub(super) struct Upstream {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Listens on a free port of the loopback address.
    pub(super) async fn start(script: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { script: Mutex::new(script.into()), ..Shared::default() });
        let accepting = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Arc::clone(&accepting)));
            }
        });
        Self { shared, port, task }
    }

    pub(super) fn base_url(&self) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/v1", self.port)).unwrap()
    }

    /// Heads and bodies received so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Connections accepted so far.
    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until a request has come.
    pub(super) async fn asked(&self) {
        self.shared.asked.notified().await;
    }

    /// Whatever of the script has not been used need not be.
    pub(super) fn forgive(&self) {
        self.shared.script.lock().unwrap().clear();
    }

    /// Waits until a client has left a reply that hangs.
    pub(super) async fn client_left(&self) {
        self.shared.left.notified().await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
        if !std::thread::panicking() {
            let script = self.shared.script.lock().unwrap();
            assert!(script.is_empty(), "replies that nobody asked for: {script:?}");
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = read_request(&mut stream).await {
        shared.requests.lock().unwrap().push(request);
        shared.asked.notify_one();
        let reply = shared.script.lock().unwrap().pop_front();
        match reply.expect("a request that the script does not know") {
            Reply::Send(bytes) => {
                // A client that has read enough may have left.
                let _sent = stream.write_all(&bytes).await;
            }
            Reply::SendAndClose(bytes) => {
                let _sent = stream.write_all(&bytes).await;
                let _closed = stream.shutdown().await;
                return;
            }
            Reply::SendAndHang(bytes) => {
                let _sent = stream.write_all(&bytes).await;
                // The client sends nothing more: the read ends when it leaves.
                let _ended = stream.read(&mut [0; 1]).await;
                shared.left.notify_one();
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
