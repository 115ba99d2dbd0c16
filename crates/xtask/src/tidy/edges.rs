//! Which crate may name which, read from their Cargo.toml files. The arrows are the architecture: a change here is a
//! change of the map.

use super::File;
use std::collections::{BTreeMap, BTreeSet};

/// A crate and the rooms it may depend on. Development dependencies may also use `testkit`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("meta", &[]),
    ("protocol", &["meta", "trace"]),
    ("cel", &["meta"]),
    ("pki", &["meta"]),
    ("api", &["cel", "meta", "pki"]),
    ("store", &["api", "meta"]),
    ("trace", &["meta"]),
    ("manifest", &["api", "meta"]),
    ("reconcile", &["api", "meta", "trace"]),
    ("scheduler", &["api", "cel", "meta", "reconcile", "trace"]),
    ("controllers", &["api", "meta", "pki", "reconcile", "trace"]),
    ("cloud", &["api", "meta", "reconcile", "trace"]),
    ("kubelet", &["api", "kubectl", "manifest", "meta", "network", "pki", "reconcile", "trace"]),
    ("network", &["api", "meta", "reconcile", "trace"]),
    ("apiserver", &["api", "cel", "manifest", "meta", "pki", "store", "trace"]),
    (
        "cluster",
        &[
            "api",
            "apiserver",
            "cloud",
            "controllers",
            "kubelet",
            "manifest",
            "meta",
            "network",
            "pki",
            "reconcile",
            "scheduler",
            "store",
            "trace",
        ],
    ),
    ("openapi", &["api"]),
    ("kubectl", &["api", "manifest", "meta"]),
    ("lessons", &["cel", "protocol"]),
    (
        "engine",
        &[
            "api",
            "apiserver",
            "cluster",
            "kubectl",
            "kubelet",
            "lessons",
            "manifest",
            "meta",
            "network",
            "protocol",
            "reconcile",
            "scheduler",
            "store",
            "trace",
        ],
    ),
    ("parity", &["cluster", "engine", "lessons", "meta", "protocol"]),
    ("worker", &["cluster", "engine", "lessons", "meta", "protocol"]),
    (
        "server",
        &[
            "api",
            "apiserver",
            "cluster",
            "engine",
            "kubelet",
            "lessons",
            "manifest",
            "meta",
            "network",
            "openapi",
            "pki",
            "protocol",
            "reconcile",
            "scheduler",
            "store",
            "trace",
        ],
    ),
    (
        "testkit",
        &["api", "apiserver", "cluster", "engine", "manifest", "meta", "protocol", "reconcile", "store", "trace"],
    ),
    ("web", &["protocol"]),
    ("xtask", &[]),
    ("system-tests", &[]),
];

/// Packages that are built on their own and name no crate of ours.
const OTHER_WORKSPACES: &[&str] = &["/guests/", "/xtask/bindgen/"];

/// What a section of a Cargo.toml lists: dependency names.
struct Manifest {
    package: String,
    dependencies: BTreeSet<String>,
    dev_dependencies: BTreeSet<String>,
    workspace_dependencies: Vec<String>,
}

/// Reads the little of TOML that Cargo.toml files here use.
fn parse(text: &str) -> Manifest {
    let mut m = Manifest {
        package: String::new(),
        dependencies: BTreeSet::new(),
        dev_dependencies: BTreeSet::new(),
        workspace_dependencies: Vec::new(),
    };
    let mut section = String::new();
    let mut depth = 0i32;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or("").trim();
        let nested = depth > 0;
        for c in line.chars() {
            depth += match c {
                '[' | '{' => 1,
                ']' | '}' => -1,
                _ => 0,
            };
        }
        if nested || line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_string();
            if let Some((kind, dependency)) = name.rsplit_once("dependencies.") {
                m.add(&format!("{kind}dependencies"), dependency);
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or("").trim_matches('"');
        if section == "package" && key == "name" {
            m.package = value.trim().trim_matches('"').to_string();
        }
        m.add(&section.clone(), key);
    }
    m
}

impl Manifest {
    fn all(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().chain(&self.dev_dependencies).map(String::as_str)
    }
    fn add(&mut self, section: &str, name: &str) {
        match section {
            "workspace.dependencies" => self.workspace_dependencies.push(name.into()),
            s if s.ends_with("dev-dependencies") => drop(self.dev_dependencies.insert(name.into())),
            s if s.ends_with("dependencies") => drop(self.dependencies.insert(name.into())),
            _ => {}
        }
    }
}

pub fn check(files: &[File], out: &mut Vec<String>) {
    // Guests are programs that run inside the cluster: a workspace of their own.
    let manifests: BTreeMap<&str, Manifest> = files
        .iter()
        .filter(|f| f.path.ends_with("Cargo.toml") && !OTHER_WORKSPACES.iter().any(|w| f.path.contains(w)))
        .map(|f| (f.path.as_str(), parse(&f.text)))
        .collect();
    let rooms: BTreeSet<&str> = manifests.values().map(|m| m.package.as_str()).filter(|p| !p.is_empty()).collect();
    for (path, m) in &manifests {
        if m.package.is_empty() {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == m.package) else {
            out.push(format!(
                "{path}: {} has no line in the table of allowed edges (crates/xtask/src/tidy/edges.rs)",
                m.package
            ));
            continue;
        };
        for dependency in m.dependencies.iter().filter(|d| rooms.contains(d.as_str())) {
            if !allowed.contains(&dependency.as_str()) {
                out.push(format!("{path}: {} may not depend on {dependency}", m.package));
            }
        }
    }
    let Some(workspace) = manifests.get("Cargo.toml") else { return };
    let used: BTreeSet<&str> = manifests.values().flat_map(Manifest::all).collect();
    for name in workspace.workspace_dependencies.iter().filter(|n| !used.contains(n.as_str())) {
        out.push(format!("Cargo.toml: no crate uses {name}"));
    }
    let map = files.iter().find(|f| f.path == "ARCHITECTURE.md").map_or("", |f| f.text.as_str());
    for name in used.iter().filter(|n| !rooms.contains(*n) && !map.contains(&format!("`{n}`"))) {
        out.push(format!("ARCHITECTURE.md: no word on why `{name}` is depended on"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cargo_manifests() {
        let m = parse(
            "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { path = \"b\",\n  features = [\"c\"] }\n\
             [dependencies.d]\nfeatures = [\n  \"e\",\n]\n[dev-dependencies]\nf = \"1\"\n[features]\ng = []\n",
        );
        assert_eq!(m.package, "x");
        assert_eq!(m.all().collect::<Vec<_>>(), ["a", "b", "d", "f"]);
        assert_eq!(m.dependencies.len(), 3);
    }
}
