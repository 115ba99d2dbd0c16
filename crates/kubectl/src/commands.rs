//! Which command does what.

use crate::acting::Acting;
use crate::client::{Client, Future};
use crate::cx::Cx;
use crate::env::Env;
use crate::error::Error;
use crate::kubeconfig::Config;
use crate::{
    applied, apply, certificate, completing, config, cp, create, debug, delete, describing, diff, dump, edit, events,
    exec, explain, flags, get, help, info, kustomize, label, logs, nodes, reconcile, replace, rollout, run_pod, scale,
    set, wait,
};

/// Runs `kubectl ARGS`; the exit code. Boxed here: who waits for a future of no known type compiles all of it anew.
pub fn run<'a>(args: &'a [String], env: &'a mut Env<'_>) -> Future<'a, i32> {
    Box::pin(line(args, env))
}

async fn line(args: &[String], env: &mut Env<'_>) -> i32 {
    if let Some(code) = help_or_none(args, env) {
        return code;
    }
    if args.first().is_some_and(|a| completing::is_asked(a)) {
        return completing::run(args, env).await;
    }
    let parsed = match flags::parse(args) {
        Ok(p) => p,
        Err(message) => {
            let code = fail(env, &Error::Text(message));
            // For diff, one means a difference.
            return code + i32::from(args.iter().find(|a| !a.starts_with('-')).is_some_and(|a| a == "diff"));
        }
    };
    if parsed.flags.bool("help") || help::is_group(&parsed.command, &parsed.args) {
        // What lists the options has no help of its own.
        let known = parsed.command.path != "options";
        let text = if known { help::text(env.help, &parsed.command) } else { String::new() };
        // A group alone is no command; where its help goes then differs upstream.
        let (asked, path) = (parsed.flags.bool("help"), parsed.command.path);
        match asked || matches!(path, "" | "certificate" | "rollout") {
            true => env.terminal.out(&text),
            false => env.terminal.err(&text),
        }
        return i32::from(!asked && !matches!(path, "" | "certificate"));
    }
    if parsed.flags.string("as").is_empty() && (parsed.flags.changed("as-group") || parsed.flags.changed("as-uid")) {
        let said =
            format!("requesting uid, groups or user-extra for {} without impersonating a user", env.config.user());
        return fail(env, &Error::Text(said));
    }
    if !timeout_fits(parsed.flags.string("request-timeout")) {
        let said = "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
                    corresponding time unit (e.g. 1s | 2m | 3h)";
        return fail(env, &Error::text(said));
    }
    const PROFILES: &[&str] = &["none", "cpu", "block", "mutex", "heap", "goroutine", "threadcreate", "allocs"];
    // Debugging has profiles of its own.
    if parsed.command.path != "debug" && !PROFILES.contains(&parsed.flags.string("profile")) {
        return fail(env, &Error::Text(format!("unknown profile '{}'", parsed.flags.string("profile"))));
    }
    // What changes the kubeconfig changes the terminal's; all others see it as the line wants it.
    let configures = parsed.command.path.starts_with("config ");
    let named = match named_config(&parsed.flags, env) {
        Ok(named) => named,
        Err(e) if !matches!(parsed.command.path, "kustomize" | "completion" | "options") => return fail(env, &e),
        Err(_) => None,
    };
    let mut chosen = match named.as_ref().unwrap_or(env.config).chosen(parsed.command.path, &parsed.flags) {
        Ok(c) => c,
        Err(e) if !configures && !matches!(parsed.command.path, "kustomize" | "completion" | "options") => {
            return fail(env, &e);
        }
        Err(_) => env.config.clone(),
    };
    let acting = Acting::of(&parsed.flags, &chosen, env.client);
    let client: &dyn Client = acting.as_ref().map_or(env.client, |a| a);
    let stdin = env.stdin.take();
    let config = if configures { &mut *env.config } else { &mut chosen };
    let done = {
        let mut env = Env { client, files: env.files, terminal: env.terminal, config, stdin, help: env.help };
        let mut cx = Cx::new(&mut env, parsed);
        let done = command(&mut cx).await;
        cx.warn();
        let warned = if cx.flags.bool("warnings-as-errors") { cx.warned() } else { 0 };
        match warned {
            _ if done.is_err() => done,
            0 => done,
            1 => Err(Error::text("1 warning received")),
            n => Err(Error::Text(format!("{n} warnings received"))),
        }
    };
    match done {
        Ok(()) => 0,
        Err(e) => fail(env, &e),
    }
}

