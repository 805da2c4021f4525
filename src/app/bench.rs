//! The orchestrator that an evaluation replays through: the same as the one that serves, over a
//! store in memory, without lake and documents, and with dice that always fall alike.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use crate::{
    documents::{Documents, DocumentsOptions, ShelfOptions},
    domain::{LanguageModel, Policy, SystemClock},
    evaluation::{Bench, Workbench},
    ledger::LedgerOptions,
    seal::Keyring,
    sessions::SessionOptions,
    store::Store,
    telemetry::Metrics,
};

/// Builds benches.
#[derive(Debug, Clone, Copy)]
pub struct ReplayBench;

/// The dice's seed: any number, as long as it stays.
const SEED: u64 = 369;
/// The drafter's answers are recorded: it is never cut short.
const PATIENCE: Duration = Duration::from_secs(3600);

impl Workbench for ReplayBench {
    fn orchestrator(
        &self,
        fast: Arc<dyn LanguageModel>,
        slow: Vec<Arc<dyn LanguageModel>>,
        policy: Policy,
    ) -> BoxFuture<'_, Result<Bench, String>> {
        Box::pin(async move { bench(fast, slow, policy).await.map_err(|error| error.to_string()) })
    }
}

async fn bench(
    fast: Arc<dyn LanguageModel>,
    slow: Vec<Arc<dyn LanguageModel>>,
    policy: Policy,
) -> Result<Bench, super::StartError> {
    let store = Store::in_memory().map_err(crate::ledger::LedgerError::from)?;
    let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
    let (documents, _) = Documents::open(&[], &options)?;
    let dice = Mutex::new(StdRng::seed_from_u64(SEED));
    let built = Core {
        store,
        max_experts: slow.len(),
        hedging: false,
        audits: None,
        feedback_per_minute: u32::MAX,
        models: slow,
        drafter: Some(fast),
        drafter_deadline: PATIENCE,
        drafter_concurrency: usize::MAX,
        keyring: Keyring::plain(),
        documents: Arc::new(documents),
        shelf: ShelfOptions::default(),
        metrics: Metrics::new(),
        policy,
        reset_policy: false,
        lake: None,
        sentences: None,
        sessions: SessionOptions::default(),
        ledger: LedgerOptions::default(),
        instructions: String::new(),
        token_budget: 0,
        record_wait: PATIENCE,
        clock: Arc::new(SystemClock),
        dice: Box::new(move || dice.lock().unwrap_or_else(PoisonError::into_inner).random()),
    }
    .build()
    .await?;
    // Each ends by itself when the bench, and with it the last handle to the ledger, is dropped.
    drop(tokio::spawn(built.ledger_task.run(CancellationToken::new())));
    drop(tokio::spawn(built.shelf_task.run(CancellationToken::new())));
    Ok(Bench { meta: built.meta, ledger: built.ledger })
}
