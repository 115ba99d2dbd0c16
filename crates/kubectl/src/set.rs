//! `kubectl set`. Models `kubectl/pkg/cmd/set`.

use crate::builder::{Builder, Info, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun, STRATEGIC};
use crate::error::Error;
use crate::pairs;
use crate::polymorphic::pod_spec;
use crate::result::Results;
use serde_json::{Map, Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    match cx.command.name() {
        "image" => image(cx).await,
        "env" => env(cx).await,
        "resources" => resources(cx).await,
        "serviceaccount" => serviceaccount(cx).await,
        "selector" => selector(cx).await,
        "subject" => crate::set_subject::run(cx).await,
        name => Err(Error::text(format!("kubectl set {name} is not in this terminal yet"))),
    }
}

pub(crate) async fn find(cx: &mut Cx<'_, '_>, args: &[String]) -> Result<Vec<Info>, Error> {
    let local = cx.flags.bool("local");
    let b = Builder::of(cx);
    // `--all` only says that a type alone will do.
    let b = Builder { continue_on_error: true, latest: !local, local, all: false, empty_selector: b.all, ..b };
    b.find(cx, args).await?.all()
}

/// The patch that makes `new` of what was found, sent, and what came of it printed.
pub(crate) async fn send(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    new: Value,
    dry: DryRun,
    said: &str,
    what: &str,
) -> Result<(), Error> {
    let mut results = Results::of(cx, dry)?.typed();
    if dry == DryRun::Client || cx.flags.bool("local") {
        return results.print(cx, &new, said);
    }
    let patch = crate::threeway::strategic(&info.mapping.kind, &info.object, &new, &info.object);
    let manager = cx.flags.string("field-manager").to_string();
    let q = cx.write_query(dry, &manager, "");
    let sent = cx.patch(info.path() + &q, STRATEGIC, &patch).await;
    let object = sent.map_err(|e| match e {
        Error::Status(_) => Error::text(format!("{what}{}", e.go())),
        e => e,
    })?;
    results.print(cx, &object, said)
}

/// The spec of an object's pods to change.
fn pods_of<'v>(info: &Info, object: &'v mut Value) -> Result<&'v mut Value, Error> {
    let m = &info.mapping;
    let pointer = pod_spec(&info.object);
    // As Go names the type.
    let kind = format!("*{}.{}", m.version, m.kind);
    pointer.and_then(|p| object.pointer_mut(p)).ok_or_else(|| {
        Error::text(format!(
            "error: {} the object is not a pod or does not have a pod template: {kind}\n",
            info.object_name()
        ))
    })
}

fn chosen(name: &str, pattern: &str) -> bool {
    if let Some((head, tail)) = pattern.split_once('*') {
        return name.starts_with(head) && name.ends_with(tail) && name.len() >= head.len() + tail.len();
    }
    name == pattern
}

