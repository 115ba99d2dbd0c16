//! Streams and connections to containers, through their kubelets: `exec`, `attach`, port forwarding.

use crate::exchange::HANDED_ON_MAX;
use crate::machines::kubelet_name;
use crate::{Cluster, Lamp};
use apiserver::{Connect, ConnectTarget};
use kubelet::runtime::{SessionInput, SessionOutput, SessionSpec};
use kubelet::sim::net::{NetError, Response, Server};
use kubelet::{Kubelet, Runtime, SimRuntime};

/// An open stream: the node's, and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId {
    pub node: String,
    pub number: u64,
}

impl Cluster {
    fn with_runtime<R>(&mut self, node: &str, f: impl FnOnce(&mut dyn Runtime) -> R) -> Option<R> {
        let name = kubelet_name(node);
        if self.unreachable(node).is_some() {
            return None;
        }
        // What is typed may set programs going that look at the network at once.
        let view = self.view.clone();
        self.with_component(&name, |k: &mut Kubelet| {
            let runtime = k.runtime_mut();
            runtime.look(Some(view));
            let r = f(runtime);
            runtime.look(None);
            r
        })
    }

    /// Runs a command in a container, or reads along with its first process.
    ///
    /// # Errors
    /// The kubelet cannot be reached or has no such container, in the API server's words.
    pub fn open_session(&mut self, target: &ConnectTarget) -> Result<SessionId, String> {
        self.release();
        let o = &target.options;
        let exec = target.connect == Connect::Exec;
        let spec = SessionSpec { command: exec.then(|| o.command.clone()), stdin: o.stdin, tty: o.tty };
        let now = self.now;
        let open = |r: &mut dyn Runtime| r.open_session(now, &target.pod_uid, &target.container, spec);
        match self.with_runtime(&target.node, open) {
            Some(Ok(number)) => Ok(SessionId { node: target.node.clone(), number }),
            Some(Err(why)) => Err(format!("unable to upgrade connection: {why}")),
            None => {
                let why = self.unreachable(&target.node).unwrap_or_default();
                Err(format!("error dialing backend: {why}"))
            }
        }
    }

    pub fn session_input(&mut self, session: &SessionId, input: SessionInput) {
        self.release();
        let now = self.now;
        self.with_runtime(&session.node, |r| r.session_input(now, session.number, input));
    }

    /// What came out since the last call; `None`: the session is no more (its kubelet, or its node, is gone).
    pub fn session_output(&mut self, session: &SessionId) -> Option<SessionOutput> {
        if self.unreachable(&session.node).is_some() {
            return None;
        }
        let take = |k: &mut Kubelet| k.runtime_mut().session_output(session.number);
        self.take_from(&kubelet_name(&session.node), take).flatten()
    }

    pub fn close_session(&mut self, session: &SessionId) {
        let now = self.now;
        self.with_runtime(&session.node, |r| r.close_session(now, session.number));
    }

    /// The node of the pod that has the address. Pods of the host's network have their node's.
    pub fn node_of_pod_ip(&self, ip: &str) -> Option<&str> {
        let mut all = self.view.pods_with_ip(ip).filter(|p| !api::pods::is_terminal(p));
        all.find_map(|p| p.spec.as_ref()?.node_name.as_deref())
    }

    fn simulated(&self, node: &str) -> Option<&SimRuntime> {
        let name = kubelet_name(node);
        // Without its kubelet a node's containers run on, but nobody moves their time.
        (self.lamp(&name) == Some(Lamp::Running)).then_some(())?;
        self.component::<Kubelet>(&name)?.runtime().as_any().downcast_ref()
    }

    /// The container of a simulated pod of the node that listens at a port, and its program.
    pub(crate) fn listener(&self, node: &str, ip: &str, port: u16) -> Option<(String, String)> {
        self.simulated(node)?.listener(ip, port, self.now)
    }

    /// Whether a simulated pod of the node accepts connections at a port.
    pub fn pod_listens(&self, node: &str, ip: &str, port: u16) -> bool {
        self.simulated(node).is_some_and(|r| r.listens(ip, port, self.now))
    }

    /// A request to a simulated pod of the node.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn pod_http(&mut self, node: &str, asked: &Server) -> Result<Response, NetError> {
        if let Some(response) = self.ask_component(asked) {
            return Ok(response);
        }
        let now = self.now;
        let ask = |r: &mut dyn Runtime| {
            let simulated = r.as_any_mut().downcast_mut::<SimRuntime>().ok_or(NetError::Unreachable)?;
            simulated.http(asked, now).map(|served| served.response)
        };
        // Without its kubelet a node's containers run on, but nobody moves their time.
        let response = self.with_runtime(node, ask).unwrap_or(Err(NetError::Unreachable))?;
        Ok(self.forwarded(asked, response, HANDED_ON_MAX))
    }
}
