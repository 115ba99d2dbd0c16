//! What a certificate is for, in the words of `certificates.k8s.io`. Models `keyUsagesFromStrings` of
//! `pkg/controller/certificates/authority/policies.go`.

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

/// All words, sorted.
pub const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

fn usage(word: &str) -> Option<KeyUsages> {
    Some(match word {
        "signing" | "digital signature" => KeyUsages::DigitalSignature,
        "content commitment" => KeyUsages::NonRepudiation,
        "key encipherment" => KeyUsages::KeyEncipherment,
        "key agreement" => KeyUsages::KeyAgreement,
        "data encipherment" => KeyUsages::DataEncipherment,
        "cert sign" => KeyUsages::KeyCertSign,
        "crl sign" => KeyUsages::CRLSign,
        "encipher only" => KeyUsages::EncipherOnly,
        "decipher only" => KeyUsages::DecipherOnly,
        _ => return None,
    })
}

/// The words of extended usages in Go's order, with their numbers.
const EXTENDED: [(&[&str], &str); 12] = [
    (&["any"], "2.5.29.37.0"),
    (&["server auth"], "1.3.6.1.5.5.7.3.1"),
    (&["client auth"], "1.3.6.1.5.5.7.3.2"),
    (&["code signing"], "1.3.6.1.5.5.7.3.3"),
    (&["email protection", "s/mime"], "1.3.6.1.5.5.7.3.4"),
    (&["ipsec end system"], "1.3.6.1.5.5.7.3.5"),
    (&["ipsec tunnel"], "1.3.6.1.5.5.7.3.6"),
    (&["ipsec user"], "1.3.6.1.5.5.7.3.7"),
    (&["timestamping"], "1.3.6.1.5.5.7.3.8"),
    (&["ocsp signing"], "1.3.6.1.5.5.7.3.9"),
    (&["microsoft sgc"], "1.3.6.1.4.1.311.10.3.3"),
    (&["netscape sgc"], "2.16.840.1.113730.4.1"),
];

/// The words that mean nothing.
pub fn unrecognized(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).filter(|w| !USAGES.contains(w)).collect()
}

pub(crate) fn of(words: &[String]) -> (Option<KeyUsage>, Option<ExtendedKeyUsage>) {
    let plain = words.iter().filter_map(|w| usage(w)).fold(FlagSet::default(), |all, one| all | one);
    let has = |any: &[&str]| words.iter().any(|w| any.contains(&w.as_str()));
    let extended: Vec<ObjectIdentifier> =
        EXTENDED.iter().filter(|(any, _)| has(any)).map(|(_, id)| ObjectIdentifier::new_unwrap(id)).collect();
    let plain = (plain != FlagSet::default()).then_some(KeyUsage(plain));
    (plain, (!extended.is_empty()).then_some(ExtendedKeyUsage(extended)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_something() {
        for word in USAGES {
            assert_ne!(of(&[word.into()]), (None, None), "{word}");
        }
        assert_eq!(unrecognized(&["any".into(), "none".into()]), ["none"]);
    }
}
