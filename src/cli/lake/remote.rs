//! The lake of a running service, through its API.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value, json};

use super::{
    import::Written,
    table::{BadRow, Row},
};
use crate::domain::TenantId;

/// Rows, and bytes, of one call.
const MOST_ROWS: usize = 500;
const MOST_BYTES: usize = 512 * 1024;
/// How often, and how long after, a call is made again that the service had no room for.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// A running service.
pub(super) struct Remote {
    client: Client,
    url: Url,
}

/// The service's figures of its lake.
pub(super) async fn stats(url: &str) -> Result<Value, String> {
    let remote = Remote::new(url)?;
    let url = remote.endpoint("/api/v1/unified/lake/stats")?;
    let response = remote.client.get(url).send().await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let body: Value = response.json().await.map_err(|_| no_service(status))?;
    if status.is_success() { Ok(body) } else { Err(detail(&body, status)) }
}

impl Remote {
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("--url is no address; write one such as http://127.0.0.1:8080")?;
        // Whoever came first has installed the same.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| format!("no client could be made: {error}"))?;
        Ok(Self { client, url })
    }

    fn endpoint(&self, path: &str) -> Result<Url, String> {
        self.url.join(path).map_err(|error| format!("--url cannot be used: {error}"))
    }

    /// Sends rows; what the service refuses is told by line.
    pub(super) async fn send(&self, rows: Vec<Row>) -> Result<Written, String> {
        let mut written = Written::default();
        let (mut group, mut bytes) = (Vec::new(), 0);
        for row in rows {
            if row.tenant != TenantId::default() {
                let why = "tenant: through --url all rows belong to the tenant `default`";
                written.bad.push(BadRow { line: row.line, why: why.to_owned() });
                continue;
            }
            bytes += row.vouched.question.len() + row.vouched.answer.len() + 256;
            group.push(row);
            if group.len() == MOST_ROWS || bytes > MOST_BYTES {
                self.send_group(std::mem::take(&mut group), &mut written).await?;
                bytes = 0;
            }
        }
        self.send_group(group, &mut written).await?;
        Ok(written)
    }

    /// What is refused as a whole is sent again without what is wrong with it.
    async fn send_group(&self, mut rows: Vec<Row>, written: &mut Written) -> Result<(), String> {
        while !rows.is_empty() {
            let (status, body) = self.post(&rows).await?;
            if status.is_success() {
                let results = body.get("results").and_then(Value::as_array);
                let results = results.ok_or_else(|| no_service(status))?;
                for (row, result) in rows.iter().zip(results) {
                    match result.get("detail").and_then(Value::as_str) {
                        None => written.taken += 1,
                        Some(why) => {
                            written.bad.push(BadRow { line: row.line, why: why.to_owned() });
                        }
                    }
                }
                return Ok(());
            }
            let faults = faults(&body);
            if status != StatusCode::UNPROCESSABLE_ENTITY || faults.is_empty() {
                return Err(detail(&body, status));
            }
            let mut at = 0;
            rows.retain(|row| {
                let fault = faults.get(&at);
                at += 1;
                let Some(why) = fault else { return true };
                written.bad.push(BadRow { line: row.line, why: why.clone() });
                false
            });
        }
        Ok(())
    }

    async fn post(&self, rows: &[Row]) -> Result<(StatusCode, Value), String> {
        let url = self.endpoint("/api/v1/unified/lake")?;
        let entries: Vec<Value> = rows.iter().map(entry).collect();
        let body = json!({ "entries": entries });
        for last in (0..TRIES).map(|tried| tried + 1 == TRIES) {
            let sent = self.client.post(url.clone()).json(&body).send().await;
            let response = sent.map_err(|error| unreachable(&error))?;
            let status = response.status();
            let busy = matches!(
                status,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE
            );
            if busy && !last {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            return Ok((status, response.json().await.unwrap_or(Value::Null)));
        }
        Err("the service takes no more".to_owned())
    }
}

fn entry(row: &Row) -> Value {
    let vouched = &row.vouched;
    let mut entry = Map::new();
    entry.insert("question".to_owned(), vouched.question.clone().into());
    entry.insert("answer".to_owned(), vouched.answer.clone().into());
    entry.insert("signal".to_owned(), vouched.signal.get().into());
    if let Some(ttl) = vouched.ttl {
        entry.insert("ttl_seconds".to_owned(), ttl.as_secs().into());
    }
    if let Some(source) = &vouched.source {
        entry.insert("source".to_owned(), source.clone().into());
    }
    Value::Object(entry)
}

/// What is wrong with which row, by the pointers of a problem.
fn faults(problem: &Value) -> BTreeMap<usize, String> {
    let errors = problem.get("errors").and_then(Value::as_array).into_iter().flatten();
    errors
        .filter_map(|error| {
            let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
            let (at, field) = text("pointer").strip_prefix("/entries/")?.split_once('/')?;
            let why = format!("{field}: {}, {}", text("detail"), text("fix"));
            Some((at.parse().ok()?, why))
        })
        .collect()
}

fn detail(problem: &Value, status: StatusCode) -> String {
    match problem.get("detail").and_then(Value::as_str) {
        Some(detail) => format!("the service says: {detail}"),
        None => no_service(status),
    }
}

fn no_service(status: StatusCode) -> String {
    format!("what answers at --url is no such service (status {status})")
}

fn unreachable(error: &reqwest::Error) -> String {
    format!("the service at --url cannot be reached: {error}")
}
