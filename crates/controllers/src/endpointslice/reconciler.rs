//! Spreads endpoints over slices with few writes. Models `k8s.io/endpointslice/reconciler.go`.

use super::endpoint::is_headless;
use super::{CONTROLLER, MANAGED_BY, SERVICE_NAME};
use crate::owner::controller_reference;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;
use meta::labels::Labels;
use reconcile::Intent;
use rustc_hash::FxHashMap;

const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// `--max-endpoints-per-slice`.
const MAX_ENDPOINTS: usize = 100;

/// An existing slice and what is to become of it.
struct Slot {
    slice: EndpointSlice,
    changed: bool,
}

#[derive(Default)]
pub(super) struct Plan {
    pub create: Vec<EndpointSlice>,
    pub update: Vec<EndpointSlice>,
    pub unchanged: Vec<EndpointSlice>,
    delete: Vec<EndpointSlice>,
}

/// What is to become of the slices. Hints are as they were; [`super::hints`] sees to them.
pub(super) fn plan(
    service: &Service,
    existing: Vec<&EndpointSlice>,
    desired: Vec<(Vec<EndpointPort>, Vec<Endpoint>)>,
) -> Plan {
    let mut plan = Plan::default();
    // Other address types belong to no family of this cluster's Services.
    let (mut existing, foreign): (Vec<_>, Vec<_>) = existing.into_iter().partition(|s| s.address_type == "IPv4");
    plan.delete.extend(foreign.into_iter().cloned());
    // A Service without endpoints has a slice without any, so that its consumers can tell it from an unknown one.
    let desired = if desired.is_empty() { vec![(Vec::new(), Vec::new())] } else { desired };
    for (ports, endpoints) in desired {
        let of_ports: Vec<&EndpointSlice>;
        (of_ports, existing) = existing.into_iter().partition(|s| same_ports(s.ports.as_deref(), &ports));
        let placeholder = endpoints.is_empty();
        let slots = of_ports.into_iter().map(|s| Slot { slice: s.clone(), changed: false }).collect();
        spread(service, slots, &ports, endpoints, placeholder, &mut plan);
    }
    plan.delete.extend(existing.into_iter().cloned());
    plan
}

fn same_ports(have: Option<&[EndpointPort]>, want: &[EndpointPort]) -> bool {
    let have = have.unwrap_or_default();
    have.len() == want.len() && want.iter().all(|p| have.contains(p))
}

/// What makes two endpoints the same one: the pod's UID.
fn identity(e: &Endpoint) -> &str {
    e.target_ref.as_ref().and_then(|r| r.uid.as_deref()).unwrap_or("")
}

/// Models `reconcileByPortMapping`: keep endpoints where they are, then fill slices that are written anyway,
/// then the fullest slice that has room for all the rest, then new slices.
fn spread(
    service: &Service,
    mut slots: Vec<Slot>,
    ports: &[EndpointPort],
    desired: Vec<Endpoint>,
    placeholder: bool,
    plan: &mut Plan,
) {
    let index: FxHashMap<String, usize> =
        desired.iter().enumerate().map(|(i, e)| (identity(e).to_string(), i)).collect();
    let mut desired: Vec<Option<Endpoint>> = desired.into_iter().map(Some).collect();
    for slot in &mut slots {
        let before = slot.slice.endpoints.len();
        let mut kept = Vec::with_capacity(before);
        for e in std::mem::take(&mut slot.slice.endpoints) {
            let Some(mut new) = index.get(identity(&e)).and_then(|i| desired[*i].take()) else { continue };
            new.hints.clone_from(&e.hints);
            slot.changed |= new != e;
            kept.push(new);
        }
        slot.changed |= kept.len() != before;
        slot.slice.endpoints = kept;
        let (labels, stale) = labels(service, &slot.slice);
        if stale {
            slot.slice.metadata.labels = Some(labels);
            slot.changed = true;
        }
        let owner = controller_reference(service);
        if slot.slice.metadata.owner_references.as_deref() != Some(std::slice::from_ref(&owner)) {
            slot.slice.metadata.owner_references = Some(vec![owner]);
            slot.changed = true;
        }
    }
    let mut rest = desired.into_iter().flatten();
    for slot in slots.iter_mut().filter(|s| s.changed) {
        let room = MAX_ENDPOINTS.saturating_sub(slot.slice.endpoints.len());
        slot.slice.endpoints.extend(rest.by_ref().take(room));
    }
    let mut rest: Vec<Endpoint> = rest.collect();
    if !rest.is_empty() {
        let fits = |s: &&mut Slot| !s.changed && s.slice.endpoints.len() + rest.len() <= MAX_ENDPOINTS;
        if let Some(slot) = slots.iter_mut().filter(fits).max_by_key(|s| s.slice.endpoints.len()) {
            slot.slice.endpoints.append(&mut rest);
            slot.changed = true;
        }
    }
    for chunk in rest.chunks(MAX_ENDPOINTS) {
        plan.create.push(new_slice(service, ports, chunk.to_vec()));
    }
    let created = !plan.create.is_empty();
    let mut keep_empty = placeholder && !created;
    for slot in slots {
        if slot.slice.endpoints.is_empty() && !std::mem::take(&mut keep_empty) {
            plan.delete.push(slot.slice);
            continue;
        }
        match slot.changed {
            true => plan.update.push(slot.slice),
            false => plan.unchanged.push(slot.slice),
        }
    }
    if keep_empty {
        plan.create.push(new_slice(service, ports, Vec::new()));
    }
}

