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
        if lake.is_idle(now_ms) {
            // While nothing changes, the loop does not even tick.
            tokio::select! {
                () = cancelled.cancelled() => return,
                () = lake.until_work(now_ms) => continue,
            }
        }
        match lake.tick(now_ms, STEPS).await {
            Ok(report) => ticked(&report),
            Err(error) => tracing::warn!(%error, "a tick of the Flux loop failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        domain::{FixedClock, ResponseId, Signal, TenantId},
        lake::{Curated, LakeOptions},
        store::Store,
    };

    fn pair(question: &str) -> Curated {
        Curated {
            question: question.to_owned(),
            answer: "x".to_owned(),
            canonical: None,
            source: None,
            signal: Signal::ONE,
            expires_ms: None,
            id: ResponseId::generate(),
            curated: true,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_loop_ticks_when_something_comes_and_sleeps_when_nothing_does() {
        let lake = Lake::open(Store::in_memory().unwrap(), LakeOptions::default()).await.unwrap();
        let (ticks, stop) = (AtomicUsize::new(0), CancellationToken::new());
        let clock = FixedClock(jiff::Timestamp::UNIX_EPOCH);
        let ticked = |_: &TickReport| {
            ticks.fetch_add(1, Ordering::Relaxed);
        };
        let period = Duration::from_millis(16);
        let tended = run_vortex(lake.clone(), period, &clock, ticked, stop.clone());
        let used = async {
            let tenant = TenantId::default();
            for expected in 1..=3 {
                lake.curate(&tenant, vec![pair(&expected.to_string())], 0).await.unwrap();
                tokio::time::sleep(Duration::from_millis(40)).await;
                assert_eq!(ticks.load(Ordering::Relaxed), expected);
                tokio::time::sleep(Duration::from_hours(1)).await;
                assert_eq!(ticks.load(Ordering::Relaxed), expected, "nothing came");
            }
            stop.cancel();
        };
        tokio::join!(tended, used);
    }
}
