//! The five strategies, the modes and the consensus, over a real upstream.

use serde_json::json;

use crate::support::{Answer, Service, Upstream};

#[tokio::test]
async fn ai_first_asks_asi_even_for_what_flux_knows() {
    let upstream = Upstream::start(Answer::Says("The answer is 4.")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let reply = service.process(&json!({ "input": "what is 2 + 2", "strategy": "AIFirst" })).await;
    assert_eq!(reply["orchestrators_used"]["kind"], "asi");
    assert_eq!(reply["content"], "The answer is 4.");
    assert_eq!(reply["metadata"]["routing_strategy"], "ai_first");
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn ai_first_recovers_with_flux_when_asi_fails() {
    let upstream = Upstream::start(Answer::Status(500, None)).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let reply = service.process(&json!({ "input": "what is 2 + 2", "strategy": "ai_first" })).await;
    assert_eq!((reply["content"].as_str(), &reply["recovered"]), (Some("4"), &json!(true)));
    assert_eq!(reply["metadata"]["remembered"], false);
}

#[tokio::test]
async fn a_hanging_asi_is_left_at_the_deadline_with_what_flux_knows() {
    let upstream = Upstream::start(Answer::Hangs).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "what is 2 + 2", "strategy": "ai_first", "deadline_ms": 300 });
    let reply = service.process(&body).await;
    assert_eq!(reply["recovered"], true);
    let body = json!({ "input": "who was Ada?", "strategy": "ai_first", "deadline_ms": 300 });
    let (status, problem) = service.post("/api/v1/unified/process", &body).await;
    assert_eq!((status, problem["status"].as_u64()), (504, Some(504)), "{problem:#}");
}

#[tokio::test]
async fn runtime_first_asks_asi_only_when_flux_abstains() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let ask =
        |input: &str| json!({ "input": input, "strategy": "runtime_first", "no_store": true });
    service.process(&ask("what is 2 + 2")).await;
    assert_eq!(upstream.calls().len(), 0);
    let reply = service.process(&ask("What is the capital of France?")).await;
    assert_eq!(reply["content"], "Paris");
    assert_eq!(reply["metadata"]["decision"]["route"], "flux_then_asi");
    let (status, _) =
        service.put("/api/v1/unified/strategy", &json!({ "runtime_fallback": false })).await;
    assert_eq!(status, 200);
    let reply = service.process(&ask("What is the capital of France?")).await;
    assert_eq!(reply["abstained"], true);
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn hybrid_keeps_a_sure_draft_and_escalates_an_unsure_one() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    assert_eq!(service.ask("what is 6 * 7").await["metadata"]["decision"]["route"], "flux");
    assert_eq!(upstream.calls().len(), 0);
    let reply = service.ask("What is the capital of France?").await;
    assert_eq!(reply["content"], "Paris");
    assert!(reply["metadata"]["decision"]["reason"].as_str().unwrap().contains("Hybrid"));
}

#[tokio::test]
async fn parallel_fusion_weighs_both_tiers_at_position_6() {
    let upstream = Upstream::start(Answer::Says("The answer is 4.")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "what is 2 + 2", "strategy": "ParallelFusion" });
    let reply = service.process(&body).await;
    assert_eq!(reply["flux_position"], 6, "{reply:#}");
    assert_eq!(reply["orchestrators_used"]["kind"], "fused");
    let weights = &reply["orchestrators_used"]["weights"];
    let sum = weights["flux"].as_f64().unwrap() + weights["asi"].as_f64().unwrap();
    assert!((sum - 1.0).abs() < 1e-6, "{weights}");
    assert_eq!(reply["sacred_boost"], true);
}

#[tokio::test]
async fn adaptive_answers_and_logs_the_probability_of_its_choice() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "what is 2 + 2", "strategy": "adaptive" });
    let reply = service.process(&body).await;
    let decision = &reply["metadata"]["decision"];
    let alternatives = decision["alternatives"].as_array().unwrap();
    assert_eq!(
        (reply["metadata"]["routing_strategy"].as_str(), alternatives.len()),
        (Some("adaptive"), 7)
    );
    let chosen = alternatives.iter().find(|a| a["arm"] == decision["arm"]).unwrap();
    assert_eq!(chosen["probability"], decision["probability"]);
    let whole: f64 = alternatives.iter().map(|a| a["probability"].as_f64().unwrap()).sum();
    assert!((whole - 1.0).abs() < 1e-9, "{whole}");
}

#[tokio::test]
async fn an_explanation_asks_nobody_and_decides_alike() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "Which is the capital of France?", "strategy": "ai_first" });
    let (status, plan) = service.post("/api/v1/unified/explain", &body).await;
    assert_eq!(status, 200, "{plan:#}");
    assert_eq!(upstream.calls().len(), 0, "nobody was asked");
    let reply = service.process(&body).await;
    let metadata = &reply["metadata"];
    assert_eq!(plan["decision"]["route"], metadata["decision"]["route"]);
    assert_eq!(plan["complexity"]["score"], metadata["complexity"]["score"]);
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["strategies"]["ai_first"]["requests"], 1, "the dry run is not recorded");
    let sentence = metadata["explanation"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("AIFirst asks ASI") && sentence.ends_with('.'), "{sentence}");
}

