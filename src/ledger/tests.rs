//! The ledger as its users see it, over real stores.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    domain::{
        ComplexityTier, Ended, OutcomeRecord, OutcomeSource, PolicyRecord, ResponseId, Route,
        Strategy, TenantId, Tier,
    },
    store::faults::Disk,
};

#[derive(Default)]
struct Witness {
    seen: Mutex<Vec<Recorded>>,
    commits: AtomicU64,
    lost: AtomicU64,
}

impl LedgerObserver for Witness {
    fn observe(&self, recorded: &[Recorded], _took: Duration) {
        self.seen.lock().unwrap().extend_from_slice(recorded);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    fn lost(&self, events: usize) {
        self.lost.fetch_add(events as u64, Ordering::Relaxed);
    }
}

impl Witness {
    fn seen(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap().clone()
    }
}

/// A running ledger.
struct Running {
    ledger: Ledger,
    witness: Arc<Witness>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn on(store: &Store, options: LedgerOptions) -> Self {
        let witness = Arc::new(Witness::default());
        let observers = vec![Arc::clone(&witness) as Arc<dyn LedgerObserver>];
        let (ledger, task) = Ledger::open(store.clone(), observers, options).await.unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(task.run(shutdown.clone()));
        Self { ledger, witness, shutdown, task }
    }

