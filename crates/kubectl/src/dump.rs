//! `kubectl cluster-info dump`. Models `kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go`.

use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;
use crate::print::Printer;
use serde_json::Value;

/// What is dumped of every namespace, and the file that has it.
const LISTS: &[(&str, &str, &str)] = &[
    ("/api/v1", "events", "events"),
    ("/api/v1", "replicationcontrollers", "replication-controllers"),
    ("/api/v1", "services", "services"),
    ("/apis/apps/v1", "daemonsets", "daemonsets"),
    ("/apis/apps/v1", "deployments", "deployments"),
    ("/apis/apps/v1", "replicasets", "replicasets"),
    ("/api/v1", "pods", "pods"),
];

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let directory = match cx.flags.string("output-directory") {
        "" | "-" => None,
        dir => Some(dir.to_string()),
    };
    let mut printer = Printer::of(cx, false)?.unwrap_or(Printer::Json).typed();
    let ending = match cx.flags.string("output") {
        "" | "json" => ".json",
        "yaml" => ".yaml",
        _ => ".txt",
    };
    let managed = cx.flags.bool("show-managed-fields");
    let nodes = cx.get("/api/v1/nodes".into()).await?;
    write(cx, directory.as_deref(), &format!("nodes{ending}"), &printer.print(&nodes, managed)?)?;
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
        for (root, resource, file) in LISTS {
            let list = cx.get(format!("{root}/namespaces/{namespace}/{resource}")).await?;
            let text = printer.print(&list, managed)?;
            write(cx, directory.as_deref(), &format!("{namespace}/{file}{ending}"), &text)?;
            pods = list;
        }
        for pod in pods["items"].as_array().into_iter().flatten() {
            let mut text = String::new();
            for field in ["initContainers", "containers"] {
                for container in pod["spec"][field].as_array().into_iter().flatten() {
                    text += &log(cx, &namespace, pod, container["name"].as_str().unwrap_or("")).await;
                }
            }
            let name = pod["metadata"]["name"].as_str().unwrap_or("");
            write(cx, directory.as_deref(), &format!("{namespace}/{name}/logs.txt"), &text)?;
        }
    }
    if let Some(dir) = directory {
        cx.out(&format!("Cluster info dumped to {dir}\n"));
    }
    Ok(())
}

/// To a file below the directory, or to the screen where there is none. Models `setupOutputWriter`.
fn write(cx: &mut Cx<'_, '_>, directory: Option<&str>, file: &str, text: &str) -> Result<(), Error> {
    let Some(dir) = directory else {
        cx.out(text);
        return Ok(());
    };
    let path = format!("{}/{file}", dir.trim_end_matches('/'));
    cx.env.files.write(&path, text).map_err(|why| Error::Text(format!("open {path}: {}", why.to_lowercase())))
}

async fn log(cx: &Cx<'_, '_>, namespace: &str, pod: &Value, container: &str) -> String {
    let name = pod["metadata"]["name"].as_str().unwrap_or("");
    let line = |what: &str| format!("==== {what} logs for container {container} of pod {namespace}/{name} ====\n");
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}");
    let text = match crate::client::send(cx.client(), Request::get(path)).await {
        Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
        Err(e) => format!("Request log error: {}\n", e.go()),
    };
    format!("{}{text}{}", line("START"), line("END"))
}
