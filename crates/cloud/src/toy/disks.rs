//! Disks: each in one zone, attached to one machine of that zone at most.

use super::{Instance, State, ToyCloud};
use crate::provider::{Answer, CloudError, DiskInfo, Reply};
use meta::Time;

/// A month of a GiB costs ten cents; this is an hour of it, in millionths of a dollar.
const GIB_PRICE: u64 = 139;
const GIB_MAX: u64 = 16 << 10;

#[derive(Clone, Debug)]
pub struct Disk {
    pub id: String,
    /// What whoever wanted it calls it.
    pub name: String,
    pub zone: String,
    pub gib: u64,
    /// The ID of the machine that has it, and the device it is there.
    pub attached: Option<(String, String)>,
}

impl Disk {
    pub fn price_micros(&self) -> u64 {
        self.gib * GIB_PRICE
    }
    fn info(&self) -> DiskInfo {
        DiskInfo { id: self.id.clone(), zone: self.zone.clone(), gib: self.gib }
    }
}

fn not_found(id: &str) -> CloudError {
    CloudError { message: format!("DiskNotFound: there is no disk {id}"), not_found: true }
}

/// `/dev/vdb` and on.
fn device(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    let n = n + 1;
    if n < 26 { format!("/dev/vd{}", letter(n)) } else { format!("/dev/vd{}{}", letter(n / 26 - 1), letter(n)) }
}

impl ToyCloud {
    pub fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.disks.values()
    }
    /// The disks that the machine of a node has.
    pub fn disks_of(&self, node: &str) -> Vec<String> {
        let Some(instance) = self.by_node.get(node) else { return Vec::new() };
        let on = |d: &&Disk| d.attached.as_ref().is_some_and(|(i, _)| i == instance);
        self.disks.values().filter(on).map(|d| d.id.clone()).collect()
    }
    /// The node of a machine.
    pub fn node_of(&self, instance: &str) -> Option<&str> {
        self.instances.get(instance).map(|i| i.node.as_str())
    }

    pub(super) fn create_disk(&mut self, now: Time, name: &str, gib: u64, zone: &str) -> Reply {
        if let Some(d) = self.disks.values().find(|d| d.name == name) {
            return Ok(Answer::Disk(d.info()));
        }
        let limit = self.settings.quotas.disks;
        if self.disks.len() >= limit {
            return Err(CloudError::new(format!("DiskLimitExceeded: the limit of {limit} disks is reached")));
        }
        if gib == 0 || gib > GIB_MAX {
            return Err(CloudError::new(format!("InvalidSize: {gib} GiB; a disk has from 1 to {GIB_MAX} GiB")));
        }
        let zone = self.zone_for_disk(zone)?;
        self.disks_made += 1;
        let id = format!("disk-{:08x}{:04x}", self.rng.next_u32(), self.disks_made);
        let disk = Disk { id: id.clone(), name: name.into(), zone, gib, attached: None };
        self.ledger.begin(now, &id, disk.price_micros());
        let answer = Answer::Disk(disk.info());
        self.disks.insert(id, disk);
        Ok(answer)
    }

    fn zone_for_disk(&self, asked: &str) -> Result<String, CloudError> {
        let zones = self.zones();
        if asked.is_empty() {
            let load = |zone: &str| self.disks.values().filter(|d| d.zone == zone).count();
            let open = zones.into_iter().filter(|(_, down)| !down).map(|(z, _)| z);
            return open
                .min_by_key(|z| load(z))
                .ok_or_else(|| CloudError::new("InsufficientDiskCapacity: no zone has capacity at present"));
        }
        match zones.into_iter().find(|(z, _)| z == asked) {
            Some((z, false)) => Ok(z),
            Some((z, true)) => {
                Err(CloudError::new(format!("InsufficientDiskCapacity: zone {z} has no capacity at present")))
            }
            None => Err(CloudError::new(format!("InvalidZone: there is no zone {asked:?}"))),
        }
    }

    pub(super) fn delete_disk(&mut self, now: Time, id: &str) -> Reply {
        if let Some((instance, _)) = self.disks.get(id).and_then(|d| d.attached.as_ref()) {
            return Err(CloudError::new(format!("DiskInUse: {id} is attached to {instance}")));
        }
        if self.disks.remove(id).is_some() {
            self.ledger.end(now, id);
        }
        Ok(Answer::Done)
    }

    pub(super) fn attach_disk(&mut self, id: &str, instance: &str) -> Reply {
        let machine: &Instance = self.instances.get(instance).ok_or_else(CloudError::instance_not_found)?;
        let disk = self.disks.get(id).ok_or_else(|| not_found(id))?;
        match &disk.attached {
            Some((i, device)) if i == instance => return Ok(Answer::Attached(device.clone())),
            Some((i, _)) => return Err(CloudError::new(format!("DiskInUse: {id} is attached to {i}"))),
            None => {}
        }
        if disk.zone != machine.zone {
            let (zone, other) = (&disk.zone, &machine.zone);
            return Err(CloudError::new(format!("ZoneMismatch: {id} is in {zone}, {instance} is in {other}")));
        }
        if machine.state != State::Running || self.is_down(&machine.zone) {
            return Err(CloudError::new(format!("IncorrectState: {instance} is not running")));
        }
        let taken: Vec<&str> = (self.disks.values().filter_map(|d| d.attached.as_ref()))
            .filter(|(i, _)| i == instance)
            .map(|(_, device)| device.as_str())
            .collect();
        let max = machine.type_.disks_max();
        let free = (0..max).map(device).find(|d| !taken.contains(&d.as_str()));
        let Some(device) = free else {
            let why = format!("AttachmentLimitExceeded: {instance} takes {max} disks at most");
            return Err(CloudError::new(why));
        };
        if let Some(d) = self.disks.get_mut(id) {
            d.attached = Some((instance.into(), device.clone()));
        }
        Ok(Answer::Attached(device))
    }

    pub(super) fn detach_disk(&mut self, id: &str, instance: &str) -> Reply {
        if let Some(d) = self.disks.get_mut(id)
            && d.attached.as_ref().is_some_and(|(i, _)| i == instance)
        {
            d.attached = None;
        }
        Ok(Answer::Done)
    }

    pub(super) fn resize_disk(&mut self, now: Time, id: &str, gib: u64) -> Reply {
        let disk = self.disks.get_mut(id).ok_or_else(|| not_found(id))?;
        if gib > GIB_MAX {
            return Err(CloudError::new(format!("InvalidSize: {gib} GiB; a disk has from 1 to {GIB_MAX} GiB")));
        }
        disk.gib = disk.gib.max(gib);
        let (price, answer) = (disk.price_micros(), Answer::Disk(disk.info()));
        self.ledger.begin(now, id, price);
        Ok(answer)
    }

    /// A machine is gone: its disks are free.
    pub(super) fn release_disks(&mut self, instance: &str) {
        for d in self.disks.values_mut() {
            if d.attached.as_ref().is_some_and(|(i, _)| i == instance) {
                d.attached = None;
            }
        }
    }
}
