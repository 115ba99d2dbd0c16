//! Which constants a part of a program reads. The linker says it, when asked to leave its relocations in what it links
//! (`--emit-relocs`; sections as in tool-conventions' Linking.md): for each place in code or data that holds an address, what
//! stands there. wasm-bindgen numbers functions anew, so that they fit no more,
//! but leaves addresses as they are.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{DataKind, KnownCustom, Linking, Name, Operator, Parser, Payload, RelocationEntry, SymbolInfo};

/// The segment of constants. Nothing is ever written there, so it does not matter when it comes.
const CONSTANTS: &str = ".rodata";

/// The constants of a program, by piece: what its functions name apart from each other.
pub struct Constants {
    pieces: Vec<Piece>,
    /// An address as code holds it, and the pieces that it may stand for: it may lie outside of them, as when a table's first
    /// index is not zero.
    named: BTreeMap<u32, Vec<usize>>,
    /// What variables point to from the start.
    roots: Vec<usize>,
}

struct Piece {
    at: Range<u32>,
    /// The pieces that it points to.
    points_to: Vec<usize>,
}

struct Segment {
    memory: Range<u32>,
    /// Where in the file.
    file: Range<usize>,
}

/// What is read of a linked program.
#[derive(Default)]
struct Read {
    segments: Vec<Segment>,
    constants: Option<usize>,
    /// Where symbols of data are in memory; nothing for others, and for those that are nowhere.
    symbols: Vec<Option<Range<u32>>>,
    /// Of code, and of data with where in the file its section begins.
    of_code: Vec<RelocationEntry>,
    of_data: Vec<RelocationEntry>,
    data: usize,
}

impl Read {
    fn take(&mut self, payload: Payload) -> Result<()> {
        match payload {
            Payload::DataSection(s) => {
                self.data = s.range().start;
                for d in s {
                    let d = d?;
                    let DataKind::Active { offset_expr, .. } = d.kind else { bail!("data without a place in memory") };
                    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                        bail!("data at a place that is computed");
                    };
                    let memory = value as u32..value as u32 + d.data.len() as u32;
                    self.segments.push(Segment { memory, file: d.range.end - d.data.len()..d.range.end });
                }
            }
            Payload::CustomSection(s) => match s.as_known() {
                KnownCustom::Linking(linking) => {
                    for part in linking {
                        let Linking::SymbolTable(table) = part? else { continue };
                        for symbol in table {
                            let at = match symbol? {
                                SymbolInfo::Data { symbol: Some(d), .. } => self
                                    .segments
                                    .get(d.index as usize)
                                    .map(|s| s.memory.start + d.offset..s.memory.start + d.offset + d.size),
                                _ => None,
                            };
                            self.symbols.push(at);
                        }
                    }
                }
                KnownCustom::Reloc(reloc) => {
                    let entries = reloc.entries().into_iter().collect::<Result<Vec<_>, _>>()?;
                    match s.name() {
                        "reloc.CODE" => self.of_code = entries,
                        "reloc.DATA" => self.of_data = entries,
                        _ => {}
                    }
                }
                KnownCustom::Name(names) => {
                    for part in names {
                        let Name::Data(names) = part? else { continue };
                        for n in names {
                            let n = n?;
                            if n.name == CONSTANTS {
                                self.constants = Some(n.index as usize);
                            }
                        }
                    }
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

impl Constants {
    /// Of a program as the linker left it.
    pub fn read(linked: &[u8]) -> Result<Self> {
        let mut read = Read::default();
        for payload in Parser::new(0).parse_all(linked) {
            read.take(payload.context("this is no module")?)?;
        }
        if read.symbols.is_empty() || read.of_code.is_empty() {
            bail!("the linker left no relocations: it is to be called with --emit-relocs");
        }
        let constants = read.constants.with_context(|| format!("no segment is called {CONSTANTS}"))?;
        let at = read.segments.get(constants).context("a name of no segment")?.memory.clone();

        let mut found = Constants { pieces: pieces(&at, &read.symbols), named: BTreeMap::new(), roots: Vec::new() };
        // The piece that a relocation is about, and the address that comes of it.
        let target = |r: &RelocationEntry| {
            let symbol = is_address(r).then(|| read.symbols.get(r.index as usize).cloned().flatten()).flatten()?;
            Some((found.piece(symbol.start)?, (i64::from(symbol.start) + r.addend) as u32))
        };
        let mut named: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (piece, address) in read.of_code.iter().filter_map(target) {
            let pieces = named.entry(address).or_default();
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
        let mut roots = Vec::new();
        let mut points_to = Vec::new();
        for r in &read.of_data {
            let Some((piece, _)) = target(r) else { continue };
            let place = read.data + r.offset as usize;
            let within = read.segments.iter().find(|s| s.file.contains(&place)).context("a pointer outside of data")?;
            let place = within.memory.start + (place - within.file.start) as u32;
            match found.piece(place) {
                Some(from) => points_to.push((from, piece)),
                None => roots.push(piece),
            }
        }
        for (from, to) in points_to {
            found.pieces[from].points_to.push(to);
        }
        found.named = named;
        found.roots = roots;
        Ok(found)
    }

    fn piece(&self, address: u32) -> Option<usize> {
        let i = self.pieces.partition_point(|p| p.at.end <= address);
        self.pieces.get(i).filter(|p| p.at.contains(&address)).map(|_| i)
    }

    /// Where the constants are that can be reached from none of `addresses`, the numbers that stand in code. Places shorter
    /// than `least` bytes are left out.
    pub fn unreached(&self, addresses: impl Iterator<Item = u32>, least: u32) -> Vec<Range<u32>> {
        let mut reached = vec![false; self.pieces.len()];
        let mut left = self.roots.clone();
        left.extend(addresses.filter_map(|a| self.named.get(&a)).flatten());
        while let Some(i) = left.pop() {
            if !std::mem::replace(&mut reached[i], true) {
                left.extend(&self.pieces[i].points_to);
            }
        }
        let mut runs: Vec<Range<u32>> = Vec::new();
        let mut last = None;
        for (i, piece) in self.pieces.iter().enumerate().filter(|(i, _)| !reached[*i]) {
            match runs.last_mut() {
                // With what stands between to align the next.
                Some(run) if last == i.checked_sub(1) && piece.at.start - run.end < 16 => run.end = piece.at.end,
                _ => runs.push(piece.at.clone()),
            }
            last = Some(i);
        }
        runs.retain(|r| r.end - r.start >= least);
        runs
    }
}

/// Whether a relocation puts the address of data somewhere.
fn is_address(r: &RelocationEntry) -> bool {
    use wasmparser::RelocationType::*;
    matches!(r.ty, MemoryAddrLeb | MemoryAddrSleb | MemoryAddrI32 | MemoryAddrRelSleb | MemoryAddrLocrelI32)
}

/// The symbols of constants in the order of memory; those that overlap are one piece.
fn pieces(constants: &Range<u32>, symbols: &[Option<Range<u32>>]) -> Vec<Piece> {
    let mut ranges: Vec<Range<u32>> = symbols.iter().flatten().filter(|r| !r.is_empty()).cloned().collect();
    ranges.retain(|r| constants.start <= r.start && r.end <= constants.end);
    ranges.sort_by_key(|r| (r.start, r.end));
    let mut pieces: Vec<Piece> = Vec::new();
    for at in ranges {
        match pieces.last_mut() {
            Some(p) if at.start < p.at.end => p.at.end = p.at.end.max(at.end),
            _ => pieces.push(Piece { at, points_to: Vec::new() }),
        }
    }
    pieces
}
