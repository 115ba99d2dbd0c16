//! ResourceClaim: devices that pods ask for, and which they got. Models `pkg/registry/resource/resourceclaim` and
//! `ValidateResourceClaim`.

use super::pod::affinity::node_selector;
use super::storage::validate_driver_name;
use super::{devices, register};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::{IMMUTABLE, immutable, json_text};
use k8s_openapi::api::resource::v1::{
    AllocatedDeviceStatus, AllocationResult, DeviceAllocationResult, ResourceClaim, ResourceClaimStatus,
};
use meta::{FieldError, Path, Time};
use std::collections::BTreeSet;

pub struct Reg;
register!(Reg, ResourceClaim);

/// Of a claim whose devices are allocated; it goes when they are given back.
pub const FINALIZER: &str = "resource.kubernetes.io/delete-protection";
/// ResourceClaimReservedForMaxSize.
const CONSUMERS_MAX: usize = 256;

impl Registration for Reg {
    type Type = ResourceClaim;
    const PLURAL: &'static str = "resourceclaims";
    const SINGULAR: &'static str = "resourceclaim";
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("State", "string", 0)
            .describe("A summary of the current state (allocated, pending, reserved, etc.)."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata:
  name: shared-gpu
spec:
  devices:
    requests:
    - name: gpu
      exactly:
        deviceClassName: gpu.example.com
";

    fn default(o: &mut ResourceClaim) {
        devices::default(&mut o.spec);
    }
    fn prepare_create(o: &mut ResourceClaim) {
        o.status = None;
        devices::drop_disabled(&mut o.spec);
    }
    fn prepare_update(new: &mut ResourceClaim, old: &ResourceClaim) {
        new.status.clone_from(&old.status);
        devices::drop_disabled(&mut new.spec);
    }
    fn prepare_status(new: &mut ResourceClaim, old: &ResourceClaim) {
        new.spec.clone_from(&old.spec);
        // What a device says of itself goes with the allocation.
        if let Some(status) = &mut new.status {
            drop_deallocated(status);
        }
    }

    fn validate_create(o: &ResourceClaim) -> Vec<FieldError> {
        devices::validate(&o.spec, &Path::new("spec"))
    }
    fn validate_update(new: &ResourceClaim, old: &ResourceClaim) -> Vec<FieldError> {
        if new.spec == old.spec {
            return Vec::new();
        }
        let mut error = FieldError::invalid(&Path::new("spec"), "", IMMUTABLE);
        error.value = json_text(&devices::written(&new.spec));
        vec![error]
    }
    fn validate_status(new: &ResourceClaim, old: &ResourceClaim) -> Vec<FieldError> {
        let none = ResourceClaimStatus::default();
        let (status, before) = (new.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
        validate_status(new, status, before)
    }

    fn cells(o: &ResourceClaim, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), state(o).into(), table::age(&o.metadata, now)]
    }
}

/// Models `resourceClaimState`.
fn state(o: &ResourceClaim) -> String {
    let status = o.status.as_ref();
    let deleted = o.metadata.deletion_timestamp.is_some();
    let allocated = status.is_some_and(|s| s.allocation.is_some());
    let reserved = allocated && status.is_some_and(|s| s.reserved_for.as_ref().is_some_and(|r| !r.is_empty()));
    let states =
        [(deleted, "deleted"), (!allocated && !deleted, "pending"), (allocated, "allocated"), (reserved, "reserved")];
    states.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

type Device<'a> = (&'a str, &'a str, &'a str, &'a str);

fn allocated(status: &ResourceClaimStatus) -> BTreeSet<Device<'_>> {
    let results = status.allocation.iter().filter_map(|a| a.devices.as_ref()).flat_map(|d| d.results.iter().flatten());
    results
        .map(|r| (r.driver.as_str(), r.pool.as_str(), r.device.as_str(), r.share_id.as_deref().unwrap_or("")))
        .collect()
}

fn device(d: &AllocatedDeviceStatus) -> Device<'_> {
    (&d.driver, &d.pool, &d.device, d.share_id.as_deref().unwrap_or(""))
}

