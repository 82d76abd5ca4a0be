//! The real Helm 3 and 4: their versions, and the Kubernetes version for which they render. The first run builds them,
//! which takes minutes.

mod common;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use common::pinned;
use tools::{Origin, Template, Tool, ToolBinary};

fn output(binary: &ToolBinary, arguments: &[&str]) -> String {
    let output = binary.command().args(arguments).output().expect("Helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn both_helms_are_available_in_supported_versions() {
    for (tool, major) in [(Tool::Helm3, "v3."), (Tool::Helm4, "v4.")] {
        let binary = tool.ensure().expect("Helm");
        let version = output(&binary, &["version", "--template", "{{.Version}}"]);
        assert!(version.starts_with(major), "{version}");
        assert_eq!(version, binary.version);
    }
}

/// A built Helm behaves like the release. This test builds it even if Helm is on `PATH`.
#[cfg(unix)]
#[test]
fn a_built_helm_behaves_like_the_release() {
    let (toolbox, folder) = pinned();
    let chart = folder.path().join("chart");
    fs::create_dir_all(chart.join("templates")).expect("a folder");
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 1.0.0\n").expect("a file");
    fs::write(chart.join("templates/a.yaml"), "is: {{ .Capabilities.KubeVersion.Version }}\n").expect("a file");
    let chart = chart.to_str().expect("a UTF-8 path");

    for (tool, version) in [(Tool::Helm3, "v3.22.0"), (Tool::Helm4, "v4.3.1")] {
        let binary = toolbox.ensure(tool).expect("Helm");
        assert_eq!(binary.origin, Origin::Built);
        assert_eq!(binary.version, version);
        assert_eq!(output(&binary, &["version", "--template", "{{.Version}}"]), version);
        assert!(output(&binary, &["template", chart]).ends_with("is: v1.37.0"), "{tool:?}");
        assert!(output(&binary, &["env", "HELM_PLUGINS"]).starts_with(binary.home.as_str()));
    }
}

/// A chart with a schema, a check, a hook, a file for one kind only and a subchart.
fn chart(folder: &Utf8Path) -> Utf8PathBuf {
    let chart = folder.join("shop");
    for (file, text) in [
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies: [{name: page, version: 1.0.0}]\n"),
        ("values.yaml", "size: 1\nname: a\nlist: [1]\npage: {color: red}\n"),
        ("values.schema.json", r#"{"properties": {"size": {"type": "integer"}}}"#),
        (
            "templates/a.yaml",
            "apiVersion: a/v1\nkind: A\nmetadata: {name: a}\nis: {{ .Release | toJson }}\nvalues: {{ .Values | toJson }}\n{{ .Values.more }}\n",
        ),
        (
            "templates/b.yaml",
            "{{ if .Capabilities.APIVersions.Has \"a/v1/B\" }}kind: B\nmetadata: {name: b}{{ end }}\n",
        ),
        ("templates/check.yaml", "{{ if eq .Values.name \"no\" }}{{ fail \"no is refused\" }}{{ end }}\n"),
        ("templates/hook.yaml", "kind: H\nmetadata: {name: h, annotations: {helm.sh/hook: test}}\n"),
        ("templates/NOTES.txt", "Nothing.\n"),
        ("charts/page/Chart.yaml", "apiVersion: v2\nname: page\nversion: 1.0.0\n"),
        ("charts/page/templates/p.yaml", "kind: P\nmetadata: {name: p}\ncolor: {{ .Values.color }}\n"),
        ("library/Chart.yaml", "apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n"),
        (
            "incomplete/Chart.yaml",
            "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: y, version: 1.0.0}]\n",
        ),
    ] {
        let path = chart.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    fs::write(folder.join("values.yaml"), "size: 2\npage: {color: blue}\n").expect("a file");
    fs::write(folder.join("broken.yaml"), "size: [\n").expect("a file");
    chart
}

/// A chart, a release, values files and further arguments.
type Request<'a> = (&'a Utf8Path, &'a str, &'a [&'a Utf8Path], &'a [&'a str]);

/// The programs of many renderings print what Helm prints, whatever they rendered before, and whether Helm renders or refuses.
#[test]
fn a_program_of_many_renderings_gives_what_helm_gives() {
    let (toolbox, temporary) = pinned();
    let folder = Utf8Path::from_path(temporary.path()).expect("a UTF-8 path");
    let shop = chart(folder);
    let [values, broken, absent] = ["values.yaml", "broken.yaml", "absent.yaml"].map(|file| folder.join(file));
    let [library, incomplete, none] = ["library", "incomplete", "none"].map(|chart| shop.join(chart));
    let requests: &[Request<'_>] = &[
        (&shop, "r", &[], &[]),
        (
            &shop,
            "r",
            &[&values],
            &["--set=name=b,list={2,3}", "--set-string=size2=3", "--set-json=page.more={\"a\":[1,null]}"],
        ),
        (&shop, "other", &[], &["--api-versions=a/v1/B", "--is-upgrade", "--set-literal=name=x,y"]),
        // What an earlier request has does not hold for the next.
        (&shop, "r", &[], &[]),
        (&shop, "r", &[], &["--api-versions", "x/v1/Y,a/v1/B", "--set", "name=null"]),
        (&shop, "r", &[], &["--set=size=x"]),
        (&shop, "r", &[], &["--set=size=1.5", "--set=page=no"]),
        (&shop, "r", &[], &["--set=list.a=1"]),
        (&shop, "r", &[], &["--set=name=no"]),
        (&shop, "r", &[], &["--set=more=a: b: c"]),
        (&shop, "r", &[], &["--set=name"]),
        (&shop, "r", &[], &["--set-json=name={"]),
        (&shop, "A release", &[], &[]),
        (&shop, "r", &[&broken], &[]),
        (&shop, "r", &[&absent], &[]),
        (&library, "r", &[], &[]),
        (&incomplete, "r", &[], &[]),
        (&none, "r", &[], &[]),
        (&shop, "r", &[], &[]),
    ];
    for (tool, batch) in [(Tool::Helm3, Tool::BatchHelm3), (Tool::Helm4, Tool::BatchHelm4)] {
        let (helm, batch) = (toolbox.ensure(tool).expect("Helm"), toolbox.ensure(batch).expect("the program"));
        assert_eq!((&batch.version, batch.origin), (&helm.version, Origin::Built));
        let (mut refused, mut unclean) = (0, 0);
        for (chart, release, values, arguments) in requests {
            let template = Template { chart, release, values, arguments };
            let expected = helm.template(&template).expect("Helm runs");
            assert_eq!(batch.template(&template).expect("the program runs"), expected, "{template:?}");
            refused += usize::from(expected.is_err());
            // `helm lint` has no flags for the API and the kind of the command.
            let is_of_lint = |argument: &&str| !argument.starts_with("--api") && !argument.starts_with("--is");
            if arguments.iter().all(is_of_lint) {
                let expected = helm.lint(chart, values, arguments).expect("Helm runs");
                assert_eq!(
                    batch.lint(chart, values, arguments).expect("the program runs"),
                    expected,
                    "{chart} {arguments:?}"
                );
                unclean += usize::from(expected.is_err());
            }
        }
        assert!((5..15).contains(&unclean), "{tool:?}: {unclean}");
        assert_eq!((refused, requests.len()), (12, 19), "{tool:?}");
    }
}

/// Helm keeps the value of a flag that all of its commands have. A request with one gets no answer, rather than a change of the next answers.
#[test]
fn a_request_with_a_flag_that_helm_keeps_has_no_answer() {
    let (toolbox, temporary) = pinned();
    let shop = chart(Utf8Path::from_path(temporary.path()).expect("a UTF-8 path"));
    for batch in [Tool::BatchHelm3, Tool::BatchHelm4] {
        let batch = toolbox.ensure(batch).expect("the program");
        let template = Template { chart: &shop, release: "r", values: &[], arguments: &["--namespace=other"] };
        let error = batch.template(&template).expect_err("no answer").to_string();
        assert!(error.contains("it gave no answer") && error.contains("exit status: 1"), "{error}");
    }
}
