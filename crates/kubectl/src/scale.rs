//! `kubectl scale` and `kubectl autoscale`. Models `kubectl/pkg/cmd/scale` and `kubectl/pkg/cmd/autoscale`.

use crate::builder::{Builder, Info, aggregate};
use crate::create;
use crate::cx::{Cx, DryRun, MERGE};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let (replicas, current) = (cx.flags.int("replicas"), cx.flags.int("current-replicas"));
    if replicas < 0 {
        return Err(Error::text("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"));
    }
    if current < -1 {
        return Err(Error::text("The --current-replicas must specify an integer of -1 or greater"));
    }
    let version = cx.flags.string("resource-version").to_string();
    let args = cx.args.clone();
    let b = Builder { continue_on_error: true, empty_selector: cx.flags.bool("all"), all: false, ..Builder::of(cx) };
    let found = b.find(cx, &args).await?;
    if !version.is_empty() && found.infos.len() > 1 {
        return Err(Error::text("cannot use --resource-version with multiple resources"));
    }
    if found.infos.is_empty() {
        if !found.errors.is_empty() {
            let why = Error::Many(found.errors).go();
            return Err(Error::text(format!("no objects passed to scale {why}")));
        }
        return Err(Error::text("no objects passed to scale"));
    }
    let mut results = Results::of(cx, dry)?;
    for info in &found.infos {
        if dry != DryRun::Client {
            let scale = format!("{}/scale", info.path());
            if current != -1 || !version.is_empty() {
                let now = cx.get(scale).await?;
                let n = now["spec"]["replicas"].as_i64().unwrap_or(0);
                if current != -1 && n != current {
                    return Err(Error::text(format!("Expected replicas to be {current}, was {n}")));
                }
                let v = now["metadata"]["resourceVersion"].as_str().unwrap_or("");
                if !version.is_empty() && v != version {
                    return Err(Error::text(format!("Expected resource version to be {version}, was {v}")));
                }
            }
            let q = cx.write_query(dry, "", "");
            let body = json!({"spec": {"replicas": replicas}});
            cx.patch(format!("{}/scale{q}", info.path()), MERGE, &body).await?;
            let timeout = cx.flags.duration("timeout");
            if timeout > 0 && dry == DryRun::None {
                wait(cx, &info.path(), timeout).await?;
            }
        }
        results.print(cx, &info.object, "scaled")?;
    }
    aggregate(found.errors)
}

/// Until as many are there as are wanted.
async fn wait(cx: &mut Cx<'_, '_>, path: &str, timeout: i64) -> Result<(), Error> {
    let begun = cx.client().now();
    loop {
        let scale = cx.get(format!("{path}/scale")).await?;
        if scale["spec"]["replicas"].as_i64().unwrap_or(0) == scale["status"]["replicas"].as_i64().unwrap_or(0) {
            return Ok(());
        }
        if cx.client().now().saturating_sub(begun) > timeout {
            return Err(Error::text("timed out waiting for the condition"));
        }
        cx.env.terminal.sleep(1_000_000).await;
    }
}

/// Whether a resource has the subresource `scale`; custom ones are asked.
async fn scales(cx: &Cx<'_, '_>, info: &Info) -> bool {
    match (info.mapping.group.as_str(), info.mapping.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet") | ("", "ReplicationController") => true,
        (group, _) if crate::apply::built_in(group) => false,
        _ => cx.get(format!("{}/scale", info.path())).await.is_ok(),
    }
}

/// What is to be kept at which level: `--cpu-percent`, `--cpu` and `--memory`.
fn metrics(cx: &Cx<'_, '_>, percent: i64) -> Result<Vec<Value>, Error> {
    let metric = |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
    let utilization = |n: i64| json!({"type": "Utilization", "averageUtilization": n});
    let mut out = Vec::new();
    if percent >= 0 && !cx.flags.string("cpu").is_empty() {
        return Err(Error::text("--cpu-percent and --cpu are mutually exclusive"));
    }
    if percent >= 0 {
        out.push(metric("cpu", utilization(percent)));
    }
    // A number alone is in milli-CPUs, or in mebibytes.
    for (flag, unit) in [("cpu", "m"), ("memory", "Mi")] {
        let text = cx.flags.string(flag);
        if text.is_empty() {
            continue;
        }
        let bad = || Error::text(format!("invalid {flag} target {text:?}"));
        if let Some(n) = text.strip_suffix('%') {
            let n: i64 = n.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
            out.push(metric(flag, utilization(n)));
            continue;
        }
        let value = if text.bytes().all(|b| b.is_ascii_digit()) { format!("{text}{unit}") } else { text.to_string() };
        let value = meta::Quantity::parse(&value).map_err(|_| bad())?.to_string();
        out.push(metric(flag, json!({"type": "AverageValue", "averageValue": value})));
    }
    Ok(out)
}

pub(crate) async fn autoscale(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let (min, max, cpu) = (cx.flags.int("min"), cx.flags.int("max"), cx.flags.int("cpu-percent"));
    if max < 1 {
        return Err(Error::text(format!("--max=MAXPODS is required and must be at least 1, max: {max}")));
    }
    if max < min {
        return Err(Error::text(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        )));
    }
    let metrics = metrics(cx, cpu)?;
    let args = cx.args.clone();
    let found = Builder { continue_on_error: true, ..Builder::of(cx) }.find(cx, &args).await?;
    let (mut errors, mut count) = (found.errors, 0);
    let mut results = Results::of(cx, dry)?.typed();
    for info in &found.infos {
        let m = &info.mapping;
        if !scales(cx, info).await {
            let version = if m.group.is_empty() { format!("/{}", m.version) } else { m.api_version() };
            errors.push(Error::text(format!(
                "cannot autoscale a {}: could not find scale subresource for {version}, Resource={} in discovery information",
                m.kind, m.resource
            )));
            continue;
        }
        count += 1;
        let name = match cx.flags.string("name") {
            "" => info.name.clone(),
            n => n.to_string(),
        };
        let mut meta = json!({"name": name});
        if dry != DryRun::Client || cx.explicit_namespace() {
            meta["namespace"] = info.namespace.clone().into();
        }
        let mut spec = json!({
            "maxReplicas": max,
            "scaleTargetRef": {"apiVersion": m.api_version(), "kind": m.kind, "name": info.name},
        });
        if min > 0 {
            spec["minReplicas"] = min.into();
        }
        if !metrics.is_empty() {
            spec["metrics"] = json!(metrics);
        }
        let hpa = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec,
            "status": {"currentMetrics": null, "desiredReplicas": 0},
        });
        let made = if dry == DryRun::Client { Ok(hpa) } else { create::post(cx, &hpa, dry).await };
        match made {
            Ok(o) => results.print(cx, &o, if dry == DryRun::Client { "created" } else { "autoscaled" })?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)?;
    if count == 0 {
        return Err(Error::text("no objects passed to autoscale"));
    }
    Ok(())
}
