//! The English names of small numbers and of months.

/// The names of the numbers below a hundred that are one word, ascending.
pub const NUMBER_NAMES: [(&str, u8); 28] = [
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The number that a folded word names, where one word names it and it is below a hundred.
#[must_use]
pub fn number_named(word: &str) -> Option<u8> {
    NUMBER_NAMES.iter().find(|(name, _)| *name == word).map(|&(_, number)| number)
}

/// The month, 1 to 12, that a folded word names in full or by its usual abbreviation.
#[must_use]
pub fn month_named(word: &str) -> Option<i8> {
    if word == "sept" {
        return Some(9);
    }
    let names =
        |m: &str| [Some(m), m.get(..3)].into_iter().flatten().any(|n| n.eq_ignore_ascii_case(word));
    (1..).zip(MONTHS).find(|(_, month)| names(month)).map(|(number, _)| number)
}

/// The name of a month, 1 to 12; empty for any other number.
#[must_use]
pub fn month_name(month: i8) -> &'static str {
    (1..).zip(MONTHS).find(|&(number, _)| number == month).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_names_ascend_and_are_told_from_other_words() {
        assert!(NUMBER_NAMES.is_sorted_by_key(|&(_, number)| number));
        for (word, number) in [("zero", 0), ("seven", 7), ("nineteen", 19), ("forty", 40)] {
            assert_eq!(number_named(word), Some(number), "{word}");
        }
        for word in ["", "hundred", "fourty", "ones", "seventh"] {
            assert_eq!(number_named(word), None, "{word}");
        }
    }

    #[test]
    fn months_are_known_by_name_and_abbreviation() {
        for (word, month) in [("march", 3), ("mar", 3), ("may", 5), ("sept", 9), ("december", 12)] {
            assert_eq!(month_named(word), Some(month), "{word}");
        }
        for word in ["", "ma", "marc", "monday"] {
            assert_eq!(month_named(word), None, "{word}");
        }
        let there_and_back = |month| month_named(&month_name(month).to_ascii_lowercase());
        assert!((1..=12).all(|month| there_and_back(month) == Some(month)));
        assert_eq!([month_name(0), month_name(13), month_name(-1)], [""; 3]);
    }
}
