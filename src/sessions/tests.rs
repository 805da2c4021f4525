use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn session(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

fn turn(content: &str) -> Turn {
    Turn { role: Role::User, content: content.to_owned() }
}

async fn sessions(options: SessionOptions) -> Sessions {
    Sessions::open(Store::in_memory().unwrap(), options).await.unwrap()
}

async fn contents(sessions: &Sessions, owner: &str, name: &str, now_ms: i64) -> Vec<String> {
    let turns = sessions.recent(&tenant(owner), &session(name), now_ms).await.unwrap();
    turns.into_iter().map(|turn| turn.content).collect()
}

async fn say(sessions: &Sessions, owner: &str, name: &str, what: &str, now_ms: i64) {
    sessions.append(&tenant(owner), &session(name), &[turn(what)], now_ms).await.unwrap();
}

#[tokio::test]
async fn a_conversation_survives_a_restart_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Store::open(&path).unwrap();
    let before = Sessions::open(store.clone(), SessionOptions::default()).await.unwrap();
    say(&before, "a", "s", "one", NOW).await;
    say(&before, "a", "s", "two", NOW + 1).await;
    store.close().await.unwrap();
    let store = Store::open(&path).unwrap();
    let after = Sessions::open(store, SessionOptions::default()).await.unwrap();
    assert_eq!(contents(&after, "a", "s", NOW + 2).await, ["one", "two"]);
    assert_eq!(after.shelves().total(), 1);
}

#[tokio::test]
async fn no_tenant_reads_or_forgets_anothers_conversation() {
    let sessions = sessions(SessionOptions::default()).await;
    say(&sessions, "alice", "s", "secret", NOW).await;
    for (owner, name) in [("bob", "s"), ("alic", "es"), ("alices", "s"), ("alice", "ss")] {
        assert!(contents(&sessions, owner, name, NOW).await.is_empty());
        assert!(!sessions.forget(&tenant(owner), &session(name)).await.unwrap());
    }
    assert_eq!(contents(&sessions, "alice", "s", NOW).await, ["secret"]);
}

#[tokio::test]
async fn the_oldest_turns_go_first_and_a_long_one_is_cut() {
    let options = SessionOptions { max_turns: 3, max_bytes: 10, ..SessionOptions::default() };
    let sessions = sessions(options).await;
    for what in ["a", "b", "c", "d"] {
        say(&sessions, "a", "s", what, NOW).await;
    }
    assert_eq!(contents(&sessions, "a", "s", NOW).await, ["b", "c", "d"]);
    say(&sessions, "a", "s", "123456789", NOW).await;
    assert_eq!(contents(&sessions, "a", "s", NOW).await, ["d", "123456789"]);
    say(&sessions, "a", "s", "12345678\u{e9}\u{e9}", NOW).await;
    assert_eq!(contents(&sessions, "a", "s", NOW).await, ["12345678\u{e9}"]);
}

#[tokio::test]
async fn a_conversation_that_is_over_begins_anew_and_is_swept() {
    let ttl = Duration::from_hours(24);
    let sessions = sessions(SessionOptions { ttl, ..SessionOptions::default() }).await;
    let day = 24 * HOUR_MS;
    for i in 0..20 {
        say(&sessions, "a", &format!("old{i}"), "x", NOW + i).await;
    }
    say(&sessions, "a", "s", "old", NOW).await;
    assert_eq!(contents(&sessions, "a", "s", NOW + day - 1).await, ["old"]);
    assert!(contents(&sessions, "a", "s", NOW + day).await.is_empty());
    for i in 0..4 {
        say(&sessions, "a", "s", "new", NOW + day + 2 * HOUR_MS + i).await;
    }
    assert_eq!(contents(&sessions, "a", "s", NOW + day + 3 * HOUR_MS).await, ["new"; 4]);
    for table in [Table::Sessions, Table::SessionExpiry] {
        let rows = sessions.store.scan(table, keys::EVERYTHING, 99, false).await.unwrap();
        assert_eq!(rows.len(), 1, "{table:?}");
    }
    assert_eq!(sessions.shelves().total(), 1);
}

#[tokio::test]
async fn of_too_many_conversations_the_oldest_go() {
    let options = SessionOptions { max_sessions: 10, ..SessionOptions::default() };
    let sessions = sessions(options).await;
    for i in 0..40 {
        say(&sessions, "a", &format!("s{i}"), "x", NOW + i * HOUR_MS / 4).await;
    }
    let rows = sessions.store.scan(Table::Sessions, keys::EVERYTHING, 99, false).await.unwrap();
    assert_eq!(rows.len(), 10);
    let now = NOW + 10 * HOUR_MS;
    assert_eq!(contents(&sessions, "a", "s39", now).await, ["x"]);
    assert!(contents(&sessions, "a", "s0", now).await.is_empty());
}

