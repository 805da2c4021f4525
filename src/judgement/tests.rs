use std::{collections::BTreeMap, sync::Arc};

use super::{
    model::{Card, Model, Trained},
    question::{Kind, Question},
    train::{Lesson, fit, fold_of, prepare},
    *,
};
use crate::{
    answers::answer_to,
    domain::{Draft, Judge as _, Signal, Source, SourceKind, Tier},
    vcp,
};

fn shipped() -> Model {
    from_bytes(include_bytes!("../../models/judgement.gz")).unwrap().remove(0)
}

fn judged(judge: &Trained, question: &str, reply: &str, prior: f64) -> Option<f64> {
    let source = Source::new(Tier::Flux, SourceKind::Drafter, "somebody");
    let prior = Signal::clamped(prior);
    let mut draft = Draft::new(source, reply, answer_to(question, reply), prior);
    draft.checks = vcp::verify(&draft, question);
    judge.read(question).judge(&draft, prior).map(|judged| judged.signal.get())
}

const EGGS: &str = "Ann buys 12 eggs and eats 4 of them. Then she buys twice as many as she has left. \
                    How many eggs does Ann have in the end?";

#[test]
fn sound_working_is_believed_more_than_broken_working() {
    let judge = Trained(Arc::new(shipped()));
    let of = |reply: &str| judged(&judge, EGGS, reply, 0.7).unwrap();
    let sound = of(
        "She has 12 - 4 = 8 eggs left. She buys 2 * 8 = 16. In the end she has 8 + 16 = 24.\n#### 24",
    );
    let broken = of(
        "She has 12 - 4 = 9 eggs left. She buys 2 * 9 = 17. However, she has 9 / 17 = 0.52.\n#### 0.52",
    );
    assert!(sound > 0.7 && broken < 0.3, "{sound} {broken}");
}

#[test]
fn what_no_training_has_seen_is_left_to_the_rules() {
    let judge = Trained(Arc::new(shipped()));
    assert_eq!(judged(&judge, "Who wrote Faust?", "Goethe", 0.7), None);
    let strange = judge.read("xqzv blorpkint frumious wibblewobble").forecast();
    assert!(strange.is_none_or(|f| f.known < 0.5), "{strange:?}");
}

#[test]
fn a_damaged_or_strange_model_is_refused_whole() {
    let whole = to_bytes(&[shipped()]).unwrap();
    assert_eq!(from_bytes(&whole).unwrap().len(), 1);
    for cut in [0, 1, 40, whole.len() / 2, whole.len() - 9] {
        assert!(from_bytes(&whole[..cut]).is_err(), "cut at {cut}");
    }
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    assert!(from_bytes(&bent).is_err());
    assert!(from_bytes(b"{\"format\":\"other\"}\n").is_err());
}

#[test]
fn the_shipped_card_says_what_it_was_trained_on_and_never_on_bbh() {
    let card = shipped().card;
    assert!(card.data.keys().all(|table| !table.contains("bbh")), "{card:?}");
    assert!(card.data.contains_key("gsm8k-answers") && !card.held_out.is_empty(), "{card:?}");
    assert!(card.command.starts_with("meta-orchestrator train"));
}

fn course() -> Course {
    let lessons = (0..300)
        .map(|i| {
            let hard = i % 3 == 0;
            let kind = if hard { "tricky" } else { "plain" };
            let question = format!("A {kind} riddle of {i} and {} goats: how many goats?", i % 7);
            let right = [("small".to_owned(), !hard), ("large".to_owned(), true)].into();
            Lesson { question, right, topic: None, drafts: BTreeMap::new() }
        })
        .collect();
    Course { name: "goats".to_owned(), lessons }
}

#[test]
fn the_gain_of_the_strong_model_is_learned_and_the_same_lessons_make_the_same_model() {
    let prepared = prepare(&[course()], &|| {});
    let lessons: Vec<_> = prepared.iter().collect();
    let model = fit(&lessons, Card::default());
    assert_eq!(model, fit(&lessons, Card::default()));
    let judge = Trained(Arc::new(model));
    let gain = |q: &str| judge.read(q).forecast().unwrap().gain;
    let (hard, easy) = (
        gain("A tricky riddle of 9 and 2 goats: how many goats?"),
        gain("A plain riddle of 9 and 2 goats: how many goats?"),
    );
    assert!(hard > easy + 0.3, "{hard} {easy}");
}

#[test]
fn a_question_falls_into_one_fold_however_it_is_spaced() {
    assert_eq!(fold_of("How many  goats?", 5), fold_of("how many goats", 5));
    let mut seen = [0; 5];
    for i in 0..1000 {
        seen[fold_of(&format!("question {i}"), 5)] += 1;
    }
    assert!(seen.iter().all(|n| (150..250).contains(n)), "{seen:?}");
}

#[test]
fn kinds_of_questions_are_told_apart() {
    assert_eq!(Question::of(EGGS).kind, Kind::Quantity);
    assert_eq!(Question::of("Which one?\nA. this\nB. that\nAnswer:").kind, Kind::Choice);
    assert_eq!(Question::of("Who wrote Faust?").kind, Kind::Open);
}

#[test]
fn a_quantity_is_asked_for_in_words_of_proportion_and_by_order_too() {
    for asked in [
        EGGS,
        "A robe takes 2 bolts of blue and half that much white. How many bolts does it take?",
        "There are 40 tables with 4 legs. Calculate the number of legs.",
    ] {
        assert!(Question::of(asked).wants_quantity, "{asked}");
    }
    for asked in ["Who wrote Faust?", "How many goats?", "Which?\nA. 3 twice\nB. 4\nHow many?"] {
        assert!(!Question::of(asked).wants_quantity, "{asked}");
    }
}

#[test]
fn what_is_offered_is_read_apart_from_what_is_asked() {
    let model = shipped();
    let read = |text: &str| model.read_question(text);
    let one = read("Which organ pumps blood?\nA. The heart\nB. The liver\nC. The lung");
    let other = read("Which organ is the heart?\nA. Pumps blood\nB. The liver\nC. The lung");
    assert!((one.fast, one.slow) != (other.fast, other.slow));
}
