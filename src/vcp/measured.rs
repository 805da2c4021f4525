//! The checks measured on recorded replies; see [`crate::answers`] for where the data is looked for.

use std::collections::BTreeMap;

use crate::{
    answers::{
        Form, extract,
        measured::{Row, is_right, rows},
    },
    domain::{Draft, Signal, Source, SourceKind, Tier, Verdict},
};

use super::{adjusted_signal, names, verify};

/// A reply's signal, whether it was right, and what the arithmetic check said.
struct Judged {
    signal: f64,
    right: bool,
    arithmetic: Verdict,
}

fn judged(rows: &[Row], model: &str, prior: f64) -> Vec<Judged> {
    rows.iter()
        .filter_map(|row| {
            let reply = row.answers.get(model)?;
            let answer = extract(reply, Some(Form::Number));
            let source = Source::new(Tier::Flux, SourceKind::Drafter, model);
            let draft = Draft::new(source, reply.as_str(), answer, Signal::clamped(prior));
            let checks = verify(&draft, &row.prompt);
            let arithmetic = checks.iter().find(|c| c.name == names::ARITHMETIC)?.verdict;
            let right = is_right(row, reply, Some(Form::Number));
            Some(Judged { signal: adjusted_signal(draft.signal, &checks).get(), right, arithmetic })
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

/// Chance that a right reply has the higher signal than a wrong one; ties count half.
fn auroc(judged: &[Judged]) -> f64 {
    let (right, wrong): (Vec<_>, Vec<_>) = judged.iter().partition(|j| j.right);
    let mut doubled = 0;
    for r in &right {
        for w in &wrong {
            doubled += match r.signal.total_cmp(&w.signal) {
                std::cmp::Ordering::Greater => 2,
                std::cmp::Ordering::Equal => 1,
                std::cmp::Ordering::Less => 0,
            };
        }
    }
    share(doubled, 2 * right.len() * wrong.len())
}

/// Expected calibration error over ten bins of equal width.
fn ece(judged: &[Judged]) -> f64 {
    let mut bins: BTreeMap<u8, Vec<&Judged>> = BTreeMap::new();
    for j in judged {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
        let bin = (j.signal * 10.0).min(9.0) as u8;
        bins.entry(bin).or_default().push(j);
    }
    bins.values()
        .map(|bin| {
            let accuracy = share(bin.iter().filter(|j| j.right).count(), bin.len());
            let signal = bin.iter().map(|j| j.signal).sum::<f64>() / share(bin.len(), 1);
            share(bin.len(), judged.len()) * (accuracy - signal).abs()
        })
        .sum()
}

/// Wrong answers among the replies with this verdict, and how many replies those are.
fn wrong_after(judged: &[Judged], verdict: Verdict) -> (f64, usize) {
    let of: Vec<_> = judged.iter().filter(|j| j.arithmetic == verdict).collect();
    (share(of.iter().filter(|j| !j.right).count(), of.len()), of.len())
}

/// The priors: mixtral's as RouteLLM's figures give it, the others' their own accuracy.
const MODELS: [(&str, f64); 4] = [
    ("mixtral-8x7b", 0.63),
    ("gemma-2-2b", 0.52),
    ("gpt-3.5-turbo", 0.805),
    ("llama-3.1-8b", 0.84),
];

#[test]
fn the_checks_tell_right_from_wrong_and_the_signal_is_calibrated() {
    let Some(rows) = rows::<Row>("gsm8k-answers.jsonl.gz") else { return };
    for (model, prior) in MODELS {
        let judged = judged(&rows, model, prior);
        let (auroc, ece) = (auroc(&judged), ece(&judged));
        let [passed, failed, none] = [Verdict::Passed, Verdict::Failed, Verdict::NotApplicable]
            .map(|verdict| wrong_after(&judged, verdict));
        println!(
            "{model:14} wrong when arithmetic passed {passed:.3?} failed {failed:.3?} none {none:.3?}"
        );
        println!("{model:14} prior {prior:.3} AUROC {auroc:.3} ECE {ece:.3}");
        assert!(failed.0 > passed.0 + 0.3, "{model}: a failed recalculation means a wrong answer");
        assert!(auroc >= 0.65 && ece <= 0.08, "{model}: AUROC {auroc:.3}, ECE {ece:.3}");
    }
}
