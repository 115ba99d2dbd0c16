//! DynamicResources: can the pod's claims be had on the node? Models `plugins/dynamicresources`; which devices fit is
//! worked out in `devices/`.
//!
//! It is part of the default profile, so its PostFilter speaks in every message about a pod that fits nowhere, also
//! about pods without claims.

use super::node_selector::Terms;
use crate::devices::allocator::{Trouble, allocate, offers};
use crate::devices::{DeviceId, Devices, is_open};
use crate::framework::event::Was;
use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, NodeStatuses, Plugin, PodInfo, PostFilter,
    PostFilterResult, PreEnqueue, PreFilter, PreFilterResult, PreScore, PreScoreResult, Run, Score, Status,
    default_normalize,
};
use k8s_openapi::api::resource::v1::{AllocationResult, DeviceRequest, ResourceClaim};
use meta::{Key, Path, Rng};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "DynamicResources";

pub struct DynamicResources;

/// Written by PreFilter even for pods without claims; PostFilter fails when it is missing.
#[derive(Clone, Default)]
struct Prepared {
    claims: Vec<Claim>,
    /// The devices that are taken, when some of the claims are open.
    taken: Arc<BTreeSet<DeviceId>>,
}

#[derive(Clone)]
struct Claim {
    claim: Arc<ResourceClaim>,
    /// Where an allocated claim can be used, when that is not everywhere.
    nodes: Option<Terms>,
}

impl Prepared {
    fn open(&self) -> Vec<Arc<ResourceClaim>> {
        self.claims.iter().filter(|c| is_open(&c.claim)).map(|c| c.claim.clone()).collect()
    }
    fn unavailable<'a>(&'a self, node: &'a NodeInfo) -> impl Iterator<Item = &'a Claim> {
        self.claims.iter().filter(|c| c.nodes.as_ref().is_some_and(|n| !n.matches(&node.node)))
    }
}

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_enqueue(&self) -> Option<&dyn PreEnqueue> {
        Some(self)
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn as_post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }
    fn as_pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn filter_inputs(&self, h: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        let Some(prepared) = state.get::<Prepared>() else { return inputs };
        for c in prepared.claims.iter().filter(|c| !is_open(&c.claim)) {
            let (claim, devices) = (c.claim.metadata.name.clone().unwrap_or_default(), allocated_to(&c.claim));
            inputs.notes.push(match c.nodes.as_ref().is_none_or(|n| n.matches(&node.node)) {
                true => note!("cell.devices-here", claim = claim, devices = devices),
                false => note!("cell.devices-elsewhere", claim = claim, devices = devices),
            });
        }
        match offers(&h.objects.devices, &prepared.taken, &node.node, &prepared.open()) {
            Ok(all) => inputs.notes.extend(all.into_iter().map(|o| {
                let short = o.free < o.wanted || o.wanted == 0;
                let (wanted, selected, free) = (o.wanted, o.selected, o.free);
                let (claim, request, class) = (o.claim, o.request, o.class);
                match short {
                    true => note!(
                        "cell.devices-short",
                        claim = claim,
                        request = request,
                        class = class,
                        wanted = wanted,
                        selected = selected,
                        free = free
                    ),
                    false => note!(
                        "cell.devices",
                        claim = claim,
                        request = request,
                        class = class,
                        wanted = wanted,
                        selected = selected,
                        free = free
                    ),
                }
            })),
            Err(why) => inputs.notes.push(note!("cell.devices-broken", why = why)),
        }
        for c in prepared.claims.iter().filter(|c| is_open(&c.claim)) {
            for constraint in c.claim.spec.devices.iter().flat_map(|d| d.constraints.iter().flatten()) {
                let claim = c.claim.metadata.name.clone().unwrap_or_default();
                if let Some(attribute) = &constraint.match_attribute {
                    inputs.notes.push(note!("cell.devices-alike", claim = claim, attribute = attribute));
                }
            }
        }
        inputs
    }
    fn hint(&self, pod: &PodInfo, event: &ClusterEvent) -> Hint {
        match event {
            ClusterEvent::DeviceClaim(was, devices) => claim_helps(devices, pod, was),
            ClusterEvent::DeviceClass(w) => Hint::queue_if(w.new.is_some()),
            ClusterEvent::DeviceSlice(w) => Hint::queue_if(w.new.is_some()),
            ClusterEvent::TargetPodUpdate { old, new } => {
                let generated = |p: &PodInfo| p.pod.status.as_ref().and_then(|s| s.resource_claim_statuses.clone());
                Hint::queue_if(generated(old) != generated(new))
            }
            ClusterEvent::NodeAdd(_) => Hint::Queue,
            ClusterEvent::NodeUpdate { old, new } => Hint::queue_if(
                old.metadata.labels != new.metadata.labels
                    || old.spec.as_ref().map(|s| &s.taints) != new.spec.as_ref().map(|s| &s.taints),
            ),
            _ => Hint::Skip,
        }
    }
}

