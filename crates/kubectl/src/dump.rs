//! `kubectl cluster-info dump`. Models `kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go`.

use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;
use crate::print::Printer;
use serde_json::Value;

/// What is dumped of every namespace.
const LISTS: &[(&str, &str)] = &[
    ("/api/v1", "events"),
    ("/api/v1", "replicationcontrollers"),
    ("/api/v1", "services"),
    ("/apis/apps/v1", "daemonsets"),
    ("/apis/apps/v1", "deployments"),
    ("/apis/apps/v1", "replicasets"),
    ("/api/v1", "pods"),
];

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    if !matches!(cx.flags.string("output-directory"), "" | "-") {
        return Err(Error::text("this terminal dumps to the screen only: --output-directory is not in it"));
    }
    let mut printer = Printer::of(cx, false)?.unwrap_or(Printer::Json).typed();
    let nodes = cx.get("/api/v1/nodes".into()).await?;
    let text = printer.print(&nodes, cx.flags.bool("show-managed-fields"))?;
    cx.out(&text);
    let mut namespaces = cx.flags.list("namespaces");
    if cx.flags.bool("all-namespaces") {
        let all = cx.get("/api/v1/namespaces".into()).await?;
        let names = all["items"].as_array().into_iter().flatten();
        namespaces = names.filter_map(|n| n["metadata"]["name"].as_str()).map(String::from).collect();
    } else if namespaces.is_empty() {
        namespaces = vec!["kube-system".into(), cx.namespace()];
    }
    for namespace in namespaces {
        let mut pods = Value::Null;
        for (root, resource) in LISTS {
            let list = cx.get(format!("{root}/namespaces/{namespace}/{resource}")).await?;
            let text = printer.print(&list, cx.flags.bool("show-managed-fields"))?;
            cx.out(&text);
            pods = list;
        }
        for pod in pods["items"].as_array().into_iter().flatten() {
            for field in ["initContainers", "containers"] {
                for container in pod["spec"][field].as_array().into_iter().flatten() {
                    log(cx, &namespace, pod, container["name"].as_str().unwrap_or("")).await;
                }
            }
        }
    }
    Ok(())
}

async fn log(cx: &mut Cx<'_, '_>, namespace: &str, pod: &Value, container: &str) {
    let name = pod["metadata"]["name"].as_str().unwrap_or("");
    let line = |what: &str| format!("==== {what} logs for container {container} of pod {namespace}/{name} ====\n");
    cx.out(&line("START"));
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}");
    match crate::client::send(cx.client(), Request::get(path)).await {
        Ok(response) => cx.out(&String::from_utf8_lossy(&response.body)),
        Err(e) => cx.out(&format!("Request log error: {}\n", e.go())),
    }
    cx.out(&line("END"));
}
