//! A saved session as one short word: a file, a link, a QR code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;

/// What a packed session begins with; JSON cannot.
const SIGN: &str = "k1.";
/// Nobody's session is larger; what claims to be is not unpacked.
const BYTES_MAX: u64 = 64 << 20;

/// Letters, digits and `-_.` only.
pub fn pack(session: &str) -> String {
    let mut bytes = Vec::new();
    // Reading from memory into memory cannot fail.
    let _ = DeflateEncoder::new(session.as_bytes(), Compression::best()).read_to_end(&mut bytes);
    format!("{SIGN}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The session as it was saved; a text that was never packed as it is.
///
/// # Errors
/// It is cut short, or something else.
pub fn unpack(text: &str) -> Result<String, String> {
    let text = text.trim();
    let Some(word) = text.strip_prefix(SIGN) else { return Ok(text.to_string()) };
    let bytes = URL_SAFE_NO_PAD.decode(word).map_err(|e| format!("the packed session cannot be read: {e}"))?;
    let mut session = String::new();
    let read = DeflateDecoder::new(&bytes[..]).take(BYTES_MAX).read_to_string(&mut session);
    read.map_err(|e| format!("the packed session cannot be read: {e}"))?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_session_is_short_and_comes_back() {
        let text = r#"{"format":1,"nodes":3,"seed":1,"start":1,"inputs":[]}"#.repeat(40);
        let packed = pack(&text);
        assert!(
            packed.len() < 200 && packed.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            "{packed}"
        );
        assert_eq!(unpack(&format!(" {packed}\n")), Ok(text.clone()));
        assert_eq!(unpack(&text), Ok(text));
        assert!(unpack(&packed[..packed.len() / 2]).is_err());
        assert!(unpack("k1.%%").is_err());
    }
}
