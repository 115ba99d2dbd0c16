//! The two parts. They share memory, tables and globals, which the first part owns. A function of the rest that the first part
//! calls, exports or has a pointer to has a stand-in there, which sees to it that the rest is there and passes the call on
//! through a place of the function table. When the rest comes, its functions take these places.

use crate::data::Constants;
use crate::module::Module;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, SectionId, StartSection,
    TableSection, ValType,
};
use wasmparser::{DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, MemArg, Operator};

/// Where the first part's call for the rest is imported from, and what the rest imports the first part as.
const PARTS: &str = "parts";

/// In bytes.
const SMALL: usize = 100;
/// Constants in a row that are shorter, in bytes, are not worth a place of their own in the rest.
const SHORT: u32 = 16;

/// Which functions a part of the module names, what numbers in it may be addresses, and whether it names segments, which only
/// the first part has.
#[derive(Default)]
struct Names {
    functions: BTreeSet<u32>,
    addresses: BTreeSet<u32>,
    segments: bool,
}

impl Reencode for Names {
    type Error = Infallible;
    fn function_index(&mut self, f: u32) -> Result<u32, reencode::Error<Infallible>> {
        self.functions.insert(f);
        Ok(f)
    }
    fn mem_arg(&mut self, arg: MemArg) -> Result<wasm_encoder::MemArg, reencode::Error<Infallible>> {
        self.addresses.insert(arg.offset as u32);
        reencode::utils::mem_arg(self, arg)
    }
    fn instruction<'a>(&mut self, arg: Operator<'a>) -> Result<Instruction<'a>, reencode::Error<Infallible>> {
        if let Operator::I32Const { value } = arg {
            self.addresses.insert(value as u32);
        }
        reencode::utils::instruction(self, arg)
    }
    fn data_index(&mut self, i: u32) -> Result<u32, reencode::Error<Infallible>> {
        self.segments = true;
        Ok(i)
    }
    fn element_index(&mut self, i: u32) -> Result<u32, reencode::Error<Infallible>> {
        self.segments = true;
        Ok(i)
    }
}

/// Functions under their numbers in one part. Reading finds no function that was not numbered: all that is named is.
struct Numbers(BTreeMap<u32, u32>);

impl Reencode for Numbers {
    type Error = String;
    fn function_index(&mut self, f: u32) -> Result<u32, reencode::Error<String>> {
        self.0.get(&f).copied().ok_or_else(|| reencode::Error::UserError(format!("function {f} is in neither part")))
    }
}

fn broken<E: std::fmt::Display>(e: reencode::Error<E>) -> anyhow::Error {
    anyhow!("the part cannot be written: {e}")
}

fn names(body: &FunctionBody) -> Result<Names> {
    let mut names = Names::default();
    let mut ignored = CodeSection::new();
    names.parse_function_body(&mut ignored, body.clone()).map_err(broken)?;
    Ok(names)
}

/// The places of the function table that hold pointers to functions: the place, and the function.
fn pointers(m: &Module) -> Result<Vec<(u32, u32)>> {
    let mut found = Vec::new();
    for e in &m.elements {
        let ElementKind::Active { table_index, offset_expr } = &e.kind else { continue };
        let ElementItems::Functions(items) = &e.items else { continue };
        if table_index.unwrap_or(0) != 0 {
            bail!("functions in another table than the first");
        }
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
            bail!("pointers at a place that is computed");
        };
        for (at, f) in (value as u32..).zip(items.clone()) {
            found.push((at, f?));
        }
    }
    Ok(found)
}

/// What is where.
struct Plan {
    /// Defined functions of the first part, and of the rest.
    first: Vec<u32>,
    rest: Vec<u32>,
    /// Functions of the rest that the first part knows of, and the place of the table that they are called through.
    stands_in: BTreeMap<u32, u32>,
    /// Functions of the first part, or imported, that the rest calls.
    lent: BTreeSet<u32>,
    pointers: Vec<(u32, u32)>,
    /// How long the function table is.
    places: u32,
    /// Where in memory the constants are that only the rest reads.
    later: Vec<Range<u32>>,
}

