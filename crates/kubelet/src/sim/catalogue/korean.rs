//! Images of Korean books and courses: sysnet4admin's lectures and book of Kubernetes, and subicura's guide.

use super::samples::script;
use super::servers::{self as s, server};
use super::table::{NGINX_CMD, NGINX_CONFIG, serves};
use super::{ANY, Http, Image, Server, Tools};
use Http::{Always, Hostname, No};

/// nginx of Alpine, with bash, whose only server is this one.
const fn nginx(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Image {
    Image { extra: &["bash"], files, ..serves(name, 8, Tools::Busybox, ANY, NGINX_CMD, s::JUST_NGINX) }
}

const DEFAULT: &str = "/etc/nginx/conf.d/default.conf";
const INDEX: &str = "/usr/share/nginx/html/index.html";

const HOSTNAME: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (
        DEFAULT,
        "server {\n    listen       80;\n    listen       443 ssl;\n    server_name  localhost;\n    location / {\n        \
         default_type text/html;\n        return 200 '$hostname\\n';\n    }\n}\n",
    ),
];
const ADDRESS: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (
        DEFAULT,
        "server {\n    listen       80;\n    listen       443 ssl;\n    server_name  localhost;\n    location / {\n        \
         default_type text/html;\n        return 200 'request_method : $request_method | ip_dest: $server_addr\\n';\n    }\n}\n",
    ),
];
/// The log of requests is a file, which several pods may share.
const AUDIT: &[(&str, &str)] = &[
    NGINX_CONFIG,
    ("/audit/.keep", ""),
    (
        DEFAULT,
        "log_format audit '$time_local  $server_addr  $request_method';\nserver {\n    listen 80;\n    server_name localhost;\n    \
         access_log /audit/audit_$hostname.log audit;\n    location / {\n        default_type text/html;\n        return 200 \
         'pod_n: $hostname | ip_dest: $server_addr\\n';\n    }\n}\n",
    ),
];
const INFO: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (
        DEFAULT,
        "server {\n    listen 80 default_server;\n    server_name app_server;\n    location / {\n        default_type text/html;\n        \
         return 200 '<title>Check NGINX Information</title>\\n<p>Server name: $hostname</p>\\n<p>Server address: \
         $server_addr:$server_port</p>\\n<p>User Agent: $http_user_agent</p>\\n<p>Date: $time_local</p>\\n<p>NGINX Frontend \
         Load Balancer IP: $remote_addr:$remote_port</p>\\n<p>NGINX Version: $nginx_version</p>\\n';\n    }\n}\n",
    ),
];
const HEALTHZ: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (
        "/usr/share/nginx/html/healthz",
        "<details>\n  <summary>System Status</summary>\n  <p>It is looking good.\n     HTTP ready to service. </p>\n</details>\n",
    ),
    (
        DEFAULT,
        "server {\n    listen 80 default_server;\n    server_name app_server;\n    location /healthz {\n        add_header purpose \
         health-check;\n    }\n    root /usr/share/nginx/html;\n    index healthz index.html;\n    expires -1;\n}\n",
    ),
];
const HELLO_1: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (INDEX, "hello-v1\n"),
    (
        DEFAULT,
        "server {\n    listen 80 default_server;\n    server_name app_server;\n    root /usr/share/nginx/html;\n    index \
         index.html;\n    expires -1;\n    location /v1 {\n        return 200 \"hello-v1 (URI: /v1)\\n\";\n    }\n}\n",
    ),
];
const HELLO_2: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (INDEX, "hello-v2\n"),
    (
        DEFAULT,
        "server {\n    listen 80 default_server;\n    server_name app_server;\n    root /usr/share/nginx/html;\n    index \
         index.html;\n    expires -1;\n    location /v2 {\n        return 200 \"hello-v2 (URI: /v2)\\n\";\n    }\n}\n",
    ),
];
const TARDY: &[(&str, &str)] = &[
    NGINX_CONFIG,
    (INDEX, "tardy again\n"),
    (DEFAULT, "server {\n    listen 80;\n    root /usr/share/nginx/html;\n    index index.html index.htm;\n}\n"),
];
/// Whether an address answers with 200, as a line of the log.
const CURLCHK: &str = "#!/bin/bash\nHTTP_CODE=$(curl -s -o /dev/null -w \"%{http_code}\" $1)\n\nif [ \"$HTTP_CODE\" = \"200\" ]; \
     then\n  echo \"`date`  Okay [$1] is working properly\" >> /var/log/curl.log\nelse\n  echo \"`date`  NOOO [$1] is not \
     working on\" >> /var/log/curl.log\nfi\n";
const NET_TOOLS: &[&str] = &["bash", "curl", "curlchk", "jq", "dig", "host", "nslookup"];

static HTTP_ECHO: Server = server("nginx", &[80], Http::Echo, &[]);
static DASHBOARD: Server =
    Server { memory_mib: 40, ..server("node", &[3000], Always("<title>Dashboard</title>"), &[]) };
