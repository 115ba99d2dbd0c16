//! What the kinds of workloads default, refuse and show. Cases modelled on upstream's `defaults_test.go`,
//! `validation_test.go` and `printers_test.go` files.

use crate::testing::{create_errors, created, object, row, status_errors, update_errors, warnings};
use expect_test::{Expect, expect};

const TEMPLATE: &str = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: nginx:1.25}]}}";
const SELECTOR: &str = "selector: {matchLabels: {app: a}}";

pub(super) fn of(kind: &str, spec: &str) -> String {
    let version = if kind.ends_with("Job") { "batch/v1" } else { "apps/v1" };
    format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

/// A whole one, with `more` in its spec.
pub(super) fn whole(kind: &str, more: &str) -> String {
    of(kind, &format!("{SELECTOR}, {TEMPLATE}, {more}"))
}

pub(super) fn template(pod_spec: &str) -> String {
    format!("template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: c, image: a}}], {pod_spec}}}}}")
}

pub(super) fn job(more: &str) -> String {
    of("Job", &format!("{more}, {}", template("restartPolicy: Never")))
}

pub(super) fn cronjob(more: &str) -> String {
    of("CronJob", &format!("{more}, jobTemplate: {{spec: {{{}}}}}", template("restartPolicy: Never")))
}

pub(super) fn refused(cases: &[String], want: &Expect) {
    let text: String = cases.iter().map(|c| format!("--\n{}", create_errors(c))).collect();
    want.assert_eq(&text);
}

pub(super) fn changes(cases: &[(String, String)], want: &Expect) {
    let text: String = cases.iter().map(|(old, new)| format!("--\n{}", update_errors(old, new))).collect();
    want.assert_eq(&text);
}

pub(super) fn statuses(kind: &str, cases: &[(&str, &str)], want: &Expect) {
    let with = |status: &str| {
        let more = if kind.ends_with("Job") { template("restartPolicy: Never") } else { TEMPLATE.into() };
        format!(
            "{{apiVersion: {}, kind: {kind}, metadata: {{name: a}}, spec: {{{more}}}, status: {{{status}}}}}",
            if kind.ends_with("Job") { "batch/v1" } else { "apps/v1" }
        )
    };
    let text: String =
        cases.iter().map(|(old, new)| format!("--\n{}", status_errors(&with(old), &with(new)))).collect();
    want.assert_eq(&text);
}

/// The spec without its pod template.
pub(super) fn defaults(yaml: &str, want: &Expect) {
    let mut spec = created(yaml).to_value()["spec"].take();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("template");
    }
    if let Some(template) = spec.pointer_mut("/jobTemplate/spec").and_then(|s| s.as_object_mut()) {
        template.remove("template");
    }
    want.assert_eq(&spec.to_string());
}

#[test]
fn statefulsets_are_completed() {
    defaults(
        &whole("StatefulSet", ""),
        &expect![[
            r#"{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},"podManagementPolicy":"OrderedReady","replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"rollingUpdate":{"maxUnavailable":1,"partition":0},"type":"RollingUpdate"}}"#
        ]],
    );
    defaults(
        &whole("StatefulSet", "updateStrategy: {type: OnDelete}, podManagementPolicy: Parallel"),
        &expect![[
            r#"{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},"podManagementPolicy":"Parallel","replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"type":"OnDelete"}}"#
        ]],
    );
    defaults(
        &whole(
            "StatefulSet",
            "updateStrategy: {type: RollingUpdate}, persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}",
        ),
        &expect![[
            r#"{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete","whenScaled":"Retain"},"podManagementPolicy":"OrderedReady","replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"type":"RollingUpdate"}}"#
        ]],
    );
    defaults(
        &whole("StatefulSet", "updateStrategy: {rollingUpdate: {partition: 3}}"),
        &expect![[
            r#"{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},"podManagementPolicy":"OrderedReady","replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"rollingUpdate":{"maxUnavailable":1,"partition":3},"type":"RollingUpdate"}}"#
        ]],
    );
    defaults(
        &whole("StatefulSet", "volumeClaimTemplates: [{metadata: {name: www}, spec: {accessModes: [ReadWriteOnce]}}]"),
        &expect![[
            r#"{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},"podManagementPolicy":"OrderedReady","replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"rollingUpdate":{"maxUnavailable":1,"partition":0},"type":"RollingUpdate"},"volumeClaimTemplates":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"www"},"spec":{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"},"status":{"phase":"Pending"}}]}"#
        ]],
    );
}

