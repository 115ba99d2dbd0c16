use super::{DefinitionFinalizer, EstablishingController, NamingController};
use crate::testing::{World, rfc3339};
use expect_test::expect;
use serde_json::{Value, json};

fn definition(plural: &str, kind: &str, status: Value) -> Value {
    let name = format!("{plural}.example.com");
    let names = json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List"), "shortNames": ["ct"]});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "uid": format!("uid-{plural}")},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
        "status": status,
    })
}

fn accepted(plural: &str, kind: &str) -> Value {
    let mut d = definition(plural, kind, json!({}));
    d["status"] = json!({"acceptedNames": d["spec"]["names"], "conditions": [
        {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
        {"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"}]});
    d
}

#[test]
fn free_names_are_accepted_then_served() {
    let mut w = World::<NamingController>::new([definition("crontabs", "CronTab", json!({}))]);
    expect![[r#"
        update-status customresourcedefinitions crontabs.example.com {"acceptedNames":{"kind":"CronTab","listKind":"CronTabList","plural":"crontabs","shortNames":["ct"],"singular":"crontab"},"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"no conflicts found","reason":"NoConflicts","status":"True","type":"NamesAccepted"},{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"the initial names have been accepted","reason":"Installing","status":"False","type":"Established"}],"storedVersions":null}
    "#]].assert_eq(&w.run("crontabs.example.com"));
    let mut w = World::<NamingController>::new([accepted("crontabs", "CronTab")]);
    assert_eq!(w.run("crontabs.example.com"), "", "nothing is left to do");
}

#[test]
fn a_name_in_use_is_refused() {
    let mut w =
        World::<NamingController>::new([accepted("crontabs", "CronTab"), definition("others", "CronTab", json!({}))]);
    let said = w.run("others.example.com");
    assert!(said.contains(r#""message":"\"CronTabList\" is already in use","reason":"ListKindConflict","status":"False","type":"NamesAccepted""#), "{said}");
    assert!(said.contains(r#""reason":"NotAccepted","status":"False","type":"Established""#), "{said}");
    let keys = w.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "crontabs.example.com");
    assert!(format!("{keys:?}").contains("others.example.com"), "{keys:?}");
    assert!(w.run("others.example.com").contains("NoConflicts"));
}

#[test]
fn accepted_names_establish() {
    let mut d = accepted("crontabs", "CronTab");
    d["status"]["conditions"][1]["status"] = "False".into();
    let mut w = World::<EstablishingController>::new([d]);
    let said = w.run("crontabs.example.com");
    assert!(said.contains(r#""reason":"InitialNamesAccepted","status":"True","type":"Established""#), "{said}");
    let mut w = World::<EstablishingController>::new([definition("crontabs", "CronTab", json!({}))]);
    assert_eq!(w.run("crontabs.example.com"), "");
}

#[test]
fn objects_go_before_their_definition() {
    let mut d = accepted("crontabs", "CronTab");
    d["metadata"]["deletionTimestamp"] = rfc3339(0).into();
    d["metadata"]["finalizers"] = json!(["customresourcecleanup.apiextensions.k8s.io"]);
    let mut w = World::<DefinitionFinalizer>::new([d.clone()]);
    let object = json!({"apiVersion": "example.com/v1", "kind": "CronTab", "metadata": {"name": "a", "namespace": "default", "uid": "uid-a"}});
    w.put(object);
    let said = w.run("crontabs.example.com");
    assert!(said.contains("InstanceDeletionInProgress") && !said.contains("delete crontabs"), "{said}");
    let condition = json!({"type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress"});
    d["status"]["conditions"].as_array_mut().expect("conditions").push(condition);
    w.put(d);
    assert_eq!(w.run("crontabs.example.com"), "delete crontabs default/a grace=None propagation=Some(Background)\n");
    assert_eq!(format!("{:?}", w.delete("example.com/v1", "CronTab", "default/a")), "[crontabs.example.com]");
    let said = w.run("crontabs.example.com");
    assert!(said.contains("InstanceDeletionCompleted") && said.contains(r#""finalizers":[]"#), "{said}");
}
