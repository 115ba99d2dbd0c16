//! resourceclaim-controller: claims of templates, who uses a claim, and what nobody uses any more. Models
//! `pkg/controller/resourceclaim`.

use crate::owner::controller_reference;
use api::kinds::resourceclaim::FINALIZER;
use api::object::controller_of;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Pod, PodResourceClaim, PodResourceClaimStatus};
use k8s_openapi::api::resource::v1::{ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Tolerate, View, Watch};
use serde_json::json;
use std::collections::BTreeMap;

/// On a claim that was made of a template: the entry of the pod's `spec.resourceClaims`.
const ENTRY: &str = "resource.kubernetes.io/pod-claim-name";
/// A generated name's part before its five random characters.
const BASE_MAX: usize = 57;
const POD: &str = "pod:";
const CLAIM: &str = "claim:";

/// How often a pod was tried in vain: client-go's work queue doubles its delay.
#[derive(Clone, Default)]
pub struct ResourceClaims(BTreeMap<Key, u32>);

fn key(prefix: &str, namespace: &str, name: &str) -> Key {
    Key::new(namespace, &format!("{prefix}{name}"))
}

fn entries(pod: &Pod) -> &[PodResourceClaim] {
    pod.spec.as_ref().and_then(|s| s.resource_claims.as_deref()).unwrap_or_default()
}

/// The claim of an entry, once that is known. Models `resourceclaim.Name`.
fn name<'a>(pod: &'a Pod, entry: &'a PodResourceClaim) -> Option<&'a str> {
    let generated = || {
        let all = pod.status.as_ref()?.resource_claim_statuses.as_ref()?;
        all.iter().find(|s| s.name == entry.name)?.resource_claim_name.as_deref()
    };
    entry.resource_claim_name.as_deref().or_else(generated)
}

/// None of its containers runs, and none ever will. Models `isPodDone`.
fn is_done(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) || (pod.metadata.deletion_timestamp.is_some() && !has_node(pod))
}

fn has_node(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|s| s.node_name.as_ref().is_some_and(|n| !n.is_empty()))
}

fn pod_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(pod) = change.new.as_ref().or(change.old.as_ref()).and_then(|o| o.downcast::<Pod>()) else { return };
    if entries(pod).is_empty() {
        return;
    }
    let namespace = change.key.namespace();
    if change.new.is_none() || is_done(pod) {
        keys.extend(entries(pod).iter().filter_map(|e| Some(key(CLAIM, namespace, name(pod, e)?))));
    }
    if change.new.is_some() && pod.metadata.deletion_timestamp.is_none() {
        keys.push(key(POD, namespace, change.key.name()));
    }
}

fn claim_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let namespace = change.key.namespace();
    if change.new.is_some() {
        keys.push(key(CLAIM, namespace, change.key.name()));
    }
    let owner =
        change.new.as_ref().or(change.old.as_ref()).and_then(|o| o.controller_ref()).filter(|r| r.kind == "Pod");
    if let Some(owner) = &owner {
        keys.push(key(POD, namespace, &owner.name));
    }
    let uses = |p: &&Pod| entries(p).iter().any(|e| name(p, e) == Some(change.key.name()));
    for pod in cx.view.list_in::<Pod>(namespace).filter(uses) {
        let key = key(POD, namespace, pod.metadata.name.as_deref().unwrap_or_default());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
}

impl Controller for ResourceClaims {
    const NAME: &'static str = "resourceclaim-controller";
    const EVENT_SOURCE: &'static str = "resource_claim";

    fn user() -> User {
        User::controller("resource-claim-controller")
    }
    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: ResourceClaim::KIND_REF, keys: claim_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, item: &Key) -> Outcome {
        match (item.name().strip_prefix(POD), item.name().strip_prefix(CLAIM)) {
            (Some(pod), _) => self.pod(cx, item, &Key::new(item.namespace(), pod)),
            (_, Some(claim)) => sync_claim(cx.view, &Key::new(item.namespace(), claim)),
            _ => Outcome::done(),
        }
    }
}

