//! resourcequota-controller: counts what a namespace uses of its quotas. Admission charges what comes; what goes is noticed
//! here. Models `pkg/controller/resourcequota`.

use crate::owner::key_of;
use api::quota::{in_scope, matching_resources, usage};
use api::{KINDS, KindRef, ObjectExt, Registered, Verb, pods};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota, ResourceQuotaStatus};
use meta::{Duration, Key, Quantity};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, Watch};
use std::collections::BTreeMap;
use trace::note;

/// `--resource-quota-sync-period`
const RESYNC: Duration = Duration::from_secs(300);

#[derive(Clone, Default)]
pub struct ResourceQuotaController;

/// Kinds whose objects can be counted.
fn counted() -> impl Iterator<Item = KindRef> {
    let listed = |k: &KindRef| k.namespaced() && k.verbs.contains(&Verb::List) && k.kind != "Event";
    KINDS.iter().copied().filter(listed)
}

/// A quota whose wish is not its status yet.
fn quota_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let quota = change.new.as_ref().and_then(|o| o.downcast::<ResourceQuota>());
    let open = |q: &ResourceQuota| {
        q.spec.as_ref().and_then(|s| s.hard.as_ref()) != q.status.as_ref().and_then(|s| s.hard.as_ref())
    };
    if quota.is_some_and(open) {
        keys.push(change.key.clone());
    }
}

/// What is gone, or has ended, gives its share back. Models `replenishment`.
fn replenish(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let ended = match (&change.old, &change.new) {
        (_, None) => true,
        (Some(old), Some(new)) => match (old.downcast::<Pod>(), new.downcast::<Pod>()) {
            (Some(old), Some(new)) => pods::is_terminal(new) && !pods::is_terminal(old),
            _ => new.kind().kind == "Service",
        },
        _ => false,
    };
    if ended {
        keys.extend(cx.view.list_in::<ResourceQuota>(change.key.namespace()).map(|q| key_of(&q.metadata)));
    }
}

impl Controller for ResourceQuotaController {
    const NAME: &'static str = "resourcequota-controller";

    fn watches() -> Vec<Watch> {
        let quotas = Watch { kind: ResourceQuota::KIND_REF, keys: quota_changed };
        std::iter::once(quotas).chain(counted().map(|kind| Watch { kind, keys: replenish })).collect()
    }

    /// Models `syncResourceQuota`.
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(quota) = cx.view.get::<ResourceQuota>(key) else { return out };
        out.requeue(RESYNC);
        let hard = quota.spec.as_ref().and_then(|s| s.hard.clone()).unwrap_or_default();
        let mut used: BTreeMap<&str, Quantity> = hard.keys().map(|k| (k.as_str(), Quantity::ZERO)).collect();
        let mut looked_at = 0;
        for kind in counted() {
            for o in cx.view.list_obj_in(kind, key.namespace()) {
                let resources = matching_resources(&**o, hard.keys());
                if resources.is_empty() {
                    // Nor are the others of this kind counted.
                    break;
                }
                looked_at += 1;
                if !in_scope(quota, &**o) {
                    continue;
                }
                let costs = usage(&**o, cx.now);
                for name in resources {
                    if let (Some(total), Some(q)) = (used.get_mut(name), costs.get(name)) {
                        *total += *q;
                    }
                }
            }
        }
        out.looked_at(looked_at);
        let used = used.into_iter().map(|(k, q)| (k.to_string(), q.to_api())).collect();
        let status = ResourceQuotaStatus { hard: Some(hard), used: Some(used) };
        if quota.status.as_ref() != Some(&status) {
            if cx.recording {
                out.note(note!("resource-quota.count", quota = key, objects = looked_at));
            }
            let quota = ResourceQuota { status: Some(status), ..quota.clone() };
            out.push(Intent::update_status(quota).tolerate(Tolerate::NotFound));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ResourceQuotaController;
    use crate::testing::{World, pod};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn what_lives_is_counted_and_what_ended_is_not() {
        let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"},
            "spec": {"hard": {"pods": "4", "requests.cpu": "1", "count/configmaps": "3", "secrets": "2"}}});
        let container =
            json!({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}]}});
        let ended = json!({"spec": container["spec"], "status": {"phase": "Succeeded"}});
        let mut w = World::<ResourceQuotaController>::new([
            quota,
            pod("a", None, container.clone()),
            pod("b", None, ended.clone()),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "other"}}),
        ]);
        expect![[r##"
            # resource-quota.count quota=default/q objects=3
            update-status resourcequotas default/q {"hard":{"count/configmaps":"3","pods":"4","requests.cpu":"1","secrets":"2"},"used":{"count/configmaps":"1","pods":"1","requests.cpu":"100m","secrets":"0"}}
            requeue after 5m0s
        "##]].assert_eq(&w.run("default/q"));
        // A pod that ends gives its share back.
        let ended = json!({"spec": container["spec"], "status": {"phase": "Failed"}});
        assert_eq!(format!("{:?}", w.put(pod("a", None, ended))), "[default/q]");
    }
}
