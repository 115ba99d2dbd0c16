//! A pod's status from what its worker knows. Models `generateAPIPodStatus`, `getPhase` and
//! `convertToAPIContainerStatuses` of `pkg/kubelet/kubelet_pods.go`.

use super::images::ImageRef;
use super::{ContainerState, PodWorker, Role, Run, Stage, conditions, container_hash, unlocated};
use api::kinds::status_fields::StatusFields;
use api::references::is_static;
use k8s_openapi::api::core::v1::ContainerUser;
use k8s_openapi::api::core::v1::{
    Container, ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, Pod, PodIP, PodSpec, PodStatus, VolumeMountStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;

pub struct Surroundings<'a> {
    pub now: Time,
    pub host_ip: &'a str,
    /// `kubottle-sim`: the scheme of `containerID`.
    pub runtime: &'a str,
}

fn terminated(w: &PodWorker, c: &ContainerState, run: &Run, runtime: &str) -> Option<ApiState> {
    let e = run.exit.as_ref()?;
    Some(ApiState {
        terminated: Some(ContainerStateTerminated {
            container_id: Some(format!("{runtime}://{}", container_hash(&w.uid, &c.name, run.attempt))),
            exit_code: e.code,
            finished_at: Some(e.at.to_k8s()),
            started_at: Some(run.started_at.to_k8s()),
            message: (!e.message.is_empty()).then(|| e.message.clone()),
            reason: Some(e.reason.clone()),
            signal: e.signal,
        }),
        ..Default::default()
    })
}

fn waiting(reason: &str, message: &str) -> ApiState {
    let some = |s: &str| (!s.is_empty()).then(|| s.to_string());
    ApiState {
        waiting: Some(ContainerStateWaiting { reason: some(reason), message: some(message) }),
        ..Default::default()
    }
}

fn container_status(w: &PodWorker, c: &ContainerState, spec: &PodSpec, s: &Surroundings) -> Option<ContainerStatus> {
    let container = c.spec(spec)?;
    let is_ephemeral = c.role == Role::Ephemeral;
    let has_init = spec.init_containers.as_ref().is_some_and(|i| !i.is_empty());
    let initial =
        if has_init && !(c.role == Role::Main && w.initialized) { "PodInitializing" } else { "ContainerCreating" };
    // While a restart is being prepared the finished run is still the one to show.
    let starting = c.is_alive() && !c.is_up();
    let (run, before) = match (&c.run, &c.previous) {
        (Some(r), Some(p)) if starting && r.exit.is_none() => (Some(p), None),
        (Some(r), None) if starting && r.exit.is_none() => (None, None),
        (r, p) => (r.as_ref(), p.as_ref()),
    };
    let ended = run.and_then(|r| terminated(w, c, r, s.runtime));
    let before = before.and_then(|r| terminated(w, c, r, s.runtime));
    // What is not started again waits for nothing. Models `ShouldContainerBeRestarted`.
    let waits = c.waiting.as_ref().filter(|_| w.terminating.is_none() || ended.is_none());
    let (state, last) = match (c.stage, waits, run, ended) {
        (Stage::Running, _, Some(r), None) if !starting => {
            let running = ContainerStateRunning { started_at: Some(r.started_at.to_k8s()) };
            (ApiState { running: Some(running), ..Default::default() }, before)
        }
        (_, Some((reason, message)), _, ended) => (waiting(reason, message), ended.or(before)),
        (_, None, _, Some(ended)) => (ended, before),
        _ => (waiting(initial, ""), before),
    };
    let created = run.is_some();
    let image = match run {
        Some(r) => ImageRef::parse(&r.image).map_or_else(|_| r.image.clone(), |i| i.full()),
        None => container.image.clone().unwrap_or_default(),
    };
    let requests = container.resources.as_ref().and_then(|r| r.requests.clone()).filter(|r| !r.is_empty());
    let done = c.role == Role::Init && state.terminated.as_ref().is_some_and(|t| t.exit_code == 0);
    Some(ContainerStatus {
        name: container.name.clone(),
        image,
        image_id: run.map(|r| r.image_id.clone()).unwrap_or_default(),
        container_id: run.map(|r| format!("{}://{}", s.runtime, container_hash(&w.uid, &c.name, r.attempt))),
        restart_count: run.map_or(0, |r| i32::try_from(r.attempt).unwrap_or(i32::MAX)),
        // Nobody probes an ephemeral container.
        ready: !is_ephemeral && (c.ready || done),
        started: (!is_ephemeral).then_some(c.started),
        state: Some(state),
        last_state: Some(last.unwrap_or_default()),
        resources: created.then(|| container.resources.clone().unwrap_or_default()),
        allocated_resources: requests.filter(|_| created),
        volume_mounts: mounts(&container),
        user: run.and_then(|r| r.user.clone()).map(|u| ContainerUser { linux: Some(u) }),
        ..Default::default()
    })
}

