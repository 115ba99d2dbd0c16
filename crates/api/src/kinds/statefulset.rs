//! StatefulSet. Models `pkg/registry/apps/statefulset`, `pkg/apis/apps/v1/defaults.go` and
//! `pkg/apis/apps/validation`.

use super::deployment::{validate_int_or_percent, validate_percent_maximum};
use super::{persistentvolumeclaim, pod, register, workload};
use crate::registration::{Cell, Column, Registration, Scale, Subresource};
use crate::table;
use crate::validate::{each, invalid_json, json_text, names, nonnegative, text, validate_label_selector};
use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetStatus, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, PodTemplateSpec, Volume};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::labels::Selector;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, StatefulSet);

impl Registration for Reg {
    type Type = StatefulSet;
    const PLURAL: &'static str = "statefulsets";
    const SINGULAR: &'static str = "statefulset";
    const SHORT_NAMES: &'static [&'static str] = &["sts"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = workload::SUBRESOURCES;
    const HAS_GENERATION: bool = true;
    /// A pod's name is a host name too.
    const NAME_RULE: names::NameRule = names::rule::label;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Ready", "string", 0).describe("Number of the pod with ready state"),
        Column::AGE,
        workload::CONTAINERS,
        workload::IMAGES,
    ];
    const SAMPLE: &'static str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: nginx
  replicas: 2
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.25
        ports:
        - containerPort: 80
          name: web
        volumeMounts:
        - name: www
          mountPath: /usr/share/nginx/html
  volumeClaimTemplates:
  - metadata:
      name: www
    spec:
      accessModes: [ReadWriteOnce]
      resources:
        requests:
          storage: 1Gi
