//! The lake as its users see it, over real stores.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    fixture::{entry, tenant},
    *,
};
use crate::{
    domain::{Canonical, Citation, Signal},
    store::{faults::Disk, keys},
};

const NOW: i64 = 2_000;
const BUDGET: usize = 64;

async fn lake() -> Lake {
    // What is kept under a question is looked at here, not what a near question answers.
    lake_with(LakeOptions { max_wrong_hit_rate: 0.0, ..LakeOptions::default() }).await
}

async fn lake_with(options: LakeOptions) -> Lake {
    Lake::open(Store::in_memory().unwrap(), options).await.unwrap()
}

fn answer(lake: &Lake, owner: &str, question: &str) -> Option<String> {
    lake.recall(&tenant(owner), question, NOW, None).map(|r| r.entry.content.clone())
}

fn reward(seq: u64, owner: &str, response: ResponseId, score: f64) -> Reward {
    let tenant = tenant(owner);
    Reward { seq, tenant, response, recalled_from: None, likeness: None, score, previous: None }
}

/// What the lake would say after a restart.
async fn reopened(lake: &Lake) -> Lake {
    Lake::open(lake.inner.store.clone(), lake.inner.options).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_recalled_however_the_question_is_spelled_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Store::open(&path).unwrap();
    let lake = Lake::open(store.clone(), LakeOptions::default()).await.unwrap();
    let a = tenant("a");
    let mut remembered = entry("What is a mutex?", "a lock", 0.9);
    remembered.citations.push(Citation {
        document: "builtin:a.md".to_owned(),
        section: None,
        line: 3,
        quote: "A mutex is a lock.".to_owned(),
        score: 0.7,
    });
    assert!(lake.remember(&a, remembered.clone()).await.unwrap());
    store.close().await.unwrap();
    let store = Store::open(&path).unwrap();
    let lake = Lake::open(store, LakeOptions::default()).await.unwrap();
    let recalled = lake.recall(&a, "  what IS a mutex ", NOW, None).unwrap();
    assert_eq!(recalled.signal.get(), 0.9);
    assert_eq!(recalled.entry.origin, remembered.origin);
    assert_eq!(recalled.entry.citations, remembered.citations);
    assert_eq!(answer(&lake, "a", "what is a semaphore"), None);
    let stats = lake.stats();
    assert_eq!((stats.entries, stats.hits, stats.misses), (1, 1, 1));
    assert_eq!(stats.coherence, None);
}

#[tokio::test]
async fn no_tenant_sees_anothers_answer() {
    let lake = lake().await;
    lake.remember(&tenant("alice"), entry("what is it called", "hers", 0.9)).await.unwrap();
    for other in ["bob", "alic", "alice2", "Alice"] {
        assert_eq!(answer(&lake, other, "what is it called"), None, "{other}");
    }
    let origin =
        lake.recall(&tenant("alice"), "what is it called", NOW, None).unwrap().entry.origin;
    assert_eq!(lake.forget(&tenant("bob"), origin).await.unwrap(), 0);
    lake.reward(reward(1, "bob", origin, 0.0));
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(answer(&lake, "alice", "what is it called").as_deref(), Some("hers"));
}

#[tokio::test]
async fn what_is_not_worth_it_is_not_remembered() {
    let lake = lake().await;
    let a = tenant("a");
    let expired = Entry { expires_ms: Some(500), ..entry("why is grass green", "because", 0.9) };
    for refused in [
        entry("what is a lock", "a mutex", 0.59),
        entry("what is the weather", "fine", 1.0),
        entry("what is a lock", " \n", 1.0),
        entry(" ?", "yes", 1.0),
        entry("why is grass green", &"x".repeat(MAX_CONTENT + 1), 1.0),
        expired,
    ] {
        assert!(!lake.remember(&a, refused).await.unwrap());
    }
    assert_eq!(lake.stats().entries, 0);
}

