//! Classes of words that turn an answer around when they change.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// What a word is, beyond its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A unit or a currency; equal ids are one unit.
    Unit(u8),
    /// A word of the calendar or the clock.
    Time(u8),
    /// One pole of a pair of opposites: which pair, and which side.
    Pole(u8, bool),
    /// A preposition that gives its object a role.
    Role(u8),
}

/// Names of one unit share a line.
const UNITS: &[&[&str]] = &[
    &["km", "kms", "kilometer", "kilometers", "kilometre", "kilometres"],
    &["mile", "miles", "mi"],
    &["meter", "meters", "metre", "metres"],
    &["cm", "centimeter", "centimeters", "centimetre", "centimetres"],
    &["mm", "millimeter", "millimeters", "millimetre", "millimetres"],
    &["foot", "feet", "ft"],
    &["inch", "inches"],
    &["yard", "yards"],
    &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"],
    &["gram", "grams", "gm", "gms"],
    &["mg", "milligram", "milligrams"],
    &["pound", "pounds", "lb", "lbs"],
    &["ounce", "ounces", "oz"],
    &["ton", "tons", "tonne", "tonnes"],
    &["liter", "liters", "litre", "litres"],
    &["ml", "milliliter", "milliliters"],
    &["gallon", "gallons"],
    &["celsius", "centigrade"],
    &["fahrenheit"],
    &["kelvin"],
    &["sec", "secs", "seconds"],
    &["minute", "minutes", "min", "mins"],
    &["hour", "hours", "hr", "hrs"],
    &["day", "days"],
    &["week", "weeks"],
    &["month", "months"],
    &["year", "years", "yr", "yrs"],
    &["decade", "decades"],
    &["century", "centuries"],
    &["dollar", "dollars", "usd"],
    &["euro", "euros", "eur"],
    &["rupee", "rupees", "rs", "inr"],
    &["yen", "jpy"],
    &["yuan", "rmb"],
    &["lakh", "lakhs", "lac", "lacs"],
    &["crore", "crores"],
    &["thousand", "thousands"],
    &["million", "millions"],
    &["billion", "billions"],
    &["trillion", "trillions"],
    &["kb", "kilobyte", "kilobytes"],
    &["mb", "megabyte", "megabytes"],
    &["gb", "gigabyte", "gigabytes"],
    &["tb", "terabyte", "terabytes"],
    &["mbps"],
    &["gbps"],
    &["hz", "hertz"],
    &["mhz"],
    &["ghz"],
    &["watt", "watts"],
    &["kilowatt", "kilowatts", "kw"],
    &["volt", "volts"],
    &["joule", "joules"],
    &["calorie", "calories"],
    &["percent", "percentage"],
    &["mph"],
    &["kph", "kmph"],
    &["acre", "acres"],
    &["hectare", "hectares"],
    &["half"],
    &["quarter"],
    &["double", "twice"],
    &["triple"],
];

const TIMES: &[&[&str]] = &[
    &["monday", "mondays"],
    &["tuesday", "tuesdays"],
    &["wednesday", "wednesdays"],
    &["thursday", "thursdays"],
    &["friday", "fridays"],
    &["saturday", "saturdays"],
    &["sunday", "sundays"],
    &["january", "jan"],
    &["february", "feb"],
    &["march"],
    &["april", "apr"],
    &["june"],
    &["july"],
    &["august", "aug"],
    &["september", "sept"],
    &["october", "oct"],
    &["november", "nov"],
    &["december", "dec"],
    &["spring"],
    &["summer"],
    &["autumn"],
    &["winter"],
    &["morning", "mornings"],
    &["afternoon"],
    &["evening"],
    &["night", "nights"],
    &["midnight"],
    &["noon"],
    &["today"],
    &["yesterday"],
    &["tomorrow"],
    &["weekend", "weekends"],
    &["daily"],
    &["weekly"],
    &["monthly"],
    &["yearly", "annually", "annual"],
];

