//! `prerequisites/doctor`: what it reports of simulated clusters, and that its trial leaves nothing behind.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::program;

const SCRIPT: &str = include_str!("../../../generated-chart/prerequisites/doctor");

/// Answers as a cluster does. The folder `$CLUSTER/definitions` has a file for each definition; `$FORBIDDEN` begins a question that is not answered.
const KUBECTL: &str = r#"
echo "$*" >>"$CLUSTER/calls"
case "$*" in "${FORBIDDEN:-nothing}"*) echo "Error from server (Forbidden): not you." >&2; exit 1 ;; esac
case "$*" in
  "get --raw /version") echo "{ \"major\": \"1\", \"minor\": \"${MINOR:-37}\" }" ;;
  "get customresourcedefinition "*) if [ -e "$CLUSTER/definitions/$3" ]; then cat "$CLUSTER/definitions/$3"; fi ;;
  "get apiservice"*) printf '%s' "${METRICS-True}" ;;
  "get storageclass"*) printf '%b' "${CLASSES-standard=true\\nfast=\\n}" ;;
  "get ingressclass --output"*) printf '%b' "${INGRESS_CLASSES:-}" ;;
  "get ingressclass traefik"*) echo ingressclass/traefik ;;
  "get ingressclass "* | "get gatewayclass "*) ;;
  "create --dry-run=server"*)
    cat >/dev/null
    if [ "${SECURITY:-on}" = on ]; then echo 'pods "privileged" is forbidden: violates PodSecurity "restricted:latest": privileged' >&2; exit 1; fi
    ;;
  "create --filename -") if grep -q "kind: NetworkPolicy"; then touch "$CLUSTER/denied"; fi ;;
  "wait "*) if [ "${START:-yes}" = slow ]; then touch "$CLUSTER/waiting"; /bin/sleep 1; fi; [ "${START:-yes}" != no ] ;;
  "get pods "*) printf 'server Pending ImagePullBackOff; client Pending ImagePullBackOff; ' ;;
  "get pod server"*) printf 10.0.0.1 ;;
  "exec "*"-- true") ;;
  "exec "*) if [ -e "$CLUSTER/denied" ]; then [ "${POLICIES:-on}" = off ]; else [ "${NETWORK:-on}" = on ]; fi ;;
  "delete namespace "*) ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac"#;

/// A simulated cluster, and a folder for values files.
struct Cluster {
    root: Utf8PathBuf,
    _temporary: TempDir,
}

impl Cluster {
    /// A cluster with these definitions, each with the output of the script's question.
    fn with(definitions: &[(&str, &str)]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().to_owned();
        for folder in ["bin", "definitions"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        fs::write(root.join("doctor"), SCRIPT).unwrap();
        program(&root.join("bin/kubectl"), KUBECTL);
        program(&root.join("bin/sleep"), "");
        for (name, answer) in definitions {
            fs::write(root.join("definitions").join(name), answer).unwrap();
        }
        Self { root, _temporary: temporary }
    }

    fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
        let path = format!("{}:{}", self.root.join("bin"), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.arg("doctor").args(arguments).current_dir(&self.root);
        command.env("PATH", path).env("CLUSTER", &self.root).envs(variables.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the script; returns its exit status and what it said.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let _ = fs::remove_file(self.root.join("denied"));
        let output = self.start(arguments, variables).wait_with_output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains("unexpected"), "{said}");
        (output.status.code().unwrap(), said)
    }

    /// Runs the script with a values file, without the trial.
    fn judge(&self, values: &str) -> (i32, String) {
        fs::write(self.root.join("values.yaml"), values).unwrap();
        self.run(&["--values", "values.yaml", "--no-trial"], &[])
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.root.join("calls")).unwrap_or_default()
    }
}

/// The line about a subject; empty if there is none.
fn line<'a>(said: &'a str, subject: &str) -> &'a str {
    said.lines().find(|line| line.contains(subject)).unwrap_or_default()
}

const STORE: &str = "externalsecrets.external-secrets.io";

#[test]
fn only_what_the_values_need_decides() {
    let cluster = Cluster::with(&[]);
    let (status, said) = cluster.judge("global:\n  metrics:\n    enabled: false\n");
    assert_eq!(status, 0, "{said}");
    assert!(
        line(&said, STORE).starts_with("missing  definition") && line(&said, STORE).contains("not needed"),
        "{said}"
    );
    let (status, said) = cluster.judge("global:\n  secrets:\n    mode: external\n");
    assert_eq!(status, 1, "{said}");
    assert!(line(&said, STORE).contains("needed by global.secrets.mode: external. Install"), "{said}");
    let (status, said) =
        Cluster::with(&[(STORE, "v1=true v1beta1=false |v1"), ("secretstores.external-secrets.io", "v1=true |v1")])
            .judge("global:\n  secrets:\n    mode: external\n");
    assert_eq!(status, 0, "{said}");
    assert!(
        line(&said, STORE).starts_with("ok ") && line(&said, STORE).ends_with("serves v1; objects are stored in v1"),
        "{said}"
    );
}

