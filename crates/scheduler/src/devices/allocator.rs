//! Which devices a pod's claims could have on a node: every way is tried until one works. Models
//! `structured/internal/incubating/allocator_incubating.go`.

use super::constraint::Constraint;
use super::pools::{self, Pool};
use super::request::{self, Request, shown};
use super::{DeviceId, Devices};
use k8s_openapi::api::core::v1::{Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::api::resource::v1::{
    AllocationResult, Device, DeviceAllocationConfiguration, DeviceAllocationResult, DeviceRequestAllocationResult,
    ResourceClaim, ResourceSlice,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// AllocationResultsMaxSize.
const MOST_DEVICES: usize = 32;

#[derive(Clone)]
struct Found<'a> {
    id: DeviceId,
    device: &'a Device,
    slice: &'a ResourceSlice,
}

enum Stop {
    /// More devices than a claim can hold.
    TooMany,
    Failed(String),
}

/// Why there is no answer for a node.
pub enum Trouble {
    /// Other nodes may do.
    Node(String),
    /// The claims or classes are broken.
    Broken(String),
}

/// Where the search stands.
#[derive(Clone, Copy, Default)]
struct At {
    claim: usize,
    request: usize,
    sub: usize,
    device: usize,
}

struct Search<'a> {
    claims: &'a [Arc<ResourceClaim>],
    pools: Vec<Pool<'a>>,
    taken: &'a BTreeSet<DeviceId>,
    /// By claim and request, its alternatives.
    requests: Vec<Vec<Vec<Request<'a>>>>,
    every: BTreeMap<(usize, usize, usize), Vec<Found<'a>>>,
    constraints: Vec<Vec<Constraint<'a>>>,
    selected: BTreeMap<(DeviceId, usize, usize, usize), bool>,
    allocating: BTreeMap<DeviceId, BTreeSet<usize>>,
    /// By claim: the request's name, admin access and the device.
    result: Vec<Vec<(String, bool, Found<'a>)>>,
}

/// The allocations of `claims` on `node`, in their order; `None` when there is no way. `taken` is what
/// [`Devices::allocated`] says.
///
/// # Errors
/// Claims, classes or pools that cannot be worked with.
pub fn allocate(
    devices: &Devices,
    taken: &BTreeSet<DeviceId>,
    node: &Node,
    claims: &[Arc<ResourceClaim>],
) -> Result<Option<Vec<AllocationResult>>, Trouble> {
    let mut search = Search {
        claims,
        pools: pools::gather(devices, node),
        taken,
        requests: Vec::new(),
        every: BTreeMap::new(),
        constraints: Vec::new(),
        selected: BTreeMap::new(),
        allocating: BTreeMap::new(),
        result: vec![Vec::new(); claims.len()],
    };
    search.prepare(devices).map_err(Trouble::Broken)?;
    match search.one(At::default(), false) {
        Ok(true) => {
            let all = claims.iter().zip(&search.result).map(|(c, r)| allocation(devices, c, r));
            Ok(Some(all.collect()))
        }
        Ok(false) | Err(Stop::TooMany) if search.pools.iter().any(|p| p.invalid) => {
            Err(Trouble::Node("invalid resource pools were encountered".into()))
        }
        Ok(false) | Err(Stop::TooMany) => Ok(None),
        Err(Stop::Failed(why)) => Err(Trouble::Broken(why)),
    }
}

/// What a node offers for one request, or for one of its alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `namespace/name`, and the request in it.
    pub claim: String,
    pub request: String,
    pub class: String,
    /// Devices that are asked for, that the selectors choose here, and that nobody has.
    pub wanted: usize,
    pub selected: usize,
    pub free: usize,
}

