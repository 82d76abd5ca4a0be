//! The step `size`: measures the release as Helm stores it, and the bytes that a further service adds.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;
use render::{Case, SECRET_LIMIT, StoredRelease};
use tools::ToolBinary;

use super::context::{VerifyContext, in_parallel};
use super::report::{Outcome, Progress};

/// The budget of the release, in percent of a Secret. The rest is left for subcharts and values that installers add.
const RELEASE_PERCENT: usize = 30;
/// The budget of a further service in bytes, including the files of its subchart.
const SERVICE_BYTES: usize = 3 * 1024;
/// The budget in bytes of a release with the larger number of [`SERVICES`], including the files of the subcharts.
const MANY_BYTES: usize = SECRET_LIMIT / 2;
/// The budget in bytes of the release of a chart beside the umbrella.
const FURTHER_BYTES: usize = SECRET_LIMIT / 16;
/// The budget in bytes of the release of a chart with dashboards: of the chart itself, and of each dashboard. A platform has one for each service
/// and server, and a release stores each twice: in base64 as a file of the chart, and in the manifest.
const DASHBOARD_BYTES: [usize; 2] = [24 * 1024, 8 * 1024];
/// The largest budget in bytes of a release with dashboards.
const MANY_DASHBOARDS_BYTES: usize = SECRET_LIMIT / 2;
/// The two numbers of services between which growth is measured. They are far apart, because the growth between two small numbers depends on
/// gzip's window of 32 KiB.
const SERVICES: [usize; 2] = [10, 100];

pub(super) fn release(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let defaults = context.cases.first().context("the chart has no case to render")?;
    let helm = context.helm()?;
    let stored = |case: &Case| StoredRelease::of(helm, &case.chart, &case.release, &case.values);
    let own = stored(defaults)?;
    let further = context.charts[1..].iter().filter_map(|chart| context.cases_of(chart).next());
    let further = further
        .map(|case| {
            let (files, json) = (case.chart.join("files"), Some("json"));
            let is_dashboard =
                |path: &&Utf8PathBuf| path.extension() == json && context.folder.join(path).starts_with(&files);
            let dashboards = context.wanted.keys().filter(is_dashboard).count();
            Ok(FurtherRelease { chart: &case.name, bytes: stored(case)?.bytes, dashboards })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
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

/// The release of a chart beside the umbrella.
struct FurtherRelease<'a> {
    chart: &'a str,
    bytes: usize,
    dashboards: usize,
}

impl FurtherRelease<'_> {
    /// Its budget in bytes.
    fn budget(&self) -> usize {
        let [chart, each] = DASHBOARD_BYTES;
        match self.dashboards {
            0 => FURTHER_BYTES,
            count => (chart + count * each).min(MANY_DASHBOARDS_BYTES),
        }
    }
}

/// Compares the release, the releases of further charts, and the sizes with the smaller and the larger number of services, with the budgets.
fn judge(own: &StoredRelease, further: &[FurtherRelease], few: usize, many: usize) -> Outcome {
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
    for one in further.iter().filter(|one| one.bytes > one.budget()) {
        let FurtherRelease { chart, bytes, .. } = one;
        wrong.push(format!("the release of the chart {chart} takes {bytes} bytes; the budget is {}", one.budget()));
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
    let further = further.iter().map(|one| format!(", {} {} (budget {})", one.chart, one.bytes, one.budget()));
    Outcome::of(summary + &further.collect::<String>()).with(wrong)
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
        let further = |chart, bytes, dashboards| FurtherRelease { chart, bytes, dashboards };
        let fits =
            judge(&own(100_000), &[further("logs", 20_000, 0), further("dashboards", 32_000, 1)], 150_000, 400_000);
        assert_eq!(fits.wrong, [""; 0]);
        assert!(fits.summary.starts_with("100000 bytes stored, 9.5 % of a Secret"), "{}", fits.summary);
        assert!(fits.summary.contains("a further service adds 2777 bytes"), "{}", fits.summary);

        let large = judge(
            &own(320_000),
            &[further("logs", 70_000, 0), further("dashboards", 50_000, 2), further("many", 600_000, 99)],
            250_000,
            600_000,
        )
        .wrong
        .join("\n");
        for expected in [
            "the release takes 320000 bytes; the budget is 314572; bytes before compression: manifest 1, chart 2, config 3, hooks 4",
            "the release of the chart logs takes 70000 bytes; the budget is 65536",
            "the release of the chart dashboards takes 50000 bytes; the budget is 40960",
            "the release of the chart many takes 600000 bytes; the budget is 524288",
            "a further service adds 3888 bytes; the budget is 3072",
            "100 services take 600000 bytes; the budget is 524288",
        ] {
            assert!(large.contains(expected), "{expected} is not in {large}");
        }
    }
}
