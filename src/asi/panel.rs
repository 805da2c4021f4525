//! The modes: who is asked, in what order, and when enough is enough.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::{
    Asi, Findings, THOROUGH_EXPERTS, Task,
    ask::{ask, prompt_cost},
    documentary,
};
use crate::{
    domain::{
        Draft, ExpertReport, LanguageModel, Position, Prompt, Revision, Signal, SourceKind, Verdict,
    },
    fusion::fuse,
};

/// One task at work.
pub(super) struct Panel<'a> {
    asi: &'a Asi,
    task: &'a Task<'a>,
    prompt: Prompt,
    asked: HashSet<Arc<str>>,
    findings: Findings,
}

impl<'a> Panel<'a> {
    /// Consults the documents; no model has been asked yet.
    pub(super) async fn new(asi: &'a Asi, task: &'a Task<'a>) -> Self {
        let (drafts, passages) =
            documentary::consult(&asi.documents, task.request, !asi.models.is_empty()).await;
        let mut prompt = task.prompt.clone();
        let from_documents = !drafts.is_empty() || !passages.is_empty();
        // What was found in the request's own context is in the prompt already.
        if task.request.context.is_empty() {
            prompt.passages.extend(passages);
        }
        let experts = drafts.iter().map(ExpertReport::of).collect();
        let findings = Findings { drafts, experts, from_documents, ..Findings::default() };
        Self { asi, task, prompt, asked: HashSet::new(), findings }
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings
    }

    /// The best single expert: the documents where they are surer than the best model is likely
    /// to be, else the first model that answers.
    pub(super) async fn ask_best(&mut self) {
        if self.documents_suffice() {
            return;
        }
        while let Some(model) = self.next_model() {
            if self.ask(&[model]).await > 0 || Instant::now() >= self.task.deadline {
                return;
            }
        }
    }

    /// One expert, verified; another when the first is in doubt.
    pub(super) async fn ask_balanced(&mut self) {
        self.ask_best().await;
        let best = self.best_signal();
        if self.asi.models.is_empty() || best >= Signal::clamped(self.task.second_opinion) {
            return;
        }
        match self.next_model() {
            Some(model) => {
                self.findings.extra_rounds += 1;
                self.ask(&[model]).await;
            }
            None => {
                self.falls_short("a second opinion was wanted and no other model is configured")
            }
        }
    }

    /// At least three experts at once.
    pub(super) async fn ask_thorough(&mut self) {
        let models: Vec<_> = self.asi.models.iter().take(self.asi.max_experts).cloned().collect();
        let experts = models.len() + usize::from(!self.findings.drafts.is_empty());
        if experts < THOROUGH_EXPERTS {
            self.falls_short(&format!(
                "{} wants at least {THOROUGH_EXPERTS} experts and {experts} could be asked",
                self.task.mode
            ));
        }
        self.ask(&models).await;
    }

    /// Thorough; and when the winner fails verification, its author gets it back once.
    pub(super) async fn ask_reasoning(&mut self) {
        self.ask_thorough().await;
        let Some(winner) = fuse(self.findings.drafts.clone(), &self.task.rule).map(|f| f.draft)
        else {
            return;
        };
        let objections: Vec<String> = winner
            .checks
            .iter()
            // That others disagree is nothing that an author could mend.
            .filter(|c| c.verdict == Verdict::Failed && c.position != Position::FUSION)
            .map(|c| format!("{}: {}", c.name, c.note))
            .collect();
        if objections.is_empty() {
            return;
        }
        let Some(author) = self.author_of(&winner) else { return };
        self.findings.extra_rounds += 1;
        let mut prompt = self.prompt.clone();
        prompt.revision = Some(Revision { previous: winner.content, objections });
        let name = Arc::clone(&author.profile().name);
        let before = std::mem::take(&mut self.findings.drafts);
        let revised = self.ask_with(&[author], &prompt).await > 0;
        let replaced =
            |d: &Draft| revised && d.source.kind == SourceKind::Model && d.source.name == name;
        self.findings.drafts.extend(before.into_iter().filter(|d| !replaced(d)));
    }

    fn author_of(&self, winner: &Draft) -> Option<Arc<dyn LanguageModel>> {
        let wrote =
            |d: &Draft, model: &Arc<dyn LanguageModel>| d.source.name == model.profile().name;
        let author_of = |d: &Draft| self.asi.models.iter().find(|m| wrote(d, m)).cloned();
        // A fused draft names no single author: the one who worded it is asked.
        author_of(winner).or_else(|| {
            let worded = self.findings.drafts.iter().find(|d| d.content == winner.content)?;
            author_of(worded)
        })
    }

    fn documents_suffice(&self) -> bool {
        match self.asi.models.first() {
            Some(best) => {
                !self.findings.drafts.is_empty() && self.best_signal() >= best.profile().prior
            }
            None => true,
        }
    }

    fn best_signal(&self) -> Signal {
        let signals = self.findings.drafts.iter().map(|d| d.signal.get());
        Signal::clamped(signals.fold(0.0, f64::max))
    }

    /// The best model that was not asked yet, as long as the bound on experts allows.
    fn next_model(&self) -> Option<Arc<dyn LanguageModel>> {
        if self.asked.len() >= self.asi.max_experts {
            return None;
        }
        self.asi.models.iter().find(|m| !self.asked.contains(&m.profile().name)).cloned()
    }

    async fn ask(&mut self, models: &[Arc<dyn LanguageModel>]) -> usize {
        let prompt = self.prompt.clone();
        self.ask_with(models, &prompt).await
    }

    /// Asks these at once; returns how many answered.
    async fn ask_with(&mut self, models: &[Arc<dyn LanguageModel>], prompt: &Prompt) -> usize {
        let since = Instant::now();
        // Who is asked at the same time shares one budget: each one's prompt counts for the next.
        let mut spent = self.findings.usage.cost_usd.unwrap_or(0.0);
        let calls = models.iter().map(|model| {
            let spending = spent + prompt_cost(&**model, prompt);
            if self.task.request.budget.max_cost_usd.is_none_or(|budget| spending <= budget) {
                spent = spending;
            }
            ask(&**model, prompt, self.task, spending)
        });
        let asked = join_all(calls.collect::<Vec<_>>()).await;
        self.findings.upstream += since.elapsed();
        let mut answered = 0;
        for (model, asked) in models.iter().zip(asked) {
            self.asked.insert(Arc::clone(&model.profile().name));
            self.findings.experts.push(asked.report);
            match asked.result {
                Ok(draft) => {
                    answered += 1;
                    self.findings.usage.add(&draft.usage);
                    self.findings.drafts.push(draft);
                }
                Err(error) => {
                    self.findings.failures.push((model.profile().name.to_string(), error))
                }
            }
        }
        answered
    }

    fn falls_short(&mut self, what: &str) {
        self.findings.shortfall.get_or_insert_with(|| what.to_owned());
    }
}
