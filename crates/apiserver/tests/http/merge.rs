//! The merge cases of structured-merge-diff (`merge/*_test.go`), from `cases/merge.yaml`.

use apiserver::fields::managers::{Apply, Id, Managers};
use apiserver::fields::path::{self, Set};
use apiserver::fields::schema::Schema;
use apiserver::fields::walk::Typed;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
struct Group {
    group: String,
    schema: Vec<String>,
    root: String,
    /// Every case ends in an error.
    #[serde(default)]
    fails: bool,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    ops: Vec<Op>,
    object: Option<Value>,
    managed: Option<BTreeMap<String, Owns>>,
}

#[derive(Deserialize)]
struct Op {
    apply: Option<String>,
    force: Option<String>,
    update: Option<String>,
    version: String,
    object: Value,
    conflicts: Option<Vec<Conflict>>,
}

#[derive(Deserialize)]
struct Conflict {
    manager: String,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Owns {
    version: String,
    fields: Vec<Vec<String>>,
}

/// From the keys of `FieldsV1`.
fn set(paths: &[Vec<String>]) -> Set {
    paths.iter().fold(Set::default(), |all, p| {
        let json = p.iter().rev().fold(serde_json::json!({}), |inner, key| serde_json::json!({ key: inner }));
        all.union(&Set::from_json(&json).expect("a set"))
    })
}

fn id(name: &str) -> Id {
    Id { name: name.into(), applies: false, version: "".into(), subresource: "".into() }
}

fn run(typed: Typed<'_>, case: &Case) -> Result<(Value, Managers), String> {
    let (mut live, mut managers) = (Value::Null, Managers::new());
    for op in &case.ops {
        let version: Arc<str> = op.version.as_str().into();
        let name = op.apply.as_ref().or(op.force.as_ref()).or(op.update.as_ref()).expect("a manager");
        let id = id(name);
        typed.validate(&op.object, op.update.is_some()).map_err(|e| e.to_string())?;
        if op.update.is_some() {
            typed.update(&live, &op.object, &mut managers, &id, &version, &[]);
            live = op.object.clone();
            continue;
        }
        let by = Apply { id: &id, version: &version, config: &op.object, force: op.force.is_some(), reset: &[] };
        let mut next = managers.clone();
        let shown = |list: &mut Vec<String>| {
            list.sort();
            list.join("\n")
        };
        let wanted = op.conflicts.iter().flatten();
        let mut wanted: Vec<String> = wanted
            .map(|c| format!("{} {}", c.manager, path::text(&set(std::slice::from_ref(&c.path)).paths()[0])))
            .collect();
        match typed.apply(&by, &live, &mut next) {
            Ok(new) => {
                if !wanted.is_empty() {
                    return Err(format!("no conflict, but there should be:\n{}", shown(&mut wanted)));
                }
                live = new.unwrap_or(live);
                managers = next;
            }
            Err(conflicts) => {
                let mut found: Vec<String> =
                    conflicts.iter().map(|(id, p)| format!("{} {}", id.name, path::text(p))).collect();
                if shown(&mut found) != shown(&mut wanted) {
                    return Err(format!("conflicts:\n{}\nwanted:\n{}", found.join("\n"), wanted.join("\n")));
                }
            }
        }
    }
    Ok((live, managers))
}

#[test]
fn upstreams_merge_cases() {
    let groups: Vec<Group> = serde_saphyr::from_str(include_str!("cases/merge.yaml")).expect("the cases");
    let (mut bad, mut count) = (Vec::new(), 0);
    for g in &groups {
        let schema = Schema::parse(&g.schema.join("\n"));
        let typed = Typed { schema: &schema, of: schema.get(&g.root) };
        for case in &g.cases {
            count += 1;
            let at = format!("{} {}", g.group, case.name);
            let (live, managers) = match (run(typed, case), g.fails) {
                (Err(_), true) => continue,
                (Ok(_), true) => {
                    bad.push(format!("{at}: it should have failed"));
                    continue;
                }
                (Err(e), false) => {
                    bad.push(format!("{at}: {e}"));
                    continue;
                }
                (Ok(end), false) => end,
            };
            if case.object.as_ref().is_some_and(|o| *o != live) {
                bad.push(format!("{at}:\n  {live}\n  instead of\n  {}", case.object.clone().unwrap_or_default()));
            }
            let Some(wanted) = &case.managed else { continue };
            let wanted: BTreeMap<&str, (&str, Set)> =
                wanted.iter().map(|(m, o)| (m.as_str(), (o.version.as_str(), set(&o.fields)))).collect();
            let found: BTreeMap<&str, (&str, Set)> =
                managers.iter().map(|(id, o)| (&*id.name, (&*o.version, o.set.clone()))).collect();
            if wanted != found {
                let show = |m: &BTreeMap<&str, (&str, Set)>| {
                    m.iter().map(|(k, (v, s))| format!("\n    {k} {v} {}", s.to_json())).collect::<String>()
                };
                bad.push(format!("{at}: managed{}\n  instead of{}", show(&found), show(&wanted)));
            }
        }
    }
    assert!(count > 75, "only {count} cases were read");
    assert!(bad.is_empty(), "{} of {count}:\n{}", bad.len(), bad.join("\n"));
}
