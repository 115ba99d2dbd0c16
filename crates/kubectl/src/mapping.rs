//! A resource as discovery tells it.

/// One resource of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The plural, as paths have it.
    pub resource: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    pub verbs: Vec<String>,
}

impl Mapping {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
    /// `deployments.apps`, `pods`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.resource.clone() } else { format!("{}.{}", self.resource, self.group) }
    }
    /// `deployment.apps`, `pod`: how messages call the kind.
    pub fn called(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.group.is_empty() { kind } else { format!("{kind}.{}", self.group) }
    }
    /// `/api/v1`, `/apis/apps/v1`.
    pub fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }
    /// The path of the collection (in a namespace, of everything without one), or of one object of it.
    pub fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = self.root();
        if let Some(ns) = namespace.filter(|n| self.namespaced && !n.is_empty()) {
            path = format!("{path}/namespaces/{ns}");
        }
        path = format!("{path}/{}", self.resource);
        if let Some(name) = name {
            path = format!("{path}/{name}");
        }
        path
    }
}
