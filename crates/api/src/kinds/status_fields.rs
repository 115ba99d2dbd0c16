//! Statuses as the sum of their top-level fields: what changed between two, and one laid over another. This is the
//! merge patch that clusters are made of, without a JSON tree.

use k8s_openapi::api::core::v1::{NodeStatus, PodStatus};

/// What a merge patch of the status carries, typed: `None` is "as it was".
pub trait StatusFields: Sized + Default + PartialEq {
    /// The fields that differ from `old`; those that `self` has not are not told of.
    #[must_use]
    fn changed_from(&self, old: &Self) -> Self;
    /// Takes what `self` does not have from `old`.
    fn fill_from(&mut self, old: &Self);
}

macro_rules! status_fields {
    ($status:ty: $($field:ident)*) => {
        impl StatusFields for $status {
            fn changed_from(&self, old: &Self) -> Self {
                let mut changed = Self::default();
                $(if self.$field != old.$field {
                    changed.$field.clone_from(&self.$field);
                })*
                changed
            }
            fn fill_from(&mut self, old: &Self) {
                $(if self.$field.is_none() {
                    self.$field.clone_from(&old.$field);
                })*
            }
        }
    };
}

status_fields!(PodStatus:
    allocated_resources conditions container_statuses ephemeral_container_statuses extended_resource_claim_status
    host_ip host_ips init_container_statuses message nominated_node_name observed_generation phase pod_ip pod_ips
    qos_class reason resize resource_claim_statuses resources start_time
);

status_fields!(NodeStatus:
    addresses allocatable capacity conditions config daemon_endpoints declared_features features images node_info phase
    runtime_handlers volumes_attached volumes_in_use
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_laid_over_the_old_is_the_new() {
        let text = |s: &str| Some(s.to_string());
        let old = PodStatus { phase: text("Pending"), qos_class: text("Burstable"), ..Default::default() };
        let new = PodStatus { phase: text("Running"), pod_ip: text("10.0.0.1"), ..old.clone() };
        let mut changed = new.changed_from(&old);
        assert_eq!(changed, PodStatus { phase: text("Running"), pod_ip: text("10.0.0.1"), ..Default::default() });
        changed.fill_from(&old);
        assert_eq!(changed, new);
        assert_eq!(new.changed_from(&new), PodStatus::default());
    }
}