    async fn new() -> Self {
        Self::on(&Store::in_memory().unwrap(), LedgerOptions::default()).await
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn decision(owner: &str, id: ResponseId) -> LedgerEvent {
    LedgerEvent::Decision(Arc::new(DecisionRecord {
        id,
        tenant: tenant(owner),
        at_ms: 1,
        policy_version: 1,
        strategy: Strategy::Hybrid,
        route: Route::Flux,
        mode: None,
        arm: None,
        probability: 1.0,
        complexity: 0.1,
        complexity_tier: ComplexityTier::Simple,
        escalation: 0.2,
        ended: Ended::Answered,
        tier: Some(Tier::Flux),
        source: None,
        confidence: 0.9,
        recalled_from: None,
        recalled_likeness: None,
        duration_us: 120,
        flux: Some((100, Ended::Answered)),
        draft: None,
        asi: None,
        votes: Vec::new(),
        cost_usd: Some(0.1),
        cost_unknown: false,
        error: Some(Cow::Borrowed("timeout")),
    }))
}

fn outcome(owner: &str, response: ResponseId, score: f64) -> LedgerEvent {
    LedgerEvent::Outcome(OutcomeRecord {
        response,
        tenant: tenant(owner),
        at_ms: 2,
        score,
        source: OutcomeSource::Feedback,
        probability: None,
        principal: None,
    })
}

fn policy(version: u64) -> LedgerEvent {
    let policy = Policy { version, ..Policy::default() };
    LedgerEvent::Policy(PolicyRecord { at_ms: 3, policy: Arc::new(policy) })
}

#[tokio::test]
async fn events_count_up_without_gaps_and_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let id = ResponseId::generate();
    for start in [0, 4] {
        let store = Store::open(&path).unwrap();
        let running = Running::on(&store, LedgerOptions::default()).await;
        let ledger = &running.ledger;
        assert_eq!(ledger.status().last_seq, start);
        if start == 0 {
            assert_eq!(ledger.append(decision("a", id)).await.unwrap().seq, 1);
            assert_eq!(ledger.append(outcome("a", id, 1.0)).await.unwrap().seq, 2);
            assert_eq!(ledger.append(policy(7)).await.unwrap().seq, 3);
            ledger.append(outcome("b", id, 1.0)).await.unwrap_err();
            ledger.append(decision("a", ResponseId::generate())).await.unwrap();
            assert_eq!(running.witness.seen(), ledger.replay(0, 100).await.unwrap());
        }
        let recorded = ledger.replay(0, 100).await.unwrap();
        assert_eq!(recorded.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(recorded[0].event, decision("a", id));
        assert_eq!(ledger.replay(1, 1).await.unwrap(), recorded[1..2]);
        assert_eq!(ledger.policy().await.unwrap().unwrap().version, 7);
        running.stop().await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn another_tenants_response_is_as_unknown_as_none() {
    let running = Running::new().await;
    let (id, other) = (ResponseId::generate(), ResponseId::generate());
    running.ledger.append(decision("alice", id)).await.unwrap();
    let theirs = running.ledger.append(outcome("bob", id, 1.0)).await.unwrap_err();
    let nobodys = running.ledger.append(outcome("bob", other, 1.0)).await.unwrap_err();
    assert_eq!(theirs, LedgerError::UnknownResponse);
    assert_eq!(theirs.to_string(), nobodys.to_string());
    // The same id under two tenants is two responses.
    running.ledger.append(decision("bob", id)).await.unwrap();
    let judged = running.ledger.append(outcome("bob", id, 0.0)).await.unwrap();
    assert_eq!(judged.decision.unwrap().tenant, tenant("bob"));
    assert_eq!(judged.previous_score, None);
}

#[tokio::test]
async fn an_audit_gives_way_to_what_anybody_says() {
    let running = Running::new().await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    let audit = |score| {
        let LedgerEvent::Outcome(outcome) = outcome("a", id, score) else { unreachable!() };
        let source = OutcomeSource::Audit;
        LedgerEvent::Outcome(OutcomeRecord { source, probability: Some(0.02), ..outcome })
    };
    ledger.append(decision("a", id)).await.unwrap();
    let first = ledger.append(audit(1.0)).await.unwrap();
    assert!(!first.repeated);
    let said = ledger.append(outcome("a", id, 0.0)).await.unwrap();
    assert_eq!((said.repeated, said.previous_score), (false, Some(1.0)));
    let late = ledger.append(audit(1.0)).await.unwrap();
    assert!(late.repeated, "an audit does not overrule anybody, nor is one counted twice");
    let kept = ledger.replay(0, 100).await.unwrap();
    assert_eq!(kept.last().unwrap().previous_probability, Some(0.02));
    let impossible = OutcomeRecord {
        response: id,
        tenant: tenant("a"),
        at_ms: 0,
        score: 1.0,
        source: OutcomeSource::Audit,
        probability: Some(0.0),
        principal: None,
    };
    let refused = ledger.append(LedgerEvent::Outcome(impossible)).await.unwrap_err();
    assert_eq!(refused, LedgerError::Invalid("score"));
}

#[tokio::test]
async fn an_audit_that_comes_after_feedback_is_kept_as_an_agreement_once() {
    let running = Running::new().await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    let audit = |score| {
        let LedgerEvent::Outcome(outcome) = outcome("a", id, score) else { unreachable!() };
        let source = OutcomeSource::Audit;
        LedgerEvent::Outcome(OutcomeRecord { source, probability: Some(0.02), ..outcome })
    };
    ledger.append(decision("a", id)).await.unwrap();
    ledger.append(outcome("a", id, 1.0)).await.unwrap();
    assert!(!ledger.append(audit(0.0)).await.unwrap().repeated);
    assert!(ledger.append(audit(0.0)).await.unwrap().repeated);
    let revised = ledger.append(outcome("a", id, 0.2)).await.unwrap();
    assert_eq!(revised.previous_score, Some(1.0), "what was said stayed as it was");
    assert!(ledger.append(audit(1.0)).await.unwrap().repeated);
    let events = ledger.replay(0, 100).await.unwrap();
    let agreements: Vec<_> = events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            LedgerEvent::Agreement(audit) => {
                Some((audit.agrees, recorded.decision.as_ref().map(|decision| decision.id)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(agreements, [(false, Some(id))]);
}

#[tokio::test]
async fn a_repeated_outcome_counts_once_and_a_different_one_revises() {
    let running = Running::new().await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    ledger.append(decision("a", id)).await.unwrap();
    let first = ledger.append(outcome("a", id, 1.0)).await.unwrap();
    let again = ledger.append(outcome("a", id, 1.0)).await.unwrap();
    assert_eq!((first.seq, first.repeated, first.previous_score), (2, false, None));
    assert_eq!((again.seq, again.repeated, again.previous_score), (2, true, None));
    let revised = ledger.append(outcome("a", id, 0.0)).await.unwrap();
    assert_eq!((revised.seq, revised.repeated, revised.previous_score), (3, false, Some(1.0)));
    let back = ledger.append(outcome("a", id, 1.0)).await.unwrap();
    assert_eq!(back.previous_score, Some(0.0));
    let twice = ledger.append(decision("a", id)).await.unwrap();
    assert_eq!((twice.seq, twice.repeated), (1, true));
    assert_eq!(ledger.status().last_seq, 4);
    assert_eq!(running.witness.seen(), ledger.replay(0, 100).await.unwrap());
}

#[tokio::test]
async fn events_of_one_commit_see_each_other() {
    let store = Store::in_memory().unwrap();
    let (ledger, task) = Ledger::open(store, Vec::new(), LedgerOptions::default()).await.unwrap();
    let id = ResponseId::generate();
    // All are queued before the task starts, so that they share a commit.
    let queued = async {
        tokio::join!(
            ledger.append(decision("a", id)),
            ledger.append(outcome("a", id, 1.0)),
            ledger.append(outcome("a", id, 1.0)),
            ledger.append(outcome("a", id, 0.5)),
            ledger.append(policy(4)),
            ledger.append(policy(4)),
            ledger.append(policy(5)),
        )
    };
    let shutdown = CancellationToken::new();
    let (results, ()) = tokio::join!(
        async {
            let results = queued.await;
            shutdown.cancel();
            results
        },
        task.run(shutdown.clone()),
    );
    assert_eq!(results.0.unwrap().seq, 1);
    assert_eq!(results.1.unwrap().seq, 2);
    assert!(results.2.unwrap().repeated);
    assert_eq!(results.3.unwrap().previous_score, Some(1.0));
    assert_eq!(results.4.unwrap().seq, 4);
    assert_eq!(results.5.unwrap_err(), LedgerError::PolicyConflict { current: 4 });
    assert_eq!(results.6.unwrap().seq, 5);
}

#[tokio::test]
async fn a_policy_must_follow_the_current_one() {
    let running = Running::new().await;
    running.ledger.append(policy(2)).await.unwrap();
    for wrong in [2, 1, 4] {
        let refused = running.ledger.append(policy(wrong)).await.unwrap_err();
        assert_eq!(refused, LedgerError::PolicyConflict { current: 2 });
    }
    running.ledger.append(policy(3)).await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_read_back_is_refused() {
    let running = Running::new().await;
    let id = ResponseId::generate();
    running.ledger.append(decision("a", id)).await.unwrap();
    for score in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let refused = running.ledger.append(outcome("a", id, score)).await.unwrap_err();
        assert_eq!(refused, LedgerError::Invalid("score"));
    }
    let LedgerEvent::Decision(valid) = decision("a", ResponseId::generate()) else { return };
    let broken = DecisionRecord { escalation: f64::NAN, ..(*valid).clone() };
    let refused = running.ledger.append(LedgerEvent::Decision(Arc::new(broken))).await;
    assert_eq!(refused.unwrap_err(), LedgerError::Invalid("decision"));
    assert_eq!(running.ledger.status().last_seq, 1);
}

#[tokio::test]
async fn a_full_queue_refuses_and_counts() {
    let store = Store::in_memory().unwrap();
    let options = LedgerOptions { queue: 2, ..LedgerOptions::default() };
    let (ledger, task) = Ledger::open(store, Vec::new(), options).await.unwrap();
    let mut queued: Vec<_> =
        (0..3).map(|_| Box::pin(ledger.append(decision("a", ResponseId::generate())))).collect();
    assert!(futures_util::poll!(queued[0].as_mut()).is_pending());
    assert!(futures_util::poll!(queued[1].as_mut()).is_pending());
    assert_eq!(queued.pop().unwrap().await.unwrap_err(), LedgerError::Full);
    assert_eq!((ledger.status().queued, ledger.status().dropped), (2, 1));
    // Shutting down still writes what is queued, and refuses the rest.
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    task.run(shutdown).await;
    for queued in queued {
        queued.await.unwrap();
    }
    let late = ledger.append(decision("a", ResponseId::generate())).await;
    assert_eq!(late.unwrap_err(), LedgerError::Closed);
    assert_eq!((ledger.status().last_seq, ledger.status().queued), (2, 0));
}

#[tokio::test]
async fn a_failing_store_is_told_and_outlived() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    ledger.append(decision("a", id)).await.unwrap();
    disk.set_full(true);
    for _ in 0..3 {
        let refused = ledger.append(outcome("a", id, 1.0)).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Store(_)), "{refused:?}");
    }
    assert_eq!((ledger.status().dropped, ledger.status().store_failing), (3, true));
    assert_eq!(running.witness.lost.load(Ordering::Relaxed), 3);
    disk.set_full(false);
    assert_eq!(ledger.append(outcome("a", id, 1.0)).await.unwrap().seq, 2);
    assert!(!ledger.status().store_failing);
    assert_eq!(running.witness.seen(), ledger.replay(0, 100).await.unwrap());
}

#[tokio::test]
async fn a_group_that_had_nothing_to_write_does_not_make_a_full_disk_well() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    ledger.append(decision("a", id)).await.unwrap();
    disk.set_full(true);
    ledger.append(outcome("a", id, 1.0)).await.unwrap_err();
    assert!(ledger.append(decision("a", id)).await.unwrap().repeated);
    let unknown = ledger.append(outcome("a", ResponseId::generate(), 1.0)).await;
    assert_eq!(unknown.unwrap_err(), LedgerError::UnknownResponse);
    assert!(ledger.status().store_failing);
    disk.set_full(false);
    ledger.append(outcome("a", id, 1.0)).await.unwrap();
    assert!(!ledger.status().store_failing);
}

#[tokio::test]
async fn a_judged_answer_whose_record_was_lost_is_never_denied() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    disk.set_full(true);
    ledger.append(decision("a", id)).await.unwrap_err();
    let refused = ledger.append(outcome("a", id, 1.0)).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Store(_)), "{refused:?}");
    let other = ledger.append(outcome("b", id, 1.0)).await.unwrap_err();
    assert_eq!(other, LedgerError::UnknownResponse, "another tenant's");
    disk.set_full(false);
    let taken = ledger.append(outcome("a", id, 1.0)).await.unwrap();
    assert_eq!((taken.seq, taken.decision.map(|d| d.id)), (2, Some(id)));
    assert!(ledger.append(decision("a", id)).await.unwrap().repeated);
    assert_eq!(running.witness.seen(), ledger.replay(0, 100).await.unwrap());
}

#[tokio::test]
async fn more_lost_records_than_are_kept_leave_doubt_until_the_disk_is_well() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    let (ledger, first) = (&running.ledger, ResponseId::generate());
    disk.set_full(true);
    ledger.append(decision("a", first)).await.unwrap_err();
    for _ in 0..1024 {
        ledger.send(decision("a", ResponseId::generate())).unwrap();
    }
    ledger.append(policy(1)).await.unwrap_err();
    let unsure = ledger.append(outcome("a", first, 1.0)).await;
    assert_eq!(unsure.unwrap_err(), LedgerError::Unsure);
    disk.set_full(false);
    ledger.append(policy(1)).await.unwrap();
    let gone = ledger.append(outcome("a", first, 1.0)).await;
    assert_eq!(gone.unwrap_err(), LedgerError::UnknownResponse);
}

