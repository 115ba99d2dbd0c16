//! Objects on their way, and what tells them apart. Models `kustomize/api/resource`, `kustomize/api/resmap` and
//! `kyaml/resid`.

use super::text;
use crate::error::Error;
use meta::labels::Selector;
use regex_lite::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Kinds that are in no namespace, with their groups: those that kustomize's schema knows, which is older than the
/// server's.
const CLUSTER: &[(&str, &str)] = &[
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("networking.k8s.io", "IngressClass"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
];
/// The namespace of what is in none.
const NOWHERE: &str = "_non_namespaceable_";

/// Models `resid.ResId`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Id {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
}

impl Id {
    pub fn of(object: &Value) -> Id {
        let text = |path: &[&str]| text_at(object, path).to_string();
        let api_version = text(&["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        Id {
            group: group.into(),
            version: version.into(),
            kind: text(&["kind"]),
            name: text(&["metadata", "name"]),
            namespace: text(&["metadata", "namespace"]),
        }
    }
    pub fn is_cluster_scoped(&self) -> bool {
        self.version.starts_with("v1") && CLUSTER.contains(&(self.group.as_str(), self.kind.as_str()))
    }
    pub fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_cluster_scoped() => NOWHERE,
            "" => "default",
            namespace => namespace,
        }
    }
    pub fn same_kind(&self, o: &Id) -> bool {
        (&self.group, &self.version, &self.kind) == (&o.group, &o.version, &o.kind)
    }
    pub fn same_kind_and_name(&self, o: &Id) -> bool {
        self.name == o.name && self.same_kind(o)
    }
    pub fn equals(&self, o: &Id) -> bool {
        self.effective_namespace() == o.effective_namespace() && self.same_kind_and_name(o)
    }
    /// Models `IsSelectedBy`: what the selector leaves out may be anything.
    pub fn is_selected_by(&self, s: &Id) -> bool {
        (s.name.is_empty() || s.name == self.name)
            && (s.namespace.is_empty() || s.effective_namespace() == self.effective_namespace())
            && self.is_kind(&s.group, &s.version, &s.kind)
    }
    /// Models `Gvk.IsSelected`.
    pub fn is_kind(&self, group: &str, version: &str, kind: &str) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(group, &self.group) && fits(version, &self.version) && fits(kind, &self.kind)
    }
}

/// `Deployment.v1.apps/web.prod`.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
            if text.is_empty() { other } else { text }
        }
        let (kind, version, group) =
            (or(&self.kind, "[noKind]"), or(&self.version, "[noVer]"), or(&self.group, "[noGrp]"));
        write!(f, "{kind}.{version}.{group}/{}.{}", or(&self.name, "[noName]"), or(&self.namespace, "[noNs]"))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub object: Value,
    /// What it was before it got its name and namespace, the oldest first.
    pub previous: Vec<Id>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    /// Whether a generator made it.
    pub generated: bool,
    /// What a generator said of objects that are there.
    pub behavior: String,
    /// Whether a hash of what is in it ends its name.
    pub hashed: bool,
    /// The variables that are read off it.
    pub vars: Vec<String>,
    /// Where it comes from, as its annotation says it.
    pub origin: String,
    /// A configuration before its fields got the names that they are read by.
    pub written: Option<Value>,
    /// What changed it, one after the other, as an annotation has it.
    pub transformed: Vec<String>,
}

