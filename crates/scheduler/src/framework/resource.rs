//! Resources as integers, and what a pod requests. Models `framework.Resource` and
//! `k8s.io/component-helpers/resource`.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::Quantity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Quantities by resource name, as the API holds them.
pub type ApiList = BTreeMap<String, ApiQuantity>;
/// The same, parsed.
pub type List<'a> = BTreeMap<&'a str, Quantity>;

/// What a container without a request counts for when nodes are scored, in thousandths of a CPU.
pub const DEFAULT_MILLI_CPU_REQUEST: i64 = 100;
/// The same for memory, in bytes.
pub const DEFAULT_MEMORY_REQUEST: i64 = 200 * 1024 * 1024;

/// CPU in thousandths, memory and ephemeral storage in bytes, everything else in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    pub milli_cpu: i64,
    pub memory: i64,
    pub ephemeral_storage: i64,
    pub allowed_pod_number: i64,
    /// Extended and other scalar resources, sorted by name.
    pub scalar: Vec<(Arc<str>, i64)>,
}

impl Resource {
    pub fn from_api(list: Option<&ApiList>) -> Self {
        let mut r = Resource::default();
        for (name, q) in list.into_iter().flatten() {
            r.set(name, Quantity::of(q));
        }
        r
    }
    pub fn from_list(list: &List) -> Self {
        let mut r = Resource::default();
        for (name, q) in list {
            r.set(name, *q);
        }
        r
    }
    fn set(&mut self, name: &str, q: Quantity) {
        match name {
            "cpu" => self.milli_cpu = q.milli_value(),
            "memory" => self.memory = q.value(),
            "ephemeral-storage" => self.ephemeral_storage = q.value(),
            "pods" => self.allowed_pod_number = q.value(),
            _ if is_scalar_name(name) => match self.scalar.binary_search_by(|(n, _)| (**n).cmp(name)) {
                Ok(i) => self.scalar[i].1 = q.value(),
                Err(i) => self.scalar.insert(i, (name.into(), q.value())),
            },
            _ => {}
        }
    }
    /// The amount of the scalar resource `name`; `None` when it is not listed at all.
    pub fn scalar(&self, name: &str) -> Option<i64> {
        self.scalar.binary_search_by(|(n, _)| (**n).cmp(name)).ok().map(|i| self.scalar[i].1)
    }
    /// Adds (`sign` 1) or takes away (`sign` -1) everything but the pod number.
    pub fn add(&mut self, other: &Resource, sign: i64) {
        self.milli_cpu += sign * other.milli_cpu;
        self.memory += sign * other.memory;
        self.ephemeral_storage += sign * other.ephemeral_storage;
        for (name, v) in &other.scalar {
            match self.scalar.binary_search_by(|(n, _)| n.cmp(name)) {
                Ok(i) => self.scalar[i].1 += sign * v,
                Err(i) => self.scalar.insert(i, (name.clone(), sign * v)),
            }
        }
    }
    /// The amount by API name, in the units of this type; 0 when absent.
    pub fn amount(&self, name: &str) -> i64 {
        match name {
            "cpu" => self.milli_cpu,
            "memory" => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            _ => self.scalar(name).unwrap_or(0),
        }
    }
    /// Whether nothing is requested.
    pub fn is_empty_request(&self) -> bool {
        self.milli_cpu == 0 && self.memory == 0 && self.ephemeral_storage == 0 && self.scalar.is_empty()
    }
}

/// Models `helper.IsExtendedResourceName`.
pub fn is_extended_name(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// Models `schedutil.IsScalarResourceName`.
pub fn is_scalar_name(name: &str) -> bool {
    is_extended_name(name)
        || name.starts_with("hugepages-")
        || name.contains("kubernetes.io/")
        || name.starts_with("attachable-volumes-")
}

/// Models `resource.PodResourcesOptions`.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Count what the kubelet has actuated and allocated too (in-place resize).
    pub use_status: bool,
    /// Requests assumed for containers that do not state them.
    pub non_missing: &'a [(&'static str, Quantity)],
}

/// Whether `spec.resources.requests` names a resource that pod-level requests support.
pub fn pod_level_requests_set(pod: &Pod) -> bool {
    pod_level_requests(pod).is_some_and(|r| r.keys().any(|n| supports_pod_level(n)))
}

