//! Images of demonstrations and of what clusters get installed: more rows like those of `popular.rs`, and programs that
//! are told by a script.

use super::servers::server;
use super::{ANY, Http, Image, Server, Tools};
use Http::{Always, Grpc, No, Status};

pub static SAMPLES: &[Image] = images! {
    "docker.io/istio/examples-bookinfo-details-v2", 60, Debian, "ruby", [9080], Always("{}"), 30, [];
    "docker.io/istio/examples-bookinfo-ratings-v2", 60, Debian, "node", [9080], Always("{}"), 30, [];
    "docker.io/istio/examples-bookinfo-mongodb", 230, Debian, "mongod", [27017], No, 120, [];
    "docker.io/istio/examples-bookinfo-mysqldb", 170, Debian, "mysqld", [3306], No, 350, [];
    "docker.io/argoproj/rollouts-demo", 10, None, "/rollouts-demo", [8080], Always("\"blue\""), 8, ["blue", "green", "yellow", "orange", "purple", "red", "bad-red", "slow-yellow"];
    "quay.io/argoproj/argo-rollouts", 40, None, "/bin/rollouts-controller", [8080, 8090], Always("ok"), 40, [];
    "docker.io/argoproj/argo-rollouts", 40, None, "/bin/rollouts-controller", [8080, 8090], Always("ok"), 40, [];
    "docker.io/bmuschko/nodejs-hello-world", 350, Debian, "node", [3000], Always("Hello World"), 30, [];
    "docker.io/bmuschko/nodejs-read-config", 350, Debian, "node", [8080], Always("Hello World"), 30, [];
    "docker.io/apache/skywalking-oap-server", 350, Debian, "/skywalking/docker-entrypoint.sh", [11800, 12800], Always("{}"), 900, [];
    "docker.io/apache/skywalking-ui", 250, Debian, "/skywalking/docker-entrypoint.sh", [8080], Always("<title>SkyWalking</title>"), 200, [];
    "docker.io/jaegertracing/jaeger", 40, None, "/cmd/jaeger/jaeger", [4317, 4318, 5778, 5779, 8888, 9411, 13133, 14250, 14268, 16686], Always("{}"), 40, [];
    "docker.io/openzipkin/zipkin-slim", 90, Busybox, "start-zipkin", [9411], Always("{\"status\":\"UP\"}"), 150, [];
    "registry.k8s.io/ingress-nginx/custom-error-pages", 5, None, "/custom-error-pages", [8080], Status(404), 6, [];
    "registry.k8s.io/ingress-nginx/e2e-test-echo", 30, Busybox, "/run.sh", [80, 8080], Always("Hostname: http-svc"), 10, [];
    "registry.k8s.io/nginx", 50, Debian, "nginx", [80], Always("<h1>Welcome to nginx!</h1>"), 6, [];
    "ghcr.io/jimmidyson/configmap-reload", 4, None, "/configmap-reload", [9533], Always("ok"), 8, [];
    "ghcr.io/prometheus-operator/prometheus-config-reloader", 12, None, "/bin/prometheus-config-reloader", [8080, 8081], Always("ok"), 12, [];
    "ghcr.io/prometheus-operator/prometheus-operator", 20, None, "/bin/operator", [8080, 8443], Always("ok"), 30, [];
    "quay.io/prometheus/blackbox-exporter", 10, Busybox, "/bin/blackbox_exporter", [9115, 19115], Always("<title>Blackbox Exporter</title>"), 12, [];
    "docker.io/luksa/node-agent", 20, None, "/node-agent", [11559], Always("{}"), 8, [];
    "docker.io/openpolicyagent/kube-mgmt", 15, None, "/opt/kube-mgmt/kube-mgmt", [], No, 15, [];
    "quay.io/jetstack/cert-manager-webhook", 17, None, "/app/cmd/webhook/webhook", [6080, 9402, 10250], Always("ok"), 20, [];
    "quay.io/jetstack/cert-manager-cainjector", 14, None, "/app/cmd/cainjector/cainjector", [9402], Always("ok"), 25, [];
    "quay.io/metallb/controller", 30, None, "/controller", [7472, 9443, 17472], Always("ok"), 25, ["main"];
    "quay.io/metallb/speaker", 50, Busybox, "/speaker", [7472, 7473], Always("ok"), 25, ["main"];
    "quay.io/frrouting/frr", 60, Busybox, "/usr/lib/frr/docker-start", [7473], Always("ok"), 40, [];
    "quay.io/kiali/kiali", 100, Debian, "/opt/kiali/kiali", [9090, 20001], Always("ok"), 60, [];
    "quay.io/mhausenblas/yages", 20, Busybox, "/app/yages", [9000], Grpc, 10, [];
    "quay.io/oauth2-proxy/oauth2-proxy", 15, None, "/bin/oauth2-proxy", [4180], Status(403), 15, [];
    "quay.io/vouch/vouch-proxy", 10, None, "/vouch-proxy", [9090], Always("{\"ok\":true}"), 12, [];
    "quay.io/openshiftlabs/simpleservice", 40, Debian, "python", [9876], Always("{\"healthy\": true}"), 20, [];
    "docker.io/mhausenblas/simpleservice", 40, Debian, "python", [9876], Always("{\"healthy\": true}"), 20, [];
    "docker.io/pavangudiwada/meme-generator", 60, Debian, "python", [5000], Always("<title>Meme Generator</title>"), 40, [];
    "europe-docker.pkg.dev/robusta-development/kubernetes-demos/checkout-api", 50, Debian, "python", [8080], Always("ok"), 20, [];
    "us-central1-docker.pkg.dev/genuine-flight-317411/devel/rds-demo", 70, Debian, "uvicorn", [8000], Always("<title>Checkout Status</title>"), 60, [];
    "us-central1-docker.pkg.dev/genuine-flight-317411/devel/shop-app-demo", 350, Debian, "node", [3000, 3003, 3004, 3005, 3006], Always("{\"status\":\"ok\"}"), 60, [];
};

