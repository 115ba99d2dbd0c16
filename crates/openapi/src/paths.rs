//! The operations of a kind's resources. Models `k8s.io/apiserver/pkg/endpoints/installer.go` as far as clients read
//! it: actions, kinds, parameters and bodies.

use api::{Kind, Verb};
use serde_json::{Map, Value, json};

const BODIES: [&str; 3] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
/// Strategic merge is left out on purpose: kubectl would then look for merge keys in the schemas, which k8s-openapi
/// does not carry; without it kubectl takes them from its own types.
const PATCHES: [&str; 3] =
    ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

/// Adds every path of `kind`, whose schema has this name.
pub fn add(paths: &mut Map<String, Value>, kind: &Kind, schema: &str) {
    let r = Resource { kind, schema: schema.to_string() };
    let root = super::root(kind.group, kind.version);
    let base = format!("/{root}");
    let of = |suffix: &str| {
        let place = if kind.namespaced() { "/namespaces/{namespace}" } else { "" };
        format!("{base}{place}/{}{suffix}", kind.plural)
    };
    let mut collection = Map::new();
    r.operation(&mut collection, "get", "list", Verb::List, "List");
    r.operation(&mut collection, "post", "post", Verb::Create, "");
    r.operation(&mut collection, "delete", "deletecollection", Verb::DeleteCollection, "Status");
    paths.insert(of(""), Value::Object(collection));
    if kind.namespaced() && kind.verbs.contains(&Verb::List) {
        let list = r.build("get", "list", &[], "List", "AllNamespaces");
        paths.insert(format!("{base}/{}", kind.plural), json!({ "get": list }));
    }
    let mut item = Map::new();
    r.operation(&mut item, "get", "get", Verb::Get, "");
    r.operation(&mut item, "put", "put", Verb::Update, "");
    r.operation(&mut item, "patch", "patch", Verb::Patch, "");
    r.operation(&mut item, "delete", "delete", Verb::Delete, "Status");
    paths.insert(of("/{name}"), Value::Object(item));
    for sub in kind.subresources {
        let r = Resource { kind, schema: subresource_schema(sub.name, &r.schema) };
        let mut item = Map::new();
        for (method, action, verb) in [
            ("get", "get", Verb::Get),
            ("put", "put", Verb::Update),
            ("patch", "patch", Verb::Patch),
            ("post", "post", Verb::Create),
        ] {
            if sub.verbs.contains(&verb) {
                let mut operation = r.build(method, action, &["name"], "", &title(sub.name));
                if let Some((group, version, k)) = sub.gvk {
                    operation["x-kubernetes-group-version-kind"] =
                        json!({"group": group, "kind": k, "version": version});
                }
                item.insert(method.into(), operation);
            }
        }
        if !item.is_empty() {
            paths.insert(of(&format!("/{{name}}/{}", sub.name)), Value::Object(item));
        }
    }
}

fn subresource_schema(name: &str, parent: &str) -> String {
    match name {
        "scale" => "io.k8s.api.autoscaling.v1.Scale".into(),
        "binding" => "io.k8s.api.core.v1.Binding".into(),
        "eviction" => "io.k8s.api.policy.v1.Eviction".into(),
        _ => parent.into(),
    }
}

struct Resource<'a> {
    kind: &'a Kind,
    schema: String,
}

impl Resource<'_> {
    fn operation(&self, item: &mut Map<String, Value>, method: &str, action: &str, verb: Verb, gives: &str) {
        if self.kind.verbs.contains(&verb) {
            let path: &[&str] = if matches!(action, "list" | "post" | "deletecollection") { &[] } else { &["name"] };
            item.insert(method.into(), self.build(method, action, path, gives, ""));
        }
    }

    /// `gives` is empty for the kind itself, `List`, or `Status`.
    fn build(&self, method: &str, action: &str, path: &[&str], gives: &str, suffix: &str) -> Value {
        let k = self.kind;
        let namespaced = k.namespaced() && suffix != "AllNamespaces";
        let mut parameters: Vec<Value> = path.iter().map(|name| in_path(name, k)).collect();
        if namespaced {
            parameters.push(in_path("namespace", k));
        }
        parameters.extend(query(action));
        let schema = match gives {
            "Status" => "io.k8s.apimachinery.pkg.apis.meta.v1.Status".into(),
            other => format!("{}{other}", self.schema),
        };
        let scope = if namespaced { "Namespaced" } else { "" };
        let verb = match (method, action) {
            ("post", _) => "create",
            ("put", _) => "replace",
            ("get", "get") => "read",
            (_, other) => other,
        };
        let group = k.group.split('.').next().filter(|g| !g.is_empty()).unwrap_or("core");
        let id = format!("{verb}{}{}{scope}{}{suffix}", title(group), title(k.version), k.kind);
        let mut out = json!({
            "operationId": id,
            "tags": [format!("{group}_{}", k.version)],
            "description": description(action, k),
            "parameters": parameters,
            "responses": {
                "200": {"description": "OK", "content": content(&BODIES, &schema)},
                "401": {"description": "Unauthorized"}
            },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": k.group, "kind": k.kind, "version": k.version}
        });
        match method {
            "post" | "put" => {
                out["requestBody"] = json!({"required": true, "content": content(&["*/*"], &self.schema)})
            }
            "patch" => out["requestBody"] = json!({"required": true, "content": patches()}),
            "delete" => {
                let options = content(&["*/*"], "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
                out["requestBody"] = json!({ "content": options });
            }
            _ => {}
        }
        out
    }
}

