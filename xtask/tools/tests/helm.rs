//! The real Helm 3 and 4: their versions, and the Kubernetes version for which they render. The first run builds them,
//! which takes minutes.

mod common;

use std::fs;

use common::pinned;
use tools::{Origin, Tool, ToolBinary};

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
