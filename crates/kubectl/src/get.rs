//! `kubectl get`. Models `kubectl/pkg/cmd/get/get.go`.

use crate::builder::{Builder, Found, Info, aggregate};
use crate::client::{Request, query};
use crate::cx::Cx;
use crate::error::Error;
use crate::print::jsonpath::relaxed;
use crate::print::tab::Tab;
use crate::print::table::{Options, TablePrinter};
use crate::print::{Printer, is_list, list_of, sort, table};
use serde_json::{Value, json};

pub(crate) const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
const SUGGEST: &str = "Use \"kubectl api-resources\" for a complete list of supported resources.";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let raw = cx.flags.string("raw").to_string();
    if !raw.is_empty() {
        return get_raw(cx, &raw).await;
    }
    let (watch, watch_only) = (cx.flags.bool("watch"), cx.flags.bool("watch-only"));
    let sort_by = cx.flags.string("sort-by").to_string();
    if watch && !sort_by.is_empty() {
        cx.err("warning: --watch requested, --sort-by will be ignored for watch events received\n");
    } else if watch_only && !sort_by.is_empty() {
        cx.err("warning: --watch-only requested, --sort-by will be ignored\n");
    }
    let b = Builder::of(cx);
    if !watch && !watch_only && cx.args.is_empty() && !b.has_files() {
        cx.err(&format!("You must specify the type of resource to get. {SUGGEST}\n\n"));
        return Err(cx.usage(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that \
             resource (e.g. kubectl explain pods).",
        ));
    }
    validate(cx)?;
    let printer = Printer::of(cx, true)?;
    if watch || watch_only {
        return crate::watch::run(cx, b, printer, watch_only).await;
    }
    let mut b = Builder {
        latest: true,
        empty_selector: true,
        continue_on_error: true,
        subresource: cx.flags.string("subresource").into(),
        chunk: if sort_by.is_empty() { cx.flags.int("chunk-size") } else { 0 },
        ..b
    };
    let args = cx.args.clone();
    match printer {
        Some(printer) => {
            let mut found = b.find(cx, &args).await?;
            ignore_not_found(cx, &mut found);
            generic(cx, found, printer, &sort_by)
        }
        None => {
            if cx.flags.bool("server-print") {
                b.accept = Some(TABLE.into());
                b.whole_lists = true;
                if !sort_by.is_empty() {
                    b.query.push(("includeObject", "Object"));
                }
            }
            let mut found = b.find(cx, &args).await?;
            ignore_not_found(cx, &mut found);
            human(cx, found, &sort_by)
        }
    }
}

fn validate(cx: &Cx<'_, '_>) -> Result<(), Error> {
    let output = cx.flags.string("output");
    if cx.flags.bool("show-labels") && !output.is_empty() && output != "wide" {
        return Err(Error::text(format!("--show-labels option cannot be used with {output} printer")));
    }
    if cx.flags.bool("output-watch-events") && !cx.flags.bool("watch") && !cx.flags.bool("watch-only") {
        return Err(Error::text("--output-watch-events option can only be used with --watch or --watch-only"));
    }
    Ok(())
}

async fn get_raw(cx: &mut Cx<'_, '_>, raw: &str) -> Result<(), Error> {
    if !cx.args.is_empty() {
        return Err(Error::text("arguments may not be passed when --raw is specified"));
    }
    if cx.flags.bool("watch") || cx.flags.bool("watch-only") || !cx.flags.string("selector").is_empty() {
        return Err(Error::text(
            "--raw may not be specified with other flags that filter the server request or alter the output",
        ));
    }
    if !cx.flags.string("output").is_empty() {
        return Err(Error::text("--raw and --output are mutually exclusive"));
    }
    if !raw.starts_with('/') {
        return Err(Error::text(format!("--raw must be a valid URL path: parse {raw:?}: invalid URI for request")));
    }
    let response = crate::client::send(cx.client(), Request::get(raw)).await?;
    cx.out(&String::from_utf8_lossy(&response.body));
    Ok(())
}

fn ignore_not_found(cx: &Cx<'_, '_>, found: &mut Found) {
    if cx.flags.bool("ignore-not-found") {
        found.errors.retain(|e| !e.is_not_found());
    }
}

pub(crate) fn options(cx: &Cx<'_, '_>, with_namespace: bool, kind: Option<String>) -> Options {
    Options {
        no_headers: cx.flags.bool("no-headers"),
        wide: cx.flags.string("output") == "wide",
        with_namespace,
        show_labels: cx.flags.bool("show-labels"),
        label_columns: cx.flags.list("label-columns"),
        kind,
    }
}

