//! The search for tools on a path that each test fills: the chosen version, and the messages if no version is supported.
//! The programs are shell scripts, so these tests need Unix.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use camino::Utf8PathBuf;
use tempfile::TempDir;
use tools::{GoError, KubernetesVersion, Origin, Tool, ToolError, Toolbox};

/// Serializes the tests: while one test starts a program, the child briefly inherits open files, so that a script that
/// another test is writing fails with "text file busy".
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An empty search path of two folders, and an empty cache folder.
struct Bench {
    toolbox: Toolbox,
    root: Utf8PathBuf,
    _folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Bench {
    fn new() -> Self {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).expect("a UTF-8 path");
        let search_path = vec![root.join("first"), root.join("second")];
        for folder in &search_path {
            fs::create_dir(folder).expect("a folder");
        }
        Self { toolbox: Toolbox { search_path, folder: root.join("kept") }, root, _folder: folder, _alone: alone }
    }

    fn program(&self, path: &str, script: &str) {
        let path = self.root.join(path);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    /// The error message, with the test's folder replaced by `…`.
    fn error(&self, tool: Tool) -> String {
        let error = self.toolbox.ensure(tool).expect_err("there is no such tool");
        error.to_string().replace(self.root.as_str(), "…")
    }
}

#[test]
fn with_an_empty_path_the_error_says_what_to_install() {
    let bench = Bench::new();
    assert_eq!(
        bench.error(Tool::Helm4),
        "helm 4, version 4.0.0 or newer, below 5, is needed but was not found
  tried looking for helm4 and helm on PATH: not found
  tried building v4.3.1 from its Go module: there is no `go` on PATH; install Go 1.26.0 or newer
  to do: put helm 4 (4.0.0 or newer, below 5) on PATH as `helm4` or `helm`, or install Go 1.26.0 or newer, \
         which builds v4.3.1 from its Go module"
    );
    assert!(bench.error(Tool::Helm3).contains("put helm 3 (3.18.5 or newer, below 4) on PATH as `helm3` or `helm`"));
    assert!(
        bench.error(Tool::Kubeconform).contains("put kubeconform (0.6.0 or newer, below 1) on PATH as `kubeconform`")
    );
    assert!(bench.error(Tool::Sops).contains("put sops (3.13.0 or newer, below 4) on PATH as `sops`"));
    assert!(bench.error(Tool::AgeKeygen).contains("put age-keygen (1.1.0 or newer, below 2) on PATH as `age-keygen`"));
    let error = bench.error(Tool::ReadDashboards);
    assert!(error.starts_with("read-dashboards is needed but could not be built\n  tried building"), "{error}");
    assert!(
        error.ends_with("\n  to do: install Go 1.26.0 or newer, which builds v0.0.22 from its Go module"),
        "{error}"
    );
}

#[test]
fn a_supported_version_is_found_in_any_folder() {
    let bench = Bench::new();
    bench.program("first/helm", "echo v4.1.0");
    bench.program("second/helm", "echo v3.19.2+g0123abc");
    bench.program("second/kubeconform", "echo v0.6.7");
    // The option prevents a network request, which would print more.
    bench
        .program("first/sops", "echo sops 3.13.1; [ \"$1\" = --disable-version-check ] || echo '[warning] no network'");
    bench.program("first/age-keygen", "echo v1.2.1");
    bench.program("first/conftest", "echo Conftest: v0.62.0; echo OPA: 1.6.0");
    for (tool, path, version) in [
        (Tool::Helm4, "first/helm", "v4.1.0"),
        (Tool::Helm3, "second/helm", "v3.19.2+g0123abc"),
        (Tool::Kubeconform, "second/kubeconform", "v0.6.7"),
        (Tool::Conftest, "first/conftest", "v0.62.0"),
        (Tool::Sops, "first/sops", "3.13.1"),
        (Tool::AgeKeygen, "first/age-keygen", "v1.2.1"),
    ] {
        let binary = bench.toolbox.ensure(tool).expect("a tool");
        assert_eq!(binary.path, bench.root.join(path));
        assert_eq!((binary.version.as_str(), binary.origin), (version, Origin::OnPath));
    }
    bench.program("second/helm3", "echo v3.20.0");
    assert_eq!(bench.toolbox.ensure(Tool::Helm3).expect("a tool").version, "v3.20.0");
}

#[test]
fn unsupported_versions_are_skipped_and_reported() {
    let bench = Bench::new();
    bench.program("first/helm3", "exit 3");
    bench.program("first/helm", "echo v3.18.4");
    bench.program("second/helm", "echo v3.22");
    let error = bench.error(Tool::Helm3);
    for line in [
        "\n  tried …/first/helm3: `version --template {{.Version}}` fails (exit status: 3)\n",
        "\n  tried …/first/helm: is v3.18.4, which is not supported\n",
        "\n  tried …/second/helm: reports the version `v3.22`, which is not a release\n",
    ] {
        assert!(error.contains(line), "{error}");
    }
    bench.program("first/kubeconform", "echo development");
    assert!(bench.error(Tool::Kubeconform).contains("reports the version `development`, which is not a release"));
    bench.program("first/sops", "echo 'sops 3.9.4 (latest)'");
    bench.program("second/sops", "echo sops 3.12.2");
    let error = bench.error(Tool::Sops);
    assert!(
        error.contains("\n  tried …/first/sops: reports the version `3.9.4 (latest)`, which is not a release\n"),
        "{error}"
    );
    assert!(error.contains("\n  tried …/second/sops: is 3.12.2, which is not supported\n"), "{error}");
}

#[test]
fn an_old_go_and_the_output_of_a_failing_build_are_reported() {
    let bench = Bench::new();
    let old = "go: go.mod requires go >= 1.26.0 (running go 1.24.2; GOTOOLCHAIN=local)";
    bench.program("first/go", &format!("case $1 in env) echo go1.24.2;; *) echo '{old}' >&2; exit 1;; esac"));
    let error = bench.error(Tool::Helm4);
    assert!(error.contains("…/first/go is go1.24.2, which is too old; install Go 1.26.0 or newer"), "{error}");

    bench.program("first/go", "echo 'package helm: no space left' >&2; exit 1");
    let error = bench.error(Tool::Helm4);
    assert!(error.contains("first/go build -trimpath"), "{error}");
    assert!(error.contains("failed:\n    package helm: no space left\n"), "{error}");
}

#[test]
fn a_tool_is_built_once() {
    let bench = Bench::new();
    // A Go that counts its builds and writes a program of the pinned version to the file after `-o`.
    let script = format!(
        "echo x >> {}/builds\nwhile [ \"$1\" != -o ]; do shift; done\n\
         printf '#!/bin/sh\\necho v4.3.1\\n' > $2; chmod +x $2",
        bench.root
    );
    bench.program("first/go", &script);
    let built: Vec<_> = std::thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| bench.toolbox.ensure(Tool::Helm4).expect("a tool")));
        threads.into_iter().map(|thread| thread.join().expect("a result")).collect()
    });
    assert_eq!(fs::read_to_string(bench.root.join("builds")).expect("a count"), "x\n");
    for binary in &built {
        assert_eq!(binary, &built[0]);
        assert_eq!(binary.origin, Origin::Built);
        assert!(binary.path.starts_with(&bench.toolbox.folder) && binary.path.is_file());
    }
}