#[tokio::test]
async fn an_audited_answer_counts_in_the_accuracy() {
    let upstream = Upstream::start(Answer::Says("The answer is 12.")).await;
    let file = upstream.config(&["big"]);
    let service = Service::with_file(&file, &[("MOCK_KEY", "k"), ("AUDIT__RATE", "1.0")]);
    let body = json!({ "input": "what is 15 percent of 80?", "strategy": "runtime_first" });
    let reply = service.process(&body).await;
    assert_eq!(reply["orchestrators_used"]["kind"], "flux");
    let mut accuracy = serde_json::Value::Null;
    for _ in 0..200 {
        let (_, metrics) = service.get("/api/v1/unified/metrics").await;
        accuracy = metrics["strategies"]["runtime_first"]["accuracy"].clone();
        if !accuracy.is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!((&accuracy["value"], &accuracy["audits"]), (&json!(1.0), &json!(1)), "{accuracy}");
}

#[tokio::test]
async fn a_quality_target_holds_once_enough_drafts_are_audited_and_after_kill_9() {
    let upstream = Upstream::start(Answer::Says("The answer is 12.")).await;
    let file = upstream.config(&["big"]);
    let config = [("MOCK_KEY", "k"), ("AUDIT__RATE", "1.0")];
    let service = Service::with_file(&file, &config);
    let target = json!({ "quality_target": { "alpha": 0.3, "delta": 0.1 } });
    let (status, policy) = service.put("/api/v1/unified/strategy", &target).await;
    assert_eq!((status, &policy["promise"]["state"]), (200, &json!("thin")), "{policy:#}");
    assert_eq!(policy["promise"]["keep_signal"], policy["thresholds"]["keep_signal"]);
    // A share of 0.3 with confidence 0.9 takes ten faultless drafts.
    assert_eq!(policy["promise"]["needed"], 10);
    let reply = service.ask("what is 11 + 1?").await;
    let reason = reply["metadata"]["decision"]["reason"].as_str().unwrap();
    assert!(reason.contains("cannot be promised yet"), "{reason}");
    for n in 1..12 {
        service.ask(&format!("what is {n} + {}?", 12 - n)).await;
    }
    let mut policy = serde_json::Value::Null;
    for _ in 0..200 {
        policy = service.get("/api/v1/unified/strategy").await.1;
        if policy["promise"]["n"] == 12 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(policy["promise"]["state"], "kept", "{policy:#}");
    assert!(policy["promise"]["loss_bound"].as_f64().unwrap() <= 0.3);
    assert_eq!(policy["promise"]["slow_share"], 0.0);
    let reply = service.ask("what is 20 - 8?").await;
    let reason = reply["metadata"]["decision"]["reason"].as_str().unwrap();
    assert!(reason.contains("at most 30 % is lost against ASI"), "{reason}");

    let service = service.kill_and_restart();
    let (_, after) = service.get("/api/v1/unified/strategy").await;
    assert_eq!(after["quality_target"], policy["quality_target"]);
    assert_eq!(after["promise"]["state"], "kept", "{after:#}");

    let (folder, data) = (service.folder(), service.data_dir());
    assert!(service.terminate());
    let calibrate = |alpha: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
            .args(["calibrate", "--delta", "0.1", "--alpha", alpha, "--json", "--ledger"])
            .arg(&data)
            .output()
            .unwrap()
    };
    let found = calibrate("0.3");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["cut"]["keep_signal"], after["promise"]["keep_signal"], "{found:#}");
    let refused = calibrate("0.01");
    assert_eq!(refused.status.code(), Some(1), "thirteen drafts show no loss below 1 %");
    drop(folder);
}

