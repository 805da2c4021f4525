//! The background loop: it tends the lake and is idle when the lake is.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Clock,
    lake::{Lake, TickReport},
};

/// Tends the lake until cancelled: at most one tick per `period`, and none while nothing changed.
/// `ticked` hears of each tick that had something to do.
pub async fn run_vortex(
    lake: Lake,
    period: Duration,
    clock: &dyn Clock,
    ticked: impl Fn(&TickReport) + Send,
    cancelled: CancellationToken,
) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Sleeping until there is work is what makes an idle loop free.
        tokio::select! {
            () = cancelled.cancelled() => return,
            () = lake.has_work() => {}
        }
        tokio::select! {
            () = cancelled.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match lake.tick(clock.now_ms()).await {
            Ok(report) => ticked(&report),
            Err(error) => tracing::warn!(%error, "a tick of the Flux loop failed"),
        }
    }
}
