//! Whole answers, and the models that give them.

use serde_json::{Value, json};

use super::{ASK, CHAT, question, service, with};
use crate::support::{Answer, Service};

#[tokio::test]
async fn an_exact_question_is_answered_without_any_model() {
    let service = Service::start(&[]);
    let response = service
        .client
        .post(service.url(CHAT))
        .json(&question("meta/hybrid", "17 * 3"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "meta/hybrid", "nobody else's words");
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": "51", "refusal": null},
        "logprobs": null, "finish_reason": "stop"});
    assert_eq!(answer["choices"], json!([choice]));
    let usage = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
    assert_eq!(answer["usage"], usage);
    assert_eq!(headers["x-meta-response-id"], answer["id"].as_str().unwrap());
    assert_eq!(headers["x-meta-strategy"], "hybrid");
    assert_eq!(headers["x-meta-route"], "flux");
    assert_eq!(headers["x-meta-abstained"], "false");
    assert_eq!(headers["x-meta-flux-position"], answer["meta"]["flux_position"].to_string());
    assert!(!headers.contains_key("x-meta-model"));
    assert!(headers["x-meta-confidence"].to_str().unwrap().parse::<f64>().unwrap() > 0.9);
    let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
        - answer["created"].as_u64().unwrap();
    assert!(age < 60, "{age}");
}

#[tokio::test]
async fn the_model_really_used_is_named_and_what_it_cost() {
    let (service, _upstream) = service(&["big"], Answer::Says("Paris")).await;
    let (status, answer) = service.post(CHAT, &question("meta/ai-first", ASK)).await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["model"], "big-2026");
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris");
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    assert_eq!(answer["usage"], usage);
    assert!((answer["meta"]["cost"]["usd"].as_f64().unwrap() - 20e-6).abs() < 1e-12);
    assert_eq!(answer["meta"]["strategy"], "ai_first");
    let expert = json!({"name": "big", "kind": "model", "model": "big-2026"});
    assert_eq!(answer["meta"]["experts"], json!([expert]));
}

#[tokio::test]
async fn a_configured_model_asked_for_by_name_answers_alone() {
    let answers = Answer::ByModel(&[("small", "Paris"), ("big", "Lyon")]);
    let (service, upstream) = service(&["big", "small"], answers).await;
    for text in [ASK, "17 * 3"] {
        let (status, answer) = service.post(CHAT, &question("small", text)).await;
        assert_eq!(status, 200, "{answer:#}");
        assert_eq!(answer["model"], "small-2026");
        assert_eq!(answer["meta"]["experts"].as_array().unwrap().len(), 1);
    }
    let asked: Vec<_> = upstream.calls().iter().map(|c| c.body["model"].clone()).collect();
    assert_eq!(asked, ["small", "small"], "no solver and no other model speaks for it");
}

#[tokio::test]
async fn system_prompt_turns_and_sampling_reach_the_model() {
    let (service, upstream) = service(&["big"], Answer::Says("Lyon")).await;
    let body = json!({
        "model": "meta/ai-first",
        "messages": [
            {"role": "system", "content": "Speak like a pirate."},
            {"role": "user", "content": ASK},
            {"role": "assistant", "content": "Paris", "refusal": null, "tool_calls": null},
            {"role": "user", "content": [{"type": "text", "text": "And its second city?"}]},
        ],
        "max_completion_tokens": 50, "temperature": 0.5, "top_p": 0.9, "stop": ["\n\n"], "seed": 7,
        "user": "u-1", "brand_new_member": true,
    });
    let (status, answer) = service.post(CHAT, &body).await;
    assert_eq!((status, answer["choices"][0]["message"]["content"].as_str()), (200, Some("Lyon")));
    let sent = &upstream.calls()[0].body;
    let messages = sent["messages"].as_array().unwrap();
    assert!(messages[0]["content"].as_str().unwrap().ends_with("Speak like a pirate."), "{sent:#}");
    let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(messages[3]["content"], "And its second city?");
    for (name, value) in [
        ("max_tokens", json!(50)),
        ("temperature", json!(0.5)),
        ("top_p", json!(0.9)),
        ("stop", json!(["\n\n"])),
        ("seed", json!(7)),
    ] {
        assert_eq!(sent[name], value, "{name}");
    }
    assert!(sent.get("user").is_none() && sent.get("brand_new_member").is_none());
}

#[tokio::test]
async fn instructions_keep_solvers_silent_unless_they_say_nothing() {
    let (service, upstream) = service(&["big"], Answer::Says("fifty-one")).await;
    let ask = |system: &str| {
        json!({"model": "auto", "messages": [
            {"role": "system", "content": system}, {"role": "user", "content": "17 * 3"}]})
    };
    let (_, answer) = service.post(CHAT, &ask("You are a helpful assistant.")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "51");
    assert_eq!(upstream.calls().len(), 0);
    let (_, answer) = service.post(CHAT, &ask("Write numbers as words.")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "fifty-one");
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn what_nobody_drew_for_this_caller_keeps_to_his_limits() {
    let (service, upstream) = service(&["big"], Answer::Says("about 10^18")).await;
    let long = question("auto", "1000000007 * 1000000009");
    let (_, answer) = service.post(CHAT, &long).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "1000000016000000063");
    let (_, answer) = service.post(CHAT, &with(long.clone(), json!({"max_tokens": 2}))).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "about 10^18", "{answer:#}");
    assert_eq!(upstream.calls()[0].body["max_tokens"], 2);
    let (_, answer) = service.post(CHAT, &with(long, json!({"stop": "0016"}))).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "about 10^18");
}

