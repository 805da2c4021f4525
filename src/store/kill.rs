//! What was acknowledged survives the process: a child commits and is killed without warning.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{Batch, Store, Table, layers::Limits};

const FILE_VARIABLE: &str = "META_ORCHESTRATOR_TEST_STORE";
const ROUND_VARIABLE: &str = "META_ORCHESTRATOR_TEST_ROUND";
/// How often the child is killed; `scripts/kill-rounds` asks for more.
const ROUNDS_VARIABLE: &str = "META_ORCHESTRATOR_KILL_ROUNDS";
const ROUNDS: usize = 300;

/// Small enough for a kill to come upon the log moving into the database.
const LIMITS: Limits =
    Limits { gather: 40_000, most: 120_000, patience: Duration::from_millis(100) };

/// The child's part: commits from four tasks and prints each key once it is acknowledged. Does
/// nothing unless the test below started it.
#[test]
fn child_that_commits_until_it_is_killed() {
    let (Ok(path), Ok(round)) = (std::env::var(FILE_VARIABLE), std::env::var(ROUND_VARIABLE))
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let store = Store::open_with(Path::new(&path), LIMITS).unwrap();
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let (store, round) = (store.clone(), round.clone());
                tokio::spawn(async move {
                    for i in 0..100_000 {
                        let key = format!("{round}/{task}/{i}");
                        let mut batch = Batch::new();
                        batch.require(Table::Ledger, key.as_str(), None);
                        batch.put(Table::Ledger, key.as_str(), vec![b'x'; i % 3000]);
                        batch.put(Table::Decisions, key.as_str(), key.as_str());
                        batch.put(Table::Statistics, format!("{round}/{task}"), i.to_string());
                        store.commit(batch).await.unwrap();
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "acknowledged {key}").unwrap();
                        out.flush().unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let known = acknowledged.len();
        let wanted = rand::random_range(1..120);
        kill_after(&path, round, wanted, &mut acknowledged);
        let store = Store::open_with(&path, LIMITS).unwrap();
        // Now and then, and in the end, everything since the beginning.
        let from = if round % 50 == 0 || round + 1 == rounds { 0 } else { known };
        for key in &acknowledged[from..] {
            let ledger = store.get(Table::Ledger, key.as_bytes()).await.unwrap();
            let decision = store.get(Table::Decisions, key.as_bytes()).await.unwrap();
            let number: usize = key.rsplit('/').next().unwrap().parse().unwrap();
            assert_eq!(ledger, Some(vec![b'x'; number % 3000]), "lost {key}");
            assert_eq!(decision.as_deref(), Some(key.as_bytes()), "half of {key} is lost");
        }
        assert_whole(&store, round).await;
        // Without closing it, half of the time: then the next child meets a log.
        if rand::random() {
            store.close().await.unwrap();
        }
    }
    println!("{rounds} kills, {} acknowledged commits, none lost", acknowledged.len());
}

/// Lets a child commit, and kills it once it has reported so many commits as acknowledged. What
/// it reported before it died counts, too.
fn kill_after(path: &Path, round: usize, wanted: usize, acknowledged: &mut Vec<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill::child_that_commits_until_it_is_killed", "--nocapture"])
        .env(FILE_VARIABLE, path)
        .env(ROUND_VARIABLE, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = 0;
    while let Some(Ok(line)) = lines.next() {
        // The test harness may have left something else at the beginning of the line.
        if let Some((_, key)) = line.split_once("acknowledged ") {
            acknowledged.push(key.to_owned());
            seen += 1;
            if seen == wanted {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(seen >= wanted, "the child ended early, after {seen} commits");
}

/// What is there of a round, acknowledged or not, is whole: of each task every commit up to the
/// one that its last row names, each of them once.
async fn assert_whole(store: &Store, round: usize) {
    for task in 0..4 {
        let prefix = format!("{round}/{task}");
        let last = store.get(Table::Statistics, prefix.as_bytes()).await.unwrap();
        let last = last.map(|v| String::from_utf8(v).unwrap().parse::<usize>().unwrap());
        let range = (
            std::ops::Bound::Included(format!("{prefix}/").into_bytes()),
            std::ops::Bound::Excluded(format!("{prefix}0").into_bytes()),
        );
        for table in [Table::Ledger, Table::Decisions] {
            let rows = store.scan(table, range.clone(), 100_000, false).await.unwrap();
            assert_eq!(rows.len(), last.map_or(0, |last| last + 1), "{prefix} in {table:?}");
        }
    }
}
