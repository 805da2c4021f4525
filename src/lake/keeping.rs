//! What operators put in and take out, what the loop makes of near-duplicates, and encryption.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    fixture::{entry, tenant},
    *,
};
use crate::{
    domain::{Canonical, Signal},
    seal::{Keyring, admit, settle},
    store::keys,
};

const NOW: i64 = 2_000;
const BUDGET: usize = 64;

async fn lake() -> Lake {
    // What is kept under a question is looked at here, not what a near question answers.
    let options = LakeOptions { max_wrong_hit_rate: 0.0, ..LakeOptions::default() };
    Lake::open(Store::in_memory().unwrap(), options).await.unwrap()
}

async fn reopened(lake: &Lake) -> Lake {
    Lake::open(lake.inner.store.clone(), lake.inner.options).await.unwrap()
}

fn vouched(question: &str, answer: &str) -> Curated {
    Curated {
        question: question.to_owned(),
        answer: answer.to_owned(),
        canonical: Some(Canonical::Text(answer.to_owned())),
        source: None,
        signal: Signal::ONE,
        expires_ms: None,
        id: ResponseId::generate(),
        curated: true,
    }
}

fn answer(lake: &Lake, question: &str) -> Option<String> {
    lake.recall(&tenant("a"), question, NOW, None).map(|r| r.entry.content.clone())
}

fn judged(seq: u64, response: ResponseId, score: f64) -> Reward {
    Reward {
        seq,
        tenant: tenant("a"),
        response,
        recalled_from: None,
        likeness: None,
        score,
        previous: None,
    }
}

async fn settled(lake: &Lake) {
    for _ in 0..100 {
        if lake.is_idle(NOW) {
            return;
        }
        lake.tick(NOW, BUDGET).await.unwrap();
    }
    panic!("the loop never comes to rest");
}

#[tokio::test]
async fn what_an_operator_puts_in_is_durable_and_stands_until_he_or_an_outcome_takes_it_out() {
    let lake = lake().await;
    let a = tenant("a");
    lake.remember(&a, entry("how do i reset my password", "no idea", 0.9)).await.unwrap();
    let question = "How do I reset my password?";
    let ids = lake.curate(&a, vec![vouched(question, "by mail")], NOW).await.unwrap();
    let id = ids[0].unwrap();
    assert!(!lake.remember(&a, entry(question, "by phone", 1.0)).await.unwrap());
    assert!(!lake.remember(&a, entry("why is grass green", "because", 0.1)).await.unwrap());
    for lake in [&lake, &reopened(&lake).await] {
        assert_eq!(answer(lake, question).as_deref(), Some("by mail"));
        assert_eq!(lake.stats().curated, 1);
        assert_eq!(lake.recall(&tenant("b"), question, NOW, None), None);
    }
    assert!(lake.curate(&a, vec![vouched(question, "by fax")], NOW).await.unwrap()[0].is_ok());
    assert_eq!(answer(&lake, question).as_deref(), Some("by fax"));
    assert_eq!(lake.forget(&a, id).await.unwrap(), 0, "what took its place is another's");
    let now = lake.recall(&a, question, NOW, None).unwrap().entry.origin;
    lake.reward(judged(1, now, 0.0));
    settled(&lake).await;
    assert_eq!(answer(&lake, question), None);
    lake.curate(&a, vec![vouched(question, "by fax")], NOW).await.unwrap();
    assert_eq!(answer(&lake, question).as_deref(), Some("by fax"), "he says it again");
}

#[tokio::test]
async fn a_batch_says_of_each_pair_what_became_of_it() {
    let lake = lake().await;
    let over = Curated { expires_ms: Some(NOW), ..vouched("over", "x") };
    let low = Curated { signal: Signal::clamped(0.5), ..vouched("low", "x") };
    let batch = vec![
        vouched("one", "1"),
        vouched(" ?!", "x"),
        vouched("two", " "),
        vouched("One?", "I"),
        vouched(&"x ".repeat(2000), "x"),
        vouched("three", &"x".repeat(MAX_CONTENT + 1)),
        over,
        low,
    ];
    let results = lake.curate(&tenant("a"), batch, NOW).await.unwrap();
    let refusals: Vec<_> = results.iter().map(|r| r.err()).collect();
    let expected = [
        Some(Refusal::Repeated),
        Some(Refusal::EmptyQuestion),
        Some(Refusal::EmptyAnswer),
        None,
        Some(Refusal::LongQuestion),
        Some(Refusal::LongAnswer),
        Some(Refusal::Expired),
        Some(Refusal::LowSignal),
    ];
    assert_eq!(refusals, expected);
    assert_eq!(answer(&lake, "one").as_deref(), Some("I"), "the last one counts");
    assert_eq!(lake.stats().entries, 1);
}