/// Tables, one for each resource.
fn human(cx: &mut Cx<'_, '_>, mut found: Found, sort_by: &str) -> Result<(), Error> {
    let several_kinds = found.infos.windows(2).any(|w| {
        let kind = |i: &Info| (i.mapping.group.clone(), i.mapping.version.clone(), i.mapping.kind.clone());
        kind(&w[0]) != kind(&w[1])
    });
    if !sort_by.is_empty() {
        sort_tables(&mut found.infos, sort_by)?;
    }
    let all_namespaces = cx.flags.bool("all-namespaces");
    let now = cx.client().now();
    let mut tab = Tab::new();
    let mut printer: Option<TablePrinter> = None;
    let mut last: Option<(String, String, String)> = None;
    let (mut written, mut separate) = (false, false);
    let mut all_namespaced = !all_namespaces;
    let flush = |cx: &mut Cx<'_, '_>, tab: &mut Tab, written: &mut bool, separate: &mut bool| {
        let text = tab.flush();
        if !text.is_empty() {
            if std::mem::take(separate) {
                cx.out("\n");
            }
            cx.out(&text);
            *written = true;
        }
    };
    for info in &found.infos {
        all_namespaced &= info.mapping.namespaced;
        let this = (info.mapping.group.clone(), info.mapping.version.clone(), info.mapping.resource.clone());
        if last.as_ref() != Some(&this) || printer.is_none() {
            flush(cx, &mut tab, &mut written, &mut separate);
            tab.forget();
            if last.is_some() && !cx.flags.bool("no-headers") && written {
                separate = true;
            }
            let with_kind = several_kinds || cx.flags.bool("show-kind");
            let kind = with_kind.then(|| info.mapping.called());
            printer = Some(TablePrinter::new(options(cx, all_namespaces && info.mapping.namespaced, kind), now));
            last = Some(this);
        }
        if let Some(p) = &mut printer {
            p.print(&info.object, None, &mut tab);
        }
    }
    flush(cx, &mut tab, &mut written, &mut separate);
    if !written && !cx.flags.bool("ignore-not-found") && found.errors.is_empty() {
        let text = if all_namespaced {
            format!("No resources found in {} namespace.\n", cx.namespace())
        } else {
            "No resources found\n".into()
        };
        cx.err(&text);
    }
    // An aggregate of one is one, too: what is no refusal is told without `error: `.
    match found.errors.as_slice() {
        [] => Ok(()),
        [Error::Nested(_)] => aggregate(found.errors),
        _ => Err(Error::Many(found.errors)),
    }
}

fn sort_tables(infos: &mut Vec<Info>, sort_by: &str) -> Result<(), Error> {
    let field = relaxed(sort_by).unwrap_or_else(|_| sort_by.to_string());
    // Several tables are told apart by the field, too, as if they were objects.
    if infos.len() > 1 {
        *infos = sort::sort_by(std::mem::take(infos), &field, |i| &i.object).map_err(Error::Text)?;
    }
    // What cannot be sorted is left out without a word.
    let mut fatal = None;
    infos.retain_mut(|i| match i.object["kind"] == "Table" {
        true => match table::sort(&mut i.object, &field) {
            Ok(_) => true,
            Err(said) => {
                fatal = fatal.take().or(said.starts_with(sort::UNSORTABLE).then_some(said));
                false
            }
        },
        false => true,
    });
    fatal.map_or(Ok(()), |said| Err(sort::fatal(said, &field, "[][][]reflect.Value", 375)))
}

/// `-o` anything but a table: one object as it is, several as a list.
fn generic(cx: &mut Cx<'_, '_>, found: Found, mut printer: Printer, sort_by: &str) -> Result<(), Error> {
    let Found { infos, errors, single } = found;
    if single && !errors.is_empty() {
        return aggregate(errors);
    }
    if infos.is_empty() && cx.flags.bool("ignore-not-found") {
        return aggregate(errors);
    }
    let mut objects: Vec<Value> = infos.into_iter().map(|i| i.object).collect();
    let mut v = if single && objects.len() == 1 { objects.remove(0) } else { list_of(objects) };
    if is_list(&v) {
        let version = v["metadata"]["resourceVersion"].as_str().unwrap_or("").to_string();
        let Value::Array(mut items) = v["items"].take() else { return Ok(()) };
        if !sort_by.is_empty() && !items.is_empty() {
            let field = relaxed(sort_by).map_err(Error::Text)?;
            items = sort::sort_by(items, &field, |i| i)
                .map_err(|said| sort::fatal(said, &field, "*unstructured.Unstructured", 329))?;
        }
        v = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": version}, "items": items});
    }
    let text = printer.print(&v, cx.flags.bool("show-managed-fields"))?;
    cx.out(&text);
    aggregate(errors)
}

/// `?watch=1` of a collection or of one object.
pub(crate) fn watch_path(info: &Info, name: Option<&str>, b: &Builder, version: &str) -> String {
    let field = match name {
        Some(name) => format!("metadata.name={name}"),
        None => b.field_selector.clone().unwrap_or_default(),
    };
    let mut pairs = vec![
        ("fieldSelector", field.as_str()),
        ("labelSelector", b.selector.as_deref().unwrap_or("")),
        ("resourceVersion", version),
        ("watch", "true"),
    ];
    pairs.extend(b.query.iter().copied());
    info.mapping.path(Some(&info.namespace), None) + &query(&pairs)
}
