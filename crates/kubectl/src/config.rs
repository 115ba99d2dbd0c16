//! `kubectl config`. Models `kubectl/pkg/cmd/config`.

use crate::cx::Cx;
use crate::error::Error;
use crate::kubeconfig::{Config, DATA, Entries, text_of};
use crate::pairs::Changes;
use crate::print::{Printer, table};
use base64::Engine as _;
use serde_json::{Value, json};

/// How many arguments a command wants; who gives others gets its help. Models `helpErrorf`.
fn check_args(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let name = cx.command.name();
    let args = format!("[{}]", cx.args.join(" "));
    let fits = match name {
        "use-context" | "unset" | "set-credentials" | "delete-context" | "delete-cluster" | "set-cluster"
        | "delete-user" => cx.args.len() == 1,
        "rename-context" | "set" => cx.args.len() == 2,
        "set-context" => cx.args.len() < 2,
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let text = crate::help::text(cx.env.help, &cx.command);
    cx.out(&text);
    if name.starts_with("delete-") {
        return Err(Error::Exit(0));
    }
    let word = if name == "set-credentials" { "unexpected" } else { "Unexpected" };
    Err(Error::text(format!("{word} args: {args}")))
}

pub(crate) fn config(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    check_args(cx)?;
    let c = cx.env.config.clone();
    let first = cx.args.first().cloned().unwrap_or_default();
    match cx.command.name() {
        "current-context" if c.context.is_empty() => return Err(Error::text("current-context is not set")),
        "current-context" => cx.out(&format!("{}\n", c.context)),
        "get-clusters" => names(cx, &c.clusters),
        "get-users" => names(cx, &c.users),
        "get-contexts" => contexts(cx, &c)?,
        "use-context" => {
            if first.is_empty() {
                return Err(Error::text("empty context names are not allowed"));
            }
            if !c.contexts.contains_key(&first) {
                return Err(Error::text(format!("no context exists with the name: {first:?}")));
            }
            cx.env.config.context.clone_from(&first);
            cx.out(&format!("Switched to context {first:?}.\n"));
        }
        "set-context" => set_context(cx, first)?,
        "set-cluster" => set_cluster(cx, &first)?,
        "set-credentials" => set_credentials(cx, &first)?,
        "rename-context" => {
            let (new, file) = (cx.args[1].clone(), &c.file);
            if new.is_empty() {
                return Err(Error::text("You must specify a new non-empty context name"));
            }
            let Some(context) = c.contexts.get(&first) else {
                return Err(Error::text(format!("cannot rename the context {first:?}, it's not in {file}")));
            };
            if c.contexts.contains_key(&new) {
                let why = format!("the context {new:?} already exists in {file}");
                return Err(Error::text(format!("cannot rename the context {first:?}, {why}")));
            }
            let config = &mut cx.env.config;
            config.contexts.remove(&first);
            config.contexts.insert(new.clone(), context.clone());
            if config.context == first {
                config.context.clone_from(&new);
            }
            cx.out(&format!("Context {first:?} renamed to {new:?}.\n"));
        }
        "delete-context" | "delete-cluster" | "delete-user" => delete(cx, &first)?,
        "set" => {
            if cx.args[1].is_empty() {
                return Err(Error::text("you cannot use set to unset a property"));
            }
            let value = cx.args[1].clone();
            let raw = cx.flags.bool("set-raw-bytes");
            crate::config_set::change(cx.env.config, &first, Some((&value, raw)))?;
            cx.out(&format!("Property {first:?} set.\n"));
        }
        "unset" => {
            crate::config_set::change(cx.env.config, &first, None)?;
            cx.out(&format!("Property {first:?} unset.\n"));
        }
        "view" => view(cx, c)?,
        name => return Err(Error::text(format!("kubectl config {name} is not in this terminal yet"))),
    }
    Ok(())
}

fn names(cx: &mut Cx<'_, '_>, entries: &Entries) {
    let lines: String = entries.keys().map(|n| format!("{n}\n")).collect();
    cx.out(&format!("NAME\n{lines}"));
}

fn contexts(cx: &mut Cx<'_, '_>, c: &Config) -> Result<(), Error> {
    let output = cx.flags.string("output").to_string();
    let name_only = output == "name";
    if !name_only && !output.is_empty() {
        return Err(Error::text(format!(
            "--output {output} is not available in kubectl config get-contexts; resetting to default output format"
        )));
    }
    let asked = cx.args.clone();
    let missing = asked.iter().filter(|a| !c.contexts.contains_key(*a));
    let missing: Vec<Error> = missing.map(|a| Error::text(format!("context {a} not found"))).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !name_only && !cx.flags.bool("no-headers") {
        rows.push(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(String::from).to_vec());
    }
    for (name, v) in c.contexts.iter().filter(|(n, _)| asked.is_empty() || asked.contains(n)) {
        let mark = if *name == c.context { "*" } else { "" };
        match name_only {
            true => rows.push(vec![name.clone()]),
            false => {
                let of = |f: &str| text_of(v, f).to_string();
                rows.push(vec![mark.into(), name.clone(), of("cluster"), of("user"), of("namespace")]);
            }
        }
    }
    cx.out(&table::columns(rows));
    crate::builder::aggregate(missing)
}

fn set_context(cx: &mut Cx<'_, '_>, mut name: String) -> Result<(), Error> {
    let current = cx.flags.bool("current");
    match (name.is_empty(), current) {
        (true, false) => return Err(Error::text("you must specify a non-empty context name or --current")),
        (false, true) => return Err(Error::text("you cannot specify both a context name and --current")),
        _ => {}
    }
    if current {
        name.clone_from(&cx.env.config.context);
        if name.is_empty() {
            return Err(Error::text("no current context is set"));
        }
    }
    let existed = cx.env.config.contexts.contains_key(&name);
    let entry = cx.env.config.contexts.entry(name.clone()).or_insert_with(|| json!({}));
    for field in ["cluster", "user", "namespace"] {
        if cx.flags.changed(field) {
            entry[field] = cx.flags.string(field).into();
        }
    }
    cx.out(&format!("Context {name:?} {}.\n", if existed { "modified" } else { "created" }));
    Ok(())
}

/// A file that is put into the kubeconfig, in base64.
fn embedded(cx: &Cx<'_, '_>, flag: &str) -> Result<Value, Error> {
    let path = cx.flags.string(flag);
    let text = cx.env.files.read(path).ok_or_else(|| {
        Error::text(format!("could not stat {flag} file {path}: stat {path}: no such file or directory"))
    })?;
    Ok(base64::engine::general_purpose::STANDARD.encode(text).into())
}

fn set_cluster(cx: &mut Cx<'_, '_>, name: &str) -> Result<(), Error> {
    let (authority, embed) = (cx.flags.changed("certificate-authority"), cx.flags.bool("embed-certs"));
    let insecure = cx.flags.bool("insecure-skip-tls-verify");
    if insecure && authority {
        return Err(Error::text("you cannot specify a certificate authority and insecure mode at the same time"));
    }
    if embed && !authority {
        return Err(Error::text("you must specify a --certificate-authority to embed"));
    }
    let data = if embed { embedded(cx, "certificate-authority")? } else { Value::Null };
    let path = cx.env.files.absolute(cx.flags.string("certificate-authority"));
    let entry = cx.env.config.clusters.entry(name.into()).or_insert_with(|| json!({}));
    if cx.flags.changed("server") {
        entry["server"] = cx.flags.string("server").into();
        entry["tls-server-name"] = Value::Null;
    }
    for field in ["tls-server-name", "proxy-url"] {
        if cx.flags.changed(field) {
            entry[field] = cx.flags.string(field).into();
        }
    }
    entry["insecure-skip-tls-verify"] = insecure.into();
    if insecure {
        entry["certificate-authority"] = Value::Null;
        entry["certificate-authority-data"] = Value::Null;
    }
    if authority {
        entry["certificate-authority"] = if embed { Value::Null } else { path.into() };
        entry["certificate-authority-data"] = data;
    }
    cx.out(&format!("Cluster {name:?} set.\n"));
    Ok(())
}

fn set_credentials(cx: &mut Cx<'_, '_>, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::text("you must specify a non-empty user name"));
    }
    let given = |f: &str| !cx.flags.string(f).is_empty();
    let basic = given("username") || given("password");
    if given("token") && basic {
        return Err(Error::text(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        ));
    }
    let embed = cx.flags.bool("embed-certs");
    if embed && !given("client-certificate") && !given("client-key") {
        return Err(Error::text("you must specify a --client-certificate or --client-key to embed"));
    }
    let mut changes: Vec<(String, Value)> = Vec::new();
    for field in ["client-certificate", "client-key"] {
        if cx.flags.changed(field) {
            let data = if embed { embedded(cx, field)? } else { Value::Null };
            let path = if embed { Value::Null } else { cx.env.files.absolute(cx.flags.string(field)).into() };
            changes.extend([(field.to_string(), path), (format!("{field}-data"), data)]);
        }
    }
    for field in ["token", "username", "password"] {
        if cx.flags.changed(field) {
            changes.push((field.into(), cx.flags.string(field).into()));
        }
    }
    if given("token") {
        changes.extend(["username", "password"].map(|f| (f.to_string(), Value::Null)));
    } else if basic {
        changes.push(("token".into(), Value::Null));
    }
    let mut entry = cx.env.config.users.get(name).cloned().unwrap_or_else(|| json!({}));
    for (field, value) in changes {
        entry[field] = value;
    }
    auth_provider(cx, &mut entry)?;
    exec_plugin(cx, &mut entry)?;
    cx.env.config.users.insert(name.into(), entry);
    cx.out(&format!("User {name:?} set.\n"));
    Ok(())
}