#[test]
fn a_definition_that_does_not_serve_the_version_is_missing() {
    let cluster = Cluster::with(&[(STORE, "v1=false v1beta1=true |v1beta1")]);
    let (status, said) = cluster.judge("global: { secrets: { mode: external } }\n");
    assert_eq!(status, 1, "{said}");
    assert!(
        line(&said, STORE).starts_with("missing  version v1 of the definition")
            && line(&said, STORE).contains("serves v1beta1,"),
        "{said}"
    );
}

#[test]
fn every_way_to_write_a_value_is_read() {
    let cluster = Cluster::with(&[]);
    let needed = "missing  definition podmonitors.monitoring.coreos.com, needed by";
    for values in [
        "global:\n  metrics:\n    enabled: true\n    discovery: PodMonitor\n",
        "global: {metrics: {enabled: true, discovery: PodMonitor}}\n",
        "\"global\":\n  'metrics': { labels: { a: \"b, }\" }, list: [a, {b: c}, \"]\"], enabled: yes, discovery: \"PodMonitor\" }  # c\n",
        "# c\n---\nglobal:\r\n    metrics:\r\n        enabled: true # c\r\n        discovery: 'PodMonitor'\r\n",
        "global:\n  text: |\n    metrics: { enabled: false }\n  list:\n  - name: x\n    metrics: y\n  -\n    z: 1\n  metrics:\n    enabled: true\n    discovery: PodMonitor\n",
        "global:\n  metrics: { enabled: false, discovery: None }\nother: 'it''s # no comment'\nglobal.x: 1\nglobal :\n  metrics: { enabled: true, discovery: PodMonitor }\n",
    ] {
        let (status, said) = cluster.judge(values);
        assert_eq!(status, 1, "{values}{said}");
        assert!(said.contains(needed), "{values}{said}");
    }
    for values in [
        "metrics:\n  enabled: true\n  discovery: PodMonitor\n",
        "global:\n  metrics:\n    enabled: \"false\"\n    discovery: PodMonitor\n",
        "global:\n  list:\n    - metrics:\n        enabled: true\n        discovery: PodMonitor\n",
        "global:\n  text: >-\n    x\n    metrics: { enabled: true, discovery: PodMonitor }\n",
    ] {
        let (status, said) = cluster.judge(values);
        assert_eq!(status, 0, "{values}{said}");
    }
}

