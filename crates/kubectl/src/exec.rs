//! `kubectl exec` and `attach`. Models `kubectl/pkg/cmd/exec` and `kubectl/pkg/cmd/attach`.

use crate::builder::Builder;
use crate::cx::Cx;
use crate::env::Session;
use crate::error::Error;
use serde_json::Value;

pub(crate) async fn exec(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let (before, command) = match cx.dash {
        Some(n) => (cx.args[..n].to_vec(), cx.args[n..].to_vec()),
        None => (cx.args.iter().take(1).cloned().collect(), cx.args.iter().skip(1).cloned().collect()),
    };
    let file = cx.flags.list("filename").into_iter().next();
    let Some(target) = before.first().cloned().or(file.filter(|_| cx.dash.is_some()).map(|_| String::new())) else {
        return Err(Error::text("pod, type/name or --filename must be specified"));
    };
    if cx.dash.is_none() && !command.is_empty() {
        return Err(Error::text(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for \
             help and examples",
        ));
    }
    if command.is_empty() {
        return Err(Error::text("you must specify at least one command for the container"));
    }
    session(cx, target, command).await
}

pub(crate) async fn attach(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    if cx.args.len() != 1 {
        let n = cx.args.len();
        let message = if n == 0 {
            "at least 1 argument is required for attach".to_string()
        } else {
            format!("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {n}: [{}]", cx.args.join(" "))
        };
        return Err(Error::Text(message));
    }
    let target = cx.args[0].clone();
    session(cx, target, Vec::new()).await
}

/// After `run -it`.
pub(crate) async fn attach_to_new(cx: &mut Cx<'_, '_>, name: &str) -> Result<(), Error> {
    let path = format!("/api/v1/namespaces/{}/pods/{name}", cx.namespace());
    loop {
        let pod = cx.get(path.clone()).await?;
        match pod["status"]["phase"].as_str() {
            Some("Running" | "Succeeded" | "Failed") => break,
            _ => cx.env.terminal.sleep(100_000).await,
        }
    }
    let done = session(cx, name.to_string(), Vec::new()).await;
    if cx.flags.bool("rm") {
        let r = crate::client::Request::new("DELETE", path).header("Accept", "application/json");
        cx.send(r).await?;
        cx.out(&format!("pod {name:?} deleted from {} namespace\n", cx.namespace()));
    }
    done
}

/// The pod that a name or `type/name` leads to. Models `AttachablePodForObject`.
pub(crate) async fn pod_for(cx: &mut Cx<'_, '_>, target: &str) -> Result<Value, Error> {
    let found = if target.is_empty() {
        Builder { latest: true, ..Builder::of(cx) }.find(cx, &[]).await?.all()?
    } else {
        let words = if target.contains('/') { vec![target.to_string()] } else { vec!["pods".into(), target.into()] };
        Builder::default().find(cx, &words).await?.all()?
    };
    let Some(info) = found.into_iter().next() else { return Err(Error::text("no pod was found")) };
    if info.mapping.kind == "Pod" {
        return Ok(info.object);
    }
    let Some(selector) = crate::polymorphic::pod_selector(&info.object) else {
        let kind = format!("*{}.{}", info.mapping.version, info.mapping.kind);
        let why = match info.mapping.kind.as_str() {
            "Service" => format!("invalid service '{}': Service is defined without a selector", info.name),
            _ => format!("selector for {kind} not implemented"),
        };
        return Err(Error::text(format!("cannot attach to {kind}: {why}")));
    };
    let path =
        format!("/api/v1/namespaces/{}/pods{}", info.namespace, crate::client::query(&[("labelSelector", &selector)]));
    let mut pods = cx.get(path).await?;
    let Value::Array(mut list) = pods["items"].take() else { return Err(Error::text("no pods")) };
    // Models `ActivePods`: what runs and is ready comes first.
    list.sort_by_key(|p| {
        let ready = p["status"]["conditions"]
            .as_array()
            .is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"));
        (p["spec"]["nodeName"].is_null(), p["status"]["phase"] != "Running", !ready)
    });
    match list.into_iter().next() {
        Some(mut pod) => {
            pod["kind"] = "Pod".into();
            pod["apiVersion"] = "v1".into();
            Ok(pod)
        }
        None => Err(Error::text("timed out waiting for the condition")),
    }
}

