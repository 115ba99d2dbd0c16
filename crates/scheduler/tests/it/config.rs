//! KubeSchedulerConfiguration.

use expect_test::{Expect, expect};
use scheduler::Config;
use serde_json::{Value, json};

fn parse(profile: Value) -> Result<Config, String> {
    let mut doc = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"});
    crate::support::merge(&mut doc, &profile);
    Config::parse(&doc).map_err(|errors| errors.iter().map(|e| format!("{e}\n")).collect())
}

fn order(profile: Value, point: &str, e: Expect) {
    let config = parse(json!({"profiles": [profile]})).expect("a configuration");
    let framework = scheduler::framework::Framework::new(&config.profiles[0]).expect("a framework");
    e.assert_eq(&framework.plugins_at(point).join(" "));
}

#[test]
fn the_default_profile() {
    order(
        json!({}),
        "filter",
        expect![
            "NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources"
        ],
    );
    order(
        json!({}),
        "score",
        expect![
            "TaintToleration NodeAffinity NodeResourcesFit VolumeBinding PodTopologySpread InterPodAffinity DynamicResources NodeResourcesBalancedAllocation ImageLocality"
        ],
    );
    order(json!({}), "preEnqueue", expect!["SchedulingGates DynamicResources DefaultPreemption"]);
    order(json!({}), "postFilter", expect!["DynamicResources DefaultPreemption"]);
}

#[test]
fn plugins_at_a_point_go_first_and_new_ones_last() {
    let score =
        |enabled: Value, disabled: Value| json!({"plugins": {"score": {"enabled": enabled, "disabled": disabled}}});
    order(
        score(json!([{"name": "ImageLocality", "weight": 5}]), json!([])),
        "score",
        expect![
            "ImageLocality TaintToleration NodeAffinity NodeResourcesFit VolumeBinding PodTopologySpread InterPodAffinity DynamicResources NodeResourcesBalancedAllocation"
        ],
    );
    order(
        score(json!([]), json!([{"name": "NodeAffinity"}])),
        "score",
        expect![
            "TaintToleration NodeResourcesFit VolumeBinding PodTopologySpread InterPodAffinity DynamicResources NodeResourcesBalancedAllocation ImageLocality"
        ],
    );
    order(score(json!([{"name": "NodeResourcesFit"}]), json!([{"name": "*"}])), "score", expect!["NodeResourcesFit"]);
    let multi = json!({"plugins": {"multiPoint": {"disabled": [{"name": "NodePorts"}]}}});
    order(
        multi,
        "filter",
        expect![
            "NodeUnschedulable NodeName TaintToleration NodeAffinity NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources"
        ],
    );
}