#[tokio::test]
async fn only_a_signal_that_is_not_lower_replaces() {
    let lake = lake().await;
    let a = tenant("a");
    assert!(lake.remember(&a, entry("why is grass green", "first", 0.8)).await.unwrap());
    assert!(!lake.remember(&a, entry("why is grass green", "worse", 0.7)).await.unwrap());
    assert_eq!(answer(&lake, "a", "why is grass green").as_deref(), Some("first"));
    assert!(lake.remember(&a, entry("why is grass green", "equal", 0.8)).await.unwrap());
    assert_eq!(answer(&lake, "a", "why is grass green").as_deref(), Some("equal"));
    assert_eq!(answer(&reopened(&lake).await, "a", "why is grass green").as_deref(), Some("equal"));
}

#[tokio::test]
async fn the_same_answer_again_does_not_wash_off_a_refutation() {
    let lake = lake().await;
    let a = tenant("a");
    let wrong = entry("why is grass green", "wrong", 0.9);
    lake.remember(&a, wrong.clone()).await.unwrap();
    lake.reward(reward(1, "a", wrong.origin, 0.0));
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(answer(&lake, "a", "why is grass green"), None);
    lake.remember(&a, entry("why is grass green", "wrong", 0.95)).await.unwrap();
    assert_eq!(answer(&lake, "a", "why is grass green"), None);
    // A revised outcome still finds its entry, and another answer has its chance.
    lake.reward(Reward { previous: Some(0.0), ..reward(2, "a", wrong.origin, 1.0) });
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(answer(&lake, "a", "why is grass green").as_deref(), Some("wrong"));
    lake.reward(Reward { previous: Some(1.0), ..reward(3, "a", wrong.origin, 0.0) });
    lake.tick(NOW, BUDGET).await.unwrap();
    assert!(lake.remember(&a, entry("why is grass green", "right", 0.6)).await.unwrap());
    assert_eq!(answer(&lake, "a", "why is grass green").as_deref(), Some("right"));
}

#[tokio::test]
async fn an_answer_from_other_documents_is_a_miss() {
    let lake = lake().await;
    let a = tenant("a");
    let from_documents = Entry { epoch: Some(1), ..entry("why is grass green", "old", 0.9) };
    lake.remember(&a, from_documents).await.unwrap();
    assert!(lake.recall(&a, "why is grass green", NOW, Some(1)).is_some());
    assert!(lake.recall(&a, "why is grass green", NOW, Some(2)).is_none());
    assert!(lake.recall(&a, "why is grass green", NOW, None).is_none());
    let renewed = Entry { epoch: Some(2), ..entry("why is grass green", "new", 0.7) };
    assert!(lake.remember(&a, renewed).await.unwrap(), "a stale answer is no competitor");
    assert!(lake.recall(&a, "why is grass green", NOW, Some(2)).is_some());
}

#[tokio::test]
async fn forgetting_takes_along_all_that_rests_on_it() {
    let lake = lake().await;
    let a = tenant("a");
    let base = entry("one", "1", 0.9);
    let second = Entry { derived_from: Some(base.origin), ..entry("two", "2", 0.9) };
    let third = Entry { derived_from: Some(second.origin), ..entry("three", "3", 0.9) };
    let other = entry("four", "4", 0.9);
    for remembered in [&base, &second, &third, &other] {
        lake.remember(&a, remembered.clone()).await.unwrap();
    }
    assert_eq!(lake.forget(&a, base.origin).await.unwrap(), 3);
    assert_eq!(lake.forget(&a, base.origin).await.unwrap(), 0);
    // What was still on its way when its base was forgotten does not come in.
    let late = Entry { derived_from: Some(second.origin), ..entry("five", "5", 0.9) };
    assert!(!lake.remember(&a, late).await.unwrap());
    assert!(!lake.remember(&a, base.clone()).await.unwrap());
    for lake in [&lake, &reopened(&lake).await] {
        assert_eq!(answer(lake, "a", "one"), None);
        assert_eq!(answer(lake, "a", "two"), None);
        assert_eq!(answer(lake, "a", "three"), None);
        assert_eq!(answer(lake, "a", "four").as_deref(), Some("4"));
    }
    // The question itself may be answered anew.
    assert!(lake.remember(&a, entry("one", "I", 0.9)).await.unwrap());
}

