//! What every orchestrator is built of, the one that serves and the one that replays.

use std::{sync::Arc, time::Duration};

use super::StartError;
use crate::{
    asi::Asi,
    documents::{Documents, Shelf, ShelfOptions, ShelfTask},
    domain::{Clock, LanguageModel, Policy, PolicyCell},
    flux::{Flux, FluxParts},
    lake::{Lake, LakeOptions, Sentences},
    learning::Learning,
    ledger::{Ledger, LedgerOptions, LedgerTask},
    meta::{AuditOptions, AuditParts, AuditTask, MetaOrchestrator, Parts, auditor},
    performance::SnapshotCell,
    seal::Keyring,
    sessions::{SessionOptions, Sessions},
    store::Store,
    telemetry::Metrics,
};

/// The parts and figures to build from.
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) models: Vec<Arc<dyn LanguageModel>>,
    pub(super) drafter: Option<Arc<dyn LanguageModel>>,
    pub(super) drafter_deadline: Duration,
    pub(super) drafter_concurrency: usize,
    /// The keys that the store was admitted with.
    pub(super) keyring: Keyring,
    pub(super) documents: Arc<Documents>,
    pub(super) shelf: ShelfOptions,
    pub(super) metrics: Metrics,
    /// In force unless the store has a newer one.
    pub(super) policy: Policy,
    /// Whether a stored policy is passed over.
    pub(super) reset_policy: bool,
    /// `None` switches the lake off.
    pub(super) lake: Option<LakeOptions>,
    /// `None` recalls by words alone.
    pub(super) sentences: Option<Sentences>,
    pub(super) sessions: SessionOptions,
    pub(super) ledger: LedgerOptions,
    pub(super) max_experts: usize,
    pub(super) hedging: bool,
    pub(super) feedback_per_minute: u32,
    /// `None` switches audits off.
    pub(super) audits: Option<AuditOptions>,
    /// Empty for none.
    pub(super) instructions: String,
    pub(super) token_budget: usize,
    pub(super) record_wait: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) dice: Box<dyn Fn() -> f64 + Send + Sync>,
}

/// What was built. Nothing is recorded before the ledger's task runs.
pub(super) struct Built {
    pub(super) meta: Arc<MetaOrchestrator>,
    pub(super) ledger: Ledger,
    pub(super) ledger_task: LedgerTask,
    pub(super) shelf_task: ShelfTask,
    /// Where audits are on.
    pub(super) audit_task: Option<AuditTask>,
    pub(super) learning: Arc<Learning>,
    pub(super) lake: Option<Lake>,
    pub(super) sessions: Sessions,
    pub(super) policy: PolicyCell,
    pub(super) stored_policy: bool,
}

impl Core {
    pub(super) async fn build(self) -> Result<Built, StartError> {
        let policy = PolicyCell::new(self.policy);
        let performance = SnapshotCell::default();
        let lake = match self.lake {
            Some(options) => {
                let keyring = self.keyring.clone();
                let (store, sentences) = (self.store.clone(), self.sentences);
                let lake = Lake::open_embedding(store, options, keyring, sentences).await;
                Some(lake.map_err(StartError::Lake)?)
            }
            None => None,
        };
        let models = self.models.iter().chain(&self.drafter).map(|model| model.profile());
        let priors = models.map(|profile| (profile.name.to_string(), profile.prior)).collect();
        let learning = Arc::new(Learning::new(
            policy.clone(),
            performance.clone(),
            self.metrics.clone(),
            lake.clone(),
            priors,
        ));
        let observers: Vec<Arc<dyn crate::ledger::LedgerObserver>> = vec![learning.clone()];
        let (ledger, ledger_task) =
            Ledger::open(self.store.clone(), observers, self.ledger).await?;
        let stored = ledger.policy().await?;
        let stored_policy = stored.is_some() && !self.reset_policy;
        if let Some(stored) = stored {
            // Even a policy that is reset lends its version, so that versions only count up.
            let mut newest =
                if self.reset_policy { (*policy.load()).clone() } else { stored.clone() };
            newest.version = stored.version;
            policy.publish(&newest);
        }
        learning.restore(&ledger).await?;
        let sessions =
            Sessions::open_sealed(self.store.clone(), self.sessions, self.keyring.clone());
        let sessions = sessions.await.map_err(StartError::Sessions)?;
        let documents = Arc::clone(&self.documents);
        let opened =
            Shelf::open_sealed(documents, self.store.clone(), self.shelf, self.keyring).await;
        let (shelf, shelf_task) = opened.map_err(StartError::Shelf)?;
        let flux = Flux::new(FluxParts {
            lake: lake.clone(),
            drafter: self.drafter,
            drafter_deadline: self.drafter_deadline,
            drafter_concurrency: self.drafter_concurrency,
            clock: Arc::clone(&self.clock),
            documents_epoch: {
                let documents = Arc::clone(&self.documents);
                Box::new(move |tenant| documents.epoch(tenant))
            },
        });
        let asi = Asi::new(self.models, self.documents, self.max_experts);
        let asi = Arc::new(asi.with_hedging(self.hedging));
        let audits = self.audits.and_then(|options| {
            let parts = AuditParts {
                asi: Arc::clone(&asi),
                policy: policy.clone(),
                ledger: ledger.clone(),
                metrics: self.metrics.clone(),
                clock: Arc::clone(&self.clock),
            };
            auditor(options, parts)
        });
        let (audits, audit_task) = audits.unzip();
        let meta = Arc::new(MetaOrchestrator::new(Parts {
            flux,
            asi,
            audits,
            feedback_per_minute: self.feedback_per_minute,
            ledger: ledger.clone(),
            shelf,
            sessions: sessions.clone(),
            policy: policy.clone(),
            performance,
            metrics: self.metrics,
            clock: self.clock,
            dice: self.dice,
            instructions: Some(self.instructions).filter(|text| !text.is_empty()),
            token_budget: self.token_budget,
            record_wait: self.record_wait,
        }));
        Ok(Built {
            meta,
            ledger,
            ledger_task,
            shelf_task,
            learning,
            lake,
            sessions,
            policy,
            stored_policy,
            audit_task,
        })
    }
}
