//! `kubectl certificate approve` and `deny`. Models `kubectl/pkg/cmd/certificates`.

use crate::builder::{Builder, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let approve = cx.command.name() == "approve";
    let (kind, word, done) = if approve { ("Approved", "Approve", "approved") } else { ("Denied", "Deny", "denied") };
    let b = Builder { latest: true, ..Builder::of(cx) };
    if cx.args.is_empty() && !b.has_files() {
        return Err(Error::text("one or more CSRs must be specified as <name> or -f <filename>"));
    }
    let mut args = vec!["certificatesigningrequests".to_string()];
    args.extend(cx.args.iter().cloned());
    let args = if b.has_files() { Vec::new() } else { args };
    let mut results = Results::of(cx, DryRun::None)?.typed();
    // Nothing puts a namespace to what has none.
    if b.has_files() {
        for i in (Builder { latest: false, local: true, ..b.clone() }).find(cx, &args).await?.infos {
            let known =
                cx.discovery().await?.kind(i.object["apiVersion"].as_str().unwrap_or(""), &i.mapping.kind).cloned();
            if let Some(m) = known
                && m.namespaced
                && i.object["metadata"]["namespace"].is_null()
            {
                let what = format!("{}/{}, Resource={}", m.group, m.version, m.resource);
                return Err(Error::text(format!("no namespace set on resource {what} {:?}", i.name)));
            }
        }
    }
    let infos = b.find(cx, &args).await?.all()?;
    let mut errors = Vec::new();
    let now = jiff::Timestamp::from_microsecond(cx.client().now())
        .map_or(String::new(), |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    for info in infos {
        let mut object = info.object.clone();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let has = conditions.iter().any(|c| c["type"] == kind);
        if !has || cx.flags.bool("force") {
            let mut conditions: Vec<Value> = conditions.into_iter().filter(|c| c["type"] != kind).collect();
            conditions.push(json!({
                "type": kind,
                "status": "True",
                "reason": format!("Kubectl{word}"),
                "message": format!("This CSR was {done} by kubectl certificate {}.", cx.command.name()),
                "lastUpdateTime": now,
            }));
            object["status"]["conditions"] = conditions.into();
            let r = Request::new("PUT", format!("{}/approval", info.path())).header("Accept", "application/json");
            object = match cx.send(r.json(&object)).await {
                Ok(object) => object,
                Err(e) => {
                    errors.push(e);
                    continue;
                }
            };
        }
        results.print(cx, &object, done)?;
    }
    aggregate(errors)
}
