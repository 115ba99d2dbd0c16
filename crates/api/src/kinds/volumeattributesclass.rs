//! VolumeAttributesClass. Models `pkg/registry/storage/volumeattributesclass` and `ValidateVolumeAttributesClass`.

use super::{register, storage};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::immutable;
use k8s_openapi::api::storage::v1::VolumeAttributesClass;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, VolumeAttributesClass);

const PARAMETERS_MAX: usize = 512;
const PARAMETERS_BYTES_MAX: usize = 256 * 1024;
const DEFAULT: &str = "volumeattributesclass.alpha.kubernetes.io/is-default-class";

impl Registration for Reg {
    type Type = VolumeAttributesClass;
    const PLURAL: &'static str = "volumeattributesclasses";
    const SINGULAR: &'static str = "volumeattributesclass";
    const SHORT_NAMES: &'static [&'static str] = &["vac"];
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("DriverName", "string", 0).describe("The CSI driver that knows the parameters."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata:
  name: silver
driverName: disk.example.com
parameters:
  iops: \"3000\"
  throughput: \"50\"
";

    fn validate_create(o: &VolumeAttributesClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        storage::validate_driver_name(&o.driver_name, &Path::new("driverName"), &mut errors);
        let at = Path::new("parameters");
        let parameters = o.parameters.clone().unwrap_or_default();
        if parameters.is_empty() {
            errors.push(FieldError::required(&at, "must contain at least one key/value pair"));
        }
        if parameters.len() > PARAMETERS_MAX {
            errors.push(FieldError::too_long(&at, PARAMETERS_MAX));
        }
        if let Some((_, v)) = parameters.get_key_value("") {
            errors.push(FieldError::invalid(&at, v.as_str(), "field can not be empty."));
        }
        if parameters.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > PARAMETERS_BYTES_MAX {
            errors.push(FieldError::too_long(&at, PARAMETERS_BYTES_MAX));
        }
        errors
    }

    fn validate_update(new: &VolumeAttributesClass, old: &VolumeAttributesClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        immutable(&Path::new("driverName"), &new.driver_name, &old.driver_name, &mut errors);
        if new.parameters != old.parameters {
            errors.push(FieldError::forbidden(&Path::new("parameters"), "updates to parameters are forbidden."));
        }
        errors
    }

    fn cells(o: &VolumeAttributesClass, now: Time) -> Vec<Cell> {
        let mut name = o.metadata.name.clone().unwrap_or_default();
        if o.metadata.annotations.as_ref().is_some_and(|a| a.get(DEFAULT).is_some_and(|v| v == "true")) {
            name.push_str(" (default)");
        }
        vec![name.into(), o.driver_name.as_str().into(), table::age(&o.metadata, now)]
    }
}
