//! What has to be true of a cluster, as data. Checks look at what the cluster does, not at what somebody typed.

use crate::actions::Action;
use crate::count::Count;
use crate::front::Words;
use crate::problem::Problem;
use crate::span::Span;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// Exactly one of the questions ([`Check::ask`]) is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What the learner reads beside the tick.
    pub text: Option<Words>,
    /// It must be true for so long, without a break, until it counts.
    pub lasting: Option<Span>,
    /// A CEL expression over the lists of objects (`pods`, `deployments`) as they are, and as they were when the step
    /// began (`before.pods`).
    pub that: Option<Spanned<String>>,
    pub objects: Option<Objects>,
    pub event: Option<Event>,
    pub request: Option<Request>,
    pub process: Option<Process>,
    pub user: Option<May>,
    pub log: Option<Log>,
    pub run: Option<Run>,
    /// What would become of a copy of the cluster.
    pub fork: Option<Fork>,
}

/// Objects of a kind, chosen by name, labels or an expression; how many there are, and what each of them is like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    pub kind: Spanned<String>,
    /// `default` for kinds that live in namespaces; `"*"`: all.
    pub namespace: Option<String>,
    /// May end in `*`.
    pub name: Option<String>,
    /// `app=web,tier!=cache`
    pub labels: Option<String>,
    /// `Ready`, `Ready=False`
    pub condition: Option<String>,
    /// CEL over `object`, `metadata`, `spec` and `status`.
    #[serde(rename = "where")]
    pub filter: Option<Spanned<String>>,
    /// The same; what has been chosen must fulfil it, one and all.
    pub every: Option<Spanned<String>>,
    /// At least one, when it is not said.
    #[serde(default)]
    pub count: Count,
}

/// An Event of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub reason: String,
    pub namespace: Option<String>,
    /// `Pod/web-*`
    pub about: Option<String>,
    /// Part of its message.
    pub contains: Option<String>,
    /// False: there is none.
    #[serde(default = "yes")]
    pub seen: bool,
}

/// A request that a pod sends, on a copy of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The pod by `name` or `namespace/name`, or by labels: `app=client`.
    pub from: String,
    /// `http://web:80/`
    pub url: Spanned<String>,
    /// The `Host` header.
    #[serde(default)]
    pub host: String,
    /// What the answer's status is; 200 when it is not said.
    pub status: Option<u16>,
    /// Part of the answer.
    pub contains: Option<String>,
    /// No answer comes.
    #[serde(default)]
    pub fails: bool,
}

/// A process of the control plane or of a node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// `kube-scheduler`, `kubelet/node-1`
    pub name: Spanned<String>,
    #[serde(default = "yes")]
    pub running: bool,
}

/// What somebody may do, as the API server's authorizer says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct May {
    /// `jane`, `system:serviceaccount:default:robot`
    pub name: String,
    #[serde(default)]
    pub groups: Vec<String>,
    pub verb: String,
    /// `pods`, `pods/log`
    pub resource: String,
    #[serde(default)]
    pub group: String,
    /// Empty: of the whole cluster.
    #[serde(default)]
    pub namespace: String,
    /// Of one object by name.
    #[serde(default)]
    pub object: String,
    #[serde(default = "yes")]
    pub may: bool,
}

/// A container's log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// As in [`Request::from`].
    pub pod: String,
    #[serde(default)]
    pub container: String,
    pub contains: String,
}

/// A command in a container, on a copy of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// As in [`Request::from`].
    pub pod: String,
    #[serde(default)]
    pub container: String,
    /// For `sh -c`.
    pub command: String,
    pub contains: Option<String>,
    #[serde(default)]
    pub exits: i32,
}

/// A copy of the cluster in which something is done and time passes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
    pub after: Span,
    pub checks: Vec<Check>,
}

fn yes() -> bool {
    true
}

/// The question of a check.
pub enum Ask<'a> {
    That(&'a Spanned<String>),
    Objects(&'a Objects),
    Event(&'a Event),
    Request(&'a Request),
    Process(&'a Process),
    User(&'a May),
    Log(&'a Log),
    Run(&'a Run),
    Fork(&'a Fork),
}

impl Check {
    fn asks(&self) -> impl Iterator<Item = Ask<'_>> {
        let all = [
            self.that.as_ref().map(Ask::That),
            self.objects.as_ref().map(Ask::Objects),
            self.event.as_ref().map(Ask::Event),
            self.request.as_ref().map(Ask::Request),
            self.process.as_ref().map(Ask::Process),
            self.user.as_ref().map(Ask::User),
            self.log.as_ref().map(Ask::Log),
            self.run.as_ref().map(Ask::Run),
            self.fork.as_ref().map(Ask::Fork),
        ];
        all.into_iter().flatten()
    }

    /// `None` for a check that asks nothing, which [`Check::problems`] reports.
    pub fn ask(&self) -> Option<Ask<'_>> {
        self.asks().next()
    }

    /// Costs more than a look: a copy of the cluster lives for a while.
    pub fn is_dear(&self) -> bool {
        self.fork.is_some() || self.run.is_some()
    }

    pub(crate) fn problems(&self, at: (u64, u64), out: &mut Vec<Problem>) {
        match self.asks().count() {
            1 => {}
            0 => out.push(Problem::new(
                at,
                "the check asks nothing: add one of that, objects, event, request, process, user, log, run, fork",
            )),
            _ => out.push(Problem::new(at, "the check asks more than one thing: make a check of each")),
        }
        for text in self.programs() {
            if let Err(e) = cel::parse(&text.value) {
                let place = (text.referenced.line(), text.referenced.column());
                out.push(Problem::new(place, format!("the expression cannot be read: {e}")));
            }
        }
        for check in self.fork.iter().flat_map(|f| &f.checks) {
            check.problems(at, out);
        }
        for action in self.fork.iter().flat_map(|f| &f.actions) {
            action.problems(at, out);
        }
    }

    fn programs(&self) -> impl Iterator<Item = &Spanned<String>> {
        let of = self.objects.iter().flat_map(|o| o.filter.iter().chain(&o.every));
        self.that.iter().chain(of)
    }
}
