use super::Shells;
use crate::Session;
use meta::{Duration, Time};
use protocol::{File, Reply, Shell, ShellOutput, Waits};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: nginx}]\n";

struct Tab {
    session: Session,
    shells: Shells,
    waits: Waits,
    last: ShellOutput,
}

impl Tab {
    fn new() -> Tab {
        let mut session = Session::new(2, 7, Time(0)).unwrap();
        session.cluster.advance(Duration::from_secs(20));
        let shells = Shells::default();
        Tab { session, shells, waits: Waits::default(), last: ShellOutput::default() }
    }

    fn say(&mut self, said: Shell) -> String {
        self.shells.take(&mut self.session, said);
        self.heard()
    }

    fn heard(&mut self) -> String {
        let mut text = String::new();
        for r in self.shells.replies() {
            let Reply::Shell(out) = r else { panic!("{r:?}") };
            text.push_str(&out.text);
            if let Some(w) = &out.waits {
                self.waits = w.clone();
            }
            self.last = out;
        }
        text
    }

    /// Lets so much virtual time pass.
    fn pass(&mut self, seconds: u64) -> String {
        let end = self.session.cluster.now() + Duration::from_secs(seconds);
        while self.session.cluster.step(end).is_some() {
            self.shells.run(&mut self.session);
        }
        self.session.cluster.advance_to(end);
        self.shells.run(&mut self.session);
        self.heard()
    }

    fn line(&mut self, line: &str) -> String {
        self.say(Shell::Line { number: 1, line: line.into(), acting: None })
    }

    /// A line until its end, at most a minute of it.
    fn run(&mut self, line: &str) -> String {
        let mut text = self.line(line);
        for _ in 0..600 {
            if matches!(self.waits, Waits::Line { .. }) {
                return text;
            }
            let end = self.session.cluster.now() + Duration::from_millis(100);
            while self.session.cluster.step(end).is_some() {
                self.shells.run(&mut self.session);
            }
            self.session.cluster.advance_to(end);
            self.shells.run(&mut self.session);
            text.push_str(&self.heard());
        }
        panic!("{line} goes on: {text}");
    }

    fn files(&mut self, files: &[(&str, &str)]) {
        let changed = files.iter().map(|(name, text)| File { name: (*name).into(), text: (*text).into() }).collect();
        self.say(Shell::Files { changed });
    }

    fn replayed(&mut self) {
        let again = Session::load(&self.session.save().unwrap()).unwrap();
        assert_eq!(again.cluster.trace().hash(), self.session.cluster.trace().hash());
        assert_eq!(again.cluster.turns(), self.session.cluster.turns());
    }
}

#[test]
fn a_line_of_kubectl_prints_what_it_found() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", POD)]);
    assert_eq!(t.run("kubectl apply -f a.yaml"), "pod/a created\n");
    t.pass(10);
    let text = t.run("k get pods --no-headers | awk '{print $1, $3}'");
    assert_eq!(text, "a Running\n");
    assert_eq!(t.run("kubectl get pods | grep -c Running && echo yes || echo no"), "1\nyes\n");
    assert_eq!(t.run("kubectl get pods nope; echo $?"), "Error from server (NotFound): pods \"nope\" not found\n1\n");
    assert_eq!(t.run("kubectl get po -o name > list.txt; cat list.txt; wc -l < list.txt"), "pod/a\n1\n");
    t.replayed();
}

#[test]
fn what_a_line_did_is_told_in_its_words() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", POD), ("b.yaml", &POD.replace("name: a", "name: b"))]);
    t.run("kubectl apply -f a.yaml -f b.yaml");
    let deed = t.session.time_view().undo.unwrap();
    assert_eq!((deed.what.as_str(), deed.more), ("kubectl apply -f a.yaml -f b.yaml", 0));
    t.run("kubectl label pod a \\\n  x=y");
    let again = Session::load(&t.session.save().unwrap()).unwrap();
    assert_eq!(again.time_view().undo.unwrap().what, "kubectl label pod a x=y");
    t.replayed();
}

