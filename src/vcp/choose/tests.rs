use proptest::prelude::*;

use super::{
    planted::{Case, HELD_OUT, KNOWN, Setting, cases, conversation},
    *,
};
use crate::domain::Role;

fn user(content: &str) -> Turn {
    Turn { role: Role::User, content: content.to_owned() }
}

fn assistant(content: &str) -> Turn {
    Turn { role: Role::Assistant, content: content.to_owned() }
}

fn passage(text: &str) -> Passage {
    Passage { source: "guide".to_owned(), text: text.to_owned() }
}

fn spent(context: &Context) -> usize {
    cost(&context.turns) + context.passages.iter().map(passages::cost).sum::<usize>()
}

/// Whether these turns are the conversation's, in order, each whole or in parts of it.
fn is_in_order(kept: &[Turn], turns: &[Turn]) -> bool {
    let mut rest = turns.iter();
    kept.iter().all(|kept| {
        rest.any(|turn| {
            let mut text = turn.content.as_str();
            turn.role == kept.role
                && kept.content.split(excerpt::GAP).all(|part| {
                    let part = part.trim();
                    text.find(part).is_some_and(|at| {
                        text = &text[at + part.len()..];
                        true
                    })
                })
        })
    })
}

/// What was done before: the latest turns that fit, without gaps.
fn truncated(turns: &[Turn], token_budget: usize) -> Vec<Turn> {
    let mut left = token_budget;
    let fits = |turn: &&Turn| {
        let cost = cost(std::slice::from_ref(*turn));
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    };
    turns.iter().rev().take_while(fits).cloned().collect()
}

fn holds(turns: &[Turn], needed: &str) -> bool {
    turns.iter().any(|turn| turn.content.contains(needed))
}

/// A long conversation, planted in its third turn.
const LONG: Setting = Setting { turns: 200, wordiness: 1, deep: true, crowded: false };

/// Of these cases, how many have what they need under a budget: as chosen, and truncated.
fn recall(cases: &[Case], setting: Setting, token_budget: usize) -> (usize, usize) {
    let (mut chosen, mut cut) = (0, 0);
    for (shift, case) in cases.iter().enumerate() {
        let turns = conversation(case, setting, shift);
        let context = choose_context(case.input, &turns, &[], token_budget);
        let found = holds(&context.turns, case.needs);
        if !found {
            println!("missed: {}", case.input);
        }
        chosen += usize::from(found);
        cut += usize::from(holds(&truncated(&turns, token_budget), case.needs));
    }
    (chosen, cut)
}

#[test]
fn what_an_input_needs_is_found_where_truncation_loses_it() {
    let wordy = Setting { wordiness: 4, ..LONG };
    let crowded = Setting { crowded: true, ..LONG };
    let anywhere = Setting { deep: false, ..LONG };
    for (name, file) in [("known", KNOWN), ("held out", HELD_OUT)] {
        let cases = cases(file);
        for (setting, budget) in
            [(LONG, 600), (LONG, 1500), (wordy, 4000), (anywhere, 1500), (crowded, 1500)]
        {
            let (chosen, cut) = recall(&cases, setting, budget);
            let all = cases.len();
            println!("{name}, {setting:?}, {budget} tokens: {chosen} of {all}, truncated {cut}");
            assert!(10 * chosen >= 8 * all, "four of five, {name}, {setting:?}, {budget}");
            assert!(10 * chosen >= 10 * cut + 3 * all, "{name}, {setting:?}, {budget}");
        }
    }
}

#[test]
fn what_was_superseded_is_never_sent_without_what_took_its_place() {
    let all = cases(KNOWN).into_iter().chain(cases(HELD_OUT));
    let corrected = all.filter(|case| case.planted.len() > 1);
    for (shift, case) in corrected.enumerate() {
        let turns = conversation(&case, LONG, shift);
        let (earlier, later) = (case.planted[0].0, case.planted[1].0);
        for budget in [60, 120, 250, 500, 1000, 2000] {
            let kept = choose_context(case.input, &turns, &[], budget).turns;
            if holds(&kept, earlier) {
                assert!(holds(&kept, later), "{budget} tokens: {later}");
            }
        }
    }
}

#[test]
fn everything_goes_along_when_it_fits() {
    let turns = [user("hello"), assistant("Hello!")];
    let passages = [passage("short"), passage("Short.")];
    let context = choose_context("and?", &turns, &passages, 1000);
    assert_eq!(context.turns, turns);
    assert_eq!(context.passages.len(), 1, "a repeated passage goes");
    assert_eq!(context.note, "1 of 2 passages dropped (1 repeated)");
    assert_eq!(choose_context("and?", &turns, &[], 1000).note, "");
    assert_eq!(choose_context("and?", &turns, &passages, 0).turns, []);
}

#[test]
fn the_note_counts_and_names_reasons_and_tells_no_text() {
    let cases = cases(KNOWN);
    let case = cases.iter().find(|case| case.input.contains("OPS-311")).unwrap();
    let turns = conversation(case, Setting { turns: 60, ..LONG }, 0);
    let note = choose_context(case.input, &turns, &[], 300).note;
    assert!(note.contains(" of 60 turns kept (") && note.contains("relevant"), "{note}");
    assert!(note.contains("tokens dropped"), "{note}");
    assert!(!note.contains("OPS") && !note.contains("logs"), "{note}");
}

#[test]
fn of_too_many_passages_those_that_bear_on_the_input_go_along() {
    let about =
        |what: &str| passage(&format!("{what} This sentence only fills the page. ").repeat(3));
    let passages = [about("Wolves howl."), about("The fee for Oslo is 40."), about("Tea is hot.")];
    let room = passages::cost(&passages[1]) + 5;
    let context = choose_context("What is the fee in Oslo?", &[], &passages, room);
    assert_eq!(context.passages, passages[1..2]);
    assert_eq!(context.note, "2 of 3 passages dropped");
    // Where nothing bears on it, the first come first.
    let context = choose_context("Who was Ada Lovelace?", &[], &passages, room);
    assert_eq!(context.passages, passages[..1]);
}

