//! Says of APIServices whose server is another one whether it can be reached. Models
//! `kube-aggregator/pkg/controllers/status/remote`.

use crate::definitions::{PROCESS, user};
use api::kinds::apiservice::set_available;
use api::kinds::podmetrics::AGGREGATED;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, ServiceReference};
use meta::{Duration, Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, View, Watch};
use std::collections::BTreeMap;

/// How often a server is asked whether it is still there.
const RESYNC: Duration = Duration::from_secs(30);
/// How soon one that does not answer is asked again: the first time, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(30));

/// It does not go to the servers itself: the cluster takes its questions ([`RemoteAvailable::take_asked`]) and brings what came
/// of them ([`RemoteAvailable::hear`]).
#[derive(Clone, Default)]
pub struct RemoteAvailable {
    asked: Vec<Key>,
    heard: BTreeMap<Key, Result<(), String>>,
    /// How often a server has not answered in a row.
    failures: BTreeMap<Key, u32>,
}

impl RemoteAvailable {
    /// The APIServices whose servers are to be asked.
    pub fn take_asked(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.asked)
    }
    /// Whether the server behind an APIService answers. It has to be looked at then.
    pub fn hear(&mut self, key: &Key, said: Result<(), String>) {
        self.heard.insert(key.clone(), said);
    }

    fn forget(&mut self, key: &Key) {
        self.heard.remove(key);
        self.failures.remove(key);
    }

    fn retry(&mut self, key: &Key) -> Duration {
        let n = self.failures.entry(key.clone()).or_default();
        let delay = Duration(RETRY.0.0.saturating_mul(1 << (*n).min(30))).min(RETRY.1);
        *n += 1;
        delay
    }
}

/// Who answers for it, if that is another server.
fn remote(o: &APIService) -> Option<&ServiceReference> {
    o.spec.as_ref()?.service.as_ref()
}

/// What metrics-server answers for. Its data are there without asking anybody.
fn is_known(o: &APIService) -> bool {
    AGGREGATED.iter().any(|k| Some(k.group) == o.spec.as_ref().and_then(|s| s.group.as_deref()))
}

