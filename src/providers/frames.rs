//! Taking a stream of bytes apart: server-sent events (WHATWG HTML, 9.2.6) or lines of JSON.
//!
//! Bytes come in any portions. A frame counts only once its end has come, so what a cut leaves
//! behind is never taken for one.

use crate::domain::ModelError;

/// How a stream separates its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events: fields, ended by an empty line.
    Events,
    /// One JSON value a line.
    Lines,
}

/// One whole frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The event's name; empty where none was given.
    pub(super) event: String,
    /// Its data; several data fields are joined by a line feed.
    pub(super) data: String,
}

/// Collects frames out of bytes.
#[derive(Debug)]
pub(super) struct Frames {
    framing: Framing,
    /// Most bytes of one frame.
    cap: usize,
    line: Vec<u8>,
    /// Whether the last byte was a carriage return: a line feed right after it ends no further line.
    after_return: bool,
    at_start: bool,
    frame: Frame,
    has_data: bool,
}

impl Frames {
    pub(super) fn new(framing: Framing, cap: usize) -> Self {
        Self {
            framing,
            cap,
            line: Vec::new(),
            after_return: false,
            at_start: true,
            frame: Frame::default(),
            has_data: false,
        }
    }

    /// Takes in bytes; hands each frame that they end to `take`, until it has had enough.
    ///
    /// # Errors
    /// [`ModelError::TooLarge`] for a frame beyond the cap, [`ModelError::Malformed`] for bytes that
    /// are no UTF-8, and whatever `take` says.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(Frame) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(at);
            let (ending, after) = (tail[0], &tail[1..]);
            let second_half = head.is_empty() && self.after_return && ending == b'\n';
            self.after_return = ending == b'\r';
            rest = after;
            if second_half {
                continue;
            }
            self.extend(head)?;
            if let Some(frame) = self.end_line()? {
                take(frame)?;
            }
        }
        if !rest.is_empty() {
            self.after_return = false;
            self.extend(rest)?;
        }
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        if self.line.len() + self.frame.data.len() + bytes.len() > self.cap {
            return Err(ModelError::TooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Frame>, ModelError> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8(line).map_err(|_| ModelError::Malformed)?;
        let first = std::mem::replace(&mut self.at_start, false);
        let line = if first { line.trim_start_matches('\u{feff}') } else { &line };
        match self.framing {
            Framing::Lines if line.trim().is_empty() => Ok(None),
            Framing::Lines => {
                Ok(Some(Frame { event: String::new(), data: line.trim().to_owned() }))
            }
            Framing::Events => Ok(self.event_line(line)),
        }
    }

    fn event_line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            return std::mem::take(&mut self.has_data).then_some(frame);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.frame.event),
            // Comments have an empty name; ids and retry times are for those who reconnect.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(framing: Framing, portions: &[&[u8]]) -> Result<Vec<Frame>, ModelError> {
        let mut frames = Frames::new(framing, 1000);
        let mut found = Vec::new();
        for portion in portions {
            frames.push(portion, |frame| {
                found.push(frame);
                Ok(())
            })?;
        }
        Ok(found)
    }

    fn frame(event: &str, data: &str) -> Frame {
        Frame { event: event.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let text = "\u{feff}: hello\n\ndata: a\ndata:b\n\nevent: x\rdata:  c\r\rid: 7\ndata\n\n\
                    event: no data\n\ndata: cut";
        let found = frames(Framing::Events, &[text.as_bytes()]).unwrap();
        assert_eq!(found, [frame("", "a\nb"), frame("x", " c"), frame("", "")]);
    }

    #[test]
    fn each_line_is_a_frame_and_an_unended_one_is_none() {
        let found = frames(Framing::Lines, &[b"{\"a\":1}\r\n\n {} \n{\"cut\":"]).unwrap();
        assert_eq!(found, [frame("", "{\"a\":1}"), frame("", "{}")]);
    }

    #[test]
    fn a_frame_without_end_is_too_large_before_it_fills_the_memory() {
        let endless = vec![b'x'; 600];
        assert_eq!(frames(Framing::Lines, &[&endless, &endless]), Err(ModelError::TooLarge));
        let lines = "data: 0123456789\n".repeat(200);
        assert_eq!(frames(Framing::Events, &[lines.as_bytes()]), Err(ModelError::TooLarge));
    }

    #[test]
    fn what_is_no_text_is_malformed() {
        assert_eq!(frames(Framing::Events, &[b"data: \xff\n\n"]), Err(ModelError::Malformed));
    }

    proptest! {
        #[test]
        fn portions_make_no_difference(
            text in "(data: [a-zä]{0,5}|event: e|:|\r\n|\n|\r){0,30}",
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
            cuts.sort_unstable();
            let mut portions = Vec::new();
            let mut from = 0;
            for cut in cuts {
                portions.push(&bytes[from..cut]);
                from = cut;
            }
            portions.push(&bytes[from..]);
            prop_assert_eq!(
                frames(Framing::Events, &portions), frames(Framing::Events, &[bytes])
            );
        }
    }
}