fn pod_level_requests(pod: &Pod) -> Option<&ApiList> {
    pod.spec.as_ref()?.resources.as_ref()?.requests.as_ref()
}

fn supports_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

/// The pod's total request: containers and sidecars summed, init containers as a floor, pod-level requests in
/// place of the sum, overhead on top. Models `resource.PodRequests`.
pub fn pod_requests<'a>(pod: &'a Pod, options: Options) -> List<'a> {
    let mut total = aggregate(pod, options);
    if pod_level_requests_set(pod) {
        for (name, q) in pod_level_requests(pod).into_iter().flatten() {
            if supports_pod_level(name) {
                total.insert(name, Quantity::of(q));
            }
        }
    }
    if let Some(overhead) = pod.spec.as_ref().and_then(|s| s.overhead.as_ref()) {
        for (name, q) in overhead {
            *total.entry(name).or_default() += Quantity::of(q);
        }
    }
    total
}

/// Sums over the containers. Models `resource.AggregateContainerRequests`.
fn aggregate<'a>(pod: &'a Pod, options: Options) -> List<'a> {
    let Some(spec) = pod.spec.as_ref() else { return List::new() };
    let of = |c: &'a Container, by_status: bool| -> List<'a> {
        let mut list = List::new();
        let asked = c.resources.as_ref().and_then(|r| r.requests.as_ref());
        // A status without `resources` says nothing yet: the kubelet has not started the container.
        let status = if by_status { container_status(pod, &c.name).filter(|s| s.resources.is_some()) } else { None };
        match status {
            Some(s) => {
                let actuated = s.resources.as_ref().and_then(|r| r.requests.as_ref());
                let asked = asked.filter(|_| !resize_is_infeasible(pod));
                for amounts in [asked, actuated, s.allocated_resources.as_ref()] {
                    max_into(&mut list, &parsed(amounts));
                }
            }
            None => list = parsed(asked),
        }
        for (name, q) in options.non_missing {
            list.entry(name).or_insert(*q);
        }
        list
    };
    let mut total = List::new();
    for c in &spec.containers {
        add_into(&mut total, &of(c, options.use_status));
    }
    let (mut sidecars, mut floor) = (List::new(), List::new());
    for c in spec.init_containers.iter().flatten() {
        // Only sidecars can be resized.
        let sidecar = c.restart_policy.as_deref() == Some("Always");
        let mut own = of(c, options.use_status && sidecar);
        if sidecar {
            add_into(&mut total, &own);
            add_into(&mut sidecars, &own);
            own = sidecars.clone();
        } else {
            add_into(&mut own, &sidecars);
        }
        max_into(&mut floor, &own);
    }
    max_into(&mut total, &floor);
    total
}

fn parsed(list: Option<&ApiList>) -> List<'_> {
    list.into_iter().flatten().map(|(n, q)| (n.as_str(), Quantity::of(q))).collect()
}

fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
    all.into_iter().find(|s| s.name == name)
}

/// Whether two statuses say the same of what the pod requests.
pub fn same_amounts_in_status(a: &Pod, b: &Pod) -> bool {
    let listed = |p: &Pod| p.status.as_ref().is_some_and(|s| s.container_statuses.is_some());
    fn amounts(p: &Pod) -> impl Iterator<Item = impl PartialEq> {
        let lists = p.status.iter().flat_map(|s| [&s.container_statuses, &s.init_container_statuses]);
        lists.flatten().flatten().map(|s| (&s.name, s.resources.as_ref(), s.allocated_resources.as_ref()))
    }
    listed(a) == listed(b) && amounts(a).eq(amounts(b)) && resize_is_infeasible(a) == resize_is_infeasible(b)
}

fn resize_is_infeasible(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .find(|c| c.type_ == "PodResizePending")
        .is_some_and(|c| c.reason.as_deref() == Some("Infeasible"))
}

fn add_into<'a>(to: &mut List<'a>, from: &List<'a>) {
    for (name, q) in from {
        *to.entry(name).or_default() += *q;
    }
}

fn max_into<'a>(to: &mut List<'a>, from: &List<'a>) {
    for (name, q) in from {
        let have = to.entry(name).or_insert(*q);
        if *q > *have {
            *have = *q;
        }
    }
}
