//! JSON on the wire. From the bytes of a body to one object, strictly: UTF-8 (RFC 8259 §8.1), nothing
//! after the value, no name twice (RFC 7493 §2.3), no deeper than agreed. And from a value to a
//! response.

use std::fmt;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{FieldError, Problem, ProblemKind, pointer::Pointer};

/// The depth at which `serde_json` itself gives up, less one.
const DEEPEST: usize = 126;

/// Reads a body that must be one JSON object.
///
/// # Errors
/// A [`Problem`] that says where the body stops being what it must be.
pub(super) fn object(body: &[u8], max_depth: usize) -> Result<Map<String, Value>, Problem> {
    let max_depth = max_depth.clamp(1, DEEPEST);
    let text = std::str::from_utf8(body).map_err(|e| not_utf8(body, e.valid_up_to()))?;
    if text.trim_ascii().is_empty() {
        return Err(Problem::new(
            ProblemKind::EmptyBody,
            "The body is empty; send a JSON object such as {\"input\": \"what is 2 + 2?\"}.",
        ));
    }
    if text.starts_with('\u{feff}') {
        return Err(Problem::new(
            ProblemKind::MalformedJson,
            "The body begins with a byte order mark; send UTF-8 without one.",
        ));
    }
    let mut fault = None;
    let mut path = Pointer::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Strict { depth: 0, max_depth, path: &mut path, fault: &mut fault };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match (value, fault) {
        (Ok(Value::Object(map)), _) => Ok(map),
        (Ok(other), _) => Err(Problem::invalid(vec![FieldError {
            pointer: String::new(),
            detail: format!("is {}", kind_of(&other)),
            fix: "send a JSON object".to_owned(),
        }])),
        (Err(_), Some(Fault::TooDeep(pointer))) => Err(Problem::new(
            ProblemKind::JsonTooDeep,
            format!("`{pointer}` lies deeper than {max_depth} levels; send flatter JSON."),
        )),
        (Err(_), Some(Fault::Twice(pointer))) => Err(Problem::invalid(vec![FieldError {
            pointer,
            detail: "is given twice".to_owned(),
            fix: "give each name once".to_owned(),
        }])),
        (Err(error), None) => Err(malformed(&error)),
    }
}

/// A response whose body is this value, written straight into one buffer.
pub(super) fn response<T: Serialize>(value: &T) -> Response {
    match crate::json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
            .into_response(),
        // Maps with keys that are no texts, and nothing else, cannot be written.
        Err(_) => Problem::internal().into_response(),
    }
}

/// What a value is, with its article, for messages. Never the value itself.
#[must_use]
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn not_utf8(body: &[u8], offset: usize) -> Problem {
    let hint = match body {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "; it looks like UTF-16",
        [0x1f, 0x8b, ..] => "; it looks like gzip, and compressed bodies are not taken",
        _ => "",
    };
    Problem::new(
        ProblemKind::InvalidEncoding,
        format!("The byte at offset {offset} of the body is not valid UTF-8{hint}. Send UTF-8."),
    )
}

/// `serde_json` names the place and what it missed there, and quotes nothing of the body.
fn malformed(error: &serde_json::Error) -> Problem {
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Problem::new(
        ProblemKind::MalformedJson,
        format!("Line {}, column {} of the body: {what}.", error.line(), error.column()),
    )
}

/// What `serde_json` would have let pass.
enum Fault {
    TooDeep(String),
    Twice(String),
}

struct Strict<'a> {
    depth: usize,
    max_depth: usize,
    path: &'a mut Pointer,
    fault: &'a mut Option<Fault>,
}

impl Strict<'_> {
    fn inner(&mut self) -> Strict<'_> {
        Strict {
            depth: self.depth + 1,
            max_depth: self.max_depth,
            path: self.path,
            fault: self.fault,
        }
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= self.max_depth {
            *self.fault = Some(Fault::TooDeep(self.path.to_string()));
            return Err(E::custom("too deep"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut array = Vec::new();
        self.path.push_index(0);
        while let Some(item) = items.next_element_seed(self.inner())? {
            array.push(item);
            self.path.pop();
            self.path.push_index(array.len());
        }
        self.path.pop();
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.path.push_name(&name);
            if object.contains_key(&name) {
                *self.fault = Some(Fault::Twice(self.path.to_string()));
                return Err(A::Error::custom("given twice"));
            }
            let value = entries.next_value_seed(self.inner())?;
            self.path.pop();
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(body: &[u8]) -> (ProblemKind, String) {
        let problem = object(body, 8).unwrap_err();
        let pointer = problem.errors().first().map(|e| e.pointer.clone()).unwrap_or_default();
        (problem.kind(), pointer)
    }

    #[test]
    fn a_name_given_twice_is_refused_where_it_stands() {
        let (kind, pointer) = refused(br#"{"a":[{"b":1},{"c/d":1,"c/d":2}]}"#);
        assert_eq!((kind, pointer.as_str()), (ProblemKind::InvalidRequest, "/a/1/c~1d"));
    }

    #[test]
    fn depth_is_counted_in_containers() {
        assert!(object(br#"{"a":[[[[[[[]]]]]]]}"#, 8).is_ok());
        assert_eq!(refused(br#"{"a":[[[[[[[[]]]]]]]]}"#).0, ProblemKind::JsonTooDeep);
        let bottomless = [br#"{"a":"#.as_slice(), &b"[".repeat(100_000)].concat();
        assert_eq!(object(&bottomless, usize::MAX).unwrap_err().kind(), ProblemKind::JsonTooDeep);
    }

    #[test]
    fn a_body_that_is_not_json_is_told_where() {
        let Err(problem) = object(b"{\"a\": 1,\n \"b\" 2}", 8) else { panic!("taken") };
        assert_eq!(problem.kind(), ProblemKind::MalformedJson);
        assert!(format!("{problem:?}").contains("Line 2, column 6"), "{problem:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_object_or_a_problem(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&body, 8);
        }

        #[test]
        fn what_serde_json_writes_is_read_back(names in prop::collection::btree_map(".{0,6}", any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), 0..6)) {
            let body = serde_json::to_vec(&names).unwrap();
            let expected: Map<String, Value> = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(object(&body, 8).unwrap(), expected);
        }
    }
}