fn title(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn description(action: &str, k: &Kind) -> String {
    match action {
        "list" => format!("list or watch objects of kind {}", k.kind),
        "post" => format!("create a {}", k.kind),
        "put" => format!("replace the specified {}", k.kind),
        "patch" => format!("partially update the specified {}", k.kind),
        "delete" => format!("delete a {}", k.kind),
        "deletecollection" => format!("delete collection of {}", k.kind),
        _ => format!("read the specified {}", k.kind),
    }
}

fn content(types: &[&str], schema: &str) -> Value {
    let body = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
    types.iter().map(|t| ((*t).to_string(), body.clone())).collect::<Map<_, _>>().into()
}

fn patches() -> Value {
    PATCHES.iter().map(|t| ((*t).to_string(), json!({"schema": {"type": "object"}}))).collect::<Map<_, _>>().into()
}

fn in_path(name: &str, k: &Kind) -> Value {
    let description = match name {
        "namespace" => "object name and auth scope, such as for teams and projects".into(),
        _ => format!("name of the {}", k.kind),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string", "uniqueItems": true}})
}

/// The query parameters of the action's options type.
fn query(action: &str) -> Vec<Value> {
    let names: &[(&str, &str)] = match action {
        "list" => &[
            ("allowWatchBookmarks", "boolean"),
            ("continue", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("resourceVersion", "string"),
            ("resourceVersionMatch", "string"),
            ("sendInitialEvents", "boolean"),
            ("timeoutSeconds", "integer"),
            ("watch", "boolean"),
        ],
        "post" | "put" => &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")],
        "patch" => {
            &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean")]
        }
        "delete" => &[
            ("dryRun", "string"),
            ("gracePeriodSeconds", "integer"),
            ("orphanDependents", "boolean"),
            ("propagationPolicy", "string"),
        ],
        "deletecollection" => &[
            ("continue", "string"),
            ("dryRun", "string"),
            ("fieldSelector", "string"),
            ("gracePeriodSeconds", "integer"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("propagationPolicy", "string"),
        ],
        _ => &[],
    };
    [("pretty", "string")]
        .iter()
        .chain(names)
        .map(|(name, kind)| {
            let about = about(name);
            json!({"name": name, "in": "query", "description": about, "schema": {"type": kind, "uniqueItems": true}})
        })
        .collect()
}

/// What a query parameter is for; the beginnings of upstream's sentences.
fn about(name: &str) -> &'static str {
    match name {
        "allowWatchBookmarks" => "allowWatchBookmarks requests watch events with type \"BOOKMARK\".",
        "continue" => "The continue option should be set when retrieving more results from the server.",
        "dryRun" => "When present, indicates that modifications should not be persisted.",
        "fieldManager" => "fieldManager is a name associated with the actor or entity that is making these changes.",
        "fieldSelector" => {
            "A selector to restrict the list of returned objects by their fields. Defaults to everything."
        }
        "fieldValidation" => {
            "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing \
             unknown or duplicate fields."
        }
        "force" => "Force is going to \"force\" Apply requests.",
        "gracePeriodSeconds" => "The duration in seconds before the object should be deleted.",
        "labelSelector" => {
            "A selector to restrict the list of returned objects by their labels. Defaults to everything."
        }
        "limit" => "limit is a maximum number of responses to return for a list call.",
        "orphanDependents" => "Deprecated: please use the PropagationPolicy, this field will be deprecated in 1.7.",
        "pretty" => "If 'true', then the output is pretty printed.",
        "propagationPolicy" => "Whether and how garbage collection will be performed.",
        "resourceVersion" => {
            "resourceVersion sets a constraint on what resource versions a request may be served from."
        }
        "resourceVersionMatch" => "resourceVersionMatch determines how resourceVersion is applied to list calls.",
        "sendInitialEvents" => "`sendInitialEvents=true` may be set together with `watch=true`.",
        "timeoutSeconds" => "Timeout for the list/watch call.",
        "watch" => {
            "Watch for changes to the described resources and return them as a stream of add, update, and remove \
             notifications. Specify resourceVersion."
        }
        _ => "",
    }
}
