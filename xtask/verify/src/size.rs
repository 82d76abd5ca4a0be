//! The step `size`: measures the release as Helm stores it, and the bytes that a further service adds.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow};
use camino::Utf8Path;
use generator::Resolved;
use render::{Case, SECRET_LIMIT, StoredRelease};
use tools::ToolBinary;

use super::context::{VerifyContext, in_parallel};
use super::report::{Outcome, Progress};

/// The budget of the release, in percent of a Secret. The rest is left for subcharts and values that installers add.
const RELEASE_PERCENT: usize = 25;
/// The budget of a further service in bytes, including the files of its subchart.
const SERVICE_BYTES: usize = 3 * 1024;
/// The budget in bytes of a release with the larger number of [`SERVICES`], including the files of the subcharts.
const MANY_BYTES: usize = SECRET_LIMIT / 2;
/// The budget in bytes of the release of each chart beside the umbrella.
const FURTHER_BYTES: usize = SECRET_LIMIT / 16;
/// The two numbers of services between which growth is measured. They are far apart, because the growth between two small numbers depends on
/// gzip's window of 32 KiB.
const SERVICES: [usize; 2] = [10, 100];

pub(super) fn release(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let defaults = context.cases.first().context("the chart has no case to render")?;
    let helm = context.helm()?;
    let stored = |case: &Case| StoredRelease::of(helm, &case.chart, &case.release, &case.values);
    let own = stored(defaults)?;
    let further = context.charts[1..].iter().filter_map(|chart| context.cases_of(chart).next());
    let further =
        further.map(|case| Ok((case.name.as_str(), stored(case)?.bytes))).collect::<anyhow::Result<Vec<_>>>()?;
    let [few, many] = *GROWTH
        .get_or_init(|| growth(helm).map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))?;
    Ok(judge(&own, &further, few, many))
}

/// The sizes with each of [`SERVICES`]. They depend on the generator alone, so a process measures them once, for all its platforms.
static GROWTH: OnceLock<Result<[usize; 2], String>> = OnceLock::new();

fn growth(helm: &ToolBinary) -> anyhow::Result<[usize; 2]> {
    let grown = in_parallel(&SERVICES, &Progress::default(), |count| many_services(helm, *count));
    let [few, many] = grown.try_into().map_err(|_| anyhow!("expected one size for each number of services"))?;
    Ok([few?.with_subcharts, many?.with_subcharts])
}

/// The release of a platform with this many services, which use one server of every kind.
fn many_services(helm: &ToolBinary, count: usize) -> anyhow::Result<StoredRelease> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the path of the temporary folder is not UTF-8")?;
    let platform: Resolved = many_services::every_kind(count);
    let chart = generator::generate(&platform);
    for (path, text) in chart.files() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("the path of a file has no folder")?)?;
        fs::write(path, text)?;
    }
    let paths = chart.paths();
    StoredRelease::of(helm, &folder.join(&paths.umbrella), "r", &[folder.join(&paths.ci_values)])
}

/// Compares the release, the releases of further charts by name, and the sizes with the smaller and the larger number of services, with the budgets.
fn judge(own: &StoredRelease, further: &[(&str, usize)], few: usize, many: usize) -> Outcome {
    let [least, most] = SERVICES;
    let per_service = many.saturating_sub(few) / (most - least);
    let tenths = own.bytes * 1000 / SECRET_LIMIT;
    let budget = SECRET_LIMIT * RELEASE_PERCENT / 100;
    let mut wrong = Vec::new();
    if own.bytes > budget {
        let parts = own.parts.map(|(part, bytes)| format!("{part} {bytes}")).join(", ");
        wrong.push(format!(
            "the release takes {} bytes; the budget is {budget}; bytes before compression: {parts}",
            own.bytes
        ));
    }
    for (chart, bytes) in further.iter().filter(|(_, bytes)| *bytes > FURTHER_BYTES) {
        wrong.push(format!("the release of the chart {chart} takes {bytes} bytes; the budget is {FURTHER_BYTES}"));
    }
    if per_service > SERVICE_BYTES {
        wrong.push(format!("a further service adds {per_service} bytes; the budget is {SERVICE_BYTES}"));
    }
    if many > MANY_BYTES {
        wrong.push(format!("{most} services take {many} bytes; the budget is {MANY_BYTES}"));
    }
    let summary = format!(
        "{} bytes stored, {}.{} % of a Secret (budget {RELEASE_PERCENT} %); a further service adds {per_service} bytes (budget \
         {SERVICE_BYTES}), {most} services take {many} (budget {MANY_BYTES})",
        own.bytes,
        tenths / 10,
        tenths % 10,
    );
    let further: Vec<_> = further.iter().map(|(chart, bytes)| format!(", {chart} {bytes}")).collect();
    let further =
        if further.is_empty() { String::new() } else { format!("{} (budget {FURTHER_BYTES})", further.concat()) };
    Outcome::of(summary + &further).with(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_budget_is_held() {
        let own = |bytes| StoredRelease {
            bytes,
            with_subcharts: bytes,
            parts: [("manifest", 1), ("chart", 2), ("config", 3), ("hooks", 4)],
        };
        let fits = judge(&own(100_000), &[("logs", 20_000)], 150_000, 400_000);
        assert_eq!(fits.wrong, [""; 0]);
        assert!(fits.summary.starts_with("100000 bytes stored, 9.5 % of a Secret"), "{}", fits.summary);
        assert!(fits.summary.contains("a further service adds 2777 bytes"), "{}", fits.summary);

        let large = judge(&own(300_000), &[("logs", 200_000)], 250_000, 600_000).wrong.join("\n");
        for expected in [
            "the release takes 300000 bytes; the budget is 262144; bytes before compression: manifest 1, chart 2, config 3, hooks 4",
            "the release of the chart logs takes 200000 bytes; the budget is 65536",
            "a further service adds 3888 bytes; the budget is 3072",
            "100 services take 600000 bytes; the budget is 524288",
        ] {
            assert!(large.contains(expected), "{expected} is not in {large}");
        }
    }
}
