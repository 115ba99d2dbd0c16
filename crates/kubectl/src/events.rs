//! `kubectl events` and `kubectl top`. Models `kubectl/pkg/cmd/events`, `kubectl/pkg/cmd/top` and
//! `kubectl/pkg/metricsutil`.

use crate::client::query;
use crate::cx::Cx;
use crate::error::Error;
use crate::print::tab::Tab;
use crate::print::{Printer, table};
use crate::time;
use crate::watch::Events;
use meta::Quantity;
use serde_json::{Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let all = cx.flags.bool("all-namespaces");
    let types = cx.flags.list("types");
    if types.iter().any(|t| !t.eq_ignore_ascii_case("Normal") && !t.eq_ignore_ascii_case("Warning")) {
        return Err(Error::text("valid --types are Normal or Warning"));
    }
    let target = cx.flags.string("for").to_string();
    let mut field = String::new();
    if !target.is_empty() {
        let parts: Vec<&str> = target.split('/').collect();
        let [kind, name] = parts.as_slice() else {
            return Err(Error::text(if parts.len() > 2 {
                "arguments in resource/name form may not have more than one slash"
            } else {
                "--for must be in resource/name form"
            }));
        };
        if kind.is_empty() {
            return Err(Error::text("a resource must be present, got: /, Resource="));
        }
        let m = cx.discovery().await?.resource(kind).map_err(|e| {
            let group = kind.split_once('.').map_or(String::new(), |(_, g)| format!(" in group {g:?}"));
            Error::Plain(format!("{}{group}", e.go()))
        })?;
        field = format!(
            "involvedObject.kind={},involvedObject.apiVersion={},involvedObject.name={name}",
            m.kind,
            m.api_version()
        );
    }
    let printer = Printer::of(cx, false)?.map(Printer::typed);
    let namespace = cx.namespace();
    let q = query(&[("fieldSelector", &field), ("limit", "500")]);
    let path = if all { "/api/v1/events".to_string() } else { format!("/api/v1/namespaces/{namespace}/events") };
    let is_meant = |e: &Value| {
        types.is_empty() || types.iter().any(|t| e["type"].as_str().is_some_and(|k| t.eq_ignore_ascii_case(k)))
    };
    if cx.flags.bool("watch") {
        let q = query(&[("fieldSelector", &field), ("watch", "true")]);
        return watch(cx, path + &q, all, printer, &is_meant).await;
    }
    let mut list = cx.get(path + &q).await?;
    let Value::Array(mut items) = list["items"].take() else { return Ok(()) };
    items.retain(is_meant);
    if items.is_empty() {
        let text =
            if all { "No events found.\n".to_string() } else { format!("No events found in {namespace} namespace.\n") };
        cx.err(&text);
        return Ok(());
    }
    // Upstream's printer of names finds none in its typed list.
    if cx.flags.string("output") == "name" {
        return Ok(());
    }
    let when = |e: &Value| {
        let of = |v: &Value| v.as_str().and_then(time::parse);
        if e["series"].is_object() {
            of(&e["series"]["lastObservedTime"])
        } else {
            of(&e["lastTimestamp"]).or(of(&e["eventTime"]))
        }
    };
    crate::describe::sort::sort(&mut items, |a, b| when(a) < when(b));
    if let Some(mut p) = printer {
        for e in &mut items {
            e["kind"] = "Event".into();
            e["apiVersion"] = "v1".into();
        }
        let v = json!({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items});
        let text = p.print(&v, false)?;
        cx.out(&text);
        return Ok(());
    }
    let now = cx.client().now();
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !cx.flags.bool("no-headers") {
        rows.push(head(all));
    }
    rows.extend(items.iter().map(|e| row(e, all, now)));
    cx.out(&table::columns(rows));
    Ok(())
}

