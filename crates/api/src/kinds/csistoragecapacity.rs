//! CSIStorageCapacity. Models `pkg/registry/storage/csistoragecapacity` and `ValidateCSIStorageCapacity`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{each, immutable, names, validate_label_selector};
use k8s_openapi::api::storage::v1::CSIStorageCapacity;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity, Time};

pub struct Reg;
register!(Reg, CSIStorageCapacity);

impl Registration for Reg {
    type Type = CSIStorageCapacity;
    const PLURAL: &'static str = "csistoragecapacities";
    const SINGULAR: &'static str = "csistoragecapacity";
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("StorageClassName", "string", 0).describe("The class whose volumes the capacity is reported for."),
        Column::new("Capacity", "string", 0).describe("How much can be provisioned."),
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
metadata:
  name: zone-a
storageClassName: fast
capacity: 100Gi
nodeTopology:
  matchLabels:
    topology.kubernetes.io/zone: zone-a
";

    fn quantities(o: &mut CSIStorageCapacity, f: &mut dyn FnMut(&mut ApiQuantity)) {
        o.capacity.iter_mut().chain(&mut o.maximum_volume_size).for_each(f);
    }

    fn validate_create(o: &CSIStorageCapacity) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(t) = &o.node_topology {
            errors.extend(validate_label_selector(&Path::new("nodeTopology"), t));
        }
        let class = &o.storage_class_name;
        errors.extend(each(&Path::new("storageClassName"), class, names::dns1123_subdomain(class)));
        for (name, q) in [("capacity", &o.capacity), ("maximumVolumeSize", &o.maximum_volume_size)] {
            if let Some(q) = q.as_ref().map(Quantity::of).filter(|q| q.is_negative()) {
                let why = crate::validate::NOT_NEGATIVE;
                errors.push(FieldError::invalid(&Path::new(name), q.to_string(), why));
            }
        }
        errors
    }

    /// Models `ValidateCSIStorageCapacityUpdate`.
    fn validate_update(new: &CSIStorageCapacity, old: &CSIStorageCapacity) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        immutable(&Path::new("nodeTopology"), &new.node_topology, &old.node_topology, &mut errors);
        immutable(&Path::new("storageClassName"), &new.storage_class_name, &old.storage_class_name, &mut errors);
        errors
    }

    fn cells(o: &CSIStorageCapacity, _now: Time) -> Vec<Cell> {
        let capacity = o.capacity.as_ref().map_or("<unset>", |q| q.0.as_str());
        vec![table::name(&o.metadata), o.storage_class_name.as_str().into(), capacity.into()]
    }
}
