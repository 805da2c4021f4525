//! "If you follow these instructions, do you return to the starting point?"

use super::super::Solution;
use super::super::comparison::yes_no;
use super::super::lexer::Token;
use super::super::number_words::spelled;
use super::super::question::starts_with;
use super::super::show::step;
use super::{are_yes_no, parted, sentences};

const SOLVER: &str = "walk";

/// Walks the steps on a plane.
pub(super) fn solve(tokens: &[Token<'_>]) -> Option<Solution> {
    let (tokens, options) = parted(tokens);
    let opening = starts_with(
        tokens,
        "if you follow these instructions , do you return to the starting point",
    )?;
    if options.is_some_and(|options| !are_yes_no(options)) {
        return None;
    }
    let mut walker = Walker { x: 0, y: 0, facing: (0, 1), fixed: false };
    let mut told = false;
    for sentence in sentences(tokens.get(opening..)?) {
        walker.follow(sentence)?;
        told = true;
    }
    let home = walker.x == 0 && walker.y == 0;
    let working =
        step(format!("ends {} to the right and {} ahead of the start", walker.x, walker.y));
    told.then(|| yes_no(SOLVER, home, vec![working]))
}

struct Walker {
    x: i64,
    y: i64,
    facing: (i64, i64),
    /// Always faces forward: "left" is a direction to step in.
    fixed: bool,
}

impl Walker {
    fn follow(&mut self, sentence: &[Token<'_>]) -> Option<()> {
        let all = |phrase| starts_with(sentence, phrase) == Some(sentence.len());
        let (x, y) = self.facing;
        if all("always face forward") {
            self.fixed = true;
        } else if all("turn left") && !self.fixed {
            self.facing = (-y, x);
        } else if all("turn right") && !self.fixed {
            self.facing = (y, -x);
        } else if all("turn around") && !self.fixed {
            self.facing = (-x, -y);
        } else {
            let [take, rest @ ..] = sentence else { return None };
            let number = spelled(rest).filter(|n| n.value.is_integer())?;
            let count = i64::try_from(number.value.to_integer())
                .ok()
                .filter(|n| (0..=1_000_000).contains(n))?;
            let [steps, way @ ..] = rest.get(number.used..)? else { return None };
            if !take.is("take") || !(steps.is("step") || steps.is("steps")) {
                return None;
            }
            let (dx, dy) = match way {
                [] => (x, y),
                [way] if way.is("forward") => (x, y),
                [way] if way.is("backward") || way.is("backwards") => (-x, -y),
                [way] if way.is("left") => (-y, x),
                [way] if way.is("right") => (y, -x),
                _ => return None,
            };
            self.x += dx * count;
            self.y += dy * count;
        }
        Some(())
    }
}