/// Opposites: the words of one side, then those of the other.
const POLES: &[(&[&str], &[&str])] = &[
    (&["more"], &["less", "fewer"]),
    (&["most"], &["least", "fewest"]),
    (&["best"], &["worst"]),
    (&["better"], &["worse"]),
    (&["good"], &["bad"]),
    (&["before"], &["after"]),
    (&["above"], &["below"]),
    (&["over"], &["under"]),
    (&["with"], &["without"]),
    (&["inside"], &["outside"]),
    (&["up"], &["down"]),
    (&["left"], &["right"]),
    (&["top"], &["bottom"]),
    (&["front"], &["back"]),
    (&["high"], &["low"]),
    (&["higher"], &["lower"]),
    (&["highest"], &["lowest"]),
    (&["big", "large"], &["small", "little"]),
    (&["bigger", "larger", "greater"], &["smaller"]),
    (&["biggest", "largest", "greatest"], &["smallest"]),
    (&["fast", "quick", "quickly"], &["slow", "slowly"]),
    (&["faster", "quicker"], &["slower"]),
    (&["fastest", "quickest"], &["slowest"]),
    (&["long", "tall"], &["short"]),
    (&["longer", "taller"], &["shorter"]),
    (&["longest", "tallest"], &["shortest"]),
    (&["old"], &["new", "young"]),
    (&["older"], &["newer", "younger"]),
    (&["oldest"], &["newest", "youngest", "latest"]),
    (&["early"], &["late"]),
    (&["earlier"], &["later"]),
    (&["first"], &["last"]),
    (&["hot"], &["cold"]),
    (&["hotter", "warmer"], &["colder", "cooler"]),
    (&["rich"], &["poor"]),
    (&["richest"], &["poorest"]),
    (&["strong"], &["weak"]),
    (&["stronger"], &["weaker"]),
    (&["hard", "difficult"], &["easy", "simple"]),
    (&["harder"], &["easier"]),
    (&["hardest"], &["easiest"]),
    (&["cheap"], &["expensive"]),
    (&["cheapest"], &["priciest"]),
    (&["safe"], &["dangerous", "unsafe"]),
    (
        &["increase", "increases", "increasing", "increased", "raise", "grow", "gain", "gaining"],
        &[
            "decrease",
            "decreases",
            "decreasing",
            "decreased",
            "reduce",
            "reducing",
            "shrink",
            "lose",
            "losing",
        ],
    ),
    (&["maximum", "max", "maximize", "maximise"], &["minimum", "min", "minimize", "minimise"]),
    (&["buy", "buying"], &["sell", "selling"]),
    (&["open", "opening"], &["close", "closing", "shut"]),
    (&["start", "starting", "begin"], &["stop", "stopping", "end", "quit", "quitting"]),
    (&["enable", "enabled", "enabling"], &["disable", "disabled", "disabling"]),
    (&["install", "installing"], &["uninstall", "uninstalling"]),
    (&["upload", "uploading"], &["download", "downloading"]),
    (&["import", "importing", "imports"], &["export", "exporting", "exports"]),
    (&["push"], &["pull"]),
    (&["add", "adding"], &["remove", "removing", "delete", "deleting"]),
    (&["send", "sending"], &["receive", "receiving"]),
    (&["lend", "lending"], &["borrow", "borrowing"]),
    (&["win", "winning", "won"], &["lost", "defeat"]),
    (&["love"], &["hate"]),
    (&["allow", "allowed", "permit"], &["deny", "forbid", "prohibited", "banned", "ban"]),
    (&["accept", "accepted"], &["reject", "rejected", "refuse"]),
    (
        &["advantage", "advantages", "pros", "benefit", "benefits"],
        &["disadvantage", "disadvantages", "cons", "drawbacks", "drawback"],
    ),
    (&["strengths"], &["weaknesses"]),
    (&["positive", "positively"], &["negative", "negatively"]),
    (&["true"], &["false"]),
    (&["legal"], &["illegal"]),
    (&["north", "northern"], &["south", "southern"]),
    (&["east", "eastern"], &["west", "western"]),
    (&["male", "males"], &["female", "females"]),
    (&["man", "men"], &["woman", "women"]),
    (&["boy", "boys", "guys", "guy"], &["girl", "girls"]),
    (&["boyfriend"], &["girlfriend"]),
    (&["husband", "husbands"], &["wife", "wives"]),
    (&["father", "dad"], &["mother", "mom"]),
    (&["brother"], &["sister"]),
    (&["son"], &["daughter"]),
    (&["king"], &["queen"]),
    (&["ascending"], &["descending"]),
    (&["internal"], &["external"]),
    (&["public"], &["private"]),
    (&["all", "every", "always"], &["none", "never"]),
    (&["encode", "encrypt"], &["decode", "decrypt"]),
    (&["alive"], &["dead"]),
    (&["birth", "born"], &["death", "died"]),
    (&["arrive", "arrival"], &["depart", "departure", "leave"]),
    (&["import"], &["export"]),
    (&["lock"], &["unlock"]),
    (&["possible"], &["impossible"]),
    (&["rising"], &["falling"]),
    (&["input"], &["output"]),
    (&["client"], &["server"]),
];

const ROLES: &[&str] = &[
    "from", "to", "into", "than", "before", "after", "above", "below", "over", "under", "by",
    "through", "against", "behind", "toward", "towards", "until", "since",
];

/// The classes of a folded word. A word can be of two: `before` gives a role and has an opposite.
pub(super) fn classes(word: &str) -> impl Iterator<Item = Class> {
    TABLE.get(word).copied().unwrap_or_default().into_iter().flatten()
}

type Table = FxHashMap<&'static str, [Option<Class>; 2]>;

static TABLE: LazyLock<Table> = LazyLock::new(table);

