//! Decodes content codings (RFC 9110, section 8.4.1): gzip, deflate, br and zstd, up to a limit.

use std::io::{self, BufRead, BufReader, Read};

use brotli_decompressor::Decompressor;
use checkup_core::Failure;
use checkup_net::excerpt;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap};
use ruzstd::decoding::StreamingDecoder;

/// How many codings may be applied to a body. The limit is the same as curl's.
const MAX_CODINGS: usize = 5;

/// The largest zstd window, in bytes: the limit that RFC 9659 sets for the web.
const MAX_ZSTD_WINDOW: u64 = 8 << 20;

/// How many bytes a coding may add to a body that it cannot compress.
pub(crate) const SLACK: usize = 64 * 1024;

/// A coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Lists the codings of a body, in the order in which they were applied: those of its content, then those of the
/// connection.
///
/// # Errors
///
/// If one is not supported, or there are too many.
pub(crate) fn codings(headers: &HeaderMap, transfer_codings: &[String]) -> Result<Vec<Coding>, Failure> {
    let mut codings = Vec::new();
    for line in headers.get_all(CONTENT_ENCODING) {
        for name in line.as_bytes().split(|byte| *byte == b',') {
            push(&mut codings, "content", name.trim_ascii())?;
        }
    }
    for name in transfer_codings {
        push(&mut codings, "transfer", name.as_bytes())?;
    }
    match codings.len() {
        0..=MAX_CODINGS => Ok(codings),
        many => {
            Err(Failure::protocol(format!("the response's body has {many} codings, expected at most {MAX_CODINGS}")))
        }
    }
}

fn push(codings: &mut Vec<Coding>, kind: &str, name: &[u8]) -> Result<(), Failure> {
    codings.push(match name.to_ascii_lowercase().as_slice() {
        b"" | b"identity" | b"none" => return Ok(()),
        b"gzip" | b"x-gzip" => Coding::Gzip,
        b"deflate" => Coding::Deflate,
        b"br" => Coding::Brotli,
        b"zstd" => Coding::Zstd,
        _ => {
            let name = excerpt(name, 40);
            return Err(Failure::protocol(format!(
                "the response's {kind} coding is \"{name}\", expected gzip, deflate, br or zstd"
            )));
        }
    });
    Ok(())
}

/// Decodes a body: returns at most `maximum` bytes, plus one if there is more.
///
/// An empty body stays empty. If `lenient`, a broken body yields what could be decoded of it, and one that is not
/// encoded at all is returned unchanged.
///
/// # Errors
///
/// If the body is not encoded this way, or is incomplete.
pub(crate) fn decode(body: &[u8], codings: &[Coding], maximum: usize, lenient: bool) -> Result<Vec<u8>, Failure> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let limit = u64::try_from(maximum.saturating_add(1)).unwrap_or(u64::MAX);
    let mut reader: Box<dyn BufRead + '_> = Box::new(body);
    for (index, coding) in codings.iter().rev().enumerate() {
        let failed = |error: io::Error| failure(*coding, &error);
        let is_last = index + 1 == codings.len();
        // The data between two codings is limited as well.
        let limit = if is_last { limit } else { limit.saturating_add(SLACK as u64) };
        let decoded: Box<dyn Read + '_> = match decoder(*coding, reader) {
            Ok(decoded) => decoded,
            Err(_) if lenient => return Ok(body[..body.len().min(maximum.saturating_add(1))].to_vec()),
            Err(error) => return Err(failed(error)),
        };
        reader = Box::new(BufReader::new(Named { coding: *coding, reader: decoded }.take(limit)));
    }
    let mut content = Vec::new();
    match reader.read_to_end(&mut content) {
        Ok(_) => Ok(content),
        Err(_) if lenient && content.is_empty() => Ok(body[..body.len().min(maximum.saturating_add(1))].to_vec()),
        Err(_) if lenient => Ok(content),
        Err(error) => Err(innermost(error)),
    }
}

/// A reader whose errors are [`Failure`]s that name the coding.
struct Named<R> {
    coding: Coding,
    reader: R,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| match error.get_ref().is_some_and(|inner| inner.is::<Failure>()) {
            true => error,
            false => io::Error::other(failure(self.coding, &error)),
        })
    }
}

fn innermost(error: io::Error) -> Failure {
    Failure::from_error(error.into_inner().unwrap_or_else(|| "the response's body cannot be decoded".into()))
}