fn mounts(c: &Container) -> Option<Vec<VolumeMountStatus>> {
    let list: Vec<VolumeMountStatus> = c
        .volume_mounts
        .iter()
        .flatten()
        .map(|m| VolumeMountStatus {
            mount_path: m.mount_path.clone(),
            name: m.name.clone(),
            read_only: m.read_only.filter(|r| *r),
            recursive_read_only: (m.read_only == Some(true)).then(|| "Disabled".into()),
        })
        .collect();
    (!list.is_empty()).then_some(list)
}

/// Models `getPhase`. `terminal`: nothing will be started again, whatever the restart policy says.
/// `again`: a container that has ended will be started again.
fn phase(
    spec: &PodSpec,
    init: &[ContainerStatus],
    main: &[ContainerStatus],
    terminal: bool,
    again: bool,
) -> &'static str {
    let policy = spec.restart_policy.as_deref().unwrap_or("Always");
    let state = |s: &ContainerStatus| s.state.clone().unwrap_or_default();
    let last_exit =
        |s: &ContainerStatus| s.last_state.as_ref().and_then(|l| l.terminated.as_ref()).map(|t| t.exit_code);
    let (mut pending_init, mut failed_init) = (0, 0);
    for (c, s) in spec.init_containers.iter().flatten().zip(init) {
        let st = state(s);
        if c.restart_policy.as_deref() == Some("Always") {
            let pending = if st.running.is_some() { s.started != Some(true) } else { st.waiting.is_some() };
            pending_init += i32::from(pending && last_exit(s).is_none());
        } else if let Some(t) = &st.terminated {
            failed_init += i32::from(t.exit_code != 0);
        } else if st.waiting.is_some() && last_exit(s).is_some_and(|code| code != 0) {
            failed_init += 1;
        } else if !(st.waiting.is_some() && last_exit(s) == Some(0)) {
            pending_init += 1;
        }
    }
    if failed_init > 0 && policy == "Never" {
        return "Failed";
    }
    let (mut waiting, mut running, mut stopped, mut succeeded) = (0, 0, 0, 0);
    for s in main {
        let st = state(s);
        if st.running.is_some() {
            running += 1;
        } else if let Some(t) = &st.terminated {
            stopped += 1;
            succeeded += i32::from(t.exit_code == 0);
        } else if s.last_state.as_ref().is_some_and(|l| l.terminated.is_some()) {
            stopped += 1;
        } else {
            waiting += 1;
        }
    }
    let started = running + stopped > 0;
    if !started && (pending_init > 0 || failed_init > 0) {
        return if terminal && failed_init > 0 { "Failed" } else { "Pending" };
    }
    if waiting > 0 {
        return "Pending";
    }
    if running > 0 {
        return "Running";
    }
    if stopped == 0 {
        return "Pending";
    }
    match stopped == succeeded {
        _ if again && !terminal => "Running",
        true => "Succeeded",
        false => "Failed",
    }
}

