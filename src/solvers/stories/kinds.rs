//! Which everyday things are fruits, vegetables, animals, instruments or household objects. What is
//! counted among two of these by some people (tomatoes) is in none.

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fruit,
    Vegetable,
    Animal,
    Instrument,
    Object,
}

/// The kind of a thing in the singular.
pub(super) fn kind_of(noun: &str) -> Option<Kind> {
    [
        (FRUITS, Kind::Fruit),
        (VEGETABLES, Kind::Vegetable),
        (ANIMALS, Kind::Animal),
        (INSTRUMENTS, Kind::Instrument),
        (OBJECTS, Kind::Object),
    ]
    .into_iter()
    .find(|(nouns, _)| nouns.contains(&noun))
    .map(|(_, kind)| kind)
}

/// The singulars that a noun may be the plural of, itself first.
pub(super) fn singulars(noun: &str) -> Vec<String> {
    let mut found = vec![noun.to_owned()];
    let irregular = [
        ("mice", "mouse"),
        ("geese", "goose"),
        ("oxen", "ox"),
        ("knives", "knife"),
        ("wolves", "wolf"),
        ("shelves", "shelf"),
        ("loaves", "loaf"),
        ("calves", "calf"),
    ];
    if let Some((_, one)) = irregular.iter().find(|(many, _)| *many == noun) {
        found.push((*one).to_owned());
    }
    if let Some(stem) = noun.strip_suffix("ies") {
        found.push(format!("{stem}y"));
    }
    if let Some(stem) = noun.strip_suffix("es") {
        found.push(stem.to_owned());
    }
    if let Some(stem) = noun.strip_suffix('s') {
        found.push(stem.to_owned());
    }
    found
}

const FRUITS: &[&str] = &[
    "apple",
    "banana",
    "blackberry",
    "blueberry",
    "cherry",
    "grape",
    "kiwi",
    "lemon",
    "lime",
    "mango",
    "nectarine",
    "orange",
    "papaya",
    "peach",
    "pear",
    "pineapple",
    "plum",
    "raspberry",
    "strawberry",
    "apricot",
    "fig",
    "grapefruit",
    "tangerine",
    "cranberry",
    "melon",
    "watermelon",
    "pomegranate",
    "cantaloupe",
];

const VEGETABLES: &[&str] = &[
    "asparagus",
    "beet",
    "broccoli",
    "cabbage",
    "carrot",
    "cauliflower",
    "celery",
    "garlic",
    "leek",
    "lettuce",
    "onion",
    "potato",
    "radish",
    "spinach",
    "turnip",
    "yam",
    "sweet potato",
    "kale",
    "parsnip",
];

const ANIMALS: &[&str] = &[
    "bear", "bird", "camel", "cat", "chicken", "cow", "deer", "dog", "donkey", "duck", "elephant",
    "fish", "fox", "frog", "giraffe", "goat", "goose", "hamster", "hen", "horse", "kangaroo",
    "lion", "monkey", "mouse", "ox", "owl", "parrot", "pig", "pigeon", "rabbit", "rat", "rooster",
    "sheep", "snail", "snake", "squirrel", "tiger", "turkey", "turtle", "wolf", "zebra", "lizard",
    "crow",
];

const INSTRUMENTS: &[&str] = &[
    "accordion",
    "banjo",
    "bassoon",
    "cello",
    "clarinet",
    "drum",
    "flute",
    "guitar",
    "harmonica",
    "harp",
    "oboe",
    "piano",
    "saxophone",
    "trombone",
    "trumpet",
    "tuba",
    "ukulele",
    "viola",
    "violin",
    "xylophone",
];

const OBJECTS: &[&str] = &[
    "armchair",
    "bed",
    "bench",
    "blender",
    "book",
    "bookcase",
    "bottle",
    "bowl",
    "car",
    "chair",
    "clock",
    "couch",
    "cup",
    "desk",
    "dishwasher",
    "dresser",
    "fork",
    "freezer",
    "fridge",
    "kettle",
    "knife",
    "lamp",
    "laptop",
    "microwave",
    "mirror",
    "mug",
    "oven",
    "pan",
    "pen",
    "pencil",
    "phone",
    "pillow",
    "plate",
    "pot",
    "printer",
    "radio",
    "refrigerator",
    "rug",
    "shelf",
    "sofa",
    "spoon",
    "stool",
    "stove",
    "table",
    "television",
    "toaster",
    "towel",
    "vase",
    "wardrobe",
    "washing machine",
];
