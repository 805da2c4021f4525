//! Consensus measured on recorded replies, through the whole orchestrator: ask, record, judge, learn.
//! The data stays outside of the repository: the folder that `META_ORCHESTRATOR_DATA` names. Without
//! it these tests say so and pass.

use std::{path::PathBuf, sync::Arc, time::Duration};

use meta_orchestrator::{
    app::ReplayBench,
    domain::{
        AsiMode, Budget, Consensus, LanguageModel, Policy, Request, ResponseId, Signal, Strategy,
        TenantId,
    },
    evaluation::{Bench, Grader, LatencySpec, RecordedModel, Row, Workbench, load, paused_runtime},
    performance::wilson,
};

/// What is believed of every model before any outcome.
const PRIOR: f64 = 0.75;

fn rows(file: &str, every: usize) -> Option<Vec<Row>> {
    let folder = std::env::var_os("META_ORCHESTRATOR_DATA").map(PathBuf::from);
    let Some(path) = folder.map(|folder| folder.join(file)).filter(|path| path.exists()) else {
        println!("skipped: META_ORCHESTRATOR_DATA names no folder with {file}");
        return None;
    };
    let table = load(&path).unwrap();
    // Tables can be in the order of their tasks: every so many rows is a fair sample.
    Some(table.rows.into_iter().step_by(every).collect())
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Rule {
    consensus: Consensus,
    /// Whether each answer is judged right or wrong after it was given.
    judged: bool,
}

/// Which rows came out right, asked one after another.
async fn replay(rows: &[Row], panel: &[&str], rule: Rule) -> Vec<bool> {
    let spec = LatencySpec::default();
    let model = |name: &str, rows: &[Row]| -> Arc<dyn LanguageModel> {
        Arc::new(RecordedModel::new(name, Signal::clamped(PRIOR), spec.slow, rows))
    };
    let policy =
        Policy { strategy: Strategy::AiFirst, consensus: rule.consensus, ..Policy::default() };
    let slow = panel.iter().map(|name| model(name, rows)).collect();
    let bench: Bench = ReplayBench.orchestrator(model("nobody", &[]), slow, policy).await.unwrap();
    let mut right = Vec::with_capacity(rows.len());
    for row in rows {
        let request = Request {
            id: ResponseId::generate(),
            tenant: TenantId::default(),
            session: None,
            input: row.prompt.to_string(),
            context: Vec::new(),
            strategy: None,
            mode: Some(AsiMode::Thorough),
            consensus: None,
            budget: Budget { deadline: Duration::from_secs(60), max_cost_usd: None },
            dialogue: None,
            expert: None,
            no_store: true,
            fresh: true,
        };
        let reply = bench.meta.process(request).await;
        let is_right =
            reply.as_ref().is_ok_and(|r| !r.abstained && Grader::new(row).is_right(&r.content));
        right.push(is_right);
        if let (true, Ok(reply)) = (rule.judged, reply) {
            let score = f64::from(u8::from(is_right));
            bench.meta.feedback(&TenantId::default(), reply.id, score, None).await.unwrap();
        }
    }
    right
}

fn alone(rows: &[Row], model: &str) -> Vec<bool> {
    rows.iter().map(|row| Grader::new(row).is_right(&row.answers[model])).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn share(right: &[bool]) -> f64 {
    right.iter().filter(|r| **r).count() as f64 / right.len().max(1) as f64
}

fn shown(name: &str, right: &[bool]) {
    let wins = u32::try_from(right.iter().filter(|r| **r).count()).unwrap();
    let interval = wilson(f64::from(wins), right.len() as u64).unwrap();
    let later = share(&right[right.len() / 2..]);
    println!(
        "  {name:32} {:.4} ({:.3} to {:.3}), second half {later:.4}",
        share(right),
        interval.lower,
        interval.upper
    );
}

const MAJORITY: Rule = Rule { consensus: Consensus::MajorityVote, judged: false };
const UNTAUGHT: Rule = Rule { consensus: Consensus::WeightedConfidence, judged: false };
const TAUGHT: Rule = Rule { consensus: Consensus::WeightedConfidence, judged: true };
const TAUGHT_ENSEMBLE: Rule = Rule { consensus: Consensus::Ensemble, judged: true };

/// Runs rules over a panel: the share right of the best single model, which is known only in
/// hindsight, and of each rule.
fn compare(rows: &[Row], panel: &[&str], rules: &[(&str, Rule)]) -> (f64, Vec<f64>) {
    println!("{} rows, {}", rows.len(), panel.join(", "));
    let singles: Vec<(&str, Vec<bool>)> =
        panel.iter().map(|model| (*model, alone(rows, model))).collect();
    singles.iter().for_each(|(model, right)| shown(model, right));
    let best = singles.iter().map(|(_, right)| share(right)).fold(0.0, f64::max);
    let runtime = paused_runtime().unwrap();
    let run = |(name, rule): &(&str, Rule)| {
        let right = runtime.block_on(replay(rows, panel, *rule));
        shown(name, &right);
        share(&right)
    };
    (best, rules.iter().map(run).collect())
}

fn not_worse(rows: &[Row], panel: &[&str], slack: f64) {
    let rules = [("weighted_confidence, taught", TAUGHT), ("majority_vote", MAJORITY)];
    let (best, shares) = compare(rows, panel, &rules);
    let [taught, majority] = shares[..] else { panic!("two rules") };
    assert!(taught >= best - slack, "{panel:?}: best {best}, taught {taught}");
    assert!(taught >= majority - slack, "{panel:?}: majority {majority}, taught {taught}");
}

#[test]
fn consensus_of_a_few_rows_is_not_worse_than_the_best_model_nor_than_a_majority() {
    let Some(rows) = rows("gsm8k-answers.jsonl.gz", 6) else { return };
    // 157 rows: six of them are chance.
    not_worse(&rows, &["gemma-2-2b", "mixtral-8x7b", "gpt-4o"], 0.04);
}

#[test]
fn of_two_ways_to_ask_one_model_the_better_is_learned() {
    let Some(rows) = rows("bbh-fast-slow.jsonl.gz", 24) else { return };
    not_worse(&rows, &["direct", "cot"], 0.04);
}

#[test]
#[ignore = "takes ten minutes in a debug build"]
fn consensus_is_not_worse_than_the_best_model_nor_than_a_majority() {
    const PANELS: [&[&str]; 5] = [
        &["gemma-2-2b", "mixtral-8x7b", "gpt-4o"],
        &["gemma-2-2b", "mixtral-8x7b", "qwen2-7b"],
        &["gpt-3.5-turbo", "llama-3.1-8b", "mistral-nemo-12b"],
        &["claude-3-haiku", "gpt-3.5-turbo", "llama-3.1-8b", "qwen2-7b", "mixtral-8x7b"],
        &["gpt-4-1106", "gpt-4o-mini", "claude-3-haiku", "llama-3.1-8b", "gemma-2-2b"],
    ];
    let Some(rows) = rows("gsm8k-answers.jsonl.gz", 1) else { return };
    PANELS.iter().for_each(|panel| not_worse(&rows, panel, 0.01));
}

#[test]
#[ignore = "takes minutes in a debug build"]
fn every_rule_over_one_panel() {
    let Some(rows) = rows("gsm8k-answers.jsonl.gz", 1) else { return };
    let rules = [
        ("majority_vote", MAJORITY),
        ("weighted_confidence, untaught", UNTAUGHT),
        ("weighted_confidence, taught", TAUGHT),
        ("ensemble, taught", TAUGHT_ENSEMBLE),
        ("best_response, taught", Rule { consensus: Consensus::BestResponse, judged: true }),
    ];
    compare(&rows, &["gemma-2-2b", "mixtral-8x7b", "gpt-4o"], &rules);
}
