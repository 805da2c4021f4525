//! Extraction measured on recorded replies. The data stays outside of the repository: the folder
//! that `META_ORCHESTRATOR_DATA` names. Tests that miss it say so and pass.

use std::{collections::BTreeMap, fs::File, io::Read, path::PathBuf};

use flate2::read::GzDecoder;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Form, canonical, expected_form, extract};

/// One question with its gold label and what models replied.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    #[serde(default)]
    pub(crate) task: String,
    pub(crate) prompt: String,
    pub(crate) gold: String,
    pub(crate) answers: BTreeMap<String, String>,
}

/// The rows of a gzipped JSON-lines file of the data folder, or `None` where it is absent.
pub(crate) fn rows<T: DeserializeOwned>(file: &str) -> Option<Vec<T>> {
    let folder = std::env::var_os("META_ORCHESTRATOR_DATA").map(PathBuf::from);
    let opened = folder.and_then(|folder| File::open(folder.join(file)).ok());
    let Some(opened) = opened else {
        println!("skipped: META_ORCHESTRATOR_DATA names no folder with {file}");
        return None;
    };
    let mut text = String::new();
    GzDecoder::new(opened).read_to_string(&mut text).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Whether a reply's extracted answer is the gold label's.
pub(crate) fn is_right(row: &Row, reply: &str, expected: Option<Form>) -> bool {
    let gold = canonical(&row.gold, expected);
    gold.is_some() && extract(reply, expected) == gold
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn share(right: usize, of: usize) -> f64 {
    right as f64 / of.max(1) as f64
}

#[test]
fn the_strong_model_is_read_at_least_as_well_as_by_hand() {
    let Some(rows) = rows::<Row>("gsm8k-answers.jsonl.gz") else { return };
    let mut right: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        for (model, reply) in &row.answers {
            *right.entry(model).or_default() +=
                usize::from(is_right(row, reply, Some(Form::Number)));
        }
    }
    for (model, right) in &right {
        println!("{model:20} {:.4}", share(*right, rows.len()));
    }
    assert!(share(right["gpt-4-1106"], rows.len()) >= 0.88);
    assert!((0.62..=0.67).contains(&share(right["mixtral-8x7b"], rows.len())));
}

#[test]
fn questions_for_numbers_are_recognised() {
    let Some(rows) = rows::<Row>("gsm8k-answers.jsonl.gz") else { return };
    let known = rows.iter().filter(|r| expected_form(&r.prompt) == Some(Form::Number)).count();
    for row in rows.iter().filter(|r| expected_form(&r.prompt) != Some(Form::Number)) {
        let end = row.prompt.ceil_char_boundary(row.prompt.len().saturating_sub(100));
        println!("{:?} …{}", expected_form(&row.prompt), &row.prompt[end..]);
    }
    println!("recognised as number: {:.3}", share(known, rows.len()));
    assert!(share(known, rows.len()) >= 0.9);
}

#[test]
fn replies_to_mixed_tasks_are_read_in_the_form_of_their_question() {
    let Some(rows) = rows::<Row>("bbh-fast-slow.jsonl.gz") else { return };
    #[derive(Default)]
    struct Task<'a> {
        n: usize,
        right: BTreeMap<&'a str, usize>,
        forms: BTreeMap<&'static str, usize>,
    }
    let mut tasks: BTreeMap<&str, Task<'_>> = BTreeMap::new();
    for row in &rows {
        let expected = expected_form(&row.prompt);
        let Task { n, right, forms } = tasks.entry(&row.task).or_default();
        *n += 1;
        *forms.entry(expected.map_or("unknown", Form::name)).or_default() += 1;
        for (model, reply) in &row.answers {
            *right.entry(model).or_default() += usize::from(is_right(row, reply, expected));
        }
    }
    let mut total: BTreeMap<&str, usize> = BTreeMap::new();
    for (task, Task { n, right, forms }) in &tasks {
        for (model, right) in right {
            *total.entry(model).or_default() += right;
        }
        let [cot, direct] = ["cot", "direct"].map(|m| share(right[m], *n));
        println!("{task:42} n={n:3} direct {direct:.3} cot {cot:.3} {forms:?}");
    }
    let [cot, direct] = ["cot", "direct"].map(|m| share(total[m], rows.len()));
    println!("all n={} direct {direct:.4} cot {cot:.4}", rows.len());
    assert!(direct > 0.5 && cot > 0.7);
}
