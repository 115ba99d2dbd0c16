//! endpoints-controller: the older form of which pods answer for a Service, one object each. Models
//! `pkg/controller/endpoint`.

use crate::endpointslice::endpoint::{find_port, is_headless};
use crate::endpointslice::trigger_time::TriggerTimes;
use crate::endpointslice::{pod_changed, selector};
use crate::owner::watch_self;
use crate::pods;
use api::Registered;
use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, ObjectReference, Pod, Service,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Key;
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use std::collections::BTreeMap;
use trace::note;

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpoint-controller";
const HEADLESS: &str = "service.kubernetes.io/headless";
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// Models `maxCapacity`.
const ADDRESSES_MAX: usize = 1000;

#[derive(Clone, Default)]
pub struct EndpointsController {
    trigger_times: TriggerTimes,
}

/// One that is deleted is made again. One that appears is somebody's own, and may be there before its Service is; those of
/// this controller are seen to be left over when it starts. Models `onEndpointsDelete` and `checkLeftoverEndpoints`.
fn endpoints_changed(_cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let of =
        |o: &api::Obj| o.meta().labels.as_ref().is_some_and(|l| l.get(MANAGED_BY).is_some_and(|v| v == CONTROLLER));
    if change.new.is_none() || change.old.is_none() && change.new.as_ref().is_some_and(of) {
        keys.push(change.key.clone());
    }
}

impl Controller for EndpointsController {
    const NAME: &'static str = "endpoints-controller";
    const EVENT_SOURCE: &'static str = "endpoint-controller";

    fn user() -> meta::User {
        meta::User::controller("endpoint-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![
            watch_self(Service::KIND_REF),
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: Endpoints::KIND_REF, keys: endpoints_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let current = cx.view.get::<Endpoints>(key);
        let Some(service) = cx.view.get::<Service>(key) else {
            self.trigger_times.forget(key);
            // Also what was made by hand for a Service that is gone.
            if let Some(e) = current {
                out.push(Intent::delete(e));
            }
            return out;
        };
        let Some(selector) = selector(service) else { return out };
        let selected: Vec<&Pod> =
            cx.view.list_in::<Pod>(key.namespace()).filter(|p| selector.matches(p.metadata.labels.as_ref())).collect();
        out.looked_at(selected.len());
        let trigger_time = self.trigger_times.compute(key, service, &selected);
        let subsets = subsets(service, &selected);
        let count = |list: fn(&EndpointSubset) -> &Option<Vec<EndpointAddress>>| {
            subsets.iter().map(|s| list(s).as_ref().map_or(0, Vec::len)).sum::<usize>()
        };
        let (ready, not_ready) = (count(|s| &s.addresses), count(|s| &s.not_ready_addresses));
        let over = ready + not_ready > ADDRESSES_MAX;
        let subsets = if over { truncated(subsets) } else { subsets };
        let labels = labels(service);
        let annotation = |key: &str| {
            let of = current.and_then(|e| e.metadata.annotations.as_ref()?.get(key));
            of.map(String::as_str)
        };
        if let Some(e) = current
            && e.subsets.as_deref().unwrap_or_default() == subsets
            && e.metadata.labels.clone().unwrap_or_default() == labels
            && (annotation(OVER_CAPACITY) == Some("truncated")) == over
        {
            return out;
        }
        if cx.recording {
            out.note(note!("endpoints.sync", service = key.name(), ready = ready, notready = not_ready));
        }
        let mut new = current.cloned().unwrap_or_else(|| Endpoints {
            metadata: ObjectMeta {
                name: service.metadata.name.clone(),
                namespace: service.metadata.namespace.clone(),
                ..ObjectMeta::default()
            },
            subsets: None,
        });
        new.subsets = (!subsets.is_empty()).then_some(subsets);
        new.metadata.labels = Some(labels);
        let mut annotations = new.metadata.annotations.take().unwrap_or_default();
        match trigger_time {
            Some(t) => _ = annotations.insert(TRIGGER_TIME.into(), t.rfc3339()),
            None => _ = annotations.remove(TRIGGER_TIME),
        }
        match over {
            true => _ = annotations.insert(OVER_CAPACITY.into(), "truncated".into()),
            false => _ = annotations.remove(OVER_CAPACITY),
        }
        new.metadata.annotations = (!annotations.is_empty()).then_some(annotations);
        let name = key.name();
        out.push(if current.is_none() {
            let text = format!("Failed to create endpoint for service {key}: {{error}}");
            Intent::create(new.clone()).on_failure(&new, "FailedToCreateEndpoint", text)
        } else {
            let text = format!("Failed to update endpoint {}/{name}: {{error}}", key.namespace());
            Intent::update(new.clone()).on_failure(&new, "FailedToUpdateEndpoint", text)
        });
        out
    }
}

/// The Service's own, and two that say what this is.
fn labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    if is_headless(service) {
        labels.insert(HEADLESS.into(), String::new());
    } else {
        labels.remove(HEADLESS);
    }
    labels.insert(MANAGED_BY.into(), CONTROLLER.into());
    labels
}

