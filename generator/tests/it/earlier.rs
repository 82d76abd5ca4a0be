//! The values of earlier versions: what the declaration says of the chart's values is checked.

use generator::{Successor, VariableValue, check, earlier_values};
use second_platform::{SHOP, platform};
use vocabulary::{
    EarlierKey, EarlierVersion, MigrationNote, Platform, Resolved, field_changed, moved, object_removed, of_chart,
    of_services, removed, renamed,
};

fn resolved(platform: Platform) -> Resolved {
    platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The second platform with this key in an earlier version of the service `shop`.
fn with(key: EarlierKey) -> Resolved {
    let keys: &'static [EarlierKey] = vec![key].leak();
    let versions = vec![EarlierVersion::new("1.0.0", vec![of_services(&[SHOP], keys)].leak())].leak();
    resolved(Platform { earlier_versions: versions, ..platform() })
}

/// Asserts that a key is the mistake `code`, whose help has this text, and that each of the other keys is none.
#[track_caller]
fn mistake(code: &str, help: &str, wrong: EarlierKey, right: impl IntoIterator<Item = EarlierKey>) {
    let diagnostics = check(&with(wrong)).expect_err("a mistake");
    let codes: Vec<_> = diagnostics.as_slice().iter().map(vocabulary::Diagnostic::code).collect();
    assert_eq!(codes, [code], "{diagnostics}");
    let text = diagnostics.to_string().replace("\n           ", " ");
    assert!(text.contains(help) && text.contains("generator/tests/it/earlier.rs:"), "{text}");
    for key in right {
        check(&with(key)).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    }
}

#[test]
fn every_help_can_be_followed() {
    let help = "`shop.exposure` has `via`, `host`, `nodePort`, `loadBalancer`, `tls`, `ingress`, `httpRoute`";
    let right = [renamed("port", "exposure.nodePort"), moved("port", "global.network.dnsNamespace")];
    mistake("UnknownSuccessor", help, renamed("port", "exposure.nodeport"), right);
    let help = "the top level has `global`, `shop`, `shipper`";
    mistake(
        "UnknownSuccessor",
        help,
        moved("port", "web.exposure.nodePort"),
        [moved("port", "shop.exposure.nodePort")],
    );
    let help = "`shop.replicas` has no keys of its own";
    mistake("UnknownSuccessor", help, renamed("count", "replicas.count"), [renamed("count", "replicas")]);
    let help = "`shop.exposure` has `via`";
    mistake(
        "UnknownSuccessor",
        help,
        renamed("port", "exposure.nodePort").requires("exposure.kind", "NodePort"),
        [renamed("port", "exposure.nodePort").requires("exposure.via", "NodePort")],
    );
    let help = "write one of `None`, `NodePort`, `LoadBalancer`, `Ingress`, `HTTPRoute`";
    mistake(
        "UnknownWord",
        help,
        renamed("kind", "exposure.via").words(&[("internal", "ClusterIP")]),
        [
            renamed("kind", "exposure.via").words(&[("internal", "None")]),
            renamed("kind", "exposure.host").words(&[("a", "b")]),
        ],
    );
    let help = "remove it from the platform's `earlier_versions`";
    mistake(
        "EarlierKeyExists",
        help,
        removed("replicas", "pods are counted"),
        [removed("replica", "pods are counted")],
    );
    mistake(
        "EarlierKeyExists",
        help,
        removed("image", "images are declared"),
        [removed("image.name", "it is declared")],
    );
    mistake("EarlierKeyInValue", help, removed("nodeSelector.disk", "disks are alike"), []);
}

#[test]
fn the_parts_of_a_default_are_keys() {
    check(&with(renamed("cpu", "resources.requests.cpu"))).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
}

#[test]
fn a_variable_leads_to_its_setting_or_its_password() {
    let values = earlier_values(&resolved(platform()));
    let env = values.iter().find(|value| value.path == ["shop", "env"]).expect("the variables of the shop");
    let Successor::Variables(variables) = &env.successor else { panic!("{env:?}") };
    let shown = |name: &str| {
        let variable = variables.iter().find(|variable| variable.variable == name);
        match variable.map(|variable| &variable.value) {
            Some(VariableValue::Setting(path, _)) => format!("setting {}", path.join(".")),
            Some(VariableValue::Secret(path)) => format!("secret {}", path.join(".")),
            Some(VariableValue::Derived) => "derived".to_owned(),
            None => "none".to_owned(),
        }
    };
    assert_eq!(shown("CART_LIMIT"), "setting shop.settings.cartLimit");
    assert_eq!(shown("PAYMENT_TOKEN"), "secret shop.credentials.paymentToken.value");
    assert_eq!(shown("CACHE_PASSWORD"), "secret shop.credentials.sessions.password");
    assert_eq!([shown("MQ_HOST"), shown("MQ_USER")], ["derived", "derived"]);
    assert_eq!(shown("MQ_HOSTS"), "none");
}

/// A platform without earlier versions has nothing in its chart for them.
#[test]
fn a_platform_without_earlier_versions_pays_nothing() {
    const UPGRADED: &[EarlierVersion] =
        &[EarlierVersion::new("1.0.0", &[of_chart(&[removed("worker", "it is gone")])])];
    let files = |versions: &'static [EarlierVersion]| {
        generator::generate(&resolved(Platform { earlier_versions: versions, ..platform() })).into_files()
    };
    let (with, without) = (files(platform().earlier_versions), files(&[]));
    let file = "shop-floor/templates/_earlier.tpl";
    assert!(with.keys().any(|path| path == file) && !without.keys().any(|path| path == file));
    let old = ["deprecated", "wrongKeys", "wrongRelease"];
    for (path, text) in without {
        assert!(!old.iter().any(|word| text.contains(word)), "{path}");
    }
    // One that is upgraded in place has no check of the installed release.
    let upgraded = files(UPGRADED);
    assert!(upgraded.values().any(|text| text.contains("wrongKeys")));
    assert!(!upgraded.values().any(|text| text.contains("wrongRelease")));
}

/// A migration note is text for installers: the charts differ in nothing else.
#[test]
fn a_migration_note_is_a_section_of_upgrading() {
    const NOTES: &[MigrationNote] = &[
        field_changed("StatefulSet", "orders", "spec.serviceName", "The upgrade makes it again, with its volume.")
            .commands(&["kubectl delete statefulset \"$RELEASE-orders\" --cascade=orphan"]),
        object_removed("PersistentVolumeClaim", "reports", "Copy the reports first."),
    ];
    const NOTED: &[EarlierVersion] = &[EarlierVersion::new("1.0.0", &[]).migrations(NOTES)];
    let files = |versions: &'static [EarlierVersion]| {
        generator::generate(&resolved(Platform { earlier_versions: versions, ..platform() })).into_files()
    };
    let (with, without) = (files(NOTED), files(&[]));
    let changed: Vec<_> = with.iter().filter(|(path, text)| without.get(*path) != Some(*text)).collect();
    let [(path, text)] = changed.as_slice() else { panic!("{:?}", changed.iter().map(|(path, _)| path)) };
    assert_eq!(path.as_str(), "shop-floor/UPGRADING.md");
    for expected in [
        "## Before an upgrade from 1.0.0\n",
        "StatefulSet `$RELEASE-orders` has another `spec.serviceName`, which Kubernetes lets nobody change. The upgrade makes it again",
        "```sh\nkubectl delete statefulset \"$RELEASE-orders\" --cascade=orphan\n```\n",
        "PersistentVolumeClaim `$RELEASE-reports` is no longer in the chart. Copy the reports first.",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}
