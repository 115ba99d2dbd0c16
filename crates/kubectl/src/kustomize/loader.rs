//! Files and directories that a kustomization names. Models `kustomize/api/internal/loader`.

use super::text;
use crate::env::Files;
use crate::error::Error;

/// A kustomization's directory.
pub(super) struct Root<'f> {
    files: &'f dyn Files,
    /// As the files are found.
    dir: String,
    /// From the root, for messages and to know directories apart.
    pub path: String,
    /// The directories that led here, and this one.
    visited: Vec<String>,
    /// Whether files may be anywhere (`LoadRestrictionsNone`).
    free: bool,
    /// The way here from where the build began; empty there.
    pub origin: String,
}

impl<'f> Root<'f> {
    /// The directory a build begins with.
    pub fn begin(files: &'f dyn Files, dir: &str, free: bool) -> Result<Root<'f>, Error> {
        let path = join(&files.absolute(dir), ".");
        if files.list(dir).is_none() {
            let why = if files.read(dir).is_some() {
                format!("'{dir}': file is not directory")
            } else {
                format!("not a valid directory: {}", missing(files, dir, &path))
            };
            return Err(text(format!("must build at directory: {why}")));
        }
        Ok(Root { files, dir: dir.into(), visited: vec![path.clone()], path, free, origin: String::new() })
    }

    /// A file's text.
    pub fn load(&self, path: &str) -> Result<String, Error> {
        self.load_bytes(path).map(|data| String::from_utf8_lossy(&data).into_owned())
    }

    /// A file. Models `Load` with `RestrictionRootOnly`, unless files may be anywhere.
    pub fn load_bytes(&self, path: &str) -> Result<Vec<u8>, Error> {
        if is_address(path) {
            return Err(text(format!("{path}: addresses are not in this terminal yet")));
        }
        let (at, absolute) = (join(&self.dir, path), join(&self.path, path));
        if self.files.list(&at).is_some() {
            return Err(text(format!("'{absolute}' must resolve to a file")));
        }
        let Some(source) = self.files.read_bytes(&at) else {
            return Err(text(missing(self.files, &absolute, &absolute)));
        };
        if !self.free && !is_within(&absolute, &self.path) {
            return Err(text(format!("security; file '{absolute}' is not in or below '{}'", self.path)));
        }
        Ok(source)
    }

    /// A path from where the build began.
    pub fn way_to(&self, path: &str) -> String {
        join(if self.origin.is_empty() { "." } else { &self.origin }, path)
    }

    /// Another kustomization's directory. Models `New`.
    pub fn enter(&self, path: &str) -> Result<Root<'f>, Error> {
        if path.is_empty() {
            return Err(text("new root cannot be empty"));
        }
        if is_address(path) {
            return Err(text(format!("{path}: addresses are not in this terminal yet")));
        }
        if path.starts_with('/') {
            return Err(text(format!("new root '{path}' cannot be absolute")));
        }
        let (dir, absolute) = (join(&self.dir, path), join(&self.path, path));
        if self.files.list(&dir).is_none() {
            let why = if self.files.read(&dir).is_some() {
                format!("'{absolute}': file is not directory")
            } else {
                format!("not a valid directory: {}", missing(self.files, &absolute, &absolute))
            };
            return Err(text(format!("must build at directory: {why}")));
        }
        if let Some(seen) = self.visited.iter().rev().find(|seen| is_within(seen, &absolute)) {
            return Err(text(format!("cycle detected: candidate root '{absolute}' contains visited root '{seen}'")));
        }
        let visited = self.visited.iter().cloned().chain([absolute.clone()]).collect();
        let origin = self.way_to(path);
        Ok(Root { files: self.files, dir, path: absolute, visited, free: self.free, origin })
    }
}

fn is_address(path: &str) -> bool {
    path.contains("://") || path.starts_with("github.com/") || path.starts_with("git@")
}

/// Whether a path is a directory or below it.
fn is_within(path: &str, dir: &str) -> bool {
    dir == "/"
        || (dir == "." && !path.starts_with(".."))
        || path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the system says of a path that leads nowhere: the first part of it that is not there.
fn missing(files: &dyn Files, named: &str, absolute: &str) -> String {
    let mut first = absolute;
    while let Some((parent, _)) = first.rsplit_once('/') {
        if parent.is_empty() || files.list(parent).is_some() {
            break;
        }
        first = parent;
    }
    format!("evalsymlink failure on '{named}' : lstat {first}: no such file or directory")
}

/// The path of `name` seen from a directory.
fn join(dir: &str, name: &str) -> String {
    let whole = if name.starts_with('/') { name.to_string() } else { format!("{dir}/{name}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if whole.starts_with('/') { "/" } else { "" };
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".into() } else { path }
}
