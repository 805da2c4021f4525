use super::*;
use crate::{
    domain::{FinishReason, Signal},
    providers::openai::OpenAi,
    providers::testing::{Reply, Upstream, answer_body},
    settings::Secret,
};

const AMPLE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

struct Fixture {
    upstream: Upstream,
    model: Arc<dyn LanguageModel>,
    metrics: Metrics,
}

impl Fixture {
    async fn new(script: Vec<Reply>) -> Self {
        Self::with(script, |_| {}).await
    }

    async fn with(script: Vec<Reply>, change: fn(&mut ProviderSettings)) -> Self {
        let upstream = Upstream::start(script).await;
        let mut provider = ProviderSettings::new("p", upstream.base_url());
        provider.api_key = Some(Secret::new("sk-test"));
        provider.models = vec![ModelSettings {
            price_per_million: Some((1.0, 4.0)),
            ..ModelSettings::new("m", Signal::clamped(0.8))
        }];
        change(&mut provider);
        let metrics = Metrics::new();
        let model =
            models(&provider, Arc::new(OpenAi), &Arc::default(), &metrics).unwrap().remove(0);
        Self { upstream, model, metrics }
    }

    async fn ask_within(&self, patience: Duration) -> Result<Completion, ModelError> {
        let prompt = Prompt { input: "what is 6 × 7?".to_owned(), ..Prompt::default() };
        self.model.complete(&prompt, Call::whole(Instant::now() + patience)).await
    }

    async fn ask(&self) -> Result<Completion, ModelError> {
        self.ask_within(AMPLE).await
    }

    fn counted(&self, result: &str) -> bool {
        let series = format!(
            "meta_orchestrator_upstream_requests_total{{model=\"m\",provider=\"p\",result=\"{result}\"}} 1"
        );
        self.metrics.render().lines().any(|line| line == series)
    }

    fn retries(&self) -> String {
        let series = "meta_orchestrator_upstream_retries_total{provider=\"p\"} ";
        let text = self.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(series)).unwrap().to_owned()
    }
}

/// The error of a single attempt that is not tried again.
async fn error_of(reply: Reply) -> ModelError {
    let fixture = Fixture::with(vec![reply], |p| p.max_response_bytes = 2048).await;
    let error = fixture.ask().await.unwrap_err();
    assert!(fixture.counted(error.code()), "{error}");
    assert_eq!(fixture.retries(), "0", "{error}");
    error
}

#[tokio::test]
async fn an_answer_comes_with_its_model_its_tokens_and_its_cost() {
    let fixture = Fixture::new(vec![Reply::answer("42")]).await;
    let completion = fixture.ask().await.unwrap();
    assert_eq!(completion.content, "42");
    assert_eq!(completion.model, "m-2026-01-01");
    assert_eq!(completion.finish, FinishReason::Stop);
    assert_eq!(completion.usage.prompt_tokens, 1000);
    // 1000 × 1 $ + 500 × 4 $, per million.
    assert!((completion.usage.cost_usd.unwrap() - 0.003).abs() < 1e-12);
    assert!(completion.upstream > Duration::ZERO);
    assert!(fixture.counted("ok"));
}

