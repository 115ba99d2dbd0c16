//! Images that tutorials and other people's manifests use beside the documentation's own: what each starts, where that
//! listens and what it answers. One row an image.

use super::servers::server;
use super::{ANY, Http, Image, Server, Tools};

/// `name, size in MB, tools, program, ports, how it answers HTTP, memory in MiB, tags besides versions`
macro_rules! images {
    ($( $name:literal, $size:literal, $tools:ident, $program:literal, [$($port:literal),*], $http:expr, $memory:literal,
        [$($tag:literal),*]; )*) => {
        &[$( Image {
            name: $name,
            tags: &["latest", $($tag),*],
            versions: ANY,
            size_mb: $size,
            tools: Tools::$tools,
            extra: &[],
            entrypoint: &[$program],
            cmd: &[],
            servers: {
                static SERVER: Server =
                    Server { memory_mib: $memory, ..server($program, &[$($port),*], $http, &[]) };
                &[&SERVER]
            },
            env: &[],
            files: &[],
        } ),*]
    };
}

use Http::{Always, Grpc, Healthz, Hostname, No, Status};

pub static POPULAR: &[Image] = images! {
    // The microservices demo: its programs listen where PORT says.
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/adservice", 90, Busybox, "/app/build/install/hipstershop/bin/AdService", [9555], Grpc, 100, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/cartservice", 30, None, "/app/cartservice", [7070], Grpc, 40, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/checkoutservice", 12, None, "/src/checkoutservice", [5050], Grpc, 12, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/currencyservice", 60, Busybox, "/usr/local/bin/node", [7000], Grpc, 50, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/emailservice", 80, Busybox, "/usr/local/bin/python", [8080], Grpc, 45, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/frontend", 15, None, "/src/server", [8080], Always("<title>Online Boutique</title>"), 16, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/loadgenerator", 60, Debian, "locust", [], No, 60, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/paymentservice", 60, Busybox, "/usr/local/bin/node", [50051], Grpc, 50, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/productcatalogservice", 12, None, "/src/server", [3550], Grpc, 12, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/recommendationservice", 90, Busybox, "/usr/local/bin/python", [8080], Grpc, 50, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/shippingservice", 12, None, "/src/shippingservice", [50051], Grpc, 12, [];
    "us-central1-docker.pkg.dev/google-samples/microservices-demo/shoppingassistantservice", 90, Debian, "/usr/local/bin/python", [8080], Always("ok"), 60, [];

    // Kubernetes' own and its examples'.
    "docker.io/kubernetes/pause", 1, None, "/pause", [], No, 1, ["go"];
    "registry.k8s.io/test-webserver", 2, None, "/test-webserver", [80], Status(404), 2, ["e2e"];
    "registry.k8s.io/e2e-test-images/test-webserver", 2, None, "/test-webserver", [80], Status(404), 2, [];
    "registry.k8s.io/guestbook", 5, None, "./main", [3000], Always("<title>Guestbook</title>"), 6, ["v2", "v3"];
    "registry.k8s.io/redis-slave", 40, Debian, "redis-server", [6379], No, 4, ["v1", "v2"];
    "registry.k8s.io/volume-nfs", 90, Debian, "/usr/local/bin/run_nfs.sh", [2049, 20048, 111], No, 10, [];
    "registry.k8s.io/rethinkdb", 60, Debian, "rethinkdb", [8080, 28015, 29015], Always("RethinkDB"), 60, ["1.16.0_1"];
    "registry.k8s.io/explorer", 2, None, "/explorer", [8080], Always("<title>explorer</title>"), 2, [];
    "registry.k8s.io/spark", 350, Debian, "/start-common.sh", [7077, 8080, 8081], Always("Spark"), 120, ["1.5.2_v1"];
    "registry.k8s.io/zeppelin", 600, Debian, "zeppelin.sh", [8080, 8081], Always("Zeppelin"), 150, ["v0.5.6_v1"];
    "registry.k8s.io/example-dns-backend", 70, Debian, "server.js", [8000], Always("Hello World!"), 30, ["v1", "v2"];
    "registry.k8s.io/example-dns-frontend", 70, Debian, "client.py", [], No, 10, ["v1"];
    "registry.k8s.io/prometheus-adapter/prometheus-adapter", 25, None, "/adapter", [6443], Always("ok"), 30, [];
    "registry.k8s.io/kube-state-metrics/kube-state-metrics", 13, None, "/kube-state-metrics", [8080, 8081], Always("OK"), 20, [];
    "registry.k8s.io/event-exporter", 20, None, "/event-exporter", [80], Always("ok"), 10, ["v0.2.3"];
    "registry.k8s.io/cluster-proportional-autoscaler-amd64", 14, None, "/cluster-proportional-autoscaler", [], No, 8, [];
    "registry.k8s.io/cpa/cluster-proportional-autoscaler", 14, None, "/cluster-proportional-autoscaler", [], No, 8, [];
    "registry.k8s.io/cloud-controller-manager", 40, None, "/usr/local/bin/cloud-controller-manager", [10258], Always("ok"), 20, [];
    "registry.k8s.io/kube-scheduler", 20, None, "kube-scheduler", [10259], Always("ok"), 20, [];
    "registry.k8s.io/kube-controller-manager", 30, None, "kube-controller-manager", [10257], Always("ok"), 40, [];
    "registry.k8s.io/kube-apiserver", 30, None, "kube-apiserver", [6443], Always("ok"), 200, [];
    "registry.k8s.io/kube-proxy", 30, None, "kube-proxy", [10249, 10256], Always("ok"), 20, [];
    "registry.k8s.io/node-problem-detector", 40, Debian, "/node-problem-detector", [20257], Always("ok"), 12, ["v0.1"];
    "registry.k8s.io/node-problem-detector/node-problem-detector", 40, Debian, "/node-problem-detector", [20257], Always("ok"), 12, [];
    "registry.k8s.io/sig-storage/nfs-provisioner", 130, Debian, "/nfs-provisioner", [2049, 20048, 111], No, 20, [];
    "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner", 18, None, "/nfs-subdir-external-provisioner", [], No, 10, [];
    "registry.k8s.io/sig-storage/csi-provisioner", 25, None, "/csi-provisioner", [], No, 10, [];
    "registry.k8s.io/sig-storage/csi-node-driver-registrar", 12, None, "/csi-node-driver-registrar", [], No, 8, [];
    "registry.k8s.io/external-dns/external-dns", 20, None, "external-dns", [7979], Always("OK"), 20, [];
    "registry.k8s.io/autoscaling/vpa-recommender", 20, None, "/recommender", [8942], Always("OK"), 20, [];
    "registry.k8s.io/defaultbackend-amd64", 2, None, "/server", [8080], Healthz, 2, [];
    "registry.k8s.io/kas-network-proxy/proxy-agent", 10, None, "/proxy-agent", [8093, 8094], Always("ok"), 8, [];
    "registry.k8s.io/kas-network-proxy/proxy-server", 10, None, "/proxy-server", [8090, 8091, 8092, 8095], Always("ok"), 8, [];
    "gcr.io/google-samples/zone-printer", 5, None, "./zone-printer", [80], Hostname, 4, ["0.2"];
    "us-docker.pkg.dev/google-samples/containers/gke/whereami", 60, Debian, "python", [8080], Hostname, 30, ["v1"];
    "gcr.io/google-samples/whereami", 60, Debian, "python", [8080], Hostname, 30, [];
    "gcr.io/kuar-demo/kuard-amd64", 9, Busybox, "/kuard", [8080], Always("<title>KUAR Demo</title>"), 6, ["blue", "green", "purple"];

    // Databases, caches and queues.
    "docker.io/bitnami/redis", 40, Debian, "redis-server", [6379], No, 8, [];
    "docker.io/bitnami/mysql", 200, Debian, "mysqld", [3306], No, 200, [];
    "docker.io/bitnami/mariadb", 120, Debian, "mariadbd", [3306], No, 90, [];
    "docker.io/bitnami/postgresql", 110, Debian, "postgres", [5432], No, 30, [];
    "docker.io/bitnami/mongodb", 230, Debian, "mongod", [27017], No, 60, [];
    "docker.io/bitnami/nginx", 60, Debian, "nginx", [8080, 8443], Always("<h1>Welcome to nginx!</h1>"), 6, [];
    "docker.io/bitnami/kafka", 280, Debian, "kafka", [9092, 9093], No, 300, [];
    "docker.io/bitnami/zookeeper", 200, Debian, "zkServer.sh", [2181, 2888, 3888, 8080], No, 60, [];
    "docker.io/bitnami/rabbitmq", 110, Debian, "rabbitmq-server", [5672, 15672, 4369], No, 120, [];
    "docker.io/bitnami/wordpress", 250, Debian, "apache2", [8080, 8443], Always("<h1>WordPress</h1>"), 60, [];
    "docker.io/library/couchdb", 120, Debian, "couchdb", [5984, 4369, 9100], Always("{\"couchdb\":\"Welcome\"}"), 60, [];
    "docker.io/library/neo4j", 300, Debian, "neo4j", [7474, 7687, 7473], Always("neo4j"), 400, ["community", "enterprise"];
    "docker.io/library/influxdb", 120, Debian, "influxd", [8086], Always("ok"), 60, ["alpine"];
    "docker.io/library/solr", 300, Debian, "solr", [8983], Always("Solr"), 400, ["slim"];
    "docker.io/library/nats", 10, None, "/nats-server", [4222, 8222, 6222], Always("ok"), 10, ["alpine", "linux", "scratch"];
    "docker.io/library/eclipse-mosquitto", 5, Busybox, "/usr/sbin/mosquitto", [1883], No, 4, ["openssl"];
    "docker.io/library/percona", 200, Debian, "mysqld", [3306], No, 300, ["ps-8"];
    "docker.io/percona/percona-server-mongodb", 260, Debian, "mongod", [27017], No, 60, [];
    "docker.io/capttofu/percona_xtradb_cluster_5_6", 220, Debian, "mysqld", [3306, 4444, 4567, 4568], No, 300, ["beta"];
    "docker.io/cockroachdb/cockroach", 150, Debian, "/cockroach/cockroach", [26257, 8080], Always("{}"), 150, [];
    "docker.io/minio/minio", 60, Busybox, "minio", [9000, 9001], Always("MinIO"), 80, ["edge"];
    "quay.io/minio/minio", 60, Busybox, "minio", [9000, 9001], Always("MinIO"), 80, [];
    "docker.io/confluentinc/cp-kafka", 400, Debian, "kafka", [9092, 9093], No, 300, [];
    "docker.io/confluentinc/cp-zookeeper", 400, Debian, "zookeeper", [2181, 2888, 3888], No, 60, [];
    "docker.io/wurstmeister/kafka", 200, Busybox, "start-kafka.sh", [9092], No, 300, [];
    "docker.io/wurstmeister/zookeeper", 200, Debian, "zkServer.sh", [2181], No, 60, [];
    "quay.io/coreos/etcd", 15, Busybox, "/usr/local/bin/etcd", [2379, 2380], Always("{\"health\":\"true\"}"), 20, [];
    "docker.io/timescale/timescaledb", 150, Busybox, "postgres", [5432], No, 40, ["latest-pg16", "latest-pg14"];
    "docker.io/postgis/postgis", 200, Debian, "postgres", [5432], No, 40, [];
    "docker.io/clickhouse/clickhouse-server", 250, Debian, "clickhouse-server", [8123, 9000, 9009], Always("Ok."), 300, [];
    "docker.io/opensearchproject/opensearch", 700, Debian, "opensearch", [9200, 9300, 9600], Always("{\"tagline\":\"The OpenSearch Project\"}"), 600, [];
    "docker.elastic.co/elasticsearch/elasticsearch", 600, Debian, "elasticsearch", [9200, 9300], Always("{\"tagline\":\"You Know, for Search\"}"), 600, [];
    "docker.elastic.co/kibana/kibana", 350, Debian, "kibana", [5601], Always("Kibana"), 300, [];
    "docker.elastic.co/beats/filebeat", 100, Debian, "filebeat", [], No, 40, [];
    "docker.io/library/kibana", 350, Debian, "kibana", [5601], Always("Kibana"), 300, [];
    "docker.io/library/logstash", 350, Debian, "logstash", [5044, 9600], Always("{}"), 500, [];
    "quay.io/pires/docker-elasticsearch-kubernetes", 140, Busybox, "/run.sh", [9200, 9300], Always("{\"tagline\":\"You Know, for Search\"}"), 300, ["1.7.1-4"];
    "quay.io/pires/hazelcast-kubernetes", 110, Busybox, "/start.sh", [5701], No, 100, ["3.8_1"];
    "docker.io/hazelcast/hazelcast", 200, Busybox, "hz", [5701], Always("ok"), 150, [];

    // Web servers, gateways and applications.
    "docker.io/library/tomcat", 180, Debian, "catalina.sh", [8080], Status(404), 80, ["jdk17"];
    "docker.io/library/jetty", 170, Debian, "jetty.sh", [8080], Status(404), 60, [];
    "docker.io/library/haproxy", 40, Debian, "haproxy", [80], Status(503), 20, ["alpine", "lts", "lts-alpine"];
    "docker.io/library/ghost", 180, Debian, "ghost", [2368], Always("Ghost"), 100, ["alpine"];
    "docker.io/library/drupal", 180, Debian, "apache2-foreground", [80], Always("Drupal"), 50, ["apache"];
    "docker.io/library/joomla", 180, Debian, "apache2-foreground", [80], Always("Joomla!"), 50, ["apache"];
    "docker.io/library/nextcloud", 400, Debian, "apache2-foreground", [80], Always("Nextcloud"), 60, ["apache", "stable"];
    "docker.io/library/adminer", 50, Busybox, "php", [8080], Always("Adminer"), 10, ["standalone"];
    "docker.io/library/registry", 10, Busybox, "registry", [5000], Always("{}"), 10, [];
    "docker.io/library/sonarqube", 400, Debian, "sonar.sh", [9000], Always("SonarQube"), 700, ["community", "lts-community", "lts"];
    "docker.io/phpmyadmin/phpmyadmin", 180, Debian, "apache2-foreground", [80], Always("phpMyAdmin"), 40, [];
    "docker.io/library/phpmyadmin", 180, Debian, "apache2-foreground", [80], Always("phpMyAdmin"), 40, [];
    "docker.io/library/mongo-express", 60, Busybox, "mongo-express", [8081], Always("Mongo Express"), 60, [];
    "docker.io/jenkins/jenkins", 280, Debian, "/usr/local/bin/jenkins.sh", [8080, 50000], Always("Jenkins"), 300, ["lts", "lts-jdk17", "lts-jdk11", "lts-jdk21", "alpine"];
    "docker.io/gitea/gitea", 60, Busybox, "/usr/bin/s6-svscan", [3000, 22], Always("Gitea"), 80, [];
    "docker.io/sonatype/nexus3", 350, Debian, "/opt/sonatype/nexus/bin/nexus", [8081], Always("Nexus"), 900, [];
    "docker.io/envoyproxy/envoy", 60, Debian, "envoy", [10000, 9901], Status(404), 30, ["distroless-v1.30-latest"];
    "docker.io/jboss/wildfly", 400, Debian, "standalone.sh", [8080, 9990], Always("WildFly"), 200, [];
    "quay.io/keycloak/keycloak", 220, Debian, "/opt/keycloak/bin/kc.sh", [8080, 8443, 9000], Always("Keycloak"), 350, [];
    "docker.io/hashicorp/vault", 130, Busybox, "vault", [8200, 8201], Always("{}"), 60, [];
    "docker.io/hashicorp/consul", 60, Busybox, "consul", [8500, 8600, 8300, 8301], Always("Consul"), 40, [];
    "docker.io/library/vault", 80, Busybox, "vault", [8200], Always("{}"), 60, [];
    "docker.io/library/consul", 45, Busybox, "consul", [8500, 8600], Always("Consul"), 40, [];
    "docker.io/selenium/hub", 250, Debian, "/opt/bin/entry_point.sh", [4442, 4443, 4444], Always("{}"), 150, [];
    "docker.io/selenium/node-chrome", 500, Debian, "/opt/bin/entry_point.sh", [5555, 5900], Always("{}"), 150, [];
    "docker.io/selenium/node-firefox", 500, Debian, "/opt/bin/entry_point.sh", [5555, 5900], Always("{}"), 150, [];
    "docker.io/tensorflow/serving", 200, Debian, "/usr/bin/tf_serving_entrypoint.sh", [8500, 8501], Always("{}"), 100, [];
    "docker.io/jupyter/base-notebook", 350, Debian, "start-notebook.sh", [8888], Always("Jupyter"), 80, [];
    "docker.io/jupyter/scipy-notebook", 1200, Debian, "start-notebook.sh", [8888], Always("Jupyter"), 80, [];

    // Monitoring.
    "docker.io/prom/prometheus", 110, Busybox, "/bin/prometheus", [9090], Always("Prometheus Server is Ready."), 60, [];
    "quay.io/prometheus/prometheus", 110, Busybox, "/bin/prometheus", [9090], Always("Prometheus Server is Ready."), 60, [];
    "docker.io/prom/node-exporter", 12, Busybox, "/bin/node_exporter", [9100], Always("Node Exporter"), 10, [];
    "quay.io/prometheus/node-exporter", 12, Busybox, "/bin/node_exporter", [9100], Always("Node Exporter"), 10, [];
    "docker.io/prom/alertmanager", 30, Busybox, "/bin/alertmanager", [9093, 9094], Always("OK"), 20, [];
    "quay.io/prometheus/alertmanager", 30, Busybox, "/bin/alertmanager", [9093, 9094], Always("OK"), 20, [];
    "docker.io/prom/pushgateway", 10, Busybox, "/bin/pushgateway", [9091], Always("OK"), 10, [];
    "docker.io/oliver006/redis_exporter", 4, None, "/redis_exporter", [9121], Always("Redis metrics exporter"), 6, [];
    "docker.io/grafana/grafana", 130, Busybox, "/run.sh", [3000], Always("Grafana"), 70, ["main"];
    "docker.io/grafana/loki", 25, Busybox, "/usr/bin/loki", [3100, 9095], Always("ready"), 50, [];
    "docker.io/grafana/promtail", 70, Debian, "/usr/bin/promtail", [9080], Always("Ready"), 30, [];
    "docker.io/jaegertracing/all-in-one", 30, Busybox, "/go/bin/all-in-one-linux", [16686, 14268, 14250, 4317, 4318, 9411], Always("Jaeger UI"), 30, [];
    "docker.io/openzipkin/zipkin", 70, Busybox, "start-zipkin", [9411], Always("Zipkin"), 120, [];
    "docker.io/otel/opentelemetry-collector", 40, None, "/otelcol", [4317, 4318, 55679, 8888], Always("{}"), 40, [];
    "docker.io/otel/opentelemetry-collector-contrib", 70, None, "/otelcol-contrib", [4317, 4318, 13133], Always("{}"), 60, [];
    "docker.io/fluent/fluent-bit", 30, None, "/fluent-bit/bin/fluent-bit", [2020], Always("{}"), 10, [];
    "docker.io/fluent/fluentd-kubernetes-daemonset", 80, Debian, "fluentd", [24224], No, 40, ["v1-debian-elasticsearch", "v1.16-debian-elasticsearch7-1", "v1.4.2-debian-elasticsearch-1.1"];
    "docker.io/sysdig/agent", 200, Debian, "/docker-entrypoint.sh", [], No, 100, [];
    "docker.io/newrelic/infrastructure", 60, Busybox, "/usr/bin/newrelic-infra-service", [], No, 20, [];
    "docker.io/newrelic/nrsysmond", 20, Debian, "/run.sh", [], No, 10, [];
    "gcr.io/cadvisor/cadvisor", 30, Busybox, "/usr/bin/cadvisor", [8080], Always("cAdvisor"), 40, [];
    "docker.io/datadog/agent", 300, Debian, "/bin/entrypoint.sh", [8125, 8126], No, 150, [];

    // Echo servers and small demonstrations.
    "docker.io/kennethreitz/httpbin", 180, Debian, "gunicorn", [80], Always("httpbin.org"), 40, [];
    "docker.io/mccutchen/go-httpbin", 10, None, "/bin/go-httpbin", [8080], Always("go-httpbin"), 6, [];
    "docker.io/ealen/echo-server", 40, Busybox, "node", [80], Always("{}"), 30, [];
    "docker.io/jmalloc/echo-server", 5, None, "/bin/echo-server", [8080], Hostname, 4, [];
    "docker.io/mendhak/http-https-echo", 50, Busybox, "node", [8080, 8443], Always("{}"), 30, [];
    "docker.io/nginxdemos/hello", 20, Busybox, "nginx", [80], Hostname, 6, ["plain-text"];
    "docker.io/nginxdemos/nginx-hello", 20, Busybox, "nginx", [8080], Hostname, 6, ["plain-text"];
    "docker.io/paulbouwer/hello-kubernetes", 60, Busybox, "npm", [8080], Always("Hello Kubernetes!"), 40, [];
    "docker.io/containous/whoami", 3, None, "/whoami", [80], Hostname, 3, [];
    "docker.io/rancher/hello-world", 8, Busybox, "/entrypoint.sh", [80], Hostname, 4, [];
    "docker.io/tutum/hello-world", 20, Busybox, "/run.sh", [80], Hostname, 10, [];
    "docker.io/crccheck/hello-world", 2, Busybox, "httpd", [8000], Always("<pre>\nHello World\n</pre>"), 2, [];
    "docker.io/clux/blog", 20, Busybox, "nginx", [80], Always("<title>clux</title>"), 6, [];
    "docker.io/docker/getting-started", 20, Busybox, "nginx", [80], Always("Getting Started"), 6, ["pwd"];
    "docker.io/luksa/kubia", 250, Debian, "node", [8080], Always("You've hit kubia"), 30, ["v1", "v2", "v3", "v4"];
    "docker.io/luksa/fortune", 50, Debian, "/bin/fortuneloop.sh", [], No, 2, ["args", "env"];
    "docker.io/kodekloud/webapp-color", 40, Busybox, "python", [8080], Always("Hello from webapp-color!"), 25, ["v1", "v2", "v3"];
    "docker.io/kodekloud/event-simulator", 40, Busybox, "python", [], No, 10, [];
    "docker.io/mmumshad/simple-webapp-color", 40, Busybox, "python", [8080], Always("Hello!"), 25, [];
    "docker.io/dockersamples/examplevotingapp_vote", 50, Debian, "gunicorn", [80], Always("Cats vs Dogs!"), 40, ["before", "after"];
    "docker.io/dockersamples/examplevotingapp_result", 80, Debian, "node", [80, 4000], Always("Cats vs Dogs -- Result"), 40, ["before", "after"];
    "docker.io/dockersamples/examplevotingapp_worker", 80, Debian, "dotnet", [], No, 40, [];
    "docker.io/istio/examples-bookinfo-details-v1", 60, Debian, "ruby", [9080], Always("{}"), 30, [];
    "docker.io/istio/examples-bookinfo-productpage-v1", 60, Debian, "gunicorn", [9080], Always("<title>Simple Bookstore App</title>"), 40, [];
    "docker.io/istio/examples-bookinfo-ratings-v1", 60, Debian, "node", [9080], Always("{}"), 30, [];
    "docker.io/istio/examples-bookinfo-reviews-v1", 200, Debian, "/opt/ol/wlp/bin/server", [9080, 9443], Always("{}"), 150, [];
    "docker.io/istio/examples-bookinfo-reviews-v2", 200, Debian, "/opt/ol/wlp/bin/server", [9080, 9443], Always("{}"), 150, [];
    "docker.io/istio/examples-bookinfo-reviews-v3", 200, Debian, "/opt/ol/wlp/bin/server", [9080, 9443], Always("{}"), 150, [];
    "docker.io/istio/examples-helloworld-v1", 60, Debian, "python", [5000], Always("Hello version: v1"), 30, [];
    "docker.io/istio/examples-helloworld-v2", 60, Debian, "python", [5000], Always("Hello version: v2"), 30, [];
    "mcr.microsoft.com/azuredocs/azure-vote-front", 350, Debian, "/entrypoint.sh", [80, 443], Always("Azure Voting App"), 60, ["v1", "v2"];
    "mcr.microsoft.com/azuredocs/aks-helloworld", 350, Debian, "/entrypoint.sh", [80, 443], Always("Welcome to Azure Kubernetes Service (AKS)"), 60, ["v1"];
    "mcr.microsoft.com/dotnet/samples", 50, Busybox, "./aspnetapp", [8080], Always("Welcome to .NET"), 50, ["aspnetapp"];
    "mcr.microsoft.com/oss/bitnami/redis", 40, Debian, "redis-server", [6379], No, 8, [];
    "docker.io/weaveworksdemos/front-end", 50, Busybox, "/usr/local/bin/npm", [8079], Always("Sock Shop"), 50, [];
    "docker.io/weaveworksdemos/carts", 80, Busybox, "/usr/local/bin/java.sh", [80], Always("{}"), 150, [];
    "docker.io/weaveworksdemos/catalogue", 15, Busybox, "/app", [80], Always("[]"), 10, [];
    "docker.io/weaveworksdemos/catalogue-db", 130, Debian, "mysqld", [3306], No, 200, [];
    "docker.io/weaveworksdemos/orders", 80, Busybox, "/usr/local/bin/java.sh", [80], Always("{}"), 150, [];
    "docker.io/weaveworksdemos/payment", 10, Busybox, "/app", [80], Always("{}"), 8, [];
    "docker.io/weaveworksdemos/queue-master", 80, Busybox, "/usr/local/bin/java.sh", [80], Always("{}"), 150, [];
    "docker.io/weaveworksdemos/shipping", 80, Busybox, "/usr/local/bin/java.sh", [80], Always("{}"), 150, [];
    "docker.io/weaveworksdemos/user", 15, Busybox, "/user", [80], Always("{}"), 10, [];
    "docker.io/weaveworksdemos/user-db", 130, Debian, "mongod", [27017], No, 60, [];
    "quay.io/connordoyle/cpuset-visualizer", 30, Busybox, "/cpuset-visualizer", [80], Always("ok"), 10, [];
    "docker.io/praqma/network-multitool", 30, Busybox, "nginx", [80, 443], Hostname, 6, ["extra", "minimal"];
    "docker.io/wbitt/network-multitool", 30, Busybox, "nginx", [80, 443], Hostname, 6, ["extra", "minimal", "alpine-extra"];
    "docker.io/nginx/nginx-ingress", 100, Debian, "/nginx-ingress", [80, 443, 8081], Status(404), 40, [];
    "docker.io/coredns/coredns", 18, None, "/coredns", [53, 8080, 8181, 9153], Always("OK"), 20, [];
    "docker.io/rancher/local-path-provisioner", 20, Busybox, "local-path-provisioner", [], No, 15, [];
    "docker.io/calico/node", 100, Debian, "start_runit", [9099], Always("ok"), 60, [];
    "docker.io/flannel/flannel", 30, Busybox, "/opt/bin/flanneld", [], No, 20, [];
    "docker.io/kubernetesui/dashboard", 75, None, "/dashboard", [8443, 9090], Always("Kubernetes Dashboard"), 30, [];
    "docker.io/kubernetesui/metrics-scraper", 18, None, "/metrics-sidecar", [8000], Always("URL: /"), 15, [];
    "quay.io/argoproj/argocd", 180, Debian, "argocd-server", [8080, 8083], Always("Argo CD"), 60, [];
    "quay.io/jetstack/cert-manager-controller", 20, None, "/app/cmd/controller/controller", [9402], Always("ok"), 30, [];
    "docker.io/amazon/aws-cli", 130, Debian, "aws", [], No, 20, [];
    "docker.io/luksa/kubia-unhealthy", 250, Debian, "node", [8080], Status(500), 30, [];
    "docker.io/luksa/kubia-pet", 250, Debian, "node", [8080], Always("You've hit kubia-pet\nData stored on this pod: No data posted yet"), 30, [];
    "docker.io/luksa/kubia-pet-peers", 250, Debian, "node", [8080], Always("You've hit kubia-pet\nData stored in the cluster:"), 30, [];
    "docker.io/luksa/kubectl-proxy", 30, Busybox, "/kubectl-proxy.sh", [8001], Always("{}"), 10, [];
    "docker.io/luksa/website-controller", 10, None, "/website-controller", [], No, 8, [];
    "docker.io/luksa/ssd-monitor", 2, Busybox, "/ssd-monitor.sh", [], No, 2, [];
    "docker.io/jxlwqq/http-echo", 5, None, "/http-echo", [8080], Http::Echo, 4, [];
    "docker.io/jxlwqq/hello-flask", 50, Debian, "python", [5000], Always("Hello, World!"), 30, [];
    "docker.io/jxlwqq/hello-gin", 10, Busybox, "/app", [8080], Always("Hello, World!"), 8, [];
    "docker.io/jxlwqq/hello-express", 50, Busybox, "node", [3000], Always("Hello World!"), 40, [];
    "docker.io/jxlwqq/hello-spring", 100, Debian, "java", [8080], Always("Hello World!"), 150, [];
    "docker.io/kodekloud/ecommerce", 20, Busybox, "nginx", [8080], Always("<h1>Welcome</h1>"), 10, ["apparels", "video", "404", "cart"];
    "docker.io/kodekloud/simple-webapp", 40, Busybox, "python", [8080], Always("Hello!"), 25, ["delayed-start"];
    "docker.io/kodekloud/simple-webapp-mysql", 40, Busybox, "python", [8080], Always("Hello!"), 25, [];
    "docker.io/weaveworksdemos/log-server", 30, Debian, "/docker-entrypoint.sh", [24224], No, 30, [];
    "docker.io/weaveworksdemos/load-test", 60, Debian, "/docker-entrypoint.sh", [], No, 40, [];
    "docker.io/weaveworks/weave-kube", 40, Busybox, "/home/weave/launch.sh", [6784], No, 30, [];
    "docker.io/weaveworks/weave-npc", 20, Busybox, "/usr/bin/launch.sh", [6781], No, 20, [];
    "docker.io/istio/proxyv2", 80, Debian, "/usr/local/bin/pilot-agent", [15020, 15021, 15090], Always("ok"), 40, [];
    "docker.io/istio/pilot", 60, None, "/usr/local/bin/pilot-discovery", [8080, 15010, 15012, 15014, 15017], Always("ok"), 60, [];
    "docker.io/portainerci/portainer", 80, None, "/portainer", [9000, 9443, 8000], Always("Portainer"), 30, ["k8s-linux-amd64"];
    "docker.io/portainer/portainer-ce", 80, None, "/portainer", [9000, 9443, 8000], Always("Portainer"), 30, ["alpine", "lts"];
    "docker.io/kbudde/rabbitmq-exporter", 5, None, "/rabbitmq_exporter", [9090, 9419], Always("ok"), 8, [];
    "docker.io/fortio/fortio", 10, None, "/usr/bin/fortio", [8080, 8079], Always("Fortio"), 10, ["latest_release"];
    "docker.io/openpolicyagent/opa", 20, None, "/opa", [8181], Always("{}"), 20, ["latest-rootless"];
    "docker.io/openpolicyagent/gatekeeper", 20, None, "/manager", [8443, 8888, 9090], Always("ok"), 40, [];
    "docker.io/gitlab/gitlab-ce", 1300, Debian, "/assets/wrapper", [80, 443, 22], Always("GitLab"), 2500, [];
    "docker.io/kiwigrid/k8s-sidecar", 40, Busybox, "python", [], No, 30, [];
    "quay.io/kiwigrid/k8s-sidecar", 40, Busybox, "python", [], No, 30, [];
    "quay.io/prometheus-operator/prometheus-operator", 16, Busybox, "/bin/operator", [8080], Always("ok"), 30, [];
    "quay.io/brancz/kube-rbac-proxy", 20, None, "/usr/local/bin/kube-rbac-proxy", [8443], Always("ok"), 15, [];
    "gcr.io/kubebuilder/kube-rbac-proxy", 20, None, "/usr/local/bin/kube-rbac-proxy", [8443], Always("ok"), 15, [];
    "ghcr.io/fluxcd/source-controller", 40, Busybox, "source-controller", [8080, 9090, 9440], Always("ok"), 40, [];
    "ghcr.io/fluxcd/kustomize-controller", 40, Busybox, "kustomize-controller", [8080, 9440], Always("ok"), 40, [];
    "ghcr.io/fluxcd/helm-controller", 40, Busybox, "helm-controller", [8080, 9440], Always("ok"), 40, [];
    "ghcr.io/fluxcd/notification-controller", 40, Busybox, "notification-controller", [8080, 9090, 9292, 9440], Always("ok"), 40, [];
    "gcr.io/tetratelabs/web-frontend", 80, Debian, "node", [8080], Always("Customer Relationship Management System"), 40, [];
    "gcr.io/tetratelabs/customers", 80, Debian, "node", [3000], Always("[]"), 40, [];
    "docker.io/afakharany/watcher", 50, Debian, "python", [], No, 20, [];
    "docker.io/learnk8s/knote-js", 350, Debian, "node", [3000], Always("Knote"), 60, [];
    "docker.io/paulczar/gb-frontend", 320, Debian, "apache2-foreground", [80], Always("<html ng-app=\"redis\">"), 40, ["v5"];
    "docker.io/corelab/gb-frontend", 320, Debian, "apache2-foreground", [80], Always("<html ng-app=\"redis\">"), 40, ["v5"];
    "docker.io/openshift/mysql-55-centos7", 140, Debian, "mysqld", [3306], No, 200, [];
    "docker.io/openshift/etcd-20-centos7", 80, Debian, "etcd", [2379, 2380], Always("{}"), 20, [];
    "docker.io/resouer/mytomcat", 180, Debian, "catalina.sh", [8080], Status(404), 80, ["7.0"];
    "docker.io/dapriosamples/hello-k8s-node", 60, Busybox, "node", [3000], Always("{}"), 40, [];
    "docker.io/dapriosamples/hello-k8s-python", 60, Busybox, "python", [], No, 20, [];
    "docker.io/kubernetes/guestbook", 5, None, "./main", [3000], Always("<title>Guestbook</title>"), 6, ["v2"];
    "docker.io/mattf/zookeeper", 200, Debian, "/opt/zookeeper/bin/zkServer.sh", [2181, 2888, 3888], No, 60, [];
    "docker.io/mattf/storm-nimbus", 300, Debian, "/configure.sh", [6627], No, 100, [];
    "docker.io/mattf/storm-worker", 300, Debian, "/configure.sh", [6700], No, 100, [];
    // Books and courses, and more of the clouds' samples.
    "docker.io/luksa/kiada", 350, Debian, "node", [8080], Always("==== TIP OF THE MINUTE"), 40, ["0.1-slim"];
    "docker.io/luksa/kiada-ssl-proxy", 50, Debian, "envoy", [8443, 9901], Always("==== TIP OF THE MINUTE"), 20, [];
    "docker.io/luksa/quiz-api", 15, None, "/app/quiz-api", [8080], Always("{}"), 10, [];
    "docker.io/luksa/network-traffic-meter", 2, Busybox, "/network-traffic-meter", [], No, 2, [];
    "docker.io/luksa/static-http-server", 60, Debian, "node", [80], Always("Hello!"), 30, [];
    "docker.io/nigelpoulton/k8sbook", 30, Busybox, "node", [8080], Hostname, 30, ["hydra-ingress", "shield-01", "shield-ingress", "text-dev", "text-prod", "wasm-0.1"];
    "docker.io/nigelpoulton/k8s-deep-dive", 30, Busybox, "node", [8080], Hostname, 30, [];
    "docker.io/nigelpoulton/web-app", 30, Busybox, "node", [8080], Hostname, 30, [];
    "docker.io/wardviaene/k8s-demo", 300, Debian, "node", [3000], Always("Hello World!"), 40, [];
    "docker.io/wardviaene/http-echo", 10, None, "/http-echo", [8080], Http::Echo, 4, [];
    "docker.io/wardviaene/skaffold-demo", 300, Debian, "node", [3000], Always("Hello World!"), 40, [];
    "docker.io/stacksimplify/kube-frontend-nginx", 50, Debian, "nginx", [80], Always("Hello World"), 6, [];
    "docker.io/stacksimplify/kube-helloworld", 100, Debian, "java", [8080], Always("Hello World"), 150, [];
    "docker.io/stacksimplify/kubenginx", 50, Debian, "nginx", [80], Always("<h1>Welcome to Stack Simplify</h1>"), 6, [];
    "docker.io/stacksimplify/kube-usermgmt-webapp", 180, Debian, "catalina.sh", [8080], Always("<title>User Management</title>"), 200, ["1.0.0-MySQLDB"];
    "docker.io/vllm/vllm-openai", 5000, Debian, "vllm", [8000], Always("{}"), 900, ["latest"];
    "docker.io/rayproject/ray", 900, Debian, "ray", [6379, 8265, 10001, 8000], Always("{}"), 400, ["2.37.0-gpu", "2.40.0-py311-gpu", "2.43.0-py310", "2.53.0-py311"];
    "docker.io/rayproject/ray-ml", 5000, Debian, "ray", [6379, 8265, 10001, 8000], Always("{}"), 400, ["2.9.0-py310"];
    "docker.io/locustio/locust", 60, Debian, "locust", [8089, 5557], Always("Locust"), 60, ["master"];
    "registry.k8s.io/git-sync", 30, Debian, "/git-sync", [], No, 10, [];
    "registry.k8s.io/git-sync/git-sync", 30, Debian, "/git-sync", [], No, 10, [];
    "gcr.io/cloudsql-docker/gce-proxy", 12, Busybox, "/cloud_sql_proxy", [3306], No, 10, [];
    "gcr.io/cloud-sql-connectors/cloud-sql-proxy", 12, Busybox, "/cloud-sql-proxy", [5432], No, 10, [];
    "us.gcr.io/cloud-sql-connectors/cloud-sql-proxy", 12, Busybox, "/cloud-sql-proxy", [5432], No, 10, ["2.3.0-alpine"];
    "us-docker.pkg.dev/google-samples/containers/gke/hello-app-cdn", 5, Busybox, "./hello-app", [8080], Hostname, 4, [];
    "us-docker.pkg.dev/google-samples/containers/gke/gradio-app", 120, Debian, "python", [7860], Always("Gradio"), 100, [];
    "gcr.io/google-samples/microservices-demo/adservice", 90, Busybox, "/app/build/install/hipstershop/bin/AdService", [9555], Grpc, 100, [];
    "gcr.io/google-samples/microservices-demo/cartservice", 30, None, "/app/cartservice", [7070], Grpc, 40, [];
    "gcr.io/google-samples/microservices-demo/checkoutservice", 12, None, "/src/checkoutservice", [5050], Grpc, 12, [];
    "gcr.io/google-samples/microservices-demo/currencyservice", 60, Busybox, "/usr/local/bin/node", [7000], Grpc, 50, [];
    "gcr.io/google-samples/microservices-demo/emailservice", 80, Busybox, "/usr/local/bin/python", [8080], Grpc, 45, [];
    "gcr.io/google-samples/microservices-demo/frontend", 15, None, "/src/server", [8080], Always("<title>Online Boutique</title>"), 16, [];
    "gcr.io/google-samples/microservices-demo/loadgenerator", 60, Debian, "locust", [], No, 60, [];
    "gcr.io/google-samples/microservices-demo/paymentservice", 60, Busybox, "/usr/local/bin/node", [50051], Grpc, 50, [];
    "gcr.io/google-samples/microservices-demo/productcatalogservice", 12, None, "/src/server", [3550], Grpc, 12, [];
    "gcr.io/google-samples/microservices-demo/recommendationservice", 90, Busybox, "/usr/local/bin/python", [8080], Grpc, 50, [];
    "gcr.io/google-samples/microservices-demo/shippingservice", 12, None, "/src/shippingservice", [50051], Grpc, 12, [];
};
