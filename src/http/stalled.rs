//! HTTP/2 responses that their client does not take. A connection whose socket stands still is cut
//! off by [`super::guarded`]; here the socket moves, and one stream's window stays shut (RFC 9113,
//! 5.2), so that the response would keep its place for ever.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, sleep};

tokio::task_local! {
    /// The watch over the request that this task serves.
    static WATCH: Arc<Stall>;
}

/// Since when the client lets a response wait.
#[derive(Debug, Default)]
struct Stall(Mutex<Option<Instant>>);

impl Stall {
    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Ends when the client has let the response wait for so long.
    async fn lasts(&self, patience: Duration) {
        loop {
            sleep(patience / 4).await;
            let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_some_and(|since| since.elapsed() >= patience) {
                return;
            }
        }
    }
}

/// Serves one request; gives it up when its client takes nothing of the response for so long.
pub(super) async fn served<F: Future>(serving: F, patience: Duration) {
    let stall = Arc::new(Stall::default());
    tokio::select! {
        _ = WATCH.scope(Arc::clone(&stall), serving) => {}
        () = stall.lasts(patience) => tracing::debug!("a client did not take its response"),
    }
}

/// Lets the watch over this request, where there is one, know when the client takes a piece.
pub(super) fn watched(body: Body) -> Body {
    match WATCH.try_with(Arc::clone) {
        Ok(stall) => {
            stall.set(Some(Instant::now()));
            Body::new(Watched { body, stall })
        }
        Err(_) => body,
    }
}

/// A body that is looked at only when the client has room for more.
struct Watched {
    body: Body,
    stall: Arc<Stall>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        // While there is nothing to take, the client waits for us.
        self.stall.set(polled.is_ready().then(Instant::now));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(4);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_and_who_waits_for_us_is_not() {
        let since = Instant::now();
        let ignored = async {
            let _body = watched(Body::from("never taken"));
            std::future::pending::<()>().await;
        };
        served(ignored, PATIENCE).await;
        assert!((PATIENCE..PATIENCE * 2).contains(&since.elapsed()), "{:?}", since.elapsed());

        let slow = async {
            let silent = futures_util::stream::pending::<Result<Bytes, std::convert::Infallible>>();
            let body = watched(Body::from_stream(silent));
            let _never = body.collect().await;
        };
        assert!(timeout(PATIENCE * 10, served(slow, PATIENCE)).await.is_err());
    }
}
