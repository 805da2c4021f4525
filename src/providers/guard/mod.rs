//! What stands between this service and a provider that misbehaves: a bound on calls under way, a
//! breaker, a budget of retries. One guard a provider; all of its models share it.

mod breaker;
mod failures;
mod retries;

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::domain::ModelError;
use breaker::{Breaker, Pass, Verdict};
use failures::Failures;
use retries::RetryBudget;

/// What a caller is told who finds all places taken.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);
/// A call that was given up sooner says little of its provider: the caller's patience was short.
const SHORTEST_TELLING_WAIT: Duration = Duration::from_secs(1);
/// So many times the usual time of an answer is no slowness any more.
const FAR_BEYOND_USUAL: u32 = 3;

/// The guards of all providers. Each knows the others, so that the last provider that works, or the
/// only one there is, is never held back.
#[derive(Debug, Default)]
pub struct Fleet {
    guards: Mutex<Vec<Weak<Guard>>>,
}

impl Fleet {
    /// A guard for one more provider.
    pub(in crate::providers) fn guard(self: &Arc<Self>, max_concurrent_calls: usize) -> Arc<Guard> {
        let guard = Arc::new(Guard {
            places: Arc::new(Semaphore::new(max_concurrent_calls.clamp(1, Semaphore::MAX_PERMITS))),
            condition: Mutex::new(Condition {
                breaker: Breaker::default(),
                retries: RetryBudget::new(Instant::now()),
                failures: Failures::default(),
            }),
            fleet: Arc::clone(self),
        });
        self.guards.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&guard));
        guard
    }

    /// Whether a provider other than this one takes calls.
    fn has_another(&self, guard: &Guard, now: Instant) -> bool {
        let guards: Vec<_> = {
            let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
            guards.iter().filter_map(Weak::upgrade).collect()
        };
        guards.iter().any(|other| {
            !std::ptr::eq(&raw const **other, guard) && !other.condition().breaker.is_open(now)
        })
    }
}

/// Guards one provider.
#[derive(Debug)]
pub(super) struct Guard {
    places: Arc<Semaphore>,
    condition: Mutex<Condition>,
    fleet: Arc<Fleet>,
}

#[derive(Debug)]
struct Condition {
    breaker: Breaker,
    retries: RetryBudget,
    failures: Failures,
}

impl Guard {
    /// Lets a call through, or says when to come back. A call is counted towards the retry budget.
    ///
    /// # Errors
    /// [`ModelError::Busy`], [`ModelError::Suspended`].
    pub(super) fn admit(self: &Arc<Self>) -> Result<Admission, ModelError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| ModelError::Busy { retry_after: BUSY_RETRY_AFTER })?;
        let now = Instant::now();
        // On a line of its own: the look at the other guards below must not find this one locked.
        let admitted = self.condition().breaker.admit(now);
        let pass = match admitted {
            Ok(pass) => pass,
            // Nobody else could answer: a call that may fail is better than one that is not made.
            Err(_) if !self.fleet.has_another(self, now) => Pass::Ordinary,
            Err(retry_after) => return Err(ModelError::Suspended { retry_after }),
        };
        Ok(Admission { guard: Arc::clone(self), pass: Some(pass), since: now, _place: place })
    }

    /// Counts a request, of which each earns a part of a retry.
    pub(super) fn requested(&self) {
        self.condition().retries.requested();
    }

    /// Takes a retry out of the budget; whether there was one.
    pub(super) fn may_retry(&self) -> bool {
        self.condition().retries.withdraw(Instant::now())
    }

    /// A call failed. Where the log is to say so: how many like it have failed unsaid.
    pub(super) fn failed(&self, cause: &'static str, attempt: u8) -> Option<u64> {
        self.condition().failures.note(cause, attempt, Instant::now())
    }

    /// A call succeeded: how many have failed unsaid before it.
    pub(super) fn succeeded(&self) -> u64 {
        self.condition().failures.end(Instant::now())
    }

    /// Whether a call now would be refused.
    pub(super) fn is_ailing(&self) -> bool {
        self.places.available_permits() == 0 || self.condition().breaker.is_open(Instant::now())
    }

    /// Whether the provider has failed so often that calls are held back, and not answered since.
    pub(super) fn is_down(&self) -> bool {
        self.condition().breaker.has_opened()
    }

    fn condition(&self) -> std::sync::MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call under way. Dropped without a verdict it says nothing of the provider.
#[derive(Debug)]
pub(super) struct Admission {
    guard: Arc<Guard>,
    pass: Option<Pass>,
    since: Instant,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    /// The call ended like this.
    pub(super) fn ended(mut self, result: Result<(), &ModelError>) {
        let verdict = match result {
            Ok(()) => Verdict::Works,
            Err(error) => verdict(error, self.since.elapsed()),
        };
        self.settle(verdict);
    }

    /// Another model was quicker. Who is slower than another has not failed: that counts against nobody
    /// whose words were coming, or who had been silent no longer than is usual for him. Silence far
    /// beyond that is a hang, which nobody else would find while others are quicker. `last_heard` is
    /// when the last bytes came, `usual` what 95 % of his answers take at most.
    pub(super) fn overtaken(mut self, last_heard: Option<Instant>, usual: Option<Duration>) {
        let silent = last_heard.unwrap_or(self.since).max(self.since).elapsed();
        let telling = SHORTEST_TELLING_WAIT.max(usual.unwrap_or_default() * FAR_BEYOND_USUAL);
        self.settle(if silent >= telling { Verdict::Fails } else { Verdict::Unheard });
    }

