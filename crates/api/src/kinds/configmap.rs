//! ConfigMap. Models `pkg/registry/core/configmap` and `pkg/apis/core/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, names};
use k8s_openapi::api::core::v1::ConfigMap;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ConfigMap);

const MAX_SIZE: usize = 1024 * 1024;

impl Registration for Reg {
    type Type = ConfigMap;
    const PLURAL: &'static str = "configmaps";
    const SINGULAR: &'static str = "configmap";
    const SHORT_NAMES: &'static [&'static str] = &["cm"];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Data", "string", 0).describe(
            "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. \
             Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not \
             overlap with the keys in the BinaryData field, this is enforced during validation process.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: game-demo\ndata:\n  player_initial_lives: \"3\"\n";

    fn validate_create(o: &ConfigMap) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut size = 0;
        for (k, v) in o.data.iter().flatten() {
            errors.extend(each(&Path::new("data").key(k), k, names::config_key(k)));
            if o.binary_data.as_ref().is_some_and(|b| b.contains_key(k)) {
                let why = "duplicate of key present in binaryData";
                errors.push(FieldError::invalid(&Path::new("data").key(k), k.as_str(), why));
            }
            size += v.len();
        }
        for (k, v) in o.binary_data.iter().flatten() {
            errors.extend(each(&Path::new("binaryData").key(k), k, names::config_key(k)));
            size += v.0.len();
        }
        if size > MAX_SIZE {
            errors.push(FieldError::too_long(&Path::new("[]"), MAX_SIZE));
        }
        errors
    }

    fn validate_update(new: &ConfigMap, old: &ConfigMap) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if old.immutable == Some(true) {
            let why = "field is immutable when `immutable` is set";
            if new.immutable != Some(true) {
                errors.push(FieldError::forbidden(&Path::new("immutable"), why));
            }
            if new.data != old.data {
                errors.push(FieldError::forbidden(&Path::new("data"), why));
            }
            if new.binary_data != old.binary_data {
                errors.push(FieldError::forbidden(&Path::new("binaryData"), why));
            }
        }
        errors.extend(Self::validate_create(new));
        errors
    }

    fn cells(o: &ConfigMap, now: Time) -> Vec<Cell> {
        let n = o.data.as_ref().map_or(0, |d| d.len()) + o.binary_data.as_ref().map_or(0, |d| d.len());
        vec![table::name(&o.metadata), n.into(), table::age(&o.metadata, now)]
    }
}
