//! Starting one container: back-off, image, configuration, run. Models `startContainer` and `doBackOff` of
//! `pkg/kubelet/kuberuntime`.

use super::images::pull_policy;
use super::pull::{self, Found, Wanted};
use super::{Exit, PodWorker, Run, Stage, SyncCx, env, events, hostname, pod_desc, resources, security, volumes};
use crate::runtime::{ContainerSpec, Processes, RuntimeCommand};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use meta::{Duration, Time};
use reconcile::EventType::{Normal, Warning};
use std::borrow::Cow;
use trace::note;

/// `backOffPeriod`: how soon a pod whose sync failed is tried again, with up to half as much jitter.
const RETRY_MILLIS: u64 = 10_000;

pub fn retry_time(cx: &mut SyncCx) -> Time {
    let jitter = u64::from(cx.rng.below(u32::try_from(RETRY_MILLIS / 2).unwrap_or(1)));
    cx.now + Duration::from_millis(RETRY_MILLIS + jitter)
}

impl PodWorker {
    /// Starts (or restarts) container `c` if nothing holds it back.
    pub fn try_start(&mut self, c: usize, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) else { return };
        let state = &mut self.containers[c];
        if cx.now < state.retry_at {
            cx.wake_at(state.retry_at);
            return;
        }
        if self.in_crash_backoff(c, pod, cx) {
            return;
        }
        if !self.image_volumes_settled(pod, spec, cx) || !self.has_image_volumes(c, pod, &container, cx) {
            return;
        }
        let image = container.image.clone().unwrap_or_default();
        self.ensure_image(c, pod, &container, &image, spec, cx);
    }

    /// Models `doBackOff`: whether the container must wait before it is started again.
    fn in_crash_backoff(&mut self, c: usize, pod: &Pod, cx: &mut SyncCx) -> bool {
        let desc = pod_desc(&self.key, &self.uid);
        let state = &mut self.containers[c];
        let Some(ended) = state.run.as_ref().and_then(|r| r.exit.as_ref()).map(|e| e.at) else { return false };
        if state.stage != Stage::Exited {
            return false;
        }
        if state.anew {
            state.stage = Stage::Idle;
            return false;
        }
        if !state.crash_backoff.holds(ended, cx.now) {
            state.crash_backoff.next(ended, cx.now);
            // Past this point the container is being created again, whatever delays it.
            state.stage = Stage::Idle;
            return false;
        }
        let name = state.name.clone();
        let delay = state.crash_backoff.delay;
        let message = format!("back-off {} restarting failed container={name} pod={desc}", delay.go_string());
        state.waiting = Some(("CrashLoopBackOff".into(), message));
        let over = ended + delay;
        let retry = retry_time(cx).min(over);
        self.containers[c].retry_at = retry;
        cx.wake_at(retry);
        let message = format!("Back-off restarting failed container {name} in pod {desc}");
        events::container(cx, self, pod, c, Warning, "BackOff", message);
        cx.note(note!("kubelet.crash-loop-back-off", container = &name, delay = &delay.go_string(), until = &over));
        true
    }

    fn ensure_image(
        &mut self,
        c: usize,
        pod: &Pod,
        container: &Container,
        image: &str,
        spec: &PodSpec,
        cx: &mut SyncCx,
    ) {
        let state = &self.containers[c];
        let (backoff, error) = (&state.pull_backoff, state.pull_error.as_str());
        let wanted = Wanted { image, policy: pull_policy(container), backoff, error };
        let tell = |cx: &mut SyncCx, kind, reason: &str, text| events::container(cx, self, pod, c, kind, reason, text);
        match pull::ensure(&wanted, pod, &self.uid, cx, tell) {
            Found::Present(image_id) => {
                cx.note(note!("kubelet.image-present", container = &self.containers[c].name, image = &image));
                self.containers[c].image_id = image_id;
                self.create(c, pod, container, spec, cx);
            }
            Found::Missing { reason, message, until } => {
                self.start_failed(c, pod, reason, message, cx);
                if let Some(over) = until {
                    let state = &mut self.containers[c];
                    state.retry_at = state.retry_at.min(over).max(cx.now + Duration::from_millis(1));
                    cx.wake_at(state.retry_at);
                }
            }
            Found::Pulling(pull) => {
                cx.note(note!("kubelet.pull", container = &self.containers[c].name, image = &image));
                self.containers[c].stage = Stage::Pulling { pull, since: cx.now };
            }
        }
    }

    /// The answer to a pull.
    pub fn on_pulled(
        &mut self,
        c: usize,
        since: Time,
        result: Result<(String, u64, Duration), (String, String)>,
        pod: &Pod,
        spec: &PodSpec,
        cx: &mut SyncCx,
    ) {
        let Some(container) = self.containers[c].spec(spec).map(Cow::into_owned) else { return };
        let image = self.containers[c].image.clone();
        self.containers[c].stage = Stage::Idle;
        match result {
            Ok((image_id, size, took)) => {
                let message = pull::succeeded(&image, size, took, cx.now.since(since));
                events::container(cx, self, pod, c, Normal, "Pulled", message);
                if container.image.as_ref() == Some(&image) {
                    self.containers[c].image_id = image_id;
                    self.create(c, pod, &container, spec, cx);
                }
            }
            Err((message, reason)) => {
                let text = format!("Failed to pull image {image:?}: {message}");
                events::container(cx, self, pod, c, Warning, "Failed", text);
                cx.note(note!("kubelet.pull-failed", image = &image, why = &message));
                let state = &mut self.containers[c];
                state.pull_backoff.next(cx.now, cx.now);
                state.pull_error = message.clone();
                let reason = if reason.is_empty() { "ErrImagePull" } else { &reason };
                self.start_failed(c, pod, reason, message, cx);
                let again = cx.now + pull::AGAIN;
                self.containers[c].retry_at = again;
                cx.wake_at(again);
            }
        }
    }

    /// Creates and starts the container, its image being there.
    fn create(&mut self, c: usize, pod: &Pod, container: &Container, spec: &PodSpec, cx: &mut SyncCx) {
        let made = match env::resolve(pod, container, &self.ip, cx) {
            Ok(env) => env,
            Err(why) => {
                cx.note(note!("kubelet.config-missing", container = &container.name, why = &why));
                self.start_failed(c, pod, "CreateContainerConfigError", why, cx);
                return;
            }
        };
        let mounts = match volumes::mounts(pod, container, &made, cx) {
            Ok(m) => m,
            Err((_, why)) => {
                self.start_failed(c, pod, "CreateContainerConfigError", why, cx);
                return;
            }
        };
        if let Err(why) = volumes::check_image_parts(pod, container, &made) {
            self.start_failed(c, pod, "CreateContainerError", why, cx);
            return;
        }
        let identity = match security::identity(pod, container, cx) {
            Ok(i) => i,
            Err(why) => {
                self.start_failed(c, pod, "CreateContainerConfigError", why, cx);
                return;
            }
        };
        if let Err(why) = security::profiles(pod, container) {
            self.start_failed(c, pod, "CreateContainerError", why, cx);
            return;
        }
        let attempt = self.containers[c].next_attempt();
        let says = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
        let image = container.image.as_deref().unwrap_or("");
        if !says(&container.command) && !says(&container.args) && !cx.runtime.image_has_command(image) {
            let hash = super::container_hash(&self.uid, &container.name, attempt);
            let why =
                format!("failed to generate container {hash:?} spec: failed to generate spec: no command specified");
            self.start_failed(c, pod, "CreateContainerError", why, cx);
            return;
        }
        let id = self.container_id(c, attempt);
        let expand = |list: &Option<Vec<String>>| -> Vec<String> {
            list.iter().flatten().map(|s| env::expand(s, &[&made])).collect()
        };
        let limits = resources::limits(container);
        let user = Some(super::linux_user(&identity));
        let names = hostname::of(&self.key, spec);
        let run = ContainerSpec {
            id,
            namespace: self.key.namespace().into(),
            pod: self.key.name().into(),
            // What shares the host's network has its name.
            hostname: match spec.host_network {
                Some(true) => cx.config.name.clone(),
                _ => names.hostname,
            },
            fqdn: names.fqdn,
            host_network: spec.host_network == Some(true),
            node: cx.config.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            command: expand(&container.command),
            args: expand(&container.args),
            env: made,
            working_dir: container.working_dir.clone().unwrap_or_default(),
            mounts,
            cpu_limit_milli: limits.get("cpu").map(|q| q.milli_value()),
            memory_limit_bytes: limits.get("memory").map(|q| q.value()),
            pod_ip: self.ip.clone(),
            resolver: network::Resolver::of_pod(self.key.namespace(), spec),
            host_aliases: spec
                .host_aliases
                .iter()
                .flatten()
                .map(|a| (a.ip.clone(), a.hostnames.clone().unwrap_or_default()))
                .collect(),
            ports: container.ports.iter().flatten().filter_map(|p| u16::try_from(p.container_port).ok()).collect(),
            termination_message_path: container
                .termination_message_path
                .clone()
                .unwrap_or_else(|| "/dev/termination-log".into()),
            runtime_class: spec.runtime_class_name.clone().unwrap_or_default(),
            stdin: container.stdin == Some(true),
            stdin_once: container.stdin_once == Some(true),
            tty: container.tty == Some(true),
            identity,
            first_host_id: if spec.host_users == Some(false) { first_host_id(&self.ip) } else { None },
            processes: processes(spec, &container.name),
            read_only_root: container.security_context.as_ref().and_then(|s| s.read_only_root_filesystem) == Some(true),
        };
        events::container(cx, self, pod, c, Normal, "Created", "Container created");
        let state = &mut self.containers[c];
        if state.run.as_ref().is_some_and(|r| r.exit.is_some()) {
            state.previous = state.run.take();
        }
        let (image, image_id) = (state.image.clone(), state.image_id.clone());
        state.run = Some(Run { attempt, image, image_id, started_at: cx.now, exit: None, user });
        state.stage = Stage::Starting;
        if state.role == super::Role::Main {
            self.initialized = true;
        }
        cx.runtime.command(cx.now, RuntimeCommand::RunContainer(Box::new(run)));
    }

    /// Notes why the container waits, says so (`Error: REASON` for image trouble, the message otherwise), and plans
    /// the next try.
    pub(super) fn start_failed(&mut self, c: usize, pod: &Pod, reason: &str, message: String, cx: &mut SyncCx) {
        let shown = if reason.starts_with("CreateContainer") { &message } else { reason };
        events::container(cx, self, pod, c, Warning, "Failed", format!("Error: {shown}"));
        let retry = retry_time(cx);
        cx.wake_at(retry);
        let state = &mut self.containers[c];
        state.stage = Stage::Idle;
        state.waiting = Some((reason.into(), message));
        state.retry_at = retry;
        // What was to replace a running container has had its only chance.
        if std::mem::take(&mut state.anew)
            && let (Some(run), Some(spec)) = (&state.run, &pod.spec)
            && run.exit.is_some()
        {
            state.stage = Stage::Exited;
            if state.is_over(spec) {
                state.waiting = None;
            } else {
                state.stage = Stage::Idle;
            }
        }
    }

    /// The runtime could not start the created container.
    pub fn on_start_failed(&mut self, c: usize, at: Time, message: String, code: i32, pod: &Pod, cx: &mut SyncCx) {
        events::container(cx, self, pod, c, Warning, "Failed", format!("Error: {message}"));
        cx.note(note!("kubelet.start-failed", container = &self.containers[c].name, why = &message));
        let attempt = self.containers[c].run.as_ref().map_or(0, |r| r.attempt);
        if let Some(r) = &mut self.containers[c].run {
            // A container that never ran has the epoch as its start, as containerd reports it.
            r.started_at = Time(0);
        }
        let exit = Exit { at, code, signal: None, reason: "StartError".into(), message: message.clone() };
        self.on_exited(c, attempt, exit);
        self.containers[c].anew = false;
        let again = pod.spec.as_ref().is_some_and(|s| !self.containers[c].is_over(s));
        let state = &mut self.containers[c];
        // What will not be tried again has ended: it does not wait.
        state.waiting = again.then(|| ("RunContainerError".into(), message));
        state.retry_at = cx.now + Duration::from_secs(1);
        cx.wake_at(state.retry_at);
    }
}

/// How many IDs a pod's user namespace has, and by how many they lie apart. Models `userNsUnitLength` of `pkg/kubelet/userns`.
pub const IDS_OF_POD: u32 = 65_536;

/// Where the IDs of a pod begin on the node. Upstream draws one of the free ranges; here it is the one whose number is that
/// of the pod's address in its range, of which no other pod has the same.
fn first_host_id(ip: &str) -> Option<u32> {
    let ip: std::net::Ipv4Addr = ip.parse().ok()?;
    let number = u32::from(ip) & 0xff;
    Some(number.max(1) * IDS_OF_POD)
}

/// Whose processes a container sees. Models `PidNamespaceForPod` and `namespacesForPod` of `pkg/kubelet/kuberuntime/util`.
fn processes(spec: &PodSpec, name: &str) -> Processes {
    if spec.share_process_namespace == Some(true) {
        return Processes::Pod;
    }
    let ephemeral = spec.ephemeral_containers.iter().flatten().find(|e| e.name == name);
    let target = ephemeral.and_then(|e| e.target_container_name.clone()).filter(|t| !t.is_empty());
    target.map_or(Processes::Own, Processes::Of)
}