#[tokio::test]
async fn the_request_is_what_the_dialect_promises() {
    let fixture = Fixture::new(vec![Reply::answer("42")]).await;
    fixture.ask().await.unwrap();
    let request = fixture.upstream.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-test"), "{head}");
    assert!(!head.to_ascii_lowercase().contains("accept-encoding"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["messages"][0]["content"], "what is 6 × 7?");
}

#[tokio::test]
async fn connections_are_used_again() {
    let fixture = Fixture::new(vec![Reply::answer("1"), Reply::answer("2")]).await;
    fixture.ask().await.unwrap();
    fixture.ask().await.unwrap();
    assert_eq!(fixture.upstream.connections(), 1);
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_tried_once_more() {
    let limited = Reply::with(429, "retry-after-ms: 20\r\n", "{}");
    let fixture = Fixture::new(vec![limited, Reply::answer("42")]).await;
    assert_eq!(fixture.ask().await.unwrap().content, "42");
    assert_eq!(fixture.retries(), "1");
    assert!(fixture.counted("ok"));
}

#[tokio::test]
async fn a_rate_limit_beyond_the_deadline_is_not_waited_for() {
    let limited = Reply::with(429, "retry-after: 3600\r\n", "{}");
    let fixture = Fixture::new(vec![limited]).await;
    let began = Instant::now();
    let error = fixture.ask().await.unwrap_err();
    let retry_after = Some(Duration::from_secs(3600));
    assert_eq!(error, ModelError::RateLimited { retry_after });
    assert!(began.elapsed() < AMPLE, "it waited");
}

#[tokio::test]
async fn a_server_error_is_tried_once_more_and_no_oftener() {
    let fixture = Fixture::new(vec![Reply::json(500, "{}"), Reply::answer("42")]).await;
    assert_eq!(fixture.ask().await.unwrap().content, "42");
    let fixture = Fixture::new(vec![Reply::json(500, "{}"), Reply::json(503, "{}")]).await;
    assert_eq!(fixture.ask().await, Err(ModelError::Status { status: 503 }));
    assert_eq!(fixture.upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_tried_once_more() {
    let fixture = Fixture::new(vec![Reply::SendAndClose(Vec::new()), Reply::answer("42")]).await;
    assert_eq!(fixture.ask().await.unwrap().content, "42");
}

#[tokio::test]
async fn what_will_not_change_is_not_asked_again() {
    assert_eq!(error_of(Reply::json(401, "{}")).await, ModelError::Unauthorized);
    assert_eq!(error_of(Reply::json(403, "{}")).await, ModelError::Unauthorized);
    assert_eq!(error_of(Reply::json(400, "{}")).await, ModelError::Status { status: 400 });
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Upstream::start(Vec::new()).await;
    let location = format!("location: {}/chat/completions\r\n", elsewhere.base_url());
    let error = error_of(Reply::with(307, &location, "")).await;
    assert_eq!(error, ModelError::Status { status: 307 });
    assert!(elsewhere.requests().is_empty(), "the key went elsewhere");
}

#[tokio::test]
async fn what_is_no_chat_completion_is_malformed() {
    for reply in [
        Reply::json(200, "{\"choices\": 5}"),
        Reply::json(200, "no JSON"),
        Reply::with(200, "content-type: text/html\r\n", &answer_body("42")),
        Reply::with(
            200,
            "content-type: application/json\r\ncontent-encoding: gzip\r\n",
            &answer_body("42"),
        ),
        Reply::Send(b"HTTP/1.1 what\r\n\r\n".to_vec()),
    ] {
        let what = format!("{reply:?}");
        assert_eq!(error_of(reply).await, ModelError::Malformed, "{what}");
    }
}

#[tokio::test]
async fn a_cut_answer_is_never_an_answer() {
    let body = answer_body("42");
    let json = "content-type: application/json\r\n";
    let half = &body[..body.len() / 2];
    for bytes in [
        // Fewer bytes than were announced.
        format!("HTTP/1.1 200 OK\r\n{json}content-length: {}\r\n\r\n{half}", body.len()),
        // A chunk, but not the last one.
        format!(
            "HTTP/1.1 200 OK\r\n{json}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
            body.len()
        ),
        // An end that only the closed connection shows.
        format!("HTTP/1.1 200 OK\r\n{json}connection: close\r\n\r\n{half}"),
    ] {
        let what = bytes.clone();
        assert_eq!(error_of(Reply::SendAndClose(bytes.into())).await, ModelError::Cut, "{what}");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_refused() {
    let large = answer_body(&"x".repeat(3000));
    assert_eq!(error_of(Reply::json(200, &large)).await, ModelError::TooLarge);
    let unannounced = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{large}"
    );
    let reply = Reply::SendAndClose(unannounced.into());
    assert_eq!(error_of(reply).await, ModelError::TooLarge);
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let headers: String = (0..200).map(|i| format!("x-{i}: y\r\n")).collect();
    assert_eq!(error_of(Reply::with(200, &headers, "{}")).await, ModelError::TooLarge);
}

#[tokio::test]
async fn an_upstream_that_hangs_costs_no_more_than_the_deadline() {
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        let fixture = Fixture::new(vec![Reply::SendAndHang(beginning.into())]).await;
        assert_eq!(fixture.ask_within(SHORT).await, Err(ModelError::Timeout));
        assert!(fixture.counted("timeout"));
        // On a busy machine the deadline may come before the request was even sent.
        fixture.upstream.forgive();
    }
}

#[tokio::test]
async fn an_upstream_that_falls_silent_is_given_up_before_the_deadline() {
    let began = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    let fixture = Fixture::with(vec![Reply::SendAndHang(began.into())], |provider| {
        provider.read_idle_timeout = SHORT;
    })
    .await;
    assert_eq!(fixture.ask().await, Err(ModelError::Timeout));
}

#[tokio::test]
async fn a_dropped_future_hangs_up() {
    let fixture = Fixture::new(vec![Reply::SendAndHang(Vec::new())]).await;
    tokio::select! {
        result = fixture.ask() => panic!("nobody answered, and yet: {result:?}"),
        () = fixture.upstream.asked() => {}
    }
    fixture.upstream.client_left().await;
    assert!(fixture.counted("cancelled"));
}

#[tokio::test]
async fn nobody_at_home_is_unreachable() {
    let fixture = Fixture::with(Vec::new(), |provider| {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        provider.base_url.set_port(Some(port)).unwrap();
    })
    .await;
    assert_eq!(fixture.ask().await, Err(ModelError::Unreachable));
    assert_eq!(fixture.retries(), "1");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unreachable() {
    let upstream = Upstream::start(Vec::new()).await;
    let mut url = upstream.base_url();
    url.set_scheme("https").unwrap();
    let mut provider = ProviderSettings::new("p", url);
    provider.connect_timeout = SHORT;
    provider.models = vec![ModelSettings::new("m", Signal::ONE)];
    let Ok(mut models) = models(&provider, Arc::new(OpenAi), &Arc::default(), &Metrics::new())
    else {
        println!("skipped: this machine has no CA certificates");
        return;
    };
    let deadline = Instant::now() + AMPLE;
    let answer = models.remove(0).complete(&Prompt::default(), Call::whole(deadline)).await;
    assert_eq!(answer, Err(ModelError::Unreachable));
}

#[tokio::test]
async fn a_refusal_is_no_answer() {
    let body =
        r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#;
    assert_eq!(error_of(Reply::json(200, body)).await, ModelError::Empty);
}

#[tokio::test]
async fn tokens_that_nobody_counted_have_no_cost() {
    let body = r#"{"choices":[{"message":{"content":"42"},"finish_reason":"stop"}]}"#;
    let fixture = Fixture::new(vec![Reply::json(200, body)]).await;
    let completion = fixture.ask().await.unwrap();
    assert_eq!(completion.usage, Usage::default());
    assert_eq!(completion.model, "m", "the configured name stands in");
}

#[test]
fn the_endpoint_is_below_the_base() {
    for (base, expected) in [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:8000", "http://localhost:8000/chat/completions"),
        ("https://h/a%2Fb/v1", "https://h/a%2Fb/v1/chat/completions"),
    ] {
        assert_eq!(OpenAi.endpoint(&Url::parse(base).unwrap()).as_str(), expected);
    }
}

#[test]
fn a_key_in_the_clear_is_noticed() {
    for (url, clear) in [
        ("https://example.org/v1", false),
        ("http://example.org/v1", true),
        ("http://localhost:1/v1", false),
        ("http://127.0.0.1:1/v1", false),
        ("http://[::1]:1/v1", false),
    ] {
        assert_eq!(sends_in_the_clear(&Url::parse(url).unwrap()), clear, "{url}");
    }
}

/// A streamed answer as a server sends it, byte for byte.
fn recorded_stream() -> String {
    let chunk = |choices: &str, usage: &str| {
        format!("data: {{\"model\":\"m-2026\",\"choices\":[{choices}],\"usage\":{usage}}}\n\n")
    };
    [
        chunk(r#"{"index":0,"delta":{"role":"assistant","content":""}}"#, "null"),
        chunk(r#"{"index":0,"delta":{"content":"It is "}}"#, "null"),
        chunk(r#"{"index":0,"delta":{"content":"42."},"finish_reason":"stop"}"#, "null"),
        chunk("", r#"{"prompt_tokens":1000,"completion_tokens":500}"#),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

fn event_stream(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n";
    let length = body.len();
    format!("{head}x-request-id: up-7\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

#[derive(Default)]
struct Ear(std::sync::Mutex<String>);

impl crate::domain::DeltaSink for Ear {
    fn delta(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }
}

impl Fixture {
    async fn hear(&self) -> (Result<Completion, ModelError>, String) {
        let prompt = Prompt { input: "what is 6 × 7?".to_owned(), ..Prompt::default() };
        let ear = Ear::default();
        let call = Call::whole(Instant::now() + AMPLE).heard_by(&ear);
        let result = self.model.complete(&prompt, call).await;
        let heard = ear.0.lock().unwrap().clone();
        (result, heard)
    }
}

#[tokio::test]
async fn a_streamed_answer_is_heard_as_it_comes_and_whole_in_the_end() {
    let stream = Reply::Send(event_stream(&recorded_stream()));
    let fixture = Fixture::new(vec![stream.clone(), stream]).await;
    let (result, heard) = fixture.hear().await;
    let completion = result.unwrap();
    assert_eq!((completion.content.as_str(), heard.as_str()), ("It is 42.", "It is 42."));
    assert_eq!((completion.model.as_str(), completion.usage.prompt_tokens), ("m-2026", 1000));
    assert_eq!(completion.request_id.as_deref(), Some("up-7"));
    fixture.hear().await.0.unwrap();
    assert_eq!(fixture.upstream.connections(), 1, "the connection serves again");
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_is_no_answer_and_not_asked_for_again() {
    let body = recorded_stream();
    let whole = event_stream(&body);
    let begin = whole.len() - body.len();
    let script = (0..body.len() - 1).map(|at| Reply::SendAndClose(whole[..begin + at].to_vec()));
    let fixture = Fixture::with(script.collect(), |p| p.max_concurrent_calls = 1000).await;
    for at in 0..body.len() - 1 {
        let (result, heard) = fixture.hear().await;
        assert_eq!(result, Err(ModelError::Cut), "at byte {at}");
        assert!("It is 42.".starts_with(&heard), "at byte {at}: {heard}");
    }
    assert_eq!(fixture.retries(), "0");
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood_all_the_same() {
    let fixture = Fixture::new(vec![Reply::answer("42")]).await;
    let (result, heard) = fixture.hear().await;
    assert_eq!((result.unwrap().content.as_str(), heard.as_str()), ("42", ""));
}

#[tokio::test]
async fn an_error_within_a_stream_cuts_it() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"It\"}}]}\n\n\
                data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    let fixture = Fixture::new(vec![Reply::Send(event_stream(body))]).await;
    let (result, heard) = fixture.hear().await;
    assert_eq!(result, Err(ModelError::Cut));
    assert!("It".starts_with(&heard), "{heard}");
}

#[tokio::test]
async fn a_stream_without_end_is_too_large() {
    let piece =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"la \"}}]}\n\n".repeat(200);
    let fixture =
        Fixture::with(vec![Reply::Send(event_stream(&piece))], |p| p.max_response_bytes = 4096)
            .await;
    assert_eq!(fixture.hear().await.0, Err(ModelError::TooLarge));
}
