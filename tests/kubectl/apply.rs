//! apply, diff, edit, patch, label, dry run, and what is refused.

use system_tests::{Server, manifest};

#[test]
fn apply_and_its_kin() {
    let Some(s) = Server::start(&[]) else { return };
    assert_eq!(s.apply("configmap.yaml"), "configmap/game-demo created\npod/configmap-demo-pod created\n");
    // kubectl orders the manifest's volumes against the live ones, to which admission added the token's volume: its patch
    // for the pod is never empty, so it says "configured". Not compared with a real cluster yet.
    assert_eq!(s.apply("configmap.yaml"), "configmap/game-demo unchanged\npod/configmap-demo-pod configured\n");

    assert_eq!(s.k("label configmap game-demo level=2"), "configmap/game-demo labeled\n");
    assert_eq!(s.k("annotate configmap game-demo note=x"), "configmap/game-demo annotated\n");
    assert_eq!(s.k("get cm game-demo -o jsonpath={.metadata.labels.level}"), "2");
    assert_eq!(s.k("get cm -l level=2 -o name"), "configmap/game-demo\n");
    assert_eq!(s.k("get cm -l level=3 -o name"), "");
    assert_eq!(
        s.k("get cm --field-selector metadata.name=game-demo -o custom-columns=N:.metadata.name"),
        "N\ngame-demo\n"
    );

    let patched =
        s.kubectl(&["patch", "cm", "game-demo", "--type", "merge", "-p", r#"{"data":{"player_initial_lives":"9"}}"#]);
    assert_eq!(patched.good(), "configmap/game-demo patched\n");
    assert_eq!(s.k("get cm game-demo -o jsonpath={.data.player_initial_lives}"), "9");
    let diff = s.kubectl(&["diff", "-f", &manifest("configmap.yaml")]);
    assert!(
        !diff.ok
            && diff.out.contains("-  player_initial_lives: \"9\"")
            && diff.out.contains("+  player_initial_lives: \"3\""),
        "{diff:?}"
    );
    assert_eq!(s.apply("configmap.yaml"), "configmap/game-demo configured\npod/configmap-demo-pod configured\n");

    let edit = s.command(&["edit", "cm", "game-demo"]).env("KUBE_EDITOR", "sed -i s/monsters/dragons/").output();
    assert!(edit.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("configmap/game-demo edited")));
    assert!(s.k("get cm game-demo -o yaml").contains("aliens,dragons"));

    assert_eq!(s.k("create configmap settings --from-literal=a=b"), "configmap/settings created\n");
    let again = s.kubectl(&["create", "configmap", "settings"]).bad();
    assert_eq!(again, "error: failed to create configmap: configmaps \"settings\" already exists\n");
    assert_eq!(
        s.kubectl(&["get", "cm", "nothing"]).bad(),
        "Error from server (NotFound): configmaps \"nothing\" not found\n"
    );
    assert_eq!(s.k("create configmap other --dry-run=server"), "configmap/other created (server dry run)\n");
    assert!(!s.k("get cm -o name").contains("other"));

    assert_eq!(
        s.k("delete cm settings"),
        "configmap \"settings\" deleted from default namespace\n".replace(" from default namespace", "")
    );
}

#[test]
fn bad_manifests_are_refused() {
    let Some(s) = Server::start(&[]) else { return };
    let refused = |name: &str, words: &str| {
        let err = s.kubectl(&["apply", "-f", &manifest(&format!("bad/{name}"))]).bad();
        assert!(err.contains(words), "{name}: no {words:?} in\n{err}");
    };
    refused("unknown-field.yaml", "strict decoding error: unknown field \"spec.containers[0].imagee\"");
    refused(
        "wrong-type.yaml",
        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    );
    refused("unknown-kind.yaml", "no matches for kind \"Deployment\" in version \"v1\"");
    refused(
        "second.yaml",
        "The ConfigMap \"Second_Is_Not\" is invalid: metadata.name: Invalid value: \"Second_Is_Not\"",
    );
    let invalid = s.kubectl(&["create", "deployment", "x", "--image=nginx", "--replicas=-1"]).bad();
    assert!(invalid.contains("must be greater than or equal to 0"), "{invalid}");
}

#[test]
fn server_side_apply() {
    let Some(s) = Server::start(&[]) else { return };
    let file = manifest("configmap.yaml");
    let applied = "configmap/game-demo serverside-applied\npod/configmap-demo-pod serverside-applied\n";
    // What client-side apply owned goes over to server-side apply.
    s.apply("configmap.yaml");
    assert_eq!(s.kubectl(&["apply", "--server-side", "-f", &file]).good(), applied);
    assert_eq!(s.kubectl(&["diff", "--server-side", "-f", &file]).good(), "");
    let managers = || {
        let path = "{range.metadata.managedFields[*]}{.manager}/{.operation},{end}";
        let out = s.k(&format!("get cm game-demo --show-managed-fields -o jsonpath={path}"));
        let mut list: Vec<String> = out.split_terminator(',').map(Into::into).collect();
        list.sort();
        list
    };
    // kubectl keeps the annotation of client-side apply under a name of its own.
    assert_eq!(managers(), ["kubectl-last-applied/Apply", "kubectl/Apply"]);

    let patched =
        s.kubectl(&["patch", "cm", "game-demo", "--type=merge", "-p", r#"{"data":{"player_initial_lives":"9"}}"#]);
    assert_eq!(patched.good(), "configmap/game-demo patched\n");
    assert_eq!(managers(), ["kubectl-last-applied/Apply", "kubectl-patch/Update", "kubectl/Apply"]);
    let refused = s.kubectl(&["apply", "--server-side", "-f", &file]).bad();
    let words = "Apply failed with 1 conflict: conflict with \"kubectl-patch\" using v1: .data.player_initial_lives";
    assert!(refused.contains(words), "{refused}");
    let forced = s.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]).good();
    assert_eq!(forced, applied);
    assert_eq!(managers(), ["kubectl-last-applied/Apply", "kubectl/Apply"]);
    assert_eq!(s.k("get cm game-demo -o jsonpath={.data.player_initial_lives}"), "3");
    assert!(!s.k("get cm game-demo -o yaml").contains("managedFields"));

    // The kubelet owns a pod's status, whoever made the pod.
    s.until("get pod configmap-demo-pod -o jsonpath={.status.phase}", |t| t == "Running");
    let pod = "get pod configmap-demo-pod --show-managed-fields -o jsonpath={range.metadata.managedFields[*]}{.manager}/{.operation}/{.subresource}-{end}";
    let owners = s.k(pod);
    assert!(owners.ends_with("-kubelet/Update/status-") && !owners.contains("client-side"), "{owners}");
    // A field that is no longer applied goes.
    let second = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: game-demo}\ndata: {player_initial_lives: '4'}\n";
    let path = s.file("second.yaml", second);
    assert_eq!(s.kubectl(&["apply", "--server-side", "-f", &path]).good(), "configmap/game-demo serverside-applied\n");
    assert_eq!(s.k("get cm game-demo -o jsonpath={.data}"), r#"{"player_initial_lives":"4"}"#);
}
