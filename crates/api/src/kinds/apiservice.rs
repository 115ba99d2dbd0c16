//! APIService: which server answers for a group and version. Models `kube-aggregator/pkg/registry/apiservice` and
//! `pkg/apis/apiregistration/validation`.

use super::{STATUS_VERBS, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::names::{self, NameRule, rule};
use crate::validate::{each, text};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceCondition, APIServiceSpec};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, APIService);

pub const AVAILABLE: &str = "Available";
/// Says that the API server keeps it.
pub const MANAGED: &str = "kube-aggregator.kubernetes.io/automanaged";

impl Registration for Reg {
    type Type = APIService;
    const PLURAL: &'static str = "apiservices";
    const SINGULAR: &'static str = "apiservice";
    const CATEGORIES: &'static [&'static str] = &["api-extensions"];
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Service", "string", 0).describe("The reference to the service that hosts this API endpoint."),
        Column::new("Available", "string", 0).describe("Whether this service is available."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata:
  name: v1.weather.example.com
spec:
  group: weather.example.com
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 15
  insecureSkipTLSVerify: true
  service:
    namespace: default
    name: weather
";
    const NAME_RULE: NameRule = rule::path_segment;

    fn default(o: &mut APIService) {
        if let Some(service) = o.spec.as_mut().and_then(|s| s.service.as_mut()) {
            service.port.get_or_insert(443);
        }
    }
    /// What the API server itself answers for is there.
    fn prepare_create(o: &mut APIService) {
        o.status = None;
        if o.spec.as_ref().is_none_or(|s| s.service.is_none()) {
            let message = Some("Local APIServices are always available".into());
            let condition = APIServiceCondition {
                type_: AVAILABLE.into(),
                status: "True".into(),
                reason: Some("Local".into()),
                message,
                last_transition_time: o.metadata.creation_timestamp.clone(),
            };
            o.status.get_or_insert_default().conditions = Some(vec![condition]);
        }
    }
    fn prepare_update(new: &mut APIService, old: &APIService) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut APIService, old: &APIService) {
        new.spec.clone_from(&old.spec);
        new.metadata.labels.clone_from(&old.metadata.labels);
        new.metadata.annotations.clone_from(&old.metadata.annotations);
        new.metadata.finalizers.clone_from(&old.metadata.finalizers);
        new.metadata.owner_references.clone_from(&old.metadata.owner_references);
    }

    fn validate_create(o: &APIService) -> Vec<FieldError> {
        check(text(&o.metadata.name), &o.spec.clone().unwrap_or_default())
    }
    fn validate_update(new: &APIService, _: &APIService) -> Vec<FieldError> {
        Self::validate_create(new)
    }
    fn validate_status(new: &APIService, _: &APIService) -> Vec<FieldError> {
        let at = Path::new("status").child("conditions");
        let values = ["True", "False", "Unknown"];
        let all = new.status.iter().flat_map(|s| &s.conditions).flatten().enumerate();
        let odd = all.filter(|(_, c)| !values.contains(&c.status.as_str()));
        odd.map(|(i, c)| FieldError::not_supported(&at.index(i).child("status"), c.status.as_str(), &values)).collect()
    }

    fn cells(o: &APIService, now: Time) -> Vec<Cell> {
        let service = o.spec.as_ref().and_then(|s| s.service.as_ref());
        let service = service.map_or_else(|| "Local".into(), |s| format!("{}/{}", text(&s.namespace), text(&s.name)));
        vec![table::name(&o.metadata), service.into(), available(o).into(), table::age(&o.metadata, now)]
    }
}

fn available(o: &APIService) -> String {
    let mut conditions = o.status.iter().flat_map(|s| &s.conditions).flatten();
    match conditions.find(|c| c.type_ == AVAILABLE) {
        None => "Unknown".into(),
        Some(c) => match text(&c.reason) {
            reason if c.status != "True" && !reason.is_empty() => format!("{} ({reason})", c.status),
            _ => c.status.clone(),
        },
    }
}

/// Whether whoever answers for it can be reached.
pub fn is_available(o: &APIService) -> bool {
    let conditions = o.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions.into_iter().flatten().any(|c| c.type_ == AVAILABLE && c.status == "True")
}

/// Models `SetAPIServiceCondition`.
pub fn set_available(o: &mut APIService, status: &str, reason: &str, message: &str, now: Time) {
    let list = o.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut new = APIServiceCondition {
        type_: AVAILABLE.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_transition_time: Some(now.to_k8s()),
    };
    match list.iter_mut().find(|c| c.type_ == AVAILABLE) {
        None => list.push(new),
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
    }
}