#[test]
fn of_a_passage_that_is_too_long_the_sentences_that_matter_go_along() {
    let filler = "Nothing of note happened in that week. ".repeat(200);
    let long = passage(&format!("{filler}The code of the vault is 7731. {filler}"));
    let context = choose_context("What is the code of the vault?", &[], &[long], 400);
    assert!(context.passages[0].text.contains("7731"), "{:?}", context.passages);
    assert_eq!(context.note, "1 of 1 passages shortened");
}

#[test]
fn a_conversation_and_passages_share_the_budget() {
    let turns: Vec<Turn> = (0..40)
        .flat_map(|n| [user(&format!("Question {n}?")), assistant(&"An answer. ".repeat(12))])
        .collect();
    let passages: Vec<Passage> =
        (0..40).map(|n| passage(&format!("Passage {n}. {}", "It goes on. ".repeat(12)))).collect();
    let context = choose_context("Question 7?", &turns, &passages, 1000);
    let of_turns = cost(&context.turns);
    let of_passages = spent(&context) - of_turns;
    assert!(of_turns > 400 && of_passages > 400, "{of_turns} and {of_passages}");
    // What one does not need, the other has.
    let context = choose_context("Question 7?", &turns[..2], &passages, 1000);
    assert!(spent(&context) > 900 && context.turns == turns[..2], "{}", context.note);
    let context = choose_context("Question 7?", &turns, &passages[..1], 1000);
    assert!(spent(&context) > 900 && context.passages == passages[..1], "{}", context.note);
}

#[test]
fn an_instruction_of_the_third_turn_is_kept_over_two_hundred() {
    let cases = cases(KNOWN);
    let instruction = cases.iter().find(|case| case.needs == "answer in French").unwrap();
    for shift in 0..20 {
        let turns = conversation(instruction, LONG, shift);
        assert!(turns[2].content.contains("answer in French"));
        for budget in [200, 400, 800, 1600, 3200] {
            let context = choose_context("What is tea made of?", &turns, &[], budget);
            assert!(holds(&context.turns, "answer in French"), "{budget}: {}", context.note);
        }
    }
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let said = prop_oneof![
        "[a-z ]{0,120}",
        "\\PC{0,60}",
        "(My|Our) (budget|dog|server|name) is [A-Za-z0-9]{1,6}\\.",
        "Always answer in (French|German|English)\\.( [a-z ]{0,200}\\.){0,3}",
        "(Actually, no, make it|I decided to take) [a-z]{1,8} [0-9]{1,3}\\.",
        "([A-Z][a-z]{1,8} [a-z]{1,8} [a-z]{1,8}[.!?] ){0,30}",
    ];
    (any::<bool>(), said).prop_map(|(asks, content)| Turn {
        role: if asks { Role::User } else { Role::Assistant },
        content,
    })
}

fn any_passages() -> impl Strategy<Value = Vec<Passage>> {
    prop::collection::vec("\\PC{0,80}|([a-z ]{1,30}[.] ){0,20}", 0..6)
        .prop_map(|texts| texts.iter().map(|text| passage(text)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_budget_is_never_overspent_and_the_order_stays(
        input in "\\PC{0,60}",
        turns in prop::collection::vec(any_turn(), 0..20),
        passages in any_passages(),
        budget in 0usize..600,
    ) {
        let context = choose_context(&input, &turns, &passages, budget);
        prop_assert!(spent(&context) <= budget);
        prop_assert!(is_in_order(&context.turns, &turns), "{:#?}", context.turns);
        prop_assert_eq!(&choose_context(&input, &turns, &passages, budget), &context);
        let whole = context.turns == turns && context.passages.len() == passages.len();
        prop_assert_eq!(context.note.is_empty(), whole && context.passages == passages);
    }

    #[test]
    fn the_last_exchange_and_the_last_turn_are_kept_when_they_fit(
        input in "\\PC{0,60}",
        turns in prop::collection::vec(any_turn(), 1..20),
        passages in any_passages(),
        budget in 0usize..300,
    ) {
        let kept = choose_context(&input, &turns, &passages, budget).turns;
        let last = exchanges(&turns).pop().unwrap();
        if cost(&turns[last.clone()]) <= budget {
            prop_assert!(kept.ends_with(&turns[last]));
        } else if cost(&turns[turns.len() - 1..]) <= budget {
            prop_assert_eq!(kept.last(), turns.last());
        }
    }

    #[test]
    fn a_greater_budget_keeps_every_commitment(
        input in "\\PC{0,60}",
        turns in prop::collection::vec(any_turn(), 1..20),
        passages in any_passages(),
        budget in 0usize..400,
        more in 0usize..200,
    ) {
        let last = exchanges(&turns).pop().unwrap();
        let budget = budget + cost(&turns[last]);
        let offered: Vec<&Passage> = passages.iter().collect();
        let passages_cost = passages.iter().map(passages::cost).sum();
        let kept = |budget| {
            let (all, ..) = weigh(&input, &turns, &offered);
            let count = all.len();
            let (conversation, _) = begin(all, passages_cost, budget);
            (0..count).filter(|&at| !conversation.is_missing(at)).collect::<Vec<_>>()
        };
        // What is chosen after this beginning only adds to it.
        let (fewer, more) = (kept(budget), kept(budget + more));
        prop_assert!(fewer.iter().all(|at| more.contains(at)), "{fewer:?} and {more:?}");
    }
}