/// What the node offers for each request of `claims`, each for itself: what the others would take is not taken off.
///
/// # Errors
/// Claims, classes or pools that cannot be worked with.
pub fn offers(
    devices: &Devices,
    taken: &BTreeSet<DeviceId>,
    node: &Node,
    claims: &[Arc<ResourceClaim>],
) -> Result<Vec<Offer>, String> {
    let mut out = Vec::new();
    let pools = pools::gather(devices, node);
    for claim in claims {
        for r in claim.spec.devices.iter().flat_map(|d| d.requests.iter().flatten()) {
            for r in request::alternatives(devices, claim, r)? {
                let (mut selected, mut free) = (0, 0);
                for (pool, slice) in pools.iter().flat_map(|p| p.slices.iter().map(move |s| (p, s))) {
                    for device in slice.spec.devices.iter().flatten() {
                        let id = (pool.driver.to_string(), pool.name.to_string(), device.name.clone());
                        if request::selects(&r, claim, device, &id)? {
                            selected += 1;
                            free += usize::from(r.admin || !taken.contains(&id));
                        }
                    }
                }
                let class = r.class.metadata.name.clone().unwrap_or_default();
                let wanted = if r.all { selected } else { r.count };
                out.push(Offer { claim: shown(claim), request: r.full_name, class, wanted, selected, free });
            }
        }
    }
    Ok(out)
}

impl<'a> Search<'a> {
    fn prepare(&mut self, devices: &'a Devices) -> Result<(), String> {
        for (c, claim) in self.claims.iter().enumerate() {
            let spec = claim.spec.devices.as_ref();
            let (mut of_claim, mut least) = (Vec::new(), 0);
            for (i, r) in spec.iter().flat_map(|d| d.requests.iter().flatten()).enumerate() {
                let mut alternatives = request::alternatives(devices, claim, r)?;
                for (sub, r) in alternatives.iter_mut().enumerate().filter(|(_, r)| r.all) {
                    let every = self.every_device((c, i, sub), r)?;
                    r.count = every.len();
                    self.every.insert((c, i, sub), every);
                }
                least += alternatives.iter().map(|r| r.count).min().unwrap_or(0);
                of_claim.push(alternatives);
            }
            if least > MOST_DEVICES {
                let claim = shown(claim);
                return Err(format!(
                    "claim {claim}: number of requested devices {least} exceeds the claim limit of {MOST_DEVICES}"
                ));
            }
            let mut constraints = Vec::new();
            for (i, constraint) in spec.iter().flat_map(|d| d.constraints.iter().flatten()).enumerate() {
                constraints.push(Constraint::new(constraint).ok_or_else(|| {
                    let claim = shown(claim);
                    format!("claim {claim}, constraint #{i}: empty constraint (unsupported constraint type?)")
                })?);
            }
            self.requests.push(of_claim);
            self.constraints.push(constraints);
        }
        Ok(())
    }

