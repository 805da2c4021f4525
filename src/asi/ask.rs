//! One question to one model: within the deadline, within the budget, checked on return.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Task;
use crate::{
    domain::{
        Call, Draft, ExpertReport, FinishReason, LanguageModel, ModelError, Prompt, Signal, Source,
        SourceKind, Standings, Tier,
    },
    vcp,
};

/// A model's draft or why there is none, with the report on it.
pub(super) struct Asked {
    pub(super) report: ExpertReport,
    pub(super) result: Result<Draft, ModelError>,
}

/// Asks, and checks what comes back at positions 3 and 9. `spending_usd` is what the request may
/// have cost with this call.
pub(super) async fn ask(
    model: &dyn LanguageModel,
    prompt: &Prompt,
    task: &Task<'_>,
    spending_usd: f64,
    call: Call<'_>,
) -> Asked {
    let since = Instant::now();
    let completion = if affordable(model, task, spending_usd) {
        timeout_at(call.deadline, model.complete(prompt, call))
            .await
            .unwrap_or(Err(ModelError::Timeout))
    } else {
        Err(ModelError::OverBudget)
    };
    let latency = since.elapsed();
    let mut report = ExpertReport::asked(model, latency);
    let result = completion.and_then(|completion| {
        report.model = Some(completion.model.clone());
        report.request_id.clone_from(&completion.request_id);
        let nothing = completion.content.trim().is_empty() && completion.tool_calls.is_empty();
        if completion.finish == FinishReason::Filtered || nothing {
            return Err(ModelError::Empty);
        }
        Ok(draft(model, completion, task, latency))
    });
    match &result {
        Ok(draft) => {
            report.signal = Some(draft.signal);
            report.position = Some(draft.position());
            report.checks.clone_from(&draft.checks);
        }
        Err(error) => report.error = Some(error.code()),
    }
    Asked { report, result }
}

fn draft(
    model: &dyn LanguageModel,
    completion: crate::domain::Completion,
    task: &Task<'_>,
    latency: Duration,
) -> Draft {
    let profile = model.profile();
    let content = completion.content.trim().to_owned();
    let answer = task.question.answer_in(&content);
    let source = Source::new(Tier::Asi, SourceKind::Model, &profile.name);
    let prior = prior(model, task);
    let mut draft = Draft::new(source, content, answer, prior);
    draft.usage = completion.usage;
    draft.latency = latency;
    draft.complete = completion.finish != FinishReason::Length;
    draft.elp = crate::text::elp(&draft.content);
    if !completion.tool_calls.is_empty() {
        // A call of a tool is for the caller to judge; there is no text to check.
        draft.tool_calls = completion.tool_calls;
        draft.answer = None;
        return draft;
    }
    draft.checks = vcp::check_context(&draft, task.request, &task.prompt.passages);
    draft.checks.extend(vcp::verify_answer(&draft, task.question));
    let judged = task.reading.and_then(|reading| reading.judge(&draft, prior));
    draft.escalation = judged.map(|judged| judged.escalation);
    draft.signal =
        judged.map_or_else(|| vcp::adjusted_signal(prior, &draft.checks), |judged| judged.signal);
    draft
}

/// What a model is worth on such questions: what it was worth in training, or else what its operator
/// says, moved by what it has proved here.
pub(super) fn prior(model: &dyn LanguageModel, task: &Task<'_>) -> Signal {
    let profile = model.profile();
    let past = task.reading.and_then(|reading| reading.history(&profile.name));
    let Some(past) = past else { return worth(model, task.experts) };
    task.experts.get(&*profile.name).map_or(past, |standing| standing.beside(past))
}

/// What a model has proved to be worth by these standings; else what its operator says.
pub(super) fn worth(model: &dyn LanguageModel, experts: &Standings) -> Signal {
    let profile = model.profile();
    let known = experts.get(&*profile.name);
    known.map_or(profile.prior, |standing| Signal::clamped(standing.accuracy))
}

/// Most that a call with this prompt may cost, in US dollars: the prompt, and the longest answer where
/// its length is bounded. 0 where no price is configured.
pub(super) fn highest_cost(model: &dyn LanguageModel, prompt: &Prompt) -> f64 {
    let profile = model.profile();
    let Some((per_million, per_million_answered)) = profile.price_per_million else { return 0.0 };
    let bounds = [profile.max_answer_tokens, prompt.sampling.max_tokens];
    let longest = f64::from(bounds.into_iter().flatten().min().unwrap_or(0));
    let characters = prompt.input.len()
        + prompt.instructions.as_ref().map_or(0, String::len)
        + prompt.turns.iter().map(|t| t.content.len()).sum::<usize>()
        + prompt.passages.iter().map(|p| p.text.len()).sum::<usize>();
    let passed_through = prompt.passthrough.as_deref().map_or(0, |passthrough| {
        let messages = passthrough.messages.as_ref().map_or(0, |m| m.to_string().len());
        let members = passthrough.members.iter().map(|(k, v)| k.len() + v.to_string().len());
        messages + members.sum::<usize>()
    });
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let tokens = (characters + passed_through) as f64 / 4.0;
    (tokens * per_million + longest * per_million_answered) / 1e6
}

/// Whether what would be spent with this call still fits the request's budget. A model without a
/// price is never held back: its cost is unknown, not zero.
fn affordable(model: &dyn LanguageModel, task: &Task<'_>, spending_usd: f64) -> bool {
    let priced = model.profile().price_per_million.is_some();
    task.request.budget.max_cost_usd.is_none_or(|budget| !priced || spending_usd <= budget)
}
