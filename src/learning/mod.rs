//! Turns the ledger's events into what the next policy knows. Answering never calls this room; it
//! appends to the ledger, and reads the policy and the figures that are published here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    bandit,
    domain::{
        Arm, Learned, LedgerEvent, OutcomeSource, Outlook, PolicyCell, Recorded, Signal, Tier,
    },
    lake::{Lake, Reward},
    ledger::{Ledger, LedgerError, LedgerObserver},
    performance::{Accuracy, Board, ExpertSummary, SnapshotCell},
    telemetry::{MeasuredShare, Metrics},
};

/// Under this name the fold's state is kept, so that a restart does not begin at the first event.
const SNAPSHOT: &str = "performance";

/// The fold over the ledger, and where its results go.
pub struct Learning {
    board: Mutex<Board>,
    policy: PolicyCell,
    snapshots: SnapshotCell,
    metrics: Metrics,
    lake: Option<Lake>,
    /// What is believed of each configured expert before any outcome.
    priors: RwLock<BTreeMap<String, Signal>>,
}

impl Learning {
    /// Nothing learned yet; results go to these cells. Of experts, those with a prior are
    /// published: the configured ones.
    #[must_use]
    pub fn new(
        policy: PolicyCell,
        snapshots: SnapshotCell,
        metrics: Metrics,
        lake: Option<Lake>,
        priors: BTreeMap<String, Signal>,
    ) -> Self {
        let priors = RwLock::new(priors);
        Self { board: Mutex::default(), policy, snapshots, metrics, lake, priors }
    }

