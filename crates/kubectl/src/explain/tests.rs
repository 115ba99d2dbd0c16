use super::*;
use serde_json::json;

fn document() -> Value {
    let kind = json!({"group": "example.com", "kind": "Thing", "version": "v1"});
    json!({
        "paths": {"/apis/example.com/v1/namespaces/{namespace}/things": {"get": {"x-kubernetes-group-version-kind": kind}}},
        "components": {"schemas": {
            "com.example.v1.Thing": {
                "description": "A thing.", "type": "object", "x-kubernetes-group-version-kind": [kind],
                "required": ["spec"],
                "properties": {
                    "spec": {"description": "What is wanted.", "allOf": [{"$ref": "#/components/schemas/com.example.v1.Spec"}]},
                    "apiVersion": {"type": "string", "description": "The version."},
                },
            },
            "com.example.v1.Spec": {
                "description": "Spec describes.", "type": "object",
                "properties": {
                    "mode": {"type": "string", "enum": ["", "a", "b", "c", "d"], "description": "How."},
                    "sizes": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/com.example.v1.Size"}},
                    "again": {"type": "array", "items": {"$ref": "#/components/schemas/com.example.v1.Spec"}},
                    "any": {"x-kubernetes-preserve-unknown-fields": true},
                },
            },
            "com.example.v1.Size": {"type": "string", "description": "A size."},
        }},
    })
}

fn rendered(path: &[&str], recursive: bool) -> Explained {
    let subject = Subject {
        group: "example.com".into(),
        version: "v1".into(),
        resource: "things".into(),
        path: path.iter().map(ToString::to_string).collect(),
        recursive,
    };
    render(&document(), &subject)
}

const HEAD: &str = "GROUP:      example.com\nKIND:       Thing\nVERSION:    v1\n\n";

#[test]
fn a_kind_and_its_fields() {
    let (text, ended) = rendered(&[], false);
    assert_eq!(ended, Ok(()));
    assert_eq!(
        text,
        format!(
            "{HEAD}DESCRIPTION:\n    A thing.\n    \nFIELDS:\n  apiVersion\t<string>\n    The version.\n\n  spec\t<Spec> -required-\n    What is wanted.\n\n\n"
        )
    );
}

#[test]
fn fields_of_fields() {
    let (text, _) = rendered(&["spec"], true);
    assert_eq!(
        text,
        format!(
            "{HEAD}FIELD: spec <Spec>\n\n\nDESCRIPTION:\n    What is wanted.\n    Spec describes.\n    \nFIELDS:\n  again\t<[]Spec>\n  any\t<Object>\n  mode\t<string>\n  enum: \"\", a, b, c, ....\n  sizes\t<map[string]string>\n\n"
        )
    );
}

#[test]
fn a_field_with_its_values() {
    let (text, _) = rendered(&["spec", "again", "mode"], false);
    assert_eq!(
        text,
        format!(
            "{HEAD}FIELD: mode <string>\nENUM:\n    \"\"\n    a\n    b\n    c\n    d\n\nDESCRIPTION:\n    How.\n    \n\n"
        )
    );
}

#[test]
fn what_does_not_exist() {
    let (text, ended) = rendered(&["spec", "nothing"], false);
    assert_eq!(text, HEAD);
    assert_eq!(ended.map_err(|e| e.said()), Err("error: field \"nothing\" does not exist\n".into()));
    let (text, ended) =
        render(&document(), &Subject { version: "v1".into(), resource: "x".into(), ..Subject::default() });
    assert_eq!(text, "");
    let message = "error: GVR (/v1, Resource=x) not found in OpenAPI schema\n";
    assert_eq!(ended.map_err(|e| e.said()), Err(message.into()));
}
