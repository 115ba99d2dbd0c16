//! The sentence users read when no node fits. Models `framework.FitError`.

use super::node_status::NodeStatuses;
use std::collections::BTreeMap;
use std::fmt;

/// Upstream's `ErrNoNodesAvailable`.
pub const NO_NODES_AVAILABLE: &str = "no nodes available to schedule pods";

pub struct FitError<'a> {
    pub all_nodes: usize,
    pub statuses: &'a NodeStatuses,
    /// Set when a PreFilter plugin refused the pod; then the nodes' own reasons would only repeat it.
    pub pre_filter_message: &'a str,
    pub post_filter_message: &'a str,
}

impl fmt::Display for FitError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0/{} nodes are available:", self.all_nodes)?;
        if self.pre_filter_message.is_empty() {
            let mut histogram: BTreeMap<&str, usize> = BTreeMap::new();
            // Neighbours mostly say the same, in the same constant: they are counted without looking it up.
            let (mut last, mut run) = ("", 0);
            for reason in self.statuses.explicit.iter().flat_map(|(_, s)| s.reasons.as_slice()) {
                let reason: &str = reason;
                if !std::ptr::eq(reason, last) {
                    if run > 0 {
                        *histogram.entry(last).or_default() += run;
                    }
                    (last, run) = (reason, 0);
                }
                run += 1;
            }
            if run > 0 {
                *histogram.entry(last).or_default() += run;
            }
            let absent = self.all_nodes.saturating_sub(self.statuses.explicit.len());
            if absent > 0 {
                for reason in self.statuses.absent.reasons.as_slice() {
                    *histogram.entry(reason).or_default() += absent;
                }
            }
            // Sorted as text: "10 ..." comes before "2 ...".
            let mut counted: Vec<String> = histogram.into_iter().map(|(r, n)| format!("{n} {r}")).collect();
            counted.sort();
            if !counted.is_empty() {
                write!(f, " {}.", counted.join(", "))?;
            }
        } else {
            write!(f, " {}.", self.pre_filter_message)?;
        }
        if !self.post_filter_message.is_empty() {
            write!(f, " {}", self.post_filter_message)?;
        }
        Ok(())
    }
}
