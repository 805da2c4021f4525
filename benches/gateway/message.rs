//! Just enough of HTTP/1.1 to know where a message ends.

/// Most bytes of a head. Nothing that is measured here comes near it.
const LONGEST_HEAD: usize = 16 * 1024;

/// A whole message at the beginning of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    /// Status of a response; 0 for a request.
    pub(super) status: u16,
    /// Where the body begins.
    pub(super) body: usize,
    /// Where the message ends.
    pub(super) end: usize,
}

/// What a buffer holds so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The head, or less.
    Head,
    /// The head and a first piece of the body.
    Body,
    /// All of it.
    Whole(Message),
    /// No message that this understands.
    Malformed,
}

enum Framing {
    Length(usize),
    Chunked,
}

/// How far the message at the beginning of a buffer has come.
#[must_use]
pub(super) fn progress(buffer: &[u8]) -> Progress {
    let Some(end_of_head) = find(buffer, b"\r\n\r\n") else {
        return if buffer.len() > LONGEST_HEAD { Progress::Malformed } else { Progress::Head };
    };
    let (head, body) = (&buffer[..end_of_head], end_of_head + 4);
    let (Some(status), Some(framing)) = (status(head), framing(head)) else {
        return Progress::Malformed;
    };
    let end = match framing {
        Framing::Length(length) => Some(body.saturating_add(length)).filter(|e| *e <= buffer.len()),
        Framing::Chunked => match end_of_chunks(buffer, body) {
            Ok(end) => end,
            Err(NoChunk) => return Progress::Malformed,
        },
    };
    match end {
        Some(end) => Progress::Whole(Message { status, body, end }),
        None if buffer.len() > body => Progress::Body,
        None => Progress::Head,
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let Some(rest) = head.strip_prefix(b"HTTP/1.1 ") else { return Some(0) };
    std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
}

/// A message without length or chunks has no body; one that ends with its connection is not
/// understood here, but nothing that is measured sends such.
fn framing(head: &[u8]) -> Option<Framing> {
    let mut framing = Framing::Length(0);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        if line[..colon].eq_ignore_ascii_case(b"content-length") {
            framing = Framing::Length(std::str::from_utf8(value).ok()?.parse().ok()?);
        } else if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") {
            value.eq_ignore_ascii_case(b"chunked").then_some(())?;
            framing = Framing::Chunked;
        }
    }
    Some(framing)
}

struct NoChunk;

/// Where the chunks that begin at `at` end; `None` while they go on.
fn end_of_chunks(buffer: &[u8], mut at: usize) -> Result<Option<usize>, NoChunk> {
    loop {
        let rest = buffer.get(at..).unwrap_or_default();
        let Some(line) = find(rest, b"\r\n") else {
            // Sixteen hexadecimal digits are all that a size can have.
            return if rest.len() > 18 { Err(NoChunk) } else { Ok(None) };
        };
        let size = std::str::from_utf8(&rest[..line]).map_err(|_| NoChunk)?;
        let size = usize::from_str_radix(size, 16).map_err(|_| NoChunk)?;
        // The data and the end of its line.
        at = at.saturating_add(line + 4).saturating_add(size);
        if at > buffer.len() {
            return Ok(None);
        }
        if &buffer[at - 2..at] != b"\r\n" {
            return Err(NoChunk);
        }
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
