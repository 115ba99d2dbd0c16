//! What the store keeps: an object that carries its own `resourceVersion`, and the record of who owns its fields.

use crate::fields::ledger::Ledger;
use crate::fields::managed::Managed;
use api::{Obj, Object};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::sync::Arc;

/// An object as it lies in the store, without `managedFields`: those are made of the record when somebody asks.
/// Serialized as the object's own JSON, so checkpoints stay readable.
#[derive(Clone, Debug)]
pub struct Stored(pub Obj, pub Ledger);

impl Stored {
    pub fn new(o: Box<dyn Object>, ledger: Ledger) -> Self {
        Stored(Arc::from(o), ledger)
    }

    /// With a change that nobody owns.
    #[must_use]
    pub fn changed(&self, o: Box<dyn Object>) -> Self {
        Stored(Arc::from(o), self.1.unnoted(&self.0))
    }

    /// The object with its `managedFields`.
    pub fn full(&self) -> Obj {
        let Some(entries) = self.1.entries(&*self.0) else { return self.0.clone() };
        let mut o = self.0.clone_object();
        o.meta_mut().managed_fields = Some(entries);
        Arc::from(o)
    }
}

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

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.full().to_value().serialize(s)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(d)?;
        let text = |field: &str| value.get(field).and_then(|v| v.as_str()).unwrap_or("").to_string();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let kind = api::by_api_version(&api_version, &kind)
            .ok_or_else(|| de::Error::custom(format!("no kind {kind:?} is registered for version {api_version:?}")))?;
        let mut object = kind.from_value(value).map_err(de::Error::custom)?;
        let entries = object.meta_mut().managed_fields.take();
        let ledger = match entries {
            Some(entries) => Ledger::of(Managed::decode(&entries).map_err(de::Error::custom)?),
            None => Ledger::default(),
        };
        Ok(Stored::new(object, ledger))
    }
}
