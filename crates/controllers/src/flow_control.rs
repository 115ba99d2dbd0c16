//! kube-apiserver's own care for flow schemas: each says whether its priority level is there. Models `syncFlowSchemaStatus` of
//! `apiserver/pkg/util/flowcontrol`.

use crate::definitions::{PROCESS, user};
use api::kinds::flowschema::with_dangling;
use api::{ObjectExt, Registered};
use k8s_openapi::api::flowcontrol::v1::{FlowSchema, PriorityLevelConfiguration};
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};

#[derive(Clone, Default)]
pub struct FlowControl;

fn corrected(cx: &Cx, o: &FlowSchema) -> Option<FlowSchema> {
    let level = Key::new("", &o.spec.as_ref()?.priority_level_configuration.name);
    with_dangling(o, cx.view.get::<PriorityLevelConfiguration>(&level).is_some(), cx.now)
}

fn schema_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let schema = change.new.as_ref().and_then(|o| o.downcast::<FlowSchema>());
    if schema.is_some_and(|s| corrected(cx, s).is_some()) {
        keys.push(change.key.clone());
    }
}

fn level_changed(cx: &Cx, _: &Change, keys: &mut Vec<Key>) {
    let all = cx.view.list::<FlowSchema>().filter(|s| corrected(cx, s).is_some());
    keys.extend(all.filter_map(|s| Some(Key::new("", s.metadata.name.as_deref()?))));
}

impl Controller for FlowControl {
    const NAME: &'static str = "priority-and-fairness-config-controller";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: FlowSchema::KIND_REF, keys: schema_changed },
            Watch { kind: PriorityLevelConfiguration::KIND_REF, keys: level_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if let Some(new) = cx.view.get::<FlowSchema>(key).and_then(|s| corrected(cx, s)) {
            out.push(Intent::update_status(new));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use serde_json::json;

    #[test]
    fn a_schema_says_whether_its_level_is_there() {
        let kind = |kind: &str, name: &str, spec| json!({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        let mut w = World::<FlowControl>::default();
        let schema = kind("FlowSchema", "a", json!({"priorityLevelConfiguration": {"name": "b"}}));
        assert_eq!(format!("{:?}", w.put(schema)), "[a]");
        assert!(w.run("a").contains("named \\\"b\\\" but there is no such object"), "{}", w.run("a"));
        let queued = w.put(kind("PriorityLevelConfiguration", "b", json!({"type": "Limited"})));
        assert_eq!(format!("{queued:?}"), "[a]");
        assert!(w.run("a").contains("named \\\"b\\\" and it exists"), "{}", w.run("a"));
    }
}