/// `key=value` and `key-` of a flag; what is neither is refused after the command's help.
fn pairs_of(cx: &mut Cx<'_, '_>, flag: &str) -> Result<Changes, Error> {
    let words = cx.flags.list(flag);
    crate::pairs::read(&words, flag).inspect_err(|_| {
        let text = crate::help::text(cx.env.help, &cx.command);
        cx.out(&text);
    })
}

fn auth_provider(cx: &mut Cx<'_, '_>, entry: &mut Value) -> Result<(), Error> {
    let (set, remove) = pairs_of(cx, "auth-provider-arg")?;
    let name = cx.flags.string("auth-provider");
    if cx.flags.changed("auth-provider") && entry["auth-provider"]["name"] != name {
        entry["auth-provider"] = json!({"name": name, "config": {}});
    }
    let Some(provider) = entry.get_mut("auth-provider").and_then(Value::as_object_mut) else { return Ok(()) };
    let config = provider.entry("config").or_insert_with(|| json!({}));
    if !config.is_object() {
        *config = json!({});
    }
    if let Some(config) = config.as_object_mut() {
        remove.iter().for_each(|k| drop(config.remove(k)));
        config.extend(set.into_iter().map(|(k, v)| (k, v.into())));
    }
    Ok(())
}

fn exec_plugin(cx: &mut Cx<'_, '_>, entry: &mut Value) -> Result<(), Error> {
    let (set, remove) = pairs_of(cx, "exec-env")?;
    if cx.flags.changed("exec-command") {
        if !entry["exec"].is_object() {
            entry["exec"] = json!({"args": null, "env": null, "provideClusterInfo": false});
        }
        entry["exec"]["command"] = cx.flags.string("exec-command").into();
        entry["exec"]["args"] = Value::Null;
    }
    // Without a command there is nothing that the rest would be of.
    let Some(exec) = entry.get_mut("exec").filter(|e| e.is_object()) else { return Ok(()) };
    for (flag, field) in [("exec-api-version", "apiVersion"), ("exec-interactive-mode", "interactiveMode")] {
        if cx.flags.changed(flag) {
            exec[field] = cx.flags.string(flag).into();
        }
    }
    if cx.flags.changed("exec-provide-cluster-info") {
        exec["provideClusterInfo"] = cx.flags.bool("exec-provide-cluster-info").into();
    }
    let args = cx.flags.list("exec-arg");
    if !args.is_empty() {
        exec["args"] = json!(args);
    }
    let mut env = exec["env"].as_array().cloned().unwrap_or_default();
    env.retain(|e| !remove.iter().any(|k| e["name"] == k.as_str()));
    for (k, v) in set {
        match env.iter_mut().find(|e| e["name"] == k.as_str()) {
            Some(known) => known["value"] = v.into(),
            None => env.push(json!({"name": k, "value": v})),
        }
    }
    if !env.is_empty() || !remove.is_empty() {
        exec["env"] = if env.is_empty() { Value::Null } else { env.into() };
    }
    Ok(())
}

