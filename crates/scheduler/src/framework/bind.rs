//! What happens between the choice of a node and the binding. Models the second half of schedulingCycle and the first
//! of bindingCycle in `pkg/scheduler/schedule_one.go`.

use super::run::{Run, point_record};
use super::{Answer, Framework, PodInfo};
use k8s_openapi::api::core::v1::Binding;
use trace::Cycle;

impl Framework {
    /// Reserve, Permit and PreBind for the chosen node; the caller posts the binding that [`Framework::bind`] makes.
    ///
    /// # Errors
    /// The first refusal, after Unreserve of everything.
    pub fn reserve(&self, run: &mut Run, node: &str, mut record: Option<&mut Cycle>) -> Answer {
        let pod = run.pod.clone();
        let mut first = Ok(());
        let points = [("Reserve", &self.reserve), ("Permit", &self.permit), ("PreBind", &self.pre_bind)];
        'points: for (point, list) in points {
            for i in list {
                let plugin = &self.plugins[*i];
                let (h, state) = (&run.h, &mut run.state);
                let said = match point {
                    "Reserve" => plugin.as_reserve().map(|p| p.reserve(h, state, &pod, node)),
                    "Permit" => plugin.as_permit().map(|p| p.permit(h, state, &pod, node)),
                    _ => plugin.as_pre_bind().map(|p| p.pre_bind(h, state, &pod, node)),
                };
                let said = said.unwrap_or(Ok(()));
                if let Some(c) = record.as_deref_mut() {
                    c.points.push(point_record(point, plugin.name(), &said));
                }
                if let Err(status) = said {
                    first = Err(status.from_plugin(plugin.name()));
                    break 'points;
                }
            }
        }
        if let (Ok(()), Some(c)) = (&first, record) {
            // Who will post the binding; the API server's answer is not part of the cycle.
            let extender = self.extenders.as_ref().and_then(|e| e.binder(&pod.pod));
            if let Some(binder) = extender.or_else(|| self.binder(&pod, node).map(|(plugin, _)| plugin)) {
                c.points.push(point_record("Bind", binder, &Ok(())));
            }
        }
        if first.is_err() {
            for i in self.reserve.iter().rev() {
                if let Some(p) = self.plugins[*i].as_reserve() {
                    p.unreserve(&run.h, &mut run.state, &pod, node);
                }
            }
        }
        first
    }

    /// The binding of the first bind plugin that takes the pod.
    pub fn bind(&self, pod: &PodInfo, node: &str) -> Option<Binding> {
        self.binder(pod, node).map(|(_, binding)| binding)
    }

    fn binder(&self, pod: &PodInfo, node: &str) -> Option<(&'static str, Binding)> {
        self.bind.iter().find_map(|i| {
            let plugin = &self.plugins[*i];
            Some((plugin.name(), plugin.as_bind()?.bind(pod, node)?))
        })
    }
}
