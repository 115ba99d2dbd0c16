use crate::env::Files;
use crate::error::Error;
use crate::print::yaml::to_yaml;
use crate::testing::Disk;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// With files where kustomize wants them.
fn build(files: &dyn Files, dir: &str, warnings: &mut Vec<String>) -> Result<Vec<Value>, Error> {
    super::build(files, dir, false, warnings)
}

macro_rules! files {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../../tests/kubectl/equal/files/kust/", $path)))),*]
    };
}

/// The files that the comparison with the real kubectl uses.
const FILES: &[(&str, &str)] = files! {
    "base/app.properties" "base/kustomization.yaml" "base/rest.yaml" "base/some.env" "base/web.yaml"
    "comp/job.yaml" "comp/kustomization.yaml"
    "overlay/cpu.yaml" "overlay/kustomization.yaml" "overlay/namespace.yaml"
};

struct Known;

impl Files for Known {
    fn read(&self, path: &str) -> Option<String> {
        FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_string())
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let within = |known: &str| Some(known.strip_prefix(path)?.strip_prefix('/')?.split('/').next()?.to_string());
        let mut names: Vec<String> = FILES.iter().filter_map(|(known, _)| within(known)).collect();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }
}

fn built(dir: &str) -> String {
    let objects = build(&Known, dir, &mut Vec::new()).unwrap_or_else(|e| panic!("{}", e.said()));
    objects.iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

#[test]
fn a_base_has_its_generated_names() {
    expect_test::expect_file!["testdata/base.yaml"].assert_eq(&built("base"));
}

#[test]
fn an_overlay_is_as_the_real_one_makes_it() {
    expect_test::expect_file!["testdata/overlay.yaml"].assert_eq(&built("overlay"));
}

/// What real kubectl printed: see the first line.
const RECORDED: &str = include_str!("testdata/recorded.txt");

fn recorded() -> (Disk, BTreeMap<&'static str, (&'static str, &'static str)>) {
    let (mut disk, mut said) = (Disk::default(), BTreeMap::<_, (&str, &str)>::new());
    for section in RECORDED.split("=== ").skip(1) {
        let (head, text) = section.split_once('\n').expect("a section has a head");
        match head.split_once(' ').expect("what it is, and of what") {
            ("file", name) => drop(disk.0.insert(name.into(), text.into())),
            ("out", name) => said.entry(name).or_default().0 = text,
            (_, name) => said.entry(name).or_default().1 = text,
        }
    }
    (disk, said)
}

#[test]
fn all_is_as_the_real_one_prints_it() {
    let (disk, said) = recorded();
    let mut bad = Vec::new();
    for (dir, (out, err)) in said {
        let mut warnings = Vec::new();
        let built = build(&disk, dir, &mut warnings);
        let mut told: String = warnings.iter().map(|w| format!("{w}\n")).collect();
        let printed = match built {
            Ok(objects) => objects.iter().map(to_yaml).collect::<Vec<_>>().join("---\n"),
            Err(e) => {
                told.push_str(&e.said());
                String::new()
            }
        };
        if (printed.as_str(), told.as_str()) != (out, err) {
            bad.push(format!("=== {dir}\n--- real\n{err}{out}--- ours\n{told}{printed}"));
        }
    }
    assert!(bad.is_empty(), "{} differ:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn one_s_own_version_manages() {
    let source = "buildMetadata: [managedByLabel]\nconfigMapGenerator: [{name: a, literals: [b=c]}]\n";
    let disk = Disk::of(&[("d/kustomization.yaml", source)]);
    let objects = build(&disk, "d", &mut Vec::new()).expect("it is built");
    assert_eq!(objects[0]["metadata"]["labels"], json!({"app.kubernetes.io/managed-by": "kustomize-v5.7.1"}));
}

#[test]
fn where_objects_come_from_is_noted() {
    let object = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let disk = Disk::of(&[
        ("d/kustomization.yaml", "buildMetadata: [originAnnotations]\nresources: [../e, a.yaml]\n"),
        ("d/a.yaml", &object("a")),
        ("e/kustomization.yaml", "resources: [b.yaml]\nsecretGenerator: [{name: c, literals: [x=y]}]\n"),
        ("e/b.yaml", &object("b")),
    ]);
    let objects = build(&disk, "d", &mut Vec::new()).expect("it is built");
    let mut origins: Vec<&str> = objects
        .iter()
        .filter_map(|o| o.pointer("/metadata/annotations/config.kubernetes.io~1origin").and_then(Value::as_str))
        .collect();
    origins.sort_unstable();
    let generated =
        "configuredIn: ../e/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: SecretGenerator\n";
    assert_eq!(origins, [generated, "path: ../e/b.yaml\n", "path: a.yaml\n"]);
}

#[test]
fn files_may_be_elsewhere_when_that_is_allowed() {
    let source = "configMapGenerator: [{name: a, files: [../e/x]}]\n";
    let disk = Disk::of(&[("d/kustomization.yaml", source), ("e/x", "text")]);
    assert!(build(&disk, "d", &mut Vec::new()).is_err_and(|e| e.go().contains("security; file '/w/e/x' is not in or")));
    assert!(super::build(&disk, "d", true, &mut Vec::new()).is_ok_and(|o| o[0]["data"]["x"] == "text"));
}

/// All places of a value.
fn pointers(v: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.into());
    let escaped = |k: &str| k.replace('~', "~0").replace('/', "~1");
    match v {
        Value::Object(map) => map.iter().for_each(|(k, v)| pointers(v, &format!("{at}/{}", escaped(k)), out)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

/// Whatever a file has in some place, nothing panics.
#[test]
fn anything_may_be_anywhere() {
    let (disk, _) = recorded();
    for dir in ["subj3", "labels", "repl", "vars", "images", "ports", "nsclash", "js6902", "compgen", "nspatch2"] {
        let is_own =
            |name: &str| name.split('/').next().is_some_and(|d| d == dir || (dir == "subj3" && d.starts_with("subj")));
        let disk = Disk(disk.0.iter().filter(|(n, _)| is_own(n)).map(|(n, t)| (n.clone(), t.clone())).collect());
        for (name, source) in &disk.0 {
            let values = super::parse(source).unwrap_or_default();
            for (i, v) in values.iter().enumerate() {
                let mut places = Vec::new();
                pointers(v, "", &mut places);
                for place in &places {
                    for other in [json!(null), json!(1), json!("x"), json!([1]), json!({"a": []})] {
                        let mut values = values.clone();
                        *values[i].pointer_mut(place).expect("it is there") = other;
                        let source = values.iter().map(to_yaml).collect::<Vec<_>>().join("---\n");
                        let mut changed = Disk(disk.0.clone());
                        changed.0.insert(name.clone(), source);
                        let _ = build(&changed, dir, &mut Vec::new());
                    }
                }
            }
        }
    }
}