/// Models `isSchedulableAfterClaimChange`.
fn claim_helps(devices: &Devices, pod: &PodInfo, was: &Was<ResourceClaim>) -> Hint {
    let (Some(new), Ok(claims)) = (was.new, devices.of_pod(&pod.pod)) else { return Hint::Skip };
    // Its devices are free for everybody.
    if was.old.is_some_and(|old| !is_open(old)) && is_open(new) {
        return Hint::Queue;
    }
    let uses = claims.iter().any(|c| c.metadata.uid == new.metadata.uid);
    Hint::queue_if(uses && was.old.is_none_or(|old| old.status != new.status))
}

impl PreEnqueue for DynamicResources {
    fn pre_enqueue(&self, devices: &Devices, pod: &PodInfo) -> Answer {
        devices.of_pod(&pod.pod).map(|_| ()).map_err(Status::unresolvable)
    }
}

/// Whether the classes that a request names are there. Models `validateDeviceClass`.
fn known_classes(devices: &Devices, claim: &ResourceClaim, request: &DeviceRequest) -> Answer {
    let known = |class: &str, name: &str| {
        if class.is_empty() {
            return Err(Status::error(format!("request {name}: unsupported request type")));
        }
        let missing = || Status::unresolvable(format!("request {name}: device class {class} does not exist"));
        devices.class(class).map(|_| ()).ok_or_else(missing)
    };
    if let Some(exactly) = &request.exactly {
        return known(&exactly.device_class_name, &request.name);
    }
    let subs = request.first_available.as_deref().unwrap_or_default();
    if subs.is_empty() {
        let (m, name) = (&claim.metadata, &request.name);
        let claim = format!("{}/{}", m.namespace.as_deref().unwrap_or(""), m.name.as_deref().unwrap_or(""));
        return Err(Status::unresolvable(format!("resource claim {claim}, request {name}: unknown request type")));
    }
    subs.iter().try_for_each(|sub| known(&sub.device_class_name, &format!("{}/{}", request.name, sub.name)))
}

/// The devices that the claim has: `driver/pool/device`.
fn allocated_to(claim: &ResourceClaim) -> String {
    let allocation = claim.status.as_ref().and_then(|s| s.allocation.as_ref());
    let results = allocation.and_then(|a| a.devices.as_ref()).and_then(|d| d.results.as_deref()).unwrap_or_default();
    let names: Vec<String> = results.iter().map(|r| format!("{}/{}/{}", r.driver, r.pool, r.device)).collect();
    names.join(", ")
}

fn prepare(devices: &Devices, claim: Arc<ResourceClaim>) -> Result<Claim, Status> {
    let allocation = claim.status.as_ref().and_then(|s| s.allocation.as_ref());
    if let Some(allocation) = allocation {
        let parsed = allocation.node_selector.as_ref().map(|s| Terms::parse(s, &Path::default()));
        return match parsed {
            Some((_, errors)) if !errors.is_empty() => {
                Err(Status::error(meta::field::aggregate(errors.iter().map(ToString::to_string))))
            }
            parsed => Ok(Claim { claim: claim.clone(), nodes: parsed.map(|(terms, _)| terms) }),
        };
    }
    if devices.is_in_flight(&claim) {
        let (m, none) = (&claim.metadata, String::new());
        let shown = format!("{}/{}", m.namespace.as_ref().unwrap_or(&none), m.name.as_ref().unwrap_or(&none));
        return Err(Status::unresolvable(format!("resource claim {shown} is in the process of being allocated")));
    }
    for request in claim.spec.devices.iter().flat_map(|d| d.requests.iter().flatten()) {
        known_classes(devices, &claim, request)?;
    }
    Ok(Claim { claim, nodes: None })
}

impl PreFilter for DynamicResources {
    fn pre_filter(&self, h: &Handle, state: &mut CycleState, pod: &PodInfo) -> PreFilterResult {
        state.write(Prepared::default());
        let claims = match h.objects.devices.of_pod(&pod.pod) {
            Err(why) => return PreFilterResult::Refuse(Status::unresolvable(why)),
            Ok(claims) if claims.is_empty() => return PreFilterResult::Skip,
            Ok(claims) => claims,
        };
        match claims.into_iter().map(|c| prepare(&h.objects.devices, c)).collect() {
            Err(status) => PreFilterResult::Refuse(status),
            Ok(claims) => {
                let mut prepared = Prepared { claims, ..Prepared::default() };
                if prepared.claims.iter().any(|c| is_open(&c.claim)) {
                    prepared.taken = Arc::new(h.objects.devices.allocated());
                }
                state.write(prepared);
                PreFilterResult::Pass
            }
        }
    }
}

