//! Compressed streams.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::Error;

/// How bytes are compressed, as their beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// As much of what is unpacked has to be in memory, as the compressor wishes. The specification advises eight MiB, which
/// the levels up to 19 keep to.
const MAX_WINDOW: u64 = 16 << 20;
/// Other formats that people compress archives with, to tell them what is wrong.
const OTHERS: [(&[u8], &str); 2] = [(b"BZh", "bzip2"), (&[0xfd, b'7', b'z', b'X'], "xz")];

impl Compression {
    /// Tells it from the first four bytes.
    ///
    /// # Errors
    /// The format is one that is not supported.
    pub(crate) fn of_magic(magic: [u8; 4]) -> Result<Self, Error> {
        if let Some((_, name)) = OTHERS.iter().find(|(start, _)| magic.starts_with(start)) {
            let text = format!("it is compressed with {name}; gzip and zstd are supported");
            return Err(Error::NotAnImage(text));
        }
        Ok(match magic {
            ZSTD => Self::Zstd,
            _ if magic.starts_with(&GZIP) => Self::Gzip,
            _ => Self::None,
        })
    }

    /// The plain bytes of a stream.
    pub(crate) fn decode<'a>(self, stream: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
        let stream = BufReader::with_capacity(1 << 18, stream);
        match self {
            Self::None => Box::new(stream),
            Self::Gzip => Box::new(MultiGzDecoder::new(stream)),
            Self::Zstd => Box::new(Frames {
                state: Some(State::Between(stream)),
            }),
        }
    }
}

/// A stream of zstd frames, one after the other, as parallel compressors write it.
struct Frames<R: BufRead> {
    state: Option<State<R>>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state.take() {
                None => return Ok(0),
                Some(State::Between(mut stream)) => {
                    if stream.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let frame = StreamingDecoder::new_with_max_window_size(stream, MAX_WINDOW)
                        .map_err(io::Error::other)?;
                    self.state = Some(State::Inside(Box::new(frame)));
                }
                Some(State::Inside(mut frame)) => match frame.read(buffer)? {
                    0 => self.state = Some(State::Between(frame.into_inner())),
                    count => {
                        self.state = Some(State::Inside(frame));
                        return Ok(count);
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | zstd` and `printf ' world' | zstd`, one after the other.
    const TWO_FRAMES: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x05, 0x29, 0x00, 0x00, b'h', b'e', b'l', b'l', b'o', 0x28,
        0xb5, 0x2f, 0xfd, 0x20, 0x06, 0x31, 0x00, 0x00, b' ', b'w', b'o', b'r', b'l', b'd',
    ];

    #[test]
    fn every_frame_of_a_stream_is_read() {
        let compression = Compression::of_magic(TWO_FRAMES[..4].try_into().unwrap()).unwrap();
        assert_eq!(compression, Compression::Zstd);
        let mut text = String::new();
        let mut stream = compression.decode(TWO_FRAMES);
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello world");
        let mut cut = compression.decode(&TWO_FRAMES[..20]);
        assert!(cut.read_to_string(&mut text).is_err());
    }

    #[test]
    fn a_frame_that_wants_much_memory_is_refused() {
        for (exponent, accepted) in [(13, true), (14, true), (15, false), (21, false)] {
            // A window of 2^(10+exponent) bytes, and a last block of one byte.
            let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 0x09, 0, 0, b'x'];
            let mut text = String::new();
            let read = Compression::Zstd
                .decode(&frame[..])
                .read_to_string(&mut text);
            assert_eq!(read.is_ok(), accepted, "{exponent}: {read:?}");
        }
    }

    #[test]
    fn formats_that_are_not_read_are_named() {
        let error = Compression::of_magic([0xfd, b'7', b'z', b'X']).unwrap_err();
        assert!(error.to_string().contains("xz"), "{error}");
        assert_eq!(Compression::of_magic([0; 4]).unwrap(), Compression::None);
    }
}
