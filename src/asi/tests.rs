//! The modes over scripted models, on paused time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::*;
use crate::{
    documents::DocumentsOptions,
    domain::{
        Budget, Call, Completion, Consensus, FinishReason, Listener, ModelFuture, ModelProfile,
        OnlyEqual, ResponseId, Signal, Standing, Standings, TenantId,
    },
};

/// Answers in turn as scripted, and then as at last; without a script it hangs.
struct Scripted {
    profile: ModelProfile,
    script: Vec<Result<&'static str, ModelError>>,
    prompts: Mutex<Vec<Prompt>>,
}

fn model(name: &str, prior: f64, script: &[Result<&'static str, ModelError>]) -> Arc<Scripted> {
    Arc::new(Scripted {
        profile: ModelProfile {
            name: name.into(),
            provider: "test".into(),
            prior: Signal::clamped(prior),
            weight: 1.0,
            price_per_million: Some((1e6, 0.0)),
            max_answer_tokens: None,
            passthrough: false,
        },
        script: script.to_vec(),
        prompts: Mutex::default(),
    })
}

impl Scripted {
    fn asked(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LanguageModel for Scripted {
    fn profile(&self) -> &ModelProfile {
        &self.profile
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt, _: Call<'a>) -> ModelFuture<'a> {
        Box::pin(async move {
            let turn = self.asked().len();
            self.prompts.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
            let Some(said) = self.script.get(turn).or(self.script.last()) else {
                return std::future::pending().await;
            };
            said.clone().map(|content| Completion {
                content: content.to_owned(),
                model: "m".to_owned(),
                finish: FinishReason::Stop,
                usage: Usage::default(),
                upstream: Duration::ZERO,
                tool_calls: Vec::new(),
                request_id: None,
            })
        })
    }
}

const EGGS: &str = "Ann has 12 eggs and eats 4. How many eggs are left?";
const RIGHT: &str = "She has 12 - 4 = 8 eggs left.\n#### 8";
const WRONG: &str = "She has 12 - 4 = 9 eggs left.\n#### 9";

async fn answer(
    models: &[&Arc<Scripted>],
    max_experts: usize,
    mode: AsiMode,
    max_cost_usd: Option<f64>,
) -> Findings {
    let models = models.iter().map(|m| Arc::clone(*m) as Arc<dyn LanguageModel>).collect();
    answer_with(models, max_experts, mode, max_cost_usd, &Standings::default(), None).await
}

async fn answer_with(
    models: Vec<Arc<dyn LanguageModel>>,
    max_experts: usize,
    mode: AsiMode,
    max_cost_usd: Option<f64>,
    experts: &Standings,
    live: Option<&Live>,
) -> Findings {
    let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
    let (documents, _) = Documents::open(&[], &options).unwrap();
    let asi = Asi::new(models, Arc::new(documents), max_experts);
    let deadline = Duration::from_secs(5);
    let request = Request {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        session: None,
        input: EGGS.to_owned(),
        context: Vec::new(),
        strategy: None,
        mode: None,
        consensus: None,
        budget: Budget { deadline, max_cost_usd },
        dialogue: None,
        expert: None,
        no_store: false,
        fresh: false,
    };
    let task = Task {
        request: &request,
        question: &Question::of(&request.input),
        prompt: Prompt { input: EGGS.to_owned(), ..Prompt::default() },
        mode,
        rule: Rule {
            consensus: Consensus::WeightedConfidence,
            custom_weights: &BTreeMap::new(),
            sacred_weight: 1.5,
            likeness: &OnlyEqual,
        },
        experts,
        second_opinion: 0.7,
        deadline: Instant::now() + deadline,
        trace: &Trace::default(),
        alone: true,
        live,
        reading: None,
    };
    asi.answer(&task).await
}

#[tokio::test(start_paused = true)]
async fn fast_asks_the_best_and_the_next_only_when_that_one_fails() {
    let (best, next) = (model("a", 0.9, &[Ok(RIGHT)]), model("b", 0.8, &[Ok(RIGHT)]));
    answer(&[&next, &best], 5, AsiMode::Fast, None).await;
    assert_eq!((best.asked().len(), next.asked().len()), (1, 0));
    let best = model("a", 0.9, &[Err(ModelError::Cut)]);
    let findings = answer(&[&next, &best], 5, AsiMode::Fast, None).await;
    assert_eq!((findings.drafts.len(), findings.failures.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn balanced_wants_a_second_opinion_only_of_a_doubtful_answer() {
    let (sure, next) = (model("a", 0.9, &[Ok(RIGHT)]), model("b", 0.8, &[Ok(RIGHT)]));
    let findings = answer(&[&sure, &next], 5, AsiMode::Balanced, None).await;
    assert_eq!((next.asked().len(), findings.extra_rounds), (0, 0));
    let doubtful = model("a", 0.9, &[Ok(WRONG)]);
    let findings = answer(&[&doubtful, &next], 5, AsiMode::Balanced, None).await;
    assert_eq!((next.asked().len(), findings.extra_rounds), (1, 1));
    let findings = answer(&[&doubtful], 5, AsiMode::Balanced, None).await;
    assert!(findings.shortfall.unwrap().contains("second opinion"));
}

#[tokio::test(start_paused = true)]
async fn the_bound_on_experts_holds_in_every_mode_and_is_said() {
    for mode in [AsiMode::Balanced, AsiMode::Thorough, AsiMode::Reasoning] {
        let models = ["a", "b", "c"].map(|name| model(name, 0.8, &[Ok(RIGHT)]));
        let findings = answer(&models.each_ref(), 1, mode, None).await;
        assert_eq!(findings.experts.len(), 1, "{mode}");
        assert_eq!(findings.shortfall.is_some(), mode != AsiMode::Balanced, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_model_costs_the_deadline_and_not_the_others_answers() {
    let (hangs, answers) = (model("a", 0.9, &[]), model("b", 0.8, &[Ok(RIGHT)]));
    let since = Instant::now();
    let findings = answer(&[&hangs, &answers], 5, AsiMode::Thorough, None).await;
    assert_eq!(since.elapsed(), Duration::from_secs(5));
    assert_eq!(findings.drafts.len(), 1);
    assert_eq!(findings.failures, [("a".to_owned(), ModelError::Timeout)]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_replaces_the_answer_that_failed_and_is_asked_for_once() {
    let author = model("a", 0.9, &[Ok(WRONG), Ok(WRONG), Ok(RIGHT)]);
    let findings = answer(&[&author], 5, AsiMode::Reasoning, None).await;
    assert_eq!((author.asked().len(), findings.drafts.len(), findings.extra_rounds), (2, 1, 1));
    let revision = author.asked().remove(1).revision.unwrap();
    assert_eq!(revision.previous, WRONG);
    assert!(revision.objections.iter().any(|o| o.starts_with("arithmetic")), "{revision:?}");
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_worse_does_not_replace_the_answer() {
    let author = model("a", 0.9, &[Ok(WRONG), Ok("I do not know.")]);
    let findings = answer(&[&author], 5, AsiMode::Reasoning, None).await;
    assert_eq!((author.asked().len(), findings.extra_rounds), (2, 1));
    let contents: Vec<_> = findings.drafts.iter().map(|draft| draft.content.as_str()).collect();
    assert_eq!(contents, [WRONG]);
}

#[tokio::test(start_paused = true)]
async fn the_best_by_its_record_is_asked_before_the_best_by_its_prior() {
    let (praised, proved) = (model("a", 0.9, &[Ok(RIGHT)]), model("b", 0.6, &[Ok(RIGHT)]));
    let standing = |accuracy| Standing { accuracy, weight: 1.0, outcomes: 0.0, right: 0.0 };
    let experts =
        Standings::from([("a".to_owned(), standing(0.4)), ("b".to_owned(), standing(0.8))]);
    let models: Vec<Arc<dyn LanguageModel>> = vec![praised.clone(), proved.clone()];
    answer_with(models, 5, AsiMode::Fast, None, &experts, None).await;
    assert_eq!((praised.asked().len(), proved.asked().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_comes_up_later_is_asked_from_then_on() {
    let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
    let (documents, _) = Documents::open(&[], &options).unwrap();
    let asi = Asi::new(Vec::new(), Arc::new(documents), 5);
    asi.join(&[], &["ollama".to_owned()]);
    assert_eq!((asi.has_models(), asi.awaited()), (false, vec!["ollama".to_owned()]));
    let (late, again) = (model("late", 0.7, &[]), model("late", 0.9, &[]));
    asi.join(&[late], &[]);
    asi.join(&[again], &[]);
    let priors: Vec<_> = asi.profiles().iter().map(|profile| profile.prior.get()).collect();
    assert_eq!((priors, asi.awaited().len()), (vec![0.7], 0), "a name that is taken stays so");
}

#[tokio::test(start_paused = true)]
async fn that_others_disagree_is_no_reason_for_a_revision() {
    let eight = "12 eggs - 4 eggs: 12 - 4 = 8\n#### 8";
    let sixteen = "12 eggs + 4 eggs: 12 + 4 = 16\n#### 16";
    let forty_eight = "12 eggs * 4 eggs: 12 * 4 = 48\n#### 48";
    let models = [("a", eight), ("b", sixteen), ("c", forty_eight)]
        .map(|(name, said)| model(name, 0.8, &[Ok(said)]));
    let findings = answer(&models.each_ref(), 5, AsiMode::Reasoning, None).await;
    assert_eq!((findings.drafts.len(), findings.extra_rounds), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn experts_that_are_asked_at_once_share_one_budget() {
    // A dollar a token: the question alone costs a quarter of its characters.
    #[expect(clippy::cast_precision_loss, reason = "a short text")]
    let one_prompt = EGGS.len() as f64 / 4.0;
    // The first two disagree, so that the third is wanted.
    let models = [("a", RIGHT), ("b", WRONG), ("c", RIGHT)]
        .map(|(name, said)| model(name, 0.8, &[Ok(said)]));
    let findings = answer(&models.each_ref(), 5, AsiMode::Thorough, Some(one_prompt * 2.5)).await;
    assert_eq!(findings.drafts.len(), 2);
    assert_eq!(findings.failures, [("c".to_owned(), ModelError::OverBudget)]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_answer_counts_towards_the_budget() {
    let mut bounded = model("a", 0.9, &[Ok(RIGHT)]);
    let profile = &mut Arc::get_mut(&mut bounded).unwrap().profile;
    (profile.price_per_million, profile.max_answer_tokens) = (Some((0.0, 2e6)), Some(50));
    for (budget, answers) in [(99.0, 0), (100.0, 1)] {
        let findings = answer(&[&bounded], 5, AsiMode::Fast, Some(budget)).await;
        assert_eq!(findings.drafts.len(), answers, "{budget}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_can_no_longer_change_the_answer_is_not_waited_for() {
    let agreeing: Vec<_> = ["a", "b", "c", "d"].map(|n| model(n, 0.9, &[Ok(RIGHT)])).into();
    let silent = model("e", 0.5, &[]);
    let mut models: Vec<_> = agreeing.iter().collect();
    models.push(&silent);
    let since = Instant::now();
    let findings = answer(&models, 5, AsiMode::Thorough, None).await;
    assert_eq!(since.elapsed(), Duration::ZERO, "it waited for the silent one");
    assert!(findings.drafts.len() >= 3 && findings.failures.is_empty());
    let report = findings.experts.iter().find(|e| e.name == "e").unwrap();
    assert_eq!(report.error, Some("not_needed"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_expert_is_not_waited_for_beyond_half_of_the_time() {
    let (silent, next) = (model("a", 0.9, &[]), model("b", 0.8, &[Ok(RIGHT)]));
    let since = Instant::now();
    let findings = answer(&[&silent, &next], 5, AsiMode::Fast, None).await;
    assert_eq!(since.elapsed(), Duration::from_millis(2500));
    assert_eq!(findings.drafts.len(), 1);
    assert_eq!(findings.experts.iter().filter_map(|e| e.error).collect::<Vec<_>>(), ["overtaken"]);
}

#[tokio::test(start_paused = true)]
async fn two_silent_experts_end_at_the_deadline() {
    let (one, two) = (model("a", 0.9, &[]), model("b", 0.8, &[]));
    let since = Instant::now();
    let findings = answer(&[&one, &two], 5, AsiMode::Fast, None).await;
    assert_eq!(since.elapsed(), Duration::from_secs(5));
    assert_eq!(findings.failures.len(), 2);
}

/// Says a few words, and then nothing more, or the rest after this pause.
struct Speaker {
    profile: ModelProfile,
    pause: Duration,
    rest: Option<&'static str>,
}

impl LanguageModel for Speaker {
    fn profile(&self) -> &ModelProfile {
        &self.profile
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt, call: Call<'a>) -> ModelFuture<'a> {
        Box::pin(async move {
            let say = |text: &str| {
                call.beat();
                call.deltas.into_iter().for_each(|sink| sink.delta(text));
            };
            say("She has ");
            for _ in 0..3 {
                tokio::time::sleep(self.pause).await;
                call.beat();
            }
            let Some(rest) = self.rest else { return std::future::pending().await };
            say(rest);
            let completion = model("x", 0.5, &[Ok(RIGHT)]).complete(prompt, call).await?;
            Ok(Completion { content: format!("She has {rest}"), ..completion })
        })
    }
}

struct Ear;

impl Listener for Ear {
    fn decided(&self, _: &crate::domain::Decision, _: &crate::domain::Complexity) {}
    fn visited(&self, _: &crate::domain::TraceEntry) {}
    fn delta(&self, _: &str) {}
    fn retract(&self) {}
    fn can_retract(&self) -> bool {
        true
    }
}

/// Asks a speaker, and beside him one who answers at once; returns whose answer it was, and when.
async fn beside(pause: Duration, rest: Option<&'static str>) -> (Vec<String>, Duration) {
    let profile = model("a", 0.9, &[]).profile.clone();
    let speaker: Arc<dyn LanguageModel> = Arc::new(Speaker { profile, pause, rest });
    let models = vec![speaker, model("b", 0.8, &[Ok(RIGHT)]) as Arc<dyn LanguageModel>];
    let live = Live::new(Arc::new(Ear));
    let since = Instant::now();
    let findings =
        answer_with(models, 5, AsiMode::Fast, None, &Standings::default(), Some(&live)).await;
    let who = findings.drafts.iter().map(|draft| draft.source.name.to_string()).collect();
    (who, since.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_speaker_who_falls_silent_costs_a_lull_and_not_half_of_the_time() {
    let (who, took) = beside(Duration::from_millis(100), None).await;
    assert_eq!(who, ["b"]);
    // Three beats, then the longest lull of a second.
    assert_eq!(took, Duration::from_millis(1300));
}

#[tokio::test(start_paused = true)]
async fn a_speaker_whose_bytes_keep_coming_is_heard_out() {
    let (who, took) = beside(Duration::from_millis(700), Some("8 eggs left.")).await;
    assert_eq!((who, took), (vec!["a".to_owned()], Duration::from_millis(2100)));
}
