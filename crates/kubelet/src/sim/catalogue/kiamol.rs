//! The images of "Learn Kubernetes in a Month of Lunches"; `lunches.rs` has its author's others.

use super::samples::script;
use super::servers::{self as s, server};
use super::table::{NGINX_CMD, NGINX_CONFIG, NGINX_DEFAULT, serves};
use super::{Http, Image, Server, Tools};
use Http::{Always, No, Status};

/// What ASP.NET's host logs.
const HOSTED: &[&str] = &[
    "info: Microsoft.Hosting.Lifetime[14]",
    "      Now listening on: http://[::]:80",
    "info: Microsoft.Hosting.Lifetime[0]",
    "      Application started. Press Ctrl+C to shut down.",
    "info: Microsoft.Hosting.Lifetime[0]",
    "      Hosting environment: Production",
    "info: Microsoft.Hosting.Lifetime[0]",
    "      Content root path: /app/",
];
const STOPS: &[&str] = &["info: Microsoft.Hosting.Lifetime[0]", "      Application is shutting down..."];

pub(super) const fn aspnet(http: Http, log: &'static [&'static str]) -> Server {
    Server { memory_mib: 25, ready_ms: 800, ..server("dotnet", &[80], http, log) }
}
pub(super) const fn hosted(http: Http) -> Server {
    Server { term_log: STOPS, ..aspnet(http, HOSTED) }
}
/// A worker: it listens nowhere.
const fn worker(log: &'static [&'static str]) -> Server {
    Server { memory_mib: 20, term_code: 143, ..server("dotnet", &[], No, log) }
}
const fn node(http: Http, log: &'static [&'static str]) -> Server {
    Server { memory_mib: 25, ready_ms: 300, term_code: 143, ..server("node", &[80], http, log) }
}

pub(super) static WHOAMI_NET: Server = aspnet(Always("\"I'm {host} running on Linux 6.12.0-kubottle #1 SMP\""), &[]);
/// A number below a hundred: always this one.
pub(super) static NUMBERS_API: Server = hosted(Always("42"));
static NUMBERS_WEB: Server = hosted(Always("<h1>KIAMOL Random Number Generator</h1>"));
static TASKS: Server =
    aspnet(Always(concat!("<title>KIAMOL To-Do List</title>\n<h1>Welcome to the TO", "DO list</h1>")), &[]);
pub(super) static PI: Server = Server {
    term_log: STOPS,
    // Several thousand digits for every page.
    work_micros: 20_000,
    ..aspnet(
        Always("<title>Pi.Web</title>\n<h3>from: {host}</h3>"),
        &[
            "Running in web mode...",
            "info: Microsoft.Hosting.Lifetime[14]",
            "      Now listening on: http://[::]:80",
            "info: Microsoft.Hosting.Lifetime[0]",
            "      Application started. Press Ctrl+C to shut down.",
            "info: Microsoft.Hosting.Lifetime[0]",
            "      Hosting environment: Production",
            "info: Microsoft.Hosting.Lifetime[0]",
            "      Content root path: /app/",
        ],
    )
};
static EXPLORER: Server = hosted(Always("<title>KIAMOL - KubeExplorer</title>"));
static PROXY: Server =
    Server { memory_mib: 20, ..server("dotnet", &[1080], No, &["** Logging proxy listening on port: 1080 **"]) };
static CONTROLLER: Server = worker(&["* Watching for custom object events"]);
static PINGER: Server = worker(&["* Watching for WebPinger events"]);
static PINGER_ARCHIVE: Server = worker(&["* Watching for WebPingerArchive events"]);
pub(super) static HANDLER: Server = worker(&[]);
pub(super) static ACCESS_LOG: Server = node(Always("{\"logs\":0}"), &["info: restify listening at http://[::]:80"]);
static TASKS_API: Server = node(Status(404), &["restify listening at http://[::]:80"]);
static ADMISSION: Server =
    Server { ports: &[8080, 8443], ..node(Status(404), &["info: restify listening at http://[::]:8080"]) };
pub(super) static GALLERY: Server =
    Server { memory_mib: 8, term_code: 2, ..server("/web/server", &[80], Always("<title>Image Gallery</title>"), &[]) };
