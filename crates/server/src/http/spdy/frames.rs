//! SPDY/3.1 frames, as far as Kubernetes' streams use them: no flow control, no priorities.
//! Models `github.com/moby/spdystream/spdy`.

use anyhow::{anyhow, bail};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// Longer frames are a mistake, or worse.
const FRAME_BYTES_MAX: usize = 4 << 20;
/// A header block unpacked.
const HEADER_BYTES_MAX: usize = 1 << 20;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GO_AWAY: u16 = 7;
const FIN: u8 = 1;

/// The words of SPDY/3's dictionary that come with their lengths, and the text after them.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
    accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
    content-length content-location content-md5 content-range content-type date etag expect expires from host if-match \
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200+OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 \
    Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not \
    Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov \
    Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,\
    application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=\
    iso-8859-1,utf-,*,enq=0.";

fn dictionary() -> Vec<u8> {
    let mut out = Vec::new();
    for word in WORDS.split(' ') {
        let word = word.replace('+', " ");
        out.extend(u32::try_from(word.len()).unwrap_or(0).to_be_bytes());
        out.extend(word.as_bytes());
    }
    out.extend(TEXT.as_bytes());
    out
}

#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Open { stream: u32, headers: Vec<(String, String)>, fin: bool },
    Data { stream: u32, data: Vec<u8>, fin: bool },
    Reset { stream: u32 },
    Ping(u32),
    GoAway,
}

/// Bytes to frames.
pub struct Decoder {
    buffer: Vec<u8>,
    inflate: Decompress,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { buffer: Vec::new(), inflate: Decompress::new(true) }
    }
}

