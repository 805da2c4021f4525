//! What the solvers say to recorded questions. The data is no part of the repository: where
//! `META_ORCHESTRATOR_DATA` names no folder that has it, these tests say so and pass.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use jiff::civil::date;
use serde_json::Value;

use crate::domain::Canonical;

use super::{Solution, solve};

fn rows(name: &str) -> Option<Vec<Value>> {
    let found = std::env::var_os("META_ORCHESTRATOR_DATA")
        .map(|folder| PathBuf::from(folder).join(name))
        .and_then(|path| std::fs::File::open(path).ok());
    let Some(file) = found else {
        println!("skipped: no {name} in the folder named by META_ORCHESTRATOR_DATA");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    Some(lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect())
}

fn asked(row: &Value, field: &str) -> Option<Solution> {
    solve(row[field].as_str().unwrap(), date(2026, 11, 22))
}

/// Whether the answer is the recorded one, in the form in which the set writes it.
fn matches(solution: &Solution, gold: &str) -> bool {
    match &solution.answer {
        Canonical::Number(number) => {
            gold.parse().is_ok_and(|gold: crate::domain::Number| gold == *number)
        }
        Canonical::YesNo(yes) if ["Yes", "No"].contains(&gold) => (gold == "Yes") == *yes,
        Canonical::YesNo(yes) => gold.eq_ignore_ascii_case(if *yes { "true" } else { "false" }),
        _ => solution.content == gold,
    }
}

#[test]
fn of_big_bench_hard_what_is_answered_is_right() {
    let Some(rows) = rows("bbh-fast-slow.jsonl.gz") else { return };
    // Per task: rows, answered, right.
    let mut tally: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let (task, gold) = (row["task"].as_str().unwrap(), row["gold"].as_str().unwrap());
        let entry = tally.entry(task).or_default();
        entry.0 += 1;
        if let Some(solution) = asked(row, "prompt") {
            let right = matches(&solution, gold);
            entry.1 += 1;
            entry.2 += usize::from(right);
            if !right {
                wrong.push(format!("{task}: {} instead of {gold}", solution.content));
            }
        }
    }
    for (task, (rows, answered, right)) in &tally {
        if *answered > 0 {
            println!("{task}: {answered} of {rows} answered, {right} right");
        }
    }
    println!("{}", wrong.join("\n"));
    let (answered, right) = tally.values().fold((0, 0), |(a, r), t| (a + t.1, r + t.2));
    assert!(right * 100 >= answered * 99, "{right} of {answered}");
    for task in ["boolean_expressions", "multistep_arithmetic_two"] {
        let (rows, answered, _) = tally[task];
        assert_eq!(rows, answered, "{task}");
    }
    let (rows, answered, _) = tally["word_sorting"];
    assert!(answered * 100 >= rows * 90, "word_sorting: {answered} of {rows}");
}

/// What was answered in a set where next to nothing can be computed from the question alone.
fn answered_in(name: &str, field: &str) -> Option<(usize, Vec<String>)> {
    let rows = rows(name)?;
    let answered: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            Some(format!("{} -> {}", row[field].as_str()?, asked(row, field)?.content))
        })
        .collect();
    println!("{name}: {} of {} answered\n{}", answered.len(), rows.len(), answered.join("\n"));
    Some((rows.len(), answered))
}

#[test]
fn word_problems_and_examinations_are_met_with_silence() {
    for (name, field) in
        [("gsm8k-answers.jsonl.gz", "prompt"), ("mmlu-outcomes.jsonl.gz", "prompt")]
    {
        if let Some((_, answered)) = answered_in(name, field) {
            assert!(answered.is_empty(), "{name}: {answered:?}");
        }
    }
}

#[test]
fn of_what_people_ask_each_other_little_is_computable() {
    for (name, field) in [
        ("cache-qqp.jsonl.gz", "text_a"),
        ("cache-qqp.jsonl.gz", "text_b"),
        ("cache-mock.jsonl.gz", "origin"),
        ("halueval-general.jsonl.gz", "user_query"),
        ("nine-models.jsonl.gz", "question"),
    ] {
        if let Some((rows, answered)) = answered_in(name, field) {
            assert!(answered.len() * 100 <= rows, "{name}: {} of {rows}", answered.len());
        }
    }
}
