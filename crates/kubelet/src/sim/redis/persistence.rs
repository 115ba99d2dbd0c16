//! What a server keeps in its directory: `dump.rdb` at its save points and at its end, and with `appendonly yes` the
//! commands that make what it holds, a second after they were said.

use super::process::print;
use super::{Redis, aof, config, rdb};
use crate::sim::fs::{MAX_FILE_BYTES, normalize};
use crate::sim::machine::{Machine, World};
use meta::{Duration, Time};

/// `appendfsync everysec`
const SYNC: Duration = Duration::from_secs(1);

impl Redis {
    fn path(&self, name: &str) -> String {
        normalize(&self.setting("dir"), name)
    }
    fn dump(&self) -> String {
        self.path(self.config.get("dbfilename"))
    }
    /// The image brings a volume for the directory, which ends with the container.
    pub fn has_own_volume(&self) -> bool {
        self.config.get("dir").is_empty()
    }
    fn keeps_log(&self) -> bool {
        self.config.get("appendonly") == "yes"
    }
    /// The file of commands; since version 7 in a directory, with a manifest.
    fn log_file(&self) -> (String, Option<(String, String)>) {
        let name = self.config.get("appendfilename");
        if self.version.0 < 7 {
            return (self.path(name), None);
        }
        let dir = self.path(self.config.get("appenddirname"));
        let manifest = (format!("{dir}/{name}.manifest"), format!("file {name}.1.incr.aof seq 1 type i\n"));
        (format!("{dir}/{name}.1.incr.aof"), Some(manifest))
    }
    fn points(&self) -> Vec<(u64, u64)> {
        config::points(self.config.get("save")).unwrap_or_default()
    }
    fn due_point(&self) -> Option<(Time, u64)> {
        let due = self.points().into_iter().filter(|(_, n)| self.dirty >= *n && self.dirty > 0);
        due.map(|(seconds, _)| (self.saved + Duration::from_secs(seconds.min(1 << 40)), seconds)).min()
    }

    /// When something has to be written.
    pub fn next_save(&mut self, now: Time) -> Option<Time> {
        if !self.keeps_log() || self.changes == self.logged {
            self.log_due = None;
        } else if self.log_due.is_none() {
            self.log_due = Some(now + SYNC);
        }
        self.due_point().map(|(at, _)| at).into_iter().chain(self.log_due).min()
    }
}

pub(super) fn say(r: &Redis, level: char, text: String, m: &mut Machine, world: &mut World) {
    print(m, r.pid, super::process::role(r), &(level, text), world);
}

/// Writes `dump.rdb`; whether that could be done.
fn dump(r: &mut Redis, now: Time, m: &mut Machine, world: &mut World) -> bool {
    r.purge(now);
    let data = rdb::written(&r.dbs, r.version, r.used_memory(), now);
    if data.len() > MAX_FILE_BYTES {
        let (size, most) = (data.len() >> 20, MAX_FILE_BYTES >> 20);
        let why = format!("Files of more than {most} MiB are not simulated: a snapshot of {size} MiB is not written");
        say(r, '#', why, m, world);
        // It is as long the next time, unless something changes.
        (r.saved, r.dirty) = (now, 0);
        return true;
    }
    let nowhere = r.has_own_volume() && !m.fs.is_dir(&r.setting("dir"), world.volumes);
    if !nowhere && let Err(e) = m.fs.write(&r.dump(), &data, false, world.volumes) {
        let (dir, why) = (r.setting("dir"), e.text());
        let why =
            format!("Failed opening the temp RDB file temp-{}.rdb (in server root dir {dir}) for saving: {why}", r.pid);
        say(r, '#', why, m, world);
        // It tries again when its next save point comes.
        r.saved = now;
        return false;
    }
    (r.saved, r.dirty) = (now, 0);
    say(r, '*', "DB saved on disk".into(), m, world);
    true
}

/// Writes the file of commands. Why it cannot is said once: it tries every second.
fn log(r: &mut Redis, m: &mut Machine, world: &mut World) {
    let trouble = write_log(r, m, world).err().unwrap_or_default();
    if !trouble.is_empty() && trouble != r.log_trouble {
        say(r, '#', trouble.clone(), m, world);
    }
    r.log_trouble = trouble;
}

