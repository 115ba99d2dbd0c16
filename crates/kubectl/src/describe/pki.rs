//! Reading certificate requests (PKCS #10): who asks, for which names. Only what a description shows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, Ipv6Addr};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub common_name: String,
    pub serial_number: String,
    pub organization: Vec<String>,
    pub organizational_unit: Vec<String>,
    pub country: Vec<String>,
    pub locality: Vec<String>,
    pub province: Vec<String>,
    pub street_address: Vec<String>,
    pub postal_code: Vec<String>,
    pub dns_names: Vec<String>,
    pub email_addresses: Vec<String>,
    pub uris: Vec<String>,
    pub ip_addresses: Vec<String>,
}

const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// The request in a PEM block. Models `certificate.ParseCSR`.
pub fn parse(pem: &[u8]) -> Result<Request, String> {
    let not_pem = || "PEM block type must be CERTIFICATE REQUEST".to_string();
    let text = std::str::from_utf8(pem).map_err(|_| not_pem())?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE REQUEST-----").ok_or_else(not_pem)?;
    let (body, _) = rest.split_once("-----END CERTIFICATE REQUEST-----").ok_or_else(not_pem)?;
    let body: String = body.split_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| not_pem())?;
    request(&der).ok_or_else(|| "asn1: syntax error: data truncated".to_string())
}

/// Whom a certificate in a PEM block is about: its common name and organizations.
pub fn subject_of(pem: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    let ((_, whole), _) = element(&der)?;
    let ((_, info), _) = element(whole)?;
    let parts = elements(info)?;
    // The version, a number, the algorithm, who signed, how long it holds, the subject.
    let skip = usize::from(parts.first().is_some_and(|(tag, _)| *tag == 0xa0));
    let mut out = Request::default();
    out.names(parts.get(skip + 4)?.1)?;
    Some(out).filter(|r| !r.common_name.is_empty())
}

/// One element: its tag and its content.
type Element<'a> = (u8, &'a [u8]);

/// The first element, and what comes after it.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let bytes = usize::from(first & 0x7f);
        if bytes > 4 || rest.len() < bytes {
            return None;
        }
        let (length, rest) = rest.split_at(bytes);
        (length.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
    };
    if rest.len() < length {
        return None;
    }
    let (content, rest) = rest.split_at(length);
    Some(((tag, content), rest))
}

fn elements(mut der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut all = Vec::new();
    while !der.is_empty() {
        let (e, rest) = element(der)?;
        all.push(e);
        der = rest;
    }
    Some(all)
}

fn request(der: &[u8]) -> Option<Request> {
    let ((_, whole), _) = element(der)?;
    let ((_, info), _) = element(whole)?;
    let parts = elements(info)?;
    let mut out = Request::default();
    // The version, the subject, the key; attributes.
    out.names(parts.get(1)?.1)?;
    let attributes = parts.iter().find(|(tag, _)| *tag == 0xa0).map_or(&[][..], |(_, content)| content);
    for (_, attribute) in elements(attributes)? {
        let [(_, EXTENSION_REQUEST), (_, values), ..] = elements(attribute)?[..] else { continue };
        let ((_, extensions), _) = element(values)?;
        for (_, extension) in elements(extensions)? {
            let fields = elements(extension)?;
            if let (Some((_, ALTERNATIVE_NAMES)), Some((_, value))) = (fields.first(), fields.last()) {
                let ((_, names), _) = element(value)?;
                elements(names)?.into_iter().for_each(|name| out.alternative(name));
            }
        }
    }
    Some(out)
}

/// A `BMPString` has two bytes for each character; the others are read as UTF-8.
fn string(tag: u8, bytes: &[u8]) -> String {
    if tag == 0x1e {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(bytes).into_owned()
}

impl Request {
    fn names(&mut self, subject: &[u8]) -> Option<()> {
        for (_, set) in elements(subject)? {
            for (_, pair) in elements(set)? {
                if let [(_, id), (tag, value), ..] = elements(pair)?.as_slice() {
                    self.subject(id, string(*tag, value));
                }
            }
        }
        Some(())
    }
    fn subject(&mut self, id: &[u8], value: String) {
        let [0x55, 0x04, which] = id else { return };
        match which {
            3 => self.common_name = value,
            5 => self.serial_number = value,
            6 => self.country.push(value),
            7 => self.locality.push(value),
            8 => self.province.push(value),
            9 => self.street_address.push(value),
            10 => self.organization.push(value),
            11 => self.organizational_unit.push(value),
            17 => self.postal_code.push(value),
            _ => {}
        }
    }

    fn alternative(&mut self, (tag, value): Element) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match tag & 0x1f {
            1 => self.email_addresses.push(text()),
            2 => self.dns_names.push(text()),
            6 => self.uris.push(text()),
            7 => {
                if let Ok(v4) = <[u8; 4]>::try_from(value) {
                    self.ip_addresses.push(Ipv4Addr::from(v4).to_string());
                } else if let Ok(v6) = <[u8; 16]>::try_from(value) {
                    self.ip_addresses.push(Ipv6Addr::from(v6).to_string());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl req -new -newkey ec`.
    const PEM: &str = include_str!("testdata/request.pem");

    #[test]
    fn who_asks_and_for_which_names() {
        let r = parse(PEM.as_bytes()).expect("it is a request");
        let expected = Request {
            common_name: "system:node:n1".into(),
            organization: vec!["system:nodes".into(), "staff".into()],
            organizational_unit: vec!["unit".into()],
            country: vec!["KR".into()],
            locality: vec!["Seoul".into()],
            province: vec!["Seoul State".into()],
            dns_names: vec!["n1.example.com".into(), "n1".into()],
            email_addresses: vec!["admin@example.com".into()],
            uris: vec!["spiffe://example.com/n1".into()],
            ip_addresses: vec!["10.0.0.1".into(), "fd00::1".into()],
            ..Request::default()
        };
        assert_eq!(r, expected);
    }

    #[test]
    fn what_is_no_request() {
        let not_pem = Err("PEM block type must be CERTIFICATE REQUEST".to_string());
        assert_eq!(parse(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), not_pem);
        assert_eq!(parse(&[0xff]), not_pem);
        assert!(parse(PEM.replace("MII", "MIQ").as_bytes()).is_err());
    }
}
