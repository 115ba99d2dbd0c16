//! The schemas of one group and version, as upstream's v3 documents word them.

use api::Kind;
use k8s_openapi::api::{
    admissionregistration, apps, authentication, authorization, autoscaling, batch, certificates, coordination, core,
    discovery, events, flowcontrol, networking, node, policy, rbac, resource, scheduling, storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator as Generator, SchemaSettings};
use serde_json::{Map, Value, json};

/// Collects the kinds' schemas and everything they mention.
pub struct Builder {
    generator: Generator,
    kinds: Vec<(&'static Kind, String)>,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = SchemaSettings::draft07().with(|s| s.definitions_path = "/components/schemas".into());
        Builder { generator: Generator::new(settings), kinds: Vec::new() }
    }
}

impl Builder {
    pub fn add(&mut self, kind: &'static Kind) {
        let name = register(&mut self.generator, kind);
        self.kinds.push((kind, name));
        self.common(kind);
    }

    /// What is there besides the kind's own schema.
    pub fn common(&mut self, kind: &Kind) {
        // What the operations of every kind take and give.
        self.of::<meta::DeleteOptions>();
        self.of::<meta::ListMeta>();
        self.of::<meta::ObjectMeta>();
        self.of::<meta::Status>();
        for s in kind.subresources {
            match s.name {
                "scale" => self.of::<autoscaling::v1::Scale>(),
                "binding" => self.of::<core::v1::Binding>(),
                "eviction" => self.of::<policy::v1::Eviction>(),
                "token" => self.of::<authentication::v1::TokenRequest>(),
                _ => {}
            }
        }
    }

    fn of<T: JsonSchema>(&mut self) {
        of::<T>(&mut self.generator);
    }

    /// The schema's name: `io.k8s.api.apps.v1.Deployment`.
    pub fn name(&self, kind: &Kind) -> &str {
        let same = |k: &Kind| (k.group, k.version, k.kind) == (kind.group, kind.version, kind.kind);
        self.kinds.iter().find(|(k, _)| same(k)).map_or("", |(_, name)| name)
    }

    /// `components.schemas`
    pub fn finish(mut self) -> Map<String, Value> {
        let mut out: Map<String, Value> =
            self.generator.take_definitions(true).into_iter().map(|(k, v)| (k, upstream(v))).collect();
        // Upstream's own words for the two types that are a number or a string.
        for (name, schema) in &mut out {
            let extra = match name.rsplit('.').next() {
                Some("IntOrString") => {
                    json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
                }
                Some("Quantity") => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
                // Anything goes in these: a description and no type.
                Some("JSON" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray") => {
                    if let Some(schema) = schema.as_object_mut() {
                        schema.retain(|key, _| key == "description");
                    }
                    continue;
                }
                _ => continue,
            };
            if let (Some(schema), Value::Object(extra)) = (schema.as_object_mut(), extra) {
                schema.remove("x-kubernetes-int-or-string");
                schema.extend(extra);
            }
        }
        super::enums::add(&mut out);
        // An object has metadata in the types that these are made of; a document may do without. Upstream wants them for one.
        for (_, schema) in out.iter_mut().filter(|(name, _)| *name != "io.k8s.api.core.v1.Event") {
            let is_object = schema["properties"].get("apiVersion").is_some();
            let Some(schema) = schema.as_object_mut().filter(|_| is_object) else { continue };
            if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|name| name != "metadata");
                if required.is_empty() {
                    schema.remove("required");
                }
            }
        }
        for (kind, name) in &self.kinds {
            let gvk = json!([{"group": kind.group, "kind": kind.kind, "version": kind.version}]);
            if let Some(schema) = out.get_mut(name).and_then(Value::as_object_mut) {
                schema.insert("x-kubernetes-group-version-kind".into(), gvk);
            }
            out.insert(format!("{name}List"), list(kind, name));
        }
        out
    }
}

