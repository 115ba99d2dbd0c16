//! A disk of the toy cloud as kubectl shows it: made, attached, grown, full.

use system_tests::Server;

const MANIFEST: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  storageClassName: toycloud-disk
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 3Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: db}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    command: [sleep, '9999']
    volumeMounts: [{name: v, mountPath: /data}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]
";

#[test]
fn a_disk_of_the_cloud() {
    let Some(s) = Server::start(&["--sim-nodes", "1", "--cloud", "--speed", "20"]) else { return };
    s.until("get csinodes", |o| o.lines().any(|l| l.starts_with("node-1") && l.contains(" 1 ")));
    let file = s.file("disk.yaml", MANIFEST);
    s.kubectl(&["apply", "-f", &file]).good();
    s.until("get pod db", |o| o.contains("1/1"));
    let described = s.k("describe pod db");
    assert!(described.contains("AttachVolume.Attach succeeded for volume \"pvc-"), "{described}");
    let attached = s.k("get volumeattachments");
    assert!(attached.contains("disk.csi.toycloud.example") && attached.contains("true"), "{attached}");
    let node = s.k("get node node-1 -o jsonpath={.status.volumesInUse}={.status.volumesAttached[*].name}");
    assert!(node.starts_with("[\"kubernetes.io/csi/disk.csi.toycloud.example^disk-"), "{node}");

    let grow = s.file("grow", "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"5Gi\"}}}}");
    s.kubectl(&["patch", "pvc", "data", "--patch-file", &grow]).good();
    s.until("get pvc data -o jsonpath={.status.capacity.storage}", |o| o == "5Gi");
    let described = s.k("describe pvc data");
    for reason in ["ExternalExpanding", "Resizing", "FileSystemResizeRequired", "FileSystemResizeSuccessful"] {
        assert!(described.contains(reason), "{reason} in {described}");
    }

    let full = s.file("full", "fill-volume default/data\n");
    s.kubectl(&["create", "--raw", "/kubottle/faults", "-f", &full]).good();
    let refused = s.kubectl(&["exec", "db", "--", "sh", "-c", "echo more > /data/more"]).bad();
    assert!(refused.contains("No space left on device"), "{refused}");
    let free = s.file("free", "mend\n");
    s.kubectl(&["create", "--raw", "/kubottle/faults", "-f", &free]).good();
    s.kubectl(&["exec", "db", "--", "sh", "-c", "echo more > /data/more"]).good();

    s.k("delete pod db");
    s.k("delete pvc data");
    s.until("get pv", |o| o.is_empty());
    assert_eq!(s.k("get volumeattachments"), "");
}
