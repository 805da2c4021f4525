//! Texts between quotation marks (RFC 8259 §7).

/// Writes a text with its quotation marks.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escape(out, bytes);
    }
    out.push(b'"');
}

/// Whether a byte of a text cannot stand for itself.
const fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether every byte of a text stands for itself.
fn is_plain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<8>();
    chunks.iter().all(|chunk| all_plain(u64::from_le_bytes(*chunk)))
        && match bytes.last_chunk::<8>() {
            // The rest together with what was looked at already: once more is less than one by one.
            Some(last) => rest.is_empty() || all_plain(u64::from_le_bytes(*last)),
            None => rest.iter().all(|byte| !must_escape(*byte)),
        }
}

/// [`must_escape`] of none of eight bytes at once. (Bit tricks for "has a zero byte" and "has a byte
/// less than n": Anderson, *Bit Twiddling Hacks*.)
const fn all_plain(eight: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn has_zero(x: u64) -> u64 {
        x.wrapping_sub(ONES) & !x & HIGHS
    }
    let quote = has_zero(eight ^ (ONES * b'"' as u64));
    let backslash = has_zero(eight ^ (ONES * b'\\' as u64));
    let control = eight.wrapping_sub(ONES * 0x20) & !eight & HIGHS;
    quote | backslash | control == 0
}

fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0C => b'f',
            b'\r' => b'r',
            0..0x20 => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                continue;
            }
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}
