//! What goes to a model as it is, or is refused by name.

use serde_json::{Value, json};

use super::{ASK, CHAT, question, service, with};
use crate::support::{Answer, Service, Upstream};

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "strict": true,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])
}

fn call() -> Value {
    json!({"id": "call_1", "type": "function",
        "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}})
}

fn calls_a_tool() -> Answer {
    Answer::Body(json!({
        "model": "big-2026",
        "choices": [{"index": 0, "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": null, "tool_calls": [call()]}}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 8},
    }))
}

#[tokio::test]
async fn tools_go_to_one_model_and_its_calls_come_back_as_they_are() {
    let (service, upstream) = service(&["big", "small"], calls_a_tool()).await;
    let messages = json!([{"role": "user", "content": "Weather in Rome?"}]);
    let body = json!({"model": "meta/parallel-fusion", "messages": messages, "tools": tools(),
        "tool_choice": "auto", "parallel_tool_calls": false});
    let (status, answer) = service.post(CHAT, &body).await;
    assert_eq!(status, 200, "{answer:#}");
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["tool_calls"], json!([call()]));
    assert_eq!(answer["meta"]["strategy"], "ai_first", "one model answers");
    assert_eq!(answer["meta"]["remembered"], false);
    let calls = upstream.calls();
    assert_eq!(calls.len(), 1);
    for (name, sent) in [
        ("messages", messages),
        ("tools", tools()),
        ("tool_choice", json!("auto")),
        ("parallel_tool_calls", json!(false)),
    ] {
        assert_eq!(calls[0].body[name], sent, "{name}");
    }
}

#[tokio::test]
async fn what_a_tool_said_goes_back_word_for_word() {
    let (service, upstream) = service(&["big"], Answer::Says("It rains in Rome.")).await;
    let messages = json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Weather in Rome?"},
        {"role": "assistant", "content": null, "tool_calls": [call()], "refusal": null},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]);
    let body = json!({"model": "meta/hybrid", "messages": messages, "tools": tools()});
    let (status, answer) = service.post(CHAT, &body).await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["choices"][0]["message"]["content"], "It rains in Rome.");
    assert_eq!(upstream.calls()[0].body["messages"], messages);
}

#[tokio::test]
async fn images_and_formats_are_passed_on() {
    let (service, upstream) = service(&["big"], Answer::Says("{\"colour\":\"red\"}")).await;
    let messages = json!([{"role": "user", "content": [
        {"type": "text", "text": "Which colour?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]}]);
    let format = json!({"type": "json_schema", "json_schema": {"name": "c", "strict": true,
        "schema": {"type": "object"}}});
    let body = json!({"model": "big", "messages": messages, "response_format": format,
        "presence_penalty": 0.5});
    let (status, answer) = service.post(CHAT, &body).await;
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["choices"][0]["message"]["content"], "{\"colour\":\"red\"}");
    let sent = &upstream.calls()[0].body;
    assert_eq!((&sent["messages"], &sent["response_format"]), (&messages, &format));
    assert_eq!(sent["presence_penalty"], 0.5);
}

#[tokio::test]
async fn only_models_that_take_it_are_asked() {
    let upstream = Upstream::start(Answer::Says("{}")).await;
    // The surer model does not take it.
    let file = format!("{}passthrough = false\n", upstream.config(&["small", "big"])).replacen(
        "prior = 0.8",
        "prior = 0.7",
        1,
    );
    let service = Service::with_file(&file, &[("MOCK_KEY", "k")]);
    let format = json!({"response_format": {"type": "json_object"}});
    let (_, answer) = service.post(CHAT, &with(question("auto", ASK), format.clone())).await;
    assert_eq!(answer["model"], "small-2026", "{answer:#}");
    let (status, refused) = service.post(CHAT, &with(question("big", ASK), format)).await;
    assert_eq!((status, refused["error"]["param"].as_str()), (400, Some("response_format")));
    assert!(refused["error"]["message"].as_str().unwrap().contains("`big` does not take it"));
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn without_any_model_that_takes_it_the_member_is_named() {
    let service = Service::start(&[]);
    let image =
        json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x:"}}]}]);
    for (body, param) in [
        (with(question("auto", "2 + 2"), json!({ "tools": tools() })), "tools"),
        (json!({"model": "meta/hybrid", "messages": image}), "messages[0].content[0]"),
    ] {
        let (status, refused) = service.post(CHAT, &body).await;
        assert_eq!(status, 400, "{refused:#}");
        assert_eq!(refused["error"]["param"], param);
        assert_eq!(refused["error"]["code"], "unsupported_parameter");
        assert_eq!(refused["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn a_model_that_fails_on_what_was_passed_on_is_nobodys_to_replace() {
    let (service, upstream) = service(&["big"], Answer::Status(500, None)).await;
    let body = with(question("auto", "2 + 2"), json!({ "tools": tools() }));
    let (status, refused) = service.post(CHAT, &body).await;
    assert_eq!(status, 502, "no solver knows the caller's tools: {refused:#}");
    assert_eq!(refused["error"]["type"], "server_error");
    assert!(!upstream.calls().is_empty());
}
