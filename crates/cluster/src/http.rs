//! HTTP requests, for hosts: routing, execution and rendering, with what only a host can finish left to it.

use crate::Cluster;
use crate::aggregation::Passed;
use crate::errand::Errand;
use crate::machines::kubelet_name;
use api::Registered;
use apiserver::Credentials;
use apiserver::authz::Attributes;
use apiserver::http::{HttpRequest, HttpResponse, Routed, Wants};
use apiserver::response::LiveQuery;
use apiserver::watch::Watcher;
use apiserver::{Answer, ConnectTarget, Flow, ProxyTarget, Response};
use k8s_openapi::api::core::v1::{ComponentStatus, ContainerState, Node, Pod};
use kubelet::Kubelet;
use meta::{ApiError, Duration, Key, User};
use std::sync::Arc;

/// What a host does next.
pub enum HttpOutcome {
    Response(HttpResponse),
    /// Send `initial`, then whatever the watcher makes of each store event.
    Watch {
        watcher: Box<Watcher>,
        initial: Vec<u8>,
    },
    /// Send [`Cluster::pod_log`]; with `follow`, again and again what is new.
    Logs(LogRequest),
    /// A pod's or Service's HTTP traffic, for the host to carry.
    Proxy(ProxyTarget),
    /// Another server answers, to whom the host carries the request.
    Passed(Passed),
    /// `exec`, `attach` and `portforward`: the connection is upgraded, and [`Cluster::open_session`] is for the first two.
    Connect(ConnectTarget),
}

/// `pods/NAME/log`, checked: the pod exists, the container is one of its, and a node runs it.
#[derive(Clone, Debug)]
pub struct LogRequest {
    pub pod: Key,
    pub pod_uid: String,
    pub node: String,
    pub options: apiserver::LogOptions,
}

impl Cluster {
    /// Answers an HTTP request as kube-apiserver would.
    pub fn http(&mut self, req: HttpRequest<'_>) -> HttpOutcome {
        let you = self.lanes.you.clone();
        self.http_of(&you, req, None)
    }

    /// The same for somebody else, or for a request that does not wait for webhooks.
    pub(crate) fn http_of(&mut self, lane: &Arc<str>, req: HttpRequest<'_>, errand: Option<&Errand>) -> HttpOutcome {
        if let Err(e) = apiserver::http::check_timeout(&req) {
            let answer = Answer::refusal(e);
            return HttpOutcome::Response(apiserver::http::render(&answer, &Wants::default(), self.now));
        }
        // What the path asks for, before what there is at the path: a stranger learns neither.
        if let Err(e) = self.api.authorize_http(&self.store, &req) {
            let answer = Answer::refusal(e);
            return HttpOutcome::Response(apiserver::http::render(&answer, &Wants::default(), self.now));
        }
        if matches!(req.method, "GET" | "HEAD")
            && let Some(response) = self.telemetry(req.path)
        {
            return HttpOutcome::Response(response);
        }
        let remote = apiserver::http::remote(self.api.kinds(), req.path).filter(|r| r.available).cloned();
        if let Some(remote) = remote {
            return self.pass_on(&remote, &req, errand.is_some());
        }
        let (method, query) = (req.method, req.query);
        let (answer, wants) = match apiserver::http::route(self.api.kinds(), req) {
            Routed::Api(req, wants) => (self.execute_on(lane, 0, *req, errand).0, wants),
            Routed::Direct(answer, wants) => (answer, wants),
        };
        let answer = match answer.response {
            Response::Watch(spec) => {
                let mut watcher = Watcher::new(*spec, wants);
                let initial = watcher.initial(&self.store, self.now);
                return HttpOutcome::Watch { watcher: Box::new(watcher), initial };
            }
            Response::Logs { pod, options } => match self.log_request(pod, options) {
                Ok(request) => return HttpOutcome::Logs(request),
                Err(e) => Answer::refusal(e),
            },
            Response::Proxy(target) if target.kind == Node::KIND_REF => {
                return HttpOutcome::Response(self.node_proxy(&target, method, query));
            }
            Response::Proxy(target) => return HttpOutcome::Proxy(target),
            Response::Connect(target) => return HttpOutcome::Connect(target),
            Response::Live(query) => Answer { warnings: answer.warnings, ..self.live(&query) },
            _ => answer,
        };
        HttpOutcome::Response(apiserver::http::render(&answer, &wants, self.now))
    }

    /// The request's FlowSchema and its priority level.
    pub fn flow(&self, req: &HttpRequest<'_>) -> Option<Flow> {
        self.api.flow(&self.store, req)
    }

    fn live(&self, query: &LiveQuery) -> Answer {
        if query.kind == ComponentStatus::KIND_REF { self.component_statuses(query) } else { self.metrics(query) }
    }

    /// Who makes a request.
    ///
    /// # Errors
    /// The refusal of the credentials.
    pub fn identify(&mut self, credentials: &Credentials) -> Result<User, ApiError> {
        self.api.identify(&self.store, self.now, credentials)
    }