fn head(all: bool) -> Vec<String> {
    let mut head = if all { vec!["NAMESPACE"] } else { Vec::new() };
    head.extend(["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]);
    head.into_iter().map(String::from).collect()
}

fn row(e: &Value, all: bool, now: i64) -> Vec<String> {
    let t = |v: &Value| v.as_str().unwrap_or("").to_string();
    let age = |v: &Value| time::since(v.as_str().unwrap_or(""), now);
    let first = if e["eventTime"].is_string() { age(&e["eventTime"]) } else { age(&e["firstTimestamp"]) };
    let seen = if e["series"].is_object() {
        format!("{} (x{} over {first})", age(&e["series"]["lastObservedTime"]), e["series"]["count"])
    } else if e["count"].as_i64().unwrap_or(0) > 1 {
        format!("{} (x{} over {first})", age(&e["lastTimestamp"]), e["count"])
    } else {
        first
    };
    let mut row = if all { vec![t(&e["metadata"]["namespace"])] } else { Vec::new() };
    let o = &e["involvedObject"];
    row.extend([
        seen,
        t(&e["type"]),
        t(&e["reason"]),
        format!("{}/{}", t(&o["kind"]), t(&o["name"])),
        t(&e["message"]).trim().to_string(),
    ]);
    row
}

/// Models `runWatch`: what is there and what comes.
async fn watch(
    cx: &mut Cx<'_, '_>,
    path: String,
    all: bool,
    mut printer: Option<Printer>,
    is_meant: &dyn Fn(&Value) -> bool,
) -> Result<(), Error> {
    let mut stream = Events::open(cx, path, "application/json").await?;
    let mut tab = Tab::new();
    if !cx.flags.bool("no-headers") {
        tab.row(head(all));
    }
    while let Some((kind, event)) = stream.next_in_time(cx).await {
        if kind == "DELETED" || !is_meant(&event) {
            continue;
        }
        let text = match &mut printer {
            Some(p) => p.print(&event, false)?,
            None => {
                tab.row(row(&event, all, cx.client().now()));
                tab.flush()
            }
        };
        cx.out(&text);
    }
    Ok(())
}

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";

fn amount(v: &Value) -> Quantity {
    v.as_str().and_then(|t| Quantity::parse(t).ok()).unwrap_or_default()
}

/// A container: its name, milli-cores and bytes.
type Usage = (String, i64, i64);

/// `12m`, `34Mi`.
fn cells(cpu: i64, memory: i64) -> [String; 2] {
    [format!("{cpu}m"), format!("{}Mi", memory / (1024 * 1024))]
}

pub(crate) async fn top(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let sort = cx.flags.string("sort-by").to_string();
    if !matches!(sort.as_str(), "" | "cpu" | "memory") {
        return Err(Error::text("--sort-by accepts only cpu or memory"));
    }
    let nodes = cx.command.name() == "node";
    if cx.args.len() > 1 {
        let usage = if nodes { "node [NAME | -l label]" } else { "pod [NAME | -l label]" };
        return Err(cx.usage(usage));
    }
    let name = cx.args.first().cloned();
    let selector = cx.flags.string("selector").to_string();
    if name.is_some() && !selector.is_empty() {
        return Err(Error::text(format!(
            "only one of NAME or {} can be provided",
            if cx.command.path == "top pod" { "selector" } else { "--selector" }
        )));
    }
    if cx.command.path == "top pod" {
        meta::labels::Selector::parse(&selector).map_err(Error::text)?;
    }
    let has = cx.discovery().await?.groups().iter().any(|g| g.name == "metrics.k8s.io");
    if !has {
        return Err(Error::text("Metrics API not available"));
    }
    if nodes { top_nodes(cx, name, &selector, &sort).await } else { top_pods(cx, name, &selector, &sort).await }
}

/// Names and what they use, in the order asked for.
fn order(list: &mut [(String, String, i64, i64)], sort: &str) {
    list.sort_by(|a, b| match sort {
        "cpu" => b.2.cmp(&a.2),
        "memory" => b.3.cmp(&a.3),
        _ => (&a.0, &a.1).cmp(&(&b.0, &b.1)),
    });
}

async fn metrics(cx: &Cx<'_, '_>, collection: &str, name: Option<&str>, q: &str) -> Result<Vec<Value>, Error> {
    if let Some(name) = name {
        return Ok(vec![cx.get(format!("{collection}/{name}")).await?]);
    }
    let mut list = cx.get(format!("{collection}{q}")).await?;
    let Value::Array(items) = list["items"].take() else { return Ok(Vec::new()) };
    Ok(items)
}

async fn top_nodes(cx: &mut Cx<'_, '_>, name: Option<String>, selector: &str, sort: &str) -> Result<(), Error> {
    let q = query(&[("labelSelector", selector)]);
    let items = metrics(cx, &format!("{METRICS}/nodes"), name.as_deref(), &q).await?;
    if items.is_empty() {
        return Err(Error::text("metrics not available yet"));
    }
    let nodes = metrics(cx, "/api/v1/nodes", name.as_deref(), &q).await?;
    let mut list: Vec<(String, String, i64, i64)> = items
        .iter()
        .map(|m| {
            let u = &m["usage"];
            (
                String::new(),
                m["metadata"]["name"].as_str().unwrap_or("").into(),
                amount(&u["cpu"]).milli_value(),
                amount(&u["memory"]).value(),
            )
        })
        .collect();
    order(&mut list, sort);
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !cx.flags.bool("no-headers") {
        rows.push(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)", ""].map(String::from).to_vec());
    }
    let of = if cx.flags.bool("show-capacity") { "capacity" } else { "allocatable" };
    for (_, name, cpu, memory) in &list {
        let node = nodes.iter().find(|n| n["metadata"]["name"] == name.as_str());
        let have = |r: &str| node.map(|n| amount(&n["status"][of][r])).unwrap_or_default();
        let percent =
            |used: i64, all: i64| if all > 0 { format!("{}%", used.saturating_mul(100) / all) } else { "0%".into() };
        let [c, m] = cells(*cpu, *memory);
        let memory_percent = percent(*memory, have("memory").value());
        rows.push(vec![name.clone(), c, percent(*cpu, have("cpu").milli_value()), m, memory_percent, String::new()]);
    }
    for n in &nodes {
        let name = n["metadata"]["name"].as_str().unwrap_or("");
        if !list.iter().any(|(_, l, ..)| l == name) {
            let unknown = "<unknown>".to_string();
            rows.push(vec![name.into(), unknown.clone(), unknown.clone(), unknown.clone(), unknown, String::new()]);
        }
    }
    cx.out(&table::columns(rows));
    Ok(())
}

async fn top_pods(cx: &mut Cx<'_, '_>, name: Option<String>, selector: &str, sort: &str) -> Result<(), Error> {
    let all = cx.flags.bool("all-namespaces");
    let namespace = cx.namespace();
    let field = cx.flags.string("field-selector").to_string();
    let wrong = field.split(',').find(|p| !p.is_empty() && !p.contains('='));
    if let Some(part) = wrong {
        return Err(Error::Text(format!("invalid selector: '{field}'; can't understand '{part}'")));
    }
    let q = query(&[("fieldSelector", &field), ("labelSelector", selector)]);
    let collection = if all && name.is_none() {
        format!("{METRICS}/pods")
    } else {
        format!("{METRICS}/namespaces/{namespace}/pods")
    };
    let items = metrics(cx, &collection, name.as_deref(), &q).await?;
    if items.is_empty() {
        let path = if all { "/api/v1/pods".to_string() } else { format!("/api/v1/namespaces/{namespace}/pods") };
        let pods = metrics(cx, &path, name.as_deref(), &q).await?;
        if pods.is_empty() {
            let text = if all {
                "No resources found\n".into()
            } else {
                format!("No resources found in {namespace} namespace.\n")
            };
            cx.err(&text);
            return Ok(());
        }
        return Err(Error::text("metrics not available yet"));
    }
    let each = cx.flags.bool("containers");
    let mut list: Vec<(String, String, i64, i64)> = Vec::new();
    let mut containers: Vec<(String, Vec<Usage>)> = Vec::new();
    for m in &items {
        let t = |f: &str| m["metadata"][f].as_str().unwrap_or("").to_string();
        let mut own: Vec<Usage> = m["containers"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| {
                let u = &c["usage"];
                (
                    c["name"].as_str().unwrap_or("").to_string(),
                    amount(&u["cpu"]).milli_value(),
                    amount(&u["memory"]).value(),
                )
            })
            .collect();
        let sum = |f: fn(&Value) -> &Value, scale: fn(Quantity) -> i64| -> i64 {
            m["containers"].as_array().into_iter().flatten().map(|c| scale(amount(f(c)))).sum()
        };
        let (cpu, memory) =
            (sum(|c| &c["usage"]["cpu"], Quantity::milli_value), sum(|c| &c["usage"]["memory"], Quantity::value));
        list.push((if all { t("namespace") } else { String::new() }, t("name"), cpu, memory));
        own.sort_by(|a, b| match sort {
            "cpu" => b.1.cmp(&a.1),
            "memory" => b.2.cmp(&a.2),
            _ => a.0.cmp(&b.0),
        });
        containers.push((format!("{}/{}", t("namespace"), t("name")), own));
    }
    order(&mut list, sort);
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !cx.flags.bool("no-headers") {
        let mut head: Vec<&str> = Vec::new();
        if all {
            head.push("NAMESPACE");
        }
        if each {
            head.push("POD");
        }
        head.extend(["NAME", "CPU(cores)", "MEMORY(bytes)", ""]);
        rows.push(head.into_iter().map(String::from).collect());
    }
    for (ns, pod, cpu, memory) in &list {
        let begin: Vec<String> = if all { vec![ns.clone()] } else { Vec::new() };
        if each {
            let key = format!("{}/{pod}", if all { ns.as_str() } else { namespace.as_str() });
            for (name, cpu, memory) in containers.iter().filter(|(k, _)| *k == key).flat_map(|(_, l)| l) {
                let [c, m] = cells(*cpu, *memory);
                let mut row = begin.clone();
                row.extend([pod.clone(), name.clone(), c, m, String::new()]);
                rows.push(row);
            }
            continue;
        }
        let [c, m] = cells(*cpu, *memory);
        let mut row = begin;
        row.extend([pod.clone(), c, m, String::new()]);
        rows.push(row);
    }
    if cx.flags.bool("sum") {
        let [c, m] = cells(list.iter().map(|l| l.2).sum(), list.iter().map(|l| l.3).sum());
        let mut blanks = vec![String::new(); usize::from(all) + usize::from(each)];
        blanks.extend([String::new(), "________".into(), "________".into(), String::new()]);
        rows.push(blanks);
        let mut row = vec![String::new(); usize::from(all) + usize::from(each)];
        row.extend([String::new(), c, m, String::new()]);
        rows.push(row);
    }
    cx.out(&table::columns(rows));
    Ok(())
}
