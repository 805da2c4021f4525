//! Conversion of units, exact where the sizes are.

use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::Signed;

use crate::domain::{Canonical, Number};

use super::Solution;
use super::exact::bounded;
use super::lexer::{Token, whole};
use super::number_words::spelled;
use super::pattern::Grammar;
use super::question::Question;
use super::show::{measure, step};
use super::unit_table::{self, Kind, Unit};

const SOLVER: &str = "units";

/// A number of units; a composed quantity, such as 5 ft 10 in, has several.
pub(super) struct Quantity {
    pub(super) terms: Vec<(BigRational, Named)>,
}

/// A unit, and whether it was spelt so that bits and bytes are open.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) unit: &'static Unit,
    vague: bool,
}

/// Answers conversions, and how many of one unit another has.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |order, holes| match (order, holes) {
        (Order::Quantity, [from, to]) => convert(&quantity(from)?, named(to)?),
        (Order::Wanted, [to, from]) => convert(&quantity(from).or_else(|| one(from))?, named(to)?),
        (Order::Number, [number, from, to]) => convert(&counted(number, named(from)?)?, named(to)?),
        _ => None,
    })
}

/// The order in which a phrase names things.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// A quantity, then the unit wanted.
    Quantity,
    /// The unit wanted, then a quantity.
    Wanted,
    /// A number, its unit, the unit wanted.
    Number,
}

/// Whether a word is a unit: "how many m in km" asks for metres, not for letters.
pub(super) fn is_unit(word: &Token<'_>) -> bool {
    named(std::slice::from_ref(word)).is_some()
}

