//! Calculating with measures: "3 m + 20 cm", "twice 20 cm", "is a mile longer than a kilometre".

use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::domain::{Canonical, Number, Step};

use super::Solution;
use super::arithmetic::operand_of;
use super::comparison::yes_no;
use super::composed::composed;
use super::exact::{bounded, divide};
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::{Question, raw};
use super::show::{measure, numbered, step};
use super::unit_table::{Kind, Unit};
use super::units::{named, quantity, singular, size};

const SOLVER: &str = "units";

/// Answers sums, multiples and comparisons of measures.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let input = question.input;
    GRAMMAR.find(question.body(), |answer, holes| answer(input, holes))
}

/// A measure in the base unit of its kind, and the unit that it was first told in.
struct Measure {
    base: BigRational,
    unit: &'static Unit,
    /// All units that it was told in, the largest first.
    units: Vec<&'static Unit>,
}

/// A single or composed quantity. Temperatures do not add up, and months have no fixed length.
fn measured(hole: &[Token<'_>]) -> Option<Measure> {
    let quantity = quantity(hole)?;
    let mut base = whole(0);
    for (value, named) in &quantity.terms {
        base += bounded(value * size(named.unit))?;
    }
    let unit = quantity.terms.first()?.1.unit;
    let units = quantity.terms.iter().map(|(_, named)| named.unit).collect();
    (unit.kind != Kind::Temperature).then_some(Measure { base, unit, units })
}

/// The base amount in a unit, as the answer.
fn answer(base: &BigRational, unit: &'static Unit, steps: Vec<Step>) -> Option<Solution> {
    if base.is_negative() {
        return None;
    }
    let shown = measure(&divide(base, &size(unit))?)?;
    let one = shown.text == "1";
    let symbol = if one { singular(unit.symbol) } else { unit.symbol };
    let content = format!("{} {symbol}", shown.text);
    Some(Solution { solver: SOLVER, content, answer: Canonical::Number(shown.number), steps })
}

/// The first measure plus or minus the second, in a unit or in that of the first.
fn combined(
    a: &[Token<'_>],
    b: &[Token<'_>],
    sign: i32,
    to: Option<&[Token<'_>]>,
) -> Option<Solution> {
    let (a, b) = (measured(a)?, measured(b)?);
    let unit = match to {
        Some(to) => named(to)?.unit,
        None => a.unit,
    };
    if a.unit.kind != b.unit.kind || unit.kind != a.unit.kind {
        return None;
    }
    let other = divide(&b.base, &size(a.unit))?;
    let mark = if sign < 0 { '-' } else { '+' };
    let (first, second) = (measure(&divide(&a.base, &size(a.unit))?)?, measure(&other)?);
    let symbol = a.unit.symbol;
    let working = step(format!("{} {symbol} {mark} {} {symbol}", first.text, second.text));
    let sum = bounded(&a.base + &b.base * whole(sign))?;
    if to.is_none()
        && let Some(content) = in_parts(&sum, &a, &b)
    {
        let number = divide(&sum, &size(a.unit))?;
        return numbered(SOLVER, content, number, vec![working]);
    }
    answer(&sum, unit, vec![working])
}

/// In hours and minutes, or in feet and inches, where that is how it was told or where one unit
/// alone would leave an endless decimal.
fn in_parts(sum: &BigRational, a: &Measure, b: &Measure) -> Option<String> {
    let alone = divide(sum, &size(a.unit))?;
    let endless = Number::from(alone.clone()).exact_decimal(15).is_none();
    let told_in_parts = a.units.len() > 1 || b.units.len() > 1;
    if alone.is_integer() || !(endless || told_in_parts) {
        return None;
    }
    let mut units: Vec<&'static Unit> = a.units.iter().chain(&b.units).copied().collect();
    units.sort_by_key(|unit| std::cmp::Reverse(size(unit)));
    units.dedup_by_key(|unit| unit.symbol);
    composed(sum, &units)
}

fn add(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    combined(a, b, 1, None)
}

fn add_to(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    combined(b, a, 1, None)
}

fn subtract(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    combined(a, b, -1, None)
}

fn subtract_from(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    combined(b, a, -1, None)
}

fn add_in(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b, to] = holes else { return None };
    combined(a, b, 1, Some(to))
}

fn subtract_in(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b, to] = holes else { return None };
    combined(a, b, -1, Some(to))
}

fn multiple(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [times, of] = holes else { return None };
    // "three times a day" is a frequency.
    if of.first().is_some_and(|t| t.is("a") || t.is("an")) {
        return None;
    }
    let (times, of) = (operand_of(times)?, measured(of)?);
    answer(&bounded(of.base * times)?, of.unit, Vec::new())
}

fn multiple_reversed(input: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, times] = holes else { return None };
    multiple(input, &[times, of])
}

fn twice(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let of = measured(holes.first()?)?;
    answer(&(of.base * whole(2)), of.unit, Vec::new())
}

fn half(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let of = measured(holes.first()?)?;
    answer(&(of.base / whole(2)), of.unit, Vec::new())
}

fn shared(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, by] = holes else { return None };
    let of = measured(of)?;
    if let Some(by) = operand_of(by) {
        return answer(&divide(&of.base, &by)?, of.unit, Vec::new());
    }
    let by = measured(by).filter(|by| by.unit.kind == of.unit.kind)?;
    super::arithmetic::answered(
        format!(
            "{} ÷ {}",
            measure(&divide(&of.base, &size(by.unit))?)?.text,
            measure(&divide(&by.base, &size(by.unit))?)?.text
        ),
        &divide(&of.base, &by.base)?,
    )
}

