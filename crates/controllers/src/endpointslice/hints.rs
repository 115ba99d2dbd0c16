//! Which zones and nodes an endpoint is meant for: what `spec.trafficDistribution` and the topology annotation ask for.
//! Models `k8s.io/endpointslice/trafficdist` and `topologycache`.

use super::reconciler::Plan;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointHints, EndpointSlice, ForNode, ForZone};
use meta::Quantity;
use reconcile::{EventType, View};
use std::collections::BTreeMap;

const MODE: &str = "service.kubernetes.io/topology-mode";
/// What it was called before; it goes first.
const OLD_MODE: &str = "service.kubernetes.io/topology-aware-hints";
const ZONE: &str = "topology.kubernetes.io/zone";
const CONTROL_PLANE: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
/// So much more than its share an endpoint may be given (`overloadThreshold`).
const OVERLOAD: f64 = 0.2;

/// How many endpoints' hints name a zone.
type Counts = BTreeMap<String, usize>;
/// Each zone's part of the processors.
pub(super) type Ratios = BTreeMap<String, f64>;

/// An event about the Service.
pub(super) type Said = (EventType, &'static str, String);

fn said(event_type: EventType, reason: &'static str, what: &str) -> Said {
    (event_type, reason, format!("{what}, addressType: IPv4"))
}

fn disabled(why: &str) -> Said {
    said(EventType::Warning, "TopologyAwareHintsDisabled", why)
}

/// Models `hintsEnabled`.
pub(super) fn is_auto(service: &Service) -> bool {
    let annotations = service.metadata.annotations.as_ref();
    let value = annotations.and_then(|a| a.get(OLD_MODE).or_else(|| a.get(MODE)));
    value.is_some_and(|v| v == "Auto" || v == "auto")
}

/// Whether the Service's traffic stays close, and whether that means the node.
fn close(service: &Service) -> Option<bool> {
    match service.spec.as_ref()?.traffic_distribution.as_deref()? {
        "PreferClose" | "PreferSameZone" => Some(false),
        "PreferSameNode" => Some(true),
        _ => None,
    }
}

/// Puts hints on the endpoints, or takes them off. `before`: whether the annotation's hints were there after the last time;
/// the answer says whether they are now.
pub(super) fn settle(view: &View, service: &Service, plan: &mut Plan, before: bool) -> (bool, Option<Said>) {
    for slice in plan.create.iter_mut().chain(&mut plan.update) {
        slice.endpoints.iter_mut().for_each(|e| e.hints = None);
    }
    if is_auto(service) {
        return match share(view, plan) {
            Ok(()) => {
                let news =
                    said(EventType::Normal, "TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled");
                (true, (!before).then_some(news))
            }
            Err(why) => {
                remove(plan);
                (false, Some(disabled(&why)))
            }
        };
    }
    match close(service) {
        Some(nodes) => prefer(plan, nodes),
        None => remove(plan),
    }
    (false, before.then(|| disabled("Topology Aware Hints has been disabled")))
}

fn is_ready(e: &Endpoint) -> bool {
    e.conditions.as_ref().and_then(|c| c.ready) == Some(true)
}

fn for_zone(name: &str) -> EndpointHints {
    EndpointHints { for_zones: Some(vec![ForZone { name: name.into() }]), for_nodes: None }
}

/// Slices that would have been left alone and that `stale` says something about are written, too.
fn rewrite(plan: &mut Plan, mut stale: impl FnMut(&EndpointSlice) -> bool) {
    let (stale, fine) = std::mem::take(&mut plan.unchanged).into_iter().partition(|s| stale(s));
    plan.unchanged = fine;
    plan.update.extend::<Vec<EndpointSlice>>(stale);
}

/// Models `RemoveHintsFromSlices`.
fn remove(plan: &mut Plan) {
    rewrite(plan, |s| s.endpoints.iter().any(|e| e.hints.is_some()));
    for slice in plan.create.iter_mut().chain(&mut plan.update) {
        slice.endpoints.iter_mut().for_each(|e| e.hints = None);
    }
}

/// Every endpoint is meant for its own zone, and for its own node where that is asked for. Models `preferCloseHeuristic`.
fn prefer(plan: &mut Plan, nodes: bool) {
    let wanted = |e: &Endpoint| {
        let for_zones = e.zone.as_ref().map(|z| vec![ForZone { name: z.clone() }]);
        let for_nodes = e.node_name.as_ref().filter(|_| nodes).map(|n| vec![ForNode { name: n.clone() }]);
        (for_zones.is_some() || for_nodes.is_some()).then_some(EndpointHints { for_zones, for_nodes })
    };
    rewrite(plan, |s| s.endpoints.iter().any(|e| is_ready(e) && e.hints != wanted(e)));
    for e in plan.create.iter_mut().chain(&mut plan.update).flat_map(|s| &mut s.endpoints).filter(|e| is_ready(e)) {
        e.hints = wanted(e);
    }
}

/// The zone of a node that counts, and its processors in thousandths; no zone: it has none, or no processors are known.
/// Models `SetNodes`.
pub(super) fn capacity(node: &Node) -> Option<(Option<&str>, i64)> {
    let labels = node.metadata.labels.as_ref();
    let label = |key: &str| labels.and_then(|l| l.get(key));
    let mut conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
    let ready = conditions.find(|c| c.type_ == "Ready").is_some_and(|c| c.status == "True");
    if !ready || CONTROL_PLANE.iter().any(|l| label(l).is_some()) {
        return None;
    }
    let cpu = node.status.as_ref().and_then(|s| s.allocatable.as_ref()?.get("cpu")).map(Quantity::of);
    let milli = cpu.unwrap_or_default().milli_value();
    Some((label(ZONE).map(String::as_str).filter(|z| !z.is_empty() && milli > 0), milli))
}

/// `None`: a node's zone or processors are not known, or there is one zone only.
pub(super) fn ratios(view: &View) -> Option<Ratios> {
    let mut by_zone: BTreeMap<&str, i64> = BTreeMap::new();
    for (zone, milli) in view.list::<Node>().filter_map(capacity) {
        *by_zone.entry(zone?).or_default() += milli;
    }
    let total: i64 = by_zone.values().sum();
    (by_zone.len() > 1).then(|| by_zone.into_iter().map(|(z, cpu)| (z.into(), cpu as f64 / total as f64)).collect())
}

fn least(desired: f64) -> usize {
    (desired * (1.0 / (1.0 + OVERLOAD))).ceil() as usize
}

/// How many endpoints a zone is to have.
struct Allocation {
    minimum: usize,
    maximum: usize,
    desired: f64,
}

/// Models `getAllocations`.
fn allocations(view: &View, endpoints: usize) -> Result<BTreeMap<String, Allocation>, String> {
    let Some(ratios) = ratios(view) else {
        return Err("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes".into());
    };
    let count = format!("({endpoints} endpoints, {} zones)", ratios.len());
    if ratios.len() > endpoints {
        return Err(format!("Insufficient number of endpoints {count}"));
    }
    let mut all: BTreeMap<String, Allocation> = BTreeMap::new();
    for (zone, ratio) in &ratios {
        let desired = ratio * endpoints as f64;
        let minimum = least(desired);
        all.insert(zone.clone(), Allocation { minimum, maximum: 0, desired: desired.max(minimum as f64) });
    }
    let minimum: usize = all.values().map(|a| a.minimum).sum();
    let Some(spare) = endpoints.checked_sub(minimum) else {
        return Err(format!(
            "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold {count}"
        ));
    };
    all.values_mut().for_each(|a| a.maximum = a.minimum + spare);
    Ok(all)
}

/// Every zone gets endpoints by its part of the processors. Models `AddHints`.
///
/// # Errors
/// Why it cannot.
fn share(view: &View, plan: &mut Plan) -> Result<(), String> {
    let slices = plan.create.iter().chain(&plan.update).chain(&plan.unchanged);
    let ready = slices.flat_map(|s| &s.endpoints).filter(|e| is_ready(e)).count();
    let allocations = allocations(view, ready)?;
    let mut have = Counts::new();
    rewrite(plan, |s| match hints_of(s, &have, &allocations) {
        Some(counts) => {
            counts.into_iter().for_each(|(zone, n)| *have.entry(zone).or_default() += n);
            false
        }
        None => true,
    });
    for e in plan.create.iter_mut().chain(&mut plan.update).flat_map(|s| &mut s.endpoints).filter(|e| is_ready(e)) {
        let Some(zone) = e.zone.clone().filter(|z| !z.is_empty()) else {
            return Err("One or more endpoints do not have a zone specified".into());
        };
        e.hints = Some(for_zone(&zone));
        *have.entry(zone).or_default() += 1;
    }
    let (mut giving, mut receiving) = exchanges(&allocations, &have);
    for e in plan.create.iter_mut().chain(&mut plan.update).flat_map(|s| &mut s.endpoints).filter(|e| is_ready(e)) {
        let Some(zone) = e.zone.as_ref() else { continue };
        let Some(left) = giving.get_mut(zone).filter(|n| **n > 0) else { continue };
        let Some((other, wants)) = receiving.iter_mut().find(|(_, n)| **n > 0) else { break };
        e.hints = Some(for_zone(other));
        (*left, *wants) = (*left - 1, *wants - 1);
    }
    if have.is_empty() { Err("No hints allocated for zones".into()) } else { Ok(()) }
}

/// The hints of a slice that can stay as it is. Models `getHintsByZone`.
fn hints_of(slice: &EndpointSlice, have: &Counts, allocations: &BTreeMap<String, Allocation>) -> Option<Counts> {
    let mut counts = Counts::new();
    for e in slice.endpoints.iter().filter(|e| is_ready(e)) {
        let zones = e.hints.as_ref()?.for_zones.as_ref().filter(|z| !z.is_empty())?;
        for zone in zones {
            allocations.get(&zone.name)?;
            *counts.entry(zone.name.clone()).or_default() += 1;
        }
    }
    let fits = |(zone, n): (&String, &usize)| {
        allocations.get(zone).is_some_and(|a| n + have.get(zone).copied().unwrap_or(0) <= a.maximum)
    };
    counts.iter().all(fits).then_some(counts)
}

/// How many endpoints each zone gives away, and how many each gets. Models `getGivingAndReceivingZones`.
fn exchanges(allocations: &BTreeMap<String, Allocation>, have: &Counts) -> (Counts, Counts) {
    let (mut surplus, mut need) = (Ratios::new(), Ratios::new());
    for (zone, a) in allocations {
        let n = have.get(zone).copied().unwrap_or(0) as f64;
        if n > a.desired {
            surplus.insert(zone.clone(), n - a.desired);
        } else if n < a.desired {
            need.insert(zone.clone(), a.desired - n);
        }
    }
    let most = |m: &Ratios| {
        let positive = m.iter().filter(|(_, n)| **n > 0.0);
        positive.fold(None, |best: Option<(String, f64)>, (z, n)| match best {
            Some((_, b)) if b >= *n => best,
            _ => Some((z.clone(), *n)),
        })
    };
    let (mut giving, mut receiving) = (Counts::new(), Counts::new());
    while let (Some((from, give)), Some((to, get))) = (most(&surplus), most(&need)) {
        if (give < 1.0 && get < 1.0) || give < 0.5 || get < 0.5 {
            break;
        }
        *giving.entry(from.clone()).or_default() += 1;
        *receiving.entry(to.clone()).or_default() += 1;
        surplus.entry(from).and_modify(|n| *n -= 1.0);
        need.entry(to).and_modify(|n| *n -= 1.0);
    }
    (giving, receiving)
}

/// Whether a zone has too few of the endpoints that hints name, now that the nodes are other ones. Models
/// `serviceOverloaded`.
pub(super) fn is_overloaded<'a>(ratios: Option<&Ratios>, slices: impl Iterator<Item = &'a EndpointSlice>) -> bool {
    let mut have: BTreeMap<&str, usize> = BTreeMap::new();
    let hints = slices.flat_map(|s| &s.endpoints).filter_map(|e| e.hints.as_ref());
    for zone in hints.flat_map(|h| h.for_zones.iter().flatten()) {
        *have.entry(&zone.name).or_default() += 1;
    }
    let total = have.values().sum::<usize>() as f64;
    let Some(ratios) = ratios else { return !have.is_empty() };
    !have.is_empty() && ratios.iter().any(|(zone, r)| have.get(zone.as_str()).is_none_or(|n| *n < least(total * r)))
}
