//! PersistentVolumes, their claims and classes.

use super::events::{self, About};
use super::sort::sort;
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show, volumes};
use crate::error::Error;
use serde_json::Value;

const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

impl Describer<'_> {
    pub async fn volume(&self, pv: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("PersistentVolume", pv)).await;
        let mut w = self.writer();
        write_volume(&mut w, pv);
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn claim(&self, pvc: View<'_>) -> Result<String, Error> {
        let pods = self.pods(pvc.namespace(), &[]).await?;
        let events = self.events(About::object("PersistentVolumeClaim", pvc)).await;
        let mut w = self.writer();
        claim(&mut w, pvc, true);
        parts::multiline(&mut w, "", "Used By", users(&pods, pvc));
        let conditions = pvc.list("status.conditions");
        if !conditions.is_empty() {
            put!(w, 0, "Conditions:\n");
            put!(w, 1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n");
            put!(w, 1, "----\t------\t-----------------\t------------------\t------\t-------\n");
            for c in conditions {
                let (probed, changed) = (show::time(c.at("lastProbeTime")), show::time(c.at("lastTransitionTime")));
                let (kind, status) = (c.s("type"), c.s("status"));
                put!(w, 1, "{kind} \t{status} \t{probed} \t{changed} \t{} \t{}\n", c.s("reason"), c.s("message"));
            }
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn storage_class(&self, class: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("StorageClass", class)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", class.name());
        put!(w, 0, "IsDefaultClass:\t{}\n", if is_default(class) { "Yes" } else { "No" });
        put!(w, 0, "Annotations:\t{}\n", parts::label_set(class.at("metadata.annotations")));
        put!(w, 0, "Provisioner:\t{}\n", class.s("provisioner"));
        put!(w, 0, "Parameters:\t{}\n", parts::label_set(class.at("parameters")));
        put!(w, 0, "AllowVolumeExpansion:\t{}\n", show::yes_or_unset(class.at("allowVolumeExpansion")));
        let options = class.strings("mountOptions");
        if options.is_empty() {
            put!(w, 0, "MountOptions:\t<none>\n");
        } else {
            put!(w, 0, "MountOptions:\n");
            for option in options {
                put!(w, 1, "{option}\n");
            }
        }
        for (title, field) in [("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")] {
            if class.has(field) {
                put!(w, 0, "{title}:\t{}\n", class.s(field));
            }
        }
        if class.has("allowedTopologies") {
            topologies(&mut w, class.list("allowedTopologies"));
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn attributes_class(&self, class: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("VolumeAttributesClass", class)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", class.name());
        put!(w, 0, "Annotations:\t{}\n", parts::label_set(class.at("metadata.annotations")));
        put!(w, 0, "DriverName:\t{}\n", class.s("driverName"));
        put!(w, 0, "Parameters:\t{}\n", parts::label_set(class.at("parameters")));
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn csi_node(&self, node: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("CSINode", node)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", node.name());
        parts::metadata(&mut w, node);
        put!(w, 0, "CreationTimestamp:\t{}\n", show::time(node.at("metadata.creationTimestamp")));
        put!(w, 0, "Spec:\n");
        if node.has("spec.drivers") {
            put!(w, 1, "Drivers:\n");
            for driver in node.list("spec.drivers") {
                put!(w, 2, "{}:\n", driver.s("name"));
                put!(w, 3, "Node ID:\t{}\n", driver.s("nodeID"));
                if let Some(count) = driver.at("allocatable.count").opt() {
                    put!(w, 3, "Allocatables:\n");
                    put!(w, 4, "Count:\t{}\n", count.int());
                }
                if driver.has("topologyKeys") {
                    put!(w, 3, "Topology Keys:\t{}\n", show::slice(driver.strings("topologyKeys")));
                }
            }
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

/// The class of a volume or claim: the old annotation goes first.
pub fn class(object: View<'_>) -> &str {
    let old = object.at("metadata.annotations").key(BETA_CLASS);
    if old.is_set() { old.text() } else { object.s("spec.storageClassName") }
}

fn is_default(class: View) -> bool {
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
        .iter()
        .any(|key| class.at("metadata.annotations").key(key).text() == "true")
}

/// Models `GetAccessModesAsString`.
fn access_modes(modes: &[&str]) -> String {
    let known =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let short: Vec<&str> = known.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| *short).collect();
    short.join(",")
}

fn write_volume(w: &mut Writer, pv: View) {
    put!(w, 0, "Name:\t{}\n", pv.name());
    parts::metadata(w, pv);
    put!(w, 0, "Finalizers:\t{}\n", show::slice(pv.strings("metadata.finalizers")));
    put!(w, 0, "StorageClass:\t{}\n", class(pv));
    phase(w, pv);
    match pv.at("spec.claimRef").opt() {
        Some(claim) => put!(w, 0, "Claim:\t{}/{}\n", claim.s("namespace"), claim.s("name")),
        None => put!(w, 0, "Claim:\t\n"),
    }
    put!(w, 0, "Reclaim Policy:\t{}\n", pv.s("spec.persistentVolumeReclaimPolicy"));
    put!(w, 0, "Access Modes:\t{}\n", access_modes(&pv.strings("spec.accessModes")));
    volume_mode(w, pv);
    put!(w, 0, "Capacity:\t{}\n", pv.at("spec.capacity.storage").quantity());
    node_affinity(w, pv.at("spec.nodeAffinity.required"));
    put!(w, 0, "Message:\t{}\n", pv.s("status.message"));
    put!(w, 0, "Source:\n");
    volumes::of_volume(w, pv.at("spec"));
}

fn phase(w: &mut Writer, object: View) {
    match object.at("metadata.deletionTimestamp").opt() {
        Some(at) => put!(w, 0, "Status:\tTerminating (lasts {})\n", show::since(at, w.now)),
        None => put!(w, 0, "Status:\t{}\n", object.s("status.phase")),
    }
}

fn volume_mode(w: &mut Writer, object: View) {
    if let Some(mode) = object.at("spec.volumeMode").opt() {
        put!(w, 0, "VolumeMode:\t{}\n", mode.text());
    }
}

/// Models `printVolumeNodeAffinity`.
fn node_affinity(w: &mut Writer, required: View) {
    put!(w, 0, "Node Affinity:\t");
    if !required.is_set() {
        return w.line("<none>");
    }
    w.line("");
    put!(w, 1, "Required Terms:\t");
    let terms = required.list("nodeSelectorTerms");
    if terms.is_empty() {
        return w.line("<none>");
    }
    w.line("");
    for (i, term) in terms.into_iter().enumerate() {
        requirements(w, 2, i, term.list("matchExpressions"), |r| r.s("operator").to_lowercase());
    }
}

fn topologies(w: &mut Writer, terms: Vec<View>) {
    put!(w, 0, "AllowedTopologies:\t");
    if terms.is_empty() {
        return w.line("<none>");
    }
    w.line("");
    for (i, term) in terms.into_iter().enumerate() {
        requirements(w, 1, i, term.list("matchLabelExpressions"), |_| "in".into());
    }
}

/// A numbered term: keys, operators and values. Models `printNodeSelectorTermsMultilineWithIndent` and its like.
fn requirements(w: &mut Writer, level: usize, number: usize, list: Vec<View>, operator: impl Fn(View) -> String) {
    put!(w, level, "Term {number}:\t");
    if list.is_empty() {
        return w.line("<none>");
    }
    for (i, requirement) in list.into_iter().enumerate() {
        if i != 0 {
            put!(w, level, "\t");
        }
        let (key, operator) = (requirement.s("key"), operator(requirement));
        match requirement.strings("values").as_slice() {
            [] => put!(w, 0, "{key} {operator}\n"),
            values => put!(w, 0, "{key} {operator} [{}]\n", values.join(", ")),
        }
    }
}

/// A claim, or the template of one, which has less. Models `printPersistentVolumeClaim`.
pub fn claim(w: &mut Writer, pvc: View, whole: bool) {
    if whole {
        put!(w, 0, "Name:\t{}\n", pvc.name());
        put!(w, 0, "Namespace:\t{}\n", pvc.namespace());
    }
    put!(w, 0, "StorageClass:\t{}\n", class(pvc));
    if whole {
        phase(w, pvc);
    }
    put!(w, 0, "Volume:\t{}\n", pvc.s("spec.volumeName"));
    parts::metadata(w, pvc);
    if whole {
        put!(w, 0, "Finalizers:\t{}\n", show::slice(pvc.strings("metadata.finalizers")));
    }
    if pvc.s("spec.volumeName").is_empty() {
        put!(w, 0, "Capacity:\t\n");
        put!(w, 0, "Access Modes:\t\n");
    } else {
        put!(w, 0, "Capacity:\t{}\n", pvc.at("status.capacity.storage").quantity());
        put!(w, 0, "Access Modes:\t{}\n", access_modes(&pvc.strings("status.accessModes")));
    }
    volume_mode(w, pvc);
    if let Some(source) = pvc.at("spec.dataSource").opt() {
        put!(w, 0, "DataSource:\n");
        if source.has("apiGroup") {
            put!(w, 1, "APIGroup:\t{}\n", source.s("apiGroup"));
        }
        put!(w, 1, "Kind:\t{}\n", source.s("kind"));
        put!(w, 1, "Name:\t{}\n", source.s("name"));
    }
}

/// The names of the pods that use a claim, or own it. Models `getPodsForPVC`.
fn users(pods: &[Value], pvc: View) -> Vec<String> {
    let pods: Vec<View> = pods.iter().map(View::new).collect();
    let mut users: Vec<View> = Vec::new();
    for pod in &pods {
        // A pod with two volumes of one claim is there twice.
        let volumes = pod.list("spec.volumes").into_iter();
        let mounts = volumes.filter(|v| v.s("persistentVolumeClaim.claimName") == pvc.name()).count();
        users.extend(std::iter::repeat_n(*pod, mounts));
    }
    for owner in pvc.list("metadata.ownerReferences").into_iter().filter(|o| o.s("kind") == "Pod") {
        let uid = owner.s("uid");
        let Some(pod) = pods.iter().find(|p| p.uid() == uid) else { continue };
        if !users.iter().any(|u| u.uid() == uid) {
            users.push(*pod);
        }
    }
    sort(&mut users, |a, b| a.name() < b.name());
    users.into_iter().map(|u| u.name().to_string()).collect()
}

/// The claims a StatefulSet makes. Models `describeVolumeClaimTemplates`.
pub fn claim_templates(w: &mut Writer, templates: Vec<View>) {
    if templates.is_empty() {
        put!(w, 0, "Volume Claims:\t<none>\n");
        return;
    }
    put!(w, 0, "Volume Claims:\n");
    for pvc in templates {
        put!(w, 1, "Name:\t{}\n", pvc.name());
        put!(w, 1, "StorageClass:\t{}\n", class(pvc));
        parts::labels_indented(w, "  ", "Labels", pvc.at("metadata.labels"));
        parts::labels_indented(w, "  ", "Annotations", pvc.at("metadata.annotations"));
        match pvc.at("spec.resources.requests.storage").opt() {
            Some(size) => put!(w, 1, "Capacity:\t{}\n", size.quantity()),
            None => put!(w, 1, "Capacity:\t<default>\n"),
        }
        put!(w, 1, "Access Modes:\t{}\n", show::slice(pvc.strings("spec.accessModes")));
    }
}