";
    const SCALE: Option<Scale> = Some(Scale {
        replicas: |o| spec(o).and_then(|s| s.replicas).unwrap_or(0),
        set_replicas: |o, n| {
            if let Some(s) = o.as_any_mut().downcast_mut::<StatefulSet>() {
                s.spec.get_or_insert_default().replicas = Some(n);
            }
        },
        status_replicas: |o| {
            let s = o.as_any().downcast_ref::<StatefulSet>();
            s.and_then(|s| s.status.as_ref()).map_or(0, |s| s.replicas)
        },
        selector: |o| spec(o).map(|s| workload::selector_query(&s.selector)).unwrap_or_default(),
    });

    fn quantities(o: &mut StatefulSet, f: &mut dyn FnMut(&mut Quantity)) {
        let Some(spec) = &mut o.spec else { return };
        if let Some(s) = &mut spec.template.spec {
            pod::visit_quantities(s, f);
        }
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            persistentvolumeclaim::Reg::quantities(claim, f);
        }
    }

    /// Models `SetDefaults_StatefulSet`.
    fn default(o: &mut StatefulSet) {
        let spec = o.spec.get_or_insert_default();
        pod::defaults::set(&mut spec.pod_management_policy, "OrderedReady");
        let strategy = spec.update_strategy.get_or_insert_default();
        if text(&strategy.type_).is_empty() {
            strategy.type_ = Some("RollingUpdate".into());
            strategy.rolling_update.get_or_insert_default();
        }
        if let Some(r) = strategy.rolling_update.as_mut().filter(|_| text(&strategy.type_) == "RollingUpdate") {
            r.partition.get_or_insert(0);
            r.max_unavailable.get_or_insert(IntOrString::Int(1));
        }
        let policy = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        pod::defaults::set(&mut policy.when_deleted, "Retain");
        pod::defaults::set(&mut policy.when_scaled, "Retain");
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        pod::defaults::pod_spec(spec.template.spec.get_or_insert_default());
        for claim in spec.volume_claim_templates.iter_mut().flatten() {
            persistentvolumeclaim::Reg::default(claim);
        }
    }

    fn prepare_create(o: &mut StatefulSet) {
        o.status = Some(StatefulSetStatus::default());
    }
    fn prepare_update(new: &mut StatefulSet, old: &StatefulSet) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut StatefulSet, old: &StatefulSet) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &StatefulSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let none = StatefulSetSpec::default();
        let spec = o.spec.as_ref().unwrap_or(&none);
        let name = text(&spec.service_name);
        if !name.is_empty() {
            errors.extend(each(&Path::new("spec").child("serviceName"), name, names::dns1123_label(name)));
        }
        validate_spec(spec, true, &mut errors);
        errors
    }

    /// Models `ValidateStatefulSetUpdate`. A template that was wrong before is not looked at again.
    fn validate_update(new: &StatefulSet, old: &StatefulSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let (Some(n), Some(o)) = (&new.spec, &old.spec) else { return errors };
        let mut before = Vec::new();
        validate_spec(o, true, &mut before);
        validate_spec(n, before.is_empty(), &mut errors);
        let mut fixed = n.clone();
        fixed.replicas = o.replicas;
        fixed.template.clone_from(&o.template);
        fixed.update_strategy.clone_from(&o.update_strategy);
        fixed.min_ready_seconds = o.min_ready_seconds;
        fixed.ordinals.clone_from(&o.ordinals);
        fixed.revision_history_limit = o.revision_history_limit;
        fixed.persistent_volume_claim_retention_policy.clone_from(&o.persistent_volume_claim_retention_policy);
        if fixed != *o {
            let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                       'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                       'minReadySeconds' are forbidden";
            errors.push(FieldError::forbidden(&Path::new("spec"), why));
        }
        errors
    }

    /// Models `ValidateStatefulSetStatusUpdate`.
    fn validate_status(new: &StatefulSet, old: &StatefulSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let n = |v: Option<i32>| i64::from(v.unwrap_or(0));
        let path = Path::new("status");
        let counts = [
            ("replicas", i64::from(s.replicas)),
            ("readyReplicas", n(s.ready_replicas)),
            ("currentReplicas", n(s.current_replicas)),
            ("updatedReplicas", n(s.updated_replicas)),
            ("availableReplicas", n(s.available_replicas)),
        ];
        let others =
            [("observedGeneration", s.observed_generation.unwrap_or(0)), ("collisionCount", n(s.collision_count))];
        for (name, v) in counts.iter().chain(&others) {
            nonnegative(&path.child(name), *v, &mut errors);
        }
        for (name, v) in counts.iter().filter(|c| c.1 > s.replicas.into()) {
            errors.push(FieldError::invalid(&path.child(name), *v, "cannot be greater than status.replicas"));
        }
        if n(s.available_replicas) > n(s.ready_replicas) {
            let at = path.child("availableReplicas");
            let why = "cannot be greater than status.readyReplicas";
            errors.push(FieldError::invalid(&at, n(s.available_replicas), why));
        }
        let before = old.status.as_ref().and_then(|s| s.collision_count);
        workload::validate_collision_count(s.collision_count, before, &mut errors);
        errors
    }

    fn warnings(o: &StatefulSet) -> Vec<String> {
        let Some(spec) = &o.spec else { return Vec::new() };
        let mut out = workload::template_warnings(&Path::new("spec").child("template"), Some(&spec.template));
        if spec.revision_history_limit.is_some_and(|n| n < 0) {
            out.push(
                "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is \
                 recommended"
                    .into(),
            );
        }
        out
    }

    fn cells(o: &StatefulSet, now: Time) -> Vec<Cell> {
        let desired = o.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0);
        let ready = o.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0);
        let [names, images] = table::containers(workload::template_containers(o.spec.as_ref().map(|s| &s.template)));
        let ready = format!("{ready}/{desired}").into();
        vec![table::name(&o.metadata), ready, table::age(&o.metadata, now), names, images]
    }
}

fn spec(o: &dyn crate::Object) -> Option<&StatefulSetSpec> {
    o.as_any().downcast_ref::<StatefulSet>()?.spec.as_ref()
}

