//! The cluster's certificate authority. Models kubeadm's `ca.crt` and `pkg/controller/certificates/authority`.

use crate::request::Request;
use crate::{CERTIFICATE, armoured, blocks, usages};
use meta::{Duration, Time};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};
use sha2::{Digest, Sha256};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::der::asn1::{
    Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime, Utf8StringRef,
};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time as X509Time, Validity};

pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// kubeadm's CAs live ten years, and begin five minutes before they are made: clocks differ.
const LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
const BACKDATE: Duration = Duration::from_secs(300);
/// The last second that `UTCTime` can say, in seconds since the epoch: RFC 5280, 4.1.2.5.
const UTC_TIME_MAX: u64 = 2_524_607_999;

type Der<T> = Result<T, x509_cert::der::Error>;

#[derive(Clone)]
pub struct Authority {
    key: SigningKey,
    der: Vec<u8>,
    subject: Name,
    key_id: Vec<u8>,
    pub not_after: Time,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority(until {})", self.not_after.rfc3339())
    }
}

/// What a certificate is to say beyond what its request does.
pub struct Wanted<'a> {
    pub usages: &'a [String],
    pub not_before: Time,
    pub not_after: Time,
    /// What its serial number is made of: certificates with different ones have different numbers.
    pub serial_of: &'a [u8],
}

impl Authority {
    /// The same secret and moment make the same authority.
    ///
    /// # Errors
    /// Its own certificate cannot be written.
    pub fn new(secret: &[u8; 32], now: Time) -> Result<Authority, String> {
        Self::make(secret, now).map_err(|e| e.to_string())
    }

    fn make(secret: &[u8; 32], now: Time) -> Der<Authority> {
        // Nearly every number of 32 bytes is a key; the hash of one that is not is another try.
        let mut bytes = Sha256::new().chain_update(b"kubernetes-ca").chain_update(secret).finalize();
        let key = loop {
            match SigningKey::from_slice(&bytes) {
                Ok(key) => break key,
                Err(_) => bytes = Sha256::digest(bytes),
            }
        };
        let public = p256::PublicKey::from(key.verifying_key())
            .to_public_key_der()
            .map_err(|_| x509_cert::der::ErrorKind::Failed)?;
        let public = SubjectPublicKeyInfoOwned::from_der(public.as_bytes())?;
        let key_id = identifier(&public);
        let subject = common_name("kubernetes")?;
        let not_after = now + LIFE;
        let usage = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::KeyCertSign);
        let extensions = vec![
            extension(KeyUsage::OID, true, &usage)?,
            extension(BasicConstraints::OID, true, &BasicConstraints { ca: true, path_len_constraint: None })?,
            extension(SubjectKeyIdentifier::OID, false, &SubjectKeyIdentifier(OctetString::new(&*key_id)?))?,
        ];
        let mut authority = Authority { key, der: Vec::new(), subject: subject.clone(), key_id, not_after };
        let times = (now - BACKDATE, not_after);
        authority.der = authority.certificate(b"kubernetes-ca", subject, public, times, extensions)?;
        Ok(authority)
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }
    pub fn pem(&self) -> String {
        armoured(CERTIFICATE, &self.der)
    }
    /// The key, for whoever terminates TLS: PKCS#8.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn key_der(&self) -> Result<Vec<u8>, String> {
        p256::SecretKey::from(&self.key).to_pkcs8_der().map(|d| d.as_bytes().to_vec()).map_err(|e| e.to_string())
    }

    /// A certificate, as PEM. Models `CertificateAuthority.Sign` with `PermissiveSigningPolicy`.
    ///
    /// # Errors
    /// The request's signature is wrong, or a usage is unknown.
    pub fn sign(&self, request: &Request, wanted: &Wanted<'_>) -> Result<String, String> {
        request.check_signature().map_err(|e| format!("unable to verify certificate request signature: {e}"))?;
        let unknown = usages::unrecognized(wanted.usages);
        if !unknown.is_empty() {
            return Err(format!("unrecognized usage values: {unknown:?}"));
        }
        if wanted.not_before > self.not_after {
            return Err(format!("refusing to sign a certificate that expired in the past: {:?}", self.not_after));
        }
        let der = self.issue(request, wanted).map_err(|e| format!("failed to sign certificate: {e}"))?;
        Ok(armoured(CERTIFICATE, &der))
    }

    fn issue(&self, request: &Request, wanted: &Wanted<'_>) -> Der<Vec<u8>> {
        let (usage, extended) = usages::of(wanted.usages);
        let mut extensions = Vec::new();
        if let Some(usage) = usage {
            extensions.push(extension(KeyUsage::OID, true, &usage)?);
        }
        if let Some(extended) = extended {
            extensions.push(extension(x509_cert::ext::pkix::ExtendedKeyUsage::OID, false, &extended)?);
        }
        let no_authority = BasicConstraints { ca: false, path_len_constraint: None };
        extensions.push(extension(BasicConstraints::OID, true, &no_authority)?);
        let issuer_key = AuthorityKeyIdentifier {
            key_identifier: Some(OctetString::new(&*self.key_id)?),
            ..AuthorityKeyIdentifier::default()
        };
        extensions.push(extension(AuthorityKeyIdentifier::OID, false, &issuer_key)?);
        let info = &request.parsed.info;
        if let Some(names) = &request.names {
            // Nobody else says who it is about when the subject is empty.
            extensions.push(extension(SubjectAltName::OID, info.subject.0.is_empty(), names)?);
        }
        let times = (wanted.not_before, wanted.not_after.min(self.not_after));
        self.certificate(wanted.serial_of, info.subject.clone(), info.public_key.clone(), times, extensions)
    }

    fn certificate(
        &self,
        serial_of: &[u8],
        subject: Name,
        subject_public_key_info: SubjectPublicKeyInfoOwned,
        (not_before, not_after): (Time, Time),
        extensions: Vec<Extension>,
    ) -> Der<Vec<u8>> {
        let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_SHA256, parameters: None };
        let mut serial = Sha256::digest(serial_of)[..16].to_vec();
        // A positive number of the same length, whatever the hash.
        serial[0] = serial[0] & 0x7f | 0x40;
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&serial)?,
            signature: algorithm.clone(),
            issuer: self.subject.clone(),
            validity: Validity { not_before: time(not_before)?, not_after: time(not_after)? },
            subject,
            subject_public_key_info,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions),
        };
        let signature: DerSignature = self.key.sign(&tbs_certificate.to_der()?);
        let signature = BitString::from_bytes(signature.as_bytes())?;
        Certificate { tbs_certificate, signature_algorithm: algorithm, signature }.to_der()
    }
}

