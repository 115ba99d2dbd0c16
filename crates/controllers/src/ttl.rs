//! ttl-controller: how long kubelets may keep the Secrets and ConfigMaps that they have read; the more nodes, the longer.
//! Models `pkg/controller/ttl/ttl_controller.go`.

use crate::owner::watch_self;
use api::Registered;
use k8s_openapi::api::core::v1::Node;
use meta::Key;
use reconcile::{Controller, Cx, Intent, Outcome, Tolerate, Watch};
use serde_json::json;

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

/// Fewest and most nodes of a step, and its seconds. The steps overlap, so that one node more or less does not change all.
const STEPS: [(usize, usize, u32); 5] =
    [(0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, usize::MAX, 300)];

#[derive(Clone, Default)]
pub struct Ttl {
    /// Which of the steps the cluster is at.
    step: usize,
}

impl Controller for Ttl {
    const NAME: &'static str = "ttl-controller";

    fn watches() -> Vec<Watch> {
        vec![watch_self(Node::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let (count, before) = (cx.view.count(Node::KIND_REF), self.step);
        while count > STEPS[self.step].1 {
            self.step += 1;
        }
        while count < STEPS[self.step].0 {
            self.step -= 1;
        }
        if self.step != before {
            let others = cx.view.list::<Node>().filter_map(|n| n.metadata.name.as_deref());
            out.enqueue.extend(others.filter(|n| *n != key.name()).map(Key::from));
        }
        let Some(node) = cx.view.get::<Node>(key) else { return out };
        let seconds = STEPS[self.step].2.to_string();
        let has = node.metadata.annotations.as_ref().and_then(|a| a.get(ANNOTATION));
        if has != Some(&seconds) {
            let patch = json!({ "metadata": { "annotations": { ANNOTATION: seconds } } });
            out.push(Intent::patch(Node::KIND_REF, key.clone(), "", patch).tolerate(Tolerate::NotFound));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Ttl;
    use crate::testing::World;
    use expect_test::expect;
    use serde_json::{Value, json};

    fn node(name: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } })
    }

    #[test]
    fn the_more_nodes_the_longer() {
        let mut w = World::<Ttl>::new([node("a")]);
        expect![[r#"
            patch nodes a  {"metadata":{"annotations":{"node.alpha.kubernetes.io/ttl":"0"}}}
        "#]]
        .assert_eq(&w.run("a"));
        (0..100).for_each(|i| _ = w.put(node(&format!("n{i}"))));
        let out = w.outcome("n99");
        assert_eq!(out.enqueue.len(), 100);
        assert!(w.run("a").contains("ttl\":\"15"));
        // One node less is not enough to go back.
        w.delete("v1", "Node", "n99");
        assert!(w.run("a").contains("ttl\":\"15"));
        (80..99).for_each(|i| _ = w.delete("v1", "Node", &format!("n{i}")));
        assert!(w.run("a").contains("ttl\":\"0"));
    }
}
