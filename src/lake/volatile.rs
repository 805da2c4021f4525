//! Questions whose answer changes by itself: what time it is, what something costs, how the weather
//! is, who leads, who holds an office, and what chance decides.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::text::number_named;

/// Words that tie an answer to a moment, to a person or to chance.
const WORDS: &[&str] = &[
    "ago",
    "coin",
    "current",
    "currently",
    "dice",
    "forecast",
    "headlines",
    "i'm",
    "i've",
    "latest",
    "me",
    "mine",
    "moment",
    "my",
    "myself",
    "newest",
    "news",
    "now",
    "nowadays",
    "our",
    "presently",
    "recent",
    "recently",
    "shuffle",
    "today",
    "today's",
    "tomorrow",
    "tonight",
    "traffic",
    "uuid",
    "weather",
    "yesterday",
];

/// Phrases of the same kind; a question that holds one of them in this order is volatile.
const PHRASES: &[&[&str]] = &[
    &["exchange", "rate"],
    &["last", "month"],
    &["last", "night"],
    &["last", "week"],
    &["last", "year"],
    &["market", "cap"],
    &["net", "worth"],
    &["next", "month"],
    &["next", "week"],
    &["next", "year"],
    &["share", "price"],
    &["so", "far"],
    &["stock", "price"],
    &["temperature", "outside"],
    &["the", "date"],
    &["the", "temperature", "in"],
    &["the", "time"],
    &["this", "afternoon"],
    &["this", "evening"],
    &["this", "month"],
    &["this", "morning"],
    &["this", "week"],
    &["this", "year"],
    &["time", "is", "it"],
    &["time", "left"],
    &["up", "to", "date"],
];

/// What makes a question volatile, by its first word: one look-up tells that a word begins nothing
/// of the kind.
static WATCHED: LazyLock<FxHashMap<&'static str, Vec<Vec<&'static str>>>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|word| vec![*word]);
    let phrases = PHRASES.iter().map(|phrase| phrase.to_vec());
    let mut watched = FxHashMap::<_, Vec<_>>::default();
    for phrase in words.chain(phrases) {
        if let Some(&first) = phrase.first() {
            watched.entry(first).or_default().push(phrase);
        }
    }
    watched
});

/// Words of chance, which tie an answer to it only where the question asks for something to be made
/// or picked: "random access" is always the same.
const CHANCE: &[&str] = &["random", "randomly"];
const MAKING: &[&str] = &[
    "choose", "create", "draw", "generate", "give", "invent", "make", "name", "need", "pick",
    "roll", "say", "select", "show", "suggest", "tell", "think", "want", "write",
];
/// What throws, and what is picked from: "roll a die", "pick a card". Without the article it is
/// about the thing: "roll call".
const THROWING: &[&str] = &["roll", "flip", "toss", "spin"];
const PICKING: &[&str] = &["pick", "choose", "guess", "draw", "select"];
const ANY: &[&str] = &["a", "an", "any", "one", "some", "two", "three"];

/// What follows a "yet" that means "but".
const AFTER_BUT: &[&str] = &[
    "are", "can", "cannot", "did", "do", "does", "has", "have", "is", "not", "was", "were", "will",
];

/// Units of the calendar: "what month is it".
const CALENDAR: &[&str] = &[
    "century", "date", "day", "decade", "hour", "month", "quarter", "season", "time", "week",
    "weekday", "year",
];
/// What "is it" can end in where it asks for the moment or the weather.
const NOWISH: &[&str] = &[
    "afternoon",
    "april",
    "august",
    "autumn",
    "christmas",
    "cloudy",
    "cold",
    "dark",
    "december",
    "early",
    "easter",
    "evening",
    "fall",
    "february",
    "foggy",
    "freezing",
    "friday",
    "hot",
    "january",
    "july",
    "june",
    "late",
    "light",
    "march",
    "may",
    "midnight",
    "monday",
    "morning",
    "night",
    "noon",
    "november",
    "october",
    "outside",
    "raining",
    "rainy",
    "saturday",
    "september",
    "snowing",
    "spring",
    "summer",
    "sunday",
    "sunny",
    "thursday",
    "tuesday",
    "warm",
    "wednesday",
    "weekend",
    "windy",
    "winter",
];
/// How a present state is asked for beside that: "is it still raining".
const DEGREES: &[&str] = &["a", "already", "getting", "really", "so", "still", "too", "very"];