#[test]
fn what_is_wrong_and_where() {
    let wrong = |doc: Value, e: Expect| e.assert_eq(&parse(doc).expect_err("an error"));
    wrong(
        json!({"kind": "Pod", "parallelism": 0, "percentageOfNodesToScore": 101}),
        expect![[r#"
        kind: Unsupported value: "Pod": supported values: "KubeSchedulerConfiguration"
        parallelism: Invalid value: 0: should be an integer value greater than zero
        percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]
    "#]],
    );
    wrong(
        json!({"podInitialBackoffSeconds": 20}),
        expect![[r#"
        podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds
    "#]],
    );
    wrong(
        json!({"profiles": [{"schedulerName": "a"}, {"schedulerName": "a"}, {}]}),
        expect![[r#"
        profiles[1].schedulerName: Duplicate value: profiles[0].schedulerName
        profiles[2].schedulerName: Required value
    "#]],
    );
    wrong(
        json!({"profiles": [{"plugins": {"filter": {"enabled": [{"name": "NoSuch"}]}}}]}),
        expect![[r#"
            profiles[0]: Invalid value: "default-scheduler": FilterPlugin "NoSuch" does not exist
        "#]],
    );
    wrong(
        json!({"profiles": [{"plugins": {"bind": {"disabled": [{"name": "*"}]}}}]}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": at least one bind plugin is needed for profile with scheduler name "default-scheduler"
    "#]],
    );
    wrong(
        json!({"profile": [], "profiles": [{"plugins": {"filters": {}}}]}),
        expect![[r#"
        profile: Invalid value: "profile": unknown field
        profiles[0].plugins.filters: Invalid value: "filters": unknown field
    "#]],
    );
    let args = |name: &str, args: Value| json!({"profiles": [{"pluginConfig": [{"name": name, "args": args}]}]});
    wrong(
        args(
            "NodeResourcesFit",
            json!({"scoringStrategy": {"type": "Best", "resources": [{"name": "cpu", "weight": 101}]}}),
        ),
        expect![[r#"
            profiles[0].pluginConfig[0].args.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
            profiles[0].pluginConfig[0].args.scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]
        "#]],
    );
    wrong(
        args(
            "NodeResourcesFit",
            json!({"scoringStrategy": {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": [
            {"utilization": 50, "score": 11}, {"utilization": 40, "score": 1}]}}}),
        ),
        expect![[r#"
            profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 40: values must be sorted in increasing order
            profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[0].score: Invalid value: 11: not in valid range [0, 10]
        "#]],
    );
    wrong(
        args("NodeResourcesFit", json!({"ignoredResources": ["", "a/b/c"], "ignoredResourceGroups": ["a/b"]})),
        expect![[r#"
            profiles[0].pluginConfig[0].args.ignoredResources[0]: Invalid value: "": name part must be non-empty
            profiles[0].pluginConfig[0].args.ignoredResources[0]: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            profiles[0].pluginConfig[0].args.ignoredResources[1]: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')
            profiles[0].pluginConfig[0].args.ignoredResourceGroups[0]: Invalid value: "a/b": resource group name can't contain '/'
        "#]],
    );
    wrong(
        args("VolumeBinding", json!({"bindTimeoutSeconds": -1, "shape": [{"utilization": 0, "score": 0}]})),
        expect![[r#"
            profiles[0].pluginConfig[0].args.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value
            profiles[0].pluginConfig[0].args.shape: Invalid value: [{"score":0,"utilization":0}]: unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring
        "#]],
    );
    wrong(
        args(
            "PodTopologySpread",
            json!({"defaultingType": "List", "defaultConstraints": [
            {"maxSkew": 1, "topologyKey": "a b", "whenUnsatisfiable": "ScheduleAnyway"}]}),
        ),
        expect![[r#"
            profiles[0].pluginConfig[0].args.defaultConstraints[0].topologyKey: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        "#]],
    );
    wrong(
        json!({"profiles": [{"schedulerName": "a"},
            {"schedulerName": "b", "plugins": {"queueSort": {"enabled": [{"name": "PrioritySort"}]}}}]}),
        expect![[r#"
            profiles[1].plugins.queueSort: Invalid value: ["PrioritySort"]: must be the same for all profiles
        "#]],
    );
    wrong(
        args("NodeResourcesBalancedAllocation", json!({"resources": [{"name": "cpu", "weight": 2}, {"name": "cpu"}]})),
        expect![[r#"
        profiles[0].pluginConfig[0].args.resources[0].weight: Invalid value: 2: must be 1
        profiles[0].pluginConfig[0].args.resources[1].name: Duplicate value: "cpu"
    "#]],
    );
    wrong(
        args("DefaultPreemption", json!({"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 0})),
        expect![[r#"
        profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute
        profiles[0].pluginConfig[0].args.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage
    "#]],
    );
    wrong(
        args(
            "NodeAffinity",
            json!({"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In"}]}]}}}),
        ),
        expect![[r#"
            profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty
        "#]],
    );
}

/// A profile that lists its plugins point by point.
fn by_point(points: Value) -> Result<Config, String> {
    let mut plugins = json!({"multiPoint": {"disabled": [{"name": "*"}]}});
    crate::support::merge(&mut plugins, &points);
    parse(json!({"profiles": [{"plugins": plugins}]}))
}

#[test]
fn point_by_point() {
    let on = |name: &str| json!({"enabled": [{"name": name}]});
    let fit = json!({
        "queueSort": on("PrioritySort"),
        "bind": on("DefaultBinder"),
        "preFilter": on("NodeResourcesFit"),
        "filter": on("NodeResourcesFit"),
        "score": {"enabled": [{"name": "NodeResourcesFit", "weight": 7}]},
    });
    let config = by_point(fit).expect("a configuration");
    let framework = scheduler::framework::Framework::new(&config.profiles[0]).expect("a framework");
    let at = |p: &str| framework.plugins_at(p).join(" ");
    assert_eq!(
        [at("preFilter"), at("filter"), at("preScore"), at("score")].join(","),
        "NodeResourcesFit,NodeResourcesFit,,NodeResourcesFit"
    );
    use crate::support::*;
    let cycles = run(world(vec![node("n", json!({}))], vec![pod("p", json!({}))]), &config);
    assert_eq!(cycles[0].nodes[0].total, Some(90 * 7));
    let wrong = |points: Value, e: Expect| e.assert_eq(&by_point(points).expect_err("an error"));
    wrong(
        json!({"bind": on("DefaultBinder"), "filter": on("NodeName")}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0
    "#]],
    );
    wrong(
        json!({"queueSort": on("PrioritySort"), "filter": on("NodeName")}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": at least one bind plugin is needed for profile with scheduler name "default-scheduler"
    "#]],
    );
    wrong(
        json!({"score": on("NodeName")}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": plugin "NodeName" does not extend ScorePlugin plugin
    "#]],
    );
    wrong(
        json!({"filter": {"enabled": [{"name": "NodeName"}, {"name": "NodeName"}]}}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": plugin "NodeName" already registered as "FilterPlugin"
    "#]],
    );
    wrong(
        json!({"multiPoint": {"enabled": [{"name": "NoSuch"}]}}),
        expect![[r#"
        profiles[0]: Invalid value: "default-scheduler": PreFilterPlugin "NoSuch" does not exist
    "#]],
    );
    wrong(
        json!({"filter": on("VolumeBinding")}),
        expect![[r#"
            profiles[0]: Invalid value: "default-scheduler": only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0
        "#]],
    );
}

#[test]
fn a_weight_at_score_hides_the_one_at_multipoint() {
    use crate::support::*;
    let weight = |score: Value| {
        let config = parse(json!({"profiles": [{"plugins": {"score": score}}]})).expect("a configuration");
        let cycles = run(world(vec![node("n", json!({}))], vec![pod("p", json!({}))]), &config);
        cycles[0].nodes[0].scores.iter().find(|s| s.plugin == "TaintToleration").map(|s| s.weight)
    };
    assert_eq!(weight(json!({})), Some(3));
    assert_eq!(weight(json!({"enabled": [{"name": "TaintToleration", "weight": 5}]})), Some(5));
    // Named without a weight it counts once, whatever MultiPoint gives it.
    assert_eq!(weight(json!({"enabled": [{"name": "TaintToleration"}]})), Some(1));
}

#[test]
fn what_only_a_process_uses_is_checked_too() {
    let wrong = |doc: Value, e: Expect| e.assert_eq(&parse(doc).expect_err("an error"));
    wrong(
        json!({"clientConnection": {"burst": -1, "speed": 1}, "leaderElection": {"leaseDuration": "5s",
            "renewDeadline": "10s", "retryPeriod": "-1s", "resourceLock": "endpoints"}}),
        expect![[r#"
            clientConnection.speed: Invalid value: "speed": unknown field
            clientConnection.burst: Invalid value: -1: must be non-negative
            leaderElection.retryPeriod: Invalid value: "-1s": must be greater than zero
            leaderElection.leaseDuration: Invalid value: "10s": LeaseDuration must be greater than RenewDeadline
            leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be "leases"
        "#]],
    );
    assert!(parse(json!({"leaderElection": {"leaderElect": false, "resourceLock": "endpoints"}})).is_ok());
}

#[test]
fn removed_plugins_and_foreign_arguments() {
    let wrong = |doc: Value, e: Expect| e.assert_eq(&parse(doc).expect_err("an error"));
    wrong(
        json!({"profiles": [{"plugins": {"filter": {"enabled": [{"name": "NodeName"}, {"name": "EBSLimits"}]}},
            "pluginConfig": [{"name": "GCEPDLimits"}]}]}),
        expect![[r#"
            profiles[0].plugins.filter.enabled[1]: Invalid value: "EBSLimits": was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")
            profiles[0].pluginConfig[0]: Invalid value: "GCEPDLimits": was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")
        "#]],
    );
    wrong(
        json!({"profiles": [{"pluginConfig": [{"name": "DefaultPreemption", "args": {"kind": "InterPodAffinityArgs"}}]}]}),
        expect![[r#"
            profiles[0].pluginConfig[0].args.kind: Invalid value: "InterPodAffinityArgs": args for plugin DefaultPreemption were not of type DefaultPreemptionArgs.kubescheduler.config.k8s.io, got InterPodAffinityArgs.kubescheduler.config.k8s.io
        "#]],
    );
    // Arguments of a plugin that is not there are its own business.
    assert!(
        parse(json!({"profiles": [{"pluginConfig": [{"name": "Other", "args": {"kind": "X", "foo": "bar"}}]}]}))
            .is_ok()
    );
    wrong(
        json!({"profiles": [{"plugins": {"queueSort": {"enabled": [{"name": "PrioritySort"}, {"name": "Other"}]}}}]}),
        expect![[r#"
            profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin can be enabled
        "#]],
    );
}
