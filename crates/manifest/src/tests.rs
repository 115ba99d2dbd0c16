use crate::{Limits, Problem, locate, locate_key, parse, parse_values, parse_with, refusals};
use expect_test::{Expect, expect};
use meta::ApiError;

fn show(problems: &[Problem]) -> String {
    let mut out = String::new();
    for p in problems {
        out.push_str(&format!("{p} ({}", p.hint));
        if !p.path.is_empty() {
            out.push_str(&format!(", at {}", p.path));
        }
        if let Some(s) = &p.suggestion {
            out.push_str(&format!(", did you mean {s}"));
        }
        out.push_str(")\n");
    }
    out
}

fn check(text: &str, expected: Expect) {
    let got = match parse(&[("x.yaml", text)]) {
        Ok(documents) => documents.iter().map(|d| format!("{}: {}\n", d.line, d.value)).collect(),
        Err(problems) => {
            for p in &problems {
                assert!(crate::HINTS.contains(&p.hint), "{}", p.hint);
            }
            show(&problems)
        }
    };
    expected.assert_eq(&got);
}

fn check_kubectl(text: &str, expected: Expect) {
    let problems = parse(&[("x.yaml", text)]).unwrap_err();
    expected.assert_eq(&problems.iter().map(|p| format!("error: {}\n", p.kubectl)).collect::<String>());
}

