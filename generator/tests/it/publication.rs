//! What chart repositories show: Chart.yaml, the licence, the changelog, and the links of packaged documents.

use camino::Utf8Path;
use generator::{Chart, check, generate};
use second_platform::platform;
use serde_yaml::Value;
use vocabulary::{Icon, Licence, Link, Maintainer, NotedChange, Platform, Publication, ReleaseNotes, Resolved};

const CHANGES: &[NotedChange] = &[
    NotedChange::fixed("A <b>: `c`"),
    NotedChange::added("Loki").of_chart("logs"),
    NotedChange::security("TLS | mTLS"),
];

const OLD: &[NotedChange] = &[NotedChange::added("A chart that was removed").of_chart("gone")];

const PUBLICATION: Publication = Publication {
    sources: &["https://example.org/code"],
    maintainers: &[
        Maintainer::new("Ada: L").email("ada@example.org"),
        Maintainer::new("Bob").url("https://example.org/b"),
    ],
    keywords: &["shop", "yes"],
    licence: Some(Licence::new("MIT", "Permission is granted")),
    icon: Some(Icon::Svg("<svg/>\n")),
    links: &[Link::new("Documentation", "https://example.org/docs")],
    files: Some("https://example.org/code/v{version}/charts"),
    changelog: &[ReleaseNotes::unreleased("2.0.0-rc.1", CHANGES)],
    ..Publication::new()
};

fn resolved(publication: Publication) -> Resolved {
    Platform { publication, ..platform() }.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn chart_yaml(chart: &Chart, name: &str) -> Value {
    serde_yaml::from_str(&chart.files()[&Utf8Path::new(name).join("Chart.yaml")]).expect("YAML")
}

#[test]
fn chart_yaml_has_what_is_declared() {
    let chart = generate(&resolved(PUBLICATION));
    let umbrella = chart_yaml(&chart, "shop-floor");
    let expected = serde_yaml::from_str::<Value>(
        "{sources: ['https://example.org/code'], keywords: [shop, 'yes'], icon: 'data:image/svg+xml;base64,PHN2Zy8+', maintainers: [{name: 'Ada: L', \
         email: ada@example.org}, {name: Bob, url: 'https://example.org/b'}]}",
    );
    for (key, value) in expected.expect("YAML").as_mapping().expect("a map") {
        assert_eq!(umbrella.get(key), Some(value), "{key:?}");
    }
    let annotation = |chart: &Value, name: &str| -> Value {
        let text = chart["annotations"][format!("artifacthub.io/{name}")]
            .as_str()
            .expect("every annotation is a text")
            .to_owned();
        serde_yaml::from_str(&text).expect("YAML")
    };
    let changes = "[{kind: fixed, description: 'A <b>: `c`'}, {kind: security, description: 'TLS | mTLS'}]";
    assert_eq!(annotation(&umbrella, "changes"), serde_yaml::from_str::<Value>(changes).expect("YAML"));
    assert_eq!(annotation(&umbrella, "license"), "MIT");
    assert_eq!(umbrella["annotations"]["artifacthub.io/operator"], "false");
    assert_eq!(umbrella["annotations"]["artifacthub.io/prerelease"], "true");
    let links = "[{name: Documentation, url: 'https://example.org/docs'}, \
                  {name: Changelog, url: 'https://example.org/code/v2.0.0-rc.1/charts/CHANGELOG.md'}]";
    assert_eq!(annotation(&umbrella, "links"), serde_yaml::from_str::<Value>(links).expect("YAML"));
    let images = annotation(&umbrella, "images");
    let images: Vec<_> =
        images.as_sequence().expect("a list").iter().map(|one| one["image"].as_str().expect("a text")).collect();
    // A digest takes precedence over a tag. An image without a tag is left out: the installer names it.
    assert!(images.iter().any(|image| image.starts_with("shop/web@sha256:")), "{images:?}");
    assert!(!images.iter().any(|image| image.starts_with("shop/shipper")), "{images:?}");
    let logs = chart_yaml(&chart, "shop-floor-logs");
    assert_eq!(
        annotation(&logs, "changes"),
        serde_yaml::from_str::<Value>("[{kind: added, description: Loki}]").expect("YAML")
    );
    for name in ["shop-floor", "shop-floor-logs"] {
        assert_eq!(chart.files()[&Utf8Path::new(name).join("LICENSE")], "Permission is granted\n");
    }
}

#[test]
fn the_changelog_has_all_charts() {
    let chart = generate(&resolved(PUBLICATION));
    let changelog = &chart.files()[Utf8Path::new("CHANGELOG.md")];
    for line in
        ["## 2.0.0-rc.1 (unreleased)", "### Fixed", "- A &lt;b>: `c`", "- `shop-floor-logs`: Loki", "- TLS \\| mTLS"]
    {
        assert!(changelog.lines().any(|one| one == line), "{line} is not in:\n{changelog}");
    }
}

#[test]
fn packaged_documents_link_to_the_version_of_the_other_files() {
    let readme = |publication| generate(&resolved(publication)).files()[Utf8Path::new("shop-floor/README.md")].clone();
    let linked = readme(PUBLICATION);
    assert!(
        linked.contains("[`VALUES.md`](https://example.org/code/v2.0.0-rc.1/charts/shop-floor/VALUES.md)"),
        "{linked}"
    );
    let plain = readme(Publication::new());
    assert!(plain.contains("`VALUES.md` has them") && !plain.contains("](VALUES.md)"), "{plain}");
}

#[test]
fn a_platform_without_a_publication_has_nothing_of_it() {
    let chart = generate(&resolved(Publication::new()));
    let chart_yaml = chart_yaml(&chart, "shop-floor");
    for key in ["annotations", "icon", "keywords", "maintainers", "sources"] {
        assert!(chart_yaml.get(key).is_none(), "{key}");
    }
    assert!(
        !chart.files().keys().any(|path| ["LICENSE", "CHANGELOG.md"].contains(&path.file_name().unwrap_or_default()))
    );
}

#[test]
fn a_change_names_a_chart_that_exists() {
    let with = |chart| {
        let changes: &'static [NotedChange] = vec![NotedChange::added("A").of_chart(chart)].leak();
        let notes =
            vec![ReleaseNotes::unreleased("2.0.0-rc.1", changes), ReleaseNotes::released("1.0.0", "2026-01-02", OLD)];
        check(&resolved(Publication { changelog: notes.leak(), ..Publication::new() }))
    };

    let diagnostics = with("log").expect_err("there is no such chart");
    let text = diagnostics.to_string().replace("\n           ", " ");
    assert!(text.contains("the changelog names the chart `log`, which does not exist"), "{text}");
    assert!(text.contains("write one of `logs`, `dashboards` behind `of_chart`") || text.contains("`logs`"), "{text}");
    for chart in ["logs", "dashboards"] {
        with(chart).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    }
}
