//! The kinds that a cluster serves: the built-in ones, those of servers behind it, and those that its
//! CustomResourceDefinitions make.

use super::remote::{Remote, Said};
use super::{Custom, build};
use crate::kinds::podmetrics::AGGREGATED;
use crate::kinds::{KINDS, by_gvk, by_plural};
use crate::registration::KindRef;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Follows the definitions. Cloning is two pointers.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    /// Every version of every established definition, in the order of discovery.
    custom: Arc<Vec<KindRef>>,
    /// The numbers that definitions have been given, by name. A number is never given to another.
    numbers: Arc<BTreeMap<String, u16>>,
    /// Nobody answers for the aggregated kinds.
    stale: bool,
    /// Groups and versions of other servers, by their APIServices.
    remote: Arc<BTreeMap<String, Remote>>,
}

impl Kinds {
    /// All that is served: built in, aggregated, then custom.
    pub fn iter(&self) -> impl Iterator<Item = KindRef> + '_ {
        KINDS.iter().chain(AGGREGATED).copied().chain(self.custom.iter().copied().filter(served))
    }

    /// Whether the server that answers for the aggregated kinds can be reached.
    pub fn set_aggregated(&mut self, reachable: bool) {
        self.stale = !reachable;
    }
    /// Whether a group is another server's, and that one cannot be reached.
    pub fn is_stale(&self, group: &str) -> bool {
        self.stale && AGGREGATED.iter().any(|k| k.group == group)
    }
    /// What other servers answer for.
    pub fn remote(&self) -> impl Iterator<Item = &Remote> {
        self.remote.values()
    }
    pub fn remote_at(&self, group: &str, version: &str) -> Option<&Remote> {
        self.remote().find(|r| r.group == group && r.version == version)
    }
    /// By the name of its APIService.
    pub fn remote_named(&self, name: &str) -> Option<&Remote> {
        self.remote.get(name)
    }

    /// Takes in an APIService as it is now; `None`: it is gone.
    pub fn observe_service(&mut self, name: &str, service: Option<&APIService>) {
        let Some(mut new) = service.and_then(Remote::of) else {
            if self.remote.contains_key(name) {
                Arc::make_mut(&mut self.remote).remove(name);
            }
            return;
        };
        if let Some(old) = self.remote.get(name).filter(|old| old.service == new.service) {
            new.said = old.said.clone();
        }
        Arc::make_mut(&mut self.remote).insert(name.into(), new);
    }

    /// What the server behind an APIService says that it has.
    pub fn learn(&mut self, name: &str, said: Said) {
        if self.remote.get(name).is_some_and(|r| r.said != said)
            && let Some(remote) = Arc::make_mut(&mut self.remote).get_mut(name)
        {
            remote.said = said;
        }
    }

    /// One kind for each definition, in the version that is stored.
    pub fn custom(&self) -> impl Iterator<Item = KindRef> + '_ {
        self.custom.iter().copied().filter(|k| k.custom.is_some_and(|c| c.storage))
    }

    pub fn by_gvk(&self, group: &str, version: &str, kind: &str) -> Option<KindRef> {
        let fits = |k: &KindRef| k.group == group && k.version == version && k.kind == kind && served(k);
        by_gvk(group, version, kind).or_else(|| AGGREGATED.iter().chain(&*self.custom).copied().find(fits))
    }

    pub fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<KindRef> {
        let fits = |k: &KindRef| k.group == group && k.version == version && k.plural == plural && served(k);
        by_plural(group, version, plural).or_else(|| AGGREGATED.iter().chain(&*self.custom).copied().find(fits))
    }

    /// `apiVersion` as manifests write it.
    pub fn by_api_version(&self, api_version: &str, kind: &str) -> Option<KindRef> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.by_gvk(group, version, kind)
    }

    /// The kind as its definition has it now; `None` when it is not served any more.
    pub fn present(&self, kind: KindRef) -> Option<KindRef> {
        if kind.custom.is_none() {
            return Some(kind);
        }
        let mut same = self.custom.iter().copied().filter(|k| k.id == kind.id);
        let stored = self.custom().find(|k| k.id == kind.id);
        same.find(|k| k.version == kind.version).or(stored)
    }

    /// Takes in a definition as it is now; `None`: it is gone.
    pub fn observe(&mut self, name: &str, definition: Option<&CustomResourceDefinition>) {
        let mut custom: Vec<KindRef> =
            self.custom.iter().copied().filter(|k| k.custom.is_none_or(|c| c.name != name)).collect();
        if let Some(d) = definition.filter(|d| is_true(d, "Established")) {
            let next = KINDS.len() + self.numbers.len();
            let number = *Arc::make_mut(&mut self.numbers)
                .entry(name.to_string())
                .or_insert_with(|| u16::try_from(next).unwrap_or(u16::MAX - 1));
            custom.extend(build::kinds(number, d));
        } else if custom.len() == self.custom.len() {
            return;
        }
        custom.sort_by(|a, b| {
            (a.group, precedence(a.version), a.plural).cmp(&(b.group, precedence(b.version), b.plural))
        });
        self.custom = Arc::new(custom);
    }
}

fn served(k: &KindRef) -> bool {
    k.custom.is_none_or(|c: &Custom| c.served)
}

/// Whether a definition's condition is True.
pub fn is_true(d: &CustomResourceDefinition, condition: &str) -> bool {
    let conditions = d.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions.into_iter().flatten().any(|c| c.type_ == condition && c.status == "True")
}

/// `v2`, `v1`, `v1beta1`, `v1alpha1`, then the rest by name. Models `version.CompareKubeAwareVersionStrings`.
fn precedence(version: &str) -> (u8, Reverse<(u8, u64, u64)>, &str) {
    let parsed = || {
        let rest = version.strip_prefix('v')?;
        let (major, rest) = digits(rest)?;
        if rest.is_empty() {
            return Some((2, major, 0));
        }
        let (stage, rest) =
            rest.strip_prefix("beta").map(|r| (1, r)).or_else(|| Some((0, rest.strip_prefix("alpha")?)))?;
        let (minor, rest) = digits(rest)?;
        rest.is_empty().then_some((stage, major, minor))
    };
    match parsed() {
        Some(v) => (0, Reverse(v), ""),
        None => (1, Reverse((0, 0, 0)), version),
    }
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::precedence;

    #[test]
    fn versions_go_from_stable_to_odd() {
        let mut list = ["foo1", "v1alpha1", "v10", "v1beta2", "v2", "v11beta1", "v1", "v1beta1", "bar"];
        list.sort_by_key(|v| precedence(v));
        assert_eq!(list, ["v10", "v2", "v1", "v11beta1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo1"]);
    }
}
