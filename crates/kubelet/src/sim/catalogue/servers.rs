//! Programs that listen: what they log, what they need, what they answer, what that takes them.

use meta::Duration;

/// How a server answers HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http {
    /// It speaks something else.
    No,
    /// Files below this directory; `index.html` for a directory.
    Files(&'static str),
    /// The same for every path; `{host}` is the pod's name.
    Always(&'static str),
    /// hello-app: the words, then `Version: X` and `Hostname: Y`.
    Hello(&'static str),
    /// The pod's name.
    Hostname,
    /// agnhost's subcommand decides.
    Agnhost,
    /// echoserver: the request, as nginx sees it.
    EchoServer,
    /// The request, as Go sees it.
    Whoami,
    /// The request, as Express sees it: ealen/echo-server's answer, or mendhak/http-https-echo's.
    EchoJson { ealen: bool },
    /// httpbin; `go`: mccutchen's.
    Bin { go: bool },
    /// http-echo: what `-text=` or `ECHO_TEXT` says.
    Echo,
    /// What its standard input held, once.
    Given,
    /// `/healthz` is well, nothing else is found.
    Healthz,
    /// Always this refusal.
    Status(u16),
    /// It speaks gRPC, with the health service.
    Grpc,
}

#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// The executable's name.
    pub program: &'static str,
    pub ports: &'static [u16],
    /// What it says at start; `{host}` is the pod's name, `{ip}` its address.
    pub log: &'static [&'static str],
    pub http: Http,
    /// One of these variables must be set...
    pub needs: &'static [&'static str],
    /// ...or it says this and exits with 1.
    pub needs_log: &'static [&'static str],
    /// From start to listening.
    pub ready_ms: u32,
    /// What it says on SIGTERM.
    pub term_log: &'static [&'static str],
    /// Its exit code then, and how long it takes to get there.
    pub term_code: i32,
    pub term_ms: u32,
    /// Memory it uses, in MiB: a limit below it means OOMKilled.
    pub memory_mib: u32,
    /// What it takes while nobody asks, in thousandths of a core.
    pub idle_milli: u32,
    /// Processor time for one answer.
    pub work_micros: u32,
}

/// Whether a program (without a slash before it) is one that the API server asks at that port: it lets everything pass.
pub fn answers_reviews(program: &str, port: u16) -> bool {
    const ASKED: &[(&str, u16)] = &[
        ("nginx-ingress-controller", 8443),
        ("app/cmd/webhook/webhook", 10250),
        ("controller", 9443),
        ("manager", 9443),
        ("manager", 8443),
        ("bin/operator", 8443),
        ("usr/local/bin/pilot-discovery", 15017),
        ("agnhost", 8443),
    ];
    ASKED.contains(&(program, port))
}

impl Server {
    pub fn work(&self) -> Duration {
        Duration::from_micros(u64::from(self.work_micros))
    }
}

pub(super) const fn server(
    program: &'static str,
    ports: &'static [u16],
    http: Http,
    log: &'static [&'static str],
) -> Server {
    Server {
        program,
        ports,
        log,
        http,
        needs: &[],
        needs_log: &[],
        ready_ms: 150,
        term_log: &[],
        term_code: 0,
        term_ms: 80,
        memory_mib: 4,
        idle_milli: 0,
        work_micros: 150,
    }
}

