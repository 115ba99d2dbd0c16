//! Scripts of faults: what goes wrong in a simulation, and when.

use super::simulate::duration;
use anyhow::{anyhow, bail};
use cluster::Cluster;
use engine::faults;
use meta::{Duration, Rng, Time};
use protocol::{Command, Reply};

pub const HELP: &str = "Each line is a time since the files were applied and what happens then: 30s cut node-1";

#[derive(Debug, PartialEq)]
enum Deed {
    Do(Box<Command>),
    /// Whatever can go wrong then.
    Any,
    Mend,
}

/// Deeds in the order of their times.
pub struct Script {
    deeds: Vec<(Duration, String, Deed)>,
    rng: Rng,
}

impl Script {
    /// # Errors
    /// The first line that means nothing, with its place.
    pub fn parse(files: &[(String, String)], seed: u64) -> anyhow::Result<Self> {
        let mut rng = Rng::new(seed);
        let mut deeds = Vec::new();
        for (name, text) in files {
            for (n, line) in (1..).zip(text.lines()) {
                let line = line.split('#').next().unwrap_or("").trim();
                if !line.is_empty() {
                    let place = format!("{name}:{n}");
                    read(line, &place, &mut rng, &mut deeds).map_err(|e| anyhow!("{place}: {e}"))?;
                }
            }
        }
        deeds.sort_by_key(|d| d.0);
        Ok(Script { deeds, rng })
    }

    /// Runs the cluster as far as the script goes, or to `end`. What is done at random goes to standard error in words
    /// that a script can say.
    ///
    /// # Errors
    /// The first line that could not be carried out.
    pub fn run(mut self, cluster: &mut Cluster, end: Option<Time>) -> anyhow::Result<()> {
        let start = cluster.now();
        for (at, place, deed) in self.deeds {
            if end.is_some_and(|end| start + at > end) {
                break;
            }
            cluster.advance_to(start + at);
            let commands = match deed {
                Deed::Do(command) => vec![*command],
                Deed::Mend => faults::mend(cluster),
                Deed::Any => {
                    let command = faults::random(cluster, &mut self.rng);
                    if let Some(c) = &command {
                        eprintln!("kubottle: {} {}", at.go_string(), faults::words(c));
                    }
                    command.into_iter().collect()
                }
            };
            for command in commands {
                if let Some(Reply::Done { error: Some(e), .. }) = engine::act(cluster, &command) {
                    bail!("{place}: {e}");
                }
            }
        }
        Ok(())
    }
}

fn read(line: &str, place: &str, rng: &mut Rng, out: &mut Vec<(Duration, String, Deed)>) -> Result<(), String> {
    let (at, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let time = |text: &str| duration(text).ok_or_else(|| format!("{text:?} is not a time such as 90s, 5m or 1h30m"));
    let at = time(at)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words[..] {
        ["mend"] => out.push((at, place.into(), Deed::Mend)),
        ["random", many, "in", span] => {
            let many: u32 = many.parse().map_err(|_| format!("{many:?} is not a number"))?;
            let millis = u32::try_from(time(span)?.0 / 1000).unwrap_or(u32::MAX);
            for _ in 0..many {
                let at = at + Duration::from_millis(rng.below(millis).into());
                out.push((at, place.into(), Deed::Any));
            }
        }
        _ => {
            let more = "mend                     all is mended\nrandom N in DURATION     so many times something goes wrong or is mended\n";
            let command = faults::command(rest).map_err(|e| if e.ends_with('\n') { e + more } else { e })?;
            out.push((at, place.into(), Deed::Do(Box::new(command))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Script, String> {
        Script::parse(&[("a".into(), text.into())], 1).map_err(|e| e.to_string())
    }

    #[test]
    fn lines_come_in_the_order_of_their_times() {
        let script = parsed("2m heal node-1\n# a word\n30s cut node-1  # another\n\n5m mend\n").unwrap();
        let times: Vec<u64> = script.deeds.iter().map(|d| d.0.0 / 1_000_000).collect();
        assert_eq!(times, [30, 120, 300]);
        assert_eq!(script.deeds[0].1, "a:3");
        assert_eq!(script.deeds[2].2, Deed::Mend);
        let script = parsed("1m random 50 in 10m").unwrap();
        assert!(script.deeds.len() == 50 && script.deeds.iter().all(|d| d.0.0 >= 60_000_000 && d.0.0 < 660_000_000));
    }

    #[test]
    fn what_means_nothing_is_named_with_its_place() {
        let refusal = |text: &str| parsed(text).err().unwrap_or_default();
        assert_eq!(refusal("soon cut node-1"), "a:1: \"soon\" is not a time such as 90s, 5m or 1h30m");
        assert!(
            refusal("\n1s dance").starts_with("a:2: \"dance\" is not understood; what can be said:\ncrash PROCESS")
        );
        assert!(refusal("1s dance").contains("\nmend  "));
    }
}
