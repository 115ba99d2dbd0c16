//! StorageClass. Models `pkg/registry/storage/storageclass` and `pkg/apis/storage/{v1, validation}`.

use super::{register, storage_warnings};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::labels::validate_label_name;
use crate::validate::{each, immutable, names, text};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, StorageClass);

pub const IMMEDIATE: &str = "Immediate";
pub const WAIT_FOR_FIRST_CONSUMER: &str = "WaitForFirstConsumer";
const PARAMETERS_MAX: usize = 512;
const PARAMETERS_BYTES_MAX: usize = 256 * 1024;

/// Whether claims without a class get this one. Models `storage/util.IsDefaultAnnotation`.
pub fn is_default(meta: &ObjectMeta) -> bool {
    let keys = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    keys.iter().any(|k| meta.annotations.as_ref().and_then(|a| a.get(*k)).is_some_and(|v| v == "true"))
}

/// Of several default classes the newest, then the first by name. Models `GetDefaultClass`.
pub fn default_of<'a>(classes: impl Iterator<Item = &'a StorageClass>) -> Option<&'a StorageClass> {
    let created = |c: &StorageClass| c.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
    let defaults = classes.filter(|c| is_default(&c.metadata));
    defaults.min_by(|a, b| created(b).cmp(&created(a)).then_with(|| a.metadata.name.cmp(&b.metadata.name)))
}

impl Registration for Reg {
    type Type = StorageClass;
    const PLURAL: &'static str = "storageclasses";
    const SINGULAR: &'static str = "storageclass";
    const SHORT_NAMES: &'static [&'static str] = &["sc"];
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Provisioner", "string", 0).describe("provisioner indicates the type of the provisioner."),
        Column::new("ReclaimPolicy", "string", 0).describe(
            "reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage \
             class. Defaults to Delete.",
        ),
        Column::new("VolumeBindingMode", "string", 0).describe(
            "volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, \
             VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling \
             feature.",
        ),
        Column::new("AllowVolumeExpansion", "string", 0)
            .describe("allowVolumeExpansion shows whether the storage class allow volume expand."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-retain
provisioner: rancher.io/local-path
reclaimPolicy: Retain
volumeBindingMode: WaitForFirstConsumer
";

    fn default(o: &mut StorageClass) {
        o.reclaim_policy.get_or_insert_with(|| "Delete".into());
        o.volume_binding_mode.get_or_insert_with(|| IMMEDIATE.into());
    }

    /// Models `ValidateStorageClass`.
    fn validate_create(o: &StorageClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("provisioner");
        if o.provisioner.is_empty() {
            errors.push(FieldError::required(&path, ""));
        } else {
            errors.extend(each(&path, &o.provisioner, names::qualified_name(&o.provisioner.to_lowercase())));
        }
        parameters(o, &mut errors);
        let policy = text(&o.reclaim_policy);
        if !matches!(policy, "" | "Delete" | "Retain") {
            errors.push(FieldError::not_supported(&Path::new("reclaimPolicy"), policy, &["Delete", "Retain"]));
        }
        let path = Path::new("volumeBindingMode");
        match o.volume_binding_mode.as_deref() {
            None => errors.push(FieldError::required(&path, "")),
            Some(IMMEDIATE | WAIT_FOR_FIRST_CONSUMER) => {}
            Some(m) => errors.push(FieldError::not_supported(&path, m, &[IMMEDIATE, WAIT_FOR_FIRST_CONSUMER])),
        }
        topologies(o, &mut errors);
        errors
    }

    /// Models `ValidateStorageClassUpdate`.
    fn validate_update(new: &StorageClass, old: &StorageClass) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        let empty = |p: &StorageClass| p.parameters.clone().unwrap_or_default();
        let mut fixed = |name: &str, same: bool| {
            if !same {
                errors.push(FieldError::forbidden(&Path::new(name), format!("updates to {name} are forbidden.")));
            }
        };
        fixed("parameters", empty(new) == empty(old));
        fixed("provisioner", new.provisioner == old.provisioner);
        fixed("reclaimPolicy", new.reclaim_policy == old.reclaim_policy);
        let path = Path::new("volumeBindingMode");
        immutable(&path, &new.volume_binding_mode, &old.volume_binding_mode, &mut errors);
        errors
    }

    fn warnings(o: &StorageClass) -> Vec<String> {
        storage_warnings::class(o)
    }

    fn cells(o: &StorageClass, now: Time) -> Vec<Cell> {
        let name = text(&o.metadata.name);
        let shown = if is_default(&o.metadata) { format!("{name} (default)") } else { name.into() };
        vec![
            shown.into(),
            o.provisioner.as_str().into(),
            o.reclaim_policy.as_deref().unwrap_or("Delete").into(),
            o.volume_binding_mode.as_deref().unwrap_or(IMMEDIATE).into(),
            o.allow_volume_expansion.unwrap_or(false).into(),
            table::age(&o.metadata, now),
        ]
    }
}

fn parameters(o: &StorageClass, errors: &mut Vec<FieldError>) {
    let path = Path::new("parameters");
    let Some(parameters) = &o.parameters else { return };
    if parameters.len() > PARAMETERS_MAX {
        errors.push(FieldError::too_long(&path, PARAMETERS_MAX));
        return;
    }
    for name in parameters.keys().filter(|k| k.is_empty()) {
        errors.push(FieldError::invalid(&path, name.as_str(), "field must not be empty."));
    }
    if parameters.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > PARAMETERS_BYTES_MAX {
        errors.push(FieldError::too_long(&path, PARAMETERS_BYTES_MAX));
    }
}

/// Models `ValidateTopologySelectorTerm`.
fn topologies(o: &StorageClass, errors: &mut Vec<FieldError>) {
    for (i, term) in o.allowed_topologies.iter().flatten().enumerate() {
        let at = Path::new("allowedTopologies").index(i).child("matchLabelExpressions");
        let list = term.match_label_expressions.as_deref().unwrap_or_default();
        for (j, e) in list.iter().enumerate() {
            let at = at.index(j);
            if e.values.is_empty() {
                errors.push(FieldError::required(&at.child("values"), ""));
            }
            for (v, value) in e.values.iter().enumerate() {
                if e.values[..v].contains(value) {
                    errors.push(FieldError::duplicate(&at.child("values").index(v), value.as_str()));
                }
            }
            errors.extend(validate_label_name(&at.child("key"), &e.key));
            if list[..j].iter().any(|o| o.key == e.key) {
                errors.push(FieldError::duplicate(&at.child("key"), e.key.as_str()));
            }
        }
    }
}