    fn settle(&mut self, verdict: Verdict) {
        let Some(pass) = self.pass.take() else { return };
        self.guard.condition().breaker.settle(pass, verdict, Instant::now());
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.settle(Verdict::Unheard);
    }
}

/// What an error says of the provider. Refused credentials and requests are the operator's affair,
/// and their errors should stay visible.
fn verdict(error: &ModelError, waited: Duration) -> Verdict {
    match error {
        ModelError::Unreachable
        | ModelError::Malformed
        | ModelError::TooLarge
        | ModelError::Cut => Verdict::Fails,
        ModelError::Status { status } if *status >= 500 => Verdict::Fails,
        ModelError::Timeout if waited >= SHORTEST_TELLING_WAIT => Verdict::Fails,
        ModelError::Status { .. } | ModelError::Empty => Verdict::Works,
        ModelError::RateLimited { .. } | ModelError::Unauthorized => Verdict::Unclear,
        ModelError::Timeout
        | ModelError::Busy { .. }
        | ModelError::Suspended { .. }
        | ModelError::Unsupported { .. }
        | ModelError::OverBudget => Verdict::Unheard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Result<(), &ModelError> = Err(&ModelError::Unreachable);

    fn fail(guard: &Arc<Guard>, times: usize) {
        for _ in 0..times {
            guard.admit().unwrap().ended(FAILED);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_provider_is_held_back_while_another_works() {
        let fleet = Arc::new(Fleet::default());
        let (failing, working) = (fleet.guard(8), fleet.guard(8));
        fail(&failing, 5);
        assert!(matches!(failing.admit().unwrap_err(), ModelError::Suspended { .. }));
        assert!(failing.is_ailing() && !working.is_ailing());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_provider_is_never_held_back() {
        let fleet = Arc::new(Fleet::default());
        let only = fleet.guard(8);
        fail(&only, 50);
        assert!(only.admit().is_ok());
        let other = fleet.guard(8);
        assert!(only.admit().is_err(), "another one has come");
        fail(&other, 5);
        assert!(only.admit().is_ok() && other.admit().is_ok(), "both fail: both may be tried");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_says_nothing_and_frees_its_place() {
        let fleet = Arc::new(Fleet::default());
        let (guard, _other) = (fleet.guard(2), fleet.guard(1));
        for _ in 0..50 {
            drop(guard.admit().unwrap());
        }
        let (_first, _second) = (guard.admit().unwrap(), guard.admit().unwrap());
        assert_eq!(guard.admit().unwrap_err(), ModelError::Busy { retry_after: BUSY_RETRY_AFTER },);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_counts_only_when_it_was_long() {
        let fleet = Arc::new(Fleet::default());
        let (guard, _other) = (fleet.guard(64), fleet.guard(1));
        for _ in 0..10 {
            guard.admit().unwrap().overtaken(None, None);
            guard.admit().unwrap().ended(Err(&ModelError::Timeout));
        }
        let slow: Vec<_> = (0..5).map(|_| guard.admit().unwrap()).collect();
        tokio::time::advance(SHORTEST_TELLING_WAIT).await;
        slow.into_iter().for_each(|admission| admission.overtaken(None, None));
        assert!(guard.admit().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_merely_slower_than_another_is_not_penalised() {
        let fleet = Arc::new(Fleet::default());
        let (guard, _other) = (fleet.guard(64), fleet.guard(1));
        let usual = Some(Duration::from_secs(2));
        let under_way: Vec<_> = (0..20).map(|_| guard.admit().unwrap()).collect();
        tokio::time::advance(Duration::from_secs(5)).await;
        for (call, admission) in under_way.into_iter().enumerate() {
            // The loser of a hedge after its 95th percentile; and one that was speaking until now.
            let (heard, usual) =
                if call % 2 == 0 { (None, usual) } else { (Some(Instant::now()), None) };
            admission.overtaken(heard, usual);
        }
        assert!(guard.admit().is_ok());
        let hanging: Vec<_> = (0..5).map(|_| guard.admit().unwrap()).collect();
        tokio::time::advance(Duration::from_secs(6)).await;
        hanging.into_iter().for_each(|admission| admission.overtaken(None, usual));
        assert!(guard.admit().is_err(), "three times as long without a byte is a hang");
    }

    #[test]
    fn two_failing_providers_do_not_lock_each_other_out() {
        let fleet = Arc::new(Fleet::default());
        let guards = [fleet.guard(64), fleet.guard(64)];
        guards.iter().for_each(|guard| fail(guard, 5));
        // Waits for the end in a thread of its own, so that a deadlock fails instead of hanging.
        let (done, ended) = std::sync::mpsc::channel();
        for guard in guards {
            let done = done.clone();
            std::thread::spawn(move || {
                for _ in 0..20_000 {
                    if let Ok(admission) = guard.admit() {
                        admission.ended(FAILED);
                    }
                }
                let _received = done.send(());
            });
        }
        for _ in 0..2 {
            ended.recv_timeout(Duration::from_secs(60)).unwrap();
        }
    }
}