#[tokio::test]
async fn a_commit_in_doubt_reaches_the_observers_once() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    let (ledger, id) = (&running.ledger, ResponseId::generate());
    disk.doubt_next_flush();
    ledger.append(decision("a", id)).await.unwrap_err();
    disk.set_full(false);
    let again = ledger.append(decision("a", id)).await.unwrap();
    assert_eq!(again.seq, 1);
    ledger.append(decision("a", ResponseId::generate())).await.unwrap();
    assert_eq!(running.witness.seen(), ledger.replay(0, 100).await.unwrap());
    assert_eq!(ledger.status().last_seq, 2);
}

#[tokio::test]
async fn old_decisions_are_pruned_with_all_that_belongs_to_them() {
    let store = Store::in_memory().unwrap();
    let options = LedgerOptions { retain_decisions: 100, ..LedgerOptions::default() };
    let running = Running::on(&store, options).await;
    let ledger = &running.ledger;
    let ids: Vec<_> = (0..1500).map(|_| ResponseId::generate()).collect();
    for (i, &id) in ids.iter().enumerate() {
        ledger.append(decision("a", id)).await.unwrap();
        if i % 3 == 0 {
            ledger.append(outcome("a", id, 1.0)).await.unwrap();
        }
    }
    let status = ledger.status();
    let rows = store.scan(Table::Ledger, keys::EVERYTHING, 10_000, false).await.unwrap();
    assert_eq!(rows.len() as u64, status.last_seq + 1 - status.first_seq);
    let decisions = store.scan(Table::Decisions, keys::EVERYTHING, 10_000, false).await.unwrap();
    assert!((100..=100 + 256).contains(&decisions.len()), "{}", decisions.len());
    let outcomes = store.scan(Table::Outcomes, keys::EVERYTHING, 10_000, false).await.unwrap();
    assert!(outcomes.len() <= decisions.len() / 3 + 1, "{}", outcomes.len());
    let pruned = ledger.append(outcome("a", ids[0], 0.0)).await.unwrap_err();
    assert_eq!(pruned, LedgerError::UnknownResponse);
    ledger.append(outcome("a", ids[1499], 0.0)).await.unwrap();
    let first = ledger.replay(0, 1).await.unwrap();
    assert_eq!(first[0].seq, status.first_seq);
}

