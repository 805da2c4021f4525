//! Long conversations: what of them goes with a question, and how much of them is kept.

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const TOPICS: [&str; 6] = ["volcanoes", "tea", "bridges", "wolves", "chess", "rivers"];

async fn say(service: &Service, session: &str, input: &str) -> Value {
    let body = json!({ "input": input, "session_id": session, "strategy": "ai_first" });
    service.process(&body).await
}

/// What the model was last sent.
fn messages(upstream: &Upstream) -> Vec<Value> {
    let calls = upstream.calls();
    calls.last().unwrap().body["messages"].as_array().unwrap().clone()
}

fn noted_at(reply: &Value, stage: &str) -> String {
    let visits = reply["metadata"]["trace"].as_array().unwrap();
    let visit = visits.iter().find(|visit| visit["stage"] == stage).unwrap();
    visit["note"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_said_long_ago_goes_along_when_it_is_needed_and_the_trace_counts_what_was_left() {
    let upstream = Upstream::start(Answer::Says("That is a long story, told quickly.")).await;
    let mut service = Service::with_file(
        &upstream.config(&["big"]),
        &[("MOCK_KEY", "k"), ("SESSIONS__TOKEN_BUDGET", "200")],
    );
    say(&service, "s", "Always answer in French, please.").await;
    say(&service, "s", "The gate of the cabin opens with 8812.").await;
    for (n, topic) in TOPICS.iter().cycle().take(28).enumerate() {
        say(&service, "s", &format!("Tell me fact number {n} about {topic}.")).await;
        if n == 14 {
            service = service.kill_and_restart();
        }
    }
    let reply = say(&service, "s", "How do I open the gate of the cabin?").await;
    let sent = messages(&upstream);
    let said = Value::from(sent.clone()).to_string();
    assert!(said.contains("answer in French") && said.contains("8812"), "{said}");
    assert!(said.contains("fact number 27") && !said.contains("fact number 5 "), "{said}");
    let roles: Vec<&str> = sent.iter().filter_map(|message| message["role"].as_str()).collect();
    assert_eq!(roles[0], "system");
    let alternate = |pair: &[&str]| pair[0] != pair[1];
    assert!(roles[1..].windows(2).all(alternate) && roles[1] == "user", "{roles:?}");
    let note = noted_at(&reply, "context_checkpoint");
    assert!(note.contains(" of 60 turns kept (") && note.contains("tokens dropped"), "{note}");
    assert!(!note.contains("8812") && !note.contains("French"), "{note}");
}

#[tokio::test]
async fn a_conversation_is_kept_within_its_bounds() {
    let upstream = Upstream::start(Answer::Says("Noted.")).await;
    let service = Service::with_file(
        &upstream.config(&["big"]),
        &[
            ("MOCK_KEY", "k"),
            ("SESSIONS__MAX_TURNS", "6"),
            ("SESSIONS__MAX_PER_TENANT", "2"),
            ("SESSIONS__TOKEN_BUDGET", "100000"),
        ],
    );
    for n in 0..5 {
        say(&service, "first", &format!("Remark number {n}.")).await;
    }
    let reply = say(&service, "first", "And what now?").await;
    assert_eq!(noted_at(&reply, "received"), "0 passages, 6 earlier turns");
    assert_eq!(noted_at(&reply, "context_checkpoint"), "everything fits");
    // The tenant may have two: the one spoken in least recently goes.
    for session in ["second", "third"] {
        say(&service, session, "Hello over there.").await;
    }
    for (session, turns) in [("second", 2), ("third", 2), ("first", 0)] {
        let reply = say(&service, session, "What did I say?").await;
        let expected = format!("0 passages, {turns} earlier turns");
        assert_eq!(noted_at(&reply, "received"), expected, "{session}");
    }
}

#[tokio::test]
async fn a_session_that_agreed_on_something_is_not_answered_by_a_solver_alone() {
    let upstream = Upstream::start(Answer::Says("The answer is 6.")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let ask = async |session: &str, input: &str| {
        service.process(&json!({ "input": input, "session_id": session })).await
    };
    ask("agreed", "From now on add 1 to each result.").await;
    let reply = ask("agreed", "what is 2 + 3?").await;
    assert_eq!(reply["metadata"]["decision"]["route"], "flux_then_asi", "{reply:#}");
    assert_eq!(reply["content"], "The answer is 6.");
    let said = Value::from(messages(&upstream)).to_string();
    assert!(said.contains("add 1 to each result"), "{said}");
    let calls = upstream.calls().len();
    ask("plain", "what is 17 * 3?").await;
    let reply = ask("plain", "what is 2 + 3?").await;
    assert_eq!((&reply["content"], upstream.calls().len()), (&json!("5"), calls), "{reply:#}");
}

#[tokio::test]
async fn where_nobody_could_follow_what_was_agreed_the_abstention_says_so() {
    let service = Service::start(&[]);
    let said = |input: &str| json!({ "input": input, "session_id": "s" });
    service.process(&said("what is 2 + 2?")).await;
    assert_eq!(service.process(&said("what is 2 + 3?")).await["content"], "5");
    let chat = json!({
        "model": "meta/hybrid",
        "messages": [
            { "role": "user", "content": "Let us count in base 8." },
            { "role": "assistant", "content": "Fine." },
            { "role": "user", "content": "what is 7 + 1?" },
        ],
    });
    let (status, answer) = service.post("/v1/chat/completions", &chat).await;
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    assert_eq!(status, 200, "{answer:#}");
    assert!(content.contains("cannot know what was said earlier"), "{content}");
}