async fn image(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let p = pairs::split(&cx.args, "image")?;
    let (images, _) = pairs::parse(&p.words, "image", false)?;
    let dry = cx.dry_run()?;
    let b = Builder::of(cx);
    let mut errors = Vec::new();
    if b.all && b.selector.is_some() {
        errors.push(Error::text("cannot set --all and --selector at the same time"));
    }
    let infos = find(cx, &p.resources).await?;
    if images.is_empty() {
        errors.push(Error::text("at least one image update is required"));
    } else if images.len() > 1 && images.iter().any(|(n, _)| n == "*") {
        errors.push(Error::text(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        ));
    }
    aggregate(errors)?;
    let mut errors = Vec::new();
    for info in infos {
        let mut new = info.object.clone();
        let spec = match pods_of(&info, &mut new) {
            Ok(spec) => spec,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        for (name, image) in &images {
            let mut found = false;
            for field in ["initContainers", "containers"] {
                for c in spec[field].as_array_mut().into_iter().flatten() {
                    if name == "*" || c["name"] == name.as_str() {
                        c["image"] = image.clone().into();
                        found = true;
                    }
                }
            }
            if !found {
                errors.push(Error::text(format!("error: unable to find container named {name:?}")));
            }
        }
        tidy(&mut new);
        if new == tidied(&info.object) {
            continue;
        }
        if let Err(e) =
            send(cx, &info, new, dry, "image updated", "failed to patch image update to pod template: ").await
        {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// Looking for a list that is not there leaves a null.
fn tidy(v: &mut Value) {
    if let Some(m) = v.as_object_mut() {
        m.retain(|_, v| !v.is_null());
        m.values_mut().for_each(tidy);
    }
}

fn tidied(v: &Value) -> Value {
    let mut v = v.clone();
    tidy(&mut v);
    v
}

async fn env(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let mut words = cx.args.clone();
    words.extend(cx.flags.list("env"));
    // A dash means what is piped in, a variable a line.
    let piped = words.iter().any(|w| w == "-");
    if piped {
        words.retain(|w| w != "-");
        let text = cx.env.stdin.take().unwrap_or_default();
        words.extend(text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(String::from));
    }
    let p = pairs::split(&words, "environment")?;
    let (mut set, remove) = pairs::parse(&p.words, "environment variable", true)?;
    for (name, _) in &set {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Error::Text(format!(
                "{name:?} is not a valid key name: a valid environment variable name must consist of alphabetic \
                 characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or \
                 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
            )));
        }
    }
    let (list, from) = (cx.flags.bool("list"), cx.flags.string("from").to_string());
    let dry = cx.dry_run()?;
    if p.resources.is_empty() && !Builder::of(cx).has_files() {
        return Err(Error::text("one or more resources must be specified as <resource> <name> or <resource>/<name>"));
    }
    if list && !cx.flags.string("output").is_empty() {
        return Err(Error::text("--list and --output may not be specified together"));
    }
    if cx.flags.bool("all") && !cx.flags.string("selector").is_empty() {
        return Err(Error::text("cannot set --all and --selector at the same time"));
    }
    let keys = cx.flags.list("keys");
    if !keys.is_empty() && from.is_empty() {
        return Err(Error::text("when specifying --keys, a configmap or secret must be provided with --from"));
    }
    let prefix = cx.flags.string("prefix").to_string();
    let mut entries: Vec<Value> = Vec::new();
    if !from.is_empty() {
        let b = Builder { single_type: false, ..Builder::default() };
        for source in b.find(cx, &[from]).await?.all()? {
            let reference = match source.mapping.kind.as_str() {
                "Secret" => "secretKeyRef",
                "ConfigMap" => "configMapKeyRef",
                _ => return Err(Error::text("unsupported resource specified in --from")),
            };
            for key in source.object["data"].as_object().into_iter().flatten().map(|(k, _)| k) {
                if !keys.is_empty() && !keys.contains(key) {
                    continue;
                }
                let name: String =
                    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
                let name = name.to_uppercase();
                if *key != name {
                    cx.err(&format!("Warning: key {key} transferred to {name}\n"));
                }
                let name = format!("{prefix}{name}");
                entries.push(json!({"name": name, "valueFrom": {reference: {"key": key, "name": source.name}}}));
            }
        }
    }
    for (k, v) in set.drain(..) {
        entries.push(json!({"name": k, "value": v}));
    }
    let pattern = cx.flags.string("containers").to_string();
    let overwrite = cx.flags.bool("overwrite");
    let infos = find(cx, &p.resources).await?;
    let mut errors = Vec::new();
    let mut values = cx.flags.bool("resolve").then(Values::default);
    for info in infos {
        if let Some(values) = values.as_mut().filter(|_| list) {
            let mut object = info.object.clone();
            let spec = pods_of(&info, &mut object).map(|s| s.clone()).unwrap_or_default();
            let used =
                ["containers", "initContainers"].into_iter().flat_map(|f| spec[f].as_array().into_iter().flatten());
            let used = used.flat_map(|c| c["env"].as_array().into_iter().flatten()).chain(&entries);
            values.read(cx, &info.namespace, used).await?;
        }
        let mut new = info.object.clone();
        let spec = match pods_of(&info, &mut new) {
            Ok(spec) => spec,
            // What has no containers has nothing to list.
            Err(_) if list => continue,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        let mut lines = String::new();
        let mut count = 0;
        for field in ["containers", "initContainers"] {
            for c in spec[field].as_array_mut().into_iter().flatten() {
                let name = c["name"].as_str().unwrap_or("").to_string();
                if !chosen(&name, &pattern) {
                    continue;
                }
                count += 1;
                let mut env: Vec<Value> = c["env"].as_array().cloned().unwrap_or_default();
                if !overwrite {
                    for e in &entries {
                        if let Some(old) = env.iter().find(|o| o["name"] == e["name"]) {
                            return Err(Error::text(format!(
                                "{} '{}' already has a value ({}), and --overwrite is false",
                                info.object_name(),
                                e["name"].as_str().unwrap_or(""),
                                old["value"].as_str().unwrap_or("")
                            )));
                        }
                    }
                }
                env.retain(|o| !remove.iter().any(|r| o["name"] == r.as_str()));
                for e in &entries {
                    match env.iter_mut().find(|o| o["name"] == e["name"]) {
                        Some(old) => *old = e.clone(),
                        None => env.push(e.clone()),
                    }
                }
                if list {
                    lines.push_str(&format!("# {} {}, container {name}\n", info.mapping.kind, info.name));
                    for e in &env {
                        let found = values.as_ref().and_then(|v| v.of(&info, e));
                        let name = e["name"].as_str().unwrap_or("");
                        lines.push_str(&found.map_or_else(|| env_line(e), |v| format!("{name}={v}\n")));
                    }
                }
                if let Some(m) = c.as_object_mut() {
                    if env.is_empty() {
                        m.remove("env");
                    } else {
                        m.insert("env".into(), json!(env));
                    }
                }
            }
        }
        if list {
            cx.out(&lines);
            continue;
        }
        if count == 0 {
            cx.err(&format!(
                "Warning: {}/{} does not have any containers matching {pattern:?}\n",
                info.mapping.kind, info.name
            ));
            continue;
        }
        tidy(&mut new);
        if new == tidied(&info.object) {
            continue;
        }
        if let Err(e) = send(cx, &info, new, dry, "env updated", "failed to patch env update to pod template: ").await {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// What config maps and secrets hold, by path and key: `--resolve`. Models `env.GetEnvVarRefValue`.
#[derive(Default)]
struct Values(std::collections::BTreeMap<(String, String), String>);

/// The path of the object that a variable's value is from, and the key in it.
fn source_of(namespace: &str, e: &Value) -> Option<(String, String)> {
    let from = &e["valueFrom"];
    [("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")].into_iter().find_map(|(field, resource)| {
        let r = &from[field];
        let (name, key) = (r["name"].as_str()?, r["key"].as_str()?);
        Some((format!("/api/v1/namespaces/{namespace}/{resource}/{name}"), key.to_string()))
    })
}

impl Values {
    async fn read(&mut self, cx: &Cx<'_, '_>, namespace: &str, env: impl Iterator<Item = &Value>) -> Result<(), Error> {
        use base64::Engine as _;
        for (path, key) in env.filter_map(|e| source_of(namespace, e)) {
            let object = cx.get(path.clone()).await?;
            let Some(text) = object["data"][&key].as_str() else { continue };
            let text = match object["kind"].as_str() {
                Some("Secret") => base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .map_or(String::new(), |b| String::from_utf8_lossy(&b).into_owned()),
                _ => text.to_string(),
            };
            self.0.insert((path, key), text);
        }
        Ok(())
    }

    fn of(&self, info: &Info, e: &Value) -> Option<String> {
        if let Some(field) = e["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
            let at = format!("/{}", field.replace('.', "/"));
            return info.object.pointer(&at).and_then(Value::as_str).map(String::from);
        }
        self.0.get(&source_of(&info.namespace, e)?).cloned()
    }
}

fn env_line(e: &Value) -> String {
    let name = e["name"].as_str().unwrap_or("");
    let from = &e["valueFrom"];
    let t = |v: &Value| v.as_str().unwrap_or("").to_string();
    if from.is_null() {
        return format!("{name}={}\n", t(&e["value"]));
    }
    let what = if from["configMapKeyRef"].is_object() {
        let r = &from["configMapKeyRef"];
        format!("configmap {}, key {}", t(&r["name"]), t(&r["key"]))
    } else if from["secretKeyRef"].is_object() {
        let r = &from["secretKeyRef"];
        format!("secret {}, key {}", t(&r["name"]), t(&r["key"]))
    } else if from["fieldRef"].is_object() {
        format!("field path {}", t(&from["fieldRef"]["fieldPath"]))
    } else if from["resourceFieldRef"].is_object() {
        let r = &from["resourceFieldRef"];
        let container = t(&r["containerName"]);
        let container = if container.is_empty() { String::new() } else { format!("{container}/") };
        format!("resource field {container}{}", t(&r["resource"]))
    } else {
        "invalid valueFrom".into()
    };
    format!("# {name} from {what}\n")
}

fn amounts(text: &str) -> Result<Map<String, Value>, Error> {
    let mut out = Map::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let parts: Vec<&str> = part.split('=').collect();
        let [k, v] = parts.as_slice() else {
            return Err(Error::text(format!("Invalid argument syntax {part}, expected <resource>=<value>")));
        };
        let q = meta::Quantity::parse(v).map_err(|_| {
            Error::text("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        })?;
        out.insert((*k).into(), q.to_string().into());
    }
    Ok(out)
}

async fn resources(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let (limits, requests) = (cx.flags.string("limits").to_string(), cx.flags.string("requests").to_string());
    let args = cx.args.clone();
    let infos = find(cx, &args).await?;
    if limits.is_empty() && requests.is_empty() {
        return Err(Error::text(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let (limits, requests) = (amounts(&limits)?, amounts(&requests)?);
    let pattern = cx.flags.string("containers").to_string();
    let mut errors = Vec::new();
    for info in infos {
        let mut new = info.object.clone();
        let spec = match pods_of(&info, &mut new) {
            Ok(s) => s,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        let mut count = 0;
        for field in ["containers", "initContainers"] {
            for c in spec[field].as_array_mut().into_iter().flatten() {
                if !chosen(c["name"].as_str().unwrap_or(""), &pattern) {
                    continue;
                }
                count += 1;
                for (name, amounts) in [("limits", &limits), ("requests", &requests)] {
                    for (k, v) in amounts {
                        c["resources"][name][k] = v.clone();
                    }
                }
            }
        }
        if count == 0 {
            errors.push(Error::text(format!("error: unable to find container named {pattern}")));
            continue;
        }
        tidy(&mut new);
        if new == tidied(&info.object) {
            continue;
        }
        let what = "failed to patch resources update to pod template ";
        if let Err(e) = send(cx, &info, new, dry, "resource requirements updated", what).await {
            errors.push(e);
        }
    }
    aggregate(errors)
}

async fn serviceaccount(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let Some((name, resources)) = cx.args.split_last().map(|(n, r)| (n.clone(), r.to_vec())) else {
        return Err(Error::text("serviceaccount is required"));
    };
    let infos = find(cx, &resources).await?;
    let mut errors = Vec::new();
    for info in infos {
        let mut new = info.object.clone();
        match pods_of(&info, &mut new) {
            Ok(spec) => spec["serviceAccountName"] = name.clone().into(),
            Err(e) => {
                errors.push(e);
                continue;
            }
        }
        if let Err(e) = send(cx, &info, new, dry, "serviceaccount updated", "failed to patch ServiceAccountName ").await
        {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// `%v` of label selector requirements.
fn shown(list: &[Value]) -> String {
    let of = |e: &Value| {
        let values: Vec<&str> = e["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        format!(
            "{{{} {} [{}]}}",
            e["key"].as_str().unwrap_or(""),
            e["operator"].as_str().unwrap_or(""),
            values.join(" ")
        )
    };
    format!("[{}]", list.iter().map(of).collect::<Vec<_>>().join(" "))
}

async fn selector(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let Some((text, resources)) = cx.args.split_last().map(|(t, r)| (t.clone(), r.to_vec())) else {
        return Err(Error::text("one selector is required"));
    };
    let selector: Map<String, Value> =
        text.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_string(), v.into())).collect();
    let expressions = crate::create::label_selector(&text)?["matchExpressions"].clone();
    let infos = find(cx, &resources).await?;
    let version = cx.flags.string("resource-version").to_string();
    for info in infos {
        if let Some(list) = expressions.as_array() {
            return Err(Error::text(format!("match expression {} not supported on this object", shown(list))));
        }
        if info.mapping.kind != "Service" {
            return Err(Error::text("setting a selector is only supported for Services"));
        }
        let mut new = info.object.clone();
        new["spec"]["selector"] = Value::Object(selector.clone());
        if !version.is_empty() {
            new["metadata"]["resourceVersion"] = version.clone().into();
        }
        let mut results = Results::of(cx, dry)?.typed();
        if dry != DryRun::Client {
            let manager = cx.flags.string("field-manager").to_string();
            let q = cx.write_query(dry, &manager, "");
            new =
                cx.send(Request::new("PUT", info.path() + &q).header("Accept", "application/json").json(&new)).await?;
        }
        results.print(cx, &new, "selector updated")?;
    }
    Ok(())
}
