//! When files were changed. Kept is only what containers have written: an image's files share the time at which the
//! container was made, and a volume's those of the kubelet's last writing.

use super::{Fs, FsError, HOST, Place, Volumes, parent};
use crate::sim::procfs;
use meta::Time;

impl Fs {
    /// `None`: there is nothing.
    pub fn changed_at(&self, path: &str, volumes: &Volumes) -> Option<Time> {
        if let Some((other, path)) = self.elsewhere(path) {
            return other.changed_at(&path, volumes);
        }
        let link = self.link_at(path, volumes).is_some();
        if !link && !self.exists(path, volumes) {
            return None;
        }
        let path = &*self.followed(path, !link, volumes);
        Some(match self.place(path) {
            Place::Files(i, _) => self.mounts[i].at,
            Place::Volume(name, rest) => {
                let written = volumes.get(&name).and_then(|t| t.time(&rest));
                // The node was there before its containers.
                written.unwrap_or(if name == HOST { Time::SIMULATION_START.min(self.born) } else { self.born })
            }
            Place::Own if procfs::is_kernels(path) => volumes.now,
            Place::Own => self.own.time(path).unwrap_or(self.born),
        })
    }

    /// Says another time of a file.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn set_changed_at(&mut self, path: &str, time: Time, volumes: &mut Volumes) -> Result<(), FsError> {
        if let Some((other, path)) = self.elsewhere_mut(path) {
            return other.set_changed_at(&path, time, volumes);
        }
        let path = &*self.followed(path, true, volumes).into_owned();
        if !self.exists(path, volumes) {
            return Err(FsError::NotFound);
        }
        let place = self.writable(path)?;
        let is_mine = self.attributes(path, volumes).is_some_and(|a| a.uid == self.who.uid);
        if !is_mine && !self.may_write(path, volumes) {
            return Err(FsError::Denied);
        }
        match place {
            Place::Volume(name, rest) => volumes.entry(name).or_default().set_time(&rest, time),
            _ => self.own.set_time(path, time),
        }
        Ok(())
    }

    /// A file is written now; `named`: its directory changes with it.
    pub(in crate::sim) fn stamp(&mut self, path: &str, named: bool, volumes: &mut Volumes) {
        let now = volumes.now;
        for path in [Some(path), named.then(|| parent(path))].into_iter().flatten() {
            match self.place(path) {
                Place::Volume(name, rest) => volumes.entry(name).or_default().set_time(&rest, now),
                Place::Own => self.own.set_time(path, now),
                Place::Files(..) => {}
            }
        }
    }
}
