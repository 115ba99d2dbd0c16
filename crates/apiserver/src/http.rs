//! HTTP in, HTTP out, without a socket: the host reads and writes the bytes.

mod accept;
mod info;
mod path;
pub(crate) mod query;
mod render;

pub use crate::discovery::checks as health_checks;
pub use accept::Wants;
pub(crate) use info::asked;
pub use info::check_timeout;
pub use path::{HttpRequest, Routed, remote, route};
pub use query::parse as query_pairs;
pub use render::{HttpResponse, NO_CACHE, render};
pub(crate) use render::{indent, status as status_json};