#[tokio::test]
async fn a_new_epoch_makes_everything_older_stale_and_nothing_newer() {
    let lake = lake().await;
    let (a, b) = (tenant("a"), tenant("b"));
    let old = entry("one", "1", 0.9);
    lake.remember(&a, old.clone()).await.unwrap();
    lake.remember(&b, old.clone()).await.unwrap();
    lake.curate(&a, vec![vouched("two", "2")], 1_000).await.unwrap();
    lake.curate(&a, vec![vouched("four", "4")], 1_600).await.unwrap();
    let younger = Entry { created_ms: 1_600, ..entry("three", "3", 0.9) };
    lake.remember(&a, younger).await.unwrap();
    let begun = lake.begin_epoch(&a, 1_500, true).await.unwrap();
    assert_eq!(begun, EpochBegun { evicted: 2, curated_kept: 1 });
    assert!(!lake.remember(&a, entry("one", "late", 0.95)).await.unwrap(), "as old as those");
    let anew = Entry { created_ms: 1_700, ..entry("one", "anew", 0.7) };
    assert!(lake.remember(&a, anew).await.unwrap());
    for lake in [&lake, &reopened(&lake).await] {
        assert_eq!(answer(lake, "one").as_deref(), Some("anew"));
        assert_eq!(answer(lake, "two"), None);
        assert_eq!(answer(lake, "three").as_deref(), Some("3"));
        assert!(lake.recall(&b, "one", NOW, None).is_some(), "another tenant's epoch");
        assert_eq!(answer(lake, "four").as_deref(), Some("4"));
        assert_eq!(lake.stats().entries, 4);
    }
    // Rows that a crash left behind do not come back.
    let row = keys::scoped(&a, b"two");
    let mut batch = Batch::new();
    batch.put(Table::Lake, row, serde_json::to_vec(&entry("two", "2", 0.9)).unwrap());
    lake.inner.store.commit(batch).await.unwrap();
    assert_eq!(answer(&reopened(&lake).await, "two"), None);
    settled(&lake).await;
}

#[tokio::test]
async fn what_an_operator_vouches_for_outlasts_an_epoch_that_does_not_name_it() {
    let lake = lake().await;
    let a = tenant("a");
    lake.remember(&a, entry("one", "1", 0.9)).await.unwrap();
    lake.curate(&a, vec![vouched("two", "2")], 1_000).await.unwrap();
    let begun = lake.begin_epoch(&a, 1_500, false).await.unwrap();
    assert_eq!(begun, EpochBegun { evicted: 1, curated_kept: 1 });
    let lake = reopened(&lake).await;
    assert_eq!((answer(&lake, "one"), answer(&lake, "two").as_deref()), (None, Some("2")));
    lake.begin_epoch(&a, 1_600, true).await.unwrap();
    // An earlier moment that comes late brings nothing back.
    lake.begin_epoch(&a, 1_550, true).await.unwrap();
    let mut batch = Batch::new();
    let left = Entry { created_ms: 1_580, curated: true, ..entry("two", "2", 1.0) };
    batch.put(Table::Lake, keys::scoped(&a, b"two"), serde_json::to_vec(&left).unwrap());
    lake.inner.store.commit(batch).await.unwrap();
    assert_eq!(answer(&reopened(&lake).await, "two"), None);
}

