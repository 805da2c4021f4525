//! The modes: who is asked, in what order, and when enough is enough.

use std::{collections::HashSet, sync::Arc};

use futures_util::{
    FutureExt,
    stream::{FuturesUnordered, StreamExt},
};
use tokio::time::Instant;

use super::{
    Asi, Findings, Live, THOROUGH_EXPERTS, Task,
    ask::{Asked, ask, highest_cost, prior},
    documentary,
};
use crate::{
    domain::{
        AsiMode, Call, Draft, ExpertReport, LanguageModel, Position, Prompt, Revision, Signal,
        SourceKind, Verdict,
    },
    fusion::{Silent, fuse, is_settled},
    vcp::highest_signal,
};

/// Report code of an expert whose answer could no longer change the outcome.
const NOT_NEEDED: &str = "not_needed";

/// One task at work.
pub(super) struct Panel<'a> {
    pub(super) asi: &'a Asi,
    pub(super) task: &'a Task<'a>,
    pub(super) prompt: Prompt,
    pub(super) asked: HashSet<Arc<str>>,
    pub(super) findings: Findings,
    /// Who may be asked: best first, those that are likely to fail last.
    models: Vec<Arc<dyn LanguageModel>>,
}

impl<'a> Panel<'a> {
    /// Consults the documents; no model has been asked yet.
    pub(super) async fn new(asi: &'a Asi, task: &'a Task<'a>) -> Self {
        let models = asi.who_may_answer(task.request, task.experts);
        let mut prompt = task.prompt.clone();
        let mut findings = Findings::default();
        if task.request.is_open_to_all() {
            let (mut drafts, passages) =
                documentary::consult(&asi.documents, task.request, !models.is_empty()).await;
            drafts.retain(|draft| task.request.allows(&draft.content));
            findings.from_documents = !drafts.is_empty() || !passages.is_empty();
            findings.experts = drafts.iter().map(ExpertReport::of).collect();
            findings.drafts = drafts;
            // What was found in the request's own context is in the prompt already.
            if task.request.context.is_empty() {
                prompt.passages.extend(passages);
            }
        }
        asi.overlaps.requested();
        Self { asi, task, prompt, asked: HashSet::new(), findings, models }
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
        let live = self.task.live.filter(|_| self.speaks_alone());
        let candidates = self.candidates();
        self.race(&candidates, live).await;
    }

    /// Whether what the model says will be the answer: nothing else competes, and no second opinion
    /// can follow that would come too late to take back what was said.
    fn speaks_alone(&self) -> bool {
        let certain = match self.task.mode {
            AsiMode::Fast => true,
            AsiMode::Balanced => self.task.live.is_some_and(Live::can_retract),
            AsiMode::Thorough | AsiMode::Reasoning => false,
        };
        certain && self.findings.drafts.is_empty()
    }

    /// One expert, verified; another when the first is in doubt.
    pub(super) async fn ask_balanced(&mut self) {
        self.ask_best().await;
        let best = self.best_signal();
        if self.models.is_empty() || best >= Signal::clamped(self.task.second_opinion) {
            return;
        }
        let others = self.candidates();
        if others.is_empty() {
            self.falls_short("a second opinion was wanted and no other model is configured");
        } else {
            self.findings.extra_rounds += 1;
            self.race(&others, None).await;
        }
    }

    /// At least three experts at once.
    pub(super) async fn ask_thorough(&mut self) {
        let models = self.candidates();
        let experts = models.len() + usize::from(!self.findings.drafts.is_empty());
        if experts < THOROUGH_EXPERTS {
            self.falls_short(&format!(
                "{} wants at least {THOROUGH_EXPERTS} experts and {experts} could be asked",
                self.task.mode
            ));
        }
        let prompt = self.prompt.clone();
        self.ask_all(&models, &prompt).await;
    }

