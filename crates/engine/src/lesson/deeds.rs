//! The actions of a lesson, carried out.

use super::{Doer, kubectl};
use crate::actions::refusal;
use crate::faults;
use lessons::{Action, Deed, Lesson, Problem};
use meta::Duration;
use protocol::{ApiCall, ApplyMode, Command, File, Identity};

/// Does what an action says; a wait lets the time pass at once.
///
/// # Errors
/// It was refused, or means nothing.
pub fn perform(doer: &mut dyn Doer, lesson: &Lesson, action: &Action) -> Result<(), Problem> {
    let Some(deed) = action.deed() else { return Ok(()) };
    let wrong = |message: String| Problem::new(deed.place(), message);
    let identity = action.user.as_ref().map(|user| Identity { user: user.clone(), groups: Vec::new() });
    let command = match &deed {
        Deed::Wait(span) => {
            doer.cluster().advance(Duration(span.0));
            return Ok(());
        }
        Deed::Kubectl(line) => return kubectl::run(doer, lesson, &line.value, identity.as_ref()).map_err(wrong),
        Deed::Apply(s) => apply(lesson, &s.value, ApplyMode::Apply),
        Deed::Delete(s) => apply(lesson, &s.value, ApplyMode::Delete),
        Deed::Words(s) => faults::command(&s.value).map_err(wrong)?,
        Deed::Api(s) => api(&s.value, action.body.as_ref()),
    };
    let command = match identity {
        Some(identity) => Command::As { identity, command: Box::new(command) },
        None => command,
    };
    refusal(doer.act(command).as_ref()).map_or(Ok(()), |why| Err(wrong(why)))
}

fn apply(lesson: &Lesson, named: &str, mode: ApplyMode) -> Command {
    let (name, text) = lesson.manifest(named);
    Command::Apply { id: 0, mode, files: vec![File { name: name.into(), text: text.into() }] }
}

fn api(line: &str, body: Option<&serde_json::Value>) -> Command {
    let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
    let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    Command::Api(ApiCall {
        id: 0,
        method: method.into(),
        path: path.trim().into(),
        accept: "application/json".into(),
        content_type: content_type.into(),
        body: body.map(ToString::to_string).unwrap_or_default(),
    })
}
