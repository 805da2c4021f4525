//! "I have two apples and a plum. How many fruits do I have?"

use crate::domain::Step;

use super::super::Solution;
use super::super::lexer::{Token, whole};
use super::super::number_words::spelled;
use super::super::question::starts_with;
use super::super::show::{numbered, step};
use super::kinds::{Kind, kind_of, singulars};
use super::sentences;

const SOLVER: &str = "counting";

/// Counts what of a list is of a kind, or is one thing that the list names.
pub(super) fn solve(tokens: &[Token<'_>]) -> Option<Solution> {
    let opening = OPENINGS
        .iter()
        .find_map(|(opening, asking)| Some((starts_with(tokens, opening)?, *asking)))?;
    let (skip, asking) = opening;
    let mut sentences = sentences(tokens.get(skip..)?);
    let (list, question, None) = (sentences.next()?, sentences.next()?, sentences.next()) else {
        return None;
    };
    let asked = question.get(starts_with(question, "how many")?..)?;
    let asked = CLOSINGS
        .iter()
        .find_map(|closing| {
            let start = asked.len().checked_sub(closing.split(' ').count())?;
            starts_with(asked.get(start..)?, closing)?;
            asked.get(..start)
        })
        .unwrap_or(asked);
    let end = asked.len().checked_sub(asking.split(' ').count())?;
    starts_with(asked.get(end..)?, asking)?;
    count(&things(list)?, asked.get(..end)?)
}

/// How the list is opened, and what its question must end with.
const OPENINGS: &[(&str, &str)] = &[
    ("i have", "do i have"),
    ("i've got", "do i have"),
    ("we have", "do we have"),
    ("you have", "do you have"),
    ("there are", "are there"),
    ("there is", "are there"),
];

const CLOSINGS: &[&str] = &["in total", "in all", "altogether"];

struct Thing {
    count: u64,
    /// The names that it may be called by, in the singular.
    names: Vec<String>,
    kind: Kind,
}

/// Each thing of the list, if all of them are known.
fn things(list: &[Token<'_>]) -> Option<Vec<Thing>> {
    list.split(|t| t.is(",") || t.is("and")).filter(|part| !part.is_empty()).map(thing).collect()
}

fn thing(part: &[Token<'_>]) -> Option<Thing> {
    let first = part.first()?;
    let (count, used) = match spelled(part) {
        Some(number) if number.value.is_integer() && number.value > whole(0) => {
            (u64::try_from(number.value.to_integer()).ok().filter(|n| *n < 1_000_000)?, number.used)
        }
        None if first.is("a") || first.is("an") => (1, 1),
        _ => return None,
    };
    let names = names(part.get(used..)?)?;
    let kind = names.iter().find_map(|name| kind_of(name))?;
    Some(Thing { count, names, kind })
}

/// "heads of broccoli", "lettuce head", "stalk of celery" are the plant.
fn names(noun: &[Token<'_>]) -> Option<Vec<String>> {
    let portion = |t: &Token<'_>| {
        ["head", "heads", "stalk", "stalks", "clove", "cloves", "bulb", "bulbs"]
            .iter()
            .any(|p| t.is(p))
    };
    let noun = match noun {
        [first, of, rest @ ..] if portion(first) && of.is("of") => rest,
        [rest @ .., last] if portion(last) && !rest.is_empty() => rest,
        all => all,
    };
    let words: Option<Vec<&str>> = noun.iter().map(Token::word).collect();
    let words = words.filter(|words| (1..=2).contains(&words.len()))?;
    Some(singulars(&words.join(" ")))
}

fn count(things: &[Thing], asked: &[Token<'_>]) -> Option<Solution> {
    let words: Option<Vec<&str>> = asked.iter().map(Token::word).collect();
    let words = words?.join(" ");
    let wanted = |thing: &&Thing| match words.as_str() {
        "fruits" | "pieces of fruit" | "fruit" => Some(thing.kind == Kind::Fruit),
        "vegetables" => Some(thing.kind == Kind::Vegetable),
        "animals" => Some(thing.kind == Kind::Animal),
        "musical instruments" | "instruments" => Some(thing.kind == Kind::Instrument),
        // An animal is an object to some.
        "objects" | "things" | "items" => (thing.kind != Kind::Animal).then_some(true),
        named => {
            let asked = singulars(named);
            Some(thing.names.iter().any(|name| kind_of(name).is_some() && asked.contains(name)))
        }
    };
    let mut found: Vec<&Thing> = Vec::new();
    for thing in things {
        if wanted(&thing)? {
            found.push(thing);
        }
    }
    // Of something that the list does not name, none are had; but it may be a kind unknown here.
    if found.is_empty() {
        return None;
    }
    let total: u64 = found.iter().map(|thing| thing.count).sum();
    let terms: Vec<String> = found.iter().map(|thing| thing.count.to_string()).collect();
    let steps: Vec<Step> = if terms.len() > 1 {
        vec![step(format!("{} = {total}", terms.join(" + ")))]
    } else {
        Vec::new()
    };
    numbered(SOLVER, total.to_string(), whole(total), steps)
}
