//! The flow schemas and priority levels that every API server has from the start: two of each that must be as they are, and
//! those that are suggested. Models `apiserver/pkg/apis/flowcontrol/bootstrap`.

use k8s_openapi::api::flowcontrol::v1::{
    ExemptPriorityLevelConfiguration, FlowDistinguisherMethod, FlowSchema, FlowSchemaSpec, GroupSubject, LimitResponse,
    LimitedPriorityLevelConfiguration, NonResourcePolicyRule, PolicyRulesWithSubjects, PriorityLevelConfiguration,
    PriorityLevelConfigurationReference, PriorityLevelConfigurationSpec, QueuingConfiguration, ResourcePolicyRule,
    ServiceAccountSubject, Subject, UserSubject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Name, shares, lendable percent, and queues, hand size and length where requests wait.
type Level = (&'static str, i32, i32, Option<(i32, i32, i32)>);

const CATCH_ALL: Level = ("catch-all", 5, 0, None);
const LEVELS: [Level; 6] = [
    ("system", 30, 33, Some((64, 6, 50))),
    ("node-high", 40, 25, Some((64, 6, 50))),
    ("leader-election", 10, 0, Some((16, 4, 50))),
    ("workload-high", 40, 50, Some((128, 6, 50))),
    ("workload-low", 100, 90, Some((128, 6, 50))),
    ("global-default", 20, 50, Some((128, 6, 50))),
];

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        annotations: Some([("apf.kubernetes.io/autoupdate-spec".into(), "true".into())].into()),
        ..Default::default()
    }
}

fn level((name, shares, lendable, queues): &Level) -> PriorityLevelConfiguration {
    let queuing = queues.map(|(queues, hand, length)| QueuingConfiguration {
        queues: Some(queues),
        hand_size: Some(hand),
        queue_length_limit: Some(length),
    });
    let type_ = if queuing.is_some() { "Queue" } else { "Reject" }.into();
    let limited = LimitedPriorityLevelConfiguration {
        nominal_concurrency_shares: Some(*shares),
        lendable_percent: Some(*lendable),
        limit_response: Some(LimitResponse { type_, queuing }),
        borrowing_limit_percent: None,
    };
    PriorityLevelConfiguration {
        metadata: metadata(name),
        spec: Some(PriorityLevelConfigurationSpec { type_: "Limited".into(), limited: Some(limited), exempt: None }),
        status: None,
    }
}

fn exempt() -> PriorityLevelConfiguration {
    let exempt = ExemptPriorityLevelConfiguration { nominal_concurrency_shares: Some(0), lendable_percent: Some(0) };
    PriorityLevelConfiguration {
        metadata: metadata("exempt"),
        spec: Some(PriorityLevelConfigurationSpec { type_: "Exempt".into(), exempt: Some(exempt), limited: None }),
        status: None,
    }
}

/// The level of that name whose spec nobody may change.
pub fn mandatory_level(name: &str) -> Option<PriorityLevelConfiguration> {
    match name {
        "exempt" => Some(exempt()),
        "catch-all" => Some(level(&CATCH_ALL)),
        _ => None,
    }
}

pub fn levels() -> Vec<PriorityLevelConfiguration> {
    [exempt(), level(&CATCH_ALL)].into_iter().chain(LEVELS.iter().map(level)).collect()
}

/// `group:NAME`, `user:NAME` or `account:NAMESPACE/NAME`.
fn subject(word: &str) -> Subject {
    let (kind, name) = word.split_once(':').unwrap_or(("user", word));
    let mut s = Subject { kind: "User".into(), ..Default::default() };
    match kind {
        "group" => (s.kind, s.group) = ("Group".into(), Some(GroupSubject { name: name.into() })),
        "account" => {
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            let account = ServiceAccountSubject { namespace: namespace.into(), name: name.into() };
            (s.kind, s.service_account) = ("ServiceAccount".into(), Some(account));
        }
        _ => s.user = Some(UserSubject { name: name.into() }),
    }
    s
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(Into::into).collect()
}

fn resources(verbs: &str, group: &str, resources: &str, cluster_scope: bool) -> ResourcePolicyRule {
    ResourcePolicyRule {
        verbs: words(verbs),
        api_groups: vec![group.into()],
        resources: words(resources),
        namespaces: Some(words("*")),
        cluster_scope: cluster_scope.then_some(true),
    }
}

fn urls(verbs: &str, urls: &str) -> NonResourcePolicyRule {
    NonResourcePolicyRule { verbs: words(verbs), non_resource_urls: words(urls) }
}

