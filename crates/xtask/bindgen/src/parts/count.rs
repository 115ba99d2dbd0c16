//! The module that notes which of its functions have run.

use crate::module::Module;
use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
    ImportSection, Instruction, SectionId, StartSection, TableSection, ValType,
};

/// What the exports are called that say it: `ran:123`.
const RAN: &str = "ran:";

pub fn counting(m: &Module) -> Result<Vec<u8>> {
    let mut same = RoundtripReencoder;
    let broken = |e| anyhow!("the module cannot be written: {e}");
    let mut out = wasm_encoder::Module::new();
    out.section(&m.raw(SectionId::Type).ok_or_else(|| anyhow!("there are no types"))?);

    let mut imports = ImportSection::new();
    for i in &m.imports {
        same.parse_import(&mut imports, *i).map_err(broken)?;
    }
    out.section(&imports);

    let mut functions = FunctionSection::new();
    for t in &m.functions[m.imported()..] {
        functions.function(*t);
    }
    out.section(&functions);

    let mut tables = TableSection::new();
    for t in &m.tables {
        same.parse_table(&mut tables, t.clone()).map_err(broken)?;
    }
    out.section(&tables);
    if let Some(s) = m.raw(SectionId::Memory) {
        out.section(&s);
    }

    let mut globals = GlobalSection::new();
    for g in &m.globals {
        same.parse_global(&mut globals, g.clone()).map_err(broken)?;
    }
    let (counters, of_counters) = (m.globals.len() as u32, m.bodies.len() as u32);
    for _ in 0..of_counters {
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
    }
    out.section(&globals);

    let mut exports = ExportSection::new();
    for e in &m.exports {
        same.parse_export(&mut exports, *e).map_err(broken)?;
    }
    for i in 0..of_counters {
        exports.export(&format!("{RAN}{}", m.imported() as u32 + i), ExportKind::Global, counters + i);
    }
    out.section(&exports);
    if let Some(f) = m.start {
        out.section(&StartSection { function_index: f });
    }

    let mut elements = ElementSection::new();
    for e in &m.elements {
        same.parse_element(&mut elements, e.clone()).map_err(broken)?;
    }
    out.section(&elements);
    if let Some(s) = m.raw(SectionId::DataCount) {
        out.section(&s);
    }

    let mut code = CodeSection::new();
    for (i, body) in m.bodies.iter().enumerate() {
        let mut f = same.new_function_with_parsed_locals(body).map_err(broken)?;
        f.instruction(&Instruction::I32Const(1)).instruction(&Instruction::GlobalSet(counters + i as u32));
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            f.instruction(&same.parse_instruction(&mut reader).map_err(broken)?);
        }
        code.function(&f);
    }
    out.section(&code);
    if let Some(s) = m.raw(SectionId::Data) {
        out.section(&s);
    }
    Ok(out.finish())
}
