//! The crate as its users see it: mistakes of a whole platform, and what does not compile.

mod shop;
mod types;
