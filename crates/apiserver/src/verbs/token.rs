//! `POST serviceaccounts/NAME/token`. Models `pkg/registry/core/serviceaccount/storage.TokenREST`.

use crate::admission::node_restriction;
use crate::authn::account::{Bound, ISSUER, claims};
use crate::decode;
use crate::request::Request;
use crate::response::Response;
use crate::server::{Cx, Plan};
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestStatus};
use k8s_openapi::api::core::v1::{Node, Pod, Secret, ServiceAccount};
use meta::{ApiError, Duration, FieldError, Path, Time};

const GROUP: &str = "authentication.k8s.io";
const SECONDS_MIN: i64 = 600;
const SECONDS_MAX: i64 = 1 << 32;
/// Models `SetDefaults_TokenRequestSpec`.
const SECONDS_DEFAULT: i64 = 3600;
pub(crate) fn request(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    let mut token: TokenRequest = decode::token_request(&mut req)?;
    let same = |said: &Option<String>, is: &str, field: &str, what: &str| match said.as_deref() {
        None | Some("") => Ok(()),
        Some(s) if s == is => Ok(()),
        Some(s) => {
            let why = format!("must match the service account {what} if specified");
            let e = FieldError::invalid(&Path::new("metadata").child(field), s, why);
            Err(ApiError::invalid(GROUP, "TokenRequest", &req.name, &[e]))
        }
    };
    same(&token.metadata.name, &req.name, "name", "name")?;
    same(&token.metadata.namespace, &req.namespace, "namespace", "namespace")?;
    let account: ServiceAccount = get(cx, &req.namespace, &req.name)?;
    let uid = account.metadata.uid.clone().unwrap_or_default();
    if let Some(said) = token.metadata.uid.as_deref().filter(|u| !u.is_empty() && *u != uid) {
        let why =
            format!("the UID in the token request ({said}) does not match the UID of the service account ({uid})");
        return Err(ApiError::conflict(GROUP, "TokenRequest", &req.name, &why));
    }
    if token.spec.audiences.is_empty() {
        token.spec.audiences = vec![ISSUER.into()];
    }
    let seconds = *token.spec.expiration_seconds.get_or_insert(SECONDS_DEFAULT);
    check_seconds(seconds)?;
    token.metadata.name = Some(req.name.clone());
    token.metadata.namespace = Some(req.namespace.clone());
    token.metadata.uid = Some(uid);
    token.metadata.creation_timestamp = Some(cx.now.to_k8s());
    node_restriction::token(cx, &req, token.spec.bound_object_ref.as_ref())?;
    let found = Found::of(cx, &req, &token)?;
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let id = cx.rng.uuid();
    let claims = claims(&account, &found.bound(), &id, &token.spec.audiences, cx.now, seconds);
    let expires = cx.now + Duration::from_secs(seconds);
    token.status = Some(TokenRequestStatus {
        token: cx.server.authn().key.sign(&claims),
        expiration_timestamp: Time::from_secs(expires.as_secs()).to_k8s(),
    });
    let json = api::encode::json(&token, "authentication.v1.TokenRequest");
    Ok(Plan { code: 201, ..Plan::read(Response::Json(json)) })
}

/// Models `ValidateTokenRequest`.
fn check_seconds(seconds: i64) -> Result<(), ApiError> {
    let why = match seconds {
        s if s < SECONDS_MIN => "may not specify a duration less than 10 minutes",
        s if s > SECONDS_MAX => "may not specify a duration larger than 2^32 seconds",
        _ => return Ok(()),
    };
    let e = FieldError::invalid(&Path::new("spec").child("expirationSeconds"), seconds, why);
    Err(ApiError::invalid(GROUP, "TokenRequest", "", &[e]))
}

fn get<T: Registered>(cx: &Cx<'_>, namespace: &str, name: &str) -> Result<T, ApiError> {
    let kind = T::KIND_REF;
    let found = cx.object(kind, namespace, name).and_then(|e| e.value.0.downcast::<T>()).cloned();
    found.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, name))
}

/// What `boundObjectRef` names.
enum Found {
    Nothing,
    Pod(Box<Pod>, Option<(String, String)>),
    Secret(Box<Secret>),
    Node(Box<Node>),
}

impl Found {
    fn of(cx: &Cx<'_>, req: &Request, token: &TokenRequest) -> Result<Found, ApiError> {
        let Some(r) = &token.spec.bound_object_ref else { return Ok(Found::Nothing) };
        let (version, kind) = (r.api_version.as_deref().unwrap_or(""), r.kind.as_deref().unwrap_or(""));
        let name = r.name.as_deref().unwrap_or("");
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let found = match (group, kind) {
            ("", "Pod") => {
                let pod: Pod = get(cx, &req.namespace, name)?;
                let spec = pod.spec.as_ref();
                if spec.and_then(|s| s.service_account_name.as_deref()) != Some(req.name.as_str()) {
                    return Err(ApiError::bad_request(format!(
                        "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
                        req.name
                    )));
                }
                let node = spec.and_then(|s| s.node_name.clone()).filter(|n| !n.is_empty()).map(|name| {
                    let uid = cx.object(Node::KIND_REF, "", &name).map(|e| e.value.0.uid().to_string());
                    (name, uid.unwrap_or_default())
                });
                Found::Pod(Box::new(pod), node)
            }
            ("", "Node") => Found::Node(Box::new(get(cx, "", name)?)),
            ("", "Secret") => Found::Secret(Box::new(get(cx, &req.namespace, name)?)),
            _ => {
                let what = format!("{group}/{version}, Kind={kind}");
                return Err(ApiError::bad_request(format!("cannot bind token to object of type {what}")));
            }
        };
        let uid = match &found {
            Found::Pod(p, _) => (**p).uid(),
            Found::Secret(s) => s.uid(),
            Found::Node(n) => (**n).uid(),
            Found::Nothing => "",
        };
        if let Some(said) = r.uid.as_deref().filter(|u| !u.is_empty() && *u != uid) {
            let why = format!(
                "the UID in the bound object reference ({said}) does not match the UID in record. The object might have \
                 been deleted and then recreated"
            );
            return Err(ApiError::conflict(group, kind, name, &why));
        }
        Ok(found)
    }

    fn bound(&self) -> Bound<'_> {
        match self {
            Found::Nothing => Bound::Nothing,
            Found::Pod(pod, node) => Bound::Pod { pod, node: node.clone() },
            Found::Secret(s) => Bound::Secret(s),
            Found::Node(n) => Bound::Node(n),
        }
    }
}

trait Uid {
    fn uid(&self) -> &str;
}
impl<T: Object> Uid for T {
    fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or("")
    }
}
