//! The model as a file: a header with version, length and checksum, then numbers in little-endian
//! order. Whatever is not exactly that is refused.

use flate2::Crc;

use super::{
    Matcher, Model,
    calibration::{Calibration, TAIL},
    lexicon::{Lexicon, Record},
    trees::{Forest, Node},
};

const MAGIC: &[u8; 8] = b"MORECALL";
/// Counts up with each change of the format or of what the features mean.
const VERSION: u32 = 1;
/// Steps of a rarity and of log-odds in the file.
const STEPS: f32 = 16.0;
/// Most rows of any table in a file: a length that exceeds it is a lie.
const MOST_ROWS: usize = 1 << 20;

/// Why a model file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelFileError {
    /// It begins differently.
    #[error("this is no recall model: it does not begin with its mark")]
    NoModel,
    /// Another version wrote it.
    #[error("the recall model has format {found}, this program reads {VERSION}: train it anew")]
    Version {
        /// The format that it has.
        found: u32,
    },
    /// Its bytes are not those that were written.
    #[error("the recall model is damaged: its checksum does not fit")]
    Damaged,
    /// Its numbers make no model.
    #[error("the recall model holds numbers that make no model")]
    Unsound,
}

impl Matcher {
    /// Reads a model.
    ///
    /// # Errors
    /// [`ModelFileError`]: anything but a whole model of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelFileError> {
        let mut header = Reader(bytes);
        if header.take(MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(ModelFileError::NoModel);
        }
        let version = header.u32().ok_or(ModelFileError::Damaged)?;
        if version != VERSION {
            return Err(ModelFileError::Version { found: version });
        }
        let checksum = header.u32().ok_or(ModelFileError::Damaged)?;
        if crc(header.0) != checksum {
            return Err(ModelFileError::Damaged);
        }
        let model = Model::read(&mut header).ok_or(ModelFileError::Unsound)?;
        let sound = header.0.is_empty()
            && model.forest.is_sound()
            && model.calibrations.iter().all(Calibration::is_sound)
            && model.lexicon.unknown_idf.is_finite();
        if sound { Ok(Self::of(model)) } else { Err(ModelFileError::Unsound) }
    }

    /// The model as [`Matcher::read`] takes it.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.model.write(&mut body);
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend(crc(&body).to_le_bytes());
        file.extend(body);
        file
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// As the file will have it: so coarse that reading it back gives the same.
pub(super) fn coarse(value: f32) -> f32 {
    (value * STEPS).round().clamp(-127.0, 127.0) / STEPS
}

fn byte(value: f32) -> u8 {
    ((value * STEPS).round().clamp(-127.0, 127.0) as i8).cast_unsigned()
}

impl Calibration {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (slope, offset) = (from.f32()?, from.f32()?);
        let different = usize::try_from(from.u32()?).ok()?;
        let rows = from.rows().filter(|rows| *rows <= TAIL)?;
        let tail = (0..rows).map(|_| from.f32()).collect::<Option<_>>()?;
        Some(Self { slope, offset, different, tail })
    }

    fn is_sound(&self) -> bool {
        self.slope > 0.0
            && self.slope.is_finite()
            && self.offset.is_finite()
            && self.tail.iter().all(|score| score.is_finite())
            && self.tail.is_sorted_by(|a, b| a >= b)
            && self.tail.len() <= self.different
    }
}

impl Model {
    fn write(&self, out: &mut Vec<u8>) {
        let number = |value: f32, out: &mut Vec<u8>| out.extend(value.to_le_bytes());
        let count = |rows: usize, out: &mut Vec<u8>| {
            out.extend(u32::try_from(rows).unwrap_or(u32::MAX).to_le_bytes());
        };
        number(self.lexicon.unknown_idf, out);
        // In order, so that the same training gives the same bytes.
        let mut words: Vec<_> = self.lexicon.words.iter().collect();
        words.sort_by_key(|(stem, _)| **stem);
        count(words.len(), out);
        for (stem, record) in words {
            out.extend(stem.to_le_bytes());
            out.extend([byte(record.idf), byte(record.shared), byte(record.lone)]);
            out.push(u8::from(record.name));
        }
        let mut starts: Vec<_> = self.lexicon.starts.iter().collect();
        starts.sort_by_key(|(hash, _)| **hash);
        count(starts.len(), out);
        for (hash, odds) in starts {
            out.extend(hash.to_le_bytes());
            out.push(byte(*odds));
        }
        number(self.forest.base, out);
        count(self.forest.trees.len(), out);
        for tree in &self.forest.trees {
            count(tree.len(), out);
            for node in tree {
                out.extend([node.feature, node.left, node.right]);
                number(node.value, out);
            }
        }
        for calibration in &self.calibrations {
            number(calibration.slope, out);
            number(calibration.offset, out);
            count(calibration.different, out);
            count(calibration.tail.len(), out);
            calibration.tail.iter().for_each(|score| number(*score, out));
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut lexicon = Lexicon { unknown_idf: from.f32()?, ..Lexicon::default() };
        for _ in 0..from.rows()? {
            let stem = from.u32()?;
            let (idf, shared, lone) = (from.steps()?, from.steps()?, from.steps()?);
            let name = from.u8()? == 1;
            lexicon.words.insert(stem, Record { idf, shared, lone, name });
        }
        for _ in 0..from.rows()? {
            let hash = from.u32()?;
            lexicon.starts.insert(hash, from.steps()?);
        }
        let mut forest = Forest { base: from.f32()?, trees: Vec::new() };
        for _ in 0..from.rows()? {
            let mut tree = Vec::new();
            for _ in 0..from.rows()? {
                let (feature, left, right) = (from.u8()?, from.u8()?, from.u8()?);
                tree.push(Node { feature, left, right, value: from.f32()? });
            }
            forest.trees.push(tree);
        }
        let calibrations = [Calibration::read(from)?, Calibration::read(from)?];
        Some(Self { lexicon, forest, calibrations })
    }
}

/// Bytes that are still to be read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, bytes: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn f32(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn steps(&mut self) -> Option<f32> {
        Some(f32::from(self.u8()?.cast_signed()) / STEPS)
    }

    fn rows(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok().filter(|rows| *rows <= MOST_ROWS)
    }
}