#[tokio::test]
async fn an_outcome_that_changes_for_ever_stays_bounded() {
    let store = Store::in_memory().unwrap();
    let options = LedgerOptions { retain_decisions: 50, ..LedgerOptions::default() };
    let running = Running::on(&store, options).await;
    let id = ResponseId::generate();
    running.ledger.append(decision("a", id)).await.unwrap();
    for i in 0..2000 {
        let event = outcome("a", id, f64::from(i % 2));
        if running.ledger.append(event).await == Err(LedgerError::UnknownResponse) {
            break;
        }
    }
    let status = running.ledger.status();
    assert!(status.last_seq + 1 - status.first_seq <= 4 * 50 + 256);
}

#[tokio::test]
async fn a_snapshot_is_read_back_with_its_place() {
    let running = Running::new().await;
    assert_eq!(running.ledger.load_snapshot("statistics").await.unwrap(), None);
    running.ledger.save_snapshot("statistics", 1, b"old").await.unwrap();
    running.ledger.save_snapshot("statistics", 12, b"{}").await.unwrap();
    let found = running.ledger.load_snapshot("statistics").await.unwrap();
    assert_eq!(found, Some((12, b"{}".to_vec())));
}

#[tokio::test(start_paused = true)]
async fn events_that_nobody_waits_for_share_a_commit_and_hold_nobody_up() {
    let running = Running::new().await;
    let since = tokio::time::Instant::now();
    for _ in 0..5 {
        for _ in 0..10 {
            running.ledger.send(decision("a", ResponseId::generate())).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let waited = tokio::time::Instant::now();
    assert_eq!(running.ledger.append(decision("a", ResponseId::generate())).await.unwrap().seq, 51);
    assert_eq!((waited.elapsed(), since.elapsed()), (Duration::ZERO, Duration::from_millis(5)));
    assert_eq!(running.witness.commits.load(Ordering::Relaxed), 1);
    running.ledger.send(decision("a", ResponseId::generate())).unwrap();
    tokio::time::sleep(Duration::from_millis(21)).await;
    assert_eq!(running.ledger.status().last_seq, 52);
    running.ledger.send(decision("a", ResponseId::generate())).unwrap();
    let ledger = running.ledger.clone();
    running.stop().await;
    assert_eq!(ledger.status().last_seq, 53, "a stop writes what is queued");
}

#[tokio::test(start_paused = true)]
async fn recording_takes_no_simulated_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.redb")).unwrap();
    let running = Running::on(&store, LedgerOptions::default()).await;
    for _ in 0..20 {
        let append = running.ledger.append(decision("a", ResponseId::generate()));
        tokio::time::timeout(Duration::from_secs(1), append).await.unwrap().unwrap();
    }
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is recorded, in whatever order, and however often the ledger is reopened: what the
    /// observers saw is what a replay says, and the latest scores add up from the revisions.
    #[test]
    fn what_observers_saw_is_what_a_replay_says(
        events in proptest::collection::vec((0..4usize, 0..3u8, 0..3u8), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Store::in_memory().unwrap();
            let ids: Vec<_> = (0..4).map(|_| ResponseId::generate()).collect();
            let mut seen = Vec::new();
            let mut latest = std::collections::HashMap::new();
            for part in events.chunks(12) {
                let running = Running::on(&store, LedgerOptions::default()).await;
                for &(id, kind, score) in part {
                    let score = f64::from(score) / 2.0;
                    let event = match kind {
                        0 => decision("a", ids[id]),
                        _ => outcome("a", ids[id], score),
                    };
                    let result = running.ledger.append(event).await;
                    if kind != 0 && result.is_ok() {
                        latest.insert(ids[id], score);
                    }
                }
                seen.extend(running.witness.seen());
                running.stop().await;
            }
            let running = Running::on(&store, LedgerOptions::default()).await;
            let replayed = running.ledger.replay(0, 1000).await.unwrap();
            prop_assert_eq!(&seen, &replayed);
            prop_assert!(replayed.iter().map(|r| r.seq).eq(1..=replayed.len() as u64));
            let mut sums = 0.0;
            for recorded in &replayed {
                if let LedgerEvent::Outcome(outcome) = &recorded.event {
                    sums += outcome.score - recorded.previous_score.unwrap_or(0.0);
                    prop_assert!(recorded.decision.is_some());
                }
            }
            prop_assert!((sums - latest.values().sum::<f64>()).abs() < 1e-9);
            Ok(())
        })?;
    }
}