#[test]
fn here_documents_and_substitutions() {
    let mut t = Tab::new();
    t.line("cat <<EOF | kubectl apply -f -");
    assert_eq!(t.waits, Waits::Line { prompt: "> ".into() });
    for line in POD.lines() {
        t.line(line);
    }
    assert_eq!(t.run("EOF"), "pod/a created\n");
    assert_eq!(t.run("kubectl get $(kubectl get po -o name | head -1) -o jsonpath='{.metadata.name}'"), "a");
    assert_eq!(t.run("NAME=a; echo \"it is $NAME\"; kubectl get po $NAME -o name"), "it is a\npod/a\n");
    assert_eq!(t.run("echo \"found: $(kubectl get po -o name)\""), "found: pod/a\n");
    let text =
        t.run("for i in 1 2; do kubectl create cm c$i; done; kubectl get cm -o name | grep /c | xargs kubectl delete");
    assert_eq!(
        text,
        "configmap/c1 created\nconfigmap/c2 created\nconfigmap \"c1\" deleted from default namespace\nconfigmap \"c2\" \
         deleted from default namespace\n"
    );
    t.replayed();
}

#[test]
fn a_watch_goes_on_until_it_is_interrupted() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", POD)]);
    t.run("kubectl apply -f a.yaml");
    let mut text = t.line("kubectl get pods -w --no-headers | cut -c1-30");
    assert_eq!(t.waits, Waits::Command);
    text.push_str(&t.pass(20));
    assert!(text.contains("ContainerCreating") && text.contains("Running"), "{text}");
    t.say(Shell::Interrupt { number: 1 });
    assert_eq!(t.waits, Waits::Line { prompt: "$ ".into() });
    assert!(t.shells.open[&1].job.is_none());
    t.replayed();
}

#[test]
fn a_shell_in_a_container_takes_keys() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", POD)]);
    t.run("kubectl apply -f a.yaml && kubectl wait --for=condition=Ready pod/a");
    t.line("kubectl exec -it a -- bash");
    t.pass(1);
    assert_eq!(t.waits, Waits::Keys);
    let mut text = t.say(Shell::Keys { number: 1, keys: "echo $((6*7)); exit 3\r".into() });
    text.push_str(&t.pass(1));
    assert!(text.contains("42"), "{text}");
    assert!(text.contains("command terminated with exit code 3"), "{text}");
    assert_eq!(t.waits, Waits::Line { prompt: "$ ".into() });
    assert_eq!(t.run("kubectl exec a -- cat /etc/hostname"), "a\n");
    assert_eq!(t.run("echo hello | kubectl exec -i a -- cat"), "hello\n");
    let log = t.run("kubectl logs a | head -1");
    assert!(log.contains("/docker-entrypoint.sh"), "{log}");
    t.replayed();
}

#[test]
fn waiting_and_forwarding_follow_the_cluster() {
    let mut t = Tab::new();
    let text =
        t.run("kubectl create deployment web --image=nginx --replicas=2 && kubectl rollout status deployment/web");
    assert!(text.ends_with("deployment \"web\" successfully rolled out\n"), "{text}");
    t.run("kubectl run one --image=nginx --restart=Never");
    t.run("kubectl wait --for=condition=Ready pod/one");
    // The container runs; its server needs a moment more.
    t.pass(2);
    let text = t.line("kubectl port-forward pod/one 8080:80");
    assert!(text.contains("Forwarding from 127.0.0.1:8080 -> 80"), "{text}");
    let mut text = t.say(Shell::Line { number: 2, line: "curl -s localhost:8080".into(), acting: None });
    text.push_str(&t.pass(1));
    assert!(text.contains("Welcome to nginx!"), "{text}");
    t.replayed();
}

#[test]
fn tab_completes_verbs_kinds_names_and_flags() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", POD), ("samples/x.yaml", POD)]);
    t.run("kubectl apply -f a.yaml");
    let mut words = |line: &str| {
        t.say(Shell::Complete { number: 1, line: line.into(), acting: None });
        t.last.completion.clone().unwrap_or_default().words.join(" ")
    };
    assert_eq!(words("kubectl ro"), "rollout");
    assert_eq!(words("k get deploy"), "deployments");
    assert_eq!(words("kubectl get pods "), "a");
    assert_eq!(words("kubectl get -n kube-p"), "kube-public");
    assert_eq!(words("kubectl get pods --all-n"), "--all-namespaces");
    assert_eq!(words("kubectl apply -f sam"), "samples/");
    assert_eq!(words("kubectl apply -f samples/"), "samples/x.yaml");
    assert_eq!(words("kubectl get po -o ya"), "yaml");
    assert_eq!(words("kubectl get po | gr"), "grep");
    assert_eq!(words("kubectl describe pod/"), "pod/a");
    assert_eq!(words("kubectl logs a -c "), "c");
}

