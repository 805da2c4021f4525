//! Questions with their answers, and traps that must be met with silence.

use std::time::{Duration, Instant};

use jiff::civil::date;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Pow, ToPrimitive, Zero};
use proptest::prelude::*;

use super::*;
use crate::text::NUMBER_NAMES;

fn asked(question: &str) -> Option<Solution> {
    solve(question, date(2026, 11, 22))
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

fn answered() -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(include_str!("corpus/answered.txt")).map(|line| line.rsplit_once(" => ").unwrap())
}

#[test]
fn what_can_be_computed_is_answered_exactly() {
    let wrong: Vec<String> = answered()
        .filter_map(|(question, answer)| {
            let content = asked(question).map(|s| s.content);
            (content.as_deref() != Some(answer))
                .then(|| format!("{question}: {content:?} instead of {answer}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered().count() >= 500);
}

#[test]
fn what_is_open_or_of_the_world_is_met_with_silence() {
    let traps: Vec<&str> = lines(include_str!("corpus/abstained.txt")).collect();
    let wrong: Vec<String> =
        traps.iter().filter_map(|trap| Some(format!("{trap}: {}", asked(trap)?.content))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(traps.len() >= 400);
}

/// Written last, and asked of the solvers for the first time when they were done: of the sixty
/// questions and sixty traps of that first run see ARCHITECTURE.md. Kept as a regression.
#[test]
fn questions_that_were_written_afterwards_are_answered_or_met_with_silence() {
    for line in lines(include_str!("corpus/fresh.txt")) {
        match line.rsplit_once(" => ") {
            Some((question, answer)) => {
                assert_eq!(
                    asked(question).map(|s| s.content).as_deref(),
                    Some(answer),
                    "{question}"
                );
            }
            None => assert_eq!(asked(line).map(|s| s.content), None, "{line}"),
        }
    }
}

#[test]
fn what_hangs_on_the_day_is_not_answered_undated() {
    for timeless in ["what is 15 percent of 80?", "what day is 3 March 2020?"] {
        assert_eq!(solve_undated(timeless).map(|s| s.content), asked(timeless).map(|s| s.content));
        assert!(asked(timeless).is_some(), "{timeless}");
    }
    for today in ["what day is tomorrow", "what is today's date", "how many days until christmas?"]
    {
        assert!(asked(today).is_some() && solve_undated(today).is_none(), "{today}");
    }
}

#[test]
fn wrapping_never_changes_an_answer() {
    for (question, answer) in answered().filter(|(q, _)| !q.contains([':', '!', '='])) {
        let bare = question.trim_end_matches(['?', '.']);
        for wrapped in
            [format!("Please, {bare}?"), format!("  {bare} ?"), format!("{bare}, please")]
        {
            let content = asked(&wrapped).map(|s| s.content);
            assert_eq!(content.as_deref(), Some(answer), "{wrapped}");
        }
    }
}

#[test]
fn an_unknown_word_silences_every_solver() {
    for (question, _) in answered().filter(|(q, _)| !q.contains([':', '"'])) {
        let bare = question.trim_end_matches(['?', '.', '=', ' ']);
        for strange in [format!("{bare} frobnicate"), format!("frobnicate {bare}")] {
            let given = asked(&strange);
            assert!(given.is_none(), "{strange}: {given:?}");
        }
    }
}

#[test]
fn an_expression_has_its_exact_value() {
    for (expression, value) in [
        ("2 * (3 + 4)", "14"),
        ("15% of 80", "12"),
        ("$1,200.50 * 2", "2401"),
        ("80 * 15%", "12"),
        ("5/2", "5/2"),
        ("42", "42"),
        ("-3 + 5", "2"),
        ("$5 * 3 + 2", "17"),
        ("100% - 20%", "0.8"),
        ("3×4÷2−1", "5"),
        ("2^0.5 * 0 + sqrt(9)", ""),
    ] {
        let given = evaluate(expression).map(|n| n.to_string());
        let wanted = value.parse::<Number>().ok().map(|n| n.to_string());
        assert_eq!(given, wanted, "{expression}");
    }
    for text in [
        "3 apples",
        "two plus two",
        "",
        "=",
        "x + 1",
        "4x - 2",
        "4x -2",
        "4 x - 2",
        "2x (3)",
        "3x",
        "1/0",
        "2 +",
        "(2",
        "2)",
        "100 + 10%",
    ] {
        assert_eq!(evaluate(text), None, "{text}");
    }
}

#[test]
fn steps_hold_and_can_be_recomputed() {
    let mut recomputed = 0;
    for (question, _) in answered() {
        for working in asked(question).unwrap().steps {
            if let Some((left, right)) = working.text.split_once(" = ")
                && let (Some(left), Some(right)) = (evaluate(left), evaluate(right))
            {
                assert_eq!(left, right, "{}", working.text);
                recomputed += 1;
            }
        }
    }
    assert!(recomputed > 60, "{recomputed}");
}

/// Inputs made to cost time or stack, for both entrances.
fn hostile() -> Vec<String> {
    let mut inputs = vec![
        "1 << 1000000000".into(),
        "9^9^9^9^9^9".into(),
        "((((((9^9)^9)^9)^9)^9)^9)^9".into(),
        "200!^200!".into(),
        "1e400*1e400*1e400*1e400".into(),
        "5000 choose 2500".into(),
        "1000 choose 500".into(),
        "permutations of 1000 items taken 200 at a time".into(),
        "how many primes are below 10000".into(),
        "factors of 999999937".into(),
        "is 18446744073709551557 prime".into(),
        "(1/3)^1000 + (1/7)^500 + (1/11)^400".into(),
    ];
    for (unit, around) in [
        ("(", "1"),
        ("-", "1"),
        ("2^", "2"),
        ("not ", "true"),
        ("1+", "1"),
        ("199!*", "1"),
        ("(1/3)^90/7^80+", "1"),
        ("9", ""),
        ("is ", ""),
        ("what is ", "2+2"),
        ("please ", ""),
        ("how many ", ""),
        ("in ", ""),
        ("5 in ", ""),
        ("and ", ""),
        ("# ", ""),
        ("\" ", ""),
        ("' ", ""),
        ("a, ", ""),
        ("what percent of ", ""),
        ("between 1 and ", ""),
        ("sqrt ", "4"),
        ("√", "4"),
        ("half of ", "2"),
        ("one hundred ", ""),
        ("1/", "3"),
        ("999999999999999999/", "7"),
        ("days between and ", ""),
        ("5 ft ", "in m"),
        ("999999999 times ", "2"),
        ("200! choose ", "2"),
        ("x + ", "x = 1"),
        ("2x = 2 and ", "x = 1"),
        ("{1} union ", "{2}"),
        ("3 m + ", "20 cm"),
        ("12 in ", "binary"),
        ("7^300+", "1"),
        ("1 << ", "2"),
        ("200! to 200! in ", ""),
        ("3 pm ", "in UTC"),
        ("I have two apples and ", "a pear. How many fruits do I have?"),
        ("\u{200B}", ""),
    ] {
        for length in [60, 500, 1_990] {
            let count = length / unit.chars().count();
            inputs.push(format!("{}{around}", unit.repeat(count)));
        }
    }
    inputs.push(format!("{}1{}", "(".repeat(900), ")".repeat(900)));
    inputs.push(format!("sort these words: {}", "a ".repeat(900)));
    inputs.push(format!("how many times does \"a\" occur in \"{}\"", "a".repeat(1_900)));
    inputs
}

#[test]
fn hostile_inputs_end_soon_on_a_small_stack() {
    let run = || {
        let mut slowest = (Duration::ZERO, String::new());
        for input in hostile() {
            // The quickest of three: the machine may have other things to do.
            let run = || {
                let started = Instant::now();
                let _ = asked(&input);
                let _ = evaluate(&input);
                started.elapsed()
            };
            let took = run().min(run()).min(run());
            if took > slowest.0 {
                slowest = (took, input.chars().take(40).collect());
            }
        }
        slowest
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap();
    let (took, input) = thread.join().unwrap();
    println!("slowest: {took:?} for {input}");
    // Unoptimised builds are some fifty times slower than what is shipped, which needs 3 ms.
    assert!(took < Duration::from_secs(1), "{took:?} for {input}");
}

/// A random expression: its text, and its value where it has one.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(i64, u32),
    Negative(Box<Tree>),
    Two(Box<Tree>, char, Box<Tree>),
    Power(Box<Tree>, i32),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Leaf(digits, places) => Number::from(BigRational::new(
                (*digits).into(),
                Pow::pow(BigInt::from(10), *places),
            ))
            .to_string(),
            Self::Negative(inner) => format!("-({})", inner.text()),
            Self::Two(a, operator, b) => format!("({}) {operator} ({})", a.text(), b.text()),
            Self::Power(base, exponent) => format!("({})^{exponent}", base.text()),
        }
    }

    fn value(&self) -> Option<BigRational> {
        Some(match self {
            Self::Leaf(digits, places) => {
                BigRational::new((*digits).into(), Pow::pow(BigInt::from(10), *places))
            }
            Self::Negative(inner) => -inner.value()?,
            Self::Two(a, operator, b) => {
                let (a, b) = (a.value()?, b.value()?);
                match operator {
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    _ if b.is_zero() => return None,
                    _ => a / b,
                }
            }
            Self::Power(base, exponent) => {
                let base = base.value()?;
                if base.is_zero() && *exponent <= 0 {
                    return None;
                }
                Pow::pow(base, *exponent)
            }
        })
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (0i64..100_000, 0u32..4).prop_map(|(digits, places)| Tree::Leaf(digits, places));
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| Tree::Negative(Box::new(t))),
            (inner.clone(), prop::sample::select(vec!['+', '-', '*', '/']), inner.clone())
                .prop_map(|(a, operator, b)| Tree::Two(Box::new(a), operator, Box::new(b))),
            (inner, -2i32..3).prop_map(|(base, exponent)| Tree::Power(Box::new(base), exponent)),
        ]
    })
}