/// Models `dropDeallocatedStatusDevices`.
fn drop_deallocated(status: &mut ResourceClaimStatus) {
    let Some(mut all) = status.devices.take() else { return };
    let known = allocated(status);
    all.retain(|d| known.contains(&device(d)));
    status.devices = (!all.is_empty()).then_some(all);
}

/// Models `validateResourceClaimStatusUpdate`.
fn validate_status(claim: &ResourceClaim, status: &ResourceClaimStatus, old: &ResourceClaimStatus) -> Vec<FieldError> {
    let (mut errors, path) = (Vec::new(), Path::new("status"));
    let at = path.child("reservedFor");
    let reserved = status.reserved_for.as_deref().unwrap_or_default();
    devices::list(status.reserved_for.as_ref(), CONSUMERS_MAX, &at, &mut errors, |r, at, errors| {
        for (field, value) in [("resource", &r.resource), ("name", &r.name), ("uid", &r.uid)] {
            if value.is_empty() {
                errors.push(FieldError::required(&at.child(field), ""));
            }
        }
    });
    devices::unique(reserved.iter().map(|r| r.uid.as_str()), &at, &mut errors);
    devices_of(status, &path.child("devices"), &mut errors);
    if !reserved.is_empty() {
        let before = old.reserved_for.as_deref().unwrap_or_default();
        let added = reserved.iter().any(|r| !before.contains(r));
        if status.allocation.is_none() {
            errors.push(FieldError::forbidden(&at, "may not be specified when `allocated` is not set"));
        } else if claim.metadata.deletion_timestamp.is_some() && added {
            let why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
            errors.push(FieldError::forbidden(&at, why));
        }
    }
    let at = path.child("allocation");
    match (&status.allocation, &old.allocation) {
        (Some(new), Some(old)) => immutable(&at, new, old, &mut errors),
        (Some(new), None) => validate_allocation(claim, new, &at, &mut errors),
        _ => {}
    }
    errors
}

/// Models `validateDeviceStatus`.
fn devices_of(status: &ResourceClaimStatus, path: &Path, errors: &mut Vec<FieldError>) {
    let known = allocated(status);
    let mut seen = BTreeSet::new();
    for (i, d) in status.devices.iter().flatten().enumerate() {
        let at = path.index(i);
        validate_driver_name(&d.driver, &at.child("driver"), errors);
        devices::pool_name(&d.pool, &at.child("pool"), errors);
        devices::label(&d.device, &at.child("device"), errors);
        let id = format!("{}/{}/{}", d.driver, d.pool, d.device);
        if !known.contains(&device(d)) {
            errors.push(FieldError::invalid(&at, id.as_str(), "must be an allocated device in the claim"));
        }
        if !seen.insert(device(d)) {
            errors.push(FieldError::duplicate(&at, id));
        }
    }
}

/// Models `validateAllocationResult`.
fn validate_allocation(claim: &ResourceClaim, a: &AllocationResult, path: &Path, errors: &mut Vec<FieldError>) {
    let (known, none) = (devices::request_names(&claim.spec), DeviceAllocationResult::default());
    let (at, of) = (path.child("devices"), a.devices.as_ref().unwrap_or(&none));
    devices::list(of.results.as_ref(), devices::LIST_MAX, &at.child("results"), errors, |r, at, errors| {
        devices::request_reference(&r.request, &known, &at.child("request"), errors);
        validate_driver_name(&r.driver, &at.child("driver"), errors);
        devices::pool_name(&r.pool, &at.child("pool"), errors);
        devices::label(&r.device, &at.child("device"), errors);
    });
    devices::list(of.config.as_ref(), 2 * devices::LIST_MAX, &at.child("config"), errors, |c, at, errors| {
        let source = at.child("source");
        match c.source.as_str() {
            "" => errors.push(FieldError::required(&source, "")),
            "FromClass" | "FromClaim" => {}
            other => errors.push(FieldError::not_supported(&source, other, &["FromClaim", "FromClass"])),
        }
        for (i, r) in c.requests.iter().flatten().enumerate() {
            devices::request_reference(r, &known, &at.child("requests").index(i), errors);
        }
        devices::configuration(c.opaque.as_ref(), at, errors);
    });
    if let Some(selector) = &a.node_selector {
        node_selector(selector, &path.child("nodeSelector"), errors);
    }
}
