//! What every view gets: the language, the model, and a way to ask for things.

use crate::i18n::{self, Lang};
use crate::model::{ModelRef, kinds};
use crate::screens::Screens;
use crate::ui::{Action, InspectorTab};
use protocol::{Command, ObjectId};
use yew::{Callback, hook, use_context};

#[derive(Clone, PartialEq)]
pub struct Ctx {
    pub lang: Lang,
    /// Canvases read the theme's colours; nothing else needs to know which it is.
    pub dark: bool,
    pub model: ModelRef,
    pub dispatch: Callback<Action>,
    pub screens: Screens,
}

impl Ctx {
    pub fn t(&self, key: &'static str) -> &'static str {
        i18n::text(self.lang, key)
    }
    pub fn tf(&self, key: &'static str, args: &[(&str, &str)]) -> String {
        i18n::fill(self.t(key), args.iter().copied())
    }
    /// A text whose key is known only at run time.
    pub fn find(&self, key: &str) -> Option<&'static str> {
        i18n::find(self.lang, key)
    }
    pub fn act(&self, action: Action) {
        self.dispatch.emit(action);
    }
    pub fn on<E: 'static>(&self, action: Action) -> Callback<E> {
        let dispatch = self.dispatch.clone();
        Callback::from(move |_| dispatch.emit(action.clone()))
    }
    /// A command's `id` is given when it is sent.
    pub fn on_send<E: 'static>(&self, command: Command) -> Callback<E> {
        self.on(Action::Send(command))
    }
    pub fn inspect(&self, id: ObjectId) {
        self.act(Action::Inspect(id, InspectorTab::Summary));
    }
    pub fn on_pod<E: 'static>(&self, namespace: &str, name: &str) -> Callback<E> {
        self.on(Action::Inspect(kinds::pod(namespace, name), InspectorTab::Summary))
    }
}

/// The context of the app's root; views exist only below it.
#[hook]
pub fn use_ctx() -> Ctx {
    use_context::<Ctx>().unwrap_or_else(|| Ctx {
        lang: Lang::En,
        dark: false,
        model: ModelRef::default(),
        dispatch: Callback::noop(),
        screens: Screens::default(),
    })
}
