//! Follow this request: a request that a pod sends, and every hop of its way.

use crate::view::ObjectId;
use serde::{Deserialize, Serialize};
use trace::Note;

/// What to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Who sends it.
    pub namespace: String,
    pub pod: String,
    /// `http://web.shop:8080/path`
    pub url: String,
    /// The `Host` header; empty: as the URL has it.
    #[serde(default)]
    pub host: String,
}

/// One stop on the way; words for the notes and for the stage (`stage.<stage>`) are in the catalogue ([`crate::words`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowHop {
    /// `client`, `dns`, `service`, `host-port`, `policy`, `ingress`, `server`, `answer`
    pub stage: String,
    /// The object that decides, where there is one.
    pub object: Option<ObjectId>,
    /// Its key, or an address.
    pub name: String,
    /// False: the request ends here, and the last note says why.
    pub ok: bool,
    pub notes: Vec<Note>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    pub hops: Vec<FollowHop>,
    /// Of the answer, if one came.
    pub status: Option<u16>,
    /// The beginning of what was answered.
    pub body: String,
}
