//! `kubectl cp`. Models `kubectl/pkg/cmd/cp`; files travel through `cat`, one after the other, where upstream packs them
//! with tar.

use crate::cx::Cx;
use crate::env::Session;
use crate::error::Error;

/// A file of a pod, or of the learner's machine when there is no pod.
struct Spec {
    namespace: String,
    pod: String,
    path: String,
}

/// `POD:PATH`, `NAMESPACE/POD:PATH` or `PATH`. Models `extractFileSpec`.
fn spec(arg: &str) -> Result<Spec, Error> {
    let local = || Spec { namespace: String::new(), pod: String::new(), path: arg.into() };
    // A drive or a path, not a pod.
    let Some((pod, path)) = arg.split_once(':') else { return Ok(local()) };
    if pod.is_empty() {
        return Err(Error::text("filespec must match the canonical format: [[namespace/]pod:]file/path"));
    }
    match pod.split('/').collect::<Vec<_>>()[..] {
        [pod] => Ok(Spec { namespace: String::new(), pod: pod.into(), path: path.into() }),
        [namespace, pod] => Ok(Spec { namespace: namespace.into(), pod: pod.into(), path: path.into() }),
        _ => Err(Error::text("filespec must match the canonical format: [[namespace/]pod:]file/path")),
    }
}

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    if cx.args.len() != 2 {
        return Err(Error::text("source and destination are required"));
    }
    let (from, to) = (spec(&cx.args[0])?, spec(&cx.args[1])?);
    if !from.pod.is_empty() && !to.pod.is_empty() {
        return Err(Error::text("one of src or dest must be a local file specification"));
    }
    if from.path.is_empty() || to.path.is_empty() {
        return Err(Error::text("filepath can not be empty"));
    }
    if !from.pod.is_empty() {
        return down(cx, &from, &to.path).await;
    }
    if !to.pod.is_empty() {
        return up(cx, &from.path, &to).await;
    }
    Err(Error::text("one of src or dest must be a remote file specification"))
}

/// A command in the pod: its exit code, output and errors.
async fn exec(
    cx: &mut Cx<'_, '_>,
    at: &Spec,
    container: &str,
    line: &str,
    input: Option<&str>,
) -> Result<(i32, String, String), Error> {
    let namespace = if at.namespace.is_empty() { cx.namespace() } else { at.namespace.clone() };
    let session = Session {
        namespace,
        pod: at.pod.clone(),
        container: container.into(),
        command: ["sh", "-c", line].map(String::from).to_vec(),
        stdin: input.is_some(),
        tty: false,
    };
    cx.env.terminal.capture(session, input.map(String::from)).await.map_err(Error::Text)
}

/// The pod's container that is meant.
async fn container(cx: &mut Cx<'_, '_>, at: &Spec) -> Result<String, Error> {
    let namespace = if at.namespace.is_empty() { cx.namespace() } else { at.namespace.clone() };
    let pod = cx.get(format!("/api/v1/namespaces/{namespace}/pods/{}", at.pod)).await?;
    crate::exec::container(cx, &pod, false)
}

fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

async fn up(cx: &mut Cx<'_, '_>, from: &str, to: &Spec) -> Result<(), Error> {
    let mut sent = Vec::new();
    collect(cx, from, "", &mut sent);
    if sent.is_empty() && cx.env.files.list(from).is_none() {
        return Err(Error::Text(format!("{from} doesn't exist in local filesystem")));
    }
    let c = container(cx, to).await?;
    // A directory takes what is copied under its own name.
    let (code, _, _) = exec(cx, to, &c, &format!("test -d {}", quoted(&to.path)), None).await?;
    let root = match code {
        0 => format!("{}/{}", to.path.trim_end_matches('/'), base(from)),
        _ => to.path.clone(),
    };
    for (below, text) in sent {
        let path = format!("{root}{below}");
        let dir = path.rsplit_once('/').map_or("", |(d, _)| d).to_string();
        let make =
            if below.is_empty() || dir.is_empty() { String::new() } else { format!("mkdir -p {} && ", quoted(&dir)) };
        let line = format!("{make}cat > {}", quoted(&path));
        let written = exec(cx, to, &c, &line, Some(&text)).await?;
        done(cx, written)?;
    }
    Ok(())
}

/// The files at and below a path, by what their paths go on with.
fn collect(cx: &Cx<'_, '_>, path: &str, below: &str, out: &mut Vec<(String, String)>) {
    let at = format!("{path}{below}");
    match cx.env.files.list(&at) {
        Some(mut names) => {
            names.sort();
            names.iter().for_each(|n| collect(cx, path, &format!("{below}/{n}"), out));
        }
        None => out.extend(cx.env.files.read(&at).map(|text| (below.to_string(), text))),
    }
}

async fn down(cx: &mut Cx<'_, '_>, from: &Spec, to: &str) -> Result<(), Error> {
    let c = container(cx, from).await?;
    let path = from.path.trim_end_matches('/');
    let (code, _, _) = exec(cx, from, &c, &format!("test -d {}", quoted(path)), None).await?;
    let files = if code == 0 {
        let listed = exec(cx, from, &c, &format!("find {} -type f", quoted(path)), None).await?;
        let text = done(cx, listed)?;
        text.lines().filter_map(|l| l.strip_prefix(path)).map(String::from).collect()
    } else {
        let (code, _, _) = exec(cx, from, &c, &format!("test -e {}", quoted(path)), None).await?;
        if code != 0 {
            cx.err(&format!("tar: {path}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\n"));
            cx.err("command terminated with exit code 2\n");
            return Err(Error::Exit(2));
        }
        vec![String::new()]
    };
    let root = if code != 0 && cx.env.files.list(to).is_some() {
        format!("{}/{}", to.trim_end_matches('/'), base(path))
    } else {
        to.trim_end_matches('/').to_string()
    };
    for below in files {
        let read = exec(cx, from, &c, &format!("cat {}", quoted(&format!("{path}{below}"))), None).await?;
        let text = done(cx, read)?;
        cx.env
            .files
            .write(&format!("{root}{below}"), &text)
            .map_err(|why| Error::Text(format!("{root}{below}: {why}")))?;
    }
    Ok(())
}

/// The output of a command that must not fail.
fn done(cx: &mut Cx<'_, '_>, (code, out, err): (i32, String, String)) -> Result<String, Error> {
    cx.err(&err);
    if code == 0 {
        return Ok(out);
    }
    cx.err(&format!("command terminated with exit code {code}\n"));
    Err(Error::Exit(code))
}