pub(super) const fn script(name: &'static str, size_mb: u32, entrypoint: &'static [&'static str]) -> Image {
    Image {
        name,
        tags: &["latest"],
        versions: ANY,
        size_mb,
        tools: Tools::Busybox,
        extra: &[],
        entrypoint,
        cmd: &[],
        servers: &[],
        env: &[],
        files: &[],
    }
}

const ARGO: Http = Always("ok");
static ARGO_SERVER: Server =
    Server { memory_mib: 60, ..server("argocd-server", &[8080, 8083], Always("Argo CD"), &[]) };
static ARGO_REPO: Server = Server { memory_mib: 50, ..server("argocd-repo-server", &[8081, 8084], ARGO, &[]) };
static ARGO_CONTROLLER: Server =
    Server { memory_mib: 120, ..server("argocd-application-controller", &[8082], ARGO, &[]) };
static ARGO_SETS: Server =
    Server { memory_mib: 40, ..server("argocd-applicationset-controller", &[7000, 8080, 8081], ARGO, &[]) };
static ARGO_NOTIFICATIONS: Server = Server { memory_mib: 40, ..server("argocd-notifications", &[9001], ARGO, &[]) };
/// The program comes from Argo CD's image, by a volume.
static ARGO_DEX: Server = Server { memory_mib: 30, ..server("/shared/argocd-dex", &[5556, 5557, 5558], ARGO, &[]) };
static DEX: Server = Server { memory_mib: 20, ..server("dex", &[5556, 5557, 5558], ARGO, &[]) };

/// A service that gives up when it does not reach its database.
static TICKETING: Server = Server { memory_mib: 60, ..server("uvicorn", &[8000], Always("{\"status\":\"ok\"}"), &[]) };

const SPARK: Http = Always("<title>Spark</title>");
static SPARK_MASTER: Server = Server { memory_mib: 150, ..server("/start-master", &[7077, 8080], SPARK, &[]) };
static SPARK_WORKER: Server = Server { memory_mib: 150, ..server("/start-worker", &[8081], SPARK, &[]) };
static FLASK: Server =
    server("flask", &[5000], Always("<title>Welcome to Flask App</title>"), &[" * Running on all addresses (0.0.0.0)"]);

static RATINGS: Server =
    Server { memory_mib: 30, ..server("node", &[9080], Always("{}"), &["Server listening on: http://0.0.0.0:9080"]) };

pub static SCRIPTS: &[Image] = &[
    Image {
        tools: Tools::Debian,
        extra: &["curl"],
        servers: &[&RATINGS],
        ..script("docker.io/istio/examples-bookinfo-ratings-v1", 60, &["node", "/opt/microservices/ratings.js", "9080"])
    },
    // What is to be mounted as a volume: nothing in it runs.
    Image {
        tags: &["latest", "v1", "v2"],
        tools: Tools::None,
        files: &[("/dir/file", "1\n"), ("/file", "2\n")],
        ..script("quay.io/crio/artifact", 1, &[])
    },
    Image { files: &[("/flannel", "\u{7f}ELF\n")], ..script("ghcr.io/flannel-io/flannel-cni-plugin", 10, &[]) },
    Image {
        tools: Tools::Debian,
        extra: &["argocd"],
        servers: &[&ARGO_SERVER, &ARGO_REPO, &ARGO_CONTROLLER, &ARGO_SETS, &ARGO_NOTIFICATIONS],
        files: &[("/usr/local/bin/argocd", "\u{7f}ELF\n")],
        // Its entrypoint is `tini`, which runs what it is told to.
        cmd: &["argocd-server"],
        ..script("quay.io/argoproj/argocd", 180, &[])
    },
    Image {
        servers: &[&ARGO_DEX, &DEX],
        cmd: &["serve", "/etc/dex/config.docker.yaml"],
        ..script("ghcr.io/dexidp/dex", 40, &["dex"])
    },
    Image {
        tags: &["1.5.2_v1"],
        tools: Tools::Debian,
        servers: &[&SPARK_MASTER, &SPARK_WORKER],
        ..script("registry.k8s.io/spark", 350, &["/start-common.sh"])
    },
    Image {
        tags: &["latest", "v1", "v2"],
        cmd: &["sh", "-c", "cp /sample.war /app; tail -f /dev/null"],
        files: &[("/sample.war", "PK\n")],
        ..script("docker.io/resouer/sample", 5, &[])
    },
    // It looks at its certificate once a minute; what is looked for here is the end of the demonstration's first one,
    // August 2024, as base64 has it.
    Image {
        servers: &[&FLASK],
        ..script(
            "us-central1-docker.pkg.dev/genuine-flight-317411/devel/flask-app",
            60,
            &[
                "/bin/sh",
                "-c",
                "flask & while sleep 62; do echo 'INFO - Validating cert'\n\
                 if grep -q '^MDMxNzAwMDha' /certs/certificate.pem; then\n\
                 echo \"WARNING - Certificate has expired. Update the ssl certificate using the '/update_certificate' API or \
                 update the config map.\"\n\
                 echo 'ERROR - SSL certificate expired'; exit 1; fi; done",
            ],
        )
    },
    // Python's words for what the program does in its first lines.
    script(
        "me-west1-docker.pkg.dev/robusta-development/development/crash-demo",
        50,
        &[
            "/bin/sh",
            "-c",
            "cat >&2 <<'EOF'\nTraceback (most recent call last):\n  File \"/app/app.py\", line 7, in <module>\n    host = \
             config[\"host\"]\n           ~~~~~~^^^^^^^^\nTypeError: 'NoneType' object is not subscriptable\nEOF\nexit 1",
        ],
    ),
    // It takes what its arguments say, in steps: more than a limit between the first and the last allows.
    Image {
        extra: &["stress"],
        ..script(
            "us-central1-docker.pkg.dev/genuine-flight-317411/devel/memory-eater",
            2,
            &["/bin/sh", "-c", "exec stress --vm 1 --vm-bytes 120M --vm-hang 0"],
        )
    },
    Image {
        servers: &[&TICKETING],
        ..script(
            "europe-docker.pkg.dev/robusta-development/kubernetes-demos/ticketing-service",
            60,
            &[
                "/bin/sh",
                "-c",
                "i=1; while [ $i -le 10 ]; do\n\
                 echo \"INFO ticketing Connecting to ticketing database at $DB_HOST:5432/$DB_NAME (attempt $i/10)\"\n\
                 if nc -z -w 5 \"$DB_HOST\" 5432; then exec uvicorn; fi\n\
                 echo \"ERROR ticketing Could not connect to ticketing database at $DB_HOST:5432\"\n\
                 sleep 3; i=$((i+1)); done\n\
                 echo \"CRITICAL ticketing FATAL: giving up after 10 attempts - database $DB_HOST:5432/$DB_NAME is \
                 unreachable. Check the DB_HOST environment variable.\"; exit 1",
            ],
        )
    },
    Image { extra: &["amicontained"], ..script("docker.io/jess/amicontained", 8, &["amicontained"]) },
    Image {
        tools: Tools::None,
        entrypoint: &["/nodejs/bin/node"],
        extra: &["/nodejs/bin/node"],
        ..script("gcr.io/distroless/nodejs20-debian11", 60, &[])
    },
    Image {
        tools: Tools::None,
        entrypoint: &["/nodejs/bin/node"],
        extra: &["/nodejs/bin/node"],
        ..script("gcr.io/distroless/nodejs22-debian12", 60, &[])
    },
];
