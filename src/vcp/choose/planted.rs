//! Conversations in which one exchange, long ago, holds what the present input needs.

use crate::domain::{Role, Turn};

/// One conversation: what was planted, what was said last, what is asked now, and what of the
/// planted exchange an answer needs.
pub(super) struct Case {
    pub(super) planted: &'static [(&'static str, &'static str)],
    pub(super) last: &'static [(&'static str, &'static str)],
    pub(super) input: &'static str,
    pub(super) needs: &'static str,
}

const fn case(
    planted: &'static [(&'static str, &'static str)],
    input: &'static str,
    needs: &'static str,
) -> Case {
    Case { planted, last: &[], input, needs }
}

const fn after(
    planted: &'static [(&'static str, &'static str)],
    last: &'static [(&'static str, &'static str)],
    input: &'static str,
    needs: &'static str,
) -> Case {
    Case { planted, last, input, needs }
}

/// Cases by which the choice was made better.
pub(super) const KNOWN: &[Case] = &[
    // Facts, asked for in other words.
    case(
        &[("My sister Clara is moving to Lisbon in March.", "How exciting for her!")],
        "Which city is Clara going to live in?",
        "Lisbon",
    ),
    case(
        &[(
            "We pay 1,850 a month for the flat on Elm Road.",
            "That sounds reasonable for the area.",
        )],
        "How much is our rent?",
        "1,850",
    ),
    case(
        &[("The staging database listens on port 5433, by the way.", "Noted, 5433 for staging.")],
        "Which port do I use for the staging database?",
        "5433",
    ),
    case(
        &[("Our vet is called Dr. Okafor, she is wonderful.", "Good to have a vet you trust.")],
        "What was the name of the vet again?",
        "Okafor",
    ),
    case(
        &[("I parked on level 4, spot C17.", "I hope you find it again easily.")],
        "Where did I park?",
        "C17",
    ),
    case(
        &[("Our daughter Mia was born on 12 June 2019.", "A summer child!")],
        "When is Mia's birthday?",
        "12 June",
    ),
    case(
        &[(
            "I am allergic to walnuts, even traces.",
            "I will keep walnuts out of all suggestions.",
        )],
        "Suggest a dessert for tonight's dinner.",
        "walnuts",
    ),
    case(
        &[("The wifi at the cabin is called heron-nest, password blue7kettle.", "Thanks, noted.")],
        "What is the password of the cabin's wifi?",
        "blue7kettle",
    ),
    case(
        &[(
            "The plumber, Mr. Haddad, can come on Thursday at 9.",
            "Good that he has time this week.",
        )],
        "When does the plumber come?",
        "Thursday",
    ),
    case(
        &[("I take 20 mg of lisinopril every morning.", "Blood pressure, I suppose.")],
        "What dose of my medication do I take?",
        "20 mg",
    ),
    case(
        &[("We named the boat Marigold after my aunt.", "A lovely name.")],
        "What is our boat called?",
        "Marigold",
    ),
    case(
        &[(
            "Our train to Vienna leaves at 7:42 from platform 9.",
            "Early, but you'll be there for lunch.",
        )],
        "From which platform does the train leave?",
        "platform 9",
    ),
    case(
        &[("My thesis supervisor is Professor Lindqvist.", "Do you get along?")],
        "Who supervises my thesis?",
        "Lindqvist",
    ),
    case(
        &[("I weigh 82 kilos and I am 1.79 tall.", "Thanks, that helps.")],
        "What is my body mass index?",
        "82 kilos",
    ),
    case(
        &[("The cake for Leo has to feed 35 people.", "A big party then.")],
        "How many guests is the cake for?",
        "35 people",
    ),
    // Identifiers and code.
    case(
        &[(
            "The failing test is test_retry_budget in tests/retry.rs.",
            "Let me look at what it asserts.",
        )],
        "Let us fix test_retry_budget now. Where was it?",
        "tests/retry.rs",
    ),
    case(
        &[("Invoice INV-2041 was paid on the 3rd, 940 euros.", "Good, one less to chase.")],
        "Was INV-2041 settled?",
        "940 euros",
    ),
    case(
        &[(
            "The function parseLedger panics when the file is empty.",
            "It should return an empty ledger instead.",
        )],
        "What was wrong with parseLedger?",
        "file is empty",
    ),
    case(
        &[("Our bucket is s3://acme-raw-eu, and the prefix is 2026/.", "Understood.")],
        "Write the upload command for our bucket.",
        "acme-raw-eu",
    ),
    case(
        &[(
            "Ticket OPS-311 is about the disk filling up on node7.",
            "Rotate the logs there first.",
        )],
        "What did we do about OPS-311?",
        "Rotate the logs",
    ),
    case(
        &[(
            "The API key lives in the variable HELIOS_TOKEN.",
            "Then we read it from the environment.",
        )],
        "Which environment variable holds the key for the API?",
        "HELIOS_TOKEN",
    ),
    // Standing instructions: nothing in the input points to them.
    case(
        &[("From now on always answer in French, please.", "D'accord, je répondrai en français.")],
        "What is the tallest mountain in Africa?",
        "answer in French",
    ),
    case(
        &[(
            "Never use semicolons in the JavaScript you write for me.",
            "Understood, no semicolons.",
        )],
        "Write a function that reverses a list.",
        "semicolons",
    ),
    case(
        &[(
            "Please don't recommend anything by train, I get sick on trains.",
            "Then by car or plane.",
        )],
        "Plan a weekend in Bruges for me.",
        "by train",
    ),
    case(
        &[("Call me Commander from now on.", "As you wish, Commander.")],
        "Good morning! How is the weather on Mars?",
        "Commander",
    ),
    case(
        &[("Keep in mind that all prices must include 19 % VAT.", "All prices with VAT, noted.")],
        "What does a box of 12 at 4.50 each come to?",
        "19 % VAT",
    ),
    case(
        &[("Make sure every answer ends with a haiku.", "I will close with one each time.")],
        "Explain how tides work.",
        "haiku",
    ),
    case(&[("Only use metric units with me.", "Metric it is.")], "How far is the Moon?", "metric"),
    // Constraints and decisions.
    case(
        &[("My budget for the kitchen is 9,000 and not a cent more.", "We'll stay below that.")],
        "Which worktop should I take for the kitchen?",
        "9,000",
    ),
    case(
        &[("I decided to go with Postgres rather than MongoDB.", "A solid choice.")],
        "Sketch the schema for our database.",
        "Postgres",
    ),
    case(
        &[("We agreed that Yusuf gives the opening talk.", "Then Yusuf opens.")],
        "Draft the programme of the conference.",
        "Yusuf",
    ),
    case(
        &[("The deadline for the grant proposal is 17 April.", "That leaves a few weeks.")],
        "Make me a schedule for the grant proposal.",
        "17 April",
    ),
    case(
        &[("I can't lift more than 5 kilos since the operation.", "We'll keep the loads small.")],
        "Give me a workout for today.",
        "5 kilos",
    ),
    // Corrections: the later statement is needed.
    case(
        &[
            ("My budget for the bike is 600.", "Noted: 600."),
            ("Actually, my budget for the bike is 750.", "Then 750 it is."),
        ],
        "Which bike can I afford?",
        "750",
    ),
    case(
        &[
            ("The meeting with Priya is on Monday.", "In the calendar."),
            ("Sorry, the meeting with Priya was moved to Wednesday.", "Changed."),
        ],
        "On which day do I see Priya?",
        "Wednesday",
    ),
    case(
        &[
            ("Please always answer in Spanish.", "De acuerdo."),
            ("Answer in Italian from now on.", "Va bene."),
        ],
        "Who painted Guernica?",
        "Italian",
    ),
    case(
        &[
            ("We'll use Redis for the queue.", "Good."),
            ("We changed our minds, we'll use RabbitMQ for the queue.", "Understood."),
        ],
        "Write the deployment file for the queue.",
        "RabbitMQ",
    ),
    // Follow-ups that lean on what was said last.
    after(
        &[("The Hotel Aurora in Tromso costs 180 a night.", "Not cheap, but the view!")],
        &[("I think we'll stay at the Aurora after all.", "A good choice for northern lights.")],
        "And how much was it?",
        "180 a night",
    ),
    after(
        &[("Tomasz from accounting has the extension 4471.", "Noted.")],
        &[("I have to ask Tomasz about the travel expenses.", "He will know what is refunded.")],
        "What is his number?",
        "4471",
    ),
    after(
        &[("The Kestrel project started with a kickoff in Ghent.", "A nice town for it.")],
        &[(
            "Tell me how to close down Kestrel properly.",
            "Archive the code, and thank everybody.",
        )],
        "Where did it begin?",
        "Ghent",
    ),
    after(
        &[("My neighbour Inge keeps three beehives.", "Does she sell honey?")],
        &[("I want to thank Inge for watering the plants.", "A small present would please her.")],
        "What is her hobby again?",
        "beehives",
    ),
    after(
        &[("In nightly_backup.sh the retention is 14 days.", "A fortnight is fine.")],
        &[("Does nightly_backup.sh run on Sundays too?", "Yes, cron runs it each day.")],
        "And how long are they kept?",
        "14 days",
    ),
    // A fact within long turns.
    case(
        &[(
            "I had a long day. First the bus was late, then the lift was broken, then it rained into the office. At noon I met Beatriz, who told me that she is leaving for Nairobi. In the evening the cinema was sold out, and the pizza was cold. I went to bed early and slept badly, because the neighbours had guests until three. Tomorrow has to be better, I keep telling myself, and probably it will be.",
            "What a day! Sometimes everything goes wrong at once. I hope that you can rest today, and that the cinema has seats tomorrow. Cold pizza can be warmed up in a pan, which even makes the crust crisp again.",
        )],
        "Where is Beatriz moving to?",
        "Nairobi",
    ),
    case(
        &[
            (
                "Can you list some names for a cafe?",
                "Here are some: Ember and Oak is warm. The Copper Spoon is classic. Quiet Tide suits a place by the sea. Second Crumb is playful. Paper Lantern is gentle. North Window is plain and bright. Each of these works on a sign, and each is short enough for a stamp card. If you tell me more about the street, I can suggest others that fit it better.",
            ),
            ("Quiet Tide is the one. It's decided.", "Wonderful, Quiet Tide it is."),
        ],
        "Write a welcome sign for our cafe.",
        "Quiet Tide is the one",
    ),
];