fn table() -> Table {
    let mut found = Table::default();
    let mut add = |word: &'static str, class: Class| {
        let classes = found.entry(word).or_default();
        if let Some(free) = classes.iter_mut().find(|c| c.is_none()) {
            *free = Some(class);
        }
    };
    for (id, names) in (0..).zip(UNITS) {
        names.iter().for_each(|name| add(name, Class::Unit(id)));
    }
    for (id, names) in (0..).zip(TIMES) {
        names.iter().for_each(|name| add(name, Class::Time(id)));
    }
    for (id, (one, other)) in (0..).zip(POLES) {
        one.iter().for_each(|name| add(name, Class::Pole(id, true)));
        other.iter().for_each(|name| add(name, Class::Pole(id, false)));
    }
    for (id, name) in (0..).zip(ROLES) {
        add(name, Class::Role(id));
    }
    found
}

/// Whether a folded word denies.
pub(super) fn is_negation(word: &str) -> bool {
    const NEGATIONS: &[&str] = &[
        "absence",
        "absent",
        "aint",
        "arent",
        "avoid",
        "avoiding",
        "avoids",
        "cannot",
        "cant",
        "couldnt",
        "didnt",
        "doesnt",
        "dont",
        "except",
        "hardly",
        "havent",
        "isnt",
        "lack",
        "lacking",
        "lacks",
        "neither",
        "never",
        "no",
        "nobody",
        "none",
        "nor",
        "not",
        "nothing",
        "nowhere",
        "prevent",
        "preventing",
        "prevents",
        "shouldnt",
        "wasnt",
        "werent",
        "wont",
        "wouldnt",
    ];
    NEGATIONS.binary_search(&word).is_ok() || word.ends_with("n't")
}

/// What the question asks for. Words of one kind ask for answers of one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A number of things.
    Count = 1,
    /// A measure: how long, how old.
    Measure,
    /// A way.
    How,
    /// A thing.
    What,
    /// A moment.
    When,
    /// A place.
    Where,
    /// A person.
    Who,
    /// A reason.
    Why,
    /// Yes or no.
    Whether,
    /// Nothing of these.
    Other,
}

impl Kind {
    /// The kind of folded words.
    pub(super) fn of<'w>(words: impl Iterator<Item = &'w str> + Clone) -> Self {
        let mut rest = words.clone();
        while let Some(word) = rest.next() {
            let next = rest.clone().next().unwrap_or_default();
            return match word {
                "how" | "how's" => match next {
                    "many" | "much" => Self::Count,
                    "long" | "old" | "far" | "often" | "big" | "tall" | "high" | "fast"
                    | "large" | "deep" | "hot" | "heavy" | "wide" => Self::Measure,
                    _ => Self::How,
                },
                "what" | "what's" | "whats" | "which" => match next {
                    "time" | "year" | "date" | "day" | "month" => Self::When,
                    _ => Self::What,
                },
                "when" | "when's" => Self::When,
                "where" | "where's" => Self::Where,
                "who" | "whom" | "who's" | "whose" => Self::Who,
                "why" | "why's" => Self::Why,
                _ => continue,
            };
        }
        match words.clone().next().unwrap_or_default() {
            "is" | "are" | "was" | "were" | "do" | "does" | "did" | "can" | "could" | "will"
            | "would" | "should" | "has" | "have" | "had" | "may" | "am" | "isn't" | "aren't"
            | "don't" | "doesn't" | "can't" => Self::Whether,
            _ => Self::Other,
        }
    }

    /// Whether an answer to the one cannot be one to the other. `What`, `How` and what is no
    /// question go with anything: "what is the reason" asks why.
    pub(super) fn excludes(self, other: Self) -> bool {
        let open = |kind| matches!(kind, Self::How | Self::What | Self::Other);
        self != other && !open(self) && !open(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposites_are_told_apart_and_units_of_one_kind_are_one() {
        let of = |word| classes(word).collect::<Vec<_>>();
        assert_eq!(of("km"), of("kilometres"));
        assert_ne!(of("km"), of("miles"));
        let (Some(Class::Pole(a, true)), Some(Class::Pole(b, false))) =
            (of("before").first().copied(), of("after").first().copied())
        else {
            panic!("before and after are no opposites");
        };
        assert_eq!(a, b);
        assert!(of("after").contains(&Class::Role(5)));
        assert!(of("table").is_empty());
    }

    #[test]
    fn denials_are_known_with_and_without_apostrophe() {
        for word in ["not", "isn't", "dont", "never", "cannot"] {
            assert!(is_negation(word), "{word}");
        }
        assert!(!is_negation("note") && !is_negation("want"));
    }

    #[test]
    fn a_person_is_no_moment_but_a_thing_can_be_a_reason() {
        let kind = |text: &str| Kind::of(text.split(' '));
        assert!(kind("who built it").excludes(kind("when was it built")));
        assert!(kind("is it built").excludes(kind("why is it built")));
        assert!(!kind("what is the reason").excludes(kind("why is it built")));
        assert_eq!(kind("tell me how many there are"), Kind::Count);
    }
}
