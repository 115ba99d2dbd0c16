//! What a write says about its object: `deployment.apps/web created`, or the object with `-o`.

use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::print::{Printer, name_of};
use serde_json::Value;

pub(crate) struct Results {
    printer: Option<Printer>,
    managed: bool,
    dry: DryRun,
}

impl Results {
    pub fn of(cx: &Cx<'_, '_>, dry: DryRun) -> Result<Results, Error> {
        let managed = cx.command.flag("show-managed-fields").is_some() && cx.flags.bool("show-managed-fields");
        Ok(Results { printer: Printer::of(cx, false)?, managed, dry })
    }
    /// For what upstream has as an object of Go's type.
    #[must_use]
    pub fn typed(mut self) -> Results {
        self.printer = self.printer.map(Printer::typed);
        self
    }
    /// Whether the object itself is asked for.
    pub fn wants_object(&self) -> bool {
        self.printer.as_ref().is_some_and(|p| !matches!(p, Printer::Name))
    }
    pub fn is_yaml(&self) -> bool {
        matches!(self.printer, Some(Printer::Yaml(_)))
    }
    pub fn print(&mut self, cx: &mut Cx<'_, '_>, object: &Value, operation: &str) -> Result<(), Error> {
        let text = match &mut self.printer {
            Some(p) => p.print(object, self.managed)?,
            None => format!("{} {operation}{}\n", name_of(object), self.dry.suffix()),
        };
        cx.out(&text);
        Ok(())
    }
}