impl Resource {
    pub fn new(object: Value) -> Resource {
        Resource { object, ..Resource::default() }
    }
    pub fn id(&self) -> Id {
        Id::of(&self.object)
    }
    /// The first it had.
    pub fn original(&self) -> Id {
        self.previous.first().cloned().unwrap_or_else(|| self.id())
    }
    /// All it had and the one it has.
    pub fn ids(&self) -> impl Iterator<Item = Id> + '_ {
        self.previous.iter().cloned().chain([self.id()])
    }
    pub fn store_id(&mut self) {
        let id = self.id();
        self.previous.push(Id { namespace: id.effective_namespace().into(), ..id });
    }
    /// Whether upstream has noted something in its annotations.
    pub fn has_notes(&self) -> bool {
        self.generated || [self.previous.len(), self.prefixes.len(), self.suffixes.len(), self.vars.len()] != [0; 4]
    }
    /// The object with the notes that stand in its annotations upstream, which some errors show.
    pub fn noted(&self) -> Value {
        let mut object = self.object.clone();
        let mut notes: Vec<(&str, String)> = Vec::new();
        let all = |of: fn(&Id) -> &String| self.previous.iter().map(|i| of(i).as_str()).collect::<Vec<_>>().join(",");
        if !self.prefixes.is_empty() {
            notes.push(("prefixes", self.prefixes.join(",")));
        }
        if !self.previous.is_empty() {
            notes.push(("previousKinds", all(|i| &i.kind)));
            notes.push(("previousNames", all(|i| &i.name)));
            notes.push(("previousNamespaces", all(|i| &i.namespace)));
        }
        if !self.suffixes.is_empty() {
            notes.push(("suffixes", self.suffixes.join(",")));
        }
        if !self.vars.is_empty() {
            notes.push(("refBy", self.vars.join(",")));
        }
        if self.generated {
            notes.push((
                "generatorBehavior",
                if self.behavior.is_empty() { "unspecified" } else { &self.behavior }.into(),
            ));
        }
        if self.hashed {
            notes.push(("needsHashSuffix", "enabled".into()));
        }
        if !notes.is_empty() {
            let metadata =
                object.as_object_mut().map(|o| o.entry("metadata").or_insert_with(|| Value::Object(Map::new())));
            if let Some(metadata) = metadata {
                let annotations = map_at(metadata, "annotations");
                annotations
                    .extend(notes.into_iter().map(|(k, v)| (format!("internal.config.kubernetes.io/{k}"), v.into())));
            }
        }
        object
    }
    pub fn kind(&self) -> &str {
        text_at(&self.object, &["kind"])
    }
    pub fn name(&self) -> &str {
        text_at(&self.object, &["metadata", "name"])
    }
    /// Its metadata, which a patch may have made something else than a map.
    pub fn metadata(&mut self) -> &mut Map<String, Value> {
        if !self.object.is_object() {
            self.object = Value::Object(Map::new());
        }
        map_at(&mut self.object, "metadata")
    }
    pub fn set_name(&mut self, name: &str) {
        self.metadata().insert("name".into(), name.into());
    }
    /// Empty: none.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            self.metadata().remove("namespace");
        } else {
            self.metadata().insert("namespace".into(), namespace.into());
        }
    }
    pub fn pairs(&self, field: &str) -> BTreeMap<String, String> {
        let pairs = self.object.pointer(&format!("/metadata/{field}")).and_then(Value::as_object);
        let text = |(k, v): (&String, &Value)| (k.clone(), v.as_str().unwrap_or("").to_string());
        pairs.into_iter().flatten().map(text).collect()
    }
    pub fn fits(&self, selector: &Value) -> Result<bool, Error> {
        let parsed = |f: &str| Selector::parse(selector[f].as_str().unwrap_or("")).map_err(|e| text(e.to_string()));
        Ok(parsed("labelSelector")?.matches(Some(&self.pairs("labels")))
            && parsed("annotationSelector")?.matches(Some(&self.pairs("annotations"))))
    }
}

/// Empty where there is no text.
fn text_at<'v>(object: &'v Value, path: &[&str]) -> &'v str {
    path.iter().try_fold(object, |v, field| v.get(field)).and_then(Value::as_str).unwrap_or("")
}

/// The map in a field of an object, made where there is none.
pub(super) fn map_at<'v>(object: &'v mut Value, field: &str) -> &'v mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(map) = object else { unreachable!("it was made an object") };
    let value = map.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { unreachable!("it was made an object") };
    map
}

/// Models `Append`.
pub(super) fn append(all: &mut Vec<Resource>, r: Resource) -> Result<(), Error> {
    let id = r.id();
    if all.iter().any(|o| o.name() == id.name && o.id().equals(&id)) {
        return Err(text(format!("may not add resource with an already registered id: {id}")));
    }
    all.push(r);
    Ok(())
}

/// Those that are or were what `is` says. Models `GetMatchingResourcesByAnyId`.
pub(super) fn by_any_id(all: &[Resource], is: impl Fn(&Id) -> bool) -> Vec<usize> {
    (0..all.len()).filter(|i| all[*i].ids().any(|id| is(&id))).collect()
}

/// The one that a patch names. Models `GetById`.
pub(super) fn by_id(all: &[Resource], id: &Id) -> Result<usize, Error> {
    let found = by_any_id(all, |o| id.equals(o));
    let what = match found[..] {
        [one] => return Ok(one),
        [] => "no matches for Id",
        _ => "multiple matches for Id",
    };
    Err(text(format!("{what} {id}; failed to find unique target for patch {id}")))
}

/// Those that a target chooses. Models `Select`.
pub(super) fn select(all: &[Resource], target: &Value) -> Result<Vec<usize>, Error> {
    let field = |f: &str| target[f].as_str().unwrap_or("");
    let pattern = |f: &str| {
        let whole = format!("^(?:{})$", field(f));
        Regex::new(&whole).map(|r| Some(r).filter(|_| !field(f).is_empty())).map_err(|e| text(e.to_string()))
    };
    let fits = |r: &Option<Regex>, text: &str| r.as_ref().is_none_or(|r| r.is_match(text));
    let (kind, group, version) = (pattern("kind")?, pattern("group")?, pattern("version")?);
    let (name, namespace) = (pattern("name")?, pattern("namespace")?);
    let mut chosen = Vec::new();
    for (i, r) in all.iter().enumerate() {
        let (now, before) = (r.id(), r.original());
        if (fits(&namespace, before.effective_namespace()) || fits(&namespace, now.effective_namespace()))
            && (fits(&name, &before.name) || fits(&name, &now.name))
            && fits(&kind, &now.kind)
            && fits(&group, &now.group)
            && fits(&version, &now.version)
            && r.fits(target)?
        {
            chosen.push(i);
        }
    }
    Ok(chosen)
}
