//! What operators meet: probes, policy, shutdown, configuration.

use std::{process::Command, time::Duration};

use serde_json::json;

use crate::support::{Answer, Service, Upstream};

#[tokio::test]
async fn probes_metrics_and_health_answer() {
    let service = Service::start(&[]);
    assert_eq!(service.get("/livez").await.0, 200);
    assert_eq!(service.get("/readyz").await.0, 200);
    let (status, health) = service.get("/api/v1/unified/health").await;
    assert_eq!((status, health["status"].as_str()), (200, Some("ok")), "{health:#}");
    service.ask("what is 2 + 2").await;
    let metrics = service.text("/metrics").await;
    assert!(metrics.contains(
        "meta_orchestrator_requests_total{ended=\"answered\",route=\"flux\",strategy=\"hybrid\"} 1"
    ));
    assert!(!metrics.contains("accuracy_ratio{strategy"), "nobody measured an accuracy yet");
    let probe = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
        .args(["probe", "--address", service.url("").trim_start_matches("http://")])
        .status()
        .unwrap();
    assert!(probe.success());
}

#[tokio::test]
async fn accuracy_appears_with_the_first_outcome() {
    let service = Service::start(&[]);
    let reply = service.ask("what is 2 + 2").await;
    let feedback = json!({ "response_id": reply["id"], "verdict": "right" });
    service.post("/api/v1/unified/feedback", &feedback).await;
    let metrics = service.text("/metrics").await;
    assert!(
        metrics.contains("meta_orchestrator_accuracy_ratio{strategy=\"hybrid\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("meta_orchestrator_tier_accuracy_ratio{tier=\"flux\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_policy_takes_effect_for_the_next_request_and_bad_ones_are_explained() {
    let service = Service::start(&[]);
    let path = "/api/v1/unified/strategy";
    let (status, policy) = service.put(path, &json!({ "strategy": "ParallelFusion" })).await;
    assert_eq!((status, policy["strategy"].as_str()), (200, Some("parallel_fusion")));
    let reply = service.ask("what is 2 + 2").await;
    assert_eq!(reply["metadata"]["routing_strategy"], "parallel_fusion");
    let (status, problem) =
        service.put(path, &json!({ "thresholds": { "keep_signal": 7, "lake_floor": 0.1 } })).await;
    assert_eq!(status, 422, "{problem:#}");
    let errors = problem["errors"].to_string();
    assert!(
        errors.contains("/thresholds/keep_signal") && errors.contains("/thresholds/lake_floor")
    );
    let (_, unchanged) = service.get(path).await;
    assert_eq!(unchanged["version"], policy["version"]);
}

#[tokio::test]
async fn changes_of_the_policy_at_once_all_count() {
    let service = Service::start(&[]);
    let path = "/api/v1/unified/strategy";
    // Each changes another field, so that one which is overwritten by another's shows.
    let changes = json!({
        "/strategy": "ai_first",
        "/consensus": "ensemble",
        "/custom_weights": { "expert": 2.0 },
        "/sacred_weight": 2.0,
        "/runtime_fallback": false,
        "/thresholds/abstain_floor": 0.41,
        "/thresholds/keep_signal": 0.81,
        "/thresholds/moderate_complexity": 0.21,
        "/thresholds/complex_complexity": 0.71,
        "/thresholds/second_opinion": 0.61,
        "/thresholds/lake_floor": 0.91,
        "/adaptive/exploration": 0.11,
        "/quality_target/delta": 0.11,
    });
    let changes = changes.as_object().unwrap();
    let sent = changes.iter().map(|(pointer, value)| {
        let nested =
            |inner, name: &str| if name.is_empty() { inner } else { json!({ name: inner }) };
        let change = pointer.rsplit('/').fold(value.clone(), nested);
        let (client, url) = (service.client.clone(), service.url(path));
        tokio::spawn(async move { client.put(url).json(&change).send().await.unwrap().status() })
    });
    for status in futures_util::future::join_all(sent).await {
        assert_eq!(status.unwrap(), 200);
    }
    let (_, policy) = service.get(path).await;
    assert_eq!(policy["version"], 1 + changes.len());
    for (pointer, value) in changes {
        assert_eq!(policy.pointer(pointer), Some(value), "{pointer}");
    }
}

#[tokio::test]
async fn feedback_for_an_unknown_response_is_a_404() {
    let service = Service::start(&[]);
    let id = "resp_0190a0b0c0d07e0f8a1b2c3d4e5f6071";
    let body = json!({ "response_id": id, "verdict": "right" });
    let (status, problem) = service.post("/api/v1/unified/feedback", &body).await;
    assert_eq!(status, 404, "{problem:#}");
}

#[tokio::test]
async fn sigterm_waits_for_the_request_in_flight() {
    let upstream = Upstream::start(Answer::Hangs).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "what is 2 + 2", "strategy": "ai_first", "deadline_ms": 1500 });
    let asked = service.client.post(service.url("/api/v1/unified/process")).json(&body).send();
    let asked = tokio::spawn(asked);
    let reached = async {
        while upstream.calls().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap();
    let ended = tokio::task::spawn_blocking(move || service.terminate());
    let response = asked.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert!(ended.await.unwrap(), "the service did not end with success");
}

#[tokio::test]
async fn a_second_service_on_the_same_data_is_told_so() {
    let service = Service::start(&[]);
    let output = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(service.data_dir())
        .env_clear()
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another"), "{said}");
}

#[test]
fn what_would_stop_a_start_is_found_by_checking_the_configuration() {
    let check = |environment: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
            .arg("--check-config")
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check(&[]).0, Some(0));
    let (code, said) = check(&[
        ("META_ORCHESTRATOR__LAKE__ENCRYPTION_KEY_ENV", "KEYS"),
        ("KEYS", "hunter2"),
        ("META_ORCHESTRATOR__JUDGEMENT__MODEL", "/nowhere/own.gz"),
    ]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("line 1 is no key") && said.contains("/nowhere/own.gz"), "{said}");
    assert!(!said.contains("hunter2"));
    let (code, said) = check(&[("META_ORCHESTRATOR_SERVER_LISTEN", "127.0.0.1:1")]);
    assert_eq!(code, Some(2));
    assert!(said.contains("write META_ORCHESTRATOR__SERVER__LISTEN"), "{said}");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_told_what_would_be_right() {
    let service = Service::start(&[]);
    let path = "/api/v1/unified/strategy";
    for (body, kind) in
        [(json!(null), "null"), (json!(["hybrid"]), "an array"), (json!(1), "a number")]
    {
        let (status, problem) = service.put(path, &body).await;
        assert_eq!((status, &problem["errors"][0]["detail"]), (422, &json!(format!("is {kind}"))));
        let fix = problem["errors"][0]["fix"].as_str().unwrap();
        assert!(fix.starts_with("send a JSON object; known fields are strategy, "), "{fix}");
    }
    let misspelt = json!({ "inputs": "what is 2 + 2?" });
    let (status, problem) = service.post("/api/v1/unified/process", &misspelt).await;
    assert_eq!(status, 422);
    let fixes = problem["errors"].to_string();
    assert!(fixes.contains("did you mean `input`?"), "{fixes}");
}

#[test]
fn every_problem_of_a_configuration_is_reported_in_one_go() {
    let output = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
        .arg("--check-config")
        .env_clear()
        .env("META_ORCHESTRATOR__LAKE__MAX_ENTRYS", "5")
        .env("META_ORCHESTRATOR__FLUX__RATE_HZ", "0")
        .env("META_ORCHESTRATOR__POLICY__STRATEGY", "fastest")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    for key in ["lake.max_entrys", "flux.rate_hz", "policy.strategy"] {
        assert!(said.contains(key), "{key} is not in: {said}");
    }
}

#[tokio::test]
async fn the_data_folder_is_a_folder_and_the_next_start_finds_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data").display().to_string();
    let config = [("DATA__DIR", data.as_str())];
    let service = Service::start(&config);
    service.put("/api/v1/unified/strategy", &json!({ "strategy": "ai_first" })).await;
    assert!(service.terminate());
    assert!(folder.path().join("data").is_dir());
    let service = Service::start(&config);
    let (_, policy) = service.get("/api/v1/unified/strategy").await;
    assert_eq!(policy["strategy"], "ai_first");
}

#[tokio::test]
async fn a_new_judgement_model_is_taken_into_use_without_a_restart_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (model, table) = (folder.path().join("own.gz"), folder.path().join("table.jsonl"));
    let row = |i: u32| {
        let (prompt, right) = (format!("What is {i} times {}?", i + 7), i * (i + 7));
        let (small, big) = (right + u32::from(i.is_multiple_of(3)), right);
        json!({
            "id": i.to_string(), "prompt": prompt, "gold": right.to_string(),
            "answers": { "small": format!("The answer is {small}."), "big": format!("The answer is {big}.") }
        })
    };
    let rows: Vec<String> = (0..120).map(|i| row(i).to_string()).collect();
    std::fs::write(&table, rows.join("\n")).unwrap();
    let train = |name: &str| {
        let trained = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
            .args(["train", "--force", "--date", "2026-11-26", "--name", name, "--data"])
            .arg(&table)
            .arg("--out")
            .arg(&model)
            .output()
            .unwrap();
        assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    };
    train("first");
    let path = model.to_str().unwrap();
    let service = Service::start(&[("JUDGEMENT__MODEL", path), ("JUDGEMENT__WATCH_SECONDS", "1")]);
    let judged_by = async || {
        service.get("/api/v1/unified/strategy").await.1["judged_by"].as_str().unwrap().to_owned()
    };
    let first = judged_by().await;
    assert!(first.starts_with("first"), "{first}");
    std::fs::write(&model, "no model").unwrap();
    for _ in 0..200 {
        if service.log().contains("the new judgement model is refused") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(service.log().contains("the new judgement model is refused"), "{}", service.log());
    assert_eq!(judged_by().await, first);
    train("second");
    let mut now = first;
    for _ in 0..200 {
        now = judged_by().await;
        if now.starts_with("second") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(now.starts_with("second"), "{now}");
    let reply = service.ask("what is 2 + 2").await;
    assert_eq!(reply["content"], "4");
}
