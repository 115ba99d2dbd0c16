//! The options that trunk and xtask give, as the published program has them.

use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Bundler,
    Web,
    NoModules,
    Nodejs,
}

impl Target {
    fn of(word: &str) -> Result<Self, String> {
        Ok(match word {
            "bundler" => Target::Bundler,
            "web" => Target::Web,
            "no-modules" => Target::NoModules,
            "nodejs" => Target::Nodejs,
            other => return Err(format!("--target {other}: want bundler, web, no-modules or nodejs")),
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub input: PathBuf,
    pub target: Target,
    pub out_dir: PathBuf,
    /// The stem of the files written; the input's when absent.
    pub out_name: Option<String>,
    pub no_typescript: bool,
    pub debug: bool,
    pub keep_debug: bool,
    pub no_demangle: bool,
}

impl Options {
    /// # Errors
    /// What is missing, unknown or without its value.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let (mut input, mut out_dir, mut target, mut out_name) = (None, None, Target::Bundler, None);
        let mut on: Vec<&str> = Vec::new();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            let (name, value) = arg.split_once('=').map_or((arg, None), |(n, v)| (n, Some(v)));
            let mut value = || value.or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"));
            match name {
                "--target" => target = Target::of(value()?)?,
                "--out-dir" => out_dir = Some(value()?.into()),
                "--out-name" => out_name = Some(value()?.into()),
                "--no-typescript" | "--debug" | "--keep-debug" | "--no-demangle" => on.push(name),
                // Found out from the module and at run time nowadays.
                "--reference-types" | "--weak-refs" => {}
                _ if name.starts_with('-') => return Err(format!("{name}: no such option here")),
                _ if input.is_some() => return Err(format!("{arg}: one input is enough")),
                _ => input = Some(arg.into()),
            }
        }
        let is = |name: &str| on.contains(&name);
        Ok(Options {
            input: input.ok_or("which .wasm file?")?,
            target,
            out_dir: out_dir.ok_or("--out-dir is needed")?,
            out_name,
            no_typescript: is("--no-typescript"),
            debug: is("--debug"),
            keep_debug: is("--keep-debug"),
            no_demangle: is("--no-demangle"),
        })
    }
}
