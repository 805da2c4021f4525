//! Where the keys of encryption at rest are, and what stands there.

use std::{collections::BTreeMap, path::Path};

use super::{
    LakeSettings, Secret,
    problem::Problems,
    provider_read::{is_variable, read_key},
};

const VARIABLE: &str = "lake.encryption_key_env";
const FILE: &str = "lake.encryption_key_file";

/// The text of the keys. Whether it is one is judged by who uses it.
pub(super) fn keys(
    lake: &LakeSettings,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Secret> {
    let (variable, file) = (lake.encryption_key_env.as_str(), lake.encryption_key_file.as_str());
    let text = match (variable, file) {
        ("", "") => return None,
        ("", file) => match read_key(Path::new(file)) {
            Ok(text) => text,
            Err(why) => {
                problems.add(FILE, why, "name a file that holds the keys, one a line");
                return None;
            }
        },
        (variable, "") if !is_variable(variable) => {
            problems.add(
                VARIABLE,
                "this is no name of an environment variable",
                "write the variable's name, such as LAKE_KEYS, never the key itself",
            );
            return None;
        }
        (variable, "") => match environment.get(variable) {
            Some(text) => text.clone(),
            None => {
                problems.add(
                    VARIABLE,
                    format_args!("the environment variable {variable} is not set"),
                    "set it, or leave the key out for no encryption",
                );
                return None;
            }
        },
        _ => {
            problems.add(
                FILE,
                "encryption_key_env and encryption_key_file exclude each other",
                "keep the one that holds the keys",
            );
            return None;
        }
    };
    Some(Secret::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Secret>, String> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(None, &environment)
            .map(|settings| settings.encryption_keys)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn keys_come_from_the_named_variable_or_file_and_are_never_shown() {
        const ENV: &str = "META_ORCHESTRATOR__LAKE__ENCRYPTION_KEY_ENV";
        const KEY_FILE: &str = "META_ORCHESTRATOR__LAKE__ENCRYPTION_KEY_FILE";
        assert_eq!(read(&[]), Ok(None));
        let found = read(&[(ENV, "LAKE_KEYS"), ("LAKE_KEYS", "aa\nbb")]).unwrap().unwrap();
        assert_eq!(found.expose(), "aa\nbb");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, "cc\n").unwrap();
        let file = file.to_string_lossy();
        assert_eq!(read(&[(KEY_FILE, &file)]).unwrap().unwrap().expose(), "cc\n");
        for (pairs, key) in [
            (&[(ENV, "LAKE_KEYS")][..], VARIABLE),
            (&[(ENV, "0123abcd hunter2")], VARIABLE),
            (&[(KEY_FILE, "/nowhere/at/all")], FILE),
            (&[(ENV, "LAKE_KEYS"), ("LAKE_KEYS", "aa"), (KEY_FILE, &file)], FILE),
        ] {
            let error = read(pairs).unwrap_err();
            assert!(error.contains(key) && !error.contains("hunter2: "), "{error}");
        }
    }
}
