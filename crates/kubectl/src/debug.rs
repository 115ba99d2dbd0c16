//! `kubectl debug`: an ephemeral container, a copy of a pod, or a pod on a node. Models `kubectl/pkg/cmd/debug`.

use crate::builder::{Builder, Info};
use crate::client::Request;
use crate::cx::{Cx, STRATEGIC};
use crate::env::Session;
use crate::error::Error;
use serde_json::{Value, json};

/// How often the container is looked at until it runs: microseconds.
const LOOK_EVERY: i64 = 100_000;

/// What a profile is applied to.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Ephemeral,
    Copy,
    Node,
}

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let (targets, command) = match cx.dash {
        Some(n) => (cx.args[..n].to_vec(), cx.args[n..].to_vec()),
        None => (cx.args.clone(), Vec::new()),
    };
    for flag in ["set-image", "env"] {
        if let Some(v) = cx.flags.list(flag).iter().find(|v| !v.contains('=')) {
            let said = format!("invalid argument {v:?} for \"--{flag}\" flag: {v} must be formatted as key=value");
            return Err(Error::text(format!("{said}\nSee 'kubectl debug --help' for usage.")));
        }
    }
    let custom = custom(cx)?;
    check(cx, &targets, &command)?;
    let words: Vec<String> =
        targets.iter().map(|t| if t.contains('/') { t.clone() } else { format!("pods/{t}") }).collect();
    let b = Builder { filenames: cx.flags.list("filename"), ..Builder::default() };
    for info in b.find(cx, &words).await?.all()? {
        let (pod, container) = match info.mapping.kind.as_str() {
            "Node" => on_node(cx, &info, &command, &custom).await?,
            "Pod" if !cx.flags.string("copy-to").is_empty() => copy(cx, &info, &command, &custom).await?,
            "Pod" => ephemeral(cx, &info, &command, &custom).await?,
            kind => {
                let m = &info.mapping;
                let what = format!("{}/{}, Kind={kind}", m.group, m.version);
                return Err(Error::Text(format!("{what:?} not supported by debug")));
            }
        };
        let attaches = if cx.flags.changed("attach") { cx.flags.bool("attach") } else { cx.flags.bool("stdin") };
        if attaches && !container.is_empty() {
            attach(cx, &pod, container).await?;
        }
    }
    Ok(())
}

fn check(cx: &mut Cx<'_, '_>, targets: &[String], command: &[String]) -> Result<(), Error> {
    let set = |cx: &Cx<'_, '_>, f: &str| !cx.flags.string(f).is_empty();
    let images = !cx.flags.list("set-image").is_empty();
    let no = |message: &str| Err(Error::text(message));
    if cx.flags.bool("attach") && !set(cx, "image") && !set(cx, "container") {
        return no("you must specify --container or create a new container using --image in order to attach.");
    }
    if set(cx, "copy-to") {
        if !set(cx, "image") && !images && command.is_empty() {
            return no("you must specify --image, --set-image or command arguments.");
        }
        if !command.is_empty() && !set(cx, "container") && !set(cx, "image") {
            return no("you must specify an existing container or a new image when specifying args.");
        }
    } else if cx.flags.bool("replace") {
        return no("--replace may only be used with --copy-to.");
    } else if cx.flags.bool("same-node") {
        return no("--same-node may only be used with --copy-to.");
    } else if images {
        return no("--set-image may only be used with --copy-to.");
    } else if !set(cx, "image") {
        return no("you must specify --image when not using --copy-to.");
    }
    let image = cx.flags.string("image").to_string();
    if image.chars().any(|c| c.is_whitespace() || c.is_ascii_uppercase()) && !image.contains(':') {
        return Err(Error::Text(format!("invalid image name {image:?}: invalid reference format")));
    }
    let profile = cx.flags.string("profile");
    if !matches!(profile, "legacy" | "general" | "baseline" | "restricted" | "netadmin" | "sysadmin") {
        return Err(Error::Text(format!("unknown profile: {profile}")));
    }
    if targets.is_empty() && cx.flags.list("filename").is_empty() {
        return no("NAME or filename is required for debug");
    }
    let policy = cx.flags.string("image-pull-policy").to_string();
    if !matches!(policy.as_str(), "Always" | "IfNotPresent" | "Never" | "") {
        return Err(Error::Text(format!("invalid image pull policy: {policy}")));
    }
    if set(cx, "target") {
        if set(cx, "copy-to") {
            return no("--target is incompatible with --copy-to. Use --share-processes instead.");
        }
        if !cx.flags.bool("quiet") {
            let target = cx.flags.string("target").to_string();
            cx.out(&format!(
                "Targeting container {target:?}. If you don't see processes from this container it may be because the \
                 container runtime doesn't support this feature.\n"
            ));
        }
    }
    if cx.flags.bool("tty") && !cx.flags.bool("stdin") {
        return no("-i/--stdin is required for containers with -t/--tty=true");
    }
    if cx.flags.string("profile") == "legacy" {
        cx.err(
            "--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a \
             profile, for example \"--profile=general\".\n",
        );
    }
    Ok(())
}