fn word(bytes: &[u8], at: usize) -> anyhow::Result<u32> {
    let four = bytes.get(at..at + 4).ok_or_else(|| anyhow!("a frame is too short"))?;
    Ok(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

impl Decoder {
    /// The frames that are complete now.
    ///
    /// # Errors
    /// What came is no SPDY.
    pub fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<Frame>> {
        self.buffer.extend_from_slice(bytes);
        let mut out = Vec::new();
        while self.buffer.len() >= 8 {
            let (first, second) = (word(&self.buffer, 0)?, word(&self.buffer, 4)?);
            let [flags, ..] = second.to_be_bytes();
            let length = usize::try_from(second & 0x00ff_ffff)?;
            if length > FRAME_BYTES_MAX {
                bail!("a frame of {length} bytes");
            }
            if self.buffer.len() < 8 + length {
                break;
            }
            let rest = self.buffer.split_off(8 + length);
            let payload = std::mem::replace(&mut self.buffer, rest).split_off(8);
            let fin = flags & FIN != 0;
            if first & 0x8000_0000 == 0 {
                out.push(Frame::Data { stream: first, data: payload, fin });
                continue;
            }
            let kind = u16::try_from(first & 0xffff)?;
            match kind {
                SYN_STREAM => {
                    let stream = word(&payload, 0)?;
                    let headers = self.headers(payload.get(10..).unwrap_or_default())?;
                    out.push(Frame::Open { stream, headers, fin });
                }
                RST_STREAM => out.push(Frame::Reset { stream: word(&payload, 0)? }),
                PING => out.push(Frame::Ping(word(&payload, 0)?)),
                GO_AWAY => out.push(Frame::GoAway),
                // Settings, windows and later headers change nothing here.
                _ => {}
            }
        }
        Ok(out)
    }

    fn headers(&mut self, block: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
        let mut text = Vec::with_capacity(1024);
        let begun = self.inflate.total_in();
        loop {
            let read = usize::try_from(self.inflate.total_in() - begun)?;
            let before = text.len();
            text.reserve(1024);
            match self.inflate.decompress_vec(&block[read..], &mut text, FlushDecompress::Sync) {
                Ok(_) => {}
                Err(e) if e.needs_dictionary().is_some() => {
                    self.inflate.set_dictionary(&dictionary())?;
                    continue;
                }
                Err(e) => return Err(e.into()),
            }
            let read = usize::try_from(self.inflate.total_in() - begun)?;
            if text.len() > HEADER_BYTES_MAX {
                bail!("headers of more than {HEADER_BYTES_MAX} bytes");
            }
            if read >= block.len() && text.len() == before {
                break;
            }
        }
        let mut at = 4;
        let mut piece = || -> anyhow::Result<String> {
            let length = usize::try_from(word(&text, at)?)?;
            let bytes = text.get(at + 4..at + 4 + length).ok_or_else(|| anyhow!("a header is too short"))?;
            at += 4 + length;
            Ok(String::from_utf8_lossy(bytes).into_owned())
        };
        (0..word(&text, 0)?).map(|_| Ok((piece()?, piece()?))).collect()
    }
}

/// Frames to bytes.
pub struct Encoder {
    deflate: Compress,
}

fn control(kind: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = (0x8003_0000 | u32::from(kind)).to_be_bytes().to_vec();
    let length = u32::try_from(payload.len()).unwrap_or(0);
    out.extend((u32::from(flags) << 24 | length).to_be_bytes());
    out.extend(payload);
    out
}

impl Encoder {
    /// # Errors
    /// The compressor refuses its dictionary.
    pub fn new() -> anyhow::Result<Self> {
        let mut deflate = Compress::new(Compression::default(), true);
        deflate.set_dictionary(&dictionary())?;
        Ok(Encoder { deflate })
    }

    /// A block without any header.
    fn no_headers(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(256);
        self.deflate.compress_vec(&0u32.to_be_bytes(), &mut out, FlushCompress::Sync)?;
        Ok(out)
    }

    /// Takes a stream that the other side has opened.
    ///
    /// # Errors
    /// The compressor fails.
    pub fn reply(&mut self, stream: u32) -> anyhow::Result<Vec<u8>> {
        let payload = [stream.to_be_bytes().to_vec(), self.no_headers()?].concat();
        Ok(control(SYN_REPLY, 0, &payload))
    }

    pub fn data(&self, stream: u32, data: &[u8], fin: bool) -> Vec<u8> {
        let mut out = stream.to_be_bytes().to_vec();
        let length = u32::try_from(data.len()).unwrap_or(0);
        out.extend((u32::from(fin) << 24 | length).to_be_bytes());
        out.extend(data);
        out
    }

    pub fn ping(&self, id: u32) -> Vec<u8> {
        control(PING, 0, &id.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adler32(bytes: &[u8]) -> u32 {
        let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), x| {
            let a = (a + u32::from(*x)) % 65521;
            (a, (b + a) % 65521)
        });
        b << 16 | a
    }

    /// The checksum stands at the beginning of every SPDY/3 connection.
    #[test]
    fn the_dictionary_is_spdys() {
        assert_eq!((dictionary().len(), adler32(&dictionary())), (1423, 0xe3c6_a7c2));
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let mut deflate = Compress::new(Compression::default(), true);
        deflate.set_dictionary(&dictionary()).unwrap();
        let mut bytes = Vec::new();
        for stream in [1u32, 3] {
            let mut text = 2u32.to_be_bytes().to_vec();
            for part in ["streamtype", "data", "port", "8080"] {
                text.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
                text.extend(part.as_bytes());
            }
            let mut block = Vec::with_capacity(1024);
            deflate.compress_vec(&text, &mut block, FlushCompress::Sync).unwrap();
            let head = [stream.to_be_bytes().as_slice(), &[0; 6]].concat();
            bytes.extend(control(SYN_STREAM, 0, &[head, block].concat()));
        }
        let e = Encoder::new().unwrap();
        bytes.extend(e.data(1, b"hello", true));
        bytes.extend(e.ping(7));
        let mut decoder = Decoder::default();
        let frames: Vec<Frame> = bytes.chunks(3).flat_map(|c| decoder.feed(c).unwrap()).collect();
        let headers = vec![("streamtype".to_string(), "data".to_string()), ("port".into(), "8080".into())];
        assert_eq!(
            frames,
            [
                Frame::Open { stream: 1, headers: headers.clone(), fin: false },
                Frame::Open { stream: 3, headers, fin: false },
                Frame::Data { stream: 1, data: b"hello".to_vec(), fin: true },
                Frame::Ping(7),
            ]
        );
    }
}