/// The container to work in: the one named, the default one, the first. Models `podcmd.FindOrDefaultContainerByName`.
pub(crate) fn container(cx: &mut Cx<'_, '_>, pod: &Value, quiet: bool) -> Result<String, Error> {
    let named = cx.flags.string("container").to_string();
    let all: Vec<&str> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|f| pod["spec"][*f].as_array().into_iter().flatten())
        .filter_map(|c| c["name"].as_str())
        .collect();
    let name = pod["metadata"]["name"].as_str().unwrap_or("");
    if !named.is_empty() {
        if all.contains(&named.as_str()) {
            return Ok(named);
        }
        let attaching = if cx.command.path == "attach" { "cannot attach to the container: " } else { "" };
        if matches!(cx.command.path, "exec" | "cp") {
            // The server looks.
            let said = format!("container {named} is not valid for pod {name}");
            let refused = serde_json::json!({"reason": "BadRequest", "message": said, "code": 400});
            return Err(Error::Status(Box::new(crate::error::Status(refused))));
        }
        return Err(Error::text(format!("{attaching}container {named} not found in pod {name}")));
    }
    let default = pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str().unwrap_or("");
    if all.contains(&default) && !default.is_empty() {
        return Ok(default.into());
    }
    let first = all.first().copied().unwrap_or("").to_string();
    let own: Vec<String> = all_names(pod);
    if own.len() > 1 && !quiet {
        cx.err(&format!("Defaulted container {first:?} out of: {}\n", own.join(", ")));
    }
    Ok(first)
}

/// # Errors
/// A pod that is over: nothing runs in it.
pub(crate) fn refuse_completed(pod: &Value, what: &str) -> Result<(), Error> {
    match pod["status"]["phase"].as_str() {
        Some(phase @ ("Succeeded" | "Failed")) => {
            let what = if what == "exec" { "exec into" } else { what };
            Err(Error::text(format!("cannot {what} a container in a completed pod; current phase is {phase}")))
        }
        _ => Ok(()),
    }
}

/// # Errors
/// A pod that is on no node: nobody runs anything in it, in the server's words.
pub(crate) fn placed(pod: &Value) -> Result<(), Error> {
    if pod["spec"]["nodeName"].as_str().is_some_and(|n| !n.is_empty()) {
        return Ok(());
    }
    let said = format!("pod {} does not have a host assigned", pod["metadata"]["name"].as_str().unwrap_or(""));
    let refused = serde_json::json!({"reason": "BadRequest", "message": said, "code": 400});
    Err(Error::Status(Box::new(crate::error::Status(refused))))
}

/// All containers, those of other sorts marked.
pub(crate) fn all_names(pod: &Value) -> Vec<String> {
    let mut out = Vec::new();
    for (field, mark) in [("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)")] {
        for c in pod["spec"][field].as_array().into_iter().flatten() {
            out.push(format!("{}{mark}", c["name"].as_str().unwrap_or("")));
        }
    }
    out
}

async fn session(cx: &mut Cx<'_, '_>, target: String, command: Vec<String>) -> Result<(), Error> {
    let pod = pod_for(cx, &target).await?;
    refuse_completed(&pod, if command.is_empty() { "attach" } else { "exec" })?;
    let quiet = cx.flags.bool("quiet");
    let container = container(cx, &pod, quiet)?;
    if command.is_empty() && !quiet {
        cx.err("If you don't see a command prompt, try pressing enter.\n");
    }
    placed(&pod)?;
    let s = Session {
        namespace: pod["metadata"]["namespace"].as_str().unwrap_or("").into(),
        pod: pod["metadata"]["name"].as_str().unwrap_or("").into(),
        container,
        command,
        stdin: cx.flags.bool("stdin"),
        tty: cx.flags.bool("tty"),
    };
    match cx.env.terminal.exec(s).await {
        Ok(0) => Ok(()),
        Ok(code) => {
            cx.err(&format!("command terminated with exit code {code}\n"));
            Err(Error::Exit(code))
        }
        Err(why) => Err(Error::text(why)),
    }
}