/// Cases that were written before any of the weights was set, and looked at only to count.
pub(super) const HELD_OUT: &[Case] = &[
    case(
        &[(
            "My car is a 2014 Skoda Fabia with 160,000 kilometres.",
            "It may need a new belt soon.",
        )],
        "Which vehicle do I drive?",
        "Skoda",
    ),
    case(
        &[("We will be six adults and two toddlers at the cottage.", "A full house.")],
        "How many people are coming to the cottage?",
        "six adults",
    ),
    case(
        &[("The gate code is 8812, but don't tell anyone.", "Your secret is safe.")],
        "How do I open the gate?",
        "8812",
    ),
    case(
        &[("Grandma's recipe uses 300 grams of chestnut flour.", "That must taste of autumn.")],
        "How much flour goes into grandma's recipe?",
        "300 grams",
    ),
    case(
        &[(
            "Our landlord, Mrs. Petrova, lives in Sofia most of the year.",
            "So she is hard to reach.",
        )],
        "Who is our landlord?",
        "Petrova",
    ),
    case(
        &[("I teach chemistry to the ninth grade at Northfield School.", "A demanding age!")],
        "What subject do I teach?",
        "chemistry",
    ),
    case(
        &[("My flight is LX1823, landing at 22:10.", "Quite late.")],
        "What time does LX1823 arrive?",
        "22:10",
    ),
    case(
        &[("The bug only shows up when the locale is Turkish.", "The dotless i strikes again.")],
        "Under which locale did the bug appear?",
        "Turkish",
    ),
    case(
        &[("Please keep all answers under fifty words.", "Short answers, understood.")],
        "Why is the sky blue?",
        "fifty words",
    ),
    case(
        &[("Don't ever mention my ex, Robert, please.", "I won't.")],
        "Help me write a toast for my birthday party.",
        "mention my ex",
    ),
    case(
        &[("I prefer aisle seats whenever I fly.", "Good to know.")],
        "Book me a seat to Denver.",
        "aisle",
    ),
    case(
        &[("We settled on the green logo with the fox.", "A striking one.")],
        "Describe our logo for the printer.",
        "green logo",
    ),
    case(
        &[("We can't deploy on Fridays, company rule.", "Then Thursday is the last day.")],
        "When should the release go out this week?",
        "on Fridays",
    ),
    case(
        &[
            ("The wedding is on 5 September.", "Lovely."),
            ("Change of plan, the wedding is on 12 September.", "I've changed it."),
        ],
        "Write the save-the-date card for the wedding.",
        "12 September",
    ),
    case(
        &[
            ("Our server is in Frankfurt.", "Good latency."),
            ("Update: our server is in Dublin now.", "Noted."),
        ],
        "Where is our server located?",
        "Dublin",
    ),
    after(
        &[("The Vermeer exhibition closes on 30 January.", "Go soon then.")],
        &[(
            "Would children like the Vermeer exhibition?",
            "If you look for the small details together.",
        )],
        "Until when is it open?",
        "30 January",
    ),
    after(
        &[("Carlos said that he is bringing a guitar.", "Then there will be music.")],
        &[("Carlos is coming on Saturday after all.", "Good news!")],
        "What was he bringing?",
        "guitar",
    ),
    after(
        &[("order_sync.py reads from the table orders_v2.", "Not from the old one, good.")],
        &[("order_sync.py is slow again.", "Look at the indexes first.")],
        "Which table does it read?",
        "orders_v2",
    ),
    case(
        &[(
            "The meeting took forever and covered everything from chairs to coffee. The heating will be mended. The printer stays. Somebody wants plants. What matters: the audit starts on 8 October, and Fatima leads it. Then they talked about parking again, for half an hour, without any result. Next time I'll bring a book. The room was cold as well, and the biscuits were gone before I came.",
            "Meetings like that make one long for email. At least the heating will be mended. Perhaps propose an agenda with times for each point, so that parking gets its ten minutes and no more. Books in meetings are rarely welcome, though I understand the wish.",
        )],
        "Who leads the audit?",
        "Fatima",
    ),
    case(
        &[("I speak Dutch at home and English at work.", "A useful pair.")],
        "Which language do I use with my family?",
        "Dutch at home",
    ),
];

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

/// A conversation of so many turns, half of them the caller's: what was planted stands from the
/// second exchange on, the last exchanges at the end, and everyday talk in between. `shift` varies it.
pub(super) fn conversation(case: &Case, turns: usize, shift: usize) -> Vec<Turn> {
    let idle = (turns / 2).saturating_sub(case.planted.len() + case.last.len()).max(2);
    let mut idle = (0..idle).map(|at| everyday(at + 7 * shift));
    let mut exchanges: Vec<(String, String)> = idle.next().into_iter().collect();
    for &(asked, answered) in case.planted {
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

/// An exchange that nobody will need.
fn everyday(at: usize) -> (String, String) {
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