/// Every registered kind and its type. The registry cannot hold this: schemas are compiled into the server only.
fn register(g: &mut Generator, kind: &Kind) -> String {
    match (kind.group, kind.version, kind.kind) {
        ("", "v1", "ComponentStatus") => of::<core::v1::ComponentStatus>(g),
        ("", "v1", "ConfigMap") => of::<core::v1::ConfigMap>(g),
        ("", "v1", "Endpoints") => of::<core::v1::Endpoints>(g),
        ("", "v1", "Event") => of::<core::v1::Event>(g),
        ("", "v1", "LimitRange") => of::<core::v1::LimitRange>(g),
        ("", "v1", "Namespace") => of::<core::v1::Namespace>(g),
        ("", "v1", "Node") => of::<core::v1::Node>(g),
        ("", "v1", "PersistentVolume") => of::<core::v1::PersistentVolume>(g),
        ("", "v1", "PersistentVolumeClaim") => of::<core::v1::PersistentVolumeClaim>(g),
        ("", "v1", "Pod") => of::<core::v1::Pod>(g),
        ("", "v1", "PodTemplate") => of::<core::v1::PodTemplate>(g),
        ("", "v1", "ReplicationController") => of::<core::v1::ReplicationController>(g),
        ("", "v1", "ResourceQuota") => of::<core::v1::ResourceQuota>(g),
        ("", "v1", "Secret") => of::<core::v1::Secret>(g),
        ("", "v1", "Service") => of::<core::v1::Service>(g),
        ("", "v1", "ServiceAccount") => of::<core::v1::ServiceAccount>(g),
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition") => of::<apiextensions::CustomResourceDefinition>(g),
        ("apiregistration.k8s.io", "v1", "APIService") => of::<apiregistration::v1::APIService>(g),
        ("apps", "v1", "ControllerRevision") => of::<apps::v1::ControllerRevision>(g),
        ("apps", "v1", "DaemonSet") => of::<apps::v1::DaemonSet>(g),
        ("apps", "v1", "Deployment") => of::<apps::v1::Deployment>(g),
        ("apps", "v1", "ReplicaSet") => of::<apps::v1::ReplicaSet>(g),
        ("apps", "v1", "StatefulSet") => of::<apps::v1::StatefulSet>(g),
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => of::<autoscaling::v1::HorizontalPodAutoscaler>(g),
        ("autoscaling", "v2", "HorizontalPodAutoscaler") => of::<autoscaling::v2::HorizontalPodAutoscaler>(g),
        ("authentication.k8s.io", "v1", "SelfSubjectReview") => of::<authentication::v1::SelfSubjectReview>(g),
        ("authentication.k8s.io", "v1", "TokenReview") => of::<authentication::v1::TokenReview>(g),
        ("authorization.k8s.io", "v1", "LocalSubjectAccessReview") => {
            of::<authorization::v1::LocalSubjectAccessReview>(g)
        }
        ("authorization.k8s.io", "v1", "SelfSubjectAccessReview") => {
            of::<authorization::v1::SelfSubjectAccessReview>(g)
        }
        ("authorization.k8s.io", "v1", "SelfSubjectRulesReview") => of::<authorization::v1::SelfSubjectRulesReview>(g),
        ("authorization.k8s.io", "v1", "SubjectAccessReview") => of::<authorization::v1::SubjectAccessReview>(g),
        ("batch", "v1", "CronJob") => of::<batch::v1::CronJob>(g),
        ("batch", "v1", "Job") => of::<batch::v1::Job>(g),
        ("certificates.k8s.io", "v1", "CertificateSigningRequest") => {
            of::<certificates::v1::CertificateSigningRequest>(g)
        }
        ("coordination.k8s.io", "v1", "Lease") => of::<coordination::v1::Lease>(g),
        ("discovery.k8s.io", "v1", "EndpointSlice") => of::<discovery::v1::EndpointSlice>(g),
        ("events.k8s.io", "v1", "Event") => of::<events::v1::Event>(g),
        ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema") => of::<flowcontrol::v1::FlowSchema>(g),
        ("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration") => {
            of::<flowcontrol::v1::PriorityLevelConfiguration>(g)
        }
        ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration") => {
            of::<admissionregistration::v1::MutatingWebhookConfiguration>(g)
        }
        ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy") => {
            of::<admissionregistration::v1::ValidatingAdmissionPolicy>(g)
        }
        ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding") => {
            of::<admissionregistration::v1::ValidatingAdmissionPolicyBinding>(g)
        }
        ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration") => {
            of::<admissionregistration::v1::ValidatingWebhookConfiguration>(g)
        }
        ("networking.k8s.io", "v1", "Ingress") => of::<networking::v1::Ingress>(g),
        ("networking.k8s.io", "v1", "IngressClass") => of::<networking::v1::IngressClass>(g),
        ("networking.k8s.io", "v1", "NetworkPolicy") => of::<networking::v1::NetworkPolicy>(g),
        ("networking.k8s.io", "v1", "IPAddress") => of::<networking::v1::IPAddress>(g),
        ("networking.k8s.io", "v1", "ServiceCIDR") => of::<networking::v1::ServiceCIDR>(g),
        ("node.k8s.io", "v1", "RuntimeClass") => of::<node::v1::RuntimeClass>(g),
        ("policy", "v1", "PodDisruptionBudget") => of::<policy::v1::PodDisruptionBudget>(g),
        ("rbac.authorization.k8s.io", "v1", "ClusterRole") => of::<rbac::v1::ClusterRole>(g),
        ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding") => of::<rbac::v1::ClusterRoleBinding>(g),
        ("rbac.authorization.k8s.io", "v1", "Role") => of::<rbac::v1::Role>(g),
        ("rbac.authorization.k8s.io", "v1", "RoleBinding") => of::<rbac::v1::RoleBinding>(g),
        ("scheduling.k8s.io", "v1", "PriorityClass") => of::<scheduling::v1::PriorityClass>(g),
        ("storage.k8s.io", "v1", "CSIDriver") => of::<storage::v1::CSIDriver>(g),
        ("storage.k8s.io", "v1", "CSINode") => of::<storage::v1::CSINode>(g),
        ("resource.k8s.io", "v1", "DeviceClass") => of::<resource::v1::DeviceClass>(g),
        ("resource.k8s.io", "v1", "ResourceClaim") => of::<resource::v1::ResourceClaim>(g),
        ("resource.k8s.io", "v1", "ResourceClaimTemplate") => of::<resource::v1::ResourceClaimTemplate>(g),
        ("resource.k8s.io", "v1", "ResourceSlice") => of::<resource::v1::ResourceSlice>(g),
        ("storage.k8s.io", "v1", "CSIStorageCapacity") => of::<storage::v1::CSIStorageCapacity>(g),
        ("storage.k8s.io", "v1", "StorageClass") => of::<storage::v1::StorageClass>(g),
        ("storage.k8s.io", "v1", "VolumeAttachment") => of::<storage::v1::VolumeAttachment>(g),
        ("storage.k8s.io", "v1", "VolumeAttributesClass") => of::<storage::v1::VolumeAttributesClass>(g),
        // A test checks that no registered kind ends here.
        _ => String::new(),
    }
}

