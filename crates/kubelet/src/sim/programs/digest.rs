//! `md5sum`, `sha1sum`, `sha256sum` and `sha512sum`.

use super::Io;
use sha2::{Digest, Sha256, Sha512};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A message with its length behind it, in blocks of 64 bytes.
fn padded(data: &[u8], length: [u8; 8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    out.resize((out.len() + 8).div_ceil(64) * 64 - 8, 0);
    out.extend(length);
    out
}

/// RFC 1321.
fn md5(data: &[u8]) -> String {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded(data, (data.len() as u64 * 8).to_le_bytes()).chunks_exact(64) {
        let mut words = [0u32; 16];
        for (w, b) in words.iter_mut().zip(block.chunks_exact(4)) {
            *w = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64usize {
            let (f, g) = match i / 16 {
                0 => (b & c | !b & d, i),
                1 => (d & b | !d & c, (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), 7 * i % 16),
            };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let k = (libm::fabs(libm::sin(i as f64 + 1.0)) * 4_294_967_296.0) as u32;
            let turned = a.wrapping_add(f).wrapping_add(k).wrapping_add(words[g]).rotate_left(SHIFTS[i / 16][i % 4]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
        }
        for (s, x) in state.iter_mut().zip([a, b, c, d]) {
            *s = s.wrapping_add(x);
        }
    }
    hex(&state.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>())
}

/// FIPS 180-1.
fn sha1(data: &[u8]) -> String {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded(data, (data.len() as u64 * 8).to_be_bytes()).chunks_exact(64) {
        let mut words: Vec<u32> = block.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        for i in 16..80 {
            words.push((words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, w) in words.iter().enumerate() {
            let (f, k) = match i / 20 {
                0 => (b & c | !b & d, 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*w);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (s, x) in state.iter_mut().zip([a, b, c, d, e]) {
            *s = s.wrapping_add(x);
        }
    }
    hex(&state.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>())
}

fn digest(name: &str, data: &[u8]) -> String {
    match name {
        "md5sum" => md5(data),
        "sha1sum" => sha1(data),
        "sha512sum" => hex(&Sha512::digest(data)),
        _ => hex(&Sha256::digest(data)),
    }
}

pub fn sum(io: &mut Io, name: &str) -> i32 {
    let mut files = io.operands();
    if files.is_empty() {
        files.push("-".into());
    }
    if io.flag('c') || io.argv.iter().any(|a| a == "--check") {
        return check(io, name, &files);
    }
    let mut code = 0;
    for f in files {
        match read(io, &f) {
            Ok(data) => {
                let line = format!("{}  {f}", digest(name, &data));
                io.line(line);
            }
            Err(why) => {
                io.complain(why_not(io, name, &f, why));
                code = 1;
            }
        }
    }
    code
}

fn why_not(io: &Io, name: &str, f: &str, why: &str) -> String {
    match io.is_busybox() {
        true => format!("{name}: can't open '{f}': {why}"),
        false => format!("{name}: {f}: {why}"),
    }
}

fn read(io: &mut Io, f: &str) -> Result<Vec<u8>, &'static str> {
    if f == "-" {
        return Ok(std::mem::take(&mut io.stdin));
    }
    let read = io.m.fs.read(&io.path(f), io.world.volumes);
    read.map(|d| d.to_vec()).map_err(crate::sim::fs::FsError::text)
}

/// `-c`: whether files have the sums that a list says.
fn check(io: &mut Io, name: &str, lists: &[String]) -> i32 {
    let (mut bad, mut all) = (0, 0);
    for list in lists {
        let text = match read(io, list) {
            Ok(data) => String::from_utf8_lossy(&data).into_owned(),
            Err(why) => {
                io.complain(why_not(io, name, list, why));
                return 1;
            }
        };
        for (wanted, file) in text.lines().filter_map(|l| l.split_once("  ")) {
            all += 1;
            let is = read(io, file).is_ok_and(|data| digest(name, &data) == wanted);
            bad += i32::from(!is);
            let line = format!("{file}: {}", if is { "OK" } else { "FAILED" });
            io.line(line);
        }
    }
    if bad > 0 {
        io.complain(match io.is_busybox() {
            true => format!("{name}: WARNING: {bad} of {all} computed checksums did NOT match"),
            false => {
                format!("{name}: WARNING: {bad} computed checksum{} did NOT match", if bad == 1 { "" } else { "s" })
            }
        });
    }
    i32::from(bad > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_standards() {
        assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            md5(b"12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a"
        );
        assert_eq!(sha1(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(digest("sha256sum", b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