/// Models `ValidateAPIService`.
fn check(name: &str, s: &APIServiceSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (group, version) = (text(&s.group), text(&s.version));
    let required = format!("{version}.{group}");
    if name != required {
        let why = format!("must be `spec.version+\".\"+spec.group`: {required:?}");
        errors.push(FieldError::invalid(&Path::new("metadata").child("name"), name, why));
    }
    let spec = Path::new("spec");
    if group.is_empty() && version != "v1" {
        let why = "only v1 may have an empty group and it better be legacy kube";
        errors.push(FieldError::required(&spec.child("group"), why));
    }
    if !group.is_empty() {
        errors.extend(each(&spec.child("group"), group, names::dns1123_subdomain(group)));
    }
    errors.extend(each(&spec.child("version"), version, names::dns1035_label(version)));
    if s.group_priority_minimum <= 0 || s.group_priority_minimum > 20_000 {
        let why = "must be positive and less than 20000";
        errors.push(FieldError::invalid(&spec.child("groupPriorityMinimum"), s.group_priority_minimum, why));
    }
    if s.version_priority <= 0 || s.version_priority > 1000 {
        let why = "must be positive and less than 1000";
        errors.push(FieldError::invalid(&spec.child("versionPriority"), s.version_priority, why));
    }
    let bundle = s.ca_bundle.as_ref().map_or(0, |b| b.0.len());
    let insecure = s.insecure_skip_tls_verify == Some(true);
    let (at_bundle, at_insecure) = (spec.child("caBundle"), spec.child("insecureSkipTLSVerify"));
    let Some(service) = &s.service else {
        if bundle > 0 {
            let why = "local APIServices may not have a caBundle";
            errors.push(FieldError::invalid(&at_bundle, format!("{bundle} bytes"), why));
        }
        if insecure {
            let why = "local APIServices may not have insecureSkipTLSVerify";
            errors.push(FieldError::invalid(&at_insecure, true, why));
        }
        return errors;
    };
    let at = spec.child("service");
    if text(&service.namespace).is_empty() {
        errors.push(FieldError::required(&at.child("namespace"), ""));
    }
    if text(&service.name).is_empty() {
        errors.push(FieldError::required(&at.child("name"), ""));
    }
    let port = service.port.unwrap_or(0);
    let why = names::port_number(i64::from(port));
    if !why.is_empty() {
        let why = format!("port is not valid: {}", why.join(", "));
        errors.push(FieldError::invalid(&at.child("port"), port, why));
    }
    if insecure && bundle > 0 {
        errors.push(FieldError::invalid(&at_insecure, true, "may not be true if caBundle is present"));
    }
    errors
}

/// The API server's own groups and versions, with their priorities. Models `DefaultGenericAPIServicePriorities` and the control
/// plane's additions to it.
const PRIORITIES: &[(&str, &str, i32, i32)] = &[
    ("", "v1", 18000, 1),
    ("admissionregistration.k8s.io", "v1", 16700, 15),
    ("apiextensions.k8s.io", "v1", 16700, 15),
    ("apps", "v1", 17800, 15),
    ("authentication.k8s.io", "v1", 17700, 15),
    ("authorization.k8s.io", "v1", 17600, 15),
    ("autoscaling", "v1", 17500, 15),
    ("autoscaling", "v2", 17500, 30),
    ("batch", "v1", 17400, 15),
    ("certificates.k8s.io", "v1", 17300, 15),
    ("coordination.k8s.io", "v1", 16500, 15),
    ("discovery.k8s.io", "v1", 16200, 15),
    ("events.k8s.io", "v1", 17750, 15),
    ("flowcontrol.apiserver.k8s.io", "v1", 16100, 21),
    ("networking.k8s.io", "v1", 17200, 15),
    ("node.k8s.io", "v1", 16300, 15),
    ("policy", "v1", 17200, 15),
    ("rbac.authorization.k8s.io", "v1", 17000, 15),
    ("resource.k8s.io", "v1", 15900, 15),
    ("scheduling.k8s.io", "v1", 16600, 15),
    ("storage.k8s.io", "v1", 16800, 15),
];

/// Its object for a group and version.
pub fn local(group: &str, version: &str, managed: &str, priorities: (i32, i32)) -> APIService {
    let mut o = APIService {
        spec: Some(APIServiceSpec {
            group: Some(group.into()),
            version: Some(version.into()),
            group_priority_minimum: priorities.0,
            version_priority: priorities.1,
            ..Default::default()
        }),
        ..Default::default()
    };
    o.metadata.name = Some(format!("{version}.{group}"));
    o.metadata.labels = Some([(MANAGED.into(), managed.into())].into());
    o
}

/// Those of the built-in kinds.
pub fn built_in() -> Vec<APIService> {
    let served = |g: &str, v: &str| super::KINDS.iter().any(|k| k.group == g && k.version == v);
    let listed = PRIORITIES.iter().filter(|(g, v, ..)| served(g, v));
    listed.map(|(g, v, group, version)| local(g, v, "onstart", (*group, *version))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_group_is_listed() {
        let own = ["apiregistration.k8s.io"];
        for k in super::super::KINDS.iter().filter(|k| !own.contains(&k.group)) {
            assert!(PRIORITIES.iter().any(|(g, v, ..)| *g == k.group && *v == k.version), "{k:?}");
        }
    }
}