fn of<T: JsonSchema>(g: &mut Generator) -> String {
    g.subschema_for::<T>();
    T::schema_name().into_owned()
}

/// OpenAPI 3.0 ignores what stands beside `$ref`, so upstream wraps it: `allOf: [{$ref}]`.
fn upstream(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(upstream).collect()),
        Value::Object(map) => {
            let mut map: Map<String, Value> = map.into_iter().map(|(k, v)| (k, upstream(v))).collect();
            // JSONSchemaProps has a property of this name: its value is a schema.
            if map.len() > 1
                && map.get("$ref").is_some_and(Value::is_string)
                && let Some(reference) = map.remove("$ref")
            {
                map.insert("allOf".into(), json!([{ "$ref": reference }]));
            }
            Value::Object(map)
        }
        other => other,
    }
}

pub fn list(kind: &Kind, name: &str) -> Value {
    let reference = |n: &str| json!([{"$ref": format!("#/components/schemas/{n}")}]);
    json!({
        "description": format!("{0}List is a list of {0} objects.", kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": api::custom::API_VERSION},
            "kind": {"type": "string", "description": api::custom::KIND},
            "metadata": {"allOf": reference("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"), "default": {}, "description": "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"},
            "items": {"type": "array", "description": format!("List of {}.", kind.plural), "items": {"allOf": reference(name), "default": {}}}
        },
        "x-kubernetes-group-version-kind": [{"group": kind.group, "kind": format!("{}List", kind.kind), "version": kind.version}]
    })
}
