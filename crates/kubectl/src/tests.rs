//! Whole commands against a server of ConfigMaps.

use crate::testing::{Disk, Screen, Server, run};

const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  labels: {app: x}\ndata: {a: b}\n";
const TWO: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n  labels: {app: x}\ndata: {a: b}\n";
const PRUNE: &str = "apply -f d --prune -l app=x --prune-allowlist=core/v1/ConfigMap";

fn names(server: &Server) -> Vec<String> {
    server.objects.borrow().keys().cloned().collect()
}

#[test]
fn nothing_is_pruned_after_a_failure() {
    let server = Server::default();
    let mut screen = Screen::default();
    let disk = Disk::of(&[("d/a.yaml", ONE), ("d/b.yaml", TWO)]);
    assert_eq!(run(PRUNE, &server, &disk, &mut screen), 0, "{}", screen.err);
    for broken in [TWO.replace("{a: b}", "{bad: b}"), TWO.replace("kind:", "kind: [")] {
        let disk = Disk::of(&[("d/a.yaml", ONE), ("d/b.yaml", &broken)]);
        assert_eq!(run(PRUNE, &server, &disk, &mut screen), 1);
        assert_eq!(names(&server), ["one", "two"]);
    }
    let disk = Disk::of(&[("d/a.yaml", ONE)]);
    let mut screen = Screen::default();
    assert_eq!(run(PRUNE, &server, &disk, &mut screen), 0);
    assert_eq!(screen.out, "configmap/one unchanged\nconfigmap/two pruned\n");
    assert_eq!(names(&server), ["one"]);
}

#[test]
fn kinds_to_prune_must_be_known() {
    let server = Server::default();
    let mut screen = Screen::default();
    let disk = Disk::of(&[("d/a.yaml", ONE)]);
    let line = "apply -f d --prune --all --prune-allowlist=core/v1/Wombat";
    assert_eq!(run(line, &server, &disk, &mut screen), 1);
    assert_eq!(screen.err, "error: no matches for kind \"Wombat\" in version \"v1\"\n");
    assert!(names(&server).is_empty());
}

#[test]
fn a_pruned_object_is_printed_by_itself() {
    let server = Server::default();
    let mut screen = Screen::default();
    run("apply -f d", &server, &Disk::of(&[("d/a.yaml", ONE), ("d/b.yaml", TWO)]), &mut screen);
    let mut screen = Screen::default();
    let line = format!("{PRUNE} -o jsonpath={{.metadata.name}};");
    assert_eq!(run(&line, &server, &Disk::of(&[("d/a.yaml", ONE)]), &mut screen), 0);
    assert_eq!(screen.out, "one;two;");
}

#[test]
fn an_edited_text_comes_back_with_what_is_wrong() {
    let disk = Disk::of(&[("a.yaml", ONE)]);
    let broken = |text: &str| text.replace("a: b", "a: [");
    let refused = |text: &str| text.replace("a: [", "bad: b");
    let good = |text: &str| text.replace("bad: b", "a: c");
    for line in ["create -f a.yaml --edit", "edit cm one", "apply edit-last-applied cm one"] {
        let server = Server::default();
        if !line.starts_with("create") {
            run("apply -f a.yaml", &server, &disk, &mut Screen::default());
        }
        let mut screen = Screen { edits: [broken, refused, good].into(), ..Screen::default() };
        // Only the annotation is changed there, which no server refuses.
        let annotation = line.contains("last-applied");
        assert_eq!(run(line, &server, &disk, &mut screen), 0, "{line}: {}", screen.err);
        assert_eq!(screen.shown.len(), if annotation { 2 } else { 3 }, "{line}");
        assert!(
            screen.shown[1].contains("was not valid:\n# * ") && screen.shown[1].contains("a: ["),
            "{}",
            screen.shown[1]
        );
        if annotation {
            let object = server.objects.borrow()["one"].clone();
            assert!(
                object["metadata"]["annotations"][crate::apply::LAST_APPLIED]
                    .as_str()
                    .is_some_and(|a| a.contains("\"bad\""))
            );
        } else {
            assert_eq!(server.objects.borrow()["one"]["data"]["a"], "c", "{line}");
        }
    }
}

#[test]
fn an_edit_that_stays_wrong_is_given_up() {
    let disk = Disk::of(&[("a.yaml", ONE)]);
    let server = Server::default();
    let mut screen =
        Screen { edits: [|t: &str| t.replace("a: b", "a: ["), |t: &str| t.to_string()].into(), ..Screen::default() };
    assert_eq!(run("create -f a.yaml --edit", &server, &disk, &mut screen), 1);
    assert!(screen.err.ends_with("Edit cancelled, no valid changes were saved.\n"), "{}", screen.err);
    let mut screen = Screen { edits: [(|t: &str| t.to_string()) as crate::testing::Edit].into(), ..Screen::default() };
    assert_eq!(run("create -f a.yaml --edit", &server, &disk, &mut screen), 0);
    assert_eq!(screen.err, "Edit cancelled, no changes made.\n");
    let mut screen =
        Screen { edits: [(|t: &str| t.replace("a: b", "a: c")) as crate::testing::Edit].into(), ..Screen::default() };
    assert_eq!(run("create -f a.yaml --edit --dry-run=client", &server, &disk, &mut screen), 0);
    assert_eq!(screen.out, "configmap/one created (dry run)\n");
    assert!(names(&server).is_empty());
}

#[test]
fn a_watch_reads_what_is_there_once() {
    let line = r#"{"type":"ADDED","object":{"type":"Normal","reason":"Pulled","message":"m","involvedObject":{"kind":"Pod","name":"p"},"metadata":{"namespace":"default"}}}"#;
    // Some ten megabytes in one piece: what is left must not be moved for every line.
    let server = Server { watched: format!("{line}\n").repeat(20_000), ..Server::default() };
    let mut screen = Screen::default();
    assert_eq!(run("events -w -o jsonpath={.reason};", &server, &Disk::default(), &mut screen), 0, "{}", screen.err);
    assert_eq!(screen.out.matches("Pulled;").count(), 20_000);
}