/// Addresses with the same ports share a subset. Models `addEndpointSubset` and `RepackSubsets`.
fn subsets(service: &Service, selected: &[&Pod]) -> Vec<EndpointSubset> {
    let spec = service.spec.as_ref();
    let publish = spec.and_then(|s| s.publish_not_ready_addresses) == Some(true);
    let service_ports = spec.and_then(|s| s.ports.as_deref()).unwrap_or_default();
    let mut out: Vec<EndpointSubset> = Vec::new();
    for pod in selected {
        let ip = pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()).filter(|ip| !ip.is_empty());
        let leaving = pod.metadata.deletion_timestamp.is_some() && !publish;
        let Some(ip) = ip.filter(|_| !leaving && !pods::is_terminal(pod)) else { continue };
        let port = |p: &k8s_openapi::api::core::v1::ServicePort| {
            Some(EndpointPort {
                name: p.name.clone().filter(|n| !n.is_empty()),
                port: find_port(pod, p)?,
                protocol: Some(p.protocol.clone().unwrap_or_else(|| "TCP".into())),
                app_protocol: p.app_protocol.clone(),
            })
        };
        let ports: Vec<EndpointPort> = service_ports.iter().filter_map(port).collect();
        // Without ports only a headless Service leads somewhere.
        if ports.is_empty() && !(service_ports.is_empty() && is_headless(service)) {
            continue;
        }
        let ports = (!ports.is_empty()).then_some(ports);
        let at = out.iter().position(|s| s.ports == ports).unwrap_or_else(|| {
            out.push(EndpointSubset { ports, ..EndpointSubset::default() });
            out.len() - 1
        });
        let subset = &mut out[at];
        let ready = publish || pods::is_ready(pod);
        let list = if ready { &mut subset.addresses } else { &mut subset.not_ready_addresses };
        list.get_or_insert_default().push(address(service, pod, ip));
    }
    for s in &mut out {
        let order = |a: &EndpointAddress| (a.ip.clone(), a.target_ref.as_ref().and_then(|r| r.uid.clone()));
        s.addresses.iter_mut().chain(&mut s.not_ready_addresses).for_each(|l| l.sort_by_key(order));
    }
    out
}

/// Models `podToEndpointAddressForService`.
fn address(service: &Service, pod: &Pod, ip: &str) -> EndpointAddress {
    let spec = pod.spec.as_ref();
    let named = |s: &Option<String>| s.clone().filter(|s| !s.is_empty());
    let in_subdomain = spec.and_then(|s| named(&s.subdomain)) == service.metadata.name;
    EndpointAddress {
        ip: ip.into(),
        hostname: spec.and_then(|s| named(&s.hostname)).filter(|_| in_subdomain),
        node_name: spec.and_then(|s| named(&s.node_name)),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".into()),
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            ..ObjectReference::default()
        }),
    }
}

