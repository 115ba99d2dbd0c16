//! What a new control plane holds before anybody asks: the system namespaces, the system's priority classes, a
//! default storage class and the `kubernetes` Service. Models `pkg/controlplane/controller/{systemnamespaces,kubernetesservice}` and
//! `pkg/registry/scheduling/rest`.

use crate::{Cluster, requests};
use api::kinds::storageclass::WAIT_FOR_FIRST_CONSUMER;
use api::kinds::{flowcontrol, flowschema};
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{self as core, ConfigMap, EndpointAddress, EndpointSubset, Endpoints};
use k8s_openapi::api::core::v1::{Namespace, Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use k8s_openapi::api::networking::v1::{ServiceCIDR, ServiceCIDRSpec, ServiceCIDRStatus};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{Duration, Key, Rng, Time, User};
use reconcile::Change;

const SYSTEM_NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// How often the API server looks after what is its own (`DefaultEndpointReconcilerInterval`).
const OWN_EVERY: Duration = Duration::from_secs(10);
/// Where the API server says it listens: the first address of the node network.
pub(crate) const API_SERVER_IP: &str = network::policy::CONTROL_PLANE_ADDRESS;

/// What claims without a class get: kind's `standard`, made by Rancher's local path provisioner on the node of the pod
/// that comes first.
fn default_storage_class() -> StorageClass {
    StorageClass {
        metadata: ObjectMeta {
            name: Some("standard".into()),
            annotations: Some([("storageclass.kubernetes.io/is-default-class".into(), "true".into())].into()),
            ..Default::default()
        },
        provisioner: "rancher.io/local-path".into(),
        volume_binding_mode: Some(WAIT_FOR_FIRST_CONSUMER.into()),
        ..Default::default()
    }
}

/// What kind's manifest of the local path provisioner lets it do.
fn provisioner_access() -> [Box<dyn Object>; 2] {
    let list = |words: &[&str]| words.iter().map(|w| (*w).to_string()).collect::<Vec<_>>();
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| PolicyRule {
        api_groups: Some(list(&[group])),
        resources: Some(list(resources)),
        verbs: list(verbs),
        ..Default::default()
    };
    let read = ["get", "list", "watch"];
    let named = |name: &str| ObjectMeta { name: Some(name.into()), ..Default::default() };
    let role = "local-path-provisioner-role";
    let rules = vec![
        rule("", &["nodes", "persistentvolumeclaims", "configmaps", "pods", "pods/log"], &read),
        rule("", &["persistentvolumes"], &["get", "list", "watch", "create", "patch", "update", "delete"]),
        rule("", &["events"], &["create", "patch"]),
        rule("storage.k8s.io", &["storageclasses"], &read),
    ];
    let subject = Subject {
        kind: "ServiceAccount".into(),
        name: "local-path-provisioner-service-account".into(),
        namespace: Some("local-path-storage".into()),
        api_group: None,
    };
    let role_ref =
        RoleRef { api_group: "rbac.authorization.k8s.io".into(), kind: "ClusterRole".into(), name: role.into() };
    [
        Box::new(ClusterRole { metadata: named(role), rules: Some(rules), aggregation_rule: None }),
        Box::new(ClusterRoleBinding {
            metadata: named("local-path-provisioner-bind"),
            role_ref,
            subjects: Some(vec![subject]),
        }),
    ]
}

fn as_apiserver() -> User {
    User::new("system:apiserver", &["system:masters", "system:authenticated"])
}

/// The Service by which pods reach the API server, and where it leads. Nobody else makes them.
fn own() -> [Box<dyn Object>; 3] {
    let labels = |pairs: &[(&str, &str)]| Some(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect());
    let service = Service {
        metadata: ObjectMeta {
            name: Some("kubernetes".into()),
            labels: labels(&[("component", "apiserver"), ("provider", "kubernetes")]),
            ..Default::default()
        },
        spec: Some(ServiceSpec {
            cluster_ip: Some("10.96.0.1".into()),
            ports: Some(vec![ServicePort {
                name: Some("https".into()),
                port: 443,
                protocol: Some("TCP".into()),
                target_port: Some(IntOrString::Int(6443)),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        ..Default::default()
    };
    let slice = EndpointSlice {
        metadata: ObjectMeta {
            name: Some("kubernetes".into()),
            labels: labels(&[("kubernetes.io/service-name", "kubernetes")]),
            ..Default::default()
        },
        address_type: "IPv4".into(),
        endpoints: vec![Endpoint {
            addresses: vec![API_SERVER_IP.into()],
            conditions: Some(EndpointConditions { ready: Some(true), ..Default::default() }),
            ..Default::default()
        }],
        ports: Some(vec![EndpointPort {
            name: Some("https".into()),
            port: Some(6443),
            protocol: Some("TCP".into()),
            ..Default::default()
        }]),
    };
    let endpoints = Endpoints {
        metadata: ObjectMeta {
            name: Some("kubernetes".into()),
            labels: labels(&[("endpointslice.kubernetes.io/skip-mirror", "true")]),
            ..Default::default()
        },
        subsets: Some(vec![EndpointSubset {
            addresses: Some(vec![EndpointAddress { ip: API_SERVER_IP.into(), ..Default::default() }]),
            ports: Some(vec![core::EndpointPort {
                name: Some("https".into()),
                port: 6443,
                protocol: Some("TCP".into()),
                ..Default::default()
            }]),
            ..Default::default()
        }]),
    };
    [Box::new(service), Box::new(slice), Box::new(endpoints)]
}

impl Cluster {
    pub(crate) fn bootstrap(&mut self) {
        for name in SYSTEM_NAMESPACES {
            let metadata = ObjectMeta { name: Some(name.into()), ..Default::default() };
            self.create_as_apiserver("", Box::new(Namespace { metadata, ..Default::default() }));
        }
        self.bootstrap_access();
        for class in api::kinds::priorityclass::system() {
            self.create_as_apiserver("", Box::new(class));
        }
        self.create_as_apiserver("", Box::new(default_storage_class()));
        own().into_iter().for_each(|o| self.create_as_apiserver("default", o));
    }

    /// Notes that the API server has lost something of its own, which it looks for every ten seconds.
    pub(crate) fn note_own(&mut self, change: &Change) {
        if change.new.is_some() || self.own_due.is_some() {
            return;
        }
        let is_service = change.key.namespace() == "default" && change.key.name() == "kubernetes";
        let kinds = [Service::KIND_REF, EndpointSlice::KIND_REF, Endpoints::KIND_REF];
        let is_own = is_service && kinds.contains(&change.kind);
        if is_own || (change.kind == Namespace::KIND_REF && SYSTEM_NAMESPACES.contains(&change.key.name())) {
            let rounds = self.now.as_micros() / OWN_EVERY.as_micros();
            self.own_due = Some(Time((rounds + 1) * OWN_EVERY.as_micros()));
        }
    }

    /// Makes what is missing of it. Models `controlplane/controller/{kubernetesservice,systemnamespaces}` and
    /// `controlplane/reconcilers`.
    pub(crate) fn restore_own(&mut self) {
        if self.own_due.is_none_or(|t| t > self.now) {
            return;
        }
        self.own_due = None;
        for name in SYSTEM_NAMESPACES {
            if self.view.get::<Namespace>(&Key::new("", name)).is_none() {
                let metadata = ObjectMeta { name: Some(name.into()), ..Default::default() };
                self.create_as_apiserver("", Box::new(Namespace { metadata, ..Default::default() }));
            }
        }
        for object in own() {
            if self.view.get_obj(object.kind(), &Key::new("default", object.name())).is_none() {
                self.create_as_apiserver("default", object);
            }
        }
    }

    /// Roles, bindings, what ingress-nginx brings, and the runtime class. Their UIDs come from a generator of their own: one role more should not change what happens in
    /// every simulation.
    fn bootstrap_access(&mut self) {
        let kept = std::mem::replace(&mut self.rng, Rng::new(!self.config.seed));
        self.create_as_apiserver("", crate::ingress::namespace());
        let access = apiserver::authz::policy::bootstrap().into_iter().chain(provisioner_access());
        for object in access.chain(crate::ingress::objects()) {
            let namespace = object.meta().namespace.clone().unwrap_or_default();
            self.create_as_apiserver(&namespace, object);
        }
        self.create_as_apiserver("", Box::new(api::kinds::runtimeclass::wasmtime()));
        let account = ServiceAccount {
            metadata: ObjectMeta {
                name: Some(crate::metrics::PROCESS.into()),
                labels: Some([("k8s-app".into(), crate::metrics::PROCESS.into())].into()),
                ..Default::default()
            },
            ..Default::default()
        };
        self.create_as_apiserver("kube-system", Box::new(account));
        self.bootstrap_own();
        self.rng = kept;
    }

    /// What the API server keeps about itself: who answers for which group, how requests share its attention, and which
    /// addresses Services have.
    fn bootstrap_own(&mut self) {
        for service in api::kinds::apiservice::built_in() {
            self.create_as_apiserver("", Box::new(service));
        }
        self.create_as_apiserver("", Box::new(crate::metrics::api_service()));
        for level in flowcontrol::levels() {
            self.create_as_apiserver("", Box::new(level));
        }
        for schema in flowcontrol::schemas() {
            let name = Key::new("", schema.metadata.name.as_deref().unwrap_or(""));
            self.create_as_apiserver("", Box::new(schema));
            let said = self.view.get::<FlowSchema>(&name).and_then(|s| flowschema::with_dangling(s, true, self.now));
            said.into_iter().for_each(|s| self.update_status_as_apiserver(Box::new(s)));
        }
        let run = self.rng.uuid();
        let lease = controllers::identity::lease(&run, self.now);
        self.create_as_apiserver("kube-system", Box::new(lease));
        let mut cidr = ServiceCIDR::default();
        cidr.metadata.name = Some("kubernetes".into());
        cidr.metadata.finalizers = Some(vec!["networking.k8s.io/service-cidr-finalizer".into()]);
        let range = self.api.config().service_cidr.clone();
        cidr.spec = Some(ServiceCIDRSpec { cidrs: Some(vec![range]) });
        self.create_as_apiserver("", Box::new(cidr));
        let Some(mut cidr) = self.view.get::<ServiceCIDR>(&Key::new("", "kubernetes")).cloned() else { return };
        let ready = Condition {
            type_: "Ready".into(),
            status: "True".into(),
            reason: String::new(),
            message: "Kubernetes Service CIDR is ready".into(),
            last_transition_time: self.now.to_k8s(),
            observed_generation: None,
        };
        cidr.status = Some(ServiceCIDRStatus { conditions: Some(vec![ready]) });
        self.update_status_as_apiserver(Box::new(cidr));
    }

    /// Says by which certificate authority (PEM) clients recognize this API server: the ConfigMap from which the
    /// root CA publisher copies into every namespace. A cluster that nobody reaches over TLS has none. Models
    /// `pkg/controlplane/controller/clusterauthenticationtrust`.
    /// `proxy_pem`: the authority behind the certificate by which other servers believe this one who its clients are.
    pub fn publish_ca(&mut self, pem: &str, proxy_pem: &str) {
        let data = [
            ("client-ca-file", pem),
            ("requestheader-allowed-names", r#"["front-proxy-client"]"#),
            ("requestheader-client-ca-file", proxy_pem),
            ("requestheader-extra-headers-prefix", r#"["X-Remote-Extra-"]"#),
            ("requestheader-group-headers", r#"["X-Remote-Group"]"#),
            ("requestheader-username-headers", r#"["X-Remote-User"]"#),
        ];
        let map = ConfigMap {
            metadata: ObjectMeta { name: Some("extension-apiserver-authentication".into()), ..Default::default() },
            data: Some(data.map(|(key, value)| (key.into(), value.into())).into()),
            ..Default::default()
        };
        self.create_as_apiserver("kube-system", Box::new(map));
    }

    pub(crate) fn update_status_as_apiserver(&mut self, object: Box<dyn Object>) {
        let mut req = requests::update(as_apiserver(), "status", object);
        req.options.field_manager = "kube-apiserver".into();
        let lane = self.lanes.apiserver.clone();
        self.send(lane, 0, req);
    }

    pub(crate) fn create_as_apiserver(&mut self, namespace: &str, mut object: Box<dyn Object>) {
        object.meta_mut().namespace = (!namespace.is_empty()).then(|| namespace.into());
        let mut req = requests::create(as_apiserver(), object);
        req.options.field_manager = "kube-apiserver".into();
        let lane = self.lanes.apiserver.clone();
        self.send(lane, 0, req);
    }
}
