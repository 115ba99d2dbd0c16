//! The server: configuration, dispatch, commit.

use crate::admission::webhooks::{Callees, waits};
use crate::authn::Authenticator;
use crate::authz::{Attributes, Authorizer};
use crate::conversion::{self, Converted};
use crate::http::{self, HttpRequest};
use crate::owners::Asked;
use crate::request::{Body, Request, RequestVerb};
use crate::response::{Answer, LiveQuery, Response, WatchSpec};
use crate::select::Filter;
use crate::service::{self, Ranges};
use crate::stored::Stored;
use crate::{Flow, decode, event_ttl, flow, keys, verbs};
use api::{KindRef, Kinds, Obj, ObjectExt, Registered};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use meta::{ApiError, Rng, Time};
use std::cell::Cell;
use std::sync::Arc;
use store::{Backend, Compare, Op, Store, Txn, TxnResult};

/// What kube-apiserver's flags say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `--service-cluster-ip-range`, IPv4.
    pub service_cidr: String,
    /// `--service-node-port-range`, both ends included.
    pub node_port_range: (u16, u16),
    /// What the key is made of that signs the tokens of service accounts. A server that others can reach draws it from the
    /// system's randomness; a simulation may do with a known one.
    pub service_account_secret: [u8; 32],
}

impl Default for Config {
    fn default() -> Self {
        Config { service_cidr: "10.96.0.0/12".into(), node_port_range: (30000, 32767), service_account_secret: [0; 32] }
    }
}

/// What a request may touch.
pub struct ApiCx<'a> {
    pub now: Time,
    pub store: &'a mut Store<Stored>,
    pub rng: &'a mut Rng,
    /// A controller is at work that gives every namespace its `default` ServiceAccount: a pod that needs one which
    /// is not there yet need not be refused.
    pub accounts_come: bool,
    pub callees: &'a Callees,
}

/// Holds configuration only, the lease it gives to new Events, and what follows the store: an index of RBAC bindings, and the
/// kinds that definitions make. Every other fact lies there, so several servers could share one.
#[derive(Clone, Debug)]
pub struct ApiServer {
    config: Arc<Config>,
    ranges: Ranges,
    event_lease: Option<event_ttl::Current>,
    authn: Authenticator,
    authz: Authorizer,
    kinds: Kinds,
    asked: Arc<Asked>,
}

/// What planning sees: the state as it is, read-only.
pub(crate) struct Cx<'a> {
    pub server: &'a ApiServer,
    pub now: Time,
    pub store: &'a Store<Stored>,
    pub rng: &'a mut Rng,
    pub accounts_come: bool,
    pub callees: &'a Callees,
    pub warnings: Vec<String>,
    /// From the query, or from the body of a delete.
    pub dry_run: bool,
    pub seen: Seen,
    /// A component inside the process asks.
    pub inside: bool,
    /// A webhook has not answered yet: nothing may come of the request.
    pub waits: Cell<bool>,
}

impl Cx<'_> {
    pub fn object(&self, kind: KindRef, namespace: &str, name: &str) -> Option<&store::Entry<Stored>> {
        self.store.get_ref(&keys::of_parts(kind, namespace, name))
    }
}

/// What to do and what to answer once it is done.
pub(crate) struct Plan {
    /// Committed one after the other (a graceful deletion at once is an update and then a delete, as upstream).
    pub txns: Vec<Txn<Stored>>,
    pub code: u16,
    pub reply: Reply,
}

pub(crate) enum Reply {
    /// The object of the last put.
    Written,
    /// The object of the last put, which was stored in another version.
    Converted(Obj),
    /// JSON made from the object of the last put (a Scale).
    Derived(fn(&dyn api::Object) -> Vec<u8>),
    Stored(Stored),
    Fixed(Response),
}

