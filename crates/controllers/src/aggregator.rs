//! What kube-aggregator, a part of kube-apiserver, does about APIServices: every served version of a CustomResourceDefinition
//! has one, and those of other servers say whether these can be reached. Models `pkg/controlplane/controller/crdregistration`
//! and `kube-aggregator/pkg/controllers/{autoregister, status}`.

use crate::definitions::{PROCESS, user};
use api::kinds::apiservice::{MANAGED, local, set_available};
use api::kinds::podmetrics::AGGREGATED;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Definition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, ServiceReference};
use meta::{Duration, Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, View, Watch};

/// Custom resources come after everything else.
const PRIORITIES: (i32, i32) = (1000, 100);
/// How often a server that does not answer is asked again.
const RETRY: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
pub struct Autoregister;

fn definition_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    for d in change.old.iter().chain(&change.new).filter_map(|o| o.downcast::<Definition>()) {
        keys.extend(d.spec.versions.iter().map(|v| Key::new("", &format!("{}.{}", v.name, d.spec.group))));
    }
}

/// Of what is written once at the start nobody takes care any more.
fn managed(o: &APIService) -> bool {
    o.metadata.labels.as_ref().and_then(|l| l.get(MANAGED)).is_some_and(|v| v == "true")
}

fn managed_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let both = change.old.iter().chain(&change.new);
    if both.filter_map(|o| o.downcast::<APIService>()).any(managed) {
        keys.push(change.key.clone());
    }
}

fn is_served(view: &View, group: &str, version: &str) -> bool {
    let mut all = view.list::<Definition>().filter(|d| d.spec.group == group);
    all.any(|d| d.spec.versions.iter().any(|v| v.served && v.name == version))
}

impl Controller for Autoregister {
    const NAME: &'static str = "autoregister";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Definition::KIND_REF, keys: definition_changed },
            Watch { kind: APIService::KIND_REF, keys: managed_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some((version, group)) = key.name().split_once('.') else { return out };
        out.looked_at(cx.view.count(Definition::KIND_REF));
        let wanted = is_served(cx.view, group, version).then(|| local(group, version, "true", PRIORITIES));
        match (cx.view.get::<APIService>(key), wanted) {
            (None, None) => {}
            (None, Some(wanted)) => out.push(Intent::create(wanted)),
            (Some(now), _) if !managed(now) => {}
            (Some(now), None) => out.push(Intent::delete(now)),
            (Some(now), Some(wanted)) if now.spec == wanted.spec => {}
            (Some(now), Some(wanted)) => out.push(Intent::update(APIService { spec: wanted.spec, ..now.clone() })),
        }
        out
    }
}

#[derive(Clone, Default)]
pub struct RemoteAvailable;

/// Who answers for it, if that is another server.
fn remote(o: &APIService) -> Option<&ServiceReference> {
    o.spec.as_ref()?.service.as_ref()
}

/// What metrics-server answers for. Its data are there without asking anybody.
fn is_known(o: &APIService) -> bool {
    AGGREGATED.iter().any(|k| Some(k.group) == o.spec.as_ref().and_then(|s| s.group.as_deref()))
}

fn remote_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(o) = change.new.as_ref().and_then(|o| o.downcast::<APIService>()) else { return };
    if remote(o).is_some() && !is_served_by_process(cx.view, o) {
        keys.push(change.key.clone());
    }
}

fn behind(cx: &Cx, namespace: &str, name: &str, keys: &mut Vec<Key>) {
    let fits = |s: &ServiceReference| s.namespace.as_deref() == Some(namespace) && s.name.as_deref() == Some(name);
    let all = cx.view.list::<APIService>().filter(|o| remote(o).is_some_and(fits));
    keys.extend(all.filter_map(|o| Some(Key::new("", o.metadata.name.as_deref()?))));
}

fn service_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    behind(cx, change.key.namespace(), change.key.name(), keys);
}

fn slice_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let labels = change.object().and_then(|o| o.meta().labels.as_ref());
    if let Some(name) = labels.and_then(|l| l.get("kubernetes.io/service-name")) {
        behind(cx, change.key.namespace(), name, keys);
    }
}

/// Reason and message of what is wrong; of what is known nothing need be. No simulated container speaks the API over TLS.
fn why_not(cx: &Cx, o: &APIService, at: &ServiceReference) -> Option<(&'static str, String)> {
    if is_served_by_process(cx.view, o) {
        let missing = ("MissingEndpoints", PROCESS_MISSING.to_string());
        return (!cx.view.usage.is_running()).then_some(missing);
    }
    let wrong = why_unreachable(cx, o, at);
    (wrong.0 != UNREACHABLE || !is_known(o)).then_some(wrong)
}

const UNREACHABLE: &str = "FailedDiscoveryCheck";
/// What the aggregator says when metrics-server's own pods are gone.
pub const PROCESS_MISSING: &str =
    "endpointslices for service/metrics-server in \"kube-system\" have no addresses with port name \"https\"";

/// Whether it is the process metrics-server that answers: nobody has brought a Service of that name, or another one.
pub fn is_served_by_process(view: &View, o: &APIService) -> bool {
    let own = |s: &ServiceReference| {
        (s.namespace.as_deref(), s.name.as_deref()) == (Some("kube-system"), Some("metrics-server"))
    };
    let brought = || view.get::<Service>(&Key::new("kube-system", "metrics-server")).is_some();
    is_known(o) && remote(o).is_some_and(own) && !brought()
}

