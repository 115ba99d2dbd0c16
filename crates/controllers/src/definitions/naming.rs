//! Models `pkg/controller/status/naming_controller.go`: within a group nobody takes a name that another definition has been
//! given.

use super::{PROCESS, condition, user};
use api::Registered;
use api::kinds::customresourcedefinition::set_condition;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition as Definition, CustomResourceDefinitionNames as Names,
};
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use std::collections::BTreeSet;

#[derive(Clone, Default)]
pub struct NamingController;

/// A definition, and when its names become free or are taken, the others of its group.
fn changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    keys.push(change.key.clone());
    let names = |o: &Option<api::Obj>| -> Option<Names> {
        let d: &Definition = api::ObjectExt::downcast(&**o.as_ref()?)?;
        d.status.as_ref()?.accepted_names.clone()
    };
    if names(&change.old) == names(&change.new) {
        return;
    }
    let group = change.key.name().split_once('.').map_or("", |(_, g)| g);
    let same = cx.view.list::<Definition>().filter(|d| d.spec.group == group);
    keys.extend(same.map(|d| Key::new("", d.metadata.name.as_deref().unwrap_or(""))));
    keys.dedup();
}

impl Controller for NamingController {
    const NAME: &'static str = "naming-condition-controller";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![Watch { kind: Definition::KIND_REF, keys: changed }]
    }

    /// Models `sync`.
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(d) = cx.view.get::<Definition>(key) else { return out };
        // What is going keeps what it has.
        let (accepted, conflict) = accept(cx, d);
        let mut new = d.clone();
        new.status.get_or_insert_default().accepted_names = Some(accepted);
        match conflict {
            Some((reason, message)) => set_condition(&mut new, "NamesAccepted", "False", reason, &message, cx.now),
            None => set_condition(&mut new, "NamesAccepted", "True", "NoConflicts", "no conflicts found", cx.now),
        }
        // Once established it stays so.
        if condition(d, "Established").is_none_or(|c| c.status != "True") {
            let (reason, message) = if api::custom::is_true(&new, "NamesAccepted") {
                ("Installing", "the initial names have been accepted")
            } else {
                ("NotAccepted", "not all names are accepted")
            };
            set_condition(&mut new, "Established", "False", reason, message, cx.now);
        }
        if new.status != d.status {
            out.push(Intent::update_status(new));
        }
        out
    }
}

/// What the others of the group have been given: resources and kinds.
fn taken<'v>(cx: &'v Cx<'_>, d: &Definition) -> (BTreeSet<&'v str>, BTreeSet<&'v str>) {
    let (mut resources, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let others = cx.view.list::<Definition>();
    for o in others.filter(|o| o.spec.group == d.spec.group && o.metadata.uid != d.metadata.uid) {
        let Some(n) = o.status.as_ref().and_then(|s| s.accepted_names.as_ref()) else { continue };
        resources.insert(n.plural.as_str());
        resources.extend(n.singular.as_deref());
        resources.extend(n.short_names.iter().flatten().map(String::as_str));
        kinds.insert(n.kind.as_str());
        kinds.extend(n.list_kind.as_deref());
    }
    (resources, kinds)
}

/// Models `calculateNamesAndConditions`: a name that is free is taken, another one stays as it was.
fn accept(cx: &Cx, d: &Definition) -> (Names, Option<(&'static str, String)>) {
    let (resources, kinds) = taken(cx, d);
    let mut names = d.status.as_ref().and_then(|s| s.accepted_names.clone()).unwrap_or_default();
    let wanted = &d.spec.names;
    let mut conflict = None;
    let in_use = |name: &str| format!("{name:?} is already in use");
    if resources.contains(wanted.plural.as_str()) {
        conflict = Some(("PluralConflict", in_use(&wanted.plural)));
    } else {
        names.plural.clone_from(&wanted.plural);
    }
    let singular = wanted.singular.as_deref().unwrap_or("");
    if resources.contains(singular) {
        conflict = Some(("SingularConflict", in_use(singular)));
    } else {
        names.singular.clone_from(&wanted.singular);
    }
    let short: Vec<&String> = wanted.short_names.iter().flatten().collect();
    match short.iter().find(|s| resources.contains(s.as_str())) {
        Some(s) => conflict = Some(("ShortNamesConflict", in_use(s))),
        None => names.short_names.clone_from(&wanted.short_names),
    }
    if kinds.contains(wanted.kind.as_str()) {
        conflict = Some(("KindConflict", in_use(&wanted.kind)));
    } else {
        names.kind.clone_from(&wanted.kind);
    }
    let list = wanted.list_kind.as_deref().unwrap_or("");
    if kinds.contains(list) {
        conflict = Some(("ListKindConflict", in_use(list)));
    } else {
        names.list_kind.clone_from(&wanted.list_kind);
    }
    names.categories.clone_from(&wanted.categories);
    (names, conflict)
}