/// Who holds one of these changes without notice.
const OFFICES: &[&str] = &[
    "ceo",
    "cfo",
    "champion",
    "champions",
    "chairman",
    "chancellor",
    "chairperson",
    "chief",
    "cto",
    "director",
    "emperor",
    "governor",
    "head",
    "king",
    "leader",
    "manager",
    "mayor",
    "minister",
    "monarch",
    "owner",
    "pm",
    "pope",
    "premier",
    "president",
    "queen",
    "richest",
    "secretary",
    "senator",
    "speaker",
    "wealthiest",
];
/// What one does who holds one.
const HOLDING: &[&str] =
    &["governs", "heads", "holds", "leads", "leading", "owns", "rules", "runs", "winning"];
/// What is won over and over.
const CONTESTS: &[&str] = &[
    "championship",
    "cup",
    "derby",
    "election",
    "elections",
    "final",
    "finals",
    "fight",
    "game",
    "league",
    "match",
    "oscar",
    "oscars",
    "race",
    "series",
    "superbowl",
    "title",
    "tournament",
];

/// Units that "how much is a …" may be about: what a kilo is in pounds stays.
const MEASURES: &[&str] = &[
    "acre",
    "cup",
    "foot",
    "gallon",
    "gram",
    "grams",
    "inch",
    "kg",
    "kilo",
    "kilogram",
    "kilometer",
    "km",
    "liter",
    "litre",
    "lb",
    "mile",
    "milligrams",
    "ml",
    "ounce",
    "ounces",
    "oz",
    "percent",
    "pint",
    "pound",
    "quart",
    "tablespoon",
    "teaspoon",
    "ton",
    "yard",
];
/// Most words that follow "how much is" where it asks for a price.
const THING: usize = 3;

/// Whether the answer to these words changes by itself. They are folded, without politeness.
/// `is_sum`: whether the text tells the figures it asks about; then it stays, whatever it is of.
pub(super) fn changes_by_itself(words: &[&str], is_sum: bool) -> bool {
    let watched = |(at, word): (usize, &&str)| {
        WATCHED.get(word).is_some_and(|phrases| {
            let rest = words.get(at..).unwrap_or_default();
            phrases.iter().any(|phrase| rest.starts_with(phrase))
        })
    };
    words.iter().enumerate().any(watched)
        || is_left_to_chance(words)
        || is_of_the_hour(words)
        || is_of_an_age(words)
        || is_of_a_score(words)
        || !is_sum && is_of_a_price(words)
        || !words.iter().any(|word| is_year(word) || is_rank(word)) && is_of_a_holder(words)
}

/// Whether the folded words of a text tell the figures of a sum: two of them, and by which they go
/// together ("3 pens at $2 each"). A name has figures too: an "iPhone 15" of "256 GB" is priced.
pub(super) fn tells_a_sum(words: &[&str], sentences: usize) -> bool {
    const TOGETHER: &[&str] =
        &["altogether", "apiece", "each", "if", "per", "remain", "than", "then", "total"];
    let is_figure = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_digits = digits.bytes().all(|b| b.is_ascii_digit() || b".,".contains(&b));
        (is_digits && !digits.is_empty()) || (word != "one" && number_named(word).is_some())
    };
    words.iter().filter(|word| is_figure(word)).count() >= 2
        && (sentences > 1 || words.iter().any(|word| TOGETHER.contains(word)))
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u16>().is_ok_and(|year| (1000..2200).contains(&year))
}