/// The kubeconfig that `--kubeconfig` names, when it is not the terminal's own.
///
/// # Errors
/// It is not there, or is none. Models `ClientConfigLoadingRules.Load`.
fn named_config(flags: &flags::Flags, env: &Env<'_>) -> Result<Option<Config>, Error> {
    let file = flags.string("kubeconfig");
    if file.is_empty() || env.files.absolute(file) == env.config.file {
        return Ok(None);
    }
    let missing = || Error::Text(format!("stat {file}: no such file or directory"));
    let text = env.files.read(file).ok_or_else(missing)?;
    let config = Config::parse(file, &text);
    let wrong = |why: &str| Error::Text(format!("error loading config file {file:?}: {why}"));
    let config = config.map_err(|why| wrong(why.rfind("yaml: ").map_or(why.as_str(), |at| &why[at..])))?;
    match (config.kind.as_str(), config.api_version.as_str()) {
        ("Config" | "", "v1" | "") => Ok(Some(config.served_by(env.config))),
        (kind, version) => Err(wrong(&format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \
             \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\""
        ))),
    }
}

/// `help`, and what is a command upstream although there is nothing of it here. Models cobra's help command.
fn help_or_none(args: &[String], env: &mut Env<'_>) -> Option<i32> {
    let (first, rest) = args.split_first()?;
    match first.as_str() {
        "help" => {
            let path = rest.iter().filter(|a| !a.starts_with('-')).map(String::as_str).collect::<Vec<_>>().join(" ");
            let commands = flags::commands();
            let of = |path: &str| commands.iter().find(|c| c.path == path);
            // Words after a command that has others below it are no topic of their own.
            let above = path.rsplit_once(' ').and_then(|(above, _)| of(above));
            match of(&path).or(above) {
                Some(command) => env.terminal.out(&help::text(env.help, command)),
                None => {
                    let all = of("").map(|root| help::text(env.help, root)).unwrap_or_default();
                    let usage = all.split_once("/kubectl/\n\n").map_or(all.as_str(), |(_, rest)| rest);
                    env.terminal.err(&format!("Unknown help topic [`{}`]\n\n\n{usage}", rest.join("` `")));
                }
            }
            Some(0)
        }
        "alpha" => {
            env.terminal.err("No alpha commands are available in this version of kubectl\n");
            Some(0)
        }
        _ => None,
    }
}

/// Models `ParseTimeout`.
fn timeout_fits(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|n| n >= 0) || flags::go_duration(text).is_some()
}

fn fail(env: &mut Env<'_>, e: &Error) -> i32 {
    if let Error::Printed(text, _) = e {
        env.terminal.out(text);
    }
    let text = e.said();
    if !text.is_empty() {
        env.terminal.err(&text);
    }
    e.exit_code()
}

