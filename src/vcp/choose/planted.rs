//! Conversations in which one exchange, long ago, holds what the present input needs.

use crate::domain::{Role, Turn};

/// Cases that were looked at while the choice was made.
pub(super) const KNOWN: &str = include_str!("planted/known.txt");
/// Cases for counting only.
pub(super) const HELD_OUT: &str = include_str!("planted/held_out.txt");

/// What was asked, and what was answered to it.
type Exchange = (&'static str, &'static str);

/// One conversation: what was planted, what was said last, what is asked now, and what of the
/// planted exchanges an answer needs.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) planted: Vec<Exchange>,
    pub(super) last: Vec<Exchange>,
    pub(super) input: &'static str,
    pub(super) needs: &'static str,
}

/// The cases of a file; `known.txt` says in what form they stand there.
pub(super) fn cases(file: &'static str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = Case::default();
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (mark, text) = line.split_once(' ').expect("a mark and a text");
        match mark {
            "<" => case.planted.push((text, "")),
            ">" => case.planted.last_mut().expect("a question first").1 = text,
            "<<" => case.last.push((text, "")),
            ">>" => case.last.last_mut().expect("a question first").1 = text,
            "?" => case.input = text,
            "=" => {
                let case = std::mem::take(&mut case);
                let planted = format!("{:?}", case.planted);
                assert!(planted.contains(text), "nothing planted has {text}");
                cases.push(Case { needs: text, ..case });
            }
            _ => panic!("{mark} is no mark"),
        }
    }
    cases
}