impl Plan {
    pub fn read(response: Response) -> Self {
        Plan { txns: Vec::new(), code: 200, reply: Reply::Fixed(response) }
    }
    /// Answers what is stored.
    pub fn object(o: &Stored) -> Self {
        Plan { txns: Vec::new(), code: 200, reply: Reply::Stored(o.clone()) }
    }
    pub fn status(code: u16, status: Status) -> Self {
        Plan { txns: Vec::new(), code, reply: Reply::Fixed(Response::Status(Box::new(status))) }
    }
    pub fn write(code: u16, txn: Txn<Stored>) -> Self {
        Plan { txns: vec![txn], code, reply: Reply::Written }
    }
}

impl ApiServer {
    pub fn new(config: Config) -> Self {
        let ranges = Ranges::new(&config);
        let authn = Authenticator::new(&config.service_account_secret);
        ApiServer {
            config: Arc::new(config),
            ranges,
            event_lease: None,
            authn,
            authz: Authorizer::default(),
            kinds: Kinds::default(),
            asked: Arc::default(),
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
    pub(crate) fn ranges(&self) -> &Ranges {
        &self.ranges
    }
    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }
    pub fn authn(&self) -> &Authenticator {
        &self.authn
    }
    pub fn authz(&self) -> &Authorizer {
        &self.authz
    }

    /// Whether the server of the aggregated kinds can be reached.
    pub fn set_aggregated(&mut self, reachable: bool) {
        self.kinds.set_aggregated(reachable);
    }

    /// What the server behind an APIService says that it has.
    pub fn learn_remote(&mut self, name: &str, said: api::RemoteSaid) {
        self.kinds.learn(name, said);
    }

    /// All that is served now.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Whether the user may do it.
    ///
    /// # Errors
    /// The refusal, as clients see it.
    pub fn authorize(&mut self, store: &Store<Stored>, a: &Attributes<'_>) -> Result<(), ApiError> {
        self.authz.allows(store, a)
    }

    /// The same for what an HTTP request's path asks for, whether or not there is such a thing.
    ///
    /// # Errors
    /// The refusal, as clients see it.
    pub fn authorize_http(&mut self, store: &Store<Stored>, http: &HttpRequest<'_>) -> Result<(), ApiError> {
        http::asked(http, |a| self.authz.allows(store, a))
    }

    /// Which requests it is one of, and how much they count.
    pub fn flow(&self, store: &Store<Stored>, http: &HttpRequest<'_>) -> Option<Flow> {
        http::asked(http, |a| flow::of(store, a))
    }

    fn view<'a>(&'a self, cx: &'a mut ApiCx<'_>) -> Cx<'a> {
        Cx {
            server: self,
            now: cx.now,
            store: &*cx.store,
            rng: &mut *cx.rng,
            accounts_come: cx.accounts_come,
            callees: cx.callees,
            warnings: Vec::new(),
            dry_run: false,
            seen: Seen::default(),
            inside: false,
            waits: Cell::new(false),
        }
    }

    /// Has a webhook bring the objects of a change into the version that a watch asks for. The error may be
    /// [`WAITS`](crate::WAITS).
    ///
    /// # Errors
    /// What comes of the webhook.
    pub fn convert_event(
        &self,
        cx: &mut ApiCx<'_>,
        spec: &WatchSpec,
        event: &store::Event<Stored>,
    ) -> Result<Converted, ApiError> {
        let mut view = self.view(cx);
        let converter = conversion::converter(&view, spec.kind);
        converter.map_or_else(|| Ok(Converted::new()), |c| c.changed(&mut view, spec, event))
    }

    /// Answers one request: plans on the present state, then commits. While the caller holds the store nothing
    /// comes between the two, so a transaction's compares fail only if a plan contradicts itself; they are there
    /// for backends that several servers share.
    pub fn handle(&mut self, cx: &mut ApiCx<'_>, mut req: Request) -> Answer {
        // By the names that were asked for: an alias has a group of its own.
        if let Err(e) = self.authz.allows(cx.store, &Attributes::of(&req)) {
            return Answer::refusal(e);
        }
        if req.kind.custom.is_some() {
            // Who asks may know an older form of the definition.
            match self.kinds.present(req.kind) {
                Some(kind) => (req.kind, req.options.form) = (kind, Some(kind)),
                None => return Answer::refusal(verbs::no_such_resource()),
            }
        }
        if let Some(alias) = req.kind.alias {
            req.options.form = Some(req.kind);
            req.kind = alias.of;
        }
        let disguised;
        let mut view = self.view(cx);
        view.dry_run = req.options.dry_run;
        view.seen = Seen { managed: req.options.show_managed, form: req.options.form };
        view.inside = matches!(req.body, Body::Object(_));
        let deprecated = req.options.form.unwrap_or(req.kind).deprecated;
        let (form, converter) = (req.kind, conversion::converter(&view, req.kind));
        if converter.is_some() && matches!(req.verb, RequestVerb::Get | RequestVerb::List) {
            // What is read is converted as it is stored.
            view.seen.form = None;
        }
        let mut plan = match converter.as_ref().map_or(Ok(None), |c| c.before(&mut view, &req)) {
            Err(e) => Err(e),
            Ok(copy) => {
                disguised = copy;
                view.store = disguised.as_ref().unwrap_or(view.store);
                plan(&mut view, req)
            }
        };
        if let (Some(converter), Ok(p)) = (&converter, &mut plan)
            && let Err(e) = converter.after(&mut view, p, form)
        {
            plan = Err(e);
        }
        if view.waits.get() {
            return Answer::refusal(waits());
        }
        let (mut warnings, dry_run, seen) = (view.warnings, view.dry_run, view.seen);
        let mut answer = match plan {
            Ok(p) if dry_run => pretend(p, seen),
            Ok(mut p) => {
                for txn in &mut p.txns {
                    event_ttl::attach(&mut self.event_lease, txn, cx.store, cx.now);
                    service::follow(txn, cx.store, cx.now);
                }
                commit(cx.store, p, seen)
            }
            Err(e) => Answer::refusal(e),
        };
        for event in &answer.events {
            self.authz.observe(event);
            if let Some(o) = event.new.as_ref().or(event.old.as_ref()).filter(|o| o.value.0.kind() == DEFINITION) {
                let new = event.new.as_ref().and_then(|e| e.value.0.downcast());
                self.kinds.observe(o.value.0.name(), new);
            }
            if let Some(o) = event.new.as_ref().or(event.old.as_ref()).filter(|o| o.value.0.kind() == SERVICE) {
                let new = event.new.as_ref().and_then(|e| e.value.0.downcast());
                self.kinds.observe_service(o.value.0.name(), new);
            }
        }
        if !deprecated.is_empty() {
            warnings.insert(0, deprecated.into());
        }
        answer.warnings = warnings;
        answer
    }
}