#[tokio::test]
async fn an_expired_answer_is_a_miss_and_then_gone() {
    let ttl = Some(Duration::from_millis(500));
    let lake = lake_with(LakeOptions { ttl, ..LakeOptions::default() }).await;
    let a = tenant("a");
    lake.remember(&a, entry("why is grass green", "because", 0.9)).await.unwrap();
    lake.tick(1_400, BUDGET).await.unwrap();
    assert!(lake.recall(&a, "why is grass green", 1_499, None).is_some());
    assert!(lake.recall(&a, "why is grass green", 1_500, None).is_none());
    assert!(lake.is_idle(1_499) && !lake.is_idle(1_500));
    let report = lake.tick(1_500, BUDGET).await.unwrap();
    assert_eq!((report.evicted, lake.stats().entries, lake.stats().evicted), (1, 0, 1));
    assert_eq!(reopened(&lake).await.stats().entries, 0);
}

#[tokio::test]
async fn outcomes_count_once_even_when_the_ledger_is_replayed() {
    let lake = lake().await;
    let a = tenant("a");
    let remembered = entry("why is grass green", "because", 0.7);
    lake.remember(&a, remembered.clone()).await.unwrap();
    let recalled = Reward {
        recalled_from: Some(remembered.origin),
        ..reward(4, "a", ResponseId::generate(), 1.0)
    };
    lake.reward(reward(3, "a", remembered.origin, 1.0));
    lake.reward(recalled.clone());
    lake.reward(reward(4, "a", remembered.origin, 1.0));
    assert_eq!(lake.tick(NOW, BUDGET).await.unwrap().rewarded, 2);
    let merit = lake.recall(&a, "why is grass green", NOW, None).unwrap().signal;
    assert!((merit.get() - 2.7 / 3.0).abs() < 1e-12);
    let lake = reopened(&lake).await;
    assert_eq!(lake.rewarded_seq(), 4);
    lake.reward(recalled);
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(lake.recall(&a, "why is grass green", NOW, None).unwrap().signal, merit);
}

#[tokio::test]
async fn a_refutation_takes_what_rests_on_it_out_of_use() {
    let lake = lake().await;
    let a = tenant("a");
    let base = entry("one", "1", 0.9);
    let second = Entry { derived_from: Some(base.origin), ..entry("two", "2", 0.9) };
    lake.remember(&a, base.clone()).await.unwrap();
    lake.remember(&a, second.clone()).await.unwrap();
    lake.reward(reward(1, "a", base.origin, 0.0));
    assert_eq!(lake.tick(NOW, BUDGET).await.unwrap().disputed, 1);
    assert_eq!((answer(&lake, "a", "one"), answer(&lake, "a", "two")), (None, None));
    lake.reward(reward(2, "a", second.origin, 1.0));
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(answer(&lake, "a", "two").as_deref(), Some("2"));
}

