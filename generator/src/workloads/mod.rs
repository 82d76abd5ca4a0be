//! What runs: Pods and the workloads around them.

pub(crate) mod pod_parts;
