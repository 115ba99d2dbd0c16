//! The images of "Kubernetes in Action", second edition: Kiada, whose every version says which it is, and those beside it.

use super::samples::script;
use super::servers::server;
use super::{Http, Image, Server, Tools};
use Http::Always;

const TITLE: &str = "Kiada - Kubernetes in Action Demo Application";
const LINE: &str = "---------------------------------------------";

/// Versions before the downward API's chapter.
macro_rules! early {
    ($version:literal) => {
        server(
            "node",
            &[8080],
            Always(concat!("Kiada version ", $version, ". Request processed by \"{host}\". Client IP: ::ffff:{from}")),
            &[
                TITLE,
                LINE,
                concat!("Kiada ", $version, " starting..."),
                "Local hostname is {host}",
                "Listening on port 8080",
            ],
        )
    };
}

/// Versions with a page of parts: what the quote and quiz services say goes into its first two.
macro_rules! late {
    ($version:literal) => {
        Server {
            memory_mib: 40,
            term_log: &["{iso} Received SIGTERM. Server shutting down..."],
            ..server(
                "node",
                &[8080],
                Always(concat!(
                    "KUBERNETES IN ACTION DEMO APPLICATION v",
                    $version,
                    "\n\n==== TIP OF THE MINUTE\n\n==== POP QUIZ\n\n==== REQUEST INFO\nRequest processed by Kiada ",
                    $version,
                    " running in pod \"{$POD_NAME|unknown-pod}\" on node \"{$NODE_NAME|unknown-node}\".\n",
                    "Pod hostname: {host}; Pod IP: {$POD_IP|0.0.0.0}; Node IP: {$NODE_IP|0.0.0.0}; ",
                    "Client IP: ::ffff:{from}\n{$INITIAL_STATUS_MESSAGE}"
                )),
                &[
                    "{iso} Kiada - Kubernetes in Action Demo Application",
                    "{iso} ---------------------------------------------",
                    concat!("{iso} Kiada ", $version, " starting..."),
                    "{iso} Pod name is {$POD_NAME|unknown-pod}",
                    "{iso} Local hostname is {host}",
                    "{iso} Local IP is {$POD_IP|0.0.0.0}",
                    "{iso} Running on node {$NODE_NAME|unknown-node}",
                    "{iso} Node IP is {$NODE_IP|0.0.0.0}",
                    "{iso} Status message is {$INITIAL_STATUS_MESSAGE}",
                    "{iso} URL of the quote service is {$QUOTE_URL|localhost:8080/quote}",
                    "{iso} URL of the quiz service is {$QUIZ_URL|localhost:8080dummy/quiz}",
                    "{iso} Listening on port 8080",
                ],
            )
        }
    };
}

/// Node as process 1 does not hear SIGTERM unless it asked to: the end of the grace period ends it.
const DEAF: Server = Server { memory_mib: 40, term_code: 137, term_ms: 3_600_000, ..early!("0.1") };
static V1: Server = DEAF;
static V2: Server = Server { memory_mib: 40, term_code: 137, term_ms: 3_600_000, ..early!("0.2") };
static V3: Server =
    Server { memory_mib: 40, term_log: &["Received SIGTERM. Server shutting down..."], ..early!("0.3") };
static V4: Server = Server {
    memory_mib: 40,
    term_log: &["Received SIGTERM. Server shutting down..."],
    ..server(
        "node",
        &[8080],
        Always(
            "Request processed by Kiada 0.4 running in pod \"{$POD_NAME|unknown-pod}\" on node \
             \"{$NODE_NAME|unknown-node}\".\nPod hostname: {host}; Pod IP: {$POD_IP|0.0.0.0}; Node IP: {$NODE_IP|0.0.0.0}. \
             Client IP: ::ffff:{from}\n{$INITIAL_STATUS_MESSAGE}",
        ),
        &[
            TITLE,
            LINE,
            "Kiada 0.4 starting...",
            "Pod name is {$POD_NAME|unknown-pod}",
            "Local hostname is {host}",
            "Local IP is {$POD_IP|0.0.0.0}",
            "Running on node {$NODE_NAME|unknown-node}",
            "Node IP is {$NODE_IP|0.0.0.0}",
            "Status message is {$INITIAL_STATUS_MESSAGE}",
            "Listening on port 8080",
        ],
    )
};
static V5: Server = late!("0.5");
static V51: Server = late!("0.5.1");
static V6: Server = late!("0.6");
static V7: Server = late!("0.7");
static V8: Server = late!("0.8");
static V9: Server = late!("0.9");

const fn kiada(tags: &'static [&'static str], servers: &'static [&'static Server]) -> Image {
    Image { tags, versions: &[], servers, ..script("docker.io/luksa/kiada", 55, &["node", "app.js"]) }
}