    /// All devices that a request selects.
    fn every_device(&mut self, at: (usize, usize, usize), r: &Request) -> Result<Vec<Found<'a>>, String> {
        let mut every = Vec::new();
        for p in 0..self.pools.len() {
            let pool = &self.pools[p];
            let state = match (pool.incomplete, pool.invalid) {
                (true, _) => "being updated",
                (_, true) => "invalid",
                _ => "",
            };
            if !state.is_empty() {
                let (claim, pool) = (shown(&self.claims[at.0]), format!("{}/{}", pool.driver, pool.name));
                return Err(format!(
                    "claim {claim}, request {}: asks for all devices, but resource pool {pool} is currently {state}",
                    r.name
                ));
            }
            for found in self.offered(p) {
                if self.selects(at, r, &found)? {
                    every.push(found);
                }
            }
        }
        Ok(every)
    }

    fn offered(&self, pool: usize) -> Vec<Found<'a>> {
        let pool = &self.pools[pool];
        let id = |d: &Device| (pool.driver.to_string(), pool.name.to_string(), d.name.clone());
        let of = |slice: &'a ResourceSlice| {
            slice.spec.devices.iter().flatten().map(move |device| Found { id: id(device), device, slice })
        };
        pool.slices.iter().flat_map(|s| of(s)).collect()
    }

    fn selects(&mut self, at: (usize, usize, usize), r: &Request, found: &Found) -> Result<bool, String> {
        let key = (found.id.clone(), at.0, at.1, at.2);
        if let Some(known) = self.selected.get(&key) {
            return Ok(*known);
        }
        let selects = request::selects(r, &self.claims[at.0], found.device, &found.id)?;
        self.selected.insert(key, selects);
        Ok(selects)
    }

    /// Allocates everything from `at` on. Models `allocateOne`; `inside` is an alternative that is being tried.
    fn one(&mut self, at: At, inside: bool) -> Result<bool, Stop> {
        if at.claim >= self.claims.len() {
            return Ok(true);
        }
        if at.request >= self.requests[at.claim].len() {
            return match self.one(At { claim: at.claim + 1, ..At::default() }, false) {
                Err(Stop::TooMany) => Ok(false),
                done => done,
            };
        }
        let alternatives = &self.requests[at.claim][at.request];
        let listed = alternatives.first().is_some_and(|r| r.full_name != r.name);
        if listed && !inside {
            let mut only_too_many = true;
            for sub in 0..alternatives.len() {
                match self.one(At { sub, ..at }, true) {
                    Err(Stop::TooMany) => {}
                    Ok(false) => only_too_many = false,
                    done => return done,
                }
            }
            return if only_too_many { Err(Stop::TooMany) } else { Ok(false) };
        }
        let Some(r) = alternatives.get(at.sub) else { return Ok(false) };
        let (all, count, admin) = (r.all, r.count, r.admin);
        if all && count == 0 {
            return Ok(false);
        }
        if at.device >= count {
            return self.one(At { claim: at.claim, request: at.request + 1, ..At::default() }, false);
        }
        if self.result[at.claim].len() + count - at.device > MOST_DEVICES {
            return Err(Stop::TooMany);
        }
        let next = At { device: at.device + 1, ..at };
        if all {
            let found = self.every[&(at.claim, at.request, at.sub)][at.device].clone();
            if !self.take(at, &found, admin, true)? {
                return Ok(false);
            }
            let done = self.one(next, inside);
            if !matches!(done, Ok(true)) {
                self.give_back(at, &found);
            }
            return done;
        }
        for pool in 0..self.pools.len() {
            if self.pools[pool].incomplete || self.pools[pool].invalid {
                continue;
            }
            for found in self.offered(pool) {
                if self.in_use(at, &found, admin) {
                    continue;
                }
                let claims = self.claims;
                let key = (found.id.clone(), at.claim, at.request, at.sub);
                let known = self.selected.get(&key).copied();
                let r = &self.requests[at.claim][at.request][at.sub];
                let fits = match known {
                    Some(known) => known,
                    None => request::selects(r, &claims[at.claim], found.device, &found.id).map_err(Stop::Failed)?,
                };
                self.selected.insert(key, fits);
                if !fits || !self.take(at, &found, admin, false)? {
                    continue;
                }
                let done = self.one(next, inside);
                if matches!(done, Ok(true)) {
                    return done;
                }
                self.give_back(at, &found);
                done?;
            }
        }
        Ok(false)
    }

    fn in_use(&self, at: At, found: &Found, admin: bool) -> bool {
        let allocating = self.allocating.get(&found.id);
        if admin {
            allocating.is_some_and(|c| c.contains(&at.claim))
        } else {
            self.taken.contains(&found.id) || allocating.is_some_and(|c| !c.is_empty())
        }
    }

    /// Models `allocateDevice`: `must` when no other device can stand in for this one.
    fn take(&mut self, at: At, found: &Found<'a>, admin: bool, must: bool) -> Result<bool, Stop> {
        // Partitionable devices are behind a gate that is off.
        let partition = found.device.consumes_counters.as_ref().is_some_and(|c| !c.is_empty());
        if partition || self.in_use(at, found, admin) {
            return Ok(false);
        }
        let r = &self.requests[at.claim][at.request][at.sub];
        let constraints = &mut self.constraints[at.claim];
        for i in 0..constraints.len() {
            if constraints[i].add(&r.full_name, found.device, &found.id) {
                continue;
            }
            if must {
                let (claim, id) = (shown(&self.claims[at.claim]), &found.id);
                return Err(Stop::Failed(format!(
                    "claim {claim}, request {}: cannot add device {}/{}/{} because a claim constraint would not be \
                     satisfied",
                    r.name, id.0, id.1, id.2
                )));
            }
            constraints[..i].iter_mut().for_each(|c| c.remove(&r.full_name));
            return Ok(false);
        }
        self.allocating.entry(found.id.clone()).or_default().insert(at.claim);
        let name = r.full_name.clone();
        self.result[at.claim].push((name, admin, found.clone()));
        Ok(true)
    }

    fn give_back(&mut self, at: At, found: &Found) {
        let r = &self.requests[at.claim][at.request][at.sub];
        self.constraints[at.claim].iter_mut().for_each(|c| c.remove(&r.full_name));
        if let Some(claims) = self.allocating.get_mut(&found.id) {
            claims.remove(&at.claim);
        }
        self.result[at.claim].pop();
    }
}

