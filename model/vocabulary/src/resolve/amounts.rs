//! Checks of amounts: CPU, memory and storage.

#[cfg(test)]
mod tests;

use crate::diagnostic::codes;
use crate::{Diagnostic, Quantity, Range, Resources, SourceLocation};

codes! {
    /// A limit below its request.
    LimitBelowRequest,
    /// An amount of zero.
    AmountZero,
    /// A fraction of a byte.
    AmountFraction,
    /// A volume without a unit, or of less than a mebibyte.
    VolumeTooSmall,
    /// CPU in bytes.
    CpuInBytes,
    /// CPU and memory in the place of each other.
    ResourcesSwapped,
}

/// Reports CPU and memory that make no sense. `owner` names the service or server.
pub(super) fn resources(
    owner: &str,
    resources: Resources,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Resources { cpu, memory } = resources;
    if !is_cpu(cpu.request) && is_cpu(memory.request) {
        diagnostics.push(
            Diagnostic::new(
                Code::ResourcesSwapped,
                format!("{owner} has `{}` of CPU and `{}` of memory: they are swapped", cpu.request, memory.request),
            )
            .at("declared", location)
            .help("put CPU first: `Resources::new(cpu(…), memory(…))`"),
        );
        return;
    }
    range(owner, "CPU", cpu, cpu_amount, location, diagnostics);
    range(owner, "memory", memory, |o, amount, l| bytes(o, "memory", amount, l), location, diagnostics);
}

/// What is wrong with an amount of storage, if something is. `owner` names the volume.
pub(super) fn storage(owner: &str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    bytes(owner, "storage", amount, location).or_else(|| {
        // The chart refuses such a size when it is installed.
        let is_small = amount.suffix().is_empty() || amount.thousandths() < SMALLEST_VOLUME * 1000;
        is_small.then(|| {
            Diagnostic::new(
                Code::VolumeTooSmall,
                format!("{owner} has `{amount}` of storage, which is no size of a volume"),
            )
            .at("declared", location)
            .help("write at least 1Mi, with a unit, such as `10Gi`")
        })
    })
}

/// The smallest volume that a chart accepts, in bytes.
const SMALLEST_VOLUME: u128 = 1 << 20;

fn range(
    owner: &str,
    what: &str,
    range: Range,
    amount: impl Fn(&str, Quantity, SourceLocation) -> Option<Diagnostic>,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut amounts = [Some(range.request), range.limit].into_iter().flatten();
    if let Some(diagnostic) = amounts.find_map(|quantity| amount(owner, quantity, location)) {
        diagnostics.push(diagnostic);
    } else if let Some(limit) = range.limit.filter(|limit| limit.thousandths() < range.request.thousandths()) {
        diagnostics.push(
            Diagnostic::new(
                Code::LimitBelowRequest,
                format!("{owner} requests `{}` of {what}, but its limit is `{limit}`", range.request),
            )
            .at("declared", location)
            .help("raise the limit to the request or above, or lower the request"),
        );
    }
}

fn is_cpu(amount: Quantity) -> bool {
    matches!(amount.suffix(), "" | "m")
}

fn cpu_amount(owner: &str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    if is_cpu(amount) {
        return zero(owner, "CPU", amount, location);
    }
    let summary = format!("{owner} has `{amount}` of CPU, which is a number of bytes");
    let help = "write CPU in cores (`2`, `0.5`) or in thousandths of a core (`500m`)";
    Some(Diagnostic::new(Code::CpuInBytes, summary).at("declared", location).help(help))
}

fn bytes(owner: &str, what: &str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    let form = match amount.suffix() {
        "m" => "a number of thousandths of a byte",
        "" if amount.as_str().contains('.') => "a fraction of a byte",
        _ => return zero(owner, what, amount, location),
    };
    let number = amount.as_str().trim_end_matches('m');
    Some(
        Diagnostic::new(Code::AmountFraction, format!("{owner} has `{amount}` of {what}, which is {form}"))
            .at("declared", location)
            .help(format!("for mebibytes write `{number}Mi`")),
    )
}

fn zero(owner: &str, what: &str, amount: Quantity, location: SourceLocation) -> Option<Diagnostic> {
    (amount.thousandths() == 0).then(|| {
        Diagnostic::new(Code::AmountZero, format!("{owner} has `{amount}` of {what}"))
            .at("declared", location)
            .help(format!("set the amount of {what} that it needs"))
    })
}
