//! Running the route: who is asked, and what came back.

use std::time::Duration;

use tokio::time::Instant;

use super::{Auditor, admission::Admission};
use crate::{
    answers::{Question, Wording},
    asi::{Asi, Findings, Live, Task},
    domain::{
        Check, Decision, Draft, ExpertReport, ModelError, Policy, Prompt, Reading, Request, Route,
        SourceKind, Stage, Strategy, Tier, Trace, Verdict,
    },
    flux::Flux,
    fusion::Rule,
    vcp,
};

/// One request on its way.
pub(super) struct Journey<'a> {
    pub(super) flux: &'a Flux,
    pub(super) asi: &'a Asi,
    pub(super) request: &'a Request,
    pub(super) question: &'a Question<'a>,
    pub(super) policy: &'a Policy,
    pub(super) decision: &'a Decision,
    pub(super) prompt: Prompt,
    /// Whether the conversation before it leaves the question as it is (see [`crate::flux::asks_plainly`]): a
    /// solver follows no instructions of earlier turns.
    pub(super) plain: bool,
    pub(super) deadline: Instant,
    pub(super) trace: &'a Trace,
    /// Who hears the answer while it is being written.
    pub(super) live: Option<&'a Live>,
    /// The question as experience reads it, where there is any.
    pub(super) reading: Option<&'a dyn Reading>,
    /// Who picks drafts to be audited, and the dice that he picks by.
    pub(super) audits: Option<(&'a Auditor, f64)>,
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Flux's drafts, checked; empty when it was not asked or knew nothing.
    pub(super) flux_drafts: Vec<Draft>,
    /// Time that Flux took, when it was asked.
    pub(super) flux_latency: Option<Duration>,
    /// Why the drafter gave nothing, when it was asked and gave nothing.
    pub(super) drafter_error: Option<(String, ModelError)>,
    /// Time spent waiting for the drafter.
    pub(super) drafter_wait: Duration,
    /// Whether the lake knew; `None` when it was not asked.
    pub(super) lake_hit: Option<bool>,
    /// Whether a solver had an answer that does not know what was said before.
    pub(super) withheld: bool,
    /// What ASI came back with, when it was asked.
    pub(super) asi: Option<Findings>,
    /// Where the request really went.
    pub(super) route: Option<Route>,
    /// Whether Flux was asked only because ASI had failed.
    pub(super) stand_in: bool,
    /// A place among the audits, where Flux's surest draft was given one.
    pub(super) admission: Option<Admission>,
}

impl Gathered {
    /// The surest of Flux's drafts. Ties go to the earlier kind: solver, lake, drafter.
    pub(super) fn best_flux(&self) -> Option<&Draft> {
        self.flux_drafts.iter().max_by(|a, b| {
            let by_signal = a.signal.get().total_cmp(&b.signal.get());
            by_signal.then_with(|| b.source.kind.cmp(&a.source.kind))
        })
    }

    /// The surest of Flux's drafts, where it is kept without asking ASI.
    pub(super) fn kept(&self, decision: &Decision) -> Option<&Draft> {
        self.best_flux().filter(|draft| decision.keeps(draft))
    }

    /// What ASI drafted, without the words of experts who said that they have no answer.
    pub(super) fn asi_answers(&self) -> impl Iterator<Item = &Draft> {
        self.asi.iter().flat_map(|f| &f.drafts).filter(|d| answers(d))
    }

    pub(super) fn best_flux_signal(&self) -> Option<f64> {
        self.best_flux().map(|d| d.signal.get())
    }

    /// Whether a model has answered whose price, or whose tokens, nobody knows. A drafter without a
    /// price is most likely a local one, which costs nothing.
    pub(super) fn has_unknown_cost(&self) -> bool {
        self.asi.as_ref().is_some_and(|findings| {
            let by_model = |draft: &Draft| draft.source.kind == SourceKind::Model;
            let used = findings.usage.is_unpriced() || findings.drafts.iter().any(by_model);
            used && findings.usage.cost_usd.is_none()
        })
    }

