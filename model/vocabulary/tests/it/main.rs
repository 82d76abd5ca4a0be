//! What a declaration may not say: by its types, by the rules of its names, and as a whole.

mod diagnostics;
mod names;
mod types;
