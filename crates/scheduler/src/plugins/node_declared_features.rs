//! NodeDeclaredFeatures: pods that need a feature of the kubelet go where it is declared. Behind a gate that is off in
//! v1.35, where the plugin is registered and has nothing to say. Models `plugins/nodedeclaredfeatures`.

use crate::framework::{
    Answer, ClusterEvent, CycleState, Filter, Handle, Hint, NodeInfo, Plugin, PodInfo, PreFilter, PreFilterResult,
};

pub const NAME: &str = "NodeDeclaredFeatures";

pub struct NodeDeclaredFeatures;

impl Plugin for NodeDeclaredFeatures {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl PreFilter for NodeDeclaredFeatures {
    fn pre_filter(&self, _: &Handle, _: &mut CycleState, _: &PodInfo) -> PreFilterResult {
        PreFilterResult::Skip
    }
}

impl Filter for NodeDeclaredFeatures {
    fn filter(&self, _: &Handle, _: &CycleState, _: &PodInfo, _: &NodeInfo) -> Answer {
        Ok(())
    }
}
