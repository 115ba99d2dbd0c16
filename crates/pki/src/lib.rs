//! Certificates: a cluster's own authority, the requests it signs, and what both look like as PEM; and signed tokens. Pure Rust without a clock
//! and without randomness, so that a tab and a server sign the same bytes.

mod authority;
mod claims;
mod request;
mod signature;
mod token;
mod usages;

pub use authority::{Authority, Wanted, check_certificates, not_after};
pub use claims::{Claims, ISSUER};
pub use request::Request;
pub use token::TokenKey;
pub use usages::{USAGES, unrecognized};

use x509_cert::der::pem;

const CERTIFICATE: &str = "CERTIFICATE";

/// The blocks of a PEM text: label and content. What stands between them is no matter, as with Go's decoder.
pub(crate) fn blocks(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    const BEGIN: &str = "-----BEGIN ";
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(BEGIN) {
        rest = &rest[at..];
        let label = rest[BEGIN.len()..].split("-----").next().unwrap_or("");
        let end = format!("-----END {label}-----");
        let Some(stop) = rest.find(&end) else { break };
        let block = &rest[..stop + end.len()];
        if let Ok((label, content)) = pem::decode_vec(block.as_bytes()) {
            found.push((label.to_string(), content));
        }
        rest = &rest[stop + end.len()..];
    }
    found
}

pub(crate) fn armoured(label: &str, der: &[u8]) -> String {
    // The label is one of ours and the length is known, so this cannot fail.
    pem::encode_string(label, pem::LineEnding::LF, der).unwrap_or_default()
}
