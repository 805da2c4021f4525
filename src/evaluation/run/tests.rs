//! Replays against a scripted orchestrator that has the shape of the real one: a few lines that
//! draft with the fast model, ask the slow one where the draft looks short, and keep a ledger.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::*;
use crate::{
    domain::{
        AsiMode, Call, Complexity, ComplexityTier, Decision, DecisionRecord, Elp, Ended,
        ExpertReport, LedgerEvent, OrchestratorKind, Position, Prompt, Recorded, Reply, Request,
        Route, SourceKind, Tier, Usage,
    },
    evaluation::{stage::Subject, table::read},
    meta::ProcessError,
};

/// Three questions: the fast model is right on the first two, the slow one on the first and third.
/// A fourth has no answer of the slow model.
const TABLE: &str = r#####"{"prompt":"How many are 1+1?","gold":"2","answers":{"fast":"It is surely 2.","slow":"#### 2"}}
{"prompt":"How many are 2+2?","gold":"4","answers":{"fast":"As I see it: 4.","slow":"#### 5"}}
{"prompt":"How many are 3+3?","gold":"6","answers":{"fast":"7","slow":"So it is\n#### 6"}}
{"prompt":"How many are 4+4?","gold":"8","answers":{"fast":"8"}}"#####;

#[derive(Default)]
struct Scripted {
    policies: Mutex<Vec<Policy>>,
}

struct Script {
    fast: Arc<dyn LanguageModel>,
    slow: Vec<Arc<dyn LanguageModel>>,
    policy: Policy,
    ledger: Mutex<Vec<Recorded>>,
}

impl Studio for Scripted {
    type Subject = Script;

    async fn fresh(
        &self,
        fast: Arc<dyn LanguageModel>,
        slow: Vec<Arc<dyn LanguageModel>>,
        policy: Policy,
    ) -> Result<Script, EvaluationError> {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner).push(policy.clone());
        Ok(Script { fast, slow, policy, ledger: Mutex::default() })
    }
}

impl Subject for Script {
    async fn process(&self, request: Request) -> Result<Reply, ProcessError> {
        assert!(request.no_store, "no row may learn from another");
        let since = Instant::now();
        let deadline = since + request.budget.deadline;
        let prompt = Prompt { input: request.input.clone(), ..Prompt::default() };
        let draft = self.fast.complete(&prompt, Call::whole(deadline)).await.unwrap();
        let signal = if draft.content.len() > 3 { 0.9 } else { 0.2 };
        let keeps = signal >= self.policy.thresholds.keep_signal;
        let asks = match self.policy.strategy {
            Strategy::AiFirst | Strategy::ParallelFusion => true,
            Strategy::RuntimeFirst => false,
            Strategy::Hybrid | Strategy::Adaptive => !keeps,
        };
        let mut content = draft.content;
        if asks {
            content = self.slow[0].complete(&prompt, Call::whole(deadline)).await.unwrap().content;
        }
        // An orchestrator that abstains or fails where the test wants to see it.
        let adaptive = self.policy.strategy == Strategy::Adaptive;
        if adaptive && request.input.contains('3') {
            return Err(ProcessError::DeadlineExceeded { deadline: request.budget.deadline });
        }
        self.append(&request, 1.0 - signal);
        let mut reply = reply(&request, content, since.elapsed());
        reply.abstained = adaptive && request.input.contains('1');
        reply.confidence = Signal::clamped(signal);
        reply.experts = vec![ExpertReport {
            name: self.fast.profile().name.to_string(),
            kind: SourceKind::Drafter,
            tier: Tier::Flux,
            model: None,
            signal: Some(Signal::clamped(signal)),
            position: None,
            checks: Vec::new(),
            latency: since.elapsed(),
            error: None,
            request_id: None,
        }];
        Ok(reply)
    }

    async fn decisions(
        &self,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, EvaluationError> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ledger.iter().filter(|r| r.seq > after_seq).take(limit.min(2)).cloned().collect())
    }
}

impl Script {
    fn append(&self, request: &Request, escalation: f64) {
        let decision = DecisionRecord {
            id: request.id,
            tenant: request.tenant.clone(),
            at_ms: 0,
            policy_version: 1,
            strategy: self.policy.strategy,
            route: Route::Flux,
            mode: None,
            arm: None,
            probability: 1.0,
            complexity: 0.5,
            complexity_tier: ComplexityTier::Moderate,
            escalation,
            ended: Ended::Answered,
            tier: Some(Tier::Flux),
            source: Some(SourceKind::Drafter),
            confidence: 1.0 - escalation,
            recalled_from: None,
            recalled_likeness: None,
            duration_us: 1,
            flux: None,
            draft: None,
            asi: None,
            votes: Vec::new(),
            cost_usd: None,
            cost_unknown: false,
            error: None,
        };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = ledger.len() as u64 + 1;
        ledger.push(Recorded {
            seq,
            event: LedgerEvent::Decision(Arc::new(decision)),
            decision: None,
            previous_score: None,
            previous_probability: None,
        });
    }
}

