//! The expressions of policies and webhooks: whether their types fit what they see. Models
//! `k8s.io/apiserver/pkg/admission/plugin/cel/{compile,composition}.go`.

use cel::Type;
use meta::{FieldError, Path};

/// What expressions see.
pub(in crate::kinds) struct Programs {
    variables: Vec<(&'static str, Type)>,
    /// Those that the policy itself declares.
    own: Option<Vec<(String, Type)>>,
}

impl Programs {
    pub fn new(has_params: bool, has_authorizer: bool) -> Programs {
        let mut variables = vec![
            ("object", Type::Dyn),
            ("oldObject", Type::Dyn),
            ("request", request()),
            ("namespaceObject", namespace()),
        ];
        if has_params {
            variables.push(("params", Type::Dyn));
        }
        if has_authorizer {
            variables.push(("authorizer", Type::Named("kubernetes.authorization.Authorizer")));
            variables.push(("authorizer.requestResource", Type::Named("kubernetes.authorization.ResourceCheck")));
        }
        Programs { variables, own: None }
    }

    /// What expressions see of objects of one type. Nothing is known yet of the request that brings them.
    pub fn typed(object: &Type, params: Option<Type>) -> Programs {
        let mut variables = vec![
            ("object", object.clone()),
            ("oldObject", object.clone()),
            ("request", request()),
            ("namespaceObject", namespace()),
            ("authorizer", Type::Named("kubernetes.authorization.Authorizer")),
        ];
        variables.extend(params.map(|t| ("params", t)));
        Programs { variables, own: None }
    }

    /// With `variables`, of which each sees those before it.
    #[must_use]
    pub fn with_variables(self, own: Vec<(String, Type)>) -> Programs {
        Programs { own: Some(own), ..self }
    }

    pub fn declare(&mut self, name: &str, t: &Type) {
        self.own.get_or_insert_default().push((name.into(), declarable(t)));
    }

    /// What is declared so far.
    pub fn declared(&self) -> Vec<(String, Type)> {
        self.own.clone().unwrap_or_default()
    }

    /// What is wrong with an expression, whatever its type.
    pub fn fault(&self, program: &str) -> Option<String> {
        self.check(program).err()
    }

    fn check(&self, program: &str) -> Result<Type, String> {
        let mut variables = self.variables.clone();
        if let Some(own) = &self.own {
            variables.push(("variables", Type::object("kubernetes.variables", own.iter().cloned())));
        }
        cel::check(program, &variables).map(|checked| checked.result)
    }

