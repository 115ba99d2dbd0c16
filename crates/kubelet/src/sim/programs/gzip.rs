//! `gzip`, `gunzip` and `zcat`. What is packed is stored, not squeezed: which matches a compressor finds depends on the
//! processor, and a cluster's history must not.

use super::Io;
use super::text::inputs;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use std::io::Read;

pub fn reads_stdin(argv: &[String]) -> bool {
    argv.iter().skip(1).all(|a| a.starts_with('-'))
}

pub fn gzip(io: &mut Io, name: &str) -> i32 {
    let unpacks = name != "gzip" || io.flag('d');
    let files = io.operands();
    let to_stdout = name == "zcat" || io.flag('c') || reads_stdin(&io.argv);
    let (all, mut code) = inputs(io, &files);
    for (file, data) in all {
        let mut out = Vec::new();
        let done = if unpacks {
            GzDecoder::new(data.as_slice()).read_to_end(&mut out)
        } else {
            GzEncoder::new(data.as_slice(), Compression::none()).read_to_end(&mut out)
        };
        let new = if unpacks { file.strip_suffix(".gz").map(str::to_string) } else { Some(format!("{file}.gz")) };
        let why = match (done, new) {
            (Err(_), _) => "invalid magic".to_string(),
            (Ok(_), _) if to_stdout => {
                io.say(out);
                continue;
            }
            (Ok(_), None) => "unknown suffix - ignored".to_string(),
            (Ok(_), Some(new)) => {
                let (old, new) = (io.path(&file), io.path(&new));
                match io.m.fs.write(&new, &out, false, io.world.volumes) {
                    Ok(()) => {
                        let _ = io.m.fs.remove(&old, false, io.world.volumes);
                        continue;
                    }
                    Err(e) => e.text().to_string(),
                }
            }
        };
        io.complain(if file.is_empty() { format!("{name}: {why}") } else { format!("{name}: {file}: {why}") });
        code = 1;
    }
    code
}
