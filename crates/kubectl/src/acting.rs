//! Another user of the kubeconfig, `--as`, `--as-group` and `--as-uid`: requests in somebody else's name. Models
//! `rest.ImpersonationConfig`; whom a token is about, and whether another user may act as somebody, the server says.

use crate::client::{Client, Future, Request, Response, Stream, send_json};
use crate::error::Error;
use crate::flags::Flags;
use crate::kubeconfig::{Config, Who};
use serde_json::{Value, json};
use std::cell::RefCell;

type Headers = Vec<(String, String)>;

/// Somebody to act as.
#[derive(Debug, Default)]
struct Other {
    user: String,
    groups: Vec<String>,
    uid: String,
}

pub(crate) struct Acting<'a> {
    client: &'a dyn Client,
    who: Result<Who, String>,
    other: Option<Other>,
    /// What goes with each request, once it is known; or the answer to all of them.
    known: RefCell<Option<Result<Headers, Response>>>,
}

impl<'a> Acting<'a> {
    /// `None` for the client's own user.
    pub fn of(flags: &Flags, config: &Config, client: &'a dyn Client) -> Option<Acting<'a>> {
        let who = config.identity(flags).map_err(|e| e.said().trim_end().to_string());
        let other = Other {
            user: flags.string("as").into(),
            groups: flags.list("as-group").to_vec(),
            uid: flags.string("as-uid").into(),
        };
        let other = (!other.user.is_empty() || !other.groups.is_empty() || !other.uid.is_empty()).then_some(other);
        (who != Ok(Who::Own) || other.is_some()).then(|| Acting { client, who, other, known: RefCell::default() })
    }

    /// What goes with each request; `Err`: the answer to it.
    async fn headers(&self) -> Result<Headers, Response> {
        if let Some(known) = &*self.known.borrow() {
            return known.clone();
        }
        let found = self.find().await;
        *self.known.borrow_mut() = Some(found.clone());
        found
    }

    async fn find(&self) -> Result<Headers, Response> {
        let reviewed;
        let me = match &self.who {
            Ok(Who::Own) => None,
            Ok(Who::Certified { user, groups }) => Some((user, groups)),
            Ok(Who::Token(token)) => {
                reviewed = self.review(token).await?;
                Some((&reviewed.0, &reviewed.1))
            }
            // Nobody gets so far.
            Err(_) => return Err(Response::default()),
        };
        match (&self.other, me) {
            (Some(other), me) => {
                if let Some((user, groups)) = me {
                    self.may_act(user, groups, other).await?;
                }
                Ok(headers(&other.user, &other.groups, &other.uid))
            }
            (None, Some((user, groups))) => Ok(headers(user, groups, "")),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The user and the groups of a token.
    async fn review(&self, token: &str) -> Result<(String, Vec<String>), Response> {
        let kind = json!({"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1"});
        let answer = self.ask("/apis/authentication.k8s.io/v1/tokenreviews", kind, json!({"token": token})).await?;
        let status = &answer["status"];
        if status["authenticated"] != true {
            return Err(refused(401, "Unauthorized", "Unauthorized"));
        }
        let groups = status["user"]["groups"].as_array().into_iter().flatten();
        let groups = groups.filter_map(|g| g.as_str().map(String::from)).collect();
        Ok((status["user"]["username"].as_str().unwrap_or("").into(), groups))
    }

    /// Each part of the other identity is a permission of its own. Models `WithImpersonation`.
    async fn may_act(&self, user: &str, groups: &[String], other: &Other) -> Result<(), Response> {
        let account = other.user.strip_prefix("system:serviceaccount:").and_then(|r| r.split_once(':'));
        let first = match account {
            Some((namespace, name)) => ("", "serviceaccounts", namespace, name),
            None => ("", "users", "", other.user.as_str()),
        };
        let more = other.groups.iter().map(|g| ("", "groups", "", g.as_str()));
        let uid = (!other.uid.is_empty()).then_some(("authentication.k8s.io", "uids", "", other.uid.as_str()));
        for (group, resource, namespace, name) in std::iter::once(first).chain(more).chain(uid) {
            let kind = json!({"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"});
            let wanted = json!({
                "verb": "impersonate", "group": group, "resource": resource, "namespace": namespace, "name": name,
            });
            let spec = json!({"user": user, "groups": groups, "resourceAttributes": wanted});
            let answer = self.ask("/apis/authorization.k8s.io/v1/subjectaccessreviews", kind, spec).await?;
            if answer["status"]["allowed"] != true {
                let at = match namespace {
                    "" => "at the cluster scope".to_string(),
                    n => format!("in the namespace {n:?}"),
                };
                let dot = if group.is_empty() { "" } else { "." };
                let said = format!(
                    "{resource}{dot}{group} {name:?} is forbidden: User {user:?} cannot impersonate resource \
                     {resource:?} in API group {group:?} {at}"
                );
                return Err(refused(403, "Forbidden", &said));
            }
        }
        Ok(())
    }

    /// As the client's own user.
    async fn ask(&self, path: &str, mut object: Value, spec: Value) -> Result<Value, Response> {
        object["spec"] = spec;
        match send_json(self.client, Request::new("POST", path).json(&object)).await {
            Ok(answer) => Ok(answer),
            Err(Error::Status(s)) => Err(refused(u16::try_from(s.code()).unwrap_or(500), s.reason(), s.message())),
            Err(e) => Err(refused(500, "InternalError", &e.go())),
        }
    }
}

fn headers(user: &str, groups: &[String], uid: &str) -> Headers {
    let groups = groups.iter().map(|g| ("Impersonate-Group", g.as_str()));
    let all = std::iter::once(("Impersonate-User", user)).chain(groups).chain([("Impersonate-Uid", uid)]);
    all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.into(), value.into())).collect()
}

fn refused(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code,
    });
    let headers = vec![("Content-Type".into(), "application/json".into())];
    Response { status: code, headers, body: body.to_string().into_bytes() }
}

impl Client for Acting<'_> {
    fn request(&self, mut r: Request) -> Future<'_, Result<Response, String>> {
        Box::pin(async move {
            if let Err(why) = &self.who {
                return Err(why.clone());
            }
            match self.headers().await {
                Ok(headers) => r.headers.extend(headers),
                Err(answer) => return Ok(answer),
            }
            self.client.request(r).await
        })
    }
    fn stream(&self, mut r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        Box::pin(async move {
            if let Err(why) = &self.who {
                return Err(Response { status: 503, headers: Vec::new(), body: why.clone().into_bytes() });
            }
            r.headers.extend(self.headers().await?);
            self.client.stream(r).await
        })
    }
    fn now(&self) -> i64 {
        self.client.now()
    }
}
