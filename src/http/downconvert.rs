//! From OpenAPI 3.1 to 3.0.3, for generators that read nothing newer. Schemas of 3.1 are JSON
//! Schema 2020-12; those of 3.0 are a dialect of draft 5 with `nullable`.

use serde_json::{Map, Value, json};

/// Keywords that 3.0 does not know. What they demand beyond the rest is lost, which makes the
/// schema wider, never narrower.
const UNKNOWN_TO_3_0: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "$anchor",
    "propertyNames",
    "patternProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "prefixItems",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// The same document in OpenAPI 3.0.3.
#[must_use]
pub(super) fn to_3_0(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(root) = document.as_object_mut() {
        root.insert("openapi".to_owned(), json!("3.0.3"));
        root.remove("jsonSchemaDialect");
        root.remove("webhooks");
        root.get_mut("info").into_iter().for_each(info);
    }
    walk(&mut document);
    document
}

fn info(info: &mut Value) {
    let Some(info) = info.as_object_mut() else { return };
    info.remove("summary");
    let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) else { return };
    if let Some(Value::String(identifier)) = license.remove("identifier") {
        license.insert(
            "url".to_owned(),
            json!(format!("https://spdx.org/licenses/{identifier}.html")),
        );
    }
}

/// Finds the schemas of a document: under `components/schemas` and under every key `schema`.
/// Examples are data and stay as they are.
fn walk(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match key.as_str() {
                    "schema" => schema(inner),
                    "schemas" => members(inner, schema),
                    "example" | "examples" => {}
                    _ => walk(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

fn members(value: &mut Value, each: fn(&mut Value)) {
    value.as_object_mut().into_iter().flatten().for_each(|(_, inner)| each(inner));
}

fn schema(value: &mut Value) {
    // `true` and `false` are schemas of 3.1 only; here `true` is the schema without demands.
    match value {
        Value::Bool(true) => *value = json!({}),
        Value::Bool(false) => *value = json!({"not": {}}),
        _ => {}
    }
    let Some(map) = value.as_object_mut() else { return };
    for (key, inner) in map.iter_mut() {
        match key.as_str() {
            "properties" => members(inner, schema),
            "items" | "not" => schema(inner),
            "additionalProperties" if inner.is_object() => schema(inner),
            "allOf" | "anyOf" | "oneOf" => {
                inner.as_array_mut().into_iter().flatten().for_each(schema);
            }
            _ => {}
        }
    }
    if map.contains_key("prefixItems") {
        map.entry("items").or_insert(json!({}));
    }
    UNKNOWN_TO_3_0.iter().for_each(|keyword| drop(map.remove(*keyword)));
    types(map);
    choices(map, "oneOf");
    choices(map, "anyOf");
    constants(map);
    bounds(map, "exclusiveMinimum", "minimum");
    bounds(map, "exclusiveMaximum", "maximum");
    lone_reference(map);
}

/// `type: [string, null]` becomes `type: string, nullable: true`; several types become `anyOf`.
fn types(map: &mut Map<String, Value>) {
    let mut names = match map.remove("type") {
        Some(Value::Array(names)) => names,
        Some(Value::String(name)) => vec![Value::String(name)],
        _ => return,
    };
    let all = names.len();
    names.retain(|name| name != "null");
    if names.len() < all {
        nullable(map);
    }
    match names.len() {
        // Nothing but null: 3.0 has no such type, but an enum of it.
        0 => drop(map.insert("enum".to_owned(), json!([null]))),
        1 => drop(names.pop().and_then(|name| map.insert("type".to_owned(), name))),
        _ => {
            let each = names.into_iter().map(|name| json!({"type": name})).collect();
            map.insert("anyOf".to_owned(), Value::Array(each));
        }
    }
}

/// A choice of which one branch is null becomes the other branches, nullable. In 3.0 `nullable`
/// says nothing beside a reference, so beside one the null is lost: a client then leaves the field
/// out instead. A field that must be there, and may be null, is therefore described inline.
fn choices(map: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(branches)) = map.get_mut(keyword) else { return };
    let all = branches.len();
    branches.retain(|branch| branch.get("enum") != Some(&json!([null])));
    if branches.len() == all {
        return;
    }
    if let [Value::Object(only)] = branches.as_mut_slice() {
        let mut only = std::mem::take(only);
        map.remove(keyword);
        // What the choice says of itself goes before what its branch says.
        only.append(map);
        *map = only;
    }
    if map.contains_key("type") {
        nullable(map);
    }
}

fn nullable(map: &mut Map<String, Value>) {
    map.insert("nullable".to_owned(), Value::Bool(true));
    if let Some(Value::Array(values)) = map.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// `const` becomes an enum of one, `examples` becomes its first.
fn constants(map: &mut Map<String, Value>) {
    if let Some(value) = map.remove("const") {
        map.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(examples)) = map.remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        map.entry("example").or_insert(first);
    }
}

/// A number as an exclusive bound becomes the bound and a flag.
fn bounds(map: &mut Map<String, Value>, exclusive: &str, inclusive: &str) {
    let Some(Value::Number(bound)) = map.get(exclusive) else { return };
    let bound = Value::Number(bound.clone());
    map.insert(exclusive.to_owned(), Value::Bool(true));
    map.insert(inclusive.to_owned(), bound);
}

/// 3.0 ignores whatever stands beside a reference, so the reference moves into an `allOf`.
fn lone_reference(map: &mut Map<String, Value>) {
    if map.len() > 1
        && let Some(target) = map.remove("$ref")
    {
        map.insert("allOf".to_owned(), json!([{"$ref": target}]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(mut given: Value) -> Value {
        schema(&mut given);
        given
    }

    #[test]
    fn each_keyword_finds_its_older_form() {
        for (given, expected) in [
            (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
            (
                json!({"type": ["string", "integer"]}),
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
            (
                json!({"oneOf": [{"type": "null"}, {"type": "string", "enum": ["a"], "description": "b"}], "description": "c"}),
                json!({"type": "string", "enum": ["a", null], "nullable": true, "description": "c"}),
            ),
            (
                json!({"oneOf": [{"type": "null"}, {"$ref": "#/a"}, {"$ref": "#/b"}]}),
                json!({"oneOf": [{"$ref": "#/a"}, {"$ref": "#/b"}]}),
            ),
            (
                json!({"oneOf": [{"$ref": "#/a", "description": "d"}, {"type": "null"}]}),
                json!({"allOf": [{"$ref": "#/a"}], "description": "d"}),
            ),
            (json!({"const": 3}), json!({"enum": [3]})),
            (json!({"examples": ["a", "b"]}), json!({"example": "a"})),
            (
                json!({"exclusiveMinimum": 0, "type": "number"}),
                json!({"exclusiveMinimum": true, "minimum": 0, "type": "number"}),
            ),
            (
                json!({"$ref": "#/a", "description": "d"}),
                json!({"allOf": [{"$ref": "#/a"}], "description": "d"}),
            ),
            (json!({"$ref": "#/a"}), json!({"$ref": "#/a"})),
            (json!({"type": "array", "prefixItems": [{}]}), json!({"type": "array", "items": {}})),
            (
                json!({"type": "object", "propertyNames": {}, "additionalProperties": {"type": ["number", "null"]}}),
                json!({"type": "object", "additionalProperties": {"type": "number", "nullable": true}}),
            ),
        ] {
            assert_eq!(converted(given.clone()), expected, "{given}");
        }
    }

    #[test]
    fn a_property_may_be_named_like_a_keyword() {
        let given = json!({"properties": {"type": {"type": "string"}, "const": {"const": 1}, "examples": {"type": "array", "items": {"type": ["string", "null"]}}}});
        let expected = json!({"properties": {"type": {"type": "string"}, "const": {"enum": [1]}, "examples": {"type": "array", "items": {"type": "string", "nullable": true}}}});
        assert_eq!(converted(given), expected);
    }

    #[test]
    fn examples_of_media_types_are_data() {
        let given = json!({"openapi": "3.1.0", "info": {"license": {"name": "A", "identifier": "A"}, "summary": "s"},
            "content": {"examples": {"a": {"value": {"type": ["string", "null"], "schema": true}}}}});
        let expected = json!({"openapi": "3.0.3", "info": {"license": {"name": "A", "url": "https://spdx.org/licenses/A.html"}},
            "content": {"examples": {"a": {"value": {"type": ["string", "null"], "schema": true}}}}});
        assert_eq!(to_3_0(&given), expected);
    }

    /// Else its null would be lost on the way to 3.0.
    #[test]
    fn what_must_be_there_and_may_be_null_is_described_inline() {
        let document = super::super::document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for required in schema["required"].as_array().into_iter().flatten() {
                let field = &schema["properties"][required.as_str().unwrap()];
                let choices = field["oneOf"].as_array().into_iter().flatten();
                let (mut null, mut reference) = (false, false);
                for choice in choices {
                    null |= choice["type"] == "null";
                    reference |= choice.get("$ref").is_some();
                }
                assert!(!(null && reference), "{name}.{required}");
            }
        }
    }

    /// Nothing in the real document is beyond 3.0.
    #[test]
    fn the_document_has_nothing_left_of_3_1() {
        fn check(place: &str, value: &Value) {
            if let Some(map) = value.as_object() {
                for keyword in UNKNOWN_TO_3_0.iter().chain(&["const"]) {
                    assert!(!map.contains_key(*keyword), "{place}: {keyword}");
                }
                if let Some(name) = map.get("type") {
                    assert!(name.is_string() && name != "null", "{place}: {name}");
                    assert!(name != "array" || map.contains_key("items"), "{place}: no items");
                }
                assert!(!map.get("examples").is_some_and(Value::is_array), "{place}: examples");
                assert!(!map.contains_key("$ref") || map.len() == 1, "{place}: beside $ref");
                let nullable = map.get("nullable") == Some(&Value::Bool(true));
                assert!(!nullable || map.contains_key("type"), "{place}: nullable without type");
                for bound in ["exclusiveMinimum", "exclusiveMaximum"] {
                    assert!(map.get(bound).is_none_or(Value::is_boolean), "{place}: {bound}");
                }
                for (key, inner) in map {
                    let place = format!("{place}/{key}");
                    match key.as_str() {
                        "example" | "enum" | "default" | "required" => {}
                        "properties" => inner
                            .as_object()
                            .unwrap()
                            .iter()
                            .for_each(|(name, inner)| check(&format!("{place}/{name}"), inner)),
                        _ => check(&place, inner),
                    }
                }
            } else if let Some(items) = value.as_array() {
                items.iter().for_each(|item| check(place, item));
            }
        }
        let document = super::super::document_3_0();
        check("", &document["components"]);
        check("", &document["paths"]);
    }
}
