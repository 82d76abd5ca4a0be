//! What the parts of observability take. The scenarios `logs` and `traces` of `cargo xtask e2e` measure it; the figures here are those of a small node
//! with two cores, on which the stand-ins ran as services.

use crate::text::Row;

/// What a part takes under a load, as text.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// The part.
    pub(super) part: &'static str,
    /// The load.
    pub(super) load: &'static str,
    /// Processor time.
    pub(super) cpu: &'static str,
    /// Memory under the load: the working set, as the kubelet counts it.
    pub(super) memory: &'static str,
    /// The time from the start of its container until its Pod is Ready.
    pub(super) ready: &'static str,
}

impl Cost {
    /// The row of a table.
    pub(super) fn row(&self) -> Row {
        Row::of(&[self.part, self.load, self.cpu, self.memory, self.ready].map(str::to_owned))
    }
}

/// The log agent.
pub(super) const LOG_AGENT: Cost = Cost {
    part: "log agent, for each node",
    load: "80 records of 2 KB a second",
    cpu: "36m",
    memory: "20 MiB",
    ready: "3 s",
};

/// The gateway, Jaeger with each storage, and the instrumentation of a program.
pub(super) const TRACES: [Cost; 4] = [
    Cost {
        part: "gateway for traces",
        load: "200 spans in 25 traces a second, all kept",
        cpu: "6m",
        memory: "37 MiB",
        ready: "2 s",
    },
    Cost { part: "Jaeger, traces in memory", load: "the same, 750 traces", cpu: "2m", memory: "23 MiB", ready: "2 s" },
    Cost {
        part: "Jaeger, traces on a volume",
        load: "the same, 750 traces",
        cpu: "23m",
        memory: "68 MiB",
        ready: "2 s",
    },
    Cost {
        part: "each Pod that sends traces",
        load: "its start",
        cpu: "0.7 to 1.4 s more",
        memory: "15 to 43 MiB more",
        ready: "up to 7 s later at 200m CPU",
    },
];