#[tokio::test]
async fn of_one_tenants_too_many_conversations_those_spoken_in_least_recently_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let options = SessionOptions { max_per_tenant: 3, ..SessionOptions::default() };
    let store = Store::open(&path).unwrap();
    let before = Sessions::open(store.clone(), options).await.unwrap();
    say(&before, "quiet", "s", "mine", NOW).await;
    for (after, name) in (1..).zip(["z", "b", "c", "z", "d", "e"]) {
        say(&before, "loud", name, name, NOW + after).await;
    }
    let left = async |sessions: &Sessions, names: &[&'static str]| {
        let mut left = Vec::new();
        for name in names {
            if !contents(sessions, "loud", name, NOW + 9).await.is_empty() {
                left.push(*name);
            }
        }
        left
    };
    assert_eq!(left(&before, &["b", "c", "d", "e", "z"]).await, ["d", "e", "z"]);
    assert_eq!(contents(&before, "quiet", "s", NOW + 9).await, ["mine"]);
    store.close().await.unwrap();
    // The bound holds over a restart, and what was just said is never what goes.
    let after = Sessions::open(Store::open(&path).unwrap(), options).await.unwrap();
    say(&after, "loud", "a", "a", NOW + 10).await;
    assert_eq!(left(&after, &["a"]).await, ["a"]);
    assert_eq!(left(&after, &["a", "b", "c", "d", "e", "z"]).await.len(), 3);
    assert_eq!(after.shelves().total(), 4);
    let rows = after.store.scan(Table::Sessions, keys::EVERYTHING, 99, false).await.unwrap();
    assert_eq!(rows.len(), 4);
}

#[tokio::test]
async fn a_conversation_keeps_enough_to_choose_from_and_begins_with_a_question() {
    let sessions = sessions(SessionOptions { max_bytes: 6000, ..SessionOptions::default() }).await;
    for n in 0..150 {
        let answer = Turn { role: Role::Assistant, content: format!("answer {n}") };
        let both = [turn(&format!("question {n}")), answer];
        sessions.append(&tenant("a"), &session("s"), &both, NOW).await.unwrap();
    }
    let kept = sessions.recent(&tenant("a"), &session("s"), NOW).await.unwrap();
    assert_eq!((kept.len(), &*kept[0].content), (200, "question 50"));
    let long = Turn { role: Role::Assistant, content: "a".repeat(4000) };
    sessions.append(&tenant("a"), &session("s"), &[turn("and?"), long], NOW).await.unwrap();
    let kept = sessions.recent(&tenant("a"), &session("s"), NOW).await.unwrap();
    assert_eq!(kept[0].role, Role::User);
    assert!((100..200).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn forgetting_leaves_nothing_behind() {
    let sessions = sessions(SessionOptions::default()).await;
    say(&sessions, "a", "s", "x", NOW).await;
    say(&sessions, "a", "s", "y", NOW + 5 * HOUR_MS).await;
    assert!(sessions.forget(&tenant("a"), &session("s")).await.unwrap());
    for table in [Table::Sessions, Table::SessionExpiry] {
        let rows = sessions.store.scan(table, keys::EVERYTHING, 9, false).await.unwrap();
        assert!(rows.is_empty(), "{table:?}");
    }
}

#[tokio::test]
async fn a_broken_row_costs_its_conversation_and_blocks_no_other() {
    let sessions = sessions(SessionOptions::default()).await;
    let key = keys::scoped(&tenant("a"), b"broken");
    let mut batch = Batch::new();
    batch.put(Table::Sessions, key.as_slice(), "no conversation");
    batch.put(Table::SessionExpiry, expiry_key(0, &key), "");
    batch.put(Table::SessionExpiry, expiry_key(0, b"nobody's"), "");
    sessions.store.commit(batch).await.unwrap();
    say(&sessions, "a", "broken", "anew", NOW).await;
    assert_eq!(contents(&sessions, "a", "broken", NOW).await, ["anew"]);
    let left = sessions.store.scan(Table::SessionExpiry, keys::EVERYTHING, 9, false).await;
    assert_eq!(left.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_speak_at_once_are_all_heard() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.redb")).unwrap();
    let sessions = Sessions::open(store, SessionOptions::default()).await.unwrap();
    let speakers: Vec<_> = (0..8)
        .map(|i| {
            let sessions = sessions.clone();
            tokio::spawn(async move {
                let both = [turn(&format!("{i} asks")), turn(&format!("{i} answers"))];
                sessions.append(&tenant("a"), &session("s"), &both, NOW).await.unwrap();
            })
        })
        .collect();
    for speaker in speakers {
        speaker.await.unwrap();
    }
    let all = contents(&sessions, "a", "s", NOW).await;
    assert_eq!(all.len(), 16);
    for pair in all.chunks(2) {
        assert_eq!(pair[0].split(' ').next(), pair[1].split(' ').next(), "{all:?}");
    }
}

proptest! {
    #[test]
    fn the_bounds_always_hold_and_the_newest_is_kept(
        contents in proptest::collection::vec("\\PC{0,12}", 1..12), turns in 0..5usize, bytes in 0..30usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let options = SessionOptions { max_turns: turns, max_bytes: bytes, ..SessionOptions::default() };
        let sessions = runtime.block_on(sessions(options));
        let mut kept: Vec<Turn> = contents.iter().map(|c| turn(c)).collect();
        sessions.bound(&mut kept);
        prop_assert!((1..=turns.max(1)).contains(&kept.len()));
        prop_assert!(kept.iter().map(|t| t.content.len()).sum::<usize>() <= bytes);
        let newest = &contents[contents.len() - 1];
        prop_assert!(newest.starts_with(&kept[kept.len() - 1].content));
    }
}
