//! With no provider configured.

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn exact_questions_are_answered_by_flux() {
    let service = Service::start(&[]);
    for (input, expected) in [
        ("what is 15 percent of 80?", "12"),
        ("square root of 144", "12"),
        ("(3+4)*2^10", "7168"),
        ("5 ft 10 in to m", "1.778"),
        ("100 F to C", "37.7"),
        ("how many feet are in a mile", "5280"),
        ("days between 2026-01-01 and 2026-11-22", "325"),
        ("what day is 45 days after March 3, 2026", "17"),
        ("not True or False or ( False ) is", "False"),
        ("sort these words: pear apple fig", "apple"),
        ("count the words in: the quick brown fox", "4"),
    ] {
        let reply = service.ask(input).await;
        let content = reply["content"].as_str().unwrap().replace(',', "");
        assert!(content.to_lowercase().contains(&expected.to_lowercase()), "{input}: {content}");
        assert_eq!(reply["orchestrators_used"]["kind"], "flux", "{input}");
        assert!(reply["confidence"].as_f64().unwrap() > 0.9, "{input}");
        assert_eq!(reply["abstained"], false, "{input}");
        assert!(reply["duration_ms"].as_f64().unwrap() > 0.0);
    }
}

#[tokio::test]
async fn the_service_can_be_asked_about_itself_and_cites() {
    let service = Service::start(&[]);
    let reply = service.ask("what does the hybrid strategy do?").await;
    let content = reply["content"].as_str().unwrap();
    assert!(content.contains("Hybrid") && content.contains("draft"), "{content}");
    assert_eq!(reply["orchestrators_used"]["kind"], "asi");
    let citation = &reply["metadata"]["citations"][0];
    assert!(citation["document"].as_str().unwrap().contains("guide"), "{citation}");
}

#[tokio::test]
async fn what_nobody_knows_is_an_honest_abstention_that_says_what_to_configure() {
    let service = Service::start(&[]);
    for input in ["who won the 1998 world cup?", "write a haiku about rain", "xyzzy plugh"] {
        let reply = service.ask(input).await;
        assert_eq!(reply["abstained"], true, "{input}: {reply:#}");
        assert!(reply["confidence"].as_f64().unwrap() < 0.2);
        let content = reply["content"].as_str().unwrap();
        assert!(content.contains("OPENAI_API_KEY"), "{content}");
        assert!(!content.contains(input), "an echo: {content}");
    }
}

#[tokio::test]
async fn a_question_about_the_given_context_is_answered_from_it() {
    let service = Service::start(&[]);
    let reply = service
        .process(&json!({
            "input": "When was the bridge of Arlen opened?",
            "context": [
                "The bridge of Arlen was opened in 1932 by the mayor.",
                { "source": "weather", "text": "It rains a lot in spring." },
            ],
        }))
        .await;
    assert!(reply["content"].as_str().unwrap().contains("1932"), "{reply:#}");
}

#[tokio::test]
async fn the_trace_passes_the_positions_in_the_order_of_the_vortex() {
    let service = Service::start(&[]);
    let reply = service.ask("what does the hybrid strategy do?").await;
    let positions: Vec<u64> = reply["metadata"]["trace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, [1, 2, 3, 4, 8, 7, 6, 5, 9]);
}

#[tokio::test]
async fn a_result_has_every_promised_field() {
    let service = Service::start(&[]);
    let reply = service.ask("what is 2 + 2").await;
    for field in [
        "id",
        "content",
        "confidence",
        "flux_position",
        "elp",
        "orchestrators_used",
        "sacred_boost",
        "abstained",
        "recovered",
        "duration_ms",
        "metadata",
    ] {
        assert!(reply.get(field).is_some(), "{field} is missing: {reply:#}");
    }
    for field in [
        "routing_strategy",
        "asi_mode",
        "vortex_cycles",
        "confidence_lake_hit",
        "complexity",
        "decision",
        "trace",
        "experts",
        "citations",
        "usage",
        "cost",
        "overhead_us",
    ] {
        assert!(reply["metadata"].get(field).is_some(), "metadata.{field} is missing: {reply:#}");
    }
}

#[tokio::test]
async fn a_session_or_context_does_not_silence_the_solvers() {
    let service = Service::start(&[]);
    let dated = json!({ "input": "what day is tomorrow?", "session_id": "s" });
    assert_eq!(service.process(&dated).await["abstained"], false);
    let dated = json!({ "input": "what day is tomorrow?", "context": ["Today is 3 March 2020."] });
    let reply = service.process(&dated).await;
    assert_ne!(reply["orchestrators_used"]["kind"], "flux", "the passage says what day it is");
    for with in [json!({ "session_id": "s" }), json!({ "context": ["hello there"] })] {
        let mut body = json!({ "input": "what is 15 percent of 80?" });
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        assert_eq!(service.process(&body).await["content"], "12", "{body}");
    }
}
