//! Namespaces, and what limits them: quotas and limit ranges.

use super::sort::sort;
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts};
use crate::error::Error;
use serde_json::Value;
use std::collections::BTreeSet;

impl Describer<'_> {
    pub async fn namespace(&self, namespace: View<'_>) -> Result<String, Error> {
        let quotas = self.limits(namespace, "resourcequotas").await?;
        let ranges = self.limits(namespace, "limitranges").await?;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", namespace.name());
        parts::metadata(&mut w, namespace);
        put!(w, 0, "Status:\t{}\n", namespace.s("status.phase"));
        let conditions = namespace.list("status.conditions");
        if !conditions.is_empty() {
            parts::dated_conditions(&mut w, conditions);
        }
        if let Some(quotas) = quotas {
            put!(w, 0, "\n");
            write_quotas(&mut w, &quotas);
        }
        if let Some(ranges) = ranges {
            put!(w, 0, "\n");
            write_ranges(&mut w, &ranges);
        }
        Ok(w.finish())
    }

    /// `None` from a server that does not know the kind.
    async fn limits(&self, namespace: View<'_>, resource: &str) -> Result<Option<Vec<Value>>, Error> {
        match self.list(&super::core_path(namespace.name(), resource), &[]).await {
            Ok(items) => Ok(Some(items)),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub fn limit_range(&self, range: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", range.name());
        put!(w, 0, "Namespace:\t{}\n", range.namespace());
        put!(w, 0, "{RANGE_TITLES}");
        put!(w, 0, "{RANGE_LINES}");
        write_range(&mut w, range, "");
        Ok(w.finish())
    }

    pub fn resource_quota(&self, quota: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", quota.name());
        put!(w, 0, "Namespace:\t{}\n", quota.namespace());
        scopes(&mut w, quota, 0, " * ");
        put!(w, 0, "Resource\tUsed\tHard\n");
        put!(w, 0, "--------\t----\t----\n");
        for (name, hard) in quota.quantities("status.hard") {
            let used = quota.at("status.used").key(name).quantity().in_format_of(hard);
            put!(w, 0, "{name}\t{used}\t{hard}\n");
        }
        Ok(w.finish())
    }
}

const RANGE_TITLES: &str = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n";
const RANGE_LINES: &str = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n";

/// Models `DescribeLimitRanges`.
fn write_ranges(w: &mut Writer, ranges: &[Value]) {
    if ranges.is_empty() {
        put!(w, 0, "No LimitRange resource.\n");
        return;
    }
    put!(w, 0, "Resource Limits\n {RANGE_TITLES}");
    put!(w, 0, " {RANGE_LINES}");
    for range in ranges {
        write_range(w, View::new(range), " ");
    }
}

/// Models `describeLimitRangeSpec`, which goes through resources in no order; here they are sorted.
fn write_range(w: &mut Writer, range: View, prefix: &str) {
    for item in range.list("spec.limits") {
        let fields = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
        let names: BTreeSet<&str> = fields.iter().flat_map(|f| item.map(f)).map(|(name, _)| name).collect();
        for name in names {
            put!(w, 0, "{prefix}{}\t{name}", item.s("type"));
            for field in fields {
                match item.at(field).key(name).opt() {
                    Some(q) => put!(w, 0, "\t{}", q.quantity()),
                    None => put!(w, 0, "\t-"),
                }
            }
            put!(w, 0, "\n");
        }
    }
}

/// Models `DescribeResourceQuotas`.
fn write_quotas(w: &mut Writer, quotas: &[Value]) {
    if quotas.is_empty() {
        put!(w, 0, "No resource quota.\n");
        return;
    }
    let mut quotas: Vec<View> = quotas.iter().map(View::new).collect();
    sort(&mut quotas, |a, b| a.name() < b.name());
    put!(w, 0, "Resource Quotas\n");
    for quota in quotas {
        put!(w, 1, "Name:\t{}\n", quota.name());
        scopes(w, quota, 1, "* ");
        put!(w, 1, "Resource\tUsed\tHard\n");
        put!(w, 1, "--------\t---\t---\n");
        for (name, hard) in quota.quantities("status.hard") {
            put!(w, 1, "{name}\t{}\t{hard}\n", quota.at("status.used").key(name).quantity());
        }
    }
}

fn scopes(w: &mut Writer, quota: View, level: usize, bullet: &str) {
    let mut scopes = quota.strings("spec.scopes");
    if scopes.is_empty() {
        return;
    }
    scopes.sort_unstable();
    put!(w, level, "Scopes:\t{}\n", scopes.join(", "));
    for scope in scopes {
        // Models `helpTextForResourceQuotaScope`.
        let about = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        put!(w, level, "{bullet}{about}\n");
    }
}

#[cfg(test)]
mod tests {
    use crate::describe::testing::described;
    use serde_json::json;

    #[test]
    fn a_namespace_with_its_limits() {
        let namespace = json!({"metadata": {"name": "n"}, "status": {"phase": "Active"}});
        let quotas = json!({"items": [
            {"metadata": {"name": "b"}, "status": {"hard": {"pods": "2"}, "used": {"pods": "1"}}},
            {"metadata": {"name": "a"}, "spec": {"scopes": ["BestEffort"]}, "status": {"hard": {"pods": "4"}}},
        ]});
        let ranges = json!({"items": [{"spec": {"limits": [
            {"type": "Container", "min": {"cpu": "100m"}, "default": {"cpu": "1", "memory": "1Gi"}},
        ]}}]});
        let text = described(
            "",
            "Namespace",
            &namespace,
            &[("/api/v1/namespaces/n/resourcequotas", quotas), ("/api/v1/namespaces/n/limitranges", ranges)],
        );
        assert_eq!(
            text,
            "Name:         n
Labels:       <none>
Annotations:  <none>
Status:       Active

Resource Quotas
  Name:    a
  Scopes:  BestEffort
  * Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.
  Resource  Used  Hard
  --------  ---   ---
  pods      0     4
  Name:     b
  Resource  Used  Hard
  --------  ---   ---
  pods      1     2

Resource Limits
 Type       Resource  Min   Max  Default Request  Default Limit  Max Limit/Request Ratio
 ----       --------  ---   ---  ---------------  -------------  -----------------------
 Container  cpu       100m  -    -                1              -
 Container  memory    -     -    -                1Gi            -
"
        );
    }

    #[test]
    fn what_is_used_is_shown_in_the_units_of_the_limit() {
        let quota = json!({"metadata": {"name": "q", "namespace": "n"}, "status": {
            "hard": {"memory": "2Gi", "cpu": "2"}, "used": {"memory": "1024M", "cpu": "500m"},
        }});
        let text = described("", "ResourceQuota", &quota, &[]);
        assert!(text.ends_with("cpu         500m       2\nmemory      1000000Ki  2Gi\n"), "{text}");
    }
}