    /// Whether the user may use a path that names no resource and is the host's own.
    ///
    /// # Errors
    /// The refusal.
    pub fn authorize_path(&mut self, user: &User, verb: &str, path: &str) -> Result<(), ApiError> {
        self.api.authorize(&self.store, &Attributes::path(user, verb, path))
    }

    fn log_request(&self, pod: Key, options: apiserver::LogOptions) -> Result<LogRequest, ApiError> {
        let p = self.view.get::<Pod>(&pod).ok_or_else(|| ApiError::not_found("", "pods", pod.name()))?;
        // Without a node there is no log, and that is no error.
        let node = p.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default();
        Ok(LogRequest { pod_uid: api::references::uid_on_node(p).into(), pod, node, options })
    }

    /// The container's log as its kubelet serves it.
    ///
    /// # Errors
    /// The kubelet cannot be reached, or the container has no log; worded as kubectl shows it.
    pub fn pod_log(&self, r: &LogRequest) -> Result<Vec<u8>, ApiError> {
        if r.node.is_empty() {
            return Ok(Vec::new());
        }
        let name = kubelet_name(&r.node);
        let kubelet = match (self.component::<Kubelet>(&name), self.unreachable(&r.node)) {
            (Some(k), None) => k,
            (_, why) => {
                let ip = self.machine(&r.node).map_or("", |m| m.config.internal_ip.as_str());
                return Err(ApiError::internal(format!(
                    "Get \"https://{ip}:10250/containerLogs/{}/{}/{}\": {}",
                    r.pod.namespace(),
                    r.pod.name(),
                    r.options.container,
                    why.unwrap_or_default()
                )));
            }
        };
        let o = &r.options;
        let count = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
        let options = kubelet::runtime::LogOptions {
            previous: o.previous,
            tail_lines: count(o.tail_lines),
            since: o
                .since_time
                .or(o.since_seconds.map(|s| self.now - Duration::from_secs(u64::try_from(s).unwrap_or(0)))),
            timestamps: o.timestamps,
            limit_bytes: count(o.limit_bytes),
        };
        kubelet.runtime().logs(&r.pod_uid, &o.container, &options).map_err(|_| self.no_log(r))
    }

    /// Why a container has no log. Models `validateContainerLogStatus` of `pkg/kubelet/kubelet_pods.go`.
    pub fn no_log(&self, r: &LogRequest) -> ApiError {
        let (pod, container) = (r.pod.name(), &r.options.container);
        let status = self.view.get::<Pod>(&r.pod).and_then(|p| p.status.as_ref());
        let all = status.into_iter().flat_map(|s| s.container_statuses.iter().chain(&s.init_container_statuses));
        let found = all.flatten().find(|c| c.name == *container);
        if r.options.previous {
            return ApiError::bad_request(format!(
                "previous terminated container {container:?} in pod {pod:?} not found"
            ));
        }
        let Some(found) = found else {
            return ApiError::bad_request(format!("container {container:?} in pod {pod:?} is not available"));
        };
        let waiting = found.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref());
        let why = match waiting {
            Some("ErrImagePull") => "image can't be pulled",
            Some("ImagePullBackOff") => "trying and failing to pull image",
            Some(reason) => reason,
            None => {
                let text = format!("container {container:?} in pod {pod:?} is waiting to start - no logs yet");
                return ApiError::bad_request(text);
            }
        };
        ApiError::bad_request(format!("container {container:?} in pod {pod:?} is waiting to start: {why}"))
    }

    /// Whether nothing more can come: the run has ended, or its pod is gone.
    pub fn container_ended(&self, r: &LogRequest) -> bool {
        let Some(pod) = self.view.get::<Pod>(&r.pod) else { return true };
        if api::references::uid_on_node(pod) != r.pod_uid || r.options.previous || r.node.is_empty() {
            return true;
        }
        let Some(status) = &pod.status else { return false };
        let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
        let Some(container) = all.into_iter().find(|c| c.name == r.options.container) else { return false };
        let terminated = |s: &Option<ContainerState>| s.as_ref().is_some_and(|s| s.terminated.is_some());
        let waiting = container.state.as_ref().is_some_and(|s| s.waiting.is_some());
        // Between two runs the log is that of the one before; before the first run there is all to come.
        terminated(&container.state) || (waiting && terminated(&container.last_state))
    }

    /// The newest lines of a container's log; `None` when it has none yet.
    pub fn log_tail(&self, pod: &Pod, container: &str, lines: i64) -> Option<String> {
        let options =
            apiserver::LogOptions { container: container.into(), tail_lines: Some(lines), ..Default::default() };
        let key = api::ObjectExt::key(pod as &dyn api::Object);
        let request = self.log_request(key, options).ok().filter(|r| !r.node.is_empty())?;
        Some(String::from_utf8_lossy(&self.pod_log(&request).ok()?).into_owned())
    }
}