    /// Whether no model was called, so that it surely cost nothing.
    pub(super) fn called_nobody(&self) -> bool {
        let by_model = |draft: &Draft| draft.source.kind == SourceKind::Model;
        let asked = |f: &Findings| !f.failures.is_empty() || f.drafts.iter().any(by_model);
        let drafted = |draft: &Draft| draft.source.kind == SourceKind::Drafter;
        !self.asi.as_ref().is_some_and(asked)
            && !self.flux_drafts.iter().any(drafted)
            && self.drafter_error.is_none()
    }

    /// Time spent waiting for models; where both tiers waited at once, the longer wait.
    pub(super) fn upstream(&self) -> Duration {
        let asi = self.asi.as_ref().map_or(Duration::ZERO, |f| f.upstream);
        if self.route == Some(Route::Both) {
            asi.max(self.drafter_wait)
        } else {
            asi + self.drafter_wait
        }
    }

    /// Everyone who was asked, Flux first.
    pub(super) fn experts(&self) -> Vec<ExpertReport> {
        let mut experts: Vec<ExpertReport> =
            self.flux_drafts.iter().map(ExpertReport::of).collect();
        experts.extend(self.drafter_error.as_ref().map(|(name, error)| ExpertReport {
            name: name.clone(),
            kind: SourceKind::Drafter,
            tier: Tier::Flux,
            model: None,
            signal: None,
            position: None,
            checks: Vec::new(),
            latency: self.drafter_wait,
            error: Some(error.code()),
            request_id: None,
        }));
        experts.extend(self.asi.iter().flat_map(|f| f.experts.iter().cloned()));
        experts
    }
}