#[tokio::test]
async fn contradictions_are_out_of_use_until_an_outcome_settles_them() {
    let lake = lake().await;
    let (a, b) = (tenant("a"), tenant("b"));
    let (first, second) = (
        entry("What is the capital of France?", "Paris", 0.9),
        entry("what's the capital of France", "Lyon", 0.8),
    );
    lake.remember(&a, first.clone()).await.unwrap();
    lake.remember(&b, second.clone()).await.unwrap();
    lake.tick(NOW, BUDGET).await.unwrap();
    assert!(answer(&lake, "a", &first.question).is_some(), "tenants cannot contradict each other");
    assert_eq!(lake.stats().coherence, None);

    lake.remember(&a, second.clone()).await.unwrap();
    let report = lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!((report.intersections, report.disputed), (1, 2));
    for lake in [&lake, &reopened(&lake).await] {
        assert_eq!(answer(lake, "a", &first.question), None);
        assert_eq!(answer(lake, "a", &second.question), None);
        assert_eq!((lake.stats().coherence, lake.stats().disputed), (Some(0.0), 2));
    }
    lake.reward(reward(1, "a", first.origin, 1.0));
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(answer(&lake, "a", &first.question).as_deref(), Some("Paris"));
    assert_eq!(answer(&lake, "a", &second.question), None);
    // What outcomes have spoken for stays in use when it is contradicted again.
    lake.remember(&a, Entry { signal: Signal::ONE, ..second.clone() }).await.unwrap();
    lake.tick(NOW, BUDGET).await.unwrap();
    assert!(answer(&lake, "a", &first.question).is_some());

    lake.remember(&a, entry("capital of France", "Paris", 0.9)).await.unwrap();
    lake.remember(&a, entry("the capital of France", "Paris", 0.9)).await.unwrap();
    lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!(lake.stats().coherence, Some(0.5));
}

#[tokio::test]
async fn the_lowest_of_the_largest_tenant_go_first() {
    let options = LakeOptions { max_entries: 64, ttl: None, ..LakeOptions::default() };
    let lake = lake_with(options).await;
    let question = |i: usize| format!("what is number {i}");
    for i in 0..4 {
        lake.remember(&tenant("small"), entry(&question(i), "x", 0.6)).await.unwrap();
    }
    let mut taken = 0;
    for i in 0..200 {
        let signal = if i < 20 { 0.61 } else { 0.9 };
        let remembered = entry(&question(i), "y", signal);
        taken += usize::from(lake.remember(&tenant("large"), remembered).await.unwrap());
    }
    assert_eq!(lake.stats().entries, taken + 4);
    assert!(taken + 4 <= 64 + 5, "no room before the surplus is evicted: {taken}");
    while !lake.is_idle(NOW) {
        lake.tick(NOW, 3).await.unwrap();
    }
    let (small, large) = (tenant("small"), tenant("large"));
    let kept = |t: &TenantId, i| lake.recall(t, &question(i), NOW, None).is_some();
    assert!(lake.stats().entries <= 64);
    assert!((0..4).all(|i| kept(&small, i)));
    assert!((20..60).all(|i| kept(&large, i)), "high ranks stay while low ones are there");
    assert_eq!(reopened(&lake).await.stats().entries, lake.stats().entries);
}

#[tokio::test]
async fn an_idle_tick_does_not_touch_the_store() {
    let lake = lake().await;
    lake.remember(&tenant("a"), entry("why is grass green", "because", 0.9)).await.unwrap();
    lake.tick(NOW, BUDGET).await.unwrap();
    lake.inner.store.close().await.unwrap();
    assert!(lake.is_idle(NOW));
    assert_eq!(lake.tick(NOW, BUDGET).await.unwrap(), TickReport::default());
    assert!(answer(&lake, "a", "why is grass green").is_some(), "recall needs no store");
}

