use proptest::prelude::*;

use crate::domain::{Canonical, Draft, Likeness, Signal, Source, SourceKind, Tier};

use super::{Wording, answer_to};

fn draft(question: &str, reply: &str) -> Draft {
    let source = Source::new(Tier::Asi, SourceKind::Model, "m");
    Draft::new(source, reply, answer_to(question, reply), Signal::clamped(0.5))
}

/// Whether two replies count as one answer, be it by their canonical forms or by their wording.
fn same(question: &str, a: &str, b: &str) -> bool {
    let (a, b) = (draft(question, a), draft(question, b));
    let wording = Wording::of_answers_to(question);
    let alike = wording.alike(&a, &b);
    assert_eq!(alike, wording.alike(&b, &a), "likeness is symmetric");
    (a.answer.is_some() && a.answer == b.answer) || alike
}

#[test]
fn an_answer_is_the_same_in_a_word_or_in_a_sentence() {
    for (question, short, long) in [
        ("What is the capital of Australia?", "Canberra", "The capital of Australia is Canberra."),
        ("Who wrote Hamlet?", "William Shakespeare.", "William Shakespeare wrote Hamlet."),
        ("What colour is the sky?", "blue", "The sky is blue."),
        ("In 1969, who walked on the moon?", "Neil Armstrong", "Neil Armstrong walked on the moon"),
        ("In 1969, who walked on the moon?", "Neil Armstrong", "In 1969, it was Neil Armstrong."),
        ("How large is her stock of eggs?", "18 eggs", "She does have 18 eggs."),
        ("When did it open?", "2026-03-03", "It did open March 3, 2026"),
        ("When did it open?", "March 3, 2026", "3 March 2026"),
    ] {
        assert!(same(question, short, long), "{short} / {long}");
    }
}

#[test]
fn words_that_join_are_lent_only_with_what_they_join() {
    let question = "Who was seen by whom?";
    assert!(!same(question, "Alice was seen Bob", "Alice was seen by Bob"));
}

#[test]
fn the_words_that_turn_are_sorted_so_that_the_search_finds_them() {
    assert!(super::wording::TURNS.is_sorted());
}

#[test]
fn numbers_are_equal_as_numbers_and_shares_as_shares() {
    let probability = "A coin is thrown 2 times. What is the probability of exactly one head?";
    for reply in ["1/2", "0.5", "50%", "The probability is 50 %.", "#### 0.50", "\\frac{1}{2}"] {
        assert!(same(probability, "0.5", reply), "{reply}");
    }
    assert!(!same(probability, "0.5", "5%"));
    let percentage = "What percent of 80 is 40?";
    assert!(same(percentage, "50", "50%") && same(percentage, "50.0", "50 percent"));
    assert!(!same(percentage, "50", "0.5"), "half a percent, for all that can be told");
    assert!(same("How many are 1,000 and 500 together?", "1,500", "#### 1500.00"));
}

#[test]
fn an_option_is_its_letter_by_whatever_name() {
    let question = "Which of these flies?\nOptions:\n(A) a stone\n(B) a kite\n(C) a boat";
    for reply in ["(B)", "B", "The answer is (B).", "a kite", "The answer is a kite."] {
        assert!(same(question, "(B)", reply), "{reply}");
    }
    assert!(!same(question, "(B)", "a boat") && !same(question, "(B)", "The answer is (A)."));
    let twice = "Which?\n(A) red\n(B) red\n(C) blue";
    assert!(!same(twice, "(A)", "red"), "what two options say is neither's name");
}

#[test]
fn lists_are_compared_in_order_where_order_was_asked_for() {
    let set = "What are the primary colours?";
    assert!(same(set, "red, yellow, blue", "Blue, red and yellow."));
    assert!(!same(set, "red, yellow, blue", "red, yellow, green"));
    assert!(!same(set, "red, yellow, blue", "red, yellow"));
    let order = "What are the stages in their order?";
    assert!(!same(order, "red, yellow, blue", "blue, red, yellow"));
    let sorted = "Sort the following words alphabetically: List: pear apple plum";
    assert!(same(sorted, "apple pear plum", "1. apple\n2. pear\n3. plum"));
    assert!(!same(sorted, "apple pear plum", "pear apple plum"));
}

