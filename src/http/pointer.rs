//! JSON Pointers (RFC 6901).

use std::fmt;

/// Longest part of a pointer that is shown; names come from strangers.
const LONGEST_PART: usize = 64;

/// A place within a JSON document, grown and shrunk as a reader walks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Name(String),
    Index(usize),
}

impl Pointer {
    /// Goes to the member of this name.
    pub(super) fn push_name(&mut self, name: &str) {
        let mut part = String::new();
        for character in name.chars().take(LONGEST_PART) {
            match character {
                '~' => part.push_str("~0"),
                '/' => part.push_str("~1"),
                other => part.push(other),
            }
        }
        self.0.push(Part::Name(part));
    }

    /// Goes to the item at this index.
    pub(super) fn push_index(&mut self, index: usize) {
        self.0.push(Part::Index(index));
    }

    /// Goes back up.
    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// The pointer to a member of this place.
    #[must_use]
    pub(super) fn member(&self, name: &str) -> Self {
        let mut inner = self.clone();
        inner.push_name(name);
        inner
    }

    /// The pointer to an item of this place.
    #[must_use]
    pub(super) fn item(&self, index: usize) -> Self {
        let mut inner = self.clone();
        inner.push_index(index);
        inner
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Name(name) => write!(f, "/{name}"),
            Part::Index(index) => write!(f, "/{index}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_the_standard_says() {
        let mut pointer = Pointer::default();
        assert_eq!(pointer.to_string(), "");
        pointer.push_name("a/b~c");
        pointer.push_index(3);
        assert_eq!(pointer.to_string(), "/a~1b~0c/3");
        pointer.pop();
        assert_eq!(pointer.member("").to_string(), "/a~1b~0c/");
    }
}
