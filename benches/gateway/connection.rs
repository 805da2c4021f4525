//! A blocking connection that reads whole messages.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::message::{Message, Progress, progress};

/// Longer than anything that is measured; then something hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Room for one message. The largest has a few thousand bytes.
const ROOM: usize = 256 * 1024;

/// A connection and what was read of the next message.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// A message that came whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) message: Message,
    /// When the first piece of its body was there.
    pub(super) first: Instant,
}

impl Connection {
    pub(super) fn to(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?)
    }

    pub(super) fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads to the end of a message and hands it to `look`; `None` when the peer has gone before
    /// it began.
    pub(super) fn receive<T>(
        &mut self,
        look: impl FnOnce(&[u8], Received) -> T,
    ) -> io::Result<Option<T>> {
        let mut first = None;
        loop {
            match progress(&self.buffer[..self.filled]) {
                Progress::Whole(message) => {
                    let first = first.unwrap_or_else(Instant::now);
                    let looked = look(&self.buffer[..message.end], Received { message, first });
                    self.buffer.copy_within(message.end..self.filled, 0);
                    self.filled -= message.end;
                    return Ok(Some(looked));
                }
                Progress::Malformed => return Err(io::ErrorKind::InvalidData.into()),
                Progress::Body => first = first.or_else(|| Some(Instant::now())),
                Progress::Head => {}
            }
            if self.filled == self.buffer.len() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            match self.stream.read(&mut self.buffer[self.filled..])? {
                0 if self.filled == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.filled += read,
            }
        }
    }
}
