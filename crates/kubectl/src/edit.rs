//! `kubectl edit`. Models `kubectl/pkg/cmd/util/editor/editoptions.go`, one object after the other.

use crate::apply::built_in;
use crate::builder::{Builder, Info, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun, MERGE, STRATEGIC};
use crate::error::Error;
use crate::print::yaml::to_yaml;
use crate::result::Results;
use crate::threeway;
use manifest::Limits;
use serde_json::{Value, json};

pub(crate) const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n\
    # and an empty file will abort the edit. If an error occurs while saving this file will be\n\
    # reopened with the relevant failures.\n#\n";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let args = cx.args.clone();
    let b = Builder { latest: true, ..Builder::of(cx) };
    if args.is_empty() && !b.has_files() {
        return Err(Error::text(crate::builder::MISSING));
    }
    let infos = b.find(cx, &args).await?.all()?;
    let mut results = Results::of(cx, DryRun::None)?;
    let mut errors = Vec::new();
    for info in infos {
        match one(cx, &info).await {
            Ok(Some(object)) => results.print(cx, &object, "edited")?,
            Ok(None) => {}
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

/// Without comment lines.
pub(crate) fn bare(text: &str) -> String {
    text.lines().filter(|l| !l.trim_start().starts_with('#')).map(|l| format!("{l}\n")).collect()
}

/// `None`: it was left as it is.
async fn one(cx: &mut Cx<'_, '_>, info: &Info) -> Result<Option<Value>, Error> {
    let mut live = info.object.clone();
    if let Some(m) = live.get_mut("metadata").and_then(Value::as_object_mut) {
        m.remove("managedFields");
    }
    let text = to_yaml(&live);
    until_valid(cx, info, HEADER, &text, async |cx, modified| save(cx, info, &live, modified).await).await
}

/// Opens the editor until what was written can be saved, each time with what is wrong above it: no text is lost.
/// `None`: it was left as it is.
pub(crate) async fn until_valid(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    header: &str,
    original: &str,
    save: impl AsyncFn(&mut Cx<'_, '_>, &Value) -> Result<Option<Value>, Error>,
) -> Result<Option<Value>, Error> {
    let file = format!("edit-{}-{}.yaml", info.mapping.singular, info.name);
    let mut shown = format!("{header}{original}");
    let mut why: Option<Error> = None;
    loop {
        let edited = cx.env.terminal.edit(&file, shown.clone()).await.map_err(Error::Text)?;
        if let Some(e) = why.take_if(|_| bare(&edited) == bare(&shown)) {
            return Err(Error::Text(format!("{}\nEdit cancelled, no valid changes were saved.", e.go())));
        }
        let text = bare(&edited);
        if text.trim().is_empty() {
            cx.err("Edit cancelled, saved file was empty.\n");
            return Ok(None);
        }
        if text == original {
            cx.err("Edit cancelled, no changes made.\n");
            return Ok(None);
        }
        let e = match read(&file, &text) {
            Ok(modified) => match save(cx, &modified).await {
                Ok(Some(object)) => return Ok(Some(object)),
                Ok(None) => {
                    cx.err("Edit cancelled, no changes made.\n");
                    return Ok(None);
                }
                Err(e @ Error::Connection(_)) => return Err(e),
                Err(e) => e,
            },
            Err(e) => e,
        };
        cx.err(&e.said());
        let what = format!("# {} {:?} was not valid:\n", info.mapping.qualified(), info.name);
        let reasons: String = e.go().lines().map(|l| format!("# * {l}\n")).collect();
        shown = format!("{header}{what}{reasons}#\n{text}");
        why = Some(e);
    }
}

fn read(file: &str, text: &str) -> Result<Value, Error> {
    let problem = |p: Vec<manifest::Problem>| p.into_iter().next().map_or(String::new(), |p| p.kubectl);
    let documents = manifest::parse_given(&[(file, text)], Limits::REQUEST).map_err(|p| Error::Text(problem(p)))?;
    documents.into_iter().next().map(|d| d.value).ok_or_else(|| Error::text("the file is empty"))
}

/// `None`: nothing differs.
async fn save(cx: &mut Cx<'_, '_>, info: &Info, live: &Value, modified: &Value) -> Result<Option<Value>, Error> {
    for field in ["apiVersion", "kind"] {
        if modified[field] != live[field] {
            return Err(Error::text(format!("{field} may not be changed")));
        }
    }
    if modified["metadata"]["name"] != live["metadata"]["name"] {
        return Err(Error::text("At least one of apiVersion, kind and name was changed"));
    }
    let (kind, patch) = if built_in(&info.mapping.group) {
        (STRATEGIC, threeway::strategic(&info.mapping.kind, live, modified, live))
    } else {
        (MERGE, threeway::json_merge(live, modified, live))
    };
    if patch == json!({}) {
        return Ok(None);
    }
    let manager = cx.flags.string("field-manager").to_string();
    let q = cx.write_query(DryRun::None, &manager, cx.field_validation()?);
    cx.patch(info.path() + &q, kind, &patch).await.map(Some)
}

/// `kubectl create --edit`: what the files have, edited, is created. Models `EditBeforeCreateMode`.
pub(crate) async fn and_create(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let infos = Builder::of(cx).find(cx, &[]).await?.all()?;
    let dry = cx.dry_run()?;
    let mut results = Results::of(cx, dry)?;
    for info in infos {
        let q = cx.write_query(dry, cx.flags.string("field-manager"), cx.field_validation()?);
        let path = info.mapping.path(Some(&info.namespace), None) + &q;
        let create = async |cx: &mut Cx<'_, '_>, object: &Value| {
            if dry == DryRun::Client {
                return Ok(Some(object.clone()));
            }
            let r = Request::new("POST", path.as_str()).header("Accept", "application/json").json(object);
            cx.send(r).await.map(Some)
        };
        if let Some(created) = until_valid(cx, &info, HEADER, &to_yaml(&info.object), create).await? {
            results.print(cx, &created, "created")?;
        }
    }
    Ok(())
}
