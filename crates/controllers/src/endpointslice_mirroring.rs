//! endpointslice-mirroring-controller: Endpoints that somebody writes by hand, for a Service without a selector, become
//! slices, which is all that kube-proxy reads. Models `pkg/controller/endpointslicemirroring`.

use crate::endpointslice::{MANAGED_BY, SERVICE_NAME};
use crate::owner::controller_reference;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort as OldPort, Endpoints, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Watch};
use std::net::IpAddr;
use trace::note;

pub const NAME: &str = "endpointslice-mirroring-controller";
const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
/// Annotations that are about the Endpoints alone.
const OWN: [&str; 2] =
    ["endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"];
/// `--mirroring-max-endpoints-per-subset`
const MAX_ADDRESSES: usize = 1000;

#[derive(Clone, Default)]
pub struct EndpointSliceMirroring;

/// Models `shouldMirror`.
fn is_mirrored(e: &Endpoints) -> bool {
    let label = e.metadata.labels.as_ref().and_then(|l| l.get(SKIP));
    label.is_none_or(|v| v != "true") && !e.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(LEADER))
}

/// Whether nobody else looks after the Service's slices.
fn is_unselective(s: &Service) -> bool {
    s.spec.as_ref().is_none_or(|s| s.selector.as_ref().is_none_or(|s| s.is_empty()))
}

fn service_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let service = |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.downcast::<Service>()).map(is_unselective);
    let (old, new) = (service(&change.old), service(&change.new));
    if old != new && (old == Some(true) || new == Some(true)) {
        keys.push(change.key.clone());
    }
}

fn endpoints_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let mirrored = |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.downcast::<Endpoints>()).is_some_and(is_mirrored);
    if mirrored(&change.old) || mirrored(&change.new) {
        keys.push(change.key.clone());
    }
}

/// The Service of a slice of ours.
fn service_of(m: &ObjectMeta) -> Option<Key> {
    let label = |key| m.labels.as_ref().and_then(|l| l.get(key)).map(String::as_str);
    (label(MANAGED_BY) == Some(MANAGER)).then_some(())?;
    Some(Key::new(m.namespace.as_deref().unwrap_or(""), label(SERVICE_NAME)?))
}

fn slice_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    for key in [&change.old, &change.new].into_iter().flatten().filter_map(|o| service_of(o.meta())) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
}

impl Controller for EndpointSliceMirroring {
    const NAME: &'static str = NAME;
    const EVENT_SOURCE: &'static str = "endpoint-slice-mirroring-controller";

    fn user() -> User {
        User::controller("endpointslicemirroring-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Endpoints::KIND_REF, keys: endpoints_changed },
            Watch { kind: EndpointSlice::KIND_REF, keys: slice_changed },
            Watch { kind: Service::KIND_REF, keys: service_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let existing: Vec<&EndpointSlice> = cx
            .view
            .list_in::<EndpointSlice>(key.namespace())
            .filter(|s| service_of(&s.metadata).as_ref() == Some(key))
            .collect();
        let endpoints = cx.view.get::<Endpoints>(key).filter(|e| is_mirrored(e));
        let wanted = cx.view.get::<Service>(key).is_some_and(is_unselective);
        let Some(endpoints) = endpoints.filter(|_| wanted) else {
            existing.iter().for_each(|s| out.push(Intent::delete(*s)));
            return out;
        };
        mirror(cx, endpoints, existing, &mut out);
        out
    }
}

/// One slice: what its endpoints have in common, and they.
struct Desired {
    address_type: &'static str,
    ports: Vec<EndpointPort>,
    endpoints: Vec<Endpoint>,
}

fn mirror(cx: &Cx, of: &Endpoints, existing: Vec<&EndpointSlice>, out: &mut Outcome) {
    let mut desired: Vec<Desired> = Vec::new();
    let (mut invalid, mut skipped) = (0, 0);
    for subset in of.subsets.iter().flatten() {
        let ports: Vec<EndpointPort> = subset.ports.iter().flatten().map(port).collect();
        let ready = subset.addresses.iter().flatten().map(|a| (a, true));
        let mut taken = 0;
        for (address, ready) in ready.chain(subset.not_ready_addresses.iter().flatten().map(|a| (a, false))) {
            if taken == MAX_ADDRESSES {
                skipped += 1;
                continue;
            }
            let Some((address_type, endpoint)) = endpoint(address, ready) else {
                invalid += 1;
                continue;
            };
            taken += 1;
            match desired.iter_mut().find(|d| d.address_type == address_type && d.ports == ports) {
                Some(d) if d.endpoints.iter().any(|e| e.addresses == endpoint.addresses) => {}
                Some(d) => d.endpoints.push(endpoint),
                None => desired.push(Desired { address_type, ports: ports.clone(), endpoints: vec![endpoint] }),
            }
        }
    }
    if invalid > 0 {
        let why = format!("Skipped {invalid} invalid IP addresses when mirroring to EndpointSlices");
        out.push(Intent::event(of, EventType::Warning, "InvalidIPAddress", why));
    }
    if skipped > 0 {
        let why = format!(
            "A max of {MAX_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset. {} addresses were \
             skipped",
            skipped + invalid
        );
        out.push(Intent::event(of, EventType::Warning, "TooManyAddressesToMirror", why));
    }
    if cx.recording {
        let addresses: usize = desired.iter().map(|d| d.endpoints.len()).sum();
        out.note(note!("endpointslice.mirror", endpoints = name_of(of), addresses = addresses));
    }
    let (mut create, mut update, mut delete) = (Vec::new(), Vec::new(), existing);
    for d in desired {
        let same =
            |s: &&EndpointSlice| s.address_type == d.address_type && s.ports.as_deref().unwrap_or_default() == d.ports;
        let at = delete.iter().position(same);
        let new = slice(of, d);
        match at {
            None => create.push(new),
            Some(at) => {
                let old = delete.remove(at);
                if old.endpoints != new.endpoints || !same_meta(&old.metadata, &new.metadata) {
                    update.push(renewed(old, new));
                }
            }
        }
    }
    // A slice to delete and one to create make one update.
    while let Some(new) = create.pop() {
        match delete.iter().position(|s| s.address_type == new.address_type) {
            Some(at) => update.push(renewed(delete.remove(at), new)),
            None if of.metadata.deletion_timestamp.is_none() => out.push(Intent::create(new)),
            None => {}
        }
    }
    update.into_iter().for_each(|s| out.push(Intent::update(s)));
    delete.iter().for_each(|s| out.push(Intent::delete(*s)));
}

fn name_of(e: &Endpoints) -> &str {
    e.metadata.name.as_deref().unwrap_or("")
}

fn port(p: &OldPort) -> EndpointPort {
    EndpointPort {
        name: Some(p.name.clone().unwrap_or_default()),
        port: Some(p.port),
        protocol: Some(p.protocol.clone().unwrap_or_else(|| "TCP".into())),
        app_protocol: p.app_protocol.clone(),
    }
}

/// Models `addressToEndpoint`.
fn endpoint(a: &EndpointAddress, ready: bool) -> Option<(&'static str, Endpoint)> {
    let ip: IpAddr = a.ip.parse().ok()?;
    let endpoint = Endpoint {
        addresses: vec![ip.to_string()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..Default::default() }),
        target_ref: a.target_ref.clone(),
        node_name: a.node_name.clone(),
        hostname: a.hostname.clone().filter(|h| !h.is_empty()),
        ..Default::default()
    };
    Some((if ip.is_ipv4() { "IPv4" } else { "IPv6" }, endpoint))
}

fn slice(of: &Endpoints, d: Desired) -> EndpointSlice {
    let mut labels = of.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.into(), name_of(of).into());
    labels.insert(MANAGED_BY.into(), MANAGER.into());
    let mut annotations = of.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|k, _| !OWN.contains(&k.as_str()));
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", name_of(of))),
            namespace: of.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            owner_references: Some(vec![controller_reference(of)]),
            ..Default::default()
        },
        address_type: d.address_type.into(),
        ports: Some(d.ports),
        endpoints: d.endpoints,
    }
}

