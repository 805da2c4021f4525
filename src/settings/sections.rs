//! The sections of the configuration. `config/default.toml` says what each key means and gives its
//! range; here is its type. All values have been checked.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};

use crate::domain::{Consensus, Strategy};

/// `[server]`: the socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Largest request head, in bytes.
    pub max_header_bytes: usize,
    /// Time that a client has to send a request's head, and its body.
    #[serde(rename = "header_timeout_ms", deserialize_with = "millis")]
    pub header_timeout: Duration,
    /// Connections open at once.
    pub max_connections: usize,
    /// Requests worked on at once.
    pub max_in_flight: usize,
    /// Time that open requests have to end at shutdown.
    #[serde(rename = "shutdown_grace_ms", deserialize_with = "millis")]
    pub shutdown_grace: Duration,
}

/// `[data]`: what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DataSettings {
    /// Folder of the embedded store.
    pub dir: PathBuf,
    /// Decisions that the ledger keeps.
    pub retain_decisions: u64,
}

/// `[limits]`: bounds of one request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LimitSettings {
    /// Longest input, in characters.
    pub max_input_chars: usize,
    /// Most context passages.
    pub max_context_passages: usize,
    /// Longest context, all passages together, in characters.
    pub max_context_chars: usize,
    /// Deadline of requests that name none.
    #[serde(rename = "default_deadline_ms", deserialize_with = "millis")]
    pub default_deadline: Duration,
    /// Longest deadline that a request may ask for.
    #[serde(rename = "max_deadline_ms", deserialize_with = "millis")]
    pub max_deadline: Duration,
    /// Deepest nesting of a JSON body.
    pub max_json_depth: usize,
}

/// `[policy]`: strategy and consensus of requests that name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PolicySettings {
    /// The strategy.
    pub strategy: Strategy,
    /// The consensus.
    pub consensus: Consensus,
}

/// `[fusion]`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct FusionSettings {
    /// Weight of evidence that passed a checkpoint.
    pub sacred_weight: f64,
}

/// `[judgement]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JudgementSettings {
    /// `shipped`, `none`, or a file that `train` wrote.
    pub model: String,
    /// Seconds between two looks at the file; 0 for none.
    pub watch_seconds: u64,
}

impl JudgementSettings {
    /// How often the file is looked at.
    #[must_use]
    pub fn watch(&self) -> Option<Duration> {
        (self.watch_seconds > 0).then(|| Duration::from_secs(self.watch_seconds))
    }
}

/// `[runtime_first]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RuntimeFirstSettings {
    /// Ask ASI when Flux abstains.
    pub fallback: bool,
}

/// `[flux]`: the runtime tier.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FluxSettings {
    /// Ticks of the background loop per second.
    pub rate_hz: f64,
    /// The configured model that drafts for Flux; empty for none.
    pub drafter: String,
    /// Most time that the drafter is given for one draft.
    #[serde(rename = "drafter_deadline_ms", deserialize_with = "millis")]
    pub drafter_deadline: Duration,
    /// Drafts that the drafter writes at once.
    pub drafter_concurrency: usize,
}

impl FluxSettings {
    /// The drafter's name, when there is to be one.
    #[must_use]
    pub fn drafter(&self) -> Option<&str> {
        Some(self.drafter.as_str()).filter(|name| !name.is_empty())
    }

    /// Time between two ticks.
    #[must_use]
    pub fn tick(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate_hz.clamp(1.0, 1000.0))
    }
}

/// What recall by meaning compares questions by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LakeEmbedding {
    /// Their words and letters.
    Hashed,
    /// That, and all-MiniLM-L6-v2; needs the cargo feature `minilm`.
    Minilm,
}

/// `[lake]`: the Confidence Lake.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LakeSettings {
    /// Whether answers are remembered and recalled.
    pub enabled: bool,
    /// How long an answer is remembered.
    #[serde(rename = "ttl_hours", deserialize_with = "hours")]
    pub ttl: Duration,
    /// Most answers kept, all tenants together.
    pub max_entries: usize,
    /// Most memory that they take, about.
    pub max_bytes: usize,
    /// The environment variable with the keys; empty for none.
    pub encryption_key_env: String,
    /// The file with the keys; empty for none.
    pub encryption_key_file: String,
    /// Greatest share of differently meant questions that may get an answer by meaning.
    pub max_wrong_hit_rate: f64,
    /// What questions are compared by.
    pub embedding: LakeEmbedding,
    /// Folder of the sentence model's files; empty where there is none.
    pub embedding_folder: PathBuf,
}

/// `[documents]`: what the document expert answers from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DocumentSettings {
    /// Folders with Markdown and plain text.
    pub folders: Vec<PathBuf>,
    /// Larger files are left out.
    pub max_file_bytes: u64,
    /// Whether the service's own documentation is among them.
    pub bundled: bool,
    /// Seconds between two looks for changes in the folders; 0 for none.
    pub watch_seconds: u64,
    /// Most documents that one tenant may add.
    pub max_added: usize,
    /// Most bytes of added documents, all tenants together.
    pub max_added_bytes: usize,
}

impl DocumentSettings {
    /// Time between two looks for changes in the folders; `None` for none.
    #[must_use]
    pub fn watch(&self) -> Option<Duration> {
        (self.watch_seconds > 0).then(|| Duration::from_secs(self.watch_seconds))
    }
}

/// `[sessions]`: conversations, and what of them goes with a question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionSettings {
    /// Turns kept of one session.
    pub max_turns: usize,
    /// Bytes kept of one session.
    pub max_bytes: usize,
    /// Sessions kept of one tenant.
    pub max_per_tenant: usize,
    /// Sessions kept, all tenants together.
    pub max_sessions: usize,
    /// How long a session without a new turn is kept.
    #[serde(rename = "ttl_hours", deserialize_with = "hours")]
    pub ttl: Duration,
    /// Tokens of earlier turns and passages that go with a question.
    pub token_budget: usize,
}

/// When a response may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledge {
    /// When its record is on disk.
    Durable,
    /// At once.
    Queued,
}

/// `[ledger]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LedgerSettings {
    /// When a response may leave.
    pub acknowledge: Acknowledge,
    /// Records that may wait to be written.
    pub queue: usize,
}

/// `[audit]`: answers of Flux that are also asked of ASI, in the background.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AuditSettings {
    /// Share of Flux's answers; 0 switches audits off.
    pub rate: f64,
    /// Audits that may wait.
    pub queue: usize,
    /// Audits under way at once.
    pub max_concurrent: usize,
    /// US dollars an hour.
    pub max_usd_per_hour: f64,
}

/// `[feedback]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FeedbackSettings {
    /// Judgements that one tenant may give a minute.
    pub max_per_minute: u32,
}

/// `[asi]`: the AI tier.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AsiSettings {
    /// Most experts asked for one request.
    pub max_experts: usize,
    /// Whether a second model is asked when the first takes longer than it mostly does.
    pub hedging: bool,
    /// Probability of a right answer of a model that states none of its own.
    pub default_prior: f64,
    /// Standing instructions that go to every model as the system message; empty for none.
    pub instructions: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged, in the directive language of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(|h| Duration::from_secs(h.saturating_mul(3600)))
}
