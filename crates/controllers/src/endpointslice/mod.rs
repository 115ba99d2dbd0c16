//! endpointslice-controller: which pods answer for a Service. Models `pkg/controller/endpointslice` and
//! `k8s.io/endpointslice`.

pub(crate) mod endpoint;
mod hints;
mod reconciler;
#[cfg(test)]
mod tests;
pub(crate) mod trigger_time;

use crate::owner::key_of;
use crate::pods;
use api::{Object, ObjectExt, Registered};
use endpoint::{desired_endpoints, should_be_in_endpoints};
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use meta::labels::Selector;
use meta::{Duration, Key};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use std::collections::BTreeSet;
use trace::note;
use trigger_time::TriggerTimes;

pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
pub const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// A pod whose node is not known yet is left out; so long until the next look.
const MISSING_NODE_RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub struct EndpointSliceController {
    trigger_times: TriggerTimes,
    /// Services that have hints because of the annotation.
    hinted: BTreeSet<Key>,
}

/// `None`: endpoints of this Service are not this controller's business.
pub(crate) fn selector(service: &Service) -> Option<Selector> {
    let spec = service.spec.as_ref()?;
    let selector = spec.selector.as_ref().filter(|s| !s.is_empty())?;
    (spec.type_.as_deref() != Some("ExternalName")).then(|| Selector::from_set(selector))
}

/// Services that selected the pod before or select it now, when the change matters to them. Models
/// `GetServicesToUpdateOnPodChange`.
pub(crate) fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    fn pod(o: Option<&api::Obj>) -> Option<&Pod> {
        o?.as_any().downcast_ref()
    }
    let (old, new) = (pod(change.old.as_ref()), pod(change.new.as_ref()));
    let labels_changed = match (old, new) {
        (Some(o), Some(n)) => {
            let moved = o.metadata.labels != n.metadata.labels;
            if !moved && !endpoint::changed(o, n) {
                return;
            }
            moved
        }
        _ => false,
    };
    for service in cx.view.list_in::<Service>(change.key.namespace()) {
        let Some(selector) = selector(service) else { continue };
        let matches = |p: Option<&Pod>| p.is_some_and(|p| selector.matches(p.metadata.labels.as_ref()));
        let concerned = match new {
            None => matches(old),
            Some(_) => matches(new) || (labels_changed && matches(old)),
        };
        if concerned {
            keys.push(key_of(&service.metadata));
        }
    }
}

/// Somebody else's hand on our slices has the Service looked at again.
fn slice_changed(_cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    for m in [change.old.as_deref(), change.new.as_deref()].into_iter().flatten().map(Object::meta) {
        let label = |key| m.labels.as_ref().and_then(|l| l.get(key)).map(String::as_str);
        if let (Some(CONTROLLER), Some(service)) = (label(MANAGED_BY), label(SERVICE_NAME)) {
            let key = Key::new(m.namespace.as_deref().unwrap_or(""), service);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
}

/// Zones have more or fewer processors now: Services whose hints do not fit that any more are looked at again. Models
/// `checkNodeTopologyDistribution`.
fn node_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    fn capacity(o: &Option<api::Obj>) -> Option<(Option<&str>, i64)> {
        o.as_ref()?.downcast::<Node>().and_then(hints::capacity)
    }
    if capacity(&change.old) == capacity(&change.new) {
        return;
    }
    let hinted = cx.view.list::<Service>().filter(|s| hints::is_auto(s)).map(|s| key_of(&s.metadata));
    let hinted: Vec<Key> = hinted.collect();
    if hinted.is_empty() {
        return;
    }
    let ratios = hints::ratios(cx.view);
    keys.extend(hinted.into_iter().filter(|key| hints::is_overloaded(ratios.as_ref(), own_slices(cx, key))));
}

/// The Service's slices that are this controller's.
fn own_slices<'a>(cx: &'a Cx, service: &Key) -> impl Iterator<Item = &'a EndpointSlice> {
    let name = service.name().to_string();
    cx.view.list_in::<EndpointSlice>(service.namespace()).filter(move |s| {
        let l = s.metadata.labels.as_ref();
        let label = |k| l.and_then(|l| l.get(k)).map(String::as_str);
        label(SERVICE_NAME) == Some(&name)
            && label(MANAGED_BY) == Some(CONTROLLER)
            && s.metadata.deletion_timestamp.is_none()
    })
}

impl Controller for EndpointSliceController {
    const NAME: &'static str = "endpointslice-controller";
    const EVENT_SOURCE: &'static str = "endpoint-slice-controller";

    fn watches() -> Vec<Watch> {
        vec![
            crate::owner::watch_self(Service::KIND_REF),
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: EndpointSlice::KIND_REF, keys: slice_changed },
            Watch { kind: Node::KIND_REF, keys: node_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(service) = cx.view.get::<Service>(key) else {
            // The slices have the Service as owner: the garbage collector takes them.
            self.trigger_times.forget(key);
            self.hinted.remove(key);
            return out;
        };
        let Some(selector) = selector(service) else { return out };
        if service.metadata.deletion_timestamp.is_some() {
            return out;
        }
        let selected: Vec<&Pod> =
            cx.view.list_in::<Pod>(key.namespace()).filter(|p| selector.matches(p.metadata.labels.as_ref())).collect();
        out.looked_at(selected.len());
        let existing: Vec<&EndpointSlice> = own_slices(cx, key).collect();
        let trigger_time = self.trigger_times.compute(key, service, &selected);
        let wanted: Vec<&Pod> = selected.into_iter().filter(|p| should_be_in_endpoints(p)).collect();
        let desired = desired_endpoints(cx.view, service, &wanted);
        if desired.missing_node {
            out.requeue(MISSING_NODE_RETRY);
        }
        if cx.recording {
            let ready = wanted.iter().filter(|p| pods::is_ready(p) && p.metadata.deletion_timestamp.is_none()).count();
            out.note(note!("endpointslice.sync", service = key.name(), pods = wanted.len(), ready = ready));
        }
        let mut plan = reconciler::plan(service, existing, desired.by_ports);
        let (hinted, said) = hints::settle(cx.view, service, &mut plan, self.hinted.contains(key));
        match hinted {
            true => _ = self.hinted.insert(key.clone()),
            false => _ = self.hinted.remove(key),
        }
        for i in reconciler::finalize(plan, trigger_time) {
            out.push(i);
        }
        if let Some((event_type, reason, message)) = said {
            out.push(Intent::event(service, event_type, reason, message));
        }
        out
    }
}
