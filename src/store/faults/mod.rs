//! Disks that fail: full, refusing, and losing what was not flushed when the power goes.

mod disk;

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use rand::seq::IteratorRandom;
use redb::Database;

use super::{Batch, Store, StoreError, Table, keys, layers::Limits};

pub(crate) use disk::Disk;
use disk::Moment;

/// How many moments of a disk's life are tried.
const MOMENTS: usize = 60;

fn put(key: &str, length: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put(Table::Ledger, key, vec![b'x'; length]);
    batch
}

/// Opens a store that is not closed but merely let go of, as by a process that ends. Its last task
/// may still be at it.
fn reopened(store: Store, path: &Path, limits: Limits) -> Store {
    drop(store);
    loop {
        match Store::open_with(path, limits) {
            Err(StoreError::InUse) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

async fn has(store: &Store, key: &str) -> bool {
    store.get(Table::Ledger, key.as_bytes()).await.unwrap().is_some()
}

#[tokio::test]
async fn a_full_disk_is_named_and_overcome_once_there_is_room() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("before", 10)).await.unwrap();
    disk.set_full(true);
    for _ in 0..3 {
        assert_eq!(store.commit(put("during", 10)).await, Err(StoreError::DiskFull));
        assert!(has(&store, "before").await, "reading goes on");
        assert!(!has(&store, "during").await);
    }
    disk.set_full(false);
    store.commit(put("after", 10)).await.unwrap();
    assert!(has(&store, "after").await);
    let survivor = disk.now().after_power_cut(true).store().unwrap();
    assert!(has(&survivor, "before").await && has(&survivor, "after").await);
    assert!(!has(&survivor, "during").await, "a refused batch came back");
}

/// A writer changes two rows together, and what is on its way into the database changes layers all
/// the time: whoever scans sees both rows of one commit, whatever the disk is doing.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_scan_sees_one_state_while_commits_move_into_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let patience = std::time::Duration::from_millis(1);
    let limits = Limits { gather: 2_000, most: 20_000, patience };
    let store = Store::open_with(&folder.path().join("store.redb"), limits).unwrap();
    let both = |number: u64| {
        let mut batch = Batch::new();
        for key in ["a", "z"] {
            batch.put(Table::Ledger, key, number.to_string().repeat(20));
        }
        batch.put(Table::Ledger, format!("m{:03}", number % 100), "between");
        batch.delete(Table::Ledger, format!("m{:03}", (number + 50) % 100));
        batch
    };
    store.commit(both(0)).await.unwrap();
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 1..400 {
                store.commit(both(number)).await.unwrap();
            }
        })
    };
    let mut scans = 0;
    while !writing.is_finished() || scans == 0 {
        for reverse in [false, true] {
            let rows = store.scan(Table::Ledger, keys::EVERYTHING, 1000, reverse).await.unwrap();
            let (first, last) = (rows.first().unwrap(), rows.last().unwrap());
            assert_eq!(first.1, last.1, "two commits in one scan");
            assert!(rows.is_sorted_by(|a, b| (a.0 < b.0) != reverse), "rows twice or out of order");
            let some = store.scan(Table::Ledger, keys::EVERYTHING, 3, reverse).await.unwrap();
            assert_eq!(some.len(), 3.min(rows.len()));
            scans += 1;
        }
    }
    writing.await.unwrap();
}

/// What a restart reads in the log may be in the page cache alone, so that nothing may rest on it
/// before it is in the database; and for that there is no room.
#[tokio::test]
async fn a_store_opened_on_a_full_disk_is_read_and_takes_nothing_before_its_log_is_safe() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let mut large = Batch::new();
    for i in 0..20 {
        large.put(Table::Ledger, format!("{i:02}"), vec![b'x'; 9000]);
    }
    disk.lie_at_next_flush();
    store.commit(large).await.unwrap();
    disk.set_full(true);
    let store = disk.store().unwrap();
    assert!(has(&store, "00").await && has(&store, "19").await);
    assert_eq!(store.commit(put("more", 1)).await, Err(StoreError::DiskFull));
    assert!(has(&store, "00").await);
    disk.set_full(false);
    store.commit(put("more", 1)).await.unwrap();
    let store = disk.now().after_power_cut(true).store().unwrap();
    assert!(has(&store, "00").await && has(&store, "19").await && has(&store, "more").await);
}

