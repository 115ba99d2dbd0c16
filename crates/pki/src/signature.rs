//! Checking signatures: ECDSA on P-256, and RSA. Models `x509.checkSignature`.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Limb, U2048, U3072, U4096, Uint, Word};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, VerifyingKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{AnyRef, Decode, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

/// What stands before the hash in a signature of PKCS#1: the hash's name, in DER.
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const SHA384_INFO: [u8; 19] =
    [0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30];
const SHA512_INFO: [u8; 19] =
    [0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40];

const UNSUPPORTED: &str = "x509: cannot verify signature: algorithm unimplemented";
const RSA_WRONG: &str = "crypto/rsa: verification error";

pub fn check(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: ObjectIdentifier,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let bits = key.subject_public_key.as_bytes().unwrap_or_default();
    let digest = match algorithm {
        ECDSA_SHA256 => return ecdsa(bits, message, signature),
        RSA_SHA256 => [&SHA256_INFO[..], &Sha256::digest(message)].concat(),
        RSA_SHA384 => [&SHA384_INFO[..], &Sha384::digest(message)].concat(),
        RSA_SHA512 => [&SHA512_INFO[..], &Sha512::digest(message)].concat(),
        _ => return Err(UNSUPPORTED.into()),
    };
    let (modulus, exponent) = rsa_key(bits).map_err(|_| UNSUPPORTED)?;
    let (modulus, exponent) = (modulus.as_bytes(), exponent.as_bytes());
    if signature.len() != modulus.len() {
        return Err(RSA_WRONG.into());
    }
    let opened = match modulus.len() {
        256 => open::<{ U2048::LIMBS }>(modulus, exponent, signature),
        384 => open::<{ U3072::LIMBS }>(modulus, exponent, signature),
        512 => open::<{ U4096::LIMBS }>(modulus, exponent, signature),
        _ => return Err(UNSUPPORTED.into()),
    };
    // RFC 8017, 9.2: 00 01 ff … ff 00, then what was hashed and how.
    let padding = modulus.len() - digest.len() - 3;
    let wanted = [&[0, 1][..], &vec![0xff; padding], &[0], &digest].concat();
    if opened.is_some_and(|o| o == wanted) { Ok(()) } else { Err(RSA_WRONG.into()) }
}

/// Modulus and exponent: RFC 8017, A.1.1.
fn rsa_key(der: &[u8]) -> x509_cert::der::Result<(UintRef<'_>, UintRef<'_>)> {
    let mut fields = SliceReader::new(AnyRef::from_der(der)?.value())?;
    Ok((UintRef::decode(&mut fields)?, UintRef::decode(&mut fields)?))
}

/// The signature to the power of the exponent. `None`: there is no such modulus, or it is smaller than the signature.
fn open<const LIMBS: usize>(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let (modulus, signature) = (number::<LIMBS>(modulus), number::<LIMBS>(signature));
    if !modulus.bit_vartime(0) || signature >= modulus {
        return None;
    }
    let exponent = exponent.iter().try_fold(0u64, |n, b| n.checked_mul(256)?.checked_add(u64::from(*b)))?;
    let residue = DynResidue::new(&signature, DynResidueParams::new(&modulus));
    let opened = residue.pow(&Uint::<LIMBS>::from_u64(exponent)).retrieve();
    Some(opened.as_limbs().iter().rev().flat_map(|l| l.0.to_be_bytes()).collect())
}

/// As many bytes as there is room for, the first the highest.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Uint<LIMBS> {
    let mut limbs = [Limb::ZERO; LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(Limb::BYTES)) {
        *limb = Limb(chunk.iter().fold(0, |n, b| n << 8 | Word::from(*b)));
    }
    Uint::new(limbs)
}

fn ecdsa(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), String> {
    let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| UNSUPPORTED)?;
    let wrong = |_| "x509: ECDSA verification failure".to_string();
    let signature = DerSignature::try_from(signature).map_err(wrong)?;
    key.verify(message, &signature).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use crate::Request;

    #[test]
    fn requests_are_signed_by_their_keys() {
        for (text, changed, why) in [
            (include_str!("ec.csr"), ("5WPAE=", "5WPAI="), "x509: ECDSA verification failure"),
            (include_str!("rsa.csr"), ("bh7nfeC1", "bh7nfeC2"), super::RSA_WRONG),
        ] {
            let request = Request::parse(text.as_bytes()).expect("a request");
            assert_eq!(request.organizations, ["developers"]);
            assert_eq!(request.check_signature(), Ok(()));
            let text = text.replace(changed.0, changed.1);
            let other = Request::parse(text.as_bytes()).map(|r| r.check_signature());
            assert!(matches!(&other, Ok(Err(e)) if e == why), "{other:?}");
        }
        let rsa = Request::parse(include_bytes!("rsa.csr")).expect("a request");
        assert_eq!((rsa.dns_names, rsa.addresses), (1, vec![std::net::IpAddr::from([10, 0, 0, 1])]));
    }
}