/// What a schema is about, besides who asks.
enum About {
    Everything,
    Resources(Vec<ResourcePolicyRule>),
    Urls(&'static str),
}

fn schema(name: &str, level: &str, precedence: i32, method: &str, subjects: &str, about: About) -> FlowSchema {
    let (resource_rules, non_resource_rules) = match about {
        About::Everything => (vec![resources("*", "*", "*", true)], vec![urls("*", "*")]),
        About::Resources(rules) => (rules, Vec::new()),
        About::Urls(list) => (Vec::new(), vec![urls("get", list)]),
    };
    let rule = PolicyRulesWithSubjects {
        subjects: subjects.split(' ').map(subject).collect(),
        resource_rules: Some(resource_rules).filter(|r| !r.is_empty()),
        non_resource_rules: Some(non_resource_rules).filter(|r| !r.is_empty()),
    };
    let method = FlowDistinguisherMethod { type_: method.into() };
    FlowSchema {
        metadata: metadata(name),
        spec: Some(FlowSchemaSpec {
            priority_level_configuration: PriorityLevelConfigurationReference { name: level.into() },
            matching_precedence: Some(precedence),
            distinguisher_method: Some(method).filter(|m| !m.type_.is_empty()),
            rules: Some(vec![rule]),
        }),
        status: None,
    }
}

const EVERYBODY: &str = "group:system:unauthenticated group:system:authenticated";

/// The schema of that name whose spec nobody may change.
pub fn mandatory_schema(name: &str) -> Option<FlowSchema> {
    match name {
        "exempt" => Some(schema("exempt", "exempt", 1, "", "group:system:masters", About::Everything)),
        "catch-all" => Some(schema("catch-all", "catch-all", 10_000, "ByUser", EVERYBODY, About::Everything)),
        _ => None,
    }
}

pub fn schemas() -> Vec<FlowSchema> {
    use About::{Everything, Resources, Urls};
    let leases = || resources("get create update", "coordination.k8s.io", "leases", false);
    let (managers, accounts) = ("user:system:kube-controller-manager", "account:kube-system/*");
    let electors = format!("{managers} user:system:kube-scheduler {accounts}");
    let endpoints = format!(
        "{managers} account:kube-system/endpoint-controller account:kube-system/endpointslicemirroring-controller"
    );
    let of_nodes =
        vec![resources("*", "", "nodes nodes/status", true), resources("*", "coordination.k8s.io", "leases", false)];
    let of_endpoints = vec![resources("get create update", "", "endpoints", false)];
    let mandatory = ["exempt", "catch-all"].into_iter().filter_map(mandatory_schema);
    let suggested = [
        schema("system-nodes", "system", 500, "ByUser", "group:system:nodes", Everything),
        schema("system-node-high", "node-high", 400, "ByUser", "group:system:nodes", Resources(of_nodes)),
        schema("probes", "exempt", 2, "", EVERYBODY, Urls("/healthz /readyz /livez")),
        schema("system-leader-election", "leader-election", 100, "ByUser", &electors, Resources(vec![leases()])),
        schema("workload-leader-election", "leader-election", 200, "ByUser", accounts, Resources(vec![leases()])),
        schema("endpoint-controller", "workload-high", 150, "ByUser", &endpoints, Resources(of_endpoints)),
        schema("kube-controller-manager", "workload-high", 800, "ByNamespace", managers, Everything),
        schema("kube-scheduler", "workload-high", 800, "ByNamespace", "user:system:kube-scheduler", Everything),
        schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", accounts, Everything),
        schema("service-accounts", "workload-low", 9000, "ByUser", "group:system:serviceaccounts", Everything),
        schema("global-default", "global-default", 9900, "ByUser", EVERYBODY, Everything),
    ];
    mandatory.chain(suggested).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registered;

    fn errors<T: Registered>(o: &T) -> Vec<String> {
        let kind = T::KIND_REF;
        let mut defaulted = o.clone();
        (kind.default)(&mut defaulted);
        assert!(defaulted == *o, "defaulting changes nothing: {:?}", o.metadata().name);
        (kind.validate_create)(o).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_are_valid_as_they_are_and_lead_to_a_level() {
        let levels = levels();
        levels.iter().for_each(|l| assert_eq!(errors(l), Vec::<String>::new()));
        for s in schemas() {
            assert_eq!(errors(&s), Vec::<String>::new());
            let to = s.spec.unwrap().priority_level_configuration.name;
            assert!(levels.iter().any(|l| l.metadata.name.as_ref() == Some(&to)), "{to}");
        }
    }

    #[test]
    fn what_is_mandatory_stays_as_it_is() {
        let mut level = mandatory_level("catch-all").unwrap();
        level.spec.as_mut().unwrap().limited.as_mut().unwrap().nominal_concurrency_shares = Some(6);
        assert!(errors(&level)[0].ends_with("spec of 'catch-all' must equal the fixed value"));
        let mut schema = mandatory_schema("exempt").unwrap();
        schema.spec.as_mut().unwrap().matching_precedence = Some(2);
        assert!(errors(&schema)[0].ends_with("spec of 'exempt' must equal the fixed value"));
    }
}
