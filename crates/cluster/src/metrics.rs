//! metrics-server: a component that keeps the API `metrics.k8s.io` up while it runs, and what the API answers. Models
//! `sigs.k8s.io/metrics-server/pkg/api` behind `kube-aggregator`. What it shows is counted on the nodes (`exchange.rs`).

use crate::Cluster;
use api::kinds::apiservice;
use api::kinds::podmetrics::{self, ContainerMetrics, NodeMetrics, PodMetrics};
use api::{Object, ObjectExt, Registered};
use apiserver::response::LiveQuery;
use apiserver::{Answer, Response};
use controllers::aggregator;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceSpec, ServiceReference};
use meta::{ApiError, Key, Time, User};
use reconcile::{Change, Component, Cx, Gauge, Interest, Reply, Step};
use std::any::Any;
use std::sync::Arc;
use trace::Seq;

pub const PROCESS: &str = "metrics-server";

/// It takes no turns: samples are worked out when somebody asks.
#[derive(Clone)]
pub(crate) struct MetricsServer {
    name: Arc<str>,
    user: User,
}

impl Default for MetricsServer {
    fn default() -> Self {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
        let user = User::new("system:serviceaccount:kube-system:metrics-server", &groups);
        MetricsServer { name: PROCESS.into(), user }
    }
}