/// "44th"; who was it stays so.
fn is_rank(word: &str) -> bool {
    let number = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// "How old is Madonna", and not "how old are the pyramids", which count in centuries.
fn is_of_an_age(words: &[&str]) -> bool {
    const LIVING: &[&str] =
        &["actor", "actress", "alive", "living", "man", "person", "singer", "woman"];
    let of_a_thing = |rest: &[&str]| {
        matches!(rest, ["the", ..])
            && !rest.iter().any(|word| OFFICES.contains(word) || LIVING.contains(word))
    };
    words.windows(3).enumerate().any(|(at, three)| {
        matches!(three, ["how", "old", "is" | "are"])
            && !of_a_thing(words.get(at + 3..).unwrap_or_default())
    })
}

/// "What is the score", and not "the score of a strike in bowling".
fn is_of_a_score(words: &[&str]) -> bool {
    words.windows(2).enumerate().any(|(at, two)| {
        two == ["the", "score"]
            && !matches!(words.get(at + 2..), Some(["of" | "for", "a" | "an", ..]))
    })
}

fn is_left_to_chance(words: &[&str]) -> bool {
    let says = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let throws = |pair: &[&str]| match pair {
        [verb, any] => ANY.contains(any) && THROWING.contains(verb),
        _ => false,
    };
    let picks = match words {
        [verb, any, rest @ ..] => {
            PICKING.contains(verb) && ANY.contains(any) && rest.len() <= THING
        }
        _ => false,
    };
    let of_chance =
        says(CHANCE) && (says(MAKING) || words.first().is_some_and(|w| CHANCE.contains(w)));
    of_chance || picks || words.get(..2).is_some_and(throws)
}

fn is_of_the_hour(words: &[&str]) -> bool {
    let awaited = words.iter().enumerate().any(|(at, word)| {
        *word == "yet" && !words.get(at + 1).is_some_and(|next| AFTER_BUT.contains(next))
    });
    let asks_for_now = words.windows(4).any(|four| match four {
        ["what" | "which", unit, "is", "it"] => CALENDAR.contains(unit),
        _ => false,
    });
    // "Is it late", and not "is it too late to learn".
    let is_it = |rest: &[&str]| {
        let bare =
            rest.split(|word| matches!(*word, "in" | "at" | "on")).next().unwrap_or_default();
        bare.last().is_some_and(|last| NOWISH.contains(last))
            && bare.iter().all(|word| DEGREES.contains(word) || NOWISH.contains(word))
    };
    let state = match words {
        ["is" | "isn't", "it", rest @ ..] => is_it(rest),
        ["how", what, "is", "it", rest @ ..] => {
            NOWISH.contains(what) && rest.iter().all(|word| NOWISH.contains(word) || *word == "in")
        }
        ["will", "it", "rain" | "snow" | "be", ..] => true,
        _ => false,
    };
    // "How long until Christmas" counts from today.
    let counts = match words {
        ["how", "long" | "many" | "much", rest @ ..] => {
            rest.iter().any(|word| matches!(*word, "until" | "till" | "'til" | "til"))
                || rest.last() == Some(&"left")
        }
        _ => false,
    };
    awaited || asks_for_now || state || counts
}

fn is_of_a_price(words: &[&str]) -> bool {
    let says = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let asks_what = matches!(words, ["what" | "what's" | "whats", ..]);
    let priced = words.windows(2).any(|two| match two {
        ["price" | "prices", "of"] => true,
        ["cost" | "costs", "of" | "to"] => asks_what,
        _ => false,
    });
    let asked = match words {
        ["how", "much" | "expensive" | "cheap", "is" | "are", rest @ ..] => {
            let measure = rest
                .iter()
                .any(|w| MEASURES.contains(w) || MEASURES.contains(&w.trim_end_matches('s')));
            let short = !rest.is_empty() && rest.len() <= THING && !measure;
            short || rest.contains(&"worth")
        }
        ["how", "much" | "expensive" | "cheap", ..] => {
            says(&["cost", "costs", "charge", "charges", "pay", "sell", "sells", "worth", "earn"])
        }
        ["what", "does" | "do" | "will" | "would", ..] => says(&["cost"]),
        ["what", "is" | "are", .., "worth"] | ["what's", .., "worth"] => true,
        _ => false,
    };
    priced || asked
}

fn is_of_a_holder(words: &[&str]) -> bool {
    match words {
        ["who", "is" | "are", rest @ ..] | ["who's", rest @ ..] => {
            // "Who is the president of France", and not "who is the author of The King".
            // Nor "who is King Lear": a title before a name.
            if let [title, name, ..] = rest
                && ["king", "queen", "emperor", "pope"].contains(title)
                && !["of", "in"].contains(name)
            {
                return false;
            }
            let article = rest.strip_prefix(&["the"]).unwrap_or(rest);
            article.iter().take(THING).any(|word| OFFICES.contains(word) || HOLDING.contains(word))
        }
        ["who", verb, ..] if HOLDING.contains(verb) => true,
        ["who", "won" | "wins" | "scored", rest @ ..]
        | ["did", _, "win" | "lose" | "score", rest @ ..] => {
            rest.is_empty() || rest.iter().take(THING).any(|word| CONTESTS.contains(word))
        }
        _ => false,
    }
}
