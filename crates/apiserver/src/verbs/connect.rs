//! Subresources that the host connects: logs and proxies.

use crate::request::Request;
use crate::response::{ProxyTarget, Response};
use crate::server::{Cx, Plan};
use api::ObjectExt;
use k8s_openapi::api::core::v1::Pod;
use meta::{ApiError, Key};

/// Models `pkg/registry/core/pod.LogLocation`: which container, and whether there is one.
pub(crate) fn log(cx: &Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    let entry = cx.object(req.kind, &req.namespace, &req.name);
    let pod =
        entry.and_then(|e| e.value.0.downcast::<Pod>()).ok_or_else(|| ApiError::not_found("", "pods", &req.name))?;
    let mut options = req.options.log.clone();
    let names = |list: Vec<&str>| format!("[{}]", list.join(" "));
    let spec = pod.spec.as_ref();
    let containers: Vec<&str> = spec.iter().flat_map(|s| &s.containers).map(|c| c.name.as_str()).collect();
    let init: Vec<&str> =
        spec.iter().flat_map(|s| s.init_containers.iter().flatten()).map(|c| c.name.as_str()).collect();
    if options.container.is_empty() {
        match containers.as_slice() {
            [only] => options.container = (*only).into(),
            _ => {
                let mut message = format!(
                    "a container name must be specified for pod {}, choose one of: {}",
                    req.name,
                    names(containers)
                );
                if !init.is_empty() {
                    message.push_str(&format!(" or one of the init containers: {}", names(init)));
                }
                return Err(ApiError::bad_request(message));
            }
        }
    } else if !containers.iter().chain(&init).any(|c| *c == options.container) {
        return Err(ApiError::bad_request(format!(
            "container {} is not valid for pod {}",
            options.container, req.name
        )));
    }
    Ok(Plan::read(Response::Logs { pod: Key::new(&req.namespace, &req.name), options }))
}

/// The name may be `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. Models `net.SplitSchemeNamePort`.
pub(crate) fn proxy(req: &Request) -> Result<Plan, ApiError> {
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