/// The first thousand addresses, ready ones before the others. Models `truncateEndpoints`.
fn truncated(subsets: Vec<EndpointSubset>) -> Vec<EndpointSubset> {
    let ready: usize = subsets.iter().map(|s| s.addresses.as_ref().map_or(0, Vec::len)).sum();
    let mut left_ready = ADDRESSES_MAX;
    let mut left_not = ADDRESSES_MAX.saturating_sub(ready);
    let cut = |list: Option<Vec<EndpointAddress>>, left: &mut usize| {
        let mut list = list?;
        list.truncate(*left);
        *left -= list.len();
        (!list.is_empty()).then_some(list)
    };
    let subsets = subsets.into_iter().map(|s| EndpointSubset {
        addresses: cut(s.addresses, &mut left_ready),
        not_ready_addresses: cut(s.not_ready_addresses, &mut left_not),
        ports: s.ports,
    });
    subsets.filter(|s| s.addresses.is_some() || s.not_ready_addresses.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::EndpointsController;
    use crate::testing::{World, merged, pod, ready_since, rfc3339};
    use expect_test::expect;
    use serde_json::{Value, json};

    fn service(over: Value) -> Value {
        merged(
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "namespace": "default", "uid": "uid-svc", "labels": {"team": "a"},
                             "creationTimestamp": rfc3339(5)},
                "spec": {"selector": {"app": "web"}, "clusterIP": "10.96.0.10",
                         "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
            }),
            over,
        )
    }

    fn backend(name: &str, ip: &str, over: Value) -> Value {
        let mut p = pod(name, None, merged(ready_since(10), over));
        p["spec"]["containers"][0]["ports"] = json!([{"name": "http", "containerPort": 8080}]);
        p["status"]["podIP"] = ip.into();
        p
    }

    #[test]
    fn ready_and_unready_addresses_leaving_pods_and_named_ports() {
        let mut w = World::<EndpointsController>::new([
            service(json!({})),
            backend("b", "10.244.0.3", json!({})),
            backend("a", "10.244.0.2", json!({})),
            backend("c", "10.244.0.4", json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})),
            backend("going", "10.244.0.5", json!({"metadata": {"deletionTimestamp": rfc3339(20)}})),
            backend("done", "10.244.0.6", json!({"status": {"phase": "Succeeded"}})),
        ]);
        expect![[r##"
            # endpoints.sync service=web ready=2 notready=1
            create {"apiVersion":"v1","kind":"Endpoints","metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-01T00:00:05Z"},"labels":{"endpoints.kubernetes.io/managed-by":"endpoint-controller","team":"a"},"name":"web","namespace":"default"},"subsets":[{"addresses":[{"ip":"10.244.0.2","nodeName":"node-1","targetRef":{"kind":"Pod","name":"a","namespace":"default","uid":"uid-a"}},{"ip":"10.244.0.3","nodeName":"node-1","targetRef":{"kind":"Pod","name":"b","namespace":"default","uid":"uid-b"}}],"notReadyAddresses":[{"ip":"10.244.0.4","nodeName":"node-1","targetRef":{"kind":"Pod","name":"c","namespace":"default","uid":"uid-c"}}],"ports":[{"name":"http","port":8080,"protocol":"TCP"}]}]}
              on failure: FailedToCreateEndpoint: Failed to create endpoint for service default/web: {error}
        "##]].assert_eq(&w.run("default/web"));
    }

    #[test]
    fn a_service_without_a_selector_and_one_that_is_gone() {
        let own = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", "namespace": "default", "uid": "e"}});
        let mut w = World::<EndpointsController>::new([service(json!({"spec": {"selector": null}})), own.clone()]);
        expect![[""]].assert_eq(&w.run("default/web"));
        let mut w = World::<EndpointsController>::new([own]);
        expect![[r#"
            delete endpoints default/web grace=None propagation=Some(Background)
        "#]]
        .assert_eq(&w.run("default/web"));
    }

    #[test]
    fn what_somebody_made_may_be_there_before_its_service() {
        let own = |labels: Value| {
            let metadata = json!({"name": "web", "namespace": "default", "uid": "e", "labels": labels});
            json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata})
        };
        let mut w = World::<EndpointsController>::new([]);
        assert_eq!(w.put(own(json!({"mine": "x"}))).len(), 0);
        assert_eq!(w.delete("v1", "Endpoints", "default/web").len(), 1);
        assert_eq!(w.put(own(json!({super::MANAGED_BY: super::CONTROLLER}))).len(), 1);
    }

    #[test]
    fn a_headless_service_needs_no_ports() {
        let mut w = World::<EndpointsController>::new([
            service(json!({"spec": {"clusterIP": "None", "ports": null}})),
            backend("a", "10.244.0.2", json!({"spec": {"hostname": "a", "subdomain": "web"}})),
        ]);
        expect![[r##"
            # endpoints.sync service=web ready=1 notready=0
            create {"apiVersion":"v1","kind":"Endpoints","metadata":{"annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-01T00:00:05Z"},"labels":{"endpoints.kubernetes.io/managed-by":"endpoint-controller","service.kubernetes.io/headless":"","team":"a"},"name":"web","namespace":"default"},"subsets":[{"addresses":[{"hostname":"a","ip":"10.244.0.2","nodeName":"node-1","targetRef":{"kind":"Pod","name":"a","namespace":"default","uid":"uid-a"}}]}]}
              on failure: FailedToCreateEndpoint: Failed to create endpoint for service default/web: {error}
        "##]].assert_eq(&w.run("default/web"));
    }
}