fn remote_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    match change.new.as_ref().and_then(|o| o.downcast::<APIService>()) {
        Some(o) if remote(o).is_some() && !is_served_by_process(cx.view, o) => keys.push(change.key.clone()),
        Some(_) => {}
        None => keys.push(change.key.clone()),
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

/// Why there is nobody to ask: reason and message.
fn missing(view: &View, at: &ServiceReference) -> Option<(&'static str, String)> {
    let (namespace, name) = (at.namespace.as_deref().unwrap_or(""), at.name.as_deref().unwrap_or(""));
    let port = at.port.unwrap_or(443);
    let Some(service) = view.get::<Service>(&Key::new(namespace, name)) else {
        return Some(("ServiceNotFound", format!("service/{name} in {namespace:?} is not present")));
    };
    let spec = service.spec.as_ref()?;
    if spec.type_.as_deref() != Some("ClusterIP") {
        return None;
    }
    let Some(found) = spec.ports.iter().flatten().find(|p| p.port == port) else {
        return Some(("ServicePortError", format!("service/{name} in {namespace:?} is not listening on port {port}")));
    };
    let port_name = found.name.as_deref().unwrap_or("");
    let of_service = |s: &&EndpointSlice| {
        let labels = s.metadata.labels.as_ref();
        labels.and_then(|l| l.get("kubernetes.io/service-name")).is_some_and(|n| n == name)
    };
    let mut slices = view.list_in::<EndpointSlice>(namespace).filter(of_service).peekable();
    if slices.peek().is_none() {
        return Some(("EndpointsNotFound", format!("cannot find endpointslices for service/{name} in {namespace:?}")));
    }
    let ready = |s: &EndpointSlice| {
        let some = s.endpoints.iter().any(|e| e.conditions.as_ref().is_none_or(|c| c.ready != Some(false)));
        let named = |n: &Option<String>| n.as_deref().unwrap_or("") == port_name;
        some && s.ports.iter().flatten().any(|p| named(&p.name) && p.port.is_some())
    };
    (!slices.any(ready)).then(|| {
        let why = format!(
            "endpointslices for service/{name} in {namespace:?} have no addresses with port name {port_name:?}"
        );
        ("MissingEndpoints", why)
    })
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
        let found = cx.view.get::<APIService>(key);
        let Some((o, at)) = found.and_then(|o| Some((o, remote(o)?))) else {
            self.forget(key);
            return out;
        };
        let wrong = if is_served_by_process(cx.view, o) {
            (!cx.view.usage.is_running()).then(|| ("MissingEndpoints", PROCESS_MISSING.to_string()))
        } else if let Some(wrong) = missing(cx.view, at) {
            self.forget(key);
            Some(wrong)
        } else if is_known(o) {
            None
        } else {
            match self.heard.remove(key) {
                None => {
                    self.asked.push(key.clone());
                    out.requeue(RESYNC);
                    return out;
                }
                Some(Ok(())) => {
                    self.failures.remove(key);
                    out.requeue(RESYNC);
                    None
                }
                Some(Err(why)) => {
                    out.requeue(self.retry(key));
                    Some(("FailedDiscoveryCheck", why))
                }
            }
        };
        let (reason, message) = wrong.as_ref().map_or(("Passed", "all checks passed"), |(r, m)| (*r, m.as_str()));
        let mut new = o.clone();
        set_available(&mut new, if wrong.is_some() { "False" } else { "True" }, reason, message, cx.now);
        if new.status != o.status {
            out.push(Intent::update_status(new));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use serde_json::{Value, json};

    fn service(port: u16) -> Value {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "weather", "namespace": "default"},
               "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": [{"name": "https", "port": port}]}})
    }

    fn slice(ready: bool) -> Value {
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
               "metadata": {"name": "weather-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "weather"}},
               "endpoints": [{"addresses": ["10.244.0.1"], "conditions": {"ready": ready}}],
               "ports": [{"name": "https", "port": 8443}]})
    }

    fn world() -> World<RemoteAvailable> {
        World::new([json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.weather.io"},
            "spec": {"group": "weather.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1,
                     "service": {"namespace": "default", "name": "weather", "port": 443}}})])
    }

    /// Reason and message of what it writes.
    fn says(w: &mut World<RemoteAvailable>) -> String {
        let text = w.run("v1.weather.io");
        let field = |name: &str| {
            let value = text.split(&format!("\"{name}\":\"")).nth(1)?.replace("\\\"", "'");
            Some(value.split('"').next()?.to_string())
        };
        format!("{}: {}", field("reason").unwrap_or_default(), field("message").unwrap_or_default())
    }

    #[test]
    fn what_another_server_answers_for_says_what_is_missing() {
        let mut w = world();
        let mut next = |object: Option<Value>| {
            if let Some(o) = object {
                assert_eq!(format!("{:?}", w.put(o)), "[v1.weather.io]");
            }
            says(&mut w)
        };
        assert_eq!(next(None), "ServiceNotFound: service/weather in 'default' is not present");
        let port = "ServicePortError: service/weather in 'default' is not listening on port 443";
        assert_eq!(next(Some(service(80))), port);
        let none = "EndpointsNotFound: cannot find endpointslices for service/weather in 'default'";
        assert_eq!(next(Some(service(443))), none);
        let unready = "MissingEndpoints: endpointslices for service/weather in 'default' have no addresses with port name 'https'";
        assert_eq!(next(Some(slice(false))), unready);
    }

    #[test]
    fn a_server_is_asked_and_what_it_says_counts_once() {
        let mut w = world();
        w.put(service(443));
        w.put(slice(true));
        let key = Key::new("", "v1.weather.io");
        let ask = |w: &mut World<RemoteAvailable>| {
            assert!(w.outcome("v1.weather.io").intents.is_empty());
            assert_eq!(w.controller.take_asked(), std::slice::from_ref(&key));
        };
        let delay = |w: &mut World<RemoteAvailable>| {
            let cx = Cx { now: w.now, view: &w.view, recording: false };
            w.controller.reconcile(&cx, &key).requeue_after
        };
        for delays in [5, 10, 20] {
            ask(&mut w);
            w.controller.hear(&key, Err("no".into()));
            assert_eq!(delay(&mut w), Some(Duration::from_millis(delays)));
        }
        ask(&mut w);
        w.controller.hear(&key, Err("no".into()));
        assert_eq!(says(&mut w), "FailedDiscoveryCheck: no");
        ask(&mut w);
        w.controller.hear(&key, Ok(()));
        assert_eq!(says(&mut w), "Passed: all checks passed");
        ask(&mut w);
        w.controller.hear(&key, Err("no".into()));
        assert_eq!(delay(&mut w), Some(Duration::from_millis(5)));
    }
}
