//! `kubectl set env`. Models `kubectl/pkg/cmd/set/set_env.go`.

use crate::builder::{Builder, Info, aggregate};
use crate::cx::Cx;
use crate::error::Error;
use crate::pairs;
use crate::result::Results;
use crate::set::{chosen, find, pods_of, send, tidied, tidy};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) async fn env(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
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
        known_name(name)?;
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
        entries.push(variable(&k, &v));
    }
    let pattern = cx.flags.string("containers").to_string();
    let overwrite = cx.flags.bool("overwrite");
    let infos = find(cx, &p.resources).await?;
    let mut errors = Vec::new();
    let mut values = cx.flags.bool("resolve").then(Values::default);
    let mut results = Results::of(cx, dry)?.typed();
    for info in infos {
        if let Some(values) = values.as_mut().filter(|_| list) {
            let mut object = info.object.clone();
            let spec = pods_of(&info, &mut object).map(|s| s.clone()).unwrap_or_default();
            let used =
                ["containers", "initContainers"].into_iter().flat_map(|f| spec[f].as_array().into_iter().flatten());
            let used = used.flat_map(|c| c["env"].as_array().into_iter().flatten()).chain(&entries);
            values.read(cx, &info.namespace, used).await;
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
        let mut unresolved: BTreeMap<String, Vec<String>> = BTreeMap::new();
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
                        let name = e["name"].as_str().unwrap_or("");
                        let found = values.as_ref().filter(|_| e["valueFrom"].is_object()).map(|v| v.of(&info, c, e));
                        match found {
                            Some(Ok(value)) => lines.push_str(&format!("{name}={value}\n")),
                            Some(Err(why)) => {
                                lines.push_str(&env_line(e));
                                unresolved.entry(why).or_default().push(name.into());
                            }
                            None => lines.push_str(&env_line(e)),
                        }
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
            let mut said: Vec<String> = Vec::new();
            for (why, mut names) in unresolved {
                names.sort();
                said.push(format!("error retrieving reference for {}: {why}\n", names.join(", ")));
            }
            said.sort();
            cx.err(&said.concat());
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
        if let Err(e) =
            send(cx, &mut results, &info, new, dry, "env updated", "failed to patch env update to pod template: ").await
        {
            errors.push(e);
        }
    }
    aggregate(errors)
}

/// A variable as Go writes it: without what is empty.
pub(crate) fn variable(name: &str, value: &str) -> Value {
    if value.is_empty() { json!({"name": name}) } else { json!({"name": name, "value": value}) }
}

/// Models `validation.IsEnvVarName`.
///
/// # Errors
/// What the name may not be.
pub(crate) fn known_name(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut wrong: Vec<&str> = Vec::new();
    if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
        wrong.push(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must \
             not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation \
             is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
        );
    }
    wrong.extend(out_of_place(name));
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Text(format!("{name:?} is not a valid key name: {}", wrong.join(";"))))
}

/// Models `hasChDirPrefix`.
pub(crate) fn out_of_place(name: &str) -> Option<&'static str> {
    match name {
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        n if n.starts_with("..") => Some("must not start with '..'"),
        _ => None,
    }
}

/// What config maps and secrets hold, by path: `--resolve`. Models `kubectl/pkg/cmd/set/env/env_resolve.go`.
#[derive(Default)]
struct Values(BTreeMap<String, Result<Value, String>>);

/// The path of the object that a variable's value is from, the key in it, and what the object is called.
fn source_of(namespace: &str, e: &Value) -> Option<(String, String, String)> {
    let from = &e["valueFrom"];
    let kinds = [("configMapKeyRef", "configmaps", "config map"), ("secretKeyRef", "secrets", "secret")];
    kinds.into_iter().find_map(|(field, resource, called)| {
        let r = &from[field];
        let (name, key) = (r["name"].as_str()?, r["key"].as_str()?);
        let path = format!("/api/v1/namespaces/{namespace}/{resource}/{name}");
        Some((path, key.to_string(), format!("{called} {name}")))
    })
}

impl Values {
    async fn read(&mut self, cx: &Cx<'_, '_>, namespace: &str, env: impl Iterator<Item = &Value>) {
        for (path, ..) in env.filter_map(|e| source_of(namespace, e)) {
            let object = cx.get(path.clone()).await;
            self.0.insert(path, object.map(|o| o["data"].clone()).map_err(|e| e.go()));
        }
    }

    fn of(&self, info: &Info, container: &Value, e: &Value) -> Result<String, String> {
        use base64::Engine as _;
        let from = &e["valueFrom"];
        if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            return field(&info.object["metadata"], path);
        }
        if from["resourceFieldRef"].is_object() {
            return amount(&from["resourceFieldRef"], container);
        }
        let Some((path, key, called)) = source_of(&info.namespace, e) else {
            return Err("invalid valueFrom".into());
        };
        let data = self.0.get(&path).cloned().unwrap_or(Ok(Value::Null))?;
        let text = data[&key].as_str().ok_or_else(|| format!("key {key} not found in {called}"))?;
        if from["configMapKeyRef"].is_object() {
            return Ok(text.into());
        }
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Models `extractFieldPathAsString`: metadata only, as there is no pod yet.
fn field(metadata: &Value, path: &str) -> Result<String, String> {
    let text = |v: &Value| v.as_str().unwrap_or("").to_string();
    if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        return match map {
            "metadata.annotations" => Ok(text(&metadata["annotations"][key])),
            "metadata.labels" => Ok(text(&metadata["labels"][key])),
            _ => Err(format!("fieldPath {path:?} does not support subscript")),
        };
    }
    let map = |v: &Value| {
        let pairs = v.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={:?}", text(v)));
        pairs.collect::<Vec<_>>().join("\n")
    };
    match path {
        "metadata.annotations" => Ok(map(&metadata["annotations"])),
        "metadata.labels" => Ok(map(&metadata["labels"])),
        "metadata.name" | "metadata.namespace" | "metadata.uid" => Ok(text(&metadata[&path["metadata.".len()..]])),
        _ => Err(format!("unsupported fieldPath: {path}")),
    }
}

/// Models `ExtractContainerResourceValue`: in whole divisors, rounded up.
fn amount(r: &Value, container: &Value) -> Result<String, String> {
    let resource = r["resource"].as_str().unwrap_or("");
    let fields = ["limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "limits.ephemeral-storage"];
    let known = fields.contains(&resource) || resource == "requests.ephemeral-storage";
    let (which, name) = resource
        .split_once('.')
        .filter(|_| known)
        .ok_or_else(|| format!("Unsupported container resource : {resource}"))?;
    let quantity = |v: &Value| v.as_str().and_then(|s| meta::Quantity::parse(s).ok());
    let had = quantity(&container["resources"][which][name]).unwrap_or(meta::Quantity::from_value(0));
    let divisor = quantity(&r["divisor"]).filter(|d| !d.is_zero()).unwrap_or(meta::Quantity::from_value(1));
    let (had, divisor) = match name {
        "cpu" => (had.milli_value(), divisor.milli_value()),
        _ => (had.value(), divisor.value()),
    };
    Ok((had as f64 / divisor as f64).ceil().to_string())
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