const DEFINITION: KindRef = CustomResourceDefinition::KIND_REF;
const SERVICE: KindRef = APIService::KIND_REF;

/// The pure part: no change is made here.
fn plan(cx: &mut Cx<'_>, mut req: Request) -> Result<Plan, ApiError> {
    if req.kind.namespaced() && req.namespace.is_empty() && !req.name.is_empty() {
        return Err(ApiError::bad_request("namespace is required"));
    }
    if !req.kind.namespaced() {
        req.namespace.clear();
    }
    if !req.subresource.is_empty() && req.subresource != "status" {
        return verbs::subresource(cx, req);
    }
    if !req.kind.stored && matches!(req.verb, RequestVerb::Get | RequestVerb::List) {
        let filter = Filter::parse(req.kind, &req.options.label_selector, &req.options.field_selector)?;
        let query = LiveQuery { kind: req.kind, namespace: req.namespace, name: req.name, filter };
        return Ok(Plan::read(Response::Live(query)));
    }
    if !req.kind.stored {
        return verbs::review::review(cx, req);
    }
    let readable = matches!(req.verb, RequestVerb::Get | RequestVerb::Update | RequestVerb::Patch(_));
    if req.subresource == "status" && !readable {
        return Err(verbs::no_such_resource());
    }
    match req.verb {
        RequestVerb::Get => verbs::get::get(cx, &req),
        RequestVerb::List => verbs::list::list(cx, &req),
        RequestVerb::Watch => verbs::list::watch(cx, &req),
        RequestVerb::Create => verbs::create::create(cx, req),
        RequestVerb::Update => verbs::update::update(cx, req),
        RequestVerb::Patch(how) => verbs::patch::patch(cx, req, how),
        RequestVerb::Delete => verbs::delete::delete(cx, req),
        RequestVerb::DeleteCollection => verbs::delete::delete_collection(cx, req),
    }
}

