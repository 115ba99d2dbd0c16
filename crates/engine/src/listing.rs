//! The list of all objects for the page. Without a filter it is read off the view; what a filter lets through is found
//! once, when it is set, and followed by the store's events from there: neither costs more with every change the larger
//! the cluster is.

use crate::rows::text;
use api::kinds::{event, namespace};
use api::{KindRef, Kinds, Obj, ObjectExt};
use cluster::Cluster;
use meta::Key;
use protocol::{KindCount, Listing, ListingView, ObjectRow, listing::ROWS_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// Updates at least between two lists while things change; and between two that differ by the time alone.
const REST: u32 = 10;
const CLOCK_REST: u32 = 45;
/// Columns that every row has without them.
const OWN: [&str; 2] = ["Name", "Namespace"];

#[derive(Default)]
pub struct List {
    asked: Option<Listing>,
    /// The search's, in small letters.
    words: Vec<String>,
    /// By the kind's index: what the filter lets through. `None`: there is no filter, or nothing was looked through yet.
    found: Option<BTreeMap<usize, BTreeSet<Key>>>,
    sent: Option<ListingView>,
    dirty: bool,
    age: u32,
}

impl List {
    pub fn ask(&mut self, asked: Option<Listing>) {
        if asked == self.asked {
            return;
        }
        let same = matches!((&asked, &self.asked), (Some(new), Some(old)) if new.same_filter(old));
        if !same {
            let search = asked.as_ref().map(|a| a.search.as_str()).unwrap_or_default();
            self.words = search.split_whitespace().map(str::to_lowercase).collect();
            self.found = None;
        }
        (self.asked, self.dirty, self.age) = (asked, true, REST);
    }

    /// What was known came from a store that is out of reach.
    pub fn forget(&mut self) {
        (self.found, self.sent, self.dirty, self.age) = (None, None, true, REST);
    }

    pub fn see(&mut self, kind: KindRef, key: &Key, new: Option<&Obj>) {
        let Some(asked) = &self.asked else { return };
        self.dirty = true;
        if let Some(found) = &mut self.found {
            let of_kind = found.entry(api::kinds::index(kind)).or_default();
            if new.is_some_and(|o| matches(asked, &self.words, o)) {
                of_kind.insert(key.clone());
            } else {
                of_kind.remove(key);
            }
        }
    }

    /// The list, when it is due and differs from the last one.
    pub fn update(&mut self, cluster: &Cluster) -> Option<ListingView> {
        self.age = self.age.saturating_add(1);
        let asked = self.asked.as_ref()?;
        if self.age < if self.dirty { REST } else { CLOCK_REST } {
            return None;
        }
        (self.dirty, self.age) = (false, 0);
        let filters = !asked.namespace.is_empty() || !self.words.is_empty();
        if filters && self.found.is_none() {
            self.found = Some(look_through(cluster, asked, &self.words));
        }
        let view = Looked { cluster, found: self.found.as_ref() }.view(asked);
        if self.sent.as_ref() == Some(&view) {
            return None;
        }
        self.sent = Some(view.clone());
        Some(view)
    }
}

fn matches(asked: &Listing, words: &[String], o: &Obj) -> bool {
    let (namespace, name) = (o.namespace(), o.name());
    if !asked.namespace.is_empty() && namespace != asked.namespace {
        return false;
    }
    let labels = || o.meta().labels.iter().flatten();
    words.iter().all(|word| joined(namespace, name, '/', word) || labels().any(|(k, v)| joined(k, v, '=', word)))
}

/// Whether `LEFT` and `RIGHT`, joined by the mark, hold the word. Nothing is put together for it: a search goes over all
/// objects.
fn joined(left: &str, right: &str, mark: char, word: &str) -> bool {
    let ends = |text: &str, with: &str| {
        text.len() >= with.len() && text.as_bytes()[text.len() - with.len()..].eq_ignore_ascii_case(with.as_bytes())
    };
    let begins = |text: &str, with: &str| {
        text.len() >= with.len() && text.as_bytes()[..with.len()].eq_ignore_ascii_case(with.as_bytes())
    };
    holds(left, word)
        || holds(right, word)
        || word.split_once(mark).is_some_and(|(end, begin)| ends(left, end) && begins(right, begin))
}

/// `word` is in small letters.
fn holds(text: &str, word: &str) -> bool {
    word.is_empty() || text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// The kinds of which objects are kept, each once.
fn listed(kinds: &Kinds) -> Vec<KindRef> {
    let mut seen = BTreeSet::new();
    // A definition's versions are one kind; the first served one stands for all.
    kinds.iter().filter(|k| k.stored && k.alias.is_none() && seen.insert(k.id)).collect()
}

fn look_through(cluster: &Cluster, asked: &Listing, words: &[String]) -> BTreeMap<usize, BTreeSet<Key>> {
    let view = cluster.view();
    let mut found = BTreeMap::new();
    for kind in listed(view.kinds()) {
        let keys: BTreeSet<Key> = if asked.namespace.is_empty() {
            view.list_obj(kind).filter(|o| matches(asked, words, o)).map(|o| o.key()).collect()
        } else {
            view.list_obj_in(kind, &asked.namespace).filter(|o| matches(asked, words, o)).map(|o| o.key()).collect()
        };
        found.insert(api::kinds::index(kind), keys);
    }
    found
}

struct Looked<'a> {
    cluster: &'a Cluster,
    found: Option<&'a BTreeMap<usize, BTreeSet<Key>>>,
}

impl Looked<'_> {
    fn count(&self, kind: KindRef) -> usize {
        match self.found {
            Some(found) => found.get(&api::kinds::index(kind)).map_or(0, BTreeSet::len),
            None => self.cluster.view().count(kind),
        }
    }

    fn objects(&self, kind: KindRef, skip: usize, take: usize) -> Vec<&Obj> {
        let view = self.cluster.view();
        match self.found {
            Some(found) => {
                let keys = found.get(&api::kinds::index(kind)).into_iter().flatten().skip(skip).take(take);
                keys.filter_map(|key| view.get_obj(kind, key)).collect()
            }
            None => view.list_obj(kind).skip(skip).take(take).collect(),
        }
    }

    fn view(&self, asked: &Listing) -> ListingView {
        let view = self.cluster.view();
        let kinds = listed(view.kinds());
        let mut chosen: Vec<KindRef> = kinds
            .iter()
            .copied()
            .filter(|k| asked.kind.is_empty() || (k.kind == asked.kind && k.api_version() == asked.api_version))
            .collect();
        // There are more Events than anything else, and about everything else.
        chosen.sort_by_key(|k| *k == &event::KIND);
        let one = chosen.first().copied().filter(|_| !asked.kind.is_empty());
        let (mut rows, mut skip, mut total) = (Vec::new(), asked.offset, 0);
        let limit = asked.limit.min(ROWS_MAX);
        for kind in &chosen {
            let count = self.count(kind);
            total += count;
            if skip >= count {
                skip -= count;
                continue;
            }
            let left = limit - rows.len();
            if left > 0 {
                rows.extend(self.objects(kind, skip, left).into_iter().map(|o| self.row(kind, o, one.is_some())));
            }
            skip = 0;
        }
        ListingView {
            asked: asked.clone(),
            kinds: kinds.iter().map(|k| self.kind_count(k)).collect(),
            namespaces: view.list_obj(&namespace::KIND).map(|o| o.name().to_string()).collect(),
            columns: one.map(shown_columns).into_iter().flatten().map(|(_, name)| name.to_string()).collect(),
            rows,
            total,
            sample: one.map_or("", |k| k.sample).to_string(),
        }
    }

    fn kind_count(&self, kind: KindRef) -> KindCount {
        KindCount {
            api_version: kind.api_version(),
            kind: kind.kind.into(),
            resource: kind.plural.into(),
            namespaced: kind.namespaced(),
            custom: kind.custom.is_some(),
            count: self.count(kind),
        }
    }

    fn row(&self, kind: KindRef, o: &Obj, with_cells: bool) -> ObjectRow {
        let cells = if with_cells { (kind.cells)(&**o, self.cluster.now()) } else { Vec::new() };
        let shown = if with_cells { shown_columns(kind) } else { Vec::new() };
        ObjectRow {
            id: protocol::ObjectId {
                api_version: kind.api_version(),
                kind: kind.kind.into(),
                namespace: o.namespace().into(),
                name: o.name().into(),
            },
            labels: o.meta().labels.iter().flatten().map(|(k, v)| format!("{k}={v}")).collect(),
            cells: shown.into_iter().map(|(i, _)| cells.get(i).map(text).unwrap_or_default()).collect(),
        }
    }
}

