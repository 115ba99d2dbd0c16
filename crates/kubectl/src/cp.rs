//! `kubectl cp`: files travel as an archive that `tar` in the container makes or unpacks. Models `kubectl/pkg/cmd/cp`.

use crate::cx::Cx;
use crate::env::Session;
use crate::error::Error;
use crate::tar::Sort;

/// A file of a pod, or of the learner's machine when there is no pod.
struct Spec {
    namespace: String,
    pod: String,
    path: String,
}

impl Spec {
    fn namespace(&self, cx: &Cx<'_, '_>) -> String {
        if self.namespace.is_empty() { cx.namespace() } else { self.namespace.clone() }
    }
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
    command: &[&str],
    input: Option<Vec<u8>>,
) -> Result<(i32, Vec<u8>, Vec<u8>), Error> {
    let session = Session {
        namespace: at.namespace(cx),
        pod: at.pod.clone(),
        container: container.into(),
        command: command.iter().map(|w| (*w).to_string()).collect(),
        stdin: input.is_some(),
        tty: false,
    };
    cx.env.terminal.capture(session, input).await.map_err(Error::Text)
}

/// The pod's container that is meant.
async fn container(cx: &mut Cx<'_, '_>, at: &Spec) -> Result<String, Error> {
    let namespace = at.namespace(cx);
    let pod = cx.get(format!("/api/v1/namespaces/{namespace}/pods/{}", at.pod)).await?;
    crate::exec::refuse_completed(&pod, "exec")?;
    let name = crate::exec::container(cx, &pod, false)?;
    crate::exec::placed(&pod)?;
    Ok(name)
}

async fn up(cx: &mut Cx<'_, '_>, from: &str, to: &Spec) -> Result<(), Error> {
    let mut sent = Vec::new();
    collect(cx, from, "", &mut sent);
    if sent.is_empty() && cx.env.files.list(from).is_none() {
        return Err(Error::Text(format!("{from} doesn't exist in local filesystem")));
    }
    let c = container(cx, to).await?;
    let mut path = trimmed(&to.path).to_string();
    // A directory takes what is copied under its own name.
    if exec(cx, to, &c, &["test", "-d", &path], None).await.is_ok_and(|(code, ..)| code == 0) {
        path = format!("{path}/{}", base(from));
    }
    let path = clean(&path);
    let (dir, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((dir, name)) => (dir, name),
        None => (".", path.as_str()),
    };
    let members = sent.into_iter().map(|(below, data)| (format!("{name}{below}"), data)).collect::<Vec<_>>();
    let archive = crate::tar::archive(&members, cx.client().now() / 1_000_000);
    let mut command = match cx.flags.bool("no-preserve") {
        true => vec!["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-"],
        false => vec!["tar", "-xmf", "-"],
    };
    command.extend(["-C", dir]);
    let (code, out, err) = exec(cx, to, &c, &command, Some(archive)).await?;
    cx.out(&String::from_utf8_lossy(&out));
    cx.err(&String::from_utf8_lossy(&err));
    done(cx, code)
}

/// The files at and below a path, by what their paths go on with; empty directories end with a slash.
fn collect(cx: &Cx<'_, '_>, path: &str, below: &str, out: &mut Vec<(String, Vec<u8>)>) {
    let at = format!("{path}{below}");
    match cx.env.files.list(&at) {
        Some(names) if names.is_empty() => out.push((format!("{below}/"), Vec::new())),
        Some(mut names) => {
            names.sort();
            names.iter().for_each(|n| collect(cx, path, &format!("{below}/{n}"), out));
        }
        None => out.extend(cx.env.files.read_bytes(&at).map(|data| (below.to_string(), data))),
    }
}

async fn down(cx: &mut Cx<'_, '_>, from: &Spec, to: &str) -> Result<(), Error> {
    let c = container(cx, from).await?;
    let path = trimmed(&from.path);
    let (code, archive, err) = exec(cx, from, &c, &["tar", "cf", "-", path], None).await?;
    // Upstream has the errors of the archiver on its output.
    cx.out(&String::from_utf8_lossy(&err));
    // A path may not lead out of its archive.
    let cleaned = clean(path.trim_start_matches('/'));
    let prefix = match cleaned.trim_start_matches("../") {
        "." | ".." => "",
        rest => rest,
    };
    for member in crate::tar::members(&archive).map_err(Error::text)? {
        let Some(below) = member.name.strip_prefix(prefix) else {
            return Err(Error::text("tar contents corrupted"));
        };
        let at = clean(&format!("{}/{below}", trimmed(to)));
        match member.sort {
            Sort::Directory => {
                let made = cx.env.files.make_dir(&at);
                made.map_err(|why| Error::Text(format!("mkdir {at}: {}", why.to_lowercase())))?;
            }
            Sort::Link => cx.err(&format!(
                "warning: skipping symlink: {at:?} -> {:?} (consider using \"kubectl exec -n {:?} {:?} -- tar cf - {path:?} \
                 | tar xf -\")\n",
                member.link, from.namespace, from.pod
            )),
            Sort::File if cx.env.files.list(&at).is_some() => {
                return Err(Error::Text(format!("open {at}: is a directory")));
            }
            Sort::File => {
                let written = cx.env.files.write_bytes(&at, &member.data);
                written.map_err(|why| Error::Text(format!("open {at}: {}", why.to_lowercase())))?;
            }
        }
    }
    done(cx, code)
}

/// Models `stripTrailingSlash`.
fn trimmed(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    }
}

fn base(path: &str) -> String {
    let path = clean(path);
    path.rsplit('/').next().unwrap_or("").to_string()
}

/// Models `path.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|p| !matches!(*p, "" | ".")) {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

/// How the command in the container has ended.
fn done(cx: &mut Cx<'_, '_>, code: i32) -> Result<(), Error> {
    if code == 0 {
        return Ok(());
    }
    cx.err(&format!("command terminated with exit code {code}\n"));
    Err(Error::Exit(code))
}
