//! Reads the fields of a JSON object and reports everything that is wrong with them in one go:
//! a derived `Deserialize` stops at the first fault and words it for programmers.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use serde_json::{Map, Value};

use super::{FieldError, Problem, json::kind_of, near::nearest, pointer::Pointer};
use crate::domain::UnknownName;

/// A body that is read field by field.
pub trait FromFields: Sized {
    /// What must be known to read it: limits, defaults.
    type Context;

    /// Reads it. `None` means that a fault was reported.
    fn from_fields(fields: &mut Fields<'_>, context: &Self::Context) -> Option<Self>;
}

/// Reads a whole body.
///
/// # Errors
/// [`Problem::invalid`] with every invalid field.
pub(super) fn read<T: FromFields>(
    body: Map<String, Value>,
    context: &T::Context,
) -> Result<T, Problem> {
    let mut faults = Faults::default();
    let value =
        Fields::of(body, Pointer::default(), &mut faults, |fields| T::from_fields(fields, context));
    match value {
        _ if !faults.0.is_empty() => Err(Problem::invalid(faults.0)),
        Some(value) => Ok(value),
        None => Err(Problem::internal()),
    }
}

/// The names of a body's fields, in the order in which they are read.
pub(super) fn names<T: FromFields>(context: &T::Context) -> Vec<&'static str> {
    let mut faults = Faults::default();
    let (map, place) = (Map::new(), Pointer::default());
    let mut fields = Fields { map, place, known: Vec::new(), faults: &mut faults };
    T::from_fields(&mut fields, context);
    fields.known
}

/// The faults so far.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    /// Most faults that are reported: who made more will not read them.
    const MOST: usize = 32;

    fn full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    fn report(&mut self, place: &Pointer, detail: impl Display, fix: impl Display) {
        if !self.full() {
            self.0.push(FieldError {
                pointer: place.to_string(),
                detail: detail.to_string(),
                fix: fix.to_string(),
            });
        }
    }
}

/// The fields of one object. What nobody asked for is refused when the reading is over.
pub struct Fields<'a> {
    map: Map<String, Value>,
    place: Pointer,
    known: Vec<&'static str>,
    faults: &'a mut Faults,
}

impl<'a> Fields<'a> {
    fn of<T>(
        map: Map<String, Value>,
        place: Pointer,
        faults: &'a mut Faults,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut fields = Fields { map, place, known: Vec::new(), faults };
        let value = read(&mut fields);
        fields.refuse_the_rest();
        value
    }

