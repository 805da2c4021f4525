//! HTTP/2 clients that grant no window: what they let wait is their own affair, and nobody else's.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client;
use tokio::net::TcpStream;

use super::{
    GRACE, PLAIN, REST,
    ask::{Face, Question},
    matrix::is_well,
    question,
};
use crate::support::evil::{self, Evil, Mode};

/// A window once the client grants one.
const WINDOW: u32 = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_meets_its_deadline_though_the_client_takes_nothing_of_it() {
    for face in [Face::Stream, Face::ChatStream] {
        let upstream = Evil::start(Mode::HangAfterHead).await;
        let service = evil::serve(&[&upstream], PLAIN);
        let address = service.url("").replace("http://", "");
        let socket = TcpStream::connect(&address).await.unwrap();
        let (requests, mut connection) = client::Builder::new()
            .initial_window_size(0)
            .handshake::<_, Bytes>(socket)
            .await
            .unwrap();
        let mut requests = requests;
        let asked = Question { deadline_ms: 6000, ..Question::new(face, "ai_first", question(0)) };
        let request = http::Request::post(service.url(face.path()))
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        let since = Instant::now();
        let (response, mut body) = requests.send_request(request, false).unwrap();
        body.send_data(asked.body().to_string().into(), true).unwrap();
        let response = tokio::select! {
            response = response => response.unwrap(),
            ended = &mut connection => panic!("the connection ended: {ended:?}"),
        };
        assert_eq!(response.status(), 200, "{face:?}");
        // The connection is served and the stream's window stays shut: its work ends all the same.
        let left = tokio::select! {
            left = upstream.until(Duration::from_secs(60), |seen| seen.left == 1) => left,
            ended = &mut connection => panic!("the connection ended: {ended:?}"),
        };
        let took = since.elapsed();
        assert!(left, "{face:?}: {:?}", upstream.seen());
        // A call, and possibly a second one beside it, end by the deadline; a busy machine is late.
        assert!(took < Duration::from_millis(6000) + GRACE * 8, "{face:?}: {took:?}");
        // What it had to say is there once the client takes it.
        connection.set_initial_window_size(WINDOW).unwrap();
        let mut body = response.into_body();
        let mut text = Vec::new();
        loop {
            let piece = tokio::select! {
                piece = body.data() => piece,
                ended = &mut connection => panic!("the connection ended: {ended:?}"),
            };
            let Some(piece) = piece else { break };
            text.extend_from_slice(&piece.unwrap());
        }
        let text = String::from_utf8(text).unwrap();
        let told = if face == Face::Stream { "event: error" } else { "data: {\"error\"" };
        assert!(text.contains(told), "{face:?}: {text}");
        drop((requests, connection, body));
        let metrics = service.text("/metrics").await;
        let counted = format!("route=\"{}\",status=\"504\"}} 1", face.path());
        assert!(metrics.contains(&counted), "a stream that failed is counted so: {metrics}");
        assert!(upstream.falls_quiet(REST).await, "{face:?}: {:?}", upstream.seen());
        is_well(&service).await;
    }
}