/// The narrow columns beside the name, and their places.
fn shown_columns(kind: KindRef) -> Vec<(usize, &'static str)> {
    let all = kind.columns.iter().enumerate().filter(|(_, c)| c.priority == 0 && !OWN.contains(&c.name));
    all.map(|(i, c)| (i, c.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;
    use meta::{Duration, Time};
    use protocol::{ApplyMode, Command, File};

    const TEXT: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {app: web, tier: front}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, namespace: kube-system, labels: {app: web}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {image: {type: string}}}}}}
";
    const CUSTOM: &str = "\
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: mine, labels: {app: web}}
spec: {image: x}
";

    fn apply(s: &mut Session, text: &str) {
        let files = vec![File { name: "a.yaml".into(), text: text.into() }];
        s.act(Command::Apply { id: 1, mode: ApplyMode::Apply, files });
        s.cluster.advance(Duration::from_secs(5));
    }

    fn session() -> Session {
        let mut s = Session::new(2, 1, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(5));
        apply(&mut s, TEXT);
        apply(&mut s, CUSTOM);
        s
    }

    fn ask(api_version: &str, kind: &str, namespace: &str, search: &str) -> Listing {
        let [api_version, kind, namespace, search] = [api_version, kind, namespace, search].map(Into::into);
        Listing { api_version, kind, namespace, search, offset: 0, limit: 50 }
    }

    fn list(s: &Session, asked: Listing) -> ListingView {
        let mut list = List::default();
        list.ask(Some(asked));
        list.update(&s.cluster).unwrap()
    }

    fn count(view: &ListingView, kind: &str) -> usize {
        view.kinds.iter().find(|k| k.kind == kind).map_or(usize::MAX, |k| k.count)
    }

    fn names(view: &ListingView) -> Vec<String> {
        view.rows.iter().map(|r| format!("{} {}/{}", r.id.kind, r.id.namespace, r.id.name)).collect()
    }

    #[test]
    fn every_kind_is_counted_custom_ones_too_and_no_kind_twice() {
        let s = session();
        let view = list(&s, ask("", "", "", ""));
        assert_eq!((count(&view, "Node"), count(&view, "CronTab")), (2, 1));
        let mut kinds: Vec<_> = view.kinds.iter().map(|k| &k.kind).collect();
        let all = kinds.len();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), all);
        assert!(!view.kinds.iter().any(|k| k.kind.ends_with("Review")), "questions are not kept");
        let last = list(&s, Listing { offset: view.total - 1, limit: 1, ..ask("", "", "", "") });
        assert_eq!(last.rows[0].id.kind, "Event", "they are about all the others");
        assert_eq!(view.total, view.kinds.iter().map(|k| k.count).sum::<usize>());
        assert!(view.namespaces.contains(&"kube-system".to_string()));
    }

    #[test]
    fn a_search_looks_at_namespace_name_and_labels_of_all_kinds() {
        let s = session();
        let view = list(&s, ask("", "", "", "app=web"));
        assert_eq!(names(&view), ["ConfigMap default/one", "ConfigMap kube-system/two", "CronTab default/mine"],);
        assert_eq!((count(&view, "ConfigMap"), count(&view, "CronTab"), count(&view, "Node")), (2, 1, 0));
        assert_eq!(names(&list(&s, ask("", "", "", "APP=WEB kube-system/"))), ["ConfigMap kube-system/two"]);
        assert_eq!(names(&list(&s, ask("", "", "default", "app=web front"))), ["ConfigMap default/one"]);
    }

    #[test]
    fn a_kind_has_upstreams_columns_and_the_rows_in_sight() {
        let s = session();
        let view = list(&s, Listing { offset: 1, limit: 1, ..ask("v1", "Node", "", "") });
        assert_eq!(view.columns, ["Status", "Roles", "Age", "Version"]);
        assert_eq!((view.total, names(&view)), (2, vec!["Node /node-2".to_string()]));
        assert_eq!(view.rows[0].cells[0], "Ready");
        assert!(view.rows[0].labels.contains(&"kubernetes.io/hostname=node-2".to_string()));
        assert!(view.sample.contains("kind: Node"));
    }

    #[test]
    fn what_a_filter_lets_through_follows_the_store() {
        let mut s = session();
        let asked = ask("", "", "", "app=web");
        let mut kept = List::default();
        kept.ask(Some(asked.clone()));
        kept.update(&s.cluster).unwrap();
        let seen = s.cluster.revision();
        apply(&mut s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, labels: {app: other}}\n");
        apply(&mut s, "apiVersion: v1\nkind: Secret\nmetadata: {name: new, labels: {app: web}}\n");
        for e in s.cluster.store().iter_events_since(seen).unwrap() {
            let object = e.new.as_ref().or(e.old.as_ref()).unwrap().value.0.clone();
            kept.see(object.kind(), &object.key(), e.new.as_ref().map(|n| &n.value.0));
        }
        kept.age = REST;
        assert_eq!(kept.update(&s.cluster).unwrap(), list(&s, asked));
    }

    #[test]
    fn an_unchanged_list_is_not_sent_again() {
        let s = session();
        let mut kept = List::default();
        kept.ask(Some(ask("v1", "ConfigMap", "", "one")));
        assert!(kept.update(&s.cluster).is_some());
        for _ in 0..=CLOCK_REST {
            assert!(kept.update(&s.cluster).is_none());
        }
    }
}