/// Without brackets: precedence decides.
fn flat() -> impl Strategy<Value = (String, Option<BigRational>)> {
    let term = prop::collection::vec((1i64..50, prop::bool::ANY), 1..4);
    prop::collection::vec((term, prop::bool::ANY), 1..5).prop_map(|terms| {
        let (mut text, mut total) = (String::new(), BigRational::zero());
        for (i, (factors, minus)) in terms.iter().enumerate() {
            let mut product = BigRational::from_integer(1.into());
            if i > 0 {
                text.push_str(if *minus { " - " } else { " + " });
            }
            for (j, (n, divide)) in factors.iter().enumerate() {
                let n_value = BigRational::from_integer((*n).into());
                if j > 0 {
                    text.push_str(if *divide { " / " } else { " * " });
                }
                text.push_str(&n.to_string());
                product = if j > 0 && *divide { product / n_value } else { product * n_value };
            }
            total = if i > 0 && *minus { total - product } else { total + product };
        }
        (text, Some(total))
    })
}

proptest! {
    #[test]
    fn an_expression_is_worth_what_its_tree_is(tree in tree()) {
        let (text, value) = (tree.text(), tree.value());
        match (evaluate(&text), value) {
            (Some(given), Some(wanted)) => prop_assert_eq!(given.as_rational(), &wanted, "{}", text),
            (None, Some(wanted)) => prop_assert!(
                wanted.numer().bits() + wanted.denom().bits() > 200,
                "{} has a value", text
            ),
            (given, None) => prop_assert!(given.is_none(), "{} has none", text),
        }
    }

    #[test]
    fn precedence_is_the_usual_one((text, value) in flat()) {
        let given = evaluate(&text).map(|n| n.as_rational().clone());
        prop_assert_eq!(given, value, "{}", text);
    }

    #[test]
    fn no_input_makes_a_solver_panic(text in "\\PC{0,120}") {
        let _ = (asked(&text), evaluate(&text));
    }

    #[test]
    fn no_mixture_of_known_words_makes_a_solver_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "what", "is", "how", "many", "days", "in", "of", "5", "10", "%", "ft", "km", "to",
            "and", "between", "2026-01-01", "march", "half", "a", "sum", "!", "(", ")", "-", "^",
            "/", "the", "true", "not", "or", "letters", "word", "\"x\"", ":", ",", "sort", "week",
            "after", "until", "square", "root", "percent", "off", "million", "point", "'", "°", "F",
        ]), 0..14),
    ) {
        let _ = asked(&words.join(" "));
        let _ = asked(&words.concat());
    }

    #[test]
    fn words_and_digits_name_the_same_number(n in 0u64..2_000_000) {
        let given = asked(&format!("{} plus one", spoken(n)));
        let wanted = Canonical::Number(Number::from((n + 1).to_i64().unwrap()));
        prop_assert_eq!(given.map(|s| s.answer), Some(wanted), "{}", spoken(n));
    }
}

/// The English name of a number.
fn spoken(n: u64) -> String {
    let name = |n: u64| {
        let named = NUMBER_NAMES.iter().find(|&&(_, number)| u64::from(number) == n);
        named.unwrap().0
    };
    let rest = |base: u64, joint: &str| {
        if n.is_multiple_of(base) { String::new() } else { format!("{joint}{}", spoken(n % base)) }
    };
    match n {
        0..20 => name(n).to_owned(),
        20..100 => format!("{}{}", name(n / 10 * 10), rest(10, "-")),
        100..1_000 => format!("{} hundred{}", name(n / 100), rest(100, " and ")),
        1_000..1_000_000 => format!("{} thousand{}", spoken(n / 1_000), rest(1_000, " ")),
        _ => format!("{} million{}", spoken(n / 1_000_000), rest(1_000_000, " ")),
    }
}
