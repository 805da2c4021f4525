//! The service's life: bind, assemble, serve, drain, stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::{App, StartError, assemble};
use crate::{
    domain::Policy,
    http::{self, ApiState, BodyLimits, HttpTelemetry, Readiness, RequestLimits, ServeOptions},
    settings::Settings,
    telemetry::Metrics,
};

/// Time for the work behind streams to end once its responses are gone.
const STREAMS_END_WITHIN: Duration = Duration::from_secs(1);

/// Why the service did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}; choose another with --listen ADDR")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The service could not be assembled.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system refuses to tell of signals.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
}

/// A service that listens.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where it listens.
    pub address: SocketAddr,
    /// Models of the AI tier, best first.
    pub models: Vec<String>,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// Whether that policy was set through the API in an earlier life.
    pub stored_policy: bool,
}

/// Serves until SIGTERM or Ctrl-C, then drains and stops in order. `started` is called once the
/// service listens.
///
/// # Errors
/// [`RunError`] when it cannot start.
pub async fn run(
    settings: &Settings,
    reset_policy: bool,
    started: impl FnOnce(&Started),
) -> Result<(), RunError> {
    let address = settings.server.listen;
    // Bound before anything is opened: a second service on the same address fails at once.
    let listener =
        TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })?;
    let address = listener.local_addr().map_err(|source| RunError::Listen { address, source })?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let app = assemble(settings, reset_policy).await?;
    for skipped in &app.documents.skipped {
        tracing::warn!(document = %skipped.document, reason = %skipped.reason, "a document was left out");
    }
    started(&Started {
        address,
        models: app.models.clone(),
        policy: app.meta.policy(),
        stored_policy: app.stored_policy,
    });
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    let (readiness, metrics) = (Readiness::default(), app.metrics.clone());
    let draining = metrics.clone();
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        draining.ready(false);
        tracing::info!("draining");
    };
    metrics.ready(true);
    let streams = TaskTracker::new();
    let router = http::router(state(settings, &app, readiness.clone(), streams.clone()));
    let report = http::serve(listener, router, options(settings, readiness), shutdown).await;
    // The work of streams that were cut off has been told to end; what it records comes before the
    // ledger's own end.
    streams.close();
    let _late = timeout(STREAMS_END_WITHIN, streams.wait()).await;
    app.stop().await;
    tracing::info!(connections = report.accepted, cut_off = report.cut_off, "stopped");
    Ok(())
}

fn state(settings: &Settings, app: &App, readiness: Readiness, streams: TaskTracker) -> ApiState {
    let (limits, server) = (&settings.limits, &settings.server);
    for path in http::paths() {
        app.metrics.know_route(&path);
    }
    ApiState {
        orchestrator: Arc::clone(&app.meta),
        telemetry: Arc::new(Exporter(app.metrics.clone())),
        readiness,
        body_limits: BodyLimits {
            max_bytes: server.max_body_bytes,
            max_depth: limits.max_json_depth,
            timeout: server.header_timeout,
        },
        request_limits: RequestLimits {
            max_input_chars: limits.max_input_chars,
            max_context_passages: limits.max_context_passages,
            max_context_chars: limits.max_context_chars,
            default_deadline: limits.default_deadline,
            max_deadline: limits.max_deadline,
        },
        max_in_flight: server.max_in_flight,
        streams,
    }
}

fn options(settings: &Settings, readiness: Readiness) -> ServeOptions {
    let server = &settings.server;
    ServeOptions {
        max_connections: server.max_connections,
        max_header_bytes: server.max_header_bytes,
        header_timeout: server.header_timeout,
        shutdown_grace: server.shutdown_grace,
        readiness,
        ..ServeOptions::default()
    }
}

/// Hands what the public face counts to the metrics.
struct Exporter(Metrics);

impl HttpTelemetry for Exporter {
    fn answered(&self, method: &'static str, route: &str, status: u16, duration: Duration) {
        self.0.http(method, Some(route), status, duration);
    }

    fn render(&self) -> String {
        self.0.render()
    }
}
