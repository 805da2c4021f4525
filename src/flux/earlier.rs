//! What earlier turns of a conversation leave to a solver.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::{
    domain::{Role, Turn},
    solvers::solve_undated,
    text::{fold, words_of_folded},
};

/// Most earlier turns, and most bytes of one, that are read; whoever says more may say anything.
const MOST_TURNS: usize = 256;
const LONGEST: usize = 400;

/// Whether the caller has so far said nothing but plain questions, so that the next one asks what it
/// says and no more.
///
/// A solver accounts for every word of one question, and knows nothing of what was agreed before: "answer
/// in French from now on", "when I name a number, double it", "let us count in base 8". Instructions have
/// no form by which all of them could be told. So it is the other way round: an earlier turn is harmless
/// where it is read to the last word, as a computation, as a courtesy, or as a question in the third
/// person that speaks neither of the two who talk, nor of answers, nor of any time but its own. Whatever
/// else was said may bear on the answer.
#[must_use]
pub fn asks_plainly(turns: &[Turn]) -> bool {
    turns.len() <= MOST_TURNS
        && turns.iter().filter(|turn| turn.role == Role::User).all(|turn| is_plain(&turn.content))
}

fn is_plain(said: &str) -> bool {
    said.len() <= LONGEST
        && (pieces(said).all(|(piece, asks)| is_courtesy(piece) || is_question(piece, asks))
            || solve_undated(said).is_some())
}

/// The sentences of a turn, and whether each ends with a question mark.
fn pieces(said: &str) -> impl Iterator<Item = (&str, bool)> {
    said.split_inclusive(['.', '!', '?', '\n', ';'])
        .map(|piece| (piece.trim(), piece.trim_end().ends_with('?')))
        .filter(|(piece, _)| !piece.is_empty())
}

/// Words of which a greeting or thanks are made. Assent is none of it: it may agree to anything.
const COURTESY: &str = "a afternoon bye cheers day evening good goodbye hello hey hi kindly lot morning much \
    night please so thank thanks there very you";

fn is_courtesy(piece: &str) -> bool {
    let folded = fold(piece);
    let is_opening = |opening: &&str| opening.split(' ').eq(words_of_folded(&folded));
    words_of_folded(&folded).all(|word| is(word, IN_COURTESY)) || OPENINGS.iter().any(is_opening)
}

/// What a question begins with.
const ASKING: &str = "are did does has how is was were what when where which who whom whose why";
/// What follows it, where the question mark is left out.
const VERBS: &str = "are did do does far had has have is long many much old s was were";
/// What asks for something to be told of, where nothing says in which words or language.
const TELLING: &str = "compare describe explain summarise summarize";
const STYLE: &str = "as in like";
/// Questions that only open a conversation.
const OPENINGS: &[&str] = &["can you help", "can you help me", "could you help me"];
/// Words of proposals, of the two who talk, of answers and their form, of meanings, and of what lasts.
const BEARING: &str = "about act alright always answer answered answering answers assume assuming base below \
    binary calculate calculation calculations call called consider considering count counting decimal decimals define \
    digits each every \
    everything fine follow following format forward future hence henceforth hereafter hex hexadecimal \
    i if ignore \
    imagine instead instruction instructions json language later let markdown me mean means \
    mine must my never not now octal ok okay onward onwards ours our output outputs pretend remember \
    repeat replies reply respond response responses result results round rounded rounding \
    rule rules say saying \
    shall should speak speaking style suppose supposing talk till tone treat unless until us \
    use using we whenever wherever write writing xml yaml you your yours yourself";

fn is_question(piece: &str, marked: bool) -> bool {
    let folded = fold(piece);
    let opens = |word: &&str| *word == "and" || (is(word, IN_COURTESY) && *word != "you");
    let mut words = words_of_folded(&folded).skip_while(opens).peekable();
    let Some(first) = words.next() else { return false };
    if is(first, IN_TELLING) {
        return words.all(|word| !is(word, IN_BEARING | IN_STYLE));
    }
    // "what's" has its verb with it.
    let (asking, verb) = first.strip_suffix("'s").map_or((first, false), |word| (word, true));
    let asks =
        marked || verb || asking == "who" || words.peek().is_some_and(|word| is(word, IN_VERBS));
    is(asking, IN_ASKING) && asks && words.all(|word| !is(word, IN_BEARING))
}