fn failure(coding: Coding, error: &io::Error) -> Failure {
    let name = match coding {
        Coding::Gzip => "gzip",
        Coding::Deflate => "deflate",
        Coding::Brotli => "br",
        Coding::Zstd => "zstd",
    };
    Failure::protocol(match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("the response's body is incomplete: its {name} coding does not end"),
        _ => format!("the response's body is not valid {name}, which its coding says it is"),
    })
}

fn decoder<'a>(coding: Coding, mut source: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match coding {
        Coding::Gzip => Box::new(Gzip { member: Some(GzDecoder::new(source)) }),
        // Many servers send deflate without the zlib format that the standard requires.
        Coding::Deflate => match source.fill_buf()? {
            [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0 => {
                Box::new(ZlibDecoder::new(source))
            }
            _ => Box::new(DeflateDecoder::new(source)),
        },
        Coding::Brotli => Box::new(Decompressor::new(source, 8 * 1024)),
        Coding::Zstd => Box::new(Zstd::new(source)?),
    })
}

/// Decodes all members of a gzip file (RFC 1952, section 2.2). As in browsers, anything after the last one is ignored.
struct Gzip<R: BufRead> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let Some(member) = self.member.take() else { break };
            let mut source = member.into_inner();
            if source.fill_buf()?.first() == Some(&0x1f) {
                self.member = Some(GzDecoder::new(source));
            }
        }
        Ok(0)
    }
}

/// Decodes all frames of a zstd file (RFC 8878, section 3) and verifies their checksums.
struct Zstd<R: BufRead> {
    frame: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> io::Result<Self> {
        let mut zstd = Self { frame: None };
        zstd.start(source)?;
        Ok(zstd)
    }

