//! What would keep the service from starting, found without starting it.

use std::{path::Path, sync::Arc};

use super::{
    StartError,
    assemble::{STORE_FILE, documents_options, keyring},
    judge,
    sentences::check_sentences,
};
use crate::{
    documents::Documents,
    providers::{self, Fleet},
    settings::Settings,
    store::usable,
    telemetry::Metrics,
};

/// What would keep a service with these settings from starting, as far as it shows without starting
/// one: the store is not opened, and no provider is asked.
#[must_use]
pub fn obstacles(settings: &Settings) -> Vec<StartError> {
    let mut found = Vec::new();
    let dir = &settings.data.dir;
    let store = usable(&dir.join(STORE_FILE));
    found.extend(store.err().map(|source| StartError::Store { dir: dir.clone(), source }));
    found.extend(keyring(settings).err().map(StartError::from));
    found.extend(judge(Some(Path::new(&settings.judgement.model))).err().map(StartError::from));
    found.extend(check_sentences(&settings.lake).err().map(StartError::from));
    let documents = Documents::open(&settings.documents.folders, &documents_options(settings));
    found.extend(documents.err().map(StartError::from));
    let fleet = Arc::new(Fleet::default());
    let built = providers::build(&settings.providers, &Metrics::new(), &fleet);
    found.extend(built.err().map(StartError::from));
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let environment: BTreeMap<String, String> = pairs.collect();
        Settings::read(None, &environment).unwrap()
    }

    #[test]
    fn a_short_key_and_a_broken_model_are_told_together_and_never_shown() {
        assert!(obstacles(&settings(&[])).is_empty());
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("own.gz");
        std::fs::write(&model, "no model").unwrap();
        let broken = settings(&[
            ("META_ORCHESTRATOR__LAKE__ENCRYPTION_KEY_ENV", "KEYS"),
            ("KEYS", "hunter2"),
            ("META_ORCHESTRATOR__JUDGEMENT__MODEL", &model.display().to_string()),
        ]);
        let told: Vec<String> = obstacles(&broken).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("line 1 is no key") && told[1].contains("own.gz"), "{told:?}");
        assert!(!told.concat().contains("hunter2"));
    }

    #[test]
    fn a_data_folder_that_cannot_be_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(STORE_FILE), "a letter").unwrap();
        let dir = folder.path().display().to_string();
        let told = obstacles(&settings(&[("META_ORCHESTRATOR__DATA__DIR", &dir)]));
        assert!(matches!(told.as_slice(), [StartError::Store { .. }]), "{told:?}");
        assert!(told[0].to_string().contains(&dir), "{}", told[0]);
    }
}