    /// The expression's type; any will do if none is `wanted`.
    ///
    /// # Errors
    /// The expression cannot be one, or is of another type.
    pub fn compile(&self, at: &Path, program: &str, wanted: &[Type]) -> Result<Type, FieldError> {
        let why = match self.check(program) {
            Err(why) => format!("compilation failed: {why}"),
            Ok(result) if wanted.is_empty() || wanted.contains(&result) => return Ok(result),
            Ok(result) => {
                let shown: Vec<String> = wanted.iter().map(in_go).collect();
                let is = in_go(&result);
                match shown.as_slice() {
                    [one] => format!("must evaluate to {one} but got {is}"),
                    all => format!("must evaluate to one of [{}] but got {is}", all.join(" ")),
                }
            }
        };
        Err(FieldError::invalid(at, program, why))
    }
}

/// Types' own names, which differ from those in errors for few.
fn in_go(t: &Type) -> String {
    match t {
        Type::Null => "null_type".into(),
        Type::Duration => "google.protobuf.Duration".into(),
        Type::Timestamp => "google.protobuf.Timestamp".into(),
        other => other.to_string(),
    }
}

/// As fields of `variables` have types. Models `convertCelTypeToDeclType`.
fn declarable(t: &Type) -> Type {
    match t {
        Type::List(of) => Type::list(declarable(of)),
        Type::Map(of) => Type::map(declarable(&of.0), declarable(&of.1)),
        Type::Bool | Type::Bytes | Type::Double | Type::Duration | Type::Int => t.clone(),
        Type::Null | Type::Text | Type::Timestamp | Type::Uint => t.clone(),
        _ => Type::Dyn,
    }
}

fn object(name: &str, fields: &[(&str, Type)]) -> Type {
    Type::object(name, fields.iter().map(|(n, t)| ((*n).to_string(), t.clone())))
}

fn texts() -> Type {
    Type::list(Type::Text)
}

/// Models `BuildRequestType`.
fn request() -> Type {
    let of =
        |name: &str, last: &str| object(name, &[("group", Type::Text), ("version", Type::Text), (last, Type::Text)]);
    let kind = || of("kubernetes.GroupVersionKind", "kind");
    let resource = || of("kubernetes.GroupVersionResource", "resource");
    let user = object(
        "kubernetes.UserInfo",
        &[
            ("username", Type::Text),
            ("uid", Type::Text),
            ("groups", texts()),
            ("extra", Type::map(Type::Text, texts())),
        ],
    );
    object(
        "kubernetes.AdmissionRequest",
        &[
            ("kind", kind()),
            ("resource", resource()),
            ("subResource", Type::Text),
            ("requestKind", kind()),
            ("requestResource", resource()),
            ("requestSubResource", Type::Text),
            ("name", Type::Text),
            ("namespace", Type::Text),
            ("operation", Type::Text),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

/// Models `BuildNamespaceType`.
fn namespace() -> Type {
    let spec = object("kubernetes.NamespaceSpec", &[("finalizers", texts())]);
    let condition = object(
        "kubernetes.NamespaceCondition",
        &[
            ("status", Type::Text),
            ("type", Type::Text),
            ("lastTransitionTime", Type::Timestamp),
            ("message", Type::Text),
            ("reason", Type::Text),
        ],
    );
    let status = object("kubernetes.NamespaceStatus", &[("conditions", Type::list(condition)), ("phase", Type::Text)]);
    let map = || Type::map(Type::Text, Type::Text);
    let metadata = object(
        "kubernetes.NamespaceMetadata",
        &[
            ("name", Type::Text),
            ("generateName", Type::Text),
            ("namespace", Type::Text),
            ("labels", map()),
            ("annotations", map()),
            ("UID", Type::Text),
            ("creationTimestamp", Type::Timestamp),
            ("deletionGracePeriodSeconds", Type::Int),
            ("deletionTimestamp", Type::Timestamp),
            ("generation", Type::Int),
            ("resourceVersion", Type::Text),
            ("finalizers", texts()),
        ],
    );
    object("kubernetes.Namespace", &[("metadata", metadata), ("spec", spec), ("status", status)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_of_the_types_that_are_wanted() {
        let mut p = Programs::new(true, true).with_variables(Vec::new());
        p.declare("names", &Type::list(Type::Text));
        let said = |program: &str, wanted: &[Type]| {
            p.compile(&Path::new("e"), program, wanted).err().map(|e| e.detail).unwrap_or_default()
        };
        for program in [
            "object.spec.replicas <= params.max && request.userInfo.username.startsWith('system:')",
            "'admins' in request.userInfo.groups || namespaceObject.metadata.labels['a'] == 'b'",
            "authorizer.group('apps').resource('deployments').namespace('x').check('get').allowed()",
            "authorizer.requestResource.check('update').allowed() && variables.names.exists(n, n == object.metadata.name)",
            "oldObject == null || object.metadata.?labels[?'a'].orValue('') != '' || has(object.spec.a)",
        ] {
            assert_eq!(said(program, &[Type::Bool]), "", "{program}");
        }
        assert_eq!(said("object.spec.replicas", &[Type::Bool]), "must evaluate to bool but got dyn");
        assert_eq!(said("1", &[Type::Text, Type::Null]), "must evaluate to one of [string null_type] but got int");
        let why = "compilation failed: ERROR: <input>:1:8: undefined field 'oject'\n | request.oject == 1\n | .......^";
        assert_eq!(said("request.oject == 1", &[]), why);
        assert!(said("variables.other == 1", &[]).contains("undefined field 'other'"));
    }
}