#[tokio::test]
async fn a_stale_row_that_is_still_there_does_not_keep_a_new_answer_out() {
    let lake = lake().await;
    let a = tenant("a");
    lake.begin_epoch(&a, 1_500, false).await.unwrap();
    let mut batch = Batch::new();
    let left = entry("one", "old", 0.9);
    batch.put(Table::Lake, keys::scoped(&a, b"one"), serde_json::to_vec(&left).unwrap());
    lake.inner.store.commit(batch).await.unwrap();
    let anew = Entry { created_ms: 1_700, ..entry("one", "anew", 0.7) };
    assert!(lake.remember(&a, anew).await.unwrap());
    assert_eq!(answer(&lake, "one").as_deref(), Some("anew"));
    assert_eq!(answer(&reopened(&lake).await, "one").as_deref(), Some("anew"));
}

#[tokio::test]
async fn near_duplicates_that_agree_become_one_that_answers_both_spellings() {
    let lake = lake().await;
    let a = tenant("a");
    let first = entry("What is the capital of France?", "Paris", 0.8);
    let second = Entry {
        source_name: "another model".to_owned(),
        ..entry("what's the capital of France", "Paris", 0.85)
    };
    lake.remember(&a, first.clone()).await.unwrap();
    lake.reward(judged(1, first.origin, 1.0));
    settled(&lake).await;
    lake.remember(&a, second.clone()).await.unwrap();
    let report = lake.tick(NOW, BUDGET).await.unwrap();
    assert_eq!((report.intersections, report.merged), (1, 1));
    for lake in [&lake, &reopened(&lake).await] {
        let stats = lake.stats();
        assert_eq!((stats.entries, stats.spellings), (1, 1));
        assert_eq!((stats.agreeing, stats.coherence), (1, Some(1.0)));
        let kept: Vec<_> = [&first, &second]
            .map(|e| lake.recall(&a, &e.question, NOW, None).unwrap().entry)
            .into();
        assert!(Arc::ptr_eq(&kept[0], &kept[1]));
        assert_eq!(kept[0].origin, first.origin, "the one that an outcome spoke for");
        assert_eq!(kept[0].ladder.supporters, ["another model"]);
        assert!(kept[0].rank() > kept[0].merit().get());
    }
    // The outcome of the one that was merged counts, and evicting it evicts the whole.
    lake.reward(judged(2, second.origin, 1.0));
    settled(&lake).await;
    let merit = lake.recall(&a, &first.question, NOW, None).unwrap().signal.get();
    assert!((merit - 2.8 / 3.0).abs() < 1e-12);
    assert_eq!(lake.forget(&a, second.origin).await.unwrap(), 1);
    assert_eq!((answer(&lake, &first.question), answer(&lake, &second.question)), (None, None));
}

#[tokio::test]
async fn an_answer_in_its_own_spelling_goes_before_a_merged_one() {
    let lake = lake().await;
    let a = tenant("a");
    lake.remember(&a, entry("the capital of France", "Paris", 0.8)).await.unwrap();
    lake.remember(&a, entry("capital of France", "Paris", 0.9)).await.unwrap();
    settled(&lake).await;
    assert_eq!(lake.stats().entries, 1);
    let other = entry("the capital of France", "Lyon", 1.0);
    lake.remember(&a, other.clone()).await.unwrap();
    settled(&lake).await;
    assert_eq!(answer(&lake, "the capital of France"), None, "both are in doubt");
    assert_eq!(answer(&lake, "capital of France"), None);
    lake.reward(judged(1, other.origin, 0.0));
    settled(&lake).await;
    assert_eq!(answer(&lake, "capital of France").as_deref(), Some("Paris"));
}

#[tokio::test]
async fn a_refutation_or_an_eviction_settles_what_it_contradicted() {
    for evicts in [false, true] {
        let lake = lake().await;
        let a = tenant("a");
        let right = entry("What is the capital of France?", "Paris", 0.9);
        let wrong = entry("what's the capital of France", "Lyon", 0.95);
        lake.remember(&a, right.clone()).await.unwrap();
        lake.remember(&a, wrong.clone()).await.unwrap();
        settled(&lake).await;
        assert_eq!((answer(&lake, &right.question), lake.stats().disputed), (None, 2));
        if evicts {
            lake.forget(&a, wrong.origin).await.unwrap();
        } else {
            lake.reward(judged(1, wrong.origin, 0.0));
        }
        settled(&lake).await;
        for lake in [&lake, &reopened(&lake).await] {
            assert_eq!(answer(lake, &right.question).as_deref(), Some("Paris"), "{evicts}");
            assert_eq!(answer(lake, &wrong.question), None, "{evicts}");
        }
    }
}

