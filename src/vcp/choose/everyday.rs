//! Everyday words that stand for each other in questions and in what answers them: who asks what
//! something *costs* may have been told its *price*.

/// Each row: stemmed words that speak of the same thing.
const GROUPS: &[&[&str]] = &[
    &["cost", "pric", "pay", "paid", "fee", "budget", "spend", "spent", "charg", "expens", "cheap"],
    &["salary", "wag", "earn", "income"],
    &["birthday", "born", "birth", "ag", "old"],
    &["job", "work", "profession", "employ", "career", "occupation"],
    &["wif", "husband", "spous", "partn", "partner", "marry", "married"],
    &["son", "daught", "daughter", "kid", "child", "children"],
    &["mother", "father", "parent", "mum", "mom", "dad"],
    &["sister", "brother", "sibl"],
    &["dog", "cat", "pet", "puppy", "kitten"],
    &["phon", "telephon", "mobil", "call"],
    &["mail", "email", "e-mail", "address"],
    &["liv", "home", "hous", "flat", "apartment", "address", "street"],
    &["allergy", "allergic", "intolerant", "intoleranc", "react"],
    &["eat", "food", "diet", "meal", "dish", "dinner", "lunch", "cook", "recip"],
    &["vegetarian", "vegan", "meat", "diet"],
    &["deadlin", "due", "deliver", "delivery", "finish", "releas", "ship", "launch"],
    &["meet", "appointment", "call", "schedul", "calendar"],
    &["doctor", "physician", "dentist", "clinic", "hospital", "vet"],
    &["medicin", "medication", "drug", "pill", "tablet", "dos"],
    &["trip", "travel", "journey", "holiday", "vacation", "fly", "flight", "visit"],
    &["hotel", "room", "stay", "book", "reservation", "reserv"],
    &["car", "vehicl", "driv"],
    &["bug", "error", "fail", "failur", "crash", "issu", "problem"],
    &["fix", "repair", "solv", "solution", "patch"],
    &["languag", "speak", "translat"],
    &["favourit", "favorit", "prefer", "lik", "lov"],
    &["hat", "dislik", "avoid"],
    &["name", "nam", "call"],
    &["password", "passphras", "secret", "credential", "pin", "code"],
    &["databas", "db", "postgr", "postgresql", "mysql", "sqlit"],
    &["server", "host", "machin", "box"],
    &["siz", "big", "larg", "tall", "height", "length", "weigh", "weight"],
    &["buy", "bought", "purchas", "order"],
    &["sell", "sold", "sal"],
    &["teach", "teacher", "school", "class", "cours", "lesson"],
    &["study", "university", "colleg", "degre"],
    &["film", "movi", "watch"],
    &["song", "music", "band", "album", "listen"],
    &["colour", "color", "paint"],
    &["decid", "decision", "chos", "choos", "choic", "pick", "agre", "settl", "option"],
    &["size", "dimension"],
    &["train", "railway", "station", "platform"],
    &["invoic", "bill", "receipt"],
    &["customer", "client"],
    &["boss", "manag", "manager", "supervisor", "lead"],
    &["start", "begin", "began", "open"],
    &["end", "clos", "expir"],
    &["increas", "rais", "grow", "grew"],
    &["rent", "landlord", "leas", "tenant", "flat", "apartment"],
];

/// The other words of the groups that a stemmed word is in.
pub(super) fn kin(word: &str) -> impl Iterator<Item = &'static str> {
    GROUPS
        .iter()
        .filter(move |group| group.contains(&word))
        .flat_map(|group| group.iter().copied())
        .filter(move |other| *other != word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_the_cost_is_told_the_price() {
        assert!(kin("cost").any(|word| word == crate::text::stem("price")));
        assert!(kin("call").any(|word| word == crate::text::stem("phone")));
        assert_eq!(kin("granit").count(), 0);
    }
}
