//! ResourceSlice: devices that a driver offers on nodes. Models `pkg/registry/resource/resourceslice` and
//! `ValidateResourceSlice` with the feature gates that v1.35 has on.

use super::pod::affinity::node_selector;
use super::storage::validate_driver_name;
use super::{devices, register};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::names::dns1123_subdomain;
use crate::validate::{each, immutable, text};
use k8s_openapi::api::resource::v1::{Device, DeviceAttribute, ResourceSlice, ResourceSliceSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};
use serde_json::Value;

pub struct Reg;
register!(Reg, ResourceSlice);

/// ResourceSliceMaxDevices.
const DEVICES_MAX: usize = 128;
/// ResourceSliceMaxAttributesAndCapacitiesPerDevice.
const PROPERTIES_MAX: usize = 32;
/// DeviceAttributeMaxValueLength, in bytes.
const VALUE_MAX: usize = 64;

impl Registration for Reg {
    type Type = ResourceSlice;
    const PLURAL: &'static str = "resourceslices";
    const SINGULAR: &'static str = "resourceslice";
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Node", "string", 0).describe(
            "NodeName identifies the node which provides the resources in this pool. A field selector can be used to \
             list only ResourceSlice objects belonging to a certain node.\n\nThis field can be used to limit access \
             from nodes to ResourceSlices with the same node name. It also indicates to autoscalers that adding new \
             nodes of the same type as some old node might also make new resources available.\n\nExactly one of \
             NodeName, NodeSelector, AllNodes, and PerDeviceNodeSelection must be set. This field is immutable.",
        ),
        Column::new("Driver", "string", 0).describe(
            "Driver identifies the DRA driver providing the capacity information. A field selector can be used to list \
             only ResourceSlice objects with a certain driver name.\n\nMust be a DNS subdomain and should end with a \
             DNS domain owned by the vendor of the driver. It should use only lower case characters. This field is \
             immutable.",
        ),
        Column::new("Pool", "string", 0).describe(
            "Name is used to identify the pool. For node-local devices, this is often the node name, but this is not \
             required.\n\nIt must not be longer than 253 characters and must consist of one or more DNS sub-domains \
             separated by slashes. This field is immutable.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata:
  name: node-1-gpus
spec:
  driver: gpu.example.com
  nodeName: node-1
  pool:
    name: node-1
    generation: 1
    resourceSliceCount: 1
  devices:
  - name: gpu-0
    attributes:
      model:
        string: large
    capacity:
      memory:
        value: 80Gi
  - name: gpu-1
    attributes:
      model:
        string: small
    capacity:
      memory:
        value: 40Gi
";

    fn quantities(o: &mut ResourceSlice, f: &mut dyn FnMut(&mut Quantity)) {
        let devices = o.spec.devices.iter_mut().flatten();
        devices.flat_map(|d| d.capacity.iter_mut().flatten()).for_each(|(_, c)| f(&mut c.value));
    }

    fn prepare_create(o: &mut ResourceSlice) {
        drop_disabled(&mut o.spec);
    }
    fn prepare_update(new: &mut ResourceSlice, _old: &ResourceSlice) {
        drop_disabled(&mut new.spec);
    }

    fn validate_create(o: &ResourceSlice) -> Vec<FieldError> {
        validate(&o.spec, None)
    }
    fn validate_update(new: &ResourceSlice, old: &ResourceSlice) -> Vec<FieldError> {
        validate(&new.spec, Some(&old.spec))
    }

    fn cells(o: &ResourceSlice, now: Time) -> Vec<Cell> {
        let s = &o.spec;
        let node = text(&s.node_name);
        vec![
            table::name(&o.metadata),
            node.into(),
            s.driver.as_str().into(),
            s.pool.name.as_str().into(),
            table::age(&o.metadata, now),
        ]
    }
    fn fields(o: &ResourceSlice) -> Vec<(&'static str, String)> {
        let node = text(&o.spec.node_name).to_string();
        vec![("spec.nodeName", node), ("spec.driver", o.spec.driver.clone())]
    }
}

/// Partitionable devices, taints, binding conditions and consumable capacity are off.
fn drop_disabled(spec: &mut ResourceSliceSpec) {
    (spec.shared_counters, spec.per_device_node_selection) = (None, None);
    for d in spec.devices.iter_mut().flatten() {
        let kept = Device {
            name: std::mem::take(&mut d.name),
            attributes: d.attributes.take(),
            capacity: d.capacity.take(),
            ..Device::default()
        };
        *d = kept;
        d.capacity.iter_mut().flatten().for_each(|(_, c)| c.request_policy = None);
    }
}

