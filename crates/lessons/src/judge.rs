//! Whether a check is true of a cluster.

use crate::actions::Action;
use crate::check::{Ask, Check, Event, Fork, Log, May, Objects, Process, Request, Run};
use crate::span::Span;
use cel::Value as Cel;
use serde_json::Value;
use serde_saphyr::Spanned;

/// What a check can ask of a cluster. Nothing here changes the cluster: what would, happens on a copy.
pub trait World {
    /// Every kind and its plural: `Pod`, `pods`.
    fn kinds(&self) -> Vec<(String, String)>;
    /// All objects of a kind.
    fn objects(&self, kind: &str) -> Vec<Value>;
    /// `None`: there is no such process.
    fn is_running(&self, process: &str) -> Option<bool>;
    fn may(&self, may: &May) -> bool;
    fn request(&self, pod: (&str, &str), request: &Request) -> Answer;
    fn log(&self, pod: (&str, &str), container: &str) -> String;
    /// Exit code and output of `sh -c COMMAND`.
    fn run(&self, pod: (&str, &str), container: &str, command: &str) -> (i32, String);
    /// A copy in which something was done and time has passed.
    ///
    /// # Errors
    /// It could not be done.
    fn fork(&self, actions: &[Action], after: Span) -> Result<Box<dyn World + '_>, String>;
}

/// What came back for a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// `None`: nothing came.
    pub status: Option<u16>,
    pub body: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub holds: bool,
    /// The check itself is wrong: a kind that there is not, a misspelt variable.
    pub error: Option<String>,
}

impl Verdict {
    fn of(holds: bool) -> Self {
        Verdict { holds, error: None }
    }
    fn wrong(error: impl Into<String>) -> Self {
        Verdict { holds: false, error: Some(error.into()) }
    }
}

/// `before` is the cluster as it was when the step began.
pub fn judge(check: &Check, now: &dyn World, before: &dyn World) -> Verdict {
    match check.ask() {
        Some(Ask::That(program)) => that(program, now, before),
        Some(Ask::Objects(o)) => objects(o, now),
        Some(Ask::Event(e)) => event(e, now),
        Some(Ask::Request(r)) => request(r, now),
        Some(Ask::Process(p)) => process(p, now),
        Some(Ask::User(may)) => Verdict::of(now.may(may) == may.may),
        Some(Ask::Log(l)) => log(l, now),
        Some(Ask::Run(r)) => run(r, now),
        Some(Ask::Fork(f)) => fork(f, now),
        None => Verdict::wrong("the check asks nothing"),
    }
}

/// Every variable that the expression mentions is the list of all objects of that plural.
fn that(program: &Spanned<String>, now: &dyn World, before: &dyn World) -> Verdict {
    let expression = match cel::parse(&program.value) {
        Ok(e) => e,
        Err(e) => return Verdict::wrong(e),
    };
    let kinds = now.kinds();
    let known: Vec<&str> = kinds.iter().map(|(_, plural)| plural.as_str()).chain(["before"]).collect();
    if let Some(wrong) = cel::undeclared(&expression, &known) {
        return Verdict::wrong(wrong);
    }
    let list = |world: &dyn World, kind: &str| Cel::of_json(&Value::Array(world.objects(kind)));
    let mut variables = Vec::new();
    let mut then = Vec::new();
    let looks_back = cel::mentions(&expression, "before");
    for (kind, plural) in &kinds {
        if cel::mentions(&expression, plural) {
            variables.push((plural.as_str(), list(now, kind)));
        }
        if looks_back && program.value.contains(&format!("before.{plural}")) {
            then.push((plural.clone(), list(before, kind)));
        }
    }
    variables.push(("before", Cel::map(then)));
    truth(cel::evaluate(&expression, &variables))
}

/// A field that is not there makes an expression false, not wrong.
fn truth(answer: Result<Cel, String>) -> Verdict {
    match answer {
        Ok(Cel::Bool(b)) => Verdict::of(b),
        Ok(other) => Verdict::wrong(format!("the expression gives a {}, not true or false", other.kind())),
        Err(e) if e.starts_with("no such key") || e.starts_with("index out of bounds") => Verdict::of(false),
        Err(e) => Verdict::wrong(e),
    }
}

/// The variables of an expression about one object.
const OBJECT: [&str; 4] = ["object", "metadata", "spec", "status"];

fn about(program: &Spanned<String>, object: &Value) -> Verdict {
    let expression = match cel::parse(&program.value) {
        Ok(e) => e,
        Err(e) => return Verdict::wrong(e),
    };
    if let Some(wrong) = cel::undeclared(&expression, &OBJECT) {
        return Verdict::wrong(wrong);
    }
    let whole = Cel::of_json(object);
    let part = |name: &str| object.get(name).map_or_else(|| Cel::map([]), Cel::of_json);
    let variables = OBJECT.map(|name| (name, if name == "object" { whole.clone() } else { part(name) }));
    truth(cel::evaluate(&expression, &variables))
}

