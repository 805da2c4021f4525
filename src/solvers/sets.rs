//! Sets that are written out: union, intersection, difference, membership, size.

use std::sync::LazyLock;

use crate::domain::Number;
use crate::text::fold;

use super::Solution;
use super::comparison::yes_no;
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{as_written, listed, numbered, step};

const SOLVER: &str = "sets";
/// Most elements of one set.
const MAX_ELEMENTS: usize = 200;

/// Answers questions about sets in braces or brackets.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    // Cheap to tell: without a bracket there is no set.
    if !body.iter().any(|t| t.is("{") || t.is("[") || t.is("duplicates")) {
        return None;
    }
    GRAMMAR.find(body, |answer, holes| answer(holes))
}

/// An element as written and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Element {
    written: String,
    key: String,
    number: Option<Number>,
}

/// `{1, 2, 3}` or `[a, b]`, or with a name before it: `A = {1, 2}`.
fn set(hole: &[Token<'_>]) -> Option<Vec<Element>> {
    let hole = match hole {
        [name, equals, rest @ ..]
            if equals.is("=") && name.raw.len() == 1 && name.word().is_some() =>
        {
            rest
        }
        [the, set, rest @ ..] if the.is("the") && (set.is("set") || set.is("list")) => rest,
        [set, rest @ ..] if set.is("set") || set.is("sets") || set.is("list") => rest,
        all => all,
    };
    let [open, inner @ .., close] = hole else { return None };
    let fits = (open.is("{") && close.is("}")) || (open.is("[") && close.is("]"));
    fits.then(|| elements(inner))?
}

fn elements(inner: &[Token<'_>]) -> Option<Vec<Element>> {
    if inner.is_empty() {
        return Some(Vec::new());
    }
    // The lexer reads `2,345` as one number: within a set that is open.
    if inner.len() > 4 * MAX_ELEMENTS
        || inner.iter().any(|t| t.number().is_some() && t.raw.contains(','))
    {
        return None;
    }
    let mut found: Vec<Element> = Vec::new();
    for part in inner.split(|t| t.is(",") || t.is(";")) {
        let element = match part {
            [minus, number] if minus.is("-") && number.number().is_some() => {
                element(&format!("-{}", number.raw))
            }
            [one] if one.number().is_some() || one.word().is_some() => element(one.raw),
            [quoted] => match &quoted.kind {
                super::lexer::Kind::Quoted(text) => element(text),
                _ => return None,
            },
            _ => return None,
        };
        if !found.iter().any(|e| e.key == element.key) {
            found.push(element);
        }
    }
    (found.len() <= MAX_ELEMENTS).then_some(found)
}

fn element(written: &str) -> Element {
    let number: Option<Number> = written.parse().ok();
    let written = number.as_ref().map_or(written, |n| as_written(written, n.as_rational()));
    let key = number.as_ref().map_or_else(|| fold(written), Number::to_string);
    Element { written: written.to_owned(), key, number }
}

/// Numbers ascend; what has other elements keeps their order.
fn shown(mut elements: Vec<Element>) -> Option<Solution> {
    if elements.iter().all(|e| e.number.is_some()) {
        elements.sort_by(|a, b| a.number.cmp(&b.number));
    }
    let written: Vec<&str> = elements.iter().map(|e| e.written.as_str()).collect();
    let content = if elements.is_empty() {
        "{} (the empty set)".to_owned()
    } else {
        format!("{{{}}}", written.join(", "))
    };
    let keys = elements.iter().map(|e| e.key.clone()).collect();
    listed(SOLVER, content, keys, Vec::new())
}

fn two(holes: Holes<'_, '_>) -> Option<(Vec<Element>, Vec<Element>)> {
    let [a, b] = holes else { return None };
    Some((set(a)?, set(b)?))
}

fn holds(set: &[Element], element: &Element) -> bool {
    set.iter().any(|e| e.key == element.key)
}

fn union(holes: Holes<'_, '_>) -> Option<Solution> {
    let (mut a, b) = two(holes)?;
    let new: Vec<Element> = b.into_iter().filter(|e| !holds(&a, e)).collect();
    a.extend(new);
    shown(a)
}

fn intersection(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    shown(a.into_iter().filter(|e| holds(&b, e)).collect())
}

fn difference(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    shown(a.into_iter().filter(|e| !holds(&b, e)).collect())
}

fn in_second(holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    difference(&[b, a])
}

fn symmetric(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    let only_b: Vec<Element> = b.iter().filter(|e| !holds(&a, e)).cloned().collect();
    shown(a.into_iter().filter(|e| !holds(&b, e)).chain(only_b).collect())
}

fn subset(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    let missing = a.iter().find(|e| !holds(&b, e));
    let working = missing.map(|e| step(format!("{} is in the first only", e.written)));
    Some(yes_no(SOLVER, missing.is_none(), working.into_iter().collect()))
}

fn superset(holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    subset(&[b, a])
}

fn same(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    let equal = a.len() == b.len() && a.iter().all(|e| holds(&b, e));
    Some(yes_no(SOLVER, equal, Vec::new()))
}

fn disjoint(holes: Holes<'_, '_>) -> Option<Solution> {
    let (a, b) = two(holes)?;
    Some(yes_no(SOLVER, !a.iter().any(|e| holds(&b, e)), Vec::new()))
}

fn member(holes: Holes<'_, '_>) -> Option<Solution> {
    let [one, all] = holes else { return None };
    let (one, all) = (elements(one)?, set(all)?);
    let [one] = one.as_slice() else { return None };
    Some(yes_no(SOLVER, holds(&all, one), Vec::new()))
}

fn size(holes: Holes<'_, '_>) -> Option<Solution> {
    let hole = holes.first()?;
    let set = set(hole)?;
    // Written twice: one element or two?
    let commas = hole.iter().filter(|t| t.is(",") || t.is(";")).count();
    let twice = !set.is_empty() && commas + 1 != set.len();
    if twice { None } else { numbered(SOLVER, set.len().to_string(), whole(set.len()), Vec::new()) }
}

fn subsets(holes: Holes<'_, '_>) -> Option<Solution> {
    let count = set(holes.first()?)?.len();
    let number = 1u64.checked_shl(u32::try_from(count).ok()?).filter(|_| count < 60)?;
    numbered(SOLVER, number.to_string(), whole(number), vec![step(format!("2^{count} = {number}"))])
}

/// "remove duplicates from 1, 2, 2": in the order of their first appearance.
fn distinct(holes: Holes<'_, '_>) -> Option<Solution> {
    let hole = holes.first()?;
    let bracketed = set(hole);
    let unframed = bracketed.is_none();
    let found = bracketed.or_else(|| elements(hole).filter(|e| !e.is_empty() && hole.len() > 1))?;
    let written: Vec<&str> = found.iter().map(|e| e.written.as_str()).collect();
    let inner = written.join(", ");
    let content = match hole.first() {
        Some(open) if open.is("[") => format!("[{inner}]"),
        _ if unframed => inner,
        _ => format!("{{{inner}}}"),
    };
    listed(SOLVER, content, found.iter().map(|e| e.key.clone()).collect(), Vec::new())
}

type Phrase = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("union of [the] [sets] # and|with|, #", union),
    ("# union [with] #", union),
    ("# ∪ #", union),
    ("union # and|with|, #", union),
    ("intersection of [the] [sets] # and|with|, #", intersection),
    ("intersect # and|with #", intersection),
    ("# intersect|intersection [with] #", intersection),
    ("# intersected with #", intersection),
    ("# ∩ #", intersection),
    ("[which] common elements of|in|between # and #", intersection),
    ("[which] [what] elements do # and # have in common", intersection),
    ("elements [that] [are] common to # and #", intersection),
    ("[which] [what] elements are [in] [common] [to] both # and #", intersection),
    ("what do # and # have in common", intersection),
    ("[set] difference of # and #", difference),
    ("# minus|-|\\|∖|without #", difference),
    ("[which] [what] elements of # are not in #", difference),
    ("elements of|in # [that] [are] not in #", difference),
    ("[which] [what] elements are in # but not [in] #", difference),
    ("elements in # but not [in] #", difference),
    ("subtract # from #", in_second),
    ("symmetric difference of|between # and #", symmetric),
    ("is # a subset of #", subset),
    ("is # a superset of #", superset),
    ("# ⊆ #", subset),
    ("are # and # disjoint", disjoint),
    ("are # and # equal|equivalent", same),
    ("are # and # the same [set]", same),
    ("is # equal to #", same),
    ("is # the same [set] as #", same),
    ("is # in #", member),
    ("is # an|a element|member of #", member),
    ("does # contain #", |h| match h {
        [all, one] => member(&[one, all]),
        _ => None,
    }),
    ("# ∈ #", member),
    ("how many elements are|is [there] in #", size),
    ("how many elements does # have|contain", size),
    ("number of elements in #", size),
    ("cardinality|size of #", size),
    ("how many subsets does # have", subsets),
    ("how many subsets are there of #", subsets),
    ("number of subsets of #", subsets),
    ("remove [the] duplicates from [the] [list] [:] #", distinct),
    ("# without duplicates", distinct),
    ("[which] unique|distinct elements of|in #", distinct),
];
