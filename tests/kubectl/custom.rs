//! CustomResourceDefinitions and custom resources, as the documentation's CronTab example goes.

use crate::table;
use system_tests::Server;

const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names:
    plural: crontabs
    singular: crontab
    kind: CronTab
    shortNames: [ct]
    categories: [all]
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              cronSpec:
                type: string
                description: When it runs.
                pattern: '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'
                default: "5 0 * * *"
              image:
                type: string
              replicas:
                type: integer
                minimum: 1
                maximum: 10
                default: 1
          status:
            type: object
            properties:
              replicas: {type: integer}
              labelSelector: {type: string}
    additionalPrinterColumns:
    - {name: Spec, type: string, description: The cron spec defining the interval a CronJob is run, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Image, type: string, jsonPath: .spec.image, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources:
      status: {}
      scale:
        specReplicasPath: .spec.replicas
        statusReplicasPath: .status.replicas
        labelSelectorPath: .status.labelSelector
"#;

const OBJECT: &str = "
apiVersion: stable.example.com/v1
kind: CronTab
metadata:
  name: my-new-cron-object
spec:
  cronSpec: '* * * * */5'
  image: my-awesome-cron-image
";

fn established(s: &Server) {
    let file = s.file("crd.yaml", DEFINITION);
    let out = s.kubectl(&["apply", "-f", &file]).good();
    assert_eq!(out, "customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created\n");
    s.k("wait --for condition=established --timeout=60s crd/crontabs.stable.example.com");
}

#[test]
fn a_definition_makes_a_kind() {
    let Some(s) = Server::start(&[]) else { return };
    established(&s);
    assert!(s.k("api-resources --api-group=stable.example.com").contains("CronTab"));
    let file = s.file("crontab.yaml", OBJECT);
    assert_eq!(s.kubectl(&["apply", "-f", &file]).good(), "crontab.stable.example.com/my-new-cron-object created\n");
    assert_eq!(s.kubectl(&["apply", "-f", &file]).good(), "crontab.stable.example.com/my-new-cron-object unchanged\n");
    let out = s.k("get crontab");
    assert_eq!(out.split_whitespace().take(4).collect::<Vec<_>>(), ["NAME", "SPEC", "REPLICAS", "AGE"], "{out}");
    assert!(out.contains("my-new-cron-object   * * * * */5   1"), "{out}");
    assert!(s.k("get ct -o wide").contains("my-awesome-cron-image"));
    assert!(s.k("get all").contains("crontab.stable.example.com/my-new-cron-object"));
    assert!(s.k("explain crontab.spec.cronSpec").contains("When it runs."));
    assert!(s.k("describe ct my-new-cron-object").contains("Cron Spec:  * * * * */5"));
    s.kubectl(&["patch", "ct", "my-new-cron-object", "--type=merge", "-p", r#"{"spec":{"replicas":2}}"#]).good();
    let generation = "get ct my-new-cron-object -o jsonpath={.spec.replicas},{.metadata.generation}";
    assert_eq!(s.k(generation), "2,2");
    s.k("scale --replicas=5 crontabs/my-new-cron-object");
    assert_eq!(s.k(generation), "5,3");
    s.k("label ct my-new-cron-object a=b");
    assert_eq!(s.k(generation), "5,3", "metadata is no wish");
    let bad = s.kubectl(&["patch", "ct", "my-new-cron-object", "-p", "{}", "--type=strategic"]).bad();
    assert!(bad.contains("media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"), "{bad}");
    let out = s.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]).good();
    assert!(out.contains("serverside-applied"), "{out}");
    s.k("delete ct my-new-cron-object");
    assert_eq!(s.kubectl(&["get", "ct"]).good(), "");
}

#[test]
fn wrong_values_are_refused_and_unknown_fields_named() {
    let Some(s) = Server::start(&[]) else { return };
    established(&s);
    let bad =
        s.file("bad.yaml", &OBJECT.replace("* * * * */5", "* * * *").replace("  image:", "  replicas: 15\n  image:"));
    let said = s.kubectl(&["create", "-f", &bad]).bad();
    assert!(said.contains("The CronTab \"my-new-cron-object\" is invalid:"), "{said}");
    assert!(
        said.contains(r#"* spec.cronSpec: Invalid value: "* * * *": spec.cronSpec in body should match '^(\d+|\*)"#),
        "{said}"
    );
    assert!(
        said.contains("* spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10")
    );
    let odd = s.file("odd.yaml", &OBJECT.replace("  image:", "  someRandomField: 42\n  image:"));
    let said = s.kubectl(&["create", "-f", &odd]).bad();
    assert!(said.contains("strict decoding error: unknown field \"spec.someRandomField\""), "{said}");
    s.kubectl(&["create", "--validate=false", "-f", &odd]).good();
    let out = s.k("get ct my-new-cron-object -o jsonpath={.spec}");
    assert_eq!(out, r#"{"cronSpec":"* * * * */5","image":"my-awesome-cron-image","replicas":1}"#);
    let wrong = s.file("wrong.yaml", &DEFINITION.replace("group: stable.example.com", "group: other.example.com"));
    let said = s.kubectl(&["apply", "-f", &wrong]).bad();
    assert!(said.contains("spec.names.plural+\".\"+spec.group") || said.contains("field is immutable"), "{said}");
}

/// kubectl checks the documents in a list by `/openapi/v2`.
#[test]
fn objects_that_keep_unknown_fields_come_in_lists() {
    let Some(s) = Server::start(&[]) else { return };
    let (head, rest) = DEFINITION.split_once("        type: object\n").unwrap_or_default();
    let open = format!("{head}        type: object\n        x-kubernetes-preserve-unknown-fields: true\n{rest}");
    let file = s.file("crd.yaml", &open);
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("wait --for condition=established --timeout=60s crd/crontabs.stable.example.com");
    let one = r#"{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"name":"a"},"note":{"of":"whom"}}"#;
    let file = s.file("list.json", &format!(r#"{{"apiVersion":"v1","kind":"List","items":[{one}]}}"#));
    assert_eq!(s.kubectl(&["apply", "-f", &file]).good(), "crontab.stable.example.com/a created\n");
    assert_eq!(s.k("get ct a -o jsonpath={.note.of}"), "whom");
}

#[test]
fn a_definition_takes_its_objects_with_it() {
    let Some(s) = Server::start(&[]) else { return };
    established(&s);
    let file = s.file("crontab.yaml", OBJECT);
    s.k("create namespace shop");
    s.kubectl(&["apply", "-n", "shop", "-f", &file]).good();
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("delete namespace shop --timeout=60s");
    let out = s.k("get ct -A --no-headers");
    assert_eq!(table(&format!("{out}{out}")).0[..2], ["default", "my-new-cron-object"], "{out}");
    // What a custom resource owns goes with it.
    let uid = s.k("get ct my-new-cron-object -o jsonpath={.metadata.uid}");
    let owned = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: owned\n  ownerReferences:\n  - {{apiVersion: stable.example.com/v1, kind: CronTab, name: my-new-cron-object, uid: {uid}}}\n"
    );
    let owned = s.file("owned.yaml", &owned);
    s.kubectl(&["apply", "-f", &owned]).good();
    s.k("delete crd crontabs.stable.example.com --timeout=60s");
    s.until("get configmaps -o name", |t| !t.contains("owned"));
    let said = s.kubectl(&["get", "crontabs"]).bad();
    assert!(said.contains("the server could not find the requested resource"), "{said}");
}

#[test]
fn rules_in_cel_hold() {
    let Some(s) = Server::start(&[]) else { return };
    let rules = "            type: object
            x-kubernetes-validations:
            - {rule: 'self.replicas <= 5', message: no more than five}
            - {rule: '!has(oldSelf.image) || self.image == oldSelf.image', fieldPath: .image}
            properties:
              cronSpec:";
    let definition =
        DEFINITION.replacen("            type: object\n            properties:\n              cronSpec:", rules, 1);
    assert!(definition.contains("x-kubernetes-validations"));
    let wrong = s.file("wrong.yaml", &definition.replace("self.replicas <= 5", "self.replicas <= five"));
    let said = s.kubectl(&["apply", "-f", &wrong]).bad();
    assert!(said.contains("undeclared reference to 'five' (in container '')"), "{said}");
    let file = s.file("crd.yaml", &definition);
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("wait --for condition=established --timeout=60s crd/crontabs.stable.example.com");
    let file = s.file("crontab.yaml", OBJECT);
    s.kubectl(&["apply", "-f", &file]).good();
    let patch = |spec: &str| s.kubectl(&["patch", "ct", "my-new-cron-object", "--type=merge", "-p", spec]);
    let said = patch(r#"{"spec":{"replicas":6}}"#).bad();
    assert!(said.contains("spec: Invalid value: \"object\": no more than five"), "{said}");
    let said = patch(r#"{"spec":{"image":"other"}}"#).bad();
    assert!(
        said.contains(
            "spec.image: Invalid value: \"object\": failed rule: !has(oldSelf.image) || self.image == oldSelf.image"
        ),
        "{said}"
    );
    patch(r#"{"spec":{"replicas":5}}"#).good();
}

#[test]
fn formats_that_nobody_checks_are_warned_of() {
    let Some(s) = Server::start(&[]) else { return };
    let with = |format: &str| {
        DEFINITION.replacen(
            "type: string\n                description",
            &format!("type: string\n                format: {format}\n                description"),
            1,
        )
    };
    let file = s.file("formats.yaml", &with("moon-phase"));
    let made = s.kubectl(&["create", "-f", &file]);
    assert!(made.ok && made.err.contains("Warning: unrecognized format \"moon-phase\""), "{made:?}");
    let again = s.kubectl(&["annotate", "-f", &file, "a=b"]);
    assert!(again.ok && again.err.is_empty(), "said once: {again:?}");
    let other = s.kubectl(&["apply", "-f", &s.file("others.yaml", &with("tide"))]);
    assert!(other.ok && other.err.contains("Warning: unrecognized format \"tide\""), "{other:?}");
}
