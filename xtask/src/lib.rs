//! What `cargo xtask` does: the only code of the workspace that reads and writes files.
//!
//! The renderer makes all output in memory, as one ordered map of path and text. What is here puts that map on disk or
//! compares it with what lies there; it decides nothing about the chart.

pub mod cases;
pub mod commands;
pub mod e2e;
pub mod owned_tree;
pub mod platform;
pub mod workspace;