    /// Thorough; and when the winner fails verification, its author gets it back once, and the better
    /// of the two counts.
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
        self.ask_all(&[author], &prompt).await;
        // Of the two, the one that is more likely right: a revision can be worse.
        let by_author = |d: &Draft| d.source.kind == SourceKind::Model && d.source.name == name;
        let original = before.iter().filter(|d| by_author(d)).map(|d| d.signal.get());
        let original = original.fold(0.0, f64::max);
        self.findings.drafts.retain(|revised| revised.signal.get() >= original);
        let revised = !self.findings.drafts.is_empty();
        self.findings.drafts.extend(before.into_iter().filter(|d| !(revised && by_author(d))));
    }

    fn author_of(&self, winner: &Draft) -> Option<Arc<dyn LanguageModel>> {
        let wrote =
            |d: &Draft, model: &Arc<dyn LanguageModel>| d.source.name == model.profile().name;
        let author_of = |d: &Draft| self.models.iter().find(|m| wrote(d, m)).cloned();
        // A fused draft names no single author: the one who worded it is asked.
        author_of(winner).or_else(|| {
            let worded = self.findings.drafts.iter().find(|d| d.content == winner.content)?;
            author_of(worded)
        })
    }

    fn documents_suffice(&self) -> bool {
        match self.models.first() {
            Some(best) => {
                !self.findings.drafts.is_empty() && self.best_signal() >= prior(&**best, self.task)
            }
            None => true,
        }
    }

    fn best_signal(&self) -> Signal {
        let signals = self.findings.drafts.iter().map(|d| d.signal.get());
        Signal::clamped(signals.fold(0.0, f64::max))
    }

    /// The models that were not asked yet, best first, as many as the bound on experts allows.
    fn candidates(&self) -> Vec<Arc<dyn LanguageModel>> {
        let left = self.asi.max_experts.saturating_sub(self.asked.len());
        let unasked = self.models.iter().filter(|m| !self.asked.contains(&m.profile().name));
        unasked.take(left).cloned().collect()
    }

    /// Asks these at once, until all have answered or the rest can change nothing; returns how many
    /// answered.
    async fn ask_all(&mut self, models: &[Arc<dyn LanguageModel>], prompt: &Prompt) -> usize {
        let since = Instant::now();
        let task = self.task;
        // Who is asked at the same time shares one budget: what each may cost counts for the next.
        let mut spent = self.findings.known_usd;
        let mut running = FuturesUnordered::new();
        for (expert, model) in models.iter().enumerate() {
            let spending = spent + highest_cost(&**model, prompt);
            if task.request.budget.max_cost_usd.is_none_or(|budget| spending <= budget) {
                spent = spending;
            }
            let call = Call::whole(task.deadline);
            running
                .push(async move { (expert, ask(&**model, prompt, task, spending, call).await) });
        }
        let mut heard: Vec<Option<Asked>> = models.iter().map(|_| None).collect();
        let mut drafts = self.findings.drafts.clone();
        while let Some((expert, asked)) = running.next().await {
            drafts.extend(asked.result.as_ref().ok().cloned());
            heard[expert] = Some(asked);
            let silent = models.iter().zip(&heard).filter(|(_, asked)| asked.is_none());
            if self.is_settled(&drafts, silent.map(|(model, _)| model)) {
                break;
            }
        }
        // Who has answered by now is heard, and credited or debited by it: only the rest is cancelled.
        while let Some(Some((expert, asked))) = running.next().now_or_never() {
            heard[expert] = Some(asked);
        }
        drop(running);
        self.findings.upstream += since.elapsed();
        let mut answered = 0;
        for (model, asked) in models.iter().zip(heard) {
            match asked {
                Some(asked) => answered += usize::from(self.take(model, asked)),
                None => self.pass_over(model, NOT_NEEDED, since.elapsed()),
            }
        }
        answered
    }

    /// Whether those who are still silent can no longer change the answer.
    fn is_settled<'m>(
        &self,
        drafts: &[Draft],
        silent: impl Iterator<Item = &'m Arc<dyn LanguageModel>>,
    ) -> bool {
        let silent: Vec<Silent<'m>> = silent
            .map(|model| {
                // Experience can find any draft to be all but certain.
                let highest = match self.task.reading {
                    Some(_) => Signal::ONE,
                    None => highest_signal(prior(&**model, self.task)),
                };
                Silent { source: &model.profile().name, highest }
            })
            .collect();
        // What else competes outside of this tier is not known here; and `thorough` has promised as
        // many voices as it wants at least, so that a dissent among them is heard.
        let enough = drafts.len() >= THOROUGH_EXPERTS;
        self.task.alone && enough && is_settled(drafts, &silent, &self.task.rule)
    }

    /// Takes in what came of asking a model; whether it answered.
    pub(super) fn take(&mut self, model: &Arc<dyn LanguageModel>, asked: Asked) -> bool {
        let name = &model.profile().name;
        self.asked.insert(Arc::clone(name));
        self.findings.experts.push(asked.report);
        match asked.result {
            Ok(draft) => {
                self.findings.pay(&draft.usage);
                self.findings.drafts.push(draft);
                true
            }
            Err(error) => {
                self.findings.failures.push((name.to_string(), error));
                false
            }
        }
    }

    fn falls_short(&mut self, what: &str) {
        self.findings.shortfall.get_or_insert_with(|| what.to_owned());
    }
}