#[test]
fn a_module_with_a_different_checksum_is_rejected() {
    let bench = Bench::new();
    bench.program("first/go", r#"echo '{"Dir": "/nowhere", "Sum": "h1:other="}'"#);
    let error = bench.toolbox.kubernetes_schemas(KubernetesVersion::V1_37).expect_err("a wrong checksum");
    assert!(matches!(&error, ToolError::Checksum { found, .. } if found == "h1:other="), "{error}");
    assert!(error.to_string().contains("k8s.io/kubernetes v1.37.2 has the checksum h1:other="), "{error}");
    assert!(matches!(bench.toolbox.crd_schemas(), Err(ToolError::Checksum { .. })));
}

#[test]
fn schemas_without_go_say_what_to_install() {
    let bench = Bench::new();
    let error = bench.toolbox.crd_schemas().expect_err("there is no Go");
    assert!(matches!(error, ToolError::Module { reason: GoError::Missing { .. }, .. }));
    assert!(error.to_string().contains("there is no `go` on PATH; install Go 1.26 or newer"), "{error}");
}

#[test]
fn helm_ignores_the_settings_of_the_user() {
    let bench = Bench::new();
    bench.program("first/helm", "echo v4.1.0");
    let helm = bench.toolbox.ensure(Tool::Helm4).expect("a tool");
    let command = helm.command();
    let value = |name: &str| command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value);
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        let folder = value(name).and_then(|value| value.to_str()).expect("a folder");
        assert!(folder.starts_with(bench.toolbox.folder.as_str()), "{name} {folder}");
    }
}