#[test]
fn whoever_is_acted_as_asks() {
    let mut t = Tab::new();
    let acting = Some(protocol::Identity { user: "jane".into(), groups: Vec::new() });
    let text = t.say(Shell::Line { number: 1, line: "kubectl get pods".into(), acting });
    assert!(text.starts_with("Error from server (Forbidden): pods is forbidden: User \"jane\""), "{text}");
    assert_eq!(t.waits, Waits::Line { prompt: "jane $ ".into() });
    assert_eq!(t.run("kubectl auth can-i list pods --as=jane"), "no\n");
    assert_eq!(t.run("kubectl config set-context --current --namespace=kube-system > /dev/null"), "");
    assert_eq!(t.waits, Waits::Line { prompt: "kube-system $ ".into() });
}

#[test]
fn a_token_is_whom_the_server_says_it_is() {
    let mut t = Tab::new();
    let token = t.run("kubectl create token default").trim().to_string();
    t.run(&format!("kubectl config set-credentials bot --token={token}"));
    let bot = "system:serviceaccount:default:default";
    assert_eq!(t.run("kubectl --user=bot auth whoami -o jsonpath={.status.userInfo.username}"), bot);
    let text = t.run("kubectl --user=bot get pods --as=jane");
    let said = format!(
        "Error from server (Forbidden): users \"jane\" is forbidden: User \"{bot}\" cannot impersonate resource \"users\" \
         in API group \"\" at the cluster scope\n"
    );
    assert_eq!(text, said);
    // The same words with another signature.
    t.run(&format!("kubectl config set-credentials forged --token={}AAAA", &token[..token.len() - 4]));
    let unauthorized = "error: You must be logged in to the server (Unauthorized)\n";
    assert_eq!(t.run("kubectl --user=forged get pods"), unauthorized);
    // With a certificate it is who the certificate names.
    assert_eq!(t.run("kubectl --token=bad get pods"), "No resources found in default namespace.\n");
}

const SCHEMAS: &str = r##"{"components":{"schemas":{"io.k8s.api.core.v1.Pod":{"description":"A pod.","type":"object",
    "properties":{"kind":{"type":"string","enum":["A","B"],"description":"What it is."}},
    "x-kubernetes-group-version-kind":[{"group":"","version":"v1","kind":"Pod"}]},
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta":{"description":"Metadata.","type":"object"}}}}"##;
const CRONTABS: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, description: How much.}
";

#[test]
fn explain_reads_what_the_page_hands_over() {
    let mut t = Tab::new();
    // It waits for the page.
    assert_eq!(t.line("kubectl explain pod.kind"), "");
    let library =
        Shell::Library { schemas: SCHEMAS.into(), help: "\n=== get\nAll about get.\n\n=== set\nNo.\n".into() };
    let said = t.say(library);
    assert_eq!(
        said,
        "KIND:       Pod\nVERSION:    v1\n\nFIELD: kind <string>\nENUM:\n    A\n    B\n\nDESCRIPTION:\n    What it is.\n    \n\n"
    );
    assert_eq!(t.run("kubectl get --help"), "All about get.\n\n");
    t.files(&[("c.yaml", CRONTABS)]);
    t.run("kubectl apply -f c.yaml");
    t.pass(2);
    let said = t.run("kubectl explain crontabs.spec");
    assert!(said.contains("  size\t<integer>\n    How much.\n"), "{said}");
}