#[tokio::test]
async fn a_failing_store_changes_nothing_that_is_recalled() {
    let disk = Arc::new(Disk::default());
    let lake = Lake::open(disk.store().unwrap(), LakeOptions::default()).await.unwrap();
    let a = tenant("a");
    let kept = entry("why is grass green", "because", 0.9);
    lake.remember(&a, kept.clone()).await.unwrap();
    disk.set_full(true);
    assert_eq!(
        lake.remember(&a, entry("how is grass green", "so", 0.9)).await,
        Err(StoreError::DiskFull)
    );
    assert!(lake.forget(&a, kept.origin).await.is_err());
    lake.reward(reward(1, "a", kept.origin, 0.0));
    assert!(lake.tick(NOW, BUDGET).await.is_err());
    assert_eq!(answer(&lake, "a", "how is grass green"), None);
    assert!(answer(&lake, "a", "why is grass green").is_some());
    disk.set_full(false);
    assert_eq!(lake.tick(NOW, BUDGET).await.unwrap().rewarded, 1);
    assert_eq!(answer(&lake, "a", "why is grass green"), None);
    assert_eq!(lake.forget(&a, kept.origin).await.unwrap(), 1);
    assert_eq!(reopened(&lake).await.stats().entries, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_of_one_question_agree_with_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.redb")).unwrap();
    let lake = Lake::open(store, LakeOptions::default()).await.unwrap();
    let tasks: Vec<_> = (0..8u64)
        .map(|i| {
            let lake = lake.clone();
            tokio::spawn(async move {
                let a = tenant("a");
                let mut seq = i;
                for round in 0..10u32 {
                    let signal = 0.6 + f64::from(round) / 30.0;
                    let new = entry("why is grass green", &format!("{i} {round}"), signal);
                    let origin = new.origin;
                    match lake.remember(&a, new).await {
                        Ok(_) | Err(StoreError::Conflict) => {}
                        Err(error) => panic!("{error}"),
                    }
                    seq += 8;
                    lake.reward(reward(seq, "a", origin, 1.0));
                    lake.tick(NOW, BUDGET).await.unwrap();
                    if round % 4 == 3 {
                        lake.forget(&a, origin).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        answer(&lake, "a", "why is grass green"),
        answer(&reopened(&lake).await, "a", "why is grass green")
    );
}

#[tokio::test]
async fn a_row_of_an_older_version_is_written_anew_and_a_broken_one_dropped() {
    let store = Store::in_memory().unwrap();
    let a = tenant("a");
    let mut old = serde_json::to_value(entry("why is grass green", "because", 0.9)).unwrap();
    old.as_object_mut().unwrap().remove("ladder");
    let mut batch = Batch::new();
    batch.put(Table::Lake, keys::scoped(&a, b"why is grass green"), old.to_string());
    batch.put(Table::Lake, keys::scoped(&a, b"how is grass green"), "no entry");
    batch.put(Table::Lake, b"\xFFno key".to_vec(), "{}");
    store.commit(batch).await.unwrap();
    let lake = Lake::open(store.clone(), LakeOptions::default()).await.unwrap();
    assert_eq!(store.scan(Table::Lake, keys::EVERYTHING, 9, false).await.unwrap().len(), 1);
    assert!(lake.remember(&a, entry("why is grass green", "new", 0.95)).await.unwrap());
    assert!(lake.remember(&a, entry("how is grass green", "so", 0.95)).await.unwrap());
}

/// One step of a lake's life.
#[derive(Debug, Clone)]
enum Act {
    Remember { tenant: usize, question: usize, answer: u8, signal: f64, base: Option<usize> },
    Reward { tenant: usize, origin: usize, score: f64 },
    Forget { tenant: usize, origin: usize },
    Tick { after_ms: i64, budget: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3usize, 0..6usize, 0..3u8, 0.5..1.0f64, proptest::option::of(0..20usize)).prop_map(
            |(tenant, question, answer, signal, base)| Act::Remember { tenant, question, answer, signal, base }
        ),
        2 => (0..3usize, 0..20usize, 0..3u8).prop_map(
            |(tenant, origin, score)| Act::Reward { tenant, origin, score: f64::from(score) / 2.0 }
        ),
        1 => (0..3usize, 0..20usize).prop_map(|(tenant, origin)| Act::Forget { tenant, origin }),
        3 => (0..400i64, 0..6usize).prop_map(|(after_ms, budget)| Act::Tick { after_ms, budget }),
    ]
}

const QUESTIONS: [&str; 6] = [
    "what is the answer",
    "what is an answer",
    "what's the answer",
    "how do routes work",
    "how do the routes work",
    "why is grass green",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to a lake: what it recalls is the tenant's own and may be recalled, ticks
    /// come to an end, its bounds hold, and a restart changes nothing.
    #[test]
    fn a_lake_is_always_what_its_store_says(acts in proptest::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let options = LakeOptions {
                ttl: Some(Duration::from_millis(1_500)), max_entries: 8, ..LakeOptions::default()
            };
            let lake = lake_with(options).await;
            let tenants: Vec<_> = ["a", "b", "c"].into_iter().map(tenant).collect();
            let mut origins = vec![(0, ResponseId::generate())];
            let (mut now, mut seq) = (NOW, 0);
            for act in acts {
                match act {
                    Act::Remember { tenant, question, answer, signal, base } => {
                        let mut new = entry(QUESTIONS[question], &format!("{tenant}{answer}"), signal);
                        new.answer = Some(Canonical::Choice(char::from(b'A' + answer)));
                        new.created_ms = now;
                        new.derived_from = base.map(|i| origins[i % origins.len()].1);
                        origins.push((tenant, new.origin));
                        lake.remember(&tenants[tenant], new).await.unwrap();
                    }
                    Act::Reward { tenant, origin, score } => {
                        seq += 1;
                        let response = origins[origin % origins.len()].1;
                        let tenant = tenants[tenant].clone();
                        lake.reward(Reward { seq, tenant, response, recalled_from: None, likeness: None, score, previous: None });
                    }
                    Act::Forget { tenant, origin } => {
                        let (_, origin) = origins[origin % origins.len()];
                        lake.forget(&tenants[tenant], origin).await.unwrap();
                    }
                    Act::Tick { after_ms, budget } => {
                        now += after_ms;
                        lake.tick(now, budget).await.unwrap();
                    }
                }
                prop_assert!(lake.stats().entries <= 8 + 1);
                for (i, tenant) in tenants.iter().enumerate() {
                    for question in QUESTIONS {
                        if let Some(found) = lake.recall(tenant, question, now, None) {
                            prop_assert!(found.entry.content.starts_with(&i.to_string()));
                            prop_assert!(found.signal.get() >= FLOOR && !found.entry.is_expired(now));
                            prop_assert!(!found.entry.ladder.disputed);
                        }
                    }
                }
            }
            let mut ticks = 0;
            while !lake.is_idle(now) {
                lake.tick(now, 4).await.unwrap();
                ticks += 1;
                prop_assert!(ticks < 200, "ticks never come to an end");
            }
            prop_assert!(lake.stats().entries <= 8);
            let restarted = reopened(&lake).await;
            prop_assert_eq!(restarted.inner.read().totals, lake.inner.read().totals);
            for tenant in &tenants {
                let entries = |lake: &Lake| -> Vec<Arc<Entry>> {
                    let index = lake.inner.read();
                    index.pool(tenant).map(|p| p.entries().map(|(_, e)| Arc::clone(e)).collect()).unwrap_or_default()
                };
                prop_assert_eq!(entries(&restarted), entries(&lake));
            }
            Ok(())
        })?;
    }

    /// A plan keeps to its budget, and is the same for the same lake.
    #[test]
    fn a_plan_is_bounded_and_deterministic(count in 0..40usize, budget in 0..20usize, max in 1..20usize) {
        let mut index = index::Index::default();
        let mut recent = Vec::new();
        for i in 0..count {
            let owner = tenant(["a", "b"][i % 2]);
            let mut new = entry(&format!("what is number {}", i / 2), &i.to_string(), 0.6 + (i % 5) as f64 / 20.0);
            new.expires_ms = (i % 7 == 0).then_some(1_000);
            let key: Key = Arc::from(normal_key(&new.question));
            index.set(&owner, &key, Some(Arc::new(new)));
            recent.push((owner, key));
        }
        let bounds = Bounds { max_entries: max, max_bytes: usize::MAX };
        let work = plan::Work { recent, ..plan::Work::default() };
        let first = plan(&index, &work, NOW, bounds, budget);
        prop_assert_eq!(&first, &plan(&index, &work, NOW, bounds, budget));
        prop_assert!(first.changes.len() <= budget);
        prop_assert!(first.recent <= budget);
    }
}