#[tokio::test]
async fn what_was_read_after_a_restart_is_on_the_disk() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("flushed", 10)).await.unwrap();
    disk.lie_at_next_flush();
    store.commit(put("cached", 10)).await.unwrap();
    assert!(!has(&disk.now().after_power_cut(true).store().unwrap(), "cached").await);
    assert!(has(&disk.store().unwrap(), "cached").await);
    assert!(has(&disk.now().after_power_cut(true).store().unwrap(), "cached").await);
}

#[tokio::test]
async fn a_full_disk_costs_no_commit_that_waits_for_the_database() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    let mut written = Vec::new();
    for i in 0..200 {
        disk.set_full(i % 3 == 0 && i > 9);
        let key = format!("{i:03}");
        if store.commit(put(&key, 3000)).await.is_ok() {
            written.push(key);
        }
    }
    assert!((100..200).contains(&written.len()), "{}", written.len());
    for store in [store, disk.now().after_power_cut(true).store().unwrap()] {
        let rows = store.scan(Table::Ledger, keys::EVERYTHING, 1000, false).await.unwrap();
        let found: Vec<_> = rows.into_iter().map(|(k, _)| String::from_utf8(k).unwrap()).collect();
        assert_eq!(found, written);
    }
}

/// A commit of a store whose content is always known from its newest one: it adds a row, removes
/// the fourth before, and notes itself in a row that every commit changes.
fn step(number: usize) -> Batch {
    let mut batch = Batch::new();
    let length = rand::random_range(0..9000);
    batch.put(Table::Ledger, keys::number(number as u64), vec![b'x'; length]);
    batch.put(Table::Decisions, keys::number(number as u64), length.to_string());
    if let Some(old) = number.checked_sub(4) {
        batch.delete(Table::Ledger, keys::number(old as u64));
        batch.delete(Table::Decisions, keys::number(old as u64));
    }
    batch.put(Table::Statistics, "newest", number.to_string());
    batch
}

/// The newest step in the store, when exactly those are there that belong to it.
async fn newest(store: &Store) -> Option<usize> {
    let newest = store.get(Table::Statistics, b"newest").await.unwrap();
    let newest: Option<usize> = newest.map(|v| String::from_utf8(v).unwrap().parse().unwrap());
    let rows = store.scan(Table::Ledger, keys::EVERYTHING, 100, false).await.unwrap();
    let expected: Vec<_> = newest
        .map_or(0..0, |newest| newest.saturating_sub(3)..newest + 1)
        .map(|i| keys::number(i as u64))
        .collect();
    let found: Vec<_> = rows.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(found, expected, "rows beside the newest, {newest:?}");
    for (key, value) in rows {
        let length = store.get(Table::Decisions, &key).await.unwrap();
        assert_eq!(length, Some(value.len().to_string().into_bytes()), "half a step");
    }
    newest
}

/// Unlike `kill -9`, which leaves the page cache alone, this loses what was not flushed: all of
/// it, or any part of it in any combination, at any moment of a commit and of what follows it.
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    for round in 0..6 {
        let disk = Arc::new(Disk::default());
        let store = disk.store().unwrap();
        disk.watched.store(true, Ordering::SeqCst);
        for number in 0..20 {
            store.commit(step(number)).await.unwrap();
            disk.ended.store(number + 1, Ordering::SeqCst);
        }
        store.close().await.unwrap();
        let moments = disk.take_moments();
        assert!(moments.len() > MOMENTS, "{} moments", moments.len());
        for moment in moments.into_iter().sample(&mut rand::rng(), MOMENTS) {
            let found = survives(&moment, round == 0).await;
            assert!(
                found.map_or(0, |n| n + 1) >= moment.ended,
                "{found:?} is the newest of {}",
                moment.ended
            );
        }
    }
}

/// The newest step after a power cut at a moment, and that what was read once stays.
async fn survives(moment: &Moment, nothing_more: bool) -> Option<usize> {
    let survivor = moment.after_power_cut(nothing_more);
    let store = survivor.store().unwrap();
    let found = newest(&store).await;
    let again = survivor.now().after_power_cut(true).store().unwrap();
    assert_eq!(newest(&again).await, found, "what was read after a restart is gone");
    let next = found.map_or(0, |n| n + 1);
    again.commit(step(next)).await.unwrap();
    assert_eq!(newest(&again).await, Some(next));
    found
}

