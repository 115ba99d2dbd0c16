//! Which lists merge, and by which key: the `patchStrategy` and `patchMergeKey` tags of `k8s.io/api`, for the
//! built-in kinds. Every other list is replaced as a whole.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListStrategy {
    Replace,
    /// A list of strings or numbers that is a set.
    MergeValues,
    /// A list of objects told apart by this field.
    MergeBy(&'static str),
}

const POD_SPEC: &[(&str, &str)] = &[
    ("containers", "name"),
    ("ephemeralContainers", "name"),
    ("hostAliases", "ip"),
    ("imagePullSecrets", "name"),
    ("initContainers", "name"),
    ("resourceClaims", "name"),
    ("schedulingGates", "name"),
    ("topologySpreadConstraints", "topologyKey"),
    ("volumes", "name"),
];

const CONTAINER: &[(&str, &str)] =
    &[("env", "name"), ("ports", "containerPort"), ("volumeDevices", "devicePath"), ("volumeMounts", "mountPath")];

/// By kind, and the path to the object that holds the list (without indexes).
const OTHERS: &[(&str, &[&str], &str, &str)] = &[
    ("Node", &["status"], "addresses", "type"),
    ("Pod", &["status"], "hostIPs", "ip"),
    ("Pod", &["status"], "podIPs", "ip"),
    ("Pod", &["status"], "resourceClaimStatuses", "name"),
    ("Service", &["spec"], "ports", "port"),
    ("ServiceAccount", &[], "imagePullSecrets", "name"),
    ("ServiceAccount", &[], "secrets", "name"),
];

/// `path` leads from the root to the object that holds the list `field`.
pub fn strategy(kind: &str, path: &[String], field: &str) -> ListStrategy {
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(f, _)| *f == field).map_or(ListStrategy::Replace, |(_, key)| ListStrategy::MergeBy(key))
    };
    let last = path.last().map(String::as_str).unwrap_or("");
    let before = path.len().checked_sub(2).and_then(|i| path.get(i)).map(String::as_str).unwrap_or("");
    match (last, field) {
        ("metadata", "finalizers") => return ListStrategy::MergeValues,
        ("metadata", "ownerReferences") => return ListStrategy::MergeBy("uid"),
        ("status", "conditions") if path.len() == 1 => return ListStrategy::MergeBy("type"),
        ("spec", "podCIDRs") if kind == "Node" => return ListStrategy::MergeValues,
        _ => {}
    }
    if last == "spec" && (before == "template" || (kind == "Pod" && path.len() == 1)) {
        return find(POD_SPEC);
    }
    if before == "spec" && matches!(last, "containers" | "initContainers" | "ephemeralContainers") {
        return find(CONTAINER);
    }
    OTHERS
        .iter()
        .find(|(k, p, f, _)| *k == kind && *f == field && path.iter().map(String::as_str).eq(p.iter().copied()))
        .map_or(ListStrategy::Replace, |(_, _, _, key)| ListStrategy::MergeBy(key))
}

/// The merge key of the list at `path` (its field last) in a kind; `None` when the list is not merged by one.
pub fn merge_key(kind: &str, path: &[String]) -> Option<&'static str> {
    let (field, parent) = path.split_last()?;
    match strategy(kind, parent, field) {
        ListStrategy::MergeBy(key) => Some(key),
        _ => None,
    }
}
