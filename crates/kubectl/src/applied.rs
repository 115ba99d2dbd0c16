//! `kubectl apply view-last-applied`, `set-last-applied` and `edit-last-applied`: the annotation that client-side apply
//! keeps. Models `kubectl/pkg/cmd/apply/apply_view_last_applied.go` and its neighbours.

use crate::apply::{LAST_APPLIED, built_in, describe, last_applied};
use crate::builder::{Builder, Info, aggregate};
use crate::cx::{Cx, DryRun, MERGE, STRATEGIC};
use crate::error::Error;
use crate::print::yaml::to_yaml;
use crate::result::Results;
use serde_json::{Value, json};

/// Above what is edited.
const HEADER: &str = "# Please edit the 'last-applied-configuration' annotations below.\n\
    # Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n#\n";

fn annotation(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][LAST_APPLIED].as_str()
}

async fn find(cx: &mut Cx<'_, '_>) -> Result<Vec<Info>, Error> {
    let args = cx.args.clone();
    // A type alone will do where a namespace is named: upstream hands this on as the other.
    let b = Builder { latest: true, empty_selector: cx.explicit_namespace(), ..Builder::of(cx) };
    let mut found = b.find(cx, &args).await?;
    // What goes wrong ends it.
    found.errors.truncate(1);
    found.all()
}

pub(crate) async fn view(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let mut texts = Vec::new();
    for info in find(cx).await? {
        let Some(text) = annotation(&info.object) else {
            let what = format!("no last-applied-configuration annotation found on resource: {}\n", info.name);
            if info.source.is_empty() {
                continue;
            }
            return Err(Error::text(format!("error when {what} {:?}: <nil>", info.source)));
        };
        texts.push(text.to_string());
    }
    for text in texts {
        let value: Value = serde_json::from_str(&text).map_err(|e| Error::text(e.to_string()))?;
        match cx.flags.string("output") {
            "yaml" => cx.out(&to_yaml(&value)),
            "json" => {
                let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
                let pretty = pretty.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
                // The annotation ends with a line's end.
                cx.out(&format!("{pretty}\n"));
            }
            other => {
                return Err(
                    cx.usage(format!("Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json"))
                );
            }
        }
    }
    Ok(())
}

fn content_type(info: &Info) -> &'static str {
    if built_in(&info.mapping.group) { STRATEGIC } else { MERGE }
}

fn patch_of(text: &str) -> Value {
    json!({"metadata": {"annotations": {LAST_APPLIED: text}}})
}

pub(crate) async fn set(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dry = cx.dry_run()?;
    let mut results = Results::of(cx, dry)?;
    let b = Builder::of(cx);
    if !b.has_files() {
        return Err(Error::text(crate::builder::MISSING));
    }
    let mut changed = Vec::new();
    for info in b.find(cx, &[]).await?.all()? {
        // As it is written, without the annotations that apply adds.
        let text = crate::print::gojson::compact(&info.object) + "\n";
        let live = match Builder::default().fetch(cx, &info).await {
            Ok(live) => live,
            Err(e) if e.is_not_found() => return Err(e),
            Err(e) => {
                let verb = format!("retrieving current configuration of:\n{}\nfrom server for:", describe(&info));
                return Err(e.with_source(&verb, &info.source));
            }
        };
        let before = annotation(&live);
        if before.is_none() && !cx.flags.bool("create-annotation") {
            return Err(Error::text(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command \
                 with --create-annotation",
                info.name
            )));
        }
        if before.is_some_and(|t| t.trim_end() == text.trim_end()) {
            cx.out(&format!("set-last-applied {}: no changes required.\n", info.name));
        } else {
            changed.push((Info { object: live, ..info }, text));
        }
    }
    for (info, text) in changed {
        let mut object = info.object.clone();
        if dry != DryRun::Client {
            let q = cx.write_query(dry, "", "");
            object = cx.patch(info.path() + &q, content_type(&info), &patch_of(&text)).await?;
        }
        results.print(cx, &object, "configured")?;
    }
    Ok(())
}

pub(crate) async fn edit(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    if cx.args.is_empty() && !Builder::of(cx).has_files() {
        return Err(Error::text(crate::builder::MISSING));
    }
    let mut results = Results::of(cx, DryRun::None)?;
    let mut errors = Vec::new();
    for info in find(cx).await? {
        match edited(cx, &info).await {
            Ok(Some(object)) => results.print(cx, &object, "edited")?,
            Ok(None) => {}
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

/// `None`: it was left as it is.
async fn edited(cx: &mut Cx<'_, '_>, info: &Info) -> Result<Option<Value>, Error> {
    let Some(text) = annotation(&info.object) else {
        return Err(Error::text(format!(
            "no last-applied-configuration annotation found on resource: {}\n",
            info.name
        )));
    };
    let before: Value = serde_json::from_str(text).map_err(|e| Error::text(e.to_string()))?;
    let manager = cx.flags.string("field-manager").to_string();
    let path = info.path() + &cx.write_query(DryRun::None, &manager, "");
    let save = async |cx: &mut Cx<'_, '_>, wanted: &Value| {
        cx.patch(path.clone(), content_type(info), &patch_of(&last_applied(wanted))).await.map(Some)
    };
    crate::edit::until_valid(cx, info, HEADER, &to_yaml(&before), save).await
}
