//! One module per command.

pub mod e2e;
pub mod generate;
pub mod secrets;
pub mod verify;
