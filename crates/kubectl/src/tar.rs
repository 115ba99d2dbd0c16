//! Archives of tar, as `kubectl cp` sends and reads them. Models what is used of Go's `archive/tar`: POSIX ustar, and GNU's
//! and PAX' long names when they are read.

const BLOCK: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    File,
    Directory,
    Link,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub name: String,
    pub sort: Sort,
    /// Where a link leads.
    pub link: String,
    pub data: Vec<u8>,
}

/// Files by name, directories with a slash at the end, and `seconds` since 1970 as their time.
pub(crate) fn archive(files: &[(String, Vec<u8>)], seconds: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data) in files {
        if name.len() > 100 {
            // A long name has a member of its own.
            let long = format!("{name}\0");
            header(&mut out, "././@LongLink", long.len(), b'L', 0);
            block(&mut out, long.as_bytes());
        }
        let sort = if name.ends_with('/') { b'5' } else { b'0' };
        header(&mut out, name, data.len(), sort, seconds);
        block(&mut out, data);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn header(out: &mut Vec<u8>, name: &str, size: usize, sort: u8, seconds: i64) {
    let mut h = [0_u8; BLOCK];
    let short = &name.as_bytes()[..name.len().min(100)];
    h[..short.len()].copy_from_slice(short);
    let mut octal = |at: usize, width: usize, n: u64| {
        let text = format!("{n:0digits$o}", digits = width - 1);
        h[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    octal(100, 8, if sort == b'5' { 0o755 } else { 0o644 });
    octal(108, 8, 0);
    octal(116, 8, 0);
    octal(124, 12, size as u64);
    octal(136, 12, u64::try_from(seconds).unwrap_or(0));
    h[156] = sort;
    h[257..265].copy_from_slice(b"ustar\x0000");
    // The sum is taken with its own field full of spaces.
    h[148..156].fill(b' ');
    let sum: u64 = h.iter().map(|b| u64::from(*b)).sum();
    let text = format!("{sum:06o}\0");
    h[148..148 + text.len()].copy_from_slice(text.as_bytes());
    out.extend(h);
}

fn block(out: &mut Vec<u8>, data: &[u8]) {
    out.extend(data);
    out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn number(field: &[u8]) -> Option<usize> {
    let text = text(field);
    let digits = text.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { usize::from_str_radix(digits, 8).ok() }
}

/// # Errors
/// Go's words for what is no archive, or only the beginning of one.
pub(crate) fn members(archive: &[u8]) -> Result<Vec<Member>, String> {
    let (mut out, mut at, mut long) = (Vec::new(), 0, None);
    while let Some(h) = archive.get(at..at + BLOCK) {
        at += BLOCK;
        if h.iter().all(|b| *b == 0) {
            break;
        }
        let size = number(&h[124..136]).ok_or("archive/tar: invalid tar header")?;
        let data = archive.get(at..at + size).ok_or("unexpected EOF")?.to_vec();
        at += size.div_ceil(BLOCK) * BLOCK;
        let prefix = if &h[257..263] == b"ustar\0" { text(&h[345..500]) } else { String::new() };
        let name = match prefix.as_str() {
            "" => text(&h[..100]),
            prefix => format!("{prefix}/{}", text(&h[..100])),
        };
        let sort = match h[156] {
            b'L' => {
                long = Some(text(&data));
                continue;
            }
            b'x' => {
                let records = String::from_utf8_lossy(&data).into_owned();
                let path = records.lines().find_map(|l| l.split_once(" path=").map(|(_, p)| p.to_string()));
                long = path.or(long);
                continue;
            }
            b'g' | b'K' => continue,
            b'5' => Sort::Directory,
            b'2' => Sort::Link,
            _ => Sort::File,
        };
        out.push(Member { name: long.take().unwrap_or(name), sort, link: text(&h[157..257]), data });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let files = vec![("a".to_string(), vec![0, 255, 10]), ("b/".repeat(80) + "c", vec![7; 600])];
        let read = members(&archive(&files, 5)).expect("an archive");
        let read: Vec<(String, Vec<u8>)> = read.into_iter().map(|m| (m.name, m.data)).collect();
        assert_eq!(read, files);
        assert_eq!(members(&archive(&files, 5)[..514]).err().as_deref(), Some("unexpected EOF"));
        assert!(members(b"").is_ok_and(|m| m.is_empty()));
    }
}
