//! Devices as real kubectl shows them.

use system_tests::Server;

const MANIFEST: &str = "\
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu.example.com}
spec:
  selectors: [{cel: {expression: \"device.driver == 'gpu.example.com'\"}}]
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: node-1-gpus}
spec:
  driver: gpu.example.com
  nodeName: node-1
  pool: {name: node-1, generation: 1, resourceSliceCount: 1}
  devices:
  - {name: gpu-0, attributes: {uuid: {string: gpu-18db0e85}}, capacity: {memory: {value: 80Gi}}}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: some-gpu}
spec:
  devices:
    requests:
    - name: some-gpu
      exactly:
        deviceClassName: gpu.example.com
        selectors:
        - cel:
            expression: \"device.capacity['gpu.example.com'].memory.compareTo(quantity('10Gi')) >= 0\"
---
apiVersion: v1
kind: Pod
metadata: {name: pod0}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: ctr0
    image: ubuntu:24.04
    command: [bash, -c]
    args: [\"export; trap 'exit 0' TERM; sleep 9999 & wait\"]
    resources: {claims: [{name: gpu}]}
  resourceClaims: [{name: gpu, resourceClaimName: some-gpu}]
";

#[test]
fn a_claim_is_allocated_and_given_back() {
    let Some(s) = Server::start(&["--sim-nodes", "1", "--speed", "20"]) else { return };
    let file = s.file("devices.yaml", MANIFEST);
    s.kubectl(&["apply", "-f", &file]).good();
    s.until("get pod pod0", |o| o.contains("1/1"));
    let claims = s.k("get resourceclaims");
    assert!(claims.contains("some-gpu   allocated,reserved"), "{claims}");
    let slices = s.k("get resourceslices");
    assert!(
        slices.starts_with("NAME") && slices.contains("node-1-gpus   node-1   gpu.example.com   node-1"),
        "{slices}"
    );
    let described = s.k("describe resourceclaim some-gpu");
    for line in ["Finalizers:\n", "resource.kubernetes.io/delete-protection", "Reserved For:", "Resource:  pods"] {
        assert!(described.contains(line.trim_end()), "{line} in {described}");
    }
    let explained = s.k("explain resourceclaim.spec.devices.requests.exactly.allocationMode");
    assert!(explained.contains("GROUP:      resource.k8s.io"), "{explained}");
    let kinds = s.k("api-resources --api-group=resource.k8s.io -o name");
    assert_eq!(
        kinds,
        "deviceclasses.resource.k8s.io\nresourceclaims.resource.k8s.io\nresourceclaimtemplates.resource.k8s.io\n\
         resourceslices.resource.k8s.io\n"
    );
    // The misprint of the documentation's claim: the expression is beside the selector.
    let broken = "\
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: broken}
spec: {devices: {requests: [{name: r, exactly: {deviceClassName: gpu.example.com, selectors: [{cel: , expression: 'true'}]}}]}}
";
    let file = s.file("broken.yaml", broken);
    let refused = s.kubectl(&["apply", "-f", &file]).bad();
    let unknown = "strict decoding error: unknown field \"spec.devices.requests[0].exactly.selectors[0].expression\"";
    assert!(refused.contains(unknown), "{refused}");
    s.k("delete pod pod0");
    s.until("get resourceclaims", |o| o.contains("some-gpu   pending"));
    s.k("delete resourceclaim some-gpu");
    assert_eq!(s.k("get resourceclaims"), "");
}

#[test]
fn every_answer_has_the_name_of_its_audit_event() {
    let Some(s) = Server::start(&["--sim-nodes", "1"]) else { return };
    let said = s.kubectl(&["get", "--raw", "/api/v1/namespaces/default", "-v=9"]);
    let ids: Vec<&str> = said.err.lines().filter(|l| l.to_lowercase().contains("audit-id")).collect();
    assert!(ids.len() == 1 && ids[0].len() > 36, "{ids:?}");
}