/// The container spec of `--custom`; null without. Models `applyCustomProfile`.
fn custom(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let file = cx.flags.string("custom");
    if file.is_empty() {
        return Ok(Value::Null);
    }
    let text = cx.env.files.read(file).ok_or_else(|| {
        let why = format!("open {file}: no such file or directory");
        Error::Text(format!("must pass a container spec json file for custom profile: {why}"))
    })?;
    let given = manifest::parse_given(&[(file, &text)], manifest::Limits::REQUEST)
        .ok()
        .and_then(|documents| documents.into_iter().next())
        .map(|d| d.value)
        .filter(Value::is_object);
    given.ok_or_else(|| Error::Text(format!("{file} does not contain a valid container spec: it is no object")))
}

/// Merges the custom spec into a container.
fn customized(custom: &Value, container: &mut Value) -> Result<(), Error> {
    if custom.is_null() {
        return Ok(());
    }
    if ["name", "command", "image", "lifecycle", "volumeDevices"].iter().any(|f| custom.get(*f).is_some()) {
        return Err(Error::text(
            "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
        ));
    }
    let mut patch = custom.clone();
    patch["name"] = container["name"].clone();
    let pod = |c: &Value| json!({"spec": {"containers": [c]}});
    let mut merged = meta::strategic::strategic_merge(pod(container), &pod(&patch), "Pod")
        .map_err(|e| Error::text(e.message().to_string()))?;
    *container = merged["spec"]["containers"][0].take();
    Ok(())
}

/// Five characters that no other name is likely to end with.
fn suffix(cx: &Cx<'_, '_>, salt: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut n = cx.client().now().unsigned_abs().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(salt as u64);
    let mut out = String::new();
    for _ in 0..5 {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.push(char::from(LETTERS[(n >> 33) as usize % LETTERS.len()]));
    }
    out
}

/// The container's name, said when it is made up.
fn container_name(cx: &mut Cx<'_, '_>, pod: &Value) -> String {
    let named = cx.flags.string("container").to_string();
    if !named.is_empty() {
        return named;
    }
    let taken = |name: &str| {
        ["containers", "initContainers", "ephemeralContainers"]
            .iter()
            .any(|f| pod["spec"][*f].as_array().is_some_and(|l| l.iter().any(|c| c["name"] == name)))
    };
    let mut salt = 0;
    let mut name = format!("debugger-{}", suffix(cx, salt));
    while taken(&name) {
        salt += 1;
        name = format!("debugger-{}", suffix(cx, salt));
    }
    if !cx.flags.bool("quiet") {
        cx.out(&format!("Defaulting debug container name to {name}.\n"));
    }
    name
}

