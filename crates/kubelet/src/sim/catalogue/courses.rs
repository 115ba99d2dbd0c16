//! Images of other courses, and of the operators and agents that collections of manifests start.

use super::samples::script;
use super::servers::server;
use super::{ANY, Http, Image, Server, Tools};
use Http::{Always, No};

static COLOR: Server = Server {
    term_code: 2,
    ..server(
        "/webcolor",
        &[80],
        Always("This is pod {namespace}/{host} on linux/amd64, serving {path} for {remote}."),
        &["Starting HTTP server (linux/amd64) listening on port {$PORT|80}."],
    )
};
static HASHER: Server = Server { memory_mib: 30, ..server("ruby", &[80], Always("HASHER running on {host}"), &[]) };
static RNG: Server = Server { memory_mib: 25, ..server("python", &[80], Always("RNG running on {host}"), &[]) };
static WEBUI: Server = Server {
    memory_mib: 30,
    ..server("node", &[80], Always("<title>DockerCoin Miner WebUI</title>"), &["WEBUI running on port 80"])
};
static HTTPENV: Server = Server {
    term_code: 2,
    ..server("/httpenv", &[8888], Always("{env}"), &["Starting httpenv listening on port 8888."])
};
const fn node(port: &'static [u16], http: Http, log: &'static [&'static str]) -> Server {
    Server { memory_mib: 30, ready_ms: 300, ..server("node", port, http, log) }
}
/// It says so when it reaches its database.
static WEB_APP: Server =
    node(&[3000], Always("Successfully connected to database!"), &["Server running at http://0.0.0.0:3000/"]);
/// What postman-echo.com says, which both of them ask.
const ECHOED: Http = Always("{\"args\":{\"test\":\"123\"},\"url\":\"https://postman-echo.com/get?test=123\"}");
static BUSINESS: Server = node(&[8080], ECHOED, &["Business application listening on port 8080..."]);
static AMBASSADOR: Server = node(&[8081], ECHOED, &["Ambassador listening on port 8081..."]);
const fn hello(words: &'static str) -> Server {
    Server { term_code: 2, ..server("/hello", &[8080], Always(words), &[]) }
}
static HELLO_1: Server = hello("<html><body>\nVersion 1 : {$ALT_GREETING|Hello} \n</body></html>\n");
static HELLO_2: Server = hello("<html><body>\nVersion 2 : {$ALT_GREETING|Hello} \n</body></html>\n");
static HELLO_3: Server = hello("<html><body>\nVersion 3 : {$ALT_GREETING|Hello} \n</body></html>\n");
static ECHO_BASIC: Server = Server {
    term_code: 2,
    ..server(
        "/echo-basic",
        &[3000, 3001],
        Always(
            "{\n \"path\": \"{path}\",\n \"host\": \"{asked}\",\n \"method\": \"{method}\",\n \"proto\": \"HTTP/1.1\",\n \
             \"headers\": {\n  \"Accept\": [\n   \"*/*\"\n  ],\n  \"User-Agent\": [\n   \"{agent}\"\n  ]\n },\n \
             \"namespace\": \"{$NAMESPACE}\",\n \"ingress\": \"{$INGRESS_NAME}\",\n \"service\": \"{$SERVICE_NAME}\",\n \
             \"pod\": \"{$POD_NAME}\",\n \"sni\": \"\"\n}",
        ),
        &[
            "Starting server, listening on port {$HTTP_PORT|3000} (http)",
            "Starting server, listening on port {$H2C_PORT|3001} (h2c)",
        ],
    )
};

static CALICO_NODE: Server = Server { memory_mib: 60, ..server("start_runit", &[9099], Always("ok"), &[]) };
static CALICO_CONTROLLERS: Server =
    Server { memory_mib: 30, ..server("/usr/bin/kube-controllers", &[9094], Always("ok"), &[]) };
const CONTROLLERS: &[&str] = &["/usr/bin/kube-controllers"];

/// Probes run `says`.
const fn calico(
    name: &'static str,
    mb: u32,
    entrypoint: &'static [&'static str],
    says: &'static [&'static str],
    servers: &'static [&'static Server],
) -> Image {
    Image { tags: &["latest", "master"], tools: Tools::Debian, extra: says, servers, ..script(name, mb, entrypoint) }
}

