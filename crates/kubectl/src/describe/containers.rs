//! Containers of pods and of templates.

use super::sort::sort;
use super::view::View;
use super::writer::{Writer, put};
use super::{resources, show};

/// Whose containers they are: a pod's variables have values, a template is indented.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    Pod(View<'a>),
    Template,
}

impl Owner<'_> {
    fn space(self) -> &'static str {
        match self {
            Owner::Pod(_) => "",
            Owner::Template => "  ",
        }
    }

    /// The value of a field as far as kubectl knows it: its name and namespace. Models `EnvValueRetriever` with a
    /// scheme that converts no labels of pods.
    fn field(&self, reference: View) -> String {
        let Owner::Pod(pod) = self else { return String::new() };
        match reference.s("fieldPath") {
            "metadata.name" => pod.name().into(),
            "metadata.namespace" => pod.namespace().into(),
            _ => String::new(),
        }
    }
}

/// Models `describeContainers`.
pub fn write(w: &mut Writer, title: &str, containers: &[View], statuses: &[View], owner: Owner) {
    let none = if containers.is_empty() { " <none>" } else { "" };
    put!(w, 0, "{}{title}:{none}\n", owner.space());
    for c in containers {
        // As in a map, the last one of a name counts.
        let status = statuses.iter().rfind(|s| s.s("name") == c.s("name")).copied();
        basics(w, *c, status, owner);
        command(w, *c);
        if let Some(status) = status {
            states(w, status);
        }
        resources(w, 2, c.at("resources"));
        for (title, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if let Some(p) = c.at(field).opt() {
                put!(w, 2, "{title}:\t{}\n", probe(p));
            }
        }
        variable_sources(w, *c);
        variables(w, *c, owner);
        mounts(w, *c);
    }
}

fn basics(w: &mut Writer, c: View, status: Option<View>, owner: Owner) {
    let indent = if owner.space().is_empty() { "" } else { " " };
    put!(w, 1, "{indent}{}:\n", c.s("name"));
    if let Some(status) = status {
        put!(w, 2, "Container ID:\t{}\n", status.s("containerID"));
    }
    put!(w, 2, "Image:\t{}\n", c.s("image"));
    if let Some(status) = status {
        put!(w, 2, "Image ID:\t{}\n", status.s("imageID"));
    }
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> = c
            .list("ports")
            .into_iter()
            .map(|p| {
                let text = format!("{}/{}", p.i(field), p.s("protocol"));
                if p.s("name").is_empty() { text } else { format!("{text} ({})", p.s("name")) }
            })
            .collect();
        match ports.as_slice() {
            [] => put!(w, 2, "{title}:\t<none>\n"),
            [one] => put!(w, 2, "{title}:\t{one}\n"),
            many => put!(w, 2, "{title}s:\t{}\n", many.join(", ")),
        }
    }
    if let Some(profile) = c.at("securityContext.seccompProfile").opt() {
        put!(w, 2, "SeccompProfile:\t{}\n", profile.s("type"));
        if profile.s("type") == "Localhost" {
            put!(w, 3, "LocalhostProfile:\t{}\n", profile.s("localhostProfile"));
        }
    }
}

fn command(w: &mut Writer, c: View) {
    for (title, field) in [("Command", "command"), ("Args", "args")] {
        let words = c.strings(field);
        if words.is_empty() {
            continue;
        }
        put!(w, 2, "{title}:\n");
        for line in words.iter().flat_map(|word| word.split('\n')) {
            put!(w, 3, "{line}\n");
        }
    }
}

fn states(w: &mut Writer, status: View) {
    state(w, "State", status.at("state"));
    if status.has("lastState.terminated") {
        state(w, "Last State", status.at("lastState"));
    }
    put!(w, 2, "Ready:\t{}\n", show::yes(status.b("ready")));
    put!(w, 2, "Restart Count:\t{}\n", status.i("restartCount"));
}

/// Models `describeStatus`.
fn state(w: &mut Writer, title: &str, state: View) {
    if let Some(running) = state.at("running").opt() {
        put!(w, 2, "{title}:\tRunning\n");
        put!(w, 3, "Started:\t{}\n", show::time(running.at("startedAt")));
    } else if let Some(ended) = state.at("terminated").opt().filter(|_| !state.has("waiting")) {
        put!(w, 2, "{title}:\tTerminated\n");
        for (title, field) in [("Reason", "reason"), ("Message", "message")] {
            if !ended.s(field).is_empty() {
                put!(w, 3, "{title}:\t{}\n", ended.s(field));
            }
        }
        put!(w, 3, "Exit Code:\t{}\n", ended.i("exitCode"));
        if ended.i("signal") > 0 {
            put!(w, 3, "Signal:\t{}\n", ended.i("signal"));
        }
        put!(w, 3, "Started:\t{}\n", show::time(ended.at("startedAt")));
        put!(w, 3, "Finished:\t{}\n", show::time(ended.at("finishedAt")));
    } else {
        put!(w, 2, "{title}:\tWaiting\n");
        if !state.s("waiting.reason").is_empty() {
            put!(w, 3, "Reason:\t{}\n", state.s("waiting.reason"));
        }
    }
}

