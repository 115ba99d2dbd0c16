//! The table of images. Sizes are the compressed ones of linux/amd64, roughly, in MB.

use super::servers as s;
use super::{ANY, Image, Server, Tools};

const fn image(name: &'static str, size_mb: u32, tools: Tools, versions: &'static [(u32, u32, u32)]) -> Image {
    Image {
        name,
        tags: &["latest"],
        versions,
        size_mb,
        tools,
        extra: &[],
        entrypoint: &[],
        cmd: &[],
        servers: &[],
        env: &[],
        files: &[],
    }
}

/// An image whose program is a server.
pub(super) const fn serves(
    name: &'static str,
    size_mb: u32,
    tools: Tools,
    versions: &'static [(u32, u32, u32)],
    cmd: &'static [&'static str],
    servers: &'static [&'static Server],
) -> Image {
    Image { entrypoint: &["docker-entrypoint.sh"], cmd, servers, ..image(name, size_mb, tools, versions) }
}

const NGINX_PAGE: (&str, &str) = (
    "/usr/share/nginx/html/index.html",
    "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
     <h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is successfully installed and\n\
     working. Further configuration is required.</p>\n<p><em>Thank you for using nginx.</em></p>\n</body>\n</html>\n",
);
/// The stock configuration of nginx' images; until 1.20 with one worker.
macro_rules! nginx_conf {
    ($workers:literal, $level:literal, $pid:literal) => {
        concat!(
            "\nuser  nginx;\nworker_processes  ", $workers, ";\n\nerror_log  /var/log/nginx/error.log ", $level,
            ";\npid        ", $pid, ";\n\n\nevents {\n    worker_connections  1024;\n}\n\n\nhttp {\n    include       \
             /etc/nginx/mime.types;\n    default_type  application/octet-stream;\n\n    log_format  main  '$remote_addr - \
             $remote_user [$time_local] \"$request\" '\n                      '$status $body_bytes_sent \"$http_referer\" \
             '\n                      '\"$http_user_agent\" \"$http_x_forwarded_for\"';\n\n    access_log  \
             /var/log/nginx/access.log  main;\n\n    sendfile        on;\n    #tcp_nopush     on;\n\n    keepalive_timeout  \
             65;\n\n    #gzip  on;\n\n    include /etc/nginx/conf.d/*.conf;\n}\n"
        )
    };
}
pub(super) const NGINX_CONFIG: (&str, &str) =
    ("/etc/nginx/nginx.conf", nginx_conf!("auto", "notice", "/run/nginx.pid"));
const OLD_NGINX_CONFIG: (&str, &str) = ("/etc/nginx/nginx.conf", nginx_conf!("1", "warn", "/var/run/nginx.pid"));
pub(super) const NGINX_DEFAULT: (&str, &str) = (
    "/etc/nginx/conf.d/default.conf",
    "server {\n    listen       80;\n    listen  [::]:80;\n    server_name  localhost;\n\n    #access_log  \
     /var/log/nginx/host.access.log  main;\n\n    location / {\n        root   /usr/share/nginx/html;\n        index  \
     index.html index.htm;\n    }\n\n    #error_page  404              /404.html;\n\n    # redirect server error pages to \
     the static page /50x.html\n    #\n    error_page   500 502 503 504  /50x.html;\n    location = /50x.html {\n        root \
     /usr/share/nginx/html;\n    }\n}\n",
);
const NGINX_ERRORS: (&str, &str) = ("/usr/share/nginx/html/50x.html", "An error occurred.\n");
const NGINX_INDEX: &[(&str, &str)] = &[NGINX_PAGE, NGINX_ERRORS, NGINX_CONFIG, NGINX_DEFAULT];
const OLD_NGINX_INDEX: &[(&str, &str)] = &[NGINX_PAGE, NGINX_ERRORS, OLD_NGINX_CONFIG, NGINX_DEFAULT];
const HELLO_FRONTEND: &[(&str, &str)] = &[
    NGINX_PAGE,
    NGINX_ERRORS,
    OLD_NGINX_CONFIG,
    (
        "/etc/nginx/conf.d/default.conf",
        "# The identifier Backend is internal to nginx, and used to name this specific upstream\nupstream Backend {\n    # hello \
         is the internal DNS name used by the backend Service inside Kubernetes\n    server hello;\n}\n\nserver {\n    listen \
         80;\n\n    location / {\n        # The following statement will proxy traffic to the upstream named Backend\n        \
         proxy_pass http://Backend;\n    }\n}\n",
    ),
];
const NGINX_UNPRIVILEGED: &[(&str, &str)] = &[
    NGINX_PAGE,
    NGINX_CONFIG,
    ("/etc/nginx/conf.d/default.conf", "server {\n    listen 8080;\n    root /usr/share/nginx/html;\n}\n"),
];
const NGINX_WITH_TLS: &[(&str, &str)] = &[
    NGINX_PAGE,
    NGINX_CONFIG,
    (
        "/etc/nginx/conf.d/default.conf",
        "server {\n    listen 80;\n    listen 443 ssl;\n    root /usr/share/nginx/html;\n}\n",
    ),
];
const HTTPD_INDEX: &[(&str, &str)] =
    &[("/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n")];
