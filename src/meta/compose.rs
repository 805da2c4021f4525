//! From what was gathered to how the request ends. Pure but for the trace.

use tokio::time::Instant;

use super::{
    FailedExpert, ProcessError,
    gather::{Gathered, answers, rule},
};
use crate::{
    answers::Wording,
    domain::{
        Complexity, Decision, Draft, Elp, ModelError, OrchestratorKind, Policy, Position, Reply,
        Request, Route, Signal, SourceKind, Stage, Strategy, Tier, Trace, Usage, Verdict,
    },
    flux::refusal,
    fusion::{Fused, fuse},
    text,
};

/// How a request ends, unless with an error.
pub(super) enum Ending {
    /// With an answer.
    Answer {
        /// The answer, fused or single.
        fused: Box<Fused>,
        /// Whether Flux stood in for a failed ASI.
        recovered: bool,
    },
    /// With nobody knowing.
    Abstention {
        /// What to tell the caller.
        message: String,
    },
}

/// Decides how it ends: which drafts compete, who wins, or whether nobody knows.
pub(super) fn end(
    request: &Request,
    policy: &Policy,
    decision: &Decision,
    gathered: &Gathered,
    trace: &Trace,
    has_providers: bool,
    deadline: Instant,
) -> Result<Ending, ProcessError> {
    let ranked = Instant::now();
    let Competition { drafts, recovered } = competition(policy, decision, gathered);
    trace.visit(Stage::Ranked, ranked, format!("{} drafts compete", drafts.len()));
    let at_fusion = Instant::now();
    let consensus = request.consensus.unwrap_or(policy.consensus);
    let wording = Wording::of_answers_to(&request.input);
    let Some(fused) = fuse(drafts, &rule(policy, consensus, &wording)) else {
        if let Some(words) = plea(gathered) {
            return Ok(Ending::Abstention { message: words.to_owned() });
        }
        return match failure(request, gathered, deadline) {
            Some(error) => Err(error),
            None => Ok(Ending::Abstention {
                message: abstention(request, decision, policy, has_providers, gathered.withheld),
            }),
        };
    };
    let note = if fused.draft.stage == Position::FUSION {
        format!("{}: agreement {:.2}", consensus, fused.agreement)
    } else {
        "one source only, nothing to weigh".to_owned()
    };
    trace.visit(Stage::FusionCheckpoint, at_fusion, note);
    Ok(Ending::Answer { fused: Box::new(fused), recovered })
}

/// The drafts that compete for the answer.
struct Competition {
    drafts: Vec<Draft>,
    recovered: bool,
}

fn competition(policy: &Policy, decision: &Decision, gathered: &Gathered) -> Competition {
    let asi: Vec<&Draft> = gathered.asi_answers().collect();
    let flux = || gathered.flux_drafts.iter().filter(|d| answers(d));
    let asi_failed = gathered.asi.is_some() && asi.is_empty();
    let reaches = |floor: f64| gathered.best_flux().filter(|d| d.signal.get() >= floor);
    // What stands in for a failed ASI must still be more likely right than wrong.
    let stand_in = || reaches(policy.thresholds.abstain_floor);
    let drafts: Vec<Draft> = match (gathered.route, decision.follows) {
        (Some(Route::Both), _) if asi_failed && stand_in().is_some() => flux().cloned().collect(),
        _ if asi_failed => stand_in().cloned().into_iter().collect(),
        // ParallelFusion weighs every voice.
        (Some(Route::Both), _) => together(flux(), &asi),
        // RuntimeFirst asks ASI because Flux abstained: what Flux abstained from does not count.
        (Some(Route::FluxThenAsi), Strategy::RuntimeFirst) => asi.into_iter().cloned().collect(),
        // Where a promise sets the cut-off, what lies below it cannot win against ASI: the promise
        // counts what is kept, and nothing else may lose.
        (Some(Route::FluxThenAsi), _) if decision.promised => asi.into_iter().cloned().collect(),
        // A draft that was not sure enough alone is evidence beside ASI's.
        (Some(Route::FluxThenAsi), _) => together(flux(), &asi),
        (Some(Route::Asi), _) => asi.into_iter().cloned().collect(),
        _ => gathered.kept(decision).cloned().into_iter().collect(),
    };
    let recovered = asi_failed && !drafts.is_empty() && failed_models(gathered);
    Competition { drafts, recovered }
}

/// Both tiers' drafts side by side.
fn together<'a>(flux: impl Iterator<Item = &'a Draft>, asi: &[&'a Draft]) -> Vec<Draft> {
    flux.chain(asi.iter().copied()).cloned().collect()
}

/// The words in which an expert of ASI said that it has no answer, the surest expert's first.
fn plea(gathered: &Gathered) -> Option<&str> {
    let drafts = gathered.asi.iter().flat_map(|f| &f.drafts).filter(|d| !answers(d));
    let surest = drafts.max_by(|a, b| a.signal.get().total_cmp(&b.signal.get()))?;
    Some(surest.content.trim()).filter(|words| !words.is_empty())
}

