//! `labels`, `commonLabels` and `commonAnnotations`. Models kustomize's `builtinpluginconsts` for them.

use super::config::{Config, Place};
use super::places::{Spec, put};
use super::resource::Resource;
use super::{list, text};
use crate::error::Error;
use serde_json::{Map, Value};

/// Group, version, kind, path, and whether it is made when it is missing.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

const METADATA: Row = ("", "", "", "metadata/labels", true);

const TEMPLATES: &[Row] = &[
    METADATA,
    ("", "v1", "ReplicationController", "spec/template/metadata/labels", true),
    ("", "", "Deployment", "spec/template/metadata/labels", true),
    ("", "", "ReplicaSet", "spec/template/metadata/labels", true),
    ("", "", "DaemonSet", "spec/template/metadata/labels", true),
    ("apps", "", "StatefulSet", "spec/template/metadata/labels", true),
    ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true),
    ("batch", "", "Job", "spec/template/metadata/labels", true),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
];
const SELECTORS: &[Row] = &[
    ("", "v1", "Service", "spec/selector", true),
    ("", "v1", "ReplicationController", "spec/selector", true),
    ("", "", "Deployment", "spec/selector/matchLabels", true),
    ("", "", "ReplicaSet", "spec/selector/matchLabels", true),
    ("", "", "DaemonSet", "spec/selector/matchLabels", true),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    ("batch", "", "Job", "spec/selector/matchLabels", false),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];
/// Selectors within the pods of Deployments and StatefulSets, never made.
const IN_PODS: &[&str] = &[
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];
const ANNOTATIONS: &[Row] = &[
    ("", "", "", "metadata/annotations", true),
    ("", "v1", "ReplicationController", "spec/template/metadata/annotations", true),
    ("", "", "Deployment", "spec/template/metadata/annotations", true),
    ("", "", "ReplicaSet", "spec/template/metadata/annotations", true),
    ("", "", "DaemonSet", "spec/template/metadata/annotations", true),
    ("", "", "StatefulSet", "spec/template/metadata/annotations", true),
    ("batch", "", "Job", "spec/template/metadata/annotations", true),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
];

fn row_place(row: &Row) -> Place {
    let &(group, version, kind, path, create) = row;
    Place { group: group.into(), version: version.into(), kind: kind.into(), path: path.into(), create }
}

/// Whether upstream's own list of a configuration's field has the place, and then whether what is missing is made.
pub(super) fn default_creates(field: &str, place: &Place) -> Option<bool> {
    let rows: &[&[Row]] = match field {
        "commonLabels" => &[SELECTORS, TEMPLATES],
        "templateLabels" => &[TEMPLATES],
        "commonAnnotations" => &[ANNOTATIONS],
        _ => &[],
    };
    let is = |row: &&Row| (row.0, row.1, row.2, row.3) == (&*place.group, &*place.version, &*place.kind, &*place.path);
    rows.iter().copied().flatten().find(is).map(|row| row.4)
}

pub(super) fn run(k: &Map<String, Value>, config: &Config, all: &mut [Resource]) -> Result<(), Error> {
    for entry in list(k, "labels") {
        let Some(pairs) = entry["pairs"].as_object() else { continue };
        let flag = |f: &str| entry[f] == true;
        let rows = match (flag("includeSelectors"), flag("includeTemplates")) {
            (true, _) => &[SELECTORS, TEMPLATES][..],
            (_, true) => &[TEMPLATES][..],
            _ => &[&[METADATA][..]][..],
        };
        own(entry, pairs, rows, all)?;
        let field = match (flag("includeSelectors"), flag("includeTemplates")) {
            (true, _) => "commonLabels",
            (_, true) => "templateLabels",
            _ => "labels",
        };
        let mut configured_too = config.clone();
        super::config::places(&entry["fields"]).into_iter().for_each(|p| configured_too.put(field, p));
        label(pairs, rows, flag("includeSelectors"), &|row| configured_too.shadows(field, &row_place(row)), all)?;
        match (flag("includeSelectors"), flag("includeTemplates")) {
            (true, _) => configured(pairs, config.of("commonLabels"), all)?,
            (_, templates) => {
                let templates = if templates { config.of("templateLabels") } else { &[] };
                configured(pairs, templates, all)?;
                configured(pairs, config.of("labels"), all)?;
            }
        }
    }
    if let Some(pairs) = k.get("commonLabels").and_then(Value::as_object) {
        label(pairs, &[SELECTORS, TEMPLATES], true, &|row| config.shadows("commonLabels", &row_place(row)), all)?;
        configured(pairs, config.of("commonLabels"), all)?;
    }
    if let Some(pairs) = k.get("commonAnnotations").and_then(Value::as_object) {
        label(pairs, &[ANNOTATIONS], false, &|row| config.shadows("commonAnnotations", &row_place(row)), all)?;
        configured(pairs, config.of("commonAnnotations"), all)?;
    }
    Ok(())
}

pub(super) fn configured(pairs: &Map<String, Value>, places: &[Place], all: &mut [Resource]) -> Result<(), Error> {
    let each = |p: &Place| all.iter_mut().try_for_each(|r| p.spec().each(r, &mut |v| put(v, pairs)));
    if pairs.is_empty() { Ok(()) } else { places.iter().try_for_each(each) }
}

/// `labels[].fields`: places of one's own.
fn own(entry: &Value, pairs: &Map<String, Value>, rows: &[&[Row]], all: &mut [Resource]) -> Result<(), Error> {
    for field in entry["fields"].as_array().into_iter().flatten() {
        let part = |f: &str| field[f].as_str().unwrap_or("");
        let create = field["create"] == true;
        let same = |row: &&Row| row.2 == part("kind") && row.0 == part("group") && row.3 == part("path");
        if rows.iter().copied().flatten().find(same).is_some_and(|row| row.4 != create) {
            return Err(text("failed to merge labels: conflicting fieldspecs"));
        }
        let spec =
            Spec { group: part("group"), version: part("version"), kind: part("kind"), path: part("path"), create };
        all.iter_mut().try_for_each(|r| spec.each(r, &mut |v| put(v, pairs)))?;
    }
    Ok(())
}

fn label(
    pairs: &Map<String, Value>,
    rows: &[&[Row]],
    in_pods: bool,
    shadowed: &dyn Fn(&Row) -> bool,
    all: &mut [Resource],
) -> Result<(), Error> {
    if pairs.is_empty() {
        return Ok(());
    }
    for r in all {
        for (group, version, kind, path, create) in rows.iter().copied().flatten().filter(|r| !shadowed(r)) {
            let spec = Spec { group, version, kind, path, create: *create };
            spec.each(r, &mut |v| put(v, pairs))?;
        }
        for kind in ["Deployment", "StatefulSet"].into_iter().filter(|_| in_pods) {
            for path in IN_PODS {
                let path = format!("spec/template/spec/{path}");
                let spec = Spec { group: "apps", version: "", kind, path: &path, create: false };
                spec.each(r, &mut |v| put(v, pairs))?;
            }
        }
    }
    Ok(())
}
