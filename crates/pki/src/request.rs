//! A certificate signing request, PKCS#10. Models `capihelper.ParseCSR` and the parts of `x509.CertificateRequest` that are read.

use crate::authority::COMMON_NAME;
use crate::signature;
use std::net::IpAddr;
use x509_cert::attr::Attribute;
use x509_cert::der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{AnyRef, Decode, Reader, SliceReader};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::request::CertReq;

const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

pub struct Request {
    pub(crate) parsed: CertReq,
    pub(crate) names: Option<SubjectAltName>,
    /// What is signed.
    info: Vec<u8>,
    pub common_name: String,
    pub organizations: Vec<String>,
    pub dns_names: usize,
    pub emails: usize,
    pub uris: usize,
    pub addresses: Vec<IpAddr>,
}

impl Request {
    /// # Errors
    /// In Go's words where they are known.
    pub fn parse(pem: &[u8]) -> Result<Request, String> {
        let der = crate::blocks(pem).into_iter().next().filter(|(label, _)| label == "CERTIFICATE REQUEST");
        let (_, der) = der.ok_or("PEM block type must be CERTIFICATE REQUEST")?;
        Self::from_der(&der).map_err(|e| format!("asn1: structure error: {e}"))
    }

    fn from_der(der: &[u8]) -> Result<Request, x509_cert::der::Error> {
        let parsed = CertReq::from_der(der)?;
        // As it came: encoding it again might not give the bytes that were signed.
        let content = AnyRef::from_der(der)?.value();
        let info = SliceReader::new(content)?.tlv_bytes()?.to_vec();
        let names = alternative_names(parsed.info.attributes.iter())?;
        let mut request = Request {
            common_name: values(&parsed.info.subject, COMMON_NAME).pop().unwrap_or_default(),
            organizations: values(&parsed.info.subject, ORGANIZATION),
            parsed,
            names: None,
            info,
            dns_names: 0,
            emails: 0,
            uris: 0,
            addresses: Vec::new(),
        };
        for name in names.iter().flat_map(|n| &n.0) {
            match name {
                GeneralName::DnsName(_) => request.dns_names += 1,
                GeneralName::Rfc822Name(_) => request.emails += 1,
                GeneralName::UniformResourceIdentifier(_) => request.uris += 1,
                GeneralName::IpAddress(bytes) => request.addresses.extend(address(bytes.as_bytes())),
                _ => {}
            }
        }
        request.names = names;
        Ok(request)
    }

    /// Models `CertificateRequest.CheckSignature`: whoever asks has the key.
    ///
    /// # Errors
    /// In Go's words.
    pub fn check_signature(&self) -> Result<(), String> {
        let signature = self.parsed.signature.as_bytes().unwrap_or_default();
        signature::check(&self.parsed.info.public_key, self.parsed.algorithm.oid, &self.info, signature)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn alternative_names<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
) -> Result<Option<SubjectAltName>, x509_cert::der::Error> {
    for attribute in attributes.filter(|a| a.oid == EXTENSION_REQUEST) {
        for value in attribute.values.iter() {
            let extensions: Extensions = value.decode_as()?;
            if let Some(e) = extensions.iter().find(|e| e.extn_id == SUBJECT_ALT_NAME) {
                return SubjectAltName::from_der(e.extn_value.as_bytes()).map(Some);
            }
        }
    }
    Ok(None)
}

/// What a name says under one heading, in order.
fn values(name: &Name, of: ObjectIdentifier) -> Vec<String> {
    let all = name.0.iter().flat_map(|rdn| rdn.0.iter()).filter(|a| a.oid == of);
    all.filter_map(|a| {
        let utf8 = a.value.decode_as::<Utf8StringRef<'_>>().map(|s| s.as_str().to_string());
        let printable = || a.value.decode_as::<PrintableStringRef<'_>>().map(|s| s.as_str().to_string());
        utf8.or_else(|_| printable())
            .or_else(|_| a.value.decode_as::<Ia5StringRef<'_>>().map(|s| s.as_str().to_string()))
            .ok()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_is_one() {
        let block = "PEM block type must be CERTIFICATE REQUEST";
        assert_eq!(Request::parse(b"").err().as_deref(), Some(block));
        let other = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(Request::parse(other).err().as_deref(), Some(block));
        let bad = b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
        assert!(Request::parse(bad).err().is_some_and(|e| e.starts_with("asn1: structure error")));
    }
}
