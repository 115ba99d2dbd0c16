//! GET of one object.

use crate::request::Request;
use crate::server::{Cx, Plan};
use meta::ApiError;

pub(crate) fn get(cx: &Cx<'_>, req: &Request) -> Result<Plan, ApiError> {
    super::list::check_not_future(cx, super::list::parse_version(&req.options.resource_version)?)?;
    let entry = cx.object(req.kind, &req.namespace, &req.name);
    let entry = entry.ok_or_else(|| ApiError::not_found(req.kind.group, req.kind.plural, &req.name))?;
    Ok(Plan::object(&entry.value))
}
