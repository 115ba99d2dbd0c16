//! `kubectl run` and `kubectl expose`. Models `kubectl/pkg/cmd/run` and `kubectl/pkg/cmd/expose`.

use crate::builder::{Builder, Info, aggregate};
use crate::create;
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::jsonpatch;
use crate::polymorphic as poly;
use crate::result::Results;
use serde_json::{Map, Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    crate::apply::cascade(cx)?;
    let Some(name) = cx.args.first().cloned().filter(|_| cx.dash != Some(0)) else {
        return Err(cx.usage("NAME is required for run"));
    };
    let flags = cx.flags.clone();
    let f = |n: &str| flags.string(n).to_string();
    let (image, port) = (f("image"), f("port"));
    if image.is_empty() {
        return Err(Error::text("--image is required"));
    }
    if !image_fits(&image) {
        return Err(Error::text(format!("Invalid image name {image:?}: invalid reference format")));
    }
    if cx.flags.bool("tty") && !cx.flags.bool("stdin") {
        return Err(cx.usage("-i/--stdin is required for containers with -t/--tty=true"));
    }
    if cx.flags.bool("expose") && port.is_empty() {
        return Err(cx.usage("--port must be set when exposing a service"));
    }
    let attached = cx.flags.bool("attach") || cx.flags.bool("stdin");
    if cx.flags.bool("rm") && !attached {
        return Err(cx.usage("--rm should only be used for attached containers"));
    }
    if attached && cx.flags.duration("pod-running-timeout") <= 0 {
        return Err(cx.usage("--pod-running-timeout must be higher than zero"));
    }
    let dry = cx.dry_run()?;
    if attached && dry != DryRun::None {
        return Err(cx.usage(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        ));
    }
    let restart = f("restart");
    if !matches!(restart.as_str(), "Always" | "OnFailure" | "Never") {
        return Err(cx.usage(format!("invalid restart policy: {restart}")));
    }
    let pull = f("image-pull-policy");
    if !matches!(pull.as_str(), "" | "Always" | "IfNotPresent" | "Never") {
        return Err(cx.usage(format!("invalid image pull policy: {pull}")));
    }
    let mut container = json!({"name": name, "image": image, "resources": {}});
    if !pull.is_empty() {
        container["imagePullPolicy"] = pull.into();
    }
    let command = cx.args.get(1..).unwrap_or_default();
    if !command.is_empty() {
        container[if cx.flags.bool("command") { "command" } else { "args" }] = json!(command);
    }
    let env = env(&cx.flags.list("env"))?;
    if !env.is_empty() {
        container["env"] = json!(env);
    }
    if !port.is_empty() {
        let n: i64 =
            port.parse().map_err(|_| Error::text(format!("strconv.Atoi: parsing {port:?}: invalid syntax")))?;
        container["ports"] = json!([{"containerPort": n}]);
    }
    if cx.flags.bool("stdin") {
        container["stdin"] = true.into();
        if !cx.flags.bool("leave-stdin-open") {
            container["stdinOnce"] = true.into();
        }
    }
    if cx.flags.bool("tty") {
        container["tty"] = true.into();
    }
    if cx.flags.bool("privileged") {
        container["securityContext"] = json!({"privileged": true});
    }
    let labels = match f("labels").as_str() {
        "" => Map::from_iter([("run".to_string(), Value::from(name.as_str()))]),
        text => labels(text)?,
    };
    let mut meta = create::metadata(cx, &name, true);
    meta["labels"] = Value::Object(labels.clone());
    for a in cx.flags.list("annotations") {
        let Some((k, v)) = a.split_once('=') else {
            return Err(Error::text(format!("invalid annotations format: {a}")));
        };
        meta["annotations"][k] = v.into();
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": meta,
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {},
    });
    let pod = overridden(cx, pod).await?;
    if !cx.flags.bool("expose") {
        create::send(cx, pod, "", "created").await?;
    } else {
        let n: i64 = port.parse().unwrap_or(0);
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": create::metadata(cx, &name, true),
            "spec": {"ports": [{"port": n, "protocol": "TCP", "targetPort": n}], "selector": Value::Object(labels)},
            "status": {"loadBalancer": {}},
        });
        let mut results = Results::of(cx, dry)?.typed();
        // The pod is made first and told about last.
        let mut made = Vec::new();
        for o in [pod, service] {
            made.push(if dry == DryRun::Client { o } else { create::post(cx, &o, dry).await? });
        }
        for made in made.into_iter().rev() {
            // The service is parted from what comes after it.
            if results.is_yaml() && made["kind"] == "Pod" {
                cx.out("---\n");
            }
            results.print(cx, &made, "created")?;
        }
    }
    if attached {
        return crate::exec::attach_to_new(cx, &name).await;
    }
    Ok(())
}

