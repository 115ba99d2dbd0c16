//! `kubottle schedule --why POD [--node NODE]`: why a pod is where it is, or nowhere, and what would make it fit.

use super::print;
use anyhow::anyhow;
use meta::Key;
use protocol::preemption_words;
use protocol::words::{Lang, note, say};
use scheduler::fixes::{self, Found};
use scheduler::{Caller, Config, Moment, World, whatif_moment};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use trace::cycle::{NodeRecord, Verdict};
use trace::explain::{Cell, WhyNot};

/// Names shown of a group of nodes.
const NAMES_MAX: usize = 4;

pub struct Question {
    /// `name` or `namespace/name`.
    pub pod: String,
    pub node: Option<String>,
    pub lang: Lang,
    pub json: bool,
}

pub fn run(
    question: &Question,
    world: World,
    config: &Config,
    seed: u64,
    caller: Option<Arc<dyn Caller>>,
) -> anyhow::Result<()> {
    let key = find(&world, &question.pod)?;
    let classes: Vec<(String, i32)> =
        world.priority_classes.iter().map(|c| (c.metadata.name.clone().unwrap_or_default(), c.value)).collect();
    let bound = world.pods.iter().find(|p| key_of(p) == key).and_then(|p| p.spec.as_ref()?.node_name.clone());
    let bound = bound.filter(|n| !n.is_empty());
    let moment = whatif_moment(world, config, seed, caller, &key).map_err(|e| anyhow!(e))?;
    let moment = moment.ok_or_else(|| {
        anyhow!("{key}: nobody schedules this pod: it has ended, or no profile is for its spec.schedulerName")
    })?;
    let nodes = match &question.node {
        Some(node) => vec![node.clone()],
        None => one_of_each(&moment),
    };
    let whys: Vec<WhyNot> =
        nodes.iter().map(|n| moment.why_not(n)).collect::<Result<_, _>>().map_err(|e| anyhow!("--node: {e}"))?;
    let found = match bound {
        Some(_) => Found::default(),
        None => fixes::search(&moment, &classes),
    };
    let text = if question.json {
        as_json(&moment, bound.as_deref(), &whys, &found)?
    } else {
        as_text(question, &key, &moment, bound.as_deref(), &whys, &found)
    };
    print(&text)
}

fn key_of(p: &k8s_openapi::api::core::v1::Pod) -> Key {
    Key::new(p.metadata.namespace.as_deref().unwrap_or("default"), p.metadata.name.as_deref().unwrap_or_default())
}

fn find(world: &World, named: &str) -> anyhow::Result<Key> {
    let found: Vec<Key> = world.pods.iter().map(key_of).filter(|k| k.as_str() == named || k.name() == named).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(anyhow!("--why: pods {named:?} not found in the files")),
        several => {
            let names: Vec<&str> = several.iter().map(Key::as_str).collect();
            Err(anyhow!("--why: {named:?} is the name of several pods, say which: {}", names.join(", ")))
        }
    }
}

fn refusal(n: &NodeRecord) -> Option<(&str, &[String])> {
    n.filters.iter().find(|f| f.verdict != Verdict::Pass).map(|f| (f.plugin.as_str(), f.reasons.as_slice()))
}

/// Nodes by what is said of them first, the most common first: plugin, reasons (empty: they fit) and names.
fn groups(moment: &Moment) -> Vec<(String, String, Vec<String>)> {
    let mut groups: Vec<(String, String, Vec<String>)> = Vec::new();
    for n in &moment.cycle().nodes {
        let (plugin, reasons) = refusal(n).map(|(p, r)| (p.to_string(), r.join(", "))).unwrap_or_default();
        match groups.iter_mut().find(|g| g.0 == plugin && g.1 == reasons) {
            Some(g) => g.2.push(n.name.clone()),
            None => groups.push((plugin, reasons, vec![n.name.clone()])),
        }
    }
    groups.sort_by_key(|g| (!g.0.is_empty(), std::cmp::Reverse(g.2.len())));
    groups
}

/// The first node of every group that refuses the pod.
fn one_of_each(moment: &Moment) -> Vec<String> {
    let refused = groups(moment).into_iter().filter(|g| !g.0.is_empty());
    refused.filter_map(|g| g.2.into_iter().next()).collect()
}

fn as_json(moment: &Moment, bound: Option<&str>, whys: &[WhyNot], found: &Found) -> anyhow::Result<String> {
    let groups: Vec<Value> = groups(moment)
        .into_iter()
        .map(|(plugin, reasons, nodes)| json!({"plugin": plugin, "reasons": reasons, "nodes": nodes}))
        .collect();
    let cycle = moment.cycle();
    let fixes: Vec<_> = found.fixes.iter().map(|f| &f.fix).collect();
    let all = json!({
        "pod": moment.pod_ref(),
        "node": bound.or(cycle.node.as_deref()),
        "bound": bound.is_some(),
        "message": cycle.message,
        "nominatedNode": cycle.nominated_node,
        "victims": cycle.victims,
        "preemption": cycle.preemption,
        "groups": groups,
        "why": whys,
        "fixes": fixes,
        "tried": found.tried,
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&all)?))
}

