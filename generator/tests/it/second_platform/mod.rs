//! The chart of `model/second-platform`, which shares nothing with AuditFlow.

mod derived;

use std::collections::BTreeSet;

use generator::Resolved;
use second_platform::{SHIPPER, SHOP_SERVICE, platform};
use serde_json::{Value, json};
use tools::{KUBERNETES_VERSIONS, Tool};
use vocabulary::{Diagnostic, Platform, Service, ServiceName};

use crate::harness::{OnDisk, helm, leak};

const EXTERNAL: [&str; 2] =
    ["--set=global.secrets.mode=external", "--api-versions=external-secrets.io/v1/ExternalSecret"];

fn resolved() -> Resolved {
    platform().resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

#[test]
fn nothing_of_auditflow_is_in_it() {
    let chart = generator::generate(&resolved());
    for (path, text) in chart.files() {
        let both = format!("{path}\n{text}").to_lowercase();
        for word in ["audit", "notification", "afp"] {
            assert!(!both.contains(word), "{path} speaks of {word}");
        }
    }
}

#[test]
fn a_service_has_exactly_the_files_that_it_needs() {
    let chart = generator::generate(&resolved());
    let files = |name: &str| -> Vec<String> {
        let folder = format!("shop-floor/charts/{name}/");
        chart.files().keys().filter_map(|path| path.as_str().strip_prefix(&folder).map(str::to_owned)).collect()
    };
    assert_eq!(
        files("shop"),
        [
            "Chart.yaml",
            "templates/_helpers.tpl",
            "templates/authentication/proxy.yaml",
            "templates/authentication/secret.yaml",
            "templates/certificate.yaml",
            "templates/deployment.yaml",
            "templates/externalsecret.yaml",
            "templates/gateway.yaml",
            "templates/horizontalpodautoscaler.yaml",
            "templates/httproute.yaml",
            "templates/ingress.yaml",
            "templates/poddisruptionbudget.yaml",
            "templates/role.yaml",
            "templates/secret.yaml",
            "templates/service.yaml",
            "templates/serviceaccount.yaml",
            "templates/tests/test-authentication.yaml",
            "templates/tests/test-connection.yaml",
            "templates/tests/test-isolation.yaml",
        ]
    );
    assert_eq!(
        files("shipper"),
        [
            "Chart.yaml",
            "templates/_helpers.tpl",
            "templates/deployment.yaml",
            "templates/externalsecret.yaml",
            "templates/role.yaml",
            "templates/secret.yaml",
            "templates/service.yaml",
            "templates/serviceaccount.yaml",
            "templates/tests/test-connection.yaml",
            "templates/tests/test-isolation.yaml",
        ]
    );
}

/// Digits of base 16 alone may be read as a number, which the API server refuses for an annotation: each digest stands in quotes.
#[test]
fn a_digest_in_an_annotation_is_quoted() {
    let chart = generator::generate(&resolved());
    let lines = chart.files().values().flat_map(|text| text.lines());
    let digests: Vec<_> = lines.filter(|line| line.contains("/credential-revisions: ")).collect();
    assert!(digests.len() >= 4, "{digests:?}");
    let bare: Vec<_> = digests.iter().filter(|line| !line.ends_with("| quote }}")).collect();
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn both_helms_and_every_kubernetes_take_it() {
    let on_disk = OnDisk::of(&resolved());
    for tool in [Tool::Helm3, Tool::Helm4] {
        let helm = helm(tool);
        let passwords = on_disk.path(&on_disk.chart().paths().ci_values);
        let linted = helm.lint(&on_disk.umbrella(), &[&passwords], &[]).expect("Helm runs");
        assert!(linted.is_ok(), "{linted:?}");
        for environment in [None, Some("live")] {
            let manifest = on_disk.render(&helm, environment, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
            for version in KUBERNETES_VERSIONS {
                let report = tools::kubeconform(version, &manifest).expect("kubeconform runs");
                let failures: Vec<_> = report.failures().map(ToString::to_string).collect();
                assert!(failures.is_empty(), "{version}: {failures:#?}");
            }
        }
    }
}

/// Objects are called `<release>-<chart>` or `<release>-<chart>-<suffix>`: a service of that second name would make the same object again,
/// so the vocabulary must know every suffix that the generator uses, and every key that it puts beside the charts' own.
#[test]
fn no_service_can_be_called_like_an_object_of_another() {
    let on_disk = OnDisk::of(&resolved());
    let manifest = on_disk.render(&helm(Tool::BatchHelm4), Some("live"), &EXTERNAL).expect("it renders");
    let charts = ["shop", "shipper", "orders-broker", "meters", "sessions"];
    let objects = tools::objects(&manifest).expect("Helm renders YAML");
    let called = |object: &tools::Object| object.name.trim_start_matches("r-").to_owned();
    // Of other kinds there is none that bears a chart's name alone, so no chart can make it again.
    let kinds: BTreeSet<_> =
        objects.iter().filter(|o| charts.contains(&called(o).as_str())).map(|o| o.kind.clone()).collect();
    let taken: BTreeSet<_> = objects.iter().filter(|object| kinds.contains(&object.kind)).map(called).collect();
    let mut refused = 0;
    for name in taken.iter().filter(|name| !charts.contains(&name.as_str())) {
        let called = ServiceName::checked(leak(name.clone())).expect("an object's name is a service's");
        let twin = Service { name: called, uses: &[], kubernetes: &[], health: SHOP_SERVICE.health, ..SHOP_SERVICE };
        let platform = Platform { services: vec![SHOP_SERVICE, SHIPPER, twin], ..platform() };
        let diagnostics = platform.resolve().err().unwrap_or_else(|| panic!("a service may be called {name}"));
        let is_about_names = |d: &Diagnostic| ["NameTaken", "NameReserved"].contains(&d.code());
        assert!(diagnostics.as_slice().iter().any(is_about_names), "a service may be called {name}: {diagnostics}");
        refused += 1;
    }
    assert!(refused >= 8, "{taken:?}");
}

#[test]
fn an_environment_s_overlay_is_what_differs_and_nothing_else() {
    let chart = generator::generate(&resolved());
    let text = &chart.files()[&chart.paths().environments["live"]];
    let overlay: Vec<Value> = generator::yaml::read_all(text).expect("YAML");
    assert_eq!(
        overlay,
        [json!({
            "shop": {
                "autoscaling": { "enabled": true },
                "settings": { "cartLimit": 2_000_000 },
                "exposure": { "via": "NodePort", "nodePort": 30100 },
            },
            "shipper": { "image": { "tag": "1.4" } },
            "orders-broker": { "persistence": { "size": "8Gi" } },
        })]
    );
    let helm = helm(Tool::BatchHelm4);
    let manifest = OnDisk::of(&resolved()).render(&helm, Some("live"), &[]).expect("it renders");
    // From a million up numbers become 2e+06 on a careless way through a template.
    assert!(manifest.contains("value: \"2000000\""), "a large number arrives as it is");
    assert!(!manifest.contains("e+06"));
}

/// A tag that moves is pulled each time; a build that nobody names is not installed, and each that lacks one is said.
#[test]
fn an_image_without_a_default_tag_is_named_or_refused() {
    let on_disk = OnDisk::of(&resolved());
    let file = |path: &camino::Utf8Path| on_disk.chart().files()[path].as_str();
    let trial: Vec<Value> =
        generator::yaml::read_all(file(&on_disk.chart().paths().environments["trial"])).expect("YAML");
    assert_eq!(trial, [json!({ "shipper": { "image": { "tag": "latest", "pullPolicy": "Always" } } })]);
    let ci: Vec<Value> = generator::yaml::read_all(file(&on_disk.chart().paths().ci_values)).expect("YAML");
    assert_eq!(ci[0]["shipper"]["image"]["tag"].as_str().map(str::len), Some(40));
    assert!(ci[0]["shop"]["image"].is_null() && ci[0]["global"]["meters"]["image"].is_null());
    for (path, says) in [
        (
            "shop-floor/README.md",
            "  --values environments/values-trial.yaml --set \"global.network.apiServerCidrs={<address>/32}\" ",
        ),
        ("shop-floor/README.md", "--values passwords.plaintext.yaml --wait\n"),
        ("shop-floor/README.md", "| `shipper` | `shop/shipper` | whoever ships builds it |"),
        ("shop-floor/UPGRADING.md", "`shipper.image`"),
        ("shop-floor/values.yaml", "There is no default: whoever ships builds it."),
    ] {
        assert!(file(path.into()).contains(says), "{path} does not say {says}");
    }

    let helm = helm(Tool::BatchHelm4);
    let rendered = |environment, arguments: &[&str]| on_disk.render(&helm, environment, arguments);
    assert!(rendered(Some("trial"), &[]).expect("it renders").contains("image: \"shop/shipper:latest\""));
    let nobody = ["--set=shipper.image.tag=", "--set=global.meters.image.tag=", "--set=shop.image.tag="];
    let refusal = rendered(None, &nobody).expect_err("two images have neither tag nor digest");
    for says in [
        "shipper.image.tag is not set, and neither is image.digest",
        "There is no default (whoever ships builds it). Name one: --set-string shipper.image.tag=<tag>",
        "global.meters.image.tag is not set, and neither is image.digest",
        "the default, 4.3-management",
    ] {
        assert!(refusal.contains(says), "{refusal}");
    }
    // The shop's image is pinned.
    assert!(!refusal.contains("shop.image.tag"), "{refusal}");
    assert!(rendered(None, &["--set=shipper.image.tag=", "--set=shipper.enabled=false"]).is_ok());
}

/// There is no default for the address of the API server, so a service that may use it is refused without one.
#[test]
fn access_to_the_api_server_needs_its_address() {
    let on_disk = OnDisk::of(&resolved());
    let none = "--set-json=global.network.apiServerCidrs=[]";
    for tool in [Tool::BatchHelm3, Tool::BatchHelm4] {
        let rendered = |arguments: &[&str]| on_disk.render(&helm(tool), None, arguments);
        let refusal = rendered(&[none]).expect_err("the shipper declares access");
        for says in [
            "global.network.apiServerCidrs is empty",
            "NetworkPolicy would block shipper",
            "kubectl get endpointslices",
        ] {
            assert!(refusal.contains(says), "{refusal}");
        }
        rendered(&[none, "--set=shipper.enabled=false"]).expect("no other service declares access");
    }
}

/// What the tests try follows from the uses, and what they are told arrives as it was declared.
/// One edit of the declaration, and a path is gone from both its ends, from the rights at the broker, and from the tests, which now try
/// that it is closed.
/// A worker that keeps no connection to a cache it need not log in to: nothing is secret, and so there is no Secret.
#[test]
fn the_same_platform_gives_the_same_bytes() {
    assert_eq!(generator::generate(&resolved()), generator::generate(&resolved()));
}
