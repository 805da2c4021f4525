//! The AI tier: experts, modes and consensus.
//!
//! The document expert lives in process and speaks for nothing, so it always speaks. Models cost time
//! and money: the mode says how many are asked, and in what order.

mod ask;
mod documentary;
mod live;
mod overlap;
mod panel;
mod race;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::{
    answers::Question,
    documents::Documents,
    domain::{
        AsiMode, Draft, ExpertReport, LanguageModel, ModelError, ModelProfile, Prompt, Reading,
        Request, Stage, Standings, Trace, Usage,
    },
    fusion::Rule,
};
pub use live::Live;
use overlap::Overlaps;
use panel::Panel;

/// The AI tier with the experts it was given.
pub struct Asi {
    roster: ArcSwap<Roster>,
    documents: Arc<Documents>,
    max_experts: usize,
    /// Whether a second model is asked when the first takes unusually long.
    hedging: bool,
    overlaps: Overlaps,
}

/// Who there is.
#[derive(Clone, Default)]
struct Roster {
    /// By prior, best first, then by name, so that the order does not hang on the configuration's.
    models: Vec<Arc<dyn LanguageModel>>,
    /// Providers that are configured and have not said yet which models they have.
    awaited: Vec<String>,
}

impl Roster {
    fn of(mut models: Vec<Arc<dyn LanguageModel>>, awaited: Vec<String>) -> Self {
        models.sort_by(|a, b| {
            let (a, b) = (a.profile(), b.profile());
            b.prior.get().total_cmp(&a.prior.get()).then_with(|| a.name.cmp(&b.name))
        });
        Self { models, awaited }
    }
}

/// One question to the tier.
pub struct Task<'a> {
    /// The request.
    pub request: &'a Request,
    /// What it asks.
    pub question: &'a Question<'a>,
    /// What models are asked: the request in its chosen context.
    pub prompt: Prompt,
    /// How hard to try.
    pub mode: AsiMode,
    /// How answers become one.
    pub rule: Rule<'a>,
    /// What each model has proved to be worth, where outcomes have shown it.
    pub experts: &'a Standings,
    /// Balanced: below this signal, a second expert is asked.
    pub second_opinion: f64,
    /// When to stop.
    pub deadline: Instant,
    /// Where the stages are noted.
    pub trace: &'a Trace,
    /// Whether nothing outside of this tier competes with its answer.
    pub alone: bool,
    /// Who hears the answer while it is being written; set only where nothing outside of this tier
    /// competes with it.
    pub live: Option<&'a Live>,
    /// The question as experience reads it, where there is any.
    pub reading: Option<&'a dyn Reading>,
}

/// What the tier came back with.
#[derive(Debug, Default)]
pub struct Findings {
    /// All drafts, checked and with their signals.
    pub drafts: Vec<Draft>,
    /// Whole answers that came when another one already was the answer: no part of it, and credited or
    /// debited like any other by what becomes of it.
    pub unheard: Vec<Draft>,
    /// Everyone who was asked.
    pub experts: Vec<ExpertReport>,
    /// The models that failed, by configured name.
    pub failures: Vec<(String, ModelError)>,
    /// Whether documents had a part in it: as drafts, or as passages that models were shown.
    pub from_documents: bool,
    /// What the mode wanted and could not have.
    pub shortfall: Option<String>,
    /// Times that the tier went round again: second opinions and revisions.
    pub extra_rounds: u32,
    /// Time spent waiting for models.
    pub upstream: Duration,
    /// From being asked to coming back.
    pub latency: Duration,
    /// Tokens and cost of all calls together.
    pub usage: Usage,
    /// The part of the cost that is known, in US dollars: what budgets count.
    pub known_usd: f64,
}

/// Experts that `thorough` wants at least.
const THOROUGH_EXPERTS: usize = 3;

impl Asi {
    /// The tier over these models and documents. At most `max_experts` models are asked for one
    /// request; a mode that wants more falls short and says so.
    #[must_use]
    pub fn new(
        models: Vec<Arc<dyn LanguageModel>>,
        documents: Arc<Documents>,
        max_experts: usize,
    ) -> Self {
        Self {
            roster: ArcSwap::from_pointee(Roster::of(models, Vec::new())),
            documents,
            max_experts: max_experts.max(1),
            hedging: false,
            overlaps: Overlaps::default(),
        }
    }

