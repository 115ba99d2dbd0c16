//! An object as a file that may be changed and applied: without what the cluster writes. Pure; of the YAML that the inspector
//! shows, whose lines are known: two spaces a level, lists as far in as what they belong to.

/// What the API server puts into an object's metadata.
const SYSTEM: &[&str] = &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];
/// What kubectl apply remembers; it writes it anew.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn key(line: &str) -> &str {
    line.trim_start().split(':').next().unwrap_or("").trim_matches(['"', '\''])
}

pub fn editable(yaml: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let (mut section, mut annotations) = ("", false);
    // How far in the key stands whose value is left out.
    let mut left_out: Option<usize> = None;
    for line in yaml.lines() {
        let indent = line.len() - line.trim_start().len();
        // An empty line stands in the middle of a text, however far in that is.
        if line.trim().is_empty() && left_out.is_none() {
            out.push(line);
            continue;
        }
        if let Some(at) = left_out {
            if line.trim().is_empty() || indent > at || (indent == at && line.trim_start().starts_with('-')) {
                continue;
            }
            left_out = None;
        }
        if indent == 0 {
            section = key(line);
        }
        if indent <= 2 {
            annotations = section == "metadata" && key(line) == "annotations";
        }
        let system = match indent {
            0 => section == "status",
            2 => section == "metadata" && SYSTEM.contains(&key(line)),
            4 => annotations && key(line) == LAST_APPLIED,
            _ => false,
        };
        if system {
            left_out = Some(indent);
        } else {
            out.push(line);
        }
    }
    // Annotations of which none is left.
    let bare = |i: usize| out[i] == "  annotations:" && !out.get(i + 1).is_some_and(|next| next.starts_with("    "));
    let mut text: String = (0..out.len()).filter(|i| !bare(*i)).flat_map(|i| [out[i], "\n"]).collect();
    if text.trim().is_empty() {
        text.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::editable;

    #[test]
    fn what_the_cluster_writes_is_left_out() {
        let yaml = "\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {\"status\": {}}
  creationTimestamp: \"2026-01-01T00:00:00Z\"
  labels:
    status: \"on\"
    uid: mine
  managedFields:
  - apiVersion: v1
    manager: kubectl
  name: web
  ownerReferences:
  - kind: ReplicaSet
    uid: abc
  resourceVersion: \"12\"
  uid: 0-1
spec:
  containers:
  - env:
    - name: uid
    image: nginx
status:
  conditions:
  - type: Ready
  phase: Running
";
        let want = "\
apiVersion: v1
kind: Pod
metadata:
  labels:
    status: \"on\"
    uid: mine
  name: web
  ownerReferences:
  - kind: ReplicaSet
    uid: abc
spec:
  containers:
  - env:
    - name: uid
    image: nginx
";
        assert_eq!(editable(yaml), want);
    }

    #[test]
    fn other_annotations_stay_and_text_is_text() {
        let yaml = "\
apiVersion: v1
data:
  a: |
    status:
    metadata:
      uid: text
kind: ConfigMap
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {}
    mine: \"1\"
    text: |
      one

      two
  name: c
  uid: 0-1
";
        let want = "\
apiVersion: v1
data:
  a: |
    status:
    metadata:
      uid: text
kind: ConfigMap
metadata:
  annotations:
    mine: \"1\"
    text: |
      one

      two
  name: c
";
        assert_eq!(editable(yaml), want);
    }
}
