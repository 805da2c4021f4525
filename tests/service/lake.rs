//! The lake's doors: what an operator puts in and takes out, through the API and the command line.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const LAKE: &str = "/api/v1/unified/lake";
const DOCUMENTS: &str = "/api/v1/unified/documents";
const QUESTION: &str = "Who runs the night shift?";

async fn delete(service: &Service, id: &str) -> (u16, Value) {
    let url = service.url(&format!("{LAKE}/{id}"));
    let response = service.client.delete(url).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

/// Runs `meta-orchestrator lake …`, with nothing of this environment.
fn lake(args: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"))
        .arg("lake")
        .args(args)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[tokio::test]
async fn a_curated_answer_is_given_after_kill_9_until_it_is_evicted() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(QUESTION).await["abstained"], true);
    let pair = json!({ "question": QUESTION, "answer": "Ada.", "source": "rota" });
    let (status, result) = service.post(LAKE, &pair).await;
    assert_eq!((status, result["accepted"].as_u64()), (200, Some(1)), "{result:#}");
    let id = result["results"][0]["response_id"].as_str().unwrap().to_owned();
    let service = service.kill_and_restart();
    let reply = service.ask("who runs the NIGHT shift").await;
    assert_eq!(reply["content"], "Ada.", "{reply:#}");
    assert_eq!(reply["metadata"]["recalled_from"], id.as_str());
    let (_, stats) = service.get(&format!("{LAKE}/stats")).await;
    assert_eq!((&stats["entries"], &stats["curated"]), (&json!(1), &json!(1)));
    for evicted in [1, 0] {
        let (status, result) = delete(&service, &id).await;
        assert_eq!((status, result["evicted"].as_u64()), (200, Some(evicted)));
    }
    let service = service.kill_and_restart();
    assert_eq!(service.ask(QUESTION).await["abstained"], true);
    let (status, problem) = delete(&service, "resp_1").await;
    assert_eq!((status, problem["status"].as_u64()), (422, Some(422)), "{problem:#}");
}

#[tokio::test]
async fn what_rests_on_an_evicted_answer_goes_with_it() {
    const AT_FIRST: &str = "It rises in the high mountains of the north near the old border.";
    const AGAIN: &str = "Rises in the high mountains of the north near the old border.";
    let upstream = Upstream::start(Answer::Says(AGAIN)).await;
    upstream.once(Answer::Says(AT_FIRST));
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let ask = async |strategy: &str| {
        let body = json!({ "input": "Where does the river rise?", "strategy": strategy });
        service.process(&body).await
    };
    let first = ask("ai_first").await;
    assert_eq!(first["metadata"]["remembered"], true, "{first:#}");
    // Both tiers: the model words the answer, and what was remembered stands behind it.
    let second = ask("parallel_fusion").await;
    assert_eq!(
        (&second["content"], &second["metadata"]["remembered"]),
        (&json!(AGAIN), &json!(true))
    );
    assert_eq!(second["confidence"], first["confidence"], "nothing new was heard");
    let recalled = ask("runtime_first").await;
    assert_eq!(
        (&recalled["content"], &recalled["metadata"]["recalled_from"]),
        (&json!(AGAIN), &second["id"])
    );
    let (status, result) = delete(&service, first["id"].as_str().unwrap()).await;
    assert_eq!((status, &result["evicted"]), (200, &json!(1)), "{result:#}");
    let (_, stats) = service.get(&format!("{LAKE}/stats")).await;
    assert_eq!(stats["entries"], 0, "{stats:#}");
}

#[tokio::test]
async fn a_batch_is_refused_where_fields_are_invalid_and_told_apart_where_the_lake_refuses() {
    let service = Service::start(&[]);
    let sound = json!({ "question": QUESTION, "answer": "Ada." });
    let invalid = json!({ "entries": [sound, { "question": "why?" }] });
    let (status, problem) = service.post(LAKE, &invalid).await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["pointer"], "/entries/1/answer", "{problem:#}");
    assert_eq!(service.ask(QUESTION).await["abstained"], true, "nothing of it came in");
    let mixed = json!({ "entries": [{ "question": "?!", "answer": "x" }, sound] });
    let (status, result) = service.post(LAKE, &mixed).await;
    assert_eq!((status, result["refused"].as_u64()), (200, Some(1)));
    assert_eq!(result["results"][0]["code"], "empty_question");
    assert_eq!(service.ask(QUESTION).await["content"], "Ada.");
    let (status, problem) = service.post(LAKE, &json!({ "question": "?!", "answer": "x" })).await;
    assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("/question")));
}

