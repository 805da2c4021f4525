//! Consensus over real sockets: the dissent is shown, and outcomes teach whom to believe.

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const STUBBORN: &[(&str, &str)] = &[("a", "It is 41."), ("b", "So: 41"), ("c", "It is 42.")];

fn question(n: usize, consensus: &str) -> Value {
    json!({
        "input": format!("How many are there in box {n}?"), "strategy": "ai_first",
        "mode": "thorough", "consensus": consensus, "no_store": true,
    })
}

async fn weight_of(service: &Service, expert: &str) -> f64 {
    let (_, figures) = service.get("/api/v1/unified/metrics").await;
    let experts = figures["experts"].as_array().unwrap();
    let found = experts.iter().find(|e| e["name"] == expert).unwrap();
    found["vote_weight"].as_f64().unwrap()
}

#[tokio::test]
async fn the_dissent_is_shown_with_who_stood_for_it() {
    let upstream = Upstream::start(Answer::ByModel(STUBBORN)).await;
    let service = Service::with_file(&upstream.config(&["a", "b", "c"]), &[("MOCK_KEY", "k")]);
    let reply = service.process(&question(1, "majority_vote")).await;
    let consensus = &reply["metadata"]["consensus"];
    assert_eq!(
        consensus["dissent"],
        json!([{ "answer": "42", "experts": ["c"], "weight": 1.0 }]),
        "{consensus:#}"
    );
    let votes = consensus["votes"].as_array().unwrap();
    let of = |expert: &str| votes.iter().find(|vote| vote["expert"] == expert).unwrap();
    assert_eq!((&of("a")["won"], &of("c")["won"]), (&json!(true), &json!(false)));
    assert!((consensus["agreement"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
}

#[tokio::test]
async fn the_same_answer_in_a_word_and_in_a_sentence_is_one_answer() {
    let upstream = Upstream::start(Answer::ByModel(&[
        ("a", "Canberra"),
        ("b", "The capital of Australia is Canberra."),
        ("c", "The capital of Australia is not Canberra."),
    ]))
    .await;
    let service = Service::with_file(&upstream.config(&["a", "b", "c"]), &[("MOCK_KEY", "k")]);
    let reply = service
        .process(&json!({
            "input": "What is the capital of Australia?", "strategy": "ai_first",
            "mode": "thorough", "consensus": "majority_vote", "no_store": true,
        }))
        .await;
    let consensus = &reply["metadata"]["consensus"];
    assert_eq!(consensus["dissent"][0]["experts"], json!(["c"]), "{consensus:#}");
    assert!((consensus["agreement"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
}

/// Two models that agree on what is wrong outvote the third, until outcomes have shown who is right;
/// what was learned survives `kill -9`, and configured weights are not touched by it.
#[tokio::test]
async fn outcomes_teach_whom_to_believe() {
    let upstream = Upstream::start(Answer::ByModel(STUBBORN)).await;
    let service = Service::with_file(&upstream.config(&["a", "b", "c"]), &[("MOCK_KEY", "k")]);
    assert_eq!(weight_of(&service, "a").await, weight_of(&service, "c").await);
    let says = |reply: &Value, what: &str| reply["content"].as_str().unwrap().contains(what);
    let mut taught = 0;
    let learned = loop {
        let reply = service.process(&question(taught, "weighted_confidence")).await;
        if says(&reply, "42") {
            break reply;
        }
        taught += 1;
        assert!(taught <= 60, "it never learned");
        let feedback = json!({ "response_id": reply["id"], "verdict": "wrong" });
        assert_eq!(service.post("/api/v1/unified/feedback", &feedback).await.0, 200);
    };
    assert!(taught >= 5, "a handful of outcomes moves nobody far: {taught}");
    let dissent = &learned["metadata"]["consensus"]["dissent"][0];
    assert_eq!((&dissent["answer"], &dissent["experts"]), (&json!("41"), &json!(["a", "b"])));
    let feedback = json!({ "response_id": learned["id"], "verdict": "right" });
    service.post("/api/v1/unified/feedback", &feedback).await;
    let (a, c) = (weight_of(&service, "a").await, weight_of(&service, "c").await);
    assert!(a < c, "{a} {c}");
    let service = service.kill_and_restart();
    assert_eq!((weight_of(&service, "a").await, weight_of(&service, "c").await), (a, c));
    assert!(says(&service.process(&question(0, "weighted_confidence")).await, "42"));
    assert!(says(&service.process(&question(0, "custom_weights")).await, "41"));
}