    /// Takes up where an earlier run left off: the saved state, then every event since.
    ///
    /// # Errors
    /// [`LedgerError`] when the store cannot be read.
    pub async fn restore(&self, ledger: &Ledger) -> Result<u64, LedgerError> {
        /// Events read at once: bounds the memory that a long replay takes.
        const PAGE: usize = 4096;
        let mut board = match ledger.load_snapshot(SNAPSHOT).await? {
            // A state of another shape, from an older version, is folded anew.
            Some((_, bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
            None => Board::default(),
        };
        loop {
            let page = ledger.replay(board.last_seq(), PAGE).await?;
            page.iter().for_each(|recorded| board.fold(recorded));
            if page.len() < PAGE {
                break;
            }
        }
        let last = board.last_seq();
        // The lake keeps its own place: what it had not applied yet, it gets again.
        let mut after = self.lake.as_ref().map_or(last, Lake::rewarded_seq);
        while after < last {
            let page = ledger.replay(after, PAGE).await?;
            let Some(newest) = page.last() else { break };
            after = newest.seq;
            page.iter().for_each(|recorded| self.reward(recorded));
        }
        self.publish(&board, Changed { arms: true, promise: true });
        *self.board.lock().unwrap_or_else(PoisonError::into_inner) = board;
        Ok(last)
    }

    /// Saves the fold's state.
    ///
    /// # Errors
    /// [`LedgerError`] when the store fails.
    pub async fn checkpoint(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let (seq, bytes) = {
            let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            (board.last_seq(), serde_json::to_vec(&*board).unwrap_or_default())
        };
        if bytes.is_empty() {
            return Ok(());
        }
        ledger.save_snapshot(SNAPSHOT, seq, &bytes).await
    }

    /// An expert that was not configured at the start is believed to be right so often.
    pub fn know(&self, expert: &str, prior: Signal) {
        let mut priors = self.priors.write().unwrap_or_else(PoisonError::into_inner);
        priors.insert(expert.to_owned(), prior);
    }

    /// Another judge is in force: what is promised is worked out anew, by drafts that it judged.
    pub fn judged_anew(&self) {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        self.publish(&board, Changed { arms: false, promise: true });
    }

    /// `changed` says what may have changed beyond the figures.
    fn publish(&self, board: &Board, changed: Changed) {
        let snapshot = board.snapshot(&self.priors.read().unwrap_or_else(PoisonError::into_inner));
        let policy = self.policy.load();
        let outlook = if changed.arms {
            Arc::new(bandit::outlook(board.arms(), &policy.adaptive))
        } else {
            Arc::clone(&policy.outlook)
        };
        let promise = if changed.promise {
            board.audited().promise(policy.quality_target, policy.judged_by())
        } else {
            policy.promise
        };
        for (strategy, summary) in &snapshot.strategies {
            if let Some(a) = summary.accuracy {
                self.metrics.accuracy(*strategy, share(a));
            }
        }
        for (tier, summary) in &snapshot.tiers {
            if let Some(a) = summary.accuracy {
                self.metrics.tier_accuracy(*tier, share(a));
            }
        }
        for (complexity, _, accuracy) in &snapshot.complexities {
            if let Some(a) = accuracy {
                self.metrics.complexity_accuracy(*complexity, a.value);
            }
        }
        let baselines = snapshot.baselines;
        for (tier, alone) in
            [(Tier::Flux, baselines.always_fast), (Tier::Asi, baselines.always_slow)]
        {
            if let Some(a) = alone {
                self.metrics.baseline_accuracy(tier, a.value);
            }
        }
        for (strategy, summary) in &snapshot.strategies {
            if let Some(share) = summary.slow_share {
                self.metrics.slow_share(*strategy, share, baselines.static_mix(share));
            }
        }
        if changed.arms {
            self.show_arms(&outlook);
        }
        let standing = |expert: &ExpertSummary| (expert.name.clone(), expert.standing);
        self.policy.learned(&Learned {
            experts: Arc::new(snapshot.experts.iter().map(standing).collect()),
            outlook,
            chances: board.chances(),
            promise,
            judged_by: policy.judged_by().into(),
        });
        self.snapshots.publish(snapshot);
    }

    fn show_arms(&self, outlook: &Outlook) {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let needs = outlook.needs.len() as f64;
        for arm in Arm::ALL {
            let of_arm = outlook.needs.iter().filter_map(|arms| arms.get(arm.index()));
            self.metrics.arm_share(arm, of_arm.map(|e| e.share).sum::<f64>() / needs);
        }
    }

    /// The answer that was judged, and the remembered one that it came from, move on the ladder.
    fn reward(&self, recorded: &Recorded) {
        let (Some(lake), Some(reward)) = (&self.lake, Reward::of(recorded)) else { return };
        if !lake.reward(reward) {
            tracing::warn!("too many outcomes wait for the lake; one did not move its ladder");
        }
    }
}

/// What a commit may have changed beyond the figures: each is worked out anew only then.
#[derive(Debug, Clone, Copy)]
struct Changed {
    /// What is known of Adaptive's arms, or its aim.
    arms: bool,
    /// The evidence behind the quality target, or the target.
    promise: bool,
}

/// Whether an event may be evidence for the quality target, or changes it.
fn concerns_promise(recorded: &Recorded) -> bool {
    match &recorded.event {
        LedgerEvent::Decision(decision) => {
            decision.draft.as_ref().is_some_and(|d| d.agrees.is_some())
        }
        LedgerEvent::Outcome(outcome) => outcome.source == OutcomeSource::Audit,
        LedgerEvent::Agreement(_) | LedgerEvent::Policy(_) => true,
    }
}

/// Whether an event says anything of Adaptive's arms, or changes what it aims at.
fn concerns_arms(recorded: &Recorded) -> bool {
    match &recorded.event {
        LedgerEvent::Decision(decision) => decision.arm.is_some(),
        LedgerEvent::Outcome(_) => recorded.decision.as_ref().is_some_and(|d| d.arm.is_some()),
        LedgerEvent::Agreement(_) => false,
        LedgerEvent::Policy(_) => true,
    }
}

fn share(accuracy: Accuracy) -> MeasuredShare {
    let Accuracy { value, ci95, n, .. } = accuracy;
    MeasuredShare { value, lower: ci95.lower, upper: ci95.upper, outcomes: n }
}

impl LedgerObserver for Learning {
    fn observe(&self, recorded: &[Recorded], took: Duration) {
        self.metrics.ledger_committed(recorded.len() as u64, took);
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        for event in recorded {
            board.fold(event);
            self.reward(event);
            // Published before the change is acknowledged, so that whoever comes second sees it.
            if let LedgerEvent::Policy(change) = &event.event {
                self.policy.publish(&change.policy);
            }
            if let (LedgerEvent::Outcome(outcome), Some(decision)) = (&event.event, &event.decision)
            {
                self.metrics.outcome(decision.strategy, outcome.score);
            }
        }
        self.publish(
            &board,
            Changed {
                arms: recorded.iter().any(concerns_arms),
                promise: recorded.iter().any(concerns_promise),
            },
        );
    }

    fn lost(&self, events: usize) {
        self.metrics.ledger_failed(events as u64);
    }
}
