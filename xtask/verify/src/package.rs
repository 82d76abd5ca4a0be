//! The step `package`: what a user of a packaged chart gets.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use chart_package::Package;

use super::context::VerifyContext;
use super::markdown;
use super::report::Outcome;

/// Packages each chart twice, and checks the files and the documents of the package, and the links of the documents that no package contains.
pub(super) fn package(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let helm = context.helm()?;
    let publication = context.platform.platform().publication;
    let mut wrong = Vec::new();
    let (mut links, mut bytes) = (0, 0);
    let mut packaged: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for chart in &context.charts {
        let name = chart.file_name().unwrap_or_default();
        let [first, second] = [(); 2].map(|()| chart_package::package(helm, name, &context.wanted, 0));
        let (first, second) = (first?, second?);
        if first.archive != second.archive {
            wrong.push(format!("{name}: two packages of the same files differ"));
        }
        bytes += first.archive.len();
        wrong.extend(missing_files(&first, publication.licence.is_some()).map(|found| format!("{name}: {found}")));
        packaged.extend(first.files.keys().map(|path| Utf8Path::new(name).join(path)));
        let names_files = publication.files.is_some();
        for (path, text) in first.files.iter().filter(|(path, _)| path.extension() == Some("md")) {
            let text = String::from_utf8_lossy(text);
            let read = |path: &Utf8Path| first.files.get(path).map(|text| String::from_utf8_lossy(text).into_owned());
            let mut found: Vec<_> = markdown::wrong_links(path, &text, &read).iter().map(ToString::to_string).collect();
            if names_files {
                found.extend(markdown::unlinked_files(&text, |name| {
                    first.files.keys().any(|path| path.file_name() == Some(name))
                }));
            }
            links += markdown::links(&text).len();
            wrong.extend(found.into_iter().map(|found| format!("{name}/{path}, in the package: {found}")));
        }
    }
    let others = context.wanted.iter().filter(|(path, _)| path.extension() == Some("md") && !packaged.contains(*path));
    for (path, text) in others {
        links += markdown::links(text).len();
        let found = markdown::wrong_links(path, text, &|path| context.wanted.get(path).cloned());
        wrong.extend(found.into_iter().map(|found| format!("{path}: {found}")));
    }
    let charts = context.charts.len();
    Ok(Outcome::of(format!("{charts} packages with {bytes} bytes, {links} links of the documents")).with(wrong))
}

/// The files that a package lacks.
fn missing_files(package: &Package, has_licence: bool) -> impl Iterator<Item = String> {
    let expected = ["README.md", "values.schema.json"].into_iter().chain(has_licence.then_some("LICENSE"));
    let missing = expected.filter(|name| !package.files.contains_key(Utf8Path::new(name)));
    missing.map(|name| format!("the package does not contain {name}")).collect::<Vec<_>>().into_iter()
}
