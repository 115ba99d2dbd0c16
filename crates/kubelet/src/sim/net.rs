//! What simulated programs send and get. The way through the cluster is [`network::Net`]; who is at its end answers here
//! when it is on this node, and by a [`Call`] when it is on another one.

use crate::runtime::ContainerId;
use meta::{Duration, Time};
pub use network::{NetError, Response, Said, Server, Wire};

/// An answer, and what it takes the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub response: Response,
    pub work: Duration,
    /// When it is there, with what else the container has to do.
    pub done: Time,
}

/// A request that a container of the node takes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub asked: Server,
    pub at: Time,
    pub work: Duration,
    /// The answer's status and bytes, unless that is another server's to say.
    pub answered: Option<(u16, usize)>,
}

impl Sent {
    pub fn new(asked: Server, at: Time, served: &Served) -> Sent {
        let r = &served.response;
        let answered = r.forward.is_empty().then_some((r.status, r.body.len()));
        Sent { asked, at, work: served.work, answered }
    }
}

/// A process of this node reaches out to another node, and waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub id: ContainerId,
    pub pid: u32,
    pub server: Server,
    /// A request, not only a connection.
    pub http: bool,
    /// It is for the API server.
    pub api: Option<Box<ApiRequest>>,
    /// It says something else than HTTP.
    pub talk: Option<Talk>,
}

/// What a process says on a connection of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    pub text: String,
    /// Which of the process's connections.
    pub connection: u32,
    /// Nothing more will come on it.
    pub closes: bool,
}

/// A program's request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    pub namespace: String,
    pub pod: String,
    /// With the query.
    pub path: String,
    pub user_agent: &'static str,
    pub said: Said,
}

/// A program writes to the API server, as its pod's service account may. It does not wait for the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiWrite {
    pub pod_namespace: String,
    pub pod: String,
    pub kind: api::KindRef,
    /// Empty for kinds that are in none.
    pub namespace: String,
    pub name: String,
    /// The object is there already and becomes this.
    pub update: bool,
    pub body: serde_json::Value,
}

/// What came of reaching out: nothing but a connection, or an answer to a request.
pub type Answer = Result<Option<Served>, NetError>;
