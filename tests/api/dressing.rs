//! What holds for every route: ids, headers, problems for what is not there, panics, admission,
//! counting.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use meta_orchestrator::http::{HttpTelemetry, NoTelemetry, ServeOptions, admit, dress};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};

use super::support::{PATIENCE, Server, client};

type Counted = (&'static str, String, u16);

/// Remembers what was counted, and says so.
#[derive(Default)]
struct Counter {
    counted: Mutex<Vec<Counted>>,
    news: Notify,
}

impl Counter {
    fn counted(&self) -> Vec<Counted> {
        self.counted.lock().unwrap().clone()
    }
}

impl HttpTelemetry for Counter {
    fn answered(&self, method: &'static str, route: &str, status: u16, _: Duration) {
        self.counted.lock().unwrap().push((method, route.to_owned(), status));
        self.news.notify_one();
    }

    fn render(&self) -> String {
        String::new()
    }
}

fn plain() -> Router {
    Router::new().route("/things/{id}", get(|| async { "thing" })).route("/panic", get(panics))
}

async fn panics() -> &'static str {
    panic!("with a secret inside")
}

fn paths() -> Vec<String> {
    vec!["/things/{id}".to_owned(), "/panic".to_owned()]
}

async fn started(telemetry: Arc<dyn HttpTelemetry>) -> Server {
    Server::start(dress(plain(), telemetry, paths()), ServeOptions::default()).await
}

#[tokio::test]
async fn a_missing_path_and_a_missing_method_are_problems() {
    let server = started(Arc::new(NoTelemetry)).await;
    let missed = client().get(server.url("/panik")).send().await.unwrap();
    assert_eq!(missed.status(), 404);
    assert_eq!(missed.json::<Value>().await.unwrap()["detail"], "Did you mean `/panic`?");

    let refused = client().delete(server.url("/things/7")).send().await.unwrap();
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET,HEAD");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], "urn:meta-orchestrator:problem:method-not-allowed");
    assert!(problem["request_id"].as_str().unwrap().starts_with("req_"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = started(Arc::new(NoTelemetry)).await;
    for (path, status) in [("/things/7", 200), ("/nothing", 404), ("/panic", 500)] {
        let got = client().get(server.url(path)).send().await.unwrap();
        let headed = client().head(server.url(path)).send().await.unwrap();
        assert_eq!((got.status().as_u16(), headed.status().as_u16()), (status, status), "{path}");
        let length = got.headers()["content-length"].clone();
        assert_eq!(headed.headers()["content-length"], length, "{path}");
        assert_eq!(headed.text().await.unwrap(), "", "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_answer_has_its_id_and_says_nothing_of_the_server() {
    let server = started(Arc::new(NoTelemetry)).await;
    for path in ["/things/1", "/nothing", "/panic"] {
        let response =
            client().get(server.url(path)).header("x-request-id", "mine:1").send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-request-id"], "mine:1", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(!headers.contains_key("server"), "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_panic_is_an_internal_problem_that_tells_nothing_and_the_server_lives_on() {
    let server = started(Arc::new(NoTelemetry)).await;
    let client = client();
    for _ in 0..3 {
        let response = client.get(server.url("/panic")).send().await.unwrap();
        assert_eq!(response.status(), 500);
        let text = response.text().await.unwrap();
        assert!(text.contains("problem:internal") && !text.contains("secret"), "{text}");
    }
    assert_eq!(client.get(server.url("/things/1")).send().await.unwrap().status(), 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn requests_are_counted_by_template_and_strangers_share_one() {
    let counter = Arc::new(Counter::default());
    let server = started(counter.clone()).await;
    for path in ["/things/1", "/things/2", "/wp-login.php", "/.env"] {
        client().get(server.url(path)).send().await.unwrap();
    }
    server.stop().await.unwrap();
    let things = ("GET", "/things/{id}".to_owned(), 200);
    let strangers = ("GET", "unmatched".to_owned(), 404);
    let expected = [things.clone(), things, strangers.clone(), strangers];
    assert_eq!(counter.counted(), expected);
}

#[tokio::test]
async fn too_many_in_flight_are_refused_at_once_and_the_exempt_still_answer() {
    let gate = Arc::new(Semaphore::new(0));
    let entered = Arc::new(Notify::new());
    let (inner_gate, inner_entered) = (Arc::clone(&gate), Arc::clone(&entered));
    let work = Router::new().route(
        "/work",
        get(move || async move {
            inner_entered.notify_one();
            let _ = inner_gate.acquire().await;
            "done"
        }),
    );
    let router = admit(work, 1).merge(Router::new().route("/livez", get(|| async { "ok" })));
    let router = dress(router, Arc::new(NoTelemetry), []);
    let server = Server::start(router, ServeOptions::default()).await;
    let first = tokio::spawn(client().get(server.url("/work")).send());
    entered.notified().await;
    let second = client().get(server.url("/work")).send().await.unwrap();
    assert_eq!(second.status(), 503);
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(client().get(server.url("/livez")).send().await.unwrap().status(), 200);
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let third = client().get(server.url("/work")).send().await.unwrap();
    assert_eq!(third.status(), 200, "the place is free again");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_cancels_its_request_and_frees_its_place() {
    struct Cancelled(Arc<Notify>);
    impl Drop for Cancelled {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (entered, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inner_entered, inner_dropped) = (Arc::clone(&entered), Arc::clone(&dropped));
    let work = Router::new().route(
        "/work",
        get(move || async move {
            let _cancelled = Cancelled(inner_dropped);
            inner_entered.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let counter = Arc::new(Counter::default());
    let router = dress(admit(work, 1), counter.clone(), []);
    let server = Server::start(router, ServeOptions::default()).await;
    for _ in 0..2 {
        let asking = tokio::spawn(client().get(server.url("/work")).send());
        tokio::time::timeout(PATIENCE, entered.notified()).await.unwrap();
        asking.abort();
        tokio::time::timeout(PATIENCE, dropped.notified()).await.unwrap();
    }
    server.stop().await.unwrap();
    let went = ("GET", "/work".to_owned(), 499);
    assert_eq!(counter.counted(), [went.clone(), went]);
}
