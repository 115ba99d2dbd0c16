//! For what is wrong with a container's image, program or probes.

use super::super::Case;
use super::{Idea, NEAR_MAX, edit, find, in_container, in_spec, list_of};
use k8s_openapi::api::core::v1::Secret;
use kubelet::sim::catalogue;
use protocol::{Command, Fault};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use trace::note;

/// Programs often listen here; whether the pod's does is asked of the pod.
const USUAL_PORTS: [u16; 14] = [80, 8080, 3000, 5000, 8000, 443, 8443, 9090, 8888, 5432, 3306, 6379, 27017, 9376];

/// What the image runs by itself.
pub fn own_command(case: &Case, container: &str) -> Option<Idea> {
    edit(case, note!("remedy.own-command"), &format!("{}[{container}].command", list_of(case, container)), &|spec| {
        let c = find(spec, container)?;
        let before = c["command"].clone();
        let args = c.as_object_mut()?.remove("args");
        c.as_object_mut()?.remove("command");
        (!before.is_null() || args.is_some()).then_some((before, Value::Null))
    })
}

pub fn memory_limit(case: &Case, container: &str) -> Option<String> {
    let spec = case.pod.spec.as_ref()?;
    let c = spec.init_containers.iter().flatten().chain(&spec.containers).find(|c| c.name == container)?;
    Some(c.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

pub fn images(case: &Case, container: &str, image: &str) -> Vec<Idea> {
    let mut all = Vec::new();
    let is_it = |b: &&String| catalogue::blocked(&BTreeSet::from([(*b).clone()]), image).is_some();
    let blocked = case.cluster.blocked_images().filter(is_it);
    all.extend(blocked.map(|b| {
        let fault = Fault::BlockImage { image: b.clone(), on: false };
        Idea::of(note!("remedy.unblock-image", image = b), vec![Command::Fault { id: 0, fault }])
    }));
    all.extend(in_container(case, note!("remedy.pull"), container, "imagePullPolicy", |c| {
        (c["imagePullPolicy"] == "Never").then(|| "IfNotPresent".into())
    }));
    let near = catalogue::near(image, NEAR_MAX);
    all.extend(near.iter().filter_map(|near| {
        in_container(case, note!("remedy.image", image = near), container, "image", |_| Some(near.as_str().into()))
    }));
    let secrets = case.cluster.view().list_in::<Secret>(case.namespace());
    let secrets = secrets.filter(|s| s.type_.as_deref().is_some_and(|t| t.starts_with("kubernetes.io/dockerc")));
    let names = secrets.filter_map(|s| s.metadata.name.clone()).take(NEAR_MAX);
    all.extend(names.filter_map(|name| {
        in_spec(case, note!("remedy.pull-secret", secret = &name), "imagePullSecrets", |spec| {
            let mut list = spec["imagePullSecrets"].as_array().cloned().unwrap_or_default();
            let new = json!({"name": name});
            (!list.contains(&new)).then(|| {
                list.push(new);
                Value::Array(list)
            })
        })
    }));
    all
}

/// Names like those of environment variables that the log's end speaks of and the container does not have.
pub fn unset(case: &Case, container: &str) -> Vec<String> {
    const NAMES_MAX: usize = 3;
    let Some(log) = case.cluster.log_tail(case.pod, container, 20) else { return Vec::new() };
    let spec = case.pod.spec.as_ref();
    let of = spec.iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
    let set: BTreeSet<&str> =
        of.filter(|c| c.name == container).flat_map(|c| c.env.iter().flatten()).map(|e| e.name.as_str()).collect();
    let mut found = Vec::new();
    for word in log.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let named = word.len() > 3 && word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase());
        let is_name = named && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if is_name && !set.contains(word) && !found.iter().any(|f| f == word) && found.len() < NAMES_MAX {
            found.push(word.to_string());
        }
    }
    found
}

pub fn probes(case: &Case, container: &str, probe: &str) -> Vec<Idea> {
    let field = format!("{probe}Probe");
    let spec = case.pod.spec.as_ref();
    let all = spec.iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
    let of = all.into_iter().find(|c| c.name == container);
    let declared = of.iter().flat_map(|c| c.ports.iter().flatten());
    let declared: Vec<u16> = declared.filter_map(|p| u16::try_from(p.container_port).ok()).collect();
    let ip = case.pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()).unwrap_or("");
    let listens = |port: &u16| case.cluster.pod_listens(case.node(), ip, *port);
    let mut ports: Vec<u16> = declared.iter().chain(&USUAL_PORTS).copied().filter(listens).collect();
    // Between two runs nothing listens: then what is declared or probed is all that is known.
    if ports.is_empty() {
        let probed = of.and_then(|c| serde_json::to_value(c).ok());
        let probed = probed.and_then(|c| c[&field]["httpGet"]["port"].as_u64());
        ports = declared.into_iter().chain(probed.and_then(|p| u16::try_from(p).ok())).collect();
    }
    let mut seen = BTreeSet::new();
    ports.retain(|p| seen.insert(*p));
    let mut all = Vec::new();
    for port in ports.into_iter().take(NEAR_MAX) {
        all.extend(in_container(case, note!("remedy.probe-port", port = port), container, &field, |c| {
            let mut after = c[&field].clone();
            let way = ["httpGet", "tcpSocket", "grpc"].into_iter().find(|w| !after[*w].is_null())?;
            after[way]["port"] = port.into();
            Some(after)
        }));
        all.extend(in_container(case, note!("remedy.probe-path", port = port), container, &field, |c| {
            let mut after = c[&field].clone();
            let get = after.get_mut("httpGet").filter(|g| !g.is_null())?;
            (get["port"], get["path"]) = (port.into(), "/".into());
            Some(after)
        }));
    }
    all.extend(in_container(case, note!("remedy.probe-patience", times = 60), container, &field, |c| {
        let mut after = c[&field].clone();
        after["failureThreshold"] = 60.into();
        (probe == "startup").then_some(after)
    }));
    all.extend(in_container(case, note!("remedy.probe-later", seconds = 30), container, &field, |c| {
        let mut after = c[&field].clone();
        match probe {
            "liveness" => after["initialDelaySeconds"] = 30.into(),
            _ => return None,
        }
        Some(after)
    }));
    all.extend(in_container(case, note!("remedy.no-probe", probe = probe), container, &field, |c| {
        (!c[&field].is_null()).then_some(Value::Null)
    }));
    all
}
