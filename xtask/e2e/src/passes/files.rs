//! What a file of a chart or an image is, by its path.

use camino::Utf8Path;

use super::rendering::ADD_ONS;

/// Whether a file decides what an installation creates.
pub(super) fn decides(path: &Utf8Path) -> bool {
    !is_document(path) && !is_chart_test(path)
}

/// Whether a file decides what an installation creates while every add-on is off.
pub(super) fn is_of_chart(path: &Utf8Path) -> bool {
    decides(path) && !ADD_ONS.iter().any(|add_on| (add_on.owns)(path))
}

/// Whether a file is documentation or a script for operators, which do not affect an installation.
pub(super) fn is_document(path: &Utf8Path) -> bool {
    matches!(
        path.file_name(),
        Some(
            "ALERTS.md"
                | "BACKUP.md"
                | "README.md"
                | "UPGRADING.md"
                | "VALUES.md"
                | "NOTES.txt"
                | ".helmignore"
                | "restore.sh"
                | "existing-secrets.sh"
        )
    )
}

/// Whether a file is a document whose commands a scenario runs, or a script that they call.
pub(super) fn is_manual(path: &Utf8Path) -> bool {
    matches!(path.file_name(), Some("BACKUP.md" | "README.md" | "UPGRADING.md" | "restore.sh" | "existing-secrets.sh"))
}

/// Whether a file belongs to the alerts alone.
pub(super) fn is_of_alerts(path: &Utf8Path) -> bool {
    path == "ALERTS.md" || path == "files/alerts.yaml" || path.starts_with("templates/alerts")
}

/// Whether a file belongs to the backups alone.
pub(super) fn is_of_backups(path: &Utf8Path) -> bool {
    path.as_str().contains("templates/backup/")
}

/// Whether a file belongs to the exporters alone.
pub(super) fn is_of_exporters(path: &Utf8Path) -> bool {
    path.as_str().contains("templates/exporter/")
}

/// Whether a file belongs to the proxies that authenticate users alone.
pub(super) fn is_of_authentication(path: &Utf8Path) -> bool {
    let is_own = path.components().any(|part| part.as_str() == "authentication");
    is_own || path.ends_with("templates/tests/test-authentication.yaml") || path.ends_with("files/tests/login.py")
}

/// Whether a file belongs to the traces alone.
pub(super) fn is_of_traces(path: &Utf8Path) -> bool {
    path.starts_with("templates/tracing") || path.starts_with("files/tracing")
}

/// Whether a file holds an environment's values, as opposed to its passwords.
pub(super) fn is_overlay(path: &Utf8Path) -> bool {
    path.file_name().is_some_and(|name| name.starts_with("values-"))
}

/// Whether a file belongs to `helm test`, which `helm install` does not create.
pub(super) fn is_chart_test(path: &Utf8Path) -> bool {
    path.components().any(|part| part.as_str() == "tests")
}

/// Whether a file is part of an image of `xtask/e2e`, as opposed to its tests.
pub(super) fn is_in_an_image(path: &Utf8Path) -> bool {
    const TEST_SUPPORT: &[&str] = &["contract.py", "local_servers.py", "programs.py"];
    let name = path.file_name().unwrap_or_default();
    !name.starts_with("test_") && !TEST_SUPPORT.contains(&name)
}