pub(super) fn named(tokens: &[Token<'_>]) -> Option<Named> {
    if tokens.is_empty() || tokens.len() > 4 {
        return None;
    }
    let mut written = String::new();
    let mut before_is_word = false;
    for token in tokens {
        let is_word = token.word().is_some();
        if is_word && before_is_word {
            written.push(' ');
        }
        before_is_word = is_word || token.is("°");
        match token.raw {
            // ft^2 and ft² are ft2, as the table has it.
            "^" => before_is_word = false,
            "²" => written.push('2'),
            "³" => written.push('3'),
            raw => written.push_str(raw),
        }
    }
    let unit = unit_table::find(&written, &written.to_lowercase()).or_else(|| {
        // "°C", with or without a space between.
        let glued = written.replace(' ', "");
        unit_table::find(&glued, &glued.to_lowercase())
    })?;
    Some(Named { unit, vague: unit_table::is_bit_or_byte(&written) })
}

/// "5 ft 10 in", "half a mile", "2 hours and 30 minutes", "a mile".
pub(super) fn quantity(tokens: &[Token<'_>]) -> Option<Quantity> {
    // "a mile and a half"
    if let [whole_part @ .., and, a, half] = tokens
        && and.is("and")
        && a.is("a")
        && half.is("half")
    {
        let mut quantity = quantity(whole_part)?;
        let [(value, _)] = quantity.terms.as_mut_slice() else { return None };
        if !value.is_integer() {
            return None;
        }
        *value += whole(1) / whole(2);
        return Some(quantity);
    }
    let mut terms: Vec<(BigRational, Named)> = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let (value, used) = amount(rest)?;
        rest = rest.get(used..)?;
        // "5 foot 10", "5'10": inches are understood.
        let feet = terms.len() == 1 && terms.first().is_some_and(|(_, n)| n.unit.symbol == "ft");
        if feet && rest.is_empty() && value < whole(12) {
            terms.push((value, Named { unit: unit_table::find("in", "in")?, vague: false }));
            break;
        }
        let next = (1..rest.len())
            .find(|&i| rest[i - 1].is("'") || amount_starts(&rest[i..]))
            .unwrap_or(rest.len());
        let (unit_tokens, left) = rest.split_at_checked(next)?;
        let unit_tokens = match unit_tokens {
            [name @ .., joint] if !left.is_empty() && (joint.is("and") || joint.is(",")) => name,
            name => name,
        };
        terms.push((value, named(unit_tokens)?));
        rest = left;
    }
    let composed = terms.len() > 1;
    let descending = terms.windows(2).all(|pair| match pair {
        [(_, a), (n, b)] => {
            a.unit.kind == b.unit.kind && size(a.unit) > size(b.unit) && !n.is_negative()
        }
        _ => false,
    });
    let allowed = matches!(
        terms.first()?.1.unit.kind,
        Kind::Length | Kind::Mass | Kind::Time | Kind::Calendar | Kind::Volume
    );
    (!composed || (descending && allowed)).then_some(Quantity { terms })
}

/// The 2 of "ft2" and "ft^2" is no new amount, that of "5ft2in" is.
fn amount_starts(tokens: &[Token<'_>]) -> bool {
    let measured = match tokens {
        [_, unit, ..] => !unit.spaced && (unit.word().is_some() || unit.is("\"")),
        [last] => last.raw.len() > 1,
        [] => false,
    };
    tokens.first().is_some_and(|t| t.spaced || measured) && spelled(tokens).is_some()
}

/// The number before a unit: "5", "-40", "3/4", "half a", "a".
fn amount(tokens: &[Token<'_>]) -> Option<(BigRational, usize)> {
    let first = tokens.first()?;
    if first.is("-") || first.is("minus") || first.is("negative") {
        let (value, used) = amount(tokens.get(1..)?).filter(|(v, _)| !v.is_negative())?;
        return Some((-value, used + 1));
    }
    if let Some(number) = spelled(tokens) {
        let after = tokens.get(number.used);
        if number.used == 1
            && let (Some(slash), Some(below)) = (after, tokens.get(2))
            && slash.is("/")
            && let Some(divisor) = below.number().filter(|d| d.is_positive())
        {
            return Some((number.value / divisor, 3));
        }
        // "half a mile", "a quarter of an hour", "half an hour"
        let of = usize::from(number.fraction && after.is_some_and(|t| t.is("of")));
        let article = tokens.get(number.used + of).is_some_and(|t| t.is("a") || t.is("an"));
        let article = number.fraction && article;
        if of == 1 && !article {
            return None;
        }
        return Some((number.value, number.used + of + usize::from(article)));
    }
    (first.is("a") || first.is("an")).then(|| (whole(1), 1))
}

/// A unit alone, as in "how many mm in cm".
fn one(tokens: &[Token<'_>]) -> Option<Quantity> {
    Some(Quantity { terms: vec![(whole(1), named(tokens)?)] })
}

fn counted(tokens: &[Token<'_>], unit: Named) -> Option<Quantity> {
    let (value, used) = amount(tokens)?;
    (used == tokens.len()).then(|| Quantity { terms: vec![(value, unit)] })
}

pub(super) fn size(unit: &Unit) -> BigRational {
    // The table's test proves that every size is a positive number.
    unit.size.parse::<Number>().map_or_else(|_| whole(1), |n| n.as_rational().clone())
}

/// What is added to a temperature before it is scaled to kelvin.
fn offset(unit: &Unit) -> BigRational {
    let text = match unit.symbol {
        "°C" => "273.15",
        "°F" => "459.67",
        _ => "0",
    };
    text.parse::<Number>().map_or_else(|_| whole(0), |n| n.as_rational().clone())
}

fn convert(from: &Quantity, to: Named) -> Option<Solution> {
    let (first_value, first) = from.terms.first()?;
    let terms: Vec<(BigRational, &Unit)> = match ounces(first.unit, to.unit) {
        Some(fluid) if from.terms.len() == 1 => vec![(first_value.clone(), fluid)],
        _ => from.terms.iter().map(|(n, named)| (n.clone(), named.unit)).collect(),
    };
    let target = ounces(to.unit, first.unit).unwrap_or(to.unit);
    if terms.iter().any(|(_, unit)| unit.kind != target.kind) || std::ptr::eq(first.unit, to.unit) {
        return None;
    }
    let bitwise = |named: Named| named.unit.kind == Kind::Data && named.unit.symbol.contains("bit");
    if (first.vague && bitwise(to)) || (to.vague && bitwise(*first)) {
        return None;
    }
    let temperature = target.kind == Kind::Temperature;
    let mut base = whole(0);
    for (value, unit) in &terms {
        let shifted = if temperature { value + offset(unit) } else { value.clone() };
        base += bounded(shifted * size(unit))?;
    }
    if base.is_negative() {
        return None;
    }
    let value = base / size(target) - if temperature { offset(target) } else { whole(0) };
    let shown = measure(&bounded(value)?)?;
    let note = if target.note.is_empty() { terms.first()?.1.note } else { target.note };
    let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
    let steps = terms.iter().filter_map(|(_, unit)| relation(unit, target)).map(step).collect();
    let one = shown.number == Number::from(1);
    let symbol = if one { singular(target.symbol) } else { target.symbol };
    Some(Solution {
        solver: SOLVER,
        content: format!("{} {symbol}{note}", shown.text),
        answer: Canonical::Number(shown.number),
        steps,
    })
}

/// An ounce that meets a volume is a fluid ounce.
fn ounces(unit: &Unit, other: &Unit) -> Option<&'static Unit> {
    let fluid = unit.symbol == "oz" && other.kind == Kind::Volume;
    if fluid { unit_table::find("fl oz", "fl oz") } else { None }
}

/// "1 ft = 0.3048 m", or the formula of a temperature.
fn relation(from: &Unit, to: &Unit) -> Option<String> {
    Some(match (from.symbol, to.symbol) {
        ("°F", "°C") => "°C = (°F − 32) × 5/9".to_owned(),
        ("°C", "°F") => "°F = °C × 9/5 + 32".to_owned(),
        ("°C", "K") => "K = °C + 273.15".to_owned(),
        ("K", "°C") => "°C = K − 273.15".to_owned(),
        ("°F", "K") => "K = (°F + 459.67) × 5/9".to_owned(),
        ("K", "°F") => "°F = K × 9/5 − 459.67".to_owned(),
        (a, b) if a == b => return None,
        _ => {
            // Whichever way round is a decimal that ends; else rounded, and marked so.
            let ratio = size(from) / size(to);
            let (forth, back) = (measure(&ratio)?.text, measure(&ratio.recip())?.text);
            let line = |large: &Unit, figure: &str, small: &Unit| {
                let equals = if figure.starts_with('≈') { "" } else { "= " };
                format!("1 {} {equals}{figure} {}", singular(large.symbol), small.symbol)
            };
            if forth.starts_with('≈') && !back.starts_with('≈') {
                line(to, &back, from)
            } else {
                line(from, &forth, to)
            }
        }
    })
}

/// "days" → "day"; symbols of units stay.
pub(super) fn singular(symbol: &'static str) -> &'static str {
    match symbol {
        "centuries" => "century",
        "millennia" => "millennium",
        _ if symbol.len() > 3 => symbol.strip_suffix('s').unwrap_or(symbol),
        _ => symbol,
    }
}

static GRAMMAR: LazyLock<Grammar<Order>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Order)] = &[
    ("[convert|change|express|turn|switch] # to|in|into|as #", Order::Quantity),
    ("convert|change|express # in terms of #", Order::Quantity),
    ("# is|are|equals|equal|= how many #", Order::Quantity),
    ("# is|are equal to how many #", Order::Quantity),
    ("how much|long|far|tall|heavy|big|hot|fast|high|wide|cold is|are # in #", Order::Quantity),
    ("what temperature is # in #", Order::Quantity),
    ("# converted to|into #", Order::Quantity),
    ("# is what in #", Order::Quantity),
    ("how many # is|are|were|was [there] in #", Order::Wanted),
    ("how many # in #", Order::Wanted),
    ("how many # is|are|equals|equal #", Order::Wanted),
    ("how many # does|do # have|contain|make|equal", Order::Wanted),
    ("how many # make|makes [up] #", Order::Wanted),
    ("how many # per|to #", Order::Wanted),
    ("how many # go|fit into|in #", Order::Wanted),
    ("number of # in #", Order::Wanted),
    ("convert # from # to|into #", Order::Number),
];
