//! DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or unreachable, unless it says
//! otherwise. Models `plugin/pkg/admission/defaulttolerationseconds`.

use k8s_openapi::api::core::v1::{Pod, Toleration};

const SECONDS: i64 = 300;

pub(super) fn admit(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = spec.tolerations.iter().flatten().any(|t| {
            let k = t.key.as_deref().unwrap_or("");
            (k.is_empty() || k == key) && matches!(t.effect.as_deref(), None | Some("" | "NoExecute"))
        });
        if !tolerated {
            spec.tolerations.get_or_insert_default().push(Toleration {
                key: Some(key.into()),
                operator: Some("Exists".into()),
                effect: Some("NoExecute".into()),
                toleration_seconds: Some(SECONDS),
                ..Toleration::default()
            });
        }
    }
}