/// `kubectl port-forward`. Models `kubectl/pkg/cmd/portforward`.
pub(crate) async fn port_forward(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    if cx.args.len() < 2 {
        return Err(cx.usage("TYPE/NAME and list of ports are required for port-forward"));
    }
    let target = cx.args[0].clone();
    let words = if target.contains('/') { vec![target.clone()] } else { vec!["pods".into(), target.clone()] };
    let found = Builder::default().find(cx, &words).await?.all()?;
    let object = found.into_iter().next().map(|i| i.object).unwrap_or_default();
    let pod = pod_for(cx, &target).await?;
    let phase = pod["status"]["phase"].as_str().unwrap_or("");
    if phase != "Running" {
        return Err(Error::text(format!("unable to forward port because pod is not running. Current status={phase}")));
    }
    let mut ports = Vec::new();
    for text in &cx.args[1..] {
        let (local, remote) = match text.split_once(':') {
            Some((l, r)) => (if l.is_empty() { "0" } else { l }, r),
            None => (text.as_str(), text.as_str()),
        };
        let remote = target_port(&object, &pod, remote)?;
        let local = if text.contains(':') { local.to_string() } else { named_port(&object, &pod, local) };
        let pair = (port_number("local", &local)?, port_number("remote", &remote)?);
        if pair.1 == 0 {
            return Err(Error::text("remote port must be > 0"));
        }
        ports.push(pair);
    }
    for address in cx.flags.list("address") {
        if address != "localhost" && address.parse::<std::net::IpAddr>().is_err() {
            return Err(Error::text(format!("{address} is not a valid IP")));
        }
    }
    let t = |f: &str| pod["metadata"][f].as_str().unwrap_or("").to_string();
    for (local, remote) in &ports {
        cx.out(&format!("Forwarding from 127.0.0.1:{local} -> {remote}\n"));
    }
    cx.env.terminal.forward(&t("namespace"), &t("name"), &ports).await.map_err(Error::Text)
}

/// Models `parsePorts` of `client-go/tools/portforward`.
fn port_number(what: &str, text: &str) -> Result<u16, Error> {
    text.parse().map_err(|_| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let why = if digits { "value out of range" } else { "invalid syntax" };
        Error::text(format!("error parsing {what} port '{text}': strconv.ParseUint: parsing {text:?}: {why}"))
    })
}

/// A name instead of a number on this side means the number there.
fn named_port(object: &Value, pod: &Value, text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.into();
    }
    let of = object["spec"]["ports"].as_array().into_iter().flatten().find(|p| p["name"] == text);
    match of.filter(|_| object["kind"] == "Service").and_then(|p| p["port"].as_u64()) {
        Some(n) => n.to_string(),
        None => container_port(pod, text).unwrap_or_else(|| text.into()),
    }
}

fn container_port(pod: &Value, name: &str) -> Option<String> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
    ports.find(|p| p["name"] == name).and_then(|p| p["containerPort"].as_u64()).map(|n| n.to_string())
}

/// A Service's port is another one at its pods. Models `translateServicePortToTargetPort` and
/// `convertPodNamedPortToNumber`.
fn target_port(object: &Value, pod: &Value, port: &str) -> Result<String, Error> {
    let name = |o: &Value| o["metadata"]["name"].as_str().unwrap_or("").to_string();
    if object["kind"] != "Service" {
        if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(port.into());
        }
        let missing = || Error::text(format!("Pod '{}' does not have a named port '{port}'", name(pod)));
        return container_port(pod, port).ok_or_else(missing);
    }
    let of = |p: &&Value| match port.parse::<u64>() {
        Ok(n) => p["port"] == n,
        Err(_) => p["name"] == port,
    };
    let Some(of) = object["spec"]["ports"].as_array().into_iter().flatten().find(of) else {
        let service = name(object);
        return Err(Error::text(match port.parse::<u64>() {
            Ok(_) => format!("Service {service} does not have a service port {port}"),
            Err(_) => format!("Service '{service}' does not have a named port '{port}'"),
        }));
    };
    let target = &of["targetPort"];
    match target.as_str() {
        _ if object["spec"]["clusterIP"] == "None" => Ok(of["port"].to_string()),
        None if target.is_null() => Ok(of["port"].to_string()),
        None => Ok(target.to_string()),
        Some(t) => {
            let missing = || Error::text(format!("Pod '{}' does not have a named port '{t}'", name(pod)));
            container_port(pod, t).ok_or_else(missing)
        }
    }
}