/// RFC 7093, method 1, as Go makes them.
fn identifier(key: &SubjectPublicKeyInfoOwned) -> Vec<u8> {
    Sha256::digest(key.subject_public_key.raw_bytes())[..20].to_vec()
}

/// A name with nothing but that. By hand: to read it from text takes a table of all attributes' names.
fn common_name(name: &str) -> Der<Name> {
    let value = Any::from(Utf8StringRef::new(name)?);
    let attribute = AttributeTypeAndValue { oid: COMMON_NAME, value };
    Ok(RdnSequence(vec![RelativeDistinguishedName(SetOfVec::try_from([attribute])?)]))
}

fn extension(extn_id: ObjectIdentifier, critical: bool, value: &impl Encode) -> Der<Extension> {
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value.to_der()?)? })
}

fn time(t: Time) -> Der<X509Time> {
    let since = std::time::Duration::from_secs(t.as_secs());
    Ok(if t.as_secs() <= UTC_TIME_MAX {
        X509Time::UtcTime(UtcTime::from_unix_duration(since)?)
    } else {
        X509Time::GeneralTime(GeneralizedTime::from_unix_duration(since)?)
    })
}

/// What `status.certificate` may hold. Models `validateCertificate`.
///
/// # Errors
/// What is wrong with it.
pub fn check_certificates(pem: &[u8]) -> Result<(), String> {
    let found = blocks(pem);
    if let Some((label, _)) = found.iter().find(|(label, _)| label != CERTIFICATE) {
        return Err(format!("only CERTIFICATE PEM blocks are allowed, found {label:?}"));
    }
    if found.is_empty() {
        return Err("must contain at least one CERTIFICATE PEM block".into());
    }
    let bad = found.iter().find_map(|(_, der)| Certificate::from_der(der).err());
    bad.map_or(Ok(()), |e| Err(format!("x509: malformed certificate: {e}")))
}

/// When the first certificate ends.
pub fn not_after(pem: &[u8]) -> Option<Time> {
    let (_, der) = blocks(pem).into_iter().next()?;
    let certificate = Certificate::from_der(&der).ok()?;
    Some(Time::from_secs(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs()))
}