/// Models `describeResources`.
pub fn resources(w: &mut Writer, level: usize, resources: View) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let quantities = resources.quantities(field);
        if !quantities.is_empty() {
            put!(w, level, "{title}:\n");
        }
        for (name, quantity) in quantities {
            put!(w, level + 1, "{name}:\t{quantity}\n");
        }
    }
}

/// Models `DescribeProbe`.
fn probe(p: View) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        p.i("initialDelaySeconds"),
        p.i("timeoutSeconds"),
        p.i("periodSeconds"),
        p.i("successThreshold"),
        p.i("failureThreshold")
    );
    if p.has("exec") {
        return format!("exec {} {attributes}", show::slice(p.strings("exec.command")));
    }
    if let Some(get) = p.at("httpGet").opt() {
        let port = port(get);
        let host = if port.is_empty() { get.s("host").to_string() } else { show::host_port(get.s("host"), &port) };
        let url = show::url(&get.s("scheme").to_lowercase(), &host, get.s("path"));
        return format!("http-get {url} {attributes}");
    }
    if let Some(socket) = p.at("tcpSocket").opt() {
        return format!("tcp-socket {}:{} {attributes}", socket.s("host"), port(socket));
    }
    if let Some(grpc) = p.at("grpc").opt() {
        return format!("grpc <pod>:{} {} {attributes}", grpc.i("port"), grpc.s("service"));
    }
    format!("unknown {attributes}")
}

/// The port of a probe: a number or a name.
fn port(v: View) -> String {
    v.at("port").opt().map_or_else(|| "0".into(), View::int_or_string)
}

fn variable_sources(w: &mut Writer, c: View) {
    let sources = c.list("envFrom");
    if sources.is_empty() {
        return;
    }
    put!(w, 2, "Environment Variables from:\n");
    for source in sources {
        let (from, reference) = if source.has("configMapRef") {
            ("ConfigMap", source.at("configMapRef"))
        } else if source.has("secretRef") {
            ("Secret", source.at("secretRef"))
        } else {
            ("", View::default())
        };
        let (name, optional) = (reference.s("name"), reference.b("optional"));
        match source.s("prefix") {
            "" => put!(w, 3, "{name}\t{from}\tOptional: {optional}\n"),
            prefix => put!(w, 3, "{name}\t{from} with prefix '{prefix}'\tOptional: {optional}\n"),
        }
    }
}

/// Models `describeContainerEnvVars`.
fn variables(w: &mut Writer, c: View, owner: Owner) {
    let variables = c.list("env");
    put!(w, 2, "Environment:{}\n", if variables.is_empty() { "\t<none>" } else { "" });
    for v in variables {
        let name = v.s("name");
        let from = v.at("valueFrom");
        if !from.is_set() {
            for (i, line) in v.s("value").split('\n').enumerate() {
                match i {
                    0 => put!(w, 3, "{name}:\t{line}\n"),
                    _ => put!(w, 3, "\t{line}\n"),
                }
            }
        } else if let Some(field) = from.at("fieldRef").opt() {
            let (version, path) = (field.s("apiVersion"), field.s("fieldPath"));
            put!(w, 3, "{name}:\t{} ({version}:{path})\n", owner.field(field));
        } else if let Some(field) = from.at("resourceFieldRef").opt() {
            let resource = field.s("resource");
            let mut value = resources::container_value(field, c).unwrap_or_default();
            if value == "0" && (resource == "limits.cpu" || resource == "limits.memory") {
                value = "node allocatable".into();
            }
            put!(w, 3, "{name}:\t{value} ({resource})\n");
        } else if let Some(key) = from.at("secretKeyRef").opt() {
            let optional = key.b("optional");
            let (secret, key) = (key.s("name"), key.s("key"));
            put!(w, 3, "{name}:\t<set to the key '{key}' in secret '{secret}'>\tOptional: {optional}\n");
        } else if let Some(key) = from.at("configMapKeyRef").opt() {
            let optional = key.b("optional");
            let (map, key) = (key.s("name"), key.s("key"));
            put!(w, 3, "{name}:\t<set to the key '{key}' of config map '{map}'>\tOptional: {optional}\n");
        }
    }
}

/// Models `describeContainerVolumes`.
fn mounts(w: &mut Writer, c: View) {
    let mut mounts = c.list("volumeMounts");
    let none = if mounts.is_empty() { "\t<none>" } else { "" };
    put!(w, 2, "Mounts:{none}\n");
    sort(&mut mounts, |a, b| a.s("mountPath") < b.s("mountPath"));
    for mount in mounts {
        let mut flags = if mount.b("readOnly") { "ro" } else { "rw" }.to_string();
        if !mount.s("subPath").is_empty() {
            flags += &format!(",path={:?}", mount.s("subPath"));
        }
        put!(w, 3, "{} from {} ({flags})\n", mount.s("mountPath"), mount.s("name"));
    }
    let mut devices = c.list("volumeDevices");
    if !devices.is_empty() {
        // Upstream says here whether there are mounts.
        put!(w, 2, "Devices:{none}\n");
        sort(&mut devices, |a, b| a.s("devicePath") < b.s("devicePath"));
        for device in devices {
            put!(w, 3, "{} from {}\n", device.s("devicePath"), device.s("name"));
        }
    }
}