impl PodWorker {
    /// The status the API server should have.
    pub fn status(&self, pod: &Pod, s: &Surroundings) -> PodStatus {
        let Some(spec) = &pod.spec else { return PodStatus::default() };
        let mut out = PodStatus {
            qos_class: Some(api::pods::qos_class(pod).into()),
            start_time: Some(self.started_at.to_k8s()),
            observed_generation: pod.metadata.generation,
            ..Default::default()
        };
        if let (Some(v), false) = (&self.verdict, self.admitted) {
            out.phase = Some("Failed".into());
            out.reason = Some(v.reason.clone());
            out.message = Some(v.message.clone());
            return out;
        }
        let of = |roles: &[Role]| -> Vec<ContainerStatus> {
            let list = self.containers.iter().filter(|c| roles.contains(&c.role));
            list.filter_map(|c| container_status(self, c, spec, s)).collect()
        };
        let (mut init, mut main) = (of(&[Role::Init, Role::Sidecar]), of(&[Role::Main]));
        let ephemeral = of(&[Role::Ephemeral]);
        let again = self.containers.iter().any(|c| c.role == Role::Main && !c.is_up() && !c.is_over(spec));
        main.sort_by(|a, b| a.name.cmp(&b.name));
        let quiet = self.is_quiet();
        let over = quiet && (self.terminating.is_some() || self.phase_is_final(spec));
        let sidecars_run = self.containers.iter().any(|c| c.role == Role::Sidecar && c.is_alive());
        let mut phase = phase(spec, &init, &main, self.terminating.is_some() && quiet, again);
        // Completed, but its sidecars are still being stopped.
        if sidecars_run && matches!(phase, "Succeeded" | "Failed") {
            phase = "Running";
        }
        let unlocated = over && matches!(phase, "Pending" | "Running") && !is_static(pod);
        // A phase once final never changes back.
        if let Some(p @ ("Succeeded" | "Failed")) = pod.status.as_ref().and_then(|s| s.phase.as_deref())
            && !unlocated
        {
            phase = if p == "Failed" { "Failed" } else { "Succeeded" };
        }
        // The end is reported when nothing runs any more.
        if let Some(v) = self.verdict.as_ref().filter(|_| quiet) {
            phase = "Failed";
            out.reason = Some(v.reason.clone());
            out.message = Some(v.message.clone());
        }
        out.conditions = Some(conditions::generate(&conditions::Input {
            pod,
            spec,
            phase,
            init: &init,
            main: &main,
            sandbox_ready: self.sandbox_ready && !over,
            disrupted: self.verdict.as_ref().filter(|v| quiet && v.disrupted).map(|v| v.message.as_str()),
            resize_pending: self.resize_pending.as_ref().map(|(reason, why)| (*reason, why.as_str())),
            resizing: self.resizing.as_ref().map(|r| r.generation),
            now: s.now,
        }));
        if over && !is_static(pod) {
            unlocated::end(spec, &mut init, &mut main);
        }
        // Conditions are those from before.
        out.phase = Some(if unlocated { "Failed" } else { phase }.into());
        out.container_statuses = Some(main);
        out.init_container_statuses = (!init.is_empty()).then_some(init);
        out.ephemeral_container_statuses = (!ephemeral.is_empty()).then_some(ephemeral);
        out.host_ip = Some(s.host_ip.into());
        out.host_ips = Some(vec![HostIP { ip: s.host_ip.into() }]);
        if self.sandbox_ready {
            out.pod_ip = Some(self.ip.clone());
            out.pod_ips = Some(vec![PodIP { ip: self.ip.clone() }]);
        }
        out
    }
}

/// The fields of `new` that differ from what the API server has; `None` when nothing does.
pub fn patch(new: &PodStatus, pod: &Pod) -> Option<Pod> {
    let none = PodStatus::default();
    let changed = new.changed_from(pod.status.as_ref().unwrap_or(&none));
    let m = &pod.metadata;
    let metadata =
        ObjectMeta { name: m.name.clone(), namespace: m.namespace.clone(), uid: m.uid.clone(), ..Default::default() };
    (changed != none).then_some(Pod { metadata, spec: None, status: Some(changed) })
}