/// Whether any model of ASI failed, as opposed to the tier having nothing to say.
fn failed_models(gathered: &Gathered) -> bool {
    gathered.asi.as_ref().is_some_and(|f| !f.failures.is_empty())
}

fn failure(request: &Request, gathered: &Gathered, deadline: Instant) -> Option<ProcessError> {
    let findings = gathered.asi.as_ref().filter(|f| !f.failures.is_empty())?;
    // A provider can be too slow for its own limits long before the request's deadline.
    let late = Instant::now() >= deadline;
    if late && findings.failures.iter().all(|(_, e)| *e == ModelError::Timeout) {
        return Some(ProcessError::DeadlineExceeded { deadline: request.budget.deadline });
    }
    let waits = findings.failures.iter().filter_map(|(_, error)| error.retry_after());
    Some(ProcessError::AsiFailed {
        failures: findings.failures.iter().map(|(name, e)| failed(name, e)).collect(),
        retry_after: waits.min(),
    })
}

fn failed(name: &str, error: &ModelError) -> FailedExpert {
    FailedExpert { name: name.to_owned(), code: error.code(), cause: error.cause() }
}

/// Who is greeted or asked what it is, and has nobody to ask, says so of itself.
const ABOUT: &str = "I am Meta Orchestrator, a service that gives each request to the cheapest \
     mind that is likely to be right. No language model is configured, so I cannot converse. I can \
     calculate, convert units, count days, sort and count words, and answer from documents; ask \
     me about the service itself, for example \"what does the hybrid strategy do?\".";

/// Where only a solver would have known an answer, and nobody is there who could follow what the
/// conversation asks for.
const WITHHELD: &str = "I don't know. A solver could answer this by itself, but it cannot know what was \
     said earlier in this conversation, which may change the answer, and no language model is \
     configured that could. Ask without the conversation for the plain result.";

/// Whether nothing but a greeting or a question for who is spoken to.
fn asks_who_we_are(input: &str) -> bool {
    const WORDS: &[&str] = &[
        "hello",
        "hi",
        "hey",
        "hello there",
        "hi there",
        "who are you",
        "what are you",
        "what can you do",
        "what do you do",
        "what can i ask you",
        "help",
    ];
    // Most texts are longer, and are not folded for this.
    input.len() < 40
        && WORDS.contains(&text::fold(input).trim_matches(|c: char| !c.is_alphanumeric()))
}

fn abstention(
    request: &Request,
    decision: &Decision,
    policy: &Policy,
    has_providers: bool,
    withheld: bool,
) -> String {
    if withheld && !has_providers {
        return WITHHELD.to_owned();
    }
    if request.stands_alone() {
        if let Some(reason) = refusal(&request.input) {
            return format!("There is no answer: {reason}");
        }
        if !has_providers && asks_who_we_are(&request.input) {
            return ABOUT.to_owned();
        }
    }
    if !decision.may_escalate {
        return format!(
            "I don't know. No draft of Flux reached the signal of {:.2} that an answer needs, and \
             runtime_first.fallback is off, so ASI was not asked.",
            policy.thresholds.abstain_floor
        );
    }
    if has_providers {
        return "I don't know. None of the experts that were asked gave an answer.".to_owned();
    }
    "I don't know. No solver, remembered answer or document covers this question, and no language \
     model is configured. Set OPENAI_API_KEY, or OLLAMA_HOST for a local model, in the environment \
     and restart; or add a [[providers]] entry to the configuration (see README, Providers)."
        .to_owned()
}

/// What position 9 found of the answer, for the trace.
pub(super) fn verification_note(ending: &Ending) -> String {
    let Ending::Answer { fused, .. } = ending else {
        return "nothing to verify".to_owned();
    };
    let draft = &fused.draft;
    let at_nine = || draft.checks.iter().filter(|c| c.position == Position::VERIFIED);
    let passed = at_nine().filter(|c| c.verdict == Verdict::Passed).count();
    let failed: Vec<&str> =
        at_nine().filter(|c| c.verdict == Verdict::Failed).map(|c| c.name).collect();
    if failed.is_empty() {
        format!("{passed} checks passed")
    } else {
        format!("{passed} checks passed, failed: {}", failed.join(", "))
    }
}

/// Whether it is an answer, and one that was not cut by a length limit.
pub(super) fn is_whole(ending: &Ending) -> bool {
    matches!(ending, Ending::Answer { fused, .. } if fused.draft.complete)
}

/// The gate at position 9: only a whole, verified answer of sufficient signal is remembered. What
/// came out of a solver or the lake itself would gain nothing by it.
pub(super) fn may_enter_lake(ending: &Ending, policy: &Policy) -> bool {
    let Ending::Answer { fused, recovered } = ending else { return false };
    let draft = &fused.draft;
    !recovered
        && draft.complete
        && draft.signal.get() >= policy.thresholds.lake_floor
        && draft.passed(Position::VERIFIED)
        && !draft.failed_a_check()
        && draft.tool_calls.is_empty()
        && draft.recalled_from.is_none()
        && !matches!(draft.source.kind, SourceKind::Solver | SourceKind::Lake)
}

