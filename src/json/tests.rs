use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Every shape that serde knows.
#[derive(Debug, Clone, Serialize)]
enum Shape {
    Unit,
    Newtype(String),
    Tuple(i8, Option<u64>, char),
    Struct {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<()>,
        names: BTreeMap<i32, bool>,
        #[serde(flatten)]
        further: BTreeMap<String, f64>,
    },
}

#[derive(Debug, Serialize)]
struct Pair(f32, Vec<Shape>);

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Unit),
        any::<String>().prop_map(Shape::Newtype),
        any::<(i8, Option<u64>, char)>().prop_map(|(a, b, c)| Shape::Tuple(a, b, c)),
        (
            prop::option::of(Just(())),
            prop::collection::btree_map(any::<i32>(), any::<bool>(), 0..3),
            prop::collection::btree_map(".{0,9}", any::<f64>(), 0..3),
        )
            .prop_map(|(absent, names, further)| Shape::Struct { absent, names, further }),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[ -~\n]{0,20}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn is_the_same<T: Serialize>(value: &T) -> bool {
    to_vec(value).unwrap() == serde_json::to_vec(value).unwrap()
}

#[test]
fn every_byte_is_escaped_as_serde_json_escapes_it_wherever_it_stands() {
    for length in 1..20 {
        for at in 0..length {
            for byte in 0..0x80u8 {
                let mut text = vec![b'a'; length];
                text[at] = byte;
                assert!(is_the_same(&String::from_utf8(text).unwrap()), "{length} {at} {byte}");
            }
        }
    }
}

#[test]
fn what_is_no_name_is_refused() {
    assert!(to_vec(&[(vec![1], 2)].into_iter().collect::<BTreeMap<_, _>>()).is_err());
    assert!(to_vec(&[(Some(1), 2)].into_iter().collect::<BTreeMap<_, _>>()).is_err());
    assert!(is_the_same(&[('c', f64::NAN)].into_iter().collect::<BTreeMap<_, _>>()));
}

proptest! {
    #[test]
    fn values_are_written_as_serde_json_writes_them(value in value()) {
        prop_assert!(is_the_same(&value));
    }

    #[test]
    fn shapes_are_written_as_serde_json_writes_them(
        float in any::<f32>(), shapes in prop::collection::vec(shape(), 0..4),
    ) {
        prop_assert!(is_the_same(&Pair(float, shapes)));
    }
}
