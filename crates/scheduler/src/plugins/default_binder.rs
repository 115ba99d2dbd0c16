//! DefaultBinder: posts a Binding. Models `plugins/defaultbinder`.

use crate::framework::{Bind, ClusterEvent, Hint, Plugin, PodInfo};
use k8s_openapi::api::core::v1::{Binding, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub const NAME: &str = "DefaultBinder";

pub struct DefaultBinder;

impl Plugin for DefaultBinder {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_bind(&self) -> Option<&dyn Bind> {
        Some(self)
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl Bind for DefaultBinder {
    fn bind(&self, pod: &PodInfo, node: &str) -> Option<Binding> {
        Some(Binding {
            metadata: ObjectMeta {
                namespace: Some(pod.namespace().into()),
                name: Some(pod.name().into()),
                uid: pod.pod.metadata.uid.clone(),
                ..Default::default()
            },
            target: ObjectReference { kind: Some("Node".into()), name: Some(node.into()), ..Default::default() },
        })
    }
}
