//! Revisions of a pod template, kept as ControllerRevisions. Models `pkg/controller/history`.

use crate::owner::{claim, controller_reference};
use api::Object;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use meta::labels::Selector;
use meta::names::safe_encode;
use meta::{Key, Time};
use reconcile::{Cx, Intent, Outcome};
use serde_json::{Value, json};

/// On a pod what it was made from; on a DaemonSet's revision its own hash.
pub const REVISION_LABEL: &str = "controller-revision-hash";
/// On a StatefulSet's revision its own hash.
pub const HASH_LABEL: &str = "controller.kubernetes.io/hash";
/// So many other objects may have the name that the hash gives.
const MAX_COLLISIONS: i32 = 20;

/// The strategic merge patch that leads back to this template. Models `getPatch`.
pub fn patch_of(template: &PodTemplateSpec) -> Value {
    let mut template = json!(template);
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}

/// The template that a revision holds.
pub fn template_of(r: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = r.data.as_ref()?.0.get("spec")?.get("template")?.clone();
    template.as_object_mut()?.remove("$patch");
    serde_json::from_value(template).ok()
}

/// FNV-1 (32 bits) of the data and the collision count, safely encoded. Models `HashControllerRevision`.
fn hash(data: &Value, collisions: i32) -> String {
    let mut h: u32 = 0x811c_9dc5;
    let mut text = data.to_string();
    text.push_str(&collisions.to_string());
    for b in text.bytes() {
        h = h.wrapping_mul(0x0100_0193) ^ u32::from(b);
    }
    safe_encode(&h.to_string())
}

pub fn name(m: &ObjectMeta) -> &str {
    m.name.as_deref().unwrap_or("")
}

/// What one sync finds and decides about revisions.
pub struct History {
    /// By revision, then age, then name; those adopted included.
    pub revisions: Vec<ControllerRevision>,
    /// That of the present template.
    pub update: ControllerRevision,
    pub collisions: i32,
}

/// Owned revisions and those to adopt, sorted.
pub fn list(cx: &Cx, parent: &dyn Object, selector: &Selector, out: &mut Outcome) -> Vec<ControllerRevision> {
    let claim = claim::<ControllerRevision>(cx.view, parent, selector, |_| true);
    for i in claim.intents(parent) {
        out.push(i);
    }
    let mut revisions: Vec<ControllerRevision> = claim.claimed().into_iter().cloned().collect();
    let created = |r: &ControllerRevision| r.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
    revisions
        .sort_by(|a, b| (a.revision, created(a), &a.metadata.name).cmp(&(b.revision, created(b), &b.metadata.name)));
    revisions
}

/// Finds the revision of `template`, or creates it; an older one of the same content becomes the newest again. Models
/// `getStatefulSetRevisions`.
pub fn sync(
    cx: &Cx,
    parent: &dyn Object,
    template: &PodTemplateSpec,
    revisions: Vec<ControllerRevision>,
    mut collisions: i32,
    label: &str,
    out: &mut Outcome,
) -> History {
    let data = patch_of(template);
    let next = revisions.last().map_or(0, |r| r.revision) + 1;
    let same = |r: &&ControllerRevision| r.data.as_ref().is_some_and(|d| d.0 == data);
    let found = revisions.iter().rev().find(same).cloned();
    if let Some(mut r) = found {
        if revisions.last().is_some_and(|last| last.metadata.name != r.metadata.name && !same(&last)) {
            r.revision = next;
            out.push(Intent::update(r.clone()));
        }
        return History { revisions, update: r, collisions };
    }
    loop {
        let made = new_revision(parent, template, &data, (next, collisions), label);
        let key = Key::new(made.metadata.namespace.as_deref().unwrap_or(""), name(&made.metadata));
        match cx.view.get::<ControllerRevision>(&key) {
            // Not ours, or it would have been found: the next name is tried.
            Some(other) if other.data != made.data && collisions < MAX_COLLISIONS => collisions += 1,
            Some(other) => return History { revisions, update: other.clone(), collisions },
            None => {
                out.push(Intent::create(made.clone()));
                return History { revisions, update: made, collisions };
            }
        }
    }
}

/// Models `NewControllerRevision`.
fn new_revision(
    parent: &dyn Object,
    template: &PodTemplateSpec,
    data: &Value,
    (revision, collisions): (i64, i32),
    label: &str,
) -> ControllerRevision {
    let hash = hash(data, collisions);
    let mut labels = template.metadata.as_ref().and_then(|m| m.labels.clone()).unwrap_or_default();
    labels.insert(label.into(), hash.clone());
    // Models ControllerRevisionName: the suffix always fits.
    let mut prefix = name(parent.meta()).to_string();
    prefix.truncate(223);
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{prefix}-{hash}")),
            namespace: parent.meta().namespace.clone(),
            labels: Some(labels),
            annotations: parent.meta().annotations.clone(),
            owner_references: Some(vec![controller_reference(parent)]),
            ..Default::default()
        },
        data: Some(RawExtension(data.clone())),
        revision,
    }
}

/// Deletes the oldest revisions that nothing uses, down to `limit`. Models `truncateHistory`.
pub fn truncate(
    revisions: &[ControllerRevision],
    is_live: impl Fn(&ControllerRevision) -> bool,
    limit: i32,
    out: &mut Outcome,
) {
    let idle: Vec<&ControllerRevision> = revisions.iter().filter(|r| !is_live(r)).collect();
    let Ok(limit) = usize::try_from(limit) else { return };
    for r in idle.iter().take(idle.len().saturating_sub(limit)) {
        out.push(Intent::delete(*r).tolerate(reconcile::Tolerate::NotFound));
    }
}

/// The revision that a pod says it was made from.
pub fn revision_of(m: &ObjectMeta) -> &str {
    m.labels.as_ref().and_then(|l| l.get(REVISION_LABEL)).map_or("", String::as_str)
}

/// A watch that nothing is queued for: the kind is only looked up.
pub fn watch_nothing() -> reconcile::Watch {
    reconcile::Watch { kind: <ControllerRevision as api::Registered>::KIND_REF, keys: |_, _, _| {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_survives_its_revision() {
        let t: PodTemplateSpec = serde_json::from_value(json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }))
        .expect("a template");
        let r = ControllerRevision { data: Some(RawExtension(patch_of(&t))), ..Default::default() };
        assert_eq!(template_of(&r), Some(t));
    }

    #[test]
    fn the_hash_is_fnv_1_of_the_data_and_the_count() {
        // FNV-1 of `{}0` is 0x8ae4bd6a... computed by the definition, one byte after the other.
        let step = |h: u32, b: u8| h.wrapping_mul(16_777_619) ^ u32::from(b);
        let h = b"{}0".iter().fold(2_166_136_261, |h, b| step(h, *b));
        assert_eq!(hash(&json!({}), 0), safe_encode(&h.to_string()));
        assert_ne!(hash(&json!({}), 0), hash(&json!({}), 1));
    }
}
