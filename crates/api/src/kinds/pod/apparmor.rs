//! Profiles in the annotations of older manifests. Models `applyAppArmorVersionSkew` and `ApparmorFieldForAnnotation`.

use super::security;
use k8s_openapi::api::core::v1::{AppArmorProfile, Container, Pod};
use meta::Path;

const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Brings annotations into the fields of a new pod's containers; what there is to warn of.
pub fn sync(pod: &mut Pod) -> Vec<String> {
    let Some(annotations) = pod.metadata.annotations.as_ref().filter(|a| a.keys().any(|k| k.starts_with(PREFIX)))
    else {
        return Vec::new();
    };
    let Some(spec) = &mut pod.spec else { return Vec::new() };
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return Vec::new();
    }
    let of_pod = spec.security_context.as_ref().and_then(|s| s.app_armor_profile.as_ref());
    let mut out = Vec::new();
    let mut one = |c: &mut Container| {
        let key = format!("{PREFIX}{}", c.name);
        let Some(annotation) = annotations.get(&key) else { return };
        if c.security_context.as_ref().is_some_and(|s| s.app_armor_profile.is_some()) {
            return;
        }
        let field = of_annotation(annotation);
        if field.is_none() || field.as_ref() != of_pod {
            let at = Path::new("metadata").child("annotations").key(&key);
            out.push(format!("{at}: deprecated since v1.30; use the \"appArmorProfile\" field instead"));
        }
        if field.is_some() && field.as_ref() != of_pod {
            c.security_context.get_or_insert_default().app_armor_profile = field;
        }
    };
    spec.init_containers.iter_mut().flatten().for_each(&mut one);
    spec.containers.iter_mut().for_each(&mut one);
    out
}

fn of_annotation(annotation: &str) -> Option<AppArmorProfile> {
    let profile = |type_: &str| AppArmorProfile { type_: type_.into(), localhost_profile: None };
    let found = match annotation {
        "unconfined" => profile("Unconfined"),
        "runtime/default" => profile("RuntimeDefault"),
        other => {
            let file = other.strip_prefix("localhost/").filter(|f| !f.is_empty())?;
            AppArmorProfile { localhost_profile: Some(file.into()), ..profile("Localhost") }
        }
    };
    let mut errors = Vec::new();
    security::app_armor(Some(&found), &Path::default(), &mut errors);
    errors.is_empty().then_some(found)
}