/// A unit of work is some bytes of `rng` and their hash by `hasher`; once a second it tells `redis` how many it did.
const WORKER: &[&str] = &[
    "/bin/sh",
    "-c",
    "done=0; while true; do echo \"INFO:__main__:$done units of work done, updating hash counter\"\n\
     if redis-cli -h redis incrby hashes $done >/dev/null 2>&1 && wget -q -O /dev/null http://rng/32 2>/dev/null && \
     wget -q -O /dev/null http://hasher/ 2>/dev/null; then done=4; sleep 1\n\
     else echo 'ERROR:__main__:In work loop:'; echo 'ERROR:__main__:Waiting 10s and restarting.'; done=0; sleep 10; fi; done",
];

pub static COURSES: &[Image] = &[
    Image { cmd: &["/webcolor"], servers: &[&COLOR], ..script("docker.io/jpetazzo/color", 8, &[]) },
    script("docker.io/jpetazzo/clock", 1, &["/bin/sh", "-c", "while date; do sleep 1; done"]),
    Image { cmd: &["/httpenv"], servers: &[&HTTPENV], ..script("docker.io/jpetazzo/httpenv", 6, &[]) },
    Image {
        cmd: &["ruby", "hasher.rb", "-o", "::"],
        extra: &["curl"],
        servers: &[&HASHER],
        ..script("docker.io/dockercoins/hasher", 100, &[])
    },
    Image { cmd: &["python", "rng.py"], servers: &[&RNG], ..script("docker.io/dockercoins/rng", 35, &[]) },
    Image { cmd: &["node", "webui.js"], servers: &[&WEBUI], ..script("docker.io/dockercoins/webui", 75, &[]) },
    Image { cmd: WORKER, extra: &["redis-cli"], ..script("docker.io/dockercoins/worker", 35, &[]) },
    Image {
        cmd: &["node", "web-app.js"],
        tools: Tools::Debian,
        servers: &[&WEB_APP],
        ..script("docker.io/bmuschko/web-app", 350, &[])
    },
    Image {
        cmd: &["node", "index.js"],
        tools: Tools::Debian,
        extra: &["curl"],
        servers: &[&BUSINESS],
        ..script("docker.io/bmuschko/nodejs-business-app", 350, &[])
    },
    Image {
        cmd: &["node", "index.js"],
        servers: &[&AMBASSADOR],
        ..script("docker.io/bmuschko/nodejs-ambassador", 65, &[])
    },
    Image {
        tags: &["1"],
        versions: &[],
        tools: Tools::None,
        cmd: &["/hello"],
        servers: &[&HELLO_1],
        ..script("docker.io/monopole/hello", 3, &[])
    },
    Image {
        tags: &["2"],
        versions: &[],
        tools: Tools::None,
        cmd: &["/hello"],
        servers: &[&HELLO_2],
        ..script("docker.io/monopole/hello", 3, &[])
    },
    Image {
        tags: &["3"],
        versions: &[],
        tools: Tools::None,
        cmd: &["/hello"],
        servers: &[&HELLO_3],
        ..script("docker.io/monopole/hello", 3, &[])
    },
    Image {
        tools: Tools::None,
        servers: &[&ECHO_BASIC],
        ..script("registry.k8s.io/gateway-api/conformance/echo-basic", 8, &["/echo-basic"])
    },
    // It takes as many bytes as it is told.
    Image {
        extra: &["stress"],
        ..script(
            "docker.io/luksa/memoryhog",
            1,
            &["/bin/sh", "-c", "exec stress -q --vm 1 --vm-bytes ${1:-1500000000} --vm-hang 0", "memoryhog"],
        )
    },
    calico("docker.io/calico/node", 100, &["start_runit"], &["/bin/calico-node"], &[&CALICO_NODE]),
    calico("quay.io/calico/node", 100, &["start_runit"], &["/bin/calico-node"], &[&CALICO_NODE]),
    calico("docker.io/calico/kube-controllers", 35, CONTROLLERS, &["/usr/bin/check-status"], &[&CALICO_CONTROLLERS]),
    calico("quay.io/calico/kube-controllers", 35, CONTROLLERS, &["/usr/bin/check-status"], &[&CALICO_CONTROLLERS]),
    // It puts a socket's driver on the node and ends.
    script("docker.io/calico/pod2daemon-flexvol", 5, &["/bin/sh", "-c", "exit 0"]),
    script("quay.io/calico/pod2daemon-flexvol", 5, &["/bin/sh", "-c", "exit 0"]),
];