impl ResourceClaims {
    /// Models `syncPod`.
    fn pod(&mut self, cx: &Cx, item: &Key, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let alive = |p: &&Pod| p.metadata.deletion_timestamp.is_none() && !is_done(p);
        let Some(pod) = cx.view.get::<Pod>(key).filter(alive) else {
            self.0.remove(item);
            return out;
        };
        let mut found = Vec::new();
        for entry in entries(pod) {
            match claim_of(cx.view, pod, entry) {
                Ok(Made::Known) => {}
                Ok(Made::Found(name)) => found.push((entry.name.as_str(), name)),
                Ok(Made::New(claim)) => {
                    let why = format!("PodResourceClaim {}: create ResourceClaim : {{error}}", entry.name);
                    out.push(Intent::create(*claim).on_failure(pod, "FailedResourceClaimCreation", why));
                }
                Err(why) => {
                    let message = format!("PodResourceClaim {}: {why}", entry.name);
                    out.push(Intent::event(pod, EventType::Warning, "FailedResourceClaimCreation", message));
                    let tries = self.0.entry(item.clone()).or_default();
                    out.requeue(Duration::from_millis(5u64 << (*tries).min(17)));
                    *tries += 1;
                    return out;
                }
            }
        }
        self.0.remove(item);
        out.intents.extend(remember(pod, key, &found));
        if has_node(pod) && found.is_empty() {
            out.intents.extend(entries(pod).iter().filter_map(|e| reserve(cx.view, pod, name(pod, e)?)));
        }
        out
    }
}

enum Made {
    /// It is there, or somebody else's to make.
    Known,
    /// It is there, and the pod does not say so yet.
    Found(String),
    New(Box<ResourceClaim>),
}

/// Models `handleClaim`.
fn claim_of(view: &View, pod: &Pod, entry: &PodResourceClaim) -> Result<Made, String> {
    let Some(template) = &entry.resource_claim_template_name else { return Ok(Made::Known) };
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let owned = |c: &&ResourceClaim| controller_of(&c.metadata).map(|r| &r.uid) == pod.metadata.uid.as_ref();
    let known = name(pod, entry).and_then(|n| view.get::<ResourceClaim>(&Key::new(namespace, n)));
    if known.filter(owned).is_some() {
        return Ok(Made::Known);
    }
    let entry_of = |c: &ResourceClaim| c.metadata.annotations.as_ref().and_then(|a| a.get(ENTRY).cloned());
    let mut mine = view.list_in::<ResourceClaim>(namespace).filter(owned);
    if let Some(claim) = mine.find(|c| entry_of(c).as_deref() == Some(&entry.name)) {
        return Ok(Made::Found(claim.metadata.name.clone().unwrap_or_default()));
    }
    let made_of = view.get::<ResourceClaimTemplate>(&Key::new(namespace, template)).ok_or_else(|| {
        format!("resource claim template {template:?}: resourceclaimtemplate.resource.k8s.io {template:?} not found")
    })?;
    let said = made_of.spec.metadata.clone().unwrap_or_default();
    let mut annotations = said.annotations.unwrap_or_default();
    annotations.insert(ENTRY.into(), entry.name.clone());
    let metadata = ObjectMeta {
        generate_name: Some(base(pod.metadata.name.as_deref().unwrap_or_default(), &entry.name)),
        namespace: Some(namespace.into()),
        owner_references: Some(vec![controller_reference(pod)]),
        annotations: Some(annotations),
        labels: said.labels,
        ..ObjectMeta::default()
    };
    Ok(Made::New(Box::new(ResourceClaim { metadata, spec: made_of.spec.spec.clone(), status: None })))
}

/// `<pod>-<entry>-`, of long names a part of each.
fn base(pod: &str, entry: &str) -> String {
    let whole = format!("{pod}-{entry}-");
    if whole.len() <= BASE_MAX {
        return whole;
    }
    let part = |s: &str| s[..s.len() * BASE_MAX / whole.len()].to_string();
    format!("{}-{}", part(pod), part(entry))
}

