//! Containers that do not start, do not stay, or are not ready. Reasons and messages are the kubelet's.

use super::{Case, Evidence, Found, Trouble, event, references};
use api::pods;
use k8s_openapi::api::core::v1::{Container, ContainerStateTerminated, ContainerStatus, PodSpec};
use meta::Time;
use protocol::EventView;
use trace::note;

/// Lines of a log that are quoted.
const LINES: usize = 4;
/// What is asked for of a log: the newest lines may be empty ones.
const TAIL: i64 = 12;

struct One<'a> {
    case: &'a Case<'a>,
    spec: &'a Container,
    status: &'a ContainerStatus,
    /// It has to end before the others begin.
    init: bool,
}

/// Init containers come first: the others wait for them.
fn each<'a>(case: &'a Case<'a>) -> Vec<One<'a>> {
    let Some(PodSpec { init_containers, containers, .. }) = case.pod.spec.as_ref() else { return Vec::new() };
    let Some(status) = case.pod.status.as_ref() else { return Vec::new() };
    let find = |list: &'a Option<Vec<ContainerStatus>>, name: &str| list.iter().flatten().find(|s| s.name == name);
    let init = init_containers.iter().flatten().filter_map(|spec| {
        let init = !pods::is_restartable_init(spec);
        Some(One { case, spec, status: find(&status.init_container_statuses, &spec.name)?, init })
    });
    let main = containers.iter().filter_map(|spec| {
        Some(One { case, spec, status: find(&status.container_statuses, &spec.name)?, init: false })
    });
    init.chain(main).collect()
}

/// The first container that keeps the pod from being ready.
pub(super) fn trouble(case: &Case) -> Option<Found> {
    let all = each(case);
    // Before any container there is the sandbox with the volumes.
    if let Some(found) = all.first().filter(|c| is_creating(c)).and_then(|_| mounting(case)) {
        return Some(found);
    }
    all.iter().find_map(|c| c.waiting().or_else(|| c.initializing())).or_else(|| all.iter().find_map(One::not_ready))
}

/// Of a pod that has failed: the container that did.
pub(super) fn ended(case: &Case) -> Option<Found> {
    let all = each(case);
    all.iter().find_map(|c| {
        let t = c.status.state.as_ref()?.terminated.as_ref().filter(|t| t.exit_code != 0)?;
        Some(c.exited(t))
    })
}

fn is_creating(c: &One) -> bool {
    let reason = c.status.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref());
    matches!(reason, Some("ContainerCreating" | "PodInitializing"))
}

/// Volumes that cannot be had, and sandboxes.
fn mounting(case: &Case) -> Option<Found> {
    let failed = case.events.iter().find(|e| {
        matches!(e.reason.as_str(), "FailedMount" | "FailedAttachVolume" | "FailedMapVolume" | "FailedCreatePodSandBox")
    })?;
    // What came of it since is what counts.
    let is_ready = pods::find_condition(case.pod, "PodReadyToStartContainers").is_some_and(|c| c.status == "True");
    let begun = case.events.iter().find(|e| matches!(e.reason.as_str(), "Pulling" | "Pulled" | "Created"));
    if is_ready || begun.is_some_and(|b| b.last_seen > failed.last_seen) {
        return None;
    }
    if let Some(missing) = references::missing(case) {
        return Some(absent(missing).with(event(failed)));
    }
    let code = if failed.reason == "FailedCreatePodSandBox" { "diagnosis.sandbox" } else { "diagnosis.volume" };
    Some(Found::new(Trouble::Other, protocol::Note { code: code.into(), args: Vec::new() }).with(event(failed)))
}

fn absent(missing: references::Missing) -> Found {
    let keys = missing.keys.iter().cloned().collect::<Vec<_>>().join(", ");
    let note = match missing.there {
        true => note!("diagnosis.no-key", kind = missing.kind, name = &missing.name, keys = keys),
        false => note!("diagnosis.no-object", kind = missing.kind, name = &missing.name),
    };
    Found::new(Trouble::Missing(missing), note)
}