pub static OPERATORS: &[Image] = images! {
    "quay.io/tigera/operator", 30, None, "operator", [], No, 40, ["master"];
    "quay.io/rabbitmqoperator/cluster-operator", 20, None, "/manager", [9782, 8081], Always("ok"), 30, [];
    "docker.elastic.co/eck/eck-operator", 50, None, "/elastic-operator", [9443], No, 50, [];
    "registry.k8s.io/autoscaling/addon-resizer", 12, None, "/pod_nanny", [], No, 12, [];
    "docker.io/google/cadvisor", 30, Busybox, "/usr/bin/cadvisor", [8080], Always("<title>cAdvisor</title>"), 40, [];
    "docker.io/portainer/portainer", 80, None, "/portainer", [9000, 8000], Always("Portainer"), 30, [];
    "docker.io/portainer/agent", 35, None, "./agent", [9001], No, 15, [];
    "docker.io/dockersamples/visualizer", 60, Busybox, "npm", [8080], Always("<title>Visualizer</title>"), 40, ["stable"];
    "docker.io/springio/gs-spring-boot-docker", 80, Busybox, "java", [8080], Always("Hello Docker World"), 150, [];
    "docker.io/ollama/ollama", 1500, Debian, "/bin/ollama", [11434], Always("Ollama is running"), 60, ["rocm"];
    "docker.io/metallb/controller", 30, None, "/controller", [7472], Always("ok"), 25, ["main"];
    "docker.io/metallb/speaker", 40, None, "/speaker", [7472], Always("ok"), 25, ["main"];
    "docker.io/frrouting/frr", 60, Busybox, "/usr/lib/frr/docker-start", [], No, 40, [];
    "docker.io/cloudnativelabs/kube-router", 35, Busybox, "/usr/local/bin/kube-router", [20244], Always("OK"), 30, [];
    "docker.io/osixia/openldap", 90, Debian, "/container/tool/run", [389, 636], No, 30, ["stable"];
    "docker.io/moby/buildkit", 100, Busybox, "buildkitd", [1234], No, 30, ["master", "rootless", "buildx-stable-1"];
    // Where its arguments in Istio's samples say.
    "docker.io/istio/tcp-echo-server", 2, None, "/bin/tcp-echo", [9000, 9001, 9002], No, 4, [];
    "quay.io/k8scsi/csi-provisioner", 20, None, "/csi-provisioner", [], No, 20, [];
    "quay.io/k8scsi/csi-attacher", 18, None, "/csi-attacher", [], No, 15, [];
    "quay.io/k8scsi/csi-resizer", 18, None, "/csi-resizer", [], No, 15, [];
    "quay.io/k8scsi/csi-snapshotter", 18, None, "/csi-snapshotter", [], No, 15, [];
    "quay.io/k8scsi/snapshot-controller", 18, None, "/snapshot-controller", [], No, 15, [];
    "quay.io/k8scsi/csi-node-driver-registrar", 7, None, "/csi-node-driver-registrar", [], No, 8, [];
};

#[cfg(test)]
mod tests {
    use super::super::{Missing, find};
    use crate::pod::images::ImageRef;

    #[test]
    fn images_of_books_and_courses_are_there() {
        let has = |image: &str| find(&ImageRef::parse(image).unwrap()).map(|i| i.name);
        for image in [
            "kiamol/ch02-hello-kiamol",
            "kiamol/ch03-sleep:latest",
            "kiamol/ch09-vweb:v2",
            "diamol/ch06-todo-list:v2",
            "sixeyed/whoami:21.04",
            "courselabs/bad-sleep",
            "widgetario/web:21.03",
            "luksa/kiada:0.1-slim",
            "luksa/quote-writer:0.1",
            "dockercoins/worker:v0.1",
            "jpetazzo/color",
            "bmuschko/web-app:1.0.1",
            "monopole/hello:1",
            "registry.k8s.io/gateway-api/conformance/echo-basic:v0.1.0",
            "calico/kube-controllers:v3.30.0",
            "registry.k8s.io/coredns/coredns:v1.14.6",
            "docker.elastic.co/eck/eck-operator:1.0.0",
            "sysnet4admin/echo-hname",
            "sysnet4admin/net-tools",
            "ghcr.io/subicura/echo:v2",
        ] {
            assert!(has(image).is_ok(), "{image}: {:?}", has(image));
        }
        assert_eq!(has("kiamol/ch09-vweb:v4"), Err(Missing::Tag));
        assert_eq!(has("luksa/kiada:0.10"), Err(Missing::Tag));
    }
}