#[tokio::test]
async fn an_answer_cut_by_its_length_says_so() {
    let cut = json!({"model": "big-2026", "choices": [{"index": 0, "finish_reason": "length",
        "message": {"role": "assistant", "content": "The capital of"}}]});
    let (service, _upstream) = service(&["big"], Answer::Body(cut)).await;
    let (_, answer) = service.post(CHAT, &question("meta/ai-first", ASK)).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length", "{answer:#}");
    assert_eq!(answer["meta"]["remembered"], false);
}

#[tokio::test]
async fn meta_means_what_it_means_to_process() {
    let (service, upstream) = service(&["big"], Answer::Says("Paris")).await;
    let meta = |meta: Value| with(question("auto", ASK), json!({ "meta": meta }));
    let passage = json!({"strategy": "ai_first", "no_store": true, "mode": "fast",
        "context": [{"source": "atlas", "text": "The capital of France is Paris."}]});
    let (status, answer) = service.post(CHAT, &meta(passage)).await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["meta"]["strategy"], "ai_first");
    assert_eq!(answer["meta"]["remembered"], false);
    let broke = json!({"strategy": "ai_first", "max_cost_usd": 0});
    let calls = upstream.calls().len();
    let (status, problem) = service.post(CHAT, &meta(broke)).await;
    assert_eq!((status, upstream.calls().len()), (502, calls), "{problem:#}");
    let (_, first) = service.post(CHAT, &meta(json!({"session_id": "s1"}))).await;
    assert!(first["id"].is_string());
    let (_, second) = service
        .post(
            CHAT,
            &with(
                question("meta/ai-first", "And of Spain?"),
                json!({"meta": {"session_id": "s1"}}),
            ),
        )
        .await;
    assert!(second["id"].is_string());
    let sent = upstream.calls().last().unwrap().body.to_string();
    assert!(sent.contains("capital of France"), "the session's turns are there: {sent}");
}

#[tokio::test]
async fn feedback_takes_the_id_of_a_chat() {
    let service = Service::start(&[]);
    let (_, answer) = service.post(CHAT, &question("auto", "17 * 3")).await;
    let feedback = json!({"response_id": answer["id"], "score": 1});
    let (status, taken) = service.post("/api/v1/unified/feedback", &feedback).await;
    assert_eq!(status, 200, "{taken:#}");
}

#[tokio::test]
async fn models_are_listed_and_looked_up_by_name() {
    let (service, _upstream) = service(&["big", "org/small:1"], Answer::Says("x")).await;
    let (status, list) = service.get("/v1/models").await;
    assert_eq!((status, list["object"].as_str()), (200, Some("list")));
    let names: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    let own = [
        "auto",
        "meta",
        "meta/ai-first",
        "meta/runtime-first",
        "meta/hybrid",
        "meta/parallel-fusion",
        "meta/adaptive",
    ];
    assert_eq!(names, [&own[..], &["big", "org/small:1"]].concat());
    for (asked, id, owner) in [
        ("meta/hybrid", "meta/hybrid", "meta-orchestrator"),
        ("meta%2Fhybrid", "meta/hybrid", "meta-orchestrator"),
        ("org/small:1", "org/small:1", "mock"),
        ("auto", "auto", "meta-orchestrator"),
    ] {
        let (status, model) = service.get(&format!("/v1/models/{asked}")).await;
        assert_eq!(status, 200, "{asked}: {model}");
        assert_eq!((model["id"].as_str(), model["owned_by"].as_str()), (Some(id), Some(owner)));
        assert!(model["created"].as_u64().unwrap() > 1_700_000_000);
    }
    let metrics = service.text("/metrics").await;
    assert!(metrics.contains("route=\"/v1/models/{model}\""), "{metrics}");
}

/// A chat whose last question a solver knows.
fn after(earlier: &[(&str, &str)], last: &str) -> Value {
    let said = |(role, content): &(&str, &str)| json!({ "role": role, "content": content });
    let last = json!({ "role": "user", "content": last });
    let messages: Vec<Value> = earlier.iter().map(said).chain([last]).collect();
    json!({ "model": "meta/hybrid", "messages": messages })
}

#[tokio::test]
async fn what_earlier_turns_ask_of_answers_is_not_passed_over_by_a_solver() {
    let (service, upstream) = service(&["big"], Answer::Says("cinq")).await;
    let promised = ("assistant", "Gladly.");
    for earlier in [
        &[("system", "Answer only in French.")][..],
        &[("user", "Answer only in French from now on."), promised],
        &[("user", "Always answer with JSON."), promised, ("user", "Thanks!"), promised],
        &[("user", "From now on add 1 to each result."), promised],
        &[("user", "Could you double every number that I name?"), promised],
    ] {
        let before = upstream.calls().len();
        let (status, answer) = service.post(CHAT, &after(earlier, "what is 2 + 3?")).await;
        assert_eq!(status, 200, "{answer:#}");
        assert_eq!(answer["choices"][0]["message"]["content"], "cinq", "{earlier:?}");
        assert!(upstream.calls().len() > before, "{earlier:?}");
    }
}

#[tokio::test]
async fn after_plain_questions_a_solver_still_answers() {
    let (service, upstream) = service(&["big"], Answer::Says("cinq")).await;
    let earlier = [
        ("system", "You are a helpful assistant."),
        ("user", ASK),
        ("assistant", "Paris. Shall I answer in French?"),
        ("user", "17 * 3"),
        ("assistant", "51"),
        ("user", "Thank you!"),
        ("assistant", "You are welcome."),
    ];
    let (status, answer) = service.post(CHAT, &after(&earlier, "what is 2 + 3?")).await;
    assert_eq!((status, &answer["choices"][0]["message"]["content"]), (200, &json!("5")));
    assert_eq!(upstream.calls().len(), 0, "nobody needs to be paid for it");
}