#[tokio::test]
async fn a_full_queue_turns_an_escalated_draft_away_as_it_does_a_kept_one() {
    let upstream = Upstream::start(Answer::Says("The answer is 12.")).await;
    upstream.once(Answer::Hangs);
    let config = [
        ("MOCK_KEY", "k"),
        ("AUDIT__RATE", "1.0"),
        ("AUDIT__QUEUE", "1"),
        ("AUDIT__MAX_CONCURRENT", "1"),
    ];
    let service = Service::with_file(&upstream.config(&["big"]), &config);
    let target = json!({ "quality_target": { "alpha": 0.3 } });
    assert_eq!(service.put("/api/v1/unified/strategy", &target).await.0, 200);
    service.ask("what is 5 + 7?").await;
    for _ in 0..200 {
        if upstream.calls().len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(upstream.calls().len(), 1, "its audit is under way");
    service.ask("what is 6 + 6?").await;
    // The only place is taken from here on.
    let escalate = json!({ "thresholds": { "keep_signal": 1.0 } });
    assert_eq!(service.put("/api/v1/unified/strategy", &escalate).await.0, 200);
    let reply = service.ask("what is 11 + 1?").await;
    assert_eq!(reply["metadata"]["decision"]["route"], "flux_then_asi", "{reply:#}");
    let (_, policy) = service.get("/api/v1/unified/strategy").await;
    assert_eq!(policy["promise"]["n"], 0, "{policy:#}");
}

#[tokio::test]
async fn an_audit_is_evidence_where_feedback_came_first() {
    let pause = std::time::Duration::from_millis(700);
    let upstream = Upstream::start(Answer::SaysAfter("The answer is 12.", pause)).await;
    let config = [("MOCK_KEY", "k"), ("AUDIT__RATE", "1.0")];
    let service = Service::with_file(&upstream.config(&["big"]), &config);
    let target = json!({ "quality_target": { "alpha": 0.3 } });
    assert_eq!(service.put("/api/v1/unified/strategy", &target).await.0, 200);
    let reply = service.ask("what is 11 + 1?").await;
    let feedback = json!({ "response_id": reply["id"], "verdict": "wrong" });
    assert_eq!(service.post("/api/v1/unified/feedback", &feedback).await.0, 200);
    let mut policy = serde_json::Value::Null;
    for _ in 0..200 {
        policy = service.get("/api/v1/unified/strategy").await.1;
        if policy["promise"]["n"] == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(policy["promise"]["n"], 1, "{policy:#}");
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    let accuracy = &metrics["strategies"]["hybrid"]["accuracy"];
    assert_eq!((&accuracy["value"], &accuracy["audits"]), (&json!(0.0), &json!(0)), "{accuracy}");
}

#[tokio::test]
async fn drafts_that_asi_contradicts_end_a_promise() {
    let upstream = Upstream::start(Answer::Says("The answer is 13.")).await;
    let file = upstream.config(&["big"]);
    let service = Service::with_file(&file, &[("MOCK_KEY", "k"), ("AUDIT__RATE", "1.0")]);
    let target = json!({ "quality_target": { "alpha": 0.3, "delta": 0.1 } });
    assert_eq!(service.put("/api/v1/unified/strategy", &target).await.0, 200);
    for n in 1..12 {
        service.ask(&format!("what is {n} + {}?", 12 - n)).await;
    }
    let mut policy = serde_json::Value::Null;
    for _ in 0..200 {
        policy = service.get("/api/v1/unified/strategy").await.1;
        if policy["promise"]["n"] == 11 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(policy["promise"]["state"], "unsure", "{policy:#}");
    let reply = service.ask("what is 6 * 7?").await;
    assert_eq!(reply["metadata"]["decision"]["route"], "flux_then_asi", "{reply:#}");
    assert_ne!(reply["content"], "42", "what the promise gave to ASI is ASI's to answer");
    let bad = json!({ "quality_target": { "alpha": 0.9 } });
    let (status, problem) = service.put("/api/v1/unified/strategy", &bad).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/quality_target/alpha")));
}

#[tokio::test]
async fn thorough_lets_the_majority_win_and_shows_the_votes() {
    let upstream = Upstream::start(Answer::ByModel(&[
        ("a", "It is 41."),
        ("b", "It is 42."),
        ("c", "So: 42"),
    ]))
    .await;
    let service = Service::with_file(&upstream.config(&["a", "b", "c"]), &[("MOCK_KEY", "k")]);
    for consensus in ["majority_vote", "weighted_confidence", "ensemble", "custom_weights"] {
        let reply = service
            .process(&json!({
                "input": "How many are there?", "strategy": "ai_first", "mode": "thorough",
                "consensus": consensus, "no_store": true,
            }))
            .await;
        assert!(reply["content"].as_str().unwrap().contains("42"), "{consensus}: {reply:#}");
        assert_eq!(reply["metadata"]["consensus"]["votes"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_mode_that_cannot_be_honoured_is_said_to_fall_short() {
    let upstream = Upstream::start(Answer::Says("42")).await;
    let service = Service::with_file(&upstream.config(&["only"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": "How many?", "strategy": "ai_first", "mode": "thorough" });
    let reply = service.process(&body).await;
    assert!(reply["metadata"]["shortfall"].as_str().unwrap().contains("3 experts"), "{reply:#}");
}

#[tokio::test]
async fn reasoning_sends_an_answer_with_wrong_arithmetic_back_once() {
    let upstream = Upstream::start(Answer::Says("3 * 4 = 12. #### 12")).await;
    upstream.once(Answer::Says("3 * 4 = 13. #### 13"));
    let service = Service::with_file(&upstream.config(&["only"]), &[("MOCK_KEY", "k")]);
    let body = json!({
        "input": "Ann has three bags with 4 apples each. How many apples has she?",
        "strategy": "ai_first", "mode": "reasoning",
    });
    let reply = service.process(&body).await;
    assert!(reply["content"].as_str().unwrap().contains("12"), "{reply:#}");
    assert_eq!(reply["metadata"]["vortex_cycles"], 2);
    assert_eq!(upstream.calls().len(), 2);
    assert!(upstream.calls()[1].body["messages"].to_string().contains("13"));
}