fn as_text(q: &Question, key: &Key, m: &Moment, bound: Option<&str>, whys: &[WhyNot], found: &Found) -> String {
    let (lang, pod, mut out) = (q.lang, key.as_str(), String::new());
    let cycle = m.cycle();
    let head = match (bound, &cycle.node, &cycle.nominated_node) {
        (Some(node), ..) => say(lang, "cli.is-bound", &[("pod", pod), ("node", node)]),
        (_, Some(node), _) => say(lang, "cli.bound", &[("pod", pod), ("node", node)]),
        (_, _, Some(node)) => {
            let n = cycle.victims.len().to_string();
            say(lang, "cli.preempts", &[("pod", pod), ("node", node), ("n", &n)])
        }
        _ => say(lang, "cli.unschedulable", &[("pod", pod)]),
    };
    let _ = writeln!(out, "{head}");
    if bound.is_none() && !cycle.message.is_empty() {
        let _ = writeln!(out, "  {}", cycle.message);
    }
    if bound.is_none() {
        for line in preemption_words::lines(lang, &cycle) {
            let _ = writeln!(out, "  {line}");
        }
    }
    if q.node.is_none() {
        out.push('\n');
        for (plugin, reasons, nodes) in groups(m) {
            let _ = writeln!(out, "  {}", group(lang, &plugin, &reasons, &nodes));
        }
    }
    for why in whys {
        out.push('\n');
        why_text(lang, why, &mut out);
    }
    if bound.is_some() || !found.fits.is_empty() {
        return out;
    }
    out.push('\n');
    if found.fixes.is_empty() {
        let _ = writeln!(out, "{}", say(lang, "cli.no-fix", &[("n", &found.tried.to_string())]));
        return out;
    }
    let _ = writeln!(out, "{}", say(lang, "cli.fixes", &[]));
    for (i, f) in found.fixes.iter().enumerate() {
        let edits: Vec<String> = f.fix.edits.iter().map(|e| note(lang, &e.note)).collect();
        let args = [("n", &*(i + 1).to_string()), ("edits", &*edits.join(" + ")), ("node", &*f.fix.node)];
        let _ = writeln!(out, "  {}", say(lang, "cli.fix", &args));
        for e in f.fix.edits.iter().filter(|e| !e.path.is_empty()) {
            let name = if e.namespace.is_empty() { e.name.clone() } else { format!("{}/{}", e.namespace, e.name) };
            let object = format!("{} {name}", e.kind);
            let args = [
                ("object", &*object),
                ("path", &*e.path),
                ("before", &*short(&e.before)),
                ("after", &*short(&e.after)),
            ];
            let _ = writeln!(out, "     {}", say(lang, "cli.edit", &args));
        }
        if !f.fix.victims.is_empty() {
            let victims: Vec<String> = f.fix.victims.iter().map(|v| format!("{}/{}", v.namespace, v.name)).collect();
            let _ = writeln!(out, "     {}", say(lang, "cli.fix-victims", &[("victims", &victims.join(", "))]));
        }
    }
    out
}

/// A field's value on one line; nothing there is shown as such.
fn short(v: &Value) -> String {
    match v {
        Value::Null => "-".into(),
        Value::String(s) => s.clone(),
        v => v.to_string(),
    }
}

fn group(lang: Lang, plugin: &str, reasons: &str, nodes: &[String]) -> String {
    let mut names = nodes.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    if nodes.len() > NAMES_MAX {
        names.push_str(", …");
    }
    let n = nodes.len().to_string();
    match plugin {
        "" if reasons.is_empty() => say(lang, "cli.group-fit", &[("n", &n), ("names", &names)]),
        plugin => say(lang, "cli.group", &[("n", &n), ("plugin", plugin), ("reasons", reasons), ("names", &names)]),
    }
}

fn why_text(lang: Lang, why: &WhyNot, out: &mut String) {
    let node = why.node.as_str();
    let (theirs, ours) = (why.best.unwrap_or(0).to_string(), why.total.unwrap_or(0).to_string());
    let args = [("node", node), ("best", &*why.goes_to), ("theirs", &*theirs), ("ours", &*ours)];
    let elsewhere = why.fits && why.goes_to != why.node && why.total.is_some() && why.best.is_some();
    let code = match (why.fits, elsewhere) {
        (false, _) => "cli.why-not",
        (true, false) => "cli.why-fits",
        (true, true) if why.total == why.best => "cli.why-tie",
        (true, true) => "cli.why-fits-but",
    };
    let _ = writeln!(out, "{}", say(lang, code, &args));
    if elsewhere {
        for (plugin, here, there) in &why.scores {
            let args = [("plugin", &**plugin), ("here", &*here.to_string()), ("there", &*there.to_string())];
            let _ = writeln!(out, "  {}", say(lang, "cli.score", &args));
        }
    }
    let refuses = |c: &&Cell| c.verdict != Verdict::Pass;
    for c in why.cells.iter().filter(refuses) {
        let _ = writeln!(out, "  {}: {}", c.plugin, c.reasons.join(", "));
        for n in &c.inputs.notes {
            let _ = writeln!(out, "    {}", note(lang, n));
        }
    }
}