impl One<'_> {
    fn name(&self) -> &str {
        &self.spec.name
    }

    fn log(&self) -> Option<Evidence> {
        let text = self.case.cluster.log_tail(self.case.pod, self.name(), TAIL)?;
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let quote = lines[lines.len().saturating_sub(LINES)..].join("\n");
        let note = note!("evidence.log", container = self.name());
        (!quote.is_empty()).then(|| Evidence { note, quote, ..Evidence::default() })
    }

    /// The container does not run.
    fn waiting(&self) -> Option<Found> {
        let waiting = self.status.state.as_ref()?.waiting.as_ref()?;
        let (reason, message) = (waiting.reason.as_deref()?, waiting.message.clone().unwrap_or_default());
        let container = self.name().to_string();
        let told = Evidence {
            note: note!("evidence.waiting", container = &container, reason = reason),
            quote: message.clone(),
            ..Evidence::default()
        };
        let found = match reason {
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError" => {
                let image = self.spec.image.clone().unwrap_or_default();
                let pulled = self.case.event("Failed", |m| m.contains("Failed to pull image") && m.contains(&image));
                let text = pulled.map_or(message.as_str(), |e| e.message.as_str());
                let note = match reason {
                    "ErrImageNeverPull" => note!("diagnosis.image-never", container = &container, image = &image),
                    "InvalidImageName" => note!("diagnosis.image-name", container = &container, image = &image),
                    _ if text.contains("no such host") => note!("diagnosis.no-registry", image = &image),
                    _ if text.contains("no basic auth credentials") => note!("diagnosis.image-secret", image = &image),
                    _ if text.contains("may require authorization") => note!("diagnosis.no-image", image = &image),
                    _ if text.contains("not found") => note!("diagnosis.no-tag", image = &image),
                    _ => note!("diagnosis.image", container = &container, image = &image),
                };
                // The event says the same and a little more.
                let told = Evidence { quote: if pulled.is_some() { String::new() } else { message }, ..told };
                Found::new(Trouble::Image { container, image }, note).with_all(pulled.map(event)).with(told)
            }
            "CreateContainerConfigError" => {
                if message.contains("runAsNonRoot") {
                    let note = note!("diagnosis.root", container = &container);
                    return Some(Found::new(Trouble::Root { container }, note).with(told));
                }
                match references::missing(self.case) {
                    Some(missing) => absent(missing).with(told),
                    None => Found::new(Trouble::Other, note!("diagnosis.config", container = &container)).with(told),
                }
            }
            "CreateContainerError" | "RunContainerError" => {
                let note = note!("diagnosis.command", container = &container, command = self.command());
                Found::new(Trouble::Command { container }, note).with(told)
            }
            "CrashLoopBackOff" => {
                let last = self.status.last_state.as_ref()?.terminated.as_ref()?;
                self.exited(last).with(told)
            }
            _ => return None,
        };
        Some(found)
    }

    /// What it runs, in a few words.
    fn command(&self) -> String {
        let words = self.spec.command.iter().flatten().chain(self.spec.args.iter().flatten());
        let text = words.cloned().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(80) {
            Some((i, _)) => format!("{}…", &text[..i]),
            None => text,
        }
    }

    /// It ran, and ended.
    fn exited(&self, t: &ContainerStateTerminated) -> Found {
        let container = self.name().to_string();
        let reason = t.reason.as_deref().unwrap_or("");
        let exit = Evidence {
            note: note!(
                "evidence.exit",
                container = &container,
                reason = reason,
                code = t.exit_code,
                restarts = self.status.restart_count
            ),
            quote: t.message.clone().unwrap_or_default(),
            ..Evidence::default()
        };
        if reason == "OOMKilled" {
            let limit = self.spec.resources.as_ref().and_then(|r| r.limits.as_ref()?.get("memory"));
            let limit = limit.map_or_else(String::new, |q| q.0.clone());
            let note = note!("diagnosis.memory", container = &container, limit = limit);
            return Found::new(Trouble::Memory { container }, note).with(exit).with_all(self.log());
        }
        if matches!(reason, "StartError" | "ContainerCannotRun") {
            let note = note!("diagnosis.command", container = &container, command = self.command());
            return Found::new(Trouble::Command { container }, note).with(exit);
        }
        for probe in ["liveness", "startup"] {
            let says = format!("Container {} failed {probe} probe", self.name());
            let began = t.started_at.as_ref().map_or(0, |t| Time::from_k8s(t).as_micros());
            let killed = self.case.event("Killing", |m| m.starts_with(&says));
            // An earlier run that was killed says nothing of this one.
            if let Some(killed) = killed.filter(|e| e.last_seen >= began) {
                let note = match probe {
                    "liveness" => note!("diagnosis.liveness", container = &container),
                    _ => note!("diagnosis.startup", container = &container),
                };
                let unhealthy = self.unhealthy(probe).map(event);
                return Found::new(Trouble::Probe { container, probe }, note)
                    .with_all(unhealthy)
                    .with(event(killed))
                    .with(exit);
            }
        }
        if t.exit_code == 0 {
            let note = note!("diagnosis.done", container = &container);
            return Found::new(Trouble::Done { container }, note).with(exit).with_all(self.log());
        }
        let last = self.log();
        let line = last.as_ref().and_then(|e| e.quote.lines().last().map(str::to_string));
        let note = match line {
            Some(line) => note!("diagnosis.crash-saying", container = &container, code = t.exit_code, line = line),
            None => note!("diagnosis.crash", container = &container, code = t.exit_code),
        };
        Found::new(Trouble::Crash { container }, note).with_all(last).with(exit)
    }

    /// An init container that runs on and on.
    fn initializing(&self) -> Option<Found> {
        let state = self.status.state.as_ref()?;
        if !self.init {
            return None;
        }
        if let Some(t) = state.terminated.as_ref().filter(|t| t.exit_code != 0) {
            return Some(self.exited(t));
        }
        state.running.as_ref()?;
        Some(Found::underway(note!("diagnosis.initializing", container = self.name())).with_all(self.log()))
    }

    fn unhealthy(&self, probe: &str) -> Option<&EventView> {
        let mut says = format!("{probe} probe");
        if let Some(first) = says.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        self.case.event("Unhealthy", |m| m.starts_with(&says))
    }

    /// It runs and is not ready.
    fn not_ready(&self) -> Option<Found> {
        if self.init || self.status.ready || self.status.state.as_ref()?.running.is_none() {
            return None;
        }
        let container = self.name().to_string();
        let probe = if self.status.started == Some(false) { "startup" } else { "readiness" };
        let Some(unhealthy) = self.unhealthy(probe) else {
            return Some(Found::underway(note!("diagnosis.probing", container = &container, probe = probe)));
        };
        let note = match probe {
            "startup" => note!("diagnosis.startup", container = &container),
            _ => note!("diagnosis.readiness", container = &container),
        };
        Some(Found::new(Trouble::Probe { container, probe }, note).with(event(unhealthy)).with_all(self.log()))
    }
}
