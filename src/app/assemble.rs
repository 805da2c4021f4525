//! From settings to a service that is ready to be served.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{core::Core, tasks::Tasks};
use crate::{
    answers,
    documents::{Documents, DocumentsError, DocumentsOptions, LoadReport},
    domain::{Clock, Draft, LanguageModel, Signal, Source, SourceKind, SystemClock, Tier},
    flux::run_vortex,
    lake::{Lake, LakeOptions, TickReport},
    learning::Learning,
    ledger::{Ledger, LedgerError, LedgerOptions},
    meta::{AuditOptions, AuditTask, MetaOrchestrator},
    providers::{self, ProviderError},
    sessions::SessionOptions,
    settings::{Acknowledge, Settings},
    solvers,
    store::{Store, StoreError},
    telemetry::Metrics,
    vcp,
};

/// The embedded store's file in the data folder.
pub(super) const STORE_FILE: &str = "store.redb";
/// How often the fold over the ledger is saved: bounds what a restart has to replay.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// Most time that a response waits for its record, where it waits at all.
const RECORD_WAIT: Duration = Duration::from_secs(2);

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store in the data folder cannot be used.
    #[error("the store in {dir}: {source}")]
    Store {
        /// The data folder.
        dir: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// There is no store where one was to be read.
    #[error("there is no ledger in {dir}; name the data folder of a service that has run")]
    NoLedger {
        /// The folder.
        dir: PathBuf,
    },
    /// The ledger cannot be read or written.
    #[error("the ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// The lake cannot be read.
    #[error("the lake: {0}")]
    Lake(StoreError),
    /// The conversations cannot be read.
    #[error("the conversations: {0}")]
    Sessions(StoreError),
    /// A configured folder of documents cannot be used.
    #[error("the documents: {0}")]
    Documents(#[from] DocumentsError),
    /// A provider cannot be used.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// `flux.drafter` names no configured model.
    #[error("flux.drafter is `{drafter}`, which is no model that was found; found: {known}")]
    UnknownDrafter {
        /// What was configured.
        drafter: String,
        /// What there is.
        known: String,
    },
}

/// A service that is assembled and at work in the background.
pub struct App {
    /// The orchestrator.
    pub meta: Arc<MetaOrchestrator>,
    /// Where everything is counted.
    pub metrics: Metrics,
    /// What was loaded of the documents, and what was not.
    pub documents: LoadReport,
    /// Models of the AI tier, best first.
    pub models: Vec<String>,
    /// Whether the policy in force was set through the API in an earlier life.
    pub stored_policy: bool,
    learning: Arc<Learning>,
    ledger: Ledger,
    store: Store,
    /// Everything but the ledger's writer, which has to outlive them all.
    background: Tasks,
    writer: Tasks,
}

/// Opens the store, restores what was learned, builds both tiers and starts the background.
///
/// # Errors
/// [`StartError`], in words for the operator.
pub async fn assemble(settings: &Settings, reset_policy: bool) -> Result<App, StartError> {
    let metrics = Metrics::new();
    let store = Store::open(&settings.data.dir.join(STORE_FILE))
        .map_err(|source| StartError::Store { dir: settings.data.dir.clone(), source })?;
    let (models, drafter) = models(settings, &metrics).await?;
    let options = DocumentsOptions {
        bundled: settings.documents.bundled,
        max_file_bytes: settings.documents.max_file_bytes,
        ..DocumentsOptions::default()
    };
    let (documents, loaded) = Documents::open(&settings.documents.folders, &options)?;
    let documents = Arc::new(documents);
    let core = Core {
        store: store.clone(),
        models,
        drafter,
        drafter_deadline: settings.flux.drafter_deadline,
        documents: Arc::clone(&documents),
        metrics: metrics.clone(),
        policy: settings.policy(),
        reset_policy,
        lake: settings.lake.enabled.then(|| LakeOptions {
            ttl: Some(settings.lake.ttl),
            max_entries: settings.lake.max_entries,
            ..LakeOptions::default()
        }),
        sessions: SessionOptions {
            max_turns: settings.sessions.max_turns,
            max_bytes: settings.sessions.max_bytes,
            ttl: settings.sessions.ttl,
            max_per_tenant: settings.sessions.max_per_tenant,
            max_sessions: settings.sessions.max_sessions,
        },
        ledger: LedgerOptions {
            queue: settings.ledger.queue,
            retain_decisions: settings.data.retain_decisions,
        },
        max_experts: settings.asi.max_experts,
        hedging: settings.asi.hedging,
        feedback_per_minute: settings.feedback.max_per_minute,
        audits: Some(AuditOptions {
            rate: settings.audit.rate,
            queue: settings.audit.queue,
            concurrency: settings.audit.max_concurrent,
            usd_per_hour: settings.audit.max_usd_per_hour,
        }),
        instructions: settings.asi.instructions.clone(),
        token_budget: settings.sessions.token_budget,
        record_wait: match settings.ledger.acknowledge {
            Acknowledge::Durable => RECORD_WAIT,
            Acknowledge::Queued => Duration::ZERO,
        },
        clock: Arc::new(SystemClock),
        dice: Box::new(rand::random::<f64>),
    };
    let built = core.build().await?;
    warm_up(&documents);
    let (background, writer) = (Tasks::default(), Tasks::default());
    writer.run_once("ledger writer", |stop| built.ledger_task.run(stop));
    if let Some(audits) = built.audit_task {
        background.run_once(AuditTask::NAME, |stop| audits.run(stop));
    }
    let app = App {
        models: built.meta.model_names(),
        meta: built.meta,
        metrics,
        documents: loaded,
        stored_policy: built.stored_policy,
        learning: built.learning,
        ledger: built.ledger,
        store,
        background,
        writer,
    };
    if reset_policy {
        let policy = settings.policy();
        // A reset is a change like any other, and as durable.
        if let Err(error) = app.meta.set_policy(|_| policy.clone()).await {
            tracing::error!(%error, "the policy could not be put back to the configuration's");
        }
    }
    if let Some(lake) = built.lake {
        app.start_vortex(lake, settings.flux.tick());
    }
    app.start_checkpoints();
    Ok(app)
}

impl App {
    /// Stops the background in order: first what writes, then the writer, then the store.
    pub async fn stop(self) {
        self.background.stop().await;
        if let Err(error) = self.learning.checkpoint(&self.ledger).await {
            tracing::warn!(%error, "the statistics were not saved; the next start folds them anew");
        }
        self.writer.stop().await;
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store was not closed cleanly");
        }
    }

    fn start_vortex(&self, lake: Lake, period: Duration) {
        let metrics = self.metrics.clone();
        self.background.supervise("flux vortex", move |stop| {
            let (lake, metrics) = (lake.clone(), metrics.clone());
            async move {
                let counted = lake.clone();
                let ticked = move |report: &TickReport| {
                    let stats = counted.stats();
                    metrics.flux_tick();
                    metrics.lake_entries(stats.entries as u64);
                    metrics.lake_evicted(report.evicted as u64);
                    if let Some(share) = stats.coherence {
                        metrics.flux_coherence(share);
                    }
                };
                run_vortex(lake, period, &SystemClock, ticked, stop).await;
            }
        });
    }

    fn start_checkpoints(&self) {
        let (learning, ledger) = (Arc::clone(&self.learning), self.ledger.clone());
        self.background.supervise("statistics checkpoint", move |stop| {
            let (learning, ledger) = (Arc::clone(&learning), ledger.clone());
            async move {
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(CHECKPOINT_EVERY) => {}
                    }
                    if let Err(error) = learning.checkpoint(&ledger).await {
                        tracing::warn!(%error, "the statistics could not be saved");
                    }
                }
            }
        });
    }
}