#[test]
fn later_values_replace_earlier_ones() {
    let cluster = Cluster::with(&[]);
    fs::write(cluster.root.join("a.yaml"), "global: { velero: { enabled: true } }\n").unwrap();
    fs::write(cluster.root.join("b.yaml"), "global:\n  velero:\n    enabled: false\n").unwrap();
    let run = |arguments: &[&str]| cluster.run(&[arguments, &["--no-trial"]].concat(), &[]).0;
    assert_eq!(run(&["--values", "a.yaml"]), 1);
    assert_eq!(run(&["--values", "a.yaml", "--values=b.yaml"]), 0);
    assert_eq!(run(&["--values", "b.yaml", "--values", "a.yaml"]), 1);
    assert_eq!(run(&["--set", "global.velero.enabled=false", "--values", "a.yaml"]), 0);
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_a_guess() {
    let cluster = Cluster::with(&[]);
    for (values, says) in [
        (
            "global: { metrics: { enabled: true,\n  discovery: PodMonitor } }\n",
            "line 1: a map in flow style does not end on its line",
        ),
        ("a: [1,\n  2]\n", "line 1: a list in flow style does not end on its line"),
        ("a: &x { b: 1 }\n", "line 1: anchors, aliases and tags"),
        ("a:\n  <<: { b: 1 }\n", "line 2: anchors, aliases and tags"),
        ("a: \"x\n  y\"\n", "line 1: the text is not closed on its line"),
        ("a:\n\tb: 1\n", "line 2: a tab indents the line"),
        (
            "{ global: { velero: { enabled: true } } }\n",
            "line 1: a map or list in flow style is not on the line of its key",
        ),
    ] {
        let (status, said) = cluster.judge(values);
        assert_eq!(status, 2, "{values}{said}");
        assert!(said.contains(says) && said.contains("Pass the settings that matter with --set"), "{values}{said}");
    }
    for arguments in
        [&["--set", "a=1,b=2"][..], &["--set", "a"], &["--values"], &["--values", "absent.yaml"], &["--frob"]]
    {
        assert_eq!(cluster.run(arguments, &[]).0, 2, "{arguments:?}");
    }
    assert_eq!(cluster.calls(), "", "the cluster is asked only with a correct command line");
}

#[test]
fn classes_and_the_metrics_api_are_needed_by_values() {
    let cluster = Cluster::with(&[]);
    let run = |set: &[&str], variables: &[(&str, &str)]| {
        let set = set.iter().flat_map(|set| ["--set", set]);
        cluster.run(&set.chain(["--no-trial"]).collect::<Vec<_>>(), variables)
    };
    let (status, said) = run(&["redis.persistence.storageClassName=gone"], &[]);
    assert_eq!(status, 1, "{said}");
    assert!(line(&said, "storage class gone").contains("to one of: standard fast"), "{said}");
    let (status, said) = run(&["redis.persistence.storageClassName=fast"], &[]);
    assert_eq!(status, 0, "{said}");
    let (status, said) = run(&[], &[("CLASSES", "fast=\\n")]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("missing  default storage class for redis.persistence.storageClassName"), "{said}");
    for (metrics, needs, expected) in [("", true, 1), ("False", true, 1), ("", false, 0), ("True", true, 0)] {
        let set = if needs { &["audit-log-analysis.autoscaling.enabled=true"][..] } else { &[] };
        let (status, said) = run(set, &[("METRICS", metrics)]);
        assert_eq!(status, expected, "{metrics} {needs}: {said}");
    }
    let ingress = "event-audit-dashboard.exposure.via=Ingress";
    for (class, classes, expected) in [("", "", 1), ("", "true\\n", 0), ("traefik", "", 0), ("gone", "true\\n", 1)] {
        let class = format!("event-audit-dashboard.exposure.ingress.className={class}");
        let (status, said) = run(&[ingress, &class], &[("INGRESS_CLASSES", classes)]);
        assert_eq!(status, expected, "{class} {classes}: {said}");
    }
    let (status, said) = run(&[ingress, "event-audit-dashboard.enabled=false"], &[]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn what_the_user_may_not_ask_is_unknown() {
    let cluster = Cluster::with(&[]);
    for (question, subject) in [
        ("get customresourcedefinition", STORE),
        ("get storageclass", "storage classes"),
        ("get apiservice", "metrics API"),
    ] {
        let (status, said) =
            cluster.run(&["--no-trial", "--set", "global.secrets.mode=external"], &[("FORBIDDEN", question)]);
        assert!(
            line(&said, subject).starts_with("unknown  ") && line(&said, subject).contains("(Forbidden)"),
            "{said}"
        );
        assert_eq!(status, i32::from(question != "get customresourcedefinition"), "{said}");
    }
    let (status, said) = cluster.run(&[], &[("FORBIDDEN", "get --raw")]);
    assert!(status == 2 && said.contains("The cluster cannot be reached"), "{said}");
    let (_, said) = cluster.run(&[], &[("FORBIDDEN", "create --filename")]);
    assert!(line(&said, "enforcement of NetworkPolicies").starts_with("unknown  "), "{said}");
}

#[test]
fn an_old_kubernetes_is_missing() {
    let (status, said) = Cluster::with(&[]).run(&["--no-trial"], &[("MINOR", "33+")]);
    assert!(status == 1 && line(&said, "Kubernetes 1.34").contains("this is 1.33"), "{said}");
}

#[test]
fn the_trial_judges_policies_and_leaves_nothing() {
    let policies = "enforcement of NetworkPolicies";
    for (variables, begins, status) in [
        (&[][..], "ok ", 0),
        (&[("POLICIES", "off")], "missing  ", 1),
        (&[("NETWORK", "off")], "unknown  ", 0),
        (&[("START", "no")], "unknown  ", 0),
    ] {
        let cluster = Cluster::with(&[]);
        let (found, said) = cluster.run(&["--image", "registry.example.org/busybox:1"], variables);
        assert_eq!(found, status, "{variables:?}: {said}");
        assert!(line(&said, policies).starts_with(begins), "{variables:?}: {said}");
        let calls = cluster.calls();
        let (_, made) = calls.split_once("--namespace doctor-trial-").expect("a namespace of the trial");
        let made = made.split([' ', '\n']).next().unwrap();
        assert!(
            calls
                .trim_end()
                .ends_with(&format!("delete namespace doctor-trial-{made} --ignore-not-found --wait=false")),
            "{calls}"
        );
        if variables == [("START", "no")] {
            assert!(line(&said, policies).contains("ImagePullBackOff") && said.contains("with --image"), "{said}");
        }
    }
    let (status, said) = Cluster::with(&[]).run(&[], &[("SECURITY", "off")]);
    assert_eq!(status, 0, "the chart works without Pod Security: {said}");
    assert!(line(&said, "Pod Security").starts_with("missing  "), "{said}");
}

#[test]
fn an_interrupted_trial_leaves_no_namespace() {
    let cluster = Cluster::with(&[]);
    let child = cluster.start(&[], &[("START", "slow")]);
    let begin = Instant::now();
    while !cluster.root.join("waiting").exists() {
        assert!(begin.elapsed() < Duration::from_mins(1), "the trial does not begin");
        sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(cluster.calls().contains("delete namespace doctor-trial-"), "{}", cluster.calls());
}

#[test]
fn without_the_trial_nothing_is_made() {
    let cluster = Cluster::with(&[]);
    let (_, said) = cluster.run(&["--no-trial"], &[]);
    assert!(line(&said, "enforcement of NetworkPolicies").starts_with("unknown  "), "{said}");
    assert!(!cluster.calls().contains("create") && !cluster.calls().contains("delete"), "{}", cluster.calls());
}