const TOPICS: &[(&str, [&str; 4])] = &[
    (
        "volcanoes",
        [
            "Magma rises because it is lighter than the rock around it.",
            "Most of them stand where plates meet.",
            "Ash can ground planes for days.",
            "Some sleep for thousands of years.",
        ],
    ),
    (
        "sourdough",
        [
            "A starter is flour and water in which wild yeast lives.",
            "It wants to be fed at regular hours.",
            "A long rest in the cold gives more taste.",
            "Steam in the oven makes the crust shine.",
        ],
    ),
    (
        "chess openings",
        [
            "The first moves fight for the centre.",
            "Knights come out before bishops as a rule.",
            "The king should castle early.",
            "Memorised lines help less than ideas.",
        ],
    ),
    (
        "jazz",
        [
            "It grew out of blues and ragtime.",
            "Musicians improvise over the chords of a song.",
            "The rhythm section holds everything together.",
            "Many standards come from old musicals.",
        ],
    ),
    (
        "glaciers",
        [
            "They flow under their own weight.",
            "Blue ice has lost its air bubbles.",
            "Valleys that they carved have the form of a U.",
            "Most of them are shrinking.",
        ],
    ),
    (
        "compilers",
        [
            "The parser turns text into a tree.",
            "Optimisers rewrite the tree step by step.",
            "Registers are given out at the end.",
            "Error messages deserve as much care as speed.",
        ],
    ),
    (
        "bridges",
        [
            "An arch carries its load by pressure alone.",
            "Cables carry by tension.",
            "Wind can make a deck swing.",
            "Joints leave room for hot summers.",
        ],
    ),
    (
        "tea",
        [
            "Green and black tea come from the same plant.",
            "Water just off the boil suits most leaves.",
            "Too long a steep draws out tannins.",
            "It travelled along the silk road.",
        ],
    ),
    (
        "octopuses",
        [
            "They have three hearts and blue blood.",
            "Each arm has nerves of its own.",
            "They change colour in a blink.",
            "Most of them live only a year or two.",
        ],
    ),
    (
        "Roman roads",
        [
            "They ran straight wherever the land allowed.",
            "Several layers of stone drained the rain.",
            "Milestones told the distance to the forum.",
            "Some carry traffic to this day.",
        ],
    ),
    (
        "inflation",
        [
            "Money buys less when prices rise.",
            "Central banks answer with interest rates.",
            "Wages tend to follow later.",
            "Expectations feed on themselves.",
        ],
    ),
    (
        "photography",
        [
            "A wide aperture blurs the background.",
            "Slow shutters smear what moves.",
            "Light in the morning is soft.",
            "A tripod is worth its weight at dusk.",
        ],
    ),
    (
        "beekeeping",
        [
            "A hive has one queen and thousands of workers.",
            "Swarming happens in late spring.",
            "Smoke calms them for a while.",
            "Winter stores decide who survives.",
        ],
    ),
    (
        "sailing",
        [
            "A boat can sail towards the wind by tacking.",
            "The keel keeps it from drifting.",
            "Reefing makes the sail smaller.",
            "Harbours look different by night.",
        ],
    ),
    (
        "the Renaissance",
        [
            "It began in the cities of Italy.",
            "Patrons paid for painters and scholars.",
            "Perspective changed pictures for ever.",
            "Printing spread its ideas.",
        ],
    ),
    (
        "migraine",
        [
            "Light and noise make it worse.",
            "Some people see zigzag lines before.",
            "Regular sleep helps many.",
            "A diary finds the triggers.",
        ],
    ),
    (
        "gardening",
        [
            "Compost feeds the soil, and the soil feeds the plants.",
            "Water in the morning, not at noon.",
            "Mulch keeps weeds down.",
            "Rotation keeps diseases away.",
        ],
    ),
    (
        "telescopes",
        [
            "Mirrors gather more light than lenses of the same price.",
            "Air makes the stars dance.",
            "Red light keeps the eyes used to the dark.",
            "The Moon is the best first target.",
        ],
    ),
    (
        "negotiation",
        [
            "Know what you do if no deal is made.",
            "Ask more than you argue.",
            "Silence is a tool.",
            "Write down what was said.",
        ],
    ),
    (
        "rivers",
        [
            "They meander where the land is flat.",
            "Floods leave fertile mud.",
            "Dams hold the mud back.",
            "Salmon climb them to spawn.",
        ],
    ),
    (
        "typography",
        [
            "Serifs lead the eye along the line.",
            "Lines of sixty letters read best.",
            "White space is part of the text.",
            "Two typefaces are enough.",
        ],
    ),
    (
        "coffee",
        [
            "Freshly ground beans smell stronger.",
            "Hard water dulls the cup.",
            "A finer grind gives more bitterness.",
            "Beans age within weeks.",
        ],
    ),
    (
        "wolves",
        [
            "A pack is mostly a family.",
            "Howling keeps them together.",
            "They follow herds over long distances.",
            "Young ones leave to found packs.",
        ],
    ),
    (
        "crosswords",
        [
            "Cryptic clues have two parts.",
            "Anagrams hide behind words of disorder.",
            "Crossing letters are checks.",
            "Setters have their habits.",
        ],
    ),
];

const CHATTER: &[(&str, &str)] = &[
    ("Good morning!", "Good morning! What shall we look at today?"),
    ("Thanks, that was clear.", "You're welcome."),
    ("I'm a bit tired today.", "Then let us take it slowly."),
    ("Tell me a joke.", "Why did the scarecrow win a prize? He was outstanding in his field."),
    (
        "What time is it in Tokyo when it is noon in London?",
        "It is nine in the evening there, or eight in summer.",
    ),
    (
        "Can you say that in simpler words?",
        "Of course: it works because heat always moves towards what is cold.",
    ),
    ("I was at the lake on Sunday, it was beautiful.", "That sounds refreshing."),
    ("What is 17 times 23?", "It is 391."),
    ("My coffee got cold again.", "A thermos would help."),
    ("Is a tomato a fruit?", "In botany yes, in the kitchen no."),
    ("How do I get a wine stain out?", "Cold water and salt at once, then soap."),
    ("We are watching a film tonight.", "Enjoy it!"),
    (
        "Which film won in Cannes last year?",
        "I am not sure; the festival's own site lists all winners.",
    ),
    ("How many bones does a hand have?", "Twenty-seven."),
    ("What does 'ad hoc' mean?", "For this purpose: something made for one occasion."),
    ("I have to run, back later.", "See you later."),
];

