//! What Jobs and CronJobs default, refuse and report. Cases modelled on upstream's `defaults_test.go` and
//! `validation_test.go` files.

use super::workload_tests::{changes, cronjob, defaults, job, of, refused, statuses, template};
use crate::testing::created;
use expect_test::expect;

#[test]
fn jobs_are_completed() {
    defaults(
        &job("suspend: false"),
        &expect![[
            r#"{"backoffLimit":6,"completionMode":"NonIndexed","completions":1,"manualSelector":false,"parallelism":1,"podReplacementPolicy":"TerminatingOrFailed","selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"0000"}},"suspend":false}"#
        ]],
    );
    defaults(
        &job("completions: 5"),
        &expect![[
            r#"{"backoffLimit":6,"completionMode":"NonIndexed","completions":5,"manualSelector":false,"parallelism":1,"podReplacementPolicy":"TerminatingOrFailed","selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"0000"}},"suspend":false}"#
        ]],
    );
    defaults(
        &job("parallelism: 5"),
        &expect![[
            r#"{"backoffLimit":6,"completionMode":"NonIndexed","manualSelector":false,"parallelism":5,"podReplacementPolicy":"TerminatingOrFailed","selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"0000"}},"suspend":false}"#
        ]],
    );
    defaults(
        &job("completions: 5, completionMode: Indexed, backoffLimitPerIndex: 1"),
        &expect![[
            r#"{"backoffLimit":2147483647,"backoffLimitPerIndex":1,"completionMode":"Indexed","completions":5,"manualSelector":false,"parallelism":1,"podReplacementPolicy":"TerminatingOrFailed","selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"0000"}},"suspend":false}"#
        ]],
    );
    defaults(
        &job("podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}"),
        &expect![[
            r#"{"backoffLimit":6,"completionMode":"NonIndexed","completions":1,"manualSelector":false,"parallelism":1,"podFailurePolicy":{"rules":[{"action":"Ignore","onPodConditions":[{"status":"True","type":"DisruptionTarget"}]}]},"podReplacementPolicy":"Failed","selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"0000"}},"suspend":false}"#
        ]],
    );
    let labels = created(&job("completions: 1")).to_value()["spec"]["template"]["metadata"]["labels"].to_string();
    expect![[r#"{"app":"a","batch.kubernetes.io/controller-uid":"0000","batch.kubernetes.io/job-name":"a","controller-uid":"0000","job-name":"a"}"#]].assert_eq(&labels);
    defaults(
        &job("manualSelector: true, selector: {matchLabels: {app: a}}"),
        &expect![[
            r#"{"backoffLimit":6,"completionMode":"NonIndexed","completions":1,"manualSelector":true,"parallelism":1,"podReplacementPolicy":"TerminatingOrFailed","selector":{"matchLabels":{"app":"a"}},"suspend":false}"#
        ]],
    );
    defaults(
        &cronjob("schedule: '* * * * *'"),
        &expect![[
            r#"{"concurrencyPolicy":"Allow","failedJobsHistoryLimit":1,"jobTemplate":{"spec":{}},"schedule":"* * * * *","successfulJobsHistoryLimit":3,"suspend":false}"#
        ]],
    );
}

#[test]
fn jobs_that_are_refused() {
    let policy = |rules: &str| job(&format!("podFailurePolicy: {{rules: [{rules}]}}"));
    let indexed = |more: &str| job(&format!("completionMode: Indexed, completions: 5, {more}"));
    refused(
        &[
            job(
                "completions: -1, parallelism: -1, activeDeadlineSeconds: -1, backoffLimit: -1, ttlSecondsAfterFinished: -1",
            ),
            of("Job", &template("restartPolicy: Always")),
            of("Job", &template("restartPolicy: ''")),
            job("manualSelector: true, selector: {matchLabels: {app: b}}"),
            job("selector: {matchLabels: {app: a}}"),
            job("completionMode: Wild"),
            job("completionMode: Indexed"),
            indexed("parallelism: 100001"),
            indexed("backoffLimitPerIndex: -1, maxFailedIndexes: 6"),
            indexed("maxFailedIndexes: 2"),
            job("backoffLimitPerIndex: 1"),
            job("completionMode: Indexed, completions: 100001, backoffLimitPerIndex: 1, parallelism: 10001"),
            job("completionMode: Indexed, completions: 100001, backoffLimitPerIndex: 1, maxFailedIndexes: 10001"),
            job("managedBy: nodomain"),
            job("podReplacementPolicy: Wild"),
            policy("{action: Ignore}"),
            policy("{action: '', onExitCodes: {operator: '', values: []}}"),
            policy("{action: Wild, onExitCodes: {operator: Wild, values: [2, 1, 1]}}"),
            policy("{action: FailJob, onExitCodes: {containerName: x, operator: In, values: [0, 1]}}"),
            policy("{action: FailIndex, onExitCodes: {operator: In, values: [1]}}"),
            policy("{action: Count, onExitCodes: {operator: In, values: [1]}, onPodConditions: [{type: A}]}"),
            policy("{action: Count, onPodConditions: [{type: 'A B', status: Maybe}]}"),
            of("Job", &format!("podFailurePolicy: {{rules: []}}, {}", template("restartPolicy: OnFailure"))),
            job("podFailurePolicy: {rules: []}, podReplacementPolicy: TerminatingOrFailed"),
            job("successPolicy: {rules: [{succeededCount: 1}]}"),
            indexed("successPolicy: {rules: []}"),
            indexed("successPolicy: {rules: [{}]}"),
            indexed("successPolicy: {rules: [{succeededIndexes: '0-', succeededCount: 6}]}"),
            indexed(
                "successPolicy: {rules: [{succeededIndexes: '3-1'}, {succeededIndexes: '1,1'}, {succeededIndexes: '5'}]}",
            ),
            indexed("successPolicy: {rules: [{succeededIndexes: '1-2', succeededCount: 3}]}"),
        ],
        &expect![[r#"
            --
            spec.parallelism: Invalid value: -1: must be greater than or equal to 0
            spec.completions: Invalid value: -1: must be greater than or equal to 0
            spec.activeDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0
            spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0
            spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0
            --
            spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            --
            spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            --
            spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
            --
            spec.selector: Invalid value: {"matchLabels":{"app":"a","batch.kubernetes.io/controller-uid":"0000"}}: `selector` not auto-generated
            --
            spec.completionMode: Unsupported value: "Wild": supported values: "NonIndexed", "Indexed"
            --
            --
            spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed
            --
            spec.backoffLimitPerIndex: Invalid value: -1: must be greater than or equal to 0
            spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions
            --
            spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified
            --
            spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode
            --
            spec.maxFailedIndexes: Required value: must be specified when completions is above 100000
            spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index
            --
            spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index
            --
            spec.managedBy: Invalid value: "nodomain": must be a domain-prefixed path (such as "acme.io/foo")
            --
            spec.podReplacementPolicy: Unsupported value: "Wild": supported values: "Failed", "TerminatingOrFailed"
            --
            spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required
            --
            spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]
            spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]
            spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required
            --
            spec.podFailurePolicy.rules[0].action: Unsupported value: "Wild": supported values: "Count", "FailIndex", "FailJob", "Ignore"
            spec.podFailurePolicy.rules[0].onExitCodes.operator: Unsupported value: "Wild": supported values: "In", "NotIn"
            spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1
            spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1,1]: must be ordered
            --
            spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template
            spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator
            --
            spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set
            --
            spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported
            --
            spec.podFailurePolicy.rules[0].onPodConditions[0].type: Invalid value: "A B": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"
            --
            spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified
            --
            spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"
            --
            spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode
            --
            spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified
            --
            spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified
            --
            spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-": error parsing succeededIndexes: cannot convert string to integer for index: ""
            spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)
            spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)
            --
            spec.successPolicy.rules[0].succeededIndexes: Invalid value: "3-1": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1
            spec.successPolicy.rules[1].succeededIndexes: Invalid value: "1,1": error parsing succeededIndexes: non-increasing order, previous: 1, current: 1
            spec.successPolicy.rules[2].succeededIndexes: Invalid value: "5": error parsing succeededIndexes: too large index: "5"
            --
            spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)
        "#]],
    );
}

