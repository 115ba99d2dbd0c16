//! `kubectl label` and `kubectl annotate`. Models `kubectl/pkg/cmd/label` and `kubectl/pkg/cmd/annotate`.

use crate::builder::{Builder, Info, aggregate};
use crate::cx::{Cx, DryRun, MERGE};
use crate::error::Error;
use crate::jsonpatch;
use crate::pairs;
use crate::result::Results;
use serde_json::{Map, Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let labels = cx.command.path == "label";
    let (what, field) = if labels { ("label", "labels") } else { ("annotation", "annotations") };
    let p = pairs::split(&cx.args, what)?;
    let (set, remove) = pairs::parse(&p.words, what, true)?;
    let (list, local) = (cx.flags.bool("list"), cx.flags.bool("local"));
    let b = Builder::of(cx);
    if list && !cx.flags.string("output").is_empty() {
        return Err(Error::text("--list and --output may not be specified together"));
    }
    if cx.flags.bool("all") && b.selector.is_some() {
        return Err(Error::text("cannot set --all and --selector at the same time"));
    }
    if cx.flags.bool("all") && b.field_selector.is_some() {
        return Err(Error::text("cannot set --all and --field-selector at the same time"));
    }
    if p.resources.is_empty() && !b.has_files() {
        return Err(Error::text("one or more resources must be specified as <resource> <name> or <resource>/<name>"));
    }
    if set.is_empty() && remove.is_empty() && !list {
        return Err(Error::text(format!("at least one {what} update is required")));
    }
    if local && !b.has_files() {
        let (one, other) = if labels { ("pod.yaml", "pod.json") } else { ("rsrc.yaml", "rsrc.json") };
        return Err(Error::Text(format!(
            "can only use local files by -f {one} or --filename={other} when --local=true is set"
        )));
    }
    let dry = cx.dry_run()?;
    // `--all` only says that a type alone will do.
    let b = Builder { continue_on_error: true, latest: !local, local, all: false, empty_selector: b.all, ..b };
    let found = b.find(cx, &p.resources).await?;
    let mut errors = found.errors;
    let version = cx.flags.string("resource-version").to_string();
    if !found.single && !version.is_empty() {
        return Err(Error::text("--resource-version may only be used with a single resource"));
    }
    let c = Change { field, what, set, remove, list, version, overwrite: cx.flags.bool("overwrite") };
    for info in found.infos {
        match c.one(cx, &info, if local { DryRun::Client } else { dry }, found.single).await {
            Ok(()) => {}
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)
}

struct Change {
    field: &'static str,
    what: &'static str,
    set: Vec<(String, String)>,
    remove: Vec<String>,
    list: bool,
    version: String,
    overwrite: bool,
}

impl Change {
    async fn one(&self, cx: &mut Cx<'_, '_>, info: &Info, dry: DryRun, single: bool) -> Result<(), Error> {
        let have: Map<String, Value> = info.object["metadata"][self.field].as_object().cloned().unwrap_or_default();
        let labels = self.field == "labels";
        if labels && !self.list && dry != DryRun::Client {
            for k in self.remove.iter().filter(|k| !have.contains_key(*k)) {
                cx.out(&format!("label {k:?} not found.\n"));
            }
        }
        if !self.overwrite {
            let taken: Vec<String> = self
                .set
                .iter()
                // Why something changed is said anew each time.
                .filter(|(k, _)| labels || k != "kubernetes.io/change-cause")
                .filter_map(|(k, v)| have.get(k).filter(|old| !labels || *old != v).map(|old| (k, old)))
                .map(|(k, old)| {
                    let old = old.as_str().unwrap_or("");
                    if labels {
                        format!("'{k}' already has a value ({old}), and --overwrite is false")
                    } else {
                        format!("--overwrite is false but found the following declared annotation(s): '{k}' already has a value ({old})")
                    }
                })
                .collect();
            let mut taken = taken;
            taken.dedup();
            if !taken.is_empty() {
                return aggregate(taken.into_iter().map(Error::Text).collect());
            }
        }
        if self.list {
            // As it would be; nothing is written.
            let mut have = have;
            have.retain(|k, _| !self.remove.contains(k));
            have.extend(self.set.iter().map(|(k, v)| (k.clone(), v.clone().into())));
            self.show(cx, info, &have, single);
            return Ok(());
        }
        let added = self.set.iter().any(|(k, v)| have.get(k).is_none_or(|old| old != v));
        let removed = self.remove.iter().any(|k| have.contains_key(k));
        let mut object = info.object.clone();
        let mut changes = Map::new();
        for (k, v) in &self.set {
            changes.insert(k.clone(), v.clone().into());
        }
        for k in &self.remove {
            changes.insert(k.clone(), Value::Null);
        }
        let mut patch = json!({"metadata": {self.field: changes}});
        if !self.version.is_empty() {
            patch["metadata"]["resourceVersion"] = self.version.clone().into();
        }
        if dry == DryRun::Client {
            json_patch::merge(&mut object, &patch);
        } else if !labels || added || removed {
            info.named()?;
            let manager = cx.flags.string("field-manager").to_string();
            let q = cx.write_query(dry, &manager, "");
            object = cx.patch(info.path() + &q, MERGE, &patch).await?;
        }
        let said = match (labels, added, removed) {
            (false, ..) => "annotated",
            (true, true, true) => "modified",
            (true, true, false) => "labeled",
            (true, false, true) => "unlabeled",
            (true, false, false) => "not labeled",
        };
        let mut results = Results::of(cx, dry)?;
        results.print(cx, &object, said)
    }

    fn show(&self, cx: &mut Cx<'_, '_>, info: &Info, have: &Map<String, Value>, single: bool) {
        let indent = if single { "" } else { " " };
        if !single {
            let m = &info.mapping;
            let group = if m.group.is_empty() { String::new() } else { m.group.clone() };
            cx.out(&format!("Listing {}s for {}.{group}/{}:\n", self.what, m.kind, info.name));
        }
        for (k, v) in have {
            cx.out(&format!("{indent}{k}={}\n", v.as_str().unwrap_or("")));
        }
    }
}

/// `kubectl patch`. Models `kubectl/pkg/cmd/patch`.
pub(crate) async fn patch(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let f = |n: &str| cx.flags.string(n).to_string();
    let (text, file, kind, subresource) = (f("patch"), f("patch-file"), f("type"), f("subresource"));
    if !text.is_empty() && !file.is_empty() {
        return Err(Error::text("cannot specify --patch and --patch-file together"));
    }
    if text.is_empty() && file.is_empty() {
        return Err(Error::text("must specify --patch or --patch-file containing the contents of the patch"));
    }
    let content = match kind.to_lowercase().as_str() {
        "strategic" => crate::cx::STRATEGIC,
        "merge" => MERGE,
        "json" => crate::cx::JSON_PATCH,
        _ => return Err(Error::text(format!("--type must be one of [json merge strategic], not {kind:?}"))),
    };
    let text = if file.is_empty() {
        text
    } else {
        cx.env
            .files
            .read(&file)
            .ok_or_else(|| Error::text(format!("unable to read patch file: open {file}: no such file or directory")))?
    };
    let read: Result<Value, _> = serde_json::from_str(&text);
    // What looks like JSON is sent as it is: the server tells what is wrong with it.
    let broken = read.is_err() && text.trim_start().starts_with('{') && crate::json_error::scan(&text).is_err();
    let body: Value = match read {
        Ok(v) => v,
        Err(_) if broken => Value::Null,
        // A word alone is YAML.
        Err(_) if !text.contains(['[', '{', ':', '\n', '\'', '"']) => text.trim().into(),
        // A list is no document.
        Err(_) if text.trim_start().starts_with(['-', '[']) => {
            let within: String = text.lines().map(|l| format!("  {l}\n")).collect();
            manifest::parse_values(&[("patch", &format!("v:\n{within}"))], manifest::Limits::REQUEST)
                .ok()
                .and_then(|d| d.into_iter().next())
                .map(|mut d| d.value["v"].take())
                .ok_or_else(|| unparsed(&text))?
        }
        Err(_) => manifest::parse_values(&[("patch", &text)], manifest::Limits::REQUEST)
            .ok()
            .and_then(|d| d.into_iter().next())
            .map(|d| d.value)
            .ok_or_else(|| unparsed(&text))?,
    };
    let dry = cx.dry_run()?;
    let args = cx.args.clone();
    let b = Builder { continue_on_error: true, subresource: subresource.clone(), ..Builder::of(cx) };
    let local = cx.flags.bool("local");
    if local && !args.is_empty() {
        return Err(Error::text("cannot specify --local and server resources"));
    }
    let b = Builder { local, ..b };
    let found = if local { b.find(cx, &args).await? } else { b.names(cx, &args).await? };
    let (mut errors, mut count) = (found.errors, 0);
    // A patch does not say that it was a dry run.
    let mut results = Results::of(cx, DryRun::None)?;
    let manager = f_of(cx, "field-manager");
    for info in found.infos {
        count += 1;
        let done = if local || dry == DryRun::Client {
            by_hand(cx, &info, content, &body, local).await
        } else {
            let q = cx.write_query(dry, &manager, "");
            let path = if subresource.is_empty() { info.path() } else { format!("{}/{subresource}", info.path()) };
            let before = cx.get(path.clone()).await;
            let sent = match broken {
                true => cx.patch_text(path + &q, content, text.clone()).await,
                false => cx.patch(path + &q, content, &body).await,
            };
            let after = sent.map_err(|e| match &e {
                Error::Status(s) if s.reason() == "UnsupportedMediaType" => Error::text(format!(
                    "{content} is not supported by {}, Kind={}: {}",
                    info.mapping.api_version(),
                    info.mapping.kind,
                    e.go()
                )),
                _ => e,
            });
            after.map(|after| {
                let changed = before.ok().is_none_or(|b| without_noise(&b) != without_noise(&after));
                (after, changed)
            })
        };
        match done {
            Ok((object, changed)) => {
                results.print(cx, &object, if changed { "patched" } else { "patched (no change)" })?
            }
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    aggregate(errors)?;
    if count == 0 {
        return Err(Error::text("no objects passed to patch"));
    }
    Ok(())
}

/// A patch that is no YAML, in the words of upstream's parser.
fn unparsed(text: &str) -> Error {
    let problems = manifest::parse_values(&[("patch", text)], manifest::Limits::REQUEST).err().unwrap_or_default();
    let said = problems.first().and_then(|p| p.kubectl.split_once("yaml: ")).map(|(_, why)| why.to_string());
    let said = said.unwrap_or_else(|| "did not find expected node content".into());
    Error::text(format!("unable to parse {text:?}: yaml: {said}"))
}

fn f_of(cx: &Cx<'_, '_>, name: &str) -> String {
    cx.flags.string(name).to_string()
}

/// What a write changes without changing anything.
fn without_noise(o: &Value) -> Value {
    let mut o = o.clone();
    if let Some(m) = o.get_mut("metadata").and_then(Value::as_object_mut) {
        m.remove("managedFields");
    }
    o
}

async fn by_hand(
    cx: &mut Cx<'_, '_>,
    info: &Info,
    content: &str,
    body: &Value,
    local: bool,
) -> Result<(Value, bool), Error> {
    let before = if local { info.object.clone() } else { cx.get(info.path()).await? };
    let mut object = before.clone();
    match content {
        MERGE => json_patch::merge(&mut object, body),
        crate::cx::STRATEGIC => {
            object = meta::strategic::strategic_merge(object, body, &info.mapping.kind)
                .map_err(|e| Error::text(e.message().to_string()))?;
        }
        _ => {
            let operations = jsonpatch::read(body).map_err(Error::text)?;
            jsonpatch::apply(&mut object, &operations).map_err(Error::text)?;
        }
    }
    let changed = object != before;
    Ok((object, changed))
}