/// What comparing words are said of.
fn fits(kind: Kind, word: &str) -> bool {
    match word {
        "longer" | "shorter" => matches!(kind, Kind::Length | Kind::Time),
        "taller" | "farther" | "further" => kind == Kind::Length,
        "heavier" | "lighter" => kind == Kind::Mass,
        "faster" | "slower" => kind == Kind::Speed,
        _ => true,
    }
}

fn is_downward(word: &str) -> bool {
    [
        "shorter", "lighter", "slower", "less", "smaller", "shortest", "lightest", "slowest",
        "smallest",
    ]
    .contains(&word)
}

/// "is a mile longer than a kilometre": the word stands in the middle hole.
fn compared(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, [word], b] = holes else { return None };
    let word = word.word().filter(|w| COMPARING.contains(w))?;
    let (a, b) = (measured(a)?, measured(b)?);
    if a.unit.kind != b.unit.kind || !fits(a.unit.kind, word) {
        return None;
    }
    let yes = if is_downward(word) { a.base < b.base } else { a.base > b.base };
    Some(yes_no(SOLVER, yes, vec![step(relation(&a, &b)?)]))
}

const COMPARING: [&str; 14] = [
    "longer", "shorter", "taller", "farther", "further", "heavier", "lighter", "faster", "slower",
    "more", "less", "bigger", "larger", "smaller",
];

fn relation(a: &Measure, b: &Measure) -> Option<String> {
    let mark = match a.base.cmp(&b.base) {
        std::cmp::Ordering::Less => '<',
        std::cmp::Ordering::Equal => '=',
        std::cmp::Ordering::Greater => '>',
    };
    let (first, second) = (divide(&a.base, &size(a.unit))?, divide(&b.base, &size(a.unit))?);
    let symbol = a.unit.symbol;
    Some(format!("{} {symbol} {mark} {} {symbol}", measure(&first)?.text, measure(&second)?.text))
}

fn same(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (measured(a)?, measured(b)?);
    let comparable = a.unit.kind == b.unit.kind;
    comparable.then(|| Some(yes_no(SOLVER, a.base == b.base, vec![step(relation(&a, &b)?)])))?
}

/// "which is longer, a mile or a kilometre": the one that was named.
fn chosen(input: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [[word], a, b] = holes else { return None };
    let word = word.word().filter(|w| COMPARING.contains(w))?;
    let (x, y) = (measured(a)?, measured(b)?);
    if x.unit.kind != y.unit.kind || !fits(x.unit.kind, word) || x.base == y.base {
        return None;
    }
    let first = (x.base < y.base) == is_downward(word);
    let text = raw(input, if first { a } else { b });
    let answer = Canonical::Text(text.to_lowercase());
    Some(Solution {
        solver: SOLVER,
        content: text.to_owned(),
        answer,
        steps: vec![step(relation(&x, &y)?)],
    })
}

/// "average speed of 100 km in 2 hours", in the units of the question.
fn speed(_: &str, holes: Holes<'_, '_>) -> Option<Solution> {
    let [distance, time] = holes else { return None };
    let (distance, time) = (measured(distance)?, measured(time)?);
    if distance.unit.kind != Kind::Length || time.unit.kind != Kind::Time || time.base.is_zero() {
        return None;
    }
    let symbol = match distance.unit.symbol {
        "km" => "km/h",
        "mi" => "mph",
        "m" => "m/s",
        _ => return None,
    };
    let unit = super::unit_table::find(symbol, symbol)?;
    let hourly = unit.symbol != "m/s" && ["h", "min"].contains(&time.unit.symbol);
    let fitting = hourly || (unit.symbol == "m/s" && time.unit.symbol == "s");
    fitting.then(|| answer(&divide(&distance.base, &time.base)?, unit, Vec::new()))?
}

type Phrase = fn(&str, Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("is # # than #", compared),
    ("is # the same as #", same),
    ("is # equal to #", same),
    ("are # and # the same [length|weight|mass]", same),
    ("which|what is # [,|:|-] # or #", chosen),
    ("which|what weighs # [,|:|-] # or #", chosen),
    ("add # to #", add_to),
    ("add # and #", add),
    ("sum|total of # and #", add),
    ("subtract # from #", subtract_from),
    ("difference between # and #", subtract),
    ("# plus|+ # in|to #", add_in),
    ("# minus|- # in|to #", subtract_in),
    ("# plus|+ #", add),
    ("# and # added [together]", add),
    ("# minus|- #", subtract),
    ("twice|double #", twice),
    ("half of #", half),
    ("multiply # by #", multiple_reversed),
    ("divide # by #", shared),
    ("# times|x|* #", multiple),
    ("# times|x|* #", multiple_reversed),
    ("# divided by #", shared),
    ("# / #", shared),
    ("[average] speed of|for|over # in|covered #", speed),
    ("[average] speed if|when you|i travel|go|drive|run|walk # in #", speed),
    ("what speed is # in #", speed),
];