/// What class and claim say to the driver about the requests that were served.
fn configuration(
    devices: &Devices,
    claim: &ResourceClaim,
    served: &[(String, bool, Found)],
) -> Vec<DeviceAllocationConfiguration> {
    let mut all = Vec::new();
    let spec = claim.spec.devices.as_ref();
    let is_served = |name: &str| served.iter().any(|(r, ..)| r == name);
    let requests = spec.into_iter().flat_map(|d| d.requests.iter().flatten());
    for r in requests.clone() {
        let subs = r.first_available.iter().flatten().filter(|s| is_served(&format!("{}/{}", r.name, s.name)));
        let chosen = subs.map(|s| &s.device_class_name);
        for class in r.exactly.iter().map(|e| &e.device_class_name).chain(chosen) {
            let configs = devices.class(class).and_then(|c| c.spec.config.as_ref());
            all.extend(configs.into_iter().flatten().map(|c| DeviceAllocationConfiguration {
                opaque: c.opaque.clone(),
                requests: None,
                source: "FromClass".into(),
            }));
        }
    }
    for c in spec.into_iter().flat_map(|d| d.config.iter().flatten()) {
        let names = c.requests.as_deref().unwrap_or_default();
        let concerned = |n: &String| is_served(n) || served.iter().any(|(r, ..)| r.split('/').next() == Some(n));
        if names.is_empty() || names.iter().any(concerned) {
            all.push(DeviceAllocationConfiguration {
                opaque: c.opaque.clone(),
                requests: c.requests.clone(),
                source: "FromClaim".into(),
            });
        }
    }
    all
}

fn allocation(all: &Devices, claim: &ResourceClaim, devices: &[(String, bool, Found)]) -> AllocationResult {
    let result = |(request, admin, found): &(String, bool, Found)| DeviceRequestAllocationResult {
        admin_access: admin.then_some(true),
        device: found.id.2.clone(),
        driver: found.id.0.clone(),
        pool: found.id.1.clone(),
        request: request.clone(),
        ..Default::default()
    };
    let results = Some(devices.iter().map(result).collect());
    let config = Some(configuration(all, claim, devices)).filter(|c| !c.is_empty());
    AllocationResult {
        devices: Some(DeviceAllocationResult { config, results }),
        node_selector: selector(devices.iter().map(|d| d.2.slice)),
        ..Default::default()
    }
}

/// Where the devices can be reached; `None` is everywhere. Models `createNodeSelector`.
fn selector<'a>(slices: impl Iterator<Item = &'a ResourceSlice>) -> Option<NodeSelector> {
    let mut term = NodeSelectorTerm::default();
    for slice in slices {
        if let Some(name) = slice.spec.node_name.clone().filter(|n| !n.is_empty()) {
            let (key, operator) = ("metadata.name".into(), "In".into());
            let only = NodeSelectorRequirement { key, operator, values: Some(vec![name]) };
            let term = NodeSelectorTerm { match_fields: Some(vec![only]), match_expressions: None };
            return Some(NodeSelector { node_selector_terms: vec![term] });
        }
        let terms = slice.spec.node_selector.iter().flat_map(|s| s.node_selector_terms.first());
        for own in terms {
            let lists =
                [(&own.match_fields, &mut term.match_fields), (&own.match_expressions, &mut term.match_expressions)];
            for (from, to) in lists {
                for r in from.iter().flatten() {
                    let to = to.get_or_insert_default();
                    if !to.contains(r) {
                        to.push(r.clone());
                    }
                }
            }
        }
    }
    let empty = term.match_fields.is_none() && term.match_expressions.is_none();
    (!empty).then_some(NodeSelector { node_selector_terms: vec![term] })
}
