//! A cluster as a lesson's checks see it. What would change it happens on a copy.

use super::deeds::perform;
use crate::{follow, terminal};
use api::KINDS;
use apiserver::authz::Attributes;
use cluster::{Cluster, Lamp};
use k8s_openapi::api::core::v1::Pod;
use lessons::{Action, Answer, Lesson, May, Request, Span, World};
use meta::{Duration, Key, User};
use protocol::{Follow, Terminal, TerminalOutput};
use serde_json::Value;
use std::borrow::Borrow;

/// Lines of a log that are looked through.
const LOG_LINES: i64 = 1000;
/// How long a command in a container may take.
const RUN_TIME: Duration = Duration::from_secs(5);

pub struct Glass<'l, C> {
    cluster: C,
    lesson: &'l Lesson,
}

impl<'l, C: Borrow<Cluster>> Glass<'l, C> {
    pub fn new(cluster: C, lesson: &'l Lesson) -> Self {
        Glass { cluster, lesson }
    }
    fn seen(&self) -> &Cluster {
        self.cluster.borrow()
    }
}

impl<C: Borrow<Cluster>> World for Glass<'_, C> {
    fn kinds(&self) -> Vec<(String, String)> {
        KINDS.iter().map(|k| (k.kind.to_string(), k.plural.to_string())).collect()
    }

    fn objects(&self, kind: &str) -> Vec<Value> {
        let kinds = KINDS.iter().filter(|k| k.kind == kind);
        kinds.flat_map(|k| self.seen().view().list_obj(k)).map(|o| o.to_value()).collect()
    }

    fn is_running(&self, process: &str) -> Option<bool> {
        let mut lamps = self.seen().slots().filter(|s| *s.process == *process).map(|s| s.lamp).peekable();
        lamps.peek()?;
        Some(lamps.all(|l| matches!(l, Lamp::Running | Lamp::Standby)))
    }

    fn may(&self, may: &May) -> bool {
        let mut groups: Vec<&str> = may.groups.iter().map(String::as_str).chain(["system:authenticated"]).collect();
        let of_namespace;
        if let Some((namespace, _)) = may.name.strip_prefix("system:serviceaccount:").and_then(|n| n.split_once(':')) {
            of_namespace = format!("system:serviceaccounts:{namespace}");
            groups.extend(["system:serviceaccounts", &of_namespace]);
        }
        let user = User::new(&may.name, &groups);
        let (resource, subresource) = may.resource.split_once('/').unwrap_or((&may.resource, ""));
        let asked = Attributes {
            user: &user,
            verb: &may.verb,
            group: &may.group,
            resource,
            subresource,
            namespace: &may.namespace,
            name: &may.object,
            field_selector: "",
            path: None,
        };
        let c = self.seen();
        c.api().authz().authorize(c.store(), &asked).allowed
    }

    fn request(&self, (namespace, pod): (&str, &str), r: &Request) -> Answer {
        let asked =
            Follow { namespace: namespace.into(), pod: pod.into(), url: r.url.value.clone(), host: r.host.clone() };
        let mut copy = self.seen().clone();
        let journey = follow::send(&mut copy, &asked).map(|j| follow::shown(&j)).unwrap_or_default();
        Answer { status: journey.status, body: journey.body }
    }

    fn log(&self, (namespace, name): (&str, &str), container: &str) -> String {
        let key = Key::new(namespace, name);
        let Some(pod) = self.seen().view().get::<Pod>(&key) else { return String::new() };
        let first = pod.spec.as_ref().and_then(|s| s.containers.first()).map_or("", |c| c.name.as_str());
        let container = if container.is_empty() { first } else { container };
        self.seen().log_tail(pod, container, LOG_LINES).unwrap_or_default()
    }

    fn run(&self, (namespace, pod): (&str, &str), container: &str, command: &str) -> (i32, String) {
        let mut copy = self.seen().clone();
        let argv = ["sh", "-c", command].map(String::from).to_vec();
        let (namespace, pod, container) = (namespace.into(), pod.into(), container.into());
        let open = Terminal::Open { namespace, pod, container, argv, stdin: true, tty: true };
        let opened = terminal::act(&mut copy, &User::admin(), &open);
        if let Some(why) = opened.error {
            return (-1, why);
        }
        copy.advance(RUN_TIME);
        let TerminalOutput { text, exit_code, .. } =
            terminal::act(&mut copy, &User::admin(), &Terminal::Read { session: opened.session });
        (exit_code.unwrap_or(-1), text)
    }

    fn fork(&self, actions: &[Action], after: Span) -> Result<Box<dyn World + '_>, String> {
        let mut copy = self.seen().clone();
        for action in actions {
            perform(&mut copy, self.lesson, action).map_err(|p| p.to_string())?;
        }
        copy.advance(Duration(after.0));
        Ok(Box::new(Glass::new(copy, self.lesson)))
    }
}
