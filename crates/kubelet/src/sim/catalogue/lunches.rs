//! The images of "Learn Docker in a Month of Lunches" (diamol), and of the same author's courses (sixeyed, courselabs,
//! widgetario). `kiamol.rs` has those of his book of Kubernetes, with whose programs many of these begin.

use super::kiamol::{
    ACCESS_LOG, GALLERY, HANDLER, IMAGE_OF_THE_DAY, KIBANA, NUMBERS_API, PI, WHOAMI_NET, aspnet, does, hosted, runs,
};
use super::servers::{self as s, server};
use super::table::serves;
use super::{ANY, Http, Image, Server, Tools};
use Http::{Always, No, Status};

static NUMBERS_WEB_DIAMOL: Server = hosted(Always("<title>Numbers.Web</title>"));
static TASKS: Server = hosted(Always("<title>DIAMOL To-Do List</title>"));
static GALLERY_18: Server = Server { program: "/app/server", ..GALLERY };
static CONFIGURABLE: Server = hosted(Always("<title>Config - configurable.web</title>"));
static WIDGETARIO: Server = aspnet(Always("<title>Products - Widgetario.Web</title>"), &[]);
static STOCK_API: Server = Server {
    memory_mib: 8,
    term_code: 2,
    ..server("/app/server", &[8080], Status(404), &["{go} Starting server on port 8080..."])
};
static WHOAMI_GO: Server =
    Server { term_code: 2, ..server("/app/whoami", &[80], Http::Whoami, &["Starting up on port 80"]) };
static FULFILMENT: Server = Server {
    memory_mib: 25,
    ..server(
        "dotnet",
        &[9110],
        Always(
            "# HELP fulfilment_requests_total Fulfilment requests received\n# TYPE fulfilment_requests_total counter\n\
             fulfilment_requests_total 0",
        ),
        &[],
    )
};
static PROMETHEUS: Server =
    Server { memory_mib: 50, ..server("prometheus", &[9090], Always("<title>Prometheus</title>"), &[]) };
static GRAFANA: Server =
    Server { memory_mib: 60, ..server("grafana-server", &[3000], Always("<title>Grafana</title>"), &[]) };
static GOGS: Server =
    Server { memory_mib: 40, ..server("/app/gogs/docker/start.sh", &[3000], Always("<title>Gogs</title>"), &[]) };
static JENKINS: Server =
    Server { memory_mib: 400, ready_ms: 15_000, ..server("/start.sh", &[8080], Always("Jenkins"), &[]) };
static NATS: Server = server("nats-server", &[4222, 6222, 8222], No, &[]);