#[test]
fn manifests_are_read_from_addresses_by_the_page() {
    let mut t = Tab::new();
    assert_eq!(t.line("kubectl apply -f https://example.org/a.yaml"), "");
    assert_eq!(t.waits, Waits::Address { url: "https://example.org/a.yaml".into() });
    let fetched = |url: &str, text: &str, error: Option<&str>| Shell::Fetched {
        number: 1,
        url: format!("{url}.yaml"),
        text: text.into(),
        error: error.map(String::from),
    };
    // An answer to a question of before is not the one.
    assert_eq!(t.say(fetched("https://example.org/other", "", None)), "");
    let found = fetched("https://example.org/a", POD, None);
    assert_eq!(t.say(found), "pod/a created\n");
    t.line("kubectl apply -f http://example.org/b.yaml");
    let refused = fetched("http://example.org/b", "", Some("which is far away"));
    assert_eq!(t.say(refused), "error: unable to read URL \"http://example.org/b.yaml\", which is far away\n");
    assert_eq!(t.waits, Waits::Line { prompt: "$ ".into() });
    // The same twice is asked for twice.
    let twice = "https://example.org/a";
    t.line(&format!("kubectl apply -f {twice}.yaml -f {twice}.yaml"));
    assert_eq!(t.say(fetched(twice, POD, None)), "");
    assert_eq!(t.say(fetched(twice, POD, None)), "pod/a unchanged\npod/a unchanged\n");
}

#[test]
fn a_shells_script_for_completion_can_be_read() {
    let mut t = Tab::new();
    let help = include_str!("../../../kubectl/help.txt").to_string();
    t.say(Shell::Library { schemas: String::new(), help });
    assert!(t.run("kubectl completion bash").contains("\n__start_kubectl()\n"));
    assert_eq!(t.run("kubectl __complete get deployments.a 2>/dev/null | head -1"), "deployments.apps\n");
}

#[test]
fn a_followed_log_ends_when_nobody_reads_it() {
    let mut t = Tab::new();
    t.run("kubectl run talker --image=busybox -- sh -c 'while true; do echo hello; sleep 1; done'");
    t.pass(10);
    assert_eq!(t.run("kubectl logs -f talker | head -1"), "hello\n");
}

#[test]
fn files_are_copied_both_ways() {
    let mut t = Tab::new();
    t.files(&[("a.txt", "one\ntwo\n")]);
    t.run("kubectl run box --image=busybox -- sleep 1000");
    t.pass(10);
    assert_eq!(t.run("kubectl cp a.txt box:/tmp/b.txt"), "");
    assert_eq!(t.run("kubectl exec box -- cat /tmp/b.txt"), "one\ntwo\n");
    let told = "tar: removing leading '/' from member names\n";
    assert_eq!(t.run("kubectl cp box:/tmp/b.txt back/c.txt && cat back/c.txt"), format!("{told}one\ntwo\n"));
    // What is no text, and a directory, both ways.
    assert_eq!(t.run(r"mkdir -p d/e; echo /wD+eA== | base64 -d > d/e/bin; cp a.txt d; kubectl cp d box:/tmp"), "");
    assert_eq!(t.run("kubectl exec box -- base64 /tmp/d/e/bin"), "/wD+eA==\n");
    let back = "kubectl cp box:/tmp/d back/d && cat back/d/a.txt && base64 back/d/e/bin";
    assert_eq!(t.run(back), format!("{told}one\ntwo\n/wD+eA==\n"));
    assert_eq!(t.run("kubectl cp box:/tmp/b.txt d; echo $?"), format!("{told}error: open d: is a directory\n1\n"));
    let missing = "tar: /nothing: No such file or directory\ntar: error exit delayed from previous errors\n";
    assert_eq!(
        t.run("kubectl cp box:/nothing x; echo $?"),
        format!("{missing}command terminated with exit code 1\n1\n")
    );
    assert_eq!(t.run("kubectl cp a.txt b.txt"), "error: one of src or dest must be a remote file specification\n");
}

#[test]
fn a_question_is_answered() {
    let mut t = Tab::new();
    t.run("kubectl create cm asked");
    let asked =
        "You are about to delete the following 1 resource(s):\nconfigmap/asked\nDo you want to continue? (y/n): ";
    assert_eq!(t.run("echo n | kubectl delete cm asked -i"), format!("{asked}deletion is cancelled\n"));
    let done = format!("{asked}configmap \"asked\" deleted from default namespace\n");
    assert_eq!(t.run("echo y | kubectl delete cm asked -i"), done);
}

