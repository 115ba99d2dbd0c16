//! DynamicResources, as far as pods without resource claims meet it: it is part of the default profile, so its
//! PostFilter speaks in every message about a pod that fits nowhere. Models `plugins/dynamicresources`.

use crate::framework::{
    ClusterEvent, CycleState, Handle, Hint, NodeStatuses, Plugin, PodInfo, PostFilter, PostFilterResult, PreFilter,
    PreFilterResult, Run, Status,
};
use meta::Rng;

pub const NAME: &str = "DynamicResources";

pub struct DynamicResources;

/// Written by PreFilter even for pods without claims; PostFilter fails when it is missing.
#[derive(Clone)]
struct Prepared;

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }
    fn as_post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl PreFilter for DynamicResources {
    fn pre_filter(&self, _: &Handle, state: &mut CycleState, _: &PodInfo) -> PreFilterResult {
        state.write(Prepared);
        PreFilterResult::Skip
    }
}

impl PostFilter for DynamicResources {
    fn post_filter(&self, run: &Run, _: &NodeStatuses, _: &mut Rng) -> PostFilterResult {
        // When an earlier PreFilter plugin ended the cycle, upstream's state is "not found", and the message says so.
        PostFilterResult::refuse(match run.state.get::<Prepared>() {
            None => Status::error("not found"),
            Some(_) => Status::unschedulable("no new claims to deallocate"),
        })
    }
}