#[test]
fn what_turns_a_meaning_around_makes_another_answer() {
    for (question, a, b) in [
        ("What about the service?", "The service is up.", "The service is not up."),
        (
            "What should I do?",
            "You should take it with food twice a day",
            "You should never take it with food twice a day",
        ),
        ("What happened?", "Alice was seen by Bob", "Bob was seen by Alice"),
        ("What happened?", "Alice saw Bob", "Alice was seen by Bob"),
        ("What is the limit?", "It is 50 requests a second", "It is 60 requests a second"),
        ("What is the limit?", "-5 degrees", "5 degrees"),
        ("Who is it?", "It is Iran", "It is Iraq"),
        ("Who is it?", "George Bush", "George W. Bush"),
        (
            "Who was it?",
            "The painter was Manet, born in Paris",
            "The painter was Monet, born in Paris",
        ),
        ("Which is taller, Everest or K2?", "Everest", "K2"),
        (
            "Which is taller, Everest or K2?",
            "Everest is taller than K2",
            "K2 is taller than Everest",
        ),
        ("Who won, Alice or Bob, and with what?", "Alice, with a queen", "Bob, with a queen"),
        ("What does it depend on?", "all of the inputs", "some of the inputs"),
        ("Where is it?", "to the left of the door", "to the right of the door"),
        ("What is it?", "a president", "a vice president"),
        ("What is it?", "a language like C", "a language like C++"),
        ("What is it?", "cats and dogs", "cats or dogs"),
        ("What did they decide?", "They voted for the plan", "They voted against the plan"),
        (
            "What do I see?",
            "the long text about the cat that sat on the mat all day was black",
            "the long text about the cat that sat on the mat all day was white",
        ),
    ] {
        assert!(!same(question, a, b), "{a} / {b}");
    }
}

#[test]
fn a_further_word_in_a_sentence_is_no_other_answer() {
    let question = "How does the cell get its energy?";
    let a = "Mitochondria produce energy through oxidative phosphorylation inside the membrane";
    let b =
        "Mitochondria produce energy through oxidative phosphorylation inside the inner membrane";
    assert!(same(question, a, b));
}

#[test]
fn no_answer_is_like_nothing_and_pages_only_like_themselves() {
    let question = "Explain it.";
    assert!(!same(question, "", ""));
    let page = "It works as it does because it does. ".repeat(80);
    assert!(same(question, &page, &page));
    assert!(!same(question, &page, &format!("{page} Well.")));
}

fn any_reply() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "the",
        "capital",
        "is",
        "Canberra",
        "Sydney",
        "not",
        "of",
        "Australia",
        "5",
        "6",
        "and",
        "or",
        "never",
        "big",
        "old",
        "city",
        ",",
        "all",
        "-3",
        "(A)",
        "50%",
        "by",
    ]);
    prop::collection::vec(word, 0..9).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn likeness_is_symmetric_and_every_answer_is_like_itself(a in any_reply(), b in any_reply()) {
        let question = "What is the capital of Australia?";
        same(question, &a, &b);
        prop_assert!(draft(question, &a).answer.is_none() || same(question, &a, &a));
    }

    /// One more negation, number or name in any of two answers parts them.
    #[test]
    fn no_negation_number_or_name_is_ever_overlooked(
        reply in any_reply(),
        turn in prop::sample::select(vec!["not", "7", "Melbourne", "isn't", "without"]),
        at in 0usize..9,
    ) {
        let question = "What is the capital of Australia?";
        let mut words: Vec<&str> = reply.split(' ').filter(|w| !w.is_empty()).collect();
        words.insert(at.min(words.len()), turn);
        let turned = words.join(" ");
        let (a, b) = (draft(question, &reply), draft(question, &turned));
        // "5 Melbourne" reads as the number 5 with a word of unit: reading is another's concern.
        prop_assume!(matches!(b.answer, Some(Canonical::Text(_))));
        prop_assert!(!Wording::of_answers_to(question).alike(&a, &b), "{} / {}", reply, turned);
    }

    #[test]
    fn no_text_makes_the_comparison_panic(
        question in "\\PC{0,60}",
        a in "\\PC{0,80}",
        b in "\\PC{0,80}",
    ) {
        same(&question, &a, &b);
    }
}
