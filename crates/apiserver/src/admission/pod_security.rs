//! PodSecurity: the Pod Security Standards, as a namespace's labels ask for them. Models `k8s.io/pod-security-admission`;
//! without labels everything is allowed, as upstream's default configuration has it.

mod baseline;
mod restricted;

use super::forbidden;
use crate::keys;
use crate::server::Cx;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EphemeralContainer, Lifecycle, Namespace, Pod, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe, ReplicationController, SecurityContext,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, FieldError, Path};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The newest version that has a check of its own.
const NEWEST: u32 = 35;
/// `namespaceMaxPodsToCheck`
const PODS_MAX: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level of a version; `None`: the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standard {
    level: Level,
    version: Option<u32>,
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.version {
            Some(minor) => write!(f, "{level}:v1.{minor}"),
            None => write!(f, "{level}:latest"),
        }
    }
}

/// What a namespace's labels ask for. Audit annotations have no reader here, so `audit` is only checked for its form.
struct Policy {
    enforce: Standard,
    warn: Standard,
}

/// Models `PolicyToEvaluate`.
fn policy(labels: Option<&BTreeMap<String, String>>) -> (Policy, Vec<FieldError>) {
    let mut errors = Vec::new();
    let label = |name: &str| {
        let value = labels?.get(&format!("pod-security.kubernetes.io/{name}"))?.as_str();
        Some((value, Path::new("metadata").child("labels").key(&format!("pod-security.kubernetes.io/{name}"))))
    };
    let level = |found: Option<(&str, Path)>, otherwise: Level, errors: &mut Vec<FieldError>| {
        let (value, path) = found?;
        Some(match value {
            "privileged" => Ok(Level::Privileged),
            "baseline" => Ok(Level::Baseline),
            "restricted" => Ok(Level::Restricted),
            other => {
                let why = "must be one of privileged, baseline, restricted";
                errors.push(FieldError::invalid(&path, other, why));
                Err(otherwise)
            }
        })
    };
    let version = |found: Option<(&str, Path)>, errors: &mut Vec<FieldError>| {
        let (value, path) = found?;
        let minor = value.strip_prefix("v1.").filter(|m| *m == "0" || !m.starts_with('0'));
        match (value, minor.and_then(|m| m.bytes().all(|b| b.is_ascii_digit()).then(|| m.parse().ok())?)) {
            ("latest", _) => Some(None),
            (_, Some(minor)) => Some(Some(minor)),
            _ => {
                errors.push(FieldError::invalid(&path, value, "must be \"latest\" or \"v1.x\""));
                Some(None)
            }
        }
    };
    let enforce_level = level(label("enforce"), Level::Restricted, &mut errors);
    let enforce = Standard {
        level: enforce_level.map_or(Level::Privileged, |l| l.unwrap_or_else(|l| l)),
        version: version(label("enforce-version"), &mut errors).flatten(),
    };
    level(label("audit"), Level::Privileged, &mut errors);
    version(label("audit-version"), &mut errors);
    let warn_level = level(label("warn"), Level::Privileged, &mut errors);
    let warn_version = version(label("warn-version"), &mut errors);
    let mut warn = Standard {
        level: warn_level.map_or(Level::Privileged, |l| l.unwrap_or_else(|l| l)),
        version: warn_version.flatten(),
    };
    // Who enforces something stricter is warned of it, too.
    if let (None, Some(Ok(enforced))) = (warn_level, enforce_level)
        && enforced > warn.level
    {
        warn.level = enforced;
        if warn_version.is_none() {
            warn.version = enforce.version;
        }
    }
    (Policy { enforce, warn }, errors)
}

/// A pod or the template of one.
#[derive(Clone, Copy)]
struct Subject<'a> {
    annotations: Option<&'a BTreeMap<String, String>>,
    spec: &'a PodSpec,
}

/// What the checks look at in a container of any kind.
struct AnyContainer<'a> {
    name: &'a str,
    security: Option<&'a SecurityContext>,
    ports: &'a [ContainerPort],
    probes: [Option<&'a Probe>; 3],
    lifecycle: Option<&'a Lifecycle>,
}

impl<'a> From<&'a Container> for AnyContainer<'a> {
    fn from(c: &'a Container) -> Self {
        AnyContainer {
            name: &c.name,
            security: c.security_context.as_ref(),
            ports: c.ports.as_deref().unwrap_or_default(),
            probes: [c.liveness_probe.as_ref(), c.readiness_probe.as_ref(), c.startup_probe.as_ref()],
            lifecycle: c.lifecycle.as_ref(),
        }
    }
}