fn write_log(r: &mut Redis, m: &mut Machine, world: &mut World) -> Result<(), String> {
    let (file, manifest) = r.log_file();
    let all = r.everything(MAX_FILE_BYTES);
    if all.len() > MAX_FILE_BYTES {
        // It is as long the next time, unless something changes.
        r.logged = r.changes;
        let most = MAX_FILE_BYTES >> 20;
        return Err(format!("Files of more than {most} MiB are not simulated: the append-only file is not written"));
    }
    let mut files = vec![(file, all)];
    if let Some((path, text)) = manifest {
        let dir = r.path(r.config.get("appenddirname"));
        if !m.fs.is_dir(&dir, world.volumes)
            && let Err(e) = m.fs.mkdir(&dir, world.volumes)
        {
            return Err(format!("Can't open or create append-only dir {dir}: {}", e.text()));
        }
        files.push((path, text));
    }
    for (path, text) in files {
        if let Err(e) = m.fs.write(&path, text.as_bytes(), false, world.volumes) {
            return Err(format!("Can't open the append-only file {path}: {}", e.text()));
        }
    }
    r.logged = r.changes;
    Ok(())
}

/// What is due is written; whether a client's `SAVE` was.
pub fn keep(r: &mut Redis, now: Time, m: &mut Machine, world: &mut World) -> bool {
    let mut done = true;
    if std::mem::take(&mut r.save_asked) {
        done = dump(r, now, m, world);
    } else if let Some((at, seconds)) = r.due_point()
        && at <= now
    {
        say(r, '*', format!("{} changes in {seconds} seconds. Saving...", r.dirty), m, world);
        if dump(r, now, m, world) {
            say(r, '*', "Background saving terminated with success".into(), m, world);
        } else {
            say(r, '#', "Background saving error".into(), m, world);
        }
    }
    if r.log_due.is_some_and(|at| at <= now) {
        r.log_due = None;
        log(r, m, world);
    }
    done
}

/// The last thing a server does. `save`: whether it is told to (not to). Whether it may end.
pub fn finish(r: &mut Redis, save: Option<bool>, now: Time, m: &mut Machine, world: &mut World) -> bool {
    if r.keeps_log() {
        say(r, '*', "Calling fsync() on the AOF file.".into(), m, world);
        if r.changes != r.logged {
            log(r, m, world);
        }
    }
    if save.unwrap_or_else(|| !r.points().is_empty()) {
        say(r, '*', "Saving the final RDB snapshot before exiting.".into(), m, world);
        if !dump(r, now, m, world) {
            say(r, '#', "Error trying to save the DB, can't exit.".into(), m, world);
            return false;
        }
    }
    true
}

/// What was there when it ended last; whether the server may go on.
pub fn load(r: &mut Redis, now: Time, m: &mut Machine, world: &mut World) -> bool {
    let seconds = "0.000 seconds";
    if r.keeps_log() {
        let (file, _) = r.log_file();
        // Without one it begins with nothing, whatever the dump holds.
        let Ok(data) = m.fs.read(&file, world.volumes) else {
            r.logged = u64::MAX;
            return true;
        };
        if !aof::load(r, &file, &data, now, m, world) {
            return false;
        }
        r.purge(now);
        (r.logged, r.dirty) = (r.changes, 0);
        let name = file.rsplit('/').next().unwrap_or_default().to_string();
        if r.version.0 >= 7 {
            say(r, '*', format!("DB loaded from incr file {name}: {seconds}"), m, world);
        }
        say(r, '*', format!("DB loaded from append only file: {seconds}"), m, world);
        return true;
    }
    let Ok(data) = m.fs.read(&r.dump(), world.volumes) else { return true };
    let found = match rdb::read(&data, r.version) {
        Ok(found) => found,
        Err(why) => {
            say(r, '#', why, m, world);
            say(r, '#', "Fatal error loading the DB, check server logs. Exiting.".into(), m, world);
            return false;
        }
    };
    let (mut loaded, mut expired) = (0, 0);
    let used = r.stamp(now);
    for key in found.keys {
        if key.expires.is_some_and(|at| at <= now) && r.master().is_none() {
            expired += 1;
            continue;
        }
        loaded += 1;
        r.ensure(key.db).put(&key.name, key.value, key.expires, used);
    }
    let about = |name: &str| found.about.get(name).cloned().unwrap_or_default();
    if r.version >= (6, 0, 0) {
        let age = now.as_secs().saturating_sub(about("ctime").parse().unwrap_or(0));
        say(r, '*', format!("Loading RDB produced by version {}", about("redis-ver")), m, world);
        say(r, '*', format!("RDB age {age} seconds"), m, world);
        let bytes: u64 = about("used-mem").parse().unwrap_or(0);
        let hundredths = bytes.saturating_mul(100) / (1 << 20);
        let size = format!("{}.{:02} Mb", hundredths / 100, hundredths % 100);
        say(r, '*', format!("RDB memory usage when created {size}"), m, world);
    }
    if r.version >= (6, 2, 0) {
        say(r, '*', format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}."), m, world);
    }
    say(r, '*', format!("DB loaded from disk: {seconds}"), m, world);
    true
}