fn plan(m: &Module, ran: &[u32], constants: &Constants) -> Result<Plan> {
    if m.raw(SectionId::DataCount).is_some() {
        bail!("the program names its data's segments, and its parts have others");
    }
    if !m.is_wasm_function_table() {
        bail!("the first table is not of functions");
    }
    let imported = m.imported() as u32;
    let of = m.bodies.iter().map(names).collect::<Result<Vec<_>>>()?;
    let of = |f: u32| &of[(f - imported) as usize];
    let defined = imported..m.functions.len() as u32;

    let mut first: BTreeSet<u32> = ran.iter().copied().filter(|f| *f >= imported).collect();
    if let Some(f) = first.iter().find(|f| !defined.contains(f)) {
        bail!("function {f} has run and is not there");
    }
    first.extend(m.start.filter(|f| defined.contains(f)));
    first.extend(defined.clone().filter(|f| of(*f).segments));
    // What is small and one call away from what has run is likely to be next, and costs little more than its stand-in.
    let mut left: Vec<u32> = first.iter().copied().collect();
    while let Some(f) = left.pop() {
        for g in of(f).functions.iter().copied().filter(|g| *g >= imported) {
            if m.bodies[(g - imported) as usize].range().len() <= SMALL && first.insert(g) {
                left.push(g);
            }
        }
    }
    let rest: Vec<u32> = defined.clone().filter(|f| !first.contains(f)).collect();

    // What names functions at once.
    let mut known = Names::default();
    for g in &m.globals {
        known.const_expr(g.init_expr.clone()).map_err(broken)?;
    }
    for e in &m.elements {
        known.element_items(e.items.clone()).map_err(broken)?;
    }
    known.functions.extend(m.exports.iter().filter(|e| e.kind == ExternalKind::Func).map(|e| e.index));
    known.functions.extend(first.iter().flat_map(|f| &of(*f).functions));
    let lent = rest.iter().flat_map(|f| &of(*f).functions).copied();
    let lent: BTreeSet<u32> = lent.filter(|f| *f < imported || first.contains(f)).collect();

    let pointers = pointers(m)?;
    let mut places = u32::try_from(m.tables[0].ty.initial).context("a table of that length")?;
    let mut stands_in: BTreeMap<u32, u32> = pointers.iter().map(|(at, f)| (*f, *at)).collect();
    stands_in.retain(|f, _| *f >= imported && !first.contains(f));
    for f in known.functions {
        if f >= imported && !first.contains(&f) && !stands_in.contains_key(&f) {
            stands_in.insert(f, places);
            places += 1;
        }
    }
    let addresses = known.addresses.iter().chain(first.iter().flat_map(|f| &of(*f).addresses)).copied();
    let later = constants.unreached(addresses, SHORT);
    Ok(Plan { first: first.into_iter().collect(), rest, stands_in, lent, pointers, places, later })
}

/// The names under which the first part lends functions, short because there are thousands.
fn lent_names(plan: &Plan) -> impl Iterator<Item = (String, u32)> {
    let digit = |n: usize| char::from(b'!' + (n % 90) as u8);
    let name = move |i: usize| format!("{}{}{}", digit(i / 8100), digit(i / 90), digit(i));
    plan.lent.iter().enumerate().map(move |(i, f)| (name(i), *f))
}

/// The part that is needed at once, and the rest. `ran` are the numbers of the functions that belong into the first part.
pub fn split(m: &Module, ran: &[u32], constants: &Constants) -> Result<(Vec<u8>, Vec<u8>)> {
    let plan = plan(m, ran, constants)?;
    Ok((first(m, &plan)?, rest(m, &plan)?))
}