fn why_unreachable(cx: &Cx, o: &APIService, at: &ServiceReference) -> (&'static str, String) {
    let (namespace, name) = (at.namespace.as_deref().unwrap_or(""), at.name.as_deref().unwrap_or(""));
    let port = at.port.unwrap_or(443);
    let Some(service) = cx.view.get::<Service>(&Key::new(namespace, name)) else {
        return ("ServiceNotFound", format!("service/{name} in {namespace:?} is not present"));
    };
    let spec = service.spec.clone().unwrap_or_default();
    if spec.type_.as_deref() == Some("ClusterIP") {
        let Some(found) = spec.ports.iter().flatten().find(|p| p.port == port) else {
            return ("ServicePortError", format!("service/{name} in {namespace:?} is not listening on port {port}"));
        };
        let port_name = found.name.as_deref().unwrap_or("");
        let of_service = |s: &&EndpointSlice| {
            let labels = s.metadata.labels.as_ref();
            labels.and_then(|l| l.get("kubernetes.io/service-name")).is_some_and(|n| n == name)
        };
        let slices: Vec<&EndpointSlice> = cx.view.list_in::<EndpointSlice>(namespace).filter(of_service).collect();
        if slices.is_empty() {
            let why = format!("cannot find endpointslices for service/{name} in {namespace:?}");
            return ("EndpointsNotFound", why);
        }
        let ready = |s: &EndpointSlice| {
            let ready = |c: &Option<bool>| *c != Some(false);
            let some = s.endpoints.iter().any(|e| e.conditions.as_ref().is_none_or(|c| ready(&c.ready)));
            let named = |n: &Option<String>| n.as_deref().unwrap_or("") == port_name;
            some && s.ports.iter().flatten().any(|p| named(&p.name) && p.port.is_some())
        };
        if !slices.iter().any(|s| ready(s)) {
            let why = format!(
                "endpointslices for service/{name} in {namespace:?} have no addresses with port name {port_name:?}"
            );
            return ("MissingEndpoints", why);
        }
    }
    let api = o.spec.clone().unwrap_or_default();
    let (group, version) = (api.group.unwrap_or_default(), api.version.unwrap_or_default());
    let host = spec
        .cluster_ip
        .filter(|ip| !ip.is_empty() && ip != "None")
        .unwrap_or_else(|| format!("{name}.{namespace}.svc"));
    let url = format!("https://{host}:{port}/apis/{group}/{version}");
    let why = format!("failing or missing response from {url}: Get {url:?}: EOF");
    (UNREACHABLE, why)
}

impl Controller for RemoteAvailable {
    const NAME: &'static str = "remote-available-controller";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: APIService::KIND_REF, keys: remote_changed },
            Watch { kind: Service::KIND_REF, keys: service_changed },
            Watch { kind: EndpointSlice::KIND_REF, keys: slice_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(o) = cx.view.get::<APIService>(key) else { return out };
        let Some(at) = remote(o) else { return out };
        let wrong = why_not(cx, o, at);
        let (reason, message) = wrong.as_ref().map_or(("Passed", "all checks passed"), |(r, m)| (*r, m.as_str()));
        let mut new = o.clone();
        set_available(&mut new, if wrong.is_some() { "False" } else { "True" }, reason, message, cx.now);
        if new.status != o.status {
            out.push(Intent::update_status(new));
        }
        if reason == UNREACHABLE {
            out.requeue(RETRY);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use serde_json::{Value, json};

    fn definition(served: bool) -> Value {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": "crontabs.example.com"},
               "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "crontabs", "kind": "CronTab"},
                        "versions": [{"name": "v1", "served": served, "storage": true}]}})
    }

    #[test]
    fn a_served_version_has_an_object_and_one_that_is_not_has_none() {
        let mut w = World::<Autoregister>::default();
        assert_eq!(format!("{:?}", w.put(definition(true))), "[v1.example.com]");
        assert_eq!(w.acts("v1.example.com"), "create apiservices v1.example.com\n");
        let queued = w.put(serde_json::to_value(local("example.com", "v1", "true", PRIORITIES)).unwrap());
        assert_eq!(format!("{queued:?}"), "[v1.example.com]");
        assert_eq!(w.acts("v1.example.com"), "");
        w.put(definition(false));
        assert_eq!(w.acts("v1.example.com"), "delete apiservices v1.example.com\n");
        // What somebody else has written is left alone.
        w.put(serde_json::to_value(local("example.com", "v1", "", PRIORITIES)).unwrap());
        assert_eq!(w.acts("v1.example.com"), "");
    }

    #[test]
    fn what_another_server_answers_for_says_what_is_missing() {
        let service = |port: u16| {
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "weather", "namespace": "default"},
                   "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": [{"name": "https", "port": port}]}})
        };
        let slice = |ready: bool| {
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                   "metadata": {"name": "weather-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "weather"}},
                   "endpoints": [{"addresses": ["10.244.0.1"], "conditions": {"ready": ready}}],
                   "ports": [{"name": "https", "port": 8443}]})
        };
        let mut w = World::<RemoteAvailable>::new([json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.weather.io"},
            "spec": {"group": "weather.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
                     "service": {"namespace": "default", "name": "weather", "port": 443}}})]);
        let says = |w: &mut World<RemoteAvailable>, object: Option<Value>| {
            if let Some(o) = object {
                assert_eq!(format!("{:?}", w.put(o)), "[v1.weather.io]");
            }
            let text = w.run("v1.weather.io");
            let reason = text.split("\"reason\":\"").nth(1).and_then(|t| t.split('"').next());
            reason.unwrap_or("").to_string()
        };
        assert_eq!(says(&mut w, None), "ServiceNotFound");
        assert_eq!(says(&mut w, Some(service(80))), "ServicePortError");
        assert_eq!(says(&mut w, Some(service(443))), "EndpointsNotFound");
        assert_eq!(says(&mut w, Some(slice(false))), "MissingEndpoints");
        assert_eq!(says(&mut w, Some(slice(true))), "FailedDiscoveryCheck");
    }
}
