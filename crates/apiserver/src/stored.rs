//! What the store keeps: an object that carries its own `resourceVersion`.

use api::{Obj, Object};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::sync::Arc;

/// An object as it lies in the store. Serialized as the object's own JSON, so checkpoints stay readable.
#[derive(Clone, Debug)]
pub struct Stored(pub Obj);

impl store::Value for Stored {
    /// Sets `metadata.resourceVersion`. In place when nobody else holds the object, which is the usual case.
    fn stamp(&mut self, revision: u64) {
        let version = Some(revision.to_string());
        if let Some(o) = Arc::get_mut(&mut self.0) {
            o.meta_mut().resource_version = version;
            return;
        }
        let mut copy = self.0.clone_object();
        copy.meta_mut().resource_version = version;
        self.0 = Arc::from(copy);
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.equals(&*other.0)
    }
}

impl From<Box<dyn Object>> for Stored {
    fn from(o: Box<dyn Object>) -> Self {
        Stored(Arc::from(o))
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.to_value().serialize(s)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(d)?;
        let text = |field: &str| value.get(field).and_then(|v| v.as_str()).unwrap_or("").to_string();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let kind = api::by_api_version(&api_version, &kind)
            .ok_or_else(|| de::Error::custom(format!("no kind {kind:?} is registered for version {api_version:?}")))?;
        kind.from_value(value).map(Into::into).map_err(de::Error::custom)
    }
}