pub static NGINX: Server = Server {
    ..server(
        "nginx",
        &[80],
        Http::Files("/usr/share/nginx/html"),
        &[
            "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
            "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
            "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
            "/docker-entrypoint.sh: Sourcing /docker-entrypoint.d/15-local-resolvers.envsh",
            "/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
            "/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
            "/docker-entrypoint.sh: Configuration complete; ready for start up",
        ],
    )
};
/// For functions that make images.
pub(super) const JUST_NGINX: &[&Server] = &[&NGINX];
pub static HTTPD: Server = Server {
    term_log: &["{apache} [mpm_event:notice] [pid 1:tid 1] AH00491: caught SIGTERM, shutting down"],
    ..server(
        "httpd",
        &[80],
        Http::Files("/usr/local/apache2/htdocs"),
        &[
            "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {ip}. \
             Set the 'ServerName' directive globally to suppress this message",
            "{apache} [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4 (Unix) configured -- resuming normal operations",
            "{apache} [core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'",
        ],
    )
};
pub static APACHE: Server = Server { program: "apache2-foreground", http: Http::Always("<h1>WordPress</h1>"), ..HTTPD };
pub static REDIS: Server = Server {
    idle_milli: 1,
    term_log: &[
        "1:signal-handler Received SIGTERM scheduling shutdown...",
        "1:M # Redis is now ready to exit, bye bye...",
    ],
    ..server(
        "redis-server",
        &[6379],
        Http::No,
        &[
            "1:C * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
            "1:C * Redis version=7.2.5, bits=64, commit=00000000, modified=0, pid=1, just started",
            "1:C # Warning: no config file specified, using the default config. \
             In order to specify a config file use redis-server /path/to/redis.conf",
            "1:M * Running mode=standalone, port=6379.",
            "1:M * Server initialized",
            "1:M * Ready to accept connections tcp",
        ],
    )
};
pub static MYSQL: Server = Server {
    needs: &["MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD"],
    needs_log: &[
        "[Note] [Entrypoint]: Entrypoint script for MySQL Server 8.0 started.",
        "[Note] [Entrypoint]: Switching to dedicated user 'mysql'",
        "[Note] [Entrypoint]: Entrypoint script for MySQL Server 8.0 started.",
        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
        "    You need to specify one of the following as an environment variable:",
        "    - MYSQL_ROOT_PASSWORD",
        "    - MYSQL_ALLOW_EMPTY_PASSWORD",
        "    - MYSQL_RANDOM_ROOT_PASSWORD",
    ],
    ready_ms: 6_000,
    term_ms: 900,
    memory_mib: 350,
    idle_milli: 4,
    ..server(
        "mysqld",
        &[3306],
        Http::No,
        &[
            "[Note] [Entrypoint]: Entrypoint script for MySQL Server 8.0 started.",
            "[Note] [Entrypoint]: Initializing database files",
            "[Note] [Entrypoint]: Database files initialized",
            "[Note] [Entrypoint]: MySQL init process done. Ready for start up.",
            "[System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. \
             Version: '8.0.39'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.",
        ],
    )
};
pub static MARIADB: Server = Server {
    program: "mariadbd",
    needs: &[
        "MARIADB_ROOT_PASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
        "MYSQL_ALLOW_EMPTY_PASSWORD",
        "MARIADB_RANDOM_ROOT_PASSWORD",
        "MARIADB_ROOT_PASSWORD_HASH",
    ],
    needs_log: &[
        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
        "\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, \
         MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD",
    ],
    log: &[
        "[Note] mariadbd: ready for connections.",
        "Version: '11.4.3-MariaDB'  socket: '/run/mysqld/mysqld.sock'  port: 3306",
    ],
    memory_mib: 90,
    ready_ms: 3_000,
    ..MYSQL
};
pub static POSTGRES: Server = Server {
    needs: &["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD"],
    needs_log: &[
        "Error: Database is uninitialized and superuser password is not specified.",
        "       You must specify POSTGRES_PASSWORD to a non-empty value for the",
        "       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".",
        "",
        "       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all",
        "       connections without a password. This is *not* recommended.",
        "",
        "       See PostgreSQL documentation about \"trust\":",
        "       https://www.postgresql.org/docs/current/auth-trust.html",
    ],
    ready_ms: 2_500,
    term_log: &["{postgres} LOG:  received smart shutdown request", "{postgres} LOG:  database system is shut down"],
    memory_mib: 30,
    ..server(
        "postgres",
        &[5432],
        Http::No,
        &[
            "PostgreSQL init process complete; ready for start up.",
            "{postgres} LOG:  starting PostgreSQL 16.4 (Debian 16.4-1.pgdg120+1) on x86_64-pc-linux-gnu",
            "{postgres} LOG:  listening on IPv4 address \"0.0.0.0\", port 5432",
            "{postgres} LOG:  database system is ready to accept connections",
        ],
    )
};
pub static MONGO: Server = Server {
    ready_ms: 1_500,
    memory_mib: 60,
    idle_milli: 5,
    ..server(
        "mongod",
        &[27017],
        Http::No,
        &[
            "{\"c\":\"CONTROL\",\"msg\":\"MongoDB starting\",\"attr\":{\"pid\":1,\"port\":27017,\"host\":\"{host}\"}}",
            "{\"c\":\"NETWORK\",\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017,\"ssl\":\"off\"}}",
        ],
    )
};
pub static MEMCACHED: Server = server("memcached", &[11211], Http::No, &[]);
pub static RABBITMQ: Server = Server {
    ready_ms: 8_000,
    memory_mib: 120,
    idle_milli: 6,
    ..server(
        "rabbitmq-server",
        &[5672, 15672, 4369],
        Http::No,
        &["=INFO REPORT==== Starting RabbitMQ 3.13.7 on Erlang 26.2.5", " completed with 0 plugins."],
    )
};
pub static CASSANDRA: Server = Server {
    ready_ms: 20_000,
    memory_mib: 500,
    idle_milli: 25,
    term_code: 143,
    ..server(
        "cassandra",
        &[9042, 7000, 7199],
        Http::No,
        &["INFO  [main] Server.java - Starting listening for CQL clients on /0.0.0.0:9042 (unencrypted)..."],
    )
};
pub static ZOOKEEPER: Server = Server {
    ready_ms: 2_000,
    term_code: 143,
    memory_mib: 60,
    ..server(
        "zkServer.sh",
        &[2181, 2888, 3888, 8080],
        Http::No,
        &["ZooKeeper JMX enabled by default", "Using config: /conf/zoo.cfg"],
    )
};
/// `nc -l`.
pub static NETCAT: Server = server("nc", &[], Http::Given, &[]);
/// `ncat --listen`: it takes connections and speaks whatever its program does.
pub static NCAT: Server = server("ncat", &[], Http::No, &[]);
/// The documentation's ZooKeeper image, whose program writes its configuration first.
pub static START_ZOOKEEPER: Server = Server { program: "start-zookeeper", ..ZOOKEEPER };
pub static FLUENTD: Server = server(
    "fluentd",
    &[24224],
    Http::No,
    &[
        "[info]: parsing config file is succeeded path=\"/etc/fluent/fluent.conf\"",
        "[info]: #0 fluentd worker is now running worker=0",
    ],
);
pub static PAUSE: Server = server("/pause", &[], Http::No, &[]);
pub static HELLO_GO: Server =
    Server { term_code: 2, ..server("/usr/bin/hello", &[80], Http::Always("{\"message\":\"Hello\"}"), &[]) };