impl Journey<'_> {
    /// Runs the decided route. Ends by the deadline.
    pub(super) async fn run(&self) -> Gathered {
        match self.decision.route {
            Route::Asi => self.asi_first().await,
            Route::Both => self.both().await,
            Route::Flux | Route::FluxThenAsi => self.flux_first().await,
        }
    }

    async fn flux_first(&self) -> Gathered {
        let mut gathered = Gathered { route: Some(Route::Flux), ..Gathered::default() };
        self.ask_flux(&mut gathered, self.decision.ask_drafter).await;
        let kept = gathered.kept(self.decision);
        if kept.is_none() && self.decision.may_escalate {
            gathered.route = Some(Route::FluxThenAsi);
            // RuntimeFirst does not weigh what Flux abstained from; elsewhere it is evidence.
            let alone = self.decision.follows == Strategy::RuntimeFirst
                || !gathered.flux_drafts.iter().any(answers);
            gathered.asi = Some(self.ask_asi(alone).await);
        }
        gathered
    }

    /// Flux stands in only when ASI came back without any answer.
    async fn asi_first(&self) -> Gathered {
        let findings = self.ask_asi(true).await;
        // Half an answer that the caller has heard cannot be replaced by another one; and who names
        // the model that is to answer wants nobody to stand in for it.
        let replaceable =
            self.request.expert.is_none() && !self.live.is_some_and(Live::is_committed);
        let failed = !findings.drafts.iter().any(answers) && replaceable;
        let mut gathered =
            Gathered { route: Some(Route::Asi), asi: Some(findings), ..Gathered::default() };
        if failed {
            gathered.stand_in = true;
            self.ask_flux(&mut gathered, true).await;
        }
        gathered
    }

    async fn both(&self) -> Gathered {
        let mut gathered = Gathered { route: Some(Route::Both), ..Gathered::default() };
        let ((), findings) = tokio::join!(self.ask_flux(&mut gathered, true), self.ask_asi(false));
        gathered.asi = Some(findings);
        gathered
    }

    /// A place among the audits for Flux's surest draft, be it kept or escalated. Where nobody may ask
    /// ASI, nor does an audit; and what has no form that could be compared is none.
    fn admitted(&self, draft: Option<&Draft>) -> Option<Admission> {
        let (auditor, dice) = self.audits?;
        let comparable = draft.is_some_and(|draft| draft.complete && draft.answer.is_some());
        let may = self.decision.may_escalate && self.request.passthrough().is_none();
        if comparable && may { auditor.admit(dice) } else { None }
    }

    /// `alone` says that nothing of Flux competes with what ASI says.
    async fn ask_asi(&self, alone: bool) -> Findings {
        let consensus = self.request.consensus.unwrap_or(self.policy.consensus);
        let wording = Wording::of_answers_to(&self.request.input);
        let task = Task {
            request: self.request,
            question: self.question,
            prompt: self.prompt.clone(),
            mode: self.decision.mode,
            rule: rule(self.policy, consensus, &wording),
            experts: &self.policy.experts,
            second_opinion: self.policy.thresholds.second_opinion,
            deadline: self.deadline,
            trace: self.trace,
            alone,
            live: self.live.filter(|_| alone),
            reading: self.reading,
        };
        self.asi.answer(&task).await
    }

    /// Position 4. The drafter is asked only while nothing surer is at hand, except in
    /// ParallelFusion, where every independent voice counts.
    async fn ask_flux(&self, gathered: &mut Gathered, with_drafter: bool) {
        let since = Instant::now();
        if self.request.is_open_to_all() {
            let immediate = self.flux.immediate(self.request).await;
            gathered.lake_hit = immediate.lake_hit;
            let mut drafts = immediate.drafts;
            let knows_all = |draft: &Draft| self.plain || draft.source.kind != SourceKind::Solver;
            gathered.withheld = !drafts.iter().all(knows_all);
            drafts.retain(|draft| knows_all(draft) && self.request.allows(&draft.content));
            gathered.flux_drafts = drafts.into_iter().map(|d| self.checked(d)).collect();
        }
        let sure = gathered.kept(self.decision).is_some();
        let wanted = !sure || self.decision.follows == Strategy::ParallelFusion;
        let can_draft = self.prompt.passthrough.is_none();
        if with_drafter && wanted && can_draft {
            let asked = Instant::now();
            match self.flux.draft(self.request, &self.prompt, self.deadline).await {
                Some(Ok(draft)) => gathered.flux_drafts.push(self.checked(draft)),
                Some(Err(error)) => {
                    let name = self.flux.drafter().unwrap_or_default().to_owned();
                    gathered.drafter_error = Some((name, error));
                }
                None => {}
            }
            gathered.drafter_wait = asked.elapsed();
        }
        gathered.flux_latency = Some(since.elapsed());
        gathered.admission = self.admitted(gathered.best_flux());
        let note = match gathered.best_flux() {
            Some(best) => {
                let how = match (best.recalled_from, best.recalled_likeness) {
                    (Some(origin), Some(likeness)) => {
                        format!(", by meaning ({likeness:.2}) from {origin}")
                    }
                    (Some(origin), None) => format!(", exactly, from {origin}"),
                    (None, _) => String::new(),
                };
                format!("{}{how}: signal {:.2}", best.source.name, best.signal.get())
            }
            None => "nothing known".to_owned(),
        };
        self.trace.visit(Stage::Drafted, since, note);
    }

    /// Positions 3 and 9 for one draft of Flux. A remembered answer keeps its signal, which was
    /// verified before it entered the lake.
    fn checked(&self, mut draft: Draft) -> Draft {
        draft.checks = vcp::check_context(&draft, self.request, &self.prompt.passages);
        draft.checks.extend(vcp::verify_answer(&draft, self.question));
        if draft.source.kind == SourceKind::Drafter {
            let past = self.reading.and_then(|reading| reading.history(&draft.source.name));
            let known = self.policy.accuracy(&draft.source.name, past.unwrap_or(draft.signal));
            let judged = self.reading.and_then(|reading| reading.judge(&draft, known));
            draft.escalation = judged.map(|judged| judged.escalation);
            draft.signal = judged
                .map_or_else(|| vcp::adjusted_signal(known, &draft.checks), |judged| judged.signal);
        }
        draft
    }
}

/// Whether a draft answers at all, as position 9 found: "I don't know" is a draft and no answer.
pub(super) fn answers(draft: &Draft) -> bool {
    let refuses = |c: &Check| c.name == vcp::names::ANSWERED && c.verdict == Verdict::Failed;
    !draft.checks.iter().any(refuses)
}

/// Fusion's rule under this policy.
pub(super) fn rule<'a>(
    policy: &'a Policy,
    consensus: crate::domain::Consensus,
    wording: &'a Wording<'a>,
) -> Rule<'a> {
    Rule {
        consensus,
        custom_weights: &policy.custom_weights,
        sacred_weight: policy.sacred_weight,
        likeness: wording,
    }
}
