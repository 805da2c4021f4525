//! From settings to a service that is ready to be served.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    JudgeError, LakeShelf,
    core::Core,
    judge::{self, JudgeFile, judge},
    sentences::{embed_entries, sentences},
    tasks::Tasks,
};
use crate::{
    answers,
    documents::{Documents, DocumentsError, DocumentsOptions, LoadReport, Query, ShelfOptions},
    domain::{
        Clock, Draft, LanguageModel, Policy, Signal, Source, SourceKind, SystemClock, TenantId,
        Tier,
    },
    embedding::EmbeddingError,
    flux::run_vortex,
    lake::{Lake, LakeOptions, TickReport},
    learning::Learning,
    ledger::{Ledger, LedgerError, LedgerOptions},
    meta::{AuditOptions, AuditTask, MetaOrchestrator},
    providers::{self, Fleet, ProviderError},
    seal::{Keyring, KeyringError, SealError, admit},
    sessions::SessionOptions,
    settings::{Acknowledge, LakeEmbedding, ProviderSettings, Settings},
    solvers,
    store::{Store, StoreError},
    telemetry::{LakeState, Metrics},
    vcp,
};

/// The embedded store's file in the data folder.
pub(super) const STORE_FILE: &str = "store.redb";
/// How often the fold over the ledger is saved: bounds what a restart has to replay.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);
/// When a provider that was not up at the start is asked again, and how far apart at most later.
const FIRST_ASKED_AGAIN: Duration = Duration::from_secs(5);
const LONGEST_BETWEEN_ASKING: Duration = Duration::from_secs(300);
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
    /// The keys of encryption at rest cannot be used.
    #[error("the encryption keys: {0}")]
    Encryption(#[from] KeyringError),
    /// The keys of encryption at rest do not fit the store.
    #[error("the encryption keys: {0}")]
    Sealed(#[from] SealError),
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
    /// The documents that were added cannot be read.
    #[error("the added documents: {0}")]
    Shelf(StoreError),
    /// The sentence model cannot be used.
    #[error("lake.embedding: {0}")]
    Embedding(#[from] EmbeddingError),
    /// A configured folder of documents cannot be used.
    #[error("the documents: {0}")]
    Documents(#[from] DocumentsError),
    /// The model that judges questions and drafts cannot be used.
    #[error("{0}")]
    Judge(#[from] JudgeError),
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

impl StartError {
    /// Whether another process has the store open.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Store { source: StoreError::InUse, .. })
    }
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
    let keyring = keyring(settings)?;
    let sentences = sentences(&settings.lake, &metrics)?;
    let unfinished = admit(&store, &keyring).await?;
    let Found { models, drafter, awaited, fleet } = models(settings, &metrics).await?;
    let options = documents_options(settings);
    let (documents, loaded) = Documents::open(&settings.documents.folders, &options)?;
    let documents = Arc::new(documents);
    let judge_file = JudgeFile::of(&settings.judgement.model);
    let core = Core {
        store: store.clone(),
        models,
        drafter,
        drafter_deadline: settings.flux.drafter_deadline,
        drafter_concurrency: settings.flux.drafter_concurrency,
        keyring: keyring.clone(),
        documents: Arc::clone(&documents),
        shelf: ShelfOptions {
            max_documents: settings.documents.max_added,
            max_bytes: settings.documents.max_added_bytes,
        },
        metrics: metrics.clone(),
        policy: Policy {
            judge: judge(Some(Path::new(&settings.judgement.model)))?,
            ..settings.policy()
        },
        reset_policy,
        lake: settings.lake.enabled.then_some(LakeOptions {
            ttl: Some(settings.lake.ttl),
            max_entries: settings.lake.max_entries,
            max_bytes: settings.lake.max_bytes,
            max_wrong_hit_rate: settings.lake.max_wrong_hit_rate,
        }),
        sentences,
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
    background.run_once("documents", |stop| built.shelf_task.run(stop));
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
    if unfinished {
        let shelf = LakeShelf::new(app.store.clone(), keyring, built.sessions);
        app.background.finish(async move {
            match shelf.reseal(|_| {}).await {
                Ok(rows) => {
                    tracing::info!(rows, "every row is as the encryption key in use has it")
                }
                Err(error) => {
                    tracing::warn!(%error, "rows could not be written anew; the next start goes on")
                }
            }
        });
    }
    if let Some(lake) = built.lake {
        if settings.lake.embedding != LakeEmbedding::Hashed {
            let lake = lake.clone();
            app.background.run_once("lake embeddings", |stop| embed_entries(lake, stop));
        }
        app.start_vortex(lake, settings.flux.tick());
    }
    if !settings.documents.folders.is_empty()
        && let Some(every) = settings.documents.watch()
    {
        app.start_watch(documents, every);
    }
    if let (Some(file), Some(every)) = (judge_file, settings.judgement.watch()) {
        let learning = Arc::clone(&app.learning);
        app.background.run_once("judgement watch", |stop| {
            judge::watch(file, every, built.policy, learning, stop)
        });
    }
    app.start_checkpoints();
    app.await_providers(awaited, fleet, settings.asi.default_prior);
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
                let show = move || {
                    let stats = counted.stats();
                    metrics.lake(LakeState {
                        entries: stats.entries,
                        curated: stats.curated,
                        bytes: stats.bytes,
                        agreeing: stats.agreeing,
                        contradicting: stats.contradicting,
                        disputed: stats.disputed,
                    });
                    if let Some(share) = stats.coherence {
                        metrics.flux_coherence(share);
                    }
                    metrics.clone()
                };
                show();
                let ticked = move |report: &TickReport| {
                    let metrics = show();
                    metrics.flux_tick(report.merged as u64, report.rewarded as u64);
                    metrics.lake_evicted(report.evicted as u64);
                };
                run_vortex(lake, period, &SystemClock, ticked, stop).await;
            }
        });
    }

    /// Looks for changes in the folders of documents.
    fn start_watch(&self, documents: Arc<Documents>, every: Duration) {
        self.background
            .supervise("documents watch", move |stop| watch(Arc::clone(&documents), every, stop));
    }

    /// Asks providers that were not up at the start again, at growing distances, until each has named
    /// its models.
    fn await_providers(
        &self,
        awaited: Vec<ProviderSettings>,
        fleet: Arc<Fleet>,
        default_prior: f64,
    ) {
        if awaited.is_empty() {
            return;
        }
        let names = |awaited: &[ProviderSettings]| -> Vec<String> {
            awaited.iter().map(|provider| provider.name.clone()).collect()
        };
        self.meta.join(&[], &names(&awaited));
        let (meta, learning, metrics) =
            (Arc::clone(&self.meta), Arc::clone(&self.learning), self.metrics.clone());
        self.background.until_done(
            "provider discovery",
            move |stop: CancellationToken| async move {
                let (mut awaited, mut wait) = (awaited, FIRST_ASKED_AGAIN);
                while !awaited.is_empty() {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(wait) => {}
                    }
                    wait = (wait * 2).min(LONGEST_BETWEEN_ASKING);
                    let prior = Signal::clamped(default_prior);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        _ = providers::discover(&mut awaited, prior) => {}
                    }
                    let (found, missing): (Vec<_>, Vec<_>) =
                        awaited.into_iter().partition(|provider| !provider.models.is_empty());
                    awaited = missing;
                    match providers::build(&found, &metrics, &fleet) {
                        Ok(models) => {
                            for model in &models {
                                let profile = model.profile();
                                learning.know(&profile.name, profile.prior);
                                tracing::info!(model = %profile.name, "a provider came up");
                            }
                            meta.join(&models, &names(&awaited));
                        }
                        Err(error) => tracing::error!(%error, "a provider came up and is unusable"),
                    }
                }
            },
        );
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

/// Reads anew what has changed in the folders, until stopped. What cannot be read is said once.
async fn watch(documents: Arc<Documents>, every: Duration, stop: CancellationToken) {
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let read = Arc::clone(&documents);
        let Ok(rescanned) = tokio::task::spawn_blocking(move || read.rescan()).await else {
            continue;
        };
        match rescanned {
            Ok(None) => failing = false,
            Ok(Some(report)) => {
                failing = false;
                let stats = report.stats;
                let skipped = report.skipped.len() + report.skipped_further;
                tracing::info!(
                    documents = stats.documents,
                    sentences = stats.sentences,
                    skipped,
                    "the documents have changed and were read anew"
                );
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the documents could not be read anew; they stay as they were");
                }
                failing = true;
            }
        }
    }
}

