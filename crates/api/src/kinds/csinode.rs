//! CSINode. Models `pkg/registry/storage/csinode` and `ValidateCSINode`.

use super::{register, storage};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::labels::validate_label_name;
use crate::validate::nonnegative;
use k8s_openapi::api::storage::v1::{CSINode, CSINodeDriver};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, CSINode);

const NODE_ID_MAX: usize = 256;

impl Registration for Reg {
    type Type = CSINode;
    const PLURAL: &'static str = "csinodes";
    const SINGULAR: &'static str = "csinode";
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Drivers", "integer", 0)
            .describe("Drivers indicates the number of CSI drivers registered on the node"),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata:
  name: node-1
spec:
  drivers:
  - name: disk.example.com
    nodeID: node-1
    topologyKeys:
    - topology.kubernetes.io/zone
    allocatable:
      count: 8
";

    fn validate_create(o: &CSINode) -> Vec<FieldError> {
        let mut errors = Vec::new();
        drivers(o, &mut errors);
        errors
    }

    /// Models `ValidateCSINodeUpdate`: a driver that stays is what it was, but for how much it takes.
    fn validate_update(new: &CSINode, old: &CSINode) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("spec").child("drivers");
        let fixed = |d: &CSINodeDriver| CSINodeDriver { allocatable: None, ..d.clone() };
        for (i, d) in new.spec.drivers.iter().enumerate() {
            let before = old.spec.drivers.iter().find(|o| o.name == d.name);
            if before.is_some_and(|o| fixed(o) != fixed(d)) {
                let why = "existing driver can not be changed";
                errors.push(FieldError::invalid(&path.index(i), d.name.as_str(), why));
            }
        }
        errors.extend(Self::validate_create(new));
        errors
    }

    fn cells(o: &CSINode, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), o.spec.drivers.len().into(), table::age(&o.metadata, now)]
    }
}

fn drivers(o: &CSINode, errors: &mut Vec<FieldError>) {
    let path = Path::new("spec").child("drivers");
    for (i, d) in o.spec.drivers.iter().enumerate() {
        let at = path.index(i);
        storage::validate_driver_name(&d.name, &at.child("name"), errors);
        if d.node_id.is_empty() {
            errors.push(FieldError::required(&at.child("nodeID"), ""));
        } else if d.node_id.len() > NODE_ID_MAX {
            errors.push(FieldError::too_long(&at.child("nodeID"), NODE_ID_MAX));
        }
        if let Some(n) = d.allocatable.as_ref().and_then(|a| a.count) {
            nonnegative(&at.child("allocatable").child("count"), n.into(), errors);
        }
        let keys = d.topology_keys.as_deref().unwrap_or_default();
        for (j, key) in keys.iter().enumerate() {
            let at = at.child("topologyKeys");
            if keys[..j].contains(key) {
                errors.push(FieldError::duplicate(&at, key.as_str()));
            }
            errors.extend(validate_label_name(&at, key));
        }
        if o.spec.drivers[..i].iter().any(|o| o.name == d.name) {
            errors.push(FieldError::duplicate(&at.child("name"), d.name.as_str()));
        }
    }
}
