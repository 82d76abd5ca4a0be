//! The step that measures what Helm stores of a release: the Secret that holds manifest, hooks, values and the umbrella chart itself.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, write::GzEncoder};
use render::RELEASE;
use serde_json::Value;

use super::context::VerifyContext;
use super::report::Outcome;

/// What Kubernetes lets a Secret hold, in bytes.
const LIMIT: usize = 1024 * 1024;
/// What a release may have of that, in percent: subcharts, values and histories of its users come on top.
const BUDGET_PERCENT: usize = 20;

pub(super) fn release(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let defaults = context.cases.first().context("there is no case")?;
    let mut command = context.helm()?.command();
    command.args(["install", RELEASE, context.chart.as_str(), "--dry-run=client", "--output", "json"]);
    for file in defaults.values.iter().map(Utf8PathBuf::as_path).map(Utf8Path::as_str) {
        command.args(["--values", file]);
    }
    let output = command.output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    judge(&output.stdout)
}

/// `release` is what Helm would store, as JSON.
fn judge(release: &[u8]) -> anyhow::Result<Outcome> {
    let parsed: Value = serde_json::from_slice(release).context("Helm shows a release that cannot be read")?;
    let is_whole = ["manifest", "config", "hooks"].iter().all(|key| !parsed[key].is_null())
        && ["templates", "values", "schema", "files"].iter().all(|key| !parsed["chart"][key].is_null());
    if !is_whole {
        bail!(
            "what Helm shows of the release is not all that it stores: a part of chart, manifest, values or hooks is missing"
        );
    }
    // Helm writes it without spaces, packs it as tightly as gzip can, and takes base64. The API server counts what a Secret holds, without
    // the base64 that it is sent in.
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(release.trim_ascii_end())?;
    let stored = base64_length(packed.finish()?.len());
    let budget = LIMIT * BUDGET_PERCENT / 100;
    let share =
        |bytes: usize| format!("{:.1} %", 100.0 * f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1_048_576.0);
    let figures = format!(
        "{stored} bytes stored, {} of the 1 MiB that a Secret may hold; the budget is {BUDGET_PERCENT} %",
        share(stored)
    );
    let mut wrong = Vec::new();
    if stored > budget {
        let parts =
            ["manifest", "chart", "config", "hooks"].map(|key| format!("{key} {}", parsed[key].to_string().len()));
        wrong.push(format!(
            "{stored} bytes are more than the {budget} of the budget; before packing: {}",
            parts.join(", ")
        ));
    }
    Ok(Outcome::of(figures).with(wrong))
}

fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn release(manifest: &str) -> Vec<u8> {
        let chart = json!({ "templates": [], "values": {}, "schema": "", "files": [] });
        json!({ "manifest": manifest, "config": {}, "hooks": [], "chart": chart }).to_string().into_bytes()
    }

    /// Text that does not pack well.
    fn noise(bytes: usize) -> String {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap_or_default())
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn a_release_that_is_too_large_is_refused() {
        assert_eq!(judge(&release(&noise(1000))).expect("figures").wrong, [""; 0]);
        let outcome = judge(&release(&noise(200_000))).expect("figures");
        assert!(
            matches!(outcome.wrong.as_slice(), [one] if one.contains("more than the 209715 of the budget")),
            "{outcome:?}"
        );
    }

    #[test]
    fn half_a_release_is_no_measure() {
        assert!(judge(br#"{"manifest":"","config":{},"hooks":[],"chart":{}}"#).is_err());
        assert_eq!((base64_length(0), base64_length(1), base64_length(3), base64_length(4)), (0, 4, 4, 8));
    }
}