/// Flushes that fail at random, and disks that are full for a while: what was acknowledged is
/// there, and what was not never comes back once something after it was acknowledged.
#[tokio::test]
async fn failed_flushes_acknowledge_nothing_and_leave_nothing_behind() {
    for _ in 0..6 {
        let disk = Arc::new(Disk::default());
        let store = disk.store().unwrap();
        disk.watched.store(true, Ordering::SeqCst);
        let mut outcomes = Vec::new();
        for i in 0..24 {
            match rand::random_range(0..6) {
                0 => disk.forget_next_flush(),
                1 => disk.doubt_next_flush(),
                2 => disk.set_full(true),
                _ => disk.set_full(false),
            }
            let mut batch = put(&i.to_string(), rand::random_range(0..4000));
            batch.put(Table::Decisions, i.to_string(), "");
            outcomes.push(store.commit(batch).await.is_ok());
            disk.ended.store(outcomes.len(), Ordering::SeqCst);
        }
        for moment in disk.take_moments().into_iter().sample(&mut rand::rng(), MOMENTS) {
            let ended = &outcomes[..moment.ended];
            let settled = ended.iter().rposition(|&written| written).map_or(0, |last| last + 1);
            let store = moment.after_power_cut(rand::random_bool(0.3)).store().unwrap();
            for (i, written) in ended[..settled].iter().enumerate() {
                assert_eq!(has(&store, &i.to_string()).await, *written, "commit {i} of {ended:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_flush_that_failed_is_not_taken_for_done_by_the_next() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("before", 10)).await.unwrap();
    disk.forget_next_flush();
    store.commit(put("lost", 10)).await.unwrap_err();
    assert!(!has(&store, "lost").await);
    store.commit(put("after", 10)).await.unwrap();
    for survivor in [disk.now().after_power_cut(true), Arc::clone(&disk)] {
        let store = survivor.store().unwrap();
        assert!(has(&store, "before").await && has(&store, "after").await);
        assert!(!has(&store, "lost").await);
    }
}

#[tokio::test]
async fn damage_before_the_end_of_the_log_is_reported_and_not_skipped() {
    // A whole frame follows the spoilt one.
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("a", 100)).await.unwrap();
    store.commit(put("b", 100)).await.unwrap();
    let last = 16 + 9 + 1 + 100;
    disk.spoil_segment(0, last + 10);
    assert_eq!(disk.store().unwrap_err(), StoreError::Damaged);
    disk.spoil_segment(0, last + 10);
    // The last frame alone may have been torn.
    disk.spoil_segment(0, 10);
    let store = disk.store().unwrap();
    assert!(has(&store, "a").await && !has(&store, "b").await);

    // The last frame of a segment that is followed by another.
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("a", 100)).await.unwrap();
    disk.forget_next_flush();
    store.commit(put("b", 100)).await.unwrap_err();
    store.commit(put("c", 100)).await.unwrap();
    assert_eq!(disk.segments(), 2);
    // What the first segment has beyond its acknowledged part does not matter.
    disk.spoil_segment(1, 10);
    disk.spoil_segment(1, last + 10);
    assert_eq!(disk.store().unwrap_err(), StoreError::Damaged, "of what was acknowledged");
    disk.spoil_segment(1, last + 10);
    disk.spoil_segment(0, last + 2048 - 20);
    assert_eq!(disk.store().unwrap_err(), StoreError::Damaged, "a header with frames behind it");
}

/// A file system of its own that is full in earnest. Needs the right to mount one.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(megabytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={megabytes}m,mode=700");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_small_disk_that_is_full_acknowledges_nothing_and_goes_on_once_there_is_room() {
    let Some(disk) = SmallDisk::mount(4) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let path = disk.0.path().join("store.redb");
    let filler = disk.0.path().join("filler");
    std::fs::write(&filler, vec![1; 2 << 20]).unwrap();
    let limits =
        Limits { gather: 100_000, most: 300_000, patience: std::time::Duration::from_millis(1) };
    let store = Store::open_with(&path, limits).unwrap();
    let mut written = 0;
    let mut refused = 0;
    while refused < 50 {
        assert!(written < 2000, "the disk is never full");
        let mut batch = put(&format!("{written:05}"), 3000);
        batch.require(Table::Ledger, format!("{written:05}"), None);
        match store.commit(batch).await {
            Ok(()) => written += 1,
            Err(error) => {
                assert_eq!(error, StoreError::DiskFull);
                refused += 1;
                std::thread::sleep(limits.patience);
                assert_eq!(newest_row(&store).await, Some(format!("{:05}", written - 1)));
            }
        }
    }
    assert!(written > 100, "{written}");
    std::fs::remove_file(&filler).unwrap();
    // An attempt that began before there was room may fail after it, and is not tried again for a
    // while; on a busy machine that is any moment from now.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let goal = written + 100;
    while written < goal {
        match store.commit(put(&format!("{written:05}"), 3000)).await {
            Ok(()) => written += 1,
            Err(error) => {
                assert_eq!(error, StoreError::DiskFull);
                assert!(std::time::Instant::now() < until, "writing never goes on");
                std::thread::sleep(limits.patience);
            }
        }
    }
    let store = reopened(store, &path, limits);
    let rows = store.scan(Table::Ledger, keys::EVERYTHING, 10_000, false).await.unwrap();
    assert_eq!(rows.len(), written);
    assert_eq!(newest_row(&store).await, Some(format!("{:05}", written - 1)));
}

#[cfg(target_os = "linux")]
async fn newest_row(store: &Store) -> Option<String> {
    let rows = store.scan(Table::Ledger, keys::EVERYTHING, 1, true).await.unwrap();
    rows.into_iter().next().map(|(key, _)| String::from_utf8(key).unwrap())
}

#[tokio::test]
async fn another_stores_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("store.redb"), folder.path().join("other.redb"));
    for path in [&path, &other] {
        let store = Store::open(path).unwrap();
        store.commit(put("key", 1)).await.unwrap();
    }
    // Neither was closed, so that there is a log.
    std::fs::rename(&path, &other).unwrap();
    while Store::open(&other).is_err_and(|error| error == StoreError::InUse) {
        std::thread::yield_now();
    }
    assert_eq!(Store::open(&other).unwrap_err(), StoreError::ForeignLog);
}