fn commit(store: &mut Store<Stored>, plan: Plan, seen: Seen) -> Answer {
    let mut events = Vec::new();
    for txn in plan.txns {
        let compares = txn.compares.clone();
        match store.commit(txn) {
            Ok(TxnResult::Committed { events: mut new, .. }) => {
                if events.is_empty() {
                    events = new;
                } else {
                    events.append(&mut new);
                }
            }
            Ok(TxnResult::Failed { compare }) => {
                let mut answer = Answer::refusal(lost_race(compares.get(compare)));
                answer.events = events;
                return answer;
            }
            Err(e) => {
                let mut answer = Answer::refusal(ApiError::internal(e));
                answer.events = events;
                return answer;
            }
        }
    }
    let written = || events.iter().rev().find_map(|e| e.new.as_ref()).map(|e| shown(&e.value, seen));
    let response = respond(plan.reply, seen, written);
    Answer { code: plan.code, response, events, warnings: Vec::new() }
}

/// The answer of `dryRun=All`: all but the commit.
fn pretend(plan: Plan, seen: Seen) -> Answer {
    let written = || {
        plan.txns.iter().rev().flat_map(|t| t.ops.iter().rev()).find_map(|op| match op {
            Op::Put { value, .. } => Some(shown(value, seen)),
            Op::Delete { .. } => None,
        })
    };
    Answer::new(plan.code, respond(plan.reply, seen, written))
}

/// How a request sees objects.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// With `managedFields`.
    pub managed: bool,
    /// See [`crate::RequestOptions::form`].
    pub form: Option<KindRef>,
}

pub(crate) fn shown(o: &Stored, seen: Seen) -> Obj {
    let object = if seen.managed { o.full() } else { o.0.clone() };
    decode::in_form(seen.form, object)
}

fn respond(reply: Reply, seen: Seen, written: impl FnOnce() -> Option<Obj>) -> Response {
    let nothing = || Response::Status(ApiError::internal("the write made no object").0);
    match reply {
        Reply::Fixed(r) => r,
        Reply::Stored(o) => Response::Object(shown(&o, seen)),
        Reply::Written => written().map_or_else(nothing, Response::Object),
        Reply::Converted(o) => written().map_or_else(nothing, |w| {
            let mut o = o.clone_object();
            o.meta_mut().resource_version.clone_from(&w.meta().resource_version);
            Response::Object(o.into())
        }),
        Reply::Derived(f) => written().map_or_else(nothing, |o| Response::Json(f(&*o))),
    }
}

fn lost_race(failed: Option<&Compare>) -> ApiError {
    let (key, created) = match failed {
        Some(Compare::ModRevision(k, rev)) => (&**k, *rev == 0),
        Some(Compare::Exists(k)) => (&**k, false),
        None => ("", false),
    };
    match keys::parse(key) {
        Some((kind, key)) if created => ApiError::already_exists(kind.group, kind.plural, key.name()),
        Some((kind, key)) => ApiError::modified(kind.group, kind.plural, key.name()),
        None => ApiError::internal(format!("transaction on {key:?} failed")),
    }
}
