//! Store keys. Models the etcd layout of kube-apiserver (`--etcd-prefix /registry`): Nodes are still
//! "minions" there and Services lie under `services/specs`.

use api::{KINDS, KindRef};
use meta::Key;

const ROOT: &str = "/registry/";

/// What follows `/registry/`: the plural, qualified by the group for custom resources.
fn write_resource(out: &mut String, kind: KindRef) {
    match (kind.group, kind.plural) {
        ("", "nodes") => out.push_str("minions"),
        ("", "services") => out.push_str("services/specs"),
        (group, plural) => {
            // Built-in groups have no dot or end in k8s.io; all others are custom resources.
            if group.contains('.') && !group.ends_with(".k8s.io") {
                out.push_str(group);
                out.push('/');
            }
            out.push_str(plural);
        }
    }
}

fn start(kind: KindRef, room: usize) -> String {
    let mut s = String::with_capacity(ROOT.len() + kind.group.len() + kind.plural.len() + 8 + room);
    s.push_str(ROOT);
    write_resource(&mut s, kind);
    s.push('/');
    s
}

/// `/registry/pods/default/web`
pub fn of(kind: KindRef, key: &Key) -> store::types::Key {
    let mut s = start(kind, key.as_str().len());
    s.push_str(key.as_str());
    s.into()
}

/// As [`of`], from the parts. An empty `namespace` means cluster-scoped.
pub fn of_parts(kind: KindRef, namespace: &str, name: &str) -> store::types::Key {
    let mut s = start(kind, namespace.len() + name.len() + 1);
    if !namespace.is_empty() {
        s.push_str(namespace);
        s.push('/');
    }
    s.push_str(name);
    s.into()
}

/// The prefix of a kind's keys, within one namespace when it is not empty.
pub fn prefix(kind: KindRef, namespace: &str) -> String {
    let mut s = start(kind, namespace.len() + 1);
    if !namespace.is_empty() {
        s.push_str(namespace);
        s.push('/');
    }
    s
}

/// The end of the half-open range that holds every key with this prefix (which ends in `/`).
pub fn range_end(prefix: &str) -> String {
    // '0' follows '/' in ASCII.
    let mut end = prefix.strip_suffix('/').unwrap_or(prefix).to_string();
    end.push('0');
    end
}

/// The way back from a store key, for built-in kinds.
pub fn parse(key: &str) -> Option<(KindRef, Key)> {
    let rest = key.strip_prefix(ROOT)?;
    KINDS.iter().filter(|kind| kind.alias.is_none()).find_map(|kind| {
        let tail = strip_resource(rest, kind)?.strip_prefix('/')?;
        // A cluster-scoped key has one segment, a namespaced one two.
        let slashes = tail.bytes().filter(|b| *b == b'/').count();
        (slashes == usize::from(kind.namespaced())).then(|| (*kind, Key::from(tail)))
    })
}

/// What [`write_resource`] writes, taken away again: every committed event comes through here.
fn strip_resource(rest: &str, kind: KindRef) -> Option<&str> {
    match (kind.group, kind.plural) {
        ("", "nodes") => rest.strip_prefix("minions"),
        ("", "services") => rest.strip_prefix("services/specs"),
        (group, plural) if group.contains('.') && !group.ends_with(".k8s.io") => {
            rest.strip_prefix(group)?.strip_prefix('/')?.strip_prefix(plural)
        }
        (_, plural) => rest.strip_prefix(plural),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_etcds_layout_and_parse_back() {
        for (kind, ns, name, want) in [
            ("Pod", "default", "web", "/registry/pods/default/web"),
            ("Node", "", "n1", "/registry/minions/n1"),
            ("Service", "default", "web", "/registry/services/specs/default/web"),
            ("Namespace", "", "default", "/registry/namespaces/default"),
        ] {
            let kind = api::by_gvk("", "v1", kind).expect(kind);
            let key = Key::new(ns, name);
            assert_eq!(&*of(kind, &key), want);
            assert_eq!(&*of_parts(kind, ns, name), want);
            assert_eq!(parse(want), Some((kind, key)));
        }
        assert_eq!(parse("/registry/unknown/x"), None);
        assert_eq!(range_end("/registry/pods/"), "/registry/pods0");
    }
}