/// What a reference to an image may look like, roughly as `distribution/reference` has it.
fn image_fits(image: &str) -> bool {
    let (name, _) = image.split_once('@').unwrap_or((image, ""));
    let name = match name.rsplit_once(':') {
        Some((n, tag)) if !tag.contains('/') => {
            if tag.is_empty() || !tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) {
                return false;
            }
            n
        }
        _ => name,
    };
    let path = name.split_once('/').filter(|(host, _)| host.contains(['.', ':'])).map_or(name, |(_, p)| p);
    !path.is_empty()
        && path.split('/').all(|p| {
            !p.is_empty()
                && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-'))
                && p.starts_with(|c: char| c.is_ascii_alphanumeric())
                && p.ends_with(|c: char| c.is_ascii_alphanumeric())
        })
}

fn env(list: &[String]) -> Result<Vec<Value>, Error> {
    let bad = |e: &str| Error::text(format!("invalid env: {e}"));
    list.iter()
        .map(|e| {
            let (k, v) =
                e.split_once('=').filter(|(k, _)| crate::set_env::known_name(k).is_ok()).ok_or_else(|| bad(e))?;
            Ok(crate::set_env::variable(k, v))
        })
        .collect()
}

/// `a=1,b=2`. Models `ParseLabels`.
fn labels(text: &str) -> Result<Map<String, Value>, Error> {
    let mut out = Map::new();
    for part in text.split(',') {
        let parts: Vec<&str> = part.split('=').collect();
        let [k, v] = parts.as_slice() else { return Err(Error::text(format!("unexpected label spec: {part}"))) };
        if k.is_empty() {
            return Err(Error::text("unexpected empty label key"));
        }
        out.insert((*k).into(), (*v).into());
    }
    Ok(out)
}

/// `--overrides` with `--override-type`.
async fn overridden(cx: &mut Cx<'_, '_>, mut object: Value) -> Result<Value, Error> {
    let text = cx.flags.string("overrides").to_string();
    if text.is_empty() {
        return Ok(object);
    }
    let patch: Value = serde_json::from_str(&text).map_err(|_| Error::text("Invalid JSON Patch"))?;
    match cx.flags.string("override-type") {
        "json" => {
            let operations = jsonpatch::read(&patch).map_err(|e| Error::text(format!("error decoding patch: {e}")))?;
            jsonpatch::apply(&mut object, &operations).map_err(Error::text)?;
        }
        "strategic" => {
            let kind = object["kind"].as_str().unwrap_or("").to_string();
            object = meta::strategic::strategic_merge(object, &patch, &kind)
                .map_err(|e| Error::text(e.message().to_string()))?;
        }
        "merge" => json_patch::merge(&mut object, &patch),
        other => return Err(Error::text(format!("invalid override type: {other}"))),
    }
    let mut object = crate::typed::decoded(cx, object).await?;
    // What upstream's type always writes.
    for c in object
        .pointer_mut("/spec/containers")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        c.entry("resources").or_insert_with(|| json!({}));
    }
    Ok(object)
}

