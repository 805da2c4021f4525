//! Who is audited: one admission for every draft, before it is known what becomes of it.
//!
//! The quality target is judged by drafts that were kept and by drafts that were escalated. Were the
//! one kind turned away more often than the other (a full queue, a spent budget), what is left would
//! speak for another traffic than the real one. So each draft is admitted, or not, at the moment when
//! it stands, by the same dice, the same queue and the same budget; and who is admitted has a place.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::audit::Job;
use crate::telemetry::{AuditResult, Metrics};

/// The span that the budget is for.
const HOUR: Duration = Duration::from_secs(3600);

/// Picks drafts to be audited and keeps a place for them.
pub struct Auditor {
    rate: f64,
    queue: mpsc::Sender<Job>,
    budget: SharedBudget,
    metrics: Metrics,
}

/// A place among the audits, and the money for it. Dropped, both are free again.
#[derive(Debug)]
pub(super) struct Admission {
    place: mpsc::OwnedPermit<Job>,
    money: Reserved,
}

impl Auditor {
    /// An auditor of this share of drafts; who is admitted is sent to this queue.
    pub(super) fn new(
        rate: f64,
        queue: mpsc::Sender<Job>,
        usd_per_hour: f64,
        metrics: Metrics,
    ) -> Self {
        let budget = SharedBudget::new(usd_per_hour);
        Self { rate: rate.min(1.0), queue, budget, metrics }
    }

    /// Admits a draft that these dice, from [0, 1), pick, as far as there is a place and money. It is
    /// asked as soon as the draft stands, so that neither depends on whether it is going to be kept.
    pub(super) fn admit(&self, dice: f64) -> Option<Admission> {
        if dice >= self.rate {
            return None;
        }
        let place = self.queue.clone().try_reserve_owned().ok();
        let admission = place.zip(self.budget.reserve());
        if admission.is_none() {
            self.metrics.audited(AuditResult::Dropped);
        }
        admission.map(|(place, money)| Admission { place, money })
    }
}

impl Admission {
    /// Hands the job over.
    pub(super) fn submit(self, job: impl FnOnce(Reserved) -> Job) {
        self.place.send(job(self.money));
    }
}

/// What audits may cost an hour.
#[derive(Debug, Clone)]
struct SharedBudget(Arc<Mutex<Budget>>);

#[derive(Debug)]
struct Budget {
    usd_per_hour: f64,
    began: Instant,
    spent: f64,
    /// Audits that are admitted and not paid yet.
    open: u32,
    /// What the dearest audit cost so far: as much is set aside for each that is open.
    dearest: f64,
}

impl SharedBudget {
    fn new(usd_per_hour: f64) -> Self {
        let began = Instant::now();
        Self(Arc::new(Mutex::new(Budget {
            usd_per_hour,
            began,
            spent: 0.0,
            open: 0,
            dearest: 0.0,
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Budget) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The money for one more audit, unless the hour's is spent or set aside.
    fn reserve(&self) -> Option<Reserved> {
        self.with(|budget| {
            if budget.began.elapsed() >= HOUR {
                (budget.began, budget.spent) = (Instant::now(), 0.0);
            }
            let committed = f64::from(budget.open).mul_add(budget.dearest, budget.spent);
            (committed < budget.usd_per_hour).then(|| {
                budget.open += 1;
                Reserved(self.clone())
            })
        })
    }
}

/// Money that is set aside for one audit until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved(SharedBudget);

impl Reserved {
    /// The audit cost so much, in US dollars.
    pub(super) fn paid(self, usd: f64) {
        self.0.with(|budget| {
            budget.spent += usd;
            budget.dearest = budget.dearest.max(usd);
        });
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.0.with(|budget| budget.open = budget.open.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_for_an_hour() {
        let budget = SharedBudget::new(1.0);
        budget.reserve().unwrap().paid(1.0);
        assert!(budget.reserve().is_none());
        tokio::time::advance(HOUR).await;
        assert!(budget.reserve().is_some(), "the next hour has its own");
    }

    #[test]
    fn money_is_set_aside_for_every_audit_that_is_under_way() {
        let budget = SharedBudget::new(1.0);
        budget.reserve().unwrap().paid(0.3);
        let open: Vec<Reserved> = std::iter::from_fn(|| budget.reserve()).take(10).collect();
        assert_eq!(open.len(), 3, "three more at the price of the dearest");
        drop(open);
        assert!(budget.reserve().is_some(), "what was given up has cost nothing");
        assert!(SharedBudget::new(0.0).reserve().is_none(), "no money, no audits");
    }

    #[test]
    fn a_queue_of_one_turns_away_whoever_comes_second_and_frees_its_place() {
        let (queue, jobs) = mpsc::channel(1);
        let auditor = Auditor::new(1.0, queue, 1.0, Metrics::new());
        let first = auditor.admit(0.5).unwrap();
        assert!(auditor.admit(0.5).is_none(), "the only place is taken");
        drop(first);
        let again = auditor.admit(0.5);
        assert!(again.is_some(), "whose draft was escalated needs its place no longer");
        drop(again);
        drop(jobs);
        assert!(auditor.admit(0.5).is_none(), "nobody audits any more");
    }

    #[test]
    fn dice_pick_the_share_that_is_audited() {
        let (queue, _jobs) = mpsc::channel(1);
        let auditor = Auditor::new(0.02, queue, 1.0, Metrics::new());
        assert!(auditor.admit(0.02).is_none());
        assert!(auditor.admit(0.019).is_some());
    }
}
