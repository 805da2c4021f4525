//! In how many ways some of many can be chosen, or put in order.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

use super::Solution;
use super::arithmetic::{number, operand_of};
use super::exact;
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{figure, step};

const SOLVER: &str = "combinatorics";
/// Most things that are chosen from; the result is bounded besides.
const MOST: u32 = 1_000;

/// Answers how many combinations and permutations there are.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |counting, holes| counting(holes))
}

fn small(hole: &[Token<'_>]) -> Option<u32> {
    exact::natural(&operand_of(hole)?)?.to_u32().filter(|n| *n <= MOST)
}

/// n(n−1)…(n−k+1), which is zero where k exceeds n.
fn falling(n: u32, k: u32) -> Option<BigRational> {
    if k > n {
        return Some(whole(0));
    }
    (n - k + 1..=n).try_fold(BigInt::one(), |product, i| small_enough(product * i)).map(whole)
}

/// Multiplied and divided in turn, so that no product grows much beyond the result.
fn binomial(n: u32, k: u32) -> Option<BigRational> {
    if k > n {
        return Some(whole(0));
    }
    let k = k.min(n - k);
    // Before it is divided by i the product is i times C(n − k + i, i): whole, and so is the rest.
    (1..=k).try_fold(BigInt::one(), |product, i| small_enough(product * (n - k + i) / i)).map(whole)
}

fn small_enough(number: BigInt) -> Option<BigInt> {
    (number.bits() <= exact::MAX_BITS).then_some(number)
}

fn answer(result: &BigRational, working: String) -> Option<Solution> {
    let shown = figure(result)?;
    let working = step(format!("{working} = {}", shown.text));
    Some(shown.solution(SOLVER, vec![working]))
}

fn combinations(holes: Holes<'_, '_>) -> Option<Solution> {
    let [n, k] = holes else { return None };
    let (n, k) = (small(n)?, small(k)?);
    answer(&binomial(n, k)?, format!("C({n}, {k})"))
}

fn combinations_of(holes: Holes<'_, '_>) -> Option<Solution> {
    let [k, n] = holes else { return None };
    combinations(&[n, k])
}

fn permutations(holes: Holes<'_, '_>) -> Option<Solution> {
    let [n, k] = holes else { return None };
    let (n, k) = (small(n)?, small(k)?);
    answer(&falling(n, k)?, format!("P({n}, {k})"))
}

fn permutations_of(holes: Holes<'_, '_>) -> Option<Solution> {
    let [k, n] = holes else { return None };
    permutations(&[n, k])
}

/// `10C3`, `10 C 3`: only with the capital of the notation.
fn notation(holes: Holes<'_, '_>, mark: &str) -> Option<Solution> {
    let [n, [letter, k @ ..]] = holes else { return None };
    // Told before anything is computed: this is tried on every question that begins openly.
    if letter.raw != mark || k.len() != 1 || n.len() > 2 {
        return None;
    }
    // "10 C 3" with a space on one side only is no notation.
    if letter.spaced != k.first()?.spaced || !number(n)?.is_integer() {
        return None;
    }
    if mark == "C" { combinations(&[n, k]) } else { permutations(&[n, k]) }
}

fn arrangements(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = small(holes.first()?)?;
    answer(&falling(n, n)?, format!("{n}!"))
}

type Counting = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Counting>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Counting)] = &[
    ("# choose #", combinations),
    ("# ncr #", combinations),
    ("# npr #", permutations),
    ("# permute #", permutations),
    ("ncr|c ( # , # )", combinations),
    ("npr|p ( # , # )", permutations),
    ("binomial coefficient [of] # and|choose|over #", combinations),
    ("binomial ( # , # )", combinations),
    (
        "combinations of # [distinct|different] [things|items|objects|people|elements] taken # at a time",
        combinations,
    ),
    (
        "permutations of # [distinct|different] [things|items|objects|people|elements] taken # at a time",
        permutations,
    ),
    (
        "[number] [of] combinations of # [distinct|different] [things|items|objects|people|elements] taken # at a time",
        combinations,
    ),
    (
        "[number] [of] permutations of # [distinct|different] [things|items|objects|people|elements] taken # at a time",
        permutations,
    ),
    (
        "how many combinations of # [things|items|objects|people|elements] [can] [be] [are] [there] [chosen] from [a] [set] [of] #",
        combinations_of,
    ),
    (
        "how many permutations of # [things|items|objects|people|elements] [are] [there] from [a] [set] [of] #",
        permutations_of,
    ),
    (
        "[in] how many [different] ways can # [things|items|objects|people|elements] be chosen|selected|picked from #",
        combinations_of,
    ),
    (
        "[in] how many [different] ways can # [things|items|objects|people|elements] be chosen|selected|picked from # [things|items|objects|people|elements]",
        combinations_of,
    ),
    (
        "[in] how many [different] ways can|could you|i|we|one choose|select|pick # [things|items|objects|people|elements] from|out [of] #",
        combinations_of,
    ),
    (
        "[in] how many [different] ways can|could you|i|we|one choose|select|pick # [things|items|objects|people|elements] from|out [of] # [things|items|objects|people|elements]",
        combinations_of,
    ),
    (
        "[in] how many [different] ways are [there] to choose|select|pick # [things|items|objects|people|elements] from|out [of] #",
        combinations_of,
    ),
    (
        "[in] how many [different] ways are [there] to choose|select|pick # [things|items|objects|people|elements] from|out [of] # [things|items|objects|people|elements]",
        combinations_of,
    ),
    (
        "number of ways to choose|select|pick # [things|items|objects|people|elements] from|out [of] # [things|items|objects|people|elements]",
        combinations_of,
    ),
    (
        "[in] how many [different] ways can # [distinct|different] things|items|objects|people|elements|books be arranged|ordered [in] [a] [row|line]",
        arrangements,
    ),
    (
        "[in] how many [different] ways can|could you|i|we|one arrange|order # [distinct|different] things|items|objects|people|elements|books [in] [a] [row|line]",
        arrangements,
    ),
    (
        "[in] how many [different] ways are there to arrange|order # [distinct|different] things|items|objects|people|elements|books [in] [a] [row|line]",
        arrangements,
    ),
    (
        "[number] [of] permutations of # distinct|different things|items|objects|people|elements",
        arrangements,
    ),
    ("[how] [many] permutations of # things|items|objects|elements", arrangements),
    ("how many permutations are there of # [things|items|objects|elements]", arrangements),
    ("# #", |holes| notation(holes, "C").or_else(|| notation(holes, "P"))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_of_pascal_adds_up() {
        for n in 1..60 {
            for k in 1..=n {
                let above = binomial(n - 1, k - 1).unwrap() + binomial(n - 1, k).unwrap();
                assert_eq!(binomial(n, k), Some(above), "{n} over {k}");
            }
        }
    }

    #[test]
    fn what_would_be_too_large_is_refused() {
        assert_eq!(binomial(5 * MOST, 2 * MOST), None);
        assert_eq!(falling(MOST, MOST), None);
        assert_eq!(binomial(MOST, MOST - 1), Some(whole(MOST)));
    }
}