pub static GOPROXY: Server = Server { term_code: 2, ..server("/goproxy", &[8080], Http::Status(500), &[]) };
pub static NGINX_HTTPS: Server = Server { ports: &[80, 443], ..NGINX };
pub static HTTP_ECHO: Server =
    Server { term_code: 2, ..server("/http-echo", &[5678], Http::Echo, &["[INFO] server is listening on :5678"]) };
pub static HELLO_1: Server = server("./hello-app", &[8080], Http::Hello("1.0.0"), &["Server listening on port 8080"]);
pub static HELLO_2: Server = server("./hello-app-2", &[8080], Http::Hello("2.0.0"), &["Server listening on port 8080"]);
pub static NODE_HELLO: Server =
    Server { term_code: 143, ..server("node-hello", &[8080], Http::Always("Hello Kubernetes!"), &[]) };
const fn bootcamp(words: &'static str) -> Server {
    let log = &["Kubernetes Bootcamp App Started At: {now} | Running On:  {host} "];
    Server { term_code: 143, ..server("bootcamp", &[8080], Http::Always(words), log) }
}
pub static BOOTCAMP_1: Server = bootcamp("Hello Kubernetes bootcamp! | Running on: {host} | v=1");
pub static BOOTCAMP_2: Server = bootcamp("Hello Kubernetes bootcamp! | Running on: {host} | v=2");
pub static FRONTEND: Server =
    Server { program: "apache2-foreground", http: Http::Always("<html ng-app=\"redis\">"), ..HTTPD };
/// Every request adds up a million square roots: 80 ns each in its PHP.
pub static HPA_EXAMPLE: Server = Server {
    program: "apache2-foreground",
    http: Http::Always("OK!"),
    work_micros: 80_000,
    memory_mib: 12,
    idle_milli: 1,
    ..HTTPD
};
pub static ECHOSERVER: Server =
    server("echoserver", &[8080, 8443], Http::EchoServer, &["Generating self-signed cert", "Starting nginx"]);
pub static SERVE_HOSTNAME: Server = server("/serve_hostname", &[9376], Http::Hostname, &["Serving on port 9376."]);
pub static AGNHOST: Server = Server { ready_ms: 0, ..server("/agnhost", &[8080], Http::Agnhost, &[]) };
/// `registry.k8s.io/liveness`: the older form of the documentation's probe example.
pub static LIVENESS: Server = Server { program: "/server", ready_ms: 50, ..AGNHOST };
pub static ETCD: Server = server(
    "etcd",
    &[2379, 2380],
    Http::Always("{\"health\":\"true\"}"),
    &["{\"level\":\"info\",\"msg\":\"ready to serve client requests\"}"],
);
pub static METRICS: Server =
    server("/metrics-server", &[10250], Http::Always("ok"), &["Serving securely on [::]:10250"]);
pub static COREDNS: Server =
    server("/coredns", &[53, 8080, 8181, 9153], Http::Always("OK"), &[".:53", "CoreDNS-1.12.1"]);
pub static INGRESS: Server =
    server("/nginx-ingress-controller", &[80, 443, 8443, 10254], Http::Healthz, &["NGINX Ingress controller"]);
pub static TRAEFIK: Server = server("traefik", &[80, 8080], Http::Status(404), &["Configuration loaded from flags."]);
pub static ELASTICSEARCH: Server = Server {
    ready_ms: 15_000,
    term_code: 143,
    memory_mib: 600,
    idle_milli: 8,
    ..server("elasticsearch", &[9200, 9300], Http::Always("{\"tagline\":\"You Know, for Search\"}"), &["started"])
};
pub static KAFKA: Server = Server {
    ready_ms: 5_000,
    term_code: 143,
    memory_mib: 300,
    idle_milli: 9,
    ..server("kafka", &[9092], Http::No, &["[KafkaRaftServer nodeId=1] Kafka Server started"])
};
pub static WHOAMI: Server =
    Server { term_code: 2, ..server("/whoami", &[80], Http::Whoami, &["Starting up on port 80"]) };
pub static PODINFO: Server = server(
    "./podinfo",
    &[9898, 9797],
    Http::Always("{\"message\":\"greetings from podinfo\"}"),
    &["Starting HTTP Server."],
);
pub static CADDY: Server =
    server("caddy", &[80, 443], Http::Always("Caddy works!"), &["serving initial configuration"]);