/// The reply, but for its trace and times.
pub(super) fn reply(
    request: &Request,
    policy: &Policy,
    decision: &Decision,
    complexity: &Complexity,
    gathered: &Gathered,
    ending: &Ending,
) -> Reply {
    let composed = Instant::now();
    let findings = gathered.asi.as_ref();
    let mut usage = findings.map(|f| f.usage).unwrap_or_default();
    // A drafter without a price is most likely a local one: beside a known cost it counts as nothing.
    let free = usage.cost_usd.map(|_| 0.0);
    for drafted in gathered.flux_drafts.iter().map(|draft| draft.usage) {
        usage.add(&Usage { cost_usd: drafted.cost_usd.or(free), ..drafted });
    }
    if gathered.called_nobody() {
        usage.cost_usd = Some(0.0);
    }
    let extra_rounds = findings.map_or(0, |f| f.extra_rounds) + u32::from(gathered.stand_in);
    let answer = match ending {
        Ending::Answer { fused, .. } => Shown::answer(fused),
        Ending::Abstention { message } => Shown::abstention(message, gathered),
    };
    let mut decision = decision.clone();
    decision.reason = super::explain::reason(&decision, gathered);
    decision.route = gathered.route.unwrap_or(decision.route);
    let explanation =
        super::explain::explanation(&decision.reason, policy, complexity, gathered, ending, &usage);
    Reply {
        id: request.id,
        content: answer.content,
        confidence: answer.confidence,
        position: answer.position,
        elp: answer.elp,
        kind: answer.kind,
        weights: answer.weights,
        sacred_boost: matches!(ending, Ending::Answer { fused, .. } if fused.sacred_boost),
        abstained: matches!(ending, Ending::Abstention { .. }),
        recovered: matches!(ending, Ending::Answer { recovered: true, .. }),
        duration: composed.elapsed(),
        overhead: composed.elapsed(),
        mode: findings.map(|_| decision.mode),
        decision,
        shortfall: findings.and_then(|f| f.shortfall.clone()),
        vortex_cycles: 1 + extra_rounds,
        recalled_from: answer.draft.and_then(|d| d.recalled_from),
        recalled_likeness: answer.draft.and_then(|d| d.recalled_likeness),
        remembered: false,
        complexity: complexity.clone(),
        trace: Vec::new(),
        experts: gathered.experts(),
        consensus: match ending {
            Ending::Answer { fused, .. } if fused.draft.stage == Position::FUSION => {
                Some(fused.report.clone())
            }
            _ => None,
        },
        citations: answer.draft.map(|d| d.citations.clone()).unwrap_or_default(),
        steps: answer.draft.map(|d| d.steps.clone()).unwrap_or_default(),
        usage,
        tool_calls: answer.draft.map(|d| d.tool_calls.clone()).unwrap_or_default(),
        model: answer.draft.and_then(|d| model_behind(d, gathered)),
        complete: answer.draft.is_none_or(|d| d.complete),
        explanation,
    }
}

/// The model that worded this draft alone, as its provider names it.
fn model_behind(draft: &Draft, gathered: &Gathered) -> Option<String> {
    let experts = gathered.asi.iter().flat_map(|findings| &findings.experts);
    let mut authors = experts.filter(|expert| {
        draft.source.kind == SourceKind::Model
            && expert.name == *draft.source.name
            && expert.signal.is_some()
    });
    authors.next()?.model.clone()
}

/// What a reply shows of its ending.
struct Shown<'a> {
    draft: Option<&'a Draft>,
    content: String,
    confidence: Signal,
    position: Position,
    elp: Elp,
    kind: OrchestratorKind,
    weights: [(Tier, f64); 2],
}

impl<'a> Shown<'a> {
    fn answer(fused: &'a Fused) -> Self {
        let draft = &fused.draft;
        let weight = |tier| fused.weights.iter().find(|(t, _)| *t == tier).map_or(0.0, |(_, w)| *w);
        let kind = match (weight(Tier::Flux) > 0.0, weight(Tier::Asi) > 0.0) {
            (true, true) => OrchestratorKind::Fused,
            (true, false) => OrchestratorKind::Flux,
            _ => OrchestratorKind::Asi,
        };
        // A fused answer sits at 6, whatever its parts had passed.
        let position =
            if draft.stage == Position::FUSION { Position::FUSION } else { draft.position() };
        Self {
            draft: Some(draft),
            content: draft.content.clone(),
            confidence: draft.signal,
            position,
            elp: draft.elp,
            kind,
            weights: fused.weights,
        }
    }

    /// An abstention is sure of nothing; it sits at the last stage that was tried.
    fn abstention(message: &str, gathered: &Gathered) -> Self {
        let position = if gathered.asi.is_some() { Position::EXPANDED } else { Position::DRAFTED };
        Self {
            draft: None,
            content: message.to_owned(),
            confidence: Signal::ZERO,
            position,
            elp: crate::text::elp(message),
            kind: OrchestratorKind::None,
            weights: [(Tier::Flux, 0.0), (Tier::Asi, 0.0)],
        }
    }
}

#[cfg(test)]
mod tests;