fn first(m: &Module, plan: &Plan) -> Result<Vec<u8>> {
    let imported = m.imported() as u32;
    // After what was imported comes the call for the rest.
    let call_rest = imported;
    let numbered =
        (0..imported).chain([u32::MAX]).chain(plan.first.iter().copied()).chain(plan.stands_in.keys().copied());
    let mut numbers = Numbers(numbered.zip(0..).collect());
    let see_to_it = numbers.0.len() as u32;
    let here = m.globals.len() as u32;

    let mut out = wasm_encoder::Module::new();
    out.section(&m.raw(SectionId::Type).context("there are no types")?);
    let mut imports = ImportSection::new();
    for i in &m.imports {
        numbers.parse_import(&mut imports, *i).map_err(broken)?;
    }
    imports.import(PARTS, "rest", EntityType::Function(m.plain_type()?));
    out.section(&imports);

    let mut functions = FunctionSection::new();
    for f in plan.first.iter().chain(plan.stands_in.keys()) {
        functions.function(m.functions[*f as usize]);
    }
    functions.function(m.plain_type()?);
    out.section(&functions);

    let mut tables = TableSection::new();
    for (i, t) in m.tables.iter().enumerate() {
        let mut t = t.clone();
        if i == 0 {
            let more = u64::from(plan.places) - t.ty.initial;
            (t.ty.initial, t.ty.maximum) = (t.ty.initial + more, t.ty.maximum.map(|n| n + more));
        }
        numbers.parse_table(&mut tables, t).map_err(broken)?;
    }
    out.section(&tables);
    if let Some(s) = m.raw(SectionId::Memory) {
        out.section(&s);
    }

    let mut globals = GlobalSection::new();
    for g in &m.globals {
        numbers.parse_global(&mut globals, g.clone()).map_err(broken)?;
    }
    // Whether the rest is here.
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    out.section(&globals);

    let mut exports = ExportSection::new();
    for e in &m.exports {
        numbers.parse_export(&mut exports, *e).map_err(broken)?;
    }
    exports.export("parts:here", ExportKind::Global, here);
    for (i, _) in m.tables.iter().enumerate() {
        exports.export(&format!("parts:t{i}"), ExportKind::Table, i as u32);
    }
    for (i, _) in m.memories.iter().enumerate() {
        exports.export(&format!("parts:m{i}"), ExportKind::Memory, i as u32);
    }
    for (i, _) in m.globals.iter().enumerate() {
        exports.export(&format!("parts:g{i}"), ExportKind::Global, i as u32);
    }
    for (name, f) in lent_names(plan) {
        exports.export(&name, ExportKind::Func, numbers.function_index(f).map_err(broken)?);
    }
    out.section(&exports);
    if let Some(f) = m.start {
        out.section(&StartSection { function_index: numbers.function_index(f).map_err(broken)? });
    }

    let mut elements = ElementSection::new();
    for e in &m.elements {
        numbers.parse_element(&mut elements, e.clone()).map_err(broken)?;
    }
    out.section(&elements);

    let mut code = CodeSection::new();
    for f in &plan.first {
        numbers.parse_function_body(&mut code, m.bodies[(f - imported) as usize].clone()).map_err(broken)?;
    }
    for (f, place) in &plan.stands_in {
        code.function(&stand_in(m, *f, *place, see_to_it)?);
    }
    // Calls for the rest unless it is here.
    let mut calls = Function::new([]);
    calls
        .instruction(&Instruction::GlobalGet(here))
        .instruction(&Instruction::I32Eqz)
        .instruction(&Instruction::If(BlockType::Empty))
        .instruction(&Instruction::Call(call_rest))
        .instruction(&Instruction::End)
        .instruction(&Instruction::End);
    code.function(&calls);
    out.section(&code);
    out.section(&data(m, &plan.later, false)?);
    Ok(out.finish())
}