#[test]
fn statefulsets_that_are_refused() {
    let set = |more: &str| whole("StatefulSet", more);
    refused(
        &[
            set(""),
            of("StatefulSet", TEMPLATE),
            of("StatefulSet", &format!("selector: {{matchLabels: {{app: b}}}}, {TEMPLATE}")),
            of(
                "StatefulSet",
                &format!("{SELECTOR}, {}", template("restartPolicy: OnFailure, activeDeadlineSeconds: 5")),
            ),
            set("podManagementPolicy: Wild, replicas: -1, minReadySeconds: -1, ordinals: {start: -1}"),
            set("serviceName: 'no.label'"),
            set("updateStrategy: {type: Wild}"),
            set("updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}"),
            set("updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: -1, maxUnavailable: 0}}"),
            set("updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 101%}}"),
            set("persistentVolumeClaimRetentionPolicy: {whenDeleted: Later, whenScaled: Never}"),
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a.b}}".into(),
        ],
        &expect![[r#"
            --
            --
            spec.selector: Required value
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"
            spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported
            --
            spec.podManagementPolicy: Invalid value: "Wild": must be 'OrderedReady' or 'Parallel'
            spec.replicas: Invalid value: -1: must be greater than or equal to 0
            spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0
            spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0
            --
            spec.serviceName: Invalid value: "no.label": must not contain dots
            --
            spec.updateStrategy: Invalid value: {"Type":"Wild","RollingUpdate":null}: must be 'RollingUpdate' or 'OnDelete'
            --
            spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy 'RollingUpdate'
            --
            spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0
            spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0
            --
            spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%
            --
            spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Later": supported values: "Retain", "Delete"
            spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Never": supported values: "Retain", "Delete"
            --
            metadata.name: Invalid value: "a.b": must not contain dots
            spec.selector: Required value
            spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`
            spec.template.spec.containers: Required value
        "#]],
    );
    let claims = "volumeClaimTemplates: [{metadata: {name: www}}]";
    changes(
        &[
            (set("replicas: 1"), set("replicas: 3, minReadySeconds: 5, ordinals: {start: 2}, revisionHistoryLimit: 2")),
            (
                set(""),
                set("persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}, updateStrategy: {type: OnDelete}"),
            ),
            (set(""), set("serviceName: other")),
            (set(""), set("podManagementPolicy: Parallel")),
            (set(""), set(claims)),
        ],
        &expect![[r#"
            --
            --
            --
            spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
            --
            spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
            --
            spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        "#]],
    );
    statuses(
        "StatefulSet",
        &[
            ("", "replicas: 3, readyReplicas: 3, currentReplicas: 2, updatedReplicas: 1, availableReplicas: 2"),
            ("", "replicas: -1, readyReplicas: -1, observedGeneration: -1, collisionCount: -1"),
            ("", "replicas: 1, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2, availableReplicas: 3"),
            ("replicas: 0, collisionCount: 3", "replicas: 0, collisionCount: 2"),
        ],
        &expect![[r#"
            --
            --
            status.replicas: Invalid value: -1: must be greater than or equal to 0
            status.readyReplicas: Invalid value: -1: must be greater than or equal to 0
            status.observedGeneration: Invalid value: -1: must be greater than or equal to 0
            status.collisionCount: Invalid value: -1: must be greater than or equal to 0
            status.currentReplicas: Invalid value: 0: cannot be greater than status.replicas
            status.updatedReplicas: Invalid value: 0: cannot be greater than status.replicas
            status.availableReplicas: Invalid value: 0: cannot be greater than status.replicas
            status.availableReplicas: Invalid value: 0: cannot be greater than status.readyReplicas
            --
            status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas
            status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas
            status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas
            status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas
            status.availableReplicas: Invalid value: 3: cannot be greater than status.readyReplicas
            --
            status.collisionCount: Invalid value: 2: cannot be decremented
        "#]],
    );
}

#[test]
fn statefulsets_that_are_warned_of() {
    expect![[r#"
        spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended
    "#]]
    .assert_eq(&warnings(&whole("StatefulSet", "revisionHistoryLimit: -1")));
}

#[test]
fn daemonsets() {
    let set = |more: &str| whole("DaemonSet", more);
    defaults(
        &set(""),
        &expect![[
            r#"{"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1},"type":"RollingUpdate"}}"#
        ]],
    );
    defaults(
        &set("updateStrategy: {type: OnDelete}"),
        &expect![[
            r#"{"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"type":"OnDelete"}}"#
        ]],
    );
    defaults(
        &set("updateStrategy: {rollingUpdate: {maxSurge: 10%, maxUnavailable: 0}}"),
        &expect![[
            r#"{"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"updateStrategy":{"rollingUpdate":{"maxSurge":"10%","maxUnavailable":0},"type":"RollingUpdate"}}"#
        ]],
    );
    refused(
        &[
            set(""),
            of("DaemonSet", TEMPLATE),
            of("DaemonSet", &format!("selector: {{matchLabels: {{app: b}}}}, {TEMPLATE}")),
            of("DaemonSet", &format!("{SELECTOR}, {}", template("restartPolicy: Never, activeDeadlineSeconds: 5"))),
            set("minReadySeconds: -1, revisionHistoryLimit: -1"),
            set("updateStrategy: {type: Wild}"),
            set("updateStrategy: {rollingUpdate: {maxUnavailable: 0}}"),
            set("updateStrategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 1}}"),
            set("updateStrategy: {rollingUpdate: {maxUnavailable: 101%}}"),
            set("updateStrategy: {rollingUpdate: {maxUnavailable: 0%, maxSurge: '5'}}"),
        ],
        &expect![[r#"
            --
            --
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
            spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported
            --
            spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0
            spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0
            --
            spec.updateStrategy: Unsupported value: {"Type":"Wild","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"
            --
            spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0
            --
            spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero
            --
            spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%
            --
            spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "5": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')
        "#]],
    );
    let other = "selector: {matchExpressions: [{key: app, operator: Exists}]}";
    changes(
        &[(set(""), of("DaemonSet", &format!("{other}, {TEMPLATE}"))), (set(""), set("minReadySeconds: 3"))],
        &expect![[r#"
            --
            spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable
            --
        "#]],
    );
    let required = "currentNumberScheduled: 1, numberMisscheduled: 1, desiredNumberScheduled: 1, numberReady: 1";
    statuses(
        "DaemonSet",
        &[
            (required, required),
            (required, &required.replace('1', "-1")),
            (
                required,
                &format!(
                    "{required}, observedGeneration: -1, updatedNumberScheduled: -1, numberAvailable: -1, numberUnavailable: -1"
                ),
            ),
        ],
        &expect![[r#"
            --
            --
            status.currentNumberScheduled: Invalid value: -1: must be greater than or equal to 0
            status.numberMisscheduled: Invalid value: -1: must be greater than or equal to 0
            status.desiredNumberScheduled: Invalid value: -1: must be greater than or equal to 0
            status.numberReady: Invalid value: -1: must be greater than or equal to 0
            --
            status.observedGeneration: Invalid value: -1: must be greater than or equal to 0
            status.updatedNumberScheduled: Invalid value: -1: must be greater than or equal to 0
            status.numberAvailable: Invalid value: -1: must be greater than or equal to 0
            status.numberUnavailable: Invalid value: -1: must be greater than or equal to 0
        "#]],
    );
}

#[test]
fn a_daemonset_counts_its_templates() {
    let generation = |o: &dyn crate::Object| o.meta().annotations.as_ref().map(|a| format!("{a:?}"));
    let old = created(&whole("DaemonSet", ""));
    assert_eq!(generation(&*old).as_deref(), Some(r#"{"deprecated.daemonset.template.generation": "1"}"#));
    for (new, want) in [
        (whole("DaemonSet", "minReadySeconds: 3"), r#"{"deprecated.daemonset.template.generation": "1"}"#),
        (whole("DaemonSet", "").replace("1.25", "1.26"), r#"{"deprecated.daemonset.template.generation": "2"}"#),
    ] {
        let mut new = object(&new);
        (new.kind().default)(&mut *new);
        (new.kind().prepare_update)(&mut *new, &*old);
        assert_eq!(generation(&*new).as_deref(), Some(want));
    }
}

#[test]
fn revisions_and_templates() {
    let revision =
        |rest: &str| format!("{{apiVersion: apps/v1, kind: ControllerRevision, metadata: {{name: a}}, {rest}}}");
    refused(
        &[revision("data: {a: b}, revision: 1"), revision("revision: -1")],
        &expect![[r#"
        --
        --
        data: Required value: data is mandatory
        revision: Invalid value: -1: must be greater than or equal to 0
    "#]],
    );
    changes(
        &[
            (revision("data: {a: b}, revision: 1"), revision("data: {a: b}, revision: 2")),
            (revision("data: {a: b}, revision: 1"), revision("data: {a: c}, revision: 1")),
        ],
        &expect![[r#"
            --
            --
            data: Invalid value: {"a":"c"}: field is immutable
        "#]],
    );
    refused(
        &[format!("{{apiVersion: v1, kind: PodTemplate, metadata: {{name: a}}, {}}}", template("restartPolicy: Wild"))],
        &expect![[r#"
            --
            template.spec.restartPolicy: Unsupported value: "Wild": supported values: "Always", "OnFailure", "Never"
        "#]],
    );
}

#[test]
fn rows() {
    let dated = |yaml: &str, status: &str| {
        let yaml = yaml.replace("{name: a}", "{name: a, creationTimestamp: '2026-01-01T00:00:00Z'}");
        format!("{}, status: {{{status}}}}}", yaml.strip_suffix('}').unwrap_or(&yaml))
    };
    let conditions = |kind: &str, reason: &str| {
        format!(
            "conditions: [{{type: {kind}, status: 'True', reason: '{reason}', lastTransitionTime: '2026-01-01T00:05:00Z'}}]"
        )
    };
    let counts = "desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady: 2, updatedNumberScheduled: 1, \
                  numberAvailable: 2, numberMisscheduled: 0";
    let revision = "{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: a}, data: {}, revision: 3}";
    let owner =
        "{name: a, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: logs, uid: u, controller: true}]}";
    let table = [
        dated(&whole("StatefulSet", "replicas: 5"), "replicas: 4, readyReplicas: 2"),
        dated(&whole("DaemonSet", ""), counts),
        dated(&of("DaemonSet", &format!("{SELECTOR}, {}", template("nodeSelector: {disk: ssd}"))), counts),
        dated(&job("completions: 2"), "succeeded: 1, startTime: '2026-01-01T00:01:00Z'"),
        dated(&job("parallelism: 2"), "succeeded: 1"),
        dated(&job("parallelism: 1"), "succeeded: 0"),
        dated(
            &job("completions: 2"),
            &format!(
                "{}, succeeded: 2, startTime: '2026-01-01T00:01:00Z', completionTime: '2026-01-01T00:03:01Z'",
                conditions("Complete", "")
            ),
        ),
        dated(
            &job("completions: 2"),
            &format!("{}, startTime: '2026-01-01T00:01:00Z'", conditions("Failed", "BackoffLimitExceeded")),
        ),
        dated(&job("completions: 2, suspend: true"), &conditions("Suspended", "JobSuspended")),
        dated(&job("completions: 2"), &conditions("FailureTarget", "")),
        dated(&job("completions: 2"), &conditions("SuccessCriteriaMet", "")),
        dated(&job("completions: 2"), "").replace("{name: a,", "{name: a, deletionTimestamp: '2026-01-01T00:05:00Z',"),
        dated(
            &cronjob("schedule: '0/5 * * * ?'"),
            "active: [{name: one}, {name: two}], lastScheduleTime: '2026-01-01T00:08:30Z'",
        ),
        dated(&cronjob("schedule: '@daily', timeZone: Asia/Seoul, suspend: true"), ""),
        revision.to_string(),
        revision.replace("{name: a}", owner),
        format!("{{apiVersion: v1, kind: PodTemplate, metadata: {{name: a}}, {TEMPLATE}}}"),
    ];
    let text: String = table.iter().map(|yaml| row(yaml) + "\n").collect();
    expect![[r#"
        Name="a" Ready="2/5" Age="10m" Containers="c" Images="nginx:1.25"
        Name="a" Desired=3 Current=3 Ready=2 Up-to-date=1 Available=2 Node Selector="<none>" Age="10m" Containers="c" Images="nginx:1.25" Selector="app=a"
        Name="a" Desired=3 Current=3 Ready=2 Up-to-date=1 Available=2 Node Selector="disk=ssd" Age="10m" Containers="c" Images="a" Selector="app=a"
        Name="a" Status="Running" Completions="1/2" Duration="9m" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Running" Completions="1/1 of 2" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Running" Completions="0/1" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Complete" Completions="2/2" Duration="2m1s" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Failed" Completions="0/2" Duration="9m" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Suspended" Completions="0/2" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="FailureTarget" Completions="0/2" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="SuccessCriteriaMet" Completions="0/2" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Status="Terminating" Completions="0/2" Duration="" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Schedule="0/5 * * * ?" Timezone="<none>" Suspend="False" Active=2 Last Schedule="90s" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Schedule="@daily" Timezone="Asia/Seoul" Suspend="True" Active=0 Last Schedule="<none>" Age="10m" Containers="c" Images="a" Selector="<none>"
        Name="a" Controller="<none>" Revision=3 Age="<unknown>"
        Name="a" Controller="daemonset.apps/logs" Revision=3 Age="<unknown>"
        Name="a" Containers="c" Images="nginx:1.25" Pod Labels="app=a"
    "#]].assert_eq(&text);
}

#[test]
fn replication_controllers() {
    let controller = |spec: &str| {
        format!("{{apiVersion: v1, kind: ReplicationController, metadata: {{name: a}}, spec: {{{spec}}}}}")
    };
    let whole = controller(TEMPLATE);
    let o = created(&whole).to_value();
    assert_eq!(o["metadata"]["labels"], serde_json::json!({"app": "a"}), "those of the template");
    defaults(&whole, &expect![[r#"{"replicas":1,"selector":{"app":"a"}}"#]]);
    defaults(
        &controller(&format!("{TEMPLATE}, replicas: 0, selector: {{app: b}}")),
        &expect![[r#"{"replicas":0,"selector":{"app":"b"}}"#]],
    );
    refused(
        &[
            whole.clone(),
            controller(""),
            controller("template: {spec: {containers: [{name: c, image: a}]}}"),
            controller(&format!("{TEMPLATE}, selector: {{app: b}}, replicas: -1, minReadySeconds: -1")),
            controller(&template("restartPolicy: Never, activeDeadlineSeconds: 5")),
        ],
        &expect![[r#"
            --
            --
            spec.selector: Required value
            spec.template: Required value
            --
            spec.selector: Required value
            --
            spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0
            spec.replicas: Invalid value: -1: must be greater than or equal to 0
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
            spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported
        "#]],
    );
    changes(
        &[(whole.clone(), whole.replace("app: a", "app: b"))],
        &expect![[r#"
        --
    "#]],
    );
    let row_of = whole.replace("spec:", "status: {replicas: 3, readyReplicas: 2}, spec:");
    expect![[
        r#"Name="a" Desired=1 Current=3 Ready=2 Age="<unknown>" Containers="c" Images="nginx:1.25" Selector="app=a""#
    ]]
    .assert_eq(&row(&row_of));
    let status = |s: &str| whole.replace("spec:", &format!("status: {{{s}}}, spec:"));
    let text = status_errors(
        &whole,
        &status(
            "replicas: 1, readyReplicas: 2, availableReplicas: 3, fullyLabeledReplicas: -1, observedGeneration: -1",
        ),
    );
    expect![[r#"
        status.fullyLabeledReplicas: Invalid value: -1: must be greater than or equal to 0
        status.observedGeneration: Invalid value: -1: must be greater than or equal to 0
        status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas
        status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas
        status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas
    "#]]
    .assert_eq(&text);
    let scale = created(&whole).kind().scale.expect("it can be scaled");
    assert_eq!((scale.selector)(&*created(&whole)), "app=a");
}