/// How the conversation around a case is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// Turns, half of them the caller's.
    pub(super) turns: usize,
    /// Everyday answers in one answer.
    pub(super) wordiness: usize,
    /// Whether what was planted begins in the third turn or at any depth.
    pub(super) deep: bool,
    /// Whether half of the talk around it are the exchanges planted in other cases: facts and
    /// commitments that the input does not need.
    pub(super) crowded: bool,
}

/// The conversation of a case: what was planted with everyday talk between, before and after, and
/// what was said last at its end. `shift` varies it.
pub(super) fn conversation(case: &Case, setting: Setting, shift: usize) -> Vec<Turn> {
    let idle = (setting.turns / 2).saturating_sub(case.planted.len() + case.last.len()).max(2);
    let before = if setting.deep { 1 } else { 1 + shift * 37 % (idle - 1) };
    let crowd = if setting.crowded { crowd(case) } else { Vec::new() };
    let mut idle = (0..idle).map(|at| match crowd.get(at / 2 + shift) {
        Some(&(asked, answered)) if at % 2 == 1 => (asked.to_owned(), answered.to_owned()),
        _ => everyday(at + 7 * shift, setting.wordiness),
    });
    let mut exchanges: Vec<(String, String)> = idle.by_ref().take(before).collect();
    for &(asked, answered) in &case.planted {
        exchanges.push((asked.to_owned(), answered.to_owned()));
        exchanges.extend(idle.next());
    }
    exchanges.extend(idle);
    exchanges.extend(case.last.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())));
    let turn = |role, content| Turn { role, content };
    exchanges
        .into_iter()
        .flat_map(|(asked, answered)| [turn(Role::User, asked), turn(Role::Assistant, answered)])
        .collect()
}

/// What was planted in other cases, but for what has the same words as this one needs, and for the
/// languages to answer in, of which only the last holds.
fn crowd(case: &Case) -> Vec<Exchange> {
    let others = cases(HELD_OUT).into_iter().chain(cases(KNOWN));
    let mut crowd: Vec<Exchange> = others.flat_map(|other| other.planted).collect();
    crowd.retain(|exchange| {
        let said = format!("{} {}", exchange.0, exchange.1);
        !case.planted.contains(exchange)
            && !said.contains(case.needs)
            && !said.to_lowercase().contains("answer in")
    });
    let half = crowd.len() / 2;
    // Once more, so that every case meets as many, wherever it begins.
    crowd.rotate_left(half);
    crowd.extend_from_within(..);
    crowd
}

/// An exchange that nobody will need.
fn everyday(at: usize, wordiness: usize) -> (String, String) {
    let (asked, answered) = talk(at);
    let more = (1..wordiness).map(|further| talk(at + 31 * further).1);
    (asked, std::iter::once(answered).chain(more).collect::<Vec<_>>().join(" "))
}

fn talk(at: usize) -> (String, String) {
    if at % 6 == 5 {
        let (asked, answered) = CHATTER[at / 6 % CHATTER.len()];
        return (asked.to_owned(), answered.to_owned());
    }
    let (topic, facts) = TOPICS[at * 5 % TOPICS.len()];
    let turn = at / TOPICS.len();
    let asked = match turn % 4 {
        0 => format!("What should I know about {topic}?"),
        1 => format!("Tell me something surprising about {topic}, please."),
        2 => format!("Why do people care so much about {topic}?"),
        _ => format!("If I wanted to read more about {topic}, what comes first?"),
    };
    let fact = |ahead: usize| facts[(turn + ahead) % facts.len()];
    let answered = match at % 3 {
        0 => format!("{} {} That is the heart of it.", fact(0), fact(1)),
        1 => format!("In short: {} And one thing more: {} {}", fact(1), fact(2), fact(3)),
        _ => format!(
            "There is a lot to say about {topic}. {} {} {} {} Ask on if one of these interests you.",
            fact(0),
            fact(1),
            fact(2),
            fact(3)
        ),
    };
    (asked, answered)
}