async fn command(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    required(cx)?;
    match cx.command.path {
        "annotate" | "label" => label::run(cx).await,
        "api-resources" => info::api_resources(cx).await,
        "api-versions" => info::api_versions(cx).await,
        "apply" => apply::run(cx).await,
        "apply edit-last-applied" => applied::edit(cx).await,
        "apply set-last-applied" => applied::set(cx).await,
        "apply view-last-applied" => applied::view(cx).await,
        "attach" => exec::attach(cx).await,
        "auth can-i" => info::can_i(cx).await,
        "auth reconcile" => reconcile::run(cx).await,
        "auth whoami" => info::whoami(cx).await,
        "autoscale" => scale::autoscale(cx).await,
        "cluster-info" => info::cluster_info(cx).await,
        "cluster-info dump" => dump::run(cx).await,
        "cordon" | "uncordon" => nodes::cordon(cx).await,
        "cp" => cp::run(cx).await,
        "debug" => debug::run(cx).await,
        "delete" => delete::run(cx).await,
        "describe" => describing::run(cx).await,
        "diff" => diff::run(cx).await,
        "completion" => completion(cx),
        "drain" => nodes::drain(cx).await,
        "certificate approve" | "certificate deny" => certificate::run(cx).await,
        "edit" => edit::run(cx).await,
        "events" => events::run(cx).await,
        "exec" => exec::exec(cx).await,
        "explain" => explain::run(cx).await,
        "expose" => run_pod::expose(cx).await,
        "get" => get::run(cx).await,
        "kustomize" => kustomize::run(cx),
        "logs" => logs::run(cx).await,
        "options" => {
            let text = help::text(cx.env.help, &cx.command);
            cx.out(&text);
            Ok(())
        }
        "patch" => label::patch(cx).await,
        "plugin list" => Err(Error::text("unable to find any kubectl plugins in your PATH")),
        "port-forward" => exec::port_forward(cx).await,
        "replace" => replace::run(cx).await,
        "run" => run_pod::run(cx).await,
        "scale" => scale::run(cx).await,
        "taint" => nodes::taint(cx).await,
        "top node" | "top pod" => events::top(cx).await,
        "version" => info::version(cx).await,
        "wait" => wait::run(cx).await,
        path if path.starts_with("config ") => config::config(cx),
        path if path.starts_with("rollout ") => rollout::run(cx).await,
        path if path.starts_with("set ") => set::run(cx).await,
        path if path == "create" || (path.starts_with("create ") && !help::has_children(&cx.command)) => {
            create::run(cx).await
        }
        "" | "auth" | "certificate" | "config" | "create secret" | "create service" | "plugin" | "rollout" | "set"
        | "top"
            if help::has_children(&cx.command) =>
        {
            // Whatever follows, upstream only tells what there is.
            if cx.command.path == "certificate" {
                let text = help::text(cx.env.help, &cx.command);
                cx.out(&text);
                return Ok(());
            }
            Err(unknown(cx))
        }
        path => Err(Error::text(format!("kubectl {path} is not in this terminal yet"))),
    }
}

/// Models `kubectl/pkg/cmd/completion`; the scripts ask `kubectl __complete`.
fn completion(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    match cx.args.as_slice() {
        [] => Err(cx.usage("Shell not specified.")),
        [shell] if matches!(shell.as_str(), "bash" | "zsh" | "fish" | "powershell") => {
            let script = help::script(cx.env.help, shell);
            cx.out(&script.ok_or_else(|| Error::text("the shells' scripts are not here"))?);
            Ok(())
        }
        [shell] => Err(cx.usage(format!("Unsupported shell type {shell:?}."))),
        _ => Err(cx.usage("Too many arguments. Expected only the shell type.")),
    }
}

/// A group's word that is no command of it.
fn unknown(cx: &Cx<'_, '_>) -> Error {
    let word = cx.args.first().map_or("", String::as_str);
    cx.usage(format!("unknown command {word:?}"))
}

/// Flags that a command cannot do without.
pub(crate) fn required_flags(path: &str) -> &'static [&'static str] {
    match path {
        "autoscale" => &["max"],
        "create clusterrolebinding" => &["clusterrole"],
        "create cronjob" => &["image", "schedule"],
        "create deployment" | "run" => &["image"],
        "create service externalname" => &["external-name"],
        "scale" => &["replicas"],
        _ => &[],
    }
}

/// Models cobra's `ValidateRequiredFlags`.
fn required(cx: &Cx<'_, '_>) -> Result<(), Error> {
    let names = required_flags(cx.command.path);
    let missing: Vec<String> = names.iter().filter(|n| !cx.flags.changed(n)).map(|n| format!("{n:?}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Text(format!("required flag(s) {} not set", missing.join(", "))))
}
