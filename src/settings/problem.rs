//! What is wrong with a configuration, all of it.

use std::{collections::BTreeMap, fmt};

/// One thing that is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, such as `server.listen`, or the file.
    pub key: String,
    /// What is wrong, and where the value came from unless it is a default.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The problems, by key. Never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the configuration has a problem:")?,
            n => write!(f, "the configuration has {n} problems:")?,
        }
        for Problem { key, problem, fix } in &self.problems {
            write!(f, "\n  {key}: {problem}\n    fix: {fix}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

/// Collects problems and knows where each value came from.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    /// Where a value was set, by its dotted path; defaults are not listed.
    pub(super) origins: BTreeMap<String, String>,
}

impl Problems {
    /// Notes a problem.
    pub(super) fn add(&mut self, key: &str, problem: impl fmt::Display, fix: impl Into<String>) {
        let problem = match self.origin(key) {
            Some(origin) => format!("{problem} (set in {origin})"),
            None => problem.to_string(),
        };
        self.found.push(Problem { key: key.to_owned(), problem, fix: fix.into() });
    }

    /// Notes a problem unless the value lies in the range.
    pub(super) fn range<T: PartialOrd + fmt::Display>(
        &mut self,
        key: &str,
        value: T,
        min: T,
        max: T,
    ) {
        if !(value >= min && value <= max) {
            self.add(
                key,
                format_args!("{value} is out of range"),
                format!("choose a value from {min} to {max}"),
            );
        }
    }

    /// Whether this key already has a problem.
    pub(super) fn has(&self, key: &str) -> bool {
        self.found.iter().any(|p| p.key == key)
    }

    /// The settings, or everything that was wrong.
    pub(super) fn finish<T>(mut self, settings: Option<T>) -> Result<T, SettingsError> {
        match settings {
            Some(settings) if self.found.is_empty() => Ok(settings),
            _ => {
                self.found.sort_by(|a, b| a.key.cmp(&b.key));
                Err(SettingsError { problems: self.found })
            }
        }
    }

    /// Where the value of a key came from: its own origin, else that of the nearest table above.
    fn origin(&self, key: &str) -> Option<&str> {
        let mut path = key;
        loop {
            if let Some(origin) = self.origins.get(path) {
                return Some(origin);
            }
            path = path.get(..path.rfind(['.', '['])?)?;
        }
    }
}