/// Writes the generated names into the pod.
fn remember(pod: &Pod, key: &Key, found: &[(&str, String)]) -> Option<Intent> {
    if found.is_empty() {
        return None;
    }
    let mut all = pod.status.as_ref().and_then(|s| s.resource_claim_statuses.clone()).unwrap_or_default();
    for (entry, claim) in found {
        all.retain(|s| s.name != *entry);
        all.push(PodResourceClaimStatus { name: (*entry).into(), resource_claim_name: Some(claim.clone()) });
    }
    let body = json!({ "status": { "resourceClaimStatuses": all } });
    Some(Intent::patch(Pod::KIND_REF, key.clone(), "status", body).tolerate(Tolerate::NotFound))
}

/// A pod that got its node from somebody else than the scheduler may still use what is allocated.
fn reserve(view: &View, pod: &Pod, claim: &str) -> Option<Intent> {
    let key = Key::new(pod.metadata.namespace.as_deref().unwrap_or_default(), claim);
    let claim = view.get::<ResourceClaim>(&key)?;
    let status = claim.status.as_ref().filter(|s| s.allocation.is_some())?;
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let mut reserved = status.reserved_for.clone().unwrap_or_default();
    if reserved.iter().any(|r| r.uid == uid) {
        return None;
    }
    let name = pod.metadata.name.clone().unwrap_or_default();
    reserved.push(ResourceClaimConsumerReference { api_group: None, name, resource: "pods".into(), uid });
    Some(patch_status(claim, key, json!({ "reservedFor": reserved })))
}

fn patch_status(claim: &ResourceClaim, key: Key, status: serde_json::Value) -> Intent {
    let metadata = json!({ "resourceVersion": claim.metadata.resource_version });
    Intent::patch(ResourceClaim::KIND_REF, key, "status", json!({ "metadata": metadata, "status": status }))
}

/// Models `syncClaim`.
fn sync_claim(view: &View, key: &Key) -> Outcome {
    let mut out = Outcome::done();
    let Some(claim) = view.get::<ResourceClaim>(key) else { return out };
    let status = claim.status.as_ref();
    let reserved = status.and_then(|s| s.reserved_for.as_deref()).unwrap_or_default();
    let is_valid = |r: &&ResourceClaimConsumerReference| {
        let pod = view.get::<Pod>(&Key::new(key.namespace(), &r.name));
        r.resource != "pods" || pod.is_some_and(|p| p.metadata.uid.as_ref() == Some(&r.uid) && !is_done(p))
    };
    let valid: Vec<_> = reserved.iter().filter(is_valid).collect();
    let finalizers = claim.metadata.finalizers.as_deref().unwrap_or_default();
    let guarded = finalizers.iter().any(|f| f == FINALIZER);
    let allocated = status.is_some_and(|s| s.allocation.is_some());
    let deleted = claim.metadata.deletion_timestamp.is_some();
    let freed = guarded && valid.is_empty();
    let mut unguard = false;
    if valid.len() < reserved.len() {
        let mut body = json!({ "reservedFor": if valid.is_empty() { json!(null) } else { json!(valid) } });
        if freed {
            // The devices are for whoever comes next.
            (body["allocation"], body["devices"]) = (json!(null), json!(null));
        }
        out.push(patch_status(claim, key.clone(), body).tolerate(Tolerate::NotFound));
        unguard = freed;
    } else if freed && deleted {
        if allocated {
            let body = json!({ "allocation": null, "devices": null });
            out.push(patch_status(claim, key.clone(), body).tolerate(Tolerate::NotFound));
        }
        unguard = true;
    }
    if unguard {
        let rest: Vec<&String> = finalizers.iter().filter(|f| *f != FINALIZER).collect();
        let body = json!({ "metadata": { "finalizers": if rest.is_empty() { json!(null) } else { json!(rest) } } });
        let patch = Intent::patch(ResourceClaim::KIND_REF, key.clone(), "", body);
        out.push(patch.tolerate(Tolerate::NotFound));
    }
    if valid.is_empty() && !deleted {
        // The garbage collector would come late: the pod may stay for a while.
        let owner = controller_of(&claim.metadata).filter(|r| r.kind == "Pod");
        let pod = owner.and_then(|r| Some((r, view.get::<Pod>(&Key::new(key.namespace(), &r.name))?)));
        if pod.is_some_and(|(r, p)| p.metadata.uid.as_ref() != Some(&r.uid) || is_done(p)) {
            out.push(Intent::delete(claim));
        }
    }
    out
}

#[cfg(test)]
mod tests;
