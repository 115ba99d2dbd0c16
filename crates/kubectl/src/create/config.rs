//! ConfigMaps and Secrets of literals and files.

use super::{metadata, name};
use crate::cx::Cx;
use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

/// Keys and their values, in the order given.
fn sources(cx: &Cx<'_, '_>, what: &str) -> Result<Vec<(String, String)>, Error> {
    let (files, literals, envs) =
        (cx.flags.list("from-file"), cx.flags.list("from-literal"), cx.flags.list("from-env-file"));
    if !envs.is_empty() && (!files.is_empty() || !literals.is_empty()) {
        return Err(Error::text("from-env-file cannot be combined with from-file or from-literal"));
    }
    let mut out: Vec<(String, String)> = Vec::new();
    for l in &literals {
        let Some((k, v)) = l.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Error::text(format!("invalid literal source {l}, expected key=value")));
        };
        // A pair of quotes around the value is taken off.
        let v =
            ['"', '\''].iter().find_map(|q| v.strip_prefix(*q)?.strip_suffix(*q)).filter(|_| v.len() > 1).unwrap_or(v);
        out.push((k.into(), v.into()));
    }
    from_files(cx, &files, &mut out)?;
    for path in &envs {
        if cx.env.files.list(path).is_some() {
            return Err(Error::text("env config file cannot be a directory"));
        }
        let text = read(cx, path)?;
        for line in text.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // A key alone has its value from an environment, of which there is none here.
            let (k, v) = line.split_once('=').unwrap_or((line, ""));
            crate::set_env::known_name(k)?;
            out.push((k.into(), v.into()));
        }
    }
    for (i, (k, _)) in out.iter().enumerate() {
        check_key(k, what)?;
        if out[..i].iter().any(|(other, _)| other == k) {
            return Err(Error::text(if what == "ConfigMap" {
                let name = cx.args.first().map_or("", String::as_str);
                format!("cannot add key {k:?}, another key by that name already exists in Data for ConfigMap {name:?}")
            } else {
                format!("cannot add key {k}, another key by that name already exists")
            }));
        }
    }
    Ok(out)
}

fn from_files(cx: &Cx<'_, '_>, files: &[String], out: &mut Vec<(String, String)>) -> Result<(), Error> {
    for f in files {
        let (key, path) = match f.split_once('=') {
            None => (None, f.as_str()),
            Some(("", _)) => {
                return Err(Error::text(format!("key name for file path {} missing", f.trim_start_matches('='))));
            }
            Some((_, "")) => {
                return Err(Error::text(format!("file path for key name {} missing", f.trim_end_matches('='))));
            }
            Some((_, p)) if p.contains('=') => {
                return Err(Error::text("key names or file paths cannot contain '='"));
            }
            Some((k, p)) => (Some(k.to_string()), p),
        };
        if let Some(names) = cx.env.files.list(path) {
            if key.is_some() {
                return Err(Error::text("cannot give a key name for a directory path"));
            }
            let mut names = names;
            names.sort();
            for n in names {
                // Only what is a file, and has a name that is a key.
                let full = format!("{}/{n}", path.trim_end_matches('/'));
                if let Some(text) = cx.env.files.read(&full).filter(|_| valid_key(&n)) {
                    out.push((n, text));
                }
            }
            continue;
        }
        let text = read(cx, path)?;
        out.push((key.unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path).into()), text));
    }
    Ok(())
}

fn read(cx: &Cx<'_, '_>, path: &str) -> Result<String, Error> {
    cx.env.files.read(path).ok_or_else(|| Error::text(format!("error reading {path}: no such file or directory")))
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn valid_key(k: &str) -> bool {
    !k.is_empty() && k.len() <= 253 && k.chars().all(fits) && k != "." && !k.starts_with("..")
}

fn check_key(k: &str, what: &str) -> Result<(), Error> {
    if valid_key(k) {
        return Ok(());
    }
    let mut wrong: Vec<String> = Vec::new();
    if k.len() > 253 {
        wrong.push("must be no more than 253 characters".into());
    }
    if k.is_empty() || !k.chars().all(fits) {
        wrong.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
             'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .into(),
        );
    }
    wrong.extend(crate::set_env::out_of_place(k).map(String::from));
    let why = wrong.join(if what == "ConfigMap" { "," } else { ";" });
    Err(Error::text(if what == "ConfigMap" {
        format!("{k:?} is not a valid key name for a ConfigMap: {why}")
    } else {
        format!("{k:?} is not valid key name for a Secret {why}")
    }))
}

