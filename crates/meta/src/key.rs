//! The key of an object within its kind.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// `namespace/name`, or `name` alone for a cluster-scoped object: client-go's `MetaNamespaceKey`.
/// Keys of one namespace are neighbours in an ordered map.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Arc<str>);

impl Key {
    /// An empty `namespace` means cluster-scoped.
    pub fn new(namespace: &str, name: &str) -> Self {
        if namespace.is_empty() { Key(name.into()) } else { Key(format!("{namespace}/{name}").into()) }
    }
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(ns, _)| ns)
    }
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, n)| n)
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The half-open range that holds every key of `namespace`.
    pub fn namespace_range(namespace: &str) -> std::ops::Range<Key> {
        // '0' follows '/' in ASCII.
        Key(format!("{namespace}/").into())..Key(format!("{namespace}0").into())
    }
}

impl From<&str> for Key {
    fn from(s: &str) -> Self {
        Key(s.into())
    }
}
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
