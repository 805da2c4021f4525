//! Replies that answer nothing.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::fold;

use super::clean::{pattern, undress, without_tokens};

/// Characters of a reply in which a refusal is looked for: refusals come first, and a hedge at the
/// end of a worked answer does not undo it.
const OPENING: usize = 400;

static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:(?:i'm|i am|we're) )?(?:very |so )?sorry\b.{0,80}\b(?:can't|cannot|can not|unable|not able|don't|do not|won't)\b",
        r"|\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b.{0,120}\b(?:can't|cannot|unable|not able|don't|do not|no access)\b",
        r"|^(?:unfortunately,? |honestly,? |well,? )?(?:i|we) (?:really |just |simply |truly )?(?:don't|do not|didn't|did not) (?:have (?:any |an |the |enough |sufficient )?(?:\w+ )?(?:answer|idea|information|access|clue|data|knowledge|context)|know)\b",
        r"|^(?:unfortunately,? )?(?:i|we) (?:can't|cannot|can not|am unable to|'m unable to|are unable to|am not able to|'m not able to|could not|couldn't) (?:answer|help|assist|provide|determine|tell|find|solve|say|do that|comply|access|comment|calculate)\b",
        r"|^i'm (?:unable|not able) to\b",
        r"|^(?:the |this )?(?:question|problem|answer|it|this)?\s*(?:is |are |cannot be |can't be |can not be )(?:unanswerable|not answerable|unknown|determined|answered|not (?:possible|provided|specified|given|known)|incomplete|undetermined|insufficient)\b.{0,80}$",
        r"|^(?:there is |there's )?(?:not enough|insufficient|no) (?:information|data|context|answer|details)\b",
        r"|^(?:unknown|n/?a|none|null|nil|undefined|unanswerable|no answer|not sure|not possible|impossible to (?:say|tell|determine|know)|no idea|not applicable|i'm not sure|i am not sure|error|\?+|-+|\.+|…)$",
    ))
});

/// Whether a reply answers nothing: empty, a refusal, a plea of ignorance, a placeholder. An answer
/// that merely opens with doubt and then commits is not one.
#[must_use]
pub fn is_non_answer(text: &str) -> bool {
    let cleaned = without_tokens(&text[..text.floor_char_boundary(4 * OPENING)]);
    let folded = fold(undress(&cleaned));
    let opening = folded[..folded.floor_char_boundary(OPENING)].trim();
    if !opening.chars().any(char::is_alphanumeric) {
        // Signs alone can be an answer, as the closing brackets of a sequence are.
        return !opening.chars().any(|c| "()[]{}<>+-*/=&|^%$#@~".contains(c)) || opening == "-";
    }
    REFUSAL.is_match(opening)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pleas_of_ignorance_are_no_answers() {
        for text in [
            "",
            "   \n",
            "I don't know.",
            "I'm sorry, but I can't help with that.",
            "As an AI language model, I cannot browse the internet.",
            "There is not enough information to answer.",
            "N/A",
            "Not possible",
            "The question is incomplete as it does not provide the original price of the milk.",
            "</s></s>",
            "Unfortunately, I don't have access to live data.",
            "...",
        ] {
            assert!(is_non_answer(text), "{text:?}");
        }
    }

    #[test]
    fn answers_that_sound_like_doubt_are_answers() {
        for text in [
            "No",
            "None of the penguins are older, so the answer is 0.",
            "I don't think so: 17 is prime, hence yes.",
            ") }",
            "18",
            "The unknown is x = 4.",
            "Sorry for the delay. The result is 12.",
            "He cannot afford it, so 0 eggs.",
        ] {
            assert!(!is_non_answer(text), "{text:?}");
        }
    }
}