#[tokio::test]
async fn what_was_refuted_or_is_over_speaks_against_no_fresh_answer() {
    for expires in [false, true] {
        let (lake, a) = (lake().await, tenant("a"));
        let ends = expires.then_some(NOW - 500);
        let wrong = entry("what's the capital of France", "Lyon", 0.95);
        let wrong = Entry { expires_ms: ends, ..wrong };
        lake.remember(&a, wrong.clone()).await.unwrap();
        if !expires {
            lake.reward(judged(1, wrong.origin, 0.0));
            settled(&lake).await;
        }
        let right = entry("What is the capital of France?", "Paris", 0.9);
        lake.remember(&a, right.clone()).await.unwrap();
        settled(&lake).await;
        assert_eq!(answer(&lake, &right.question).as_deref(), Some("Paris"), "{expires}");
    }
}

#[tokio::test]
async fn what_is_no_longer_contradicted_is_in_use_again() {
    for expires in [false, true] {
        let (lake, a) = (lake().await, tenant("a"));
        let right = entry("What is the capital of France?", "Paris", 0.9);
        let ends = expires.then_some(NOW + 10);
        let wrong = entry("what's the capital of France", "Lyon", 0.95);
        let wrong = Entry { expires_ms: ends, ..wrong };
        lake.remember(&a, right.clone()).await.unwrap();
        lake.remember(&a, wrong.clone()).await.unwrap();
        settled(&lake).await;
        assert_eq!((answer(&lake, &right.question), lake.stats().disputed), (None, 2));
        if expires {
            for _ in 0..4 {
                lake.tick(NOW + 10, BUDGET).await.unwrap();
            }
        } else {
            let other =
                Entry { content: "Paris".to_owned(), answer: right.answer.clone(), ..wrong };
            lake.remember(&a, other).await.unwrap();
        }
        settled(&lake).await;
        assert_eq!(answer(&lake, &right.question).as_deref(), Some("Paris"), "{expires}");
    }
}

#[tokio::test]
async fn an_outcome_that_changes_nothing_is_not_replayed_after_a_restart() {
    let lake = lake().await;
    lake.reward(judged(7, ResponseId::generate(), 1.0));
    settled(&lake).await;
    assert_eq!(reopened(&lake).await.rewarded_seq(), 7);
}

#[tokio::test]
async fn what_an_operator_vouches_for_stays_in_use_beside_a_learned_contradiction() {
    let lake = lake().await;
    let a = tenant("a");
    lake.curate(&a, vec![vouched("the capital of France", "Paris")], NOW).await.unwrap();
    lake.remember(&a, entry("capital of France", "Lyon", 1.0)).await.unwrap();
    settled(&lake).await;
    assert_eq!(answer(&lake, "the capital of France").as_deref(), Some("Paris"));
    assert_eq!(answer(&lake, "capital of France"), None);
    lake.curate(&a, vec![vouched("capital of France", "Nice")], NOW).await.unwrap();
    settled(&lake).await;
    assert_eq!(answer(&lake, "the capital of France"), None, "he contradicts himself");
}

fn ring(keys: &str) -> Keyring {
    let line = |key: char| key.to_string().repeat(64);
    let lines = keys.chars().map(|c| if c == '-' { "plain".to_owned() } else { line(c) });
    Keyring::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

async fn sealed(store: &Store, keys: &str) -> Lake {
    admit(store, &ring(keys)).await.unwrap();
    Lake::open_sealed(store.clone(), LakeOptions::default(), ring(keys)).await.unwrap()
}

#[tokio::test]
async fn nothing_of_question_or_answer_is_readable_in_an_encrypted_store() {
    let store = Store::in_memory().unwrap();
    let a = tenant("a");
    let before = Lake::open(store.clone(), LakeOptions::default()).await.unwrap();
    before.remember(&a, entry("plain secret", "plain answer", 0.9)).await.unwrap();
    let lake = sealed(&store, "1").await;
    lake.remember(&a, entry("second secret", "second answer", 0.9)).await.unwrap();
    lake.curate(&a, vec![vouched("third secret", "third answer")], NOW).await.unwrap();
    lake.reward(judged(1, lake.recall(&a, "second secret", NOW, None).unwrap().entry.origin, 1.0));
    settled(&lake).await;
    let rows = store.scan(Table::Lake, keys::EVERYTHING, 9, false).await.unwrap();
    assert_eq!(rows.len(), 3);
    for (key, value) in &rows {
        for bytes in [key, value] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("secret") && !text.contains("answer"), "{text}");
        }
    }
    let again = sealed(&store, "1").await;
    for name in ["plain", "second", "third"] {
        let found = answer(&again, &format!("{name} secret"));
        assert_eq!(found, Some(format!("{name} answer")));
    }
    let after = store.scan(Table::Lake, keys::EVERYTHING, 9, false).await.unwrap();
    assert_eq!(rows, after, "a restart rewrites nothing");
}

