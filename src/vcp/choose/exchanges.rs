//! The exchanges of a conversation: what was asked, and what was answered to it.

use std::ops::Range;

use crate::domain::{Role, Turn};

/// The turns by exchange, in order and without gaps: the caller's turns up to the service's, and
/// the service's up to the caller's next. A conversation that begins with an answer has one
/// exchange without a question.
pub(super) fn exchanges(turns: &[Turn]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, pair) in (1..).zip(turns.windows(2)) {
        if pair[0].role == Role::Assistant && pair[1].role == Role::User {
            found.push(start..at);
            start = at;
        }
    }
    if start < turns.len() {
        found.push(start..turns.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns(roles: &str) -> Vec<Turn> {
        let role = |c| if c == 'u' { Role::User } else { Role::Assistant };
        roles.chars().map(|c| Turn { role: role(c), content: String::new() }).collect()
    }

    #[test]
    fn a_question_stays_with_its_answer() {
        assert_eq!(exchanges(&turns("uaua")), [0..2, 2..4]);
        assert_eq!(exchanges(&turns("auuaau")), [0..1, 1..5, 5..6]);
        assert!(exchanges(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_turn_is_in_one_exchange(roles in "[ua]{0,20}") {
            let all: Vec<usize> = exchanges(&turns(&roles)).into_iter().flatten().collect();
            prop_assert_eq!(all, (0..roles.len()).collect::<Vec<_>>());
        }
    }
}