pub static LUNCHES: &[Image] = &[
    // The build chapter's servers.
    Image {
        extra: &["bash", "curl", "git", "jq"],
        ..runs("docker.io/kiamol/ch11-gogs", 60, &["/app/gogs/docker/start.sh"], &[&GOGS])
    },
    Image {
        extra: &["bash", "git", "jq", "kubectl"],
        ..runs("docker.io/kiamol/ch11-jenkins", 250, &["/start.sh"], &[&JENKINS])
    },
    // Courses.
    Image { tools: Tools::None, ..runs("docker.io/sixeyed/whoami", 3, &["/app/whoami"], &[&WHOAMI_GO]) },
    runs("docker.io/sixeyed/configurable", 45, &["dotnet", "/app/configurable.web.dll"], &[&CONFIGURABLE]),
    Image {
        extra: &["curl", "jq"],
        env: &[("SLEEP_SECONDS", "30")],
        ..does("docker.io/courselabs/bad-sleep", 5, &["/bin/sh", "-c", "exec sleep $SLEEP_SECONDS"], &[])
    },
    runs("docker.io/widgetario/web", 45, &["dotnet", "/app/Widgetario.Web.dll"], &[&WIDGETARIO]),
    does("docker.io/widgetario/stock-api", 10, &["/app/server"], &[&STOCK_API]),
    Image {
        tools: Tools::Debian,
        ..runs(
            "docker.io/widgetario/products-api",
            110,
            &["java", "-jar", "/app/products-api-0.1.0.jar"],
            &[&IMAGE_OF_THE_DAY],
        )
    },
    Image {
        tags: &["21.03", "postgres"],
        env: &[("POSTGRES_PASSWORD", "widgetario")],
        ..serves("docker.io/widgetario/products-db", 60, Tools::Busybox, ANY, &["postgres"], &[&s::POSTGRES])
    },
    Image {
        tags: &["21.03"],
        env: &[("POSTGRES_PASSWORD", "widgetario")],
        ..serves("docker.io/widgetario/products-db-replicated", 60, Tools::Busybox, ANY, &["postgres"], &[&s::POSTGRES])
    },
    does("docker.io/courselabs/fulfilment-processor", 45, &["dotnet"], &[&FULFILMENT]),
    does("docker.io/courselabs/fulfilment-api", 110, &["java"], &[&IMAGE_OF_THE_DAY]),
    runs("docker.io/courselabs/prometheus", 70, &["prometheus"], &[&PROMETHEUS]),
    does("docker.io/courselabs/grafana", 80, &["grafana-server"], &[&GRAFANA]),
    does("docker.io/courselabs/kibana", 300, &["/usr/share/kibana/bin/kibana"], &[&KIBANA]),
    Image {
        tools: Tools::Debian,
        ..does("docker.io/courselabs/elasticsearch", 300, &["elasticsearch"], &[&s::ELASTICSEARCH])
    },
    Image { extra: &["kubectl"], ..does("docker.io/sixeyed/kubectl", 20, &["/bin/sh"], &[]) },
    // The book of Docker.
    Image {
        files: &[(
            "/usr/local/apache2/htdocs/index.html",
            "<html>\n    <body>\n        <h1>\n            Hello from Chapter 2!\n        </h1>\n        <h2>\n            \
                 This is <a href=\"https://www.manning.com/books/learn-docker-in-a-month-of-lunches\">Learn Docker in a Month of \
                 Lunches</a>.\n        </h2>\n    </body>\n</html>\n",
        )],
        ..does("docker.io/diamol/ch02-hello-diamol-web", 60, &["httpd"], &[&s::HTTPD])
    },
    serves("docker.io/diamol/postgres", 30, Tools::Busybox, ANY, &["postgres"], &[&s::POSTGRES]),
    does("docker.io/diamol/nats", 8, &["nats-server"], &[&NATS]),
    runs("docker.io/diamol/fluentd", 60, &["fluentd"], &[&s::FLUENTD]),
    does("docker.io/diamol/elasticsearch", 300, &["elasticsearch"], &[&s::ELASTICSEARCH]),
    runs("docker.io/diamol/ch06-todo-list", 90, &["dotnet", "ToDoList.dll"], &[&TASKS]),
    runs("docker.io/diamol/ch09-todo-list", 90, &["dotnet", "ToDoList.dll"], &[&TASKS]),
    runs("docker.io/diamol/ch11-todo-list", 90, &["dotnet", "ToDoList.dll"], &[&TASKS]),
    runs("docker.io/diamol/ch21-todo-list", 90, &["dotnet", "ToDoList.dll"], &[&TASKS]),
    runs("docker.io/diamol/ch21-save-handler", 80, &["dotnet", "ToDoList.SaveHandler.dll"], &[&HANDLER]),
    runs("docker.io/diamol/ch21-audit-handler", 80, &["dotnet", "ToDoList.AuditHandler.dll"], &[&HANDLER]),
    runs("docker.io/diamol/ch21-mutating-handler", 80, &["dotnet", "ToDoList.MutatingHandler.dll"], &[&HANDLER]),
    runs("docker.io/diamol/ch08-numbers-api", 80, &["dotnet", "/app/Numbers.Api.dll"], &[&NUMBERS_API]),
    runs("docker.io/diamol/ch14-numbers-api", 80, &["dotnet", "Numbers.Api.dll"], &[&NUMBERS_API]),
    runs("docker.io/diamol/ch08-numbers-web", 80, &["dotnet", "/app/Numbers.Web.dll"], &[&NUMBERS_WEB_DIAMOL]),
    does("docker.io/diamol/ch14-numbers-web", 80, &["dotnet", "Numbers.Web.dll"], &[&NUMBERS_WEB_DIAMOL]),
    runs("docker.io/diamol/ch16-whoami", 80, &["dotnet", "whoami.dll"], &[&WHOAMI_NET]),
    // Always a server.
    runs("docker.io/diamol/ch20-pi", 80, &["dotnet", "Pi.Web.dll", "-m", "web"], &[&PI]),
    does("docker.io/diamol/ch04-access-log", 45, &["node", "server.js"], &[&ACCESS_LOG]),
    does("docker.io/diamol/ch09-access-log", 45, &["node", "server.js"], &[&ACCESS_LOG]),
    does("docker.io/diamol/ch18-access-log", 45, &["node", "server.js"], &[&ACCESS_LOG]),
    does("docker.io/diamol/ch04-image-gallery", 10, &["/web/server"], &[&GALLERY]),
    does("docker.io/diamol/ch09-image-gallery", 10, &["/web/server"], &[&GALLERY]),
    does("docker.io/diamol/ch18-image-gallery", 10, &["/app/server"], &[&GALLERY_18]),
    runs(
        "docker.io/diamol/ch04-image-of-the-day",
        110,
        &["java", "-jar", "/app/iotd-service-0.1.0.jar"],
        &[&IMAGE_OF_THE_DAY],
    ),
    runs(
        "docker.io/diamol/ch09-image-of-the-day",
        110,
        &["java", "-jar", "/app/iotd-service-0.1.0.jar"],
        &[&IMAGE_OF_THE_DAY],
    ),
    does(
        "docker.io/diamol/ch18-image-of-the-day",
        110,
        &["java", "-jar", "/app/iotd-service-0.1.0.jar"],
        &[&IMAGE_OF_THE_DAY],
    ),
];