pub(super) static IMAGE_OF_THE_DAY: Server =
    Server { memory_mib: 120, ready_ms: 4_000, term_code: 143, ..server("java", &[80], Always("{}"), &[]) };
pub(super) static KIBANA: Server = Server {
    memory_mib: 250,
    ready_ms: 10_000,
    ..server("/usr/share/kibana/bin/kibana", &[5601], Always("<title>Kibana</title>"), &[])
};

pub(super) type Servers = &'static [&'static Server];

/// What is its entrypoint: a pod's `args` come after it.
pub(super) const fn runs(name: &'static str, mb: u32, entrypoint: &'static [&'static str], servers: Servers) -> Image {
    Image { servers, ..script(name, mb, entrypoint) }
}

/// What is given as `CMD`: a pod's `args` stand for it.
pub(super) const fn does(name: &'static str, mb: u32, cmd: &'static [&'static str], servers: Servers) -> Image {
    Image { cmd, servers, ..script(name, mb, &[]) }
}

const fn page(
    name: &'static str,
    tags: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
) -> Image {
    Image { tags, files, ..serves(name, 10, Tools::Busybox, &[], NGINX_CMD, s::JUST_NGINX) }
}

const SLEEP: &[&str] = &["/bin/sh", "-c", "trap : TERM INT; (while true; do sleep 1000; done) & wait"];

/// A line in a file every few seconds; settings from a file of the image, a file in its place, and variables.
const TIMECHECK: &[&str] = &[
    "/bin/sh",
    "-c",
    "mkdir -p /logs; f=/config/appsettings.json\n\
     get() { sed -n \"s/.*\\\"$1\\\"[^\\\"]*\\\"\\([^\\\"]*\\)\\\".*/\\1/p\" $f | head -n 1; }\n\
     env=$(get Environment); version=$(get Version); every=$(get IntervalSeconds)\n\
     env=${Application__Environment:-${env:-DEV}}; version=${Application__Version:-${version:-1.0}}\n\
     every=${Timer__IntervalSeconds:-${every:-5}}\n\
     while sleep $every; do echo \"$(date '+%Y-%m-%d %H:%M:%S.000 +00:00') [INF] Environment: $env; version: $version; \
     time check: $(date +%H:%M.%S)\" >> /logs/timecheck.log; done",
];
const TIMECHECK_CONFIG: &str = "{\n  \"Application\": {\n    \"Version\": \"1.0\",\n    \"Environment\": \"DEV\"\n  },\n  \
     \"Timer\": {\n    \"IntervalSeconds\": \"5\"\n  },\n  \"Metrics\": {\n    \"Enabled\": false,\n    \"Port\" : 8080\n  }\n}\n";

/// What the images that use the cluster's API say first.
const WITH_KUBECTL: &[&str] = &[
    "/bin/sh",
    "-c",
    "echo 'Cluster \"default\" set.'; echo 'Context \"default\" created.'; echo 'User \"user\" set.'\n\
     echo 'Context \"default\" modified.'; echo 'Switched to context \"default\".'; while true; do sleep 1000; done",
];

pub static KIAMOL: &[Image] = &[
    page(
        "docker.io/kiamol/ch02-hello-kiamol",
        &["latest"],
        &[
            (
                "/usr/share/nginx/html/index.html",
                "<html>\n  <body>\n    <h1>\n      Hello from Chapter 2!\n    </h1>\n    <h2>\n      This is\n      <a\n        \
                 href=\"https://www.manning.com/books/learn-kubernetes-in-a-month-of-lunches\"\n        >Learn Kubernetes in \
                 a Month of Lunches</a\n      >.\n    </h2>\n    <h3>By <a href=\"https://blog.sixeyed.com\">Elton \
                 Stoneman</a>.</h3>\n  </body>\n</html>\n",
            ),
            NGINX_CONFIG,
            NGINX_DEFAULT,
        ],
    ),
    runs("docker.io/kiamol/ch02-whoami", 45, &["dotnet", "whoami.dll"], &[&WHOAMI_NET]),
    Image { extra: &["curl", "jq"], ..does("docker.io/kiamol/ch03-sleep", 5, SLEEP, &[]) },
    runs("docker.io/kiamol/ch03-numbers-api", 45, &["dotnet", "/app/Numbers.Api.dll"], &[&NUMBERS_API]),
    runs("docker.io/kiamol/ch03-numbers-web", 45, &["dotnet", "/app/Numbers.Web.dll"], &[&NUMBERS_WEB]),
    runs("docker.io/kiamol/ch04-todo-list", 50, &["dotnet", "ToDoList.dll"], &[&TASKS]),
    Image {
        cmd: &["-m", "console", "-dp", "6"],
        ..runs("docker.io/kiamol/ch05-pi", 45, &["dotnet", "Pi.Web.dll"], &[&PI])
    },
    runs("docker.io/kiamol/ch07-simple-proxy", 40, &["dotnet", "SimpleProxy.dll"], &[&PROXY]),
    Image {
        files: &[("/config/appsettings.json", TIMECHECK_CONFIG)],
        ..script("docker.io/kiamol/ch07-timecheck", 40, TIMECHECK)
    },
    page(
        "docker.io/kiamol/ch09-vweb",
        &["v1"],
        &[
            (
                "/usr/share/nginx/html/index.html",
                "<!DOCTYPE html>\n<html>\n    <head>\n        <title>v1</title>\n    </head>\n    <body>\n        \
                 <h1>v1</h1>\n    </body>\n</html>",
            ),
            ("/usr/share/nginx/html/v.txt", "v1"),
            NGINX_CONFIG,
            NGINX_DEFAULT,
        ],
    ),
    page(
        "docker.io/kiamol/ch09-vweb",
        &["v2"],
        &[
            (
                "/usr/share/nginx/html/index.html",
                "<!DOCTYPE html>\n<html>\n    <head>\n        <title>v2</title>\n    </head>\n    <body>\n        \
                 <h1>v2</h1>\n    </body>\n</html>",
            ),
            ("/usr/share/nginx/html/v.txt", "v2"),
            NGINX_CONFIG,
            NGINX_DEFAULT,
        ],
    ),
    Image {
        tags: &["v3"],
        versions: &[],
        ..does("docker.io/kiamol/ch09-vweb", 3, &["/bin/sh", "-c", "this-will-fail"], &[])
    },
    Image {
        env: &[("TARGET", "blog.sixeyed.com"), ("METHOD", "HEAD"), ("INTERVAL", "3000")],
        ..does(
            "docker.io/kiamol/ch10-web-ping",
            40,
            &[
                "/bin/sh",
                "-c",
                "echo \"** web-ping ** Pinging: $TARGET; method: $METHOD; ${INTERVAL}ms intervals\"\n\
                 i=1; while sleep $((INTERVAL / 1000)); do echo \"Making request number: $i; at $(date +%s)000\"\n\
                 i=$((i + 1)); wget -q -O /dev/null https://$TARGET && echo \"Got response status: 200 at $(date +%s)001; \
                 duration: 1ms\"; done",
            ],
            &[],
        )
    },
    // Every few seconds some memory more, until there is none.
    Image {
        extra: &["stress"],
        ..does(
            "docker.io/kiamol/ch12-memory-allocator",
            8,
            &[
                "/bin/sh",
                "-c",
                "by=${KIAMOL_ALLOCATION:-10}; all=0; while true; do stress --vm 1 --vm-bytes ${by}M --vm-hang 0 >/dev/null &\n\
                 all=$((all + by)); echo \"Allocated ~${all}MiB\"; sleep ${KIAMOL_INTERVAL:-5}; done",
            ],
            &[],
        )
    },
    Image {
        tools: Tools::Debian,
        extra: &["/usr/share/elasticsearch/bin/elasticsearch"],
        ..does(
            "docker.io/kiamol/ch13-elasticsearch",
            300,
            &["/usr/share/elasticsearch/bin/elasticsearch"],
            &[&s::ELASTICSEARCH],
        )
    },
    does("docker.io/kiamol/ch13-kibana", 300, &["/usr/share/kibana/bin/kibana", "--allow-root"], &[&KIBANA]),
    does("docker.io/kiamol/ch14-access-log", 45, &["node", "server.js"], &[&ACCESS_LOG]),
    does("docker.io/kiamol/ch14-image-gallery", 10, &["/web/server"], &[&GALLERY]),
    Image {
        tools: Tools::Debian,
        ..runs(
            "docker.io/kiamol/ch14-image-of-the-day",
            110,
            &["java", "-jar", "/app/iotd-service-0.1.0.jar"],
            &[&IMAGE_OF_THE_DAY],
        )
    },
    Image {
        tools: Tools::Debian,
        ..does("docker.io/kiamol/ch16-admission-webhook", 70, &["node", "server.js"], &[&ADMISSION])
    },
    runs("docker.io/kiamol/ch17-kube-explorer", 50, &["dotnet", "KubeExplorer.dll"], &[&EXPLORER]),
    Image { extra: &["curl", "git", "jq", "kubectl"], ..does("docker.io/kiamol/ch17-rbac-tools", 60, SLEEP, &[]) },
    Image {
        tools: Tools::Debian,
        extra: &["stress"],
        env: &[
            ("MEMORY_STRESS_MB", "50"),
            ("MEMORY_STRESS_FACTOR", ""),
            ("STRESS_HANG", "3540"),
            ("STRESS_TIMEOUT", "3600"),
        ],
        ..does(
            "docker.io/kiamol/ch19-stress",
            30,
            &[
                "/bin/sh",
                "-c",
                "free=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo); take=$MEMORY_STRESS_MB\n\
                 if [ -n \"$MEMORY_STRESS_FACTOR\" ]; then take=$(awk \"BEGIN {print int($free * $MEMORY_STRESS_FACTOR)}\"); fi\n\
                 echo '----------------'; echo \"Memory available: ${free}M\"; echo \"Stress factor: $MEMORY_STRESS_FACTOR\"\n\
                 echo \"Stressing memory: ${take}M\"; echo '----------------'\n\
                 exec stress -q --vm 1 --vm-bytes ${take}M --vm-hang $STRESS_HANG -t $STRESS_TIMEOUT",
            ],
            &[],
        )
    },
    runs("docker.io/kiamol/ch20-timecheck-controller", 45, &["dotnet", "TimecheckController.dll"], &[&CONTROLLER]),
    runs("docker.io/kiamol/ch20-user-controller", 45, &["dotnet", "UserController.dll"], &[&CONTROLLER]),
    runs(
        "docker.io/kiamol/ch20-wpo-pinger-controller",
        45,
        &["dotnet", "WebPingOperator.WebPingerController.dll"],
        &[&PINGER],
    ),
    runs(
        "docker.io/kiamol/ch20-wpo-archive-controller",
        45,
        &["dotnet", "WebPingOperator.WebPingerArchiveController.dll"],
        &[&PINGER_ARCHIVE],
    ),
    Image {
        tools: Tools::Debian,
        ..runs("docker.io/kiamol/ch20-todo-list", 80, &["dotnet", "ToDoList.dll"], &[&TASKS])
    },
    Image {
        tools: Tools::Debian,
        ..runs("docker.io/kiamol/ch20-todo-save-handler", 70, &["dotnet", "ToDoList.SaveHandler.dll"], &[&HANDLER])
    },
    Image {
        extra: &["curl"],
        env: &[("WEB_PING_URL", "http://web-ping-api:8080/archive")],
        ..does("docker.io/kiamol/ch20-web-ping-archiver", 5, &["/bin/sh", "-c", "curl -s $WEB_PING_URL"], &[])
    },
    does("docker.io/kiamol/ch21-todo-api", 30, &["node", "/app/server.js"], &[&TASKS_API]),
    Image {
        tools: Tools::Debian,
        extra: &["curl", "git", "kubectl"],
        ..does("docker.io/kiamol/ch21-kubeless-cli", 350, WITH_KUBECTL, &[])
    },
    Image {
        tools: Tools::Debian,
        extra: &["curl", "git", "kubectl"],
        ..does("docker.io/kiamol/ch21-serverless-cli", 350, WITH_KUBECTL, &[])
    },
];