/// With `--append-hash`, what is in an object ends its name.
fn hashed(cx: &Cx<'_, '_>, mut object: Value) -> Value {
    if cx.flags.bool("append-hash") {
        let name = object["metadata"]["name"].as_str().unwrap_or("");
        object["metadata"]["name"] = format!("{name}-{}", crate::kustomize::hash(&object, name)).into();
    }
    object
}

pub(super) fn configmap(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let data: Map<String, Value> = sources(cx, "ConfigMap")?.into_iter().map(|(k, v)| (k, v.into())).collect();
    let mut o = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(cx, &name, true)});
    if !data.is_empty() {
        o["data"] = Value::Object(data);
    }
    Ok(hashed(cx, o))
}

fn of_data(cx: &Cx<'_, '_>, name: &str, kind: &str, data: Vec<(String, String)>) -> Value {
    let data: Map<String, Value> = data.into_iter().map(|(k, v)| (k, BASE64.encode(v).into())).collect();
    let mut o = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata(cx, name, true)});
    if !data.is_empty() {
        o["data"] = Value::Object(data);
    }
    if !kind.is_empty() {
        o["type"] = kind.into();
    }
    hashed(cx, o)
}

pub(super) fn secret(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    Ok(of_data(cx, &name, cx.flags.string("type"), sources(cx, "Secret")?))
}

pub(super) fn tls(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let (cert, key) = (cx.flags.string("cert"), cx.flags.string("key"));
    if cert.is_empty() || key.is_empty() {
        return Err(Error::text("key and cert must be specified"));
    }
    let read = |path: &str| {
        let missing = || Error::text(format!("Cannot read file {path}, open {path}: no such file or directory"));
        cx.env.files.read(path).ok_or_else(missing)
    };
    let (cert, key) = (read(cert)?, read(key)?);
    if !cert.contains("-----BEGIN ") {
        return Err(Error::text("tls: failed to find any PEM data in certificate input"));
    }
    if !key.contains("-----BEGIN ") {
        return Err(Error::text("tls: failed to find any PEM data in key input"));
    }
    let data = vec![("tls.crt".to_string(), cert), ("tls.key".to_string(), key)];
    Ok(of_data(cx, &name, "kubernetes.io/tls", data))
}

pub(super) fn docker(cx: &Cx<'_, '_>) -> Result<Value, Error> {
    let name = name(cx)?;
    let files = cx.flags.list("from-file");
    let f = |n: &str| cx.flags.string(n).to_string();
    let (server, user, password, email) =
        (f("docker-server"), f("docker-username"), f("docker-password"), f("docker-email"));
    if files.is_empty() && (user.is_empty() || password.is_empty() || server.is_empty()) {
        return Err(Error::text(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        ));
    }
    let mut data = Vec::new();
    if files.is_empty() {
        // As Go writes the struct: what is empty is left out, but for the authorization.
        let mut entry = Vec::new();
        for (k, v) in [("username", &user), ("password", &password), ("email", &email)] {
            if !v.is_empty() {
                entry.push(format!("{}:{}", json!(k), crate::print::gojson::compact(&json!(v))));
            }
        }
        entry.push(format!("\"auth\":{}", json!(BASE64.encode(format!("{user}:{password}")))));
        let server = crate::print::gojson::compact(&json!(server));
        data.push((".dockerconfigjson".to_string(), format!("{{\"auths\":{{{server}:{{{}}}}}}}", entry.join(","))));
    } else {
        // A file alone is the configuration, whatever it is called.
        let named = |f: &String| if f.contains('=') { f.clone() } else { format!(".dockerconfigjson={f}") };
        from_files(cx, &files.iter().map(named).collect::<Vec<_>>(), &mut data)?;
    }
    Ok(of_data(cx, &name, "kubernetes.io/dockerconfigjson", data))
}
