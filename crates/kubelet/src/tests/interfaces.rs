//! Networks as programs show them, and `su`.

use super::World;
use serde_json::json;

fn said(image: &str, script: &str) -> String {
    let mut w = World::new();
    let container = json!({ "name": "c", "image": image, "command": ["sh", "-c", script] });
    w.pod("p", json!({ "restartPolicy": "Never", "containers": [container] }));
    w.run(30);
    w.logs("p", "c")
}

#[test]
fn a_pod_has_one_interface_and_the_node_behind_it() {
    let script = "ip addr show eth0 | grep inet; ip r; ifconfig eth0 | grep 'inet addr'; route -n | tail -3; arp -a; ip -4 a | grep -c inet; \
        ip link set eth0 down";
    assert_eq!(
        said("busybox", script),
        "    inet 10.244.1.2/24 brd 10.244.1.255 scope global eth0\n\
         default via 10.244.1.1 dev eth0\n\
         10.244.1.0/24 via 10.244.1.1 dev eth0  src 10.244.1.2\n\
         10.244.1.1 dev eth0 scope link  src 10.244.1.2\n          \
         inet addr:10.244.1.2  Bcast:10.244.1.255  Mask:255.255.255.0\n\
         0.0.0.0         10.244.1.1      0.0.0.0         UG    0      0        0 eth0\n\
         10.244.1.0      10.244.1.1      255.255.255.0   UG    0      0        0 eth0\n\
         10.244.1.1      0.0.0.0         255.255.255.255 UH    0      0        0 eth0\n\
         ? (10.244.1.1) at 0a:58:0a:f4:01:01 [ether]  on eth0\n2\n\
         ip: `link set` is not simulated\n"
    );
}

#[test]
fn tr_squeezes() {
    let script = "printf 'a   b\\n\\n\\nc  d\\n' | tr -s ' \\n'; echo aabbcc | tr -s a-b x; echo 'a1  b2' | tr -cs a-z0-9 '\\n'; echo xxyx | tr -ds y x";
    for image in ["busybox", "debian"] {
        assert_eq!(said(image, script), "a b\nc d\nxcc\na1\nb2\nx\n", "{image}");
    }
}

#[test]
fn su_runs_a_command() {
    let script = "su -c 'echo a; exit 3'; echo $?; su - root -c 'id -u'; su nobodyelse -c true; su nobody -c id";
    assert_eq!(
        said("busybox", script),
        "a\n3\n0\nsu: unknown user nobodyelse\n\
         su: becoming nobody is not simulated: set runAsUser in the pod's securityContext\n"
    );
}
