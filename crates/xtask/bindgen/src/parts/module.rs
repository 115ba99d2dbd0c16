//! A module as far as it has to be understood to be taken apart.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ops::Range;
use wasm_encoder::{RawSection, SectionId};
use wasmparser::{Data, Element, Export, FuncType, FunctionBody, Global, Import, Parser, Payload, Table, TypeRef};

/// Raised when what is written changes, so that a cached program is built anew.
pub const VERSION: &str = "2";

pub struct Module<'a> {
    bytes: &'a [u8],
    /// Sections that are taken over as they are.
    raw: BTreeMap<u8, Range<usize>>,
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// The types of all functions, the imported ones first.
    pub functions: Vec<u32>,
    pub tables: Vec<Table<'a>>,
    pub memories: Vec<wasmparser::MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub exports: Vec<Export<'a>>,
    pub start: Option<u32>,
    pub elements: Vec<Element<'a>>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub data: Vec<Data<'a>>,
}

impl<'a> Module<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut m = Module {
            bytes,
            raw: BTreeMap::new(),
            types: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            data: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            m.take(payload.context("this is no module")?)?;
        }
        Ok(m)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(s) => {
                self.raw.insert(SectionId::Type as u8, s.range());
                for t in s.into_iter_err_on_gc_types() {
                    self.types.push(t?);
                }
            }
            Payload::ImportSection(s) => {
                for i in s.into_imports() {
                    let i = i?;
                    let TypeRef::Func(t) = i.ty else { bail!("{}.{} is imported and no function", i.module, i.name) };
                    self.functions.push(t);
                    self.imports.push(i);
                }
            }
            Payload::FunctionSection(s) => self.functions.extend(s.into_iter().collect::<Result<Vec<_>, _>>()?),
            Payload::TableSection(s) => self.tables = s.into_iter().collect::<Result<_, _>>()?,
            Payload::MemorySection(s) => {
                self.raw.insert(SectionId::Memory as u8, s.range());
                self.memories = s.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(s) => self.globals = s.into_iter().collect::<Result<_, _>>()?,
            Payload::ExportSection(s) => self.exports = s.into_iter().collect::<Result<_, _>>()?,
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(s) => self.elements = s.into_iter().collect::<Result<_, _>>()?,
            Payload::DataCountSection { range, .. } => drop(self.raw.insert(SectionId::DataCount as u8, range)),
            Payload::DataSection(s) => {
                self.raw.insert(SectionId::Data as u8, s.range());
                self.data = s.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            // Names and producers stay behind: a fifth of the whole, and nobody who visits reads them.
            Payload::CustomSection(_)
            | Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::End(_) => {}
            other => bail!("a section that is not known: {other:?}"),
        }
        Ok(())
    }

    /// A section as it was.
    pub fn raw(&self, id: SectionId) -> Option<RawSection<'a>> {
        self.raw.get(&(id as u8)).map(|at| RawSection { id: id as u8, data: &self.bytes[at.clone()] })
    }

    /// How many functions are imported.
    pub fn imported(&self) -> usize {
        self.imports.len()
    }

    /// The number of the type of functions that take and give nothing.
    pub fn plain_type(&self) -> Result<u32> {
        let at = self.types.iter().position(|t| t.params().is_empty() && t.results().is_empty());
        Ok(at.context("no function takes and gives nothing")? as u32)
    }

    pub fn is_wasm_function_table(&self) -> bool {
        self.tables.first().is_some_and(|t| t.ty.element_type.is_func_ref())
    }
}
