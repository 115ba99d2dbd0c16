//! Subresources that the host connects: logs, streams and proxies.

use crate::admission;
use crate::request::{LogOptions, Request};
use crate::response::{Connect, ConnectTarget, ProxyTarget, Response};
use crate::server::{Cx, Plan};
use api::ObjectExt;
use k8s_openapi::api::core::v1::Pod;
use meta::field::{FieldError, Path};
use meta::{ApiError, Key};
use serde_json::{Value, json};

fn pod<'a>(cx: &'a Cx<'_>, req: &Request) -> Result<&'a Pod, ApiError> {
    let entry = cx.object(req.kind, &req.namespace, &req.name);
    entry.and_then(|e| e.value.0.downcast::<Pod>()).ok_or_else(|| ApiError::not_found("", "pods", &req.name))
}

/// Models `validateContainer` of `pkg/registry/core/pod`: the container asked for, or the only one.
fn container(pod: &Pod, asked: &str) -> Result<String, ApiError> {
    let name = pod.metadata.name.as_deref().unwrap_or("");
    let Some(spec) = &pod.spec else { return Ok(asked.into()) };
    let main = spec.containers.iter().map(|c| c.name.as_str());
    // In the order in which upstream visits them.
    let init = spec.init_containers.iter().flatten().map(|c| c.name.as_str());
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|c| c.name.as_str());
    let all: Vec<&str> = init.chain(main).chain(ephemeral).collect();
    match (asked, spec.containers.as_slice()) {
        ("", [only]) => Ok(only.name.clone()),
        ("", _) => Err(ApiError::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            all.join(" ")
        ))),
        (asked, _) if all.contains(&asked) => Ok(asked.into()),
        (asked, _) => Err(ApiError::bad_request(format!("container {asked} is not valid for pod {name}"))),
    }
}

/// Models `pkg/registry/core/pod.LogLocation`: which container, and whether there is one.
pub(crate) fn log(cx: &Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    let mut options = req.options.log.clone();
    check_log(&options, &req.name)?;
    options.container = container(pod(cx, req)?, &options.container)?;
    Ok(Plan::read(Response::Logs { pod: Key::new(&req.namespace, &req.name), options }))
}

/// Models `ValidatePodLogOptions`.
fn check_log(o: &LogOptions, name: &str) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    if let Some(n) = o.tail_lines.filter(|n| *n < 0) {
        errors.push(FieldError::invalid(&Path::new("tailLines"), n, "must be greater than or equal to 0"));
    }
    let positive = |at: &str, n: Option<i64>| {
        n.filter(|n| *n < 1).map(|n| FieldError::invalid(&Path::new(at), n, "must be greater than 0"))
    };
    errors.extend(positive("limitBytes", o.limit_bytes));
    if o.since_seconds.is_some() && o.since_time.is_some() {
        let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
        errors.push(FieldError::forbidden(&Path::new("[]"), why));
    } else {
        errors.extend(positive("sinceSeconds", o.since_seconds));
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid("", "PodLogOptions", name, &errors)) }
}

/// Models `streamLocation` and `PortForwardLocation`.
pub(crate) fn stream(cx: &mut Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    pod(cx, req)?;
    admission::admit_body(cx, req, "CONNECT", &mut options(req), None)?;
    let pod = pod(cx, req)?;
    let (connect, container) = match req.subresource {
        "exec" => (Connect::Exec, container(pod, &req.options.log.container)?),
        "attach" => (Connect::Attach, container(pod, &req.options.log.container)?),
        _ => (Connect::PortForward, String::new()),
    };
    let node = pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default();
    if node.is_empty() {
        return Err(ApiError::bad_request(format!("pod {} does not have a host assigned", req.name)));
    }
    Ok(Plan::read(Response::Connect(ConnectTarget {
        connect,
        pod: Key::new(&req.namespace, &req.name),
        pod_uid: api::references::uid_on_node(pod).into(),
        node,
        container,
        options: req.options.stream.clone(),
    })))
}

/// What a connection is about, as the object that admission looks at: PodExecOptions and the like, with what says nothing
/// left out.
fn options(req: &Request) -> Value {
    let (o, container) = (&req.options.stream, &req.options.log.container);
    let mut fields = match req.subresource {
        "exec" => json!({"kind": "PodExecOptions", "command": o.command}),
        "attach" => json!({"kind": "PodAttachOptions"}),
        "portforward" => json!({"kind": "PodPortForwardOptions", "ports": o.ports}),
        _ => json!({"kind": format!("{}ProxyOptions", req.kind.kind), "path": req.options.path}),
    };
    fields["apiVersion"] = "v1".into();
    if matches!(req.subresource, "exec" | "attach") {
        fields["container"] = container.as_str().into();
        for (name, set) in [("stdin", o.stdin), ("stdout", o.stdout), ("stderr", o.stderr), ("tty", o.tty)] {
            fields[name] = set.into();
        }
    }
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, v| !(*v == "" || *v == false || *v == json!([])));
    }
    fields
}

/// The name may be `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. Models `net.SplitSchemeNamePort`.
pub(crate) fn proxy(cx: &mut Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    admission::admit_body(cx, req, "CONNECT", &mut options(req), None)?;
    let parts: Vec<&str> = req.name.split(':').collect();
    let (scheme, name, port) = match parts.as_slice() {
        [name] => ("http", *name, ""),
        [name, port] => ("http", *name, *port),
        [scheme @ ("http" | "https" | ""), name, port] => {
            (if scheme.is_empty() { "http" } else { *scheme }, *name, *port)
        }
        _ => return Err(ApiError::bad_request(format!("invalid {} request {:?}", req.kind.singular, req.name))),
    };
    let target = ProxyTarget {
        kind: req.kind,
        key: Key::new(&req.namespace, name),
        scheme: scheme.into(),
        port: port.into(),
        path: format!("/{}", req.options.path.trim_start_matches('/')),
    };
    Ok(Plan::read(Response::Proxy(target)))
}
