//! Configuration: commented defaults compiled in, then a file, then the environment; every problem
//! reported in one go.
//!
//! `config/default.toml` is the documentation of every key. The rooms above get typed, checked
//! values; nobody but this room reads the environment.

mod check;
mod encryption;
mod problem;
mod provider;
mod provider_read;
mod read;
mod secret;
mod sections;
mod sources;
mod zero_config;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub use problem::{Problem, SettingsError};
pub use provider::{Dialect, Discovery, MAX_MODELS, ModelSettings, ProviderSettings, is_label};
pub use secret::Secret;
pub use sections::{
    Acknowledge, AsiSettings, AuditSettings, DataSettings, DocumentSettings, FeedbackSettings,
    FluxSettings, FusionSettings, JudgementSettings, LakeEmbedding, LakeSettings, LedgerSettings,
    LimitSettings, LogFormat, LogSettings, PolicySettings, RuntimeFirstSettings, ServerSettings,
    SessionSettings,
};
pub use sources::DEFAULTS;

use crate::domain::{AdaptiveRule, Policy, QualityTarget, Signal, Thresholds};
use problem::Problems;

/// The whole configuration, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The socket.
    pub server: ServerSettings,
    /// What is kept.
    pub data: DataSettings,
    /// Bounds of one request.
    pub limits: LimitSettings,
    /// Strategy and consensus of requests that name none.
    pub policy: PolicySettings,
    /// Cut-offs of routing.
    pub thresholds: Thresholds,
    /// Fusion's weight.
    pub fusion: FusionSettings,
    /// What judges questions and drafts.
    pub judgement: JudgementSettings,
    /// RuntimeFirst's fallback.
    pub runtime_first: RuntimeFirstSettings,
    /// Adaptive's rule.
    pub adaptive: AdaptiveRule,
    /// What Hybrid promises.
    pub quality_target: QualityTarget,
    /// Weights of the consensus `custom_weights`, by expert.
    pub custom_weights: BTreeMap<String, f64>,
    /// The runtime tier.
    pub flux: FluxSettings,
    /// The Confidence Lake.
    pub lake: LakeSettings,
    /// What the document expert answers from.
    pub documents: DocumentSettings,
    /// Conversations.
    pub sessions: SessionSettings,
    /// The record of decisions and outcomes.
    pub ledger: LedgerSettings,
    /// Answers of Flux that are also asked of ASI.
    pub audit: AuditSettings,
    /// What judges may do.
    pub feedback: FeedbackSettings,
    /// The AI tier.
    pub asi: AsiSettings,
    /// What is logged.
    pub log: LogSettings,
    /// The keys of encryption at rest, one a line, the one in use first; `None` for no encryption.
    pub encryption_keys: Option<Secret>,
    /// Language models: as configured, else as the environment gives them away.
    pub providers: Vec<ProviderSettings>,
}

impl Settings {
    /// Reads the defaults, the file and this process's environment.
    ///
    /// # Errors
    /// [`SettingsError`] with every problem there is.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        // Bytes that are no text come out as signs that no check lets pass unseen.
        let text = |bytes: std::ffi::OsString| bytes.to_string_lossy().into_owned();
        let environment =
            std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self::read(file, &environment)
    }

    /// Reads the defaults, the file and the given environment.
    ///
    /// # Errors
    /// [`SettingsError`] with every problem there is.
    pub fn read(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let mut problems = Problems::default();
        let settings = gather(file, environment, &mut problems);
        if let Some(settings) = &settings {
            check::check(settings, &mut problems);
        }
        problems.finish(settings)
    }

    /// The policy of a service that nobody has told otherwise.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut custom_weights: BTreeMap<String, f64> = self
            .providers
            .iter()
            .flat_map(|provider| &provider.models)
            .map(|model| (model.name.clone(), model.weight))
            // What is absent weighs 1 anyway.
            .filter(|(_, weight)| (weight - 1.0).abs() > f64::EPSILON)
            .collect();
        custom_weights.extend(self.custom_weights.clone());
        Policy {
            strategy: self.policy.strategy,
            thresholds: self.thresholds,
            consensus: self.policy.consensus,
            custom_weights,
            sacred_weight: self.fusion.sacred_weight,
            runtime_fallback: self.runtime_first.fallback,
            adaptive: self.adaptive,
            quality_target: self.quality_target,
            ..Policy::default()
        }
    }
}

impl Default for Settings {
    /// The compiled-in defaults, without any provider.
    #[expect(clippy::expect_used, reason = "compiled in, and a test reads them")]
    fn default() -> Self {
        Self::read(None, &BTreeMap::new()).expect("the compiled-in defaults are right")
    }
}

fn gather(
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Settings> {
    let defaults = sources::defaults();
    sources::misnamed(environment, &defaults, problems);
    let mut tree = sources::merged(file, environment, problems);
    let known: BTreeSet<&str> = defaults.keys().map(String::as_str).chain(["providers"]).collect();
    for name in tree.keys().filter(|name| !known.contains(name.as_str())) {
        let fix = read::did_you_mean(name, known.iter().copied());
        problems.add(name, "unknown section", fix);
    }
    let providers = tree.remove("providers");

    /// Reads the section of the same name as the variable.
    macro_rules! sections {
        ($($name:ident),+) => {
            $(let $name = read::section(stringify!($name), &mut tree, &defaults, problems);)+
        };
    }
    sections!(
        server,
        data,
        limits,
        policy,
        thresholds,
        fusion,
        judgement,
        runtime_first,
        adaptive,
        quality_target,
        custom_weights,
        flux,
        lake,
        documents,
        sessions,
        ledger,
        audit,
        feedback,
        asi,
        log
    );

    let lake: LakeSettings = lake?;
    let encryption_keys = encryption::keys(&lake, environment, problems);
    let asi: AsiSettings = asi?;
    let configured = providers.is_some();
    let mut providers = provider_read::read(providers, asi.default_prior, environment, problems);
    if !configured {
        let prior = Signal::clamped(asi.default_prior);
        providers = zero_config::providers(environment, prior, problems);
    }
    Some(Settings {
        server: server?,
        data: data?,
        limits: limits?,
        policy: policy?,
        thresholds: thresholds?,
        fusion: fusion?,
        judgement: judgement?,
        runtime_first: runtime_first?,
        adaptive: adaptive?,
        quality_target: quality_target?,
        custom_weights: custom_weights?,
        flux: flux?,
        lake,
        documents: documents?,
        sessions: sessions?,
        ledger: ledger?,
        audit: audit?,
        feedback: feedback?,
        asi,
        log: log?,
        encryption_keys,
        providers,
    })
}

#[cfg(test)]
mod tests;