const PORT: &[&str] = &["--listen-port", "8080"];
const UNKNOWN: &[(&str, &str)] =
    &[("POD_NAME", "unknown"), ("POD_IP", "unknown"), ("NODE_NAME", "unknown"), ("NODE_IP", "unknown")];

const fn with_env(tags: &'static [&'static str], servers: &'static [&'static Server]) -> Image {
    Image { cmd: PORT, env: UNKNOWN, ..kiada(tags, servers) }
}

static STATIC: Server = Server {
    term_code: 2,
    ..server(
        "/server",
        &[8080],
        Always("OK"),
        &["{go} Static HTTP Server 0.1 starting...", "{go} Listen address:  \":8080\"", "{go} Response: 200 OK"],
    )
};

pub static KIADA: &[Image] = &[
    kiada(&["latest", "0.1", "0.1-slim"], &[&V1]),
    kiada(&["0.2"], &[&V2]),
    kiada(&["0.3"], &[&V3]),
    Image {
        cmd: PORT,
        env: &[("INITIAL_STATUS_MESSAGE", "This is the default status message")],
        ..kiada(&["0.4"], &[&V4])
    },
    with_env(&["0.5"], &[&V5]),
    with_env(&["0.5.1"], &[&V51]),
    with_env(&["0.6"], &[&V6]),
    with_env(&["0.7"], &[&V7]),
    with_env(&["0.8"], &[&V8]),
    with_env(&["0.9"], &[&V9]),
    Image {
        tools: Tools::Busybox,
        servers: &[&STATIC],
        ..script("docker.io/luksa/static-http-server", 6, &["/server"])
    },
    script(
        "docker.io/luksa/init-demo",
        2,
        &[
            "/bin/sh",
            "-c",
            "steps=${1:-5}\necho \"Initialization started...\"\n\
             for i in $(seq 1 $steps); do echo \"Performing initialization procedure $i/$steps\"; sleep 1; done\n\
             echo \"Initialization complete!\"",
            "/docker_entrypoint.sh",
        ],
    ),
    // The world outside of the cluster, which it looks for by itself, is taken to be there.
    script(
        "docker.io/luksa/network-connectivity-checker",
        2,
        &[
            "/bin/sh",
            "-c",
            "host=${1:-1.1.1.1}\necho \"Checking network connectivity to $host ...\"\n\
             if [ $host = 1.1.1.1 ] || ping -c 1 $host >/dev/null 2>&1; then echo \"Host appears to be reachable\"; exit 0; fi\n\
             echo \"Host unreachable!\"; exit 1",
            "/docker_entrypoint.sh",
        ],
    ),
    // It tells how much went over the network: bytes of `eth0` in ten seconds.
    script(
        "docker.io/luksa/network-traffic-meter",
        2,
        &[
            "/bin/sh",
            "-c",
            "echo \"[traffic-meter] Starting traffic meter...\"\n\
             count() { awk '$1 ~ \"eth0:\" {print $2, $10}' /proc/net/dev 2>/dev/null; }\n\
             set -- $(count); in=${1:-0}; out=${2:-0}\n\
             while sleep 10; do set -- $(count)\n\
             echo \"[traffic-meter] Inbound: $((${1:-0} - in)) bytes, Outbound: $((${2:-0} - out)) bytes (last 10s)\"\n\
             in=${1:-0}; out=${2:-0}; done",
        ],
    ),
    Image {
        cmd: &[
            "/bin/sh",
            "-c",
            "cp /insert-questions.js /initdb.d/ && echo \"Successfully copied insert-questions.js to /initdb.d\" || echo \
             \"Error copying insert-questions.js to /initdb.d\"",
        ],
        files: &[("/insert-questions.js", "db.getSiblingDB(\"kiada\").questions.insertMany([])\n")],
        ..script("docker.io/luksa/quiz-initdb-script-installer", 2, &[])
    },
    // Its quotes are the book's; here are some sentences of the same kind.
    Image {
        files: &[(
            "/book-quotes.txt",
            "A pod's containers share its network.\nLiveness probes restart containers, readiness probes do not.\n\
             Labels say what belongs together.\n",
        )],
        ..script(
            "docker.io/luksa/quote-writer",
            5,
            &[
                "/bin/sh",
                "-c",
                "trap \"exit\" INT\nevery=${INTERVAL:-60}; from=${INPUT_FILE:-/book-quotes.txt}; \
                 to=${1:-/var/local/output/quote}; mkdir -p /var/local/output\n\
                 echo \"Quote Writer 0.1\"\necho \"Configured to write quote from $from to $to every $every seconds\"\n\
                 n=0; while :; do echo \"$(date) Writing fortune...\"\n\
                 n=$((n % 3 + 1)); sed -n \"${n}p\" $from > $to; sleep $every; done",
                "/docker_entrypoint.sh",
            ],
        )
    },
];
