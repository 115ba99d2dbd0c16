//! `kubectl config set` and `unset`: one property by its path. Models `navigation_step_parser.go` and `modifyConfig`.

use crate::error::Error;
use crate::kubeconfig::{CLUSTER, CONTEXT, Config, DATA, USER};
use base64::Engine as _;
use serde_json::{Value, json};

/// Sets a property, or takes it away when there is no value; `true`: bytes come as they are.
pub(crate) fn change(config: &mut Config, path: &str, value: Option<(&str, bool)>) -> Result<(), Error> {
    if path.is_empty() {
        return Err(Error::text("you must specify a property"));
    }
    let parts: Vec<&str> = path.split('.').collect();
    let (list, of, order): (_, _, &[&str]) = match parts[0] {
        "current-context" if parts.len() > 1 => {
            return Err(Error::text(format!("unable to parse one or more field values of {path}")));
        }
        "current-context" => {
            config.context = value.map_or("", |(v, _)| v).into();
            return Ok(());
        }
        "preferences" => return preferences(config, path, &parts, value),
        "clusters" => (&mut config.clusters, "Cluster", &CLUSTER),
        "users" => (&mut config.users, "AuthInfo", &USER),
        "contexts" => (&mut config.contexts, "Context", &CONTEXT),
        _ => return Err(Error::text(format!("unable to parse {path} after [] at api.Config"))),
    };
    if parts.len() == 1 {
        if value.is_some() {
            return Err(Error::text("can't set a map to a value: map[]"));
        }
        list.clear();
        return Ok(());
    }
    // A name may have dots: it ends before a word that is a field's.
    let end = (2..parts.len()).find(|i| order.contains(&parts[*i])).unwrap_or(parts.len());
    let name = parts[1..end].join(".");
    let Some(field) = parts.get(end).copied() else {
        if value.is_some() {
            return Err(Error::text("can't set a map to a value: map[]"));
        }
        list.remove(&name);
        return Ok(());
    };
    if parts.len() > end + 1 {
        return Err(Error::text(format!("unable to parse one or more field values of {path}")));
    }
    if value.is_none() && !list.contains_key(&name) {
        return Err(Error::text(format!("current map key `{name}` is invalid")));
    }
    let new = match value {
        None => Value::Null,
        Some((v, raw)) => read(of, field, v, raw)?,
    };
    list.entry(name).or_insert_with(|| json!({}))[field] = new;
    Ok(())
}

fn read(of: &str, field: &str, v: &str, raw: bool) -> Result<Value, Error> {
    let base64 = base64::engine::general_purpose::STANDARD;
    if DATA.contains(&field) {
        if raw {
            return Ok(base64.encode(v).into());
        }
        return match base64.decode(v) {
            Ok(_) => Ok(v.into()),
            Err(e) => {
                let at = match e {
                    base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                    _ => v.len() - v.len() % 4,
                };
                Err(Error::text(format!("error decoding input value: illegal base64 data at input byte {at}")))
            }
        };
    }
    match (of, field) {
        ("Cluster", "insecure-skip-tls-verify" | "disable-compression") => bool_of(v),
        ("AuthInfo", "as-groups") => Err(Error::text("unrecognized slice type. string")),
        _ => Ok(v.into()),
    }
}

fn bool_of(v: &str) -> Result<Value, Error> {
    match v {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true.into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false.into()),
        _ => Err(Error::text(format!("strconv.ParseBool: parsing {v:?}: invalid syntax"))),
    }
}

fn preferences(config: &mut Config, path: &str, parts: &[&str], value: Option<(&str, bool)>) -> Result<(), Error> {
    match (parts, value) {
        ([_], None) => config.preferences = json!({}),
        ([_, "colors"], None) => config.preferences = json!({}),
        ([_, "colors"], Some((v, _))) => {
            let on = bool_of(v)?;
            config.preferences = if on == true { json!({"colors": true}) } else { json!({}) };
        }
        _ => {
            return Err(Error::text(format!(
                "unable to parse {path} after [{{preferences api.Preferences}}] at api.Preferences"
            )));
        }
    }
    Ok(())
}