#[tokio::test]
async fn a_rotated_key_opens_everything_and_an_unknown_one_drops_nothing() {
    let store = Store::in_memory().unwrap();
    let a = tenant("a");
    let lake = sealed(&store, "1").await;
    let kept = entry("why is grass green", "because", 0.9);
    lake.remember(&a, kept.clone()).await.unwrap();
    let rows = || store.scan(Table::Lake, keys::EVERYTHING, 9, false);
    let before = rows().await.unwrap();
    for wrong in ["2", "-"] {
        assert!(admit(&store, &ring(wrong)).await.is_err());
        let opened = Lake::open_sealed(store.clone(), LakeOptions::default(), ring(wrong)).await;
        assert_eq!(opened.err(), Some(StoreError::Unreadable("lake")));
        assert_eq!(rows().await.unwrap(), before, "nothing is lost");
    }
    let lake = sealed(&store, "21").await;
    assert_eq!(answer(&lake, "why is grass green").as_deref(), Some("because"));
    assert_eq!(rows().await.unwrap().len(), 1);
    // Compare-and-set still knows what is there.
    assert!(lake.remember(&a, entry("why is grass green", "because of", 1.0)).await.unwrap());
    settle(&store, &ring("21")).await.unwrap();
    let lake = sealed(&store, "2").await;
    assert_eq!(answer(&lake, "why is grass green").as_deref(), Some("because of"));
    let lake = sealed(&store, "-2").await;
    settle(&store, &ring("-2")).await.unwrap();
    assert_eq!(answer(&lake, "why is grass green").as_deref(), Some("because of"));
    assert_eq!(rows().await.unwrap()[0].0, keys::scoped(&a, b"why is grass green"), "plain again");
    assert_eq!(answer(&reopened(&lake).await, "why is grass green").as_deref(), Some("because of"));
}

#[tokio::test]
async fn the_shelf_and_the_lake_read_and_write_the_same_rows() {
    for keys in ["-1", "1"] {
        let store = Store::in_memory().unwrap();
        let a = tenant("a");
        let lake = sealed(&store, keys).await;
        lake.remember(&a, entry("one", "1", 0.9)).await.unwrap();
        let shelf = Shelf::new(store.clone(), ring(keys));
        let ttl = Curated { expires_ms: Some(NOW + 10), ..vouched("two", "2") };
        let given = vec![vouched("One", "I"), ttl, vouched("?", "x")];
        let results = shelf.curate(&a, given, NOW).await.unwrap();
        assert_eq!(results[2], Err(Refusal::EmptyQuestion));
        shelf.curate(&tenant("b"), vec![vouched("one", "b's")], NOW).await.unwrap();
        let stats = shelf.stats(NOW + 10).await.unwrap();
        assert_eq!((stats.entries(), stats.curated, stats.expired), (3, 3, 1));
        assert_eq!(stats.tenants.get("a"), Some(&2));
        let mut found = Vec::new();
        let collect = |kept: Kept| {
            found.push(kept.entry.content);
            true
        };
        assert_eq!(shelf.each(Some(&a), collect).await.unwrap(), 0);
        found.sort();
        assert_eq!(found, ["2", "I"]);
        let lake = sealed(&store, keys).await;
        assert_eq!(answer(&lake, "one").as_deref(), Some("I"));
        assert_eq!(shelf.reseal(|_| {}).await.unwrap(), 0);
    }
}