fn objects(o: &Objects, now: &dyn World) -> Verdict {
    let kind = &o.kind.value;
    if !now.kinds().iter().any(|(k, _)| k == kind) {
        return Verdict::wrong(format!("there is no kind {kind:?}"));
    }
    let mut found = 0;
    let mut all = true;
    for object in now.objects(kind) {
        if !in_namespace(&object, o.namespace.as_deref()) || !o.name.as_deref().is_none_or(|n| named(&object, n)) {
            continue;
        }
        if !o.labels.as_deref().is_none_or(|l| labelled(&object, l)) {
            continue;
        }
        if !o.condition.as_deref().is_none_or(|c| has_condition(&object, c)) {
            continue;
        }
        if let Some(filter) = &o.filter {
            match about(filter, &object) {
                Verdict { error: Some(e), .. } => return Verdict::wrong(e),
                Verdict { holds: false, .. } => continue,
                _ => {}
            }
        }
        found += 1;
        if let Some(every) = &o.every {
            match about(every, &object) {
                Verdict { error: Some(e), .. } => return Verdict::wrong(e),
                v => all &= v.holds,
            }
        }
    }
    Verdict::of(all && o.count.holds(found))
}

fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(object, |v, name| v.get(name)).and_then(Value::as_str).unwrap_or("")
}

fn in_namespace(object: &Value, wanted: Option<&str>) -> bool {
    let own = text(object, &["metadata", "namespace"]);
    own.is_empty() || wanted == Some("*") || own == wanted.unwrap_or("default")
}

fn matches(own: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(own == pattern, |start| own.starts_with(start))
}

fn named(object: &Value, pattern: &str) -> bool {
    matches(text(object, &["metadata", "name"]), pattern)
}

fn labelled(object: &Value, selector: &str) -> bool {
    selector.split(',').map(str::trim).filter(|s| !s.is_empty()).all(|one| {
        let of = |key: &str| text(object, &["metadata", "labels", key]).to_string();
        match (one.split_once("!="), one.split_once('=')) {
            (Some((key, value)), _) => of(key.trim()) != value.trim(),
            (None, Some((key, value))) => of(key.trim()) == value.trim(),
            (None, None) => object.pointer("/metadata/labels").and_then(|l| l.get(one)).is_some(),
        }
    })
}

fn has_condition(object: &Value, wanted: &str) -> bool {
    let (name, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
    let all = object.pointer("/status/conditions").and_then(Value::as_array);
    all.into_iter().flatten().any(|c| text(c, &["type"]) == name && text(c, &["status"]) == status)
}

fn event(e: &Event, now: &dyn World) -> Verdict {
    let fits = |object: &Value| {
        let about =
            format!("{}/{}", text(object, &["involvedObject", "kind"]), text(object, &["involvedObject", "name"]));
        text(object, &["reason"]) == e.reason
            && in_namespace(object, e.namespace.as_deref())
            && e.about.as_deref().is_none_or(|p| matches(&about, p))
            && e.contains.as_deref().is_none_or(|part| text(object, &["message"]).contains(part))
    };
    Verdict::of(now.objects("Event").iter().any(fits) == e.seen)
}

fn process(p: &Process, now: &dyn World) -> Verdict {
    match now.is_running(&p.name.value) {
        Some(running) => Verdict::of(running == p.running),
        // A replica that was never started.
        None => Verdict::of(!p.running),
    }
}

/// The first pod that fits, those that are ready first.
fn pod(now: &dyn World, wanted: &str) -> Option<(String, String)> {
    let (namespace, rest) = wanted.split_once('/').unwrap_or(("default", wanted));
    let mut fit: Vec<Value> = now.objects("Pod");
    fit.retain(|p| text(p, &["metadata", "namespace"]) == namespace);
    fit.retain(|p| if rest.contains('=') { labelled(p, rest) } else { named(p, rest) });
    fit.sort_by_key(|p| !has_condition(p, "Ready"));
    fit.first().map(|p| (namespace.to_string(), text(p, &["metadata", "name"]).to_string()))
}

fn request(r: &Request, now: &dyn World) -> Verdict {
    let Some((namespace, name)) = pod(now, &r.from) else { return Verdict::of(false) };
    let answer = now.request((&namespace, &name), r);
    if r.fails {
        return Verdict::of(answer.status.is_none());
    }
    let said = r.contains.as_deref().is_none_or(|part| answer.body.contains(part));
    Verdict::of(answer.status == Some(r.status.unwrap_or(200)) && said)
}

fn log(l: &Log, now: &dyn World) -> Verdict {
    let Some((namespace, name)) = pod(now, &l.pod) else { return Verdict::of(false) };
    Verdict::of(now.log((&namespace, &name), &l.container).contains(&l.contains))
}

fn run(r: &Run, now: &dyn World) -> Verdict {
    let Some((namespace, name)) = pod(now, &r.pod) else { return Verdict::of(false) };
    let (code, output) = now.run((&namespace, &name), &r.container, &r.command);
    Verdict::of(code == r.exits && r.contains.as_deref().is_none_or(|part| output.contains(part)))
}

fn fork(f: &Fork, now: &dyn World) -> Verdict {
    let world = match now.fork(&f.actions, f.after) {
        Ok(world) => world,
        Err(_) => return Verdict::of(false),
    };
    for check in &f.checks {
        let verdict = judge(check, &*world, now);
        if !verdict.holds {
            return verdict;
        }
    }
    Verdict::of(true)
}