pub(super) const NGINX_CMD: &[&str] = &["nginx", "-g", "daemon off;"];
const NGINX_VERSIONS: &[(u32, u32, u32)] = &[(1, 21, 29)];
const OLD_NGINX_VERSIONS: &[(u32, u32, u32)] = &[(1, 7, 20)];
const BUSYBOX_VERSIONS: &[(u32, u32, u32)] = &[(1, 24, 38)];

pub static IMAGES: &[Image] = &[
    Image {
        tags: &["latest", "stable", "mainline", "alpine", "stable-alpine", "mainline-alpine"],
        extra: &["curl"],
        files: NGINX_INDEX,
        ..serves("docker.io/library/nginx", 72, Tools::Debian, NGINX_VERSIONS, NGINX_CMD, &[&s::NGINX])
    },
    Image {
        extra: &["curl"],
        files: OLD_NGINX_INDEX,
        ..serves("docker.io/library/nginx", 72, Tools::Debian, OLD_NGINX_VERSIONS, NGINX_CMD, &[&s::NGINX])
    },
    Image {
        files: NGINX_UNPRIVILEGED,
        ..serves("docker.io/nginxinc/nginx-unprivileged", 72, Tools::Debian, NGINX_VERSIONS, NGINX_CMD, &[&s::NGINX])
    },
    Image {
        tags: &["latest"],
        extra: &["curl"],
        files: NGINX_INDEX,
        ..serves("registry.k8s.io/nginx-slim", 57, Tools::Debian, &[(0, 1, 28)], NGINX_CMD, &[&s::NGINX])
    },
    Image {
        tags: &["1.14-1", "1.14-2", "1.14-4", "1.15-4"],
        files: NGINX_INDEX,
        ..serves("registry.k8s.io/e2e-test-images/nginx", 51, Tools::Debian, &[], NGINX_CMD, &[&s::NGINX])
    },
    Image {
        tags: &["2.4.38-1", "2.4.38-2", "2.4.38-4", "2.4.39-4"],
        files: HTTPD_INDEX,
        ..serves("registry.k8s.io/e2e-test-images/httpd", 41, Tools::Debian, &[], &["httpd"], &[&s::HTTPD])
    },
    Image {
        tags: &["latest", "alpine", "bookworm"],
        files: HTTPD_INDEX,
        ..serves("docker.io/library/httpd", 58, Tools::Debian, &[(2, 2, 4)], &["httpd"], &[&s::HTTPD])
    },
    Image {
        tags: &["latest", "alpine"],
        extra: &["redis-cli"],
        ..serves(
            "docker.io/library/redis",
            45,
            Tools::Debian,
            &[(2, 6, 8), (3, 0, 2), (4, 0, 0), (5, 0, 0), (6, 0, 2), (7, 0, 4), (8, 0, 12)],
            &["redis-server"],
            &[&s::REDIS],
        )
    },
    Image {
        tags: &["e2e", "v1", "latest"],
        ..serves("registry.k8s.io/redis", 142, Tools::Debian, &[], &["redis-server"], &[&s::REDIS])
    },
    Image {
        tags: &["v1", "v2", "v3"],
        ..serves("gcr.io/google-samples/gb-redisslave", 45, Tools::Debian, &[], &["redis-server"], &[&s::REDIS])
    },
    serves("docker.io/kubernetes/redis", 45, Tools::Debian, &[(1, 0, 0)], &["redis-server"], &[&s::REDIS]),
    Image {
        tags: &["v1", "v2", "v3"],
        ..serves(
            "gcr.io/google-samples/gb-redis-follower",
            45,
            Tools::Debian,
            &[(2, 0, 0)],
            &["redis-server"],
            &[&s::REDIS],
        )
    },
    Image {
        tags: &["v1", "v2", "v3"],
        ..serves(
            "us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower",
            45,
            Tools::Debian,
            &[],
            &["redis-server"],
            &[&s::REDIS],
        )
    },
    Image {
        tags: &["latest", "stable", "musl", "glibc", "uclibc"],
        cmd: &["sh"],
        ..image("docker.io/library/busybox", 2, Tools::Busybox, BUSYBOX_VERSIONS)
    },
    Image { cmd: &["sh"], ..image("registry.k8s.io/busybox", 1, Tools::Busybox, BUSYBOX_VERSIONS) },
    Image {
        tags: &["1.29-1", "1.29-2", "1.29-4", "1.36.1-1"],
        cmd: &["sh"],
        ..image("registry.k8s.io/e2e-test-images/busybox", 1, Tools::Busybox, &[])
    },
    Image {
        tags: &["latest", "edge"],
        cmd: &["/bin/sh"],
        ..image("docker.io/library/alpine", 4, Tools::Busybox, &[(3, 8, 23)])
    },
    Image {
        tags: &["latest", "noble", "jammy", "focal", "rolling"],
        cmd: &["/bin/bash"],
        ..image(
            "docker.io/library/ubuntu",
            30,
            Tools::Debian,
            &[(14, 4, 10), (16, 4, 10), (18, 4, 10), (20, 4, 10), (22, 4, 10), (24, 4, 10), (26, 4, 4)],
        )
    },
    Image {
        tags: &["latest", "stable", "stable-slim", "bookworm", "bookworm-slim", "bullseye", "trixie", "sid"],
        cmd: &["bash"],
        ..image(
            "docker.io/library/debian",
            49,
            Tools::Debian,
            &[(9, 0, 13), (10, 0, 13), (11, 0, 11), (12, 0, 12), (13, 0, 3)],
        )
    },
    Image {
        cmd: &["/bin/bash"],
        ..image("docker.io/library/centos", 76, Tools::Debian, &[(6, 0, 10), (7, 0, 9), (8, 0, 4)])
    },
    Image {
        cmd: &["/bin/bash"],
        ..image(
            "docker.io/library/fedora",
            60,
            Tools::Debian,
            &[(38, 0, 0), (39, 0, 0), (40, 0, 0), (41, 0, 0), (42, 0, 0), (43, 0, 0)],
        )
    },
    Image {
        cmd: &["bash"],
        extra: &["bash"],
        ..image("docker.io/library/bash", 7, Tools::Busybox, &[(4, 0, 4), (5, 0, 3)])
    },
    Image {
        cmd: &["/hello"],
        servers: &[],
        extra: &["/hello"],
        tags: &["latest", "linux"],
        ..image("docker.io/library/hello-world", 1, Tools::None, &[])
    },
    Image {
        extra: &["mysql", "mysqladmin"],
        ..serves(
            "docker.io/library/mysql",
            170,
            Tools::Debian,
            &[(5, 5, 7), (8, 0, 4), (9, 0, 4)],
            &["mysqld"],
            &[&s::MYSQL],
        )
    },
    Image {
        extra: &["mariadb", "mariadb-admin", "mysql", "mysqladmin", "healthcheck.sh"],
        ..serves(
            "docker.io/library/mariadb",
            120,
            Tools::Debian,
            &[(10, 0, 11), (11, 0, 8), (12, 0, 1)],
            &["mariadbd"],
            &[&s::MARIADB],
        )
    },
    Image {
        extra: &["psql", "pg_isready"],
        ..serves(
            "docker.io/library/postgres",
            150,
            Tools::Debian,
            &[
                (9, 3, 6),
                (10, 0, 23),
                (11, 0, 22),
                (12, 0, 22),
                (13, 0, 22),
                (14, 0, 19),
                (15, 0, 14),
                (16, 0, 10),
                (17, 0, 6),
                (18, 0, 1),
            ],
            &["postgres"],
            &[&s::POSTGRES],
        )
    },
    Image {
        extra: &["mongo", "mongosh"],
        ..serves(
            "docker.io/library/mongo",
            260,
            Tools::Debian,
            &[(3, 0, 6), (4, 0, 4), (5, 0, 0), (6, 0, 0), (7, 0, 0), (8, 0, 2)],
            &["mongod"],
            &[&s::MONGO],
        )
    },
    serves("docker.io/library/memcached", 32, Tools::Debian, &[(1, 4, 6)], &["memcached"], &[&s::MEMCACHED]),
    Image {
        extra: &["rabbitmq-diagnostics", "rabbitmqctl"],
        ..serves(
            "docker.io/library/rabbitmq",
            105,
            Tools::Debian,
            &[(3, 6, 13), (4, 0, 2)],
            &["rabbitmq-server"],
            &[&s::RABBITMQ],
        )
    },
    Image {
        extra: &["nodetool", "cqlsh"],
        ..serves(
            "docker.io/library/cassandra",
            150,
            Tools::Debian,
            &[(3, 0, 11), (4, 0, 1), (5, 0, 0)],
            &["cassandra"],
            &[&s::CASSANDRA],
        )
    },
    Image {
        tags: &["v12", "v13", "v14", "latest"],
        extra: &["nodetool", "/ready-probe.sh"],
        ..serves("gcr.io/google-samples/cassandra", 140, Tools::Debian, &[], &["cassandra"], &[&s::CASSANDRA])
    },
    serves("docker.io/library/zookeeper", 130, Tools::Debian, &[(3, 4, 9)], &["zkServer.sh"], &[&s::ZOOKEEPER]),
    Image {
        tags: &["1.0-3.4.10"],
        extra: &["zookeeper-ready"],
        ..serves(
            "registry.k8s.io/kubernetes-zookeeper",
            130,
            Tools::Debian,
            &[],
            &["zkServer.sh"],
            &[&s::ZOOKEEPER, &s::START_ZOOKEEPER],
        )
    },
    serves(
        "docker.io/library/wordpress",
        220,
        Tools::Debian,
        &[(4, 8, 9), (5, 0, 9), (6, 0, 8)],
        &["apache2-foreground"],
        &[&s::APACHE],
    ),
    Image {
        cmd: &["node"],
        extra: &["node", "npm", "curl", "wget"],
        tags: &["latest", "lts", "current", "alpine", "slim", "lts-alpine", "lts-slim"],
        ..image(
            "docker.io/library/node",
            370,
            Tools::Debian,
            &[(14, 0, 21), (16, 0, 20), (18, 0, 20), (20, 0, 19), (22, 0, 20), (24, 0, 9)],
        )
    },
    Image {
        cmd: &["python3"],
        extra: &["python", "python3", "pip", "curl", "wget"],
        tags: &["latest", "slim", "alpine"],
        ..image("docker.io/library/python", 360, Tools::Debian, &[(2, 7, 7), (3, 6, 14)])
    },
    Image {
        cmd: &["bash"],
        extra: &["go", "curl", "wget"],
        tags: &["latest", "alpine"],
        ..image("docker.io/library/golang", 290, Tools::Debian, &[(1, 13, 25)])
    },
    Image {
        cmd: &["perl", "-de0"],
        extra: &["perl", "curl", "wget"],
        tags: &["latest", "slim"],
        ..image("docker.io/library/perl", 330, Tools::Debian, &[(5, 30, 42)])
    },
    Image {
        cmd: &["irb"],
        extra: &["ruby", "curl", "wget"],
        ..image("docker.io/library/ruby", 330, Tools::Debian, &[(2, 5, 7), (3, 0, 4)])
    },
    Image {
        cmd: &["jshell"],
        extra: &["java"],
        ..image("docker.io/library/openjdk", 250, Tools::Debian, &[(8, 0, 0), (11, 0, 0), (17, 0, 0), (21, 0, 0)])
    },
    Image {
        tags: &["latest", "test"],
        entrypoint: &["/pause"],
        servers: &[&s::PAUSE],
        ..image("registry.k8s.io/pause", 1, Tools::None, &[(0, 8, 8), (1, 0, 0), (2, 0, 0), (3, 0, 10)])
    },
    Image {
        extra: &["/agnhost", "curl", "dig", "host", "netexec"],
        entrypoint: &["/agnhost"],
        cmd: &["pause"],
        servers: &[&s::AGNHOST],
        ..image("registry.k8s.io/e2e-test-images/agnhost", 50, Tools::Busybox, &[(2, 0, 57)])
    },
    Image {
        entrypoint: &["/server"],
        servers: &[&s::LIVENESS],
        ..image("registry.k8s.io/liveness", 2, Tools::None, &[])
    },
    Image {
        entrypoint: &["/server"],
        servers: &[&s::LIVENESS],
        tags: &["1.1", "latest"],
        ..image("registry.k8s.io/e2e-test-images/liveness", 2, Tools::None, &[])
    },
    Image {
        entrypoint: &["/serve_hostname"],
        servers: &[&s::SERVE_HOSTNAME],
        tags: &["latest", "v1.3", "v1.4"],
        ..image("registry.k8s.io/serve_hostname", 4, Tools::None, &[(1, 0, 4)])
    },
    Image {
        entrypoint: &["echoserver"],
        servers: &[&s::ECHOSERVER],
        ..image("registry.k8s.io/echoserver", 44, Tools::Debian, &[(1, 0, 10)])
    },
    Image {
        entrypoint: &["echoserver"],
        servers: &[&s::ECHOSERVER],
        ..image("registry.k8s.io/e2e-test-images/echoserver", 44, Tools::Debian, &[(2, 0, 5)])
    },
    Image {
        entrypoint: &["apache2-foreground"],
        servers: &[&s::HPA_EXAMPLE],
        ..image("registry.k8s.io/hpa-example", 180, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["etcd"],
        servers: &[&s::ETCD],
        extra: &["etcdctl"],
        tags: &["3.5.1-0", "3.5.9-0", "3.5.15-0", "3.5.16-0", "3.6.4-0", "3.6.5-0", "3.6.6-0"],
        ..image("registry.k8s.io/etcd", 55, Tools::None, &[(3, 4, 6)])
    },
    Image {
        entrypoint: &["/metrics-server"],
        servers: &[&s::METRICS],
        ..image("registry.k8s.io/metrics-server/metrics-server", 20, Tools::None, &[(0, 5, 8)])
    },
    Image {
        entrypoint: &["/coredns"],
        servers: &[&s::COREDNS],
        ..image("registry.k8s.io/coredns/coredns", 20, Tools::None, &[(1, 8, 14)])
    },
    Image {
        entrypoint: &["/nginx-ingress-controller"],
        servers: &[&s::INGRESS],
        ..image("registry.k8s.io/ingress-nginx/controller", 110, Tools::Busybox, &[(1, 0, 14)])
    },
    Image {
        entrypoint: &["./hello-app"],
        servers: &[&s::HELLO_1],
        tags: &["1.0", "latest"],
        ..image("gcr.io/google-samples/hello-app", 11, Tools::Busybox, &[])
    },
    Image {
        entrypoint: &["./hello-app-2"],
        servers: &[&s::HELLO_2],
        tags: &["2.0"],
        ..image("gcr.io/google-samples/hello-app", 11, Tools::Busybox, &[])
    },
    Image {
        entrypoint: &["./hello-app"],
        servers: &[&s::HELLO_1],
        tags: &["1.0", "latest"],
        ..image("us-docker.pkg.dev/google-samples/containers/gke/hello-app", 11, Tools::Busybox, &[])
    },
    Image {
        entrypoint: &["./hello-app-2"],
        servers: &[&s::HELLO_2],
        tags: &["2.0"],
        ..image("us-docker.pkg.dev/google-samples/containers/gke/hello-app", 11, Tools::Busybox, &[])
    },
    Image {
        entrypoint: &["node-hello"],
        servers: &[&s::NODE_HELLO],
        tags: &["1.0", "latest"],
        ..image("gcr.io/google-samples/node-hello", 240, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["bootcamp"],
        servers: &[&s::BOOTCAMP_1],
        tags: &["v1"],
        extra: &["curl"],
        ..image("gcr.io/google-samples/kubernetes-bootcamp", 80, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["bootcamp"],
        servers: &[&s::BOOTCAMP_2],
        tags: &["v2"],
        extra: &["curl"],
        ..image("gcr.io/google-samples/kubernetes-bootcamp", 80, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["bootcamp"],
        servers: &[&s::BOOTCAMP_1],
        tags: &["v1"],
        extra: &["curl"],
        ..image("docker.io/jocatalin/kubernetes-bootcamp", 80, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["bootcamp"],
        servers: &[&s::BOOTCAMP_2],
        tags: &["v2"],
        extra: &["curl"],
        ..image("docker.io/jocatalin/kubernetes-bootcamp", 80, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["apache2-foreground"],
        servers: &[&s::FRONTEND],
        tags: &["v3", "v4", "v5", "v6"],
        ..image("gcr.io/google-samples/gb-frontend", 320, Tools::Debian, &[])
    },
    Image {
        entrypoint: &["apache2-foreground"],
        servers: &[&s::FRONTEND],
        tags: &["v3", "v4", "v5", "v6"],
        ..image("us-docker.pkg.dev/google-samples/containers/gke/gb-frontend", 320, Tools::Debian, &[])
    },
    Image {
        tags: &["1.0"],
        extra: &["install", "peer-finder", "ncat", "xbstream", "xtrabackup", "mysql", "mysqladmin"],
        cmd: &["bash"],
        ..image("gcr.io/google-samples/xtrabackup", 90, Tools::Debian, &[])
    },
    serves("docker.io/fluent/fluentd", 20, Tools::Busybox, &[(0, 12, 14), (1, 0, 18)], &["fluentd"], &[&s::FLUENTD]),
    serves(
        "quay.io/fluentd_elasticsearch/fluentd",
        90,
        Tools::Debian,
        &[(2, 0, 9), (3, 0, 4), (4, 0, 3), (5, 0, 0)],
        &["fluentd"],
        &[&s::FLUENTD],
    ),
    serves(
        "registry.k8s.io/fluentd-elasticsearch",
        90,
        Tools::Debian,
        &[(1, 20, 30), (2, 0, 4)],
        &["fluentd"],
        &[&s::FLUENTD],
    ),
    serves("registry.k8s.io/fluentd-gcp", 90, Tools::Debian, &[(1, 30, 30)], &["fluentd"], &[&s::FLUENTD]),
    serves(
        "docker.io/library/traefik",
        45,
        Tools::Busybox,
        &[(1, 7, 7), (2, 0, 11), (3, 0, 5)],
        &["traefik"],
        &[&s::TRAEFIK],
    ),
    serves(
        "docker.io/library/elasticsearch",
        600,
        Tools::Debian,
        &[(1, 3, 7), (2, 0, 4), (5, 0, 6), (6, 4, 8), (7, 0, 17), (8, 0, 19)],
        &["elasticsearch"],
        &[&s::ELASTICSEARCH],
    ),
    serves("docker.io/apache/kafka", 200, Tools::Busybox, &[(3, 7, 9), (4, 0, 1)], &["kafka"], &[&s::KAFKA]),
    serves("docker.io/traefik/whoami", 3, Tools::None, &[(1, 0, 11)], &["/whoami"], &[&s::WHOAMI]),
    Image {
        extra: &["podcli"],
        ..serves("docker.io/stefanprodan/podinfo", 40, Tools::Busybox, ANY, &["./podinfo"], &[&s::PODINFO])
    },
    Image {
        extra: &["podcli"],
        ..serves("ghcr.io/stefanprodan/podinfo", 40, Tools::Busybox, ANY, &["./podinfo"], &[&s::PODINFO])
    },
    serves("docker.io/library/caddy", 20, Tools::Busybox, &[(2, 0, 10)], &["caddy"], &[&s::CADDY]),
    Image {
        tags: &["latest"],
        extra: &["stress", "/usr/bin/stress"],
        cmd: &["stress"],
        ..image("docker.io/polinux/stress", 4, Tools::Busybox, &[(1, 0, 0)])
    },
    Image {
        extra: &["stress-ng", "/usr/bin/stress-ng"],
        cmd: &["stress-ng"],
        ..image("docker.io/polinux/stress-ng", 8, Tools::Busybox, &[(0, 9, 20)])
    },
    Image {
        extra: &["stress", "/usr/bin/stress"],
        cmd: &["stress"],
        ..image("docker.io/jfusterm/stress", 4, Tools::Busybox, ANY)
    },
    Image {
        extra: &["/stress"],
        entrypoint: &["/stress", "-logtostderr"],
        ..image("docker.io/vish/stress", 2, Tools::None, &[])
    },
    Image {
        extra: &["curl"],
        entrypoint: &["/entrypoint.sh"],
        cmd: &["curl"],
        ..image("docker.io/curlimages/curl", 10, Tools::Busybox, &[(7, 60, 88), (8, 0, 17)])
    },
    Image {
        extra: &["curl"],
        cmd: &["/bin/sh"],
        tags: &["latest", "curl"],
        ..image("docker.io/radial/busyboxplus", 6, Tools::Busybox, &[])
    },
    Image {
        extra: &["curl", "dig", "host", "nslookup"],
        cmd: &["/bin/bash"],
        ..image("docker.io/nicolaka/netshoot", 160, Tools::Busybox, &[(0, 1, 13)])
    },
    Image {
        entrypoint: &["socat"],
        extra: &["socat"],
        ..image("docker.io/alpine/socat", 4, Tools::Busybox, &[(1, 7, 8)])
    },
    Image {
        entrypoint: &["/usr/bin/hello"],
        servers: &[&s::HELLO_GO],
        tags: &["1.0"],
        ..image("gcr.io/google-samples/hello-go-gke", 5, Tools::None, &[])
    },
    Image {
        tags: &["1.0"],
        files: HELLO_FRONTEND,
        ..serves("gcr.io/google-samples/hello-frontend", 44, Tools::Debian, &[], NGINX_CMD, &[&s::NGINX])
    },
    Image {
        tags: &["latest", "1.0", "1.5"],
        files: NGINX_WITH_TLS,
        ..serves("docker.io/bprashanth/nginxhttps", 60, Tools::Debian, &[], NGINX_CMD, &[&s::NGINX_HTTPS])
    },
    Image {
        tags: &["latest", "1.5"],
        files: NGINX_WITH_TLS,
        ..serves("docker.io/ymqytw/nginxhttps", 60, Tools::Debian, &[], NGINX_CMD, &[&s::NGINX_HTTPS])
    },
    Image {
        entrypoint: &["/http-echo"],
        servers: &[&s::HTTP_ECHO],
        tags: &["latest", "1.0"],
        ..image("docker.io/hashicorp/http-echo", 3, Tools::None, &[(0, 2, 2), (1, 0, 0)])
    },
    Image {
        entrypoint: &["/goproxy"],
        servers: &[&s::GOPROXY],
        tags: &["0.1"],
        ..image("registry.k8s.io/goproxy", 2, Tools::None, &[])
    },
    Image {
        extra: &["nslookup", "dig", "host"],
        cmd: &["sleep", "infinity"],
        tags: &["1.3", "latest"],
        ..image("registry.k8s.io/e2e-test-images/jessie-dnsutils", 110, Tools::Debian, &[(1, 0, 7)])
    },
];
