//! `labels`, `commonLabels` and `commonAnnotations`. Models kustomize's `builtinpluginconsts` for them.

use super::places::{each, template};
use super::{Resource, list};
use serde_json::{Map, Value};

/// Where selectors are: the kind, the path, and whether it is made when it is missing.
const SELECTORS: &[(&str, &str, bool)] = &[
    ("Service", "spec/selector", true),
    ("ReplicationController", "spec/selector", true),
    ("Deployment", "spec/selector/matchLabels", true),
    ("ReplicaSet", "spec/selector/matchLabels", true),
    ("DaemonSet", "spec/selector/matchLabels", true),
    ("StatefulSet", "spec/selector/matchLabels", true),
    ("Job", "spec/selector/matchLabels", false),
    ("CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("NetworkPolicy", "spec/ingress[]/from[]/podSelector/matchLabels", false),
    ("NetworkPolicy", "spec/egress[]/to[]/podSelector/matchLabels", false),
];
/// Selectors within a pod's spec, never made.
const IN_PODS: &[&str] = &[
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution[]/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution[]/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution[]/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution[]/labelSelector/matchLabels",
    "topologySpreadConstraints[]/labelSelector/matchLabels",
];

pub(super) fn run(k: &Map<String, Value>, all: &mut [Resource]) {
    for entry in list(k, "labels") {
        let Some(pairs) = entry["pairs"].as_object() else { continue };
        let flag = |f: &str| entry[f].as_bool() == Some(true);
        all.iter_mut().for_each(|r| label(r, pairs, flag("includeSelectors"), flag("includeTemplates")));
    }
    if let Some(pairs) = k.get("commonLabels").and_then(Value::as_object) {
        all.iter_mut().for_each(|r| label(r, pairs, true, true));
    }
    if let Some(pairs) = k.get("commonAnnotations").and_then(Value::as_object) {
        for r in all {
            let kind = r.kind().to_string();
            put(&mut r.object, "metadata/annotations", true, pairs);
            if kind == "CronJob" {
                put(&mut r.object, "spec/jobTemplate/metadata/annotations", true, pairs);
            }
            if let Some(t) = template(&kind) {
                put(&mut r.object, &format!("{t}/metadata/annotations"), true, pairs);
            }
        }
    }
}

fn put(object: &mut Value, path: &str, create: bool, pairs: &Map<String, Value>) {
    each(object, path, create, &mut |v| {
        if let Some(map) = v.as_object_mut() {
            map.extend(pairs.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    });
}

fn label(r: &mut Resource, pairs: &Map<String, Value>, selectors: bool, templates: bool) {
    let kind = r.kind().to_string();
    put(&mut r.object, "metadata/labels", true, pairs);
    if !selectors && !templates {
        return;
    }
    if let Some(t) = template(&kind) {
        put(&mut r.object, &format!("{t}/metadata/labels"), true, pairs);
        if selectors {
            IN_PODS.iter().for_each(|p| put(&mut r.object, &format!("{t}/spec/{p}"), false, pairs));
        }
    }
    if kind == "CronJob" {
        put(&mut r.object, "spec/jobTemplate/metadata/labels", true, pairs);
    }
    if kind == "StatefulSet" {
        put(&mut r.object, "spec/volumeClaimTemplates[]/metadata/labels", true, pairs);
    }
    if selectors {
        for (_, path, create) in SELECTORS.iter().filter(|(k, _, _)| *k == kind) {
            put(&mut r.object, path, *create, pairs);
        }
    }
}