impl Component for MetricsServer {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        PROCESS
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        (PROCESS.into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        Vec::new()
    }
    fn start(&mut self, _: &Cx) {}
    fn observe(&mut self, _: &Cx, _: &Change) {}
    fn ready_at(&self) -> Option<Time> {
        None
    }
    fn step(&mut self, _: &Cx) -> Option<Step> {
        None
    }
    fn settled(&mut self, _: &Cx, _: &[Reply], _: Seq) {}
    fn gauge(&self, _: Time) -> Gauge {
        Gauge::default()
    }
    fn clone_box(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// As metrics-server's manifest has it.
pub(crate) fn api_service() -> APIService {
    let service =
        ServiceReference { namespace: Some("kube-system".into()), name: Some(PROCESS.into()), port: Some(443) };
    APIService {
        metadata: ObjectMeta {
            name: Some(format!("{}.{}", podmetrics::VERSION, podmetrics::GROUP)),
            labels: Some([("k8s-app".into(), PROCESS.into())].into()),
            ..ObjectMeta::default()
        },
        spec: Some(APIServiceSpec {
            group: Some(podmetrics::GROUP.into()),
            version: Some(podmetrics::VERSION.into()),
            group_priority_minimum: 100,
            version_priority: 100,
            insecure_skip_tls_verify: Some(true),
            service: Some(service),
            ca_bundle: None,
        }),
        status: None,
    }
}

fn api_service_name() -> Key {
    Key::new("", &format!("{}.{}", podmetrics::VERSION, podmetrics::GROUP))
}

impl Cluster {
    fn turn_metrics(&mut self, on: bool) {
        match (on, self.view.usage.is_running()) {
            (true, false) => self.view.usage.serve(Some(self.now)),
            (false, _) => self.view.usage.serve(None),
            (true, true) => {}
        }
        self.api.set_aggregated(on);
    }

    /// Who has brought a metrics-server, or another Service for its API, has an API that is there as long as that Service leads
    /// somewhere, whatever the process does.
    pub(crate) fn follow_metrics(&mut self, change: &Change) {
        if change.kind != APIService::KIND_REF && change.kind != Service::KIND_REF {
            return;
        }
        let name = api_service_name();
        let concerned = change.kind == APIService::KIND_REF && change.key == name
            || change.kind == Service::KIND_REF && change.key == Key::new("kube-system", PROCESS);
        if !concerned {
            return;
        }
        let Some(o) = self.view.get::<APIService>(&name) else { return };
        let on = match aggregator::is_served_by_process(&self.view, o) {
            true => self.lamp(PROCESS) == Some(crate::Lamp::Running),
            false => apiservice::is_available(o),
        };
        if on != self.view.usage.is_running() {
            self.turn_metrics(on);
        }
    }

    /// The API is there, or gone, with the process.
    pub(crate) fn serve_metrics(&mut self, running: bool) {
        let Some(mut o) = self.view.get::<APIService>(&api_service_name()).cloned() else {
            return self.turn_metrics(running);
        };
        if !aggregator::is_served_by_process(&self.view, &o) {
            return;
        }
        self.turn_metrics(running);
        let (status, reason, message) = match running {
            true => ("True", "Passed", "all checks passed"),
            false => ("False", "MissingEndpoints", aggregator::PROCESS_MISSING),
        };
        apiservice::set_available(&mut o, status, reason, message, self.now);
        self.update_status_as_apiserver(Box::new(o));
    }

    /// What metrics-server answers.
    pub(crate) fn metrics(&self, q: &LiveQuery) -> Answer {
        if !self.view.usage.is_served(self.now) {
            return apiserver::response::unavailable();
        }
        let is_pods = q.kind == PodMetrics::KIND_REF;
        if q.name.is_empty() {
            let items = if is_pods { self.pod_metrics(q) } else { self.node_metrics(q) };
            let (resource_version, continue_token, remaining) = (0, String::new(), None);
            let list = Response::List { kind: q.kind, items, resource_version, continue_token, remaining };
            return Answer::new(200, list);
        }
        let key = Key::new(&q.namespace, &q.name);
        let of = if is_pods { Pod::KIND_REF } else { Node::KIND_REF };
        let Some(object) = self.view.get_obj(of, &key) else {
            return Answer::refusal(ApiError::not_found("", of.plural, &q.name));
        };
        let found = if is_pods { self.metrics_of_pod(&**object) } else { self.metrics_of_node(&**object) };
        let resource = if is_pods { "podmetrics" } else { "nodemetrics" };
        match found {
            Some(o) => Answer::new(200, Response::Object(o)),
            None => Answer::refusal(ApiError::not_found(podmetrics::GROUP, resource, key.as_str())),
        }
    }

    fn pod_metrics(&self, q: &LiveQuery) -> Vec<api::Obj> {
        let all: Box<dyn Iterator<Item = &api::Obj>> = match q.namespace.as_str() {
            "" => Box::new(self.view.list_obj(Pod::KIND_REF)),
            namespace => Box::new(self.view.list_obj_in(Pod::KIND_REF, namespace)),
        };
        all.filter(|o| q.filter.matches(&***o)).filter_map(|o| self.metrics_of_pod(&**o)).collect()
    }

    fn node_metrics(&self, q: &LiveQuery) -> Vec<api::Obj> {
        let all = self.view.list_obj(Node::KIND_REF);
        all.filter(|o| q.filter.matches(&***o)).filter_map(|o| self.metrics_of_node(&**o)).collect()
    }

    fn metrics_of_pod(&self, object: &dyn Object) -> Option<api::Obj> {
        let pod: &Pod = object.downcast()?;
        let sampled = reconcile::usage::of_pod(self.view(), pod, self.now)?;
        let container = |(name, s): &(Arc<str>, reconcile::usage::Sample)| ContainerMetrics {
            name: name.to_string(),
            usage: podmetrics::usage(s.nanocores, s.memory_bytes),
        };
        Some(Arc::new(PodMetrics {
            metadata: self.described(object),
            timestamp: Some(sampled.timestamp.to_k8s()),
            window: sampled.window.go_string(),
            containers: sampled.usage.iter().map(container).collect(),
        }))
    }

    fn metrics_of_node(&self, object: &dyn Object) -> Option<api::Obj> {
        let sampled = self.view.usage.node(object.name(), self.now)?;
        Some(Arc::new(NodeMetrics {
            metadata: self.described(object),
            timestamp: Some(sampled.timestamp.to_k8s()),
            window: sampled.window.go_string(),
            usage: podmetrics::usage(sampled.usage.nanocores, sampled.usage.memory_bytes),
        }))
    }

    fn described(&self, object: &dyn Object) -> ObjectMeta {
        let m = object.meta();
        ObjectMeta {
            name: m.name.clone(),
            namespace: m.namespace.clone(),
            labels: m.labels.clone(),
            creation_timestamp: Some(self.now.to_k8s()),
            ..ObjectMeta::default()
        }
    }
}