#[tokio::test]
async fn a_new_epoch_makes_what_was_remembered_stale_for_good() {
    let service = Service::start(&[]);
    service.post(LAKE, &json!({ "question": QUESTION, "answer": "Ada." })).await;
    let (status, result) = service.post(&format!("{LAKE}/epoch"), &json!({})).await;
    let counts = (result["evicted"].as_u64(), result["curated_kept"].as_u64());
    assert_eq!((status, counts), (200, (Some(0), Some(1))), "{result:#}");
    assert_eq!(service.ask(QUESTION).await["content"], "Ada.");
    let (status, problem) = service.post(&format!("{LAKE}/epoch?all=1"), &json!({})).await;
    let fix = problem["errors"][0]["fix"].as_str().unwrap();
    assert!(status == 422 && fix.contains("`curated`"), "{problem:#}");
    let (status, result) = service.post(&format!("{LAKE}/epoch?curated=true"), &json!({})).await;
    assert_eq!((status, result["evicted"].as_u64()), (200, Some(1)), "{result:#}");
    assert!(result["stale_before"].as_str().unwrap().ends_with('Z'));
    let service = service.kill_and_restart();
    assert_eq!(service.ask(QUESTION).await["abstained"], true);
    service.post(LAKE, &json!({ "question": QUESTION, "answer": "Grace." })).await;
    assert_eq!(service.kill_and_restart().ask(QUESTION).await["content"], "Grace.");
}

#[tokio::test]
async fn cache_control_is_heeded() {
    let service = Service::start(&[]);
    service.post(LAKE, &json!({ "question": QUESTION, "answer": "Ada." })).await;
    for (value, hit) in [("no-store", false), ("no-cache", false), ("max-age=60", true)] {
        let request = service.client.post(service.url("/api/v1/unified/process"));
        let request = request.header("cache-control", value).json(&json!({ "input": QUESTION }));
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(reply["metadata"]["confidence_lake_hit"], hit, "{value}");
    }
}

#[tokio::test]
async fn a_lake_that_is_off_says_so() {
    let service = Service::start(&[("LAKE__ENABLED", "false")]);
    let (status, problem) = service.post(LAKE, &json!({ "question": "q", "answer": "a" })).await;
    assert_eq!(status, 409);
    assert_eq!(problem["type"], "urn:meta-orchestrator:problem:lake-off");
    assert_eq!(service.get(&format!("{LAKE}/stats")).await.0, 409);
}

#[tokio::test]
async fn a_table_goes_in_and_out_by_the_command_line_while_no_service_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (table, out) = (folder.path().join("table.jsonl"), folder.path().join("out.csv"));
    std::fs::write(
        &table,
        format!(
            "{{\"question\": \"{QUESTION}\", \"answer\": \"Ada.\", \"ttl\": \"30d\"}}\n\
             {{\"question\": \"no answer\"}}\n{{\"question\": \"?\", \"answer\": \"x\"}}\n\
             {{\"question\": \"another's\", \"answer\": \"secret\", \"tenant\": \"other\"}}\n"
        ),
    )
    .unwrap();
    let service = Service::start(&[]);
    let data = service.data_dir().display().to_string();
    let table = table.display().to_string();
    let refused = lake(&["import", &table, "--data-dir", &data], &[]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("A running service has the store"), "{}", said(&refused));
    // Through the service, everything is of its own tenant.
    let remote = lake(&["import", &table, "--url", &service.url("")], &[]);
    let report = said(&remote);
    assert!(report.contains("4 rows read, 1 answers put in, 3 refused"), "{report}");
    for line in ["line 2: missing field `answer`", "line 3: ", "line 4: tenant"] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert_eq!(service.ask(QUESTION).await["content"], "Ada.");
    assert!(service.terminate());

    let fresh = folder.path().join("data").display().to_string();
    let report = said(&lake(&["import", &table, "--data-dir", &fresh], &[]));
    assert!(report.contains("4 rows read, 2 answers put in, 2 refused"), "{report}");
    let stats = lake(&["stats", "--json", "--data-dir", &fresh], &[]);
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(stats["tenants"], json!({ "default": 1, "other": 1 }), "{stats:#}");
    let export = lake(&["export", &out.display().to_string(), "--data-dir", &fresh], &[]);
    assert!(export.status.success(), "{}", said(&export));
    let again = folder.path().join("again").display().to_string();
    let back = lake(&["import", &out.display().to_string(), "--data-dir", &again], &[]);
    assert!(back.status.success(), "{}", said(&back));
    let exports: Vec<String> = [&fresh, &again]
        .map(|data| {
            let lines = lake(&["export", "--data-dir", data], &[]).stdout;
            let lines = String::from_utf8(lines).unwrap();
            let row = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
            // A second may have passed between the two.
            lines
                .lines()
                .map(row)
                .map(|mut row| {
                    row["ttl"] = Value::Null;
                    row.to_string()
                })
                .collect()
        })
        .into();
    assert_eq!(exports[0], exports[1]);
}