pub(crate) async fn expose(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder { continue_on_error: true, ..Builder::of(cx) };
    let b = Builder { selector: None, ..b };
    let dry = cx.dry_run()?;
    let args = cx.args.clone();
    let found = b.find(cx, &args).await?;
    let mut errors = found.errors;
    let mut results = Results::of(cx, dry)?.typed();
    for info in found.infos {
        match expose_one(cx, &info, dry).await {
            Ok(o) => results.print(cx, &o, "exposed")?,
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

async fn expose_one(cx: &mut Cx<'_, '_>, info: &Info, dry: DryRun) -> Result<Value, Error> {
    let m = &info.mapping;
    let can = matches!(
        (m.group.as_str(), m.kind.as_str()),
        ("", "ReplicationController" | "Service" | "Pod") | ("apps", "Deployment" | "ReplicaSet")
    );
    if !can {
        let kind = if m.group.is_empty() { m.kind.clone() } else { format!("{}.{}", m.kind, m.group) };
        return Err(Error::text(format!("cannot expose a {kind}")));
    }
    let f = |n: &str| cx.flags.string(n).to_string();
    let selector = match f("selector").as_str() {
        "" => poly::map_selector(&info.object).map_err(|e| {
            Error::text(format!("couldn't retrieve selectors via --selector flag or introspection: {e}"))
        })?,
        text => labels(text)?,
    };
    let introspected = poly::ports(&info.object);
    let headless = f("cluster-ip") == "None";
    let ports: Vec<String> = match f("port").as_str() {
        "" => introspected.iter().map(|(p, _)| p.to_string()).collect(),
        text => text.split(',').map(String::from).collect(),
    };
    if ports.is_empty() && !headless {
        return Err(Error::text("couldn't find port via --port flag or introspection"));
    }
    let several = ports.len() > 1;
    let target = f("target-port");
    let mut list = Vec::new();
    for (i, p) in ports.iter().enumerate() {
        let n: i64 = p.parse().map_err(|_| Error::text(format!("strconv.Atoi: parsing {p:?}: invalid syntax")))?;
        let protocols: Vec<String> = match f("protocol").as_str() {
            "" => {
                let of: Vec<String> =
                    introspected.iter().filter(|(q, _)| *q == n).map(|(_, protocol)| protocol.clone()).collect();
                if of.is_empty() { vec!["TCP".into()] } else { of }
            }
            p => vec![p.into()],
        };
        for protocol in protocols {
            let target = match (target.as_str(), target.parse::<i64>()) {
                ("", _) => json!(n),
                (_, Ok(t)) => json!(t),
                (t, _) => json!(t),
            };
            let mut port = json!({"port": n, "protocol": protocol, "targetPort": target});
            if several {
                port["name"] = format!("port-{}", i + 1).into();
            }
            list.push(port);
        }
    }
    let name = match f("name") {
        n if n.is_empty() => info.name.chars().take(63).collect(),
        n => n,
    };
    let mut meta = json!({"name": name});
    if cx.explicit_namespace() {
        meta["namespace"] = cx.namespace().into();
    }
    let own_labels = match f("labels").as_str() {
        "" => info.object["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
        text => labels(text)?,
    };
    if !own_labels.is_empty() {
        meta["labels"] = Value::Object(own_labels);
    }
    let mut spec = json!({"selector": Value::Object(selector)});
    if !list.is_empty() {
        spec["ports"] = json!(list);
    }
    for (flag, field) in [("type", "type"), ("cluster-ip", "clusterIP"), ("load-balancer-ip", "loadBalancerIP")] {
        if !f(flag).is_empty() {
            spec[field] = f(flag).into();
        }
    }
    if !f("external-ip").is_empty() {
        spec["externalIPs"] = json!([f("external-ip")]);
    }
    match f("session-affinity").as_str() {
        "" => {}
        a @ ("None" | "ClientIP") => spec["sessionAffinity"] = a.into(),
        a => return Err(Error::text(format!("unknown session affinity: {a}"))),
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}},
    });
    let service = overridden(cx, service).await?;
    if dry == DryRun::Client {
        return Ok(service);
    }
    let service = if cx.flags.bool("save-config") { crate::apply::annotated(&service) } else { service };
    create::post(cx, &service, dry).await
}