    /// Starts the next frame, if there is one.
    fn start(&mut self, mut source: R) -> io::Result<()> {
        if !source.fill_buf()?.is_empty() {
            self.frame =
                Some(StreamingDecoder::new_with_max_window_size(source, MAX_ZSTD_WINDOW).map_err(io::Error::other)?);
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let length = frame.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let Some(frame) = self.frame.take() else { break };
            let (source, decoder) = frame.into_parts();
            if decoder.get_checksum_from_data()
                != decoder.get_checksum_from_data().and(decoder.get_calculated_checksum())
            {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            self.start(source)?;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"welcome to the machine";

    // Created with the tools `brotli` and `zstd --check`.
    const BROTLI: &[u8] = b"\x1b\x15\x00\xf8%A\xde\xe8\xaa\x90N\xca\x04\x9d\xe8\xfa#";
    const ZSTD: &[u8] = b"(\xb5/\xfd\x04X\xb1\x00\x00welcome to the machine\xa6\x22_\xe1";

    /// 64 MiB of zeros, compressed by `brotli`.
    const BROTLI_BOMB: &[u8] = b"\xcb\xff\xff?\xf8'\x00\xe2\xb1@ \xf7\xfe\x8f\xff\xff\x7f\xf0O\x00\xc4a\x11\x80\xee\
        \xfd\x1f\xff\xff\xff\xe0\x9f\x00\x88\xc3\x02\x00\xdd\xfb?\xfe\xff\xff\xc1?\x01\x10\x87\x05\x00\xba\xf7\x7f\xfc\
        \xff\xff\x83\x7f\x02 \x0e\x0b\x00t\xef\xff\xf8\xff\xff\x07\xff\x04@\x1c\x16\x00\xe8\xde\xff\xf1\xff\xff\x0f\xfe\
        \x09\x808,\x00\xd0\xbd\xff\xe3\xff\xff\x1f\xfc\x13\x00qX\x00\xa0{\xff7";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(content: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn content(body: &[u8], codings: &[Coding]) -> Result<Vec<u8>, String> {
        decode(body, codings, 1 << 20, false).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn every_coding_is_decoded() {
        for (coding, body) in [
            (Coding::Gzip, gzip(TEXT)),
            (Coding::Gzip, [gzip(b"welcome to "), gzip(b"the machine")].concat()),
            (Coding::Gzip, [gzip(TEXT), b"\0\0 garbage".to_vec()].concat()),
            (Coding::Deflate, zlib(TEXT)),
            (Coding::Deflate, raw_deflate(TEXT)),
            (Coding::Brotli, BROTLI.to_vec()),
            (Coding::Zstd, ZSTD.to_vec()),
        ] {
            assert_eq!(content(&body, &[coding]).unwrap(), TEXT, "{coding:?}");
            assert_eq!(content(b"", &[coding]).unwrap(), b"", "{coding:?}");
        }
        assert_eq!(content(&[ZSTD, ZSTD].concat(), &[Coding::Zstd]).unwrap(), TEXT.repeat(2));
        // The last one was applied last.
        assert_eq!(content(&gzip(&zlib(BROTLI)), &[Coding::Brotli, Coding::Deflate, Coding::Gzip]).unwrap(), TEXT);
    }

    #[test]
    fn a_body_in_another_coding_or_incomplete_is_reported() {
        for (coding, name, body) in [
            (Coding::Gzip, "gzip", gzip(TEXT)),
            (Coding::Deflate, "deflate", zlib(TEXT)),
            (Coding::Brotli, "br", BROTLI.to_vec()),
            (Coding::Zstd, "zstd", ZSTD.to_vec()),
        ] {
            let invalid = format!("the response's body is not valid {name}, which its coding says it is");
            let incomplete = format!("the response's body is incomplete: its {name} coding does not end");
            assert_eq!(content(b"<html>plain</html>", &[coding]).unwrap_err(), invalid);
            for length in 1..body.len() {
                let error = content(&body[..length], &[coding]).unwrap_err();
                assert!(error == invalid || error == incomplete, "{name} {length}: {error}");
            }
        }
        // The checksums.
        let mut broken = gzip(TEXT);
        let crc = broken.len() - 6;
        broken[crc] ^= 1;
        assert!(content(&broken, &[Coding::Gzip]).is_err());
        let mut broken = ZSTD.to_vec();
        broken[15] ^= 1;
        assert!(content(&broken, &[Coding::Zstd]).is_err());
        let mut broken = zlib(TEXT);
        let last = broken.len() - 1;
        broken[last] ^= 1;
        assert!(content(&broken, &[Coding::Deflate]).is_err());
    }

    #[test]
    fn lenient_takes_what_can_be_decoded() {
        let lenient = |body: &[u8]| decode(body, &[Coding::Gzip], 1 << 20, true).unwrap();
        assert_eq!(lenient(b"<html>plain</html>"), b"<html>plain</html>");
        let body = gzip(TEXT);
        assert_eq!(lenient(&body[..body.len() - 4]), TEXT);
    }

    #[test]
    fn decompression_bombs_stop_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        let bombs = [
            (vec![Coding::Gzip], gzip(&zeros)),
            (vec![Coding::Deflate], raw_deflate(&zeros)),
            (vec![Coding::Brotli], BROTLI_BOMB.to_vec()),
            (vec![Coding::Gzip, Coding::Gzip], gzip(&gzip(&zeros))),
            (vec![Coding::Brotli, Coding::Gzip], gzip(BROTLI_BOMB)),
        ];
        for (codings, bomb) in bombs {
            assert_eq!(decode(&bomb, &codings, 1000, false).unwrap(), [0; 1001], "{codings:?}");
        }
        // Members without content cost only time.
        let hollow = gzip(&gzip(b"").repeat(1 << 20));
        assert!(hollow.len() < 100_000);
        assert!(decode(&hollow, &[Coding::Gzip, Coding::Gzip], 1000, false).is_err());
        // This window is 128 MiB, which RFC 9659 does not allow.
        assert!(
            content(b"(\xb5/\xfd\x04\x88L\x00\x00\x08\x00\x01\x00\xfc\xff9\x10\x02\x02\x00", &[Coding::Zstd]).is_err()
        );
    }

    #[test]
    fn codings_are_known_by_name() {
        let parse = |content: &str, transfer: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in content.split('|') {
                headers.append(CONTENT_ENCODING, line.parse().unwrap());
            }
            let transfer: Vec<String> = transfer.iter().map(|name| (*name).to_owned()).collect();
            codings(&headers, &transfer).map_err(|failure| failure.message().to_owned())
        };
        assert_eq!(
            parse("gzip, BR|identity|zstd", &["deflate"]).unwrap(),
            [Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate]
        );
        assert_eq!(parse("", &[]).unwrap(), []);
        assert_eq!(
            parse("compress", &[]).unwrap_err(),
            "the response's content coding is \"compress\", expected gzip, deflate, br or zstd"
        );
        assert_eq!(
            parse("gzip", &["dcb"]).unwrap_err(),
            "the response's transfer coding is \"dcb\", expected gzip, deflate, br or zstd"
        );
        assert_eq!(
            parse("gzip,gzip,gzip,gzip,gzip,gzip", &[]).unwrap_err(),
            "the response's body has 6 codings, expected at most 5"
        );
    }
}