/// What the flags say of a container.
fn dress(cx: &Cx<'_, '_>, container: &mut Value, command: &[String]) {
    if !command.is_empty() {
        if cx.flags.bool("arguments-only") {
            container["args"] = json!(command);
        } else {
            container["command"] = json!(command);
            if let Some(c) = container.as_object_mut() {
                c.remove("args");
            }
        }
    }
    let mut env = Vec::new();
    for pair in cx.flags.list("env").iter().flat_map(|l| l.split(',')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        env.push(json!({"name": name, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    for (flag, field) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
        if !cx.flags.string(flag).is_empty() {
            container[field] = cx.flags.string(flag).into();
        }
    }
    for flag in ["stdin", "tty"] {
        if cx.flags.bool(flag) {
            container[flag] = true.into();
        } else if let Some(c) = container.as_object_mut() {
            c.remove(flag);
        }
    }
}

fn fresh(name: &str) -> Value {
    json!({"name": name, "terminationMessagePolicy": "File"})
}

async fn ephemeral(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    command: &[String],
    custom: &Value,
) -> Result<(Value, String), Error> {
    let name = container_name(cx, &info.object);
    let mut container = fresh(&name);
    dress(cx, &mut container, command);
    if !cx.flags.string("target").is_empty() {
        container["targetContainerName"] = cx.flags.string("target").into();
    }
    privileges(cx.flags.string("profile"), Style::Ephemeral, &mut container);
    customized(custom, &mut container)?;
    // Without the order the new one would come first.
    let mut order: Vec<Value> = Vec::new();
    for c in info.object["spec"]["ephemeralContainers"].as_array().into_iter().flatten() {
        order.push(json!({"name": c["name"]}));
    }
    order.push(json!({"name": name}));
    let patch = json!({"spec": {"$setElementOrder/ephemeralContainers": order, "ephemeralContainers": [container]}});
    let pod = cx.patch(format!("{}/ephemeralcontainers", info.path()), STRATEGIC, &patch).await?;
    Ok((pod, name))
}

async fn copy(cx: &mut Cx<'_, '_>, info: &Info, command: &[String], custom: &Value) -> Result<(Value, String), Error> {
    let old = &info.object;
    let mut metadata = json!({"name": cx.flags.string("copy-to"), "namespace": info.namespace});
    for field in ["labels", "annotations"] {
        if let Some(v) = old["metadata"].get(field) {
            metadata[field] = v.clone();
        }
    }
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": old["spec"]});
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.remove("ephemeralContainers");
        if !cx.flags.bool("same-node") {
            spec.remove("nodeName");
        }
        if cx.flags.changed("share-processes") {
            spec.insert("shareProcessNamespace".into(), cx.flags.bool("share-processes").into());
        }
    }
    let images = cx.flags.list("set-image");
    let image = |name: &str| images.iter().filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name).map(|(_, i)| i);
    let Some(containers) = pod["spec"]["containers"].as_array_mut() else { return Err(Error::text("no containers")) };
    for c in containers.iter_mut() {
        if let Some(new) = image(c["name"].as_str().unwrap_or("")).or(image("*")) {
            c["image"] = new.into();
        }
    }
    let named = cx.flags.string("container").to_string();
    let mut at = containers.iter().position(|c| !named.is_empty() && c["name"] == named.as_str());
    let mut name = named;
    if at.is_none() && cx.flags.string("image").is_empty() {
        if images.is_empty() {
            return Err(Error::text("you must specify image when creating new container"));
        }
        name.clear();
    } else if at.is_none() {
        name = container_name(cx, &pod);
        if let Some(list) = pod["spec"]["containers"].as_array_mut() {
            list.push(fresh(&name));
            at = Some(list.len() - 1);
        }
    }
    if let Some(at) = at {
        dress(cx, &mut pod["spec"]["containers"][at], command);
        let profile = cx.flags.string("profile").to_string();
        profiled_copy(cx, &profile, &mut pod);
        privileges(&profile, Style::Copy, &mut pod["spec"]["containers"][at]);
        customized(custom, &mut pod["spec"]["containers"][at])?;
    }
    let path = info.mapping.path(Some(&info.namespace), None);
    let created = cx.send(Request::new("POST", path).header("Accept", "application/json").json(&pod)).await?;
    if cx.flags.bool("replace") {
        let now = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0});
        cx.send(Request::new("DELETE", info.path()).header("Accept", "application/json").json(&now)).await?;
    }
    Ok((created, name))
}

/// What a copy leaves out.
fn profiled_copy(cx: &Cx<'_, '_>, profile: &str, pod: &mut Value) {
    let remove = |v: &mut Value, field: &str| drop(v.as_object_mut().map(|m| m.remove(field)));
    if profile == "legacy" {
        return remove(&mut pod["metadata"], "labels");
    }
    for field in ["labels", "annotations"] {
        if !cx.flags.bool(&format!("keep-{field}")) {
            remove(&mut pod["metadata"], field);
        }
    }
    for probe in ["liveness", "readiness", "startup"] {
        if !cx.flags.bool(&format!("keep-{probe}")) {
            for c in pod["spec"]["containers"].as_array_mut().into_iter().flatten() {
                remove(c, &format!("{probe}Probe"));
            }
        }
    }
    if !cx.flags.bool("keep-init-containers") {
        remove(&mut pod["spec"], "initContainers");
    }
    if pod["spec"].get("shareProcessNamespace").is_none() {
        pod["spec"]["shareProcessNamespace"] = true.into();
    }
}

