use std::fs;

use release::{CommitTime, check, refuse};
use vocabulary::{Platform, Publication, ReleaseNotes};

use crate::support::{PUBLICATION, Repository, in_version, platform, resolved};

/// The problems that a check finds, without their remedies.
#[track_caller]
fn problems(repository: &Repository, platform: &generator::Resolved, tag: Option<&str>) -> Vec<String> {
    check(repository.root(), platform, tag).unwrap().into_iter().map(|one| one.problem).collect()
}

#[test]
fn a_committed_chart_of_a_new_version_can_be_released() {
    let platform = resolved(platform());
    let repository = Repository::of(&platform);
    assert_eq!(problems(&repository, &platform, Some("v2.0.0")), [""; 0]);
    let time = CommitTime::of_head(repository.root()).unwrap();
    assert_eq!((time.seconds, time.text.as_str()), (1_795_867_200, "2026-11-28T12:00:00Z"));
    // The commit that has the tag can be released again.
    repository.git(&["tag", "v2.0.0"]);
    assert_eq!(problems(&repository, &platform, Some("v2.0.0")), [""; 0]);
}

#[test]
fn everything_that_prevents_a_release_is_reported_at_once() {
    let bare = resolved(Platform { publication: Publication::new(), ..platform() });
    let repository = Repository::of(&bare);
    let readme = repository.root().join("generated-chart/shop-floor/README.md");
    fs::write(&readme, "mine").unwrap();
    fs::write(repository.root().join("notes with space.txt"), "x").unwrap();
    let found = check(repository.root(), &bare, Some("v1.0.0")).unwrap();
    let message = refuse(&found).unwrap_err().to_string();
    for expected in [
        "cannot release: 10 problems",
        "the platform `shop-floor` declares no licence\n     to do: add `licence: ",
        "declares no maintainer",
        "declares no address of its sources",
        "declares no keyword",
        "declares no icon",
        "declares no address of the folder with the charts",
        "the changelog has no entry for version 2.0.0\n     to do: add `changelog: ",
        "the working tree differs from the commit: generated-chart/shop-floor/README.md, notes with space.txt\n     to do: commit",
        "generated-chart/ is not what the model generates\n     to do: run `cargo xtask generate`",
        "the tag `v1.0.0` is for a release, and the version of the charts is 2.0.0\n     to do: tag the commit `v2.0.0`",
    ] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    assert!(refuse(&found[..1]).unwrap_err().to_string().starts_with("cannot release: 1 problem"));
    refuse(&[]).unwrap();
}

#[test]
fn a_version_needs_a_date() {
    let notes = const { &[ReleaseNotes::unreleased("2.0.0", PUBLICATION.changelog[0].changes)] };
    let undated = resolved(Platform { publication: Publication { changelog: notes, ..PUBLICATION }, ..platform() });
    let repository = Repository::of(&undated);
    assert_eq!(problems(&repository, &undated, None), ["version 2.0.0 has no date in the changelog"]);
}

#[test]
fn changed_charts_need_a_higher_version() {
    let first = resolved(platform());
    let repository = Repository::of(&first);
    repository.git(&["tag", "v2.0.0"]);
    // Tags that are no versions, and what is not part of a chart, do not count.
    repository.git(&["tag", "vacation"]);
    fs::write(repository.root().join("README.md"), "x").unwrap();
    repository.commit();
    assert_eq!(problems(&repository, &first, None), [""; 0]);

    let changed = resolved(Platform { doc: "Another description", ..platform() });
    repository.generate(&changed);
    repository.commit();
    let found = problems(&repository, &changed, None);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("version 2.0.0 is released (tag v2.0.0), and ")
            && found[0].contains(" files of the charts differ from it, such as generated-chart/shop-floor"),
        "{found:?}"
    );
    for (version, problem) in [
        ("2.0.0-rc.2", Some("version 2.0.0-rc.2 is below 2.0.0, which is released (tag v2.0.0)")),
        ("1.10.0", Some("version 1.10.0 is below 2.0.0, which is released (tag v2.0.0)")),
        ("2.0.1-rc.1", None),
        ("10.0.0", None),
    ] {
        let other = in_version(version);
        repository.generate(&other);
        repository.commit();
        assert_eq!(problems(&repository, &other, None), problem.into_iter().collect::<Vec<_>>(), "{version}");
    }
}

#[test]
fn a_repository_without_its_history_is_refused() {
    let platform = resolved(platform());
    let repository = Repository::of(&platform);
    let source = format!("file://{}", repository.root());
    fs::write(repository.root().join("README.md"), "x").unwrap();
    repository.commit();
    let clone = crate::support::Folder::new();
    repository.git(&["clone", "--quiet", "--depth", "1", &source, clone.path.as_str()]);
    let found = check(&clone.path, &platform, None).unwrap();
    assert!(found[0].problem.contains("the history of the repository is cut off"), "{found:?}");
    let nowhere = crate::support::Folder::new();
    let error = check(&nowhere.path, &platform, None).unwrap_err().to_string();
    assert!(error.contains("git status fails in"), "{error}");
}
