//! `kubectl logs`. Models `kubectl/pkg/cmd/logs`.

use crate::builder::Builder;
use crate::client::{Request, query, refusal};
use crate::cx::Cx;
use crate::error::Error;
use crate::exec;
use crate::polymorphic::pod_selector;
use serde_json::Value;

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let selector = cx.flags.string("selector").to_string();
    let mut container = cx.flags.string("container").to_string();
    match (cx.args.len(), selector.is_empty()) {
        (0, true) => return Err(cx.usage(USAGE)),
        (1, false) => return Err(cx.usage("only a selector (-l) or a POD name is allowed")),
        (0 | 1, _) => {}
        (2, _) => {
            if !container.is_empty() {
                return Err(Error::text("only one of -c or an inline [CONTAINER] arg is allowed"));
            }
            container = cx.args[1].clone();
        }
        _ => return Err(cx.usage(USAGE)),
    }
    let all = cx.flags.bool("all-containers");
    if all && !container.is_empty() {
        return Err(Error::text(format!(
            "--all-containers=true should not be specified with container name {container}"
        )));
    }
    if cx.flags.changed("since") && cx.flags.changed("since-time") {
        return Err(Error::text("at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    let time = cx.flags.string("since-time");
    if !time.is_empty() && time.parse::<jiff::Timestamp>().is_err() {
        return Err(Error::text(format!(
            "parsing time {time:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {time:?} as \"2006\""
        )));
    }
    let (tail, limit, since) = (cx.flags.int("tail"), cx.flags.int("limit-bytes"), cx.flags.duration("since"));
    if limit < 0 {
        return Err(Error::text("--limit-bytes must be greater than 0"));
    }
    if since < 0 {
        return Err(Error::text("--since must be greater than 0"));
    }
    if tail < -1 {
        return Err(Error::text("--tail must be greater than or equal to -1"));
    }
    let (pods, _) = pods(cx, &selector).await?;
    if pods.is_empty() {
        cx.err(&format!("No resources found in {} namespace.\n", cx.namespace()));
        return Ok(());
    }
    let tail = match (cx.flags.changed("tail"), selector.is_empty()) {
        // With a selector only the last lines of each.
        (false, false) => 10,
        _ => tail,
    };
    let mut sources: Vec<(Value, String)> = Vec::new();
    for pod in pods {
        if all {
            for field in ["initContainers", "containers", "ephemeralContainers"] {
                for c in pod["spec"][field].as_array().into_iter().flatten() {
                    sources.push((pod.clone(), c["name"].as_str().unwrap_or("").into()));
                }
            }
            continue;
        }
        let c = if container.is_empty() {
            exec::container(cx, &pod, cx.flags.bool("all-pods"))?
        } else {
            container.clone()
        };
        if !container.is_empty() && !known(&pod, &c) {
            return Err(Error::text(format!(
                "container {c} is not valid for pod {}",
                pod["metadata"]["name"].as_str().unwrap_or("")
            )));
        }
        sources.push((pod, c));
    }
    let follow = cx.flags.bool("follow");
    let max = cx.flags.int("max-log-requests");
    if follow && i64::try_from(sources.len()).unwrap_or(i64::MAX) > max {
        return Err(Error::text(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {max}, use \
             --max-log-requests to increase the limit",
            sources.len()
        )));
    }
    let prefix = cx.flags.bool("prefix") || cx.flags.bool("all-pods");
    for (pod, container) in sources {
        one(cx, &pod, &container, tail, limit, since, follow, prefix).await?;
    }
    Ok(())
}

/// Models `EnhanceListError` for pods.
fn listed(e: Error, selector: &str) -> Error {
    match e {
        Error::Status(mut s) if matches!(s.reason(), "BadRequest" | "NotFound") => {
            let said = format!(
                "Unable to find \"/v1, Resource=pods\" that match label selector {selector:?}, field selector \"\": {}",
                s.message()
            );
            s.0["message"] = said.into();
            Error::Status(s)
        }
        e => e,
    }
}

fn known(pod: &Value, name: &str) -> bool {
    ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .any(|f| pod["spec"][*f].as_array().is_some_and(|l| l.iter().any(|c| c["name"] == name)))
}

/// The pods whose logs are meant; whether all of a workload's.
async fn pods(cx: &mut Cx<'_, '_>, selector: &str) -> Result<(Vec<Value>, bool), Error> {
    let list = async |cx: &Cx<'_, '_>, namespace: &str, selector: &str| -> Result<Vec<Value>, Error> {
        let path = format!("/api/v1/namespaces/{namespace}/pods{}", query(&[("labelSelector", selector)]));
        let mut list = cx.get(path).await.map_err(|e| listed(e, selector))?;
        let Value::Array(items) = list["items"].take() else { return Ok(Vec::new()) };
        Ok(items)
    };
    if !selector.is_empty() {
        let namespace = cx.namespace();
        return Ok((list(cx, &namespace, selector).await?, true));
    }
    let target = cx.args[0].clone();
    let words = if target.contains('/') { vec![target] } else { vec!["pods".to_string(), target] };
    let found = Builder { single_type: true, ..Builder::default() }.find(cx, &words).await?;
    let infos = found.all().map_err(|e| {
        if e.is_not_found() {
            Error::text(format!("error from server (NotFound): {} in namespace {:?}", e.go(), cx.namespace()))
        } else {
            e
        }
    })?;
    let Some(info) = infos.into_iter().next() else { return Ok((Vec::new(), false)) };
    if info.mapping.kind == "Pod" {
        return Ok((vec![info.object], false));
    }
    let Some(selector) = pod_selector(&info.object) else {
        let kind = format!("*{}.{}", info.mapping.version, info.mapping.kind);
        return Err(Error::text(format!("cannot get the logs from {kind}: selector for {kind} not implemented")));
    };
    let mut pods = list(cx, &info.namespace, &selector).await?;
    if pods.is_empty() {
        return Err(Error::text("timed out waiting for the condition"));
    }
    if cx.flags.bool("all-pods") {
        return Ok((pods, true));
    }
    // Models `ByLogging`: what runs, is ready and has been so for longest comes first.
    pods.sort_by_key(|p| {
        let ready = p["status"]["conditions"]
            .as_array()
            .is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"));
        let restarts = |p: &Value| {
            let counts = p["status"]["containerStatuses"].as_array().into_iter().flatten();
            counts.filter_map(|c| c["restartCount"].as_i64()).max().unwrap_or(0)
        };
        let since = p["status"]["conditions"].as_array().into_iter().flatten().find(|c| c["type"] == "Ready");
        let since = since.and_then(|c| c["lastTransitionTime"].as_str()).unwrap_or("").to_string();
        let born = p["metadata"]["creationTimestamp"].as_str().unwrap_or("").to_string();
        let unassigned = p["spec"]["nodeName"].is_null();
        (unassigned, p["status"]["phase"] == "Pending", !ready, since, -restarts(p), born)
    });
    if pods.len() > 1 {
        let name = pods[0]["metadata"]["name"].as_str().unwrap_or("").to_string();
        cx.err(&format!("Found {} pods, using pod/{name}\n", pods.len()));
    }
    pods.truncate(1);
    Ok((pods, false))
}

#[expect(clippy::too_many_arguments, reason = "the flags of one command")]
async fn one(
    cx: &mut Cx<'_, '_>,
    pod: &Value,
    container: &str,
    tail: i64,
    limit: i64,
    since: i64,
    follow: bool,
    prefix: bool,
) -> Result<(), Error> {
    let t = |f: &str| pod["metadata"][f].as_str().unwrap_or("").to_string();
    let (tail, limit) = (
        if tail >= 0 { tail.to_string() } else { String::new() },
        if limit > 0 { limit.to_string() } else { String::new() },
    );
    let since = if since > 0 { ((since + 999_999) / 1_000_000).to_string() } else { String::new() };
    let flag = |name: &str| if cx.flags.bool(name) { "true" } else { "" };
    let q = query(&[
        ("container", container),
        ("follow", flag("follow")),
        ("limitBytes", &limit),
        ("previous", flag("previous")),
        ("sinceSeconds", &since),
        ("sinceTime", cx.flags.string("since-time")),
        ("tailLines", &tail),
        ("timestamps", flag("timestamps")),
    ]);
    let path = format!("/api/v1/namespaces/{}/pods/{}/log{q}", t("namespace"), t("name"));
    let mark = if prefix { format!("[pod/{}/{container}] ", t("name")) } else { String::new() };
    if !follow {
        let response = crate::client::send(cx.client(), Request::get(path)).await?;
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let text =
            if mark.is_empty() { text } else { text.split_inclusive('\n').map(|l| format!("{mark}{l}")).collect() };
        cx.out(&text);
        return Ok(());
    }
    let mut stream = cx.client().stream(Request::get(path)).await.map_err(|r| refusal(&r))?;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = stream.next().await {
        rest.extend(piece);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            cx.out(&format!("{mark}{}", String::from_utf8_lossy(&line)));
        }
    }
    if !rest.is_empty() {
        cx.out(&format!("{mark}{}", String::from_utf8_lossy(&rest)));
    }
    Ok(())
}