/// What a profile lets the container do.
fn privileges(profile: &str, style: Style, container: &mut Value) {
    if matches!(profile, "baseline" | "restricted") || (profile == "general" && style == Style::Node) {
        drop(container.as_object_mut().map(|c| c.remove("securityContext")));
    }
    let add = |container: &mut Value, names: &[&str]| {
        let list = &mut container["securityContext"]["capabilities"]["add"];
        let mut all = list.as_array().cloned().unwrap_or_default();
        all.extend(names.iter().map(|n| json!(n)));
        *list = all.into();
    };
    match profile {
        "general" if style != Style::Node => add(container, &["SYS_PTRACE"]),
        "netadmin" => add(container, &["NET_ADMIN", "NET_RAW"]),
        "sysadmin" => container["securityContext"]["privileged"] = true.into(),
        "restricted" => {
            container["securityContext"] = json!({
                "runAsNonRoot": true,
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            });
        }
        _ => {}
    }
}

async fn on_node(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    command: &[String],
    custom: &Value,
) -> Result<(Value, String), Error> {
    let named = cx.flags.string("container").to_string();
    let container = if named.is_empty() { "debugger".to_string() } else { named };
    let name = format!("node-debugger-{}-{}", info.name, suffix(cx, 0));
    if !cx.flags.bool("quiet") {
        cx.out(&format!("Creating debugging pod {name} with container {container} on node {}.\n", info.name));
    }
    let mut c = fresh(&container);
    dress(cx, &mut c, command);
    let profile = cx.flags.string("profile").to_string();
    privileges(&profile, Style::Node, &mut c);
    let mut spec = json!({"nodeName": info.name, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]});
    if matches!(profile.as_str(), "legacy" | "general" | "sysadmin") {
        spec["volumes"] = json!([{"name": "host-root", "hostPath": {"path": "/"}}]);
        c["volumeMounts"] = json!([{"name": "host-root", "mountPath": "/host"}]);
    }
    if matches!(profile.as_str(), "legacy" | "general" | "netadmin" | "sysadmin") {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            spec[field] = true.into();
        }
    }
    customized(custom, &mut c)?;
    spec["containers"] = json!([c]);
    let labels = json!({"app.kubernetes.io/managed-by": "kubectl-debug"});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec});
    let path = format!("/api/v1/namespaces/{}/pods", cx.namespace());
    let created = cx.send(Request::new("POST", path).header("Accept", "application/json").json(&pod)).await?;
    Ok((created, container))
}

async fn attach(cx: &mut Cx<'_, '_>, pod: &Value, container: String) -> Result<(), Error> {
    let text = |f: &str| pod["metadata"][f].as_str().unwrap_or("").to_string();
    let (namespace, name) = (text("namespace"), text("name"));
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    loop {
        let now = cx.get(path.clone()).await?;
        let state = ["containerStatuses", "ephemeralContainerStatuses"]
            .iter()
            .flat_map(|f| now["status"][*f].as_array().into_iter().flatten())
            .find(|s| s["name"] == container.as_str())
            .map(|s| s["state"].clone())
            .unwrap_or_default();
        if state.get("terminated").is_some() {
            let log = Request::get(format!("{path}/log?container={container}"));
            let response = crate::client::send(cx.client(), log).await?;
            cx.out(&String::from_utf8_lossy(&response.body));
            return Ok(());
        }
        if state.get("running").is_some() {
            break;
        }
        cx.env.terminal.sleep(LOOK_EVERY).await;
    }
    let (stdin, tty) = (cx.flags.bool("stdin"), cx.flags.bool("tty"));
    let session = Session { namespace, pod: name, container, command: Vec::new(), stdin, tty };
    match cx.env.terminal.exec(session).await {
        Ok(0) => Ok(()),
        Ok(code) => Err(Error::Exit(code)),
        Err(why) => Err(Error::Text(why)),
    }
}