/// Models `ValidateStatefulSetSpec`.
fn validate_spec(s: &StatefulSetSpec, template_too: bool, errors: &mut Vec<FieldError>) {
    let path = Path::new("spec");
    let at = path.child("podManagementPolicy");
    match text(&s.pod_management_policy) {
        "" => errors.push(FieldError::required(&at, "")),
        "OrderedReady" | "Parallel" => {}
        other => errors.push(FieldError::invalid(&at, other, "must be 'OrderedReady' or 'Parallel'")),
    }
    let none = StatefulSetUpdateStrategy::default();
    validate_strategy(s.update_strategy.as_ref().unwrap_or(&none), &path.child("updateStrategy"), errors);
    if let Some(p) = &s.persistent_volume_claim_retention_policy {
        validate_retention(p, &path.child("persistentVolumeClaimRetentionPolicy"), errors);
    }
    nonnegative(&path.child("replicas"), s.replicas.unwrap_or(0).into(), errors);
    nonnegative(&path.child("minReadySeconds"), s.min_ready_seconds.unwrap_or(0).into(), errors);
    if let Some(o) = &s.ordinals {
        nonnegative(&path.child("ordinals.start"), o.start.unwrap_or(0).into(), errors);
    }
    let at = path.child("selector");
    // A missing and an empty selector cannot be told apart here; the missing one is the common mistake.
    if workload::is_empty(&s.selector) {
        errors.push(FieldError::required(&at, ""));
    }
    errors.extend(validate_label_selector(&at, &s.selector));
    let at = path.child("template");
    if Selector::from_api(Some(&s.selector)).is_err() {
        let mut e = FieldError::invalid(&path.child("selector"), "", "");
        e.value = workload::selector_json(&s.selector);
        errors.push(e);
    } else {
        workload::validate_template_labels(&s.selector, &s.template, &at, errors);
    }
    if template_too {
        errors.extend(pod::validate_pod_template(&with_claims(s), &at));
    }
    workload::validate_runs_forever("StatefulSet", &s.template, &at, errors);
}

/// The template as the controller completes it: a volume for each claim, in the place of one with the same name.
fn with_claims(s: &StatefulSetSpec) -> PodTemplateSpec {
    let mut t = s.template.clone();
    let claims = s.volume_claim_templates.as_deref().unwrap_or_default();
    if claims.is_empty() {
        return t;
    }
    let volumes = t.spec.get_or_insert_default().volumes.get_or_insert_default();
    volumes.retain(|v| !claims.iter().any(|c| c.metadata.name.as_ref() == Some(&v.name)));
    volumes.extend(claims.iter().map(|c| {
        let name = c.metadata.name.clone().unwrap_or_default();
        let source = PersistentVolumeClaimVolumeSource { claim_name: name.clone(), read_only: None };
        Volume { name, persistent_volume_claim: Some(source), ..Default::default() }
    }));
    t
}

fn validate_strategy(s: &StatefulSetUpdateStrategy, path: &Path, errors: &mut Vec<FieldError>) {
    let at = path.child("rollingUpdate");
    match (text(&s.type_), &s.rolling_update) {
        ("", _) => errors.push(FieldError::required(path, "")),
        ("OnDelete", Some(r)) => {
            let mut e = invalid_json(&at, r, "only allowed for updateStrategy 'RollingUpdate'");
            e.value = internal(r);
            errors.push(e);
        }
        ("RollingUpdate", Some(r)) => validate_rolling_update(r, &at, errors),
        ("OnDelete" | "RollingUpdate", None) => {}
        (other, r) => {
            let mut e = FieldError::invalid(path, "", "must be 'RollingUpdate' or 'OnDelete'");
            let rolling = r.as_ref().map_or_else(|| "null".into(), internal);
            e.value = format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", json_text(&other));
            errors.push(e);
        }
    }
}

/// Upstream shows its internal struct, whose fields are capitalized.
fn internal(r: &RollingUpdateStatefulSetStrategy) -> String {
    let (partition, most) = (r.partition.unwrap_or(0), json_text(&r.max_unavailable));
    format!("{{\"Partition\":{partition},\"MaxUnavailable\":{most}}}")
}

/// Models `validateRollingUpdateStatefulSet`.
fn validate_rolling_update(r: &RollingUpdateStatefulSetStrategy, path: &Path, errors: &mut Vec<FieldError>) {
    nonnegative(&path.child("partition"), r.partition.unwrap_or(0).into(), errors);
    let Some(most) = &r.max_unavailable else { return };
    let at = path.child("maxUnavailable");
    validate_int_or_percent(most, &at, errors);
    if super::deployment::amount(most) == 0 {
        errors.push(invalid_json(&at, most, "cannot be 0"));
    }
    validate_percent_maximum(most, &at, errors);
}

/// Models `ValidatePersistentVolumeClaimRetentionPolicy`.
fn validate_retention(p: &StatefulSetPersistentVolumeClaimRetentionPolicy, path: &Path, errors: &mut Vec<FieldError>) {
    for (field, value) in [("whenDeleted", text(&p.when_deleted)), ("whenScaled", text(&p.when_scaled))] {
        if !matches!(value, "Retain" | "Delete") {
            errors.push(FieldError::not_supported(&path.child(field), value, &["Retain", "Delete"]));
        }
    }
}
