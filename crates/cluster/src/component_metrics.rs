//! What kube-scheduler and kube-controller-manager answer at their own ports when they run on the control plane's node: their
//! `/metrics`, with upstream's names (`pkg/scheduler/metrics`, `client-go/tools/leaderelection`, `component-base/metrics`) and
//! what of them is known here. Who asks needs the right to; health is told to everybody.

use crate::bootstrap::API_SERVER_IP;
use crate::control_plane::NODE;
use crate::elections::is_led;
use crate::telemetry::{head, sample};
use crate::{Cluster, Lamp};
use apiserver::http::Wants;
use apiserver::{Answer, Credentials};
use k8s_openapi::api::core::v1::Pod;
use kubelet::sim::net::{Response, Server, Wire};
use kubelet::sim::parts::COMPONENT_PORTS;
use meta::{ApiError, Key, Time, User};
use scheduler::Scheduler;

impl Cluster {
    /// The answer of a process of the control plane's node, when it is one that is asked, and not for its health.
    pub(crate) fn ask_component(&mut self, asked: &Server) -> Option<Response> {
        let (process, _) = COMPONENT_PORTS.iter().find(|(_, port)| *port == asked.port)?;
        let path = asked.path.split('?').next().unwrap_or("/");
        let health = ["/healthz", "/livez", "/readyz"].iter().any(|h| path.starts_with(h));
        // Plain requests, and clients that check its certificate, get as far as with any server.
        let speaks = matches!(asked.wire, Wire::Any | Wire::Tls { insecure: true });
        if asked.ip != API_SERVER_IP || !self.is_contained(process) || health || !speaks {
            return None;
        }
        self.listener(NODE, &asked.ip, asked.port)?;
        let refused = |c: &Cluster, e: ApiError| {
            let r = apiserver::http::render(&Answer::refusal(e), &Wants::default(), c.now);
            Some(Response::new(r.code, String::from_utf8_lossy(&r.body)))
        };
        let user = match self.asking(asked) {
            Ok(user) => user,
            Err(e) => return refused(self, e),
        };
        if let Err(e) = self.authorize_path(&user, "get", path) {
            return refused(self, e);
        }
        match path {
            "/metrics" => Some(Response::new(200, self.component_metrics(process))),
            _ => Some(Response::new(404, "404 page not found\n")),
        }
    }

    /// Whose token a request shows.
    fn asking(&mut self, asked: &Server) -> Result<User, ApiError> {
        let authorization = Some(asked.said.header("Authorization").to_string()).filter(|h| !h.is_empty());
        self.identify(&Credentials { authorization, ..Credentials::default() })
    }

    /// Since when the process's container runs.
    fn container_start(&self, process: &str) -> Time {
        let pod = self.view.get::<Pod>(&Key::new("kube-system", &format!("{process}-{NODE}")));
        let statuses = pod.and_then(|p| p.status.as_ref()?.container_statuses.as_deref()).unwrap_or_default();
        let running = statuses.first().and_then(|s| s.state.as_ref()?.running.as_ref()?.started_at.as_ref());
        running.map_or(self.config.start, Time::from_k8s)
    }

    fn component_metrics(&self, process: &str) -> String {
        let mut out = String::new();
        let name = "leader_election_master_status";
        head(
            &mut out,
            name,
            "gauge",
            "[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
        );
        let members = self.members(process);
        let leads = members.iter().any(|i| self.slots[*i].lamp == Lamp::Running && is_led(&*self.slots[*i].component));
        sample(&mut out, name, &[("name", process)], u8::from(leads));
        self.process_metrics(&mut out, self.container_start(process));
        if let Some(scheduler) = self.component::<Scheduler>(process) {
            scheduler_metrics(scheduler, &mut out);
        } else {
            let name = "workqueue_depth";
            head(&mut out, name, "gauge", "[ALPHA] Current depth of workqueue");
            for slot in members.iter().map(|i| &self.slots[*i]).filter(|s| is_led(&*s.component)) {
                sample(&mut out, name, &[("name", slot.component.name())], self.gauge(slot).queued);
            }
        }
        out
    }
}

fn scheduler_metrics(scheduler: &Scheduler, out: &mut String) {
    let n = scheduler.queue_heads(0).lengths;
    let name = "scheduler_pending_pods";
    head(
        out,
        name,
        "gauge",
        "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
    );
    for (queue, n) in
        [("active", n.active), ("backoff", n.backoff), ("gated", n.gated), ("unschedulable", n.unschedulable)]
    {
        sample(out, name, &[("queue", queue)], n);
    }
}