/// Builds the tables that are made on first use, so that the first caller does not wait for them.
fn warm_up(documents: &Documents) {
    let question = "what is 2 + 2, and what does this service do?";
    let solved = solvers::solve("what is 2 + 2", SystemClock.today());
    let retrieved = documents.answer(question, &[]);
    let source = Source::new(Tier::Asi, SourceKind::Model, "warm-up");
    let answer = answers::extract("2 + 2 = 4. #### 4", answers::expected_form(question));
    let draft = Draft::new(source, "2 + 2 = 4. #### 4", answer, Signal::ZERO);
    let checks = vcp::verify(&draft, question);
    tracing::debug!(
        solved = solved.is_some(),
        retrieved = retrieved.drafts.len(),
        checks = checks.len(),
        "warmed up"
    );
}

type Model = Arc<dyn LanguageModel>;

/// The configured models, and the one among them that drafts for Flux: it is no expert of ASI,
/// or its agreement with itself would count as evidence.
async fn models(
    settings: &Settings,
    metrics: &Metrics,
) -> Result<(Vec<Model>, Option<Model>), StartError> {
    let mut configured = settings.providers.clone();
    let prior = Signal::clamped(settings.asi.default_prior);
    for without in providers::discover(&mut configured, prior).await {
        tracing::warn!(%without, "a provider is left out");
    }
    let mut models = providers::build(&configured, metrics)?;
    let Some(name) = settings.flux.drafter() else { return Ok((models, None)) };
    match models.iter().position(|model| &*model.profile().name == name) {
        Some(at) => {
            let drafter = models.remove(at);
            Ok((models, Some(drafter)))
        }
        None => {
            let known: Vec<&str> = models.iter().map(|m| &*m.profile().name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(StartError::UnknownDrafter { drafter: name.to_owned(), known })
        }
    }
}
