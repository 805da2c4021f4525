//! Documents that are added through the API, and folders that are watched.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::Service;

const PATH: &str = "/api/v1/unified/documents";
const QUESTION: &str = "how much does an hour of parking in Arlen cost?";

#[tokio::test]
async fn an_added_document_is_quoted_survives_kill_9_and_can_be_removed() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(QUESTION).await["abstained"], true);
    let page = json!({
        "id": "parking", "title": "Parking in Arlen", "format": "html",
        "content": "<script>alert(1)</script><h2>Fees</h2><p>An hour costs <b>2 euros</b>.</p>",
    });
    let (status, added) = service.post(PATH, &page).await;
    assert_eq!((status, &added["replaced"]), (200, &json!(false)), "{added}");
    let reply = service.ask(QUESTION).await;
    assert_eq!(reply["content"], "An hour costs 2 euros.");
    assert_eq!(reply["metadata"]["citations"][0]["document"], "parking");
    let service = service.kill_and_restart();
    assert_eq!(service.ask(QUESTION).await["content"], "An hour costs 2 euros.");
    let (_, list) = service.get(PATH).await;
    assert_eq!(list["documents"][0]["id"], "parking");
    let remove = || service.client.delete(service.url(&format!("{PATH}/parking"))).send();
    for removed in [true, false] {
        let reply: serde_json::Value = remove().await.unwrap().json().await.unwrap();
        assert_eq!(reply["removed"], removed);
    }
    // The answer was remembered from the document, and is gone with it.
    assert_eq!(service.ask(QUESTION).await["abstained"], true);
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said() {
    let service = Service::start(&[("DOCUMENTS__MAX_ADDED", "1")]);
    let empty = json!({ "content": "<script>x</script>", "format": "html" });
    let (status, problem) = service.post(PATH, &empty).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/content")));
    for (n, expected) in [("a", 200), ("a", 200), ("b", 409)] {
        let (status, reply) = service.post(PATH, &json!({ "id": n, "content": "Text." })).await;
        assert_eq!(status, expected, "{reply}");
    }
    for (query, expected) in [("?limit=1", 200), ("?limit=0", 422), ("?colour=red", 422)] {
        assert_eq!(service.get(&format!("{PATH}{query}")).await.0, expected, "{query}");
    }
    let refused = service.client.delete(service.url(&format!("{PATH}/a%20b"))).send().await;
    assert_eq!(refused.unwrap().status(), 422);
}

#[tokio::test]
async fn a_changed_file_is_read_anew_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fees.md");
    std::fs::write(&file, "# Parking in Arlen\n\nAn hour of parking costs 2 euros.\n").unwrap();
    let config = format!("[documents]\nfolders = [{:?}]\nwatch_seconds = 1\n", folder.path());
    let service = Service::with_file(&config, &[]);
    assert!(service.ask(QUESTION).await["content"].as_str().unwrap().contains("2 euros"));
    std::fs::write(&file, "# Parking in Arlen\n\nAn hour of parking costs 3 euros.\n").unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while !service.ask(QUESTION).await["content"].as_str().unwrap().contains("3 euros") {
        assert!(Instant::now() < until, "the change was never seen: {}", service.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Every byte of a folder's files, and of those in its folders.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { bytes_of(&path) } else { std::fs::read(&path).unwrap() });
    }
    bytes
}

#[tokio::test]
async fn with_a_key_nothing_that_a_tenant_said_lies_readable_in_the_data_folder() {
    let key = "3".repeat(64);
    let page = json!({
        "id": "canary-id", "title": "Canarytitle in Arlen", "format": "text",
        "content": "The canarytext opens in May. ".repeat(400),
    });
    let ask = json!({ "input": "When does the canarytext open?", "session_id": "s" });
    let recalled = json!({ "question": "Who is canaryquestion?", "answer": "Canaryanswer." });
    let canaries = ["canary-id", "Canarytitle", "canarytext", "canaryquestion", "Canaryanswer"];
    for keyed in [false, true] {
        let mut config = vec![("NO_KEY", "")];
        if keyed {
            config = vec![("LAKE__ENCRYPTION_KEY_ENV", "KEYS"), ("KEYS", key.as_str())];
        }
        let service = Service::start(&config);
        let (status, added) = service.post(PATH, &page).await;
        assert_eq!(status, 200, "{added}");
        let (status, _) = service.post("/api/v1/unified/lake", &recalled).await;
        assert_eq!(status, 200);
        let reply = service.process(&ask).await;
        assert_eq!(reply["content"], "The canarytext opens in May.");
        let judged = json!({ "response_id": reply["id"], "verdict": "right" });
        assert_eq!(service.post("/api/v1/unified/feedback", &judged).await.0, 200);
        // While it runs it is all in the log, afterwards in the file; without a key it shows there.
        let (folder, data) = (service.folder(), service.data_dir());
        let running = bytes_of(&data);
        assert!(service.terminate());
        for (bytes, when) in [(running, "while it runs"), (bytes_of(&data), "afterwards")] {
            for canary in canaries {
                let shown = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
                assert_eq!(shown, !keyed, "{canary}, {when}, with a key: {keyed}");
            }
        }
        drop(folder);
    }
}

#[tokio::test]
async fn a_document_from_before_the_key_is_sealed_by_the_next_start_and_opens_with_it_alone() {
    let service = Service::start(&[]);
    let page = json!({ "id": "canary", "content": "An hour of parking in Arlen costs 2 euros." });
    assert_eq!(service.post(PATH, &page).await.0, 200);
    let (folder, data) = (service.folder(), service.data_dir().display().to_string());
    assert!(service.terminate());
    let key = "4".repeat(64);
    let keyed = [("LAKE__ENCRYPTION_KEY_ENV", "KEYS"), ("KEYS", &key), ("DATA__DIR", &data)];
    let service = Service::start(&keyed);
    let (_, list) = service.get(PATH).await;
    assert_eq!(list["documents"][0]["id"], "canary");
    assert!(service.terminate());
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", &data])
        .env_clear()
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("is not configured"), "{told}");
    let service = Service::start(&keyed);
    let reply = service.ask(QUESTION).await;
    assert_eq!(reply["metadata"]["citations"][0]["document"], "canary", "{reply:#}");
    drop(folder);
}
