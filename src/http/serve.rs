//! The accept loop. `axum::serve` sets no header timer and waits for open streams without end; this
//! one bounds connections, headers, idleness, stalled reads and the drain.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Readiness,
    guarded::{Guarded, Version},
    stalled,
};

/// Most requests that one HTTP/2 connection may have in flight.
const MAX_STREAMS: u32 = 128;
/// How often an HTTP/2 connection must show that its peer is alive, and how soon.
const HTTP2_PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Wait after the first of a row of failed accepts; doubled for each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);
/// Time for tasks to end once they were told to.
const FORCED_GRACE: Duration = Duration::from_secs(1);

/// How connections are served.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Most open connections; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Most bytes of a request's head; more is answered with status 431.
    pub max_header_bytes: usize,
    /// Time for a request's head to arrive; also how long a connection may idle between requests,
    /// so behind a load balancer it should be longer than the balancer's own idle time.
    pub header_timeout: Duration,
    /// Time for a client to take a piece of the response.
    pub write_timeout: Duration,
    /// Time between saying "not ready" and refusing connections, for load balancers to notice.
    pub drain_delay: Duration,
    /// Time for requests in flight to finish after that; then they are cut off.
    pub shutdown_grace: Duration,
    /// Set to ready when the loop starts, to draining when it is told to stop.
    pub readiness: Readiness,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_header_bytes: 16 * 1024,
            header_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            shutdown_grace: Duration::from_secs(10),
            readiness: Readiness::default(),
        }
    }
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeReport {
    /// Connections taken.
    pub accepted: u64,
    /// Tasks that were cut off when the grace ended: connections, and requests on HTTP/2.
    pub cut_off: usize,
}

/// Serves until `shutdown` ends, then drains: says "not ready", lets requests in flight finish, and
/// cuts off what is left when the grace is over. No task outlives this call.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> ServeReport {
    let server = Server::new(router, &options);
    options.readiness.ready();
    let mut accepted = 0;
    {
        let mut accepting = pin!(server.accept(&listener, options.max_connections, &mut accepted));
        tokio::select! {
            () = shutdown => options.readiness.drain(),
            () = &mut accepting => {}
        }
        let _ = timeout(options.drain_delay, accepting).await;
    }
    drop(listener);
    server.drain.cancel();
    server.tasks.close();
    let mut cut_off = 0;
    if timeout(options.shutdown_grace, server.tasks.wait()).await.is_err() {
        cut_off = server.tasks.len();
        server.force.cancel();
        let _ = timeout(FORCED_GRACE, server.tasks.wait()).await;
    }
    ServeReport { accepted, cut_off }
}

struct Server {
    service: TowerToHyperService<Router>,
    http1: http1::Builder,
    http2: http2::Builder<Executor>,
    header_timeout: Duration,
    write_timeout: Duration,
    /// Every connection, and every request on HTTP/2.
    tasks: TaskTracker,
    /// Asks connections to end after what they are doing.
    drain: CancellationToken,
    /// Ends them.
    force: CancellationToken,
}

impl Server {
    fn new(router: Router, options: &ServeOptions) -> Arc<Self> {
        let (tasks, force) = (TaskTracker::new(), CancellationToken::new());
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            .max_header_size(options.max_header_bytes);
        let executor = Executor {
            tasks: tasks.clone(),
            force: force.clone(),
            write_timeout: options.write_timeout,
        };
        let mut http2 = http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(HTTP2_PING.0)
            .keep_alive_timeout(HTTP2_PING.1)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(options.max_header_bytes).unwrap_or(u32::MAX));
        Arc::new(Self {
            service: TowerToHyperService::new(router),
            http1,
            http2,
            header_timeout: options.header_timeout,
            write_timeout: options.write_timeout,
            tasks,
            drain: CancellationToken::new(),
            force,
        })
    }

    /// Takes connections for ever, as many at once as there are places.
    async fn accept(self: &Arc<Self>, listener: &TcpListener, places: usize, accepted: &mut u64) {
        let places = Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)));
        let mut backoff = FIRST_BACKOFF;
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    backoff = FIRST_BACKOFF;
                    *accepted += 1;
                    let server = Arc::clone(self);
                    self.tasks.spawn(async move {
                        server.connection(stream).await;
                        drop(place);
                    });
                }
                // The client went before it was taken: nothing is wrong here.
                Err(error) if is_the_clients(&error) => {}
                // Out of file descriptors, most likely: taking it up at once would only spin.
                Err(error) => {
                    tracing::error!(kind = ?error.kind(), "cannot accept connections");
                    sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        // Without it, small writes wait for the peer's delayed acknowledgement (40 ms).
        let _ = stream.set_nodelay(true);
        let opening = timeout(self.header_timeout, Guarded::open(stream, self.write_timeout));
        let opened = tokio::select! {
            opened = opening => opened,
            () = self.drain.cancelled() => return,
        };
        // Who sends nothing, or too slowly, or leaves, gets no answer.
        let Ok(Ok((stream, version))) = opened else { return };
        let stream = TokioIo::new(stream);
        match version {
            Version::Http1 => {
                self.run(self.http1.serve_connection(stream, self.service.clone())).await
            }
            Version::Http2 => {
                self.run(self.http2.serve_connection(stream, self.service.clone())).await
            }
        }
    }

    /// Runs a connection to its end: its own, or after the request in flight when draining, or at
    /// once when forced.
    async fn run<C: GracefulConnection>(&self, connection: C) {
        let mut connection = pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.drain.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = connection => {}
            () = self.force.cancelled() => {}
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Runs the requests of HTTP/2 connections as tasks that are tracked, can be ended, and end when their
/// client takes nothing of the response.
#[derive(Clone)]
struct Executor {
    tasks: TaskTracker,
    force: CancellationToken,
    write_timeout: Duration,
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let (force, write_timeout) = (self.force.clone(), self.write_timeout);
        self.tasks.spawn(async move {
            tokio::select! {
                () = stalled::served(future, write_timeout) => {}
                () = force.cancelled() => {}
            }
        });
    }
}
