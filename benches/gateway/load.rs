//! The load generator.
//!
//! Without a rate it is a closed loop: every connection sends its next request when the answer to
//! the last one is whole, which finds the most that a server takes. With a rate it is an open loop:
//! request `i` is due at `start + i / rate`, whatever became of those before it, and its latency
//! runs from that moment. A server that stalls is thus charged for everyone who would have come
//! meanwhile, not only for the one who found it stalled.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::{Value, json};

use super::{Outcome, connection::Connection};

/// In a body it is replaced by a number that no other request of the run has, of the same length.
const NUMBER: &str = "########";
/// Time that an open loop goes on after its end to send what is still due.
const GRACE: Duration = Duration::from_secs(5);

/// What to send, where, and how often.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The server's address.
    #[arg(long)]
    address: SocketAddr,
    /// The path.
    #[arg(long)]
    path: String,
    /// File with the JSON body; `########` in it becomes a number of its own for each request.
    #[arg(long)]
    body: PathBuf,
    /// Value of the header `Accept`.
    #[arg(long, default_value = "application/json")]
    accept: String,
    /// Connections, each with a thread of its own.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// For how long to send.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Requests per second of an open loop; without it the loop is closed.
    #[arg(long)]
    rate: Option<f64>,
    /// The first number, so that two runs do not ask the same.
    #[arg(long, default_value_t = 0)]
    first_number: u64,
}

/// What one connection, or all of them, met with.
#[derive(Debug, Default)]
struct Tally {
    /// Latencies of good answers, and times to the first piece of their bodies, in microseconds.
    whole_us: Vec<u64>,
    first_us: Vec<u64>,
    /// Answers with another status than 200, with that of the last.
    refused: u64,
    refusal: u16,
    /// Connections that broke.
    broken: u64,
}

/// What all connections share.
struct Run {
    address: SocketAddr,
    request: Vec<u8>,
    /// Where the request's number goes.
    number_at: Option<usize>,
    first_number: u64,
    started: AtomicU64,
    start: Instant,
    length: Duration,
    interval: Option<Duration>,
}

pub(super) fn run(options: &Options) -> Outcome {
    let request = request(options)?;
    let number_at = request.windows(NUMBER.len()).position(|window| window == NUMBER.as_bytes());
    let run = Run {
        address: options.address,
        request,
        number_at,
        first_number: options.first_number,
        started: AtomicU64::new(0),
        start: Instant::now(),
        length: Duration::try_from_secs_f64(options.seconds)?,
        interval: options.rate.map(|rate| Duration::try_from_secs_f64(1.0 / rate)).transpose()?,
    };
    let mut all = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..options.connections).map(|_| scope.spawn(|| run.work())).collect();
        for worker in workers {
            match worker.join() {
                Ok(tally) => all.add(tally),
                Err(_) => all.broken += 1,
            }
        }
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{}", all.report(&run))?;
    Ok(())
}

fn request(options: &Options) -> io::Result<Vec<u8>> {
    let body = fs::read_to_string(&options.body)?;
    let Options { path, address, accept, .. } = options;
    let length = body.len();
    Ok(format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         accept: {accept}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes())
}

impl Run {
    /// Sends and receives over one connection until the time is over.
    fn work(&self) -> Tally {
        let mut tally = Tally::default();
        let mut request = self.request.clone();
        let Ok(mut connection) = Connection::to(self.address) else {
            tally.broken += 1;
            return tally;
        };
        while let Some((number, due)) = self.next() {
            self.put_number(&mut request, number);
            let answer = connection
                .send(&request)
                .and_then(|()| connection.receive(|_, received| received))
                .and_then(|answer| answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()));
            match answer {
                Ok(answer) if answer.message.status == 200 => {
                    tally.whole_us.push(micros(due.elapsed()));
                    tally.first_us.push(micros(answer.first.saturating_duration_since(due)));
                }
                Ok(answer) => {
                    tally.refused += 1;
                    tally.refusal = answer.message.status;
                }
                Err(_) => {
                    tally.broken += 1;
                    return tally;
                }
            }
        }
        tally
    }

    /// The next request's number and the moment from which its latency counts, once that has come;
    /// `None` when the time is over.
    fn next(&self) -> Option<(u64, Instant)> {
        if self.start.elapsed() >= self.length + self.interval.map_or(Duration::ZERO, |_| GRACE) {
            return None;
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let Some(interval) = self.interval else { return Some((number, Instant::now())) };
        let offset = interval.mul_f64(number as f64);
        if offset >= self.length {
            return None;
        }
        let due = self.start + offset;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        Some((number, due))
    }

    fn put_number(&self, request: &mut [u8], number: u64) {
        let Some(at) = self.number_at else { return };
        let width = NUMBER.len();
        let digits = format!("{:0width$}", (self.first_number + number) % 100_000_000);
        request[at..at + width].copy_from_slice(digits.as_bytes());
    }

    /// Requests that an open loop should have sent.
    fn scheduled(&self) -> Option<u64> {
        let interval = self.interval?.as_secs_f64();
        Some((self.length.as_secs_f64() / interval).ceil() as u64)
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.whole_us.extend(other.whole_us);
        self.first_us.extend(other.first_us);
        self.refused += other.refused;
        self.refusal = self.refusal.max(other.refusal);
        self.broken += other.broken;
    }

    fn report(&mut self, run: &Run) -> Value {
        let answered = self.whole_us.len() as u64;
        let seconds = run.start.elapsed().as_secs_f64();
        let ended = answered + self.refused + self.broken;
        self.whole_us.sort_unstable();
        self.first_us.sort_unstable();
        json!({
            "answered": answered,
            "refused": self.refused,
            "refusal": self.refusal,
            "broken": self.broken,
            "unsent": run.scheduled().map(|scheduled| scheduled.saturating_sub(ended)),
            "seconds": seconds,
            "per_second": answered as f64 / seconds,
            "p50_us": quantile(&self.whole_us, 0.5),
            "p99_us": quantile(&self.whole_us, 0.99),
            "first_p50_us": quantile(&self.first_us, 0.5),
        })
    }
}

/// The nearest-rank quantile of a sorted sample; `None` of nothing.
fn quantile(sorted: &[u64], q: f64) -> Option<u64> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
