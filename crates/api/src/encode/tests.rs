use crate::Object;
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, PodCondition, PodSpec, PodStatus, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Time;
use serde_json::Value;

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        uid: Some("u".into()),
        creation_timestamp: Some(Time::default().to_k8s()),
        labels: Some([("b".to_string(), "\"<".to_string()), ("a".into(), String::new())].into()),
        ..Default::default()
    }
}

fn text(o: &dyn crate::Object) -> String {
    String::from_utf8(o.to_json()).unwrap()
}

#[test]
fn fields_come_in_the_order_of_go_structs() {
    let container =
        Container { name: "c".into(), image: Some("i".into()), args: Some(vec!["x".into()]), ..Default::default() };
    let spec = PodSpec { containers: vec![container], node_name: Some("n".into()), ..Default::default() };
    let pod = Pod { metadata: named("p"), spec: Some(spec), status: None };
    assert_eq!(
        text(&pod),
        concat!(
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","uid":"u","creationTimestamp":"1970-01-01T00:00:00Z","#,
            r#""labels":{"a":"","b":"\"<"}},"spec":{"containers":[{"name":"c","image":"i","args":["x"]}],"nodeName":"n"}}"#
        )
    );
    let data = Some([("k".to_string(), "v".to_string())].into());
    let map =
        ConfigMap { metadata: ObjectMeta { name: Some("m".into()), ..Default::default() }, data, ..Default::default() };
    assert_eq!(text(&map), r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"},"data":{"k":"v"}}"#);
}

#[test]
fn what_is_nil_without_omitempty_is_null() {
    let role = ClusterRole::default();
    assert!(text(&role).ends_with(r#""metadata":{},"rules":null}"#), "{}", text(&role));
    let status = HorizontalPodAutoscalerStatus { desired_replicas: 2, ..Default::default() };
    let hpa = HorizontalPodAutoscaler { status: Some(status), ..Default::default() };
    assert!(text(&hpa).ends_with(r#""status":{"desiredReplicas":2,"currentMetrics":null}}"#), "{}", text(&hpa));
    let slice = EndpointSlice { address_type: "IPv4".into(), ..Default::default() };
    assert!(text(&slice).ends_with(r#""addressType":"IPv4","endpoints":null,"ports":null}"#), "{}", text(&slice));
    let condition = PodCondition { type_: "Ready".into(), status: "True".into(), ..Default::default() };
    let status = PodStatus { conditions: Some(vec![condition]), ..Default::default() };
    let pod = Pod { status: Some(status), ..Default::default() };
    let condition = r#"{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":null}"#;
    assert!(text(&pod).contains(condition), "{}", text(&pod));
}

#[test]
fn what_was_written_is_read_again() {
    for kind in crate::kinds::KINDS {
        let mut o = crate::testing::created(kind.sample);
        let namespace = o.meta().namespace.clone();
        *o.meta_mut() = ObjectMeta { namespace, ..named("s") };
        let read = kind.from_json(&o.to_json()).unwrap();
        assert!(read.equals(&*o), "{kind:?}: {} is read as {}", text(&*o), text(&*read));
    }
}

/// What is nil is written or not.
fn without_nil(value: &mut Value) {
    let is_nil = |v: &Value| match v {
        Value::Null => true,
        Value::Array(of) => of.is_empty(),
        Value::Object(of) => of.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(of) => {
            of.values_mut().for_each(without_nil);
            of.retain(|_, v| !is_nil(v));
        }
        Value::Array(of) => of.iter_mut().for_each(without_nil),
        // Whole floats have no point.
        Value::Number(n) => {
            if let Some(whole) = n.as_f64().filter(|f| f.fract() == 0.0) {
                *value = Value::from(whole);
            }
        }
        _ => {}
    }
}

/// Against the serializer that changes neither order nor nulls.
fn check_fields<T: crate::Registered>(object: &T) {
    let (mut ours, mut plain) = (object.to_value(), serde_json::to_value(object).unwrap());
    without_nil(&mut ours);
    without_nil(&mut plain);
    assert_eq!(ours, plain);
}

#[test]
fn no_field_is_lost() {
    fn of<T: crate::Registered>() {
        let mut o = crate::testing::created(T::KIND_REF.sample);
        o.meta_mut().labels = named("s").labels;
        let o = o.into_any().downcast::<T>().unwrap();
        check_fields(&*o);
    }
    of::<Pod>();
    of::<ConfigMap>();
    of::<ClusterRole>();
    of::<HorizontalPodAutoscaler>();
    of::<EndpointSlice>();
    of::<Deployment>();
    of::<Service>();
    of::<CustomResourceDefinition>();
    of::<ValidatingAdmissionPolicy>();
}

#[test]
fn reviews_definitions_and_token_requests_have_their_order() {
    let of = |kind: crate::KindRef, v: Value| text(&*kind.from_value(v).unwrap());
    let review = serde_json::json!({
        "spec": {"uid": "u", "user": "jane", "groups": ["g"], "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}},
        "status": {"reason": "r", "allowed": true},
    });
    assert_eq!(
        of(&crate::kinds::subjectaccessreview::KIND, review),
        concat!(
            r#"{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"#,
            r#""spec":{"resourceAttributes":{"namespace":"default","verb":"get","resource":"pods"},"user":"jane","groups":["g"],"uid":"u"},"#,
            r#""status":{"allowed":true,"reason":"r"}}"#
        )
    );
    let definition = serde_json::json!({
        "metadata": {"name": "bars.foo.io"},
        "spec": {"group": "foo.io", "scope": "Namespaced", "names": {"kind": "Bar", "plural": "bars", "shortNames": ["b"]},
                 "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                     "type": "object", "description": "d", "properties": {"a": {"minimum": 1, "type": "integer", "format": "int32"}}}}}]},
        "status": {"storedVersions": ["v1"], "conditions": [], "acceptedNames": {"kind": "Bar", "plural": "bars"}},
    });
    assert_eq!(
        of(&crate::kinds::customresourcedefinition::KIND, definition),
        concat!(
            r#"{"kind":"CustomResourceDefinition","apiVersion":"apiextensions.k8s.io/v1","metadata":{"name":"bars.foo.io"},"#,
            r#""spec":{"group":"foo.io","names":{"plural":"bars","shortNames":["b"],"kind":"Bar"},"scope":"Namespaced","#,
            r#""versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"description":"d","type":"object","#,
            r#""properties":{"a":{"type":"integer","format":"int32","minimum":1}}}}}]},"#,
            r#""status":{"conditions":null,"acceptedNames":{"plural":"bars","kind":"Bar"},"storedVersions":["v1"]}}"#
        )
    );
}

#[test]
fn html_is_escaped_in_strings() {
    let escaped = |json: &str| String::from_utf8(super::escape_html(json.as_bytes().to_vec())).unwrap();
    assert_eq!(escaped("{\"a\":\"x<y>&\u{2028}\u{2029}\u{20ac}\"}"), r#"{"a":"x\u003cy\u003e\u0026\u2028\u2029€"}"#);
    assert_eq!(escaped(r#"{"a":"b"}"#), r#"{"a":"b"}"#);
}
