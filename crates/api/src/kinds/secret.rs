//! Secret. Models `pkg/registry/core/secret` and `ValidateSecret`.

use super::pod::defaults::set;
use super::register;
use crate::decode::syntax;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, immutable, names, text};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use meta::{FieldError, Path, Time};
use serde_json::Value;

pub struct Reg;
register!(Reg, Secret);

const MAX_SIZE: usize = 1024 * 1024;

impl Registration for Reg {
    type Type = Secret;
    const PLURAL: &'static str = "secrets";
    const SINGULAR: &'static str = "secret";
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Type", "string", 0).describe(
            "Used to facilitate programmatic handling of secret data. More info: \
             https://kubernetes.io/docs/concepts/configuration/secret/#secret-types",
        ),
        Column::new("Data", "string", 0).describe(
            "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The \
             serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly \
             non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Secret
metadata:
  name: secret-basic-auth
type: kubernetes.io/basic-auth
stringData:
  username: admin
  password: t0p-Secret
";

    fn default(o: &mut Secret) {
        // Write-only: merged into `data` on conversion to the internal type.
        if let Some(plain) = o.string_data.take() {
            let data = o.data.get_or_insert_default();
            data.extend(plain.into_iter().map(|(k, v)| (k, ByteString(v.into_bytes()))));
        }
        set(&mut o.type_, "Opaque");
    }

    fn validate_create(o: &Secret) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("data");
        let mut size = 0;
        for (k, v) in o.data.iter().flatten() {
            errors.extend(each(&path.key(k), k, names::config_key(k)));
            size += v.0.len();
        }
        if size > MAX_SIZE {
            errors.push(FieldError::too_long(&path, MAX_SIZE));
        }
        by_type(o, &path, &mut errors);
        errors
    }

    fn validate_update(new: &Secret, old: &Secret) -> Vec<FieldError> {
        let mut errors = Vec::new();
        immutable(&Path::new("type"), &text(&new.type_), &text(&old.type_), &mut errors);
        if old.immutable == Some(true) {
            let why = "field is immutable when `immutable` is set";
            if new.immutable != Some(true) {
                errors.push(FieldError::forbidden(&Path::new("immutable"), why));
            }
            if new.data != old.data {
                errors.push(FieldError::forbidden(&Path::new("data"), why));
            }
        }
        errors.extend(Self::validate_create(new));
        errors
    }

    fn cells(o: &Secret, now: Time) -> Vec<Cell> {
        let n = o.data.as_ref().map_or(0, |d| d.len());
        vec![table::name(&o.metadata), text(&o.type_).into(), n.into(), table::age(&o.metadata, now)]
    }

    fn fields(o: &Secret) -> Vec<(&'static str, String)> {
        vec![("type", text(&o.type_).into())]
    }
}

/// What a secret of a known type must hold.
fn by_type(o: &Secret, path: &Path, errors: &mut Vec<FieldError>) {
    let has = |k: &str| o.data.as_ref().is_some_and(|d| d.contains_key(k));
    let mut need = |keys: &[&str]| {
        for k in keys.iter().filter(|k| !has(k)) {
            errors.push(FieldError::required(&path.key(k), ""));
        }
    };
    match text(&o.type_) {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if o.metadata.annotations.as_ref().and_then(|a| a.get(key)).is_none_or(String::is_empty) {
                errors.push(FieldError::required(&Path::new("metadata").child("annotations").key(key), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_at(o, ".dockercfg", path, errors),
        "kubernetes.io/dockerconfigjson" => json_at(o, ".dockerconfigjson", path, errors),
        // Either of the two is enough.
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => need(&["username", "password"]),
        "kubernetes.io/ssh-auth" => {
            let key = "ssh-privatekey";
            if o.data.as_ref().and_then(|d| d.get(key)).is_none_or(|v| v.0.is_empty()) {
                errors.push(FieldError::required(&path.key(key), ""));
            }
        }
        "kubernetes.io/tls" => need(&["tls.crt", "tls.key"]),
        _ => {}
    }
}

/// Whether Go can read the bytes as a `map[string]interface{}`.
fn is_map(json: &[u8]) -> Result<(), String> {
    let value: Value = serde_json::from_slice(json).map_err(|e| syntax::words(json, &e))?;
    if value.is_object() || value.is_null() {
        return Ok(());
    }
    let kind = meta::go::json_kind(&value);
    Err(format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"))
}

fn json_at(o: &Secret, key: &str, path: &Path, errors: &mut Vec<FieldError>) {
    match o.data.as_ref().and_then(|d| d.get(key)) {
        None => errors.push(FieldError::required(&path.key(key), "")),
        Some(v) => {
            if let Err(why) = is_map(&v.0) {
                errors.push(FieldError::invalid(&path.key(key), "<secret contents redacted>", why));
            }
        }
    }
}