fn delete(cx: &mut Cx<'_, '_>, name: &str) -> Result<(), Error> {
    let what = cx.command.name().trim_start_matches("delete-").to_string();
    let config = &mut cx.env.config;
    let file = config.file.clone();
    let entries = match what.as_str() {
        "context" => &mut config.contexts,
        "cluster" => &mut config.clusters,
        _ => &mut config.users,
    };
    if entries.remove(name).is_none() {
        return Err(Error::text(format!("cannot delete {what} {name}, not in {file}")));
    }
    if what == "context" && config.context == name {
        cx.err(
            "warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n",
        );
    }
    cx.out(&format!("deleted {what} {name} from {file}\n"));
    Ok(())
}

fn view(cx: &mut Cx<'_, '_>, mut c: Config) -> Result<(), Error> {
    if !cx.args.is_empty() {
        return Err(cx.usage(format!("unexpected arguments: [{}]", cx.args.join(" "))));
    }
    let mut printer = Printer::of(cx, false)?.unwrap_or(Printer::Yaml(0)).typed();
    if !cx.flags.bool("merge") {
        return Err(Error::text("if merge==false a precise file must be specified"));
    }
    if cx.flags.bool("minify") {
        if !cx.flags.string("context").is_empty() {
            c.context = cx.flags.string("context").into();
        }
        minify(&mut c)?;
    }
    if !cx.flags.bool("flatten") && !cx.flags.bool("raw") {
        for v in c.users.values_mut().chain(c.clusters.values_mut()) {
            for field in
                DATA.iter().chain(&["token", "password"]).filter(|f| !text_of(v, f).is_empty()).collect::<Vec<_>>()
            {
                v[*field] = if DATA.contains(field) { "DATA+OMITTED" } else { "REDACTED" }.into();
            }
        }
    }
    let text = printer.print(&c.document(), false)?;
    cx.out(&text);
    Ok(())
}

/// Models `MinifyConfig`.
fn minify(c: &mut Config) -> Result<(), Error> {
    if c.context.is_empty() {
        return Err(Error::text("current-context must exist in order to minify"));
    }
    let Some(context) = c.contexts.get(&c.context).cloned() else {
        return Err(Error::text(format!("cannot locate context {}", c.context)));
    };
    let current = c.context.clone();
    c.contexts.retain(|n, _| *n == current);
    for (field, what) in [("cluster", "cluster"), ("user", "user")] {
        let name = text_of(&context, field);
        let entries = if what == "cluster" { &mut c.clusters } else { &mut c.users };
        if !name.is_empty() && !entries.contains_key(name) {
            return Err(Error::text(format!("cannot locate {what} {name}")));
        }
        entries.retain(|n, _| n == name);
    }
    Ok(())
}
