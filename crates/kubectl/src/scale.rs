//! `kubectl scale` and `kubectl autoscale`. Models `kubectl/pkg/cmd/scale` and `kubectl/pkg/cmd/autoscale`.

use crate::builder::{Builder, aggregate};
use crate::create;
use crate::cx::{Cx, DryRun, MERGE};
use crate::error::Error;
use crate::result::Results;
use serde_json::json;

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
        aggregate(found.errors)?;
        return Err(Error::text("no objects passed to scale"));
    }
    let mut results = Results::of(cx, dry)?;
    for info in &found.infos {
        let mut object = info.object.clone();
        object["spec"]["replicas"] = replicas.into();
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
        results.print(cx, &object, "scaled")?;
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
    let args = cx.args.clone();
    let found = Builder { continue_on_error: true, ..Builder::of(cx) }.find(cx, &args).await?;
    let (mut errors, mut count) = (found.errors, 0);
    let mut results = Results::of(cx, dry)?;
    let cpu_metric = |target: i64| json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}}]);
    for info in &found.infos {
        let m = &info.mapping;
        if !matches!(m.kind.as_str(), "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController") {
            let kind = if m.group.is_empty() { m.kind.clone() } else { format!("{}.{}", m.kind, m.group) };
            errors.push(Error::text(format!("cannot autoscale a {}: cannot autoscale a {kind}", m.kind)));
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
        if cpu >= 0 {
            spec["metrics"] = cpu_metric(cpu);
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
