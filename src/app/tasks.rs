//! Background tasks: each has a name, a supervisor, and is waited for at the end.

use std::{future::Future, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause before a task that ended by itself is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// The service's background tasks.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs a task until the service stops. `start` is called again should the task panic or
    /// return early: a background loop that dies silently is worse than one that restarts loudly.
    pub(super) fn supervise<F>(
        &self,
        name: &'static str,
        start: impl Fn(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            while !stop.is_cancelled() {
                let ended = tokio::spawn(start(stop.clone())).await;
                if stop.is_cancelled() {
                    break;
                }
                match ended {
                    Ok(()) => {
                        tracing::error!(task = name, "a background task ended early; it restarts")
                    }
                    Err(_) => {
                        tracing::error!(task = name, "a background task panicked; it restarts")
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(RESTART_AFTER) => {}
                }
            }
        });
    }

    /// Runs a task that cannot be started again, because it owns what it works on.
    pub(super) fn run_once<F>(&self, name: &'static str, start: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, task) = (self.stop.clone(), start(self.stop.clone()));
        self.tracker.spawn(async move {
            if tokio::spawn(task).await.is_err() || !stop.is_cancelled() {
                tracing::error!(task = name, "a background task ended early");
            }
        });
    }

    /// Runs a task that comes to an end of its own; a panic is told.
    pub(super) fn until_done<F>(
        &self,
        name: &'static str,
        start: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = start(self.stop.clone());
        self.tracker.spawn(async move {
            if tokio::spawn(task).await.is_err() {
                tracing::error!(task = name, "a background task panicked and is over");
            }
        });
    }

    /// Runs a task that has an end of its own; a stop cuts it off.
    pub(super) fn finish(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Tells every task to stop and waits until all have.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_starts_again_and_still_stops() {
        let starts = Arc::new(AtomicU32::new(0));
        let tasks = Tasks::default();
        let counted = Arc::clone(&starts);
        tasks.supervise("test", move |stop| {
            let start = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(start > 0, "the first start fails");
                stop.cancelled().await;
            }
        });
        tokio::time::sleep(RESTART_AFTER * 2).await;
        assert_eq!(starts.load(Ordering::Relaxed), 2);
        tasks.stop().await;
    }
}
