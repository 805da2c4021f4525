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
            no_store: true,
        };
        let reply = bench.meta.process(request).await;
        let is_right =
            reply.as_ref().is_ok_and(|r| !r.abstained && Grader::new(row).is_right(&r.content));
        right.push(is_right);
        if let (true, Ok(reply)) = (rule.judged, reply) {
            let score = f64::from(u8::from(is_right));
            bench.meta.feedback(&TenantId::default(), reply.id, score).await.unwrap();
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

/// Runs all rules over a panel; the best single model is known only in hindsight.
fn compare(rows: &[Row], panel: &[&str]) -> [f64; 3] {
    println!("{} rows, {}", rows.len(), panel.join(", "));
    let singles: Vec<(&str, Vec<bool>)> =
        panel.iter().map(|model| (*model, alone(rows, model))).collect();
    singles.iter().for_each(|(model, right)| shown(model, right));
    let best = singles.iter().map(|(_, right)| share(right)).fold(0.0, f64::max);
    let runtime = paused_runtime().unwrap();
    let run = |name: &str, rule: Rule| {
        let right = runtime.block_on(replay(rows, panel, rule));
        shown(name, &right);
        share(&right)
    };
    let majority = run("majority_vote", MAJORITY);
    run("weighted_confidence, untaught", UNTAUGHT);
    let taught = run("weighted_confidence, taught", TAUGHT);
    run("ensemble, taught", TAUGHT_ENSEMBLE);
    [best, majority, taught]
}

/// One in a hundred: the difference that these tables can tell from chance.
const CHANCE: f64 = 0.01;

#[test]
fn consensus_of_several_models_is_not_worse_than_the_best_of_them_nor_than_a_majority() {
    let Some(rows) = rows("gsm8k-answers.jsonl.gz", 1) else { return };
    let panels: [&[&str]; 4] = [
        &["gemma-2-2b", "mixtral-8x7b", "gpt-4o"],
        &["gpt-3.5-turbo", "llama-3.1-8b", "mistral-nemo-12b"],
        &["claude-3-haiku", "gpt-3.5-turbo", "llama-3.1-8b", "qwen2-7b", "mixtral-8x7b"],
        &["gpt-4-1106", "gpt-4o-mini", "claude-3-haiku", "llama-3.1-8b", "gemma-2-2b"],
    ];
    for panel in panels {
        let [best, majority, taught] = compare(&rows, panel);
        assert!(taught >= best - CHANCE, "{panel:?}: best {best}, taught {taught}");
        assert!(taught >= majority - CHANCE, "{panel:?}: majority {majority}, taught {taught}");
    }
}

#[test]
fn of_two_ways_to_ask_one_model_the_better_is_learned() {
    let Some(rows) = rows("bbh-fast-slow.jsonl.gz", 6) else { return };
    let [best, majority, taught] = compare(&rows, &["direct", "cot"]);
    assert!(taught >= best - 2.0 * CHANCE, "best {best}, taught {taught}");
    assert!(taught >= majority - CHANCE, "majority {majority}, taught {taught}");
}
