//! With the real weights, where `META_ORCHESTRATOR_MINILM` names their folder.

use std::{fs, path::PathBuf};

use super::*;

/// The model, or a word that there is none.
fn model() -> Option<MiniLm> {
    let Some(folder) = std::env::var_os("META_ORCHESTRATOR_MINILM") else {
        println!("META_ORCHESTRATOR_MINILM names no folder with all-MiniLM-L6-v2: skipped");
        return None;
    };
    Some(MiniLm::open(&PathBuf::from(folder)).unwrap())
}

#[test]
fn a_sentence_has_the_point_that_the_release_gives_it() {
    let Some(model) = model() else { return };
    // From the model card of the release.
    let begins = [0.067_657, 0.063_496, 0.048_713, 0.079_305, 0.037_448];
    let tokens = model.words.tokens("This is an example sentence", MOST_TOKENS);
    assert_eq!(tokens, [101, 2023, 2003, 2019, 2742, 6251, 102]);
    let vector = model.bert.mean(&tokens).unwrap();
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    for (own, theirs) in vector.iter().zip(begins) {
        assert!((own / length - theirs).abs() < 1e-4, "{} for {theirs}", own / length);
    }
}

#[test]
fn what_means_alike_is_nearer_than_what_looks_alike() {
    let Some(model) = model() else { return };
    let cosine = |a: &str, b: &str| model.embed(a).unwrap().cosine(&model.embed(b).unwrap());
    let asked = "How can I lose weight quickly?";
    let alike = cosine(asked, "What is the fastest way to shed pounds?");
    let unlike = cosine(asked, "How can I lose money quickly?");
    assert!(alike > unlike + 0.05, "{alike} and {unlike}");
}

#[test]
fn a_text_of_any_length_has_a_point() {
    let Some(model) = model() else { return };
    for text in ["", "?", "\u{0}", &"word ".repeat(10_000), &"x".repeat(100_000)] {
        assert!(model.embed(text).is_some());
    }
}

#[test]
fn a_missing_file_and_another_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = MiniLm::open(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("vocab.txt"), "{missing}");
    fs::write(folder.path().join("vocab.txt"), "[UNK]").unwrap();
    let error = MiniLm::open(folder.path()).unwrap_err();
    assert!(matches!(error, EmbeddingError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains(VOCABULARY.1), "{error}");
    let vast = File::create(folder.path().join("vocab.txt")).unwrap();
    vast.set_len(MOST_BYTES + 1).unwrap();
    let error = MiniLm::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("larger than 128 MiB"), "{error}");
}