    /// A field that may be absent; `null` counts as absent.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Field<'_>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.map.remove(name).filter(|value| !value.is_null())?;
        read(Field { value, place: self.place.member(name), faults: self.faults })
    }

    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        fix: &str,
        read: impl FnOnce(Field<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.known.push(name);
            self.map.remove(name);
            self.faults.report(&self.place.member(name), "is missing", fix);
            return None;
        }
        self.optional(name, read)
    }

    /// Whether a field was sent, and not as `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// Reports a fault of the object as a whole.
    pub fn refuse(&mut self, detail: impl Display, fix: impl Display) {
        self.faults.report(&self.place, detail, fix);
    }

    /// Takes whatever nobody asked for, and leaves it aside: for bodies whose senders add to them.
    pub fn ignore_the_rest(&mut self) {
        self.map.clear();
    }

    fn refuse_the_rest(self) {
        for name in self.map.keys() {
            // To look for what each of a hundred thousand names may have meant takes seconds.
            if self.faults.full() {
                return;
            }
            let place = self.place.member(name);
            let allowed = self.known.join(", ");
            let fix = match nearest(name, self.known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`? known fields are {allowed}"),
                None => format!("leave it out; known fields are {allowed}"),
            };
            self.faults.report(&place, "is no known field", fix);
        }
    }
}

/// Whether a text shows nothing: white space, control characters, and what Unicode has no glyph for
/// (`Default_Ignorable_Code_Point`, with the blank pattern of Braille).
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c,
                '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}')
    })
}

/// One field with a value other than `null`.
pub struct Field<'a> {
    value: Value,
    place: Pointer,
    faults: &'a mut Faults,
}

impl Field<'_> {
    /// A string of at most `most` characters.
    pub fn text(self, most: usize) -> Option<String> {
        let Value::String(text) = self.value else { return self.mistyped("a string") };
        // A text is at least as long in bytes as in characters, so most are never counted.
        if text.len() > most {
            let length = text.chars().count();
            if length > most {
                self.faults.report(
                    &self.place,
                    format_args!("has {length} characters"),
                    format_args!("send at most {most}"),
                );
                return None;
            }
        }
        Some(text)
    }

    /// A string of at most `most` characters that has more than white space.
    pub fn filled_text(self, most: usize) -> Option<String> {
        let Value::String(text) = &self.value else { return self.mistyped("a string") };
        if is_blank(text) {
            return self.refuse("is empty", "send a text with more than white space");
        }
        self.text(most)
    }

    /// A number within a range.
    pub fn number(self, range: RangeInclusive<f64>) -> Option<f64> {
        let Value::Number(number) = &self.value else { return self.mistyped("a number") };
        match number.as_f64().filter(|n| range.contains(n)) {
            Some(number) => Some(number),
            None => {
                let fix = format!("send a number from {} to {}", range.start(), range.end());
                self.refuse("is out of range", fix)
            }
        }
    }

    /// Any number; what it may be is judged elsewhere.
    pub fn any_number(self) -> Option<f64> {
        self.number(f64::MIN..=f64::MAX)
    }

    /// A whole number within a range; `2.0` is one, as JSON Schema has it.
    pub fn whole(self, range: RangeInclusive<u64>) -> Option<u64> {
        let Value::Number(number) = &self.value else { return self.mistyped("a whole number") };
        match whole_number(number).filter(|n| range.contains(n)) {
            Some(number) => Some(number),
            None => {
                let fix = format!("send a whole number from {} to {}", range.start(), range.end());
                self.refuse("is out of range", fix)
            }
        }
    }

    /// A whole number of either sign.
    pub fn integer(self) -> Option<i64> {
        let Value::Number(number) = &self.value else { return self.mistyped("a whole number") };
        match number.as_i64() {
            Some(number) => Some(number),
            None => self.refuse("is no whole number of 64 bits", "send a whole number"),
        }
    }

    /// `true` or `false`.
    pub fn flag(self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(flag),
            _ => self.mistyped("true or false"),
        }
    }

    /// One of a set of names.
    pub fn name<T: FromStr<Err = UnknownName>>(self) -> Option<T> {
        let Value::String(given) = &self.value else { return self.mistyped("a string") };
        match given.parse() {
            Ok(value) => Some(value),
            Err(UnknownName { given, kind, known }) => {
                let fix = match nearest(&given, known.split(", ")) {
                    Some(meant) => format!("did you mean `{meant}`? known are {known}"),
                    None => format!("use one of {known}"),
                };
                self.refuse(format_args!("names no {kind}: `{given}`"), fix)
            }
        }
    }

    /// A string that becomes something else, or says why not.
    pub fn parsed<T, E: Display>(self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let Value::String(text) = &self.value else { return self.mistyped("a string") };
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => self.refuse("is not valid", error),
        }
    }

    /// An array of at most `most` items. Every item is read, so that every fault is reported.
    pub fn items<T>(
        self,
        most: usize,
        mut read: impl FnMut(usize, Field<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = self.value else { return self.mistyped("an array") };
        if items.len() > most {
            let detail = format!("has {} items", items.len());
            self.faults.report(&self.place, detail, format_args!("send at most {most}"));
            return None;
        }
        let count = items.len();
        let mut read_items = Vec::with_capacity(count);
        for (index, value) in items.into_iter().enumerate() {
            let place = self.place.item(index);
            read_items.extend(read(index, Field { value, place, faults: self.faults }));
        }
        (read_items.len() == count).then_some(read_items)
    }

    /// An object whose names are free, with at most `most` members.
    pub fn table<T>(
        self,
        most: usize,
        mut read: impl FnMut(Field<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let Value::Object(map) = self.value else { return self.mistyped("an object") };
        if map.len() > most {
            let detail = format!("has {} members", map.len());
            self.faults.report(&self.place, detail, format_args!("send at most {most}"));
            return None;
        }
        let count = map.len();
        let mut table = BTreeMap::new();
        for (name, value) in map {
            let place = self.place.member(&name);
            if let Some(value) = read(Field { value, place, faults: self.faults }) {
                table.insert(name, value);
            }
        }
        (table.len() == count).then_some(table)
    }

    /// An object with fields of its own.
    pub fn object<T>(self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        match self.value {
            Value::Object(map) => Fields::of(map, self.place, self.faults, read),
            _ => self.mistyped("an object"),
        }
    }

    /// The value as it came.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value as it came, to be passed on.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// Whether the value is a string.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.value.is_string()
    }

    /// Whether the value is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.value.is_object()
    }

    /// Reports that the value is of another type than wanted.
    pub fn mistyped<T>(self, wanted: &str) -> Option<T> {
        let detail = format!("is {}", kind_of(&self.value));
        self.refuse(detail, format_args!("send {wanted}"))
    }

    /// Reports a fault.
    pub fn refuse<T>(self, detail: impl Display, fix: impl Display) -> Option<T> {
        self.faults.report(&self.place, detail, fix);
        None
    }
}

fn whole_number(number: &serde_json::Number) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it, not every whole number is a float
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=EXACT).contains(n))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, at most 2^53"
        )]
        Some(float as u64)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Strategy;

    #[derive(Debug)]
    struct Order;

    impl FromFields for Order {
        type Context = ();

        fn from_fields(fields: &mut Fields<'_>, (): &()) -> Option<Self> {
            fields.required("what", "say what", |f| f.filled_text(8));
            fields.optional("count", |f| f.whole(1..=9));
            fields.optional("share", |f| f.number(0.0..=1.0));
            fields.optional("strategy", |f| f.name::<Strategy>());
            fields.optional("gift", |f| f.flag());
            fields.optional("to", |f| {
                f.object(|to| {
                    to.optional("names", |f| f.items(2, |_, f| f.text(3)));
                    to.optional("weights", |f| f.table(2, |f| f.any_number()));
                    Some(())
                })
            });
            Some(Self)
        }
    }

    fn faults(body: Value) -> Vec<(String, String)> {
        let Value::Object(body) = body else { panic!("not an object") };
        read::<Order>(body, &())
            .err()
            .map(|p| p.errors().iter().map(|e| (e.pointer.clone(), e.detail.clone())).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_sound_body_is_taken_and_null_counts_as_absent() {
        let sound = json!({"what": "tea", "count": 2, "share": 0, "strategy": "AIFirst",
            "gift": null, "to": {"names": ["a", "äöü"], "weights": {"x": -1.5}}});
        assert_eq!(faults(sound), []);
    }

    #[test]
    fn every_fault_is_reported_with_its_place() {
        let broken = json!({"what": " ", "count": 10, "share": "much", "strategy": "hybird",
            "gift": 1, "colour": "red", "to": {"names": ["abcd", 3], "weights": {"a/b": "x"}, "by": 1}});
        let expected = [
            ("/what", "is empty"),
            ("/count", "is out of range"),
            ("/share", "is a string"),
            ("/strategy", "names no strategy: `hybird`"),
            ("/gift", "is a number"),
            ("/to/names/0", "has 4 characters"),
            ("/to/names/1", "is a number"),
            ("/to/weights/a~1b", "is a string"),
            ("/to/by", "is no known field"),
            ("/colour", "is no known field"),
        ]
        .map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()));
        assert_eq!(faults(broken), expected);
    }

    #[test]
    fn a_text_that_shows_nothing_is_empty() {
        for text in [
            "",
            "\n",
            "\u{200B}",
            "\u{FEFF}",
            "\u{FE0F}",
            "\u{0}\u{1}\u{7F}",
            "\u{200D}\u{2060}",
            "\u{E0020}\u{E007F}",
            "\u{3164}",
            "\u{AD}",
            "\u{202E}",
            "\u{2800}",
            " \u{85} ",
        ] {
            let fault = ("/what".to_owned(), "is empty".to_owned());
            assert_eq!(faults(json!({"what": text})), [fault], "{text:?}");
        }
        for text in ["a\u{200B}", "\u{2764}\u{FE0F}", "0", "."] {
            assert_eq!(faults(json!({"what": text})), [], "{text:?}");
        }
    }

    #[test]
    fn a_float_without_fraction_is_a_whole_number() {
        assert_eq!(faults(json!({"what": "tea", "count": 2.0})), []);
    }

    #[test]
    fn a_fraction_or_a_negative_is_no_whole_number() {
        for count in [json!(1.5), json!(-1), json!(0), json!(1e30)] {
            assert_eq!(faults(json!({"what": "tea", "count": count})).len(), 1, "{count}");
        }
    }

    #[test]
    fn a_flood_of_faults_is_cut() {
        let body: Map<_, _> = (0..10_000).map(|i| (format!("f{i}"), Value::Null)).collect();
        assert_eq!(faults(Value::Object(body)).len(), Faults::MOST);
    }
}
