//! The file of commands as a server reads it. Models `loadSingleAppendOnlyFile` of `aof.c`.

use super::persistence::say;
use super::replication::Unfit;
use super::{DATA_BYTES, Redis};
use crate::sim::machine::{Machine, World};
use meta::Time;

/// What is wrong with a file.
#[derive(Debug, PartialEq)]
enum Damage {
    /// It ends within a command.
    Short,
    Format,
}

/// The commands of a file, one after the other.
struct Commands<'a> {
    rest: &'a [u8],
    /// So many bytes are whole commands.
    whole: usize,
    size: usize,
}

impl<'a> Commands<'a> {
    fn new(data: &'a [u8]) -> Self {
        Commands { rest: data, whole: 0, size: data.len() }
    }
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(head)
    }
    /// A line with its end; the last one may have none.
    fn line(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|b| *b == b'\n').map_or(self.rest.len(), |n| n + 1);
        self.take(end).filter(|l| !l.is_empty())
    }
    fn command(&mut self, head: &[u8]) -> Result<Vec<String>, Damage> {
        let n = number(head, b'*')?;
        if n == 0 {
            return Err(if head == b"*" { Damage::Short } else { Damage::Format });
        }
        let mut argv = Vec::new();
        for _ in 0..n {
            let size = number(self.line().ok_or(Damage::Short)?, b'$')?;
            let word = self.take(size).ok_or(Damage::Short)?;
            argv.push(String::from_utf8_lossy(word).into_owned());
            self.take(2).ok_or(Damage::Short)?;
        }
        Ok(argv)
    }
}

/// As `atoi` reads it.
fn number(line: &[u8], kind: u8) -> Result<usize, Damage> {
    let (_, rest) = line.split_first().filter(|(first, _)| **first == kind).ok_or(Damage::Format)?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit());
    Ok(digits.fold(0_usize, |n, d| n.saturating_mul(10).saturating_add(usize::from(d - b'0'))))
}

impl Iterator for Commands<'_> {
    type Item = Result<Vec<String>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let head = loop {
            // Annotations are for people.
            match self.line()? {
                line if line.starts_with(b"#") => {}
                line => break line,
            }
        };
        let argv = self.command(head);
        if argv.is_ok() {
            self.whole = self.size - self.rest.len();
        }
        Some(argv)
    }
}

/// Carries out what the file at `path` holds; whether the server may go on.
pub fn load(r: &mut Redis, path: &str, data: &[u8], now: Time, m: &mut Machine, world: &mut World) -> bool {
    let new = r.version.0 >= 7;
    let name = path.rsplit('/').next().unwrap_or_default();
    let (of, fix) = if new { (format!(" {name}"), ".manifest") } else { (String::new(), "") };
    let bad = format!(
        "Bad file format reading the append only file{of}: make a backup of your AOF file, then use ./redis-check-aof \
         --fix <filename{fix}>"
    );
    let mut all = Commands::new(data);
    let mut db = 0;
    let fatal = loop {
        match all.next() {
            None => return true,
            Some(Err(Damage::Format)) => break bad,
            Some(Err(Damage::Short)) => return cut(r, path, data, all.whole, &of, m, world),
            Some(Ok(argv)) => match r.repeat(&mut db, &argv, now) {
                Ok(()) if r.used_memory() > DATA_BYTES => {
                    break format!("More than {} MiB of data are not simulated", DATA_BYTES >> 20);
                }
                Ok(()) => {}
                Err(Unfit::Unknown) => break format!("Unknown command '{}' reading the append only file{of}", argv[0]),
                // A real one would not outlive it.
                Err(Unfit::Words) => break bad,
            },
        }
    };
    say(r, '#', fatal, m, world);
    false
}

/// A file that ends within a command: that goes, unless it is not to.
fn cut(r: &Redis, path: &str, data: &[u8], whole: usize, of: &str, m: &mut Machine, world: &mut World) -> bool {
    let (space, fix) = if r.version.0 >= 7 { ("", ".manifest") } else { (" ", "") };
    if r.setting("aof-load-truncated") == "yes" {
        say(r, '#', format!("!!! Warning: short read while loading the AOF file{of}{space}!!!"), m, world);
        say(r, '#', format!("!!! Truncating the AOF{of} at offset {whole} !!!"), m, world);
        match m.fs.write(path, &data[..whole], false, world.volumes) {
            Ok(()) => {
                say(r, '#', format!("AOF{of} loaded anyway because aof-load-truncated is enabled"), m, world);
                return true;
            }
            Err(e) => say(r, '#', format!("Error truncating the AOF file{of}: {}", e.text()), m, world),
        }
    }
    let why = format!(
        "Unexpected end of file reading the append only file{of}. You can: 1) Make a backup of your AOF file, then use \
         ./redis-check-aof --fix <filename{fix}>. 2) Alternatively you can set the 'aof-load-truncated' configuration \
         option to yes and restart the server."
    );
    say(r, '#', why, m, world);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_up_to_the_damage() {
        let read = |text: &[u8]| {
            let mut all = Commands::new(text);
            let mut said = Vec::new();
            let damage = loop {
                match all.next() {
                    Some(Ok(argv)) => said.push(argv.join(" ")),
                    Some(Err(damage)) => break Some(damage),
                    None => break None,
                }
            };
            (said.join("|"), damage, all.whole)
        };
        let one = "*2\r\n$3\r\nGET\r\n$2\r\n\u{fc}\r\n";
        let one = one.as_bytes();
        assert_eq!(read(one), ("GET \u{fc}".into(), None, one.len()));
        for end in 1..one.len() {
            let text = [one, &one[..end]].concat();
            assert_eq!(read(&text), ("GET \u{fc}".into(), Some(Damage::Short), one.len()), "{end}");
        }
        assert_eq!(read(&[b"#TS:1\r\n", one].concat()).0, "GET \u{fc}");
        let bad = |text: &str| assert_eq!(read(text.as_bytes()), (String::new(), Some(Damage::Format), 0), "{text}");
        ["BLPOP\r\n", "\r\n", "*0\r\n", "*-1\r\n", "*x\r\n", "*1\r\nGET\r\n"].into_iter().for_each(bad);
        bad(&"*1\r\n".repeat(200_000));
        let short = |text: &str| assert_eq!(read(text.as_bytes()), (String::new(), Some(Damage::Short), 0), "{text}");
        ["*99999999999999999999\r\n", "*1\r\n$99999999999999999999\r\nx\r\n"].into_iter().for_each(short);
    }
}