pub(super) fn documents_options(settings: &Settings) -> DocumentsOptions {
    DocumentsOptions {
        bundled: settings.documents.bundled,
        max_file_bytes: settings.documents.max_file_bytes,
        ..DocumentsOptions::default()
    }
}

/// The keys of encryption at rest.
pub(super) fn keyring(settings: &Settings) -> Result<Keyring, KeyringError> {
    match &settings.encryption_keys {
        Some(keys) => Keyring::parse(keys.expose()),
        None => Ok(Keyring::plain()),
    }
}

/// Builds the tables that are made on first use, so that the first caller does not wait for them.
fn warm_up(documents: &Documents) {
    let question = "what is 2 + 2, and what does this service do?";
    let solved = solvers::solve("what is 2 + 2", SystemClock.today());
    let tenant = TenantId::default();
    let query = Query { tenant: &tenant, text: question, context: &[], guide: true };
    let retrieved = documents.answer(&query);
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

/// The models that there are.
struct Found {
    models: Vec<Arc<dyn LanguageModel>>,
    /// The one that drafts for Flux: it is no expert of ASI, or its agreement with itself would count
    /// as evidence.
    drafter: Option<Arc<dyn LanguageModel>>,
    /// Providers that did not say which models they have.
    awaited: Vec<ProviderSettings>,
    fleet: Arc<Fleet>,
}

async fn models(settings: &Settings, metrics: &Metrics) -> Result<Found, StartError> {
    let mut configured = settings.providers.clone();
    let prior = Signal::clamped(settings.asi.default_prior);
    for without in providers::discover(&mut configured, prior).await {
        tracing::warn!(%without, "a provider is left out until it is up; it is asked again");
    }
    let fleet = Arc::new(Fleet::default());
    let mut models = providers::build(&configured, metrics, &fleet)?;
    configured.retain(|provider| provider.models.is_empty() && provider.discovery.is_some());
    let mut found = Found { models: Vec::new(), drafter: None, awaited: configured, fleet };
    let Some(name) = settings.flux.drafter() else {
        return Ok(Found { models, ..found });
    };
    match models.iter().position(|model| &*model.profile().name == name) {
        Some(at) => {
            found.drafter = Some(models.remove(at));
            Ok(Found { models, ..found })
        }
        None => {
            let known: Vec<&str> = models.iter().map(|m| &*m.profile().name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(StartError::UnknownDrafter { drafter: name.to_owned(), known })
        }
    }
}