    /// The same tier, which asks a second model when the first takes longer than its own 95th
    /// percentile, if `hedging`; for at most every tenth request.
    #[must_use]
    pub fn with_hedging(self, hedging: bool) -> Self {
        Self { hedging, ..self }
    }

    /// Takes in models that were not there at the start; requests from now on may ask them. `awaited`
    /// names the providers that are still to come. A model whose name is taken stays outside.
    pub fn join(&self, models: &[Arc<dyn LanguageModel>], awaited: &[String]) {
        self.roster.rcu(|roster| {
            let mut all = roster.models.clone();
            for model in models {
                let taken = all.iter().any(|known| known.profile().name == model.profile().name);
                if !taken {
                    all.push(Arc::clone(model));
                }
            }
            Roster::of(all, awaited.to_vec())
        });
    }

    /// The models that may answer this request: the one that it names, or all that can take what it
    /// passes through; best first by what they have proved to be worth, those that are likely to fail
    /// last.
    fn who_may_answer(
        &self,
        request: &Request,
        experts: &Standings,
    ) -> Vec<Arc<dyn LanguageModel>> {
        let may = |m: &&Arc<dyn LanguageModel>| {
            let profile = m.profile();
            let named = request.expert.as_deref().is_none_or(|name| name == &*profile.name);
            named && (profile.passthrough || request.passthrough().is_none())
        };
        let mut models: Vec<_> = self.roster.load().models.iter().filter(may).cloned().collect();
        if !experts.is_empty() {
            let worth = |model: &Arc<dyn LanguageModel>| ask::worth(&**model, experts).get();
            models.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        }
        models.sort_by_cached_key(|model| model.is_ailing());
        models
    }

    /// Whether any model can be asked.
    #[must_use]
    pub fn has_models(&self) -> bool {
        !self.roster.load().models.is_empty()
    }

    /// What is known of the models, by their priors, best first.
    #[must_use]
    pub fn profiles(&self) -> Vec<ModelProfile> {
        self.roster.load().models.iter().map(|model| model.profile().clone()).collect()
    }

    /// Models whose provider refuses the key, and since when.
    #[must_use]
    pub fn refused(&self) -> Vec<(Arc<str>, Instant)> {
        let roster = self.roster.load();
        let refused = |model: &Arc<dyn LanguageModel>| {
            Some((Arc::clone(&model.profile().name), model.refused_since()?))
        };
        roster.models.iter().filter_map(refused).collect()
    }

    /// Models whose provider is down: it failed so often that calls are held back.
    #[must_use]
    pub fn down(&self) -> Vec<Arc<str>> {
        let roster = self.roster.load();
        let down = roster.models.iter().filter(|model| model.is_down());
        down.map(|model| Arc::clone(&model.profile().name)).collect()
    }

    /// Configured providers that have not said yet which models they have.
    #[must_use]
    pub fn awaited(&self) -> Vec<String> {
        self.roster.load().awaited.clone()
    }

    /// The documents behind the document expert.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Asks as the mode says. Returns at the deadline at the latest, with what there is by then.
    pub async fn answer(&self, task: &Task<'_>) -> Findings {
        let since = Instant::now();
        let mut panel = Panel::new(self, task).await;
        match task.mode {
            AsiMode::Fast => panel.ask_best().await,
            AsiMode::Balanced => panel.ask_balanced().await,
            AsiMode::Thorough => panel.ask_thorough().await,
            AsiMode::Reasoning => panel.ask_reasoning().await,
        }
        let mut findings = panel.into_findings();
        findings.latency = since.elapsed();
        task.trace.visit(Stage::Expanded, since, findings.note(task.mode));
        findings
    }
}

impl Findings {
    /// Counts a call that was answered.
    fn pay(&mut self, usage: &Usage) {
        self.known_usd += usage.cost_usd.unwrap_or(0.0);
        self.usage.add(usage);
    }

    fn note(&self, mode: AsiMode) -> String {
        let asked = self.experts.len();
        let answered = self.experts.iter().filter(|e| e.signal.is_some()).count();
        format!("{mode}: {answered} of {asked} experts answered")
    }
}

#[cfg(test)]
mod tests;