#[test]
fn a_difference_is_shown_and_is_one() {
    let mut t = Tab::new();
    t.files(&[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: one}\n")]);
    t.run("kubectl apply -f a.yaml");
    assert_eq!(t.run("kubectl diff -f a.yaml; echo $?"), "0\n");
    t.run("sed -i s/one/two/ a.yaml");
    let said = t.run("kubectl diff -f a.yaml; echo $?");
    assert!(said.starts_with("diff -u -N /tmp/LIVE-"), "{said}");
    assert!(said.contains("-  x: one\n+  x: two\n") && said.ends_with("\n1\n"), "{said}");
}

#[test]
fn a_pod_gets_a_container_to_debug_it() {
    let mut t = Tab::new();
    t.run("kubectl run web --image=nginx");
    t.pass(10);
    let said = t.run("kubectl debug web --image=busybox -c look --profile=general -- sleep 100");
    assert_eq!(said, "");
    assert_eq!(t.run("kubectl get pod web -o jsonpath='{.spec.ephemeralContainers[0].name}'"), "look");
    t.run("kubectl debug web --image=busybox --copy-to=copy -c look --profile=general -- sleep 100");
    assert_eq!(t.run("kubectl get pod copy -o jsonpath='{.spec.containers[*].name}'"), "web look");
}

#[test]
fn a_pod_asks_the_api_server_as_its_service_account() {
    let mut t = Tab::new();
    t.run("kubectl run c --image=nginx");
    t.pass(20);
    let ask = |more: &str, path: &str| {
        let dir = "/var/run/secrets/kubernetes.io/serviceaccount";
        format!(
            "kubectl exec c -- sh -c 'curl -s --cacert {dir}/ca.crt {more} -H \"Authorization: Bearer $(cat {dir}/token)\" \
             https://kubernetes.default.svc{path}'"
        )
    };
    assert!(t.run(&ask("", "/api")).contains("\"kind\": \"APIVersions\""));
    let pods = "/api/v1/namespaces/default/pods";
    let said = t.run(&ask("", pods));
    let refused = "pods is forbidden: User \\\"system:serviceaccount:default:default\\\" cannot list resource \\\"pods\\\" in \
                   API group \\\"\\\" in the namespace \\\"default\\\"";
    assert!(said.contains(refused), "{said}");
    t.run("kubectl create rolebinding edits --clusterrole=edit --serviceaccount=default:default");
    let said = t.run(&ask("", pods));
    assert!(said.contains("\"kind\": \"PodList\"") && said.contains("\"name\": \"c\""), "{said}");
    let made = ask(
        "-X POST -H \"Content-Type: application/json\" -d \"{\\\"metadata\\\":{\\\"name\\\":\\\"m\\\"}}\"",
        "/api/v1/namespaces/default/configmaps",
    );
    assert!(t.run(&made).contains("\"kind\": \"ConfigMap\""));
    assert_eq!(t.run("kubectl get configmap m -o name"), "configmap/m\n");
    let said = t.run("kubectl exec c -- curl -s -k https://10.96.0.1/api/v1/pods");
    assert!(said.contains("User \\\"system:anonymous\\\" cannot list resource \\\"pods\\\""), "{said}");
    let said = t.run("kubectl exec c -- curl -s https://kubernetes.default.svc/version; echo $?");
    assert!(said.ends_with("60\n"), "{said}");
    t.replayed();
}

#[test]
fn a_piped_script_finds_services_by_their_names() {
    let mut t = Tab::new();
    t.run("kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80");
    t.pass(20);
    for script in ["curl -s http://web\\n", "echo a\\ncurl -s http://web", "sleep 1\\ncurl -s http://web\\necho b\\n"] {
        let said = t.run(&format!("printf '{script}' | kubectl exec -i deploy/web -- sh"));
        assert!(said.contains("Welcome to nginx!"), "{script}: {said}");
    }
    t.replayed();
}

#[test]
fn kubectl_in_a_container_is_the_pods_service_account() {
    let mut t = Tab::new();
    t.run("kubectl run k --image=bitnami/kubectl --command -- sleep 1000");
    t.pass(20);
    assert_eq!(t.run("kubectl exec k -- kubectl auth can-i list pods 2>/dev/null"), "no\n");
    assert!(t.run("kubectl exec k -- kubectl get pods").contains(
        "Error from server (Forbidden): pods is forbidden: User \"system:serviceaccount:default:default\" cannot list \
         resource \"pods\" in API group \"\" in the namespace \"default\""
    ));
    t.run("kubectl create rolebinding edits --clusterrole=edit --serviceaccount=default:default");
    assert_eq!(t.run("kubectl exec k -- kubectl get pods --no-headers | awk '{print $1, $3}'"), "k Running\n");
    assert_eq!(t.run("kubectl exec k -- kubectl create configmap m --from-literal=a=b"), "configmap/m created\n");
    let line = "kubectl exec k -- sh -c 'kubectl get configmap m -o yaml | sed \"s/a: b/a: c/\" | kubectl apply -f -' 2>/dev/null";
    assert_eq!(t.run(line), "configmap/m configured\n");
    assert_eq!(t.run("kubectl exec k -- kubectl get configmap m -o jsonpath='{.data.a}'"), "c");
    t.replayed();
}

#[test]
fn kubectl_in_a_container_acts_as_others_only_when_it_may() {
    let mut t = Tab::new();
    t.run("kubectl run k --image=bitnami/kubectl --command -- sleep 1000");
    t.run("kubectl create rolebinding edits --clusterrole=edit --serviceaccount=default:default");
    t.pass(20);
    assert!(t.run("kubectl exec k -- kubectl get pods --as=jane").contains(
        "users \"jane\" is forbidden: User \"system:serviceaccount:default:default\" cannot impersonate resource \
         \"users\" in API group \"\" at the cluster scope"
    ));
    t.run("kubectl create clusterrolebinding all --clusterrole=cluster-admin --serviceaccount=default:default");
    let said = t.run("kubectl exec k -- kubectl get pods --as=jane");
    assert!(said.contains("pods is forbidden: User \"jane\" cannot list resource \"pods\""), "{said}");
    assert_eq!(t.run("kubectl exec k -- kubectl auth can-i list pods --as=jane 2>/dev/null"), "no\n");
    assert!(t.run("kubectl exec k -- kubectl get pods --token=abc").contains("You must be logged in to the server"));
    let said = t.run("kubectl exec k -- kubectl get componentstatuses 2>&1 >/dev/null");
    assert!(said.contains("Warning: v1 ComponentStatus is deprecated in v1.19+"), "{said}");
    let files =
        "mkdir /tmp/q; for n in a b; do kubectl create configmap $n --dry-run=client -o yaml > /tmp/q/$n.yaml; done";
    t.run(&format!("kubectl exec k -- sh -c '{files}'"));
    let said = "configmap/a created\nconfigmap/b created\n";
    assert_eq!(t.run("kubectl exec k -- sh -c 'cd /tmp/q; kubectl apply -f .'"), said);
    assert_eq!(t.run("kubectl exec k -- kubectl apply -f /tmp/q/"), said.replace("created", "unchanged"));
    assert_eq!(t.run("kubectl exec k -- sh -c 'cd /tmp; kubectl apply -f ./q/a.yaml'"), "configmap/a unchanged\n");
    t.replayed();
}

/// tutorials/kubernetes-basics
#[test]
fn the_bootcamp_says_which_version_it_is() {
    let mut t = Tab::new();
    t.run("kubectl create deployment kb --image=gcr.io/google-samples/kubernetes-bootcamp:v1");
    t.run("kubectl expose deployment kb --port=8080");
    t.pass(60);
    let name = t.run("kubectl get pods -o jsonpath='{.items[0].metadata.name}'");
    let ask = "kubectl exec deploy/kb -- curl -s http://kb:8080";
    assert_eq!(t.run(ask), format!("Hello Kubernetes bootcamp! | Running on: {name} | v=1\n"));
    t.run("kubectl set image deployment/kb kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2");
    t.pass(90);
    assert!(t.run(ask).ends_with(" | v=2\n"));
}