#[tokio::test]
async fn a_store_of_the_first_format_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let old = Database::create(&path).unwrap();
    let transaction = old.begin_write().unwrap();
    let rows = [("meta", "format", "1"), ("meta", "ledger", "{}"), ("ledger", "key", "value")];
    for (table, key, value) in rows {
        let table: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new(table);
        let mut table = transaction.open_table(table).unwrap();
        table.insert(key.as_bytes(), value.as_bytes()).unwrap();
    }
    transaction.commit().unwrap();
    drop(old);
    let store = Store::open(&path).unwrap();
    assert!(has(&store, "key").await);
    let rows = store.scan(Table::Meta, keys::EVERYTHING, 9, false).await.unwrap();
    assert_eq!(rows, [(b"ledger".to_vec(), b"{}".to_vec())]);
    store.commit(put("more", 1)).await.unwrap();
    assert!(has(&reopened(store, &path, Limits::DEFAULT), "more").await);
}

#[tokio::test]
async fn a_file_in_use_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Store::open(&path).unwrap();
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse);
    // The refused attempt must not have loosened the first one's hold.
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse);
    store.commit(put("key", 1)).await.unwrap();
    store.close().await.unwrap();
    Store::open(&path).unwrap();
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    Store::open(&path).unwrap().close().await.unwrap();
    let newer = Database::create(&path).unwrap();
    let transaction = newer.begin_write().unwrap();
    let format: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("meta");
    transaction.open_table(format).unwrap().insert(&b"format"[..], &b"7"[..]).unwrap();
    transaction.commit().unwrap();
    drop(newer);
    for _ in 0..2 {
        let refused = Store::open(&path).unwrap_err();
        assert_eq!(refused, StoreError::NewerFormat { found: 7, known: 2 });
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a store. ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::NotAStore);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let path = folder.path().join("other.redb");
    let other = Database::create(&path).unwrap();
    let transaction = other.begin_write().unwrap();
    let definition: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("somebody's");
    transaction.open_table(definition).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(other);
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::NotAStore);
}

#[test]
fn a_path_that_cannot_be_used_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Store::open(&file.join("below/store.redb")).unwrap_err();
    assert!(matches!(refused, StoreError::Io(_)), "{refused:?}");
    let refused = Store::open(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Io(_)), "{refused:?}");
}
