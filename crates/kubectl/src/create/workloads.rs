//! Deployments, Jobs and CronJobs of words.

use super::{command, metadata, name};
use crate::cx::Cx;
use crate::error::Error;
use serde_json::{Value, json};

pub(super) fn deployment(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let (images, command) = (cx.flags.list("image"), command(cx));
    if images.len() > 1 && !command.is_empty() {
        return Err(Error::text("cannot specify multiple --image options and command"));
    }
    let mut containers: Vec<Value> = Vec::new();
    for image in &images {
        let mut c = json!({"name": container_name(image, cx.client().now()), "image": image, "resources": {}});
        if !command.is_empty() {
            c["command"] = json!(command);
        }
        containers.push(c);
    }
    let port = cx.flags.int("port");
    if port >= 0
        && let Some(c) = containers.first_mut()
    {
        c["ports"] = json!([{"containerPort": port}]);
    }
    let mut meta = metadata(cx, &name, true);
    meta["labels"] = json!({"app": name});
    Ok(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
        "spec": {
            "replicas": cx.flags.int("replicas"),
            "selector": {"matchLabels": {"app": name}},
            "strategy": {},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
        "status": {},
    }))
}

/// The image's own name; where it is no label, one that is, with an ending of its own. Models `sanitizeAndUniquify`.
fn container_name(image: &str, now: i64) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split(':').next().unwrap_or(name);
    let name = name.split('@').next().unwrap_or(name);
    if !name.contains(['_', '.']) && !name.chars().any(|c| c.is_ascii_uppercase()) {
        return name.into();
    }
    let name = name.to_lowercase().replace(['_', '.'], "-");
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut seed = now.unsigned_abs();
    let ending: String = (0..5)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(LETTERS[usize::try_from(seed >> 33).unwrap_or(0) % LETTERS.len()])
        })
        .collect();
    format!("{name}-{ending}")
}

fn pod(name: &str, image: &str, command: &[String], restart: &str) -> Value {
    let mut c = json!({"name": name, "image": image, "resources": {}});
    if !command.is_empty() {
        c["command"] = json!(command);
    }
    json!({"metadata": {}, "spec": {"containers": [c], "restartPolicy": restart}})
}

pub(super) async fn job(cx: &mut Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let (image, from) = (cx.flags.string("image").to_string(), cx.flags.string("from").to_string());
    let command = command(cx);
    if (image.is_empty()) == (from.is_empty()) {
        return Err(Error::text("either --image or --from must be specified"));
    }
    if !command.is_empty() && !from.is_empty() {
        return Err(Error::text("cannot specify --from and command"));
    }
    let meta = metadata(cx, &name, true);
    if from.is_empty() {
        let template = pod(&name, &image, &command, "Never");
        return Ok(json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}, "status": {},
        }));
    }
    let found = crate::builder::Builder { single_type: true, ..Default::default() }.find(cx, &[from]).await?.all()?;
    let Some(found) = found.first() else { return Err(Error::text("from must be an existing cronjob")) };
    if found.mapping.kind != "CronJob" {
        return Err(Error::text(format!("unknown object type *{}.{}", found.mapping.version, found.mapping.kind)));
    }
    let cron = &found.object;
    let template = &cron["spec"]["jobTemplate"];
    let mut annotations = json!({"cronjob.kubernetes.io/instantiate": "manual"});
    for (k, v) in template["metadata"]["annotations"].as_object().into_iter().flatten() {
        annotations[k] = v.clone();
    }
    let mut meta = meta;
    meta["annotations"] = annotations;
    if let Some(labels) = template["metadata"].get("labels") {
        meta["labels"] = labels.clone();
    }
    meta["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": cron["metadata"]["name"], "uid": cron["metadata"]["uid"],
        "controller": true,
    }]);
    let mut spec = template["spec"].clone();
    if spec["template"]["metadata"].is_null() {
        spec["template"]["metadata"] = json!({});
    }
    Ok(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec, "status": {}}))
}

pub(super) fn cronjob(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let restart = match cx.flags.string("restart") {
        "" => "OnFailure",
        r => r,
    };
    let template = pod(&name, cx.flags.string("image"), &command(cx), restart);
    Ok(json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata(cx, &name, true),
        "spec": {
            "jobTemplate": {"metadata": {"name": name}, "spec": {"template": template}},
            "schedule": cx.flags.string("schedule"),
        },
        "status": {},
    }))
}
