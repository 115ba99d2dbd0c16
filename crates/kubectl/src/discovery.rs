//! Which resources the server has, and which one a word means. Models `restmapper` and its shortcut expander.

use crate::client::{Client, Request, send_json};
use crate::error::Error;
use crate::mapping::Mapping;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// All resources; groups in the server's order, the preferred version of each first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovery {
    groups: Rc<Vec<Group>>,
    /// What is to be said about words that mean several resources.
    warnings: Rc<RefCell<Vec<String>>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub name: String,
    pub versions: Vec<(String, Vec<Mapping>)>,
}

impl Discovery {
    pub async fn load(client: &dyn Client) -> Result<Discovery, Error> {
        let mut groups = Vec::new();
        for path in ["/api", "/apis"] {
            let list = send_json(client, Request::get(path).header("Accept", ACCEPT)).await?;
            groups.extend(list["items"].as_array().into_iter().flatten().map(group));
        }
        Ok(Discovery { groups: Rc::new(groups), ..Discovery::default() })
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What came up since the last time.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.borrow_mut())
    }

    fn all(&self) -> impl Iterator<Item = &Mapping> {
        self.groups.iter().flat_map(|g| g.versions.iter().flat_map(|(_, list)| list))
    }

    /// `po`, `pods`, `pod`, `deployments.apps`, `deployments.v1.apps`, `Deployment.v1.apps`.
    pub fn resource(&self, word: &str) -> Result<Mapping, Error> {
        self.find(word).cloned().ok_or_else(|| {
            let resource = word.split('.').next().unwrap_or(word);
            Error::text(format!("the server doesn't have a resource type {resource:?}"))
        })
    }

    pub fn find(&self, word: &str) -> Option<&Mapping> {
        let mut parts = word.splitn(3, '.');
        let (name, second, third) = (parts.next().unwrap_or(""), parts.next(), parts.next());
        if let (Some(version), Some(group)) = (second, third) {
            // A short name is what it stands for before anybody looks at the version.
            let whole = |m: &Mapping| m.version == version && m.group == group;
            let found = self.called(name, whole).or_else(|| self.short(name, |m| m.group == group));
            if found.is_some() {
                return found;
            }
        }
        let group = word.split_once('.').map(|(_, g)| g);
        match group {
            // A group may be shortened: `deployments.app`.
            Some(g) => self.named(name, |m| m.group == g).or_else(|| self.named(name, |m| m.group.starts_with(g))),
            None => self.named(name, |_| true),
        }
    }

    fn named(&self, name: &str, fits: impl Fn(&Mapping) -> bool) -> Option<&Mapping> {
        let plain = self.all().find(|m| {
            let lower = name.to_lowercase();
            (m.resource == lower || m.singular == lower) && fits(m)
        });
        plain.or_else(|| self.short(name, &fits)).or_else(|| self.called(name, &fits))
    }

    /// By plural, singular or kind.
    fn called(&self, name: &str, fits: impl Fn(&Mapping) -> bool) -> Option<&Mapping> {
        let lower = name.to_lowercase();
        let first = |how: &dyn Fn(&Mapping) -> bool| self.all().find(|m| how(m) && fits(m));
        first(&|m| m.resource == lower || m.singular == lower).or_else(|| first(&|m| m.kind == name))
    }

    /// Models `expandResourceShortcut`: the first one that is meant, and a word about others.
    fn short(&self, name: &str, fits: impl Fn(&Mapping) -> bool) -> Option<&Mapping> {
        let mut all = self.all().filter(|m| m.short_names.iter().any(|s| s == name) && fits(m));
        let first = all.next()?;
        for other in all.map(Mapping::qualified).filter(|q| *q != first.qualified()) {
            let text = format!("short name {name:?} could also match lower priority resource {other}");
            let mut kept = self.warnings.borrow_mut();
            if !kept.contains(&text) {
                kept.push(text);
            }
        }
        Some(first)
    }

    /// By apiVersion and kind, as manifests name them.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&Mapping> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.all().find(|m| m.group == group && m.version == version && m.kind == kind)
    }

    /// The resources of a category; `None` when it is none.
    pub fn category(&self, word: &str) -> Option<Vec<String>> {
        let mut list = Vec::new();
        for g in self.groups.iter() {
            for (_, mappings) in &g.versions {
                for m in mappings.iter().filter(|m| m.categories.iter().any(|c| c == word)) {
                    let name = m.qualified();
                    if !list.contains(&name) {
                        list.push(name);
                    }
                }
            }
        }
        (!list.is_empty()).then_some(list)
    }
}

fn group(g: &Value) -> Group {
    let name = g["metadata"]["name"].as_str().unwrap_or("").to_string();
    let versions = g["versions"].as_array().into_iter().flatten().map(|v| {
        let version = text(&v["version"]);
        let resources = v["resources"].as_array().into_iter().flatten();
        (version.clone(), resources.map(|r| mapping(&name, &version, r)).collect())
    });
    Group { versions: versions.collect(), name }
}

fn mapping(group: &str, version: &str, r: &Value) -> Mapping {
    let kind = &r["responseKind"];
    // A resource may answer with another group's kind; empty means its own.
    let resource = text(&r["resource"]);
    let singular = match text(&r["singularResource"]) {
        s if s.is_empty() => text(&kind["kind"]).to_lowercase(),
        s => s,
    };
    Mapping {
        group: group.into(),
        version: version.into(),
        kind: text(&kind["kind"]),
        resource,
        singular,
        short_names: list(&r["shortNames"]),
        categories: list(&r["categories"]),
        namespaced: r["scope"] == "Namespaced",
        verbs: list(&r["verbs"]),
    }
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or("").into()
}

fn list(v: &Value) -> Vec<String> {
    v.as_array().into_iter().flatten().map(text).collect()
}
