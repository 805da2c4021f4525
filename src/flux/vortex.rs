//! The background loop: it tends the lake and is idle when the lake is.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::Clock,
    lake::{Lake, TickReport},
};

/// Steps of one tick: bounds how long it holds the lake.
const STEPS: usize = 256;

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
        tokio::select! {
            () = cancelled.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now_ms = clock.now_ms();
        // Three atomic loads: what a tick costs while nothing changes.
        if lake.is_idle(now_ms) {
            continue;
        }
        match lake.tick(now_ms, STEPS).await {
            Ok(report) => ticked(&report),
            Err(error) => tracing::warn!(%error, "a tick of the Flux loop failed"),
        }
    }
}