fn same_meta(old: &ObjectMeta, new: &ObjectMeta) -> bool {
    let annotations = |m: &ObjectMeta| m.annotations.clone().unwrap_or_default();
    old.labels == new.labels && annotations(old) == annotations(new)
}

/// What an existing slice becomes.
fn renewed(old: &EndpointSlice, new: EndpointSlice) -> EndpointSlice {
    let metadata = ObjectMeta {
        labels: new.metadata.labels,
        annotations: new.metadata.annotations,
        owner_references: new.metadata.owner_references,
        ..old.metadata.clone()
    };
    EndpointSlice { metadata, ..new }
}

#[cfg(test)]
mod tests {
    use super::EndpointSliceMirroring;
    use crate::testing::World;
    use serde_json::{Value, json};

    fn service(spec: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    }

    fn endpoints(subsets: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Endpoints", "subsets": subsets,
               "metadata": {"name": "db", "namespace": "default", "uid": "uid-ep", "labels": {"team": "a"},
                            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}})
    }

    #[test]
    fn endpoints_of_a_service_without_a_selector_are_mirrored() {
        let ports = json!([{"port": 5432, "protocol": "TCP"}]);
        let two =
            json!([{"addresses": [{"ip": "192.0.2.42"}], "notReadyAddresses": [{"ip": "192.0.2.43"}], "ports": ports}]);
        let mut w = World::<EndpointSliceMirroring>::new([service(json!({"ports": [{"port": 80}]}))]);
        assert_eq!(format!("{:?}", w.put(endpoints(two))), "[default/db]");
        let text = w.run("default/db");
        assert!(text.starts_with("# endpointslice.mirror endpoints=db addresses=2\ncreate {"), "{text}");
        // What has been made is left alone, and follows.
        let made = w.outcome("default/db").intents.remove(0);
        let reconcile::Write::Create(o) = made.write else { panic!("a create") };
        let mut slice = o.to_value();
        let mirrored = json!([{"addresses": ["192.0.2.42"], "conditions": {"ready": true}},
                               {"addresses": ["192.0.2.43"], "conditions": {"ready": false}}]);
        assert_eq!(slice["endpoints"], mirrored);
        let labels = json!({"endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
                            "kubernetes.io/service-name": "db", "team": "a"});
        assert_eq!(slice["metadata"]["labels"], labels);
        assert!(slice["metadata"].get("annotations").is_none(), "{slice}");
        slice["metadata"]["name"] = "db-x".into();
        w.put(slice);
        assert_eq!(w.acts("default/db"), "");
        w.put(endpoints(json!([{"addresses": [{"ip": "192.0.2.44"}], "ports": [{"port": 1, "protocol": "TCP"}]}])));
        assert_eq!(w.acts("default/db"), "update endpointslices default/db-x\n");
        // Somebody else looks after it now.
        w.put(service(json!({"ports": [{"port": 80}], "selector": {"app": "db"}})));
        assert_eq!(w.acts("default/db"), "delete endpointslices default/db-x\n");
        let mut skipped = endpoints(json!([]));
        skipped["metadata"]["labels"] = json!({"endpointslice.kubernetes.io/skip-mirror": "true"});
        w.put(service(json!({"ports": [{"port": 80}]})));
        w.put(skipped);
        assert_eq!(w.acts("default/db"), "delete endpointslices default/db-x\n");
    }
}
