//! From a tree of values to typed sections, without stopping at the first problem.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use serde_path_to_error::{Path, Segment};

use super::problem::Problems;

/// Keys under which people put the key itself.
const INLINE_KEYS: &[&str] =
    &["api_key", "apikey", "key", "token", "secret", "password", "authorization", "bearer"];

/// Reads one section. What is unknown or of the wrong type is a problem, and the default stands in
/// for it, so that the rest of the section is looked at, too. A section without defaults is free to
/// have any key. `None` only when the defaults themselves do not fit.
pub(super) fn section<T: DeserializeOwned>(
    name: &str,
    tree: &mut Map<String, Json>,
    defaults: &Map<String, Json>,
    problems: &mut Problems,
) -> Option<T> {
    let empty = Map::new();
    let default = defaults.get(name).and_then(Json::as_object).unwrap_or(&empty);
    let mut given = match tree.remove(name) {
        Some(Json::Object(given)) => given,
        Some(_) => {
            problems.add(
                name,
                "this is a section, no value",
                format!("write [{name}] and its keys"),
            );
            default.clone()
        }
        None => default.clone(),
    };
    if !default.is_empty() {
        let unknown: Vec<String> =
            given.keys().filter(|key| !default.contains_key(*key)).cloned().collect();
        for key in unknown {
            given.remove(&key);
            let known = default.keys().map(String::as_str);
            problems.add(&format!("{name}.{key}"), "unknown key", did_you_mean(&key, known));
        }
    }
    // Each round mends one key, so there are no more rounds than keys.
    for _ in 0..=given.len() {
        let error = match serde_path_to_error::deserialize(Json::Object(given.clone())) {
            Ok(section) => return Some(section),
            Err(error) => error,
        };
        let key = match error.path().iter().next() {
            Some(Segment::Map { key }) => key.clone(),
            _ => break,
        };
        let path = dotted(name, error.path());
        let fix = default
            .get(&key)
            .map_or_else(|| "mend the value".to_owned(), |value| format!("the default is {value}"));
        problems.add(&path, plain_words(&error.inner().to_string()), fix);
        match default.get(&key) {
            Some(value) => given.insert(key, value.clone()),
            None => given.remove(&key),
        };
    }
    problems.add(name, "this section does not fit", "see config/default.toml");
    None
}

/// Reads one element of an array of tables all of whose keys may be absent. Problems as for
/// [`section`], but values are not shown: one of them may be a key that was put in the wrong place.
/// `known` gives the keys that are known at a path within the element.
pub(super) fn element<T: DeserializeOwned>(
    path: &str,
    mut value: Json,
    known: fn(&str) -> &'static [&'static str],
    problems: &mut Problems,
) -> Option<T> {
    const MOST_PROBLEMS: usize = 64;
    for _ in 0..MOST_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(_) => break,
            Err(error) => error,
        };
        let message = error.inner().to_string();
        let wanted = message.rsplit_once("expected ").map_or("another value", |(_, wanted)| wanted);
        problems.add(
            &dotted(path, error.path()),
            "the value is of the wrong type",
            format!("write {}", plain_words(wanted)),
        );
        if !remove(&mut value, error.path()) {
            return None;
        }
    }
    let mut unknown = Vec::new();
    let read = serde_ignored::deserialize(value, |ignored| unknown.push(ignored_path(&ignored)));
    for (inner, key) in unknown {
        let fix = if INLINE_KEYS.contains(&key.to_ascii_lowercase().as_str()) {
            "a key never stands in the configuration: name the variable that holds it with \
             `api_key_env`, or the file with `api_key_file`"
                .to_owned()
        } else {
            did_you_mean(&key, known(&inner).iter().copied())
        };
        problems.add(&format!("{path}{inner}"), "unknown key", fix);
    }
    read.ok()
}

/// The known key that was probably meant, else all of them.
pub(super) fn did_you_mean<'a>(key: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = known.clone().map(|k| (edits(key, k), k)).min();
    match nearest {
        Some((distance, name)) if distance <= 1 + name.len() / 4 => {
            format!("did you mean `{name}`?")
        }
        _ => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let b: Vec<char> = b.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(LONGEST).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, &y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Serde's message in the words of a configuration.
fn plain_words(message: &str) -> String {
    let (head, wanted) = match message.rsplit_once("expected ") {
        Some((head, wanted)) => (format!("{head}expected "), wanted),
        None => (String::new(), message),
    };
    let wanted = match wanted {
        "u64" | "u32" | "usize" => "a whole number, 0 or more",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list in [ ]",
        other => other,
    };
    // The aliases that are read, too, would only blur the list of names.
    let names: Vec<&str> =
        wanted.split(", ").filter(|w| !w.contains(|c: char| c.is_ascii_uppercase())).collect();
    let listed = wanted.starts_with("one of ") && !names.is_empty();
    let wanted = if listed { format!("one of {}", names.join(", ")) } else { wanted.to_owned() };
    format!("{head}{wanted}")
}

fn dotted(base: &str, path: &Path) -> String {
    let mut text = base.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } => text.push_str(&format!(".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

/// An ignored key's path below the element, and the key itself.
fn ignored_path(path: &serde_ignored::Path<'_>) -> (String, String) {
    use serde_ignored::Path as P;
    match path {
        P::Root => (String::new(), String::new()),
        P::Seq { parent, index } => (format!("{}[{index}]", ignored_path(parent).0), String::new()),
        P::Map { parent, key } => (format!("{}.{key}", ignored_path(parent).0), key.clone()),
        P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => {
            ignored_path(parent)
        }
    }
}

/// Takes away what stands at the path; false when the path is the whole.
fn remove(value: &mut Json, path: &Path) -> bool {
    let segments: Vec<&Segment> = path.iter().collect();
    let Some((last, parents)) = segments.split_last() else { return false };
    let mut at = value;
    for segment in parents {
        let next = match segment {
            Segment::Seq { index } => at.get_mut(*index),
            Segment::Map { key } => at.get_mut(key),
            Segment::Enum { .. } | Segment::Unknown => Some(at),
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    match (last, at) {
        (Segment::Map { key }, Json::Object(map)) => map.remove(key).is_some(),
        (Segment::Seq { index }, Json::Array(items)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_known_key_is_proposed_when_it_is_near() {
        let known = ["max_turns", "ttl_hours"];
        assert_eq!(did_you_mean("max_turn", known.into_iter()), "did you mean `max_turns`?");
        assert_eq!(did_you_mean("colour", known.into_iter()), "known are max_turns, ttl_hours");
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a in "[abc]{0,6}", b in "[abc]{0,6}", c in "[abc]{0,6}") {
            prop_assert_eq!(edits(&a, &a), 0);
            prop_assert_eq!(edits(&a, &b), edits(&b, &a));
            prop_assert!(edits(&a, &c) <= edits(&a, &b) + edits(&b, &c));
            prop_assert!(edits(&a, &b) >= a.len().abs_diff(b.len()));
        }
    }
}
