//! Requests, limits and the quality of service. Models `k8s.io/component-helpers/resource` and
//! `pkg/apis/core/v1/helper/qos`.

use k8s_openapi::api::core::v1::{Container, PodSpec};
use meta::Quantity;
use std::collections::BTreeMap;

pub type Resources = BTreeMap<String, Quantity>;

pub fn requests(c: &Container) -> Resources {
    let list = c.resources.as_ref().and_then(|r| r.requests.as_ref());
    list.into_iter().flatten().map(|(k, v)| (k.clone(), Quantity::of(v))).collect()
}
pub fn limits(c: &Container) -> Resources {
    let list = c.resources.as_ref().and_then(|r| r.limits.as_ref());
    list.into_iter().flatten().map(|(k, v)| (k.clone(), Quantity::of(v))).collect()
}

fn add(to: &mut Resources, more: &Resources) {
    for (k, v) in more {
        *to.entry(k.clone()).or_default() += *v;
    }
}
fn max(to: &mut Resources, other: &Resources) {
    for (k, v) in other {
        let e = to.entry(k.clone()).or_default();
        *e = (*e).max(*v);
    }
}

/// Models `PodRequests`: the larger of what the main containers (with sidecars) and any init container need.
pub fn pod_requests(spec: &PodSpec) -> Resources {
    let mut total = Resources::new();
    for c in &spec.containers {
        add(&mut total, &requests(c));
    }
    let mut sidecars = Resources::new();
    let mut init = Resources::new();
    for c in spec.init_containers.iter().flatten() {
        let mut r = requests(c);
        if c.restart_policy.as_deref() == Some("Always") {
            add(&mut total, &r);
            add(&mut sidecars, &r);
            r = sidecars.clone();
        } else {
            add(&mut r, &sidecars);
        }
        max(&mut init, &r);
    }
    max(&mut total, &init);
    // What the whole pod asks for has the word over what its containers add up to.
    let whole = spec.resources.as_ref().and_then(|r| r.requests.as_ref());
    for (k, v) in whole.into_iter().flatten() {
        total.insert(k.clone(), Quantity::of(v));
    }
    let overhead: Resources = spec.overhead.iter().flatten().map(|(k, v)| (k.clone(), Quantity::of(v))).collect();
    add(&mut total, &overhead);
    total
}
