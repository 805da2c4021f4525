//! Models as files: a line of JSON that says what follows and its checksum, then a line of JSON for
//! each model with its bytes behind it; gzipped.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};

use super::{
    drafted,
    linear::Ridge,
    model::{Calibration, Card, Draftsman, Experience, Model, Past},
    ngrams::{Rarity, SLOTS},
    question::{Kind, Question},
    trees::Forest,
};
use crate::domain::{Draft, Signal, Source, SourceKind, Tier};

/// The format that this program writes and reads.
const FORMAT: &str = "meta-orchestrator judgement 2";
/// Largest file when unpacked, in bytes.
const MOST_BYTES: u64 = 64 << 20;
/// Most models of a file: the folds of a cross-fitted one.
const MOST_MODELS: usize = 16;

/// Why a file is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// It cannot be unpacked.
    #[error("the model file cannot be unpacked: {0}")]
    Unpack(#[from] io::Error),
    /// It is not what this program writes.
    #[error("the model file is no `{FORMAT}`: {0}")]
    Format(String),
    /// Its bytes are not those that were written.
    #[error("the model file is damaged: its checksum does not match; train or copy it again")]
    Checksum,
}

#[derive(Serialize, Deserialize)]
struct Heading {
    format: String,
    models: usize,
    bytes: usize,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    card: Card,
    /// Names of the features, in their order: another order is another model.
    features: Vec<String>,
    kinds: Vec<Option<WrittenKind>>,
    drafts: Option<WrittenDrafts>,
    history: BTreeMap<String, BTreeMap<String, Past>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKind {
    fast: (f64, f32),
    slow: (f64, f32),
    gain: Forest,
    usual_gain: f64,
}

#[derive(Serialize, Deserialize)]
struct WrittenDrafts {
    right: Forest,
    gain: Forest,
    calibration: Calibration,
}

/// The names of what is read off a question and a draft, in their order.
fn feature_names() -> Vec<String> {
    let question = Question::of("");
    let source = Source::new(Tier::Flux, SourceKind::Drafter, "");
    let draft = Draft::new(source, "", None, Signal::ZERO);
    let mut names: Vec<String> =
        question.features().iter().map(|(name, _)| (*name).to_owned()).collect();
    names.extend(["fast", "slow", "gain"].map(str::to_owned));
    names.extend(drafted::features(&question, &draft).iter().map(|(name, _)| (*name).to_owned()));
    names.push("prior".to_owned());
    names
}

/// Writes models, in their order.
///
/// # Errors
/// When packing fails, which in memory it does not.
pub fn to_bytes(models: &[Model]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    for model in models {
        let mut blobs: Vec<u8> = model.rarity.0.clone();
        let mut packed = |ridge: &Ridge| {
            let (scale, bytes) = ridge.packed();
            blobs.extend(bytes.iter().map(|b| b.cast_unsigned()));
            (ridge.intercept, scale)
        };
        let kinds = model
            .kinds
            .iter()
            .map(|kind| {
                kind.as_ref().map(|kind| WrittenKind {
                    fast: packed(&kind.fast),
                    slow: packed(&kind.slow),
                    gain: kind.gain.clone(),
                    usual_gain: kind.usual_gain,
                })
            })
            .collect();
        let written = Written {
            card: model.card.clone(),
            features: feature_names(),
            kinds,
            drafts: model.drafts.as_ref().map(|d| WrittenDrafts {
                right: d.right.clone(),
                gain: d.gain.clone(),
                calibration: d.calibration,
            }),
            history: model.history.clone(),
        };
        serde_json::to_writer(&mut body, &written)?;
        body.push(b'\n');
        body.extend(blobs);
    }
    let heading = Heading {
        format: FORMAT.to_owned(),
        models: models.len(),
        bytes: body.len(),
        checksum: checksum(&body),
    };
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut packer, &heading)?;
    packer.write_all(b"\n")?;
    packer.write_all(&body)?;
    packer.finish()
}

/// Reads what [`to_bytes`] wrote.
///
/// # Errors
/// [`ModelFileError`]; nothing of a damaged or strange file is used.
pub fn from_bytes(packed: &[u8]) -> Result<Vec<Model>, ModelFileError> {
    let strange = |what: &str| ModelFileError::Format(what.to_owned());
    let mut plain = Vec::new();
    GzDecoder::new(packed).take(MOST_BYTES).read_to_end(&mut plain)?;
    let (heading, mut body) = line(&plain).ok_or_else(|| strange("it has no heading"))?;
    let heading: Heading =
        serde_json::from_slice(heading).map_err(|_| strange("its heading is no heading"))?;
    if heading.format != FORMAT {
        return Err(strange("it was written in another format; train it again"));
    }
    if heading.bytes != body.len() || heading.checksum != checksum(body) {
        return Err(ModelFileError::Checksum);
    }
    if heading.models == 0 || heading.models > MOST_MODELS {
        return Err(strange("it has no model, or too many"));
    }
    let mut models = Vec::new();
    for _ in 0..heading.models {
        let (written, rest) = line(body).ok_or_else(|| strange("a model is missing"))?;
        let written: Written =
            serde_json::from_slice(written).map_err(|_| strange("a model cannot be read"))?;
        let (model, rest) = model(written, rest)?;
        models.push(model);
        body = rest;
    }
    Ok(models)
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn model(written: Written, bytes: &[u8]) -> Result<(Model, &[u8]), ModelFileError> {
    let strange = |what: &str| ModelFileError::Format(what.to_owned());
    if written.features != feature_names() {
        return Err(strange("it knows other features than this program reads; train it again"));
    }
    let of_drafts = written.features.len();
    let of_questions = Question::of("").features().len() + 3;
    let mut rest = bytes;
    let mut next = || -> Result<&[u8], ModelFileError> {
        let (blob, behind) =
            rest.split_at_checked(SLOTS).ok_or_else(|| strange("its weights are cut short"))?;
        rest = behind;
        Ok(blob)
    };
    let rarity = Rarity(next()?.to_vec());
    let mut kinds: [Option<Experience>; 3] = [None, None, None];
    if written.kinds.len() != Kind::ALL.len() {
        return Err(strange("it knows other kinds of questions"));
    }
    for (place, kind) in kinds.iter_mut().zip(written.kinds) {
        let Some(kind) = kind else { continue };
        if !kind.gain.is_sound(of_questions) || !kind.usual_gain.is_finite() {
            return Err(strange("a forest asks for features that there are not"));
        }
        let mut ridge = |(intercept, scale): (f64, f32)| -> Result<Ridge, ModelFileError> {
            let bytes: Vec<i8> = next()?.iter().map(|b| b.cast_signed()).collect();
            Ok(Ridge::unpacked(intercept, scale, &bytes))
        };
        *place = Some(Experience {
            fast: ridge(kind.fast)?,
            slow: ridge(kind.slow)?,
            gain: kind.gain,
            usual_gain: kind.usual_gain,
        });
    }
    let drafts = match written.drafts {
        Some(d) if d.right.is_sound(of_drafts) && d.gain.is_sound(of_drafts) => {
            Some(Draftsman { right: d.right, gain: d.gain, calibration: d.calibration })
        }
        Some(_) => return Err(strange("a forest asks for features that there are not")),
        None => None,
    };
    Ok((Model { card: written.card, rarity, kinds, drafts, history: written.history }, rest))
}

/// FNV-1a, 64 bit, in hexadecimal: guards against damage, not against malice.
fn checksum(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
