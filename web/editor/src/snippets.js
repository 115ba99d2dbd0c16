// Whole manifests to begin with, in CodeMirror's snippet syntax: ${place} is to be filled in.
const container = (indent, rest = "") => `containers:
- name: \${app}
  image: \${nginx:1.27}${rest}`.replace(/\n/g, `\n${" ".repeat(indent)}`);
const head = (apiVersion, kind, name = "${app}") => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;
const template = (indent, body) => `template:
  metadata:
    labels:
      app: \${app}
  spec:
    ${body}`.replace(/\n/g, `\n${" ".repeat(indent)}`);
const selector = "  selector:\n    matchLabels:\n      app: ${app}\n";
const ports = "\n  ports:\n  - containerPort: ${80}";

const TEXTS = {
  Pod: `${head("v1", "Pod")}  labels:\n    app: \${app}\nspec:\n  ${container(2, ports)}\n`,
  Deployment: `${head("apps/v1", "Deployment")}spec:\n  replicas: \${3}\n${selector}  ${template(2, container(4, ports))}\n`,
  Service: `${head("v1", "Service")}spec:\n  selector:\n    app: \${app}\n  ports:\n  - port: \${80}\n    targetPort: \${80}\n`,
  ConfigMap: `${head("v1", "ConfigMap", "${config}")}data:\n  \${key}: \${value}\n`,
  Secret: `${head("v1", "Secret", "${secret}")}stringData:\n  \${password}: \${value}\n`,
  Namespace: head("v1", "Namespace", "${team}"),
  StatefulSet: `${head("apps/v1", "StatefulSet")}spec:\n  serviceName: \${app}\n  replicas: \${3}\n${selector}  ${template(2, container(4, "\n  volumeMounts:\n  - name: data\n    mountPath: \${/data}"))}\n  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      accessModes: [ReadWriteOnce]\n      resources:\n        requests:\n          storage: \${1Gi}\n`,
  DaemonSet: `${head("apps/v1", "DaemonSet")}spec:\n${selector}  ${template(2, container(4))}\n`,
  Job: `${head("batch/v1", "Job")}spec:\n  backoffLimit: \${4}\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: \${app}\n        image: \${busybox:1.36}\n        command: ["sh", "-c", "\${echo done}"]\n`,
  CronJob: `${head("batch/v1", "CronJob")}spec:\n  schedule: "\${*/5 * * * *}"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n          containers:\n          - name: \${app}\n            image: \${busybox:1.36}\n            command: ["sh", "-c", "\${date}"]\n`,
  Ingress: `${head("networking.k8s.io/v1", "Ingress")}spec:\n  rules:\n  - host: \${app.example.com}\n    http:\n      paths:\n      - path: \${/}\n        pathType: Prefix\n        backend:\n          service:\n            name: \${app}\n            port:\n              number: \${80}\n`,
  NetworkPolicy: `${head("networking.k8s.io/v1", "NetworkPolicy")}spec:\n  podSelector:\n    matchLabels:\n      app: \${app}\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          role: \${client}\n`,
  PersistentVolumeClaim: `${head("v1", "PersistentVolumeClaim", "${data}")}spec:\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: \${1Gi}\n`,
  HorizontalPodAutoscaler: `${head("autoscaling/v2", "HorizontalPodAutoscaler")}spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: \${app}\n  minReplicas: \${1}\n  maxReplicas: \${10}\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target:\n        type: Utilization\n        averageUtilization: \${50}\n`,
  PodDisruptionBudget: `${head("policy/v1", "PodDisruptionBudget")}spec:\n  minAvailable: \${1}\n${selector}`,
  ServiceAccount: head("v1", "ServiceAccount"),
  Role: `${head("rbac.authorization.k8s.io/v1", "Role", "${reader}")}rules:\n- apiGroups: [""]\n  resources: [\${pods}]\n  verbs: [\${get, list, watch}]\n`,
  RoleBinding: `${head("rbac.authorization.k8s.io/v1", "RoleBinding", "${reader}")}roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: \${reader}\nsubjects:\n- kind: ServiceAccount\n  name: \${app}\n`,
};

/** [{label, text}] */
export const SNIPPETS = Object.entries(TEXTS).map(([label, text]) => ({ label, text }));