impl Filter for DynamicResources {
    fn filter(&self, h: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> Answer {
        let Some(prepared) = state.get::<Prepared>() else { return Err(Status::error("not found")) };
        let open = prepared.open();
        if !open.is_empty() {
            match allocate(&h.objects.devices, &prepared.taken, &node.node, &open) {
                Ok(Some(_)) => {}
                Ok(None) => return Err(Status::unresolvable("cannot allocate all claims")),
                Err(Trouble::Node(why)) => return Err(Status::unresolvable(why)),
                Err(Trouble::Broken(why)) => return Err(Status::error(why)),
            }
        }
        if prepared.unavailable(node).next().is_some() {
            return Err(Status::unresolvable("resourceclaim not available on the node"));
        }
        Ok(())
    }
}

impl PostFilter for DynamicResources {
    fn post_filter(&self, run: &Run, statuses: &NodeStatuses, _: &mut Rng) -> PostFilterResult {
        // When an earlier PreFilter plugin ended the cycle, upstream's state is "not found", and the message says so.
        let Some(prepared) = run.state.get::<Prepared>() else {
            return PostFilterResult::refuse(Status::error("not found"));
        };
        if prepared.claims.is_empty() {
            return PostFilterResult::refuse(Status::unschedulable("no new claims to deallocate"));
        }
        // A claim that nobody else uses could be allocated elsewhere.
        let free = |c: &Claim| {
            let reserved = c.claim.status.as_ref().and_then(|s| s.reserved_for.as_deref()).unwrap_or_default();
            reserved.len() <= 1 && reserved.iter().all(|r| r.uid == run.pod.uid())
        };
        let refused = statuses.explicit.iter().filter(|(_, s)| s.plugin == NAME);
        let mut nodes = refused.map(|(n, _)| &run.h.snapshot.nodes[*n]);
        let found = nodes.find_map(|n| prepared.unavailable(n).find(|c| free(c)).map(|c| c.claim.clone()));
        let why = if found.is_some() { "deallocation of ResourceClaim completed" } else { "still not schedulable" };
        let mut refusal = PostFilterResult::refuse(Status::unschedulable(why));
        refusal.deallocate = found.map(|claim| {
            let m = &claim.metadata;
            Key::new(m.namespace.as_deref().unwrap_or("default"), m.name.as_deref().unwrap_or_default())
        });
        refusal
    }
}

impl PreScore for DynamicResources {
    fn pre_score(&self, _: &Handle, state: &mut CycleState, _: &PodInfo, _: &[usize]) -> PreScoreResult {
        // Upstream scores such pods 0 everywhere, which comes to the same.
        match state.get::<Prepared>().is_some_and(|p| !p.claims.is_empty()) {
            true => PreScoreResult::Pass,
            false => PreScoreResult::Skip,
        }
    }
}

/// The earlier an alternative stands in its list, the better. Models `computeScore`.
fn score(claims: &[Arc<ResourceClaim>], allocations: &[AllocationResult]) -> i64 {
    let mut score = 0;
    for (claim, allocation) in claims.iter().zip(allocations) {
        let results = allocation.devices.iter().flat_map(|d| d.results.iter().flatten());
        let names: Vec<&str> = results.map(|r| r.request.as_str()).collect();
        for request in claim.spec.devices.iter().flat_map(|d| d.requests.iter().flatten()) {
            let subs = request.first_available.iter().flatten().enumerate();
            let chosen = subs.filter(|(_, s)| names.contains(&format!("{}/{}", request.name, s.name).as_str()));
            // FirstAvailableDeviceRequestMaxSize is 8.
            score += chosen.map(|(i, _)| 8 - i as i64).sum::<i64>();
        }
    }
    score
}

impl Score for DynamicResources {
    fn score(&self, h: &Handle, state: &CycleState, _: &PodInfo, node: &NodeInfo) -> i64 {
        let Some(prepared) = state.get::<Prepared>() else { return 0 };
        let open = prepared.open();
        match allocate(&h.objects.devices, &prepared.taken, &node.node, &open) {
            Ok(Some(allocations)) => score(&open, &allocations),
            _ => 0,
        }
    }
    fn normalize(&self, _: &Handle, _: &CycleState, _: &PodInfo, scores: &mut [i64]) {
        default_normalize(100, false, scores);
    }
}