#[tokio::test]
async fn an_encrypted_store_opens_with_its_key_alone_and_is_rotated_without_loss() {
    let (first, second) = ("1".repeat(64), "2".repeat(64));
    let keyed = |keys: &str, folder: &str| {
        vec![
            ("LAKE__ENCRYPTION_KEY_ENV".to_owned(), "LAKE_KEYS".to_owned()),
            ("LAKE_KEYS".to_owned(), keys.to_owned()),
            ("DATA__DIR".to_owned(), folder.to_owned()),
        ]
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let start = |keys: &str| {
        let config = keyed(keys, &data);
        let config: Vec<_> = config.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Service::start(&config)
    };
    let service = start(&first);
    service.post(LAKE, &json!({ "question": QUESTION, "answer": "Ada Lovelace." })).await;
    service.process(&json!({ "input": "what is 2 + 2, my secret?", "session_id": "s" })).await;
    service.process(&json!({ "input": "what is 2 + 2", "session_id": "s" })).await;
    let document = json!({ "id": "parking", "content": "An hour of parking costs 2 euros." });
    assert_eq!(service.post(DOCUMENTS, &document).await.0, 200);
    assert!(service.terminate());
    let everything: Vec<u8> = std::fs::read_dir(&data)
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
        .collect();
    for text in [&b"night shift"[..], b"Lovelace", b"2 + 2"] {
        let found = everything.windows(text.len()).any(|part| part == text);
        assert!(!found, "{} is readable", String::from_utf8_lossy(text));
    }
    // Neither without a key nor with another one does it start, and nothing is lost by trying.
    let base = [("META_ORCHESTRATOR__LAKE__ENCRYPTION_KEY_ENV", "LAKE_KEYS")];
    for environment in [&[][..], &[base[0], ("LAKE_KEYS", second.as_str())]] {
        let refused = lake(&["stats", "--data-dir", &data], environment);
        assert!(!refused.status.success());
        let told = said(&refused);
        assert!(told.contains("encrypted with the key") && !told.contains(&second), "{told}");
    }
    let both = format!("{second}\n{first}");
    let rotated = [base[0], ("LAKE_KEYS", both.as_str())];
    let done = lake(&["rekey", "--data-dir", &data], &rotated);
    assert!(done.status.success(), "{}", said(&done));
    let service = start(&second);
    assert_eq!(service.ask(QUESTION).await["content"], "Ada Lovelace.");
    assert_eq!(service.get(DOCUMENTS).await.1["documents"][0]["id"], "parking");
    assert!(service.terminate());
    let wrong = lake(&["stats", "--data-dir", &data], &[base[0], ("LAKE_KEYS", "hunter2")]);
    assert!(said(&wrong).contains("line 1 is no key") && !said(&wrong).contains("hunter2"));
}

#[tokio::test]
async fn a_drafter_whose_places_are_taken_is_not_waited_for() {
    // A small model on the same host: quick to begin, slow to write.
    let small = Upstream::start(Answer::Hangs).await;
    let strong = Upstream::start(Answer::Says("Paris")).await;
    let mut file = small.config(&["small"]);
    file.push_str(&strong.config(&["strong"]).replace("\"mock\"", "\"strong\""));
    let service = Service::with_file(
        &file,
        &[
            ("MOCK_KEY", "k"),
            ("FLUX__DRAFTER", "small"),
            ("FLUX__DRAFTER_CONCURRENCY", "1"),
            ("FLUX__DRAFTER_DEADLINE_MS", "3000"),
        ],
    );
    let ask = json!({ "input": "What is the capital of France?", "no_store": true });
    let first = service.process(&ask);
    let second = async {
        while small.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        let since = std::time::Instant::now();
        let reply = service.process(&ask).await;
        (reply, since.elapsed())
    };
    let (first, (second, took)) = tokio::join!(first, second);
    assert_eq!(small.calls().len(), 1, "one draft at once");
    let error = |reply: &Value| {
        let experts = reply["metadata"]["experts"].as_array().unwrap().clone();
        experts.iter().find(|e| e["kind"] == "drafter").map(|e| e["error"].clone())
    };
    assert_eq!(error(&second), Some(json!("busy")), "{second:#}");
    assert_eq!(error(&first), Some(json!("timeout")), "{first:#}");
    assert!(took.as_secs_f64() < 2.5, "it went on at once: {took:?}");
    assert_eq!((&first["content"], &second["content"]), (&json!("Paris"), &json!("Paris")));
}