impl<'a> From<&'a EphemeralContainer> for AnyContainer<'a> {
    fn from(c: &'a EphemeralContainer) -> Self {
        AnyContainer {
            name: &c.name,
            security: c.security_context.as_ref(),
            ports: c.ports.as_deref().unwrap_or_default(),
            probes: [c.liveness_probe.as_ref(), c.readiness_probe.as_ref(), c.startup_probe.as_ref()],
            lifecycle: c.lifecycle.as_ref(),
        }
    }
}

impl<'a> Subject<'a> {
    fn containers(self) -> impl Iterator<Item = AnyContainer<'a>> {
        let init = self.spec.init_containers.iter().flatten().map(AnyContainer::from);
        let ephemeral = self.spec.ephemeral_containers.iter().flatten().map(AnyContainer::from);
        init.chain(self.spec.containers.iter().map(AnyContainer::from)).chain(ephemeral)
    }
    fn security(self) -> Option<&'a PodSecurityContext> {
        self.spec.security_context.as_ref()
    }
    fn is_windows(self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }
    /// Root in there is nobody outside.
    fn has_user_namespace(self) -> bool {
        self.spec.host_users == Some(false)
    }
}

/// What is wrong, in short and in detail.
struct Violation {
    reason: String,
    detail: String,
}

fn violation(reason: &str, detail: impl Into<String>) -> Option<Violation> {
    Some(Violation { reason: reason.into(), detail: detail.into() })
}

type Names<'a> = BTreeSet<&'a str>;

fn quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(", ")
}

fn plural<'a>(one: &'a str, many: &'a str, count: usize) -> &'a str {
    if count == 1 { one } else { many }
}

/// `container "a"`, `containers "a", "b"`
fn containers(names: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quoted(names.iter().copied()))
}

/// `pod and container "a"`; nothing when nobody did it.
fn setters(pod: bool, names: &[&str]) -> Option<String> {
    let pod = pod.then(|| "pod".to_string());
    let all: Vec<String> = pod.into_iter().chain((!names.is_empty()).then(|| containers(names))).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// Models `EvaluatePod` of the check registry.
fn evaluate(standard: Standard, s: Subject<'_>) -> Vec<Violation> {
    let version = standard.version.unwrap_or(NEWEST).min(NEWEST);
    match standard.level {
        Level::Privileged => Vec::new(),
        Level::Baseline => baseline::CHECKS.iter().filter_map(|(_, check)| check(s, version)).collect(),
        Level::Restricted => {
            let overridden = restricted::overridden(version);
            let base = baseline::CHECKS.iter().filter(|(id, _)| !overridden.contains(id)).map(|(_, check)| check);
            base.chain(restricted::CHECKS).filter_map(|check| check(s, version)).collect()
        }
    }
}

fn detail(violations: &[Violation]) -> String {
    let one = |v: &Violation| match v.detail.as_str() {
        "" => v.reason.clone(),
        detail => format!("{} ({detail})", v.reason),
    };
    violations.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A create, or an update when there is an `old`: of pods, of what makes pods, and of namespaces.
pub(super) fn validate(cx: &mut Cx<'_>, o: &dyn Object, old: Option<&dyn Object>) -> Result<(), ApiError> {
    if let Some(namespace) = o.downcast::<Namespace>() {
        return validate_namespace(cx, namespace, old.and_then(|o| o.downcast::<Namespace>()));
    }
    let pod = o.downcast::<Pod>();
    let Some((meta, spec)) = subject(o) else { return Ok(()) };
    let entry = cx.object(Namespace::KIND_REF, "", o.namespace());
    let Some(labels) = entry.and_then(|e| e.value.0.meta().labels.as_ref()) else { return Ok(()) };
    let (policy, _) = policy(Some(labels));
    if let (Some(pod), Some(old)) = (pod, old.and_then(|o| o.downcast::<Pod>()))
        && !is_significant(pod, old)
    {
        return Ok(());
    }
    let subject = Subject { annotations: meta.and_then(|m| m.annotations.as_ref()), spec };
    if pod.is_some() {
        let violations = evaluate(policy.enforce, subject);
        if !violations.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, detail(&violations));
            return Err(forbidden(o, &why));
        }
    }
    let violations = evaluate(policy.warn, subject);
    if !violations.is_empty() {
        cx.warnings.push(format!("would violate PodSecurity \"{}\": {}", policy.warn, detail(&violations)));
    }
    Ok(())
}