static ECHO: Server = Server { memory_mib: 20, ready_ms: 300, ..server("node", &[3000], Hostname, &[]) };
/// How often it was asked, which it keeps in Redis: here always for the first time.
static COUNTER: Server = Server { memory_mib: 20, ready_ms: 300, ..server("node", &[3000], Always("1"), &[]) };
static COUNTER_4567: Server = Server { memory_mib: 20, ready_ms: 800, ..server("ruby", &[4567], Always("1"), &[]) };
static WHOAMI_2: Server =
    Server { memory_mib: 20, ready_ms: 800, ..server("ruby", &[4567], Always("v2 - {host}"), &[]) };
static WHOAMI: Server = Server { memory_mib: 20, ready_ms: 800, ..server("ruby", &[4567], Hostname, &[]) };
static VOTE: Server = Server { memory_mib: 40, ..server("gunicorn", &[80], Always("Cats vs Dogs!"), &[]) };
static RESULT: Server = Server { memory_mib: 40, ..server("node", &[80], Always("Cats vs Dogs -- Result"), &[]) };
static WORKER: Server = Server { memory_mib: 40, ..server("dotnet", &[], No, &[]) };

pub static KOREAN: &[Image] = &[
    nginx("docker.io/sysnet4admin/echo-hname", HOSTNAME),
    nginx("docker.io/sysnet4admin/chk-hn", HOSTNAME),
    nginx("docker.io/sysnet4admin/echo-ip", ADDRESS),
    nginx("docker.io/sysnet4admin/chk-ip", ADDRESS),
    nginx("docker.io/sysnet4admin/chk-info", INFO),
    nginx("docker.io/sysnet4admin/audit-trail", AUDIT),
    nginx("docker.io/sysnet4admin/chk-log", AUDIT),
    nginx("docker.io/sysnet4admin/healthz-nginx", HEALTHZ),
    Image { tags: &["latest", "v1"], versions: &[], ..nginx("docker.io/sysnet4admin/hello", HELLO_1) },
    Image { tags: &["v2"], versions: &[], ..nginx("docker.io/sysnet4admin/hello", HELLO_2) },
    // It is a minute late: its file says when it is well.
    Image {
        cmd: &[
            "/bin/sh",
            "-c",
            "echo \"deep sleep\"; sleep 60; touch /tmp/healthy-on && exec nginx -g \"daemon off;\"",
        ],
        ..nginx("docker.io/sysnet4admin/tardy-nginx", TARDY)
    },
    Image {
        cmd: &["nginx", "-g", "daemon off;"],
        env: &[("ECHO_TEXT", "hello from http-echo"), ("ECHO_PORT", "80")],
        servers: &[&HTTP_ECHO],
        ..script("docker.io/sysnet4admin/http-echo", 6, &[])
    },
    Image {
        cmd: &["/bin/sh"],
        extra: NET_TOOLS,
        files: &[("/usr/local/bin/curlchk", CURLCHK)],
        ..script("docker.io/sysnet4admin/net-tools", 20, &[])
    },
    Image {
        extra: NET_TOOLS,
        files: &[("/usr/local/bin/curlchk", CURLCHK)],
        ..script("docker.io/sysnet4admin/net-tools-ifn", 20, &["sleep", "infinity"])
    },
    Image { extra: &["bash"], ..script("docker.io/sysnet4admin/sleepy", 6, &["sleep", "infinity"]) },
    Image { cmd: &["/bin/sh"], extra: &["kustomize"], ..script("docker.io/sysnet4admin/kustomize", 10, &[]) },
    Image {
        tags: &["blue", "green", "canary-v1", "canary-v2"],
        versions: &[],
        cmd: &["node", "server.js"],
        servers: &[&DASHBOARD],
        ..script("docker.io/sysnet4admin/dashboard", 60, &[])
    },
    Image { cmd: &["node", "app.js"], servers: &[&ECHO], ..script("ghcr.io/subicura/echo", 45, &[]) },
    Image { cmd: &["node", "app.js"], servers: &[&COUNTER], ..script("ghcr.io/subicura/counter", 45, &[]) },
    Image {
        tags: &["latest", "1"],
        versions: &[],
        cmd: &["ruby", "app.rb"],
        servers: &[&WHOAMI],
        ..script("docker.io/subicura/whoami", 60, &[])
    },
    Image {
        tags: &["2"],
        versions: &[],
        cmd: &["ruby", "app.rb"],
        servers: &[&WHOAMI_2],
        ..script("docker.io/subicura/whoami", 60, &[])
    },
    Image { cmd: &["ruby", "app.rb"], servers: &[&COUNTER_4567], ..script("docker.io/subicura/whoami-redis", 60, &[]) },
    Image { cmd: &["gunicorn"], servers: &[&VOTE], ..script("ghcr.io/subicura/voting/vote", 50, &[]) },
    Image { cmd: &["node", "server.js"], servers: &[&RESULT], ..script("ghcr.io/subicura/voting/result", 80, &[]) },
    Image { cmd: &["dotnet", "Worker.dll"], servers: &[&WORKER], ..script("ghcr.io/subicura/voting/worker", 80, &[]) },
];
