//! The real binary, on a free port, in a temporary folder.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running service. Dropping it kills it.
pub struct Service {
    child: Child,
    url: String,
    folder: Arc<TempDir>,
    config: Vec<(String, String)>,
    pub client: reqwest::Client,
}

impl Service {
    /// Starts with this configuration, as environment variables without their prefix, such as
    /// `("LAKE__ENABLED", "false")`. Names with another prefix are passed as they are.
    pub fn start(config: &[(&str, &str)]) -> Self {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self::start_in(Arc::new(TempDir::new().unwrap()), config)
    }

    fn start_in(folder: Arc<TempDir>, config: Vec<(String, String)>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_meta-orchestrator"));
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if !config.iter().any(|(name, _)| name == "DATA__DIR") {
            command.arg("--data-dir").arg(folder.path().join("data"));
        }
        command
            .env_clear()
            // An audit asks at random: a test that counts calls has none unless it wants them.
            .env("META_ORCHESTRATOR__AUDIT__RATE", "0")
            .envs(config.iter().map(|(name, value)| {
                let ours = name.contains("__") && !name.starts_with("META_");
                (if ours { format!("META_ORCHESTRATOR__{name}") } else { name.clone() }, value)
            }))
            .stdout(Stdio::piped())
            .stderr(Stdio::from(std::fs::File::create(folder.path().join("log")).unwrap()));
        if folder.path().join("config.toml").exists() {
            command.arg("--config").arg(folder.path().join("config.toml"));
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
                panic!("the service did not start: {log}");
            };
            if let Some((_, url)) = line.split_once("listens on ") {
                break url.trim().to_owned();
            }
        };
        // Keeps the pipe open and empty, so that the greeting never blocks.
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            // Sooner than the service does it, lest a request meets a connection that is closing.
            .pool_idle_timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        Self { child, url, folder, config, client }
    }

    /// Starts with a configuration file.
    pub fn with_file(file: &str, config: &[(&str, &str)]) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        std::fs::write(folder.path().join("config.toml"), file).unwrap();
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self::start_in(folder, config)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What was logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Keeps the service's folder beyond its end.
    pub fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `kill -9`, then the same service again on the same data.
    pub fn kill_and_restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::start_in(Arc::clone(&self.folder), self.config.clone())
    }

    /// SIGTERM, and whether it ended with success.
    pub fn terminate(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    pub async fn text(&self, path: &str) -> String {
        self.client.get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.client.post(self.url(path)).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.client.put(self.url(path)).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    /// Asks, and demands an answer with status 200.
    pub async fn ask(&self, input: &str) -> Value {
        self.process(&json!({ "input": input })).await
    }

    pub async fn process(&self, body: &Value) -> Value {
        let (status, reply) = self.post("/api/v1/unified/process", body).await;
        assert_eq!(status, 200, "{body}: {reply:#}");
        reply
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