fn reply(request: &Request, content: String, duration: Duration) -> Reply {
    Reply {
        id: request.id,
        content,
        confidence: Signal::ZERO,
        position: Position::DRAFTED,
        elp: Elp::default(),
        kind: OrchestratorKind::Flux,
        weights: [(Tier::Flux, 1.0), (Tier::Asi, 0.0)],
        sacred_boost: false,
        abstained: false,
        recovered: false,
        duration,
        overhead: Duration::ZERO,
        decision: Decision {
            strategy: Strategy::Hybrid,
            follows: Strategy::Hybrid,
            arm: None,
            route: Route::Flux,
            mode: AsiMode::Fast,
            ask_drafter: true,
            may_escalate: true,
            keep_signal: Some(0.5),
            promised: false,
            probability: 1.0,
            reason: String::new(),
            alternatives: Vec::new(),
        },
        mode: None,
        shortfall: None,
        vortex_cycles: 1,
        recalled_from: None,
        recalled_likeness: None,
        remembered: false,
        complexity: Complexity {
            score: 0.5,
            tier: ComplexityTier::Moderate,
            dimensions: Vec::new(),
            elp: Elp::default(),
            needs_asi: false,
            forecast: None,
        },
        trace: Vec::new(),
        experts: Vec::new(),
        consensus: None,
        citations: Vec::new(),
        steps: Vec::new(),
        usage: Usage::default(),
        tool_calls: Vec::new(),
        model: None,
        complete: true,
        explanation: crate::domain::Explanation::default(),
    }
}

fn options() -> Options {
    Options::new("folder/table.jsonl".into(), "fast".into(), vec!["slow".into()])
}

async fn report(options: &Options, studio: &Scripted) -> Report {
    let table = read(TABLE.as_bytes()).unwrap();
    let strategies = checked(options).unwrap();
    evaluate_table(options, &strategies, table, studio, &ProgressBar::hidden()).await.unwrap()
}

