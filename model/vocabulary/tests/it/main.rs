//! What a declaration may not say: by its types, by the rules of its names, and as a whole.

mod mistakes;
mod names;
mod types;