fn validate(spec: &ResourceSliceSpec, old: Option<&ResourceSliceSpec>) -> Vec<FieldError> {
    let (mut errors, path) = (Vec::new(), Path::new("spec"));
    validate_driver_name(&spec.driver, &path.child("driver"), &mut errors);
    let at = path.child("pool");
    devices::pool_name(&spec.pool.name, &at.child("name"), &mut errors);
    if spec.pool.resource_slice_count <= 0 {
        let count = spec.pool.resource_slice_count;
        errors.push(FieldError::invalid(&at.child("resourceSliceCount"), count, "must be greater than zero"));
    }
    if spec.pool.generation < 0 {
        let why = "must be greater than or equal to zero";
        errors.push(FieldError::invalid(&at.child("generation"), spec.pool.generation, why));
    }
    if let Some(old) = old {
        immutable(&at.child("name"), &spec.pool.name, &old.pool.name, &mut errors);
        immutable(&path.child("driver"), &spec.driver, &old.driver, &mut errors);
        immutable(&path.child("nodeName"), &spec.node_name, &old.node_name, &mut errors);
    }
    where_to(spec, &path, &mut errors);
    let at = path.child("devices");
    devices::list(spec.devices.as_ref(), DEVICES_MAX, &at, &mut errors, device);
    devices::unique(spec.devices.iter().flatten().map(|d| d.name.as_str()), &at, &mut errors);
    errors
}

/// Which nodes the devices are for: said in one way.
fn where_to(spec: &ResourceSliceSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let mut set = Vec::new();
    if let Some(name) = &spec.node_name {
        let at = path.child("nodeName");
        if name.is_empty() {
            let why = "must be either unset or set to a non-empty string";
            errors.push(FieldError::invalid(&at, "", why));
        } else {
            set.push("`nodeName`");
            errors.extend(each(&at, name, dns1123_subdomain(name)));
        }
    }
    if let Some(selector) = &spec.node_selector {
        let at = path.child("nodeSelector");
        set.push("`nodeSelector`");
        node_selector(selector, &at, errors);
        if selector.node_selector_terms.len() != 1 {
            let value = serde_json::to_value(&selector.node_selector_terms).unwrap_or_default();
            let why = "must have exactly one node selector term";
            errors.push(FieldError::invalid(&at.child("nodeSelectorTerms"), value, why));
        }
    }
    match spec.all_nodes {
        Some(true) => set.push("`allNodes`"),
        Some(false) => {
            errors.push(FieldError::invalid(&path.child("allNodes"), false, "must be either unset or set to true"));
        }
        None => {}
    }
    let one = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required";
    match set.len() {
        0 => errors.push(FieldError::required(path, one)),
        1 => {}
        _ => {
            let why = format!("{one}, but multiple fields are set");
            errors.push(FieldError::invalid(path, format!("{{{}}}", set.join(", ")), why));
        }
    }
}

/// Models `validateDevice`.
fn device(d: &Device, path: &Path, errors: &mut Vec<FieldError>) {
    devices::label(&d.name, &path.child("name"), errors);
    let count = d.attributes.as_ref().map_or(0, |a| a.len()) + d.capacity.as_ref().map_or(0, |c| c.len());
    if count > PROPERTIES_MAX {
        let why = format!("the total number of attributes and capacities must not exceed {PROPERTIES_MAX}");
        errors.push(FieldError::invalid(path, count, why));
    }
    let at = path.child("attributes");
    for (name, value) in d.attributes.iter().flatten() {
        devices::qualified_name(name, &at, errors);
        attribute(value, &at.key(name), errors);
    }
    let at = path.child("capacity");
    d.capacity.iter().flatten().for_each(|(name, _)| devices::qualified_name(name, &at, errors));
}

/// Models `validateDeviceAttribute`.
fn attribute(a: &DeviceAttribute, path: &Path, errors: &mut Vec<FieldError>) {
    if a.string.as_ref().is_some_and(|s| s.len() > VALUE_MAX) {
        errors.push(FieldError::too_long(&path.child("string"), VALUE_MAX));
    }
    if let Some(v) = &a.version {
        let at = path.child("version");
        if !is_semver(v) {
            let why = "must be a string compatible with semver.org spec 2.0.0";
            errors.push(FieldError::invalid(&at, v.as_str(), why));
        }
        if v.len() > VALUE_MAX {
            errors.push(FieldError::too_long(&at, VALUE_MAX));
        }
    }
    let set = [a.bool.is_some(), a.int.is_some(), a.string.is_some(), a.version.is_some()];
    match set.iter().filter(|s| **s).count() {
        1 => {}
        0 => errors.push(FieldError::invalid(path, "", "exactly one value must be specified")),
        _ => {
            let value = serde_json::to_value(a).unwrap_or(Value::Null);
            errors.push(FieldError::invalid(path, value, "exactly one value must be specified"));
        }
    }
}

/// Models `semverRe`.
fn is_semver(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(r, b)| (r, Some(b)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(c, p)| (c, Some(p)));
    let digits = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
    let number = |s: &str| digits(s) && (s == "0" || !s.starts_with('0'));
    let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|p| number(p))
        && pre.is_none_or(|p| p.split('.').all(|p| if digits(p) { number(p) } else { word(p) }))
        && build.is_none_or(|b| b.split('.').all(word))
}