/// A few spellings of a few questions, so that near-duplicates are common.
fn spelled(question: usize, spelling: usize) -> String {
    let words = ["capital of france", "height of everest", "author of hamlet"][question];
    match spelling {
        0 => format!("what is the {words}"),
        1 => format!("what's the {words}"),
        2 => format!("please tell me what is the {words}"),
        _ => format!("what is a {words}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Merging loses no spelling, no origin and no outcome; what is contradicted and unsettled is
    /// never given; and the loop comes to rest at the same lake from the same inputs.
    #[test]
    fn tending_keeps_every_spelling_that_nothing_speaks_against(
        given in proptest::collection::vec((0..3usize, 0..4usize, 0..2u8, 0.6..1.0f64), 1..16),
        budget in 1..8usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (lakes, a) = ([lake().await, lake().await], tenant("a"));
            let mut last = std::collections::BTreeMap::new();
            for (question, spelling, core, signal) in given {
                let mut new = entry(&spelled(question, spelling), &format!("{core}"), signal);
                new.answer = Some(Canonical::Choice(char::from(b'A' + core)));
                for lake in &lakes {
                    if lake.remember(&a, new.clone()).await.unwrap() {
                        last.insert((question, spelling), (core, new.origin));
                    }
                }
            }
            for lake in &lakes {
                let mut ticks = 0;
                while !lake.is_idle(NOW) {
                    lake.tick(NOW, budget).await.unwrap();
                    ticks += 1;
                    prop_assert!(ticks < 200);
                }
            }
            for ((question, spelling), (core, origin)) in &last {
                let others = last.iter().filter(|((q, _), _)| q == question);
                let opposed = others.clone().any(|(_, (other, _))| other != core);
                let text = spelled(*question, *spelling);
                let found = lakes[0].recall(&a, &text, NOW, None);
                prop_assert_eq!(found.is_none(), opposed, "{} {:?}", text, found);
                if let Some(found) = found {
                    prop_assert_eq!(&found.entry.content, &core.to_string());
                    let same_minds = lakes[1].recall(&a, &text, NOW, None).unwrap();
                    prop_assert_eq!(&*same_minds.entry, &*found.entry, "from the same inputs");
                    let origins: Vec<_> = found.entry.origins().collect();
                    prop_assert!(origins.contains(origin));
                    let alike = others.count();
                    prop_assert_eq!(found.entry.ladder.also_asked.len() + 1, alike);
                }
            }
            let restarted = reopened(&lakes[0]).await;
            prop_assert_eq!(restarted.inner.read().totals, lakes[0].inner.read().totals);
            Ok(())
        })?;
    }

    #[test]
    fn a_rank_is_a_share_and_support_never_lowers_it(
        signal in 0.0..=1.0f64, supporters in 0..9usize, disputed: bool,
    ) {
        let mut e = entry("q", "x", signal);
        e.ladder.disputed = disputed;
        let alone = e.rank();
        e.ladder.supporters = (0..supporters).map(|n| n.to_string()).collect();
        prop_assert!((0.0..=1.0).contains(&e.rank()));
        prop_assert!(e.rank() >= alone);
        prop_assert_eq!(e.merit().get(), entry("q", "x", signal).merit().get());
    }
}

#[tokio::test]
async fn a_lake_that_is_full_says_so_to_an_operator() {
    let options = LakeOptions { max_entries: 16, ttl: None, ..LakeOptions::default() };
    let lake = Lake::open(Store::in_memory().unwrap(), options).await.unwrap();
    let batch = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|i| vouched(&format!("what is number {i}"), "x")).collect()
    };
    let first = lake.curate(&tenant("a"), batch(0, 20), NOW).await.unwrap();
    assert!(first.iter().all(Result::is_ok), "one batch may go over, and the loop evicts");
    let more = lake.curate(&tenant("a"), batch(19, 22), NOW).await.unwrap();
    assert_eq!(
        more.iter().map(|r| r.err()).collect::<Vec<_>>(),
        [None, Some(Refusal::Full), Some(Refusal::Full)]
    );
    settled(&lake).await;
    assert!(lake.stats().entries <= 16);
}
