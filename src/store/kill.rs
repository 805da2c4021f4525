//! What was acknowledged survives the process: a child commits and is killed without warning.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use super::{Batch, Store, Table};

const FILE_VARIABLE: &str = "META_ORCHESTRATOR_TEST_STORE";
const ROUND_VARIABLE: &str = "META_ORCHESTRATOR_TEST_ROUND";

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
        let store = Store::open(Path::new(&path)).unwrap();
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let (store, round) = (store.clone(), round.clone());
                tokio::spawn(async move {
                    for i in 0..100_000 {
                        let key = format!("{round}/{task}/{i}");
                        let mut batch = Batch::new();
                        batch.put(Table::Ledger, key.as_str(), vec![b'x'; i % 3000]);
                        batch.put(Table::Decisions, key.as_str(), key.as_str());
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
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut acknowledged = Vec::new();
    for round in 0..10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::kill::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(FILE_VARIABLE, &path)
            .env(ROUND_VARIABLE, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = rand::random_range(1..120);
        let mut seen = 0;
        // What the child wrote before it died is read to the end, too.
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

        let store = Store::open(&path).unwrap();
        for key in &acknowledged {
            let ledger = store.get(Table::Ledger, key.as_bytes()).await.unwrap();
            let decision = store.get(Table::Decisions, key.as_bytes()).await.unwrap();
            assert!(ledger.is_some(), "lost {key}");
            assert_eq!(decision.as_deref(), Some(key.as_bytes()), "half of {key} is lost");
        }
        store.close().await.unwrap();
    }
}