#[test]
fn reads_documents() {
    check(
        "# words only\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {mode: \"0644\", on: x}\n---\n\n---\n{\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"x\\/y\"}}\n",
        expect![[r#"
            3: {"apiVersion":"v1","data":{"mode":"0644","true":"x"},"kind":"ConfigMap","metadata":{"name":"a"}}
            10: {"apiVersion":"v1","kind":"Pod","metadata":{"name":"x/y"}}
        "#]],
    );
    check("", expect![[""]]);
    check("# nothing\n", expect![[""]]);
    check("null\n", expect![[""]]);
}

#[test]
fn lists_are_their_items() {
    check(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: {name: b}\n",
        expect![[r#"
            4: {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}
            10: {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}
        "#]],
    );
    check(
        "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n- 5\n",
        expect![[r#"
            x.yaml:4:3: apiVersion not set (missing-type, did you mean v1)
            x.yaml:5:3: json: cannot unmarshal number into Go value of type unstructured.detector (root-type)
        "#]],
    );
}

#[test]
fn anchors_and_merge_keys() {
    check(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a, labels: {app: x}}\ndata:\n  <<: &d {a: \"1\", b: \"2\"}\n  b: \"3\"\nextra: [*m, {<<: [*d, {a: other, c: \"4\"}]}]\n",
        expect![[r#"
            1: {"apiVersion":"v1","data":{"a":"1","b":"3"},"extra":[{"labels":{"app":"x"},"name":"a"},{"a":"1","b":"2","c":"4"}],"kind":"ConfigMap","metadata":{"labels":{"app":"x"},"name":"a"}}
        "#]],
    );
    check(
        "a: *x\n",
        expect![[r#"
        x.yaml:1:4: yaml: unknown anchor 'x' referenced (anchor)
    "#]],
    );
    check(
        "a: &x [*x]\n",
        expect![[r#"
        x.yaml:1:8: yaml: anchor 'x' value contains itself (anchor)
    "#]],
    );
    check(
        "a: {<<: 5}\n",
        expect![[r#"
        x.yaml:1:1: [apiVersion not set, kind not set] (missing-type)
        x.yaml:1:5: yaml: map merge requires map or sequence of maps as the value (anchor, at a)
    "#]],
    );
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let copies = vec![format!("*a{}", i - 1); 10].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{copies}]\n"));
    }
    check(
        &text,
        expect![[r#"
        x.yaml:5:40: yaml: document contains excessive aliasing (alias-bomb)
    "#]],
    );
}

#[test]
fn syntax_errors_have_a_place_and_a_cause() {
    check(
        "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n",
        expect![[r#"
        x.yaml:4:1: yaml: line 4: found character that cannot start any token (tabs)
    "#]],
    );
    check(
        "apiVersion: v1\nkind: Pod\n\tmetadata: x\n",
        expect![[r#"
        x.yaml:3:1: yaml: line 3: found a tab character that violates indentation (tabs)
    "#]],
    );
    check(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n labels: y\n",
        expect![[r#"
        x.yaml:5:2: yaml: line 5: did not find expected key (indent)
    "#]],
    );
    check(
        "image: nginx: 1.27\n",
        expect![[r#"
        x.yaml:1:13: yaml: line 1: mapping values are not allowed in this context (colon)
    "#]],
    );
    check(
        "a: \"b\nc: d\n",
        expect![[r#"
        x.yaml:1:4: yaml: line 1: found unexpected end of stream (quote)
    "#]],
    );
    check(
        "args: [a, b\nc: d\n",
        expect![[r#"
        x.yaml:2:2: yaml: line 2: mapping values are not allowed in this context (colon)
    "#]],
    );
    check(
        "a: {b: c\n",
        expect![[r#"
        x.yaml:1:4: yaml: line 1: did not find expected ',' or '}' (bracket)
    "#]],
    );
    check(
        "a: @b\n",
        expect![[r#"
        x.yaml:1:4: yaml: line 1: found character that cannot start any token (quote)
    "#]],
    );
    check(
        "a: x\n- b\n",
        expect![[r#"
        x.yaml:2:3: yaml: line 2: did not find expected key (indent)
    "#]],
    );
    check(
        "a: .nan\nb: !!int x\n? [k]\n: v\nc: !!str 5\n",
        expect![[r#"
        x.yaml:1:1: [apiVersion not set, kind not set] (missing-type)
        x.yaml:1:4: json: unsupported value: NaN (number, at a)
        x.yaml:2:10: yaml: cannot decode !!str `x` as a !!int (tag, at b)
        x.yaml:3:3: yaml: invalid map key: ["k"] (map-key)
    "#]],
    );
}

#[test]
fn every_problem_of_every_document_is_reported() {
    check(
        "apiVersion: v1\nkind: Pod\nkind: Pod\nmetadata:\n  labels: {앱: a, 앱: b}\n---\nkind: \"Pod\n---\napiVersion: v1\nkind: Deployment\n---\nkind: Pod\n---\napiVersion: v1\nkind: pod\n---\napiVersion: apps/v1\nkind: Deploymnet\n---\napiVersion: example.com/v1\nkind: Foo\n---\napiVersion: 1\nkind: Pod\n",
        expect![[r#"
            x.yaml:3:1: key "kind" already set in map (duplicate-key, at kind)
            x.yaml:5:18: key "앱" already set in map (duplicate-key, at metadata.labels.앱)
            x.yaml:7:7: yaml: line 7: found unexpected end of stream (quote)
            x.yaml:9:13: no matches for kind "Deployment" in version "v1" (api-version, at apiVersion, did you mean apps/v1)
            x.yaml:12:1: apiVersion not set (missing-type, did you mean v1)
            x.yaml:15:7: no matches for kind "pod" in version "v1" (kind-case, at kind, did you mean Pod)
            x.yaml:18:7: no matches for kind "Deploymnet" in version "apps/v1" (unknown-kind, at kind, did you mean Deployment)
            x.yaml:21:7: no matches for kind "Foo" in version "example.com/v1" (unknown-kind, at kind)
            x.yaml:23:13: apiVersion isn't string type (wrong-type, at apiVersion, did you mean v1)
        "#]],
    );
}

#[test]
fn columns_count_characters() {
    check(
        "주석: \"한글\" # 설명\n키: {이름: 값, 이름: 둘}\n",
        expect![[r#"
        x.yaml:1:1: [apiVersion not set, kind not set] (missing-type)
        x.yaml:2:12: key "이름" already set in map (duplicate-key, at 키.이름)
    "#]],
    );
}

#[test]
fn the_root_must_be_a_map() {
    check(
        "hello\n",
        expect![[r#"
        x.yaml:1:1: json: cannot unmarshal string into Go value of type unstructured.detector (root-type)
    "#]],
    );
    check(
        "- a\n",
        expect![[r#"
        x.yaml:1:1: json: cannot unmarshal array into Go value of type unstructured.detector (root-type)
    "#]],
    );
    check(
        "---\ntrue\n--- 5\n",
        expect![[r#"
        x.yaml:2:1: json: cannot unmarshal bool into Go value of type unstructured.detector (root-type)
        x.yaml:3:5: json: cannot unmarshal number into Go value of type unstructured.detector (root-type)
    "#]],
    );
}

#[test]
fn kubectl_says() {
    check_kubectl(
        "a: x\n- b\n",
        expect![[r#"
        error: error parsing x.yaml: error converting YAML to JSON: yaml: line 2: did not find expected key
    "#]],
    );
    check_kubectl(
        "a: 1\na: 2\n",
        expect![[r#"
        error: error validating "x.yaml": error validating data: [apiVersion not set, kind not set]; if you choose to ignore these errors, turn validation off with --validate=false
        error: error parsing x.yaml: error converting YAML to JSON: yaml: unmarshal errors:
          line 2: key "a" already set in map
    "#]],
    );
    check_kubectl(
        "hello\n",
        expect![[r#"
        error: unable to decode "x.yaml": json: cannot unmarshal string into Go value of type unstructured.detector
    "#]],
    );
    check_kubectl(
        "apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n",
        expect![[r#"
        error: resource mapping not found for name: "x" namespace: "" from "x.yaml": no matches for kind "Foo" in version "v1"
        ensure CRDs are installed first
    "#]],
    );
}

#[test]
fn too_big_is_refused_unread() {
    let text = format!("apiVersion: v1\nkind: ConfigMap\ndata: {{a: {}}}\n", "x".repeat(10 << 20));
    check(
        &text,
        expect![[r#"
        x.yaml:1:1: Request entity too large: limit is 8388608 (too-big)
    "#]],
    );
    assert!(parse_with(&[("x.yaml", &text)], Limits::DUMP).is_ok());
    let big = format!("a: {}\n", "x".repeat(4 << 20));
    check(
        &format!("---\nkind: Pod\n---\n{big}"),
        expect![[r#"
        x.yaml:2:1: apiVersion not set (missing-type, did you mean v1)
        x.yaml:4:1: Request entity too large: limit is 3145728 (too-big)
    "#]],
    );
    let deep = "[".repeat(5000);
    check(
        &deep,
        expect![[r#"
        x.yaml:1:121: yaml: line 1: exceeded max depth (too-deep)
    "#]],
    );
    let deep: String = (0..500).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    check(
        &deep,
        expect![[r#"
        x.yaml:121:121: yaml: line 121: exceeded max depth (too-deep)
    "#]],
    );
}

#[test]
fn values_of_any_kind() {
    let text = "kind: KubeSchedulerConfiguration\nprofiles: []\n";
    assert_eq!(parse_values(&[("c", text)], Limits::REQUEST).map(|d| d.len()), Ok(1));
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
    app.kubernetes.io/name: 웹
spec:
  replicas: three
  template:
    spec:
      containers:
      - name: a
        image: nginx
      - name: b
        image: nginx
        ports:
        - containerPort: 80
        - {name: x, containerPort: \"81\"}
";

#[test]
fn paths_lead_to_places() {
    let document = parse(&[("x.yaml", DEPLOYMENT)]).unwrap().remove(0);
    let cases = [
        ("spec.replicas", "9:13 9:3"),
        ("spec.template.spec.containers[1].ports[1].containerPort", "19:36 19:21"),
        ("spec.template.spec.containers.1.ports.1.containerPort", "19:36 19:21"),
        ("spec.?.template.?.spec.?.containers[0].image", "14:16 14:9"),
        ("spec.template.spec.containers.ports.containerPort", "18:26 18:11"),
        ("spec.template.spec.containers[1].ports[0].hostPort", "18:11 18:11"),
        ("spec.template.spec.containers[7].image", "12:7 12:7"),
        ("spec.selector", "8:1 8:1"),
        ("metadata.labels", "5:3 5:3"),
        ("metadata.labels[app]", "6:10 6:5"),
        ("metadata.labels[app.kubernetes.io/name]", "7:29 7:5"),
        ("metadata.labels.app.kubernetes.io/name", "7:29 7:5"),
        ("metadata.annotations[a", "3:1 3:1"),
        ("", "1:1 1:1"),
        ("status", "1:1 1:1"),
    ];
    for (path, expected) in cases {
        let (v, k) = (locate(&document, path), locate_key(&document, path));
        assert_eq!(format!("{}:{} {}:{}", v.line, v.column, k.line, k.column), expected, "{path}");
    }
}

#[test]
fn refusals_come_home() {
    let document = parse(&[("x.yaml", DEPLOYMENT)]).unwrap().remove(0);
    let strict = "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: \
                  unknown field \"metadata.lables\", unknown field \"spec.template.spec.containers[0].imge\"";
    let wrong = "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go \
                 struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32";
    let mut out = String::new();
    for message in [strict, wrong, "admission webhook said no"] {
        out.push_str(&show(&refusals(&document, &ApiError::bad_request(message))));
    }
    let errors = [meta::FieldError::required(&meta::Path::new("spec").child("selector"), "")];
    out.push_str(&show(&refusals(&document, &ApiError::invalid("apps", "Deployment", "web", &errors))));
    expect![[r#"
        x.yaml:3:1: unknown field "metadata.lables" (unknown-field, at metadata.lables, did you mean labels)
        x.yaml:13:9: unknown field "spec.template.spec.containers[0].imge" (unknown-field, at spec.template.spec.containers[0].imge, did you mean image)
        x.yaml:19:36: json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32 (wrong-type, at spec.template.spec.containers.ports.containerPort)
        x.yaml:1:1: admission webhook said no (invalid)
        x.yaml:8:1: spec.selector: Required value (required, at spec.selector)
    "#]].assert_eq(&out);
}

#[test]
fn of_a_key_that_kubectl_is_given_twice_the_last_counts() {
    let text = "kind: A\nkind: B\n---\na: [\n";
    let read = |text| crate::parse_given(&[("x.yaml", text)], Limits::REQUEST);
    assert_eq!(read("kind: A\nkind: B\n").unwrap()[0].kind(), "B");
    assert_eq!(read(text).unwrap_err().iter().map(|p| p.hint).collect::<Vec<_>>().len(), 1);
}
