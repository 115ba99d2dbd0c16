//! Signed tokens: JSON Web Tokens with ES256, in compact form. Models `pkg/serviceaccount/jwt.go`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What stands before the point in a public key's DER (`SubjectPublicKeyInfo` of P-256).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// `--service-account-signing-key-file`.
#[derive(Clone)]
pub struct TokenKey {
    key: Arc<SigningKey>,
    /// Models `keyIDFromPublicKey`: the hash of the public key.
    id: Arc<str>,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl TokenKey {
    /// The same secret makes the same key.
    pub fn new(secret: &[u8; 32]) -> Self {
        // Nearly every number of 32 bytes is a key; the hash of one that is not is another try.
        let mut bytes = Sha256::digest(secret);
        let key = loop {
            match SigningKey::from_slice(&bytes) {
                Ok(key) => break key,
                Err(_) => bytes = Sha256::digest(bytes),
            }
        };
        let point = key.verifying_key().to_encoded_point(false);
        let id = BASE64.encode(Sha256::new().chain_update(SPKI).chain_update(point.as_bytes()).finalize());
        TokenKey { key: Arc::new(key), id: id.into() }
    }

    /// The public key as JSON Web Key Set: RFC 7517.
    pub fn key_set(&self) -> Value {
        let point = self.key.verifying_key().to_encoded_point(false);
        let coordinate = |c: Option<&p256::FieldBytes>| c.map(|c| BASE64.encode(c));
        json!({"keys": [{
            "use": "sig", "kty": "EC", "kid": &*self.id, "crv": "P-256", "alg": "ES256",
            "x": coordinate(point.x()), "y": coordinate(point.y()),
        }]})
    }

    /// A token that says the claims.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": &*self.id});
        let body = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature: Signature = self.key.sign(body.as_bytes());
        format!("{body}.{}", BASE64.encode(signature.to_bytes()))
    }

    /// The claims of a token that was signed with this key.
    ///
    /// # Errors
    /// Why it is not good; empty for what is no token at all.
    pub fn verify(&self, token: &str) -> Result<Value, String> {
        let parse = |part: &str| serde_json::from_slice::<Value>(&BASE64.decode(part).ok()?).ok();
        let split = token.rsplit_once('.').and_then(|(body, signature)| Some((body, body.split_once('.')?, signature)));
        let (body, (header, claims), signature) = split.ok_or("")?;
        let header = parse(header).ok_or("")?;
        let claims = parse(claims).ok_or("")?;
        if header["kid"] != *self.id {
            return Err("invalid signature, no keys found".into());
        }
        let wrong = || "go-jose/go-jose: error in cryptographic primitive".to_string();
        let signature = BASE64.decode(signature).ok().and_then(|s| Signature::from_slice(&s).ok()).ok_or_else(wrong)?;
        self.key.verifying_key().verify(body.as_bytes(), &signature).map_err(|_| wrong())?;
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_with_its_own_key_only() {
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&json!({"sub": "system:serviceaccount:default:default"}));
        assert_eq!(token, TokenKey::new(&[1; 32]).sign(&json!({"sub": "system:serviceaccount:default:default"})));
        assert_eq!(key.verify(&token).unwrap()["sub"], "system:serviceaccount:default:default");
        assert_eq!(TokenKey::new(&[2; 32]).verify(&token), Err("invalid signature, no keys found".into()));
        assert_eq!(key.verify("nonsense"), Err(String::new()));
        let (body, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = body.split_once('.').unwrap();
        let other = format!("{header}.{}.{signature}", BASE64.encode(r#"{"sub":"admin"}"#));
        assert_eq!(key.verify(&other), Err("go-jose/go-jose: error in cryptographic primitive".into()));
    }
}
