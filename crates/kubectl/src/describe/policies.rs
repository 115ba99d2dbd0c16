//! PodDisruptionBudgets and PriorityClasses.

use super::events::{self, About};
use super::view::View;
use super::writer::put;
use super::{Describer, parts};
use crate::error::Error;

impl Describer<'_> {
    pub async fn disruption_budget(&self, budget: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("PodDisruptionBudget", budget)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", budget.name());
        put!(w, 0, "Namespace:\t{}\n", budget.namespace());
        let spec = budget.at("spec");
        if let Some(least) = spec.at("minAvailable").opt() {
            put!(w, 0, "Min available:\t{}\n", least.int_or_string());
        } else if let Some(most) = spec.at("maxUnavailable").opt() {
            put!(w, 0, "Max unavailable:\t{}\n", most.int_or_string());
        }
        match spec.at("selector").opt() {
            Some(selector) => put!(w, 0, "Selector:\t{}\n", parts::selector_or_none(selector)),
            None => put!(w, 0, "Selector:\t<unset>\n"),
        }
        put!(w, 0, "Status:\n");
        for (title, field) in [
            ("Allowed disruptions", "disruptionsAllowed"),
            ("Current", "currentHealthy"),
            ("Desired", "desiredHealthy"),
            ("Total", "expectedPods"),
        ] {
            put!(w, 2, "{title}:\t{}\n", budget.at("status").i(field));
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn priority_class(&self, class: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("PriorityClass", class)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", class.name());
        put!(w, 0, "Value:\t{}\n", class.i("value"));
        put!(w, 0, "GlobalDefault:\t{}\n", class.b("globalDefault"));
        put!(w, 0, "PreemptionPolicy:\t{}\n", class.s("preemptionPolicy"));
        put!(w, 0, "Description:\t{}\n", class.s("description"));
        put!(w, 0, "Annotations:\t{}\n", parts::label_set(class.at("metadata.annotations")));
        events::write(&mut w, events);
        Ok(w.finish())
    }
}