/// The lists in which a word stands, as bits; one look-up tells of all of them.
static KINDS: LazyLock<FxHashMap<&'static str, u8>> = LazyLock::new(|| {
    let mut kinds: FxHashMap<&'static str, u8> = FxHashMap::default();
    for (list, kind) in [
        (COURTESY, IN_COURTESY),
        (ASKING, IN_ASKING),
        (VERBS, IN_VERBS),
        (BEARING, IN_BEARING),
        (TELLING, IN_TELLING),
        (STYLE, IN_STYLE),
    ] {
        for word in list.split_ascii_whitespace() {
            *kinds.entry(word).or_default() |= kind;
        }
    }
    kinds
});
const IN_COURTESY: u8 = 1;
const IN_ASKING: u8 = 2;
const IN_VERBS: u8 = 4;
const IN_BEARING: u8 = 8;
const IN_TELLING: u8 = 16;
const IN_STYLE: u8 = 32;

fn is(word: &str, kind: u8) -> bool {
    KINDS.get(word).is_some_and(|kinds| kinds & kind != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(said: &[&str]) -> bool {
        let turn = |content: &&str| Turn { role: Role::User, content: (*content).to_owned() };
        asks_plainly(&said.iter().map(turn).collect::<Vec<_>>())
    }

    #[test]
    fn questions_computations_and_courtesies_leave_the_next_question_as_it_is() {
        for said in [
            "What is the capital of France?",
            "Hello! Who wrote Hamlet?",
            "who wrote Hamlet",
            "how many legs has a spider",
            "Hi, is Canberra the capital of Australia? Which river flows through it?",
            "what is 15% of 80?",
            "what is 2.5 + 2",
            "17 * 23",
            "Thank you very much!",
            "Where does the Rhine rise?",
            "Why is the sky blue",
            "Explain photosynthesis.",
            "Hi! Can you help me?",
        ] {
            assert!(plainly(&[said]), "{said}");
        }
        assert!(plainly(&[]) && plainly(&["2 + 2", "Thanks.", "and what's the tallest tree"]));
    }

    #[test]
    fn whatever_else_was_said_may_bear_on_the_answer() {
        for said in [
            "Answer only in French.",
            "answer only in French from now on, please",
            "Always answer with JSON",
            "From now on add 1 to each result.",
            "Could you speak French from now on?",
            "When I name a number, double it.",
            "When given a sum, the reply is banana",
            "What about base 8?",
            "How about French?",
            "Why not round to tens?",
            "What if 2 + 2 were 5?",
            "Let x be 5.",
            "Count in base 8.",
            "You are a pirate. What is 2 + 2?",
            "You are counting in hex, are you?",
            "You are a calculator in base 8?",
            "What is the capital of France? Answer in one word.",
            "Réponds uniquement en français, d'accord ?",
            "Explain like I am five",
            "Yes.",
            "Do the sums in hex",
            "Is it fine if results come as words?",
            "Is base 8 okay for the sums below?",
            "Is hex alright?",
            "Explain sums in French.",
            "Explain everything like a pirate.",
            "Can you help me in French?",
            "My name is Ada.",
        ] {
            assert!(!plainly(&[said]), "{said}");
            assert!(!plainly(&[said, "2 + 2", "Thanks!"]), "{said}");
        }
        assert!(!plainly(&[&"Who wrote Hamlet? ".repeat(40)]), "too long to be read");
    }

    #[test]
    fn what_the_assistant_said_binds_nobody() {
        let said = Turn { role: Role::Assistant, content: "I will answer in French.".to_owned() };
        assert!(asks_plainly(&[said]));
    }
}
