//! Manifests from the docs end in the state the docs describe. Each file says its end itself, in its comments:
//! `#? Kind/name /json/pointer value`, and how long it takes where it never comes to rest: `#! until 2m`.

use serde_json::Value;
use system_tests::{manifest, read, run};

fn check(name: &str) {
    let text = read(name);
    let until = text.lines().find_map(|l| l.strip_prefix("#! until ")).unwrap_or("2m");
    let file = manifest(name);
    let Some(ran) = run(&["simulate", "-f", &file, "--until", until, "--seed", "1", "-o", "json"]) else { return };
    let end: Value = serde_json::from_str(&ran.good()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let items = end["items"].as_array().unwrap_or_else(|| panic!("{name}: not a List"));
    let mut wrong = Vec::new();
    for line in text.lines().filter_map(|l| l.strip_prefix("#? ")) {
        let mut words = line.splitn(3, ' ');
        let (Some(object), Some(pointer), Some(expected)) = (words.next(), words.next(), words.next()) else {
            panic!("{name}: {line:?} is not `Kind/name /pointer value`");
        };
        let expected: Value = serde_json::from_str(expected).unwrap_or_else(|e| panic!("{name}: {line}: {e}"));
        let (kind, object_name) = object.split_once('/').unwrap_or((object, ""));
        let found = items.iter().find(|i| i["kind"] == kind && i["metadata"]["name"] == object_name);
        match found.map(|o| o.pointer(pointer)) {
            Some(Some(value)) if *value == expected => {}
            Some(value) => wrong.push(format!("{object} {pointer}: expected {expected}, is {value:?}")),
            None => wrong.push(format!("{object} is not there")),
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}

macro_rules! manifests {
    ($($test:ident $file:literal)*) => { $(#[test] fn $test() { check($file); })* };
}
manifests! {
    configmap "configmap.yaml"
    configmap_update "configmap-update.yaml"
    deployment "deployment.yaml"
    deployment_recreate "deployment-recreate.yaml"
    endpointslice "endpointslice.yaml"
    event "event.yaml"
    lease "lease.yaml"
    namespace "namespace.yaml"
    node "node.yaml"
    persistentvolume "persistentvolume.yaml"
    persistentvolumeclaim "persistentvolumeclaim.yaml"
    pod "pod.yaml"
    pod_command "pod-command.yaml"
    pod_crash "pod-crash.yaml"
    pod_image "pod-image.yaml"
    pod_init "pod-init.yaml"
    pod_init_services "pod-init-services.yaml"
    pod_private_image "pod-private-image.yaml"
    pod_probes "pod-probes.yaml"
    pod_resources "pod-resources.yaml"
    pod_too_big "pod-too-big.yaml"
    poddisruptionbudget "poddisruptionbudget.yaml"
    priorityclass "priorityclass.yaml"
    replicaset "replicaset.yaml"
    replicationcontroller "replicationcontroller.yaml"
    secret "secret.yaml"
    service "service.yaml"
    serviceaccount "serviceaccount.yaml"
    storage "storage.yaml"
}

/// The same input gives the same trace, byte for byte; another seed may not.
#[test]
fn the_same_seed_gives_the_same_trace() {
    let file = manifest("deployment.yaml");
    let once = || run(&["simulate", "-f", &file, "--until", "1m", "--seed", "7", "-o", "trace"]);
    let (Some(a), Some(b)) = (once(), once()) else { return };
    let (a, b) = (a.good(), b.good());
    assert!(a.lines().count() > 20, "hardly a trace:\n{a}");
    assert!(a == b, "two runs differ");
}

#[test]
fn events_are_listed() {
    let file = manifest("deployment.yaml");
    let Some(ran) = run(&["simulate", "-f", &file, "--until", "1m", "-o", "events"]) else { return };
    let out = ran.good();
    for reason in ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"] {
        assert!(out.contains(reason), "no {reason} in\n{out}");
    }
}