/// A slice to delete and one to create make one update: a name and a watch event less.
pub(super) fn finalize(mut plan: Plan, trigger_time: Option<Time>) -> Vec<Intent> {
    while let (Some(i), true) = (plan.delete.iter().position(|d| d.address_type == "IPv4"), !plan.create.is_empty()) {
        let mut reused = plan.delete.remove(i);
        let new = plan.create.remove(0);
        reused.endpoints = new.endpoints;
        reused.ports = new.ports;
        reused.metadata.labels = new.metadata.labels;
        reused.metadata.owner_references = new.metadata.owner_references;
        plan.update.push(reused);
    }
    let stamp = |mut s: EndpointSlice| {
        let annotations = s.metadata.annotations.get_or_insert_default();
        match trigger_time {
            Some(t) => annotations.insert(TRIGGER_TIME.into(), t.rfc3339()),
            None => annotations.remove(TRIGGER_TIME),
        };
        s.metadata.annotations = s.metadata.annotations.take().filter(|a| !a.is_empty());
        s
    };
    let mut out: Vec<Intent> = Vec::new();
    out.extend(plan.create.into_iter().map(|s| Intent::create(stamp(s))));
    out.extend(plan.update.into_iter().map(|s| Intent::update(stamp(s))));
    out.extend(plan.delete.iter().map(|s| Intent::delete(s)));
    out
}

fn new_slice(service: &Service, ports: &[EndpointPort], endpoints: Vec<Endpoint>) -> EndpointSlice {
    let name = service.metadata.name.as_deref().unwrap_or("");
    let slice = EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{name}-")),
            namespace: service.metadata.namespace.clone(),
            owner_references: Some(vec![controller_reference(service)]),
            ..Default::default()
        },
        address_type: "IPv4".into(),
        endpoints,
        ports: (!ports.is_empty()).then(|| ports.to_vec()),
    };
    let (labels, _) = labels(service, &slice);
    EndpointSlice { metadata: ObjectMeta { labels: Some(labels), ..slice.metadata }, ..slice }
}

/// The Service's labels and the reserved ones; and whether the slice has others. Models `setEndpointSliceLabels`.
fn labels(service: &Service, slice: &EndpointSlice) -> (Labels, bool) {
    let mut l: Labels = service.metadata.labels.clone().unwrap_or_default();
    l.remove(HEADLESS);
    l.insert(SERVICE_NAME.into(), service.metadata.name.clone().unwrap_or_default());
    l.insert(MANAGED_BY.into(), CONTROLLER.into());
    if is_headless(service) {
        l.insert(HEADLESS.into(), String::new());
    }
    let stale = slice.metadata.labels.as_ref() != Some(&l);
    (l, stale)
}