fn of(report: &Report, strategy: Strategy) -> &crate::evaluation::StrategyResult {
    report.strategies.iter().find(|s| s.strategy == strategy).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_table_is_replayed_under_every_strategy() {
    let report = report(&options(), &Scripted::default()).await;
    assert_eq!(
        (report.data.as_str(), report.rows, report.skipped.without_answer),
        ("table.jsonl", 3, 1)
    );

    let runtime = of(&report, Strategy::RuntimeFirst);
    assert_eq!(
        (runtime.right, runtime.slow_share, runtime.random_mix_accuracy),
        (2, 0.0, 2.0 / 3.0)
    );
    assert_eq!(runtime.p50_ms, 80.0 + 4.0 * 8.0, "a draft of 15 characters: 4 tokens");
    let ai = of(&report, Strategy::AiFirst);
    assert_eq!((ai.right, ai.slow_share, ai.slow_calls_per_row), (2, 1.0, 1.0));
    let hybrid = of(&report, Strategy::Hybrid);
    assert_eq!((hybrid.right, hybrid.slow_share), (3, 1.0 / 3.0), "only the short draft escalates");
    let adaptive = of(&report, Strategy::Adaptive);
    assert_eq!((adaptive.right, adaptive.abstained, adaptive.failed), (1, 1, 1));

    let names: Vec<_> = report.baselines.iter().map(|b| (b.name, b.slow_share)).collect();
    assert_eq!(names, [("fast only", 0.0), ("slow only", 1.0), ("oracle", 1.0 / 3.0)]);
    assert_eq!(report.random_mix.unwrap().strategy, Strategy::Hybrid);
    assert_eq!((report.signal.auroc, report.signal.n), (Some(1.0), 3));
    assert_eq!(report.routing.n, 3, "the ledger is read page by page");
    assert!(report.routing.undefined.unwrap().contains("no gap"));
    assert_eq!(report.routing.oracle_accuracy, Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn the_figures_that_need_a_policy_of_their_own_get_one_and_no_run_is_made_twice() {
    let studio = Scripted::default();
    report(&options(), &studio).await;
    let policies = studio.policies.into_inner().unwrap();
    assert_eq!(policies.len(), 7, "five strategies, always drafting, and the boost at 1.0");
    let drafting = &policies[5];
    assert_eq!(drafting.strategy, Strategy::Hybrid);
    assert_eq!(
        (drafting.thresholds.complex_complexity, drafting.thresholds.keep_signal),
        (1.0, 0.0)
    );
    assert_eq!((policies[6].strategy, policies[6].sacred_weight), (Strategy::ParallelFusion, 1.0));
    assert!(policies.iter().all(|policy| policy.problems().is_empty()));

    let studio = Scripted::default();
    let only_hybrid = Options { strategies: vec![Strategy::Hybrid; 2], ..options() };
    assert_eq!(report(&only_hybrid, &studio).await.strategies.len(), 1);
    let weights: Vec<f64> =
        studio.policies.into_inner().unwrap().iter().map(|p| p.sacred_weight).collect();
    assert_eq!(weights, [1.5, 1.5, 1.0, 1.5]);
}

#[tokio::test(start_paused = true)]
async fn the_object_has_the_promised_fields_and_the_text_says_that_latency_is_simulated() {
    let report = report(&options(), &Scripted::default()).await;
    let object = serde_json::to_value(&report).unwrap();
    let has = |part: &serde_json::Value, fields: &[&str]| {
        for field in fields {
            assert!(part.get(field).is_some(), "{field} is missing");
        }
    };
    has(&object, &["rows", "strategies", "routing", "signal", "fusion"]);
    let strategy = &object["strategies"][0];
    has(strategy, &["strategy", "accuracy", "accuracy_ci95", "slow_share", "p50_ms", "p99_ms"]);
    assert_eq!(
        (&strategy["strategy"], &object["latency"]["simulated"]),
        (&"ai_first".into(), &true.into())
    );
    assert_eq!(strategy["accuracy_ci95"].as_array().unwrap().len(), 2);
    has(
        &object["routing"],
        &["apgr", "cpt50", "cpt80", "fast_accuracy", "slow_accuracy", "oracle_accuracy"],
    );
    assert!(object["routing"]["apgr"].is_null(), "undefined is null, not 0");
    has(&object["signal"], &["ece", "auroc"]);
    has(&object["fusion"], &["accuracy_boost_1_0", "accuracy_boost_1_5"]);

    let text = report.to_string();
    for said in [
        "latency simulated: fast=80ms+8ms,slow=600ms+20ms",
        "fast only (fast)",
        "slow only (slow)",
        "random mix at hybrid's slow share",
        "oracle",
        "(1 skipped without an answer)",
        "1 abstained, 1 failed",
        "no gap to recover",
    ] {
        assert!(text.contains(said), "{said} is missing in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_dropped_decisions_is_waited_for_and_then_said() {
    let rows = read(TABLE.as_bytes()).unwrap().select(&["fast", "slow"], 9).unwrap().rows;
    let stage = Stage::new(&options(), rows);
    let policy = Policy { strategy: Strategy::Adaptive, ..Policy::default() };
    let hidden = ProgressBar::hidden();
    let replayed = stage.replay(&Scripted::default(), policy, &hidden).await.unwrap();
    let results = replayed.with_escalations().await.unwrap();
    let scored: Vec<bool> = results.iter().map(|r| r.escalation.is_some()).collect();
    assert_eq!(scored, [true, true, false]);
    assert!(stage.notes(2, 3).iter().any(|n| n.starts_with("1 rows have no escalation score")));
}

#[test]
fn options_that_contradict_themselves_are_told_what_would_be_right() {
    let wrong = |options: Options| checked(&options).unwrap_err().to_string();
    assert!(wrong(Options { slow: vec![], ..options() }).contains("at least one slow model"));
    assert!(wrong(Options { slow: vec!["fast".into()], ..options() }).contains("named twice"));
    assert!(wrong(Options { limit: Some(0), ..options() }).contains("at least 1"));
    assert!(wrong(Options { strategies: vec![], ..options() }).contains("at least one strategy"));
}

/// Needs the data folder, found through `META_ORCHESTRATOR_DATA`; skips where it is absent.
fn real(name: &str) -> Option<Table> {
    let Some(folder) = std::env::var_os("META_ORCHESTRATOR_DATA") else {
        println!("skipped: META_ORCHESTRATOR_DATA is not set");
        return None;
    };
    Some(table::load(&std::path::Path::new(&folder).join(name)).unwrap())
}

fn accuracies(table: Table, models: &[&str]) -> BTreeMap<String, f64> {
    let rows = table.select(models, usize::MAX).unwrap().rows;
    let (fast, slow) = models.split_first().unwrap();
    let slow = slow.iter().map(|&m| m.to_owned()).collect();
    let stage = Stage::new(&Options::new("t".into(), (*fast).to_owned(), slow), rows);
    assert_eq!(stage.rows_without_gold(), 0);
    let baselines = stage.baselines(&stage.pair());
    baselines.into_iter().map(|b| (b.model.unwrap_or("oracle".into()), b.accuracy)).collect()
}

#[test]
fn the_recorded_models_score_as_they_are_known_to() {
    let Some(table) = real("gsm8k-answers.jsonl.gz") else { return };
    let found = accuracies(table, &["mixtral-8x7b", "gpt-4-1106", "gpt-4o", "gemma-2-2b"]);
    println!("{found:?}");
    assert!(found["gpt-4-1106"] >= 0.88, "{found:?}");
    assert!(found["oracle"] > 0.92, "{found:?}");
    let Some(table) = real("bbh-fast-slow.jsonl.gz") else { return };
    let found = accuracies(table, &["direct", "cot"]);
    println!("{found:?}");
    assert!(found["cot"] > found["direct"] + 0.1, "{found:?}");
}

#[test]
fn tables_of_outcomes_are_read() {
    let Some(folder) = std::env::var_os("META_ORCHESTRATOR_DATA") else { return };
    for name in ["mmlu-outcomes.jsonl.gz", "nine-models.jsonl.gz"] {
        let table = table::load(&std::path::Path::new(&folder).join(name)).unwrap();
        assert!(table.has_outcomes_only(), "{name}");
    }
}
