//! Symbolic links that containers make.

use super::fs::{Entry, Fs, FsError, Place, Volumes, normalize, parent};
use super::owners::Attributes;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Linux' limit for the links on one way (`MAXSYMLINKS`).
const HOPS: u32 = 40;

impl Fs {
    /// What is kept of a path, without following anything.
    pub(super) fn entry<'a>(&'a self, path: &str, volumes: &'a Volumes) -> Option<&'a Entry> {
        match self.place(path) {
            Place::Own => self.own.get(path),
            Place::Volume(name, rest) => volumes.get(&name)?.get(&rest),
            Place::Files(..) => None,
        }
    }

    /// Where the link at a path leads, whether a container has made it or the kubelet.
    pub fn link_at(&self, path: &str, volumes: &Volumes) -> Option<String> {
        if volumes.links
            && let Some(Entry::Link(to)) = self.entry(&self.followed(path, false, volumes), volumes)
        {
            return Some(to.clone());
        }
        self.link(path)
    }

    /// Whether there is a link that a container has made: such ones may lead in circles, the kubelet's do not.
    pub fn is_made_link(&self, path: &str, volumes: &Volumes) -> bool {
        volumes.links && self.link(path).is_none() && self.link_at(path, volumes).is_some()
    }

    /// A path with the links on the way followed; `last`: also the one that it ends with.
    pub(super) fn followed<'a>(&self, path: &'a str, last: bool, volumes: &Volumes) -> Cow<'a, str> {
        if !volumes.links {
            return Cow::Borrowed(path);
        }
        let parts = |p: &str| p.split('/').filter(|p| !p.is_empty()).map(String::from).collect::<VecDeque<String>>();
        let (mut rest, mut out, mut hops) = (parts(path), String::new(), 0);
        while let Some(p) = rest.pop_front() {
            let next = format!("{out}/{p}");
            if (last || !rest.is_empty())
                && hops < HOPS
                && let Some(Entry::Link(to)) = self.entry(&next, volumes)
            {
                hops += 1;
                let mut target = parts(&normalize(parent(&next), to));
                target.append(&mut rest);
                (rest, out) = (target, String::new());
                continue;
            }
            out = next;
        }
        Cow::Owned(if out.is_empty() { "/".into() } else { out })
    }

    /// The path without links.
    pub fn real_at(&self, path: &str, volumes: &Volumes) -> String {
        self.real(&self.followed(path, true, volumes))
    }

    /// `ln -s TO PATH`
    pub fn symlink(&mut self, to: &str, path: &str, volumes: &mut Volumes) -> Result<(), FsError> {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.symlink(to, &path, volumes);
        }
        let path = self.followed(path, false, volumes).into_owned();
        if self.exists(&path, volumes) || self.link_at(&path, volumes).is_some() {
            return Err(FsError::Exists);
        }
        // The same rules as for any file; then it becomes a link.
        self.write(&path, b"", false, volumes)?;
        volumes.links = true;
        let (tree, key) = match self.place(&path) {
            Place::Volume(name, rest) => (volumes.entry(name).or_default(), rest),
            _ => (&mut self.own, path),
        };
        let uid = self.who.uid;
        tree.set_owner(&key, Attributes { uid, gid: self.who.gid, mode: 0o777 }, Attributes::default_of(false));
        tree.insert(key, Entry::Link(to.into()));
        Ok(())
    }
}