#[test]
fn what_jobs_may_change() {
    let indexed = |more: &str| job(&format!("completionMode: Indexed, {more}"));
    changes(
        &[
            (job("parallelism: 1"), job("parallelism: 3")),
            (job("completions: 1"), job("completions: 2")),
            (indexed("completions: 2, parallelism: 2"), indexed("completions: 3, parallelism: 3")),
            (indexed("completions: 2, parallelism: 2"), indexed("completions: 3, parallelism: 2")),
            (job("suspend: true"), job("suspend: false")),
            (job("suspend: false"), job("suspend: false").replace("image: a", "image: b")),
            (job("completions: 1"), indexed("completions: 1")),
            (job("managedBy: a.b/c"), job("managedBy: a.b/d")),
        ],
        &expect![[r#"
            --
            --
            spec.completions: Invalid value: 2: field is immutable
            --
            --
            spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism
            --
            --
            spec.template: Invalid value: {"metadata":{"labels":{"app":"a","batch.kubernetes.io/controller-uid":"0000","batch.kubernetes.io/job-name":"a","controller-uid":"0000","job-name":"a"}},"spec":{"containers":[{"image":"b","imagePullPolicy":"Always","name":"c","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Never","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}: field is immutable
            --
            spec.completionMode: Invalid value: "Indexed": field is immutable
            --
            spec.managedBy: Invalid value: "a.b/d": field is immutable
        "#]],
    );
}

#[test]
fn what_jobs_may_report() {
    let condition = |kind: &str| format!("{{type: {kind}, status: 'True'}}");
    let with =
        |list: &[&str]| format!("conditions: [{}]", list.iter().map(|c| condition(c)).collect::<Vec<_>>().join(", "));
    let done = "startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:05Z'";
    let complete = format!("{}, {done}", with(&["SuccessCriteriaMet", "Complete"]));
    statuses(
        "Job",
        &[
            ("", complete.as_str()),
            ("", &format!("{}, startTime: '2026-01-01T00:00:00Z'", with(&["FailureTarget", "Failed"]))),
            ("", &with(&["Complete"])),
            ("", &with(&["Failed"])),
            ("", &format!("{}, {done}", with(&["SuccessCriteriaMet", "Complete", "FailureTarget", "Failed"]))),
            (complete.as_str(), done),
            ("", &format!("{complete}, active: 1, terminating: 1")),
            ("", "active: -1, ready: -1, terminating: -1, succeeded: -1, failed: -1"),
            ("", "active: 1, ready: 2"),
            ("succeeded: 2, failed: 2", "succeeded: 1, failed: 1"),
            ("", "completedIndexes: '1', failedIndexes: '2'"),
            ("", "uncountedTerminatedPods: {succeeded: [a, b, ''], failed: [b, c, c]}"),
            ("", done),
        ],
        &expect![[r#"
            --
            --
            --
            status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition
            status.completionTime: Required value: completionTime is required for Complete jobs
            status.startTime: Required value: startTime is required for finished job
            --
            status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition
            status.startTime: Required value: startTime is required for finished job
            --
            status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions
            status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions
            status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions
            status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions
            --
            status.conditions: Invalid value: cannot disable the terminal Complete=True condition
            status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition
            status.completionTime: Invalid value: cannot set completionTime when there is no Complete=True condition
            --
            status.active: Invalid value: 1: active>0 is invalid for finished job
            status.terminating: Invalid value: 1: terminating>0 is invalid for finished job
            --
            status.active: Invalid value: -1: must be greater than or equal to 0
            status.succeeded: Invalid value: -1: must be greater than or equal to 0
            status.failed: Invalid value: -1: must be greater than or equal to 0
            status.ready: Invalid value: -1: must be greater than or equal to 0
            status.terminating: Invalid value: -1: must be greater than or equal to 0
            status.failed: Invalid value: -1: cannot decrease the failed counter
            status.succeeded: Invalid value: -1: cannot decrease the succeeded counter
            --
            status.ready: Invalid value: 2: cannot set more ready pods than active
            --
            status.failed: Invalid value: 1: cannot decrease the failed counter
            status.succeeded: Invalid value: 1: cannot decrease the succeeded counter
            --
            status.completedIndexes: Invalid value: "1": error parsing completedIndexes: too large index: "1"
            status.completedIndexes: Invalid value: "1": cannot set non-empty completedIndexes when non-indexed completion mode
            status.failedIndexes: Invalid value: "2": cannot set non-null failedIndexes when backoffLimitPerIndex is null
            --
            status.uncountedTerminatedPods.succeeded[2]: Invalid value: "": must not be empty
            status.uncountedTerminatedPods.failed[0]: Duplicate value: "b"
            status.uncountedTerminatedPods.failed[2]: Duplicate value: "c"
            --
            status.completionTime: Invalid value: cannot set completionTime when there is no Complete=True condition
        "#]],
    );
}

#[test]
fn cronjobs_that_are_refused() {
    refused(
        &[
            cronjob("schedule: '*/5 * * * *', timeZone: Asia/Seoul"),
            cronjob("schedule: '@hourly'"),
            cronjob("concurrencyPolicy: Forbid"),
            cronjob("schedule: error"),
            cronjob("schedule: '61 * * * *'"),
            cronjob("schedule: 'TZ=UTC 0 * * * *'"),
            cronjob("schedule: '* * * * *', timeZone: ''"),
            cronjob("schedule: '* * * * *', timeZone: Local"),
            cronjob("schedule: '* * * * *', timeZone: Amerika/New_York"),
            cronjob("schedule: '* * * * *', timeZone: ' Asia/Seoul'"),
            cronjob("schedule: '* * * * *', concurrencyPolicy: Wild, startingDeadlineSeconds: -1"),
            cronjob("schedule: '* * * * *', successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1"),
            cronjob("schedule: '* * * * *'")
                .replace("spec: {template", "spec: {manualSelector: true, selector: {matchLabels: {a: b}}, template"),
            cronjob("schedule: '* * * * *'").replace("Never", "Always"),
            cronjob("schedule: '* * * * *'")
                .replace("name: a}", "name: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefff}"),
        ],
        &expect![[r#"
            --
            --
            --
            spec.schedule: Required value
            --
            spec.schedule: Invalid value: "error": expected exactly 5 fields, found 1: [error]
            --
            spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61
            --
            spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead
            --
            spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string
            --
            spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones
            --
            spec.timeZone: Invalid value: "Amerika/New_York": unknown time zone Amerika/New_York
            --
            spec.timeZone: Invalid value: " Asia/Seoul": unknown time zone  Asia/Seoul
            --
            spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0
            spec.concurrencyPolicy: Unsupported value: "Wild": supported values: "Allow", "Forbid", "Replace"
            --
            spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0
            spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0
            --
            spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated
            spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"
            --
            spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
            --
            metadata.name: Invalid value: "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefff": must be no more than 52 characters
        "#]],
    );
    let zoned = |zone: &str| cronjob(&format!("schedule: 'TZ=UTC 0 * * * *'{zone}"));
    changes(
        &[
            (zoned(""), zoned("")),
            (zoned(""), zoned(", timeZone: UTC")),
            (cronjob("schedule: '0 * * * *'"), zoned("")),
            (cronjob("schedule: '0 * * * *', timeZone: Nowhere"), cronjob("schedule: '1 * * * *', timeZone: Nowhere")),
        ],
        &expect![[r#"
            --
            --
            spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule
            --
            spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead
            --
        "#]],
    );
}
