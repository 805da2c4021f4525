//! What lasts: over a restart, over `kill -9`, and not beyond its tenant.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const QUESTION: &str = "what does the hybrid strategy do?";

#[tokio::test]
async fn a_verified_answer_is_remembered_over_kill_9() {
    let service = Service::start(&[]);
    let first = service.ask(QUESTION).await;
    assert_eq!(first["metadata"]["confidence_lake_hit"], false);
    assert_eq!(first["metadata"]["remembered"], true, "{first:#}");
    let service = service.kill_and_restart();
    let again = service.ask("What does the HYBRID strategy do").await;
    assert_eq!(again["metadata"]["confidence_lake_hit"], true, "{again:#}");
    assert_eq!(again["content"], first["content"]);
    assert_eq!(again["metadata"]["recalled_from"], first["id"]);
    assert_eq!(again["orchestrators_used"]["kind"], "flux");
}

#[tokio::test]
async fn an_answer_that_was_wrong_leaves_the_lake() {
    let service = Service::start(&[]);
    service.ask(QUESTION).await;
    let recalled = service.ask(QUESTION).await;
    assert_eq!(recalled["metadata"]["confidence_lake_hit"], true);
    let (status, receipt) = service
        .post(
            "/api/v1/unified/feedback",
            &json!({ "response_id": recalled["id"], "verdict": "wrong" }),
        )
        .await;
    assert_eq!((status, receipt["evicted"].as_u64()), (200, Some(1)), "{receipt:#}");
    let after = service.ask(QUESTION).await;
    assert_eq!(after["metadata"]["confidence_lake_hit"], false);
}

#[tokio::test]
async fn no_store_neither_recalls_nor_remembers() {
    let service = Service::start(&[]);
    let body = json!({ "input": QUESTION, "no_store": true });
    assert_eq!(service.process(&body).await["metadata"]["remembered"], false);
    assert_eq!(service.ask(QUESTION).await["metadata"]["confidence_lake_hit"], false);
}

#[tokio::test]
async fn abstentions_are_never_remembered() {
    let service = Service::start(&[]);
    for _ in 0..2 {
        let reply = service.ask("who won the 1998 world cup?").await;
        assert_eq!(reply["abstained"], true);
        assert_eq!(reply["metadata"]["remembered"], false);
        assert_eq!(reply["metadata"]["confidence_lake_hit"], false);
    }
}

#[tokio::test]
async fn strategy_statistics_and_outcomes_survive_kill_9() {
    let service = Service::start(&[]);
    let (status, policy) =
        service.put("/api/v1/unified/strategy", &json!({ "strategy": "runtime_first" })).await;
    assert_eq!((status, policy["strategy"].as_str()), (200, Some("runtime_first")));
    for n in 0..20 {
        let reply = service.ask(&format!("what is {n} + 1?")).await;
        let verdict = if n < 15 { "right" } else { "wrong" };
        let feedback = json!({ "response_id": reply["id"], "verdict": verdict });
        assert_eq!(service.post("/api/v1/unified/feedback", &feedback).await.0, 200);
    }
    let (_, before) = service.get("/api/v1/unified/metrics").await;
    let service = service.kill_and_restart();
    let (_, after) = service.get("/api/v1/unified/metrics").await;
    let figures = &after["strategies"]["runtime_first"];
    assert_eq!(figures["requests"], 20, "{after:#}");
    assert_eq!(figures["accuracy"]["n"], 20);
    assert_eq!(figures["accuracy"]["value"], 0.75);
    assert_eq!(before["strategies"], after["strategies"]);
    let (_, policy) = service.get("/api/v1/unified/strategy").await;
    assert_eq!(policy["strategy"], "runtime_first");
}

#[tokio::test]
async fn feedback_is_idempotent_and_can_be_revised() {
    let service = Service::start(&[]);
    let reply = service.ask("what is 2 + 2").await;
    let path = "/api/v1/unified/feedback";
    let right = json!({ "response_id": reply["id"], "verdict": "right" });
    for _ in 0..3 {
        assert_eq!(service.post(path, &right).await.0, 200);
    }
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["strategies"]["hybrid"]["accuracy"]["n"], 1);
    let (_, receipt) =
        service.post(path, &json!({ "response_id": reply["id"], "score": 0.5 })).await;
    assert_eq!(receipt["previous_score"], 1.0, "{receipt:#}");
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["strategies"]["hybrid"]["accuracy"]["value"], 0.5);
    assert_eq!(metrics["strategies"]["hybrid"]["accuracy"]["n"], 1);
}