/// Models `DefaultPodSpecExtractor`.
fn subject(o: &dyn Object) -> Option<(Option<&ObjectMeta>, &PodSpec)> {
    fn of(t: &PodTemplateSpec) -> Option<(Option<&ObjectMeta>, &PodSpec)> {
        Some((t.metadata.as_ref(), t.spec.as_ref()?))
    }
    let any = o.as_any();
    if let Some(p) = any.downcast_ref::<Pod>() {
        return Some((Some(&p.metadata), p.spec.as_ref()?));
    }
    if let Some(d) = any.downcast_ref::<Deployment>() {
        return of(&d.spec.as_ref()?.template);
    }
    if let Some(r) = any.downcast_ref::<ReplicaSet>() {
        return of(r.spec.as_ref()?.template.as_ref()?);
    }
    if let Some(d) = any.downcast_ref::<DaemonSet>() {
        return of(&d.spec.as_ref()?.template);
    }
    if let Some(s) = any.downcast_ref::<StatefulSet>() {
        return of(&s.spec.as_ref()?.template);
    }
    if let Some(j) = any.downcast_ref::<Job>() {
        return of(&j.spec.as_ref()?.template);
    }
    if let Some(c) = any.downcast_ref::<CronJob>() {
        return of(&c.spec.as_ref()?.job_template.spec.as_ref()?.template);
    }
    let controller = any.downcast_ref::<ReplicationController>()?;
    of(controller.spec.as_ref()?.template.as_ref()?)
}

/// Models `isSignificantPodUpdate`: other images, or one more ephemeral container.
fn is_significant(new: &Pod, old: &Pod) -> bool {
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return true };
    let images = |list: &[Container]| list.iter().map(|c| c.image.clone()).collect::<Vec<_>>();
    let init = |s: &PodSpec| images(s.init_containers.as_deref().unwrap_or_default());
    let ephemeral = |s: &PodSpec| -> BTreeMap<String, Option<String>> {
        s.ephemeral_containers.iter().flatten().map(|c| (c.name.clone(), c.image.clone())).collect()
    };
    let before = ephemeral(old);
    images(&new.containers) != images(&old.containers)
        || init(new) != init(old)
        || ephemeral(new).iter().any(|(name, image)| before.get(name) != Some(image))
}

/// Models `ValidateNamespace`: labels must be valid, and pods that would be refused now are warned of.
fn validate_namespace(cx: &mut Cx<'_>, new: &Namespace, old: Option<&Namespace>) -> Result<(), ApiError> {
    let name = new.metadata.name.as_deref().unwrap_or("");
    let (after, errors) = policy(new.metadata.labels.as_ref());
    let before = old.map(|o| policy(o.metadata.labels.as_ref()));
    if !errors.is_empty() && before.as_ref().is_none_or(|(_, old)| *old != errors) {
        return Err(ApiError::invalid("", "Namespace", name, &errors));
    }
    let Some((before, _)) = before else { return Ok(()) };
    let (now, was) = (after.enforce, before.enforce);
    let relaxed = now.version == was.version && now.level <= was.level;
    if now != was && now.level != Level::Privileged && !relaxed {
        let warnings = pods_in_violation(cx, name, now);
        cx.warnings.extend(warnings);
    }
    Ok(())
}

/// Models `EvaluatePodsInNamespace`.
fn pods_in_violation(cx: &Cx<'_>, namespace: &str, standard: Standard) -> Vec<String> {
    let prefix = keys::prefix(Pod::KIND_REF, namespace);
    let end = keys::range_end(&prefix);
    let pods = cx.store.iter_range(&prefix, &end).filter_map(|(_, e)| e.value.0.downcast::<Pod>());
    // Of pods of one controller the first is looked at before all others' second.
    let (mut first, mut more, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for pod in pods {
        match api::object::controller_of(&pod.metadata) {
            Some(r) if !seen.insert(r.uid.as_str()) => more.push(pod),
            _ => first.push(pod),
        }
    }
    let total = first.len() + more.len();
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for pod in first.into_iter().chain(more).take(PODS_MAX) {
        let Some(spec) = &pod.spec else { continue };
        let subject = Subject { annotations: pod.metadata.annotations.as_ref(), spec };
        let violations = evaluate(standard, subject);
        if violations.is_empty() {
            continue;
        }
        let reasons = violations.into_iter().map(|v| v.reason).collect::<Vec<_>>().join(", ");
        let name = pod.metadata.name.clone().unwrap_or_default();
        let (least, count) = found.entry(reasons).or_insert_with(|| (name.clone(), 0));
        if name < *least {
            *least = name;
        }
        *count += 1;
    }
    let mut warnings = Vec::new();
    if total > PODS_MAX {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {PODS_MAX} of {total} existing pods"
        ));
    }
    if !found.is_empty() {
        warnings.push(format!(
            "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \"{standard}\""
        ));
    }
    let mut lines: Vec<String> = found
        .into_iter()
        .map(|(reasons, (pod, count))| match count {
            1 => format!("{pod}: {reasons}"),
            2 => format!("{pod} (and 1 other pod): {reasons}"),
            n => format!("{pod} (and {} other pods): {reasons}", n - 1),
        })
        .collect();
    lines.sort();
    warnings.extend(lines);
    warnings
}
