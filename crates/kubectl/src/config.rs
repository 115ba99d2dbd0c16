//! `kubectl config`, of a kubeconfig with one cluster, one user and one context. Models `kubectl/pkg/cmd/config`.

use crate::cx::Cx;
use crate::error::Error;
use crate::print::{Printer, table};
use serde_json::json;

/// How many arguments a command wants; who gives others gets its help. Models `helpErrorf`.
fn check_args(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let name = cx.command.name();
    let wanted = match name {
        "use-context" | "unset" | "set-cluster" | "set-credentials" => 1,
        "delete-context" | "delete-cluster" | "delete-user" => 1,
        "rename-context" | "set" => 2,
        _ => return Ok(()),
    };
    if cx.args.len() == wanted {
        return Ok(());
    }
    let text = crate::help::text(cx.env.help, &cx.command);
    cx.out(&text);
    if name.starts_with("delete-") {
        return Err(Error::Exit(0));
    }
    let word = if name == "set-credentials" { "unexpected" } else { "Unexpected" };
    Err(Error::text(format!("{word} args: [{}]", cx.args.join(" "))))
}

pub(crate) fn config(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let c = cx.env.config.clone();
    let first = cx.args.first().cloned().unwrap_or_default();
    check_args(cx)?;
    match cx.command.name() {
        "current-context" => cx.out(&format!("{}\n", c.context)),
        "get-clusters" => cx.out(&format!("NAME\n{}\n", c.cluster)),
        "get-users" => cx.out(&format!("NAME\n{}\n", c.user)),
        "get-contexts" => {
            let missing: Vec<Error> = cx
                .args
                .iter()
                .filter(|a| **a != c.context)
                .map(|a| Error::text(format!("context {a} not found")))
                .collect();
            let shown = cx.args.is_empty() || cx.args.contains(&c.context);
            let name_only = cx.flags.string("output") == "name";
            if !name_only && !cx.flags.string("output").is_empty() {
                return Err(Error::text(format!(
                    "--output {} is not available in kubectl config get-contexts; resetting to default output format",
                    cx.flags.string("output")
                )));
            }
            let mut rows: Vec<Vec<String>> = Vec::new();
            if !name_only && !cx.flags.bool("no-headers") {
                rows.push(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(String::from).to_vec());
            }
            if shown && name_only {
                rows.push(vec![c.context]);
            } else if shown {
                rows.push(vec!["*".into(), c.context, c.cluster, c.user, c.namespace]);
            }
            cx.out(&table::columns(rows));
            crate::builder::aggregate(missing)?;
        }
        "use-context" => {
            if first != c.context {
                return Err(Error::text(format!("no context exists with the name: {first:?}")));
            }
            cx.out(&format!("Switched to context {first:?}.\n"));
        }
        "set-context" => {
            if !cx.flags.bool("current") && first.is_empty() {
                return Err(Error::text("you must specify a non-empty context name or --current"));
            }
            if !first.is_empty() && first != c.context {
                return Err(Error::text("other contexts are not in this terminal yet"));
            }
            if cx.flags.changed("namespace") {
                cx.env.config.namespace = cx.flags.string("namespace").to_string();
            }
            cx.out(&format!("Context {:?} modified.\n", c.context));
        }
        "rename-context" if first == c.context => {
            cx.env.config.context = cx.args[1].clone();
            cx.out(&format!("Context {first:?} renamed to {:?}.\n", cx.args[1]));
        }
        // A context's namespace is all that can be set one by one here.
        "set" if first == format!("contexts.{}.namespace", c.context) => {
            cx.env.config.namespace = cx.args[1].clone();
            cx.out(&format!("Property {first:?} set.\n"));
        }
        "unset" if first == format!("contexts.{}.namespace", c.context) => {
            cx.env.config.namespace = String::new();
            cx.out(&format!("Property {first:?} unset.\n"));
        }
        "view" => {
            if !cx.args.is_empty() {
                return Err(cx.usage(format!("unexpected arguments: [{}]", cx.args.join(" "))));
            }
            let mut context = json!({"cluster": c.cluster, "user": c.user});
            if !c.namespace.is_empty() {
                context["namespace"] = c.namespace.clone().into();
            }
            let v = json!({
                "kind": "Config", "apiVersion": "v1", "preferences": {}, "current-context": c.context,
                "clusters": [{"name": c.cluster, "cluster": {"server": c.server, "certificate-authority-data": "DATA+OMITTED"}}],
                "users": [{"name": c.user, "user": {"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED"}}],
                "contexts": [{"name": c.context, "context": context}],
            });
            let mut printer = Printer::of(cx, false)?.unwrap_or(Printer::Yaml(0)).typed();
            let text = printer.print(&v, false)?;
            cx.out(&text);
        }
        name => return Err(Error::text(format!("kubectl config {name} is not in this terminal yet"))),
    }
    Ok(())
}
