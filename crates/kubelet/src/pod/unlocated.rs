//! Containers of a pod that has ended that have no end of their own. Models `TerminatePod` of
//! `pkg/kubelet/status/status_manager.go`.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PodSpec};

fn unknown() -> ContainerState {
    let terminated = ContainerStateTerminated {
        reason: Some("ContainerStatusUnknown".into()),
        message: Some("The container could not be located when the pod was terminated".into()),
        exit_code: 137,
        ..Default::default()
    };
    ContainerState { terminated: Some(terminated), ..Default::default() }
}

fn is_waiting(s: &ContainerStatus) -> bool {
    s.state.as_ref().is_none_or(|s| s.running.is_none() && s.terminated.is_none())
}

fn ran_before(s: &ContainerStatus) -> bool {
    s.last_state.as_ref().is_some_and(|l| l.terminated.is_some())
}

fn ended_well(s: &ContainerStatus) -> bool {
    [&s.last_state, &s.state].into_iter().flatten().any(|s| s.terminated.as_ref().is_some_and(|t| t.exit_code == 0))
}

fn settle<'a>(statuses: impl IntoIterator<Item = &'a mut ContainerStatus>) {
    for s in statuses {
        if s.state.as_ref().is_none_or(|s| s.terminated.is_none()) {
            s.state = Some(unknown());
        }
    }
}

/// Gives an end to main containers once the pod was initialized, and to the init containers but for the last ones that
/// nobody tried to start.
pub fn end(spec: &PodSpec, init: &mut [ContainerStatus], main: &mut [ContainerStatus]) {
    let initialized = spec.init_containers.as_ref().is_none_or(Vec::is_empty)
        || main.iter().any(|s| ran_before(s) || !is_waiting(s))
        || init.last().is_some_and(ended_well);
    if initialized {
        settle(main);
    }
    let tried = init.iter().rposition(|s| !is_waiting(s) || ran_before(s)).map_or(1, |i| i + 1);
    settle(init.iter_mut().take(tried));
}