#[tokio::test]
async fn a_wrong_answer_leaves_the_lake_though_its_record_is_gone() {
    const KEPT: usize = 1000;
    let service = Service::start(&[("DATA__RETAIN_DECISIONS", "1000")]);
    let remembered = service.ask("what enters the lake?").await;
    assert_eq!(remembered["metadata"]["remembered"], true);
    let path = "/api/v1/unified/feedback";
    let wrong = json!({ "response_id": remembered["id"], "verdict": "wrong" });
    let right = json!({ "response_id": remembered["id"], "verdict": "right" });
    // Far more than are kept, so that the record is gone.
    let asked = (0..KEPT * 2).map(|number| {
        let service = &service;
        async move { service.ask(&format!("what is {number} + 1")).await }
    });
    futures_util::stream::iter(asked).buffer_unordered(32).collect::<Vec<_>>().await;
    let (status, _) = service.post(path, &right).await;
    assert_eq!(status, 404, "nothing can be learned of it any more");
    let (status, receipt) = service.post(path, &wrong).await;
    assert_eq!((status, &receipt["evicted"]), (200, &json!(1)), "{receipt:#}");
    assert_eq!(service.post(path, &wrong).await.0, 404, "there is nothing left to do");
    let again = service.ask("what enters the lake?").await;
    assert_eq!(again["metadata"]["confidence_lake_hit"], false);
}

#[tokio::test]
async fn a_conversation_goes_with_the_next_question_and_survives_a_restart() {
    let upstream = Upstream::start(Answer::Says("Your name is Ada.")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let turn = |input: &str| json!({ "input": input, "session_id": "s1", "strategy": "ai_first" });
    service.process(&turn("My name is Ada.")).await;
    let service = service.kill_and_restart();
    service.process(&turn("What is my name?")).await;
    let calls = upstream.calls();
    let messages = calls.last().unwrap().body["messages"].to_string();
    assert!(messages.contains("My name is Ada."), "{messages}");
    // Another session knows nothing of it.
    service
        .process(
            &json!({ "input": "What is my name?", "session_id": "s2", "strategy": "ai_first" }),
        )
        .await;
    let messages = upstream.calls().last().unwrap().body["messages"].to_string();
    assert!(!messages.contains("Ada."), "{messages}");
}

#[tokio::test]
async fn the_store_is_a_file_in_the_data_folder() {
    // So that the folder may be there before, as a mounted volume is, and again at the next start.
    let service = Service::start(&[]);
    assert!(service.data_dir().join("store.redb").is_file());
    let again = service.kill_and_restart();
    assert_eq!(again.ask("2 + 2").await["content"], "4");
}

/// A file system of its own in a folder. Gone with it.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

async fn judge(service: &Service, answer: &Value) -> u16 {
    let feedback = json!({ "response_id": answer["id"], "verdict": "right" });
    service.post("/api/v1/unified/feedback", &feedback).await.0
}

#[tokio::test]
async fn a_full_disk_costs_records_and_no_answers() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let service = Service::start(&[("DATA__DIR", &disk.path().join("data").to_string_lossy())]);
    let before = service.ask("2 + 2").await;
    assert_eq!(judge(&service, &before).await, 200);

    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![1; 8 << 20]).unwrap_err();
    let since = Instant::now();
    let mut last = Value::Null;
    for i in 0..40 {
        last = service.ask(&format!("{i} + 2")).await;
        assert_eq!(last["content"], (i + 2).to_string());
    }
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    assert_ne!(judge(&service, &last).await, 200, "acknowledged on a full disk");
    assert_eq!(service.ask(QUESTION).await["abstained"], false);
    let metrics = service.text("/metrics").await;
    let failed = metrics.lines().find(|line| line.contains("appends_total{result=\"failed\"}"));
    let failed: f64 = failed.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(failed >= 20.0, "{failed} records were lost");

    std::fs::remove_file(&filler).unwrap();
    let room = Instant::now();
    let after = loop {
        let answer = service.ask("20 + 22").await;
        if judge(&service, &answer).await == 200 {
            break answer;
        }
        assert!(room.elapsed() < Duration::from_secs(10), "records are not taken again");
    };
    let service = service.kill_and_restart();
    assert_eq!(judge(&service, &before).await, 200);
    assert_eq!(judge(&service, &after).await, 200);
    assert_eq!(judge(&service, &last).await, 404);
}
