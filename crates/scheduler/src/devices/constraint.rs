//! `matchAttribute`: all devices of some requests have the same value of an attribute.

use super::DeviceId;
use k8s_openapi::api::resource::v1::{Device, DeviceAttribute, DeviceConstraint};

pub struct Constraint<'a> {
    requests: &'a [String],
    attribute: &'a str,
    value: Option<&'a DeviceAttribute>,
    count: usize,
}

impl<'a> Constraint<'a> {
    /// `None` for a constraint of a kind that is not known.
    pub fn new(constraint: &'a DeviceConstraint) -> Option<Self> {
        let requests = constraint.requests.as_deref().unwrap_or_default();
        Some(Constraint { requests, attribute: constraint.match_attribute.as_deref()?, value: None, count: 0 })
    }
    /// `name` is `request` or `request/subrequest`.
    fn concerns(&self, name: &str) -> bool {
        let parent = name.split('/').next().unwrap_or_default();
        self.requests.is_empty() || self.requests.iter().any(|r| r == name || r == parent)
    }
    pub fn add(&mut self, name: &str, device: &'a Device, id: &DeviceId) -> bool {
        if !self.concerns(name) {
            return true;
        }
        let Some(value) = lookup(device, id, self.attribute) else { return false };
        if self.count == 0 {
            self.value = Some(value);
        } else if self.value != Some(value) {
            return false;
        }
        self.count += 1;
        true
    }
    pub fn remove(&mut self, name: &str) {
        if self.concerns(name) {
            self.count -= 1;
        }
    }
}

/// The driver's own attributes may come without its domain.
fn lookup<'a>(device: &'a Device, id: &DeviceId, name: &str) -> Option<&'a DeviceAttribute> {
    let attributes = device.attributes.as_ref()?;
    attributes.get(name).or_else(|| {
        let (domain, own) = name.split_once('/')?;
        attributes.get(own).filter(|_| domain == id.0)
    })
}
