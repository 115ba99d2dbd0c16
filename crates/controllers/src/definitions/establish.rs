//! Models `pkg/controller/establish`: what has its names is served.

use super::{PROCESS, user};
use crate::owner::watch_self;
use api::Registered;
use api::custom::is_true;
use api::kinds::customresourcedefinition::set_condition;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::{Key, User};
use reconcile::{Controller, Cx, Intent, Outcome, Watch};

#[derive(Clone, Default)]
pub struct EstablishingController;

impl Controller for EstablishingController {
    const NAME: &'static str = "establishing-controller";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![watch_self(CustomResourceDefinition::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(d) = cx.view.get::<CustomResourceDefinition>(key) else { return out };
        if !is_true(d, "NamesAccepted") || is_true(d, "Established") {
            return out;
        }
        let mut d = d.clone();
        let why = "the initial names have been accepted";
        set_condition(&mut d, "Established", "True", "InitialNamesAccepted", why, cx.now);
        out.push(Intent::update_status(d));
        out
    }
}