/// What is put into memory: by the rest what is `later`, by the first part all else.
fn data(m: &Module, later: &[Range<u32>], by_rest: bool) -> Result<DataSection> {
    let mut out = DataSection::new();
    for d in &m.data {
        let DataKind::Active { memory_index: 0, offset_expr } = &d.kind else { bail!("data without a place") };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
            bail!("data at a place that is computed");
        };
        let from = value as u32;
        let mut put = |at: Range<u32>| {
            let bytes = &d.data[(at.start - from) as usize..(at.end - from) as usize];
            if !bytes.is_empty() {
                out.active(0, &ConstExpr::i32_const(at.start as i32), bytes.iter().copied());
            }
        };
        let end = from + d.data.len() as u32;
        let mut done = from;
        for at in later.iter().filter(|r| from <= r.start && r.end <= end) {
            if by_rest {
                put(at.clone());
            } else {
                put(done..at.start);
            }
            done = at.end;
        }
        if !by_rest {
            put(done..end);
        }
    }
    Ok(out)
}

fn stand_in(m: &Module, f: u32, place: u32, see_to_it: u32) -> Result<Function> {
    let number = m.functions[f as usize];
    let params = m.types.get(number as usize).context("a function of no type")?.params().len();
    let mut code = Function::new([]);
    code.instruction(&Instruction::Call(see_to_it));
    for i in 0..params {
        code.instruction(&Instruction::LocalGet(i as u32));
    }
    code.instruction(&Instruction::I32Const(place as i32))
        .instruction(&Instruction::CallIndirect { type_index: number, table_index: 0 })
        .instruction(&Instruction::End);
    Ok(code)
}

fn rest(m: &Module, plan: &Plan) -> Result<Vec<u8>> {
    let imported = m.imported() as u32;
    let mut numbers = Numbers(plan.lent.iter().chain(&plan.rest).copied().zip(0..).collect());
    let mut same = RoundtripReencoder;

    let mut out = wasm_encoder::Module::new();
    out.section(&m.raw(SectionId::Type).context("there are no types")?);
    let mut imports = ImportSection::new();
    for (name, f) in lent_names(plan) {
        imports.import(PARTS, &name, EntityType::Function(m.functions[f as usize]));
    }
    for (i, t) in m.tables.iter().enumerate() {
        // The first part's is longer than it was.
        let ty = wasmparser::TableType { maximum: None, ..t.ty };
        imports.import(PARTS, &format!("parts:t{i}"), same.table_type(ty).map_err(broken)?);
    }
    for (i, memory) in m.memories.iter().enumerate() {
        imports.import(PARTS, &format!("parts:m{i}"), same.memory_type(*memory).map_err(broken)?);
    }
    for (i, g) in m.globals.iter().enumerate() {
        imports.import(PARTS, &format!("parts:g{i}"), same.global_type(g.ty).map_err(broken)?);
    }
    out.section(&imports);

    let mut functions = FunctionSection::new();
    for f in &plan.rest {
        functions.function(m.functions[*f as usize]);
    }
    out.section(&functions);

    let mut places: BTreeMap<u32, u32> =
        plan.pointers.iter().filter(|(_, f)| plan.stands_in.contains_key(f)).copied().collect();
    places.extend(plan.stands_in.iter().map(|(f, at)| (*at, *f)));
    let mut elements = ElementSection::new();
    let mut run: Vec<u32> = Vec::new();
    let mut begun = 0;
    for (at, f) in places {
        if begun + run.len() as u32 != at {
            active(&mut elements, begun, &run);
            (begun, run) = (at, Vec::new());
        }
        run.push(numbers.function_index(f).map_err(broken)?);
    }
    active(&mut elements, begun, &run);
    out.section(&elements);

    let mut code = CodeSection::new();
    for f in &plan.rest {
        numbers.parse_function_body(&mut code, m.bodies[(f - imported) as usize].clone()).map_err(broken)?;
    }
    out.section(&code);
    out.section(&data(m, &plan.later, true)?);
    Ok(out.finish())
}

fn active(elements: &mut ElementSection, at: u32, functions: &[u32]) {
    if !functions.is_empty() {
        elements.active(None, &ConstExpr::i32_const(at as i32), Elements::Functions(functions.into()));
    }
}
