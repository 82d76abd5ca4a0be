//! The official JSON schemas of `CycloneDX`.

use camino::Utf8PathBuf;

use crate::{ToolError, Toolbox};

/// The library of `CycloneDX` for Go, which contains the schemas.
const MODULE: [&str; 2] = ["github.com/CycloneDX/cyclonedx-go", "v0.12.0"];

/// The folder, which is read-only, with `bom-1.6.schema.json` and the schemas that it refers to.
///
/// # Errors
/// [`ToolError::Module`] if Go or the module is not available, and [`ToolError::Checksum`] if the module differs from the pinned one.
pub fn cyclonedx_schemas() -> Result<Utf8PathBuf, ToolError> {
    let [module, version] = MODULE;
    Ok(Toolbox::from_environment()?.module(module, version)?.join("schema"))
}
