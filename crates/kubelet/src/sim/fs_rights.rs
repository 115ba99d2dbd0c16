//! Who may do what with a container's files, and how the kubelet's volumes look from inside.

use super::fs::{DATA, DISK, Fs, FsError, HOST, Place, Volumes, normalize, parent};
use super::owners::{self, Attributes};
use crate::runtime::MountSource;

impl Fs {
    /// What was said of a file, by whoever made or changed it.
    fn kept(&self, path: &str, place: &Place, volumes: &Volumes) -> Option<Attributes> {
        match place {
            Place::Files(..) => None,
            Place::Volume(name, rest) => volumes.get(name)?.owner(rest),
            Place::Own => self.own.owner(path),
        }
    }

    /// `None`: there is nothing.
    pub fn attributes(&self, path: &str, volumes: &Volumes) -> Option<Attributes> {
        if let Some((other, path)) = self.elsewhere(path) {
            return other.attributes(&path, volumes);
        }
        let path = &*self.followed(path, true, volumes);
        let dir = self.is_dir(path, volumes);
        if !dir && !self.exists(path, volumes) {
            return None;
        }
        let place = self.place(path);
        if let Some(kept) = self.kept(path, &place, volumes) {
            return Some(kept);
        }
        let mounted = self.mounts.iter().find(|m| m.path == path);
        Some(match &place {
            Place::Files(..) if dir && mounted.is_some_and(|m| m.modes.whole) => {
                Attributes::of_volume(self.who.fs_group, mounted.is_some_and(|m| m.modes.memory))
            }
            Place::Files(..) if dir => Attributes::of_content(0o755, true, self.who.fs_group),
            Place::Files(i, rest) => {
                let modes = &self.mounts[*i].modes;
                let mode = modes.own.get(rest).copied().unwrap_or(modes.default);
                Attributes::of_content(mode, false, self.who.fs_group)
            }
            // A file system that somebody has just made on a disk.
            Place::Volume(name, rest) if name.starts_with(DISK) && mounted.is_some() && rest.is_empty() => {
                match self.who.fs_group {
                    Some(gid) => Attributes { uid: 0, gid, mode: 0o2775 },
                    None => Attributes::root(0o755),
                }
            }
            Place::Volume(name, _) if name != HOST && mounted.is_some() => {
                let memory = mounted.is_some_and(|m| m.modes.memory && matches!(m.source, MountSource::Shared(_)));
                Attributes::of_volume(self.who.fs_group, memory)
            }
            Place::Volume(..) => Attributes::default_of(dir),
            Place::Own => owners::of_image(path, dir),
        })
    }

    /// What the container's user makes at `path`.
    pub(super) fn made(&self, path: &str, dir: bool, volumes: &Volumes) -> Attributes {
        let above = self.attributes(parent(path), volumes).unwrap_or(Attributes::default_of(true));
        Attributes::made(&self.who, above, dir)
    }

    pub fn may_read(&self, path: &str, volumes: &Volumes) -> bool {
        self.who.uid == 0 || self.attributes(path, volumes).is_none_or(|a| a.allows(&self.who, owners::READ))
    }

    /// Whether the file may be changed, or names in the directory. What an image's directories are is known of a few only:
    /// the others are everybody's.
    pub fn may_write(&self, path: &str, volumes: &Volumes) -> bool {
        if self.who.uid == 0 {
            return true;
        }
        let place = self.place(path);
        match (self.kept(path, &place, volumes), &place) {
            (Some(kept), _) => kept.allows(&self.who, owners::WRITE),
            (None, Place::Own) => {
                let dir = if self.is_dir(path, volumes) { path } else { parent(path) };
                !owners::is_roots(dir) || dir == "/" && self.images_user
            }
            (None, Place::Volume(name, _)) if name == HOST => true,
            (None, _) => self.attributes(path, volumes).is_none_or(|a| a.allows(&self.who, owners::WRITE)),
        }
    }

    /// In a sticky directory only what is one's own. Models `may_delete` of Linux.
    pub(super) fn removable(&self, path: &str, volumes: &Volumes) -> Result<(), FsError> {
        if !self.may_write(parent(path), volumes) {
            return Err(FsError::Denied);
        }
        let place = self.place(path);
        // Of an image's files it is not known whose they are.
        let of = if place == Place::Own { self.kept(path, &place, volumes) } else { self.attributes(path, volumes) };
        let me = self.who.uid;
        let mine = |a: Attributes| a.uid == me || of.is_none_or(|f| f.uid == me);
        match self.attributes(parent(path), volumes) {
            Some(a) if me != 0 && a.is_sticky() && !mine(a) => Err(FsError::NotOwner),
            _ => Ok(()),
        }
    }

    /// Gives a file other attributes; its owner too only for root.
    pub fn set_attributes(&mut self, path: &str, new: Attributes, volumes: &mut Volumes) -> Result<(), FsError> {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.set_attributes(&path, new, volumes);
        }
        let path = &*self.followed(path, true, volumes).into_owned();
        let before = self.attributes(path, volumes).ok_or(FsError::NotFound)?;
        let place = self.writable(path)?;
        if self.who.uid != 0 {
            let known =
                self.kept(path, &place, volumes).is_some() || !self.may_write(path, volumes) || place != Place::Own;
            if !known {
                return Ok(());
            }
            let given = new.uid != before.uid || (new.gid != before.gid && !self.who.groups.contains(&new.gid));
            if before.uid != self.who.uid || given {
                return Err(FsError::NotOwner);
            }
        }
        // A volume's own root is not what a directory is by default.
        let none = Attributes::root(u32::MAX);
        match place {
            Place::Volume(name, rest) => volumes.entry(name).or_default().set_owner(&rest, new, none),
            _ => self.own.set_owner(path, new, none),
        }
        Ok(())
    }

    /// Where a link of a volume that the kubelet writes leads.
    pub fn link(&self, path: &str) -> Option<String> {
        let m = self.mounts.iter().find(|m| path.strip_prefix(m.path.as_str()).is_some_and(|r| r.starts_with('/')))?;
        let MountSource::Files(files) = &m.source else { return None };
        let rest = path.strip_prefix(m.path.as_str())?.trim_start_matches('/');
        if m.dated.is_empty() || rest == m.dated {
            return None;
        }
        if rest == DATA {
            return Some(m.dated.clone());
        }
        let there = files.keys().any(|k| k.split('/').next() == Some(rest));
        there.then(|| format!("{DATA}/{rest}"))
    }

    /// The path with such links followed, also on the way.
    pub fn real(&self, path: &str) -> String {
        for m in &self.mounts {
            let Some(rest) = path.strip_prefix(m.path.as_str()).filter(|r| r.starts_with('/')) else { continue };
            let MountSource::Files(_) = &m.source else { break };
            if m.dated.is_empty() {
                break;
            }
            return normalize(&m.path, &format!("{}/{}", m.dated, m.followed(rest.trim_start_matches('/'))));
        }
        path.into()
    }

    /// The names beside the files in the root of such a volume.
    pub fn dated_names(&self, path: &str) -> Vec<String> {
        let m = self.mounts.iter().find(|m| m.path == path && !m.dated.is_empty());
        m.map(|m| vec![m.dated.clone(), DATA.to_string()]).unwrap_or_default()
    }
}
